"""netkit sse serve by HTTP/2, which TLS agrees on: many streams on one connection."""

import os
import shutil

import pytest

from browser import Page
from http2_peer import Http2Peer

TWENTY_SOURCES = """
window.got = [];
window.opened = 0;
for (let i = 0; i < 20; ++i) {
  const source = new EventSource(`/stream/${i}`);
  source.onopen = () => ++window.opened;
  source.onmessage = (e) => window.got.push(`${i} ${e.data}`);
}
"""


@pytest.fixture
def serve(netkit, certificate):
    def start(*args):
        return netkit.serve("sse", "serve", "127.0.0.1:0", "--cert", certificate / "server.pem", "--key",
                            certificate / "server.key", *args)
    return start


@pytest.fixture
def peer(certificate):
    peers = []

    def connect(server, **options):
        peers.append(Http2Peer(server, certificate / "server.pem", **options))
        return peers[-1]
    yield connect
    for one in peers:
        one.sock.close()


def texts(body):
    return [line[6:].decode() for line in body.split(b"\n") if line.startswith(b"data: ")]


def test_a_hundred_streams_share_a_connection(serve, peer):
    server = serve("--json")
    client = peer(server)
    streams = [client.ask(f"/{i}") for i in range(100)]
    client.wait_for(lambda: len(client.headers) == 100)
    assert {h[":status"] for h in client.headers.values()} == {"200"}
    assert client.headers[streams[0]]["content-type"] == "text/event-stream"
    server.write(b"".join(b"line %d\n" % i for i in range(50)))
    wanted = [f"line {i}" for i in range(50)]
    client.wait_for(lambda: all(texts(client.bodies.get(s, b""))[-1:] == wanted[-1:] for s in streams))
    assert all(texts(client.bodies[s]) == wanted for s in streams)
    assert server.stop() == 0
    end = server.out.json()
    assert (end["connections"], end["streams"], end["delivered"]) == (1, 100, 5000)


def test_the_end_of_the_server_is_told_to_every_stream(netkit, serve, certificate):
    server = serve("--every", "20ms", "--message", "tick", "-v")
    urls = [f"https://{server.address}/{i}" for i in range(3)]
    curl = netkit.start(argv=["curl", "-sN", "-Z", "--http2", "--fail", "--cacert", certificate / "server.pem", *urls])
    for path in range(3):
        server.err.expect(rb"GET /%d\n" % path)
    curl.out.expect(rb"data: tick\n")
    assert server.stop(15) == 0
    assert curl.wait() == 0  # no body was cut off


def test_other_answers_are_as_by_http_1(serve, peer, certificate, tmp_path):
    (tmp_path / "token").write_text("secret\n")
    server = serve("--write-token-file", tmp_path / "token", "--channels", "--max-event", "1000")
    client = peer(server)
    assert client.answer(client.ask("/favicon.ico"))[0] == 404
    assert client.answer(client.ask("/a", "DELETE"))[0] == 405
    assert client.answer(client.ask("/a", "POST", b"hello"))[0] == 401
    bearer = {"authorization": "Bearer secret"}
    status, number = client.answer(client.ask("/a", "POST", b"hello", **bearer))
    assert status == 200 and number.strip().isdigit()
    assert client.answer(client.ask("/a", "POST", b"x" * 2000, **bearer))[0] == 413
    reader = client.ask("/a?last=1")
    client.wait_for(lambda: texts(client.bodies.get(reader, b"")) == ["hello"])
    head = client.ask("/a", "HEAD")
    assert client.answer(head) == (200, b"")
    assert client.answer(client.ask("/" + "x" * 9000))[0] == 414
    assert client.answer(client.ask("/a", **{f"x-{i}": "y" for i in range(70)}))[0] == 431
    # After all of it the connection still serves.
    assert client.answer(client.ask("/favicon.ico"))[0] == 404


def test_a_stream_that_is_not_read_holds_up_no_other(serve, peer):
    server = serve("--keep", "10", "--max-queue", "64k")
    client = peer(server, window=1000)
    slow, quick = client.ask("/events"), client.ask("/events")
    client.wait_for(lambda: len(client.headers) == 2)

    def let_come(stream, size):
        client.h2.increment_flow_control_window(size, stream)
        client.h2.increment_flow_control_window(size)
        client.flush()
    let_come(quick, 3_000_000)
    for number in range(300):
        server.write(b"%d %s\n" % (number, b"x" * 2000))
        client.wait_for(lambda: client.bodies.get(quick, b"").endswith(b"x\n\n")
                        and len(texts(client.bodies[quick])) == number + 1)
    assert len(client.bodies[slow]) == 1000
    # Once it is read, it is told what it has missed, and goes on with the others.
    let_come(slow, 3_000_000)
    client.wait_for(lambda: texts(client.bodies[slow])[-1:] == texts(client.bodies[quick])[-1:])
    assert b": lost: " in client.bodies[slow]


