"""Native members: nothing lost, doubled or reordered, over lossy links, outages and restarts."""

import json
import signal
import subprocess

import pytest

from netkit import host_port, wait_until
from relay import Relay


def join(netkit, address, name, *args, **kwargs):
    process = netkit.start("chat", "join", address, "--name", name, *args, **kwargs)
    process.err.expect(rb"^netkit: chat: joined \S+ as %s\n" % name.encode())
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


@pytest.mark.parametrize("name", ["", "a" * 65, "a\x1bb", " a", "/a"])
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
    script = "/who\n/me waves\n//x\n/msg ann psst\n/nick bobby\n/msg nobody hi\n/bogus\nbye\n"
    bob = netkit.run("chat", "join", server.address, "--name", "bob", "--commands", stdin=script)
    lines = [ann.out.line() for _ in range(7)]
    assert lines == [b"* bob joined", b"* bob waves", b"[bob] /x", b"[bob to you] psst",
                     b"* bob is now bobby", b"[bobby] bye", b"* bobby left (quit)"]
    assert b"here: ann, bob\n" in bob.err
    assert b"there is no 'nobody' here" in bob.err
    assert b"unknown command '/bogus'" in bob.err
    assert bob.status == 1


def test_ignore(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    ann = join(netkit, server.address, "ann", "--commands")
    ann.write("/ignore bob\n")
    ann.err.expect(rb"bob is ignored\n")
    netkit.run("chat", "join", server.address, "--name", "bob", stdin="unheard\n")
    netkit.run("chat", "join", server.address, "--name", "carl", stdin="heard\n")
    ann.out.expect(rb"\[carl\] heard\n")
    assert b"unheard" not in ann.out.data


def test_a_room_that_closes_ends_its_members(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    ann = join(netkit, server.address, "ann")
    assert server.stop(signal.SIGINT) == 0
    assert ann.wait() == 69
    assert b"the room has closed" in ann.err.data


def test_nobody_there(netkit):
    result = netkit.run("chat", "join", "127.0.0.1:1", "--reconnect", "never", stdin="hi\n")
    assert result.status == 69 and b"nobody answers" in result.err


def test_undelivered_is_said(netkit):
    result = netkit.run("chat", "join", "127.0.0.1:1", "--wait", "300ms", "--json", stdin="hi\nho\n")
    assert result.status == 1
    assert [r["text"] for r in result.records if r["type"] == "undelivered"] == ["hi", "ho"]
    assert result.records[-1]["ok"] is False


def test_three_members_over_a_lossy_link(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0", stdout=subprocess.DEVNULL)
    relay = Relay(host_port(server.address), loss=0.2, double=0.05, reorder=0.1, seed=7)
    names = ["ann", "bob", "carl"]
    members = {n: join(netkit, relay.address, n, "--json") for n in names}
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


def test_said_during_an_outage_heard_after_it(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0", stdout=subprocess.DEVNULL)
    relay = Relay(host_port(server.address))
    ann = join(netkit, relay.address, "ann", "--json")
    bob = join(netkit, server.address, "bob", "--json")
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
    bob.close_stdin()
    assert bob.wait() == 0
    assert again.stop() == 0


def test_many_members_hear_everything(netkit):
    """A bounded form of 1,000 members: one process speaks native to 30 in one room."""
    server = netkit.serve("chat", "serve", "127.0.0.1:0", stdout=subprocess.DEVNULL)
    members = [netkit.start("chat", "join", server.address, "--name", f"m{i}") for i in range(30)]
    for i, process in enumerate(members):
        process.err.expect(rb"as m%d\n" % i)
    speaker = netkit.run("chat", "join", server.address, "--name", "speaker",
                         stdin="".join(f"{i}\n" for i in range(200)), deadline=60)
    assert speaker.status == 0
    for process in members:
        process.out.expect(rb"^\* speaker left", 60)
        said = [l for l in process.out.data.splitlines() if l.startswith(b"[speaker]")]
        assert said == [b"[speaker] %d" % i for i in range(200)]
    for process in members:
        process.signal(signal.SIGTERM)
    for process in members:
        assert process.wait() == 0


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
