"""tools/bench private: what encryption costs netkit push and netkit chat.

First fan-out: messages of 100 bytes to 1,000 native receivers with keys, one at a time and with a queue, beside the same
in clear, or beside redis pub/sub in clear, by deliveries per CPU second of the server. Then handshakes, beside a server that is
a loop of recvfrom, OpenSSL and sendto and nothing else; what it costs that 1,000 subscribe or join at once, beside their
handshakes; and what they take of memory. Last a flood of ClientHellos with forged cookies: what it costs in memory, and
that it holds up no message. In each round both sides of a row take their turn; what counts is the median of the ratios.
"""

import argparse
import os
import pathlib
import resource
import socket
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "fanout"))

import others  # noqa: E402
from machine import resident  # noqa: E402

BUILD = os.environ["NETKIT_BUILD"]
MEMBERS = 1000
FLOOD = 100_000
KINDS = {"push": "private", "chat": "private-room"}
# (what, messages, window, beside which, its wire, the least ratio of the rates)
FANOUT = [("push", 200, 1, "clear text", "netkit", 1 / 3),
          ("push", 2000, 2000, "redis in clear", "redis", 1),
          ("chat", 200, 1, "clear text", "room", 1 / 3),
          ("chat", 2000, 2000, "clear text", "room", 1 / 3)]


class Table:
    """A row for each goal: what was measured, its value, and the goal."""

    def __init__(self):
        self.missed = False

    def add(self, what, value, goal, good, detail=""):
        self.missed |= not good
        print(f"{what:<58} {value:>10}   goal {goal:<10} {'ok' if good else 'MISSED':<6} {detail}".rstrip(), flush=True)


def rate(wire, messages, window):
    """Deliveries per CPU second."""
    _, cpu = others.deliver(wire, MEMBERS, messages, 100, window)
    return MEMBERS * messages / cpu


def measure_fanout(table, rounds):
    for kind, messages, window, other, wire, goal in FANOUT:
        theirs, ours = zip(*((rate(wire, messages, window), rate(KINDS[kind], messages, window)) for _ in range(rounds)))
        ratio = statistics.median(own / their for own, their in zip(ours, theirs))
        title = "one at a time" if window == 1 else "a queue"
        table.add(f"{kind}: to {MEMBERS}, {title}, beside {other}", f"{ratio:.2f} x", f">= {goal:.2f} x", ratio >= goal,
                  f"{statistics.median(ours) / 1e6:.2f} M deliveries per CPU second")


def come_at_once(server, wire):
    """CPU seconds and bytes of `server` for each of so many who come at once."""
    with others.server(server) as (process, port, source):
        cpu, memory = others.cpu_seconds(process.pid), resident(process.pid)
        words = [f"{BUILD}/bench/fanout_load", wire, port, MEMBERS, 1, 100, 1, source]
        load = subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                pass_fds=[source])
        try:
            if load.stdout.readline() != b"ready\n":
                raise SystemExit("not all get in")
            return ((others.cpu_seconds(process.pid) - cpu) / MEMBERS, (resident(process.pid) - memory) / MEMBERS)
        finally:
            load.kill()
            load.wait()


def measure_handshakes(table, rounds):
    limits, alone, joins, sizes = [], [], {kind: [] for kind in KINDS}, {kind: [] for kind in KINDS}
    for _ in range(rounds):
        limits.append(come_at_once("limit", "handshakes")[0])
        alone.append(come_at_once("handshakes", "handshakes")[0])
        for kind, wire in KINDS.items():
            cpu, size = come_at_once(wire, wire)
            joins[kind].append(cpu / alone[-1])
            sizes[kind].append(size / 1024)
    ratio = statistics.median(limit / own for limit, own in zip(limits, alone))
    table.add("handshakes, beside a bare loop of OpenSSL", f"{ratio:.2f} x", ">= 0.70 x", ratio >= 0.7,
              f"{1 / statistics.median(alone):.0f} and {1 / statistics.median(limits):.0f} per CPU second")
    for kind in KINDS:
        times, size = statistics.median(joins[kind]), statistics.median(sizes[kind])
        table.add(f"{kind}: {MEMBERS} come at once, beside their handshakes", f"{times:.2f} x", "<= 1.50 x", times <= 1.5)
        table.add(f"{kind}: memory of one who is idle", f"{size:.1f} KiB", "<= 32 KiB", size <= 32)


def client_hello():
    body = b"\xfe\xfd" + os.urandom(32) + b"\0\x14" + os.urandom(20) + b"\0\4\xcc\xac\0\xff" + b"\1\0"
    message = b"\1" + len(body).to_bytes(3, "big") + bytes(5) + len(body).to_bytes(3, "big") + body
    return b"\x16\xfe\xff" + bytes(8) + len(message).to_bytes(2, "big") + message


def measure_flood(table):
    with others.server("private-room") as (process, port, source), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        words = [others.program("netkit"), "chat", "join", str(port), "--name", "s1", "--psk-file",
                 os.environ["NETKIT_BENCH_KEYS"]]
        member = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            while b"joined" not in member.stderr.readline():
                pass
            before, cpu, hello, heard = resident(process.pid), others.cpu_seconds(process.pid), client_hello(), 0
            for i in range(FLOOD):
                sock.sendto(hello[:27] + os.urandom(8) + hello[35:], ("127.0.0.1", port))
                if i % (FLOOD // 10) == 0:
                    os.write(source, b"said %d\n" % i)
                    heard += member.stdout.readline() == b"[speaker] said %d\n" % i
            size = (resident(process.pid) - before) / (1 << 20)
            spent = (others.cpu_seconds(process.pid) - cpu) / FLOOD
        finally:
            member.kill()
            member.wait()
    table.add(f"{FLOOD} forged ClientHellos: memory", f"{size:.1f} MiB", "< 8 MiB", size < 8,
              f"{spent * 1e6:.1f} us of CPU each")
    table.add(f"{FLOOD} forged ClientHellos: messages heard meanwhile", f"{heard} of 10", "10 of 10", heard == 10)


PARTS = {"fanout": measure_fanout, "handshakes": measure_handshakes, "flood": lambda table, _: measure_flood(table)}


def main():
    parser = argparse.ArgumentParser(prog="tools/bench private", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=PARTS, help="one part of it")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    table = Table()
    with tempfile.TemporaryDirectory() as folder:
        keys = pathlib.Path(folder) / "keys"
        keys.touch(mode=0o600)
        names = ["speaker", *(f"s{i}" for i in range(1, MEMBERS + 1))]
        keys.write_text("".join(f"{name}:{os.urandom(32).hex()}\n" for name in names))
        os.environ["NETKIT_BENCH_KEYS"] = str(keys)
        for name, measure in PARTS.items():
            if options.only in (None, name):
                measure(table, options.rounds)
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
