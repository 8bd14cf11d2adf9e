"""netkit frame, byte for byte, with Python peers at either end."""

import json
import re
import signal

import pytest

from frame_peer import (APPID, HEARTBEAT, IMEI, REGISTER, Server, answer, connect, request)

TIME = rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"


@pytest.fixture
def server(netkit):
    return netkit.serve("frame", "serve", "127.0.0.1:0")


def test_register_is_answered_with_zero(server):
    peer = connect(server.address)
    peer.send(b"\0\0\0\x34\0" + (APPID + IMEI).encode())
    peer.expect(b"\0\0\0\x02\0\0")
    line = server.out.line().decode()
    assert re.fullmatch(rf"127\.0\.0\.1:\d+ register appid={APPID} imei={IMEI}", line)


def test_heartbeat_is_answered(server):
    peer = connect(server.address)
    peer.send(b"\0\0\0\x01\x01")
    peer.expect(b"\0\0\0\x02\x01\0")


def test_datetime_is_answered_with_local_time(netkit):
    server = netkit.serve("frame", "serve", "127.0.0.1:0", env={"TZ": "XYZ-13:45"})
    peer = connect(server.address)
    peer.send(b"\0\0\0\x01\x02")
    content = peer.content()
    assert content[:2] == b"\x02\0" and re.fullmatch(TIME, content[2:])
    local = netkit.run(argv=["date", "+%Y-%m-%d %H"], env={"TZ": "XYZ-13:45"}).out.strip()
    utc = netkit.run(argv=["date", "-u", "+%Y-%m-%d %H"]).out.strip()
    assert local != utc and not content[2:].startswith(utc)


@pytest.mark.parametrize("wrong", [
    pytest.param(request(0), id="register without a body"),
    pytest.param(request(0, b"x" * 50), id="register one byte short"),
    pytest.param(request(0, b"x" * 52), id="register one byte long"),
    pytest.param(request(3), id="unknown id"),
    pytest.param(request(-1, b"x"), id="negative id"),
])
def test_what_is_not_known_gets_an_error_and_the_connection_stays(server, wrong):
    peer = connect(server.address)
    peer.send(wrong)
    peer.expect(b"\0\0\0\x02" + wrong[4:5] + b"\xff")
    peer.send(HEARTBEAT)
    peer.expect(answer(1))


def test_a_frame_sent_byte_by_byte(server):
    peer = connect(server.address)
    for byte in REGISTER + HEARTBEAT:
        peer.send(bytes([byte]))
    peer.expect(answer(0) + answer(1))


def test_a_hundred_frames_in_one_segment(server):
    peer = connect(server.address)
    peer.send((HEARTBEAT + request(9, b"x")) * 50)
    peer.expect((answer(1) + answer(9, -1)) * 50)


