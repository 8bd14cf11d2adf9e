"""Other people's protocols through netkit frame: codecs, proxy, encode, decode, recordings."""

import base64
import os
import re
import signal
import socket
import struct
import threading
from datetime import datetime

import pytest

from frame_peer import (APPID, HEARTBEAT, IMEI, REGISTER, Server, answer, connect, free_port, request)
from netkit import receive_exactly, wait_until


def dns_query(name):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)


@pytest.fixture
def dnsmasq(netkit):
    port = free_port()
    process = netkit.start(argv=["dnsmasq", "--no-daemon", "--no-resolv", "--no-hosts", "--conf-file=/dev/null",
                                 "--listen-address=127.0.0.1", "--bind-interfaces", f"--port={port}", "--user=",
                                 "--address=/name.test/192.0.2.7"])
    process.err.expect(rb"started")
    return f"127.0.0.1:{port}"


def test_dns_over_tcp(netkit, dnsmasq):
    done = netkit.run("frame", "connect", dnsmasq, "--codec", "u16", "--raw", "--send",
                      "raw:hex:" + dns_query("name.test").hex())
    assert done.status == 0 and done.err == b""
    assert done.out[:2] == b"\0\x07" and done.out.endswith(bytes([192, 0, 2, 7]))


def test_dns_through_the_proxy(netkit, dnsmasq):
    proxy = netkit.serve("frame", "proxy", "127.0.0.1:0", dnsmasq, "--codec", "u16", "--json")
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=20) as sock:
        query = dns_query("name.test")
        sock.sendall(struct.pack(">H", len(query)) + query)
        reply = receive_exactly(sock, struct.unpack(">H", receive_exactly(sock, 2))[0])
        assert reply.endswith(bytes([192, 0, 2, 7]))
    out, back = proxy.out.json(), proxy.out.json()
    assert (out["dir"], back["dir"]) == ("out", "in") and out["peer"] == back["peer"]
    assert (out["length"], back["length"]) == (len(query), len(reply))
    assert "id" not in out and "name" not in out


def test_redis_through_the_proxy_is_passed_on_though_it_cannot_be_decoded(netkit, tmp_path):
    port = free_port()
    redis = netkit.start(argv=["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", tmp_path])
    redis.out.expect(rb"Ready to accept connections")
    proxy = netkit.serve("frame", "proxy", "127.0.0.1:0", f"127.0.0.1:{port}")
    peer = connect(proxy.address)
    for _ in range(3):
        peer.send(b"*1\r\n$4\r\nPING\r\n")
        peer.expect(b"+PONG\r\n")
    proxy.err.expect(rb"forwarded without decoding")
    peer.send(b"*1\r\n$4\r\nQUIT\r\n")
    assert peer.at_end() == b"+OK\r\n"


@pytest.mark.parametrize("codec, encode", [
    ("u8", lambda b: bytes([len(b)]) + b),
    ("u24", lambda b: struct.pack(">I", len(b))[1:] + b),
    ("u32le", lambda b: struct.pack("<I", len(b)) + b),
    ("u64", lambda b: struct.pack(">Q", len(b)) + b),
    ("varint", lambda b: bytes([len(b) & 127 | 128, len(b) >> 7]) + b if len(b) > 127 else bytes([len(b)]) + b),
    ("u32,adjust=-4", lambda b: struct.pack(">I", len(b) + 4) + b),
])
def test_a_peer_of_another_codec(netkit, codec, encode):
    request_body, answer_body = b"question", b"x" * 200
    with Server() as server:
        client = netkit.start("frame", "connect", server.address, "--codec", codec, "--send", "raw:question")
        client.close_stdin()
        peer = server.accept()
        peer.expect(encode(request_body))
        peer.send(encode(answer_body))
        assert client.wait() == 0
        assert client.out.rest() == answer_body + b"\n"


def test_the_proxy_shows_requests_and_answers_and_changes_nothing(netkit):
    server = netkit.serve("frame", "serve", "127.0.0.1:0")
    proxy = netkit.serve("frame", "proxy", "127.0.0.1:0", server.address)
    peer = connect(proxy.address)
    for byte in REGISTER + HEARTBEAT:
        peer.send(bytes([byte]))
    peer.send(request(7, b"hello"))
    peer.expect(answer(0) + answer(1) + answer(7, -1))
    name = "127.0.0.1:%d" % peer.sock.getsockname()[1]
    lines = sorted(proxy.out.line().decode() for _ in range(6))
    assert lines == sorted([
        f"{name} > register appid={APPID} imei={IMEI}", f"{name} < register ok", f"{name} > heartbeat",
        f"{name} < heartbeat ok", f"{name} > 7 hello", f"{name} < 7 error -1"])
    peer.sock.shutdown(socket.SHUT_WR)
    assert peer.at_end() == b""


