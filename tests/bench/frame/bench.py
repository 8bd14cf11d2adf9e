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
# A device that a rule plays: what one of 10,000 connections costs for a frame, to what one of ten does.
SIMULATOR = [NETKIT, "frame", "serve", "127.0.0.1:0", "-q", "--ready-fd", "1", "--codec", "u32", "--rule", "hex:0778 => hex:07ff",
             "--rule", r"/^\x00/ => hex:0000"]
DEVICES_GOAL = 1.3
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


def rate(name, load, seconds):
    """Answers a second of the server's CPU time; for ping-pong of the clock's."""
    _, connections, window, size, *_ = load
    with Server(name) as server:
        before = cpu_time(server.process.pid)
        done = subprocess.run([f"{BUILD}/bench/frame_load", "run", server.port, str(connections), str(window), str(size),
                               str(seconds)], stdout=subprocess.PIPE, check=True, preexec_fn=pinned(CLIENT_CPU))
        cpu = cpu_time(server.process.pid) - before
    answers, lasted = done.stdout.split()
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
        client = subprocess.Popen([f"{BUILD}/bench/frame_load", "idle", server.port, str(count)],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        client.stdout.readline()
        after = private(server.process.pid)
        client.communicate()
    return (after - before) / count


def wakeups(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(next(line for line in status if line.startswith("voluntary_ctxt_switches")).split()[1])


def idle_wakeups(count):
    """How often a simulator with so many silent devices wakes up in a second."""
    with Server("simulator") as server, subprocess.Popen([f"{BUILD}/bench/frame_load", "idle", server.port, str(count)],
                                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
        client.stdout.readline()
        time.sleep(0.2)
        before = wakeups(server.process.pid)
        time.sleep(1)
        woken = wakeups(server.process.pid) - before
        client.communicate()
    return woken


def devices(options):
    """Whether a frame costs the same with ten connections and with many, and silent ones cost nothing."""
    ratios = []
    for _ in range(options.rounds):
        few, many = (1 / rate("simulator", ("", count, 1, 1), options.seconds) for count in (10, options.clients))
        ratios.append(many / few)
    ratio, woken = statistics.median(ratios), idle_wakeups(options.clients)
    met = ratio <= DEVICES_GOAL and woken == 0
    print(f"a frame of {options.clients:,} devices: {ratio:.2f} of one of ten devices, {woken} wake-ups a second when idle   "
          f"goal {DEVICES_GOAL}, 0: {'met' if met else 'MISSED'}")
    return met


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
