"""Requests that no good client makes, at the servers of HTTP: sse serve and --metrics."""

import select
import socket

import pytest

from hostile import Target, matches, reset
from netkit import Netkit, tcp_connect
from programs import resident


def stream_good(target):
    sock = tcp_connect(target.address)
    sock.sendall(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    data = b""
    while b"data: tick" not in data:
        chunk = sock.recv(4096)
        assert chunk, data
        data += chunk
    sock.close()


def metrics_good(target):
    assert b"HTTP/1.1 200" in target.stream(get("/metrics", "127.0.0.1"))


def get(path="/events", host="127.0.0.1", method="GET", version="HTTP/1.1", headers=""):
    return f"{method} {path} {version}\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n".encode("latin-1")


@pytest.fixture(scope="module")
def targets(tmp_path_factory):
    tool, started = Netkit(tmp_path_factory.mktemp("home")), {}

    def start(name):
        if name == "sse":
            server = tool.serve("sse", "serve", "127.0.0.1:0", "--every", "10ms", "--message", "tick", "-q")
            return Target(server, stream_good, socket.SOCK_STREAM)
        server = tool.serve("echo", "serve", "127.0.0.1:0", "--to", "file:/dev/null", "--metrics", "127.0.0.1:0", sockets=2)
        match = server.err.expect(rb"metrics on http://(127\.0\.0\.1:\d+)")
        target = Target(server, metrics_good, socket.SOCK_STREAM)
        target.address = match.group(1).decode()
        return target

    def get_target(name):
        if name not in started:
            started[name] = start(name)
            started[name].good(started[name])
        return started[name]
    yield get_target
    tool.cleanup()


def status(*codes):
    return rb"HTTP/1\.1 (" + b"|".join(str(c).encode() for c in codes) + rb")\b.*"


BAD = status(400)
HTTP = {
    "nothing": (b"", rb""),
    "empty lines": (b"\r\n" * 100, rb"(HTTP/1\.1 400.*)?"),
    "one word": (b"GET\r\n\r\n", BAD),
    "two words": (b"GET /\r\n\r\n", status(400, 505)),
    "four words": (b"GET / x HTTP/1.1\r\nHost: x\r\n\r\n", BAD),
    "HTTP/0.9": (get(version="HTTP/0.9"), status(400, 505)),
    "HTTP/1.10": (get(version="HTTP/1.10"), status(400, 505)),
    "HTTP/2.0": (get(version="HTTP/2.0"), status(505)),
    "HTTP/9": (get(version="HTTP/9"), status(400, 505)),
    "http/1.1": (get(version="http/1.1"), status(400, 505)),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status(505)),
    "a method of white space": (b" GET / HTTP/1.1\r\nHost: x\r\n\r\n", BAD),
    "a method of punctuation": (get(method="G(T"), status(400, 405, 501)),
    "a method of 9000 bytes": (get(method="G" * 9000), status(400, 414, 431)),
    "an unknown method": (get(method="BREW"), status(405, 501)),
    "CONNECT": (get("example.org:443", method="CONNECT"), status(400, 405, 501)),
    "TRACE": (get(method="TRACE"), status(405, 501)),
    "no slash": (get("events"), BAD),
    "a path with a zero": (get("/a\0b"), BAD),
    "a path with bytes": (get("/\xff\xfe"), status(200, 400, 404)),
    "a path that climbs": (get("/../../etc/passwd"), status(200, 400, 404)),
    "a path of 9000 bytes": (get("/" + "x" * 9000), status(414)),
    "a header without a colon": (get(headers="nonsense\r\n"), BAD),
    "a header without a name": (get(headers=": x\r\n"), BAD),
    "a space before the colon": (get(headers="X : y\r\n"), BAD),
    "a folded header": (get(headers="X: y\r\n z\r\n"), BAD),
    "a zero in a header": (get(headers="X: a\0b\r\n"), BAD),
    "a carriage return in a header": (get(headers="X: a\rb\r\n"), BAD),
    "a header of 9000 bytes": (get(headers="X: " + "y" * 9000 + "\r\n"), status(431)),
    "a header line of 1 MB": (get(headers="X: " + "y" * (1 << 20) + "\r\n"), rb"(HTTP/1\.1 431.*)?"),
    "a thousand headers": (get(headers="A: b\r\n" * 1000), status(431)),
    "no host": (b"GET /metrics HTTP/1.1\r\n\r\n", BAD),
    "two hosts": (get(headers="Host: y\r\n"), BAD),
    "a foreign host": (get("/metrics", host="attacker.example"), status(400, 403, 421)),
    "a foreign host and a port": (get("/metrics", host="attacker.example:8000"), status(400, 403, 421)),
    "a host of bytes": (get(host="\xff\xfe"), status(400, 403, 421)),
    "a length below 0": (get(headers="Content-Length: -1\r\n"), BAD),
    "a length of 2^64": (get(headers="Content-Length: 18446744073709551616\r\n"), status(400, 413)),
    "two lengths": (get(headers="Content-Length: 4\r\nContent-Length: 5\r\n"), BAD),
    "a length of two numbers": (get(headers="Content-Length: 4, 5\r\n"), BAD),
    "a length and chunks": (get(headers="Content-Length: 4\r\nTransfer-Encoding: chunked\r\n") + b"0\r\n\r\n", BAD),
    "an unknown coding": (get(headers="Transfer-Encoding: gzip\r\n"), status(400, 501)),
    "bytes": (bytes(range(256)) * 4, rb"(HTTP/1\.1 400.*)?"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32), rb"(HTTP/1\.1 400.*)?"),
    "a frame": (b"\0\0\0\1\1", rb"(HTTP/1\.1 400.*)?"),
}
IDS = ["-1", "0", "99999999999999999999", "1e9", "\x1b[2J", "%00", "'; drop", "x" * 8000]


