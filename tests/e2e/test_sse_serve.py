"""netkit sse serve, read by raw sockets, by curl, through nginx and by netkit itself."""

import re
import resource
import signal

import pytest

from certificates import make_certificate
from netkit import receive_to_end, tcp_connect, wait_until
from sse_peer import Nginx, Reader


@pytest.fixture
def serve(netkit):
    def start(*args, **kwargs):
        return netkit.serve("sse", "serve", "127.0.0.1:0", "-v", *args, **kwargs)
    return start


def lines(*numbers):
    return b"".join(b"line %d\n" % n for n in numbers)


def event(number):
    return b"id: %d\ndata: line %d\n\n" % (number, number)


def test_a_line_is_an_event(serve):
    server = serve()
    reader = Reader(server.address)
    head = reader.head().lower()
    assert head.startswith(b"http/1.1 200 ok\r\n") and b"content-type: text/event-stream\r\n" in head
    server.write(lines(1, 2))
    assert reader.until(rb"line 2\n\n") == event(1) + event(2)


def test_what_came_before_a_line_that_is_too_long_is_delivered(serve):
    server = serve("--max-line", "64k", "--max-queue", "64k")
    reader = Reader(server.address)
    reader.head()
    # More than sockets and the queue hold, so that the reader is behind when the source fails.
    payload = b"x" * 60_000
    server.write((payload + b"\n") * 400 + b"y" * 100_000 + b"\nnot any more\n")
    server.close_stdin()
    received = receive_to_end(reader.sock)
    assert received.count(payload) == 400 and b"not any more" not in received
    assert server.wait() == 76
    assert b"netkit: sse: a line of --from - is longer than 64k (--max-line)\n" in server.err.data


def test_every_path_is_the_stream_but_what_browsers_ask_for_unasked(serve):
    server = serve()
    for path in ("/events", "/", "/a/b?c=d"):
        assert b"text/event-stream" in Reader(server.address, path, Accept="text/event-stream").head()
    assert b"text/event-stream" in Reader(server.address, "/anything").head()
    for path in ("/favicon.ico", "/apple-touch-icon-120x120.png", "/robots.txt", "/.well-known/a/b"):
        assert b" 404 " in Reader(server.address, path).head()


def test_the_page(serve):
    server = serve("--event", "a\"b<c")
    reader = Reader(server.address, "/", Accept="text/html")
    assert b"Content-Type: text/html" in reader.head()
    page = reader.until(rb"</html>")
    assert b"EventSource('events')" in page and b'data-type="a&quot;b&lt;c"' in page


def test_replay_after_the_last_id(serve):
    server = serve()
    server.write(lines(*range(1, 11)))
    wait = Reader(server.address, Last_Event_ID="0")
    wait.until(rb"line 10\n\n")
    reader = Reader(server.address, Last_Event_ID="7")
    reader.head()
    assert reader.until(rb"line 10\n\n") == event(8) + event(9) + event(10)
    by_query = Reader(server.address, "/events?lastEventId=9")
    by_query.head()
    assert by_query.until(rb"line 10\n\n") == event(10)


def test_what_is_not_kept_is_named(serve):
    server = serve("--keep", "3")
    server.write(lines(*range(1, 11)))
    wait = Reader(server.address, Last_Event_ID="0")
    wait.until(rb"line 10\n\n")
    reader = Reader(server.address, Last_Event_ID="2")
    reader.head()
    assert reader.until(rb"line 10\n\n") == b": lost: events 3 to 7\n\n" + event(8) + event(9) + event(10)
    server.err.expect(rb"events 3 to 7 are not kept any more \(--keep\)")


def test_one_that_is_not_kept(serve):
    server = serve("--keep", "1")
    server.write(lines(1, 2, 3))
    wait = Reader(server.address, Last_Event_ID="2")
    wait.until(rb"line 3\n\n")
    reader = Reader(server.address, Last_Event_ID="1")
    reader.head()
    assert reader.until(rb"line 3\n\n") == b": lost: event 2\n\n" + event(3)
    server.err.expect(rb"event 2 is not kept any more \(--keep\)")


