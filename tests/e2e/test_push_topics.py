"""netkit push by topic: send, wildcards, the last of each topic, --state, --drain; and status --watch."""

import signal
import socket

import pytest

from netkit import DEADLINE, receive_to_end, tcp_connect


@pytest.fixture
def server(netkit):
    def start(*args):
        return netkit.serve("push", "serve", "127.0.0.1:0", "--from", "-", *args, sockets=2)
    return start


def send(netkit, server, topic, *texts):
    done = netkit.run("push", "send", server.address, "--topic", topic, *texts)
    assert (done.status, done.out, done.err) == (0, b"", b""), done


def subscribe(netkit, server, *args):
    reader = netkit.start("push", "subscribe", server.address, "--json", *args)
    reader.err.expect(b"subscribed to")
    return reader


def drained(netkit, server, *args):
    done = netkit.run("push", "subscribe", server.address, "--json", "--no-end", "--drain", *args)
    assert done.status == 0, done
    return [(r["seq"], r.get("topic"), r["text"]) for r in done.records if r["type"] == "push"]


def test_records_are_chosen_by_topic_and_keep_their_numbers(netkit, server):
    one = server()
    kitchen = subscribe(netkit, one, "--topic", "home/+/temperature", "--topic", "door")
    everything = subscribe(netkit, one, "--topic", "#")
    plain_text = netkit.start("push", "subscribe", one.address)
    plain_text.err.expect(b"subscribed to")
    for topic, text in (("home/kitchen/temperature", "21"), ("home/kitchen/light", "on"), ("", "none"), ("door", "open"),
                        ("home/hall/temperature", "18")):
        send(netkit, one, topic, text)
    heard = [kitchen.out.json() for _ in range(3)]
    assert [(r["seq"], r["topic"], r["text"]) for r in heard] == [
        (1, "home/kitchen/temperature", "21"), (4, "door", "open"), (5, "home/hall/temperature", "18")], "and no gap"
    assert [(r["seq"], r.get("topic")) for r in (everything.out.json() for _ in range(5))] == [
        (1, "home/kitchen/temperature"), (2, "home/kitchen/light"), (3, None), (4, "door"), (5, "home/hall/temperature")]
    assert [plain_text.out.line() for _ in range(5)] == [b"21", b"on", b"none", b"open", b"18"]


def test_what_is_kept_comes_by_topic_and_drain_ends_then(netkit, server):
    one = server()
    for i in range(6):
        send(netkit, one, f"t/{i % 2}", str(i))
    assert drained(netkit, one) == [(i + 1, f"t/{i % 2}", str(i)) for i in range(6)]
    assert drained(netkit, one, "--topic", "t/1") == [(2, "t/1", "1"), (4, "t/1", "3"), (6, "t/1", "5")]
    assert drained(netkit, one, "--topic", "t/0", "--since", "4") == [(5, "t/0", "4")]
    assert drained(netkit, one, "--topic", "nothing") == []


def test_what_is_not_kept_any_more_is_a_gap(netkit, server):
    one = server("--keep", "4")
    for i in range(1, 11):
        send(netkit, one, "t", str(i))
    done = netkit.run("push", "subscribe", one.address, "--json", "--no-end", "--drain", "--since", "2", "--topic", "t")
    assert (done.records[0]["type"], done.records[0]["from"], done.records[0]["to"]) == ("gap", 2, 6)
    assert [r["seq"] for r in done.records[1:]] == [7, 8, 9, 10]


def test_the_last_of_each_topic_comes_to_a_newcomer(netkit, server):
    one = server("--last")
    for topic, text in (("a", "1"), ("b", "2"), ("a", "3"), ("c/d", "4")):
        send(netkit, one, topic, text)
    reader = subscribe(netkit, one, "--topic", "#")
    assert [(r["topic"], r["text"]) for r in (reader.out.json() for _ in range(3))] == [("b", "2"), ("a", "3"), ("c/d", "4")]
    reader = subscribe(netkit, one, "--topic", "c/+")
    assert reader.out.json()["text"] == "4"
    send(netkit, one, "c/e", "5")
    assert reader.out.json()["text"] == "5"


