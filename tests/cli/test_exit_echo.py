"""Every exit status of netkit-echo(1), brought about, but for those of test_exit_common.py."""

import functools
import os
import signal

import pytest

import exit_status
from exit_ways import PROHIBITED, nobody, silent  # noqa: F401
from netkit import netkit_path

ends = functools.partial(exit_status.ends, "echo")


@pytest.fixture
def server(netkit):
    return netkit.serve("echo", "serve", "127.0.0.1:0").address


@ends("0 done")
def test_answered(netkit, server):
    return netkit.run("echo", "send", server, "hello")


@ends("0 done")
def test_pinged(netkit, server):
    return netkit.run("echo", "ping", server, "-c", "2", "-i", "1ms", "--max-loss", "0")


@ends("0 done")
def test_measured(netkit, server):
    return netkit.run("echo", "bench", server, "--duration", "50ms")


@ends("1 a reply is missing, or a message is too long to be sent", "send")
def test_no_reply(netkit, silent):
    return netkit.run("echo", "send", silent.address, "hello", "-w", "10ms")


@ends("1 a reply is missing, or a message is too long to be sent", "send")
def test_too_long(netkit, server):
    return netkit.run("echo", "send", server, stdin=b"x" * 65_508)


@ends("1 no reply, a threshold was missed, or the service did not come up", "ping")
def test_no_echo(netkit, silent):
    return netkit.run("echo", "ping", silent.address, "-c", "1", "-w", "10ms")


@ends("1 no reply, a threshold was missed, or the service did not come up", "ping")
def test_threshold(netkit, server):
    return netkit.run("echo", "ping", server, "-c", "1", "--max-p99", "1ns")


@ends("1 no reply, a threshold was missed, or the service did not come up", "ping")
def test_loss(netkit, silent):
    return netkit.run("echo", "ping", silent.address, "-c", "1", "-w", "10ms", "--max-loss", "50")


@ends("1 no reply, a threshold was missed, or the service did not come up", "ping")
def test_not_come(netkit, nobody):
    return netkit.run("echo", "ping", nobody, "--wait-for", "10ms")


@ends("1 no reply, or a threshold was missed", "bench")
def test_nothing_measured(netkit, silent):
    return netkit.run("echo", "bench", silent.address, "--duration", "10ms", "-w", "10ms")


@ends("69 refused", "send", "ping", "bench")
def test_refused(netkit, nobody, action):
    return netkit.run("echo", action, nobody, *{"send": ["hello"], "ping": ["-c", "1", "-w", "10ms"]}.get(action, []))


@ends("69 refused", "send", "bench")
def test_refused_by_tcp(netkit, nobody, action):
    return netkit.run("echo", action, "--tcp", nobody, *(["hello"] if action == "send" else []))


@ends("69 closed by the peer", "send", "bench")
def test_closed(netkit, silent, action):
    run = netkit.start("echo", action, "--tcp", silent.address, *(["hello"] if action == "send" else ["--flows", "1"]))
    silent.tcp.accept()[0].close()
    return run


@ends("74 output or file error", "send")
def test_unreadable_input(netkit, server, tmp_path):
    folder = os.open(tmp_path, os.O_RDONLY)
    run = netkit.start("echo", "send", server, stdin=folder)
    os.close(folder)
    return run


@ends("76 a line of standard input is longer than 1M", "send")
def test_long_line(netkit, server):
    return netkit.run("echo", "send", server, stdin=b"x" * ((1 << 20) + 1))


@ends("77 the network prohibits it", "send", "ping", "bench")
def test_prohibited(netkit, action):
    return netkit.run(argv=[*PROHIBITED, netkit_path(), "echo", action, "192.0.2.1:9",
                            *(["hello"] if action == "send" else [])])


@ends("77 the network prohibits it", "send", "bench")
def test_prohibited_by_tcp(netkit, action):
    return netkit.run(argv=[*PROHIBITED, netkit_path(), "echo", action, "--tcp", "192.0.2.1:9",
                            *(["hello"] if action == "send" else [])])


@ends("128+n ended by signal n", "send", "ping", "bench")
def test_by_signal(netkit, silent, action):
    words = {"send": ["hello", "-w", "none"], "ping": ["-c", "99"]}.get(action, [])
    run = netkit.start("echo", action, silent.address, *words)
    silent.udp.recv(65536)  # the loop runs
    run.signal(signal.SIGTERM)
    return run, signal.SIGTERM
