"""1,000 members in one room: everybody hears everything, once and in order, and costs little memory."""

import json
import os
import resource
import select
import socket

import pytest

from netkit import host_port, wait_until

MEMBERS = 1000
MESSAGES = 200


def say(netkit, server):
    lines = "".join(f"line {i}\n" for i in range(MESSAGES))
    result = netkit.run("chat", "join", server.address, "--name", "speaker", stdin=lines, deadline=60)
    assert result.status == 0


def resident(pid):
    """Bytes of memory that are the process's own."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private_")) * 1024


def test_native_members_hear_everything(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0", "-q", "--stats", "--lease", "60s")
    before = resident(server.pid)
    load = netkit.start(argv=[os.environ["NETKIT_BUILD"] + "/tests/session_load", "chat", server.port, MEMBERS, MESSAGES])
    load.out.expect(rb"^joined\n", 60)
    if os.environ["NETKIT_BUILD"].endswith("release"):
        # 1.4 KiB were measured; what was queued for them while they came, notices of each other, comes on top.
        assert (resident(server.pid) - before) / MEMBERS < 4096
    say(netkit, server)
    load.out.expect(rb"^heard\n", 60)
    load.close_stdin()
    assert load.wait() == 0
    assert server.stop() == 0
    assert b"messages %d" % MESSAGES in server.err.data


@pytest.fixture
def many_files():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[1], MEMBERS + 256), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_plain_members_hear_everything(netkit, many_files):
    server = netkit.serve("chat", "serve", "127.0.0.1:0", "-q", "--lease", "60s", "--json", "--template", "{seq} {text}")
    members = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(MEMBERS)]
    try:
        for sock in members:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            sock.connect(host_port(server.address))
            sock.send(b"reg")
        heard = {sock: [] for sock in members}
        poll = select.epoll()
        by_fd = {sock.fileno(): sock for sock in members}
        for fd in by_fd:
            poll.register(fd, select.EPOLLIN)

        def take():
            for fd, _ in poll.poll(0.05):
                try:
                    while True:
                        heard[by_fd[fd]].append(by_fd[fd].recv(2048, socket.MSG_DONTWAIT))
                except BlockingIOError:
                    pass
            return all(len(texts) >= MESSAGES for texts in heard.values())

        say(netkit, server)
        wait_until(take, 60, "all messages at every member")
        expected = [b"%d line %d" % (i + 1, i) for i in range(MESSAGES)]
        assert all(texts == expected for texts in heard.values())
    finally:
        for sock in members:
            sock.close()
    assert server.stop() == 0
    assert json.loads(server.out.data.splitlines()[-1])["dropped_plain"] == 0
