"""tools/bench fanout: records to many subscribers by netkit push.

First plain subscribers, beside a bare sendmmsg loop. All are addresses of one socket, which nobody reads: what is
measured is the sender. In each round the limit and netkit send the same number of datagrams, one after the other; what
counts is the median of the ratios of the times.

Then native subscribers and a queue of records, beside redis pub/sub, nats-server and mosquitto, whose subscribers come
by TCP. One program subscribes, publishes and counts for all of them. In each round every server takes every test, one
after the other; what counts are deliveries per CPU second of the server, as the median of the ratios.
"""

import argparse
import os
import re
import resource
import socket
import statistics
import struct
import subprocess
import sys
import time

import others

BUILD = os.environ["NETKIT_BUILD"]
FIRST = 0x7F010001
# (title, subscribers, records, what netkit is told, the least ratio of the rates)
TESTS = [
    ("1,000 subscribers, one record at a time", 1000, 1000, ["--keep", "2"], 0.85),
    ("100,000 subscribers, one record at a time", 100000, 10, ["--keep", "2"], 0.85),
    ("10 subscribers, one record at a time", 10, 50000, ["--keep", "2"], 0.85),
    ("1,000 subscribers, a queue of records", 1000, 4000, [], 1.0),
]


# subscribers, messages, bytes of each (None: --size); the last as the lines of `seq` to three
QUEUES = [(10, 100_000, None), (100, 12_000, None), (1000, 3_000, None), (3, 300_000, 6)]
WINDOW = 2000  # messages that are on their way at once
SHARE = {"mosquitto": 10}  # gets but one in so many, or it would take all the time


def open_sink():
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(("0.0.0.0", 0))
    return sink


def register(sink, port, subscribers, deadline=60):
    """A name from each address, in steps that the server's buffer holds."""
    end = time.monotonic() + deadline
    found = 0
    while time.monotonic() < end:  # what a full buffer loses is said again
        for i in range(subscribers):
            info = struct.pack("=i", 0) + struct.pack(">I", FIRST + i) + b"\0\0\0\0"
            sink.sendmsg([b"s%d" % i], [(socket.IPPROTO_IP, 8, info)], 0, ("127.0.0.1", port))
            if i % 500 == 499:
                time.sleep(0.002)
        with socket.create_connection(("127.0.0.1", port), timeout=30) as control:
            control.sendall(b"LIST\n")
            found = int(control.makefile("rb").readline().split()[1])
        if found == subscribers:
            return
    sys.exit(f"only {found} of {subscribers} are registered after {deadline} s")


def timed(work):
    """Seconds and CPU seconds of the children that `work` waits for."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - start, cpu


def limit(subscribers, records, size):
    with open_sink() as sink:
        words = [f"{BUILD}/bench/fanout_limit", sink.getsockname()[1], subscribers, records, size]
        return timed(lambda: subprocess.run([str(word) for word in words], check=True))


def netkit(subscribers, records, size, options):
    server = subprocess.Popen(
        [f"{BUILD}/bin/netkit", "push", "serve", "0", "--from", "-", "-q", "--ready-fd", "1", "--max-subscribers", "200000",
         *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        port = int(re.search(rb":(\d+)\n", server.stdout.readline()).group(1))
        with open_sink() as sink:
            register(sink, port, subscribers)
            with open(f"/proc/{server.pid}/stat", encoding="ascii") as stat:
                spent = sum(map(int, stat.read().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")
            data = (b"x" * size + b"\n") * records

            def work():
                server.stdin.write(data)
                server.stdin.close()
                server.wait(120)
            seconds, cpu = timed(work)
            return seconds, cpu - spent
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()


def measure_limit(options):
    """Plain subscribers beside the limit; whether a goal was missed."""
    missed = False
    for title, subscribers, records, words, goal in TESTS:
        ratios, rates, costs = [], [], []
        for _ in range(options.rounds):
            bare, _ = limit(subscribers, records, options.size)
            seconds, cpu = netkit(subscribers, records, options.size, words)
            ratios.append(bare / seconds)
            rates.append(subscribers * records / seconds)
            costs.append(cpu / subscribers / records * 1e9)
        ratio = statistics.median(ratios)
        missed |= ratio < goal
        print(f"{title}: {statistics.median(rates) / 1e6:.2f} M deliveries/s, {statistics.median(costs):.0f} ns CPU each, "
              f"{ratio:.2f} x the limit (goal {goal}) {'ok' if ratio >= goal else 'MISSED'}", flush=True)
    return missed


def measure_others(options):
    """Native subscribers beside other servers; whether one of those was ahead."""
    wires = [wire for wire in others.WIRES if others.program(wire)]
    for wire in set(others.WIRES) - set(wires):
        print(f"{wire} is not measured: it is not installed")
    missed = False
    for subscribers, messages, given in QUEUES:
        size = given or options.size
        rates = {wire: [] for wire in wires}
        clocks = {wire: [] for wire in wires}
        for _ in range(options.rounds):
            for wire in wires:
                count = messages // SHARE.get(wire, 1)
                seconds, cpu = others.deliver(wire, subscribers, count, size, WINDOW)
                rates[wire].append(subscribers * count / cpu)
                clocks[wire].append(subscribers * count / seconds)
        print(f"{subscribers} subscribers, a queue of records of {size} bytes:")
        for wire in wires:
            ratio = statistics.median(ours / theirs for ours, theirs in zip(rates["netkit"], rates[wire]))
            missed |= ratio < 1
            verdict = "" if wire == "netkit" else f", netkit {ratio:.2f} x {'ok' if ratio >= 1 else 'MISSED'}"
            print(f"  {wire}: {statistics.median(rates[wire]) / 1e6:.2f} M deliveries per CPU second, "
                  f"{statistics.median(clocks[wire]) / 1e6:.2f} M/s by the clock{verdict}", flush=True)
    return missed


def main():
    parser = argparse.ArgumentParser(prog="tools/bench fanout", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=100, help="bytes of a record [100]")
    parser.add_argument("--only", choices=["limit", "others"], help="one of the two parts")
    options = parser.parse_args()
    # A thousand connections, here and in what is started.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    missed = False
    if options.only != "others":
        missed |= measure_limit(options)
    if options.only != "limit":
        missed |= measure_others(options)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
