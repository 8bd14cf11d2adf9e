"""tools/bench sse: netkit sse beside curl -N, sed, eventsource-parser and Python; sse serve beside node's http.

In each round every program takes every test, one after another. What counts is the median over the rounds of a
program's CPU time divided by that of the other in the same round.
"""

import argparse
import os
import resource
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile

from others import NODE_CLIENT, NODE_SERVER, ORIGIN, PYTHON_CLIENT

NETKIT = f"{os.environ['NETKIT_BUILD']}/bin/netkit"
PYTHON = "/usr/bin/python3"
MEMORY_GOAL_KIB = 24 << 10


def clients(parser):
    """What reads a stream, as a shell line with $URL."""
    netkit = f"{NETKIT} sse $URL --reconnect never -q"
    found = {"netkit text": netkit, "netkit --raw": f"{netkit} --raw", "netkit --json": f"{netkit} --json",
             "curl -N": "curl -sN $URL", "curl | sed": "curl -sN $URL | sed -n 's/^data: //p'",
             "python": f"exec {PYTHON} -c \"$PYTHON_CLIENT\" $URL"}
    if parser:
        found["eventsource-parser"] = f"exec node -e \"$NODE_CLIENT\" $URL {parser}"
    return found


# size, who, than whom, the most that the quotient of their CPU times may be
GOALS = [(200, "netkit text", "curl -N", 2.5), (65536, "netkit text", "curl -N", 1.3),
         (200, "netkit text", "curl | sed", 1.0), (65536, "netkit text", "curl | sed", 1.0),
         (200, "netkit --json", "eventsource-parser", 0.25), (65536, "netkit --json", "eventsource-parser", 0.25)]


# events at a time, than whose deliveries a second of CPU time, the least that the quotient may be
SERVE_GOALS = {(16, "node"): 3, (1, "limit"): 0.8}
# The larger of two lines of these sizes in MiB may take so many times the CPU time of the smaller.
LINES, LINE_GOAL = (4, 16), 6


def install_parser(folder):
    """eventsource-parser from npm, or none where that cannot be reached."""
    try:
        subprocess.run(["npm", "install", "--silent", "--prefix", folder, "eventsource-parser@3"], check=True,
                       capture_output=True, timeout=60)
        return f"{folder}/node_modules/eventsource-parser"
    except (OSError, subprocess.SubprocessError):
        print("eventsource-parser is not measured: npm cannot install it here")
        return None


