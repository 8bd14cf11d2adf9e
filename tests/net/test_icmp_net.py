"""What routers say, and what they drop: refusals by ICMP, and paths that carry little at a time."""

import subprocess

import pytest

from lan import three_hosts


@pytest.fixture
def lan(netkit):
    return three_hosts(netkit, "10.94.1")


def nft(lan, host, rule):
    """Adds a rule to what comes in at a host."""
    inside = ["nsenter", "-t", str(lan.hosts[host].pid), "-n", "nft"]
    subprocess.run([*inside, "add table ip t; add chain ip t in { type filter hook input priority 0; }; "
                             f"add rule ip t in {rule}"], check=True, timeout=20)


# Linux takes host-unreachable, which may pass, for no answer to a datagram.
@pytest.mark.parametrize("icmp, sentence", [("port-unreachable", b"connection refused"), ("admin-prohibited", b"no route to host")])
def test_a_refusal_ends_a_client_at_once(lan, icmp, sentence):
    nft(lan, "b", f"udp dport 7000 reject with icmp type {icmp}")
    done = lan.run("a", "echo", "send", "10.94.1.2:7000", "hello", "-w", "10s", deadline=8)
    assert done.status == 69 and sentence in done.err.lower(), done


@pytest.mark.parametrize("icmp", ["port-unreachable", "host-unreachable"])
def test_refusals_of_one_peer_keep_no_other_waiting(lan, icmp):
    server = lan.listen("a", "push", "serve", ":9000", "--every", "20ms", "--message", "tick", "--plain", "local")
    gone = lan.start("b", "push", "subscribe", "10.94.1.1:9000", "--name", "gone")
    gone.out.expect(rb"tick\n")
    nft(lan, "b", f"udp sport 9000 reject with icmp type {icmp}")
    good = lan.start("c", "push", "subscribe", "10.94.1.1:9000", "--name", "good", "-c", "20")
    assert good.wait() == 0 and good.out.data == b"tick\n" * 20
    assert server.stop() == 0


def test_a_path_that_carries_1280_bytes_and_no_fragments(lan):
    for host in "ab":
        lan.ip(host, "link", "set", "n1", "mtu", "1280")
        nft(lan, host, "ip frag-off & 0x3fff != 0 drop")
    server = lan.listen("a", "chat", "serve", ":9998", "-q")
    hearer = lan.start("b", "chat", "join", "10.94.1.1:9998", "--name", "bob")
    hearer.err.expect(rb"joined")
    said = lan.run("b", "chat", "join", "10.94.1.1:9998", "--name", "ann", stdin=b"x" * 60000 + b"\n")
    assert said.status == 0, said
    hearer.out.expect(rb"^\[ann\] x{60000}\n")
    assert server.stop() == 0
