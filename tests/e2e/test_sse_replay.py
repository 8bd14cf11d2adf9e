"""netkit sse read --record, and serve --replay with its faults."""

import base64
import gzip
import os
import pathlib
import re
import signal
import time

import pytest

from exit_ways import NO_LEAK_CHECK
from netkit import netkit_path, tcp_connect
from sse_peer import Reader, Server, answer, events, ok, read


@pytest.fixture
def record(netkit, tmp_path):
    """Records what the steps of a Server answer."""
    def run(*steps, args=("-X", "POST"), status=0):
        with Server(*steps) as server:
            done = read(netkit, server, "--record", tmp_path / "rec", *args)
        assert done.status == status, done
        return tmp_path / "rec"
    return run


@pytest.fixture
def replay(netkit, record):
    def start(*steps, args=(), **kwargs):
        return netkit.serve("sse", "serve", "127.0.0.1:0", "--replay", record(*steps, **kwargs), *args)
    return start


def url(server, path="/events"):
    return f"http://{server.address}{path}"


def paced(*pauses):
    def step(connection, _):
        connection.send(ok(b""))
        for number, pause in enumerate(pauses, 1):
            time.sleep(pause)  # the times that are the subject
            connection.send(events(number))
    return step


def test_what_is_recorded(netkit, record):
    path = record(ok(events(1), Set_Cookie="a"), args=("-X", "POST", "-H", "Authorization: Bearer s3cret"))
    lines = path.read_text().splitlines()
    assert lines[0] == "netkit-sse-recording 1" and path.stat().st_mode & 0o777 == 0o600
    parts = [(way, base64.b64decode(data)) for _, _, way, data in map(str.split, lines[1:])]
    assert parts[0][0] == ">" and parts[0][1].startswith(b"POST /events HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"s3cret" not in b"".join(data for _, data in parts)
    assert parts[1][1].startswith(b"HTTP/1.1 200 ") and b"Content-Type: text/event-stream\r\n" in parts[1][1]
    assert b"".join(data for _, data in parts[2:]) == b"15\r\n" + events(1) + b"\r\n0\r\n\r\n"
    again = netkit.serve("sse", "serve", "127.0.0.1:0", "--replay", path)
    assert netkit.run("sse", url(again), "-d", "{}").out == b"event 1\n"


def test_a_replay_is_for_get_and_post_and_any_path_where_there_is_one(netkit, replay):
    server = replay(ok(events(1, 2)))
    for args in ((), ("-d", "{}" * 1000)):
        done = netkit.run("sse", url(server, "/other"), "-c", "2", *args)
        assert done.status == 0 and done.out == b"event 1\nevent 2\n", done


def test_a_reader_with_an_id_of_another_server_gets_everything(netkit, replay):
    server = replay(ok(events(1, 2)))
    done = netkit.run("sse", url(server), "-c", "2", "--last-event-id", "elsewhere", deadline=5)
    assert (done.status, done.out) == (0, b"event 1\nevent 2\n"), done


def test_a_long_recording_keeps_nobody_waiting(netkit, tmp_path):
    """Who comes right behind a reader whose id is looked for in all of it is answered first."""
    record = base64.b64encode(events(*range(1, 4000))).decode()
    request, head = (base64.b64encode(data).decode() for data in (b"GET / HTTP/1.1\r\n\r\n", ok(b"")))
    (tmp_path / "rec").write_text(f"netkit-sse-recording 1\n0.000000000 1 > {request}\n0.000000000 1 < {head}\n" +
                                  f"0.000000000 1 < {record}\n" * 50)
    server = netkit.serve(argv=["strace", "-f", "-e", "trace=sendto,sendmsg", "-o", tmp_path / "trace", netkit_path(), "sse",
                                "serve", "127.0.0.1:0", "--replay", tmp_path / "rec"], env=NO_LEAK_CHECK)
    child = int(pathlib.Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text())
    os.kill(child, signal.SIGSTOP)
    searching = Reader(server.address, "/", Last_Event_ID="elsewhere")
    with tcp_connect(server.address) as sock:
        sock.sendall(b"PUT / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        os.kill(child, signal.SIGCONT)
        assert sock.recv(100).startswith(b"HTTP/1.1 405 ")
    searching.until(b"data: event 1\n")
    os.kill(child, signal.SIGTERM)
    assert server.wait() == 0
    sent = re.findall(r"HTTP/1.1 \d+|data: event 1\b", (tmp_path / "trace").read_text())
    assert sent[:3] == ["HTTP/1.1 200", "HTTP/1.1 405", "data: event 1"]


def test_a_replay_chooses_by_the_path(netkit, tmp_path):
    for number, path in enumerate(("/a", "/b"), 1):
        with Server(ok(events(number))) as server:
            target = server.url.replace("/events", path)
            assert netkit.run("sse", target, "-X", "POST", "--record", tmp_path / "rec").status == 0
    server = netkit.serve("sse", "serve", "127.0.0.1:0", "--replay", tmp_path / "rec")
    assert netkit.run("sse", url(server, "/b"), "-c", "1").out == b"event 2\n"
    assert netkit.run("sse", url(server, "/a?x=1"), "-c", "1").out == b"event 1\n"
    missing = netkit.run("sse", url(server, "/c"))
    assert missing.status == 76 and b"the recording has no such path" in missing.err


@pytest.mark.realtime
def test_a_replay_keeps_the_times(netkit, replay):
    server = replay(paced(0.1, 0.4, 0.1))
    done = netkit.run("sse", url(server), "-d", "{}", "--json")
    # An event that comes late comes nearer to the next one.
    assert 495 <= done.records[-1]["first_event_ms"] + done.records[-1]["gap_max_ms"] <= 800
    assert done.records[-1]["events"] == 3


@pytest.mark.realtime
def test_a_replay_may_be_faster(netkit, replay):
    server = replay(paced(0.1, 1, 0.1), args=("--speed", "10"))
    started = time.monotonic()
    done = netkit.run("sse", url(server), "-d", "{}", "--json")
    assert time.monotonic() - started < 1
    assert 105 <= done.records[-1]["first_event_ms"] + done.records[-1]["gap_max_ms"] <= 400


def test_a_cut_is_replayed_as_a_cut(netkit, replay):
    server = replay(ok(events(1) + b"data: ha", Content_Length=1000), status=69)
    done = netkit.run("sse", url(server), "-d", "{}")
    assert done.status == 69 and done.out == b"event 1\n" and b"in the middle of an event" in done.err


def test_a_status_is_replayed(netkit, replay):
    server = replay(answer("404 Not Found", b"gone", Content_Type="text/plain"), status=76)
    done = netkit.run("sse", url(server))
    assert done.status == 76 and b"answered 404 with text/plain: gone" in done.err


def test_drop_is_resumed(netkit, replay):
    server = replay(ok(events(*range(1, 8))), args=("--speed", "0", "--fault", "drop=3", "--fault", "retry=20ms"))
    done = netkit.run("sse", url(server), "-c", "7", "--reconnect-max", "50ms", "--json")
    assert [r["id"] for r in done.records[:-1]] == list("1234567") and done.records[-1]["reconnects"] == 2
    assert b"aborted the stream" in done.err, done


def test_status_is_every_other_answer(netkit, replay):
    server = replay(ok(events(1)), args=("--fault", "status=503"))
    for status in (69, 0, 69, 0):
        assert netkit.run("sse", url(server), "-d", "{}").status == status


def test_split_cuts_everything(netkit, replay):
    server = replay(ok(events(1)), args=("--fault", "split=2"))
    reader = Reader(server.address)
    chunk_sizes = []
    raw = reader.sock.sock
    data = b""
    while b"0\r\n\r\n" not in data:
        data += raw.recv(65536)
    chunk_sizes = re.findall(rb"\r\n([0-9a-f]+)\r\n(?=[^H])", data)
    assert set(chunk_sizes) <= {b"1", b"2", b"0"} and len(chunk_sizes) > 10, data
    assert netkit.run("sse", url(server), "-d", "{}").out == b"event 1\n"


@pytest.mark.realtime
def test_stall_says_nothing_more(netkit, replay):
    server = replay(ok(events(1, 2, 3)), args=("--fault", "stall=2"))
    done = netkit.run("sse", url(server), "--idle-timeout", "300ms", "--reconnect", "never")
    assert done.status == 69 and done.out == b"event 1\nevent 2\n" and b"--idle-timeout" in done.err


def test_faults_are_for_live_streams_as_well(netkit):
    server = netkit.serve("sse", "serve", "127.0.0.1:0", "--last", "9", "--fault", "drop=2", "--fault", "retry=20ms")
    server.write("".join(f"{n}\n" for n in range(1, 6)))
    client = netkit.start("sse", url(server), "--reconnect-max", "50ms", "-c", "5")
    assert client.wait() == 0 and client.out.rest() == b"1\n2\n3\n4\n5\n"


@pytest.mark.parametrize("fault", ["", "split", "split=0", "stall=0", "drop=x", "status=99", "retry=soon", "more=1"])
def test_what_is_no_fault(netkit, fault):
    done = netkit.run("sse", "serve", "127.0.0.1:0", "--fault", fault)
    assert done.status == 2 and done.err.count(b"\n") == 1, done


def test_what_is_no_recording(netkit, tmp_path):
    (tmp_path / "text").write_text("hello\n")
    done = netkit.run("sse", "serve", "127.0.0.1:0", "--replay", tmp_path / "text")
    assert done.status == 76 and b"this is not a recording of netkit sse" in done.err, done
    assert netkit.run("sse", "serve", "127.0.0.1:0", "--replay", tmp_path / "none").status == 74
    (tmp_path / "empty").write_text("netkit-sse-recording 1\n")
    done = netkit.run("sse", "serve", "127.0.0.1:0", "--replay", tmp_path / "empty")
    assert done.status == 78 and b"holds no response" in done.err


def test_what_was_recorded_compressed_is_replayed_so(netkit, tmp_path):
    packed = gzip.compress(events(1))
    with Server(ok(packed, Content_Encoding="gzip", Content_Length=len(packed))) as server:
        proxy = netkit.serve("sse", "proxy", "127.0.0.1:0", server.url, "--record", tmp_path / "rec")
        assert netkit.run("sse", url(proxy, "/"), "-c", "1").out == b"event 1\n"
        assert proxy.stop() == 0
    again = netkit.serve("sse", "serve", "127.0.0.1:0", "--replay", tmp_path / "rec")
    done = netkit.run("sse", url(again), "-c", "1", "-X", "POST")
    assert done.status == 0 and done.out == b"event 1\n", done


def test_a_speed_that_leads_beyond_all_times(netkit, tmp_path):
    (tmp_path / "rec").write_text("netkit-sse-recording 1\n" + "".join(
        f"{at}.000000000 1 {way} {base64.b64encode(data).decode()}\n" for at, way, data in
        [(0, ">", b"GET /events HTTP/1.1\r\n\r\n"), (1, "<", ok(events(1))), (9, "<", events(2))]))
    server = netkit.serve("sse", "serve", "127.0.0.1:0", "--replay", tmp_path / "rec", "--speed", "0." + "0" * 20 + "1")
    done = netkit.run("sse", url(server), "-c", "2", "--timeout", "500ms")
    assert done.status == 124 and done.out == b"event 1\n", done
