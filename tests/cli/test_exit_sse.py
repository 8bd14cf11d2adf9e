"""Every exit status of netkit-sse(1), brought about."""

import threading

import pytest

from certificates import make_family
from exit_status import Page
from exit_ways import (AS_OTHERS, LISTEN, LONG_LINE, PEER, add_ends, add_servers, add_set_up, broken_pipe,  # noqa: F401
                       by_second_signal, full_pipe, silent)
from netkit import DEADLINE, netkit_path
from socks import NOT_ALLOWED, Socks
from sse_peer import Server, answer, events, free_port, head, hold

PAGE = Page("sse", {"read": [f"http://{PEER}/"], "serve": [LISTEN]})
add_set_up(PAGE)
add_servers(PAGE)
add_ends(PAGE)

STREAM = head(Content_Type="text/event-stream")


@pytest.fixture
def family(tmp_path):
    make_family(tmp_path)
    return tmp_path


@pytest.fixture
def held():
    """A server whose stream goes on."""
    with Server(hold(STREAM)) as server:
        yield server


def read(netkit, *steps, args=()):
    with Server(*steps) as server:
        return netkit.run("sse", server.url, *args)


def reading(netkit, url, *args, **kwargs):
    client = netkit.start("sse", url, "-v", *args, **kwargs)
    client.err.expect(rb"connected\n")
    return client


ENOUGH = "0 the server answered 204, or --count or --until was reached"


@PAGE.way(ENOUGH, "read")
def no_content(netkit):
    return read(netkit, answer("204 No Content"))


@PAGE.way(ENOUGH, "read")
def count_is_reached(netkit):
    return read(netkit, hold(STREAM + events(1, 2)), args=["-c", "2"])


@PAGE.way(ENOUGH, "read")
def until_is_reached(netkit):
    return read(netkit, hold(STREAM + events(1, 2)), args=["--until", "event 2"])


@PAGE.told("0 ended by INT or TERM", "read")
def reader(netkit, held):
    return reading(netkit, held.url)


LOST = "69 the stream was lost, and --reconnect allows no further try"


@PAGE.way(LOST, "read")
def refused(netkit):
    return netkit.run("sse", f"http://127.0.0.1:{free_port()}/", "--reconnect", "never")


@PAGE.way(LOST, "read")
def closed(netkit):
    return read(netkit, STREAM + events(1), args=["--reconnect", "never"])


@PAGE.way(LOST, "read")
def closed_twice(netkit):
    return read(netkit, STREAM + events(1), STREAM + events(2), args=["--reconnect", "1", "--retry", "1ms"])


@PAGE.way(LOST, "read")
def unavailable(netkit):
    return read(netkit, answer("503 Service Unavailable"), args=["--reconnect", "never"])


@PAGE.way(LOST, "read")
def idle(netkit):
    return read(netkit, hold(STREAM), args=["--reconnect", "never", "--idle-timeout", "50ms"])


@PAGE.way("74 output or file error", "read")
def no_body_file(netkit, tmp_path):
    return netkit.run("sse", "http://127.0.0.1:9/", "--data", f"@{tmp_path}/nothing")


@PAGE.way("74 output or file error", "read")
def no_state_file(netkit, tmp_path):
    return read(netkit, hold(STREAM + events(1)), args=["-c", "1", "--state", f"{tmp_path}/no/state"])


@PAGE.way("74 output or file error", "serve")
def no_source(netkit, tmp_path):
    return netkit.run("sse", "serve", "127.0.0.1:0", "--from", f"file:{tmp_path}/nothing")


NO_STREAM = "76 what came is no event stream, or over a limit"


@PAGE.way(NO_STREAM, "read")
def not_found(netkit):
    return read(netkit, answer("404 Not Found", b"no"))


@PAGE.way(NO_STREAM, "read")
def other_type(netkit):
    return read(netkit, answer("200 OK", b"<html>", Content_Type="text/html"))


@PAGE.way(NO_STREAM, "read")
def no_http(netkit):
    return read(netkit, b"* OK IMAP4rev1 ready\r\n")


@PAGE.way(NO_STREAM, "read")
def large_event(netkit):
    return read(netkit, hold(STREAM + b"data: " + b"x" * 2048 + b"\n\n"), args=["--max-event", "1k"])


@PAGE.way("76 a line of a source is longer than --max-line", "serve")
def long_line(netkit):
    return netkit.run("sse", "serve", "127.0.0.1:0", stdin=LONG_LINE)


