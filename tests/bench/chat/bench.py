"""tools/bench chat: what a message to many members costs the room, beside what a record to as many subscribers costs
netkit push, and what a member costs in memory.

In each round the room and the push server give the same messages to as many receivers, one after the other; what counts
is the CPU time of the server alone, until all is acknowledged, and the median of the ratios. What is said at once is said
several times over, as one time is too short to measure. Native receivers are sessions of their own in one other process;
plain ones are addresses of one socket, which nobody reads.
"""

import argparse
import os
import re
import socket
import statistics
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))

from machine import cpu_seconds, own_memory  # noqa: E402

BUILD = os.environ["NETKIT_BUILD"]
NETKIT = f"{BUILD}/bin/netkit"
LOAD = f"{BUILD}/tests/session_load"
GOAL = 1.3        # times what push needs
MEMORY_GOAL = 2048  # bytes a member
QUEUES = 5        # of messages that are said at once, one after the other
FIRST = 0x7F010001  # of the addresses of plain receivers
SERVERS = {
    "chat": ["chat", "serve", "127.0.0.1:0", "--lease", "10m"],
    "push": ["push", "serve", "127.0.0.1:0", "--lease", "10m", "--from", "-", "--keep-open"],
}


class Server:
    def __init__(self, kind, receivers):
        words = [*SERVERS[kind], "-q", "--ready-fd", "1"]
        words += ["--max-members" if kind == "chat" else "--max-subscribers", str(receivers + 8)]
        self.kind = kind
        self.process = subprocess.Popen([NETKIT, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        self.port = int(re.search(rb":(\d+)\n", self.process.stdout.readline()).group(1))

    def cpu(self):
        """Seconds it has run on a processor."""
        return cpu_seconds(self.process.pid)

    def memory(self):
        """Bytes of memory of its own."""
        return own_memory(self.process.pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def settled(value, pause=0.3, deadline=120):
    """Waits until `value` stays the same, and gives it."""
    before = value()
    for _ in range(round(deadline / pause)):
        time.sleep(pause)
        now = value()
        if now - before < 0.002:
            return now
        before = now
    sys.exit(f"the server is still busy after {deadline} s")


class Speaker:
    """What says the messages: a member of the room, or the standard input of the push server."""

    def __init__(self, server):
        self.member = None
        self.stdin = server.process.stdin
        if server.kind == "chat":
            self.member = subprocess.Popen([NETKIT, "chat", "join", str(server.port), "--name", "speaker"],
                                           stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            self.stdin = self.member.stdin
            while b"joined" not in (line := self.member.stderr.readline()):
                if not line:
                    sys.exit("the speaker could not join")

    def say(self, messages, size, interval):
        for i in range(messages):
            self.stdin.write(b"%-*d\n" % (size, i))
            if interval:
                self.stdin.flush()
                time.sleep(interval)
        self.stdin.flush()

    def close(self):
        if self.member:
            self.member.stdin.close()
            self.member.wait()
            self.member.stderr.close()


def repeats(interval):
    return 1 if interval else QUEUES


def say_all(server, options, interval):
    """CPU seconds of one delivery."""
    speaker = Speaker(server)
    before = settled(server.cpu)
    for _ in range(repeats(interval)):
        speaker.say(options.messages, options.size, interval)
        after = settled(server.cpu)
    speaker.close()
    return (after - before) / options.receivers / options.messages / repeats(interval)


def native(kind, options, interval):
    """CPU seconds of one delivery, and bytes of memory of one receiver."""
    messages = options.messages * repeats(interval)
    with Server(kind, options.receivers) as server:
        empty = server.memory()
        load = subprocess.Popen([LOAD, kind, str(server.port), str(options.receivers), str(messages)],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if load.stdout.readline() != b"joined\n":
            sys.exit(load.wait())
        settled(server.cpu)
        memory = (server.memory() - empty) / options.receivers
        cost = say_all(server, options, interval)
        if load.stdout.readline() != b"heard\n":
            sys.exit(load.wait())
        load.stdin.close()
        load.wait()
        load.stdout.close()
        return cost, memory


def plain(kind, options, interval):
    """As native()."""
    with Server(kind, options.receivers) as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("0.0.0.0", 0))
        empty = server.memory()
        for i in range(options.receivers):
            source = struct.pack("=i", 0) + struct.pack(">I", FIRST + i) + b"\0\0\0\0"
            sink.sendmsg([b"reg" if kind == "chat" else b"s%d" % i], [(socket.IPPROTO_IP, 8, source)], 0,
                         ("127.0.0.1", server.port))
            if i % 100 == 99:
                time.sleep(0.005)
        settled(server.cpu)
        memory = (server.memory() - empty) / options.receivers
        return say_all(server, options, interval), memory


def main():
    parser = argparse.ArgumentParser(prog="tools/bench chat", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--receivers", type=int, default=1000)
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--size", type=int, default=60, help="bytes of a message [60]")
    options = parser.parse_args()
    missed = False
    memory = {native: [], plain: []}
    for title, work, interval in [("native members, a message every 10 ms", native, 0.01),
                                  ("native members, all messages at once", native, 0),
                                  ("plain members, a message every 10 ms", plain, 0.01),
                                  ("plain members, all messages at once", plain, 0)]:
        costs = {"chat": [], "push": []}
        for _ in range(options.rounds):
            for kind in ("push", "chat"):
                cost, bytes_each = work(kind, options, interval)
                costs[kind].append(cost)
                if kind == "chat":
                    memory[work].append(bytes_each)
        ratio = statistics.median(chat / push for chat, push in zip(costs["chat"], costs["push"]))
        missed |= ratio > GOAL
        print(f"{options.receivers} {title}: {statistics.median(costs['chat']) * 1e9:.0f} ns CPU a delivery, push "
              f"{statistics.median(costs['push']) * 1e9:.0f} ns, {ratio:.2f} x (goal {GOAL}) "
              f"{'ok' if ratio <= GOAL else 'MISSED'}", flush=True)
    for work, values in memory.items():
        value = statistics.median(values)
        good = 0 < value <= MEMORY_GOAL  # no member costs nothing
        missed |= not good
        print(f"memory of a {work.__name__} member: {value:.0f} bytes (goal {MEMORY_GOAL}) {'ok' if good else 'MISSED'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
