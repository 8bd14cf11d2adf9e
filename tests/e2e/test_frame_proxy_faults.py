"""netkit frame proxy: TLS on either side, and faults on purpose."""

import json
import os
import socket
import struct
import time

import pytest

from certificates import make_family
from frame_peer import DATETIME, HEARTBEAT, Server, answer, connect, request
from netkit import wait_until


def proxied(netkit, *args):
    server = netkit.serve("frame", "serve", "127.0.0.1:0")
    return netkit.serve("frame", "proxy", "127.0.0.1:0", server.address, *args)


def test_tls_on_either_side(netkit, tmp_path):
    make_family(tmp_path)
    pair = ["--cert", tmp_path / "server.pem", "--key", tmp_path / "server.key"]
    server = netkit.serve("frame", "serve", "127.0.0.1:0", *pair)
    plain = netkit.serve("frame", "proxy", "127.0.0.1:0", server.address, "--tls", "--cacert", tmp_path / "ca.pem")
    assert netkit.run("frame", "connect", plain.address, "--send", "7:a").lines == ["7 error -1"]
    plain.out.expect(rb"> 7 a\n[^\n]*< 7 error -1\n")
    both = netkit.serve("frame", "proxy", "127.0.0.1:0", plain.address, *pair)
    done = netkit.run("frame", "connect", both.address, "--tls", "--cacert", tmp_path / "ca.pem", "--send", "7:b")
    assert done.lines == ["7 error -1"]
    both.out.expect(rb"> 7 b\n")
    untrusting = netkit.serve("frame", "proxy", "127.0.0.1:0", server.address, "--tls")
    assert connect(untrusting.address).at_end() == b""
    untrusting.err.expect(rb"target: [^\n]*certificate")


def test_a_target_that_does_not_speak_tls_is_a_failure(netkit):
    with Server() as silent:
        proxy = netkit.serve("frame", "proxy", "127.0.0.1:0", silent.address, "--tls", "--insecure",
                             "--connect-timeout", "300ms", "--json")
        assert connect(proxy.address).at_end() == b""
        proxy.err.expect(rb"no TLS handshake within --connect-timeout")
        assert proxy.stop() == 0
        assert json.loads(proxy.out.rest().splitlines()[-1])["failures"] == 1


def test_what_is_not_decoded_and_delayed_has_a_bound(netkit):
    proxy = proxied(netkit, "--fault", "delay=60s")
    peer = connect(proxy.address)
    with pytest.raises(OSError):
        for _ in range(64):
            peer.send(b"GET / HTTP/1.1\r\n" + bytes(1 << 20))
        peer.at_end()
    proxy.err.expect(rb"closed: more than 16M are queued \(--fault\)")


def test_delay(netkit):
    peer = connect(proxied(netkit, "--fault", "delay=150ms").address)
    began = time.monotonic()
    peer.send(HEARTBEAT + request(7))
    peer.expect(answer(1) + answer(7, -1))
    assert time.monotonic() - began >= 0.3, "there and back"


def segments_with_data(sock):
    """So many have come, however many of them one call reads: tcpi_data_segs_in of linux/tcp.h."""
    return struct.unpack_from("=I", sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 160), 152)[0]


def test_split(netkit):
    with Server() as target:
        proxy = netkit.serve("frame", "proxy", "127.0.0.1:0", target.address, "--fault", "split=3")
        peer = connect(proxy.address)
        peer.send(request(7, b"0123456789"))
        behind = target.accept()
        behind.expect(request(7, b"0123456789"))
        assert segments_with_data(behind.sock) == 5


def test_corrupt(netkit):
    server = netkit.serve("frame", "serve", "127.0.0.1:0", "--codec", "slip,check=crc16-modbus", "--json")
    proxy = netkit.serve("frame", "proxy", "127.0.0.1:0", server.address, "--codec", "slip,check=crc16-modbus",
                         "--fault", "corrupt=100%")
    peer = connect(proxy.address)
    stream = netkit.run("frame", "encode", "--codec", "slip,check=crc16-modbus", stdin="hello\n" * 50).out
    peer.send(stream)
    peer.sock.shutdown(socket.SHUT_WR)
    assert peer.at_end() == b""
    assert server.stop() == 0
    records = server.out.rest()
    assert b'"check":"ok"' not in records and b'"check":"bad"' in records
    proxy.out.expect(rb"> hello\n")


def test_reset_after_so_many_frames(netkit):
    proxy = proxied(netkit, "--fault", "reset=3")
    peer = connect(proxy.address)
    peer.send(HEARTBEAT)
    peer.expect(answer(1))
    peer.send(HEARTBEAT)
    with pytest.raises(ConnectionResetError):
        while peer.sock.recv(100):
            pass
    proxy.err.expect(rb"reset after 3 frames \(--fault\)")


def test_a_client_gets_through_a_bad_way(netkit):
    proxy = proxied(netkit, "--fault", "delay=20ms", "--fault", "split=2")
    done = netkit.run("frame", "connect", proxy.address, stdin="".join(f"7:{i}\n" for i in range(5)))
    assert done.status == 0 and len(done.lines) == 5


