"""Every exit status of netkit-chat(1), brought about, but for those of test_exit_common.py."""

import functools
import signal
import struct

import pytest

import exit_status
from exit_ways import AS_OTHERS, LONG_LINE, TOLD, by_second_signal, silent, words_of  # noqa: F401
from keys import key_file
from native_server import accept, answer_connect, answer_hello, version
from netkit import netkit_path, udp_socket, wait_until
from redis_server import Redis

ends = functools.partial(exit_status.ends, "chat")


@pytest.fixture
def room(netkit):
    return netkit.serve("chat", "serve", "127.0.0.1:0")


def joined(netkit, room, *args):
    member = netkit.start("chat", "join", room.address, "--name", "ann", *args)
    member.err.expect(rb"joined ")
    return member


def address_of(sock):
    return "127.0.0.1:%d" % sock.getsockname()[1]


@ends("0 done")
def test_count_is_reached(netkit, room):
    member = joined(netkit, room, "-c", "1")
    assert netkit.run("chat", "join", room.address, "--name", "bob", stdin=b"hello\n").status == 0
    return member


@ends("0 done")
def test_peer_at_end_of_input(netkit):
    with udp_socket() as other:
        run = netkit.run("chat", "peer", address_of(other), "--bind", "127.0.0.1:0", "-w", "10ms", stdin=b"hello\n")
        assert other.recv(100) == b"hello"
    return run


@ends("0 the room has acknowledged everything", "join")
def test_everything_is_said(netkit, room):
    run = netkit.run("chat", "join", room.address, "--name", "ann", stdin=b"hello\n")
    room.out.expect(rb"\[ann\] hello\n")
    return run


@TOLD
@ends("0 ended by INT or TERM", "join")
def test_member(netkit, room, signo):
    member = joined(netkit, room)
    member.signal(signo)
    return member


@ends("1 a message was not delivered", "join")
def test_nobody_hears(netkit, silent):
    return netkit.run("chat", "join", silent.address, "--name", "ann", "-w", "10ms", stdin=b"hello\n")


@ends("1 a message was not delivered", "join")
def test_too_long_to_say(netkit, room):
    return netkit.run("chat", "join", room.address, "--name", "ann", stdin=b"x" * 65_001)


@ends("69 the room has closed, or cannot be reached", "join")
def test_room_closes(netkit, room):
    member = joined(netkit, room, "--reconnect", "never")
    room.signal(signal.SIGTERM)
    return member


@ends("69 the room has closed, or cannot be reached", "join")
def test_plain_room_closes(netkit, silent):
    member = netkit.start("chat", "join", silent.address, "--plain", "--reconnect", "never")
    _, address = silent.udp.recvfrom(100)
    silent.udp.sendto(b"end", address)
    return member


@ends("69 the room has closed, or cannot be reached", "join")
def test_nobody_there(netkit):
    with udp_socket() as sock:
        address = address_of(sock)
    return netkit.start("chat", "join", address, "--name", "ann", "--reconnect", "never")


@ends("69 the room has closed, or cannot be reached", "join")
def test_nobody_answers(netkit, silent):
    return netkit.start("chat", "join", silent.address, "--name", "ann", "--reconnect", "never", "--connect-timeout", "10ms")


@ends("69 the room has closed, or cannot be reached", "join")
def test_nobody_to_leave(netkit, silent):
    return netkit.run("chat", "join", silent.address, "--name", "ann", "-w", "10ms")


@ends("74 the history cannot be opened, or lines are missing in it", "serve", "join", "peer")
def test_no_history(netkit, silent, tmp_path, action):
    return netkit.run(*words_of("chat", action, peer=silent.address), "--history", tmp_path / "no" / "log")


@ends("75 the name is taken, or the room is full", "join")
def test_taken(netkit, room):
    joined(netkit, room)
    return netkit.run("chat", "join", room.address, "--name", "ann")


@ends("75 the name is taken, or the room is full", "join")
def test_full(netkit):
    room = netkit.serve("chat", "serve", "127.0.0.1:0", "--max-members", "1")
    joined(netkit, room)
    return netkit.run("chat", "join", room.address, "--name", "bob")


@ends("76 the other side is not a chat room, or speaks another version", "join")
def test_no_room(netkit):
    server = netkit.serve("push", "serve", "127.0.0.1:0", "--every", "1h")
    return netkit.run("chat", "join", server.address, "--name", "ann")


