"""--store redis://: several servers are one, whatever happens to Redis meanwhile."""

import re
import signal
import socket
import subprocess
import threading

import pytest

from certificates import make_local_certificate
from echo_peers import free_port
from netkit import host_port, tcp_connect, wait_until
from redis_server import Redis
from sse_peer import Reader
from tcp_path import TcpPath
from test_sse_hub import post
from test_store_sqlite import join, messages


@pytest.fixture
def start_redis(tmp_path):
    started = []

    def start(*args, **kwargs):
        started.append(Redis(tmp_path, *args, **kwargs))
        return started[-1]
    yield start
    for one in started:
        one.kill()


@pytest.fixture
def redis(start_redis):
    return start_redis("--appendonly", "yes", "--appendfsync", "always")


@pytest.fixture
def room(netkit, redis):
    def start(*args, **kwargs):
        return netkit.serve("chat", "serve", "127.0.0.1:0", "--store", f"redis://{redis.address}/t", "--reconnect-max", "200ms",
                            *args, **kwargs)
    return start


@pytest.fixture
def push(netkit, redis):
    def start(*args, **kwargs):
        return netkit.serve("push", "serve", "127.0.0.1:0", "--from", "-", "--store", f"redis://{redis.address}/t",
                            "--reconnect-max", "200ms", *args, sockets=2, **kwargs)
    return start


def subscribe(netkit, servers, name, *args):
    reader = netkit.start("push", "subscribe", ",".join(server.address for server in servers), "--name", name, "--json",
                          "--reconnect-max", "100ms", *args)
    reader.err.expect(b"subscribed to " + servers[0].address.encode())
    return reader


def numbered(reader, count):
    return [(record["seq"], record["text"]) for record in (reader.out.json() for _ in range(count))]


def test_three_rooms_are_one(netkit, room):
    rooms = [room() for _ in range(3)]
    members = [join(netkit, [one], f"m{i}") for i, one in enumerate(rooms)]
    for i in range(9):
        members[i % 3].write(f"{i}\n")
        for k, member in enumerate(members):
            if k != i % 3:
                assert messages(member, 1) == [(i + 1, f"m{i % 3}", str(i))]
    late = join(netkit, rooms[2:], "late", "--since", "all")
    assert messages(late, 9) == [(i + 1, f"m{i % 3}", str(i)) for i in range(9)]


def test_three_channels_and_three_streams_are_one(netkit, push, redis, tmp_path):
    servers = [push() for _ in range(3)]
    readers = [subscribe(netkit, [one], f"s{i}") for i, one in enumerate(servers)]
    for i in range(9):
        servers[i % 3].write(b"%d\n" % i)
        assert [numbered(reader, 1) for reader in readers] == 3 * [[(i + 1, str(i))]]
    assert numbered(subscribe(netkit, servers[2:], "late", "--since", "1"), 9) == [(i + 1, str(i)) for i in range(9)]

    (tmp_path / "write").write_text("wr1te\n")
    servers = [netkit.serve("sse", "serve", "127.0.0.1:0", "--write-token-file", tmp_path / "write", "--store", f"redis://{redis.address}/t")
               for _ in range(3)]
    readers = [Reader(server.address, Last_Event_ID="0") for server in servers]
    for i in range(9):
        with tcp_connect(servers[i % 3].address) as sock:
            assert post(sock, "/", b"%d" % i) == (200, b"%d\n" % (i + 1))
        for reader in readers:
            reader.until(b"id: %d\ndata: %d\n\n" % (i + 1, i))
    Reader(servers[2].address, Last_Event_ID=2).until(b"".join(b"id: %d\ndata: %d\n\n" % (i + 1, i) for i in range(2, 9)))


