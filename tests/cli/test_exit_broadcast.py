"""Every exit status of netkit-broadcast(1), brought about."""

import signal

from exit_status import Page
from exit_ways import (LISTEN, LONG_LINE, PEER, PROHIBITED, add_ends, add_servers, add_set_up, broken_pipe,  # noqa: F401
                       full_pipe, silent, words_of)
from netkit import netkit_path

PAGE = Page("broadcast", {"send": [PEER, "hello", "-w", "none", "--replies", "1"], "listen": [LISTEN]})
add_set_up(PAGE)
add_servers(PAGE)
add_ends(PAGE)


@PAGE.way("0 done")
def answered(netkit):
    listener = netkit.serve("broadcast", "listen", "127.0.0.1:0", "--reply", "here")
    return netkit.run("broadcast", "send", listener.address, "who?", "--replies", "1", "--expect", "1", "-w", "10s")


@PAGE.way("0 done")
def heard(netkit):
    listener = netkit.serve("broadcast", "listen", "127.0.0.1:0", "-c", "1")
    assert netkit.run("broadcast", "send", listener.address, "hello", "-w", "0").status == 0
    return listener


@PAGE.way("1 fewer answers than --expect, or a message is too long to be sent", "send")
def too_few(netkit, silent):
    return netkit.run("broadcast", "send", silent.address, "who?", "--expect", "1", "-w", "10ms")


@PAGE.way("1 fewer answers than --expect, or a message is too long to be sent", "send")
def too_long(netkit, silent):
    return netkit.run("broadcast", "send", silent.address, "-w", "10ms", stdin="x" * 70000 + "\n")


@PAGE.way("69 nothing could be sent", "send")
def no_network(netkit):
    return netkit.run(argv=["unshare", "-n", netkit_path(), "broadcast", "send", "192.0.2.255:9", "hello"])


@PAGE.way("69 no interface can take part in the group", "listen")
def no_group(netkit):
    return netkit.run(argv=["unshare", "-n", netkit_path(), "broadcast", "listen", ":0", "--group", "239.1.2.3"])


@PAGE.way("69 no such interface", "send", "listen")
def no_interface(netkit, action):
    return netkit.run(*words_of(PAGE, action), "--interface", "nonsense0")


@PAGE.way("76 a line of a source is longer than --max-line", "send")
def long_line(netkit, silent):
    return netkit.run("broadcast", "send", silent.address, stdin=LONG_LINE)


@PAGE.way("77 the way there is prohibited", "send")
def prohibited(netkit):
    return netkit.run(argv=[*PROHIBITED, netkit_path(), "broadcast", "send", "192.0.2.255:9", "hello"])


@PAGE.way("128+n ended by signal n", "send")
def by_signal(netkit, silent):
    run = netkit.start(*words_of(PAGE, "send", peer=silent.address))
    silent.udp.recv(100)  # the loop runs
    run.signal(signal.SIGINT)
    return run, signal.SIGINT


@PAGE.cases()
def test_every_status_of_the_page(request, case):
    case.check(request)
