"""Streams that no good client sends, at the servers of line and frame protocols: echo, push's control port, frame."""

import select
import socket
import struct

import pytest

from frame_peer import DATETIME, HEARTBEAT, REGISTER, answer, frame, request
from hostile import matches, reset, started_targets
from netkit import Netkit, receive_exactly, receive_to_end, tcp_connect, wait_until
from programs import resident


def echo_good(target):
    assert target.stream(b"good") == b"good"


def control_good(target):
    assert matches(rb"OK \d+\n.*", target.stream(b"LIST\n"))


def frame_good(target):
    assert target.stream(HEARTBEAT) == answer(1)


TCP = socket.SOCK_STREAM
SERVERS = {
    "echo": (["echo", "serve", "127.0.0.1:0", "-q"], echo_good, 2, TCP),
    "control": (["push", "serve", "127.0.0.1:0", "--every", "1h", "-q"], control_good, 2, TCP),
    "frame": (["frame", "serve", "127.0.0.1:0", "-q", "--max-frame", "64k"], frame_good, 1, TCP),
}


@pytest.fixture(scope="module")
def targets(tmp_path_factory):
    tool = Netkit(tmp_path_factory.mktemp("home"))
    yield started_targets(tool, SERVERS)
    tool.cleanup()


ERR = rb"ERR [^\n]*\n"
OK = rb"OK[^\n]*\n"
CONTROL = {
    "nothing": (b"", rb""),
    "a newline": (b"\n", rb""),
    "a thousand newlines": (b"\n" * 1000, rb""),
    "an unknown verb": (b"DANCE\n", ERR),
    "bytes": (bytes(range(128, 256)) + b"\n", ERR),
    "a zero": (b"LI\0ST\n", ERR),
    "escapes": (b"\x1b[2J\n", rb"ERR [^\n\x1b]*\n"),
    "no name": (b"SUBSCRIBE\n", ERR),
    "no port": (b"SUBSCRIBE ann\n", ERR),
    "port 0": (b"SUBSCRIBE ann 0\n", ERR),
    "port 65536": (b"SUBSCRIBE ann 65536\n", ERR),
    "port -1": (b"SUBSCRIBE ann -1\n", ERR),
    "port 2^64": (b"SUBSCRIBE ann 18446744073709551616\n", ERR),
    "port 0x50": (b"SUBSCRIBE ann 0x50\n", ERR),
    "a name of two words": (b"SUBSCRIBE ann 9 40000\n", OK),
    "a name of 300 bytes": (b"SUBSCRIBE " + b"n" * 300 + b" 9\n", ERR),
    "a name that nobody has": (b"UNSUBSCRIBE nobody\n", ERR),
    "UNSUBSCRIBE alone": (b"UNSUBSCRIBE\n", ERR),
    "words behind LIST": (b"LIST all\n", rb"(ERR|OK)[^\n]*\n.*"),
    "QUIT and more": (b"QUIT\nLIST\n", OK),
    "a line of 1 MB": (b"x" * (1 << 20) + b"\n", rb"(ERR [^\n]*\n)?"),
    "a line without end": (b"y" * (1 << 20), rb"(ERR [^\n]*\n)?"),
    "ten thousand lines": (b"DANCE\n" * 10000, rb"(ERR [^\n]*\n)+"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32) + b"\n", rb"(ERR [^\n]*\n)?"),
}


@pytest.mark.parametrize("name", CONTROL)
def test_control_lines(targets, name):
    data, pattern = CONTROL[name]
    target = targets("control")
    before = resident(target.process.pid)
    got = target.stream(data)
    assert matches(pattern, got), got[:300]
    target.check(before)


# Requests of a page in a browser: none is obeyed, and the connection is closed.
BROWSER = {
    "GET": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a form": b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 40\r\n\r\n"
              b"a=\r\nUNSUBSCRIBE victim\r\nSUBSCRIBE eve 9\r\n",
    "a form in lines of its own": b"POST / HTTP/1.1\nHost: x\n\nUNSUBSCRIBE victim\nSUBSCRIBE eve 9\n",
    "OPTIONS": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\nUNSUBSCRIBE victim\nSUBSCRIBE eve 9\n",
    "a lower-case method": b"put /x HTTP/1.0\r\n\r\nUNSUBSCRIBE victim\nSUBSCRIBE eve 9\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nUNSUBSCRIBE victim\nSUBSCRIBE eve 9\n",
}


