"""Names and topics that differ by nothing that is seen: none is taken, wherever names come in."""

import http.client
import urllib.parse

import pytest

from native_peer import ChatPeer
from netkit import host_port, tcp_connect, udp_socket

# One of each kind.
UNSEEN = {"a no-break space": "\u00a0", "an ideographic space": "\u3000", "a zero-width space": "\u200b", "a soft hyphen": "\u00ad",
          "a joiner of words": "\u2060", "a byte order mark": "\ufeff", "a right-to-left mark": "\u200f", "an override": "\u202e",
          "an isolate": "\u2066", "a Hangul filler": "\u3164", "a leading filler": "\u115f", "a half-width filler": "\uffa0",
          "a variation selector": "\ufe0f", "a further one": "\U000e0100", "a tag": "\U000e0041", "an empty Braille cell": "\u2800",
          "a Khmer vowel": "\u17b5"}


@pytest.fixture(scope="module")
def room(tool):
    return tool.serve("chat", "serve", "127.0.0.1:0", "--web", "-q", sockets=2)


@pytest.fixture(scope="module")
def push(tool):
    return tool.serve("push", "serve", "127.0.0.1:0", "--every", "1h", "-q", sockets=2)


@pytest.mark.parametrize("name", UNSEEN)
def test_a_room_takes_no_such_name(tool, room, name):
    ann = f"an{UNSEEN[name]}n"
    done = tool.run("chat", "join", room.address, "--name", ann)
    assert done.status == 2 and b"--name:" in done.err, done
    page = http.client.HTTPConnection(*host_port(room.listening[1][1]))
    page.request("POST", "/room/join?name=" + urllib.parse.quote(ann))
    assert page.getresponse().status == 400
    with udp_socket() as sock, pytest.raises(AssertionError):  # a member that does not ask itself first
        ChatPeer(sock, host_port(room.address), ann.encode())


@pytest.mark.parametrize("name", UNSEEN)
def test_push_takes_no_such_name_nor_topic(tool, push, name):
    ann = f"an{UNSEEN[name]}n"
    done = tool.run("push", "subscribe", push.address, "--name", ann)
    assert done.status == 2 and b"without invisible characters" in done.err, done
    with tcp_connect(push.address) as control, udp_socket() as plain:
        plain.sendto(ann.encode(), host_port(push.address))
        control.sendall(f"SUBSCRIBE {ann} 9\nPUSH {ann} 0\nLIST\nQUIT\n".encode())
        answers = b"".join(iter(lambda: control.recv(4096), b"")).split(b"\n")
    assert [answer[:3] for answer in answers] == [b"ERR", b"ERR", b"OK ", b"OK", b""] and answers[2] == b"OK 0"
    assert tool.run("push", "send", push.address, "--topic", ann, "x").status == 2
