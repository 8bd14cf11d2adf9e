"""netkit push: plain subscribers, the TCP control channel, and what `serve` prints about them."""

import contextlib
import os
import re
import shutil
import signal
import socket

import pytest

from netkit import (DEADLINE, Terminal, clean_environment, host_port, netkit_path, receive_to_end, tcp_connect, udp_socket,
                    wait_until)

TIME = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def serve(netkit, *args, **kwargs):
    return netkit.serve("push", "serve", "0", *args, sockets=2, **kwargs)


def register(server, name, sock=None):
    sock = sock or udp_socket()
    sock.sendto(name.encode(), host_port(server.address))
    server.out.expect(rb"127\.0\.0\.1:%d subscribed %s\n" % (sock.getsockname()[1], name.strip().encode()))
    return sock


class Control:
    """A control connection, as nc would have it."""

    def __init__(self, server):
        self.sock = tcp_connect(server.address)
        self.file = self.sock.makefile("rb")

    def ask(self, line):
        self.sock.sendall(line.encode() + b"\n")
        return self.line()

    def line(self):
        return self.file.readline().decode().rstrip("\n")

    def list(self):
        count = int(self.ask("LIST").removeprefix("OK "))
        return [self.line() for _ in range(count)]

    def close(self):
        self.file.close()
        self.sock.close()


def test_five_plain_subscribers_get_the_time(netkit):
    server = serve(netkit, "--every", "100ms")
    peers = [register(server, f"peer{i}\n") for i in range(5)]
    for peer in peers:
        for _ in range(2):
            data, sender = peer.recvfrom(1024)
            assert TIME.fullmatch(data)
            assert sender == host_port(server.address)


def test_a_name_that_registers_again_moves(netkit):
    server = serve(netkit, "--from", "-")
    old = register(server, "ann")
    port = old.getsockname()[1]
    new = udp_socket()
    new.sendto(b"ann", host_port(server.address))
    server.out.expect(rb"127\.0\.0\.1:%d unsubscribed ann\n127\.0\.0\.1:%d subscribed ann\n" %
                      (port, new.getsockname()[1]))
    server.write("hello\n")
    assert new.recv(100) == b"hello"
    old.setblocking(False)
    with pytest.raises(BlockingIOError):
        old.recv(100)


def test_a_record_is_its_text_and_nothing_else(netkit):
    server = serve(netkit, "--from", "-")
    peer = register(server, "ann")
    server.write(b"one\r\n\x00\xfftwo\n\n" + b"x" * 60000 + b"\n")
    assert [peer.recv(65536) for _ in range(4)] == [b"one", b"\x00\xfftwo", b"", b"x" * 60000]


def test_records_of_one_turn_stay_datagrams_of_their_own(netkit):
    server = serve(netkit, "--from", "-")
    peer = register(server, "ann")
    lines = [b"line %04d" % i for i in range(200)]
    server.write(b"\n".join(lines) + b"\n")
    assert [peer.recv(1024) for _ in lines] == lines


def test_the_control_channel_subscribes_and_unsubscribes(netkit):
    server = serve(netkit, "--from", "-")
    peer = udp_socket()
    port = peer.getsockname()[1]
    control = Control(server)
    assert control.ask(f"SUBSCRIBE ann {port}") == "OK"
    assert control.list() == [f"ann 127.0.0.1:{port}"]
    server.write("one\n")
    assert peer.recv(100) == b"one"
    assert control.ask("UNSUBSCRIBE ann") == "OK"
    assert control.list() == []
    assert control.ask("UNSUBSCRIBE ann").startswith("ERR ")
    assert control.ask("SUBSCRIBE ann").startswith("ERR ")
    assert control.ask("SUBSCRIBE ann 70000").startswith("ERR ")
    assert control.ask("HELLO").startswith("ERR ")
    assert control.ask("QUIT") == "OK"
    assert control.line() == ""


def test_the_roster_is_in_the_order_in_which_they_came(netkit):
    server = serve(netkit, "--from", "-")
    control = Control(server)
    names = ["eve", "dan", "cid", "bob", "ann"]
    for name in names:
        assert control.ask(f"SUBSCRIBE {name} {5001 + names.index(name)}") == "OK"
    assert control.ask("SUBSCRIBE dan 5009") == "OK"
    order = ["eve", "cid", "bob", "ann", "dan"]
    assert [line.split()[0] for line in control.list()] == order
    assert [line.split()[0] for line in netkit.run("push", "status", server.port).lines] == order


