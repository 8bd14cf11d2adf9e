"""--store sqlite:FILE: what was pushed and published outlives a server and its kill -9."""

import http.client
import os
import random
import signal
import sqlite3
import threading
import time

import pytest

from exit_ways import AS_OTHERS
from keys import key_file
from netkit import host_port, netkit_path, tcp_connect, udp_socket, wait_until
from sse_peer import Reader
from test_sse_hub import post


KILLS = int(os.environ.get("NETKIT_STORE_KILLS", "10"))


@pytest.fixture
def store(tmp_path):
    return f"sqlite:{tmp_path}/store.db"


@pytest.fixture
def push(netkit, store):
    def start(*args, **kwargs):
        return netkit.serve("push", "serve", "127.0.0.1:0", "--from", "-", "--store", store, *args, sockets=2, **kwargs)
    return start


@pytest.fixture
def sse(netkit, store, tmp_path):
    (tmp_path / "write").write_text("wr1te\n")

    def start(*args, **kwargs):
        return netkit.serve("sse", "serve", "127.0.0.1:0", "--write-token-file", tmp_path / "write", "--store", store,
                            *args, **kwargs)
    return start


def entries(tmp_path):
    with sqlite3.connect(f"{tmp_path}/store.db") as database:
        return [text.decode() for (text,) in database.execute("SELECT text FROM entry ORDER BY number")]


def last_number(tmp_path):
    with sqlite3.connect(f"{tmp_path}/store.db") as database:
        return database.execute("SELECT last FROM stream").fetchone()[0]


def records(netkit, server, *args, count):
    done = netkit.run("push", "subscribe", server.address, "--json", "--no-end", "--count", str(count), *args)
    assert done.status == 0, done
    return [(record["seq"], record["text"]) for record in done.records if record["type"] == "push"]


def test_numbers_and_history_go_on_after_a_kill(netkit, push, tmp_path):
    server = push()
    server.write(b"a\nb\nc\n")
    wait_until(lambda: os.path.exists(tmp_path / "store.db") and entries(tmp_path) == ["a", "b", "c"], what="the records")
    server.signal(signal.SIGKILL)
    server.wait()
    server = push()
    server.write(b"d\n")
    assert records(netkit, server, "--since", "2", count=3) == [(2, "b"), (3, "c"), (4, "d")]


def test_a_subscriber_goes_on_at_another_server(netkit, push):
    """With nothing lost and nothing doubled, as the numbers are those of the store."""
    first, second = push(), push()
    reader = netkit.start("push", "subscribe", f"{first.address},{second.address}", "--name", "ann", "--json",
                          "--reconnect-max", "100ms")
    reader.err.expect(b"subscribed to " + first.address.encode())
    first.write(b"1\n2\n")
    assert [reader.out.json()["seq"] for _ in range(2)] == [1, 2]
    first.signal(signal.SIGKILL)
    second.write(b"3\n")
    reader.err.expect(b"subscribed to " + second.address.encode())
    second.write(b"4\n")
    assert [(r["seq"], r["text"]) for r in (reader.out.json() for _ in range(2))] == [(3, "3"), (4, "4")]


def test_two_servers_on_one_file_have_one_numbering(netkit, push):
    servers = [push(), push()]
    readers = [netkit.start("push", "subscribe", server.address, "--name", f"s{i}", "--json")
               for i, server in enumerate(servers)]
    for reader in readers:
        reader.err.expect(b"subscribed to")
    for i in range(20):
        servers[i % 2].write(b"%d\n" % i)
    heard = [[reader.out.json() for _ in range(20)] for reader in readers]
    assert [r["seq"] for r in heard[0]] == list(range(1, 21))
    assert [(r["seq"], r["text"]) for r in heard[0]] == [(r["seq"], r["text"]) for r in heard[1]]
    assert sorted(int(r["text"]) for r in heard[0]) == list(range(20))


