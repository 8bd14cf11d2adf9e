"""netkit frame over a long life: what it sends when, its prompt, its sockets, and a lack of descriptors."""

import base64
import ctypes
import os
import re
import socket
import subprocess

import pytest

from frame_peer import (APPID, DATETIME, HEARTBEAT, IMEI, REGISTER, Server, answer, connect, free_port, is_served,
                        request)
from netkit import Terminal, clean_environment, netkit_path, wait_until


@pytest.fixture
def server():
    with Server() as scripted:
        yield scripted


def test_heartbeats_go_out_from_the_connect_on_before_the_registration_is_answered(netkit, server):
    client = netkit.start("frame", "connect", server.address, "-k", "--register", f"{APPID},{IMEI}", "--heartbeat",
                          "50ms", "--misses", "100", "--send", "datetime")
    peer = server.accept()
    peer.expect(REGISTER + HEARTBEAT)
    peer.send(answer(0))
    while (content := peer.content()) == b"\x01":
        pass
    assert content == DATETIME[4:]
    assert client.stop() == 0


def test_every_form_of_a_message(netkit, server, tmp_path):
    (tmp_path / "body").write_bytes(b"\0\xffbody")
    lines = ["7:hello: you", "-128:", "127:hex:00 ff:Ab", "8:base64:AP8=", "9:@body", "heartbeat", "datetime ",
             f"register:{APPID},{IMEI}", "raw:\x07text", "raw:hex:0700", "raw:base64:BwA=", "raw:@body"]
    wanted = [request(7, b"hello: you"), request(-128), request(127, b"\0\xff\xab"), request(8, b"\0\xff"),
              request(9, b"\0\xffbody"), HEARTBEAT, DATETIME, REGISTER, request(7, b"text"), request(7, b"\0"),
              request(7, b"\0"), request(0, b"\xffbody")]
    options = [word for line in lines for word in ("--send", line)]
    client = netkit.start("frame", "connect", server.address, "--heartbeat", "none", *options, cwd=tmp_path)
    client.write("\n".join(lines) + "\n")
    client.close_stdin()
    peer = server.accept()
    peer.expect(b"".join(wanted) * 2)
    peer.send(b"".join(answer(int.from_bytes(frame[4:5], "big", signed=True)) for frame in wanted) * 2)
    assert client.wait() == 0 and client.err.rest() == b""
    encoded = netkit.run("frame", "encode", stdin="\n".join(lines), cwd=tmp_path)
    assert encoded.status == 0 and encoded.out == b"".join(wanted)


def test_an_answer_that_comes_after_its_request_went_out_again_is_named(netkit, server):
    client = netkit.start("frame", "connect", server.address, "-k", "--reconnect-max", "50ms", "--heartbeat", "none",
                          "--send", "7:a", "--send", "8:b")
    first = server.accept()
    first.expect(request(7, b"a") + request(8, b"b"))
    first.close()
    second = server.accept()
    second.expect(request(7, b"a") + request(8, b"b"))
    second.send(answer(7, 0, b"old") + answer(7, 0, b"new"))
    client.err.expect(rb"answer 7 is late or a duplicate: 1 request is waiting for another answer\n")
    second.send(answer(8))
    client.out.expect(rb"7 old\n7 new\n8 ok\n")
    assert client.stop() == 0


def test_what_was_never_sent_is_named_too(netkit):
    client = netkit.start("frame", "connect", f"127.0.0.1:{free_port()}", "--reconnect", "1", "--reconnect-max", "10ms",
                          "--send", "7:a", "--json")
    client.write("datetime\n")
    client.close_stdin()
    assert client.wait() == 69
    assert re.search(rb"no answer to \d requests?: #1 7 \(not sent\)", client.err.rest())
    assert b'"ok":false' in client.out.rest().splitlines()[-1]


def test_answers_appear_above_the_prompt_and_the_line_stays(netkit, server):
    terminal = netkit.terminal("frame", "connect", server.address, "-k", "--heartbeat", "none")
    peer = server.accept()
    terminal.expect(rb"> ")
    terminal.type("7:hal")
    terminal.expect(rb"7:hal")
    peer.send(answer(9, 0, b"news"))
    terminal.expect(rb"(?s)9 news\r\n.*> 7:hal")
    terminal.type("f\n")
    peer.expect(request(7, b"half"))
    peer.send(answer(7, 0, b"\x1b[2Jdone"))
    terminal.expect(rb"7 \\x1b\[2Jdone\r\n")
    terminal.type("\x04")
    peer.close()


def test_ctrl_d_leaves_a_session_that_stays_open(netkit):
    server = netkit.serve("frame", "serve", "127.0.0.1:0")
    terminal = netkit.terminal("frame", "connect", server.address, "-k")
    terminal.expect(rb"> ")
    terminal.type("\x04")
    assert terminal.wait() == 0


@pytest.mark.parametrize("words, sentence", [
    (["frame", "serve", "127.0.0.1:0"], rb"the input has ended; clients are still served\r\n"),
    (["sse", "serve", "127.0.0.1:0"], rb"the source has ended; readers are still served\r\n")], ids=["frame", "sse"])
def test_ctrl_d_leaves_a_server_which_goes_on(netkit, words, sentence):
    terminal = netkit.terminal(*words)
    terminal.expect(rb"> ")
    terminal.type("\x04")
    terminal.expect(sentence)
    terminal.type("\x03")
    assert terminal.wait() == 0