@pytest.mark.parametrize("head", [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\x10\0\x01"])
def test_a_length_of_nothing_or_over_the_limit_closes(server, head):
    peer = connect(server.address)
    peer.send(HEARTBEAT + head)
    assert peer.at_end() == answer(1)
    line = server.err.expect(rb"netkit: frame: (127\.0\.0\.1:\d+ closed: [^\n]*)\n").group(1)
    assert head == b"\0\0\0\0" or b"--max-frame" in line


def test_connect_sends_the_same_bytes(netkit):
    with Server() as server:
        client = netkit.start("frame", "connect", server.address, "--register", f"{APPID},{IMEI}",
                              "--send", "datetime", "--send", "7:hello", "--heartbeat", "none")
        client.write("-1:hex:00ff\n8:base64:AP8=\nraw:hex:0900\nheartbeat\n")
        client.close_stdin()
        peer = server.accept()
        peer.expect(b"\0\0\0\x34\0" + (APPID + IMEI).encode())
        peer.silent(0.2)  # requests wait for the answer
        peer.send(b"\0\0\0\x02\0\0")
        peer.expect(b"\0\0\0\x01\x02" b"\0\0\0\x06\x07hello" b"\0\0\0\x03\xff\0\xff"
                    b"\0\0\0\x03\x08\0\xff" b"\0\0\0\x02\x09\0" b"\0\0\0\x01\x01")
        peer.send(answer(2, 0, b"2026-01-02 03:04:05") + answer(7, 0, b"hi") + answer(-1) +
                  answer(8, -1) + answer(9, 0, b"\0\x1b[2J\n") + answer(1))
        assert client.wait() == 0
        assert client.out.rest().decode().splitlines() == [
            "register ok", "datetime 2026-01-02 03:04:05", "7 hi", "-1 ok", "8 error -1",
            r"9 \x00\x1b[2J", "heartbeat ok"]
        assert client.err.rest() == b""


@pytest.mark.realtime
def test_heartbeats_go_out_while_nothing_else_does(netkit):
    with Server() as server:
        client = netkit.start("frame", "connect", server.address, "-k", "--heartbeat", "50ms")
        peer = server.accept()
        for _ in range(4):
            peer.expect(HEARTBEAT)
            peer.send(answer(1))
        assert client.stop(signal.SIGINT) == 0
        assert client.out.rest() == b""


def test_json_records_and_the_end(netkit, server):
    done = netkit.run("frame", "connect", server.address, "--register", f"{APPID},{IMEI}", "--json",
                      stdin="datetime\n7:hi\n")
    assert done.status == 0, done
    register, date, custom, end = done.records
    for record in (register, date, custom):
        assert list(record)[:3] == ["type", "time", "peer"]
        assert record["type"] == "frame" and record["dir"] == "in" and record["peer"] == server.address
    assert (register["id"], register["name"], register["error"], register["length"], register["text"]) == \
        (0, "register", 0, 2, "")
    assert (date["id"], date["name"], date["error"], date["length"]) == (2, "datetime", 0, 21)
    assert re.fullmatch(TIME.decode(), date["text"])
    assert (custom["id"], custom["name"], custom["error"]) == (7, "7", -1)
    assert end["type"] == "end" and end["ok"] is True
    assert (end["requests"], end["answers"], end["errors"], end["unanswered"]) == (2, 3, 1, 0)


def test_bytes_that_are_no_text_are_base64(netkit):
    with Server() as server:
        client = netkit.start("frame", "connect", server.address, "--send", "7:", "--json",
                              "--heartbeat", "none")
        client.close_stdin()
        peer = server.accept()
        peer.expect(request(7))
        peer.send(answer(7, 0, b"\0\xff"))
        assert client.wait() == 0
        record = json.loads(client.out.line())
        assert record["base64"] == "AP8=" and "text" not in record


def test_show_sent_shows_what_goes_out(netkit, server):
    args = ("frame", "connect", server.address, "--show", "sent", "--send", "7:hello")
    done = netkit.run(*args, "--json")
    assert [(r["dir"], r["name"], r.get("text")) for r in done.records[:-1]] == \
        [("out", "7", "hello"), ("in", "7", "")]
    assert netkit.run(*args).lines == ["> 7 hello", "7 error -1"]


@pytest.mark.parametrize("level", ["-q", "-v", "-vvv"])
def test_no_level_changes_what_a_client_prints(netkit, server, level):
    done = netkit.run("frame", "connect", server.address, level, "--send", "7:hello", "--json")
    assert [(r["type"], r.get("dir")) for r in done.records] == [("frame", "in"), ("end", None)]
    said = re.search(rb"^netkit: frame: (\S+Z )?> 7 hello\n", done.err, re.M)
    assert bool(said) == (level != "-q") and (said is None or bool(said[1]) == (level > "-v")), "a time from -vv on"


def test_the_server_tells_of_heartbeats_on_stderr_and_shows_them_when_asked_to(netkit):
    for args in (["-v"], ["--show", "heartbeats"]):
        server = netkit.serve("frame", "serve", "127.0.0.1:0", *args)
        assert netkit.run("frame", "connect", server.address, "--send", "heartbeat").status == 0
        if args == ["-v"]:
            server.err.expect(rb"netkit: frame: 127\.0\.0\.1:\d+ heartbeat\n")
        else:
            server.out.expect(rb"^127\.0\.0\.1:\d+ heartbeat\n")
        assert server.stop() == 0 and (args != ["-v"] or server.out.rest() == b"")


def test_an_error_is_a_no_with_fail(netkit, server):
    args = ("frame", "connect", server.address, "--send", "7:hello", "--send", "datetime")
    assert netkit.run(*args).status == 0
    done = netkit.run(*args, "--fail")
    assert done.status == 1 and done.err == b"netkit: frame: 1 answer with an error (--fail)\n"
    assert netkit.run("frame", "connect", server.address, "--send", "datetime", "--fail").status == 0


def test_a_pipeline_of_the_readme(netkit, server):
    done = netkit.shell(f"printf 'datetime\\n' | netkit frame connect {server.address} --json | jq -r .type")
    assert done.status == 0 and done.lines == ["frame", "end"] and done.err == b""


def test_raw_output_is_the_bodies(netkit, server):
    done = netkit.run("frame", "connect", server.address, "--raw", stdin="datetime\n")
    assert re.fullmatch(TIME, done.out)


def test_a_file_as_a_body(netkit, tmp_path):
    (tmp_path / "body").write_bytes(b"\0" * 70000)
    with Server() as server:
        client = netkit.start("frame", "connect", server.address, "--send", "7:@body", cwd=tmp_path)
        client.close_stdin()
        peer = server.accept()
        assert peer.request() == (7, b"\0" * 70000)
        peer.send(answer(7))
        assert client.wait() == 0
    missing = netkit.run("frame", "connect", server.address, "--send", "7:@missing", cwd=tmp_path)
    assert missing.status == 74 and b"missing" in missing.err


@pytest.mark.parametrize("wrong, hint", [
    (["--send", "7"], "7:"),
    (["--send", "900:x"], "-128 to 127"),
    (["--send", "7:hex:0"], "two hexadecimal digits"),
    (["--register", "a,b"], "36"),
    (["--codec", "u5"], "u16"),
    (["--codec", "u16", "--send", "hex:0"], "two hexadecimal digits"),
    (["--cacert", "x"], "--tls"),
    (["--max-frame", "2T"], "--max-frame"),
    (["--max-frame", "51", "--register", f"{'a' * 36},{'1' * 15}"], "--register: a frame of length 52 exceeds the limit of 51 "
                                                                    "bytes (--max-frame)"),
    (["--max-frame", "16", "--send", "7:" + 16 * "x"], "message '7:xxxxxxxxxxxxxxxx': a frame of length 17 exceeds the limit of "
                                                       "16 bytes (--max-frame)"),
])
def test_usage_errors_say_what_would_be_right(netkit, wrong, hint):
    done = netkit.run("frame", "connect", "127.0.0.1:1", *wrong)
    assert done.status == 2 and hint in done.err.decode() and done.err.count(b"\n") == 1


@pytest.mark.parametrize("too_long", [17, 50_000], ids=["a byte", "far"])
def test_a_line_over_the_limit_is_refused_and_the_others_are_sent(netkit, too_long):
    with Server() as server:
        client = netkit.start("frame", "connect", server.address, "--max-frame", "16", "--heartbeat", "none")
        client.write("7:" + 15 * "a" + "\n7:" + too_long * "b" + "\n8:c\n")
        client.close_stdin()
        peer = server.accept()
        peer.expect(request(7, 15 * b"a") + request(8, b"c"))
        peer.send(answer(7) + answer(8))
        assert client.wait() == 2
        assert client.out.rest() == b"7 ok\n8 ok\n"
        refused, end = client.err.rest().splitlines()
        assert b"--max-frame" in refused and end == b"netkit: frame: 1 line of the input not sent"


def test_a_server_lives_after_a_line_over_the_limit(netkit):
    server = netkit.serve("frame", "serve", "127.0.0.1:0", "--max-frame", "16")
    peer = connect(server.address)
    peer.send(HEARTBEAT)
    peer.expect(answer(1))
    server.write("7:" + 16 * "b" + "\n7:" + 50_000 * "b" + "\n8:c\n")
    peer.expect(answer(8, 0, b"c"))
    assert [b"--max-frame" in server.err.line() for _ in range(2)] == [True, True]


def test_a_thousand_requests_are_answered_in_order(netkit, server):
    done = netkit.run("frame", "connect", server.address,
                      stdin="".join(f"{i % 100 + 10}:{i}\n" for i in range(1000)))
    assert done.status == 0
    assert done.lines == [f"{i % 100 + 10} error -1" for i in range(1000)]