def test_a_server_that_is_behind_doubles_nothing(netkit, redis, tmp_path):
    """What a subscriber, a member and a reader have had at one server they do not get again from one that has it later."""
    (tmp_path / "write").write_text("wr1te\n")
    path = TcpPath(redis.address)
    url, slow = f"redis://{redis.address}/t", f"redis://{path.address}/t"
    push = [netkit.serve("push", "serve", "127.0.0.1:0", "--from", "-", "--store", store, sockets=2) for store in (url, slow)]
    rooms = [netkit.serve("chat", "serve", "127.0.0.1:0", "--store", store) for store in (url, slow)]
    sse = [netkit.serve("sse", "serve", "127.0.0.1:0", "--write-token-file", tmp_path / "write", "--store", store) for store in (url, slow)]
    subscriber, bob = subscribe(netkit, push, "s"), join(netkit, rooms, "bob")
    ann = join(netkit, rooms[:1], "ann")
    path.hold()
    push[0].write(b"1\n2\n")
    assert numbered(subscriber, 2) == [(1, "1"), (2, "2")]
    ann.write("1\n2\n")
    assert messages(bob, 2) == [(1, "ann", "1"), (2, "ann", "2")]
    with tcp_connect(sse[0].address) as sock:
        assert [post(sock, "/", text)[1] for text in (b"1", b"2")] == [b"1\n", b"2\n"]
    for server in (push[0], rooms[0]):
        server.signal(signal.SIGKILL)
    subscriber.err.expect(b"subscribed to " + push[1].address.encode())
    bob.err.expect(b"joined " + rooms[1].address.encode())
    reader = Reader(sse[1].address, Last_Event_ID=2)
    path.mend()
    push[1].write(b"3\n")
    assert numbered(subscriber, 1) == [(3, "3")]
    redis.cli("XADD", "t:chat", "*", "text", "3", "name", "cid")
    assert messages(bob, 1) == [(3, "cid", "3")]
    with tcp_connect(sse[0].address) as sock:
        assert post(sock, "/", b"3")[0] == 200
    assert b"data: 2" not in reader.until(b"id: 3\ndata: 3\n\n")
    path.close()


def test_nobody_is_answered_before_the_store_is_there(netkit, start_redis):
    """He goes to another server."""
    port = free_port()
    other = start_redis()
    for command, client in [(("push", "serve"), ("push", "subscribe")), (("chat", "serve"), ("chat", "join"))]:
        first = f"127.0.0.1:{free_port()}"
        waiting = netkit.start(*command, first, "--store", f"redis://127.0.0.1:{port}/t", "--reconnect-max", "100ms")
        waiting.err.expect(rb"connection refused; trying again in")
        second = netkit.serve(*command, "127.0.0.1:0", "--store", f"redis://{other.address}/t")
        member = netkit.start(*client, f"{first},{second.address}", "--name", "ann", "--reconnect", "forever")
        member.err.expect(rb"(subscribed to|joined) " + second.address.encode())


def test_names_are_unique_across_servers(netkit, room):
    rooms = [room(), room()]
    join(netkit, rooms[:1], "ann")
    rooms[0].out.expect(b"ann joined")
    record = join(netkit, rooms[1:], "ann").out.json()
    assert (record["type"], record["name"]) == ("renamed", "ann2")


def test_who_is_in_the_room_is_who_is_at_any_server(netkit, room):
    rooms = [room() for _ in range(3)]
    for i, one in enumerate(rooms):
        join(netkit, [one], f"m{i}")

    def here():
        return netkit.run("chat", "join", rooms[0].address, "--name", "asks", "--commands", stdin="/who\n").err
    wait_until(lambda: b"here: asks, m0, m1, m2\n" in here(), what="all of them")


