"""Whole sessions, captured on the loopback and read by tshark with share/netkit.lua."""

import pytest

from capture import Capture, dissect
from native_peer import ChatPeer
from netkit import host_port, udp_socket


@pytest.fixture
def capture():
    return Capture()


def layers(packet, layer):
    found = packet.get(layer, [])
    return found if isinstance(found, list) else [found]


def values(packets, layer, field):
    """The values of one field in all packets, in order."""
    found = []
    for packet in packets:
        for one in layers(packet, layer):
            value = one.get(f"{layer}_{layer}_{field}", [])
            found += value if isinstance(value, list) else [value]
    return found


def ports(port):
    return ["-o", f"netkit_frame.port:{port}", "-o", f"netkit_plain.chat:{port}", "-o", "netkit_plain.push:0"]


def test_a_chat_session(netkit, capture, tmp_path):
    server = netkit.serve("chat", "serve", "127.0.0.1:0", "--motd", "be kind")
    ann = netkit.start("chat", "join", server.address, "--name", "ann", "--commands")
    ann.err.expect(b"be kind")
    bob = netkit.start("chat", "join", server.address, "--name", "bob", "--commands")
    ann.out.expect(b"bob joined")
    ann.write("hello\n/who\n/msg bob psst\n/nick anna\n" + "x" * 3000 + "\n")
    bob.out.expect(b"xxx\n")
    ann.close_stdin()
    assert ann.wait() == 0
    bob.out.expect(b"anna left")
    bob.close_stdin()
    assert bob.wait() == 0
    assert server.stop() == 0
    capture.save(tmp_path / "chat.pcap", server.port)
    packets, text = dissect(tmp_path / "chat.pcap", "-o", "netkit_plain.push:0")
    assert "Malformed" not in text and "netkit HELLO" in text
    assert {"1", "2", "3", "4", "6", "7"} <= set(values(packets, "netkit", "type"))
    assert set(values(packets, "netkit", "chat_code")) >= {"1", "2", "3", "4", "5", "65", "66", "67", "68", "69"}
    assert {"hello", "bob psst", "be kind"} <= set(values(packets, "netkit", "text"))
    assert {"ann", "bob", "anna"} <= set(values(packets, "netkit", "name"))
    # Every datagram of a session shows its number: a DATA the next one, each way.
    for direction in ("udp_udp_srcport", "udp_udp_dstport"):
        seen = {}
        for packet in packets:
            if packet["udp"][direction] != str(server.port):
                continue
            for one in layers(packet, "netkit"):
                if one["netkit_netkit_type"] == "6":
                    seen.setdefault(one["netkit_netkit_session"], set()).add(int(one["netkit_netkit_seq"]))
        assert seen
        for numbers in seen.values():
            first = min(numbers)
            assert numbers == {(first + i) for i in range(len(numbers))} or max(numbers) - first > 1 << 31


def test_a_push_session_with_a_gap(netkit, capture, tmp_path):
    server = netkit.serve("push", "serve", "127.0.0.1:0", "--from", "-", "--keep", "2", "--keep-open", sockets=2)
    probe = udp_socket()
    probe.sendto(b"probe", host_port(server.address))
    server.out.expect(b"subscribed probe")
    server.write("one\ntwo\nthree\nfour\nfive\n")
    while probe.recv(100) != b"five":
        pass
    done = netkit.run("push", "subscribe", server.address, "--name", "ann", "--since", "1", "-c", "2")
    assert done.out == b"four\nfive\n"
    assert server.stop() == 0
    capture.save(tmp_path / "push.pcap", server.port)
    packets, text = dissect(tmp_path / "push.pcap", "-o", f"netkit_plain.push:{server.port}", "-o", "netkit_plain.chat:0")
    assert "Malformed" not in text
    assert {"four", "five"} <= set(values(packets, "netkit", "text"))
    assert {"4", "5"} <= set(values(packets, "netkit", "record"))
    assert values(packets, "netkit", "name") == ["ann"] * len(values(packets, "netkit", "name"))
    assert {"registration", "record"} <= set(values(packets, "netkit_plain", "what"))


def test_a_plain_room(netkit, capture, tmp_path):
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    member = udp_socket()
    for word in (b"reg", b"^hb^\n", b"hello"):
        member.sendto(word, host_port(server.address))
    assert b"hello" in member.recv(100)
    member.sendto(b"quit", host_port(server.address))
    server.out.expect(b"left")
    assert server.stop() == 0
    capture.save(tmp_path / "plain.pcap", server.port)
    packets, text = dissect(tmp_path / "plain.pcap", *ports(server.port))
    assert "Malformed" not in text
    assert values(packets, "netkit_plain", "what") == ["register", "heartbeat", "message", "message to a member", "leave"]


@pytest.mark.parametrize("known", [True, False], ids=["by its port", "by how it begins"])
def test_a_frame_session(netkit, capture, tmp_path, known):
    server = netkit.serve("frame", "serve", "127.0.0.1:0", "-q")
    done = netkit.run("frame", "connect", server.address, "--register", f"{'a' * 36},{'1' * 15}", "--heartbeat", "none",
                      "--send", "datetime", "--send", "9:hi", "--send", "heartbeat")
    assert b"9 error -1" in done.out
    assert server.stop() == 0
    capture.save(tmp_path / "frame.pcap", server.port)
    packets, text = dissect(tmp_path / "frame.pcap", *(ports(server.port if known else 0)))
    assert "Malformed" not in text
    assert values(packets, "netkit_frame", "id").count("9") == 2
    assert set(values(packets, "netkit_frame", "id")) == {"0", "1", "2", "9"}
    assert values(packets, "netkit_frame", "appid") == ["a" * 36]
    assert "-1" in values(packets, "netkit_frame", "error")
    assert len(values(packets, "netkit_frame", "datetime")[0]) == 19


def test_what_is_cut_short_is_marked(netkit, capture, tmp_path):
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    peer = ChatPeer(udp_socket(), host_port(server.address), b"eve")
    peer.sock.sendto(b"\xf5\x02\x06\x00" + peer.session, host_port(server.address))
    peer.leave()
    server.out.expect(b"left")
    capture.save(tmp_path / "cut.pcap", server.port)
    _, text = dissect(tmp_path / "cut.pcap", *ports(0))
    assert text.count("Malformed") >= 1
