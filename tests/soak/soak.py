"""All of netkit's servers for as long as asked, under good and bad clients: memory stays flat, descriptors constant, and
counters consistent.

    soak.py [TIME] [--seed N]

TIME is `10s`, `5m` or `2h`. Visitors come to every server at once, do something good or bad, and go, some without a word;
netkit's own clients stay connected, and are killed and started again. Now and then the visitors stop, and each server is
looked at. Ends with 1 and a line for each fault that it found.
"""

import argparse
import os
import random
import re
import socket
import statistics
import struct
import sys
import tempfile
import threading
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from frame_peer import DATETIME, HEARTBEAT, REGISTER, answer, frame, request  # noqa: E402
from hostile import reset  # noqa: E402
from native_peer import CONNECT, DATA, HELLO, ChatPeer, NativePeer, begin  # noqa: E402
from netkit import Netkit, host_port, receive_exactly, tcp_connect, udp_socket  # noqa: E402
from programs import resident  # noqa: E402

# What a server may grow by from the second quarter of the run to the last, beyond a twentieth of what it had.
GROWTH = 4 << 20
SAMPLES = 8  # to judge by; a busy machine takes longer for them
QUIET = 2.0  # s; the longest that a server may take to be at rest after the visitors have gone


class Server:
    """A running server with its metrics, its samples and the clients that stay."""

    def __init__(self, tool, name, words, sockets):
        self.name = name
        with open(os.devnull, "wb") as nowhere:
            process = tool.serve(*words, "--metrics", "127.0.0.1:0", sockets=sockets, stdout=nowhere)
        self.process = process
        self.address = process.listening[0][1]
        self.metrics_url = process.err.expect(rb"metrics on (\S+)\n").group(1).decode()
        self.tcp = next((a for kind, a in process.listening if kind == "tcp"), None)
        self.clients = []
        self.memory, self.descriptors, self.counters = [], [], {}

    def metrics(self):
        """{name with its labels: value}, and which of them are counters."""
        with urllib.request.urlopen(self.metrics_url, timeout=20) as reply:
            text = reply.read().decode()
        kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
        values = {name: float(value) for name, value in re.findall(r"^([a-z]\S*) (\S+)$", text, re.M)}
        return values, {name for name in values if kinds.get(re.sub(r"\{.*", "", name)) == "counter"}

    def open_descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def stranger(address, *datagrams):
    """One socket's datagrams; what comes back is not read."""
    with udp_socket() as sock:
        for datagram in datagrams:
            sock.sendto(datagram, host_port(address))


def talk(address, data, expected):
    with tcp_connect(address) as sock:
        sock.sendall(data)
        got = receive_exactly(sock, len(expected))
        if got != expected:
            raise AssertionError(f"{got[:80]!r} for {data[:80]!r}")


def say_and_hear(address, text, leave=b""):
    """A plain peer that gets what it says."""
    with udp_socket() as sock:
        sock.sendto(text, host_port(address))
        while text not in sock.recv(1 << 16):
            pass
        if leave:
            sock.sendto(leave, host_port(address))


def unread(address, data, seconds):
    """A client that asks and does not read, and goes with a reset."""
    sock = tcp_connect(address)
    sock.setblocking(False)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            sock.send(data)
        except BlockingIOError:
            time.sleep(0.01)
        except OSError:
            break
    reset(sock)


