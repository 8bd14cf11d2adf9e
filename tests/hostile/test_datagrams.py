"""Datagrams that no good peer sends, at every server that takes any."""

import os
import socket
import struct

import pytest

from hostile import started_targets, waiting
from native_peer import (ACCEPT, ACK, BYE, CONNECT, COOKIE, DATA, HELLO, PING, REJECT, ChatPeer, NativePeer, begin)
from netkit import udp_socket
from programs import resident

RESET, VERSION = 9, 10
KEY = b"\xa1" * 8


def echo_good(target):
    sock = target.datagrams(b"good")
    assert sock.recv(100) == b"good"


def plain_good(word, answer):
    def good(target):
        sock = target.datagrams(word)
        assert answer in sock.recv(1 << 16)
    return good


def chat_good(target):
    sock = target.datagrams(b"good")
    assert b"good" in sock.recv(1 << 16)
    sock.sendto(b"quit", target.host_port)


UDP = socket.SOCK_DGRAM
SERVERS = {
    "echo": (["echo", "serve", "127.0.0.1:0", "-q"], echo_good, 1, UDP),
    "chat": (["chat", "serve", "127.0.0.1:0", "-q"], chat_good, 1, UDP),
    "push": (["push", "serve", "127.0.0.1:0", "--every", "10ms", "--message", "tick"], plain_good(b"good", b"tick"), 1, UDP),
    "broadcast": (["broadcast", "listen", "127.0.0.1:0", "--reply", "here", "-q"], plain_good(b"good", b"here"), 1, UDP),
}


@pytest.fixture(scope="module")
def targets(tool):
    return started_targets(tool, SERVERS)


def hello(nonce=KEY, size=64):
    return begin(HELLO, 0, nonce).ljust(size, b"\0")


def native(kind, flags=0, key=KEY, rest=b"", version=1):
    return struct.pack(">BBBB", 0xF5, version, kind, flags) + key + rest


def session(kind, seq=1, ack=0, window=64, delay=0, body=b"", key=KEY):
    return native(kind, 0, key, struct.pack(">IIHH", seq, ack, window, delay) + body)


# What a server that knows nothing of the sender gets: no answer to any, or one no longer than what came.
STRANGERS = {
    "magic alone": b"\xf5",
    "magic and version": b"\xf5\x02",
    "no type": b"\xf5\x02\x00" + bytes(20),
    "type 11": native(11, rest=bytes(40)),
    "type 255": native(255, rest=bytes(40)),
    "eleven bytes": native(HELLO)[:11],
    "a hello of 12 bytes": native(HELLO),
    "a hello of 63 bytes": hello(size=63),
    "a hello of 64 KiB": hello(size=60000),
    "a hello of version 0": native(HELLO, rest=bytes(52), version=0),
    "a hello of version 2": native(HELLO, rest=bytes(52), version=2),
    "a hello of version 255": native(HELLO, rest=bytes(1100), version=255),
    "a cookie": native(COOKIE, rest=bytes(20)),
    "an accept": native(ACCEPT, rest=bytes(18)),
    "a reject": native(REJECT, rest=b"\0\1no"),
    "a version": native(VERSION, rest=b"\1\1\0\0"),
    "a version of version 9": native(VERSION, rest=b"\1\1\0\0", version=9),
    "a connect without a cookie": native(CONNECT, rest=bytes(26)),
    "a connect of 12 bytes": native(CONNECT),
    "a connect with a forged cookie": native(CONNECT, rest=os.urandom(26) + b"\1" + bytes(40)),
    "a connect with a payload of 40 KB": native(CONNECT, rest=bytes(26 + 40000)),
    "a connect with window 65535": native(CONNECT, rest=bytes(24) + b"\xff\xff"),
    "data of no session": session(DATA, body=b"\x00\x03one"),
    "data of session 0": session(DATA, body=b"\x00\x03one", key=bytes(8)),
    "data without a body": session(DATA),
    "an ack of no session": session(ACK, ack=0xFFFFFFFF, window=65535, delay=65535),
    "an ack of no session with 1 KB of bitmap": session(ACK, body=b"\xff" * 1024),
    "a bye of no session": session(BYE, body=b"\0forged"),
    "a bye without a body": session(BYE),
    "a reset of no session": native(RESET),
    "a reset of all ones": native(RESET, key=b"\xff" * 8),
    "1200 bytes of 0xF5": b"\xf5" * 1200,
}


@pytest.mark.parametrize("server", ["chat", "push"])
@pytest.mark.parametrize("name", STRANGERS)
def test_a_stranger_changes_nothing_and_gets_no_more_than_it_sent(targets, server, name):
    target = targets(server)
    before = resident(target.process.pid)
    sock = target.datagrams(STRANGERS[name])
    target.check(before)
    assert sum(map(len, waiting(sock))) <= len(STRANGERS[name])


# Bodies and headers within a session that no good peer sends.
def bundle(entries, flags=0, number=b""):
    return bytes([flags]) + number + entries


