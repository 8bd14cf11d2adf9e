"""Broadcast and multicast between four hosts on two networks, none of which has a default route."""

import os
import time

import pytest

from lan import Lan
from man_page import examples
from netkit import netkit_path


@pytest.fixture
def lan(netkit):
    """a is on both networks, b and c on the first, d on the second."""
    lan = Lan(netkit)
    lan.host("a", "10.91.1.1/24", "10.91.2.1/24")
    lan.host("b", "10.91.1.2/24")
    lan.host("c", "10.91.1.3/24")
    lan.host("d", "10.91.2.4/24")
    return lan


def listen_everywhere(lan, *args):
    return [lan.listen(host, "broadcast", "listen", ":8086", "--reply", f"{host} heard {{text}}", *args) for host in "bcd"]


def test_the_limited_broadcast_reaches_every_network_without_a_default_route(lan):
    listen_everywhere(lan)
    result = lan.run("a", "broadcast", "send", "255.255.255.255:8086", "hello", "--json", "--replies", "3", "--wait", "10s")
    assert result.status == 0, result
    answers = sorted((r["peer"], r["text"], r["interface"]) for r in result.records if r["type"] == "answer")
    assert answers == [("10.91.1.2:8086", "b heard hello", "n1"), ("10.91.1.3:8086", "c heard hello", "n1"),
                       ("10.91.2.4:8086", "d heard hello", "n2")]
    assert all(r["rtt_ms"] >= 0 for r in result.records if r["type"] == "answer")


def test_an_interface_that_is_named_is_the_only_one(lan):
    listen_everywhere(lan)
    result = lan.run("a", "broadcast", "send", "255.255.255.255:8086", "x", "--interface", "n2", "--wait", "500ms")
    assert result.lines == ["10.91.2.4:8086 d heard x"]


def test_fewer_answers_than_expected_is_status_1(lan):
    listen_everywhere(lan)
    assert lan.run("a", "broadcast", "send", "10.91.1.255:8086", "x", "--expect", "2", "-w", "500ms").status == 0
    assert lan.run("a", "broadcast", "send", "10.91.1.255:8086", "x", "--expect", "3", "-w", "500ms").status == 1


def test_repeated_messages_count_a_responder_once(lan):
    listen_everywhere(lan)
    result = lan.run("a", "broadcast", "send", "10.91.1.255:8086", "x", "--repeat", "3", "-i", "20ms", "-w", "500ms")
    assert sorted(result.lines) == ["10.91.1.2:8086 b heard x", "10.91.1.3:8086 c heard x"]


def test_what_is_over_the_rate_waits(lan):
    message = "x" * 1000
    began = time.monotonic()
    result = lan.run("a", "broadcast", "send", "10.91.1.255:8086", message, "--repeat", "100", "-i", "0", "-w", "0",
                     "--plain-rate", "64k/s", "--stats", "--json")
    assert result.records[-1]["sent"] == 100
    assert time.monotonic() - began >= (100_000 - 65_536) / 65_536


@pytest.mark.parametrize("group, listen", [("239.9.9.9:5000", ":5000"), ("[ff12::99]:5000", ":5000")])
def test_multicast_reaches_every_network(lan, group, listen):
    address = group.rsplit(":", 1)[0].strip("[]")
    for host in "bcd":
        lan.listen(host, "broadcast", "listen", listen, "--group", address, "--reply", host)
    result = lan.run("a", "broadcast", "send", group, "x", "--replies", "3", "--wait", "10s", "--json")
    assert sorted(r["text"] for r in result.records if r["type"] == "answer") == ["b", "c", "d"], result


def test_a_zone_chooses_the_network(lan):
    for host in "bcd":
        lan.listen(host, "broadcast", "listen", ":5000", "--group", "ff12::99", "--reply", host)
    result = lan.run("a", "broadcast", "send", "[ff12::99%n2]:5000", "x", "--wait", "500ms", "--json")
    answers = [(r["text"], r["interface"]) for r in result.records if r["type"] == "answer"]
    assert answers == [("d", "n2")], result


def test_a_group_with_a_zone_is_joined_there_only(lan):
    listener = lan.listen("a", "broadcast", "listen", ":5000", "--group", "ff12::99%n2")
    assert lan.run("b", "broadcast", "send", "[ff12::99]:5000", "from b", "-w", "0").status == 0
    assert lan.run("d", "broadcast", "send", "[ff12::99]:5000", "from d", "-w", "0").status == 0
    assert listener.out.line().endswith(b"from d")


