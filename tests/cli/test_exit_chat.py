"""Every exit status of netkit-chat(1), brought about."""

import signal
import struct

import pytest

from exit_status import Page
from exit_ways import (AS_OTHERS, LISTEN, LONG_LINE, PEER, add_ends, add_servers, add_set_up, broken_pipe,  # noqa: F401
                       by_second_signal, full_pipe, silent, words_of)
from native_server import accept, answer_connect, answer_hello, version
from netkit import netkit_path, udp_socket

PAGE = Page("chat", {"serve": [LISTEN], "join": [PEER, "--name", "ann"], "peer": [PEER, "--bind", LISTEN]})
add_set_up(PAGE)
add_servers(PAGE)
add_ends(PAGE)


@pytest.fixture
def room(netkit):
    return netkit.serve("chat", "serve", "127.0.0.1:0")


def joined(netkit, room, *args):
    member = netkit.start("chat", "join", room.address, "--name", "ann", *args)
    member.err.expect(rb"joined ")
    return member


def address_of(sock):
    return "127.0.0.1:%d" % sock.getsockname()[1]


@PAGE.way("0 done")
def count_is_reached(netkit, room):
    member = joined(netkit, room, "-c", "1")
    assert netkit.run("chat", "join", room.address, "--name", "bob", stdin=b"hello\n").status == 0
    return member


@PAGE.way("0 done")
def peer_at_end_of_input(netkit):
    with udp_socket() as other:
        run = netkit.run("chat", "peer", address_of(other), "--bind", "127.0.0.1:0", "-w", "10ms", stdin=b"hello\n")
        assert other.recv(100) == b"hello"
    return run


@PAGE.way("0 the room has everything that was said", "join")
def everything_is_said(netkit, room):
    run = netkit.run("chat", "join", room.address, "--name", "ann", stdin=b"hello\n")
    room.out.expect(rb"\[ann\] hello\n")
    return run


@PAGE.told("0 ended by INT or TERM", "join")
def member(netkit, room):
    return joined(netkit, room)


@PAGE.way("1 something that was said is undelivered", "join")
def nobody_hears(netkit, silent):
    return netkit.run("chat", "join", silent.address, "--name", "ann", "-w", "10ms", stdin=b"hello\n")


@PAGE.way("1 something that was said is undelivered", "join")
def too_long_to_say(netkit, room):
    return netkit.run("chat", "join", room.address, "--name", "ann", stdin=b"x" * 65_001)


@PAGE.way("69 the room has closed, or cannot be reached", "join")
def room_closes(netkit, room):
    member = joined(netkit, room)
    room.signal(signal.SIGTERM)
    return member


@PAGE.way("69 the room has closed, or cannot be reached", "join")
def plain_room_closes(netkit, silent):
    member = netkit.start("chat", "join", silent.address, "--plain")
    _, address = silent.udp.recvfrom(100)
    silent.udp.sendto(b"end", address)
    return member


@PAGE.way("69 the room has closed, or cannot be reached", "join")
def nobody_there(netkit):
    with udp_socket() as sock:
        address = address_of(sock)
    return netkit.start("chat", "join", address, "--name", "ann", "--reconnect", "never")


@PAGE.way("69 the room has closed, or cannot be reached", "join")
def nobody_answers(netkit, silent):
    return netkit.start("chat", "join", silent.address, "--name", "ann", "--reconnect", "never", "--connect-timeout", "10ms")


@PAGE.way("69 the room has closed, or cannot be reached", "join")
def nobody_to_leave(netkit, silent):
    return netkit.run("chat", "join", silent.address, "--name", "ann", "-w", "10ms")


@PAGE.way("74 the history cannot be opened, or lines are missing in it", "serve", "join", "peer")
def no_history(netkit, silent, tmp_path, action):
    return netkit.run(*words_of(PAGE, action, peer=silent.address), "--history", tmp_path / "no" / "log")


@PAGE.way("75 the name is taken, or the room is full", "join")
def taken(netkit, room):
    joined(netkit, room)
    return netkit.run("chat", "join", room.address, "--name", "ann")


@PAGE.way("75 the name is taken, or the room is full", "join")
def full(netkit):
    room = netkit.serve("chat", "serve", "127.0.0.1:0", "--max-members", "1")
    joined(netkit, room)
    return netkit.run("chat", "join", room.address, "--name", "bob")


@PAGE.way("76 that is no chat room, or it speaks another version", "join")
def no_room(netkit):
    server = netkit.serve("push", "serve", "127.0.0.1:0", "--every", "1h")
    return netkit.run("chat", "join", server.address, "--name", "ann")


@PAGE.way("76 that is no chat room, or it speaks another version", "join")
def other_version(netkit, silent):
    member = netkit.start("chat", "join", silent.address, "--name", "ann")
    answer_hello(silent.udp, version)
    return member


@PAGE.way("76 a line of standard input is longer than 1M", "join", "peer")
def long_line(netkit, silent, action):
    patience = ["--wait", "0"] if action == "join" else []
    return netkit.run(*words_of(PAGE, action, peer=silent.address), *patience, stdin=LONG_LINE)


@PAGE.way("77 the history may not be written", "serve", "join", "peer")
def forbidden_history(netkit, silent, tmp_path, action):
    (tmp_path / "log").touch(mode=0)
    return netkit.run(argv=[*AS_OTHERS, netkit_path(), *words_of(PAGE, action, peer=silent.address), "--history",
                            tmp_path / "log"])


@PAGE.way("128+n ended at once by a second signal", "join")
def leaves_without_goodbye(netkit, silent):
    """A room that takes the member and says nothing more; to leave it would take a second."""
    member = netkit.start("chat", "join", silent.address, "--name", "ann")
    answer_connect(silent.udp, lambda key: accept(key, b"\1" + struct.pack(">QIQQI", 7, 1, 1, 0, 0)))
    member.err.expect(rb"joined ")
    return by_second_signal(member)


@PAGE.cases()
def test_every_status_of_the_page(request, case):
    case.check(request)
