"""Whose records a push server with keys takes, and who may look at its roster."""

import signal
import subprocess

import pytest

from keys import KEYS, keys  # noqa: F401
from netkit import receive_to_end, tcp_connect


@pytest.fixture
def serve(netkit, keys):
    def make(*args, names=("ann", "ben")):
        return netkit.serve("push", "serve", "127.0.0.1:0", "--from", "-", "--keep-open", "--psk-file", keys("server", *names),
                            *args, sockets=2)
    return make


def send(netkit, server, *args):
    return netkit.run("push", "send", server.address, "hello", *args, deadline=11)


def test_a_publisher_with_a_key_is_always_taken(netkit, serve, keys):
    server = serve("--accept", "none")
    reader = netkit.start("push", "subscribe", server.address, "--psk-file", keys("b", "ben"), "--count", "1")
    reader.err.expect(rb"subscribed")
    assert send(netkit, server, "--psk-file", keys("a", "ann")).status == 0
    assert reader.wait() == 0 and reader.out.rest() == b"hello\n"
    refused = send(netkit, server)
    assert refused.status == 77 and b"publishers from this address are not accepted (--accept)\n" in refused.err


def test_publishers_are_named(netkit, serve, keys):
    server = serve("--publishers", "ann, eve", "--accept", "none")
    assert send(netkit, server, "--psk-file", keys("a", "ann")).status == 0
    refused = send(netkit, server, "--psk-file", keys("b", "ben"))
    assert refused.status == 77
    assert refused.err.decode() == f"netkit: push: {server.address}: 'ben' may not publish (--publishers)\n"
    server.err.expect(rb"127\.0\.0\.1:\d+ refused: 'ben' may not publish \(--publishers\)\n")


@pytest.mark.parametrize("own, here, there", [
    ({"ann": "99" * 32}, "refused: the server has another key of 'ann'", "its key of 'ann' is wrong"),
    ({"bob": "99" * 32}, "refused: the server has no key of 'bob'", "there is no key of 'bob'"),
], ids=["another key", "unknown"])
def test_who_has_no_good_key_is_told(netkit, serve, keys, own, here, there):
    server = serve()
    run = send(netkit, server, "--psk-file", keys("own", **own))
    assert run.status == 77 and here in run.err.decode()
    server.err.expect(b"refused: " + there.encode() + b"\n")


def test_a_server_without_keys_is_told_apart(netkit, keys):
    server = netkit.serve("push", "serve", "127.0.0.1:0", sockets=2)
    run = send(netkit, server, "--psk-file", keys("a", "ann"))
    assert run.status == 76 and run.err.count(b"\n") == 1


def test_who_is_revoked_publishes_no_more(netkit, serve, keys):
    server = serve()
    reader = netkit.start("push", "subscribe", server.address, "--psk-file", keys("b", "ben"))
    reader.err.expect(rb"subscribed")
    sender = netkit.start("push", "send", server.address, "--psk-file", keys("a", "ann"))
    sender.write("first\n")
    reader.out.expect(rb"first\n")
    keys("server", "ben")
    server.signal(signal.SIGHUP)
    server.err.expect(rb"reloaded: 1 key\n")
    server.err.expect(rb"closed: the key of 'ann' was revoked\n")
    assert sender.wait() == 69
    assert send(netkit, server, "--psk-file", keys("a", "ann")).status == 77
    assert send(netkit, server, "--psk-file", keys("b", "ben")).status == 0
    reader.out.expect(rb"hello\n")


def test_the_control_channel_in_clear_stays_this_machines(netkit, serve, keys):
    server = serve()
    assert netkit.run("push", "status", server.address).status == 0
    reader = netkit.start("push", "subscribe", server.address, "--psk-file", keys("a", "ann"))
    reader.err.expect(rb"subscribed")
    with tcp_connect(server.address) as sock:
        sock.sendall(b"SUBSCRIBE ann 5000\nUNSUBSCRIBE ann\nQUIT\n")
        answers = receive_to_end(sock)
        assert answers.startswith(b"ERR ") and answers.endswith(b"\nERR that name belongs to a key\nOK\n")


def test_who_has_a_key_speaks_for_its_own_name_alone(serve):
    server = serve()
    asked = b"UNSUBSCRIBE ben\nSUBSCRIBE ben 5000\nUNSUBSCRIBE ann\nQUIT\n"
    client = subprocess.run(["openssl", "s_client", "-connect", server.address, "-psk_identity", "ann", "-psk", KEYS["ann"],
                             "-quiet"], input=asked, capture_output=True, timeout=20)
    assert client.stdout == (b"ERR a key is valid for its own name only\n" * 2 + b"ERR no subscriber has that name\nOK\n")