@pytest.mark.parametrize("transport", ["", "udp:"])
@pytest.mark.parametrize("listen, target", [("127.0.0.1", "127.0.0.1"), ("127.0.0.1", "localhost"), ("", "127.0.0.2"),
                                            ("127.0.0.1", "0.0.0.0")])
def test_a_proxy_to_itself_is_refused(netkit, transport, listen, target):
    port = free_port()
    done = netkit.run("frame", "proxy", f"{transport}{listen}:{port}", f"{transport}{target}:{port}")
    assert done.status == 2 and b"the proxy itself listens on " in done.err


def test_the_proxy_passes_half_closes_and_much_data(netkit):
    data = os.urandom(3_000_000)
    with Server() as target:
        proxy = netkit.serve("frame", "proxy", "127.0.0.1:0", target.address, "--codec", "u32", "--to", "file:/dev/null")
        peer = connect(proxy.address)
        behind = target.accept()

        def send():
            peer.send(data)
            peer.sock.shutdown(socket.SHUT_WR)
        thread = threading.Thread(target=send)
        thread.start()
        assert behind.at_end() == data
        thread.join()
        behind.send(b"\x02ok")
        behind.close()
        assert peer.at_end() == b"\x02ok"


def test_the_proxy_closes_a_client_whose_target_is_down(netkit):
    proxy = netkit.serve("frame", "proxy", "127.0.0.1:0", f"127.0.0.1:{free_port()}")
    assert connect(proxy.address).at_end() == b""
    proxy.err.expect(rb"127\.0\.0\.1:\d+ closed: [^\n]*refused")


def test_the_proxy_says_which_address_is_missing(netkit):
    for words, name in (([], "LISTEN"), (["0"], "TARGET")):
        done = netkit.run("frame", "proxy", *words)
        assert (done.status, done.err.decode()) == (
            2, f"netkit: frame: missing {name}, as in 'proxy LISTEN TARGET'; see 'netkit frame proxy --help'\n")


def test_encode_writes_frames(netkit):
    done = netkit.run("frame", "encode", stdin="heartbeat\n7:hello\r\n-1:hex:00 ff\nraw:hex:0208")
    assert done.status == 0 and done.err == b""
    assert done.out == request(1) + request(7, b"hello") + request(-1, b"\0\xff") + request(2, b"\x08")


def test_decode_prints_what_encode_takes(netkit):
    lines = ["heartbeat", "datetime", f"register:{APPID},{IMEI}", "7:hello", "7:grüße ☺", "8:hex:00ff", "9:hex:1b5b41",
             "9:", "9:hex:6865783a"]
    stream = netkit.run("frame", "encode", stdin="\n".join(lines) + "\n").out
    decoded = netkit.run("frame", "decode", stdin=stream)
    assert decoded.status == 0 and decoded.lines == lines


def test_decode_in_json_and_of_answers(netkit):
    done = netkit.run("frame", "decode", "--json", stdin=request(7, b"hi"))
    record, end = done.records
    assert (record["id"], record["name"], record["length"], record["text"]) == (7, "7", 3, "hi")
    assert "dir" not in record and "error" not in record and end["frames"] == 1
    answers = netkit.run("frame", "decode", "--answers", stdin=answer(0) + answer(7, -1) + answer(2, 0, b"now"))
    assert answers.lines == ["register ok", "7 error -1", "datetime now"]


@pytest.mark.parametrize("stream, text", [
    (request(7) + b"\0\0\0\x05\x07hi", "in the middle of a frame"),
    (request(7) + b"\0\0", "in the middle of a frame"),
    (request(7) + b"\xff\xff\xff\xff", "--max-frame"),
    (request(7) + b"\0\0\0\0", "after frame 1"),
])
def test_decode_of_a_broken_stream_ends_with_76(netkit, stream, text):
    done = netkit.run("frame", "decode", stdin=stream)
    assert done.status == 76 and done.lines == ["7:"] and text in done.err.decode()


