"""netkit frame serve: many clients, bad clients, and what goes to all of them."""

import json
import os
import select
import signal
import socket

import pytest

from frame_peer import (APPID, HEARTBEAT, IMEI, REGISTER, answer, connect, is_served, request)
from netkit import host_port, is_sanitized, wait_until
from programs import resident


def serve(netkit, *args, **kwargs):
    return netkit.serve("frame", "serve", "127.0.0.1:0", *args, **kwargs)


def test_unfinished_frames_of_all_clients_have_a_bound(netkit):
    server = serve(netkit, "--max-frame", "256k", "--max-memory", "512k", "--json")
    half = b"\0\3\xff\xff" + bytes(200_000)
    peers = [socket.create_connection(host_port(server.address)) for _ in range(3)]
    for peer in peers:
        peer.sendall(half)
    server.err.expect(rb"closed: unfinished frames fill 512k \(--max-memory\)\n")
    for peer in peers:
        peer.close()
    wait_until(lambda: is_served(server.address))
    assert server.stop() == 0
    assert json.loads(server.out.data.splitlines()[-1])["dropped_memory"] == 1


def test_half_frames_cost_what_they_sent_and_are_closed(netkit):
    server = serve(netkit, "--frame-timeout", "1s")
    before = resident(server.pid)
    peers = [socket.create_connection(host_port(server.address)) for _ in range(1000)]
    for peer in peers:
        peer.sendall(b"\0\x10\0\0\x07half")
    probe = connect(server.address)  # its answer comes after all that was sent before
    probe.send(HEARTBEAT)
    probe.expect(answer(1))
    assert resident(server.pid) - before < (32 << 20) * (8 if is_sanitized() else 1)  # red zones cost memory
    for peer in peers:
        peer.settimeout(20)
        assert peer.recv(1) == b""
        peer.close()
    server.err.expect(rb"a frame took longer than 1s \(--frame-timeout\): 9 of 1048580 bytes received")
    probe.send(HEARTBEAT)
    probe.expect(answer(1))


def test_a_frame_that_takes_too_long_is_named(netkit):
    server = serve(netkit, "--frame-timeout", "200ms")
    peer = connect(server.address)
    peer.send(REGISTER[:20])
    assert peer.at_end() == b""
    server.err.expect(rb"a frame took longer than 200ms \(--frame-timeout\): 20 of 56 bytes received")
    peer = connect(server.address)
    peer.send(REGISTER[:2])
    assert peer.at_end() == b""
    server.err.expect(rb"a frame took longer than 200ms \(--frame-timeout\): 2 bytes received")


def test_trickling_bytes_do_not_extend_a_frame(netkit):
    server = serve(netkit, "--frame-timeout", "300ms")
    peer = connect(server.address)
    peer.send(b"\0\x10\0\0")
    with pytest.raises(OSError):  # a byte every 10 ms is no progress that counts
        for _ in range(2000):
            peer.send(b"x")
            if select.select([peer.sock], [], [], 0.01)[0] and not peer.sock.recv(1):
                raise ConnectionResetError
    server.err.expect(rb"a frame took longer than 300ms \(--frame-timeout\)")


@pytest.mark.parametrize("opening, name", [
    (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP"),
    (b"POST / HTTP/1.1\r\n", b"HTTP"),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"TLS"),
    (b"SSH-2.0-OpenSSH_9.2\r\n", b"SSH"),
])
def test_other_protocols_are_closed_and_named(netkit, opening, name):
    server = serve(netkit)
    peer = connect(server.address)
    peer.send(opening)
    assert peer.at_end() == b""
    server.err.expect(rb"closed: it speaks " + name + rb", not frames\n")


@pytest.mark.realtime
def test_a_client_that_is_held_to_its_rate_is_not_idle(netkit):
    server = serve(netkit, "--codec", "line", "--rate", "6/m", "--idle-timeout", "200ms", "--json")
    with socket.create_connection(host_port(server.address)) as client:
        for text in ("one", "two", "three"):
            client.sendall(text.encode() + b"\n")
            if text != "three":
                server.out.expect(text.encode())
        assert not select.select([client], [], [], 0.5)[0]  # nor closed


@pytest.mark.realtime
def test_idle_clients_are_closed(netkit):
    server = serve(netkit, "--idle-timeout", "200ms")
    peer = connect(server.address)
    peer.send(HEARTBEAT)
    peer.expect(answer(1))
    assert peer.at_end() == b""
    server.err.expect(rb"silent for 200ms \(--idle-timeout\)")


def test_max_clients(netkit):
    server = serve(netkit, "--max-clients", "2")
    peers = [connect(server.address) for _ in range(2)]
    for peer in peers:
        peer.send(HEARTBEAT)
        peer.expect(answer(1))
    assert connect(server.address).at_end() == b""
    server.err.expect(rb"refused: full: 2 clients \(--max-clients\)")
    peers[0].close()
    wait_until(lambda: is_served(server.address), what="a free place")


def test_broadcast_goes_to_the_others(netkit):
    server = serve(netkit, "--broadcast")
    peers = [connect(server.address) for _ in range(3)]
    for peer in peers:
        peer.send(HEARTBEAT)
        peer.expect(answer(1))
    peers[0].send(request(7, b"hello"))
    peers[0].expect(answer(7))
    for peer in peers[1:]:
        peer.expect(answer(7, 0, b"hello"))
    assert server.out.line().endswith(b" 7 hello")


