"""netkit frame as a workbench for devices: simulators, clients that wait for an answer, checks that fail."""

import concurrent.futures
import json
import signal
import socket
import struct

import pytest

from frame_peer import APPID, IMEI, Server, connect
from hostile import resident
from netkit import receive_exactly, udp_socket, wait_until

RTU = "u8,check=crc16-modbus:le"  # cut by a length, so that the time makes no difference
RULES = ["hex:01?? => hex:81{1}00", "/^GET (.+)$/ => {1}={0}", "PING => PONG"]


def simulator(netkit, *args, codec="u16"):
    rules = [word for rule in RULES for word in ("--rule", rule)]
    return netkit.serve("frame", "serve", "127.0.0.1:0", "--codec", codec, *rules, *args)


def framed(body):
    return struct.pack(">H", len(body)) + body


@pytest.mark.parametrize("body, answer", [
    (b"\x01\x07", b"\x81\x07\0"), (b"GET a b", b"a b=GET a b"), (b"PING", b"PONG"), (b"\x01\xff", b"\x81\xff\0"),
])
def test_a_rule_answers(netkit, body, answer):
    peer = connect(simulator(netkit).address)
    for byte in framed(body):
        peer.send(bytes([byte]))
    peer.expect(framed(answer))


def test_the_first_rule_that_matches_answers_and_nothing_else_does(netkit):
    server = simulator(netkit, "--rule", "hex:0102 => never", "--json")
    peer = connect(server.address)
    peer.send(framed(b"PING PONG") + framed(b"\x01\x02"))
    peer.expect(framed(b"\x81\x02\0"))
    shown = server.out.json()
    assert (shown["dir"], shown["text"], shown["length"]) == ("in", "PING PONG", 9)
    peer.close()
    assert server.stop() == 0
    end = json.loads(server.out.rest().splitlines()[-1])
    assert (end["frames"], end["answered"], end["protocol_errors"]) == (2, 1, 0)


def test_rules_come_before_the_answers_of_the_codec_netkit(netkit):
    server = netkit.serve("frame", "serve", "127.0.0.1:0", "--rule", "hex:0761 => hex:070062")
    done = netkit.run("frame", "connect", server.address, "--send", "7:a", "--send", "7:b", "--send", "heartbeat")
    assert done.lines == ["7 b", "7 error -1", "heartbeat ok"]


@pytest.mark.parametrize("rule, hint", [
    ("PING", "PATTERN => ANSWER"), ("hex:0 => x", "two hexadecimal digits"), ("/(/ => x", "not a regular expression"),
    ("hex:?? => {2}", "{2}"), ("hex:?? => hex:0", "two hexadecimal digits"), (" => x", "the pattern is empty"),
])
def test_a_rule_that_is_none(netkit, rule, hint):
    done = netkit.run("frame", "serve", "0", "--codec", "u16", "--rule", rule)
    assert done.status == 2 and "--rule" in done.err.decode() and hint in done.err.decode()


def test_what_is_asked_waits_while_the_answers_are_not_taken(netkit):
    server = netkit.serve("frame", "serve", "127.0.0.1:0", "--codec", "line", "--rule", "x => " + "y" * 4000, "-q")
    before = resident(server.pid)
    peer = connect(server.address)
    peer.send(b"x\n" * 10_000)
    wait_until(lambda: resident(server.pid) > before + (1 << 18), what="the queue for the client")
    asker = connect(server.address)  # it is served, and when it is, all of the first has been looked at that may be
    asker.send(b"x\n")
    asker.expect(b"y" * 4000 + b"\n")
    assert resident(server.pid) < before + 16 * (1 << 20), "40 MB are due"
    peer.expect((b"y" * 4000 + b"\n") * 10_000)


def test_every_sends_to_all_clients(netkit):
    server = netkit.serve("frame", "serve", "127.0.0.1:0", "--codec", "line,check=xor8", "--every", "50ms", "--send", "hex:3132")
    peers = [connect(server.address) for _ in range(2)]
    for peer in peers:
        peer.expect(b"12\x03\n12\x03\n")
    assert netkit.run("frame", "serve", "0", "--every", "1s").status == 2, "without anything to send"


def test_ten_rules_under_a_thousand_clients(netkit):
    rules = [word for i in range(10) for word in ("--rule", f"/^{i}:(.*)/ => {i}={{1}}")]
    server = netkit.serve("frame", "serve", "127.0.0.1:0", "--codec", "u16", *rules, "-q")

    def talk(first):
        socks = [socket.create_connection(("127.0.0.1", server.port), timeout=20) for _ in range(100)]
        for number, sock in enumerate(socks):
            sock.sendall(b"".join(framed(b"%d:%d" % (i, first + number)) for i in range(10)))
        for number, sock in enumerate(socks):
            want = b"".join(framed(b"%d=%d" % (i, first + number)) for i in range(10))
            assert receive_exactly(sock, len(want)) == want
            sock.close()
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        list(pool.map(talk, range(0, 1000, 100)))
    assert server.stop() == 0