def test_the_last_of_each_topic_outlives_the_server(netkit, server, tmp_path):
    store = ("--store", f"sqlite:{tmp_path}/store.db", "--last", "--keep", "5")
    one = server(*store)
    for topic in "abcdddddddd":
        send(netkit, one, topic, f"of {topic}")
    one.stop()
    reader = subscribe(netkit, server(*store), "--topic", "#")
    assert [reader.out.json()["text"] for _ in range(4)] == ["of a", "of b", "of c", "of d"]


def test_the_state_is_kept_across_runs(netkit, server, tmp_path):
    one = server("--store", f"sqlite:{tmp_path}/store.db")
    state = ("--state", tmp_path / "state")
    for i in range(3):
        send(netkit, one, "t", str(i))
    assert [r[0] for r in drained(netkit, one, *state)] == [1, 2, 3]
    assert drained(netkit, one, *state) == []
    send(netkit, one, "t", "3")
    assert [r[0] for r in drained(netkit, one, *state)] == [4]
    assert [r[0] for r in drained(netkit, one, *state, "--since", "2")] == [2, 3, 4], "--since beats it"
    (tmp_path / "state").write_text("something else\n")
    done = netkit.run("push", "subscribe", one.address, *state)
    assert done.status == 78 and b"does not hold a record number" in done.err


def test_every_line_of_stdin_is_sent_and_acknowledged(netkit, server, tmp_path):
    one = server("--store", f"sqlite:{tmp_path}/store.db", "--keep", "5000")
    done = netkit.run("push", "send", one.address, "--topic", "t", "--json", stdin=b"".join(b"%d\n" % i for i in range(3000)))
    assert done.status == 0 and done.records[-1]["taken"] == 3000, done
    assert [r[2] for r in drained(netkit, one)][-1] == "2999"


def control(server, data, half_close=True):
    with tcp_connect(server.address) as sock:
        sock.sendall(data)
        if half_close:
            sock.shutdown(socket.SHUT_WR)
        return receive_to_end(sock)


def test_the_control_line_is_for_any_program(netkit, server):
    one = server()
    reader = subscribe(netkit, one, "--topic", "#")
    assert control(one, b"PUSH - 5\nhelloPUSH a/b 3\nx\nyLIST\nPUSH a+ 1\nPUSH a x\nQUIT\n").startswith(b"OK\nOK\nOK 1\n")
    assert [(r.get("topic"), r["text"]) for r in (reader.out.json() for _ in range(2))] == [(None, "hello"), ("a/b", "x\ny")]
    assert b"ERR a record has at most 65536 bytes\n" == control(one, b"PUSH - 70000\n" + b"x" * 70000)
    assert control(one, b"PUSH t 10\nshort") == b""
    assert control(one, b"PUSH t 1\nxPUSH - 0") == b"OK\nOK\n"  # the last line has no end
    with tcp_connect(one.address) as sock:
        sock.settimeout(DEADLINE)
        for byte in b"PUSH t 3\nabcPUSH t 0\n":
            sock.sendall(bytes([byte]))
        assert sock.recv(3) == b"OK\n" and sock.recv(3) == b"OK\n"


@pytest.mark.parametrize("accept, status", [("none", 77), ("local", 0), ("all", 0)])
def test_a_server_says_whose_records_it_takes(netkit, server, accept, status):
    done = netkit.run("push", "send", server("--accept", accept).address, "hello")
    assert done.status == status
    assert (b"publishers from this address are not accepted (--accept)" in done.err) == (status != 0)




@pytest.mark.parametrize("words, sentence", [
    (("send", "9", "x", "--topic", "a/#"), b"--topic: 'a/#' contains + or #"),
    (("serve", "--topic", "a b"), b"--topic: 'a b' contains blanks"),
    (("subscribe", "9", "--topic", "a#"), b"--topic: 'a#' contains + or # within a level"),
    (("subscribe", "9", "--plain", "--topic", "a"), b"--topic")])
