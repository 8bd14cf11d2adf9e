"""Every exit status of netkit-sse(1), brought about, but for those of test_exit_common.py."""

import functools
import signal
import threading

import pytest

import exit_status
from exit_ways import AS_OTHERS, LONG_LINE, TOLD, by_second_signal, full_pipe  # noqa: F401
from netkit import DEADLINE, netkit_path
from socks import NOT_ALLOWED, Socks
from sse_peer import Server, answer, events, free_port, head, hold

ends = functools.partial(exit_status.ends, "sse")

STREAM = head(Content_Type="text/event-stream")


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
    client.err.expect(rb"connected to ")
    return client


ENOUGH = "0 the server answered 204, or --count or --until was reached"


@ends(ENOUGH, "read")
def test_no_content(netkit):
    return read(netkit, answer("204 No Content"))


@ends(ENOUGH, "read")
def test_count_is_reached(netkit):
    return read(netkit, hold(STREAM + events(1, 2)), args=["-c", "2"])


@ends(ENOUGH, "read")
def test_until_is_reached(netkit):
    return read(netkit, hold(STREAM + events(1, 2)), args=["--until", "event 2"])


@TOLD
@ends("0 ended by INT or TERM", "read")
def test_reader(netkit, held, signo):
    reader = reading(netkit, held.url)
    reader.signal(signo)
    return reader


LOST = "69 the stream was lost, and --reconnect allows no further attempt"


@ends(LOST, "read")
def test_refused(netkit):
    return netkit.run("sse", f"http://127.0.0.1:{free_port()}/", "--reconnect", "never")


@ends(LOST, "read")
def test_closed(netkit):
    return read(netkit, STREAM + events(1), args=["--reconnect", "never"])


@ends(LOST, "read")
def test_closed_twice(netkit):
    return read(netkit, STREAM + events(1), STREAM + events(2), args=["--reconnect", "1", "--retry", "1ms"])


@ends(LOST, "read")
def test_unavailable(netkit):
    return read(netkit, answer("503 Service Unavailable"), args=["--reconnect", "never"])


@ends(LOST, "read")
def test_idle(netkit):
    return read(netkit, hold(STREAM), args=["--reconnect", "never", "--idle-timeout", "50ms"])


@ends("1 a threshold was missed, or no event came", "bench")
def test_silent_server(netkit, held):
    return netkit.run("sse", "bench", held.url, "--readers", "1", "--duration", "100ms")


@ends("74 output or file error", "read")
def test_no_body_file(netkit, tmp_path):
    return netkit.run("sse", "http://127.0.0.1:9/", "--data", f"@{tmp_path}/nothing")


@ends("74 output or file error", "read")
def test_no_state_file(netkit, tmp_path):
    return read(netkit, hold(STREAM + events(1)), args=["-c", "1", "--state", f"{tmp_path}/no/state"])


@ends("74 output or file error", "serve")
def test_no_source(netkit, tmp_path):
    return netkit.run("sse", "serve", "127.0.0.1:0", "--from", f"file:{tmp_path}/nothing")


NO_STREAM = "76 the response is not an event stream, or exceeds a limit"


@ends(NO_STREAM, "read")
def test_not_found(netkit):
    return read(netkit, answer("404 Not Found", b"no"))


@ends(NO_STREAM, "read")
def test_other_type(netkit):
    return read(netkit, answer("200 OK", b"<html>", Content_Type="text/html"))


@ends(NO_STREAM, "read")
def test_no_http(netkit):
    return read(netkit, b"* OK IMAP4rev1 ready\r\n")


@ends(NO_STREAM, "read")
def test_large_event(netkit):
    return read(netkit, hold(STREAM + b"data: " + b"x" * 2048 + b"\n\n"), args=["--max-event", "1k"])


@ends("76 a line of a source is longer than --max-line", "serve")
def test_long_line(netkit):
    return netkit.run("sse", "serve", "127.0.0.1:0", stdin=LONG_LINE)


UNTRUSTED = "77 the server's certificate is not trusted, or the server rejects this client's"


@ends(UNTRUSTED, "read")
def test_untrusted_server(netkit, family):
    server = netkit.serve("sse", "serve", "127.0.0.1:0", "--cert", family / "server.pem", "--key", family / "server.key")
    return netkit.run("sse", f"https://{server.address}/")


