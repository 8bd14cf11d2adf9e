"""Sessions of chat and push whose address changes on the way, in clear and with keys; and who only pretends that."""

import json

import pytest

from keys import sides  # noqa: F401
from netkit import host_port, udp_socket, wait_until
from relay import Relay, relays  # noqa: F401

HEARTBEAT = "200ms"


@pytest.fixture
def keys(sides):
    return sides("ann", "ben")


def received(process):
    process.out._pump(0)
    return process.out.data.count(b"\n")


def test_a_subscriber_moves_and_misses_nothing(netkit, keys, relays):
    """Who only listens is missed at his next heartbeat, after 5 s."""
    server = netkit.serve("push", "serve", "127.0.0.1:0", *keys(None), "--every", "10ms", "--message", "{seq}",
                          "--min-subscribers", "1", sockets=2)
    relay = relays(server, loss=0.05, seed=2)
    client = netkit.start("push", "subscribe", relay.address, *keys("ann"), "--json", "--count", "400")
    wait_until(lambda: received(client) > 30, what="records")
    relay.move()
    assert client.wait() == 0, client.err.data
    *pushed, end = [json.loads(line) for line in client.out.rest().splitlines()]
    first = pushed[0]["seq"]
    assert [record["seq"] for record in pushed] == list(range(first, first + 400))
    assert end["subscribed"] == 1 and end["lost"] == 0


def test_two_members_move_at_once_and_stay_who_they_are(netkit, keys, relays):
    room = netkit.serve("chat", "serve", "127.0.0.1:0", *keys(None))
    relay = relays(room)
    ann, ben = (netkit.start("chat", "join", relay.address, *keys(name), "--heartbeat", HEARTBEAT) for name in
                ("ann", "ben"))
    for member in (ann, ben):
        member.err.expect(rb"joined ")
    room.out.expect(rb"ben joined.*|ann joined.*ben joined")
    for i in range(5):
        relay.move()
        ann.write(f"a{i}\n")
        ben.write(f"b{i}\n")
        ben.out.expect(rf"^\[ann\] a{i}\n".encode())
        ann.out.expect(rf"^\[ben\] b{i}\n".encode())
    room.stop()
    assert b"left" not in room.out.data


def test_a_move_during_the_handshake(netkit, keys, relays):
    room = netkit.serve("chat", "serve", "127.0.0.1:0", *keys(None))
    relay = relays(room)
    seen = []
    relay.tap = lambda data, from_client: seen.append(data) if from_client else None
    ann = netkit.start("chat", "join", relay.address, *keys("ann"), "--heartbeat", HEARTBEAT)
    for count in (1, 2):
        wait_until(lambda: len(seen) >= count, what="a handshake")
        relay.move()
    ann.err.expect(rb"joined ")
    ann.write("hello\n")
    room.out.expect(rb"\[ann\] hello\n")


def test_who_saw_a_datagram_moves_nothing_and_ends_nothing(netkit, keys, relays):
    room = netkit.serve("chat", "serve", "127.0.0.1:0", *keys(None))
    relay = relays(room)
    seen = []
    relay.tap = lambda data, from_client: seen.append(data) if from_client else None
    ann = netkit.start("chat", "join", relay.address, *keys("ann"), "--heartbeat", HEARTBEAT)
    ann.err.expect(rb"joined ")
    ann.write("hello\n")
    room.out.expect(rb"\[ann\] hello\n")
    with udp_socket() as thief:
        thief.settimeout(0.2)
        largest = max(map(len, seen))
        for data in seen:
            forged = [data, data[:2] + b"\x08" + data[3:24] + b"\0bye", data[:2] + b"\x09" + data[3:12]]
            for one in forged if data[0] == 0xF5 else forged[:1]:
                thief.sendto(one, host_port(room.address))
        answers = []
        with pytest.raises(TimeoutError):
            while True:
                answers.append(thief.recv(2048))
        assert all(len(answer) <= largest for answer in answers)
        assert not [answer for answer in answers if b"hello" in answer]
    for i in range(3):
        ann.write(f"still here {i}\n")
        room.out.expect(rf"\[ann\] still here {i}\n".encode())
    assert b"left" not in room.out.data


def test_a_client_whose_own_way_is_cut_tries_another_port(netkit, keys, relays):
    """Nothing that is sent from the port it has comes through any more, as after a change of its network."""
    room = netkit.serve("chat", "serve", "127.0.0.1:0", *keys(None))
    blocked = set()

    class Cut(Relay):
        def _forward(self, sock, data, to):
            client = self.backs.get(sock) if sock is not self.front else to
            if client in blocked:
                return
            super()._forward(sock, data, to)

    relay = Cut(host_port(room.address))
    try:
        ann = netkit.start("chat", "join", relay.address, *keys("ann"), "--heartbeat", HEARTBEAT)
        ann.err.expect(rb"joined ")
        blocked.update(relay.clients)
        ann.write("from elsewhere\n")
        room.out.expect(rb"\[ann\] from elsewhere\n")
        assert len(relay.clients) > 1 and b"left" not in room.out.data
    finally:
        relay.close()