def test_a_private_message_reaches_a_member_of_another_server(netkit, room, redis):
    rooms = [room(), room()]
    bob, cid = join(netkit, rooms[1:], "bob the builder"), join(netkit, rooms[1:], "cid")
    done = netkit.run("chat", "join", rooms[0].address, "--name", "ann", "--commands", stdin="/msg bob the builder hello\n/msg dan hello\n")
    assert done.status != 0 and b"there is no 'dan' here" in done.err, done
    while (told := bob.out.json())["type"] != "message":
        pass
    assert (told["name"], told["text"], told["private"]) == ("ann", "hello", True)
    cid.write("said\n")
    assert messages(bob, 1) == [(1, "cid", "said")], "what is private has no number"
    late = join(netkit, rooms[:1], "late", "--since", "all")
    assert messages(late, 1) == [(1, "cid", "said")]
    assert b"hello" not in cid.out.data and b"hello" not in late.out.data
    assert redis.cli("XLEN", "t:chat") == "1\n"


def test_a_killed_server_loses_nobody_anything(netkit, room, push):
    rooms = [room("--lease", "3s"), room("--lease", "3s")]
    bob, ann = join(netkit, rooms, "bob"), join(netkit, rooms[1:], "ann")
    ann.write("1\n")
    assert messages(bob, 1) == [(1, "ann", "1")]
    rooms[0].signal(signal.SIGKILL)
    ann.write("2\n")
    bob.err.expect(b"joined " + rooms[1].address.encode() + b" as bob\n")
    ann.write("3\n")
    assert messages(bob, 2) == [(2, "ann", "2"), (3, "ann", "3")]

    servers = [push(), push()]
    reader = subscribe(netkit, servers, "s")
    servers[0].write(b"a\n")
    assert numbered(reader, 1) == [(1, "a")]
    servers[0].signal(signal.SIGKILL)
    servers[1].write(b"b\n")
    reader.err.expect(b"subscribed to " + servers[1].address.encode())
    servers[1].write(b"c\n")
    assert numbered(reader, 2) == [(2, "b"), (3, "c")]


def test_a_room_goes_on_while_redis_is_killed(netkit, room, redis):
    rooms = [room(), room()]
    ann, bob, cid = join(netkit, rooms[:1], "ann"), join(netkit, rooms[:1], "bob"), join(netkit, rooms[1:], "cid")
    ann.write("before\n")
    assert messages(bob, 1) == messages(cid, 1) == [(1, "ann", "before")]
    redis.kill()
    for one in rooms:
        one.err.expect(b"the store is unavailable: the room continues for the members of this server only\n")
    ann.write("alone\n")
    assert messages(bob, 1) == [(None, "ann", "alone")]
    ann.write("too\n")
    assert messages(bob, 1) == [(None, "ann", "too")]
    redis.start()
    for one in rooms:
        one.err.expect(b"the store is back")
    assert messages(cid, 2) == [(2, "ann", "alone"), (3, "ann", "too")]
    cid.write("after\n")
    assert messages(bob, 1) == [(4, "cid", "after")], "and nothing twice"
    late = join(netkit, rooms[:1], "late", "--since", "all")
    assert [text for _, _, text in messages(late, 4)] == ["before", "alone", "too", "after"]


def test_a_redis_that_is_stopped_is_away(netkit, room, redis):
    server = room()
    ann, bob = join(netkit, [server], "ann"), join(netkit, [server], "bob")
    redis.signal(signal.SIGSTOP)
    ann.write("hello\n")
    assert messages(bob, 1) == [(None, "ann", "hello")]
    redis.signal(signal.SIGCONT)
    server.err.expect(b"the store is back")
    ann.write("again\n")
    assert messages(bob, 1) == [(2, "ann", "again")]
    assert redis.cli("XLEN", "t:chat") == "2\n", "what was tried twice is stored once"


def test_push_holds_its_source_while_redis_is_away(netkit, push, redis):
    server = push("--store-queue", "100")
    reader = subscribe(netkit, [server], "s")
    server.write(b"1\n")
    assert numbered(reader, 1) == [(1, "1")]
    redis.kill()
    server.err.expect(b"connection lost")
    lines = b"".join(b"%d\n" % i for i in range(2, 5001))
    threading.Thread(target=server.write, args=(lines,), daemon=True).start()
    reader.out.silent(0.3)
    redis.start()
    assert numbered(reader, 4999) == [(i, str(i)) for i in range(2, 5001)]