@pytest.mark.parametrize("words, name", [(b"HTTP/1.1 200 OK\r\n\r\n", "HTTP"), (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH")])
def test_what_is_no_frame_is_named(netkit, words, name):
    done = netkit.run("frame", "decode", "--codec", "u32", stdin=words)
    assert done.status == 76 and f"after frame 0: it speaks {name}, not frames\n" in done.err.decode()
    with Server() as target:
        proxy = netkit.serve("frame", "proxy", "127.0.0.1:0", target.address, "--codec", "u32")
        peer = connect(proxy.address)
        target.accept().send(words)
        proxy.err.expect(f"< it speaks {name}, not frames; forwarded without decoding\n".encode())
        peer.expect(words)


def test_encode_stops_at_a_wrong_line(netkit):
    done = netkit.run("frame", "encode", stdin="7:a\nwrong\n7:b\n")
    assert done.status == 2 and done.out == request(7, b"a")
    assert b"line 2: message 'wrong'" in done.err


def test_encode_and_decode_to_a_full_disk(netkit):
    done = netkit.shell("printf '7:a\\n' | netkit frame encode > /dev/full; "
                        "printf '7:a\\n' | netkit frame encode | netkit frame decode > /dev/full; echo $?")
    assert done.err.count(b"no space left on device") == 2 and done.lines == ["74"]


def test_from_a_file_and_into_head(netkit, tmp_path):
    (tmp_path / "lines").write_text("7:x\n" * 50000)
    done = netkit.shell(f"netkit frame encode < {tmp_path}/lines > {tmp_path}/frames && "
                        f"netkit frame decode < {tmp_path}/frames | head -n 2")
    assert done.lines == ["7:x", "7:x"] and done.err == b""


def record_some(netkit, path, server):
    proxy = netkit.serve("frame", "proxy", "127.0.0.1:0", server.address, "--record", path)
    for text in ("a", "b"):
        done = netkit.run("frame", "connect", proxy.address, "--register", f"{APPID},{IMEI}", "--send", f"7:{text}")
        assert done.status == 0
    assert proxy.stop() == 0


def test_a_recording_is_replayed(netkit, tmp_path):
    path = tmp_path / "talk.rec"
    server = netkit.serve("frame", "serve", "127.0.0.1:0")
    record_some(netkit, path, server)
    assert path.stat().st_mode & 0o777 == 0o600
    shown = netkit.run("frame", "replay", path, "--speed", "0")
    assert shown.status == 0
    expected = [f"> register appid={APPID} imei={IMEI}", "< register ok", "> 7 a", "< 7 error -1"]
    assert [line for line in shown.lines if not line.endswith(("7 a", "7 b"))][:2] == expected[:2]
    assert sorted(shown.lines) == sorted(expected + [expected[0], expected[1], "> 7 b", expected[3]])
    again = netkit.run("frame", "replay", path, server.address, "--speed", "10")
    assert again.status == 0
    assert sorted(again.lines) == ["< 7 error -1"] * 2 + ["< register ok"] * 2
    for _ in range(2):
        server.out.expect(rb"register appid[^\n]*\n.*? 7 [ab]\n")


def test_a_recording_of_the_client_and_of_the_server(netkit, tmp_path):
    server = netkit.serve("frame", "serve", "127.0.0.1:0", "--record", tmp_path / "server.rec")
    assert netkit.run("frame", "connect", server.address, "--send", "7:a", "--record", tmp_path / "client.rec").status == 0
    for name in ("client.rec", "server.rec"):
        wait_until(lambda n=name: b"<" in (tmp_path / n).read_bytes())
        shown = netkit.run("frame", "replay", tmp_path / name)
        assert shown.lines == ["> 7 a", "< 7 error -1"]
    assert netkit.run("frame", "connect", server.address, "--send", "7:a", "--record", "/dev/full").status == 74


def recording(*records):
    return "netkit-frame-recording 1\n" + "".join(f"{at:.9f} {n} {d} {text}\n" for at, n, d, text in records)


@pytest.mark.parametrize("options, least", [([], 0.3), (["--speed", "3"], 0.1)])
def test_replay_keeps_the_times(netkit, tmp_path, options, least):
    (tmp_path / "talk").write_text(recording((0, 1, ">", "AAAAAQI="), (0.3, 1, ">", "AAAAAQE=")))
    replay = netkit.start("frame", "replay", tmp_path / "talk", "--json", *options)
    first, second = replay.out.json(), replay.out.json()
    assert (first["name"], second["name"]) == ("datetime", "heartbeat") and replay.wait() == 0
    between = datetime.fromisoformat(second["time"][:-1]) - datetime.fromisoformat(first["time"][:-1])
    assert between.total_seconds() > least - 0.01


def test_replay_misses_answers(netkit, tmp_path):
    (tmp_path / "talk").write_text(recording((0, 1, ">", "AAAAAQI="), (0.01, 1, "<", "AAAAAgEA")))
    with Server() as server:
        replay = netkit.start("frame", "replay", tmp_path / "talk", server.address, "--wait", "200ms", "--json")
        server.accept().expect(b"\0\0\0\x01\x02")
        assert replay.wait() == 1
        assert b"0 of 1 recorded answer arrived" in replay.err.rest()
        totals = replay.out.json()
        assert (totals["sent"], totals["recorded_answers"], totals["answers"]) == (1, 1, 0), "frames"


def test_replay_ends_when_all_is_sent(netkit, tmp_path):
    (tmp_path / "talk").write_text(recording((0, 1, ">", "AAAAAQI=")))
    with Server() as server:
        assert netkit.run("frame", "replay", tmp_path / "talk", server.address).status == 0
        server.accept().expect(b"\0\0\0\x01\x02")


def written_pipe(path):
    """A pipe that has somebody who writes before somebody reads."""
    os.mkfifo(path)
    return open(os.open(path, os.O_RDWR), "w", encoding="ascii")


def test_replay_of_a_pipe_prints_what_has_come_and_can_be_stopped(netkit, tmp_path):
    with written_pipe(tmp_path / "talk") as pipe:
        replay = netkit.start("frame", "replay", tmp_path / "talk")
        for text in (recording((0, 1, ">", "AAAAAQI=")), "0.000000000 1 > AAAAAQI=\n"):
            pipe.write(text)
            pipe.flush()
            replay.out.expect(rb"> datetime\n")
        replay.signal(signal.SIGINT)
        assert replay.wait() == 130


def test_replay_says_that_the_server_did_not_take_all(netkit, tmp_path):
    with Server() as server:
        with written_pipe(tmp_path / "talk") as pipe:
            replay = netkit.start("frame", "replay", tmp_path / "talk", server.address, "--json")
            pipe.write(recording((0, 1, ">", "AAAAAQI=")))
            pipe.flush()
            peer = server.accept()
            peer.expect(b"\0\0\0\x01\x02")
            peer.close()
            replay.err.expect(rb"connection lost: closed by the peer\n")
            pipe.write("0.000000000 1 > AAAAAQI=\n0.000000000 2 > AAAAAQI=\n")
        server.accept().expect(b"\0\0\0\x01\x02")
        assert replay.wait() == 69
        assert b"frame: 1 connection lost before everything recorded was sent\n" in replay.err.rest()
        assert replay.out.json()["sent"] == 2


def test_replay_waits_for_a_server_that_reads_slowly(netkit, tmp_path):
    sent = request(7, b"x" * 4095)
    text = base64.b64encode(sent).decode()
    (tmp_path / "talk").write_text(recording(*((0, 1, ">", text) for _ in range(3000))))
    with Server() as server:
        replay = netkit.start("frame", "replay", tmp_path / "talk", server.address)
        peer = server.accept()
        assert peer.exactly(3000 * len(sent)) == 3000 * sent and replay.wait() == 0


def test_replay_gives_up_on_a_server_that_does_not_read(netkit, tmp_path):
    text = base64.b64encode(request(7, b"x" * 65535)).decode()
    (tmp_path / "talk").write_text(recording(*((0, 1, ">", text) for _ in range(200))))
    with Server() as server:
        replay = netkit.start("frame", "replay", tmp_path / "talk", server.address, "--wait", "200ms")
        server.accept()
        assert replay.wait() == 1
        assert re.search(rb"frame: \d+ bytes not sent within 200ms \(--wait\)\n", replay.err.rest())


@pytest.mark.parametrize("content, status, text", [
    ("", 76, "not a recording"),
    ("something else\n", 76, "not a recording"),
    ("netkit-frame-recording 1\nx\n", 76, "line 2 is not a record"),
    ("netkit-frame-recording 9\n", 76, "version"),
    ("netkit-frame-recording 1\n0.000000000 1 > AAAA", 76, "truncated"),
    (None, 74, "cannot read"),
])
def test_replay_of_what_is_no_recording(netkit, tmp_path, content, status, text):
    if content is not None:
        (tmp_path / "talk").write_text(content)
    done = netkit.run("frame", "replay", tmp_path / "talk")
    assert done.status == status and text in done.err.decode()