def test_the_roster_has_names_as_they_are_in_json_and_escaped_in_text(netkit):
    server = netkit.serve("push", "serve", "0", sockets=2)
    names = ["esc\x1b[2J", "C:\\dir", r"\x1b", 'quo"te', "two\nlines"]
    with contextlib.ExitStack() as open_sockets:
        for name in names:
            open_sockets.enter_context(udp_socket()).sendto(name.encode(), host_port(server.address))
            server.out.expect(rb" subscribed ")
        roster = netkit.run("push", "status", server.port, "--json").records
        assert [record["name"] for record in roster[:-1]] == names
        lines = netkit.run("push", "status", server.port).lines
        assert [line.split(" 127.")[0] for line in lines] == [r"esc\x1b[2J", r"C:\dir", r"\x1b", 'quo"te', r"two\x0alines"]


def test_the_last_control_line_needs_no_newline(netkit):
    server = serve(netkit, "--from", "-")
    sock = tcp_connect(server.address)
    sock.sendall(b"SUBSCRIBE ann 5001\nLIST")
    sock.shutdown(socket.SHUT_WR)
    assert receive_to_end(sock) == b"OK\nOK 1\nann 127.0.0.1:5001\n"
    server.out.expect(rb"unsubscribed ann\n")


def test_closing_the_control_connection_unsubscribes_what_it_holds(netkit):
    server = serve(netkit, "--from", "-")
    first, second = Control(server), Control(server)
    assert first.ask("SUBSCRIBE ann 5001") == "OK"
    assert first.ask("SUBSCRIBE bob 5002") == "OK"
    assert second.ask("SUBSCRIBE bob 5003") == "OK"
    first.close()
    server.out.expect(rb"127\.0\.0\.1:5001 unsubscribed ann\n")
    assert second.list() == ["bob 127.0.0.1:5003"]


@pytest.mark.parametrize("nc", ["nc.openbsd", "nc.traditional"])
def test_nc_is_a_control_client(netkit, nc):
    program = shutil.which(nc) or shutil.which("nc")
    server = serve(netkit, "--from", "-")
    process = netkit.start(argv=[program, *map(str, host_port(server.address))])
    process.write("SUBSCRIBE ann 5001\nLIST\n")
    process.out.expect(rb"\AOK\nOK 1\nann 127\.0\.0\.1:5001\n")
    process.write("UNSUBSCRIBE ann\nQUIT\n")
    process.out.expect(rb"OK\nOK\n")


def test_a_line_that_is_too_long_closes_its_connection_only(netkit):
    server = serve(netkit, "--from", "-")
    other, bad = Control(server), Control(server)
    assert bad.ask("x" * 600).startswith("ERR ")
    assert bad.line() == ""
    assert other.list() == []


def test_a_port_that_is_gone_is_unsubscribed(netkit):
    server = serve(netkit, "--from", "-")
    peer, healthy = register(server, "gone"), register(server, "here")
    peer.close()
    server.write("one\n")
    server.out.expect(rb"unsubscribed gone\n")
    server.write("two\n")
    assert [healthy.recv(100), healthy.recv(100)] == [b"one", b"two"]


def test_plain_none_takes_nobody(netkit):
    server = serve(netkit, "--from", "-", "--plain", "none")
    peer = udp_socket()
    peer.sendto(b"ann", host_port(server.address))
    control = Control(server)
    assert control.list() == []
    assert "--plain" in control.ask("SUBSCRIBE ann 5000")


def test_a_server_never_subscribes_itself(netkit):
    server = serve(netkit, "--from", "-")
    control = Control(server)
    assert control.ask(f"SUBSCRIBE loop {server.port}").startswith("ERR ")


def test_max_subscribers_refuses_and_names_the_option(netkit):
    server = serve(netkit, "--from", "-", "--max-subscribers", "1")
    register(server, "ann")
    peer = udp_socket()
    peer.sendto(b"bob", host_port(server.address))
    server.err.expect(rb"refused: full: 1 subscribers? \(--max-subscribers\)")
    assert "--max-subscribers" in Control(server).ask("SUBSCRIBE cid 5000")
    result = netkit.run("push", "subscribe", server.port, "--reconnect", "never")
    assert result.status == 75, result


