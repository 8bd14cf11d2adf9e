"""Every exit status of netkit-push(1), brought about, but for those of test_exit_common.py."""

import functools
import signal

import pytest

import exit_status
from exit_ways import (AS_OTHERS, LONG_LINE, PROHIBITED, TOLD, by_second_signal, full_pipe, nobody,  # noqa: F401
                       silent)
from keys import key_file
from native_server import FORBIDDEN, answer_connect, answer_hello, reject, version
from netkit import netkit_path, tcp_connect

ends = functools.partial(exit_status.ends, "push")


@pytest.fixture
def server(netkit):
    return netkit.serve("push", "serve", "127.0.0.1:0", "--every", "10ms", "--message", "tick")


def subscribed(netkit, address, *args):
    subscriber = netkit.start("push", "subscribe", address, "--name", "ann", *args)
    subscriber.err.expect(rb"subscribed to ")
    return subscriber


@ends("0 done")
def test_count_is_reached(netkit, server):
    return netkit.run("push", "subscribe", server.address, "-c", "2")


@ends("0 done")
def test_roster(netkit, server):
    return netkit.run("push", "status", server.address)


@ends("0 done")
def test_delivered(netkit):
    return netkit.run("push", "serve", "127.0.0.1:0", "--from", "-", stdin=b"record\n")


@ends("0 the server's source has ended", "subscribe")
def test_source_ends(netkit):
    server = netkit.serve("push", "serve", "127.0.0.1:0", "--from", "-")
    subscriber = subscribed(netkit, server.address)
    server.close_stdin()
    return subscriber


@TOLD
@ends("0 ended by INT or TERM", "subscribe")
def test_subscriber(netkit, server, signo):
    subscriber = subscribed(netkit, server.address)
    subscriber.signal(signo)
    return subscriber


@TOLD
@ends("0 ended by INT or TERM", "status --watch")
def test_watching(netkit, server, signo):
    subscribed(netkit, server.address)
    watching = netkit.start("push", "status", server.address, "--watch", "100ms")
    watching.out.expect(b"ann .*ann ")
    watching.signal(signo)
    return watching


@TOLD
@ends("0 ended by INT or TERM", "send --every")
def test_ticker(netkit, server, signo):
    subscriber = subscribed(netkit, server.address)
    run = netkit.start("push", "send", server.address, "--every", "10ms", "--message", "tock")
    subscriber.out.expect(b"tock\n")
    run.signal(signo)
    return run


LOST = "69 no such server, refused, or lost, and --reconnect allows no further attempt"


@ends(LOST, "subscribe")
def test_nobody_there(netkit, nobody):
    return netkit.run("push", "subscribe", nobody, "--reconnect", "never")


@ends(LOST, "subscribe")
def test_nobody_there_again(netkit, nobody):
    return netkit.run("push", "subscribe", nobody, "--reconnect", "2", "--reconnect-max", "1ms")


@ends(LOST, "subscribe")
def test_nobody_there_plain(netkit, nobody):
    return netkit.run("push", "subscribe", nobody, "--plain", "--reconnect", "never")


@ends(LOST, "subscribe")
def test_nobody_answers(netkit, silent):
    return netkit.run("push", "subscribe", silent.address, "--reconnect", "never", "--connect-timeout", "10ms")


@ends(LOST, "subscribe")
def test_lost(netkit, server):
    subscriber = subscribed(netkit, server.address, "--reconnect", "never")
    server.signal(signal.SIGTERM)
    return subscriber


NO_STATUS = "69 refused, closed by the server, or no answer within --wait"


@ends(NO_STATUS, "status")
def test_status_refused(netkit, nobody):
    return netkit.run("push", "status", nobody)


@ends(NO_STATUS, "status")
def test_status_closed(netkit, silent):
    run = netkit.start("push", "status", silent.address)
    silent.tcp.accept()[0].close()
    return run


@ends(NO_STATUS, "status")
def test_status_overdue(netkit, silent):
    return netkit.run("push", "status", silent.address, "-w", "10ms")


@ends("74 a source cannot be read", "serve")
def test_no_source(netkit, tmp_path):
    return netkit.run("push", "serve", "127.0.0.1:0", "--from", f"file:{tmp_path}/nothing")


@ends("74 a source cannot be read", "serve")
def test_unreadable_source(netkit, tmp_path):
    return netkit.run("push", "serve", "127.0.0.1:0", "--from", f"file:{tmp_path}")


NAME_LOST = "75 the name was taken over or removed, or the server is full"


@ends(NAME_LOST, "subscribe")
def test_taken_over(netkit, server):
    first = subscribed(netkit, server.address)
    subscribed(netkit, server.address)
    return first


@ends(NAME_LOST, "subscribe")
def test_removed(netkit, server):
    subscriber = subscribed(netkit, server.address)
    with tcp_connect(server.address) as control:
        control.sendall(b"UNSUBSCRIBE ann\nQUIT\n")
        assert control.recv(100).startswith(b"OK")
    return subscriber


@ends(NAME_LOST, "subscribe")
def test_full(netkit):
    server = netkit.serve("push", "serve", "127.0.0.1:0", "--max-subscribers", "1")
    subscribed(netkit, server.address)
    return netkit.run("push", "subscribe", server.address, "--name", "bob", "--reconnect", "never")


NO_PUSH = "76 the other side is not a push server, or speaks another version"