HOPS = """
import socket, struct  # 12: IP_RECVTTL, which the module does not name
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("", 5000))
sock.setsockopt(socket.IPPROTO_IP, 12, 1)
sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton("239.9.9.9") + socket.inet_aton("10.91.1.2"))
print("ready", flush=True)
while True:
    data, parts, _, _ = sock.recvmsg(100, 100)
    print(data.decode(), struct.unpack("i", parts[0][2])[0], flush=True)
"""


def test_ttl_is_one_unless_told_otherwise(lan):
    hearing = lan.netkit.start(argv=["nsenter", "-t", str(lan.hosts["b"].pid), "-n", "python3", "-c", HOPS])
    hearing.out.expect(rb"ready\n")
    for address, args, hops in (("239.9.9.9", [], 1), ("239.9.9.9", ["--ttl", "5"], 5), ("10.91.1.255", ["--ttl", "3"], 3)):
        assert lan.run("a", "broadcast", "send", f"{address}:5000", "x", "-w", "0", *args).status == 0
        assert hearing.out.line() == b"x %d" % hops


def test_a_source_that_was_not_asked_for_is_not_heard(lan):
    listener = lan.listen("b", "broadcast", "listen", ":5000", "--group", "239.9.9.9", "--source", "10.91.1.3")
    assert lan.run("a", "broadcast", "send", "239.9.9.9:5000", "from a", "-w", "0").status == 0
    assert lan.run("c", "broadcast", "send", "239.9.9.9:5000", "from c", "-w", "0").status == 0
    assert listener.out.line().endswith(b"from c")


def test_the_listener_says_by_which_way_it_came(lan):
    listener = lan.listen("a", "broadcast", "listen", ":8086", "--json")
    lan.run("d", "broadcast", "send", "255.255.255.255:8086", "x", "-w", "0")
    record = listener.out.json()
    assert (record["interface"], record["destination"], record["text"]) == ("n2", "10.91.2.255", "x")


def test_two_listeners_share_a_port(lan):
    first = lan.listen("b", "broadcast", "listen", ":8086")
    second = lan.listen("b", "broadcast", "listen", ":8086")
    lan.run("a", "broadcast", "send", "10.91.1.255:8086", "x", "-w", "0")
    assert first.out.line().endswith(b" x") and second.out.line().endswith(b" x")


def without_broadcast_address(lan, host, address):
    """As containers and virtual addresses have it."""
    lan.ip(host, "address", "del", address, "dev", "n1")
    lan.ip(host, "address", "add", address, "dev", "n1")


def test_a_broadcast_address_that_is_not_set_is_known_by_the_netmask(lan):
    without_broadcast_address(lan, "a", "10.91.1.1/24")
    listen_everywhere(lan)
    result = lan.run("a", "broadcast", "send", "255.255.255.255:8086", "x", "--replies", "3", "-w", "10s")
    assert sorted(result.lines) == ["10.91.1.2:8086 b heard x", "10.91.1.3:8086 c heard x", "10.91.2.4:8086 d heard x"]


def test_a_server_answers_at_an_address_without_a_broadcast_address(lan):
    without_broadcast_address(lan, "b", "10.91.1.2/24")
    lan.listen("b", "echo", "serve", ":7000", "--udp")
    assert lan.run("a", "echo", "send", "10.91.1.2:7000", "x").lines == ["x"]


def test_an_address_alone_in_its_network_is_no_broadcast_address(lan):
    """A machine does not send to itself what was meant for others."""
    lan.host("e")
    lan.ip("e", "link", "add", "d1", "type", "bridge")
    lan.ip("e", "address", "add", "10.91.9.9/32", "dev", "d1")
    lan.ip("e", "link", "set", "d1", "up")
    listener = lan.listen("e", "broadcast", "listen", ":8086")
    result = lan.run("e", "broadcast", "send", "255.255.255.255:8086", "x", "-w", "0")
    assert result.status == 69 and b"network is unreachable" in result.err.lower()
    assert listener.stop() == 0 and listener.out.data == b""


