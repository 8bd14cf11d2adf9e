"""System calls of a running server that fail: the peer at hand may be lost, the server and its next client are not."""

import re
import socket

import pytest

from frame_peer import HEARTBEAT, answer
from hostile import started_targets
from native_peer import NativePeer
from netkit import host_port, udp_socket


def datagram_good(word, expected, leave=b""):
    def good(target):
        with udp_socket() as sock:
            sock.sendto(word, target.host_port)
            while expected not in sock.recv(1 << 16):
                pass
            if leave:
                sock.sendto(leave, target.host_port)
    return good


def native_good(target):
    with udp_socket() as sock:
        NativePeer(sock, target.host_port, b"good").leave()


def stream_good(data, expected):
    def good(target):
        assert expected in target.stream(data)
    return good


PUT = b"PUT / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
UDP, TCP = socket.SOCK_DGRAM, socket.SOCK_STREAM
SERVERS = {
    "echo": (["echo", "serve", "127.0.0.1:0", "--udp", "-q"], datagram_good(b"good", b"good"), 1, UDP),
    "chat": (["chat", "serve", "127.0.0.1:0", "-q"], datagram_good(b"good", b"good", b"quit"), 1, UDP),
    "push": (["push", "serve", "127.0.0.1:0", "--every", "10ms", "--message", "tick", "-q"], native_good, 2, UDP),
    "listen": (["broadcast", "listen", "127.0.0.1:0", "--reply", "here", "-q"], datagram_good(b"good", b"here"), 1, UDP),
    "echo by TCP": (["echo", "serve", "127.0.0.1:0", "--tcp", "-q"], stream_good(b"good", b"good"), 1, TCP),
    "control": (["push", "serve", "127.0.0.1:0", "--every", "1h", "-q"], stream_good(b"LIST\n", b"OK"), 2, TCP),
    "frame": (["frame", "serve", "127.0.0.1:0", "-q"], stream_good(HEARTBEAT, answer(1)), 1, TCP),
    "sse": (["sse", "serve", "127.0.0.1:0", "--every", "1h", "-q"], stream_good(PUT, b" 405 "), 1, TCP),
}
# What the calls are that each kind of server makes for a peer, with errors that Linux gives for them.
DATAGRAM_FAULTS = {
    "recvmmsg": ["EINTR", "EAGAIN", "ENOMEM", "ENOBUFS", "ECONNREFUSED"],
    "sendmmsg": ["EINTR", "EAGAIN", "ENOBUFS", "ENOMEM", "EPERM", "ENETUNREACH", "EHOSTUNREACH", "ECONNREFUSED", "EINVAL", "EMSGSIZE"],
    "epoll_pwait2": ["EINTR"],
}
STREAM_FAULTS = {
    "accept4": ["EINTR", "EAGAIN", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "ECONNABORTED", "EPERM", "EPROTO", "ENETDOWN"],
    "epoll_ctl": ["ENOMEM", "ENOSPC"],
    "setsockopt": ["EINVAL", "ENOBUFS"],
    "recvfrom,recvmsg,read": ["EINTR", "ECONNRESET", "ETIMEDOUT", "ENOMEM", "EHOSTUNREACH"],
    "sendto,sendmsg,write": ["EINTR", "EPIPE", "ECONNRESET", "ENOBUFS", "ENOMEM"],
    "epoll_pwait2": ["EINTR"],
}
FAULTS = [(name, call, error) for name, (_, _, _, kind) in SERVERS.items()
          for call, errors in (DATAGRAM_FAULTS if kind == UDP else STREAM_FAULTS).items() for error in errors]


@pytest.fixture(scope="module")
def targets(tool):
    # What leaks is looked for by other tests: the search needs to trace, too.
    return started_targets(tool, SERVERS, env={"ASAN_OPTIONS": "detect_leaks=0"})


class Injection:
    """While it lasts, the first `count` calls of `call` fail in the server with `error`."""

    def __init__(self, tool, pid, call, error, count=1):
        self.strace = tool.start(argv=["strace", "-f", "-p", str(pid), "-e", f"trace={call}", "-e",
                                       f"inject={call}:error={error}:when=1..{count}"])
        self.strace.err.expect(rb"attached")

    def __enter__(self):
        return self

    def injected(self):
        """Until the call has failed."""
        self.strace.err.expect(rb"\(INJECTED\)")

    def __exit__(self, *_):
        self.strace.stop()


def visit(target, kind):
    """A peer that may be lost: it asks, and does not wait."""
    if kind == UDP:
        with udp_socket() as sock:
            sock.sendto(b"reg", target.host_port)
            sock.sendto(b"visit", target.host_port)
        return None
    sock = socket.create_connection(host_port(target.address))
    sock.sendall({"sse": PUT, "control": b"LIST\n"}.get(target.name, HEARTBEAT))
    return sock


@pytest.mark.parametrize(("name", "call", "error"), FAULTS, ids=lambda value: value)
def test_a_call_that_fails_costs_one_peer_at_most(tool, targets, name, call, error):
    target = targets(name)
    target.name = name
    kind = SERVERS[name][3]
    with Injection(tool, target.process.pid, call, error) as injection:
        peer = visit(target, kind)
        injection.injected()
    target.good(target)
    assert target.process.popen.poll() is None
    if peer:
        peer.close()


@pytest.mark.parametrize("name", SERVERS)
def test_it_ends_well_after_all_of_them(targets, name):
    target = targets(name)
    assert target.process.stop() == 0
    assert not re.search(rb"internal|terminate", target.process.err.data)
