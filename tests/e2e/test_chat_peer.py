"""Peer mode: no server."""

import json
import re
import signal

from netkit import udp_socket, wait_until


def peer(netkit, *args):
    process = netkit.serve("chat", "peer", "--bind", "127.0.0.1:0", *args)
    process.write("")
    return process


def address(sock):
    return "127.0.0.1:%d" % sock.getsockname()[1]


def test_lines_go_to_every_peer_from_the_bound_address(netkit):
    one, two = udp_socket(), udp_socket()
    process = peer(netkit, address(one), address(two))
    process.write("hello  there \n")
    for sock in (one, two):
        assert sock.recvfrom(65536) == (b"hello  there ", ("127.0.0.1", process.port))
    one.sendto(b"hi\nthere", ("127.0.0.1", process.port))
    assert process.out.line() == address(one).encode() + b" hi\\x0athere"
    assert process.stop(signal.SIGINT) == 0


def test_to_and_peers_are_obeyed_from_a_pipe(netkit):
    one, two = udp_socket(), udp_socket()
    process = peer(netkit, address(one))
    process.write(f"first\n/to {address(two)}\nsecond\n//x\n/y\n/peers\n")
    assert one.recv(65536) == b"first"
    assert [two.recv(65536) for _ in range(3)] == [b"second", b"/x", b"/y"]
    process.err.expect(rb"peer %s\n" % address(two).encode())


def test_both_directions_in_the_history_file(netkit, tmp_path):
    log = tmp_path / "talk.log"
    other = udp_socket()
    process = peer(netkit, address(other), "--history", log)
    process.write("out\n")
    other.recv(65536)
    other.sendto(b"in\nside \x1b", ("127.0.0.1", process.port))
    process.out.line()
    wait_until(lambda: log.read_bytes().count(b"\n") == 2, what="the history")
    sent, received = log.read_text().splitlines()
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
    assert re.fullmatch(f"{stamp} > {address(other)} out", sent)
    assert re.fullmatch(rf"{stamp} < {address(other)} in\\x0aside \\x1b", received)
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_full_disk_is_said_once_and_the_chat_goes_on(netkit):
    other = udp_socket()
    process = peer(netkit, address(other), "--history", "/dev/full")
    process.write("one\ntwo\n")
    assert [other.recv(65536) for _ in range(2)] == [b"one", b"two"]
    other.sendto(b"back", ("127.0.0.1", process.port))
    process.out.expect(rb" back\n")
    assert process.stop() == 74
    assert process.err.data.count(b"(--history)") == 1
    assert process.err.data.endswith(b"netkit: chat: 3 lines are missing in /dev/full\n")


def test_two_peers_talk(netkit):
    one = peer(netkit)
    two = peer(netkit, one.address, "--json")
    two.write("hello\n")
    assert one.out.line() == b"%s hello" % two.address.encode()
    one.write(f"/to {two.address}\nhello yourself\n")
    record = json.loads(two.out.line())
    assert (record["type"], record["peer"], record["text"]) == ("message", one.address, "hello yourself")


def test_a_peer_is_named_by_its_host_as_well(netkit):
    one = udp_socket()
    process = peer(netkit)
    process.write("/to localhost:%d\nhello\n/to nowhere\n/to nosuchhost.invalid:1\nstill to the same\n" % one.getsockname()[1])
    assert [one.recv(65536) for _ in range(2)] == [b"hello", b"still to the same"]
    process.err.expect(rb"talking to %s\n.*nowhere.*nosuchhost\.invalid" % address(one).encode())


def test_a_peer_that_is_not_there_stops_nobody(netkit):
    gone, other = udp_socket(), udp_socket()
    process = peer(netkit, address(gone), address(other))
    gone.close()
    process.write("one\ntwo\n")
    assert [other.recv(65536) for _ in range(2)] == [b"one", b"two"]
    assert process.stop() == 0


def test_a_line_that_no_datagram_holds_is_said(netkit):
    other = udp_socket()
    process = peer(netkit, address(other))
    process.write("x" * 65508 + "\nnext\n")
    assert other.recv(65536) == b"next"
    process.err.expect(rb"cannot send to %s: message too long\n" % address(other).encode())


def test_it_ends_after_its_input(netkit):
    other = udp_socket()
    result = netkit.run("chat", "peer", address(other), "--bind", "127.0.0.1:0", "--wait", "100ms",
                        stdin="one\ntwo")
    assert result.status == 0
    assert [other.recv(65536) for _ in range(2)] == [b"one", b"two"]


def test_without_peers_it_says_so(netkit):
    result = netkit.run("chat", "peer", "--bind", "127.0.0.1:0", "--wait", "50ms", stdin="lost\n")
    assert b"there is no peer" in result.err
