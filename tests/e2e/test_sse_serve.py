"""netkit sse serve, read by raw sockets, by curl, through nginx and by netkit itself."""

import contextlib
import os
import re
import resource
import select
import signal

import pytest

from netkit import receive_to_end, tcp_connect, wait_until
from sse_peer import Nginx, Reader


@pytest.fixture
def serve(netkit):
    def start(*args, **kwargs):
        return netkit.serve("sse", "serve", "127.0.0.1:0", "-v", *args, **kwargs)
    return start


def lines(*numbers):
    return b"".join(b"line %d\n" % n for n in numbers)


def ids_of(server, last):
    """{number: id} of the lines 1 to `last`, which have been written."""
    last_id = Reader(server.address, Last_Event_ID="0").ids(b"line %d" % last)[-1]
    return {number: last_id - last + number for number in range(last + 1)}


def event(ids, *numbers):
    return b"".join(b"id: %d\ndata: line %d\n\n" % (ids[n], n) for n in numbers)


def test_a_line_is_an_event(serve):
    server = serve()
    reader = Reader(server.address)
    head = reader.head().lower()
    assert head.startswith(b"http/1.1 200 ok\r\n") and b"content-type: text/event-stream\r\n" in head
    server.write(lines(1, 2))
    assert reader.until(rb"line 2\n\n") == event(ids_of(server, 2), 1, 2)


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
    assert b'data-stream="events?last=100"' in page and b'data-type="a&quot;b&lt;c"' in page


def test_replay_after_the_last_id(serve):
    server = serve()
    server.write(lines(*range(1, 11)))
    ids = ids_of(server, 10)
    reader = Reader(server.address, Last_Event_ID=ids[7])
    reader.head()
    assert reader.until(rb"line 10\n\n") == event(ids, 8, 9, 10)
    by_query = Reader(server.address, f"/events?lastEventId={ids[9]}")
    by_query.head()
    assert by_query.until(rb"line 10\n\n") == event(ids, 10)


def test_an_id_of_an_earlier_run(serve):
    first = serve()
    first.write(lines(1, 2))
    old = ids_of(first, 2)
    assert first.stop() == 0
    second = serve("--keep", "4")
    second.write(lines(1, 2, 3))
    ids = ids_of(second, 3)
    reader = Reader(second.address, Last_Event_ID=old[2])
    reader.head()
    assert reader.until(rb"line 3\n\n") == event(ids, 1, 2, 3)
    second.write(lines(4, 5))
    ids_of(second, 5)
    late = Reader(second.address, Last_Event_ID=old[2])
    late.head()
    assert late.until(rb"line 2\n\n") == b": lost: event %d\n\n" % ids[1] + event(ids, 2)


def test_what_is_not_kept_is_named(serve):
    server = serve("--keep", "3")
    server.write(lines(*range(1, 11)))
    ids = ids_of(server, 10)
    reader = Reader(server.address, Last_Event_ID=ids[2])
    reader.head()
    lost = b"5 events (%d to %d)" % (ids[3], ids[7])
    assert reader.until(rb"line 10\n\n") == b": lost: " + lost + b"\n\n" + event(ids, 8, 9, 10)
    server.err.expect(re.escape(lost) + rb" are not kept any more \(--keep\)")


@pytest.mark.parametrize("option", [("--keep", "1"), ("--keep-bytes", "50")])
def test_one_that_is_not_kept(serve, option):
    server = serve(*option)
    server.write(lines(1, 2, 3))
    ids = ids_of(server, 3)
    reader = Reader(server.address, Last_Event_ID=ids[1])
    reader.head()
    assert reader.until(rb"line 3\n\n") == b": lost: event %d\n\n" % ids[2] + event(ids, 3)
    server.err.expect(rb"event %d is not kept any more \(%s\)" % (ids[2], option[0].encode()))


def test_keep_none(serve):
    server = serve("--keep", "0")
    reader = Reader(server.address)
    reader.head()
    server.write(lines(1))
    assert re.fullmatch(rb"id: \d+\ndata: line 1\n\n", reader.until(rb"line 1\n\n"))


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
    assert sorted(re.findall(rb"data: (\w+)\n", reader.until(rb"(data: \w+\n.*?){3}"))) == [b"one", b"three", b"two"]


@pytest.mark.parametrize("origin, given, allowed", [
    ("*", "http://a.example", b"*"),
    ("http://a.example", "http://a.example", b"http://a.example"),
    ("http://a.example", "http://b.example", None),
    ("HTTP://A.example:80/", "http://a.example", b"http://a.example"),
])
def test_cors(serve, origin, given, allowed):
    server = serve("--cors", "http://c.example", "--cors", origin)
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
    server.write(b"end\n")
    ids = fast.ids(b"end")
    assert ids == list(range(ids[0], ids[0] + 10001))
    server.signal(signal.SIGUSR1)
    server.err.expect(rb"slow [1-9]")
    assert slow.ids(b"end") == ids