def test_a_post_waits_and_is_refused_beyond_the_queue(netkit, redis, tmp_path):
    (tmp_path / "write").write_text("wr1te\n")
    server = netkit.serve("sse", "serve", "127.0.0.1:0", "--write-token-file", tmp_path / "write", "--store-queue", "1",
                          "--store", f"redis://{redis.address}/t", "--reconnect-max", "200ms", "-v")
    with tcp_connect(server.address) as sock:
        assert post(sock, "/", b"one") == (200, b"1\n")
    redis.kill()
    server.err.expect(b"connection lost")
    answers = []
    waiting = tcp_connect(server.address)
    thread = threading.Thread(target=lambda: answers.append(post(waiting, "/", b"two")))
    thread.start()
    server.err.expect(b": POST /\n")
    with tcp_connect(server.address) as sock:
        wait_until(lambda: post(sock, "/", b"three")[0] == 503, what="a refusal")
        assert post(sock, "/", b"four") == (503, b"the store is unavailable, and 1 entries are waiting (--store-queue)\n")
    redis.start()
    thread.join(20)
    waiting.close()
    assert answers == [(200, b"2\n")]


def test_a_publisher_is_answered_by_a_server_that_stops(netkit, redis):
    path = TcpPath(redis.address)
    server = netkit.serve("push", "serve", "127.0.0.1:0", "--store", f"redis://{path.address}/t", sockets=2)
    path.hold()
    with tcp_connect(server.address) as sock, tcp_connect(server.address) as other:
        sock.sendall(b"PUSH - 5\nhello")
        other.sendall(b"LIST\n")
        assert other.recv(100).startswith(b"OK"), "it has read the record"
        server.signal(signal.SIGTERM)
        path.mend()
        assert sock.recv(100) == b"OK\n"
        assert server.wait() == 0
    path.close()