def test_last_greets_a_newcomer(netkit):
    server = serve(netkit, "--from", "-", "--last")
    first = register(server, "first")
    server.write("one\ntwo\n")
    assert [first.recv(100), first.recv(100)] == [b"one", b"two"]
    assert register(server, "second").recv(100) == b"two"
    result = netkit.run("push", "subscribe", server.port, "--count", "1", "--json")
    assert result.records[0]["seq"] == 2 and result.records[0]["text"] == "two"


def test_names_cannot_move_the_cursor(netkit):
    server = serve(netkit, "--from", "-")
    peer = udp_socket()
    peer.sendto(b"a\x1b[2J\nb", host_port(server.address))
    assert server.out.line().endswith(rb" subscribed a\x1b[2J\x0ab")
    assert Control(server).list()[0].startswith(r"a\x1b[2J\x0ab 127.0.0.1:")


def test_json_says_who_comes_and_why_they_go(netkit):
    server = serve(netkit, "--from", "-", "--json")
    peer = udp_socket()
    peer.sendto(b"ann", host_port(server.address))
    came = server.out.json()
    assert came["type"] == "subscribed" and came["name"] == "ann" and came["kind"] == "plain"
    assert came["peer"] == "127.0.0.1:%d" % peer.getsockname()[1]
    assert Control(server).ask("UNSUBSCRIBE ann") == "OK"
    went = server.out.json()
    assert went["type"] == "unsubscribed" and went["reason"] == "unsubscribed"
    server.close_stdin()
    assert server.out.json()["type"] == "end"


def test_plain_subscribe_against_a_small_server(netkit):
    server = udp_socket()
    client = netkit.start("push", "subscribe", "%s:%d" % server.getsockname(), "--plain", "--name", "ann",
                          "--count", "2")
    data, peer = server.recvfrom(100)
    assert data == b"ann"
    server.sendto(b"2026-11-20 15:12:29", peer)
    server.sendto(b"again", peer)
    assert client.wait() == 0
    assert client.out.data == b"2026-11-20 15:12:29\nagain\n"
    client.err.expect(rb"subscribed to 127\.0\.0\.1:%d as ann\n" % server.getsockname()[1])


def test_plain_subscribe_ends_when_refused_and_told_not_to_come_back(netkit):
    probe = udp_socket()
    port = probe.getsockname()[1]
    probe.close()
    result = netkit.run("push", "subscribe", port, "--plain", "--reconnect", "never")
    assert result.status == 69, result


def test_ipv6_and_every_interface(netkit):
    server = netkit.serve("push", "serve", ":0", "--from", "-", sockets=4)
    peers = [udp_socket(), udp_socket(socket.AF_INET6)]
    peers[0].sendto(b"four", ("127.0.0.1", server.port))
    peers[1].sendto(b"six", ("::1", server.port))
    server.out.expect(rb"subscribed \w+\n.*subscribed \w+\n")
    server.write("hello\n")
    assert [peer.recv(100) for peer in peers] == [b"hello", b"hello"]


def test_the_address_in_use_is_said(netkit):
    server = serve(netkit, "--from", "-")
    result = netkit.run("push", "serve", server.port)
    assert result.status == 69 and b"in use" in result.err


def test_a_stopped_server_exits_with_zero_and_totals(netkit):
    server = serve(netkit, "--from", "-")
    register(server, "ann")
    server.write("one\n")
    assert server.stop() == 0
    assert b"records 1" in server.err.data.replace(b"=", b" ")


def test_many_forged_names_of_one_address_are_one_subscription(netkit):
    server = serve(netkit, "--from", "-")
    peer = udp_socket()
    for i in range(100):
        peer.sendto(b"name%d" % i, host_port(server.address))
    control = Control(server)
    wait_until(lambda: control.list() == ["name99 127.0.0.1:%d" % peer.getsockname()[1]], DEADLINE)


def test_a_source_at_a_terminal_does_not_stop_a_job_in_the_background(netkit):
    shell = Terminal(["bash", "--norc", "-i"], {**clean_environment(), "TERM": "dumb", "PS1": "ready$ "}, 24, 200)
    try:
        shell.expect(rb"ready\$ ")
        shell.type(f"{netkit_path()} push serve 127.0.0.1:0 --from - &\n")
        pid = int(shell.expect(rb"\[1\] (\d+)").group(1))
        address = shell.expect(rb"listening on tcp (127\.0\.0\.1:\d+)\r\n").group(1).decode()
        with tcp_connect(address) as control:
            control.sendall(b"LIST\n")
            assert control.recv(100) == b"OK 0\n"
        os.kill(pid, signal.SIGKILL)
    finally:
        shell.cleanup()
