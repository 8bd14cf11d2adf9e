"""Broadcast and multicast between four hosts on two networks, none of which has a default route."""

import os

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