@pytest.mark.timeout(60 + 2 * KILLS)
def test_what_was_acknowledged_outlives_kills_at_any_moment(netkit, sse, tmp_path):
    """A POST is answered when the event is on the disk; the server is killed at random moments, again and again."""
    seed = int(os.environ.get("NETKIT_STORE_SEED", random.randrange(1 << 30)))
    print("NETKIT_STORE_SEED =", seed)
    dice = random.Random(seed)
    acknowledged = {}
    for _ in range(KILLS):
        server = sse("--keep", "100000")
        begun = threading.Event()

        def publish(name):
            connection = http.client.HTTPConnection(server.address, timeout=20)
            try:
                for i in range(10000):
                    text = f"{name}-{len(acknowledged)}-{i}"
                    connection.request("POST", "/", text, {"Authorization": "Bearer wr1te", "Host": "localhost"})
                    number = int(connection.getresponse().read())
                    assert acknowledged.setdefault(number, text) == text
                    begun.set()
            except (OSError, http.client.HTTPException, ValueError):  # it was killed, within an answer perhaps
                pass

        threads = [threading.Thread(target=publish, args=(f"p{n}",)) for n in range(3)]
        for thread in threads:
            thread.start()
        assert begun.wait(20)
        time.sleep(dice.uniform(0, 0.2))
        server.signal(signal.SIGKILL)
        for thread in threads:
            thread.join(20)
        server.wait()
        with sqlite3.connect(f"{tmp_path}/store.db") as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with sqlite3.connect(f"{tmp_path}/store.db") as database:
        kept = {number: text.decode() for number, text in database.execute("SELECT number, text FROM entry")}
    print(f"{KILLS} kills, {len(acknowledged)} acknowledged, {len(kept)} in the file")
    assert sorted(kept) == list(range(1, len(kept) + 1)), "numbers have no holes"
    assert {number: kept.get(number) for number in acknowledged} == acknowledged
    with tcp_connect(sse().address) as sock:
        assert post(sock, "/", b"after") == (200, b"%d\n" % (len(kept) + 1)), "and go on"


def test_a_file_that_another_program_has_locked_is_waited_for(netkit, sse, tmp_path):
    server = sse()
    with tcp_connect(server.address) as sock:
        assert post(sock, "/", b"one") == (200, b"1\n")
        database = sqlite3.connect(f"{tmp_path}/store.db", isolation_level=None)
        database.execute("BEGIN IMMEDIATE")
        assert post(sock, "/", b"two") == (503, b"the store refuses entries: its file is locked by another program\n")
        database.execute("ROLLBACK")
        database.close()
        assert post(sock, "/", b"three") == (200, b"2\n")
    server.err.expect(b"the store accepts entries again")


def test_readers_of_events_go_on_after_a_restart(netkit, sse):
    server = sse()
    with tcp_connect(server.address) as sock:
        assert [post(sock, "/?event=x", b"one"), post(sock, "/", b"two")] == [(200, b"1\n"), (200, b"2\n")]
    server.signal(signal.SIGKILL)
    server.wait()
    server = sse()
    reader = Reader(server.address, Last_Event_ID=1)
    assert b"one" not in reader.until(b"id: 2\ndata: two\n\n")
    everything = Reader(server.address, "/events?last=5")
    everything.until(b"id: 1\nevent: x\ndata: one\n\nid: 2\ndata: two\n\n")


def test_channels_are_kept_apart(netkit, sse):
    server = sse("--channels")
    with tcp_connect(server.address) as sock:
        assert [post(sock, path, path.encode())[1] for path in ("/a", "/b", "/a")] == [b"1\n", b"2\n", b"3\n"]
    server.stop()
    server = sse("--channels")
    reader = Reader(server.address, "/a?last=5")
    assert b"/b" not in reader.until(b"id: 1\ndata: /a\n\nid: 3\ndata: /a\n\n")