@contextlib.contextmanager
def one_turn(server):
    """What happens in this block, the server finds all at once."""
    def state():
        with open(f"/proc/{server.pid}/stat", encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()[0]
    server.signal(signal.SIGSTOP)
    wait_until(lambda: state() == "T", what="the stop")
    yield
    server.signal(signal.SIGCONT)


def test_a_newcomer_amid_the_events_of_a_turn(serve, tmp_path):
    os.mkfifo(tmp_path / "second")
    server = serve("--from", "-", "--from", f"file:{tmp_path}/second", "--keepalive", "none")
    reader = Reader(server.address, "/robots.txt")
    reader.until(rb"not found\n")
    with open(tmp_path / "second", "wb", buffering=0) as second:
        with one_turn(server):
            server.write(b"one\n")
            reader.ask("/events")
            second.write(b"two\n")
        reader.head()
        second.write(b"three\n")
        reader.until(rb"data: three\n\n")


def test_a_long_replay_keeps_nobody_waiting(serve):
    server = serve("--keep", "300000")
    for _ in range(300):
        server.write(b"x\n" * 1000)
    server.write(b"end\n")
    Reader(server.address, Last_Event_ID="0").ids(b"end")
    live, late = Reader(server.address), Reader(server.address, "/robots.txt")
    live.head()
    late.until(rb"not found\n")
    with one_turn(server):
        late.ask("/events", Last_Event_ID="0")
        server.write(b"live\n")
    replayed = 0
    while live.sock not in select.select([live.sock, late.sock], [], [])[0]:
        replayed += len(late.sock.recv(65536))
    assert replayed < 1 << 20
    late.ids(b"live")


def test_thousands_of_readers(netkit):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    server = netkit.serve("sse", "serve", "127.0.0.1:0")
    readers = [Reader(server.address) for _ in range(min(2000, limit[1] - 200))]
    for reader in readers:
        reader.head()
    server.write(lines(1))
    for reader in readers:
        assert re.fullmatch(rb"id: \d+\ndata: line 1\n\n", reader.until(rb"line 1\n\n"))
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


def test_what_readers_do_is_told(serve):
    server = serve()
    sock = tcp_connect(server.address)
    sock.sendall(b"nonsense\r\n\r\n")
    server.err.expect(rb"127\.0\.0\.1:\d+: answered 400: not an HTTP request\n")
    reader = Reader(server.address)
    server.err.expect(rb"127\.0\.0\.1:\d+: GET /events\n")
    reader.close()
    server.err.expect(rb"127\.0\.0\.1:\d+ closed\n")


def test_a_foreign_name_is_no_name_of_the_server(netkit, serve):
    server = serve("--host", "stream.example", "--every", "10ms")
    for host, status in (("attacker.example", 421), ("stream.example:8000", 200), ("localhost", 200), ("[::1]:1", 200)):
        with tcp_connect(server.address) as sock:
            sock.sendall(f"GET /events HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert sock.recv(4096).startswith(b"HTTP/1.1 %d " % status), host


def test_a_login_of_a_named_origin_is_let_in(serve):
    server = serve("--cors", "http://a.example", "--credentials")
    reader = Reader(server.address, Origin="http://a.example")
    head = reader.head()
    assert b"Access-Control-Allow-Credentials: true\r\n" in head and b"Allow-Origin: http://a.example\r\n" in head
    stranger = Reader(server.address, Origin="http://b.example").head()
    assert b"Access-Control-Allow" not in stranger


@pytest.mark.parametrize("args, said", [
    (("--cors", "a.example"), rb"--cors: 'a.example' is not an origin \(write http://HOST, https://HOST:PORT or \*\)"),
    (("--request-timeout", "0"), rb"--request-timeout: '0' is too short \(more than 0\)"),
    (("--cors", "*", "--credentials"), rb"--credentials: browsers do not accept it with \* \(name the origins in --cors\)"),
    (("--credentials",), rb"--credentials.*--cors"),
    (("--keepalive", "0"), rb"--keepalive: '0' is too short \(more than 0\)"),
    (("--retry", "none"), rb"--retry: 'none' is too long \(at most 24d\)"),
    (("--event", "a\nb"), rb"--event must be a single line"),
])
def test_options_that_cannot_be_meant(netkit, args, said):
    done = netkit.run("sse", "serve", "127.0.0.1:0", *args)
    assert done.status == 2 and re.search(said, done.err)


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


def test_a_terminal_is_told_where_the_page_is(netkit):
    terminal = netkit.terminal("sse", "serve", "127.0.0.1:0", "--every", "1h")
    url = terminal.expect(rb"netkit: sse: open (http://127\.0\.0\.1:\d+/) in a browser\r\n").group(1).decode()
    assert netkit.run(argv=["curl", "-s", "--noproxy", "*", url]).out.startswith(b"<!DOCTYPE html>")
    terminal.type("\x03")
    assert terminal.wait() == 0