@ends(NO_PUSH, "subscribe")
def test_no_server(netkit):
    room = netkit.serve("chat", "serve", "127.0.0.1:0")
    return netkit.run("push", "subscribe", room.address)


@ends(NO_PUSH, "subscribe")
def test_other_version(netkit, silent):
    subscriber = netkit.start("push", "subscribe", silent.address)
    answer_hello(silent.udp, version)
    return subscriber


@ends(NO_PUSH, "status")
def test_other_answer(netkit):
    web = netkit.serve("sse", "serve", "127.0.0.1:0")
    return netkit.run("push", "status", web.address)


@ends(NO_PUSH, "send")
def test_other_answer_to_a_record(netkit):
    web = netkit.serve("sse", "serve", "127.0.0.1:0")
    return netkit.run("push", "send", web.address, "hello")


@ends("76 a line of a source is longer than --max-line", "serve")
def test_long_line(netkit):
    return netkit.run("push", "serve", "127.0.0.1:0", "--from", "-", stdin=LONG_LINE)


@ends("77 no permission to read a source", "serve")
def test_forbidden_source(netkit, tmp_path):
    (tmp_path / "source").touch(mode=0)
    return netkit.run(argv=[*AS_OTHERS, netkit_path(), "push", "serve", "127.0.0.1:0", "--from", f"file:{tmp_path}/source"])


@ends("77 the server forbids it", "subscribe")
def test_forbidden(netkit, silent):
    subscriber = netkit.start("push", "subscribe", silent.address)
    answer_connect(silent.udp, lambda key: reject(key, FORBIDDEN, b"not you"))
    return subscriber


@pytest.mark.parametrize("words", [("status", "192.0.2.1:9"), ("send", "192.0.2.1:9", "hello")], ids=lambda words: words[0])
@ends("77 the network prohibits it", "status", "send")
def test_prohibited(netkit, words):
    return netkit.run(argv=[*PROHIBITED, netkit_path(), "push", *words])


@ends("77 the server accepts no records from this address", "send")
def test_not_accepted(netkit):
    return netkit.run("push", "send", netkit.serve("push", "serve", "127.0.0.1:0", "--accept", "none").address, "hello")


@ends("78 the file of --state does not hold a record number", "subscribe")
def test_no_state(netkit, nobody, tmp_path):
    (tmp_path / "state").write_text("nothing of ours\n")
    return netkit.run("push", "subscribe", nobody, "--state", tmp_path / "state")


@ends("69 the server cannot be reached, or is lost", "send")
def test_no_server_to_send_to(netkit, nobody):
    return netkit.run("push", "send", nobody, "hello")


@ends("75 the server has no room for a record", "send")
def test_no_room(netkit, silent):
    run = netkit.start("push", "send", silent.address, "hello")
    connection, _ = silent.tcp.accept()
    with connection:
        assert connection.recv(100) == b"PUSH - 5\nhello"
        connection.sendall(b"ERR the store is unavailable, and 10000 entries are waiting (--store-queue)\n")
        run.wait()
        return run


@ends("128+n ended by signal n", "send")
def test_sending_by_signal(netkit, silent):
    run = netkit.start("push", "send", silent.address, "hello")
    connection, _ = silent.tcp.accept()
    with connection:
        assert connection.recv(100)
        run.signal(signal.SIGINT)
        return run, signal.SIGINT


@pytest.mark.parametrize("words", [["--count", "1"], ["--drain"]], ids=lambda words: words[0])
@ends("128+n ended by signal n", "subscribe --count", "subscribe --drain")
def test_subscriber_cut_short(netkit, silent, words):
    subscriber = netkit.start("push", "subscribe", silent.address, *words)
    silent.udp.recv(100)  # the loop runs
    subscriber.signal(signal.SIGINT)
    return subscriber, signal.SIGINT


@ends("128+n ended by signal n", "status")
def test_by_signal(netkit, silent):
    run = netkit.start("push", "status", silent.address)
    connection, _ = silent.tcp.accept()
    with connection:
        assert connection.recv(100) == b"STATUS\n"
        run.signal(signal.SIGINT)
        return run, signal.SIGINT


@ends("128+n ended at once by a second signal", "subscribe")
def test_by_two(netkit, full_pipe, server):
    subscriber = netkit.start("push", "subscribe", server.address, "--json", stdout=full_pipe)
    subscriber.err.expect(rb"subscribed to ")
    return by_second_signal(subscriber)


@ends("77 the server rejects the key, or requires one", "subscribe", "send", "status")
def test_another_key(netkit, tmp_path, action):
    server = netkit.serve("push", "serve", "127.0.0.1:0", "--psk-file", key_file(tmp_path / "there", "ann"))
    return netkit.run("push", action, server.address, "--psk-file", key_file(tmp_path / "here", ann="99" * 32), stdin="x\n")


@ends("77 the server accepts no records from this key", "send")
def test_no_publisher(netkit, tmp_path):
    server = netkit.serve("push", "serve", "127.0.0.1:0", "--psk-file", key_file(tmp_path / "all", "ann", "ben"),
                          "--publishers", "ann")
    return netkit.run("push", "send", server.address, "hello", "--psk-file", key_file(tmp_path / "ben", "ben"))


@ends("78 the key file cannot be read, or others may read it", "serve", "subscribe", "send", "status")
def test_a_key_file_for_others(netkit, tmp_path, action):
    return netkit.run("push", action, "127.0.0.1:0" if action == "serve" else "9", "--psk-file",
                      key_file(tmp_path / "keys", "ann", mode=0o640))
