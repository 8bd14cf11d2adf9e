"""tools/bench echo: netkit's echo server beside the limit and other servers.

In each round every server takes every test, one after another, server and client on a CPU each. What counts is the
median over the rounds of a server's figure divided by the limit's in the same round. CPU per message is the figure to
trust; rates tell only large effects.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys

from servers import BUILD, CLIENT_CPU, Server, available, load, own_memory

OTHERS = ["sockperf", "socat", "ncat", "python", "node"]
# A bare loop that never sleeps, too, where what counts is how soon an answer comes: what there is to gain.
SPINNING = ["spinning", *OTHERS]


class Test:
    """`figure` of (sent, received, seconds, cpu); `goal` bounds netkit's ratio to the limit."""

    def __init__(self, name, kind, arguments, figure, goal, others):
        self.name, self.kind, self.arguments, self.figure, self.goal = name, kind, arguments, figure, goal
        self.others = others
        self.at_least = figure == "rate" or figure == "lossless"

    def measure(self, server, seconds):
        if self.figure == "lossless":
            return lossless_rate(server, seconds, *self.arguments)
        result = load(server, self.arguments[0], seconds, *self.arguments[1:])
        if result is None or result[1] == 0:
            return None
        _, received, lasted, cpu = result
        return received / lasted if self.figure == "rate" else cpu / received * 1e9

    def met(self, ratio):
        return ratio >= self.goal if self.at_least else ratio <= self.goal


def lossless_rate(server, seconds, flows, size):
    """The highest rate of a rising series at which at most one datagram in a thousand is lost."""
    rate, best = 60_000.0, 0.0
    while rate < 3e6:
        result = load(server, "rate", max(0.3, seconds / 3), flows, round(rate), size)
        if result is None:
            return None
        sent, received, lasted, _ = result
        if received < sent * 0.999:
            break
        best = max(best, sent / lasted)
        if sent / lasted < rate * 0.9:  # the client's own limit
            break
        rate *= 1.15
    return best or None


TESTS = [
    Test("udp 64 B, 64 flows of 4", "udp", ("udp", 64, 4, 64), "cpu", 1.06, OTHERS),
    Test("udp 64 B, 8 flows of 32", "udp", ("udp", 8, 32, 64), "cpu", 0.80, OTHERS),
    Test("udp 64 B, coalesced flood", "udp", ("flood", 8, 512, 64), "rate", 12, ["sockperf"]),
    Test("udp 64 B, ping-pong", "udp", ("ping", 1, 1, 64), "rate", 1.8, SPINNING),
    Test("udp 64 B, 8 flows of 1", "udp", ("udp", 8, 1, 64), "rate", 2.5, SPINNING),
    Test("udp 64 B, rate without loss", "udp", (16, 64), "lossless", 0.9, ["sockperf", "python", "node"]),
    Test("tcp 64 B, ping-pong", "tcp", ("tcp", 1, 1, 64), "rate", 1.8, SPINNING),
    Test("tcp 64 B, 8 connections, 64 under way", "tcp", ("tcp", 8, 64, 64), "cpu", 1.08, ["sockperf", "python", "node"]),
    Test("tcp 64 B, 100 connections", "tcp", ("tcp", 100, 1, 64), "cpu", 1.08, OTHERS),
    Test("tcp 64 B, 1,000 connections", "tcp", ("tcp", 1000, 1, 64), "cpu", 1.08, ["sockperf", "python", "node"]),
    Test("tcp 64 B, 10,000 connections", "tcp", ("tcp", 10000, 1, 64), "cpu", 1.08, []),
    Test("tcp bulk, 64 KiB", "tcp", ("tcp", 4, 16, 65536), "cpu", 1.10, ["socat", "ncat", "python", "node"]),
]


