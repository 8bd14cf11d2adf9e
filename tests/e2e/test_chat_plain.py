"""The plain dialect of chat, byte for byte: a Python peer on either side, and nc."""

import json
import signal
import socket
import time

import pytest

from netkit import host_port, udp_socket


def member(server):
    sock = udp_socket()
    sock.connect(host_port(server.address))
    return sock


def name(sock):
    return ("%s:%d" % sock.getsockname()).encode()


def assert_silent(sock, duration=0.2):
    sock.settimeout(duration)
    with pytest.raises(TimeoutError):
        sock.recv(65536)
    sock.settimeout(20)


def test_everybody_hears_it_the_speaker_too(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    ann, bob = member(server), member(server)
    ann.send(b"reg")
    server.out.expect(rb"^\* %s joined\n" % name(ann))
    bob.send(b"  123abc \r\n")
    for sock in (ann, bob):
        assert sock.recv(65536) == b"[%s] 123abc\n" % name(bob)
    server.out.expect(rb"^\[%s\] 123abc\n" % name(bob))


def test_control_words_are_not_answered(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    ann, bob = member(server), member(server)
    for word in (b"reg", b"reg\n", b"^hb^", b" ^hb^\n", b"", b"   \n"):
        ann.send(word)
    bob.send(b"quit")  # a stranger's
    ann.send(b"now")
    assert ann.recv(65536) == b"[%s] now\n" % name(ann)
    assert_silent(ann)
    assert_silent(bob)
    assert b"joined" not in server.out.data.replace(name(ann) + b" joined", b"")


def test_quit_leaves_unanswered(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    ann, bob = member(server), member(server)
    ann.send(b"reg")
    ann.send(b"quit\n")
    server.out.expect(rb"^\* %s left \(quit\)\n" % name(ann))
    bob.send(b"alone")
    assert bob.recv(65536) == b"[%s] alone\n" % name(bob)
    assert_silent(ann)


@pytest.mark.parametrize("template, expected", [
    ("ack: {text}", b"ack: 123abc"),
    ("ack: {ip} {port}\\n{text}\\n", b"ack: 127.0.0.1 %d\n123abc\n"),
    ("{seq} {name} {peer}", b"1 127.0.0.1:%d 127.0.0.1:%d"),
])
def test_template_is_what_plain_members_get(netkit, template, expected):
    server = netkit.serve("chat", "serve", "127.0.0.1:0", "--template", template)
    ann = member(server)
    ann.send(b"123abc")
    port = ann.getsockname()[1]
    assert ann.recv(65536) == (expected % ((port,) * expected.count(b"%d")))
    server.out.expect(rb"^\[%s\] 123abc\n" % name(ann))  # the template is not for stdout


def test_nc_takes_part(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0", "--template", "ack: {text}")
    answer = netkit.shell(f"echo 123abc | nc -u -w1 127.0.0.1 {server.port}")
    assert answer.out == b"ack: 123abc"


def test_the_lease_ends_without_any_traffic(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0", "--lease", "300ms")
    ann = member(server)
    ann.send(b"reg")
    server.out.expect(rb"joined\n")
    began = time.monotonic()
    server.out.expect(rb"^\* %s left \(lease\)\n" % name(ann))
    assert time.monotonic() - began > 0.2


@pytest.mark.realtime
def test_one_who_was_evicted_hears_no_more(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0", "--lease", "1s", "--template", "{text}")
    ann, bob = member(server), member(server)
    ann.send(b"reg")
    server.out.expect(rb"^\* %s left \(lease\)\n" % name(ann))
    bob.send(b"anybody?")
    assert bob.recv(65536) == b"anybody?"
    ann.send(b"me")  # a stranger who speaks is registered
    assert [ann.recv(65536), bob.recv(65536)] == [b"me", b"me"]
    server.out.expect(rb"^\* %s joined\n" % name(ann))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_room_says_end_when_it_closes(netkit, number):
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    ann = member(server)
    ann.send(b"reg")
    server.out.expect(rb"joined\n")
    assert server.stop(number) == 0
    assert ann.recv(65536) == b"end"


def test_quiet_prints_nothing_and_a_full_room_takes_nobody(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0", "--max-members", "1", "--stats")
    ann, bob = member(server), member(server)
    ann.send(b"reg")
    server.out.expect(rb"joined\n")
    bob.send(b"let me in")
    assert_silent(ann)
    assert server.stop() == 0
    assert b"dropped full 1" in server.err.data


def test_a_message_that_is_too_long_is_counted(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0", "-q", "--stats")
    ann = member(server)
    for size in (65001, 65000):
        ann.send(b"x" * size)
    assert ann.recv(65536) == b"[%s] %s\n" % (name(ann), b"x" * 65000)
    assert server.stop() == 0
    assert b"messages 1," in server.err.data and b"dropped long 1," in server.err.data


def test_plain_none_takes_no_plain_members(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0", "--plain", "none")
    ann = member(server)
    ann.send(b"hello")
    assert_silent(ann)
    assert server.out.data == b""


def test_rate_limits_one_member(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0", "--rate", "5/s", "--json")
    ann = member(server)
    for i in range(40):
        ann.send(b"%d" % i)
    ann.send(b"quit")
    server.out.expect(rb'"left"')
    server.stop()
    end = json.loads(server.out.data.splitlines()[-1])
    assert 5 <= end["messages"] < 20
    assert end["messages"] + end["dropped_rate"] == 40


def test_hostile_bytes_are_shown_and_passed_on_unchanged(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0", "--template", "{text}")
    ann = member(server)
    evil = b"\x1b]52;c;aGk=\x07 \xc2\x9b1m \xe2\x80\xaelive \xff"
    ann.send(evil)
    assert ann.recv(65536) == evil
    line = server.out.expect(rb"^\[[^\n]*aGk[^\n]*\n").group(0)
    assert line.endswith(b"\\x1b]52;c;aGk=\\x07 \\xc2\\x9b1m \\xe2\\x80\\xaelive \\xff\n")


def test_join_plain_speaks_as_a_script_would(netkit):
    room = udp_socket()
    address = "127.0.0.1:%d" % room.getsockname()[1]
    process = netkit.start("chat", "join", address, "--plain", "--heartbeat", "200ms")
    data, peer = room.recvfrom(65536)
    assert data == b"reg"
    assert room.recv(65536) == b"^hb^"
    process.write(b"  as typed \n")
    while (data := room.recv(65536)) == b"^hb^":
        pass
    assert data == b"  as typed "
    room.sendto(b"one", peer)
    room.sendto(b"two\n", peer)
    assert process.out.line() == b"one"
    assert process.out.line() == b"two"
    process.close_stdin()
    while (data := room.recv(65536)) == b"^hb^":
        pass
    assert data == b"quit"
    assert process.wait() == 0
    assert process.out.rest() == b""


def test_join_plain_sends_nothing_else(netkit):
    """All that it sends in a run, byte for byte; control words and commands are lines like others."""
    room = udp_socket()
    result = netkit.run("chat", "join", "127.0.0.1:%d" % room.getsockname()[1], "--plain", "--heartbeat", "none",
                        "--name", "ann", stdin=b"one\r\n\n /quit \nreg\n//x\n\xff\x00\xf5\nlast")
    assert (result.status, result.out, result.err) == (0, b"", b"")
    room.setblocking(False)
    sent = []
    while True:
        try:
            sent.append(room.recv(65536))
        except BlockingIOError:
            break
    assert sent == [b"reg", b"one", b"", b" /quit ", b"reg", b"//x", b"\xff\x00\xf5", b"last", b"quit"]


def test_join_plain_gives_a_sign_of_life_at_its_interval(netkit):
    room = udp_socket()
    process = netkit.start("chat", "join", "127.0.0.1:%d" % room.getsockname()[1], "--plain", "--heartbeat", "300ms")
    assert room.recv(65536) == b"reg"
    began = time.monotonic()
    assert [room.recv(65536) for _ in range(4)] == [b"^hb^"] * 4
    assert time.monotonic() - began > 0.9  # four intervals, the first begun before it was looked at
    assert process.stop() == 0
    assert room.recv(65536) in (b"quit", b"^hb^")


@pytest.mark.parametrize("words", [("--since", "all"), ("--commands",)])
def test_join_plain_cannot_do_what_its_dialect_has_no_words_for(netkit, words):
    done = netkit.run("chat", "join", "9", "--plain", *words)
    assert done.status == 2 and done.err == (
        f"netkit: chat: --plain and {words[0]} cannot be combined; see 'netkit chat join --help'\n".encode())


def test_join_plain_ends_when_the_room_does(netkit):
    room = udp_socket()
    process = netkit.start("chat", "join", "127.0.0.1:%d" % room.getsockname()[1], "--plain", "--reconnect", "never")
    data, peer = room.recvfrom(65536)
    assert data == b"reg"
    room.sendto(b"end", peer)
    assert process.wait() == 69
    assert b"has closed" in process.err.data


def test_join_plain_comes_back_to_a_room_that_closed(netkit):
    room = udp_socket()
    process = netkit.start("chat", "join", "127.0.0.1:%d" % room.getsockname()[1], "--plain")
    peer = room.recvfrom(65536)[1]
    room.sendto(b"end", peer)
    process.err.expect(rb"the room has closed; trying again in ")
    room.settimeout(20)
    assert room.recvfrom(65536)[0] == b"^hb^"


def test_join_plain_in_a_netkit_room(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    process = netkit.start("chat", "join", server.address, "--plain")
    server.out.expect(rb"joined\n")
    process.write(b"hello\n")
    assert process.out.line().endswith(b"] hello")
    assert process.stop(signal.SIGINT) == 0
    server.out.expect(rb"left \(quit\)\n")


def test_ipv6(netkit):
    server = netkit.serve("chat", "serve", "[::1]:0")
    sock = udp_socket(socket.AF_INET6)
    sock.sendto(b"hi", ("::1", server.port))
    assert sock.recv(65536) == b"[[::1]:%d] hi\n" % sock.getsockname()[1]