UNTRUSTED = "77 the server's certificate is not to be trusted, or the server does not take that of this client"


@PAGE.way(UNTRUSTED, "read")
def untrusted_server(netkit, family):
    server = netkit.serve("sse", "serve", "127.0.0.1:0", "--cert", family / "server.pem", "--key", family / "server.key")
    return netkit.run("sse", f"https://{server.address}/")


@PAGE.way(UNTRUSTED, "read")
def untrusted_client(netkit, family):
    server = netkit.start(argv=["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", "server.pem", "-key", "server.key",
                                "-CAfile", "ca.pem", "-Verify", "1", "-verify_return_error", "-naccept", "1"], cwd=family)
    port = int(server.out.expect(rb"ACCEPT 127\.0\.0\.1:(\d+)").group(1))
    return netkit.run("sse", f"https://127.0.0.1:{port}/", "--cacert", family / "ca.pem", "--cert",
                      family / "stranger.pem", "--key", family / "stranger.key")


@PAGE.way("77 a SOCKS proxy forbids it, or does not take the login", "read")
def forbidden_by_proxy(netkit):
    with Socks(reply=NOT_ALLOWED) as proxy:
        return read(netkit, hold(STREAM), args=["--proxy", f"socks5h://{proxy.address}"])


@PAGE.way("77 a SOCKS proxy forbids it, or does not take the login", "read")
def login_refused(netkit):
    with Socks(login=("ann", "s3cret")) as proxy:
        return read(netkit, hold(STREAM), args=["--proxy", f"socks5h://{proxy.address}"])


@PAGE.way("77 a file may not be read", "read")
def forbidden_secret(netkit, tmp_path):
    (tmp_path / "secret").touch(mode=0)
    return netkit.run(argv=[*AS_OTHERS, netkit_path(), "sse", "http://127.0.0.1:9/", "--bearer-file", tmp_path / "secret"])


@PAGE.way("77 a file may not be read", "serve")
def forbidden_source(netkit, tmp_path):
    (tmp_path / "source").touch(mode=0)
    return netkit.run(argv=[*AS_OTHERS, netkit_path(), "sse", "serve", "127.0.0.1:0", "--from", f"file:{tmp_path}/source"])


NONE = "78 the file of --state is none, or the environment names no proxy"


@PAGE.way(NONE, "read")
def no_state(netkit, tmp_path):
    (tmp_path / "state").write_text("one\ntwo\n")
    return netkit.run("sse", "http://127.0.0.1:9/", "--state", tmp_path / "state")


@PAGE.way(NONE, "read")
def no_proxy_of_the_environment(netkit):
    return netkit.run("sse", "http://127.0.0.1:9/", env={"http_proxy": "ftp://127.0.0.1"})


NO_USE = "78 a certificate, key or secret in a file is of no use"


@PAGE.way(NO_USE, "read")
def two_secrets(netkit, tmp_path):
    (tmp_path / "secret").write_text("one\ntwo\n")
    return netkit.run("sse", "http://127.0.0.1:9/", "--bearer-file", tmp_path / "secret")


@PAGE.way(NO_USE, "read")
def other_key(netkit, family):
    with Server(hold(STREAM)) as server:
        return netkit.run("sse", server.url.replace("http:", "https:"), "--cert", family / "ann.pem", "--key",
                          family / "stranger.key")


@PAGE.way(NO_USE, "serve")
def no_certificate(netkit, tmp_path):
    (tmp_path / "file").write_text("no certificate\n")
    return netkit.run("sse", "serve", "127.0.0.1:0", "--cert", tmp_path / "file", "--key", tmp_path / "file")


@PAGE.way("128+n ended at once by a second signal", "read")
def by_two(netkit, full_pipe):
    with Server(hold(STREAM)) as server:
        return by_second_signal(reading(netkit, server.url, "--json", stdout=full_pipe))


@PAGE.cases()
def test_every_status_of_the_page(request, case):
    case.check(request)


def test_of_several_urls_the_first_that_failed_counts(netkit):
    first_failed = threading.Event()

    def later(connection, _):
        assert first_failed.wait(DEADLINE)
        connection.send(answer("404 Not Found"))

    with Server(answer("503 Service Unavailable")) as first, Server(later) as second:
        client = netkit.start("sse", first.url, second.url, "--reconnect", "never")
        client.err.expect(rb"answered 503")
        first_failed.set()
        assert client.wait() == 69
        client.err.expect(rb"answered 404")
