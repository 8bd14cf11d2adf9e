"""netkit sse where a server sends it to another one."""

import socket

import pytest

from netkit import free_port
from sse_peer import ONE, TEXT, Server, answer, events, head, hold, ok, read


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed(netkit, status):
    with Server(answer(f"{status} Moved", b"see there", Location="/other?x=1"), ok(ONE)) as server:
        done = read(netkit, server, "-c", "1", "-H", "X-Key: 1")
    assert done.out == b"one\n" and server.requests[1].target == "/other?x=1"
    assert server.requests[1].headers["x-key"] == "1"


def test_a_redirect_takes_no_secrets_elsewhere(netkit, tmp_path):
    (tmp_path / "secret").write_text("s3cret\n")
    with Server(ok(ONE), ok(ONE)) as other:
        there = answer("302 Found", Location=other.url)
        with Server(there, there) as server:
            read(netkit, server, "-c", "1", "--bearer-file", tmp_path / "secret", "-H", "X-Key: 1", "-H", "Cookie: c")
            read(netkit, server, "-c", "1", "--user", "ann", "--password-file", tmp_path / "secret")
    assert server.requests[0].headers["authorization"] == "Bearer s3cret"
    for request in other.requests:
        assert not {"authorization", "x-key", "cookie"} & set(request.headers)
        assert request.headers["accept"] == TEXT
    assert len(other.requests) == 2


def test_the_password_of_a_redirect_does_not_show(netkit):
    with Server(ok(ONE)) as other:
        with Server(answer("302 Found", Location=other.url.replace("://", "://ann:s3cret@"))) as server:
            done = read(netkit, server, "-c", "1", "-vv")
    assert done.out == b"one\n" and b"Location: http" in done.err and b"s3cret" not in done.err


def test_a_redirect_of_a_post(netkit):
    with Server(answer("303 See", Location="/a"), ok(ONE), answer("307 Again", Location="/b"), ok(ONE)) as server:
        for _ in range(2):
            read(netkit, server, "-c", "1", "--data", "x")
    assert [(r.method, r.body) for r in server.requests] == [("POST", b"x"), ("GET", b""), ("POST", b"x"), ("POST", b"x")]


def test_redirects_without_end(netkit):
    with Server(answer("302 Found", Location="/events"), repeat=True) as server:
        done = read(netkit, server)
    assert done.status == 76 and b"more than 20 times" in done.err and len(server.requests) == 21


def test_a_reconnect_begins_at_the_first_url(netkit):
    with Server(answer("301 Moved", Location="/b"), ok(events(1)), answer("301 Moved", Location="/c"), ok(ONE)) as server:
        read(netkit, server, "-c", "2")
    assert [r.target for r in server.requests] == ["/events", "/b", "/events", "/c"]


def test_the_peer_is_who_answers(netkit):
    with Server(ok(ONE), family=socket.AF_INET6) as six, Server(answer("302 Found", Location=six.url)) as four:
        done = read(netkit, four, "-c", "1", "--template", "{peer} {ip} {port} {text}\n")
    assert done.out == f"{six.host}:{six.port} ::1 {six.port} one\n".encode()


def test_the_body_of_a_redirect_is_not_waited_for(netkit):
    with Server(hold(head("302 Found", Location="/there", Content_Length=100)), ok(ONE)) as server:
        done = read(netkit, server, "-c", "1", "--timeout", "10s")
    assert done.status == 0 and server.requests[1].target == "/there", done


def test_a_redirect_to_an_empty_location_is_to_itself(netkit):
    with Server(answer("302 Found", Location=""), ok(ONE)) as server:
        done = read(netkit, server, "-c", "1")
    assert done.status == 0 and [r.target for r in server.requests] == ["/events"] * 2, done


@pytest.mark.parametrize("location", ["http://[::1/", "http://127.0.0.1:99999/"])
def test_a_redirect_to_what_is_not_a_url_is_final(netkit, location):
    with Server(answer("302 Found", Location=location)) as server:
        done = read(netkit, server, "--timeout", "10s")
    assert done.status == 76 and b"redirected to " + location.encode() + b", which is not a URL\n" in done.err, done


def test_it_says_who_has_no_stream(netkit):
    with Server(answer("404 Not Found", b"gone")) as other, Server(answer("302 Found", Location=other.url)) as server:
        done = read(netkit, server)
    assert done.status == 76
    assert done.err == (f"netkit: sse: {server.url}: redirected to {other.url}: the server answered 404 without a "
                        "media type: gone\n").encode()


@pytest.mark.parametrize("scheme", ["http", "ftp"])
def test_a_password_of_a_redirect_is_not_shown(netkit, scheme):
    with Server() as nobody:
        pass
    with Server(answer("302 Found", Location=f"{scheme}://ann:s3cret@127.0.0.1:{nobody.port}/")) as server:
        done = netkit.run("sse", server.url, "--reconnect", "never")
    assert f"{scheme}://ann@127.0.0.1:{nobody.port}/".encode() in done.err and b"s3cret" not in done.err, done


def test_what_describes_a_body_goes_with_it(netkit):
    """As https://fetch.spec.whatwg.org/#http-redirect-fetch has it."""
    steps = [answer("303 See", Location="/a"), ok(ONE), answer("307 Again", Location="/b"), ok(ONE)]
    with Server(*steps) as server:
        for _ in range(2):
            read(netkit, server, "-c", "1", "--data", "{}", "-H", "content-type: application/json", "-H", "X-Key: 1")
    assert [r.headers.get("content-type") for r in server.requests] == ["application/json", None] + ["application/json"] * 2
    assert all(r.headers["x-key"] == "1" for r in server.requests)


@pytest.mark.parametrize("then", ["refused", "busy"])
def test_a_post_that_a_redirect_says_was_obeyed_is_not_made_again(netkit, then):
    where = f"http://127.0.0.1:{free_port()}/" if then == "refused" else "/result"
    with Server(answer("303 See Other", Location=where), answer("503 Busy"), ok(ONE), ok(ONE)) as server:
        done = read(netkit, server, "--data", "order", "--reconnect", "5", "-c", "1")
    assert [request.method for request in server.requests].count("POST") == 1
    assert done.status == 69 and done.out == b"", done