MEMBERS = {
    "a gap of nothing": b"\x10" + bytes(20),
    "a gap of 2^32-1 messages": b"\x10" + struct.pack(">QQI", 0, 0, 0xFFFFFFFF),
    "a gap from 1 to 2^63": b"\x10" + struct.pack(">QQI", 1, 1 << 63, 0),
    "a gap from 1 to 2^63-1": b"\x10" + struct.pack(">QQI", 1, (1 << 63) - 1, 7),
    "a gap that ends before it begins": b"\x10" + struct.pack(">QQI", 9, 3, 0),
    "a gap with flags": b"\x1f" + struct.pack(">QQI", 1, 2, 0),
    "half a gap": b"\x10" + bytes(9),
    "an unknown kind": b"\x30abc",
    "kind 15": b"\xf0" + bytes(100),
    "unknown flags": bundle(b"\x03one", flags=8),
    "no entry": bundle(b""),
    "an entry beyond the end": bundle(b"\x7fone"),
    "a long entry beyond the end": bundle(b"\xff\xffone"),
    "half a length": bundle(b"\x80"),
    "number 0": bundle(b"\x03one", 1, bytes(8)),
    "number 2^64-1": bundle(b"\x03one", 1, b"\xff" * 8),
    "half a number": bytes([1, 0, 0]),
    "a rest without a begin": bundle(b"\x03one", 2),
    "a begin without a rest": bundle(b"\x03one", 4),
    "600 entries of nothing": bundle(b"\0" * 600),
    "an entry of zeros": bundle(b"\x7f" + bytes(127)),
    "requests of every code": bundle(b"".join(bytes([1, code]) for code in range(256) if code < 128)),
    "an end with code 255": b"\x20\xffover",
    "an end without a code": b"\x20",
    "an end of 1 KB": b"\x20\0" + b"x" * 1000,
}
CHAT_SESSIONS = {"a rename to escapes": b"\x43\x08\x1b[2J\x1b[H\x07", "a rename to nothing": b"\x43\0",
                 "a rename beyond the end": b"\x43\xff", "a rename of 255 bytes": b"\x43\xff" + b"n" * 255,
                 "a line to nobody": b"\x42nobody hi", "a line to white space": b"\x42    ", "a line of nothing": b"\x41",
                 "a line of action 9": b"\x41\x09hi", "what only a room says": b"\x01" + bytes(30)}
MEMBERS |= {name: bundle((bytes([len(request)]) if len(request) < 128 else struct.pack(">H", 0x8000 | len(request))) + request)
            for name, request in CHAT_SESSIONS.items()}


@pytest.mark.parametrize("server", ["chat", "push"])
@pytest.mark.parametrize("name", MEMBERS)
def test_a_member_may_send_anything(targets, server, name):
    target = targets(server)
    before = resident(target.process.pid)
    sock = udp_socket()
    peer = (ChatPeer if server == "chat" else NativePeer)(sock, target.host_port, b"eve")
    peer.send(MEMBERS[name])
    target.check(before)
    peer.leave()


# Headers of a session: (sequence number from the next, acknowledged from what came, window, delay, body)
HEADERS = {
    "far ahead": (1 << 20, 0, 64, 0, b"\x00\x03one"),
    "at the other end of the numbers": (1 << 31, 0, 64, 0, b"\x00\x03one"),
    "long ago": (-5, 0, 64, 0, b"\x00\x03one"),
    "an acknowledgement of what was not sent": (0, 1 << 30, 64, 0, b""),
    "an acknowledgement of the past": (0, -(1 << 30), 64, 0, b""),
    "a window of 0": (0, 0, 0, 0, b""),
    "a window of 65535": (0, 0, 65535, 0, b""),
    "a delay of 6.5 s": (0, 0, 64, 65535, b""),
    "a bitmap of ones": (0, 0, 64, 0, b"\xff" * 1000),
}


@pytest.mark.parametrize("server", ["chat", "push"])
@pytest.mark.parametrize("name", HEADERS)
def test_a_member_may_say_any_number(targets, server, name):
    target = targets(server)
    before = resident(target.process.pid)
    sock = udp_socket()
    peer = (ChatPeer if server == "chat" else NativePeer)(sock, target.host_port, b"eve")
    seq, ack, window, delay, body = HEADERS[name]
    kind = DATA if seq else ACK
    header = struct.pack(">IIHH", (peer.seq + seq) & 0xFFFFFFFF, (peer.next + ack) & 0xFFFFFFFF, window, delay)
    for flags in (0, PING):
        sock.sendto(begin(kind, flags, peer.session) + header + body, target.host_port)
    target.check(before)
    peer.leave()


# What plain peers may not do. Each gets nothing but what its server gives to any good peer.
PLAIN = {
    "nothing": b"",
    "a zero": b"\0",
    "white space": b" \t\r\n",
    "64 KB": b"x" * 65000,
    "the largest datagram": b"y" * 65507,
    "escapes": b"\x1b]52;c;aGk=\x07\x1b[2J",
    "bytes that are not UTF-8": bytes(range(128, 255)),
    "a template": b"{text}{peer}\\n{{",
    "format characters": b"%s%n%x" * 20,
    "a control line": b"UNSUBSCRIBE good\n",
    "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a ClientHello": b"\x16\xfe\xff\0\0\0\0\0\0\0\0\0\x10\x01\0\0\x04\0\0\0\0\0\0\0\x04abcd",
    "a DNS query": b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03www\0\0\x01\0\x01",
    "newlines": b"\n" * 1000,
}


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("name", PLAIN)
def test_plain_bytes(targets, server, name):
    target = targets(server)
    before = resident(target.process.pid)
    sock = target.datagrams(PLAIN[name])
    target.check(before)
    if server == "echo":
        assert sock.recv(1 << 16) == PLAIN[name]
    sock.sendto(b"quit", target.host_port)


@pytest.mark.parametrize("server", SERVERS)
def test_it_ends_when_it_is_told_to(targets, server):
    target = targets(server)
    assert target.process.stop() == 0
    err = target.process.err.data
    assert b"runtime error" not in err and b"Sanitizer" not in err and b"\x1b" not in err
