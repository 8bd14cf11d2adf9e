"""Clients of the APIs of language models from npm read what was recorded, with every fault; and netkit sse reads such APIs."""

import os

import pytest

from completion_api import ANTHROPIC, CHAT, MESSAGES, OPENAI, STREAMS, TEXT
from npm_peers import npm_modules
from sse_peer import Server, events, ok, read

SDKS = {"openai": OPENAI, "anthropic": ANTHROPIC}
EVENT_SOURCE = """
const {EventSource} = require('eventsource');
const source = new EventSource(process.argv[1]);
source.onmessage = (e) => console.log(`${e.lastEventId} ${e.data}`);
"""


@pytest.fixture
def node(netkit):
    """Starts a program for node with the modules from npm."""
    modules = npm_modules(os.environ["NETKIT_BUILD"])
    return lambda *words: netkit.start(argv=["node", "-e", *words], env={"NODE_PATH": modules})


def record(netkit, streams, file):
    for path, body in streams.items():
        with Server(ok(body)) as server:
            done = netkit.run("sse", server.url.replace("/events", path), "-X", "POST", "--record", file)
            assert done.status == 0, done
    return file


@pytest.fixture(scope="module")
def recording(tool, tmp_path_factory):
    """Of the streams of both APIs."""
    return record(tool, STREAMS, tmp_path_factory.mktemp("recording") / "rec")


@pytest.fixture
def replay(netkit, recording):
    """Serves a recording with faults."""
    def start(*faults, file=recording):
        args = [word for fault in faults for word in ("--fault", fault)]
        return netkit.serve("sse", "serve", "127.0.0.1:0", "--replay", file, "--speed", "0", *args)
    return start


def answers(node, replay, sdk, milliseconds, faults):
    """What a client gets from a server with each of the faults; one program reads from all, as its start takes the longest."""
    origins = [f"http://{replay(*words).address}" for words in faults]
    client = node(SDKS[sdk], milliseconds, *origins)
    got = client.out.json()
    assert client.wait() == 0 and len(got) == len(faults)
    return dict(zip(map(" ".join, faults), got))


@pytest.mark.parametrize("sdk", SDKS)
def test_a_client_gets_the_whole_text(node, replay, sdk):
    faults = [(), ("split=1",), ("status=503",), ("retry=50ms",), ("split=3", "status=500", "retry=1s")]
    for fault, answer in answers(node, replay, sdk, "20000", faults).items():
        assert answer == {"text": TEXT, "error": None}, fault


@pytest.mark.parametrize("sdk", SDKS)
def test_a_client_is_told_what_is_missing(node, replay, sdk):
    errors = {"drop=3": "terminated", "stall=3": "nothing came", "status=400": "400 this fault is injected (--fault)\n"}
    for fault, answer in answers(node, replay, sdk, "1000", [(fault,) for fault in errors]).items():
        assert answer["error"] == errors[fault], fault
        assert TEXT.startswith(answer["text"]) and answer["text"] != TEXT, fault


def test_eventsource_goes_on_after_each_drop(netkit, node, replay, tmp_path):
    file = record(netkit, {"/events": events(*range(1, 8))}, tmp_path / "rec")
    server = replay("drop=2", "retry=20ms", "split=5", file=file)
    client = node(EVENT_SOURCE, f"http://{server.address}/events")
    client.out.expect(b"".join(b"%d event %d\n" % (n, n) for n in range(1, 8)))


CHAT_TEXT = ("--select", "/choices/0/delta/content", "--join", "--done", "[DONE]")
MESSAGE_TEXT = ("--event", "content_block_delta", "--select", "/delta/text", "--join")


@pytest.mark.parametrize("path, args", [(CHAT, CHAT_TEXT), (MESSAGES, MESSAGE_TEXT)])
def test_netkit_reads_an_api_as_plain_text(netkit, replay, path, args):
    with Server(ok(STREAMS[path])) as server:
        done = netkit.run("sse", server.url.replace("/events", path), "--json-body", '{"stream": true}', *args)
    assert done.status == 0 and done.out == TEXT.encode() and done.err == b"", done
    assert server.requests[0].headers["content-type"] == "application/json"
    again = netkit.run("sse", f"http://{replay('split=2').address}{path}", "--json-body", "{}", *args)
    assert again.status == 0 and again.out == TEXT.encode(), again


def test_netkit_says_that_an_api_broke_off(netkit):
    whole = STREAMS[MESSAGES]
    with Server(ok(whole[:len(whole) // 2], Content_Length=len(whole))) as server:
        done = read(netkit, server, "--json-body", "{}", *MESSAGE_TEXT)
    assert done.status == 69 and b"in the middle of an event" in done.err, done