@ends(UNTRUSTED, "read")
def test_untrusted_client(netkit, family):
    server = netkit.start(argv=["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", "server.pem", "-key", "server.key",
                                "-CAfile", "ca.pem", "-Verify", "1", "-verify_return_error", "-naccept", "1"], cwd=family)
    port = int(server.out.expect(rb"ACCEPT 127\.0\.0\.1:(\d+)").group(1))
    return netkit.run("sse", f"https://127.0.0.1:{port}/", "--cacert", family / "ca.pem", "--cert",
                      family / "stranger.pem", "--key", family / "stranger.key")


@ends("0 the response to a request that is sent only once is complete", "read")
def test_complete_answer(netkit):
    return read(netkit, STREAM + events(1), args=["-d", "{}"])


@ends("77 the server or the proxy rejects the login or requires one: 401, 403 or 407", "read")
def test_unauthorized(netkit):
    return read(netkit, answer("401 Unauthorized"))


@ends("77 a SOCKS proxy forbids it, or rejects the login", "read")
def test_forbidden_by_proxy(netkit):
    with Socks(reply=NOT_ALLOWED) as proxy:
        return read(netkit, hold(STREAM), args=["--proxy", f"socks5h://{proxy.address}"])


@ends("77 a SOCKS proxy forbids it, or rejects the login", "read")
def test_login_refused(netkit):
    with Socks(login=("ann", "s3cret")) as proxy:
        return read(netkit, hold(STREAM), args=["--proxy", f"socks5h://{proxy.address}"])


@ends("77 no permission to read a file", "read")
def test_forbidden_secret(netkit, tmp_path):
    (tmp_path / "secret").touch(mode=0)
    return netkit.run(argv=[*AS_OTHERS, netkit_path(), "sse", "http://127.0.0.1:9/", "--bearer-file", tmp_path / "secret"])


@ends("77 no permission to read a file", "serve")
def test_forbidden_source(netkit, tmp_path):
    (tmp_path / "source").touch(mode=0)
    return netkit.run(argv=[*AS_OTHERS, netkit_path(), "sse", "serve", "127.0.0.1:0", "--from", f"file:{tmp_path}/source"])


NONE = "78 the file of --state or a proxy in the environment is invalid"


@ends(NONE, "read")
def test_no_state(netkit, tmp_path):
    (tmp_path / "state").write_text("one\ntwo\n")
    return netkit.run("sse", "http://127.0.0.1:9/", "--state", tmp_path / "state")


@ends(NONE, "read")
def test_no_proxy_of_the_environment(netkit):
    return netkit.run("sse", "http://127.0.0.1:9/", env={"http_proxy": "ftp://127.0.0.1"})


NO_USE = "78 a certificate, key or secret in a file is invalid"


@ends(NO_USE, "read")
def test_two_secrets(netkit, tmp_path):
    (tmp_path / "secret").write_text("one\ntwo\n")
    return netkit.run("sse", "http://127.0.0.1:9/", "--bearer-file", tmp_path / "secret")


@ends(NO_USE, "read")
def test_other_key(netkit, family):
    with Server(hold(STREAM)) as server:
        return netkit.run("sse", server.url.replace("http:", "https:"), "--cert", family / "ann.pem", "--key",
                          family / "stranger.key")


@ends(NO_USE, "serve")
def test_no_certificate(netkit, tmp_path):
    (tmp_path / "file").write_text("no certificate\n")
    return netkit.run("sse", "serve", "127.0.0.1:0", "--cert", tmp_path / "file", "--key", tmp_path / "file")


BOUNDED = [["--count", "9"], ["--until", "end"], ["--done", "end"], ["--data", "x"], ["--json-body", "{}"]]


@pytest.mark.parametrize("words", BOUNDED, ids=lambda words: words[0])
@ends("128+n ended by signal n before what it was to wait for had arrived", "read")
def test_reader_cut_short(netkit, held, words):
    reader = reading(netkit, held.url, *words)
    reader.signal(signal.SIGINT)
    return reader, signal.SIGINT


@ends("128+n ended at once by a second signal", "read")
def test_by_two(netkit, full_pipe):
    with Server(hold(STREAM)) as server:
        return by_second_signal(reading(netkit, server.url, "--json", stdout=full_pipe))


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
