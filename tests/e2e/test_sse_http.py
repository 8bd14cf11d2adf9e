"""netkit sse against scripted servers: HTTP, reconnection and limits, a case a line."""

import gzip
import json
import re
import signal
import socket
import threading
import time
import zlib

import pytest

from sse_peer import ONE, QUICK, TEXT, Server, answer, events, head, hold, ok, read


def chunked(*pieces):
    return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"


# What one answer gives with `--reconnect never`: name, answer, arguments, status, stdout, a pattern of stderr.
ANSWERS = [
    ("a_stream", ok(ONE), (), 69, b"one\n", rb"the server closed the stream"),
    ("with_a_length", ok(ONE, Content_Length=len(ONE)), (), 69, b"one\n", rb"closed the stream"),
    ("chunked", ok(chunked(b"da", b"ta: one\n", b"\n"), Transfer_Encoding="chunked"), (), 69, b"one\n", rb"closed"),
    ("http_1_0", b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + ONE, (), 69, b"one\n", rb"closed"),
    ("gzip", ok(gzip.compress(ONE), Content_Encoding="gzip"), (), 69, b"one\n", rb"closed"),
    ("deflate", ok(zlib.compress(ONE), Content_Encoding="deflate"), (), 69, b"one\n", rb"closed"),
    ("media_type_with_parameters", head(Content_Type="Text/Event-Stream; charset=utf-8") + ONE, (), 69, b"one\n",
     rb"closed"),
    ("media_types_in_a_list", head(Content_Type="text/plain, text/event-stream") + ONE, (), 69, b"one\n", rb"closed"),
    ("continue_first", b"HTTP/1.1 100 Continue\r\n\r\n" + ok(ONE), (), 69, b"one\n", rb"closed"),
    ("early_hints_first", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + ok(ONE), (), 69, b"one\n", rb"closed"),
    ("an_unfinished_event", ok(b"data: one\n\ndata: two\n"), (), 69, b"one\n",
     rb"the server closed the stream, in the middle of an event\n"),
    ("an_unfinished_line", ok(b"data: one\n\ndata: tw"), (), 69, b"one\n", rb"in the middle of an event\n"),
    ("a_finished_id", ok(b"data: one\n\nid: 5\n"), (), 69, b"one\n", rb"closed the stream\n"),
    ("any_type", answer("200 OK", ONE, Content_Type="text/plain"), ("--any-type",), 69, b"one\n", rb"closed the stream\n"),
    ("no_type_at_all", answer("200 OK", ONE), ("--any-type",), 69, b"one\n", rb"closed the stream\n"),
    ("any_type_is_not_any_status", answer("404 Not Found", ONE, Content_Type=TEXT), ("--any-type",), 76, b"", rb"404"),
    ("a_body_cut_short", ok(ONE, Content_Length=100), (), 69, b"one\n", rb"aborted"),
    ("no_body_of_head", ok(b"", Content_Length=100), ("-X", "HEAD"), 69, b"", rb"closed the stream\n"),
    ("a_chunk_cut_short", ok(b"64\r\n" + ONE, Transfer_Encoding="chunked"), (), 69, b"one\n", rb"aborted"),
    ("bad_chunks", ok(b"zz\r\n" + ONE, Transfer_Encoding="chunked"), (), 69, b"", rb"lost"),
    ("more_after_gzip", ok(gzip.compress(ONE) + b"x" * 20, Content_Encoding="gzip"), (), 69, b"one\n",
     rb"the rest of the response cannot be decompressed"),
    ("bad_gzip", ok(b"\x00" * 64, Content_Encoding="gzip"), (), 76, b"", rb"."),
    ("an_encoding_of_nobody", ok(ONE, Content_Encoding="zork"), (), 76, b"", rb"the response cannot be decompressed: "),
    ("no_content", answer("204 No Content"), (), 0, b"", rb"^$"),
    ("not_found", answer("404 Not Found", b"<h1>gone</h1>", Content_Type="text/html"), (), 76, b"",
     rb"answered 404 with text/html: <h1>gone</h1>"),
    ("unauthorized", answer("401 Unauthorized", b"log in"), (), 77, b"",
     rb"answered 401 without a media type: log in; log in with --user and --password-file, or with --bearer-file"),
    ("forbidden", answer("403 Forbidden"), (), 77, b"", rb"answered 403 .*--bearer-file"),
    ("a_proxy_that_wants_a_login", answer("407 Proxy Authentication Required"), (), 77, b"", rb"407 .*NETKIT_SSE_PROXY="),
    ("an_endless_line_of_a_head", b"HTTP/1.1 200 OK\r\nX: " + b"x" * (1 << 20), (), 76, b"", rb"a header line of the response"),
    ("another_2xx", answer("201 Created", ONE, Content_Type=TEXT), (), 76, b"", rb"answered 201"),
    ("partial_content", answer("206 Partial Content", ONE, Content_Type=TEXT), (), 76, b"", rb"answered 206"),
    ("another_media_type", answer("200 OK", b"{}", Content_Type="application/json"), (), 76, b"",
     rb"application/json instead of text/event-stream: \{\}"),
    ("no_media_type", answer("200 OK", ONE), (), 76, b"", rb"without a media type instead"),
    ("almost_the_media_type", answer("200 OK", ONE, Content_Type="text/event-streams"), (), 76, b"", rb"instead of"),
    ("escapes_in_the_body", answer("404 Not Found", b"\x1b]0;x\x07\xff"), (), 76, b"", rb"\\x1b\]0;x\\x07\\xff"),
    ("unavailable", answer("503 Service Unavailable", b"later"), (), 69, b"", rb"answered 503 without a media type"),
    ("too_many_requests", answer("429 Too Many Requests"), (), 69, b"", rb"answered 429"),
    ("nothing", b"", (), 69, b"", rb"without a response"),
    ("no_http", b"220 mail.example ESMTP\r\n", (), 76, b"", rb"the server does not speak HTTP: "),
    ("another_protocol", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", (), 76, b"", rb"answered 101"),
    ("half_a_head", b"HTTP/1.1 200 OK\r\nContent-Ty", (), 69, b"", rb"."),
    ("an_endless_head", b"HTTP/1.1 200 OK\r\n" + b"X: %s\r\n" % (b"x" * 1000) * 400, (), 76, b"", rb"larger than 256k"),
    ("a_redirect_to_a_file", answer("302 Found", Location="file:///etc/passwd"), (), 76, b"", rb"neither http nor https"),
    ("a_redirect_without_target", answer("302 Found"), (), 76, b"", rb"answered 302"),
    ("not_modified", answer("304 Not Modified"), (), 76, b"", rb"answered 304"),
    ("an_event_that_is_too_large", ok(b"data: " + b"x" * 5000 + b"\n\n"), ("--max-event", "4k"), 76, b"",
     rb"4k \(--max-event\)"),
    ("a_line_that_is_too_large", ok(ONE + b": " + b"x" * 5000), ("--max-event", "4k"), 76, b"one\n", rb"\(--max-event\)"),
    ("many_lines_that_are_too_large", ok(b"data: x\n" * 5000), ("--max-event", "4k"), 76, b"", rb"\(--max-event\)"),
    ("a_filter", ok(b"event: a\ndata: 1\n\nevent: b\ndata: 2\n\ndata: 3\n\n"), ("--event", "b"), 69, b"2\n", rb"closed"),
    ("two_filters", ok(b"event: a\ndata: 1\n\nevent: b\ndata: 2\n\ndata: 3\n\n"), ("-e", "b", "-e", "message"), 69,
     b"2\n3\n", rb"closed"),
    ("comments", ok(b": hello\n" + ONE), ("--comments",), 69, b": hello\none\n", rb"closed"),
    ("lines", ok(b"data: a\ndata: b\n\n"), (), 69, b"a\nb\n", rb"closed"),
    ("raw", ok(b"data: a\ndata: b\n\n" + ONE), ("--raw",), 69, b"a\nbone", rb"closed"),
    ("a_template", ok(b"id: 7\nevent: t\n" + ONE), ("--template", "{id} {event} {text}"), 69, b"7 t one\n", rb"closed"),
    ("escapes_in_data", ok(b"data: \x1b[2J\n\n"), (), 69, b"\\x1b[2J\n", rb"closed"),
    ("a_count", ok(events(1, 2, 3)), ("-c", "2"), 0, b"event 1\nevent 2\n", rb"^$"),
    ("until", ok(events(1, 2, 3)), ("--until", "t [2]$"), 0, b"event 1\nevent 2\n", rb"^$"),
    ("until_in_a_later_line", ok(b"data: a\ndata: b\n\n" + ONE), ("--until", "b"), 0, b"a\nb\n", rb"^$"),
    ("until_anchored", ok(b"data: a\ndata: b\n\n" + b"data: b\n\n" + ONE), ("--until", "^b"), 0, b"a\nb\nb\n", rb"^$"),
    ("until_one_or_the_other", ok(events(1, 2, 3)), ("--until", "^x|2$|y"), 0, b"event 1\nevent 2\n", rb"^$"),
    ("trailers", ok(chunked(ONE)[:-2] + b"X-Sum: 1\r\nContent-Type: text/html\r\n\r\n", Transfer_Encoding="chunked",
                    Trailer="X-Sum"), (), 69, b"one\n", rb"closed"),
]


@pytest.mark.parametrize("raw, args, status, out, err", [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
def test_an_answer(netkit, raw, args, status, out, err):
    with Server(raw) as server:
        done = netkit.run("sse", server.url, "--reconnect", "never", *args)
    assert (done.status, done.out) == (status, out), done
    assert re.search(err, done.err), done
    assert done.err.count(b"\n") == (0 if err == rb"^$" else 1)


def test_a_transfer_coding_that_was_not_asked_for(netkit):
    """Older libcurl undo it, newer ones refuse it: netkit does as the curl of this system."""
    with Server(ok(gzip.compress(ONE), Transfer_Encoding="gzip"), ok(gzip.compress(ONE), Transfer_Encoding="gzip")) as server:
        undone = netkit.run(argv=["curl", "-sN", server.url]).out == ONE
        done = netkit.run("sse", server.url, "--reconnect", "never")
    assert (done.status, done.out) == ((69, b"one\n") if undone else (76, b"")), done
    assert re.search(rb"closed" if undone else rb"cannot be decompressed", done.err), done


def test_what_is_asked(netkit):
    with Server(ok(ONE)) as server:
        read(netkit, server, "-c", "1")
    request = server.requests[0]
    assert (request.method, request.target) == ("GET", "/events")
    assert request.headers["accept"] == TEXT and request.headers["cache-control"] == "no-cache"
    assert "last-event-id" not in request.headers and "gzip" in request.headers["accept-encoding"]


def test_headers_of_the_user_replace_ours(netkit):
    with Server(ok(ONE)) as server:
        read(netkit, server, "-c", "1", "-H", "accept: x/y", "-H", "X-Key: a: b")
    assert server.requests[0].headers["accept"] == "x/y" and server.requests[0].headers["x-key"] == "a: b"
    assert server.requests[0].raw.lower().count(b"accept:") == 1


def test_a_body_is_posted(netkit, tmp_path):
    (tmp_path / "body").write_bytes(b'{"a":1}\n')
    with Server(ok(ONE), ok(ONE)) as server:
        for data in (f"@{tmp_path}/body", "x=1"):
            read(netkit, server, "-c", "1", "--data", data)
    assert [(r.method, r.body) for r in server.requests] == [("POST", b'{"a":1}\n'), ("POST", b"x=1")]


def test_a_json_body_is_posted(netkit, tmp_path):
    (tmp_path / "body").write_bytes(b'{"a":1}\n')
    with Server(ok(ONE), ok(ONE)) as server:
        read(netkit, server, "-c", "1", "--json-body", f"@{tmp_path}/body")
        read(netkit, server, "-c", "1", "--json-body", "{}", "-H", "content-type: application/merge-patch+json")
    assert [(r.method, r.body) for r in server.requests] == [("POST", b'{"a":1}\n'), ("POST", b"{}")]
    types = [r.headers["content-type"] for r in server.requests]
    assert types == ["application/json", "application/merge-patch+json"]


# What a POST ends with, and how often it was made: name, the answers, arguments.
ONCE = [
    ("a_close", [ok(ONE)], (), 0, 1),
    ("a_length", [ok(ONE, Content_Length=len(ONE))], (), 0, 1),
    ("the_last_chunk", [ok(chunked(ONE), Transfer_Encoding="chunked")], (), 0, 1),
    ("complete_with_reconnect", [ok(ONE)], ("--reconnect", "3"), 0, 1),
    ("cut", [ok(ONE, Content_Length=100)], ("--reconnect", "3"), 69, 1),
    ("a_chunk_cut", [ok(b"64\r\n" + ONE, Transfer_Encoding="chunked")], (), 69, 1),
    ("no_answer", [b""], ("--reconnect", "3"), 69, 1),
    ("server_error", [answer("500 Oops")], ("--reconnect", "3"), 69, 1),
    ("busy", [answer("503 Busy")], (), 69, 1),
    ("busy_with_reconnect", [answer("503 Busy"), ok(ONE)], ("--reconnect", "3"), 0, 2),
]


@pytest.mark.parametrize("steps, args, status, made", [case[1:] for case in ONCE], ids=[case[0] for case in ONCE])
def test_what_must_not_be_asked_for_twice(netkit, steps, args, status, made):
    with Server(*steps, ok(ONE)) as server:
        done = read(netkit, server, "--data", "{}", *args)
    assert (done.status, len(server.requests)) == (status, made), done
    assert (done.err == b"") == (status == 0 and made == 1)


def test_a_post_goes_over_no_connection_that_may_be_dead(netkit):
    """What is sent over one that was used before and gets no answer is sent again by libcurl."""
    def busy(connection, _):
        connection.send(head("503 Busy", Content_Length=0))
        connection.sock.settimeout(1)  # nothing is to come
        server.requests.append(connection.request())
    with Server(busy, ok(ONE), ok(ONE)) as server:
        done = read(netkit, server, "--data", "{}", "--reconnect", "3")
    assert done.status == 0 and len(server.requests) == 2, (done, server.requests)


def test_a_post_that_was_refused_is_tried_again(netkit):
    """Nothing of it has gone out."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    client = netkit.start("sse", f"http://127.0.0.1:{port}/", *QUICK, "-d", "{}", "--reconnect", "forever")
    client.err.expect(rb"connection refused; trying again")
    with socket.create_server(("127.0.0.1", port)) as listener:
        sock, _ = listener.accept()
        with sock:
            assert sock.recv(65536).startswith(b"POST /")
            sock.sendall(ok(ONE))
        assert client.wait() == 0 and client.out.rest() == b"one\n"
    refused = netkit.run("sse", f"http://127.0.0.1:{port}/", "-d", "{}")
    assert refused.status == 69 and refused.err.count(b"\n") == 1


def test_an_event_that_is_cut_off_is_counted(netkit):
    with Server(ok(ONE + b"data: tw")) as server:
        done = read(netkit, server, "-d", "{}", "--json")
    assert done.status == 0 and done.records[-1]["unfinished"] == 1 and done.records[-1]["events"] == 1
    assert done.err == f"netkit: sse: {server.url}: the server closed the stream, in the middle of an event\n".encode()


@pytest.mark.parametrize("form", ["{port}", ":{port}", "{port}/events", ":{port}/events?x=1", "127.0.0.1:{port}/events"])
def test_a_port_is_one_of_this_machine(netkit, form):
    with Server(ok(ONE)) as server:
        done = netkit.run("sse", form.format(port=server.port), "-c", "1")
    assert done.status == 0 and done.out == b"one\n", done


def test_a_link_local_address_needs_its_interface(netkit):
    done = netkit.run("sse", "http://[fe80::1]:9/", "--timeout", "10s")
    assert done.status == 69 and b"(a link-local address needs its interface: write [fe80::1%25eth0])" in done.err, done


def test_no_secret_is_shown_at_any_level(netkit):
    with Server(ok(ONE, Set_Cookie="s3cret", X_Token="s3cret", X_Accel_Buffering="no")) as server:
        done = read(netkit, server, "-c", "1", "-vv", "-H", "x-api-key: s3cret", "-H", "Cookie: s3cret", "-H", "Accept: x/y")
    assert done.status == 0 and b"s3cret" not in done.err, done
    assert b"to server: x-api-key:\n" in done.err and b"to server: Accept: x/y\n" in done.err, done
    assert b"from server: X-Token:\n" in done.err and b"from server: X-Accel-Buffering: no\n" in done.err


def test_another_method(netkit):
    with Server(ok(ONE)) as server:
        read(netkit, server, "-c", "1", "-X", "M-SEARCH", "--data", "q")
    assert (server.requests[0].method, server.requests[0].body) == ("M-SEARCH", b"q")


def test_a_login(netkit, tmp_path):
    (tmp_path / "secret").write_text("s3cret\n")
    with Server(ok(ONE), ok(ONE)) as server:
        read(netkit, server, "-c", "1", "--user", "ann", "--password-file", tmp_path / "secret")
        read(netkit, server, "-c", "1", "--bearer-file", tmp_path / "secret")
    assert [r.headers["authorization"] for r in server.requests] == ["Basic YW5uOnMzY3JldA==", "Bearer s3cret"]


@pytest.mark.parametrize("broken", [answer("500 Oops"), answer("502 Bad"), answer("503 Busy"), answer("429 Slow"), b"",
                                    b"HTTP/1.1 200"])
def test_trouble_is_overcome(netkit, broken):
    with Server(broken, broken, ok(ONE)) as server:
        done = read(netkit, server, "-c", "1")
    assert done.status == 0 and done.out == b"one\n" and len(server.requests) == 3
    assert done.err.count(b"\n") == 2  # away, and back


def test_a_reset_is_overcome(netkit):
    def reset(connection, _):
        connection.send(ok(events(1)))
        seen.wait(20)
        connection.reset()
    seen = threading.Event()
    with Server(reset, ok(events(2))) as server:
        client = netkit.start("sse", server.url, *QUICK, "-c", "2")
        client.out.expect(rb"event 1\n")
        seen.set()
        assert client.wait() == 0
    assert server.requests[1].headers["last-event-id"] == "1"


def test_retry_of_the_server_is_honoured(netkit):
    with Server(ok(b"retry: 300\n\n" + ONE), ok(ONE)) as server:
        done = netkit.run("sse", server.url, "-c", "2")
    assert done.status == 0 and b"trying again in 300 ms" in done.err


@pytest.mark.parametrize("retry, wait", [(b"0", b"20 ms"), (b"99999999999", b"30 ms"), (b"1x", b"20 ms")])
def test_retry_is_clamped(netkit, retry, wait):
    with Server(ok(b"retry: " + retry + b"\n\n" + ONE), ok(ONE)) as server:
        done = netkit.run("sse", server.url, "-c", "2", "--retry", "20ms", "--reconnect-max", "30ms")
    assert done.status == 0 and b"trying again in " + wait in done.err


def test_reconnects_are_counted(netkit):
    with Server(answer("500 Oops"), repeat=True) as server:
        done = read(netkit, server, "--reconnect", "3")
    assert done.status == 69 and len(server.requests) == 4 and b"answered 500" in done.err


def test_no_server(netkit):
    with Server() as server:
        pass
    done = read(netkit, server, "--reconnect", "never")
    assert done.status == 69 and b"refused" in done.err


def test_a_name_that_does_not_exist(netkit):
    done = netkit.run("sse", "http://nowhere.invalid/")
    assert done.status == 68 and b"nowhere.invalid" in done.err


def test_no_content_ends_a_stream_that_was_open(netkit):
    with Server(ok(ONE), answer("204 No Content")) as server:
        done = read(netkit, server)
    assert done.status == 0 and done.out == b"one\n"


@pytest.mark.realtime
def test_silence_is_noticed(netkit):
    with Server(hold(ok(events(1))), ok(events(2))) as server:
        done = read(netkit, server, "-c", "2", "--idle-timeout", "200ms")
    assert done.status == 0 and b"nothing was received for 200ms (--idle-timeout)" in done.err
    assert server.requests[1].headers["last-event-id"] == "1"


@pytest.mark.realtime
def test_silence_before_the_head_is_noticed(netkit):
    with Server(hold(b""), ok(ONE)) as server:
        done = read(netkit, server, "-c", "1", "--idle-timeout", "200ms")
    assert done.status == 0 and b"--idle-timeout" in done.err


@pytest.mark.realtime
def test_comments_are_life(netkit):
    def step(connection, _):
        connection.send(ok(b""))
        for _ in range(8):
            time.sleep(0.1)
            connection.send(b":\n")
        connection.send(ONE)
    with Server(step) as server:
        done = read(netkit, server, "-c", "1", "--idle-timeout", "400ms")
    assert done.status == 0 and done.err == b""


def test_a_refused_answer_that_goes_silent(netkit):
    with Server(hold(head("404 Not Found", Content_Length=100) + b"gone")) as server:
        done = read(netkit, server, "--idle-timeout", "200ms", "--timeout", "10s")
    assert done.status == 76 and b"answered 404 without a media type: gone\n" in done.err, done


def test_a_refused_answer_without_end(netkit):
    def step(connection, _):
        connection.send(head("404 Not Found", Content_Type="text/html") + b"<p>")
        try:
            while True:
                connection.send(b"x" * 65536)
        except OSError:
            pass
    with Server(step) as server:
        done = read(netkit, server)
    assert done.status == 76 and len(done.err) < 500


def test_json(netkit):
    with Server(ok("id: 1\nevent: t\ndata: é\n\n".encode())) as server:
        done = read(netkit, server, "-c", "1", "--json")
    event, end = done.records
    assert list(event)[:3] == ["type", "time", "peer"] and event["type"] == "event"
    assert event["peer"] == f"{server.host}:{server.port}"
    assert (event["event"], event["data"], event["id"], event["url"]) == ("t", "é", "1", server.url)
    assert end["type"] == "end" and end["ok"] and end["events"] == 1


def test_several_urls_are_merged(netkit):
    with Server(hold(ok(events(1)))) as one, Server(hold(ok(events(2)))) as two:
        done = netkit.run("sse", one.url, two.url, "-c", "2", "--json")
    assert done.status == 0
    assert {(r["id"], r["url"]) for r in done.records[:-1]} == {("1", one.url), ("2", two.url)}


def test_one_of_several_fails(netkit):
    with Server(hold(ok(events(1)))) as good, Server(answer("404 Not Found")) as bad:
        client = netkit.start("sse", good.url, bad.url)
        client.err.expect(re.escape(bad.url).encode() + rb": the server answered 404")
        client.out.expect(rb"event 1\n")
        assert client.stop() == 0


def test_the_end_of_all_is_the_first_failure(netkit):
    with Server(answer("404 Not Found")) as bad, Server(answer("204 No Content")) as empty:
        done = netkit.run("sse", bad.url, empty.url, "--json")
    assert done.status == 76 and done.records[-1]["error"] == (
        f"1 of 2 streams failed, first {bad.url}: the server answered 404 without a media type"), done


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_its_end(netkit, number):
    with Server(hold(ok(ONE))) as server:
        client = netkit.start("sse", server.url)
        client.out.expect(rb"one\n")
        assert client.stop(number) == 0
        assert b"events 1" in client.err.rest()


def test_ipv6(netkit):
    with Server(ok(ONE), family=socket.AF_INET6) as server:
        assert read(netkit, server, "-c", "1").out == b"one\n"


def test_a_proxy_from_the_environment_and_the_option(netkit):
    with Server(ok(ONE), ok(ONE)) as proxy:
        url = f"http://127.0.0.1:{proxy.port}"
        done = netkit.run("sse", "http://far.invalid/e", "-c", "1", env={"http_proxy": url})
        assert done.out == b"one\n"
        assert netkit.run("sse", "http://far.invalid/e", "-c", "1", "--proxy", url).out == b"one\n"
    assert [r.target for r in proxy.requests] == ["http://far.invalid/e"] * 2


@pytest.mark.parametrize("args, word", [
    (("ftp://x/",), b"http://HOST/PATH"),
    (("http://ann:secret@x/",), b"--password-file"),
    (("http:/x",), b"http://HOST/PATH"),
    (("http://8000/",), b"write http://127.0.0.1:8000"),
    (("https://8000",), b"write http://127.0.0.1:8000"),
    (("http://x/", "--data", "a", "--json-body", "b"), b"--json-body"),
    (("/events",), b"http://HOST/PATH"),
    (("http://x/", "-H", "X Key: 1"), b"'Name: value'"),
    (("http://x/", "-X", "GE T"), b"'GE T' is not a method"),
    (("http://x/", "--event", ""), b"--event"),
    (("http://x/", "-H", "none"), b"'Name: value'"),
    (("http://x/", "-H", "a: b\r\nc: d"), b"'Name: value'"),
    (("http://x/", "--user", "ann"), b"--password-file"),
    (("http://x/", "--cert", "c"), b"--key"),
    (("http://x/", "--until", "("), b"--until"),
    (("http://x/", "--until", "(a)\\1"), b"back-reference"),
    (("http://x/", "http://x/"), b"twice"),
    (("serv",), b"unknown action 'serv'; did you mean 'serve'?"),
    (("http://x/", "--proxy", "ftp://x"), b"'ftp://x' is not a proxy (write http://HOST:PORT"),
    (("http://x/", "--proxy", "http://ann:secret@x"), b"NETKIT_SSE_PROXY"),
    (("http://x/", "--idle-timeout", "0"), b"--idle-timeout"),
])
def test_usage(netkit, args, word):
    done = netkit.run("sse", *args)
    assert done.status == 2 and word in done.err and done.out == b""


@pytest.mark.parametrize("args", [
    ("ftp://ann:s3cret@x/",), ("http://ann:s3cret@a b/",), ("http://ann:s3cret@x:y/",),
    ("http://x/", "--proxy", "ftp://ann:s3cret@x"), ("http://x/", "--proxy", "http://ann:s3cret@x:y"),
])
def test_a_password_is_not_shown(netkit, args):
    done = netkit.run("sse", *args)
    assert done.status == 2 and b"s3cret" not in done.err and done.err.count(b"\n") == 1, done


def test_a_body_from_stdin(netkit):
    with Server(ok(ONE)) as server:
        assert read(netkit, server, "-c", "1", "--data", "@-", stdin=b'{"a":1}\n').status == 0
    assert server.requests[0].body == b'{"a":1}\n'


def test_json_of_bytes_that_are_not_utf8(netkit):
    with Server(ok(b"data: \xff\n\n")) as server:
        done = read(netkit, server, "-c", "1", "--json")
    assert json.loads(done.lines[0])["data"] == "\ufffd"


def test_a_unix_socket(netkit, tmp_path):
    path = str(tmp_path / "socket")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()

    def serve():
        peer, _ = listener.accept()
        with peer:
            peer.recv(65536)
            peer.sendall(ok(ONE))
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listener:
        assert netkit.run("sse", "http://any.invalid/e", "--unix-socket", path, "-c", "1").out == b"one\n"
        thread.join(20)


def test_a_secret_that_is_none(netkit, tmp_path):
    (tmp_path / "secret").write_text("\n")
    done = netkit.run("sse", "http://127.0.0.1:1/", "--bearer-file", tmp_path / "secret")
    assert done.status == 78 and b"--bearer-file" in done.err
    assert netkit.run("sse", "http://127.0.0.1:1/", "--bearer-file", tmp_path / "none").status == 74
