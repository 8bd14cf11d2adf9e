"""tools/bench private: what encryption costs netkit push.

Records of 100 bytes to 1,000 native subscribers with keys, beside the same in clear and redis pub/sub in clear: one at a
time, and with a queue. What counts are deliveries per CPU second of the server, as the median of the ratios. Then what a
handshake costs the server, beside OpenSSL with itself and nothing else, and what an idle session takes of memory.
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


def join():
    """CPU seconds and bytes of the server for each of so many who come."""
    with others.server("private") as (process, port, source):
        cpu, memory = others.cpu_seconds(process.pid), resident(process.pid)
        words = [f"{BUILD}/bench/fanout_load", "private", port, SUBSCRIBERS, 1, 100, 1, source]
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
    ratios, sizes = [], []
    for _ in range(rounds):
        done = subprocess.run([f"{BUILD}/bench/private_limit", str(HANDSHAKES)], capture_output=True, check=True, text=True)
        each, size = join()
        ratios.append(1 / each / float(done.stdout))
        sizes.append(size)
    ratio, size = statistics.median(ratios), statistics.median(sizes)
    print(f"handshakes, with the subscriptions that follow, beside OpenSSL's {float(done.stdout):.0f} a CPU second: "
          f"{verdict(ratio, 0.7)}")
    print(f"memory of an idle subscriber: {size / 1024:.1f} KiB (goal 32) {'ok' if size <= 32 << 10 else 'MISSED'}")
    return ratio < 0.7 or size > 32 << 10


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