@pytest.mark.parametrize("pattern, status", [("PONG", 0), ("/^P.N/", 0), ("hex:50??4e47", 0), ("PON", 1), ("/x/", 1)])
def test_expect_decides_the_status(netkit, pattern, status):
    server = simulator(netkit)
    within = "10s" if status == 0 else "200ms"
    done = netkit.run("frame", "connect", server.address, "--codec", "u16", "--send", "PING", "--expect", pattern,
                      "--within", within, "-k")
    assert (done.status, done.lines) == (status, ["PONG"])
    assert (b"did not match within 200ms (--within)" in done.err) == (status == 1)


def test_expect_waits_for_what_nobody_asked_for(netkit):
    with Server() as server:
        client = netkit.start("frame", "connect", server.address, "--codec", "line", "--expect", "/ready/")
        client.close_stdin()
        peer = server.accept()
        peer.send(b"booting\n")
        client.out.expect(rb"booting\n")
        peer.send(b"all ready\nmore\n")
        assert client.wait() == 0 and client.out.rest() == b"all ready\n"


def test_every_asks_again(netkit):
    with Server() as server:
        client = netkit.start("frame", "connect", server.address, "--codec", "line", "--every", "40ms", "--send", "t?")
        peer = server.accept()
        for i in range(3):
            peer.expect(b"t?\n")
            peer.send(b"%d\n" % i)
        client.out.expect(rb"0\n1\n2\n")


def test_every_goes_on_where_answers_may_be_lost(netkit):
    with udp_socket() as device:
        client = netkit.start("frame", "connect", "udp:127.0.0.1:%d" % device.getsockname()[1], "--codec", "line",
                              "--every", "5ms", "--send", "t?", "--max-requests", "3", "--json")
        for _ in range(20):
            asker = device.recvfrom(100)[1]  # and it says nothing
        device.sendto(b"21 C", asker)
        assert client.out.json()["text"] == "21 C"
        assert client.stop() == 0
        end = json.loads(client.out.rest().splitlines()[-1])
        assert end["unanswered"] <= 3 and end["given_up"] >= 16
        assert client.err.rest().count(b"3 requests unanswered: the oldest are given up (--max-requests,") == 1


@pytest.mark.parametrize("codec", ["idle=1h", "line"])
def test_an_answer_may_end_with_its_connection(netkit, codec):
    with Server() as server:
        client = netkit.start("frame", "connect", server.address, "--codec", codec, "--send", "t?")
        client.close_stdin()
        peer = server.accept()
        peer.exactly(2)
        peer.send(b"21 C")
        peer.sock.shutdown(socket.SHUT_WR)
        assert (client.wait(), client.out.rest(), client.err.rest()) == (0, b"21 C\n", b"")


def test_lines_are_bodies_and_hex_shows_them(netkit):
    done = netkit.run("frame", "encode", "--codec", "u8", stdin="7:x\nhex:00ff\nbase64:AP8=\nraw:hex:41\nraw:hello\n")
    assert done.out == b"\x037:x\x02\0\xff\x02\0\xff\x01A\x05hello"
    assert netkit.run("frame", "decode", "--codec", "u8", "--hex", stdin=done.out).lines[0] == "raw:hex:373a78"
    server = simulator(netkit)
    done = netkit.run("frame", "connect", server.address, "--codec", "u16", "--hex", "--show", "sent", stdin="hex:0107\n")
    assert done.lines == ["> 0107", "810700"]


def crc(body):
    value = 0xFFFF
    for byte in body:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return struct.pack("<H", value)


GOOD = b"\x05abc" + crc(b"abc")
BAD = GOOD[:-1] + bytes([GOOD[-1] ^ 1])


@pytest.mark.parametrize("bad, lines, status", [
    ("show", ["raw:abc", "bad check: raw:abc", "raw:abc"], 0), ("drop", ["raw:abc", "raw:abc"], 0), ("fail", ["raw:abc"], 76),
])
def test_a_bad_check_when_decoding(netkit, bad, lines, status):
    done = netkit.run("frame", "decode", "--codec", RTU, "--bad", bad, stdin=GOOD + BAD + GOOD)
    assert (done.status, done.lines) == (status, lines)
    assert (b"the check of a frame is wrong (--bad)" in done.err) == (bad == "fail")


def test_checks_in_json(netkit):
    done = netkit.run("frame", "decode", "--codec", RTU, "--json", stdin=GOOD + BAD)
    assert [record.get("check") for record in done.records] == ["ok", "bad", None]
    assert done.records[-1]["bad_checks"] == 1
    assert "check" not in netkit.run("frame", "decode", "--codec", "u8", "--json", stdin=b"\x01a").records[0]