class Visits:
    """What visitors do: (server, function) pairs. Each takes the run's dice."""

    def __init__(self, servers):
        self.servers = servers

    def all(self):
        return [getattr(self, name) for name in sorted(dir(self)) if name.startswith("visit_")]

    def _of(self, name):
        return self.servers[name]

    def visit_echo(self, dice):
        say_and_hear(self._of("echo").address, dice.randbytes(dice.randrange(1, 1200)) + b"!")

    def visit_echo_tcp(self, dice):
        data = dice.randbytes(dice.randrange(1, 40000))
        talk(self._of("echo").tcp, data, data)

    def visit_echo_unread(self, dice):
        unread(self._of("echo").tcp, bytes(65536), dice.random() / 5)

    def visit_chat_plain(self, dice):
        say_and_hear(self._of("chat").address, b"hello %d" % dice.getrandbits(60), b"quit")

    def visit_chat_native(self, dice):
        with udp_socket() as sock:
            peer = ChatPeer(sock, host_port(self._of("chat").address), b"soak%d" % dice.getrandbits(40))
            if dice.random() < 0.5:
                peer.gap(dice.choice([0, 1, 1000, 0xffffffff]))
            if dice.random() < 0.8:
                peer.leave()

    def visit_native_garbage(self, dice):
        name = dice.choice(["chat", "push"])
        key = dice.randbytes(8)
        stranger(self._of(name).address, begin(HELLO, 0, key).ljust(64, b"\0"), begin(CONNECT, 0, key) + dice.randbytes(80),
                 begin(DATA, 0, key) + dice.randbytes(600), b"\xf5" + dice.randbytes(30))

    def visit_plain_garbage(self, dice):
        stranger(self._of(dice.choice(["echo", "broadcast"])).address, b"", b"\0" * 1200, dice.randbytes(64000))

    def visit_push_plain(self, dice):
        with udp_socket() as sock:
            sock.sendto(b"plain%d" % dice.getrandbits(40), host_port(self._of("push").address))
            sock.recv(1 << 16)

    def visit_push_native(self, dice):
        with udp_socket() as sock:
            peer = NativePeer(sock, host_port(self._of("push").address), b"native%d" % dice.getrandbits(40))
            if dice.random() < 0.8:
                peer.leave()

    def visit_push_control(self, dice):
        name = b"control%d" % dice.getrandbits(40)
        talk(self._of("push").tcp, b"SUBSCRIBE " + name + b" 9999\nUNSUBSCRIBE " + name + b"\n", b"OK\nOK\n")

    def visit_push_control_garbage(self, dice):
        with tcp_connect(self._of("push").tcp) as sock:
            sock.sendall(dice.choice([b"GET / HTTP/1.1\r\n\r\n", b"x" * 70000, b"DANCE\n" * 100, dice.randbytes(500)]))

    def visit_broadcast(self, dice):
        with udp_socket() as sock:
            sock.sendto(b"who is there %d" % dice.getrandbits(30), host_port(self._of("broadcast").address))
            if sock.recv(1 << 16) != b"here":
                raise AssertionError("another reply")

    def visit_sse(self, dice):
        with tcp_connect(self._of("sse").tcp) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
            while b"data:" not in sock.recv(1 << 16):
                pass

    def visit_sse_garbage(self, dice):
        with tcp_connect(self._of("sse").tcp) as sock:
            sock.sendall(dice.choice([b"GET / HTTP/9.9\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                                      b"G" * 100000, dice.randbytes(300) + b"\r\n\r\n"]))

    def visit_sse_unread(self, dice):
        unread(self._of("sse").tcp, b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100, dice.random() / 5)

    def visit_frame(self, dice):
        talk(self._of(dice.choice(["frame", "proxy"])).tcp, REGISTER + HEARTBEAT * 3, answer(0) + answer(1) * 3)

    def visit_frame_garbage(self, dice):
        data = dice.choice([struct.pack(">I", 0xffffffff), frame(b""), REGISTER[:9], request(99) * 50, dice.randbytes(400), DATETIME])
        with tcp_connect(self._of(dice.choice(["frame", "proxy"])).tcp) as sock:
            sock.sendall(data)

    def visit_and_reset(self, dice):
        reset(tcp_connect(self._of(dice.choice(["echo", "push", "sse", "frame", "proxy"])).tcp))


class Soak:
    def __init__(self, tool, seconds, seed):
        self.tool, self.seconds, self.seed = tool, seconds, seed
        self.servers = {}
        self.faults = []
        self.counts = {}
        self.go = threading.Event()
        self.busy = threading.Semaphore(0)
        self.ended = False

    def start(self):
        def add(name, sockets, *words):
            self.servers[name] = Server(self.tool, name, words, sockets)
        add("echo", 2, "echo", "serve", "127.0.0.1:0", "--idle-timeout", "2s")
        add("chat", 1, "chat", "serve", "127.0.0.1:0", "--lease", "2s")
        add("push", 2, "push", "serve", "127.0.0.1:0", "--every", "20ms", "--lease", "2s")
        add("broadcast", 1, "broadcast", "listen", "127.0.0.1:0", "--reply", "here")
        add("sse", 1, "sse", "serve", "127.0.0.1:0", "--every", "20ms")
        add("frame", 1, "frame", "serve", "127.0.0.1:0", "--idle-timeout", "2s")
        add("proxy", 1, "frame", "proxy", "127.0.0.1:0", self.servers["frame"].address)
        for name in self.servers:
            self.start_client(name)

    def start_client(self, name):
        """One of netkit's own clients that stays, in the place of the one before."""
        server = self.servers[name]
        words = {"chat": ["chat", "join", server.address, "--name", "resident"],
                 "push": ["push", "subscribe", server.address, "--name", "resident"],
                 "sse": ["sse", f"http://{server.tcp}/"],
                 "frame": ["frame", "connect", "-k", server.address],
                 "proxy": ["frame", "connect", "-k", server.address]}.get(name)
        if words is None:
            return
        for old in server.clients:
            old.cleanup()
            self.tool.processes.remove(old)
        with open(os.devnull, "wb") as nowhere:
            server.clients = [self.tool.start(*words, stdout=nowhere)]

    def visit(self, number):
        dice = random.Random(self.seed * 1000 + number)
        visits = Visits(self.servers).all()
        while not self.ended:
            if not self.go.is_set():
                self.busy.release()
                self.go.wait()
                continue
            what = dice.choice(visits)
            try:
                what(dice)
            except Exception as error:  # a bad answer may do anything to a visitor
                self.faults.append(f"{what.__name__}: {error!r}")
                if len(self.faults) > 20:
                    self.ended = True
            self.counts[what.__name__] = self.counts.get(what.__name__, 0) + 1
        self.busy.release()  # who waits for a visitor to pause need not wait for one that has gone

    def at_rest(self, server):
        """Descriptors that are open once the visitors' connections are closed."""
        count = server.open_descriptors()
        least = min(server.descriptors, default=count)
        end = time.monotonic() + QUIET
        while count > least and time.monotonic() < end:
            time.sleep(0.02)
            count = server.open_descriptors()
        return count

    def look(self):
        for server in self.servers.values():
            if server.process.popen.poll() is not None:
                self.faults.append(f"{server.name} ended: {server.process.err.data[-500:]}")
                continue
            server.descriptors.append(self.at_rest(server))
            server.memory.append(resident(server.process.pid))
            values, counters = server.metrics()
            for name in counters:
                if values[name] < server.counters.get(name, 0):
                    self.faults.append(f"{server.name}: {name} went back from {server.counters[name]} to {values[name]}")
            server.counters = {name: values[name] for name in counters}

    def run(self):
        self.start()
        self.go.set()  # who begins to visit has not paused
        workers = [threading.Thread(target=self.visit, args=(i,), daemon=True) for i in range(4)]
        for worker in workers:
            worker.start()
        began, rounds = time.monotonic(), 0
        pause = max(0.5, self.seconds / 40)
        dice = random.Random(self.seed)
        while not self.ended and (rounds < SAMPLES or time.monotonic() - began < self.seconds):
            self.go.set()
            time.sleep(pause)
            self.go.clear()
            for _ in workers:
                self.busy.acquire()
            self.look()
            rounds += 1
            if rounds % 4 == 0:
                self.start_client(dice.choice(sorted(self.servers)))
        self.ended = True
        self.go.set()
        for worker in workers:
            worker.join(30)
        self.judge()

    def judge(self):
        for server in self.servers.values():
            samples = len(server.memory)
            if samples < SAMPLES:
                self.faults.append(f"{server.name}: only {samples} samples")
                continue
            early = statistics.median(server.memory[samples // 4:samples // 2])
            late = statistics.median(server.memory[-(samples // 4):])
            print(f"{server.name:10} {early / 1e6:8.1f} MB, later {late / 1e6:8.1f} MB, "
                  f"{server.descriptors[0]} descriptors, later {server.descriptors[-1]}")
            if late > early * 1.05 + GROWTH:
                self.faults.append(f"{server.name} grew from {early / 1e6:.1f} to {late / 1e6:.1f} MB")
            settled = server.descriptors[samples // 4:]
            if max(settled) > max(server.descriptors[:samples // 4 + 1]) + 2:
                self.faults.append(f"{server.name}: descriptors {settled}")
        for server in self.servers.values():
            for client in server.clients:
                client.cleanup()
            self.finish(server)
        print(", ".join(f"{name.removeprefix('visit_')} {count}" for name, count in sorted(self.counts.items())))

    def finish(self, server):
        """It ends when told to, and well."""
        status = server.process.stop()
        if status != 0:
            self.faults.append(f"{server.name} ended with {status}: {server.process.err.data[-500:]}")


def seconds_of(text):
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|h)?", text)
    if not match:
        raise argparse.ArgumentTypeError(f"'{text}' is not a time; write 30s, 5m or 2h")
    return float(match.group(1)) * {"s": 1, "m": 60, "h": 3600, None: 1}[match.group(2)]


def main():
    parser = argparse.ArgumentParser(prog="tools/soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("time", nargs="?", default="5m", type=seconds_of, metavar="TIME")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        tool = Netkit(home)
        soak = Soak(tool, arguments.time, arguments.seed)
        try:
            soak.run()
        finally:
            tool.cleanup()
    for fault in soak.faults:
        print(f"soak: {fault}", file=sys.stderr)
    return 1 if soak.faults else 0


if __name__ == "__main__":
    sys.exit(main())
