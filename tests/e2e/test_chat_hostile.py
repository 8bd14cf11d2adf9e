"""Members that were made to do harm: the room goes on for the others, and ends when it is told to.

NETKIT_ROOM_MEMBERS makes the room larger in which one asks too much."""

import os
import struct
import time

import pytest

from native_peer import ChatPeer
from native_server import accept, answer_connect
from netkit import host_port, udp_socket

MESSAGE, SAY = 1, 65
MEMBERS = int(os.environ.get("NETKIT_ROOM_MEMBERS", "1000"))


def test_a_count_of_lost_messages_is_no_work(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    hostile = ChatPeer(udp_socket(), host_port(server.address), b"eve")
    for _ in range(10):
        hostile.gap(100_000_000)
        hostile.gap(0xFFFFFFFF)
    hostile.send(b"\x00\x03" + bytes([SAY, 0]) + b"!")
    assert server.out.line() == b"* eve joined"
    assert server.out.line() == b"[eve] !"
    assert netkit.run("chat", "join", server.address, "--name", "ann", stdin="hello\n").status == 0
    assert server.out.line() == b"* ann joined"
    assert server.out.line() == b"[ann] hello"
    assert server.stop() == 0


@pytest.mark.parametrize("time", [9_223_372_036_854_776, 1 << 63, 0xFFFFFFFFFFFFFFFF])
def test_a_time_beyond_any_clock_is_not_a_message(netkit, time):
    room = udp_socket()
    member = netkit.start("chat", "join", "127.0.0.1:%d" % room.getsockname()[1], "--name", "ann", "--json")
    welcome = struct.pack(">BQIQQI", 1, 7, 1, 1, 0, 0)
    session = []
    answer_connect(room, lambda key: session.append(accept(key, welcome)) or session[0])
    member.err.expect(rb"joined")
    for seq, us in ((1, time), (2, 1)):
        text = bytes([MESSAGE, 0]) + struct.pack(">IQ", 9, us) + b"\x03bob" + b"hi %d" % seq
        body = b"\x01" + struct.pack(">Q", seq) + bytes([len(text)]) + text
        header = b"\xf5\x02\x06\x01" + session[0][12:20] + struct.pack(">IIHH", seq, 1, 64, 0)
        room.sendto(header + body, member_address(room))
    assert member.out.json()["text"] == "hi 2"
    assert member.stop() in (0, 69)


def member_address(room):
    return room.recvfrom(2048)[1]


REQUESTS = {"who": b"\x44", "sync": b"\x45", "nothing": b""}
ASKED = 45_000  # times each


def test_requests_whose_answers_cost_much_do_not_keep_the_others_waiting(netkit):
    """Against a full room: what one member asks, as often as it fits into 45 KB, for all that he may."""
    server = netkit.serve("chat", "serve", "127.0.0.1:0", "-q", "--lease", "60s")
    load = netkit.start(argv=[os.environ["NETKIT_BUILD"] + "/tests/session_load", "chat", server.port, MEMBERS, len(REQUESTS)])
    load.out.expect(rb"^joined\n", 100)
    for name, request in REQUESTS.items():
        hostile = ChatPeer(udp_socket(), host_port(server.address), b"eve " + name.encode())
        together = 1000 // (1 + len(request))
        for _ in range(ASKED // together):
            hostile.send(b"\x00" + (bytes([len(request)]) + request) * together)
            hostile.acknowledge()
        began = time.monotonic()
        assert netkit.run("chat", "join", server.address, "--name", "ann", stdin="hello\n").status == 0, name
        assert time.monotonic() - began < 3, name
    load.out.expect(rb"^heard\n", 20)
    load.close_stdin()
    assert load.wait() == 0 and server.stop() == 0
