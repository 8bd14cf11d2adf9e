"""netkit push between netkit and netkit, through a relay that loses, doubles and reorders, and under forgery."""

import json
import select
import socket
import struct

import pytest

from keys import sides  # noqa: F401
from netkit import DEADLINE, host_port, udp_socket, wait_until
from programs import resident
from relay import relays  # noqa: F401


def serve(netkit, *args):
    return netkit.serve("push", "serve", "0", *args, sockets=2)


def subscribe(netkit, address, path, *args):
    with open(path, "wb") as file:
        return netkit.start("push", "subscribe", address, *args, stdout=file)


def records(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_three_subscribers_get_every_line_once_and_in_order(netkit, relays, tmp_path, sides):
    side = sides("s0", "s1", "s2")
    server = serve(netkit, "--from", "-", "--min-subscribers", "3", *side(None))
    relay = relays(server, loss=0.2, double=0.05, reorder=0.1, seed=7)
    paths = [tmp_path / f"out{i}" for i in range(3)]
    clients = [subscribe(netkit, relay.address, path, *side(f"s{i}")) for i, path in enumerate(paths)]
    lines = b"".join(b"line %05d of three thousand, each exactly once and in order\n" % i for i in range(3000))
    big = bytes(32 + i % 90 for i in range(60000)) + b"\n"
    server.write(lines + big)
    server.close_stdin()
    for client, path in zip(clients, paths):
        assert client.wait(60) == 0, client.err.data
        assert path.read_bytes() == lines + big
    assert server.wait(60) == 0
    assert relay.largest <= 1200
    assert relay.dropped > 20


def test_an_outage_within_the_lease_loses_nothing(netkit, relays, tmp_path, sides):
    side = sides("ann")
    server = serve(netkit, "--every", "20ms", "--message", "{seq}", *side(None))
    relay = relays(server, seed=3)
    path = tmp_path / "out"
    client = subscribe(netkit, relay.address, path, "--json", "--count", "150", *side("ann"))
    wait_until(lambda: len(path.read_bytes().splitlines()) > 5)
    relay.outage(1.5)
    assert client.wait(60) == 0
    *pushed, end = records(path)
    first = pushed[0]["seq"]
    assert [r["seq"] for r in pushed] == list(range(first, first + 150))
    assert all(r["type"] == "push" for r in pushed) and end["subscribed"] == 1


@pytest.mark.realtime
def test_an_outage_beyond_lease_and_ring_is_reported_with_the_missing_numbers(netkit, relays, tmp_path, sides):
    side = sides("ann")
    server = serve(netkit, "--every", "20ms", "--message", "{seq}", "--lease", "500ms", "--keep", "10", *side(None))
    relay = relays(server, seed=5)
    path = tmp_path / "out"
    client = subscribe(netkit, relay.address, path, "--json", "--connect-timeout", "500ms", "--reconnect-max", "200ms",
                       *side("ann"))
    wait_until(lambda: len(path.read_bytes().splitlines()) > 5)
    relay.outage(2)
    wait_until(lambda: b'"gap"' in path.read_bytes())
    after = len(path.read_bytes().splitlines()) + 20
    wait_until(lambda: len(path.read_bytes().splitlines()) > after)
    assert client.stop() == 0
    expected = None
    gaps = []
    for record in records(path)[:-1]:
        if record["type"] == "gap":
            gaps.append((record["from"], record["to"]))
            assert record["from"] == expected
            expected = record["to"] + 1
        else:
            assert record["seq"] == (expected or record["seq"])
            expected = record["seq"] + 1
    assert gaps
    assert b"lost records %d to %d (%d)\n" % (*gaps[0], gaps[0][1] - gaps[0][0] + 1) in client.err.data


@pytest.mark.realtime
def test_a_restarted_server_is_joined_again(netkit):
    server = serve(netkit, "--every", "30ms", "--message", "first {seq}", "--lease", "600ms")
    client = netkit.start("push", "subscribe", server.address, "--name", "ann", "--reconnect-max", "100ms")
    client.out.expect(rb"first \d+\n")
    port = server.port
    server.stop(9)
    client.err.expect(rb"trying again in ")
    again = netkit.serve("push", "serve", port, "--every", "30ms", "--message", "second {seq}", sockets=2)
    client.out.expect(rb"second \d+\n")
    client.err.expect(rb"the server was restarted")
    again.out.expect(rb"subscribed ann\n")
    again.stop()


def test_reconnect_never_ends_with_69(netkit):
    port = udp_socket().getsockname()[1]
    result = netkit.run("push", "subscribe", port, "--reconnect", "never", "--connect-timeout", "2s")
    assert result.status == 69, result


HELLO = 64


def hello(nonce):
    return struct.pack(">BBBBQ", 0xF5, 2, 1, 0, nonce).ljust(HELLO, b"\0")


def forged_connect(nonce):
    """CONNECT as `forged` with a cookie that the server has not given."""
    cookie = b"\0\0\0\1" + b"forged cookie..."
    request = struct.pack(">BQQ", 1, 0, 0) + b"forged%d" % nonce
    return struct.pack(">BBBBQ", 0xF5, 2, 3, 0, nonce) + cookie + struct.pack(">IH", 1, 64) + request


def answers(sock):
    """What the socket has been sent."""
    sock.setblocking(False)
    found = []
    try:
        while True:
            found.append(sock.recv(2048))
    except BlockingIOError:
        return found


def test_registrations_without_a_cookie_leave_nothing(netkit, tmp_path):
    server = serve(netkit, "--every", "20ms", "--message", "{seq}")
    path = tmp_path / "out"
    client = subscribe(netkit, server.address, path, "--name", "ann", "--json")
    wait_until(path.read_bytes)
    before = resident(server.pid)
    answered = 0
    # Every address of 127/8 is this machine's. tests/net has 100,000 that are not.
    for block in range(40):
        sockets = []
        for i in range(250):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind((f"127.{block // 250 + 1}.{block % 250}.{i + 1}", 0))
            sock.sendto(hello(block * 250 + i), host_port(server.address))
            sock.sendto(forged_connect(block * 250 + i), host_port(server.address))
            sockets.append(sock)
        assert select.select(sockets, [], [], DEADLINE)[0], "an answer"
        for sock in sockets:
            got = answers(sock)
            assert sum(map(len, got)) <= HELLO + len(forged_connect(0))
            answered += len(got)
            sock.close()
    assert answered > 0
    seen = len(path.read_bytes().splitlines())
    wait_until(lambda: len(path.read_bytes().splitlines()) > seen + 5)
    assert resident(server.pid) - before < 8 << 20
    status = netkit.run("push", "status", server.address, "--json")
    assert [r["name"] for r in status.records[:-1]] == ["ann"]
    assert client.stop() == 0
    *pushed, _ = records(path)
    assert [r["seq"] for r in pushed] == list(range(pushed[0]["seq"], pushed[0]["seq"] + len(pushed)))


def test_plain_registrations_stop_at_max_subscribers(netkit):
    server = serve(netkit, "--from", "-", "--max-subscribers", "100")
    for i in range(500):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((f"127.1.{i // 250}.{i % 250 + 1}", 0))
        sock.sendto(b"name%d" % i, host_port(server.address))
        sock.close()
    server.err.expect(rb"refused: full: 100 subscribers \(--max-subscribers\)")
    status = netkit.run("push", "status", server.address, "--json")
    assert status.records[-1]["subscribers"] == 100
