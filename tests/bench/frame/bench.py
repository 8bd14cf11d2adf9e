"""tools/bench frame: netkit frame beside a bare parser (the limit), node's net and a Python loop.

In each round every program takes every test, one after another, server and client on a CPU each. What counts is the
median over the rounds of a program's figure divided by the limit's in the same round.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

from others import NODE, PYTHON, PYTHON_DECODE, PYTHON_ENCODE

BUILD = os.environ["NETKIT_BUILD"]
NETKIT = f"{BUILD}/bin/netkit"
SERVERS = {
    "limit": [f"{BUILD}/bench/frame_limit", "serve"],
    "netkit": [NETKIT, "frame", "serve", "127.0.0.1:0", "-q", "--ready-fd", "1"],
    "node": ["node", "-e", NODE],
    "python": ["/usr/bin/python3", "-c", PYTHON],
}
# netkit prints text, JSON or, as the limit does, the bodies alone.
PIPES = {
    "decode": {"limit": [f"{BUILD}/bench/frame_limit", "decode"], "netkit": [NETKIT, "frame", "decode", "--raw"],
               "python": ["/usr/bin/python3", "-c", PYTHON_DECODE]},
    "encode": {"limit": [f"{BUILD}/bench/frame_limit", "encode"], "netkit": [NETKIT, "frame", "encode"],
               "python": ["/usr/bin/python3", "-c", PYTHON_ENCODE]},
}
# name, connections, window, bytes, goal of netkit's rate to the limit's
LOADS = [
    ("pipelined 64 B", 8, 64, 64, 0.80),
    ("pipelined 4 KiB", 8, 64, 4096, 0.80),
    ("ping-pong 64 B", 1, 1, 64, 0.95),
    ("ping-pong 4 KiB", 1, 1, 4096, 0.95),
]
STREAM_GOAL = 0.85
# A device that rules play: what a frame of one of 10,000 costs to what one of ten does, beside what the kernel makes of the
# limit's, which has as many sockets.
SIMULATOR = [NETKIT, "frame", "serve", "127.0.0.1:0", "-q", "--ready-fd", "1", "--codec", "u32", "--rule", "hex:0778 => hex:07ff",
             "--rule", r"/^\x00/ => hex:0000"]
DEVICES_GOAL = 1.2
CLIENT_CPU = max(os.sched_getaffinity(0))
SERVER_CPU = min(os.sched_getaffinity(0))
MEMORY_GOAL = 2048


def pinned(cpu):
    return lambda: os.sched_setaffinity(0, {cpu})


class Server:
    def __init__(self, name):
        argv = SIMULATOR if name == "simulator" else SERVERS[name]
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, preexec_fn=pinned(SERVER_CPU))
        self.port = self.process.stdout.readline().decode().strip().rsplit(":", 1)[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def cpu_time(pid):
    """Seconds of CPU time, exact where the kernel has it (in schedstat: nanoseconds)."""
    try:
        with open(f"/proc/{pid}/schedstat", encoding="ascii") as stat:
            return int(stat.read().split()[0]) / 1e9
    except FileNotFoundError:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def loading(*words):
    """frame_load, once all of its connections are there; `words`: what it is to do, the server, and the rest."""
    what, server, *rest = words
    client = subprocess.Popen([f"{BUILD}/bench/frame_load", what, server.port, *map(str, rest)], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, preexec_fn=pinned(CLIENT_CPU))
    if client.stdout.readline() != b"ready\n":
        sys.exit("tools/bench frame: the server does not answer")
    return client


def rate(name, load, seconds):
    """Answers a second of the server's CPU time; for ping-pong of the clock's."""
    _, connections, window, size, *_ = load
    with Server(name) as server, loading("run", server, connections, window, size, seconds) as client:
        before = cpu_time(server.process.pid)
        answers, lasted = client.communicate(b"\n")[0].split()
        cpu = cpu_time(server.process.pid) - before
    return int(answers) / (float(lasted) if connections == window == 1 else cpu)


def piped_cpu(argv, path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(path, "rb") as stream, open("/dev/null", "wb") as null:
        subprocess.run(argv, stdin=stream, stdout=null, check=True, preexec_fn=pinned(SERVER_CPU))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def throughput(argv, path):
    """Bytes of input per second of CPU time, but for what the program takes to start and to end."""
    start = min(piped_cpu(argv, "/dev/null") for _ in range(3))
    return os.path.getsize(path) / (piped_cpu(argv, path) - start)


def make_stream(folder, kind, size, total):
    """A file of frames, or of the lines that make them."""
    body = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    one = (size + 1).to_bytes(4, "big") + b"\x07" + body if kind == "decode" else b"7:" + body + b"\n"
    path = os.path.join(folder, f"{kind}{size}")
    with open(path, "wb") as stream:
        for _ in range(total // (len(one) * 1000) + 1):
            stream.write(one * 1000)
    return path


def idle_memory(count):
    """Bytes of private memory that netkit has for each registered client that is silent."""
    def private(pid):
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
            return sum(int(line.split()[1]) for line in rollup if line.startswith(("Private_", "Swap:"))) * 1024
    with Server("netkit") as server:
        before = private(server.process.pid)
        with loading("idle", server, count) as client:
            after = private(server.process.pid)
            client.communicate()
    return (after - before) / count


def wakeups(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(next(line for line in status if line.startswith("voluntary_ctxt_switches")).split()[1])


def idle_wakeups(count):
    """How often a simulator with so many silent devices wakes up in a second."""
    with Server("simulator") as server, loading("idle", server, count) as client:
        time.sleep(0.2)
        before = wakeups(server.process.pid)
        time.sleep(1)
        woken = wakeups(server.process.pid) - before
        client.communicate()
    return woken


def devices(options):
    """Whether a frame costs the same with ten connections and with many, and silent ones cost nothing."""
    counts = [10, 100, 1000, options.clients]
    costs = {(name, count): [] for name in ("limit", "simulator") for count in counts}
    for _ in range(options.rounds):
        for name, count in costs:
            costs[name, count].append(1 / rate(name, ("", count, 1, 1), options.seconds))

    def growth(name, count):
        return [many / few for many, few in zip(costs[name, count], costs[name, counts[0]])]
    print("a frame of one of many devices, by the server's CPU time, and to that of one of ten")
    met = True
    for count in counts:
        ratio = statistics.median(ours / bare for ours, bare in zip(growth("simulator", count), growth("limit", count)))
        met &= ratio <= DEVICES_GOAL
        cells = [f"{name} {statistics.median(costs[name, count]) * 1e9:6,.0f} ns {statistics.median(growth(name, count)):5.2f}"
                 for name in ("limit", "simulator")]
        print(f"  {count:6,}: {'   '.join(cells)}   {ratio:5.2f} of the limit's growth   "
              f"goal {DEVICES_GOAL}: {'met' if ratio <= DEVICES_GOAL else 'MISSED'}", flush=True)
    woken = idle_wakeups(options.clients)
    print(f"  {options.clients:6,} silent ones: {woken} wake-ups a second   goal 0: {'met' if woken == 0 else 'MISSED'}")
    return met and woken == 0


def report(name, figures, goal, unit):
    """One line a program; whether netkit meets the goal."""
    print(name)
    met = True
    for program, values in figures.items():
        ratio = statistics.median(v / limit for v, limit in zip(values, figures["limit"]))
        line = f"  {program:8} {statistics.median(values):14,.0f} {unit}   {ratio:6.2f} of the limit"
        if program == "netkit":
            met = ratio >= goal
            line += f"   goal {goal}: {'met' if met else 'MISSED'}"
        print(line, flush=True)
    return met


def run(options):
    met = True
    figures = {load[0]: {name: [] for name in SERVERS} for load in LOADS}
    streams = [(kind, size) for kind in PIPES for size in (64, 4096)]
    piped = {stream: {name: [] for name in PIPES[stream[0]]} for stream in streams}
    with tempfile.TemporaryDirectory() as folder:
        paths = {stream: make_stream(folder, *stream, options.stream_mib << 20) for stream in streams}
        for _ in range(options.rounds):
            for load in LOADS:
                for name in SERVERS:
                    figures[load[0]][name].append(rate(name, load, options.seconds))
            for stream in streams:
                for name, argv in PIPES[stream[0]].items():
                    piped[stream][name].append(throughput(argv, paths[stream]))
    for load in LOADS:
        by = "" if load[2] == 1 else ", by the server's CPU time"
        met &= report(load[0] + by, figures[load[0]], load[4], "answers/s")
    for kind, size in streams:
        met &= report(f"{kind} {size} B, by CPU time", piped[kind, size], STREAM_GOAL, "B/s")
    memory = idle_memory(options.clients)
    met &= memory < MEMORY_GOAL
    print(f"{options.clients:,} idle clients: {memory:,.0f} bytes each   goal {MEMORY_GOAL}: "
          f"{'met' if memory < MEMORY_GOAL else 'MISSED'}")
    return met and devices(options)


def main():
    parser = argparse.ArgumentParser(prog="tools/bench frame", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement of a server")
    parser.add_argument("--stream-mib", type=int, default=256, help="size of the streams to encode and decode")
    parser.add_argument("--clients", type=int, default=10000, help="how many are idle")
    options = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, options.clients + 100)), hard))
    sys.exit(0 if run(options) else 1)


if __name__ == "__main__":
    main()