@ends("76 the other side is not a chat room, or speaks another version", "join")
def test_other_version(netkit, silent):
    member = netkit.start("chat", "join", silent.address, "--name", "ann")
    answer_hello(silent.udp, version)
    return member


@ends("76 a line of standard input is longer than 1M", "join", "peer")
def test_long_line(netkit, silent, action):
    patience = ["--wait", "0"] if action == "join" else []
    return netkit.run(*words_of("chat", action, peer=silent.address), *patience, stdin=LONG_LINE)


@ends("77 no permission to write the history", "serve", "join", "peer")
def test_forbidden_history(netkit, silent, tmp_path, action):
    (tmp_path / "log").touch(mode=0)
    return netkit.run(argv=[*AS_OTHERS, netkit_path(), *words_of("chat", action, peer=silent.address), "--history",
                            tmp_path / "log"])


@ends("128+n ended by signal n", "join --count")
def test_member_cut_short(netkit, room):
    member = joined(netkit, room, "--count", "1")
    member.signal(signal.SIGINT)
    return member, signal.SIGINT


@ends("128+n ended at once by a second signal", "join")
def test_leaves_without_goodbye(netkit, silent):
    """A room that takes the member and says nothing more; to leave it would take a second."""
    member = netkit.start("chat", "join", silent.address, "--name", "ann")
    answer_connect(silent.udp, lambda key: accept(key, b"\1" + struct.pack(">QIQQI", 7, 1, 1, 0, 0)))
    member.err.expect(rb"joined ")
    return by_second_signal(member)


@ends("77 the room rejects the key, or requires one", "join")
def test_another_key(netkit, tmp_path):
    server = netkit.serve("chat", "serve", "127.0.0.1:0", "--psk-file", key_file(tmp_path / "there", "ann"))
    return netkit.run("chat", "join", server.address, "--psk-file", key_file(tmp_path / "here", ann="99" * 32))


@ends("78 the key file cannot be read, or others may read it", "serve", "join")
def test_a_key_file_for_others(netkit, tmp_path, action):
    return netkit.run("chat", action, "127.0.0.1:0" if action == "serve" else "9", "--psk-file",
                      key_file(tmp_path / "keys", "ann", mode=0o640))


def put_out(netkit, tmp_path, command):
    """A member whom an operator puts out."""
    room = netkit.serve("chat", "serve", "127.0.0.1:0", "--operators", "ann", "--psk-file",
                        key_file(tmp_path / "room", "ann", "ben"))
    ann, ben = (netkit.start("chat", "join", room.address, "--commands", "--psk-file", key_file(tmp_path / name, name))
                for name in ("ann", "ben"))
    for member in (ann, ben):
        member.err.expect(rb"joined ")
    ann.write(command)
    return ben


PUT_OUT = "75 an operator has kicked the member, or another has joined with the same key"


@ends(PUT_OUT, "join")
def test_kicked(netkit, tmp_path):
    return put_out(netkit, tmp_path, "/kick ben\n")


@ends(PUT_OUT, "join")
def test_two_with_one_key(netkit, tmp_path):
    with_key = ["--psk-file", key_file(tmp_path / "keys", "ann")]
    room = netkit.serve("chat", "serve", "127.0.0.1:0", *with_key)
    members = [netkit.start("chat", "join", room.address, *with_key) for _ in range(2)]
    wait_until(lambda: any(member.popen.poll() is not None for member in members))
    return next(member for member in members if member.popen.poll() is not None)


@ends("77 an operator has banned the member, or its key was revoked", "join")
def test_banned(netkit, tmp_path):
    return put_out(netkit, tmp_path, "/ban ben\n")


@ends("75 the store is unavailable or refuses entries when the server exits", "serve")
def test_store_is_away(netkit, tmp_path):
    """What a room has said meanwhile is in no store."""
    redis = Redis(tmp_path)
    try:
        room = netkit.serve("chat", "serve", "127.0.0.1:0", "--store", f"redis://{redis.address}/t")
        member = joined(netkit, room)
        redis.kill()
        room.err.expect(b"the store is unavailable")
        member.write("hello\n")
        room.out.expect(rb"\[ann\] hello")
        room.signal(signal.SIGTERM)
        room.wait()
        return room
    finally:
        redis.kill()
