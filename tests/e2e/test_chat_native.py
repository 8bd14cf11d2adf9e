"""Native members: nothing lost, doubled or reordered, over lossy links, outages and restarts."""

import json
import signal
import subprocess

import pytest

from keys import sides  # noqa: F401
from netkit import host_port, wait_until
from relay import Relay


def join(netkit, address, name, *args, **kwargs):
    process = netkit.start("chat", "join", address, "--name", name, *args, **kwargs)
    process.err.expect(rb"^netkit: chat: joined \S+ as %s\n" % name.encode())
    return process


def enter(netkit, address, *args):
    process = netkit.start("chat", "join", address, *args)
    process.err.expect(rb"^netkit: chat: joined \S+ as \w+\n")
    return process


def heard(process, speaker, count, deadline=60):
    """The texts of the next `count` messages of `speaker` (JSON output)."""
    texts = []
    while len(texts) < count:
        record = process.out.json(deadline)
        if record["type"] == "message" and record["name"] == speaker:
            texts.append(record["text"])
    return texts


def test_others_hear_it_the_speaker_does_not(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    ann = join(netkit, server.address, "ann")
    bob = join(netkit, server.address, "bob")
    assert ann.out.line() == b"* bob joined"
    bob.write("hello\n/not a command\n")
    assert ann.out.line() == b"[bob] hello"
    assert ann.out.line() == b"[bob] /not a command"
    bob.close_stdin()
    assert bob.wait() == 0
    assert bob.out.rest() == b""
    assert ann.out.line() == b"* bob left (quit)"
    assert ann.stop(signal.SIGINT) == 0
    for line in (b"* ann joined", b"* bob joined", b"[bob] hello"):
        assert server.out.line() == line


def test_json(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    ann = join(netkit, server.address, "ann", "--json")
    netkit.run("chat", "join", server.address, "--name", "bob", stdin="one\ntwo\n")
    assert ann.stop() == 0
    records = [json.loads(line) for line in ann.out.data.splitlines()]
    assert [r["type"] for r in records] == ["joined", "message", "message", "left", "end"]
    assert list(records[1])[:3] == ["type", "time", "peer"]
    assert (records[1]["name"], records[1]["text"], records[1]["seq"]) == ("bob", "one", 1)
    assert records[2]["seq"] == 2 and records[2]["private"] is False
    assert records[3]["reason"] == "quit"
    assert records[4]["ok"] is True


def test_one_room_for_both_dialects(netkit):
    from netkit import udp_socket
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    ann = join(netkit, server.address, "ann")
    plain = udp_socket()
    plain.connect(host_port(server.address))
    plain.send(b"hi ann\n")
    name = ("127.0.0.1:%d" % plain.getsockname()[1]).encode()
    assert ann.out.line() == b"* %s joined" % name
    assert ann.out.line() == b"[%s] hi ann" % name
    assert plain.recv(65536) == b"[%s] hi ann\n" % name
    ann.write("hi you\n")
    assert plain.recv(65536) == b"[ann] hi you\n"


def test_a_taken_name_is_refused(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    join(netkit, server.address, "ann")
    second = netkit.run("chat", "join", server.address, "--name", "ann")
    assert second.status == 75
    assert b"the name 'ann' is taken; choose another with --name" in second.err


@pytest.mark.parametrize("name", ["", "a" * 65, "a\x1bb", " a", "/a", "127.0.0.1:5", "[::1]:5"])
def test_bad_names_are_usage_errors(netkit, name):
    result = netkit.run("chat", "join", "127.0.0.1:9", "--name", name)
    assert result.status == 2 and b"--name" in result.err


def test_a_full_room_says_so(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0", "--max-members", "1")
    join(netkit, server.address, "ann")
    second = netkit.run("chat", "join", server.address, "--name", "bob")
    assert second.status == 75 and b"--max-members" in second.err


def test_history_for_newcomers(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0", "--keep", "100")
    netkit.run("chat", "join", server.address, "--name", "ann",
               stdin="".join(f"line {i}\n" for i in range(1, 11)))
    everything = netkit.run("chat", "join", server.address, "--name", "bob", "--since", "all",
                            "--count", "10")
    assert everything.lines == [f"[ann] line {i}" for i in range(1, 11)]
    some = netkit.run("chat", "join", server.address, "--name", "carl", "--since", "8", "--count", "3")
    assert some.lines == [f"[ann] line {i}" for i in range(8, 11)]
    first = netkit.run("chat", "join", server.address, "--name", "dora", "--since", "3", "--count", "1")
    assert (first.status, first.lines) == (0, ["[ann] line 3"])


def test_a_gap_beyond_the_history_is_said_with_numbers(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0", "--keep", "1")
    for i in range(1, 6):
        netkit.run("chat", "join", server.address, "--name", "ann", stdin=f"line {i}\n")
    late = netkit.run("chat", "join", server.address, "--name", "bob", "--since", "1", "--count", "1",
                      "--json")
    gap = next(r for r in late.records if r["type"] == "gap")
    message = next(r for r in late.records if r["type"] == "message")
    assert gap["from"] == 1 and gap["to"] + 1 == message["seq"]
    assert b"lost messages 1 to" in late.err


def test_motd_and_log(netkit, tmp_path):
    log = tmp_path / "room.log"
    server = netkit.serve("chat", "serve", "127.0.0.1:0", "--motd", "be kind", "--history", log)
    result = netkit.run("chat", "join", server.address, "--name", "ann b", stdin="a\tb\\\x1b\n")
    assert result.status == 0 and b"netkit: chat: be kind\n" in result.err
    server.stop()
    lines = log.read_text().splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == [
        "* ann\\x20b joined", "< ann\\x20b a\tb\\\\x1b", "* ann\\x20b left (quit)"]
    assert log.stat().st_mode & 0o777 == 0o600


def test_commands(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    ann = join(netkit, server.address, "ann")
    ann.write("")
    script = "/who\n\n/me waves\n//x\n/msg ann psst\n/nick bobby\n/msg nobody hi\n/bogus\nbye\n"
    bob = netkit.run("chat", "join", server.address, "--name", "bob", "--commands", stdin=script)
    lines = [ann.out.line() for _ in range(7)]
    assert lines == [b"* bob joined", b"* bob waves", b"[bob] /x", b"[bob to you] psst",
                     b"* bob is now bobby", b"[bobby] bye", b"* bobby left (quit)"]
    assert b"here: ann, bob\n" in bob.err
    assert b"there is no 'nobody' here" in bob.err
    assert b"unknown command '/bogus'" in bob.err
    assert bob.status == 1


def test_private_words_find_their_addressee(netkit):
    """A name may hold blanks: the longest one that fits is meant."""
    from netkit import udp_socket
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    ann, blank = join(netkit, server.address, "ann"), join(netkit, server.address, "ann \"the\" second")
    plain = udp_socket()
    plain.connect(host_port(server.address))
    plain.send(b"reg")
    name = "127.0.0.1:%d" % plain.getsockname()[1]
    ann.out.expect(rb"\* %s joined\n" % name.encode())
    script = f"/msg ann one\n/msg ann \"the\" second two\n/msg ann \"the\" third\n/msg {name} three  \n"
    assert netkit.run("chat", "join", server.address, "--name", "bob", "--commands", stdin=script).status == 0
    ann.out.expect(rb"\[bob to you\] one\n\[bob to you\] \"the\" third\n\* bob left")
    blank.out.expect(rb"\[bob to you\] two\n\* bob left")
    assert plain.recv(65536) == b"[bob] three\n"
    assert b"two" not in ann.out.data and b"bob]" not in server.out.data


def test_names_that_are_refused_in_the_room(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    ann = join(netkit, server.address, "ann")
    script = "/nick ann\n/nick " + "é" * 32 + "\n/nick " + "é" * 33 + "\n/nick 127.0.0.1:5\n/nick a\x1bb\nsaid\n"
    bob = netkit.run("chat", "join", server.address, "--name", "bob", "--commands", stdin=script)
    ann.out.expect("^\\* bob joined\n\\* bob is now {0}\n\\[{0}\\] said\n\\* {0} left".format("é" * 32).encode())
    for why in (b"the name 'ann' is taken", b"the name is longer than 64 bytes", b"the name looks like an address",
                b"the name contains control characters"):
        assert why in bob.err


@pytest.mark.realtime
def test_one_whose_output_nobody_reads_stays(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0", "--lease", "300ms", "--rate", "10000")
    ann = join(netkit, server.address, "ann")
    lines = [b"%03d %s" % (i, b"x" * 2000) for i in range(400)]
    bob = netkit.start("chat", "join", server.address, "--name", "bob")
    bob.write(b"\n".join(lines) + b"\n")
    bob.close_stdin()
    assert bob.wait() == 0
    server.out.expect(rb"^\* bob left \(quit\)\n")
    server.out.silent(1)  # three leases
    assert ann.out.line() == b"* bob joined"
    for line in lines:
        assert ann.out.line() == b"[bob] " + line


@pytest.mark.parametrize("action", ["serve", "join"])
def test_a_full_disk_is_said_once_and_the_chat_goes_on(netkit, action):
    server = netkit.serve("chat", "serve", "127.0.0.1:0", *(["--history", "/dev/full"] if action == "serve" else []))
    ann = join(netkit, server.address, "ann", *(["--history", "/dev/full"] if action == "join" else []))
    netkit.run("chat", "join", server.address, "--name", "bob", stdin="one\ntwo\n")
    ann.out.expect(rb"one\n\[bob\] two\n\* bob left")
    failing, other = (server, ann) if action == "serve" else (ann, server)
    for process in (ann, server):
        assert process.stop() == (74 if process == failing else 0)
    assert failing.err.data.count(b"cannot write /dev/full (--history): no space left on device\n") == 1
    assert b"--history" not in other.err.data


def test_a_history_that_cannot_be_opened(netkit, tmp_path):
    for words in (["serve", "127.0.0.1:0"], ["join", "127.0.0.1:9"], ["peer", "--bind", "127.0.0.1:0"]):
        result = netkit.run("chat", *words, "--history", tmp_path)
        assert result.status == 74 and b"(--history)" in result.err


def test_a_line_that_is_too_long_is_undelivered_as_a_whole(netkit, tmp_path):
    with open(tmp_path / "said", "wb") as said:
        server = netkit.serve("chat", "serve", "127.0.0.1:0", "--json", stdout=said)
    lines = ["x" * 65000, "y" * 65001, "last"]
    result = netkit.run("chat", "join", server.address, "--name", "ann", "--json", stdin="\n".join(lines))
    assert result.status == 1
    assert [(r["text"], r["reason"]) for r in result.records[:-1]] == [(lines[1], "longer than 65000 bytes")]
    assert server.stop() == 0
    records = [json.loads(line) for line in (tmp_path / "said").read_text().splitlines()]
    texts = [r["text"] for r in records if r["type"] == "message"]
    assert texts == [lines[0], lines[2]]


@pytest.mark.parametrize("plain", [[], ["--plain"]])
def test_who_ends_with_a_line_that_is_too_long_has_said_what_came_before_and_leaves(netkit, plain):
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    ann = netkit.start("chat", "join", server.address, "--name", "ann", *plain)
    ann.write("one\n" + "x" * (1 << 20) + "y\nnot any more\n")
    ann.close_stdin()
    assert ann.wait() == 76
    assert ann.err.data.endswith(b"netkit: chat: a line of standard input is longer than 1M\n")
    said = server.out.expect(rb".*?^\* \S+ left \(quit\)\n").group()
    assert b"] one\n" in said and b"not any more" not in said


def test_ignore(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    ann = join(netkit, server.address, "ann", "--commands")
    ann.write("/ignore bob\n")
    ann.err.expect(rb"bob is ignored\n")
    netkit.run("chat", "join", server.address, "--name", "bob", stdin="unheard\n")
    netkit.run("chat", "join", server.address, "--name", "carl", stdin="heard\n")
    ann.out.expect(rb"\[carl\] heard\n")
    assert b"unheard" not in ann.out.data


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_room_that_closes_ends_its_members(netkit, number):
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    ann = join(netkit, server.address, "ann", "--reconnect", "never")
    assert server.stop(number) == 0
    assert ann.wait() == 69
    assert b"the room has closed" in ann.err.data


def test_names_that_look_the_same_are_the_same(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    composed, apart = "b\u00f3b", "bo\u0301b"
    member = netkit.start("chat", "join", server.address, "--name", apart, "--commands")
    member.err.expect(f"joined \\S+ as {composed}\n".encode())
    assert netkit.run("chat", "join", server.address, "--name", composed, stdin="x\n").status == 75
    ann = netkit.run("chat", "join", server.address, "--name", "ann", "--commands", stdin=f"/msg {apart} hello\n/nick {apart}\n")
    assert b"is taken" in ann.err
    member.out.expect(rb"^\[ann to you\] hello\n")


def test_a_room_that_closes_is_an_outage(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    ann = join(netkit, server.address, "ann", "--reconnect-max", "100ms")
    assert server.stop() == 0
    ann.err.expect(rb"the room has closed; trying again in ")
    ann.write("said meanwhile\n")
    again = netkit.serve("chat", "serve", server.address)
    again.out.expect(rb"^\[ann\] said meanwhile\n")
    ann.err.expect(rb"connected again after ")


def test_nobody_there(netkit):
    result = netkit.run("chat", "join", "127.0.0.1:1", "--reconnect", "never", stdin="hi\n")
    assert result.status == 69 and b"connection refused" in result.err


def test_undelivered_is_said(netkit):
    result = netkit.run("chat", "join", "127.0.0.1:1", "--wait", "300ms", "--json", stdin="hi\nho\n")
    assert result.status == 1
    assert [r["text"] for r in result.records if r["type"] == "undelivered"] == ["hi", "ho"]
    assert result.records[-1]["ok"] is False


def test_three_members_over_a_lossy_link(netkit, sides):
    names = ["ann", "bob", "carl"]
    side = sides(*names)
    server = netkit.serve("chat", "serve", "127.0.0.1:0", *side(None), stdout=subprocess.DEVNULL)
    relay = Relay(host_port(server.address), loss=0.2, double=0.05, reorder=0.1, seed=7)
    members = {n: enter(netkit, relay.address, *side(n), "--json") for n in names}
    for name, process in members.items():
        process.write("".join(f"{name} {i}\n" for i in range(300)))
    # All at once: one whose output nobody reads waits for his reader.
    def all_heard():
        for process in members.values():
            while process.out._pump(0.01):
                pass
        return all(p.out.data.count(b'"message"') >= 600 for p in members.values())

    wait_until(all_heard, 60, "600 messages for each")
    for name, process in members.items():
        texts = {n: [] for n in names}
        for record in map(json.loads, process.out.data.splitlines()):
            assert record["type"] != "gap"
            if record["type"] == "message":
                texts[record["name"]].append(record["text"])
        for other in names:
            expected = [] if other == name else [f"{other} {i}" for i in range(300)]
            assert texts[other] == expected
    for process in members.values():
        process.close_stdin()
        assert process.wait(30) == 0
    relay.close()


def test_said_during_an_outage_heard_after_it(netkit, sides):
    side = sides("ann", "bob")
    server = netkit.serve("chat", "serve", "127.0.0.1:0", *side(None), stdout=subprocess.DEVNULL)
    relay = Relay(host_port(server.address))
    ann = enter(netkit, relay.address, *side("ann"), "--json")
    bob = enter(netkit, server.address, *side("bob"), "--json")
    relay.outage(3)
    ann.write("".join(f"from ann {i}\n" for i in range(20)))
    bob.write("".join(f"from bob {i}\n" for i in range(20)))
    assert heard(ann, "bob", 20) == [f"from bob {i}" for i in range(20)]
    assert heard(bob, "ann", 20) == [f"from ann {i}" for i in range(20)]
    relay.close()


def test_members_come_back_after_a_restart_under_their_names(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    address = server.address
    ann = join(netkit, address, "ann", "--heartbeat", "300ms", "--json")
    bob = join(netkit, address, "bob", "--heartbeat", "300ms", "--json")
    server.signal(signal.SIGKILL)
    server.wait()
    bob.write("said while it is away\n")
    again = netkit.serve("chat", "serve", address, stdout=subprocess.DEVNULL)
    for process, name in ((ann, b"ann"), (bob, b"bob")):
        process.err.expect(rb"^netkit: chat: joined \S+ as %s\n" % name)
    assert heard(ann, "bob", 1) == ["said while it is away"]
    late = netkit.run("chat", "join", address, "--name", "late", "--since", "all", "--count", "1")
    assert late.lines == ["[bob] said while it is away"]
    bob.close_stdin()
    assert bob.wait() == 0
    assert again.stop() == 0


def test_own_history_file(netkit, tmp_path):
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    log = tmp_path / "log"
    ann = join(netkit, server.address, "ann", "--history", log)
    ann.write("mine\n")
    server.out.expect(rb"\[ann\] mine\n")
    netkit.run("chat", "join", server.address, "--name", "bob", stdin="his\n")
    wait_until(lambda: b"left" in log.read_bytes(), what="the log")
    assert [line.split(" ", 1)[1] for line in log.read_text().splitlines()] == [
        "> ann mine", "* bob joined", "< bob his", "* bob left (quit)"]
    assert log.stat().st_mode & 0o777 == 0o600


def test_who_comes_and_goes_need_not_be_shown(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0", "--notices", "no")
    ann = join(netkit, server.address, "ann", "--notices", "no")
    for name in ("bob", "carl"):
        assert netkit.run("chat", "join", server.address, "--name", name, stdin="hello\n").status == 0
    assert [ann.out.line(), ann.out.line()] == [b"[bob] hello", b"[carl] hello"]
    assert [server.out.line(), server.out.line()] == [b"[bob] hello", b"[carl] hello"]
