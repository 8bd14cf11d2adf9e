"""Every exit status of netkit-echo(1), brought about."""

import os
import signal

import pytest

from exit_status import Page
from exit_ways import (LISTEN, PEER, PROHIBITED, add_ends, add_servers, add_set_up, broken_pipe, full_pipe,  # noqa: F401
                       silent)
from netkit import netkit_path, udp_socket

PAGE = Page("echo", {"serve": [LISTEN], "send": [PEER, "hello", "-w", "none"], "ping": [PEER],
                     "bench": [PEER, "--flows", "1"]})
add_set_up(PAGE)
add_servers(PAGE)
add_ends(PAGE)


@pytest.fixture
def nobody():
    """An address at which nobody listens."""
    with udp_socket() as sock:
        address = "127.0.0.1:%d" % sock.getsockname()[1]
    return address


@pytest.fixture
def server(netkit):
    return netkit.serve("echo", "serve", "127.0.0.1:0").address


@PAGE.way("0 done")
def answered(netkit, server):
    return netkit.run("echo", "send", server, "hello")


@PAGE.way("0 done")
def pinged(netkit, server):
    return netkit.run("echo", "ping", server, "-c", "2", "-i", "1ms", "--max-loss", "0")


@PAGE.way("0 done")
def measured(netkit, server):
    return netkit.run("echo", "bench", server, "--duration", "50ms")


@PAGE.way("1 a reply stayed out, or a message is too long to be sent", "send")
def no_reply(netkit, silent):
    return netkit.run("echo", "send", silent.address, "hello", "-w", "10ms")


@PAGE.way("1 a reply stayed out, or a message is too long to be sent", "send")
def too_long(netkit, server):
    return netkit.run("echo", "send", server, stdin=b"x" * 65_508)


@PAGE.way("1 no reply, a threshold was missed, or the service did not come", "ping")
def no_echo(netkit, silent):
    return netkit.run("echo", "ping", silent.address, "-c", "1", "-w", "10ms")


@PAGE.way("1 no reply, a threshold was missed, or the service did not come", "ping")
def threshold(netkit, server):
    return netkit.run("echo", "ping", server, "-c", "1", "--max-p99", "1ns")


@PAGE.way("1 no reply, a threshold was missed, or the service did not come", "ping")
def loss(netkit, silent):
    return netkit.run("echo", "ping", silent.address, "-c", "1", "-w", "10ms", "--max-loss", "50")


@PAGE.way("1 no reply, a threshold was missed, or the service did not come", "ping")
def not_come(netkit, nobody):
    return netkit.run("echo", "ping", nobody, "--wait-for", "10ms")


@PAGE.way("1 no reply", "bench")
def nothing_measured(netkit, silent):
    return netkit.run("echo", "bench", silent.address, "--duration", "10ms", "-w", "10ms")


@PAGE.way("69 refused", "send", "ping", "bench")
def refused(netkit, nobody, action):
    return netkit.run("echo", action, nobody, *{"send": ["hello"], "ping": ["-c", "1", "-w", "10ms"]}.get(action, []))


@PAGE.way("69 refused", "send", "bench")
def refused_by_tcp(netkit, nobody, action):
    return netkit.run("echo", action, "--tcp", nobody, *(["hello"] if action == "send" else []))


@PAGE.way("69 closed by the peer", "send", "bench")
def closed(netkit, silent, action):
    run = netkit.start("echo", action, "--tcp", silent.address, *(["hello"] if action == "send" else ["--flows", "1"]))
    silent.tcp.accept()[0].close()
    return run


@PAGE.way("74 output or file error", "send")
def unreadable_input(netkit, server, tmp_path):
    folder = os.open(tmp_path, os.O_RDONLY)
    run = netkit.start("echo", "send", server, stdin=folder)
    os.close(folder)
    return run


@PAGE.way("76 a line of standard input is longer than 1M", "send")
def long_line(netkit, server):
    return netkit.run("echo", "send", server, stdin=b"x" * ((1 << 20) + 1))


@PAGE.way("77 the way there is prohibited", "send", "ping", "bench")
def prohibited(netkit, action):
    return netkit.run(argv=[*PROHIBITED, netkit_path(), "echo", action, "192.0.2.1:9",
                            *(["hello"] if action == "send" else [])])


@PAGE.way("77 the way there is prohibited", "send", "bench")
def prohibited_by_tcp(netkit, action):
    return netkit.run(argv=[*PROHIBITED, netkit_path(), "echo", action, "--tcp", "192.0.2.1:9",
                            *(["hello"] if action == "send" else [])])


@PAGE.way("128+n ended by signal n", "send", "ping", "bench")
def by_signal(netkit, silent, action):
    run = netkit.start("echo", action, silent.address, *(["hello", "-w", "none"] if action == "send" else []))
    silent.udp.recv(65536)  # the loop runs
    run.signal(signal.SIGTERM)
    return run, signal.SIGTERM


@PAGE.cases()
def test_every_status_of_the_page(request, case):
    case.check(request)