def test_a_source_is_not_read_when_the_store_is_back_in_the_farewell(netkit, redis, tmp_path):
    """A reader that does not read keeps a server for a while that has been told to stop."""
    path = TcpPath(redis.address)
    server = netkit.serve("sse", "serve", "127.0.0.1:0", "--from", "-", "--keep", "100", "--store", f"redis://{path.address}/t",
                          "--reconnect-max", "20ms")
    server.write(b"".join(b"%d %s\n" % (i, b"x" * 60000) for i in range(100)))
    wait_until(lambda: redis.cli("XLEN", "t:sse") == "100\n", what="the events")
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect(host_port(server.address))
        reader.sendall(b"GET /events?last=100 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_until(lambda: count(server, "slow") == 1, what="a reader that is behind")
        path.cut()
        server.err.expect(b"connection lost")
        server.signal(signal.SIGTERM)
        wait_until(lambda: refuses(server.address), what="a server that accepts nobody")
        server.write(b"late\n")
        path.mend()
        server.err.expect(b"connected again")
        assert server.wait() == 0
    assert "late" not in redis.cli("XREVRANGE", "t:sse", "+", "-", "COUNT", "1")
    path.close()


def count(server, total):
    server.signal(signal.SIGUSR1)
    return int(server.err.expect(rb"\b%s (\d+)," % total.encode()).group(1))


def refuses(address):
    try:
        tcp_connect(address).close()
        return False
    except ConnectionRefusedError:
        return True


def test_an_emptied_store_is_a_gap_and_no_number_comes_twice(netkit, push, redis):
    server = push()
    reader = subscribe(netkit, [server], "s")
    server.write(b"a\nb\n")
    assert numbered(reader, 2) == [(1, "a"), (2, "b")]
    redis.cli("FLUSHALL")
    server.write(b"c\n")
    gap = reader.out.json()
    assert (gap["type"], gap["from"]) == ("gap", 3)
    assert numbered(reader, 1) == [(gap["to"] + 1, "c")]
    server.err.expect(rb"the store was emptied: entries up to 2 are gone; numbers continue with \d+\n")


def test_numbers_that_were_given_again_are_a_loss(netkit, push, redis):
    """After a failover to a replica that lagged, another server, which knew no more than that one, was there first."""
    first = push()
    reader = subscribe(netkit, [first], "s")
    for i in range(1, 6):
        first.write(b"%d\n" % i)
        assert numbered(reader, 1) == [(i, str(i))]
    ids = re.findall(r"^\d+-\d+$", redis.cli("XRANGE", "t:push", "-", "+"), re.M)
    assert redis.cli("XDEL", "t:push", *ids[3:]) == "2\n"
    redis.cli("HSET", "{t:push}:state", "n", 3)
    second = push("--keep", "3")
    second.write(b"other\nthan\n")
    wait_until(lambda: redis.cli("HGET", "{t:push}:state", "n") == "5\n", what="the two")
    redis.cli("CLIENT", "KILL", "TYPE", "normal")
    first.err.expect(rb"the store has lost its newest entries 4 to 5; numbers continue with \d+\n")
    second.write(b"after\n")
    assert reader.out.json()["type"] == "gap"
    assert [text for _, text in numbered(reader, 1)] == ["after"]


def test_a_full_store_refuses_and_goes_on_when_there_is_room(netkit, redis, tmp_path):
    (tmp_path / "write").write_text("wr1te\n")
    server = netkit.serve("sse", "serve", "127.0.0.1:0", "--write-token-file", tmp_path / "write",
                          "--store", f"redis://{redis.address}/t")
    with tcp_connect(server.address) as sock:
        redis.cli("CONFIG", "SET", "maxmemory", "1")
        assert post(sock, "/", b"one") == (503, b"the store refuses entries: its memory is full (maxmemory)\n")
        redis.cli("CONFIG", "SET", "maxmemory", "0")
        assert post(sock, "/", b"two") == (200, b"1\n")
    server.err.expect(b"the store accepts entries again")


def test_a_wrong_password_ends_with_77(netkit, start_redis, tmp_path):
    redis = start_redis("--requirepass", "open sesame")
    words = ("push", "serve", "127.0.0.1:0", "--store", f"redis://{redis.address}/t")
    for env in ({}, {"NETKIT_STORE_PASSWORD": "wrong"}):
        done = netkit.run(*words, env=env)
        assert done.status == 77 and done.err.count(b"\n") == 1 and b"password" in done.err.lower(), done
    (tmp_path / "password").write_text("open sesame\n")
    netkit.serve(*words, "--store-password-file", tmp_path / "password")
    netkit.serve(*words, env={"NETKIT_STORE_PASSWORD": "open sesame"})


def test_a_key_that_is_something_else_ends_with_78(netkit, redis):
    redis.cli("SET", "t:push", "mine")
    done = netkit.run("push", "serve", "127.0.0.1:0", "--store", f"redis://{redis.address}/t")
    assert done.status == 78 and b"'t:push' is not a stream of a store" in done.err, done


def test_a_store_that_is_away_at_the_start_is_waited_for(netkit, start_redis):
    port = free_port()
    server = netkit.start("push", "serve", "127.0.0.1:0", "--store", f"redis://127.0.0.1:{port}/t", "--reconnect-max", "100ms")
    server.err.expect(rb"127.0.0.1:%d: connection refused; trying again in" % port)
    start_redis(port=port)
    server.err.expect(rb"listening on udp")
    assert server.err.data.count(b"trying again") == 1, "it is said once"
    done = netkit.run("push", "serve", "127.0.0.1:0", "--store", f"redis://127.0.0.1:{free_port()}/t", "--reconnect", "never")
    assert done.status == 69, done


def test_a_replica_is_none_to_write_to(netkit, redis, start_redis):
    replica = start_redis("--replicaof", f"127.0.0.1 {redis.port}", name="replica")
    server = netkit.serve("push", "serve", "127.0.0.1:0", "--from", "-", "-v", "--store",
                          f"redis://{replica.address},{redis.address}/t", sockets=2)
    server.write(b"a\n")
    wait_until(lambda: redis.cli("XLEN", "t:push") == "1\n", what="the entry")
    assert b"is a read-only replica" in server.err.data


def test_people_and_programs_read_and_write_entries(netkit, push, redis):
    server = push("--keep", "10")
    reader = subscribe(netkit, [server], "s")
    server.write(b"hello\n")
    assert numbered(reader, 1) == [(1, "hello")]
    shown = redis.cli("--no-raw", "XRANGE", "t:push", "-", "+")
    assert '"n"' in shown and '"hello"' in shown and '"text"' in shown
    redis.cli("XADD", "t:push", "*", "text", "by hand")
    assert numbered(reader, 1) == [(2, "by hand")]
    redis.cli("XADD", "t:push", "*", "something", "else")
    redis.cli("XADD", "t:push", "*", "n", "x", "text", "malformed")
    server.write(b"after\n")
    assert numbered(reader, 1) == [(3, "after")]
    server.err.expect(rb"is not valid")
    server.write(b"".join(b"%d\n" % i for i in range(300)))
    wait_until(lambda: redis.cli("HGET", "{t:push}:state", "n") == "303\n", what="all of them")
    assert int(redis.cli("XLEN", "t:push")) < 250, "no more than about --keep are kept"
    server.signal(signal.SIGTERM)
    server.err.expect(rb"store skipped [12],")


def test_numbers_that_others_write_are_not_believed(netkit, push, redis):
    server = push()
    reader = subscribe(netkit, [server], "s")
    server.write(b"one\n")
    assert numbered(reader, 1) == [(1, "one")]
    for number in (2**64 - 1, 2**63, 2**53, 4_000_000):
        redis.cli("XADD", "t:push", "*", "n", str(number), "text", "foreign")
    server.write(b"two\n")
    assert numbered(reader, 1) == [(2, "two")]
    redis.cli("XADD", "t:push", "*", "n", "5000000", "text", "foreign")
    other = push()
    late = subscribe(netkit, [other], "late", "--since", "1")
    other.write(b"three\n")
    assert numbered(late, 3) == [(1, "one"), (2, "two"), (3, "three")] and numbered(reader, 1) == [(3, "three")]
    copy = netkit.serve("sse", "serve", "127.0.0.1:0", "--from", f"redis://{redis.address}/t/push?since=all", "--last", "3")
    Reader(copy.address).until(rb"data: one\n\nid: \d+\ndata: two\n\nid: \d+\ndata: three\n\n")


def test_a_foreign_entry_outlives_a_full_memory(push, redis):
    push().write(b"first\n")
    wait_until(lambda: redis.cli("XLEN", "t:push") == "1\n", what="an entry")
    redis.cli(input="MULTI\nXADD t:push * text foreign\nCONFIG SET maxmemory 1\nEXEC\n")
    wait_until(lambda: "errorstat_OOM" in redis.cli("INFO", "errorstats"), what="no room for its number")
    assert "foreign" in redis.cli("XRANGE", "t:push", "-", "+")


def test_a_redis_that_is_full_is_waited_for(netkit, start_redis):
    redis = start_redis("--requirepass", "secret", "--maxclients", "1")
    with tcp_connect(redis.address) as only:
        server = netkit.start("push", "serve", "127.0.0.1:0", "--store", f"redis://{redis.address}/t", "--reconnect-max", "100ms",
                              env={"NETKIT_STORE_PASSWORD": "secret"})
        server.err.expect(rb"max number of clients reached")
        only.sendall(b"AUTH secret\r\nCONFIG SET maxclients 100\r\n")
        server.err.expect(rb"listening on udp")


def test_tls_is_verified(netkit, start_redis, tmp_path):
    make_local_certificate(tmp_path, "peer")
    certificate, key = tmp_path / "peer.pem", tmp_path / "peer.key"
    port = free_port()
    start_redis("--tls-port", str(port), "--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate,
                "--tls-auth-clients", "no")
    words = ("push", "serve", "127.0.0.1:0", "--from", "-", "--store", f"rediss://127.0.0.1:{port}/t")
    done = netkit.run(*words, "--reconnect", "never")
    assert done.status == 77 and b"certificate" in done.err, done
    server = netkit.serve(*words, "--store-cacert", certificate, sockets=2)
    reader = subscribe(netkit, [server], "s")
    server.write(b"private\n")
    assert numbered(reader, 1) == [(1, "private")]


def test_a_cluster_says_which_node_has_the_stream(netkit, start_redis):
    buses = [free_port() for _ in range(2)]
    nodes = [start_redis("--cluster-enabled", "yes", "--cluster-port", str(bus), name=f"node{bus}") for bus in buses]
    for node, slots in zip(nodes, ((0, 8191), (8192, 16383))):
        node.cli("CLUSTER", "ADDSLOTSRANGE", *slots)
    nodes[0].cli("CLUSTER", "MEET", "127.0.0.1", nodes[1].port, buses[1])
    wait_until(lambda: all("cluster_state:ok" in node.cli("CLUSTER", "INFO") for node in nodes), what="the cluster")
    for prefix in ("a", "b", "c"):  # at one node or the other
        server = netkit.serve("push", "serve", "127.0.0.1:0", "--from", "-", "--store", f"redis://{nodes[0].address}/{prefix}", sockets=2)
        reader = subscribe(netkit, [server], "s")
        server.write(b"hello\n")
        assert numbered(reader, 1) == [(1, "hello")]


def test_sentinel_says_who_the_master_is(netkit, redis, start_redis, tmp_path):
    """And another one when that has been killed; what was acknowledged is there."""
    replica = start_redis("--replicaof", f"127.0.0.1 {redis.port}", name="replica")
    wait_until(lambda: "master_link_status:up" in replica.cli("INFO", "replication"), what="the replica")
    sentinels = []
    for i in range(3):
        port = free_port()
        config = tmp_path / f"sentinel{i}.conf"
        config.write_text(f"port {port}\nbind 127.0.0.1\nsentinel monitor m 127.0.0.1 {redis.port} 2\n"
                          "sentinel down-after-milliseconds m 500\nsentinel failover-timeout m 3000\n")
        sentinels.append((port, subprocess.Popen(["redis-server", config, "--sentinel", "--logfile", tmp_path / f"s{i}.log"])))
    try:
        url = "redis://" + ",".join(f"127.0.0.1:{port}" for port, _ in sentinels) + "/t?sentinel=m"
        server = netkit.serve("push", "serve", "127.0.0.1:0", "--from", "-", "--store", url, "--reconnect-max", "300ms", sockets=2)
        reader = subscribe(netkit, [server], "s")
        server.write(b"1\n2\n")
        assert numbered(reader, 2) == [(1, "1"), (2, "2")]
        wait_until(lambda: redis.cli("WAIT", "1", "5000").strip() == "1" and replica.cli("XLEN", "t:push") == "2\n",
                   what="the replica")
        wait_until(lambda: all("num-other-sentinels\n2" in subprocess.run(
            ["redis-cli", "-p", str(port), "SENTINEL", "master", "m"], capture_output=True, text=True, check=True).stdout
            for port, _ in sentinels), what="the sentinels to know each other")
        redis.kill()
        server.write(b"3\n")
        assert numbered(reader, 1) == [(3, "3")]
    finally:
        for _, process in sentinels:
            process.kill()
            process.wait()