def idle_memory(connections):
    """Bytes of memory that netkit has for each idle TCP connection."""
    with Server("netkit", "tcp") as server:
        before = own_memory(server.pid)
        client = subprocess.Popen([f"{BUILD}/bench/echo_load", "idle", str(server.port), "1", str(connections), "0", "0"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        client.stdout.readline()
        after = own_memory(server.pid)
        client.communicate()
    return (after - before) / connections


def cpu_of(argv, times=40):
    """CPU seconds that a run of a program takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(times):
        subprocess.run(argv, stdout=subprocess.DEVNULL, check=True, preexec_fn=None)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / times


def run_rounds(tests, names, rounds, seconds):
    """figures[test][server]: a list with one value a round, None where a server could not do it."""
    figures = {test.name: {} for test in tests}
    for number in range(rounds):
        for test in tests:
            for name in names:
                if name in ("limit", "netkit") or name in test.others:
                    with Server(name, test.kind) as server:
                        value = test.measure(server, seconds)
                    figures[test.name].setdefault(name, []).append(value)
            print(f"round {number + 1} of {rounds}: {test.name}", file=sys.stderr, flush=True)
    return figures


def ratios(values, limits):
    both = [v / l for v, l in zip(values, limits) if v and l]
    return statistics.median(both) if both else None


def report(tests, figures):
    missed = 0
    rows = []
    for test in tests:
        of_test = figures[test.name]
        unit = "ns CPU a message" if test.figure == "cpu" else "messages a second"
        print(f"\n{test.name} ({unit}; ratio to the limit)")
        for name, values in of_test.items():
            known = [v for v in values if v]
            if not known:
                print(f"  {name:9} failed")
                continue
            ratio = ratios(values, of_test["limit"])
            line = f"  {name:9} {statistics.median(known):14,.2f}   {ratio:8.2f}"
            if name == "netkit":
                if "spinning" in of_test:
                    line += f"   {ratios(values, of_test['spinning']):.2f} of the loop that spins"
                met = test.met(ratio)
                missed += not met
                line += f"   goal {'>=' if test.at_least else '<='} {test.goal}: {'met' if met else 'MISSED'}"
            print(line)
            rows.append({"test": test.name, "server": name, "median": statistics.median(known), "ratio": ratio})
    return missed, rows


def check(name, value, goal, unit):
    met = value <= goal
    print(f"{name}: {value:.3f} {unit}, goal <= {goal}: {'met' if met else 'MISSED'}")
    return 0 if met else 1


def check_memory():
    return check("memory of an idle connection", idle_memory(10_000) / 1024, 0.5, "KiB")


def check_start():
    netkit = f"{BUILD}/bin/netkit"
    curl = [cpu_of(["curl", "--version"]) for _ in range(3)]
    version = [cpu_of([netkit, "--version"]) for _ in range(3)]
    shown = [cpu_of([netkit, "echo", "--help"]) for _ in range(3)]
    missed = check("start: netkit --version to curl --version", ratios(version, curl), 0.5, "of its CPU")
    return missed + check("start: netkit echo --help to curl --version", ratios(shown, curl), 0.7, "of its CPU")


CHECKS = {"memory": check_memory, "start": check_start}


def main():
    parser = argparse.ArgumentParser(prog="tools/bench echo", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds [5]")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of one measurement [1]")
    parser.add_argument("--only", default="",
                        help=f"tests with this in their name, or one of: {' '.join(CHECKS)}")
    parser.add_argument("--servers", default="all", help="names separated by commas, beside limit and netkit [all]")
    parser.add_argument("--json", metavar="FILE", help="write the figures there as well")
    options = parser.parse_args()
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("tools/bench echo: needs two CPUs, one for the server and one for the client")
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    os.sched_setaffinity(0, {CLIENT_CPU})
    wanted = OTHERS if options.servers == "all" else [n for n in options.servers.split(",") if n]
    unknown = [n for n in wanted if n not in OTHERS]
    if unknown:
        parser.error(f"--servers: no server '{unknown[0]}'; there are: {' '.join(OTHERS)}, or none with ''")
    names = ["limit", "netkit", "spinning"] + [name for name in wanted if available(name)]
    tests = [test for test in TESTS if options.only in test.name]
    figures = run_rounds(tests, names, options.rounds, options.seconds)
    missed, rows = report(tests, figures)
    print()
    missed += sum(measure() for name, measure in CHECKS.items() if options.only in name)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"rows": rows, "figures": figures}, file, indent=1)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
