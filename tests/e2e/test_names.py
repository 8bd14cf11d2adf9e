"""Names with several addresses: the first is of no use, and the right one is found."""

import json

import pytest

from netkit import fake_names, host_port, udp_socket

# At ::1 nobody listens; there is no way to fe80::1, as it lacks the interface.
NAMES = fake_names("shut.example=::1,127.0.0.1 lost.example=fe80::1,127.0.0.1")
every_name = pytest.mark.parametrize("host", ["shut.example", "lost.example"])


def address(host, sock):
    return f"{host}:{sock.getsockname()[1]}"


@every_name
@pytest.mark.parametrize("words, records", [
    (("echo", "send", "{}", "x"), 2), (("echo", "ping", "{}", "-c", "2", "-i", "10ms"), 3),
    (("echo", "bench", "{}", "--duration", "50ms"), 1), (("echo", "bench", "{}", "--duration", "50ms", "--rate", "1000"), 1),
], ids=["send", "ping", "bench", "bench --rate"])
def test_echo_clients_go_on_to_the_next(netkit, host, words, records):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "-q", sockets=2)
    result = netkit.run(*[word.format(f"{host}:{server.port}") for word in words], "--json", "-v", env=NAMES)
    assert result.status == 0, result
    assert len(result.lines) == records and all(record.get("peer") == server.address for record in result.records[:-1])
    end = result.records[-1]
    assert end["received"] > 0 and end.get("lost", 0) == end.get("late", 0) == 0
    if "bench" in words:
        assert end["received"] == end["sent"] and end["refused"] == 0


def test_a_load_test_that_all_addresses_refuse_says_so_once(netkit):
    with udp_socket() as probe:
        port = probe.getsockname()[1]
    result = netkit.run("echo", "bench", f"shut.example:{port}", "--duration", "5s", env=NAMES)
    assert result.status == 69 and result.err == b"netkit: echo: 127.0.0.1:%d: connection refused\n" % port


@every_name
def test_a_plain_member_goes_on_to_the_next(netkit, host):
    with udp_socket() as room:
        member = netkit.start("chat", "join", address(host, room), "--plain", "--heartbeat", "none", env=NAMES)
        member.write("one\n")
        data, peer = room.recvfrom(100)
        assert data == b"reg"
        assert room.recv(100) == b"one"  # whether it was said to the wrong address before or not
        room.sendto(b"answer", peer)
        assert member.out.line() == b"answer"
        member.write("two\n")
        assert room.recv(100) == b"two"
        member.close_stdin()
        assert room.recv(100) == b"quit"
        assert member.wait() == 0 and member.err.rest() == b""


def test_a_plain_member_stays_with_the_address_that_has_answered(netkit):
    with udp_socket() as room:
        port = room.getsockname()[1]
        member = netkit.start("chat", "join", f"shut.example:{port}", "--plain", "--heartbeat", "50ms", env=NAMES)
        room.sendto(b"answer", room.recvfrom(100)[1])
        assert member.out.line() == b"answer"
    member.err.expect(rb"netkit: chat: shut\.example:%d: connection refused; trying again in [^\n]+\n" % port)
    with udp_socket(address=("127.0.0.1", port)) as room:
        data, peer = room.recvfrom(100)
        assert data == b"^hb^"
        room.sendto(b"again", peer)
        member.err.expect(rb"netkit: chat: shut\.example:%d: connected again after [^\n]+\n" % port)


def test_what_learns_of_no_answer_takes_the_first_that_there_is_a_way_to(netkit):
    with udp_socket() as listener:
        to = address("lost.example", listener)
        sent = netkit.run("broadcast", "send", to, "hello", "-w", "0", "--json", env=NAMES)
        assert (sent.status, json.loads(sent.lines[-1])["refused"]) == (0, 0)
        assert listener.recv(100) == b"hello"
        server = netkit.serve("echo", "serve", "127.0.0.1:0", "--to", "udp:" + to, env=NAMES)
        with udp_socket() as sock:
            sock.sendto(b"x", host_port(server.address))
            assert listener.recv(100) == b"x"