def test_topics_that_are_none_are_usage_errors(netkit, words, sentence):
    done = netkit.run("push", *words)
    assert done.status == 2 and sentence in done.err, done


def test_the_sources_have_a_topic(netkit, server):
    one = server("--topic", "log/app")
    reader = subscribe(netkit, one, "--topic", "log/#")
    one.write(b"line\n")
    assert reader.out.json()["topic"] == "log/app"


def test_a_template_with_topics_asks_for_them(netkit, server):
    one = server("--topic", "log/app")
    reader = netkit.start("push", "subscribe", one.address, "--template", "{topic} {text}", "-c", "1")
    reader.err.expect(rb"subscribed to ")
    one.write(b"line\n")
    assert reader.wait() == 0 and reader.out.data == b"log/app line\n"


def test_the_roster_is_watched(netkit, server):
    one = server()
    watching = netkit.start("push", "status", one.address, "--json", "--watch", "100ms")
    reader = subscribe(netkit, one, "--name", "ann")
    assert watching.out.json()["name"] == "ann"
    assert watching.out.json()["name"] == "ann", "again"
    reader.stop()
    terminal = netkit.terminal("push", "status", one.address)
    subscribe(netkit, one, "--name", "bob")
    terminal = netkit.terminal("push", "status", one.address)
    terminal.expect(rb"NAME\s+ADDRESS\s+KIND\s+AGE\s+SENT\s+LOST\s+LAG\s+RTT\r\nbob\s+127.0.0.1:\d+\s+native\s+\d+ s\s+0\s+0\s+0\s+\S+s\r\n")
    assert terminal.wait() == 0


def watched(netkit, one, term):
    """What a terminal gets until the second table."""
    terminal = netkit.terminal("push", "status", one.address, "--watch", "100ms", env={"TERM": term})
    terminal.expect(rb"NAME.*ann .*NAME.*ann ")
    terminal.signal(signal.SIGINT)
    assert terminal.wait() == 0
    return terminal.out.data


def test_a_watched_table_takes_the_place_of_the_one_before_where_it_can(netkit, server):
    one = server()
    subscribe(netkit, one, "--name", "ann")
    assert watched(netkit, one, "xterm").count(b"\x1b[2J") >= 2
    dumb = watched(netkit, one, "dumb")
    assert b"\x1b" not in dumb and b"\r\n\r\nNAME" in dumb


def test_a_terminal_gets_the_form_that_was_asked_for(netkit, server, tmp_path):
    one = server()
    subscribe(netkit, one, "--name", "ann")
    terminal = netkit.terminal("push", "status", one.address, "--template", "<{name}>")
    assert (terminal.wait(), terminal.out.data) == (0, b"<ann>\r\n")
    terminal = netkit.terminal("push", "status", one.address, "--to", f"file:{tmp_path}/roster")
    assert (terminal.wait(), terminal.out.data) == (0, b"")
    assert (tmp_path / "roster").read_text().startswith("ann 127.0.0.1:")



def test_the_roster_of_the_first_server_that_is_there(netkit, server):
    one = server()
    subscribe(netkit, one, "--name", "ann")
    asked = netkit.run("push", "status", f"127.0.0.1:1,{one.address}", "--json")
    assert asked.status == 0 and asked.records[0]["name"] == "ann"


def test_a_server_moves_nobodys_cursor(netkit):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(DEADLINE)
        terminal = netkit.terminal("push", "status", f"127.0.0.1:{listening.getsockname()[1]}")
        with listening.accept()[0] as sock:
            sock.sendall(b"OK 1\n\x1b[2J native 1.0 1 0 0 ann\t1 1 1 1\n")
            terminal.expect(rb"ann\s+\\x1b\[2J\s+native")
    assert terminal.wait() == 0 and b"\x1b[2J" not in terminal.out.data