def test_two_addresses_in_a_network_get_one_message(lan):
    lan.ip("a", "address", "add", "10.91.1.11/24", "broadcast", "+", "dev", "n1")
    listener = lan.listen("b", "broadcast", "listen", ":8086", "-c", "2")
    for word in ("one", "two"):
        assert lan.run("a", "broadcast", "send", "255.255.255.255:8086", word, "-w", "0").status == 0
    assert listener.wait() == 0 and [line.split()[-1] for line in listener.out.data.splitlines()] == [b"one", b"two"]


@pytest.mark.parametrize("to", ["10.91.1.255", "255.255.255.255", "10.91.1.2"])
def test_at_one_address_the_broadcasts_of_its_network_are_heard(lan, to):
    lan.listen("b", "broadcast", "listen", "10.91.1.2:8086", "--reply", "b heard {text}")
    result = lan.run("a", "broadcast", "send", f"{to}:8086", "x", "--replies", "1", "-w", "10s")
    assert result.lines == ["10.91.1.2:8086 b heard x"]


def test_a_group_that_somebody_else_has_joined_is_not_heard(lan):
    other = lan.listen("b", "broadcast", "listen", ":5000", "--group", "239.2.2.2")
    mine = lan.listen("b", "broadcast", "listen", ":5000", "--group", "239.1.1.1")
    for group in ("239.2.2.2", "239.1.1.1"):
        assert lan.run("a", "broadcast", "send", f"{group}:5000", f"to {group}", "-w", "0").status == 0
    assert other.out.line().endswith(b"to 239.2.2.2")
    assert mine.out.line().endswith(b"to 239.1.1.1")


def test_an_interface_that_comes_up_later_takes_part(lan):
    lan.ip("a", "link", "set", "n2", "down")
    lan.ip("d", "link", "set", "n1", "down")
    hearing = lan.listen("d", "broadcast", "listen", ":5000", "--group", "239.9.9.9", "-v")
    sending = lan.start("a", "broadcast", "send", "239.9.9.9:5000", "--every", "50ms", "--message", "tick", "-v")
    sending.err.expect(rb"sending to 239\.9\.9\.9:5000 by n1\n")
    lan.ip("d", "link", "set", "n1", "up")
    lan.ip("a", "link", "set", "n2", "up")
    hearing.err.expect(rb"joined 239\.9\.9\.9 on n1\n")
    sending.err.expect(rb"sending to 239\.9\.9\.9:5000 by n2\n")
    hearing.out.expect(rb"10\.91\.2\.1:\d+ tick\n")


def test_a_port_alone_is_everybody(lan):
    listen_everywhere(lan)
    result = lan.run("a", "broadcast", "send", "8086", "x", "--replies", "3", "-w", "10s", "-v")
    assert len(result.lines) == 3
    assert b"10.91.2.4:8086 answered via n2 in " in result.err


def test_the_examples_of_the_man_page(lan, netkit, tmp_path):
    """Each as it stands there: those who listen on host b and on a, those who send on a."""
    listen, ask, expect, peers, lines, group = examples("netkit-broadcast.1")

    def on(host, line):
        env = {"PATH": os.path.dirname(netkit_path()) + ":" + os.environ["PATH"]}
        argv = ["nsenter", "-t", str(lan.hosts[host].pid), "-n", "bash", "-c", line]
        return netkit.start(argv=argv, env=env)

    for host in "ab":
        on(host, "exec " + listen).err.expect(rb"listening on udp \[::\]:8086")
    asking = on("a", ask)
    assert asking.wait() == 0
    assert b"10.91.1.2:8086 " in asking.out.data and asking.out.data.strip().endswith(b" is here")
    assert on("a", expect).wait() == 0
    asking = on("a", peers)
    assert asking.wait() == 0 and asking.out.data == b"127.0.0.1:8086\n"
    hearing = lan.listen("a", "broadcast", "listen", ":8086", "-c", "2")
    assert on("a", lines).wait() == 0
    assert hearing.wait() == 0 and [line[-1:] for line in hearing.out.data.splitlines()] == [b"a", b"b"]
    waiting = on("b", "exec " + group)
    waiting.err.expect(rb"listening")
    assert lan.run("a", "broadcast", "send", "239.1.2.3:5000", "here", "-w", "0").status == 0
    assert waiting.wait() == 0 and waiting.out.data.endswith(b" here\n")