@pytest.mark.parametrize("server", ["sse", "metrics"])
@pytest.mark.parametrize("name", HTTP)
def test_requests(targets, server, name):
    data, pattern = HTTP[name]
    target = targets(server)
    before = resident(target.process.pid)
    sock = tcp_connect(target.address)
    got = b""
    try:
        sock.sendall(data)
        if not matches(pattern, b"") or data == b"":
            got = sock.recv(4096) if data else b""
    except (ConnectionResetError, BrokenPipeError):
        pass
    sock.close()
    assert matches(pattern, got), got[:300]
    target.check(before)


@pytest.mark.parametrize("value", IDS)
@pytest.mark.parametrize("by", ["header", "query"])
def test_last_event_ids(targets, value, by):
    target = targets("sse")
    before = resident(target.process.pid)
    request = get(headers=f"Last-Event-ID: {value}\r\n") if by == "header" else get("/events?lastEventId=" + value)
    sock = tcp_connect(target.address)
    sock.sendall(request)
    assert sock.recv(4096).startswith(b"HTTP/1.1 ")
    sock.close()
    target.check(before)


@pytest.mark.parametrize("server", ["sse", "metrics"])
def test_a_reset_in_the_middle(targets, server):
    target = targets(server)
    before = resident(target.process.pid)
    request = get()
    for size in range(0, len(request) + 1, 7):
        sock = tcp_connect(target.address)
        sock.sendall(request[:size])
        reset(sock)
    target.check(before)


@pytest.mark.parametrize("server", ["sse", "metrics"])
@pytest.mark.parametrize("request_line", ["GET /", "GET /metrics", "HEAD /", "GET /favicon.ico", "OPTIONS *"])
def test_answers_that_nobody_reads_stop_the_reading(targets, server, request_line):
    target = targets(server)
    before = resident(target.process.pid)
    sock = tcp_connect(target.address)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    data, sent = f"{request_line} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode() * 3000, 0
    try:
        while sent < 32 << 20 and select.select([], [sock], [], 0.5)[1]:
            sent += sock.send(data[:1 << 16])
    except (ConnectionResetError, BrokenPipeError):
        sent = 0
    target.check(before)
    assert sent < 32 << 20
    sock.close()


@pytest.mark.parametrize("server", ["sse", "metrics"])
def test_it_ends_when_it_is_told_to(targets, server):
    target = targets(server)
    assert target.process.stop() == 0
    err = target.process.err.data
    assert b"runtime error" not in err and b"Sanitizer" not in err and b"\x1b" not in err
