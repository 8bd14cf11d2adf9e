"""netkit sse as the tool for the streams of HTTP APIs: parts of JSON, their ends, and how the events come."""

import json
import socket
import time

import pytest

from netkit import DEADLINE, tcp_connect
from sse_peer import ONE, Server, answer, head, hold, ok, read


def delta(text):
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}).encode() + b"\n\n"


COMPLETION = b"".join(map(delta, ["Hel", "lo,\n", "wörld\t\x1b[2J"])) + b'data: {"choices":[]}\n\ndata: [DONE]\n\n'
CONTENT = ("--select", "/choices/0/delta/content")


def test_a_completion_as_plain_text(netkit, tmp_path):
    (tmp_path / "req.json").write_text('{"stream":true}')
    with Server(ok(COMPLETION)) as server:
        done = read(netkit, server, "--json-body", f"@{tmp_path}/req.json", *CONTENT, "--join", "--done", "[DONE]")
    assert done.status == 0 and done.out == "Hello,\nwörld\t\\x1b[2J".encode() and done.err == b"", done
    assert server.requests[0].body == b'{"stream":true}'


def test_parts_are_records(netkit):
    with Server(hold(ok(COMPLETION))) as server:
        done = read(netkit, server, *CONTENT, "--select", "/choices/0/index", "--done", "[DONE]", "--json")
    assert [r["data"] for r in done.records[:-1]] == ["Hel\t0", "lo,\n\t0", "wörld\t\x1b[2J\t0"]
    assert done.records[-1]["events"] == 3 and done.records[-1]["unselected"] == 1


def test_a_pointer_that_is_none(netkit):
    done = netkit.run("sse", "http://127.0.0.1:9/", "--select", "choices")
    assert done.status == 2 and b"--select: 'choices' is not a JSON pointer (write /NAME/0/NAME)" in done.err


def test_join_is_of_events_without_select_and_with_a_template(netkit):
    for args, out in (((), b"oneone"), (("--template", "<{text}>"), b"<one><one>")):
        with Server(ok(ONE + ONE)) as server:
            done = read(netkit, server, "--join", "-c", "2", *args)
        assert done.status == 0 and done.out == out, done


def test_done_counts_whole_data_alone(netkit):
    with Server(hold(ok(b"data: not done\n\ndata: done\n\n" + ONE))) as server:
        done = read(netkit, server, "--done", "done")
    assert done.status == 0 and done.out == b"not done\n"


@pytest.mark.parametrize("media_type, body", [
    ("application/x-ndjson", b'{"a":1}\n\n{"a":2}\r\n{"a":3}'),
    ("application/jsonl; charset=utf-8", b'{"a":1}\n{"a":2}\n{"a":3}\n'),
    ("application/json-seq", b'\x1e{"a":\n1}\n\x1e{"a":2}\n\x1e{"cut\x1e{"a":3}\n'),
])
def test_json_texts_are_events(netkit, media_type, body):
    with Server(head(Content_Type=media_type) + body) as server:
        done = read(netkit, server, "-X", "POST", "--select", "/a")
    assert done.status == 0 and done.out == b"1\n2\n3\n", done


def test_what_calls_itself_json_is_read_by_lines_with_any_type(netkit):
    watch = b'{"type":"ADDED","object":{"metadata":{"name":"web-1"}}}\n{"type":"DELETED","object":{"metadata":{"name":"web-2"}}}\n'
    with Server(head(Content_Type="application/json") + watch) as server:
        done = read(netkit, server, "--any-type", "--select", "/type", "--select", "/object/metadata/name", "-c", "2")
    assert done.status == 0 and done.out == b"ADDED\tweb-1\nDELETED\tweb-2\n", done


def test_a_json_text_that_is_cut_off_is_said(netkit):
    with Server(head(Content_Type="application/jsonl", Content_Length=100) + b'{"a":1}\n{"a":') as server:
        done = read(netkit, server, "--reconnect", "never")
    assert done.status == 69 and done.out == b'{"a":1}\n' and b"in the middle of an event" in done.err


def test_a_json_text_has_a_limit(netkit):
    with Server(head(Content_Type="application/jsonl") + b"1" * 5000) as server:
        done = read(netkit, server, "--max-event", "4k")
    assert done.status == 76 and b"(--max-event)" in done.err


@pytest.mark.realtime
def test_what_is_held_back_is_said(netkit):
    def step(connection, _):
        connection.send(ok(b""))
        for _ in range(2):
            time.sleep(0.7)  # what the thing on the way waits for
            connection.send(ONE * 200)
    with Server(step) as server:
        done = read(netkit, server, "-c", "400", "--json")
    assert done.status == 0
    assert b": 400 events came in 2 reads: something on the path buffers them\n" in done.err, done.err
    end = done.records[-1]
    assert end["reads"] == 2 and end["first_event_ms"] >= 700 and end["gap_max_ms"] >= 600 and end["gap_p50_ms"] == 0


def test_what_was_not_measured_is_null(netkit):
    with Server(answer("204 No Content")) as server:
        done = read(netkit, server, "--json")
    end = done.records[-1]
    assert end["reads"] == 0 and {end[k] for k in ("first_event_ms", "gap_p50_ms", "gap_max_ms", "event_rate")} == {None}


@pytest.mark.parametrize("words", [("bench", "{}", "--readers", "1", "--duration", "1h"), ("proxy", "127.0.0.1:0", "{}")],
                         ids=lambda words: words[0])
def test_a_stream_is_asked_for_from_where_it_is_told(netkit, words):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = "http://127.0.0.1:%d/" % server.getsockname()[1]
        client = netkit.start("sse", *[word.format(url) for word in words], "--bind", "127.0.0.9")
        if words[0] == "proxy":
            address = client.err.expect(rb"listening on tcp (\S+)\n").group(1).decode()
            reader = tcp_connect(address)
            reader.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        server.settimeout(DEADLINE)
        connection, source = server.accept()
        assert source[0] == "127.0.0.9"
        connection.close()
    done = netkit.run("sse", *[word.format(url) for word in words], "--bind", "127.0.0.9", "-6")
    assert done.status == 2 and b"--bind: '127.0.0.9' is not an IPv6 (-6) address" in done.err


def test_a_last_text_without_an_end_counts_as_the_others(netkit):
    with Server(head(Content_Type="application/jsonl", Content_Length=7) + b'{"a":1}') as server:
        done = read(netkit, server, "-c", "1", "--json")
    end = done.records[-1]
    assert done.status == 0 and (end["events"], end["reads"]) == (1, 1) and end["first_event_ms"] is not None, done
    assert b"closed" not in done.err and b"retrying" not in done.err