def test_keep_none(serve):
    server = serve("--keep", "0")
    reader = Reader(server.address)
    reader.head()
    server.write(lines(1))
    assert reader.until(rb"line 1\n\n") == event(1)


def test_keepalive_comments(serve):
    server = serve("--keepalive", "50ms")
    reader = Reader(server.address)
    reader.head()
    assert reader.until(rb"(:[^\n]*\n\n){3}").count(b":") == 3


def test_a_ticker_a_type_and_a_retry(serve):
    server = serve("--every", "20ms", "--message", "tick", "--event", "beat", "--retry", "250ms")
    reader = Reader(server.address)
    reader.head()
    assert reader.until(rb"tick\n\n").startswith(b"retry: 250\n\nid: ")
    assert b"event: beat\ndata: tick\n" in reader.until(rb"tick\n\n")


def test_a_file_and_a_command(serve, tmp_path):
    (tmp_path / "in").write_text("one\r\ntwo")
    server = serve("--from", f"file:{tmp_path}/in", "--from", "exec:echo three")
    server.err.expect(rb"the source has ended")
    reader = Reader(server.address, Last_Event_ID="0")
    assert sorted(re.findall(rb"data: (\w+)\n", reader.until(rb"id: 3\n.*?\n\n"))) == [b"one", b"three", b"two"]


@pytest.mark.parametrize("origin, given, allowed", [
    ("*", "http://a.example", b"*"),
    ("http://a.example", "http://a.example", b"http://a.example"),
    ("http://a.example", "http://b.example", None),
])
def test_cors(serve, origin, given, allowed):
    server = serve("--cors", origin)
    head = Reader(server.address, Origin=given).head()
    found = re.search(rb"Access-Control-Allow-Origin: (\S+)", head)
    assert (found and found.group(1)) == allowed


