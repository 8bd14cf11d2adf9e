"""tools/bench private: what encryption costs netkit push.

Records of 100 bytes to 1,000 native subscribers with keys, beside the same in clear and redis pub/sub in clear: one at a
time, and with a queue. What counts are deliveries per CPU second of the server, as the median of the ratios. Then what a
handshake costs the server, beside a loop of recvfrom, OpenSSL and sendto and nothing else; what it costs that all
subscribe at once, beside their handshakes; and what an idle session takes of memory.
"""

import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "fanout"))

import others  # noqa: E402

BUILD = os.environ["NETKIT_BUILD"]
SUBSCRIBERS = 1000
HANDSHAKES = 2000


def verdict(ratio, goal):
    return f"{ratio:.2f} x (goal {goal}) {'ok' if ratio >= goal else 'MISSED'}"


def rate(wire, messages, window):
    """Deliveries per CPU second."""
    _, cpu = others.deliver(wire, SUBSCRIBERS, messages, 100, window)
    return SUBSCRIBERS * messages / cpu


def measure_fanout(rounds):
    missed = False
    for title, messages, window, other, goal in [("one at a time", 200, 1, "netkit", 1 / 3),
                                                 ("a queue", 2000, 2000, "redis", 1)]:
        ratios, ours = [], []
        for _ in range(rounds):
            theirs = rate(other, messages, window)
            ours.append(rate("private", messages, window))
            ratios.append(ours[-1] / theirs)
        ratio = statistics.median(ratios)
        missed |= ratio < goal
        name = {"netkit": "in clear", "redis": "redis in clear"}[other]
        print(f"{SUBSCRIBERS} subscribers, {title}: {statistics.median(ours) / 1e6:.2f} M deliveries per CPU second, beside "
              f"{name} {verdict(ratio, round(goal, 2))}", flush=True)
    return missed


def resident(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def join(wire):
    """CPU seconds and bytes of the server for each of so many who come at once."""
    with others.server(wire) as (process, port, source):
        cpu, memory = others.cpu_seconds(process.pid), resident(process.pid)
        words = [f"{BUILD}/bench/fanout_load", wire, port, SUBSCRIBERS, 1, 100, 1, source]
        load = subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                pass_fds=[source])
        try:
            if load.stdout.readline() != b"ready\n":
                raise SystemExit("not all get their subscriptions")
            return ((others.cpu_seconds(process.pid) - cpu) / SUBSCRIBERS,
                    (resident(process.pid) - memory) / SUBSCRIBERS)
        finally:
            load.kill()
            load.wait()


def measure_handshakes(rounds):
    ratios, joins, sizes = [], [], []
    for _ in range(rounds):
        done = subprocess.run([f"{BUILD}/bench/private_limit", str(HANDSHAKES)], capture_output=True, check=True, text=True)
        handshake, _ = join("handshakes")
        whole, size = join("private")
        ratios.append(1 / handshake / float(done.stdout))
        joins.append(whole / handshake)
        sizes.append(size)
    ratio, times, size = statistics.median(ratios), statistics.median(joins), statistics.median(sizes)
    print(f"handshakes: {1 / handshake:.0f} a CPU second, beside OpenSSL's {float(done.stdout):.0f} {verdict(ratio, 0.7)}")
    print(f"{SUBSCRIBERS} who subscribe at once: {times:.2f} times their handshakes (goal 1.5) {'ok' if times <= 1.5 else 'MISSED'}")
    print(f"memory of an idle subscriber: {size / 1024:.1f} KiB (goal 32) {'ok' if size <= 32 << 10 else 'MISSED'}")
    return ratio < 0.7 or times > 1.5 or size > 32 << 10


def main():
    parser = argparse.ArgumentParser(prog="tools/bench private", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["fanout", "handshakes"], help="one of the two parts")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        keys = pathlib.Path(folder) / "keys"
        keys.touch(mode=0o600)
        keys.write_text("".join(f"s{i}:{os.urandom(32).hex()}\n" for i in range(1, SUBSCRIBERS + 1)))
        os.environ["NETKIT_BENCH_KEYS"] = str(keys)
        if options.only != "handshakes":
            missed |= measure_fanout(options.rounds)
        if options.only != "fanout":
            missed |= measure_handshakes(options.rounds)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