def test_a_stream_that_is_dropped_has_what_was_sent_before(netkit, serve, peer, certificate):
    server = serve("--last", "9", "--fault", "drop=2", "--fault", "retry=20ms")
    server.write(b"1\n2\n3\n4\n5\n")
    client = peer(server)
    stream = client.ask("/events")
    client.wait_for(lambda: stream in client.resets)
    assert texts(client.bodies[stream]) == ["1", "2"] and client.resets[stream] == 2 and stream not in client.ended
    assert client.answer(client.ask("/favicon.ico"))[0] == 404  # the connection goes on
    reader = netkit.start("sse", f"https://{server.address}/events", "-c", "5", "--reconnect-max", "50ms", "--cacert",
                          certificate / "server.pem")
    assert reader.wait() == 0 and reader.out.rest() == b"1\n2\n3\n4\n5\n"


def test_requests_that_are_taken_back_end_the_connection(serve, peer):
    server = serve("-v")
    client = peer(server)
    try:
        for _ in range(1000):
            stream = client.ask("/events")
            client.h2.reset_stream(stream, 8)
            client.flush()
    except OSError:
        pass
    client.wait_for_end()
    other = peer(server)
    assert other.answer(other.ask("/favicon.ico"))[0] == 404


def test_what_is_no_http_2_is_closed(serve, peer):
    server = serve("--json")
    client = peer(server)
    client.sock.sendall(b"\xff" * 1000)
    client.wait_for_end()
    assert server.stop() == 0
    assert server.out.json()["bad_requests"] == 1


def test_a_request_that_does_not_come_in_time(serve, peer):
    server = serve("--request-timeout", "300ms")
    client = peer(server)
    stream = client.h2.get_next_available_stream_id()
    client.h2.send_headers(stream, [(":method", "POST"), (":scheme", "https"), (":authority", client.host), (":path", "/")])
    client.flush()
    server.err.expect(rb"its request took longer than 300ms \(--request-timeout\)\n")
    client.wait_for_end()


def test_who_finds_no_room_is_told_so_and_leaves(serve, peer):
    server = serve("--max-clients", "1", "--request-timeout", "60s")
    first = peer(server)
    second = peer(server)
    status, text = second.answer(second.ask("/favicon.ico"))
    assert (status, text) == (503, b"full: 1 client (--max-clients)\n")
    second.wait_for_end()
    assert first.answer(first.ask("/favicon.ico"))[0] == 404


def link_or_copy(source, target):
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


def test_a_library_that_cannot_be_loaded_costs_one_connection(netkit, certificate, tmp_path):
    """As for want of descriptors: the server goes on."""
    copy = tmp_path / "copy"
    shutil.copytree(os.environ["NETKIT_PREFIX"], copy, ignore=shutil.ignore_patterns("http2.so", "include", "doc", "man"),
                    copy_function=link_or_copy)
    server = netkit.serve(argv=[copy / "bin" / "netkit", "sse", "serve", "127.0.0.1:0", "--cert",
                                certificate / "server.pem", "--key", certificate / "server.key"])
    url = f"https://{server.address}/favicon.ico"
    ask = ["curl", "-s", "--cacert", str(certificate / "server.pem"), "-w", "%{http_code}", "-o", "/dev/null", url]
    assert netkit.run(argv=ask + ["--http2"]).status != 0
    server.err.expect(rb"closed: http2 cannot be loaded: ")
    assert netkit.run(argv=ask + ["--http1.1"]).out == b"404"


def test_curl_and_netkit_itself_read_by_it(netkit, serve, certificate):
    server = serve("--every", "20ms", "--message", "tick", "-v")
    url = f"https://{server.address}/events"
    curl = netkit.start(argv=["curl", "-sN", "--http2", "--cacert", certificate / "server.pem", "-w", "%{http_version}", url])
    curl.out.expect(rb"data: tick\n")
    assert netkit.run("sse", url, "-c", "2", "--cacert", certificate / "server.pem").out == b"tick\ntick\n"
    old = netkit.start(argv=["curl", "-sN", "--http1.1", "--cacert", certificate / "server.pem", url])
    old.out.expect(rb"data: tick\n")


def test_a_browser_opens_twenty_streams(netkit, serve, tmp_path):
    server = serve("--json")
    page = Page(netkit, tmp_path / "profile", f"https://{server.address}/", "--ignore-certificate-errors")
    try:
        page.wait_for("document.getElementById('state')?.textContent", "connected")
        page.evaluate(TWENTY_SOURCES)
        page.wait_for("window.opened", 20)
        server.write(b"hello\n")
        page.wait_for("window.got.sort().join()", ",".join(sorted(f"{i} hello" for i in range(20))))
    finally:
        page.close()
    assert server.stop() == 0
    assert server.out.json()["connections"] < 6