@pytest.mark.parametrize("raw, status", [
    (b"nonsense\r\n\r\n", b"400"),
    (b"GET /x HTTP/2.0\r\nHost: x\r\n\r\n", b"505"),
    (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", b"414"),
    (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 100 + b"\r\n", b"431"),
    (b"DELETE /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"405"),
    (b"HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n", b"200"),
])
def test_requests_that_are_none(serve, raw, status):
    server = serve()
    sock = tcp_connect(server.address)
    sock.sendall(raw)
    assert receive_to_end(sock).startswith(b"HTTP/1.1 " + status)


def test_several_requests_on_a_connection(serve):
    server = serve()
    sock = tcp_connect(server.address)
    sock.sendall(b"GET /favicon.ico HTTP/1.1\r\nHost: x\r\n\r\n" * 2 + b"HEAD /e HTTP/1.1\r\nHost: x\r\n\r\n")
    answers = receive_to_end(sock)
    assert answers.count(b"HTTP/1.1 404") == 2 and answers.count(b"HTTP/1.1 200") == 1


def test_a_slow_request_is_ended(serve):
    server = serve("--request-timeout", "200ms")
    sock = tcp_connect(server.address)
    sock.sendall(b"GET / HTTP/1.1\r\nHo")
    assert receive_to_end(sock) == b""
    server.err.expect(rb"request took longer than 200ms \(--request-timeout\)")


def test_too_many_clients(serve):
    server = serve("--max-clients", "2")
    readers = [Reader(server.address) for _ in range(2)]
    for reader in readers:
        reader.head()
    assert b" 503 " in Reader(server.address).until(rb"--max-clients")
    readers[0].close()

    def comes_in():
        return b" 200 " in Reader(server.address).head()
    wait_until(comes_in, what="a free place")


def test_a_slow_reader_delays_nobody_and_loses_nothing(serve):
    server = serve("--max-queue", "64k", "--keep", "20000")
    slow = Reader(server.address)
    slow.head()
    fast = Reader(server.address)
    fast.head()
    text = b"x" * 1000 + b"\n"
    for _ in range(100):
        server.write(text * 100)
    assert fast.ids(10000) == list(range(1, 10001))
    server.signal(signal.SIGUSR1)
    server.err.expect(rb"slow [1-9]")
    assert slow.ids(10000) == list(range(1, 10001))


def test_thousands_of_readers(netkit):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    server = netkit.serve("sse", "serve", "127.0.0.1:0")
    readers = [Reader(server.address) for _ in range(min(2000, limit[1] - 200))]
    for reader in readers:
        reader.head()
    server.write(lines(1))
    for reader in readers:
        assert reader.until(rb"line 1\n\n") == event(1)
        reader.close()
    server.write(lines(2))
    assert server.stop() == 0


def test_signals_end_the_streams(serve):
    server = serve()
    reader = Reader(server.address)
    reader.head()
    server.write(lines(1))
    reader.until(rb"line 1\n\n")
    assert server.stop(signal.SIGTERM) == 0
    assert reader.sock.recv(10) == b""
    assert b"events 1, delivered 1" in server.err.rest()


def test_an_address_in_use(netkit, serve):
    server = serve()
    done = netkit.run("sse", "serve", server.address)
    assert done.status == 69 and b"in use" in done.err


def test_curl_reads_it(netkit, serve):
    server = serve("--every", "10ms", "--message", "tick")
    done = netkit.shell(f"curl -sN http://{server.address}/events | head -2")
    assert re.fullmatch(rb"id: \d+\ndata: tick\n", done.out)


def test_netkit_reads_it_over_a_restart(netkit, serve):
    server = serve()
    client = netkit.start("sse", f"http://{server.address}/", "--retry", "10ms", "--reconnect-max", "50ms")
    server.err.expect(rb"GET /")
    server.write(lines(1))
    client.out.expect(rb"line 1\n")
    assert server.stop() == 0
    client.err.expect(rb"closed the stream")
    again = netkit.serve("sse", "serve", server.address)
    client.err.expect(rb"connected")
    again.write(b"line 2\n")
    client.out.expect(rb"line 2\n")
    assert client.stop() == 0


@pytest.fixture
def certificate(tmp_path):
    make_certificate(tmp_path, "server", "-addext", "subjectAltName=IP:127.0.0.1")
    return tmp_path


def test_tls_at_both_ends(netkit, serve, certificate):
    server = serve("--cert", certificate / "server.pem", "--key", certificate / "server.key", "--every", "20ms",
                   "--message", "tick")
    url = f"https://{server.address}/events"
    assert netkit.run("sse", url, "-c", "1", "--cacert", certificate / "server.pem").out == b"tick\n"
    untrusted = netkit.run("sse", url, "-c", "1")
    assert untrusted.status == 77 and b"certificate" in untrusted.err
    insecure = netkit.run("sse", url, "-c", "1", "--insecure")
    assert insecure.status == 0 and b"not verified" in insecure.err


def test_tls_against_what_speaks_none(netkit, serve):
    server = serve()
    done = netkit.run("sse", f"https://{server.address}/")
    assert done.status == 76 and b"TLS handshake" in done.err


def test_through_nginx(netkit, serve, tmp_path):
    server = serve()
    proxy = Nginx(netkit, tmp_path, "127.0.0.1:{port}", f'location / {{ proxy_pass http://{server.address}; '
                  'proxy_http_version 1.1; proxy_set_header Connection ""; }')
    client = netkit.start("sse", proxy.url, "-c", "3")
    server.err.expect(rb"GET /events")
    for number in (1, 2, 3):
        server.write(lines(number))
        client.out.expect(rb"line %d\n" % number)
    assert client.wait() == 0


def test_served_by_python(netkit, tmp_path):
    program = ("import http.server, sys\n"
               "class H(http.server.BaseHTTPRequestHandler):\n"
               "    def do_GET(self):\n"
               "        self.send_response(200); self.send_header('Content-Type', 'text/event-stream')\n"
               "        self.end_headers(); self.wfile.write(b'data: hello\\n\\n')\n"
               "s = http.server.HTTPServer(('127.0.0.1', 0), H); print(s.server_port, flush=True); s.serve_forever()\n")
    server = netkit.start(argv=["/usr/bin/python3", "-c", program])
    port = int(server.out.line())
    done = netkit.run("sse", f"http://127.0.0.1:{port}/x", "-c", "2", "--retry", "1ms", "--reconnect-max", "1ms")
    assert done.status == 0 and done.out == b"hello\n" * 2
