"""Frames of HTTP/2 that no good peer sends: floods of what costs the other side work or memory, at sse serve and at sse."""

import itertools
import pathlib
import re
import socket
import ssl
import struct
import threading

import pytest

from certificates import make_local_certificate
from hostile import Target
from http2_peer import Http2Peer
from netkit import wait_until
from programs import resident

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS = 1, 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
MOST = 12 << 20  # bytes of a flood


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def number(value, bits, first=0):
    """An integer of HPACK (RFC 7541, section 5.1)."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    out, value = bytes([first | most]), value - most
    while value >= 128:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(name, value, is_kept=False):
    return (b"\x40" if is_kept else b"\0") + number(len(name), 7) + name + number(len(value), 7) + value


GET, POST = b"\x82\x87\x84\x41\x09127.0.0.1", b"\x83\x87\x84\x41\x09127.0.0.1"
NEWEST = b"\xbe"  # the field that was kept last
BOMB = field(b"a", b"b" * 3900, is_kept=True)


def request(stream, fields=GET):
    return frame(HEADERS, END_STREAM | END_HEADERS, stream, fields)


def each_stream(make, together=100):
    """Without end: what `make` makes of the number of a stream, some at a time."""
    streams = itertools.count(1, 2)
    while True:
        yield b"".join(make(stream) for stream in itertools.islice(streams, together))


# What begins, what follows without end, and what becomes of who sends it: `closed`, `open` or `held` (not read from).
# nghttp2 bounds CONTINUATION frames (8), settings (32) and the answers that wait to be sent (1000); netkit the heads
# of requests, the requests that are taken back, and the answers that are not read.
FLOODS = {
    "PING, whose answers nobody reads": (b"", frame(PING, 0, 0, b"12345678") * 1000, {"held", "closed"}),
    "SETTINGS, whose answers nobody reads": (b"", frame(SETTINGS) * 1000, {"held", "closed"}),
    "SETTINGS of a thousand entries": (b"", frame(SETTINGS, 0, 0, struct.pack(">HI", 3, 100) * 1000), {"closed"}),
    "CONTINUATION (CVE-2024-27316)": (frame(HEADERS, 0, 1, GET), frame(CONTINUATION, 0, 1, field(b"a", b"b" * 200)) * 100, {"closed"}),
    "CONTINUATION of nothing": (frame(HEADERS, 0, 1, GET), frame(CONTINUATION, 0, 1) * 1000, {"closed"}),
    "PRIORITY": (b"", frame(PRIORITY, 0, 1, b"\0\0\0\0\1") * 1000, {"open"}),
    "PRIORITY of ever new streams": (b"", each_stream(lambda stream: frame(PRIORITY, 0, stream, b"\0\0\0\0\1")), {"open", "closed"}),
    "WINDOW_UPDATE of one byte": (b"", frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1)) * 1000, {"open"}),
    "WINDOW_UPDATE beyond 2^31": (b"", frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 0x7FFFFFFF)) * 2, {"closed"}),
    "DATA of nothing": (frame(HEADERS, END_HEADERS, 1, POST), frame(DATA, 0, 1) * 1000, {"open", "closed"}),
    "frames of an unknown kind": (b"", frame(200, 0, 0, b"x" * 1000) * 100, {"open"}),
    "a frame of 16 MiB": (b"", b"\xff\xff\xff\0\0\0\0\0\1" + bytes(65536), {"closed"}),
    "requests that are taken back (CVE-2023-44487)": (
        b"", each_stream(lambda stream: request(stream) + frame(RST_STREAM, 0, stream, b"\0\0\0\x08")), {"closed"}),
    "requests that are taken back without an error": (
        b"", each_stream(lambda stream: request(stream) + frame(RST_STREAM, 0, stream, bytes(4))), {"closed"}),
    "requests that the server is made to take back (CVE-2025-8671)": (
        b"", each_stream(lambda stream: request(stream) + frame(WINDOW_UPDATE, 0, stream, bytes(4))), {"closed"}),
    "requests that are never whole": (b"", each_stream(lambda stream: frame(HEADERS, END_HEADERS, stream, POST)), {"open", "closed", "held"}),
    "requests, whose answers nobody reads": (
        request(1, b"\x82\x87\x44\x0c/favicon.ico" + GET[3:]), each_stream(lambda stream: request(stream + 2, b"\x82\x87\xbf" + NEWEST)),
        {"held", "closed"}),
    "a bomb of HPACK": (request(1, GET + BOMB + NEWEST * 4000), each_stream(lambda stream: request(stream + 2, GET + NEWEST * 8000), 1),
                        {"open", "held", "closed"}),
    "a table of HPACK of 4 GiB": (b"", each_stream(lambda stream: request(stream, number(0xFFFFFFFF, 5, 0x20) + GET)), {"closed"}),
}


def http2_good(target):
    with Http2Peer(target.process, target.ca) as client:
        status, _ = client.answer(client.ask("/favicon.ico"))
        assert status == 404


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    make_local_certificate(folder)
    return folder


@pytest.fixture(scope="module")
def target(tool, certificate):
    server = tool.serve("sse", "serve", "127.0.0.1:0", "--cert", certificate / "server.pem", "--key", certificate / "server.key", "-q")
    one = Target(server, http2_good, socket.SOCK_STREAM)
    one.ca = certificate / "server.pem"
    one.good(one)
    return one


def connect(target):
    context = ssl.create_default_context(cafile=str(target.ca))
    context.set_alpn_protocols(["h2"])
    raw = socket.create_connection(target.host_port)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock = context.wrap_socket(raw, server_hostname="127.0.0.1")
    sock.settimeout(1)
    return sock


def flood(sock, begin, again):
    sent = 0
    try:
        sock.sendall(PREFACE + frame(SETTINGS) + begin)
        while sent < MOST:
            data = again if isinstance(again, bytes) else next(again)
            sock.sendall(data)
            sent += len(data)
    except TimeoutError:
        return "held"
    except OSError:
        return "closed"
    return "open"


@pytest.mark.parametrize("name", FLOODS)
def test_floods(target, name):
    begin, again, expected = FLOODS[name]
    before = resident(target.process.pid)
    with connect(target) as sock:
        assert flood(sock, begin, again) in expected
        target.check(before)  # while it is connected


EVENTS = b"\x88" + b"\x0f\x10" + number(len(b"text/event-stream"), 7) + b"text/event-stream"
BEGIN = frame(SETTINGS) + frame(HEADERS, END_HEADERS, 1, EVENTS)
# What a server says once, and then without end; the statuses that sse may end with (124: libcurl 8 reads on until --timeout).
SERVERS = {
    "PING": (BEGIN, frame(PING, 0, 0, b"12345678") * 1000, {69, 124}),
    "SETTINGS": (BEGIN, frame(SETTINGS) * 1000, {69, 124}),
    "CONTINUATION": (frame(SETTINGS) + frame(HEADERS, 0, 1, EVENTS), frame(CONTINUATION, 0, 1, field(b"a", b"b" * 200)) * 100, {69, 76}),
    "a bomb of HPACK": (frame(SETTINGS) + frame(HEADERS, END_HEADERS, 1, EVENTS + BOMB + NEWEST * 12000), b"", {69, 76}),
    "answers that are none yet": (frame(SETTINGS), frame(HEADERS, END_HEADERS, 1, b"\x08\x03103" + field(b"link", b"x" * 100)) * 100, {69, 76, 124}),
    "a push": (frame(SETTINGS) + frame(PUSH_PROMISE, END_HEADERS, 1, struct.pack(">I", 2) + GET), b"", {69, 76, 124}),
    "a window beyond 2^31": (BEGIN + frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 0x7FFFFFFF)) * 2, b"", {69, 76}),
    "an event without end": (BEGIN + frame(DATA, 0, 1, b"data: "), frame(DATA, 0, 1, b"x" * 16000), {65, 69, 76, 124}),
    "DATA of nothing": (BEGIN, frame(DATA, 0, 1) * 1000, {76, 124}),
    "WINDOW_UPDATE": (BEGIN, frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1)) * 1000, {69, 76, 124}),
    "PRIORITY": (BEGIN, frame(PRIORITY, 0, 1, b"\0\0\0\0\1") * 1000, {76, 124}),
    "an error without end": (frame(SETTINGS) + frame(HEADERS, END_HEADERS, 1, b"\x8e"), frame(DATA, 0, 1, b"\x1b[2J" * 4000), {69, 76}),
    "bytes": (bytes(range(256)) * 100, b"", {69, 76, 124}),
}
# --max-event is 16 MiB; a buffer that doubles has three times that while it grows. The rest is libcurl and its like, which
# the idle server has not.
CLIENT_MEMORY = 64 << 20


@pytest.fixture
def hostile_server(certificate):
    """hostile_server(begin, again): the address of a server that says that to each client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "server.pem", certificate / "server.key")
    context.set_alpn_protocols(["h2"])
    listening = socket.create_server(("127.0.0.1", 0))

    def serve(begin, again):
        def run():
            while True:
                try:
                    raw, _ = listening.accept()
                except OSError:
                    return
                try:
                    with context.wrap_socket(raw, server_side=True) as sock:
                        sock.settimeout(1)
                        sock.recv(4096)
                        sock.sendall(begin)
                        while again:
                            sock.sendall(again)
                        while sock.recv(4096):
                            pass
                except OSError:
                    pass
        threading.Thread(target=run, daemon=True).start()
        return "https://127.0.0.1:%d/" % listening.getsockname()[1]
    yield serve
    listening.close()


def most_memory(process):
    """Runs it to its end; the most that was resident."""
    most = 0
    status = pathlib.Path(f"/proc/{process.pid}/status")

    def over():
        nonlocal most
        found = re.search(r"VmHWM:\s+(\d+)", status.read_text())
        most = max(most, int(found.group(1)) << 10 if found else 0)
        return process.popen.poll() is not None
    wait_until(over)
    return most


@pytest.mark.parametrize("name", SERVERS)
def test_a_client_survives_its_server(netkit, certificate, hostile_server, name):
    begin, again, statuses = SERVERS[name]
    words = ["sse", hostile_server(begin, again), "--cacert", certificate / "server.pem", "--reconnect", "never", "--timeout", "1s"]
    idle = netkit.start("sse", "serve", "127.0.0.1:0")
    idle.err.expect(rb"listening")
    client = netkit.start(*words)
    most = most_memory(client)
    assert client.wait() in statuses, client.err.data
    assert most < resident(idle.pid) + CLIENT_MEMORY
    assert client.err.data.count(b"\n") <= 3 and b"\x1b" not in client.err.data
