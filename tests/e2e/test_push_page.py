"""netkit push serve and a subscriber that was written from netkit-protocol(7)."""

import pytest

from native_peer import NativePeer
from netkit import host_port, udp_socket


def serve(netkit, *args):
    return netkit.serve("push", "serve", "0", "--from", "-", *args, sockets=2)


def peer(server, **kwargs):
    return NativePeer(udp_socket(), host_port(server.address), b"page", **kwargs)


@pytest.mark.parametrize("lose", [lambda number: False, lambda number: number % 3 == 0], ids=["good", "lossy"])
def test_it_gets_every_message_and_the_end(netkit, lose):
    server = serve(netkit)
    page = peer(server, lose=lose)
    server.out.expect(rb"subscribed page\n")
    lines = [b"one", b"", b"x" * 127, b"y" * 128, b"z" * 60000, "grüß".encode(), *[b"line %d" % i for i in range(500)], b"last"]
    server.write(b"".join(line + b"\n" for line in lines))
    server.close_stdin()
    page.run()
    assert page.messages == list(enumerate(lines, 1))
    assert page.gaps == [] and page.end == b"the source has ended"
    assert server.wait() == 0


def test_it_comes_late_and_is_told_what_is_gone(netkit):
    server = serve(netkit, "--keep", "2", "--keep-open", "--last")
    first = udp_socket()
    first.sendto(b"plain", host_port(server.address))
    server.out.expect(rb"subscribed plain\n")
    for text in (b"one", b"two", b"three"):
        server.write(text + b"\n")
        assert first.recv(100) == text
    late = peer(server, since=1)
    assert (late.first, late.lease) == (1, 30000)
    late.sock.settimeout(0.5)
    with pytest.raises(TimeoutError):
        late.run()
    # Two are kept: a jump in the numbers is a gap.
    assert late.messages == [(2, b"two"), (3, b"three")]


def test_it_says_good_bye(netkit):
    server = serve(netkit)
    page = peer(server)
    server.out.expect(rb"subscribed page\n")
    page.leave()
    server.out.expect(rb"unsubscribed page\n")
