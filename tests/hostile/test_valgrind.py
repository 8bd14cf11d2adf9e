"""A smoke run under valgrind, by UDP, by the native protocol and by TCP: nothing read that was not written, nothing used
that was freed. AddressSanitizer sees the other commands."""

import pytest

from netkit import netkit_path

FAULT = 99
VALGRIND = ["valgrind", "--quiet", f"--error-exitcode={FAULT}", "--trace-children=no", netkit_path()]
PAIRS = {
    "echo": (["echo", "serve", "127.0.0.1:0"], ["echo", "send", "{0}", "hello"], b"", b"hello\n"),
    "push": (["push", "serve", "127.0.0.1:0", "--every", "20ms", "--message", "tick"],
             ["push", "subscribe", "{0}", "--name", "ann", "-c", "1"], b"", b"tick\n"),
    "frame": (["frame", "serve", "127.0.0.1:0"], ["frame", "connect", "{0}"], b"heartbeat\n7:hello\n", b""),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_command_and_its_server(netkit, name):
    serve, words, stdin, expected = PAIRS[name]
    server = netkit.serve(argv=[*VALGRIND, *serve], sockets=1)
    done = netkit.run(argv=[*VALGRIND, *[word.format(server.address) for word in words]], stdin=stdin, deadline=60)
    assert done.status != FAULT, done
    assert expected in done.out, done
    status = server.stop(deadline=60)
    assert status == 0, server.err.data[-3000:]