@pytest.mark.parametrize("fault", ["late", "delay=", "delay=0", "split=0", "corrupt=101%", "reset=x", "delay=none"])
def test_a_fault_that_is_none(netkit, fault):
    done = netkit.run("frame", "proxy", "0", "127.0.0.1:9", "--fault", fault)
    assert done.status == 2 and b"delay=D, split=BYTES, corrupt=P% or reset=FRAMES" in done.err


def test_bad_checks_end_the_connection_with_bad_fail(netkit):
    with Server() as target:
        proxy = netkit.serve("frame", "proxy", "127.0.0.1:0", target.address, "--codec", "line,check=xor8", "--bad", "fail")
        peer = connect(proxy.address)
        peer.send(b"ab\x03\nab\x04\n")
        behind = target.accept()
        behind.expect(b"ab\x03\n")
        assert peer.at_end() == b""
        proxy.err.expect(rb"closed: the check of a frame is wrong \(--bad\)")


def test_what_is_no_frame_is_forwarded_as_well(netkit):
    with Server() as target:
        proxy = netkit.serve("frame", "proxy", "127.0.0.1:0", target.address, "--fault", "delay=1ms")
        peer = connect(proxy.address)
        behind = target.accept()
        peer.send(HEARTBEAT + b"\xff\xff")
        behind.expect(HEARTBEAT)
        peer.send(b"\xff\xff, no length")
        behind.expect(b"\xff\xff\xff\xff, no length")
        proxy.err.expect(rb"forwarded without decoding\n")
        peer.send(b", nor this")
        behind.expect(b", nor this")


@pytest.mark.parametrize("says_more", [False, True])
def test_what_is_late_comes_after_both_have_ended(netkit, says_more):
    with Server() as target:
        proxy = netkit.serve("frame", "proxy", "127.0.0.1:0", target.address, "--fault", "delay=300ms")
        peer = connect(proxy.address)
        behind = target.accept()
        if says_more:  # to a target that has gone, which resets the connection
            peer.send(HEARTBEAT)
            behind.expect(HEARTBEAT)
        behind.send(answer(7))
        behind.close()
        proxy.out.expect(rb"< 7 ok\n")
        if says_more:
            peer.send(HEARTBEAT)
        peer.sock.shutdown(socket.SHUT_WR)
        assert peer.at_end() == answer(7)


def test_a_bad_check_at_the_end_is_counted(netkit):
    with Server() as target:
        proxy = netkit.serve("frame", "proxy", "127.0.0.1:0", target.address, "--codec", "line,check=xor8", "--json")
        peer = connect(proxy.address)
        peer.send(b"ab\x04")
        peer.sock.shutdown(socket.SHUT_WR)
        assert target.accept().at_end() == b"ab\x04"
        assert proxy.stop() == 0
        assert b'"bad_checks":1,' in proxy.out.rest()


def test_unfinished_frames_take_so_much_memory_together(netkit):
    with Server() as target:
        proxy = netkit.serve("frame", "proxy", "127.0.0.1:0", target.address, "--max-frame", "15M")
        peers = []
        for _ in range(5):
            peers.append(connect(proxy.address))
            behind = target.accept()
            peers[-1].send(struct.pack(">I", 15 << 20))
            for _ in range(14):
                peers[-1].send(bytes(1 << 20))
                behind.exactly(1 << 20)
        proxy.err.expect(rb"> too many unfinished frames at once \(--max-frame\); forwarded without decoding\n")
        peers[-1].send(b"the rest")
        assert behind.exactly(4 + 8)[4:] == b"the rest"


def test_what_is_no_whole_frame_at_the_end_is_forwarded(netkit):
    with Server() as target:
        proxy = netkit.serve("frame", "proxy", "127.0.0.1:0", target.address, "--fault", "delay=1ms")
        peer = connect(proxy.address)
        behind = target.accept()
        peer.send(HEARTBEAT + HEARTBEAT[:3])
        peer.sock.shutdown(socket.SHUT_WR)
        assert behind.at_end() == HEARTBEAT + HEARTBEAT[:3]


def test_a_client_that_did_not_read_leaves_nothing_behind(netkit):
    """The target does not read what its client asked before it has got rid of its answers."""
    target = netkit.serve("frame", "serve", "127.0.0.1:0", "-q")
    proxy = netkit.serve("frame", "proxy", "127.0.0.1:0", target.address, "-q")
    before = os.listdir(f"/proc/{proxy.pid}/fd")
    peer = connect(proxy.address)
    peer.sock.settimeout(0.3)
    with pytest.raises(TimeoutError):
        while True:
            peer.sock.send(DATETIME * 200_000)
    assert len(os.listdir(f"/proc/{proxy.pid}/fd")) > len(before)
    peer.reset()
    wait_until(lambda: os.listdir(f"/proc/{proxy.pid}/fd") == before)
