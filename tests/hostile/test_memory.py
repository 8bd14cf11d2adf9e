"""Allocations that fail, one after the other: a server loses the peer at hand at most, a client ends with a sentence."""

import mmap
import os
import re
import struct

import pytest

from frame_peer import HEARTBEAT, REGISTER
from hostile import Target
from native_peer import NativePeer
from netkit import Netkit, tcp_connect, udp_socket
from test_faults import PUT, SERVERS, UDP

STATUSES = {0, 1, 2, 68, 69, 70, 74, 75, 76, 77, 78, 124}
MOST = 400  # allocations of one visit that are tried
TRIES = 30  # of a client's, spread over its run


class Memory:
    """What the preloaded library and this test both see: how many allocations there were, which is to fail, how many have."""

    def __init__(self, path):
        path.write_bytes(bytes(24))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 24)
        self.env = {"NETKIT_TEST_MEMORY": str(path), "LD_PRELOAD": os.environ["NETKIT_BUILD"] + "/tests/failing_memory.so"}

    @property
    def count(self):
        return struct.unpack_from("=Q", self.map)[0]

    @property
    def failed(self):
        return struct.unpack_from("=Q", self.map, 16)[0]

    @property
    def number(self):
        return struct.unpack_from("=Q", self.map, 8)[0]

    def restart(self):
        self.map[:] = bytes(24)

    def fail(self, number):
        """Allocation `number` is to fail, counted from the program's start; 0: none."""
        struct.pack_into("=Q", self.map, 8, number)


def visit(name, target):
    """A peer that may be lost: it asks, and waits for no answer."""
    if SERVERS[name][3] == UDP:
        with udp_socket() as sock:
            sock.settimeout(0.2)
            try:
                if name == "push":
                    NativePeer(sock, target.host_port, b"visitor").leave()
                else:
                    sock.sendto(b"visit", target.host_port)
                    sock.recv(1 << 16)
            except (TimeoutError, AssertionError):
                pass
        return
    with tcp_connect(target.address) as sock:
        sock.settimeout(0.5)
        try:
            sock.sendall({"sse": PUT, "control": b"SUBSCRIBE visitor 9\nLIST\nQUIT\n"}.get(name, REGISTER + HEARTBEAT))
            while sock.recv(1 << 16) and name != "frame" and name != "echo by TCP":
                pass
        except OSError:
            pass


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_goes_on_after_each(netkit, tmp_path, name):
    words, good, sockets, kind = SERVERS[name]
    memory = Memory(tmp_path / "memory")
    process = netkit.serve(*words, sockets=sockets, env=memory.env)
    target = Target(process, good, kind)
    good(target)
    tried = 0
    for number in range(1, MOST):
        failed = memory.failed
        memory.fail(memory.count + number)
        visit(name, target)
        hit = memory.failed != failed
        memory.fail(0)
        good(target)
        assert process.popen.poll() is None
        tried += hit
        if not hit and number > 20:
            break
    assert process.stop() == 0, process.err.data[-2000:]
    print(f"{name}: {tried} allocations failed")


CLIENTS = {
    "echo send": (["echo", "send", "{echo}", "hello"], b""),
    "echo send by TCP": (["echo", "send", "--tcp", "{echo}", "hello"], b""),
    "echo ping": (["echo", "ping", "{echo}", "-c", "1"], b""),
    "broadcast send": (["broadcast", "send", "{echo}", "hello", "-w", "50ms"], b""),
    "frame connect": (["frame", "connect", "{frame}"], b"heartbeat\ndatetime\n"),
    "frame decode": (["frame", "decode", "--codec", "line"], b"one\ntwo\n"),
    "push subscribe": (["push", "subscribe", "{push}", "--name", "ann", "-c", "2"], b""),
    "chat join": (["chat", "join", "{chat}", "--name", "ann"], b"hello\n"),
    "sse read": (["sse", "http://{sse}/", "-c", "2"], b""),
}


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    tool = Netkit(tmp_path_factory.mktemp("home"))
    servers = {"echo": ["echo", "serve", "127.0.0.1:0", "-q"], "frame": ["frame", "serve", "127.0.0.1:0", "-q"],
               "push": ["push", "serve", "127.0.0.1:0", "--every", "5ms", "-q"], "chat": ["chat", "serve", "127.0.0.1:0", "-q"],
               "sse": ["sse", "serve", "127.0.0.1:0", "--every", "5ms", "-q"]}
    yield {name: tool.serve(*words).address for name, words in servers.items()}
    tool.cleanup()


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_ends_with_a_sentence(netkit, servers, tmp_path, name):
    words, stdin = CLIENTS[name]
    words = [word.format(**servers) for word in words]
    memory = Memory(tmp_path / "memory")
    assert netkit.run("--version", env=memory.env).status == 0
    first = memory.count  # up to here it is the libraries' own start, which nobody can catch
    assert netkit.run(*words, stdin=stdin, env=memory.env).status == 0
    total = memory.count - first
    for step in range(TRIES):
        memory.restart()
        memory.fail(first + (total - first) * step // TRIES)
        done = netkit.run(*words, stdin=stdin, env=memory.env)
        assert done.status in STATUSES, (memory.number, done)
        assert done.status == 0 or re.fullmatch(rb"([^\n]+\n)+", done.err), done