def run_client(line, url):
    """CPU seconds, and the largest memory in KiB."""
    env = dict(os.environ, URL=url, PYTHON_CLIENT=PYTHON_CLIENT, NODE_CLIENT=NODE_CLIENT)
    pid = os.fork()
    if pid == 0:
        null = os.open("/dev/null", os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        subprocess.run(["sh", "-c", line], env=env, check=False)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        with open(env["RESULT"], "w", encoding="ascii") as result:
            result.write(f"{used.ru_utime + used.ru_stime} {used.ru_maxrss}")
        os._exit(0)
    os.waitpid(pid, 0)
    with open(os.environ["RESULT"], encoding="ascii") as result:
        seconds, memory = result.read().split()
    return float(seconds), int(memory)


class Child:
    def __init__(self, argv, **kwargs):
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, **kwargs)
        self.port = int(self.process.stdout.readline().decode().strip().rsplit(":", 1)[-1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def line_rounds(options):
    """One event of one line that comes in pieces of 1 KiB: the time is to grow with its size, no faster."""
    found = {}
    for _ in range(options.rounds):
        for size in LINES:
            with Child([PYTHON, "-c", ORIGIN, str((size << 20) - 64), "1", "1024"]) as origin:
                url = f"http://127.0.0.1:{origin.port}/"
                found.setdefault(size, []).append(run_client(clients(None)["netkit text"], url)[0])
    small, large = (statistics.median(found[size]) for size in LINES)
    print(f"a line of {LINES[0]} MiB: {small * 1000:.0f} ms CPU, of {LINES[1]} MiB: {large * 1000:.0f} ms, "
          f"{large / small:.1f} times, goal {LINE_GOAL} {'' if large <= LINE_GOAL * small else 'MISSED'}")
    return large <= LINE_GOAL * small


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def deliveries(argv, readers, events, burst):
    """Events that reached a reader, a second of the server's CPU time; `burst` at a time, each written by itself."""
    with Child(argv, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as server, selectors.DefaultSelector() as wait:
        for _ in range(readers):
            sock = socket.create_connection(("127.0.0.1", server.port))
            sock.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200" in sock.recv(4096)
            sock.setblocking(False)
            wait.register(sock, selectors.EVENT_READ)
        before = cpu_seconds(server.process.pid)
        for number in range(events):
            server.process.stdin.write(b"x" * 100 + b"%08d\n" % number)
            server.process.stdin.flush()
            if number % burst == burst - 1:
                drain(wait, readers, b"%08d\n" % number)
        used = cpu_seconds(server.process.pid) - before
        for key in list(wait.get_map().values()):
            key.fileobj.close()
    return readers * events / max(used, 0.01)


def drain(wait, readers, last):
    """Until every reader has the event that ends with `last`."""
    missing = readers
    while missing > 0:
        for key, _ in wait.select(10) or sys.exit("an event did not arrive within ten seconds"):
            missing -= last in key.fileobj.recv(65536)


def read_rounds(options, parser):
    found = {}
    for size in (200, 65536):
        with Child([PYTHON, "-c", ORIGIN, str(size), str(options.megabytes << 20)]) as origin:
            url = f"http://127.0.0.1:{origin.port}/"
            for _ in range(options.rounds):
                for name, line in clients(parser).items():
                    found.setdefault((size, name), []).append(run_client(line, url))
    return found


def report_reading(found, megabytes):
    well = True
    for (size, name), runs in found.items():
        seconds = statistics.median(run[0] for run in runs)
        print(f"{size:6} B  {name:20} {seconds / megabytes * 1000:7.2f} ms CPU a MiB, "
              f"{max(run[1] for run in runs) / 1024:6.1f} MiB memory")
    for size, one, other, most in GOALS:
        if (size, other) not in found:
            continue
        pairs = zip(found[size, one], found[size, other])
        quotient = statistics.median(a[0] / max(b[0], 0.01) for a, b in pairs)
        well &= quotient <= most
        print(f"{size:6} B  {one} / {other}: {quotient:.2f}, goal {most} {'' if quotient <= most else 'MISSED'}")
    memory = max(run[1] for (_, name), runs in found.items() if name.startswith("netkit") for run in runs)
    print(f"memory of netkit: {memory / 1024:.1f} MiB, goal {MEMORY_GOAL_KIB >> 10}")
    return well and memory <= MEMORY_GOAL_KIB


def serve_rounds(options):
    """Bursts of 16, of which each server makes what batches it can, have the goal; an event at a time is a send a reader,
    whoever sends, so that there the limit is what to look at."""
    servers = {"netkit": [NETKIT, "sse", "serve", "127.0.0.1:0", "-q", "--ready-fd", "1"],
               "node": ["node", "-e", NODE_SERVER],
               "limit": [f"{os.environ['NETKIT_BUILD']}/bench/sse_limit", str(options.readers)]}
    quotients = {}
    for _ in range(options.rounds):
        for burst, events in ((1, options.events), (16, options.events * 4)):
            rates = {name: deliveries(argv, options.readers, events, burst) for name, argv in servers.items()}
            for name in ("node", "limit"):
                quotients.setdefault((burst, name), []).append(rates["netkit"] / rates[name])
            print(f"serve to {options.readers}, {burst:2} at a time: "
                  + ", ".join(f"{name} {rate:,.0f}/s" for name, rate in rates.items()))
    medians = {key: statistics.median(found) for key, found in quotients.items()}
    for (burst, name), quotient in medians.items():
        goal = SERVE_GOALS.get((burst, name))
        print(f"serve {burst:2} at a time: netkit / {name}: {quotient:.2f}"
              + (f", goal {goal} {'' if quotient >= goal else 'MISSED'}" if goal else ""))
    return all(medians[key] >= goal for key, goal in SERVE_GOALS.items())


def main():
    options = argparse.ArgumentParser(prog="tools/bench sse", description=__doc__)
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--megabytes", type=int, default=256)
    options.add_argument("--readers", type=int, default=1000)
    options.add_argument("--events", type=int, default=100)
    options = options.parse_args()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["RESULT"] = f"{folder}/result"
        well = report_reading(read_rounds(options, install_parser(folder)), options.megabytes)
        well &= line_rounds(options)
    well &= serve_rounds(options)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