def test_no_more_than_keep_is_kept(netkit, push, tmp_path):
    server = push("--keep", "5")
    server.write(b"".join(b"%d\n" % i for i in range(1, 101)))
    wait_until(lambda: os.path.exists(tmp_path / "store.db") and entries(tmp_path) == ["96", "97", "98", "99", "100"],
               what="the newest")


def test_a_server_says_what_it_could_not_store(netkit, tmp_path):
    """On a disk that is full."""
    script = 'mount -t tmpfs -o size=256k none "$0" && exec "$@"'
    (tmp_path / "disk").mkdir()
    (tmp_path / "write").write_text("wr1te\n")
    server = netkit.serve(argv=["unshare", "-m", "sh", "-c", script, str(tmp_path / "disk"), netkit_path(), "sse", "serve",
                                "127.0.0.1:0", "--write-token-file", tmp_path / "write", "--sandbox", "off",
                                "--store", f"sqlite:{tmp_path}/disk/store.db"])
    with tcp_connect(server.address) as sock:
        answers = [post(sock, "/", b"x" * 20000) for _ in range(20)]
    assert answers[0] == (200, b"1\n")
    assert (503, b"the store refuses entries: its disk is full\n") in answers
    server.err.expect(rb"^netkit: sse: the store refuses entries: its disk is full; trying again$")


FOREIGN = [("text", 78, "is not a SQLite file"), ("other", 78, "is a SQLite file of another program"),
           ("missing/x.db", 74, "cannot open"), ("newer", 78, "was made by a newer netkit"), ("pipe", 78, "is not a SQLite file")]


@pytest.mark.parametrize("name, status, sentence", FOREIGN)
@pytest.mark.parametrize("command", ["push", "sse"])
def test_a_file_that_is_no_store_is_refused(netkit, tmp_path, command, name, status, sentence):
    (tmp_path / "text").write_text("something else altogether\n")
    os.mkfifo(tmp_path / "pipe")
    with sqlite3.connect(tmp_path / "other") as database:
        database.execute("CREATE TABLE mine(x)")
    with sqlite3.connect(tmp_path / "newer") as database:
        database.execute("CREATE TABLE stream(x)")
        database.execute(f"PRAGMA application_id = {0x6e746b74}")
        database.execute("PRAGMA user_version = 99")
    done = netkit.run(command, "serve", "127.0.0.1:0", "--store", f"sqlite:{tmp_path}/{name}")
    assert done.status == status, done
    assert sentence in done.err.decode() and done.err.count(b"\n") == 1


def test_a_file_that_may_not_be_written_is_refused(netkit, tmp_path):
    (tmp_path / "store.db").touch(0o400)
    (tmp_path / "store.db").chmod(0o400)
    done = netkit.run(argv=[*AS_OTHERS, netkit_path(), "push", "serve", "127.0.0.1:0", "--store", f"sqlite:{tmp_path}/store.db"])
    assert done.status == 77, done


@pytest.mark.parametrize("url, sentence", [
    ("nothing", b"--store: 'nothing' is not a store"), ("nosql:x", b"there is no store 'nosql' (netkit plugins lists them)"),
    ("redis://ann:secret@127.0.0.1/x", b"--store: a password in a URL is visible to other users"),
    ("sqlite:a?x=1", b"a SQLite file has no settings")])
def test_what_is_no_store_is_a_usage_error(netkit, tmp_path, url, sentence):
    done = netkit.run("push", "serve", "127.0.0.1:0", "--store", url, cwd=tmp_path)
    assert done.status == 2 and sentence in done.err and b"secret" not in done.err, done


def test_both_kinds_of_plugins_are_listed_and_checked(netkit):
    listed = {record["name"]: record for record in netkit.run("plugins", "--json").records if record["type"] == "plugin"}
    assert (listed["sqlite"]["kind"], listed["push"]["kind"]) == ("store", "command")
    assert netkit.run("plugins", "check", listed["sqlite"]["path"]).status == 0
    assert netkit.run("sqlite").status == 2, "it is no command"


