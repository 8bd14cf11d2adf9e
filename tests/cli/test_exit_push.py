"""Every exit status of netkit-push(1), brought about."""

import signal

import pytest

from exit_status import Page
from exit_ways import (AS_OTHERS, LISTEN, LONG_LINE, PEER, PROHIBITED, add_ends, add_servers, add_set_up,  # noqa: F401
                       broken_pipe, by_second_signal, full_pipe, silent)
from native_server import FORBIDDEN, answer_connect, answer_hello, reject, version
from netkit import netkit_path, tcp_connect, udp_socket

PAGE = Page("push", {"serve": [LISTEN], "subscribe": [PEER], "status": [PEER]})
add_set_up(PAGE)
add_servers(PAGE)
add_ends(PAGE)


@pytest.fixture
def server(netkit):
    return netkit.serve("push", "serve", "127.0.0.1:0", "--every", "10ms", "--message", "tick")


@pytest.fixture
def nobody():
    """An address at which nobody listens."""
    with udp_socket() as sock:
        address = "127.0.0.1:%d" % sock.getsockname()[1]
    return address


def subscribed(netkit, address, *args):
    subscriber = netkit.start("push", "subscribe", address, "--name", "ann", *args)
    subscriber.err.expect(rb"subscribed to ")
    return subscriber


@PAGE.way("0 done")
def count_is_reached(netkit, server):
    return netkit.run("push", "subscribe", server.address, "-c", "2")


@PAGE.way("0 done")
def roster(netkit, server):
    return netkit.run("push", "status", server.address)


@PAGE.way("0 done")
def delivered(netkit):
    return netkit.run("push", "serve", "127.0.0.1:0", "--from", "-", stdin=b"record\n")


@PAGE.way("0 the server's source has ended", "subscribe")
def source_ends(netkit):
    server = netkit.serve("push", "serve", "127.0.0.1:0", "--from", "-")
    subscriber = subscribed(netkit, server.address)
    server.close_stdin()
    return subscriber


@PAGE.told("0 ended by INT or TERM", "subscribe")
def subscriber(netkit, server):
    return subscribed(netkit, server.address)


LOST = "69 no such server, refused, or lost, and --reconnect is used up"


@PAGE.way(LOST, "subscribe")
def nobody_there(netkit, nobody):
    return netkit.run("push", "subscribe", nobody, "--reconnect", "never")


@PAGE.way(LOST, "subscribe")
def nobody_there_again(netkit, nobody):
    return netkit.run("push", "subscribe", nobody, "--reconnect", "2", "--reconnect-max", "1ms")


@PAGE.way(LOST, "subscribe")
def nobody_there_plain(netkit, nobody):
    return netkit.run("push", "subscribe", nobody, "--plain", "--reconnect", "never")


@PAGE.way(LOST, "subscribe")
def nobody_answers(netkit, silent):
    return netkit.run("push", "subscribe", silent.address, "--reconnect", "never", "--connect-timeout", "10ms")


@PAGE.way(LOST, "subscribe")
def lost(netkit, server):
    subscriber = subscribed(netkit, server.address, "--reconnect", "never")
    server.signal(signal.SIGTERM)
    return subscriber


NO_STATUS = "69 refused, closed by the server, or no answer within --wait"


@PAGE.way(NO_STATUS, "status")
def status_refused(netkit, nobody):
    return netkit.run("push", "status", nobody)


@PAGE.way(NO_STATUS, "status")
def status_closed(netkit, silent):
    run = netkit.start("push", "status", silent.address)
    silent.tcp.accept()[0].close()
    return run


@PAGE.way(NO_STATUS, "status")
def status_overdue(netkit, silent):
    return netkit.run("push", "status", silent.address, "-w", "10ms")


@PAGE.way("74 a source cannot be read", "serve")
def no_source(netkit, tmp_path):
    return netkit.run("push", "serve", "127.0.0.1:0", "--from", f"file:{tmp_path}/nothing")


@PAGE.way("74 a source cannot be read", "serve")
def unreadable_source(netkit, tmp_path):
    return netkit.run("push", "serve", "127.0.0.1:0", "--from", f"file:{tmp_path}")


NAME_LOST = "75 the name was taken over or removed, or the server is full"


@PAGE.way(NAME_LOST, "subscribe")
def taken_over(netkit, server):
    first = subscribed(netkit, server.address)
    subscribed(netkit, server.address)
    return first


@PAGE.way(NAME_LOST, "subscribe")
def removed(netkit, server):
    subscriber = subscribed(netkit, server.address)
    with tcp_connect(server.address) as control:
        control.sendall(b"UNSUBSCRIBE ann\nQUIT\n")
        assert control.recv(100).startswith(b"OK")
    return subscriber


@PAGE.way(NAME_LOST, "subscribe")
def full(netkit):
    server = netkit.serve("push", "serve", "127.0.0.1:0", "--max-subscribers", "1")
    subscribed(netkit, server.address)
    return netkit.run("push", "subscribe", server.address, "--name", "bob", "--reconnect", "never")


NO_PUSH = "76 the other side is no push server, or it speaks another version"


@PAGE.way(NO_PUSH, "subscribe")
def no_server(netkit):
    room = netkit.serve("chat", "serve", "127.0.0.1:0")
    return netkit.run("push", "subscribe", room.address)


@PAGE.way(NO_PUSH, "subscribe")
def other_version(netkit, silent):
    subscriber = netkit.start("push", "subscribe", silent.address)
    answer_hello(silent.udp, version)
    return subscriber


@PAGE.way(NO_PUSH, "status")
def other_answer(netkit):
    web = netkit.serve("sse", "serve", "127.0.0.1:0")
    return netkit.run("push", "status", web.address)


@PAGE.way("76 a line of a source is longer than --max-line", "serve")
def long_line(netkit):
    return netkit.run("push", "serve", "127.0.0.1:0", "--from", "-", stdin=LONG_LINE)


@PAGE.way("77 a source may not be read", "serve")
def forbidden_source(netkit, tmp_path):
    (tmp_path / "source").touch(mode=0)
    return netkit.run(argv=[*AS_OTHERS, netkit_path(), "push", "serve", "127.0.0.1:0", "--from", f"file:{tmp_path}/source"])


@PAGE.way("77 the server forbids it", "subscribe")
def forbidden(netkit, silent):
    subscriber = netkit.start("push", "subscribe", silent.address)
    answer_connect(silent.udp, lambda key: reject(key, FORBIDDEN, b"not you"))
    return subscriber


@PAGE.way("77 the way there is prohibited", "status")
def prohibited(netkit):
    return netkit.run(argv=[*PROHIBITED, netkit_path(), "push", "status", "192.0.2.1:9"])


@PAGE.way("128+n ended by signal n", "status")
def by_signal(netkit, silent):
    run = netkit.start("push", "status", silent.address)
    connection, _ = silent.tcp.accept()
    with connection:
        assert connection.recv(100) == b"STATUS\n"
        run.signal(signal.SIGINT)
        return run, signal.SIGINT


@PAGE.way("128+n ended at once by a second signal", "subscribe")
def by_two(netkit, full_pipe, server):
    subscriber = netkit.start("push", "subscribe", server.address, "--json", stdout=full_pipe)
    subscriber.err.expect(rb"subscribed to ")
    return by_second_signal(subscriber)


@PAGE.cases()
def test_every_status_of_the_page(request, case):
    case.check(request)
