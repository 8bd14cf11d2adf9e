"""Every exit status of netkit-broadcast(1), brought about, but for those of test_exit_common.py."""

import functools
import signal

import exit_status
from exit_ways import LONG_LINE, PROHIBITED, TOLD, silent, words_of  # noqa: F401
from netkit import netkit_path

ends = functools.partial(exit_status.ends, "broadcast")


@ends("0 done")
def test_answered(netkit):
    listener = netkit.serve("broadcast", "listen", "127.0.0.1:0", "--reply", "here")
    return netkit.run("broadcast", "send", listener.address, "who?", "--replies", "1", "--expect", "1", "-w", "10s")


@ends("0 done")
def test_heard(netkit):
    listener = netkit.serve("broadcast", "listen", "127.0.0.1:0", "-c", "1")
    assert netkit.run("broadcast", "send", listener.address, "hello", "-w", "0").status == 0
    return listener


@ends("1 fewer answers than --expect, or a message is too long to be sent", "send")
def test_too_few(netkit, silent):
    return netkit.run("broadcast", "send", silent.address, "who?", "--expect", "1", "-w", "10ms")


@ends("1 fewer answers than --expect, or a message is too long to be sent", "send")
def test_too_long(netkit, silent):
    return netkit.run("broadcast", "send", silent.address, "-w", "10ms", stdin="x" * 70000 + "\n")


@ends("69 nothing could be sent", "send")
def test_no_network(netkit):
    return netkit.run(argv=["unshare", "-n", netkit_path(), "broadcast", "send", "192.0.2.255:9", "hello"])


@ends("69 no interface can join the group", "listen")
def test_no_group(netkit):
    return netkit.run(argv=["unshare", "-n", netkit_path(), "broadcast", "listen", ":0", "--group", "239.1.2.3"])


@ends("69 no such interface", "send", "listen")
def test_no_interface(netkit, action):
    return netkit.run(*words_of("broadcast", action), "--interface", "nonsense0")


@ends("76 a line of a source is longer than --max-line", "send")
def test_long_line(netkit, silent):
    return netkit.run("broadcast", "send", silent.address, stdin=LONG_LINE)


@ends("77 the network prohibits it", "send")
def test_prohibited(netkit):
    return netkit.run(argv=[*PROHIBITED, netkit_path(), "broadcast", "send", "192.0.2.255:9", "hello"])


@TOLD
@ends("0 ended by INT or TERM", "send --every")
def test_ticker(netkit, silent, signo):
    run = netkit.start("broadcast", "send", silent.address, "--every", "10ms")
    silent.udp.recv(100)
    run.signal(signo)
    return run


@ends("128+n ended by signal n", "listen --count")
def test_cut_short(netkit):
    listener = netkit.serve("broadcast", "listen", "127.0.0.1:0", "-c", "2")
    assert netkit.run("broadcast", "send", listener.address, "hello", "-w", "0").status == 0
    listener.out.expect(b"hello\n")
    listener.signal(signal.SIGINT)
    return listener, signal.SIGINT


@ends("128+n ended by signal n", "send")
def test_by_signal(netkit, silent):
    run = netkit.start(*words_of("broadcast", "send", peer=silent.address))
    silent.udp.recv(100)  # the loop runs
    run.signal(signal.SIGINT)
    return run, signal.SIGINT