# ---- rooms


@pytest.fixture
def room(netkit, store):
    def start(*args, **kwargs):
        return netkit.serve("chat", "serve", "127.0.0.1:0", "--store", store, *args, **kwargs)
    return start


def join(netkit, rooms, name, *args, **kwargs):
    addresses = ",".join(room.address for room in rooms)
    member = netkit.start("chat", "join", addresses, "--name", name, "--json", "--reconnect-max", "100ms", *args, **kwargs)
    member.err.expect(b"joined %s as %s\n" % (rooms[0].address.encode(), name.encode()))
    return member


def messages(member, count):
    heard = []
    while len(heard) < count:
        record = member.out.json()
        if record["type"] == "message":
            heard.append((record["seq"], record["name"], record["text"]))
    return heard


def test_a_room_outlives_its_server(netkit, room):
    first = room()
    assert netkit.run("chat", "join", first.address, "--name", "ann", stdin="hello\nthere\n").status == 0
    first.signal(signal.SIGKILL)
    first.wait()
    second = room()
    late = join(netkit, [second], "bob", "--since", "all")
    assert messages(late, 2) == [(1, "ann", "hello"), (2, "ann", "there")]
    assert second.out.line() == b"* bob joined", "what was said before is no news"


def test_two_servers_are_one_room(netkit, room):
    rooms = [room(), room()]
    ann, bob = join(netkit, rooms[:1], "ann"), join(netkit, rooms[1:], "bob")
    ann.write("one\n")
    assert messages(bob, 1) == [(1, "ann", "one")]
    bob.write("two\n")
    assert messages(ann, 1) == [(2, "bob", "two")]
    ann.write("/me waves\n")  # a pipe's lines are said as they are
    assert messages(bob, 1) == [(3, "ann", "/me waves")]


def test_a_member_goes_on_at_another_server_and_misses_nothing(netkit, room):
    rooms = [room("--lease", "2s"), room("--lease", "2s")]
    bob = join(netkit, rooms, "bob")
    ann = join(netkit, rooms[1:], "ann")
    ann.write("1\n")
    assert messages(bob, 1) == [(1, "ann", "1")]
    bob.write("mine\n")
    assert messages(ann, 1) == [(2, "bob", "mine")]
    rooms[0].signal(signal.SIGKILL)
    ann.write("2\n")
    bob.err.expect(b"joined " + rooms[1].address.encode() + b" as bob")
    ann.write("3\n")
    assert messages(bob, 2) == [(3, "ann", "2"), (4, "ann", "3")], "and not what he said himself"


def test_a_member_does_not_wait_for_the_lease_of_a_server_that_has_gone(netkit, room):
    rooms = [room("--lease", "60s"), room()]
    bob = join(netkit, rooms, "bob", "--heartbeat", "500ms")
    rooms[0].signal(signal.SIGKILL)
    bob.err.expect(b"joined " + rooms[1].address.encode() + b" as bob", deadline=10)


def test_a_name_is_one_members_at_all_servers(netkit, room):
    rooms = [room(), room()]
    join(netkit, rooms[:1], "ann").out.expect(b"")
    rooms[0].out.expect(b"ann joined")
    other = join(netkit, rooms[1:], "ann")
    record = other.out.json()
    assert (record["type"], record["from"], record["name"]) == ("renamed", "ann", "ann2")
    rooms[1].err.expect(rb"the name 'ann' is taken on another server: the member here is now ann2\n")


def test_a_name_belongs_to_its_key_at_all_servers(netkit, room, tmp_path):
    with_keys = ["--psk-file", key_file(tmp_path / "keys", "ann")]
    rooms = [room("--lease", "2s", *with_keys), room(*with_keys)]
    old = join(netkit, rooms[:1], "ann", *with_keys)
    new = join(netkit, rooms[1:], "ann", *with_keys)
    assert old.wait(10) == 75
    assert old.err.data.endswith(b": another has joined with the same key\n")
    new.write("still here\n")
    rooms[1].out.expect(rb"\[ann\] still here\n")