@pytest.mark.parametrize("bad", ["show", "drop", "fail"])
def test_a_bad_check_at_the_client(netkit, bad):
    with Server() as server:
        client = netkit.start("frame", "connect", server.address, "--codec", RTU, "--bad", bad, "--send", "q", "--json")
        client.close_stdin()
        peer = server.accept()
        peer.expect(b"\x03q" + crc(b"q"))
        peer.send(BAD + GOOD)
        assert client.wait() == (69 if bad == "fail" else 0) or bad == "fail" and client.wait() == 76
        records = [json.loads(line) for line in client.out.rest().splitlines()]
        assert [record.get("check") for record in records[:-1]] == {"show": ["bad", "ok"], "drop": ["ok"], "fail": []}[bad]
        assert records[-1]["bad_checks"] == 1 and records[-1]["answers"] == (0 if bad == "fail" else 1)


def test_a_bad_check_at_the_server(netkit):
    server = netkit.serve("frame", "serve", "127.0.0.1:0", "--codec", RTU, "--rule", "abc => yes")
    peer = connect(server.address)
    peer.send(BAD + GOOD)
    peer.expect(b"\x05yes" + crc(b"yes"))
    server.out.expect(rb"bad check: abc\n[^\n]* abc\n")
    strict = netkit.serve("frame", "serve", "127.0.0.1:0", "--codec", RTU, "--rule", "abc => yes", "--bad", "fail")
    peer = connect(strict.address)
    peer.send(GOOD + BAD + GOOD)
    assert peer.at_end() == b"\x05yes" + crc(b"yes")
    strict.err.expect(rb"closed: the check of a frame is wrong \(--bad\)")


@pytest.mark.parametrize("codec, frame, noise", [
    ("start=24,end=0a", b"$%s\n", [b"junk", b"$half$", b"$", b"\n\n"]),
    ("slip", b"\xc0%s\xc0", [b"junk", b"\xc0\xc0\xc0", b"\xc0\xdbx\xc0"]),
    ("jt808", None, [b"junk", b"\x7e\x7d\x05\x7e", b"\x7e\x7e"]),
    ("nmea", None, [b"junk\r\n", b"$half", b"$A*00\r\n"]),
])
def test_every_good_frame_comes_out_of_noise(netkit, codec, frame, noise):
    bodies = [b"$BODY%d" % i if codec == "nmea" else b"BODY%d" % i for i in range(20)]
    stream = b""
    for i, body in enumerate(bodies):
        wire = frame % body if frame else netkit.run("frame", "encode", "--codec", codec, stdin=b"raw:" + body + b"\n").out
        stream += noise[i % len(noise)] + wire
    done = netkit.run("frame", "decode", "--codec", codec, "--bad", "drop", "--json", stdin=stream)
    texts = [record["text"] for record in done.records if record["type"] == "frame"]
    assert [text.encode() for text in texts if "BODY" in text] == bodies
    end = done.records[-1]
    assert end["bad_frames"] + end["bad_checks"] + end["skipped"] > 0


def test_a_device_client_fails_over_registers_again_and_resends(netkit):
    first, second = (netkit.serve("frame", "serve", "127.0.0.1:0", "--broadcast") for _ in range(2))
    client = netkit.start("frame", "connect", "-k", f"{first.address},{second.address}", "--register", f"{APPID},{IMEI}",
                          "--reconnect-max", "50ms")
    client.out.expect(rb"register ok\n")
    client.write("7:a\n")
    client.out.expect(rb"7 ok\n")
    first.signal(signal.SIGKILL)
    client.write("8:b\n")
    second.out.expect(rb"register appid=[^\n]*\n[^\n]* 8 b\n")
    client.out.expect(rb"register ok\n8 ok\n")
    client.err.expect(rb"connection lost: [^\n]*; trying [^\n]*\n")


def test_a_bad_check_that_nothing_follows_is_counted(netkit):
    silent = netkit.serve("frame", "serve", "127.0.0.1:0", "--codec", "modbus-rtu", "--json")
    peer = connect(silent.address)
    peer.send(b"\x01\x03\0\0\0\x01\0\0")
    assert silent.out.json()["check"] == "bad"
    assert silent.stop() == 0
    assert silent.out.json()["bad_checks"] == 1
    lines = netkit.serve("frame", "serve", "127.0.0.1:0", "--codec", "line,check=xor8", "--json")
    peer = connect(lines.address)
    peer.send(b"ab\x04")
    peer.sock.shutdown(socket.SHUT_WR)
    assert lines.out.json()["check"] == "bad"
    assert lines.stop() == 0
    assert lines.out.json()["bad_checks"] == 1
