"""Every status of netkit(1)'s table, brought about, and each page's list against it and the sources.

What a page says of a status is brought about by test_exit_common.py and test_exit_COMMAND.py."""

import importlib
import os
import pathlib
import re
import signal
import socket

import pytest

from commands import commands
from exit_status import TESTED, clauses, items
from netkit import Process, receive_exactly, udp_socket

SOURCE = pathlib.Path(os.environ.get("NETKIT_SOURCE", ""))


def listed(page):
    """The statuses that a page's EXIT STATUS has as items."""
    return [status for status, _ in items(page)]


def done(netkit, _):
    return netkit.run("version")


def no(netkit, _):
    with udp_socket() as silent:
        return netkit.run("echo", "send", "127.0.0.1:%d" % silent.getsockname()[1], "hello", "-w", "10ms")


def usage(netkit, _):
    return netkit.run("echo", "serve", "--nonsense")


def name(netkit, _):
    return netkit.run("echo", "send", "no-such-host.invalid:7", "hello")


def unreachable(netkit, _):
    with udp_socket() as taken:
        return netkit.run("echo", "serve", "--udp", "127.0.0.1:%d" % taken.getsockname()[1])


def fault(netkit, tmp_path):
    (tmp_path / "plugins").mkdir(mode=0o755)
    (tmp_path / "plugins" / "broken.so").write_text("no plugin")
    return netkit.run("--plugin-dir", tmp_path / "plugins", "broken")


def output(netkit, _):
    return netkit.shell("netkit version > /dev/full")


def again(netkit, _):
    room = netkit.serve("chat", "serve", "127.0.0.1:0")
    first = netkit.start("chat", "join", room.address, "--name", "ann")
    first.err.expect(rb"joined ")
    return netkit.run("chat", "join", room.address, "--name", "ann")


def protocol(netkit, _):
    with socket.socket() as peer:
        peer.bind(("127.0.0.1", 0))
        peer.listen()
        client = netkit.start("frame", "connect", "127.0.0.1:%d" % peer.getsockname()[1], "--send", "datetime")
        connection, _ = peer.accept()
        with connection:
            connection.sendall(b"\0\0\0\0")  # a frame of no bytes
            return client


def permission(netkit, _):
    with socket.socket() as peer:
        peer.bind(("127.0.0.1", 0))
        peer.listen()
        client = netkit.start("frame", "connect", "127.0.0.1:%d" % peer.getsockname()[1], "--register",
                              "a" * 36 + "," + "1" * 15, "--send", "datetime")
        connection, _ = peer.accept()
        with connection:
            assert receive_exactly(connection, 4 + 1 + 36 + 15)
            connection.sendall(b"\0\0\0\2\0\xff")  # the answer to a registration: error -1
            assert client.wait() is not None
        return client


def config(netkit, tmp_path):
    (tmp_path / "config").write_text("[echo]\nnonsense = 1\n")
    return netkit.run("echo", "serve", "--config", tmp_path / "config")


def timeout(netkit, _):
    return netkit.run("echo", "serve", "127.0.0.1:0", "--timeout", "50ms")


def by_signal(netkit, _):
    server = netkit.serve("echo", "serve", "127.0.0.1:0")
    job = netkit.start("echo", "ping", server.address, "-c", "99")
    job.out.expect(rb"seq=1")
    job.signal(signal.SIGINT)
    return job


WAYS = {"0": done, "1": no, "2": usage, "68": name, "69": unreachable, "70": fault, "74": output, "75": again,
        "76": protocol, "77": permission, "78": config, "124": timeout, "128+n": by_signal}


def test_the_page_lists_what_help_does(netkit):
    text = netkit.run("help", "exit-status").out.decode()
    assert listed("netkit.1") == re.findall(r"^  (\S+) ", text, re.M) == list(WAYS)


@pytest.mark.parametrize("status", WAYS)
def test_a_status_can_be_had(netkit, tmp_path, status):
    result = WAYS[status](netkit, tmp_path)
    if isinstance(result, Process):
        ended, said = result.wait(), result.err.rest()
    else:
        ended, said = result.status, result.err
    assert ended == (128 + signal.SIGINT if status == "128+n" else int(status)), said
    if status not in ("0", "128+n"):
        assert said.startswith(b"netkit: ") and b"\n" in said, "one sentence says why"


def ended_with(command):
    """The statuses that a command's own sources name."""
    sources = "".join(path.read_text() for path in (SOURCE / "plugins" / command).glob("*.?pp"))
    table = (SOURCE / "core/include/netkit/util/error.hpp").read_text()
    numbers = dict(re.findall(r"^  (\w+) = (\d+),", table, re.M))
    return {numbers[name] for name in re.findall(r"\bExitStatus::(\w+)", sources)}


@pytest.mark.parametrize("command", commands())
def test_a_page_lists_what_its_command_ends_with(command):
    """What the core ends every command with, what the command's sources name, and nothing that netkit has not."""
    statuses = listed(f"netkit-{command}.1")
    assert set(WAYS) - {"1", "75"} | ended_with(command) <= set(statuses) <= set(WAYS)
    assert statuses == [status for status in WAYS if status in statuses], "in ascending order"


@pytest.mark.parametrize("command", [*commands(), "shell"])
def test_each_clause_of_a_page_has_a_test_and_each_test_a_clause(command):
    for name in ("common", command):
        importlib.import_module(f"test_exit_{name}")
    listed = set(clauses(command))
    tested = {(action, clause) for who, action, clause in TESTED if who == command}
    missing = [one for one in listed if not any(one[1] == clause and one[0] in (None, action) for action, clause in tested)]
    unlisted = [one for one in tested if one not in listed and (None, one[1]) not in listed]
    assert (missing, unlisted) == ([], [])