def test_plain_members_hear_what_is_said_at_another_server(netkit, room):
    rooms = [room(), room()]
    ann = join(netkit, rooms[:1], "ann")
    with udp_socket() as plain:
        plain.sendto(b"reg", host_port(rooms[1].address))
        rooms[1].out.expect(b"joined")
        ann.write("hello\n")
        assert plain.recv(100) == b"[ann] hello\n"
        plain.sendto(b"hi", host_port(rooms[1].address))
        assert messages(ann, 1)[0][2] == "hi"


# ---- streams as sources and sinks


def test_any_command_reads_and_writes_a_stream(netkit, tmp_path):
    stream = f"sqlite:{tmp_path}/store.db/log"
    writer = netkit.start("echo", "serve", "127.0.0.1:0", "--udp", "--to", stream)
    address = writer.err.expect(rb"listening on udp (\S+)\n").group(1).decode()
    assert netkit.run("echo", "send", address, "one", "two").status == 0
    wait_until(lambda: os.path.exists(tmp_path / "store.db") and entries(tmp_path) == ["one", "two"], what="the records")
    writer.stop()
    reader = netkit.serve("sse", "serve", "127.0.0.1:0", "--from", f"{stream}?since=all")
    Reader(reader.address, "/events?last=5").until(rb"data: one\n\nid: \d+\ndata: two\n\n")
    late = netkit.serve("sse", "serve", "127.0.0.1:0", "--from", f"{stream}?since=2", "--from", "-")
    assert b"one" not in Reader(late.address, "/events?last=5").until(rb"id: \d+\ndata: two\n\n")
    done = netkit.run("echo", "send", address, "x", "-w", "10ms", "--to", f"sqlite:{tmp_path}/other.db/log", "--json")
    assert done.status in (1, 69)


def test_what_a_short_run_writes_is_stored_when_it_ends(netkit, push, tmp_path):
    server = push()
    server.write(b"a\nb\n")
    done = netkit.run("push", "subscribe", server.address, "--since", "1", "--count", "2", "--to",
                      f"sqlite:{tmp_path}/copy.db/push", "--to", "-")
    assert (done.status, done.out) == (0, b"a\nb\n")
    with sqlite3.connect(f"{tmp_path}/copy.db") as database:
        assert database.execute("SELECT count(*) FROM entry").fetchone() == (2,)


def test_a_stream_that_is_read_faster_than_it_is_wanted(netkit, push, tmp_path):
    """More than may wait are read later, from where they end."""
    count = 25000
    server = push("--keep", "100000")
    server.write(b"".join(b"%d\n" % i for i in range(1, count + 1)))
    wait_until(lambda: os.path.exists(tmp_path / "store.db") and last_number(tmp_path) == count, what="the records")
    server.stop()
    reader = netkit.serve("push", "serve", "127.0.0.1:0", "--from", f"sqlite:{tmp_path}/store.db/push?since=all", "--min-subscribers", "1",
                          "--slow", "wait")
    done = netkit.run("push", "subscribe", reader.address, "--count", str(count))
    assert done.out == b"".join(b"%d\n" % i for i in range(1, count + 1))


@pytest.mark.parametrize("option", ["--from", "--to"])
def test_a_stream_of_no_store_is_a_usage_error(netkit, option):
    done = netkit.run("push", "serve", "127.0.0.1:0", option, "nosql:x/y")
    assert done.status == 2 and b"there is no store 'nosql'" in done.err, done
    done = netkit.run("push", "serve", "127.0.0.1:0", option, "sqlite:/x/y?since=soon")
    assert done.status == 2 and b"is not a number from 1 on, or all" in done.err, done