def test_a_job_in_the_background_is_not_stopped_for_its_terminal(netkit):
    shell = Terminal(["bash", "--norc", "-i"], {**clean_environment(), "TERM": "dumb", "PS1": "ready$ "}, 24, 200)
    try:
        shell.expect(rb"ready\$ ")
        shell.type(f"{netkit_path()} frame serve 127.0.0.1:0 &\n")
        address = shell.expect(rb"listening on tcp (127\.0\.0\.1:\d+)\r\n").group(1).decode()
        peer = connect(address)
        peer.send(HEARTBEAT)
        peer.expect(answer(1))
        shell.type(f"{netkit_path()} frame connect -k {address} --send datetime &\n")
        shell.expect(rb"datetime \d{4}-")
        shell.type("kill %1 %2; wait; exit\n")
        assert shell.wait() == 0
    finally:
        shell.cleanup()


def sockets_of(pid):
    """Copies of the TCP sockets of a process."""
    libc, pidfd = ctypes.CDLL(None, use_errno=True), os.pidfd_open(pid)
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            copy = libc.syscall(438, pidfd, int(name), 0)  # pidfd_getfd
            if copy < 0:
                continue
            try:
                sock = socket.socket(fileno=copy)
            except OSError:
                os.close(copy)
                continue
            if sock.family == socket.AF_INET and sock.type == socket.SOCK_STREAM:
                yield sock
            else:
                sock.close()
    finally:
        os.close(pidfd)


def test_keepalive_and_the_user_timeout_are_set(netkit, server):
    client = netkit.start("frame", "connect", server.address, "-k", "--user-timeout", "1500ms", "--send", "7:a")
    peer = server.accept()
    assert peer.request() == (7, b"a")
    (sock,) = sockets_of(client.pid)
    with sock:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 1500
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_the_server_survives_a_lack_of_descriptors(netkit):
    server = netkit.serve("frame", "serve", "127.0.0.1:0")
    subprocess.run(["prlimit", f"--pid={server.pid}", "--nofile=40:4096"], check=True)
    first = connect(server.address)
    first.send(HEARTBEAT)
    first.expect(answer(1))
    others = [connect(server.address) for _ in range(60)]
    server.err.expect(rb"cannot accept a connection: too many open files\n")
    first.send(HEARTBEAT)  # who is there is served
    first.expect(answer(1))
    subprocess.run(["prlimit", f"--pid={server.pid}", "--nofile=4096:4096"], check=True)
    for other in others:
        other.close()
    wait_until(lambda: is_served(server.address), what="a free descriptor")


def test_a_start_up_as_postgresql_has_it(netkit):
    """Its first packet is a length that counts itself, and no type; what follows has a type in front."""
    parameters = b"\0\3\0\0user\0ann\0database\0books\0\0"
    start_up = (len(parameters) + 4).to_bytes(4, "big") + parameters
    ready = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I"
    with Server() as database:
        proxy = netkit.serve("frame", "proxy", "127.0.0.1:0", database.address, "--codec", "u32,adjust=-4", "--json")
        client = connect(proxy.address)
        client.send(start_up)
        behind = database.accept()
        behind.expect(start_up)
        record = proxy.out.json()
        assert (record["dir"], record["length"], record["text"].encode()) == ("out", len(start_up), parameters)
        behind.send(ready)
        client.expect(ready)
        proxy.err.expect(rb" < a frame of length \d+ exceeds the limit [^\n]*; forwarded without decoding\n")
        client.send(b"Q\0\0\0\x0dselect 1\0")
        behind.expect(b"Q\0\0\0\x0dselect 1\0")


@pytest.mark.parametrize("codec, wire, content", [
    ("u16", b"\0\x02hi", "hi"),  # a field that comes first is taken off, and put on
    ("u16,strip=0", b"\0\x02hi", "hex:00026869"),
    ("u16,offset=2", b"AB\0\x02hi", "hex:414200026869"),  # what stands before it is kept
    ("varint", b"\x02hi", "hi"),
    ("u32le,adjust=-4", b"\x06\0\0\0hi", "hi"),
])
def test_what_decode_prints_encode_takes_in_every_codec(netkit, codec, wire, content):
    decoded = netkit.run("frame", "decode", "--codec", codec, stdin=wire * 2)
    assert decoded.lines == [f"raw:{content}"] * 2
    assert netkit.run("frame", "encode", "--codec", codec, stdin=decoded.out).out == wire * 2
    record = netkit.run("frame", "decode", "--codec", codec, "--json", stdin=wire).records[0]
    body = record["text"].encode() if "text" in record else base64.b64decode(record["base64"])
    assert body == (bytes.fromhex(content[4:]) if content.startswith("hex:") else content.encode())


def test_a_codec_that_strips_what_nobody_knows_decodes_and_does_not_encode(netkit):
    decoded = netkit.run("frame", "decode", "--codec", "u16,offset=2,strip=4", stdin=b"AB\0\x02hi")
    assert decoded.lines == ["raw:hi"]
    encoded = netkit.run("frame", "encode", "--codec", "u16,offset=2,strip=4", stdin="raw:hi\n")
    assert encoded.status == 2 and b"strip=0" in encoded.err
