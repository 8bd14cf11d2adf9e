"""netkit sse proxy between real clients and scripted servers."""

import json
import signal
import socket
import threading
import time

import pytest

from certificates import make_local_certificate
from netkit import DEADLINE, receive_to_end, tcp_connect
from programs import resident
from sse_peer import ONE, Reader, Server, events, head, hold, ok


@pytest.fixture
def proxy(netkit):
    def start(target, *args):
        return netkit.serve("sse", "proxy", "127.0.0.1:0", target, *args)
    return start


def test_bytes_and_headers_are_unchanged(netkit, proxy):
    body = head(Content_Type="text/event-stream", X_Odd="a,  b", Transfer_Encoding="chunked") + b"5;x\r\ndata:\r\n"
    rest = b"4\r\n x\n\n\r\n0\r\nTrailer: y\r\n\r\n"

    def step(connection, _):
        connection.send(body)
        time.sleep(0.1)  # so that it comes in two pieces
        connection.send(rest)
    with Server(step) as server:
        through = proxy(server.url.replace("/events", "/base/"))
        sock = tcp_connect(through.address)
        sock.sendall(b"POST /v1/x?q=1 HTTP/1.1\r\nHost: localhost\r\nX-Key: a b\r\nContent-Length: 3\r\n"
                     b"Connection: close\r\n\r\nabc")
        got = b""
        while chunk := sock.recv(65536):
            got += chunk
    assert got == body + rest
    request = server.requests[0]
    assert (request.method, request.target, request.body) == ("POST", "/base/v1/x?q=1", b"abc")
    assert request.headers["host"] == f"127.0.0.1:{server.port}" and request.headers["x-key"] == "a b"
    through.out.expect(rb"^x\n")


@pytest.mark.parametrize("target, asked, got", [("/base/?key=1", "/x", "/base/x?key=1"), ("/?key=1", "/x?q=2", "/x?key=1&q=2")])
def test_the_query_of_the_target_goes_with_each_request(netkit, proxy, target, asked, got):
    with Server(ok(ONE)) as server:
        through = proxy(server.url.replace("/events", target))
        assert netkit.run("sse", f"http://{through.address}{asked}", "-c", "1").status == 0
    assert server.requests[0].target == got


def test_curl_gets_the_same_bytes(netkit, proxy):
    """Heads, chunks and extensions as they came, with and without the proxy."""
    whole = (head(Content_Type="text/event-stream", Date="Fri, 20 Nov 2026 15:12:29 GMT", transfer_encoding="chunked",
                  X_Empty="", Set_Cookie="a=b; Path=/") + b"b;ext=1\r\ndata: one\n\n\r\n00a\r\ndata: two\n\r\n1\r\n\n\r\n0\r\nX-T: y\r\n\r\n")
    with Server(whole, repeat=True) as server:
        through = proxy(server.url.replace("/events", ""))
        direct, passed = (netkit.run(argv=["curl", "-sNi", "--raw", "--noproxy", "*", f"http://{address}/events"])
                          for address in (f"127.0.0.1:{server.port}", through.address))
    assert direct.status == passed.status == 0 and direct.out == passed.out == whole, (direct, passed)
    through.out.expect(rb"^one\ntwo\n")