def test_broadcast_between_two_netkit_clients(netkit):
    server = serve(netkit, "--broadcast")
    listener = netkit.start("frame", "connect", server.address, "-k", "--send", "datetime")
    listener.out.expect(rb"datetime [^\n]*\n")
    assert netkit.run("frame", "connect", server.address, "--send", "7:hello there").lines == ["7 ok"]
    assert listener.out.line() == b"7 hello there"
    assert listener.stop(signal.SIGINT) == 0
    assert listener.err.rest().count(b"\n") == 1  # the totals


def test_lines_of_stdin_go_to_all(netkit, tmp_path):
    (tmp_path / "body").write_bytes(b"\0body")
    server = serve(netkit)
    peers = [connect(server.address) for _ in range(2)]
    for peer in peers:
        peer.send(HEARTBEAT)
        peer.expect(answer(1))
    server.write(f"9:news\nraw:hex:0a0001\n8:@{tmp_path}/body\ndatetime\nnonsense\n")
    for peer in peers:
        peer.expect(answer(9, 0, b"news") + b"\0\0\0\x03\x0a\0\x01" + answer(8, 0, b"\0body") + answer(2))
    server.err.expect(rb"message 'nonsense'")
    server.close_stdin()
    peers[0].send(HEARTBEAT)  # the end of stdin ends nothing
    peers[0].expect(answer(1))


def test_messages_that_reach_nobody_are_said_once(netkit):
    server = serve(netkit)
    server.write("/who\n7:one\n7:two\n")
    server.err.expect(rb"frame: there are no clients\n.*frame: there are no clients: messages reach nobody\n")
    peer = connect(server.address)
    peer.send(HEARTBEAT)
    peer.expect(answer(1))
    server.write("7:three\n")
    peer.expect(answer(7, 0, b"three"))
    assert server.stop() == 0 and server.err.data.count(b"reach nobody") == 1


@pytest.mark.realtime
def test_a_standard_input_that_is_closed_is_none(netkit):
    closed = {"stdin": None, "preexec": lambda: os.close(0)}
    server = serve(netkit, **closed)
    client = netkit.start("frame", "connect", server.address, "--send", "datetime", **closed)
    assert client.wait() == 0 and client.out.rest().startswith(b"datetime ")
    stays = netkit.start("frame", "connect", server.address, "-k", "--show", "heartbeats", "--heartbeat", "10ms", **closed)
    stays.out.expect(rb"^heartbeat ok\n")
    assert stays.stop(signal.SIGINT) == 0
    # With nothing else to ask, it is missed.
    lost = netkit.start("frame", "connect", server.address, **closed)
    assert lost.wait() == 74 and lost.err.rest().startswith(b"netkit: frame: cannot read standard input: ")
    assert server.stop() == 0


def test_the_roster(netkit):
    server = serve(netkit, "--json")
    registered, stranger = connect(server.address), connect(server.address)
    registered.send(REGISTER)
    registered.expect(answer(0))
    stranger.send(HEARTBEAT)
    stranger.expect(answer(1))
    assert server.out.json()["name"] == "register"
    server.write("/who\n")
    clients = sorted((server.out.json() for _ in range(2)), key=lambda c: "appid" in c)
    assert [c["type"] for c in clients] == ["client"] * 2
    assert "appid" not in clients[0] and clients[0]["frames"] == 1
    assert (clients[1]["appid"], clients[1]["imei"]) == (APPID, IMEI)


def test_stop_closes_clients_and_counts(netkit):
    server = serve(netkit, "--json")
    peer = connect(server.address)
    peer.send(HEARTBEAT + request(7))
    peer.expect(answer(1) + answer(7, -1))
    server.signal(signal.SIGTERM)
    assert peer.at_end() == b""
    assert server.wait() == 0
    record, end = [json.loads(line) for line in server.out.rest().splitlines()]
    assert record["name"] == "7"
    assert (end["ok"], end["frames"], end["heartbeats"], end["custom"], end["errors"]) == (True, 2, 1, 1, 1)


def test_a_second_server_is_refused(netkit):
    server = serve(netkit)
    done = netkit.run("frame", "serve", server.address)
    assert done.status == 69 and b"address already in use" in done.err


def test_every_interface_has_two_sockets(netkit):
    server = netkit.serve("frame", "serve", ":0", sockets=2)
    for address in (f"127.0.0.1:{server.port}", f"[::1]:{server.port}"):
        peer = connect(address)
        peer.send(HEARTBEAT)
        peer.expect(answer(1))


def test_quiet_prints_nothing(netkit):
    server = netkit.start("frame", "serve", "127.0.0.1:0", "-q", "--ready-fd", "1")
    address = server.out.expect(rb"tcp (\S+)\n").group(1).decode()
    peer = connect(address)
    peer.send(REGISTER + request(7))
    peer.expect(answer(0) + answer(7, -1))
    assert server.stop() == 0
    assert server.out.rest() == b""
    assert server.err.rest().startswith(b"netkit: frame: listening on tcp ") and server.err.data.count(b"\n") == 1


def test_who_does_not_read_loses_messages_and_nobody_else(netkit):
    server = serve(netkit, "--max-queue", "64k")
    deaf, peer = connect(server.address), connect(server.address)
    deaf.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    for client in (deaf, peer):
        client.send(HEARTBEAT)
        client.expect(answer(1))
    text = b"x" * 60000
    for _ in range(200):
        server.write(b"7:" + text + b"\n")
        peer.expect(answer(7, 0, text))
    server.err.expect(rb"is slow: a message to it was dropped \(--max-queue\)")


def test_interactive(netkit):
    server = serve(netkit, "--broadcast")
    terminal = netkit.terminal("frame", "connect", server.address)
    terminal.expect(rb"> ")
    terminal.type("date\t\n")
    terminal.expect(rb"datetime \d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
    terminal.type("\x04")
    assert terminal.wait() == 0