@pytest.mark.parametrize("name", BROWSER)
def test_a_page_is_not_obeyed(targets, name):
    target = targets("control")
    control = tcp_connect(target.address)
    control.sendall(b"SUBSCRIBE victim 65000\n")
    assert receive_exactly(control, 3) == b"OK\n"
    target.stream(BROWSER[name], end=False)
    roster = target.stream(b"LIST\n")
    assert b"victim" in roster and b"eve" not in roster
    control.close()
    wait_until(lambda: b"victim" not in target.stream(b"LIST\n"))


UNKNOWN = answer(9, -1)
FRAMES = {
    "nothing": (b"", rb""),
    "half a length": (b"\0\0", rb""),
    "a length and nothing": (struct.pack(">I", 4), rb""),
    "a length of 0": (frame(b"") + HEARTBEAT, rb""),
    "a length over the limit": (struct.pack(">I", 65537) + bytes(100), rb""),
    "a length of 2^31": (struct.pack(">I", 1 << 31) + bytes(100), rb""),
    "a length of 2^32-1": (b"\xff" * 400, rb""),
    "a frame of the limit": (frame(b"\x09" + bytes(65535)), UNKNOWN),
    "an unknown id": (request(9), UNKNOWN),
    "id -128": (request(-128), answer(-128, -1)),
    "id 127": (request(127), answer(127, -1)),
    "an empty register": (request(0), answer(0, -1)),
    "half a register": (REGISTER[:4 + 20], rb""),
    "a register of 50 bytes": (request(0, b"x" * 50), answer(0, -1)),
    "a register of 52 bytes": (request(0, b"x" * 52), answer(0, -1)),
    "a register of bytes": (request(0, b"\x1b[2J" + bytes(47)), None),
    "a heartbeat with a body": (request(1, b"body"), None),
    "a datetime with a body": (request(2, b"body"), None),
    "a thousand heartbeats": (HEARTBEAT * 1000, answer(1) * 1000),
    "ten thousand unknown ids": (request(9) * 10000, UNKNOWN * 10000),
    "garbage behind a good frame": (HEARTBEAT + b"\xff" * 100, answer(1)),
    "a little-endian length": (struct.pack("<I", 1) + b"\1", rb""),
    "HTTP": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", rb""),
    "SSH": (b"SSH-2.0-OpenSSH_9.2\r\n", rb""),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32), rb""),
    "JSON": (b'{"jsonrpc":"2.0","method":"ping"}\n', rb""),
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames(targets, name):
    data, expected = FRAMES[name]
    target = targets("frame")
    before = resident(target.process.pid)
    got = target.stream(data)
    assert expected is None or got == expected, got[:300]
    target.check(before)


NO_FRAMES = ["a length of 0", "a length over the limit", "a length of 2^31", "a length of 2^32-1", "a little-endian length", "HTTP", "SSH",
             "TLS", "JSON"]


@pytest.mark.parametrize("name", NO_FRAMES)
def test_what_is_no_frame_is_closed_without_waiting_for_the_rest(targets, name):
    with tcp_connect(targets("frame").address) as sock:
        sock.sendall(FRAMES[name][0])
        try:
            assert receive_to_end(sock) == b""
        except ConnectionResetError:
            pass  # it was closed with bytes unread


STREAMS = {"echo": b"x", "control": b"LIST\n", "frame": DATETIME}


@pytest.mark.parametrize("server", SERVERS)
def test_a_reset_in_the_middle(targets, server):
    target = targets(server)
    before = resident(target.process.pid)
    for size in range(len(STREAMS[server]) + 1):
        sock = tcp_connect(target.address)
        sock.sendall(STREAMS[server][:size])
        reset(sock)
    target.check(before)


@pytest.mark.parametrize("server", SERVERS)
def test_answers_that_nobody_reads_stop_the_reading(targets, server):
    """What a client sends is taken only while it reads the answers: the server holds no more than a bound."""
    target = targets(server)
    before = resident(target.process.pid)
    sock = tcp_connect(target.address)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    data, sent = STREAMS[server] * 20000, 0
    # Until the server takes no more, closes, or 64 MiB: what it does not take stays in the two kernel buffers.
    try:
        while sent < 64 << 20 and select.select([], [sock], [], 0.5)[1]:
            sent += sock.send(data[:1 << 16])
    except (ConnectionResetError, BrokenPipeError):
        pass
    target.check(before)
    assert sent < 64 << 20
    sock.close()


@pytest.mark.parametrize("server", SERVERS)
def test_it_ends_when_it_is_told_to(targets, server):
    target = targets(server)
    assert target.process.stop() == 0
    err = target.process.err.data
    assert b"runtime error" not in err and b"Sanitizer" not in err and b"\x1b" not in err