@pytest.mark.realtime
def test_each_byte_is_there_a_few_ms_after_the_origin_sent_it(proxy):
    sent = []

    def step(connection, _):
        connection.send(ok(b""))
        for number in range(50):
            time.sleep(0.01)  # so that each comes by itself
            sent.append(time.monotonic())
            connection.send(events(number))
        connection.wait_for_close()
    with Server(step) as server:
        through = proxy(server.url)
        reader = Reader(through.address)
        reader.head()
        delays = []
        for number in range(50):
            reader.until(b"data: event %d\n\n" % number)
            delays.append(time.monotonic() - sent[number])
        reader.close()
    assert sorted(delays)[len(delays) // 2] < 0.003 and max(delays) < 0.05, delays


def test_events_are_printed(netkit, proxy):
    with Server(hold(ok(events(1) + b"event: add\n" + ONE))) as server:
        through = proxy(server.url.replace("/events", ""), "--json")
        client = netkit.start("sse", f"http://{through.address}/a?b=c", "-c", "2")
        first, second = through.out.json(), through.out.json()
        assert client.wait() == 0 and client.out.rest() == b"event 1\none\n"
    assert (first["data"], first["id"], first["url"]) == ("event 1", "1", "/a?b=c")
    assert (second["event"], second["data"]) == ("add", "one")
    assert through.stop() == 0
    end = through.out.json()
    assert end["type"] == "end" and end["requests"] == 1 and end["events"] == 2


def test_nothing_is_held_back(netkit, proxy):
    """Each event is through before the next one is made."""
    origin = netkit.serve("sse", "serve", "127.0.0.1:0")
    through = proxy(f"http://{origin.address}/")
    reader = Reader(through.address, "/events")
    reader.head()
    for number in range(20):
        origin.write(f"{number}\n")
        reader.until(b"data: %d\n\n" % number)


def test_who_leaves_has_left_the_origin_too(proxy):
    left = threading.Event()

    def step(connection, _):
        connection.send(ok(ONE))
        connection.wait_for_close()
        left.set()
    with Server(step) as server:
        through = proxy(server.url)
        reader = Reader(through.address)
        reader.until(ONE)
        reader.close()
        assert left.wait(DEADLINE / 2)


def test_who_has_said_all_gets_the_whole_answer(proxy):
    def step(connection, _):
        connection.send(ok(b""))
        assert connection.sock.recv(1) == b""
        connection.send(ONE)
    with Server(step) as server:
        through = proxy(server.url)
        with tcp_connect(through.address) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            sock.shutdown(socket.SHUT_WR)
            assert receive_to_end(sock) == ok(ONE)


def test_a_connection_is_used_again(netkit, proxy):
    def step(connection, request):
        for _ in range(2):
            connection.send(head(Content_Length=len(request.target)) + request.target.encode())
            request = connection.request()
            if request is None:
                return
            server.requests.append(request)
    with Server(step) as server:
        through = proxy(server.url.replace("/events", ""))
        sock = tcp_connect(through.address)
        sock.sendall(b"GET /one HTTP/1.1\r\nHost: x\r\n\r\nGET /two HTTP/1.1\r\nHost: x\r\n\r\n")
        got = b""
        while not got.endswith(b"/two"):
            got += sock.recv(65536)
        assert got.count(b"HTTP/1.1 200") == 2 and got.endswith(b"\r\n\r\n/two")
        sock.close()


def test_a_target_that_is_not_there(netkit, proxy):
    with Server() as nobody:
        pass
    through = proxy(nobody.url)
    done = netkit.run("sse", f"http://{through.address}/", "--reconnect", "never")
    assert done.status == 69 and b"answered 502" in done.err and b"connection refused" in done.err
    through.err.expect(rb"connection refused\n")


def test_a_foreign_page_is_refused(proxy):
    with Server(ok(ONE)) as server:
        through = proxy(server.url)
        with tcp_connect(through.address) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: attacker.example\r\n\r\n")
            assert sock.recv(4096).startswith(b"HTTP/1.1 421 ")
    assert server.requests == []


def test_tls_on_both_sides(netkit, proxy, tmp_path):
    make_local_certificate(tmp_path)
    pair = ("--cert", tmp_path / "server.pem", "--key", tmp_path / "server.key")
    origin = netkit.serve("sse", "serve", "127.0.0.1:0", "--every", "10ms", "--message", "tick", *pair)
    through = proxy(f"https://{origin.address}/", "--cacert", tmp_path / "server.pem", *pair)
    done = netkit.run("sse", f"https://{through.address}/e", "-c", "2", "--cacert", tmp_path / "server.pem")
    assert done.status == 0 and done.out == b"tick\ntick\n", done


def test_what_is_recorded_is_replayed(netkit, proxy, tmp_path):
    with Server(ok(events(1, 2, 3))) as server:
        through = proxy(server.url.replace("/events", ""), "--record", tmp_path / "rec", "-q")
        netkit.run("sse", f"http://{through.address}/a", "-c", "3")
        assert through.stop() == 0
    again = netkit.serve("sse", "serve", "127.0.0.1:0", "--replay", tmp_path / "rec", "--speed", "0")
    assert netkit.run("sse", f"http://{again.address}/a", "-c", "3").out == b"event 1\nevent 2\nevent 3\n"


def test_a_stream_of_100_mib_costs_no_memory(proxy):
    size, piece = 100 << 20, (b": " + b"x" * 65533 + b"\n") + b"data: a line\n\n"

    def step(connection, _):
        connection.send(ok(b""))
        for _ in range(size // len(piece)):
            connection.send(piece)
    with Server(step) as server:
        through = proxy(server.url, "-q", "--json")
        sock = tcp_connect(through.address)
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        got, before, most = len(sock.recv(65536)), resident(through.pid), 0
        while chunk := sock.recv(1 << 20):
            got += len(chunk)
            most = max(most, resident(through.pid))
    assert got >= size // len(piece) * len(piece) and most - before < 8 << 20, (got, before, most)
    assert through.stop() == 0 and through.out.json()["events"] == size // len(piece)


def test_a_slow_reader_slows_the_origin_down(netkit, proxy):
    """100 MiB to who does not read: the memory stays."""
    size = 100 << 20
    sent = []

    def step(connection, _):
        connection.sock.settimeout(2)
        connection.send(ok(b""))
        piece = b": " + b"x" * 65533 + b"\n"
        try:
            for _ in range(size // len(piece)):
                connection.send(piece)
                sent.append(len(piece))
        except OSError:
            pass
    with Server(step) as server:
        through = proxy(server.url)
        before = resident(through.pid)
        sock = tcp_connect(through.address)
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        deadline = time.monotonic() + 30
        count = -1
        while count != len(sent) or not sent:
            assert time.monotonic() < deadline
            count = len(sent)
            time.sleep(0.3)  # until nothing more goes in
        assert sum(sent) < 40 << 20 and resident(through.pid) - before < 8 << 20
        sock.close()


@pytest.mark.parametrize("fields", [{"Content_Length": 15}, {}], ids=["length", "close"])
def test_a_last_text_without_an_end_is_shown(netkit, proxy, fields):
    with Server(head(Content_Type="application/jsonl", **fields) + b'{"a":1}\n{"a":2}') as server:
        through = proxy(server.url)
        assert netkit.run("sse", f"http://{through.address}/", "-c", "2").status == 0
        through.out.expect(rb'{"a":1}\n{"a":2}\n')


def test_a_client_that_waits_with_its_body_is_told_to_go_on(proxy):
    with Server(ok(ONE)) as server:
        through = proxy(server.url)
        with tcp_connect(through.address) as sock:
            sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
            assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            sock.sendall(b"body")
            assert receive_to_end(sock) == ok(ONE)
    assert server.requests[0].body == b"body"


def test_a_request_that_does_not_end_is_given_up(proxy):
    with Server(hold(ok(ONE))) as server:
        through = proxy(server.url, "--request-timeout", "200ms", "--json")
        with (tcp_connect(through.address) as reader, tcp_connect(through.address) as slow,
              tcp_connect(through.address) as silent):
            reader.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            got = b""
            while not got.endswith(ONE):
                got += reader.recv(65536)
            slow.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nab")
            answer = receive_to_end(slow)
            assert answer.startswith(b"HTTP/1.1 408 ") and b"longer than 200ms (--request-timeout)" in answer
            assert receive_to_end(silent) == b""
            reader.settimeout(0.1)
            with pytest.raises(TimeoutError):  # its answer may take as long as it likes
                reader.recv(1)
        through.signal(signal.SIGTERM)
        assert through.wait() == 0
    assert json.loads(through.out.data.splitlines()[-1])["request_timeouts"] == 1
