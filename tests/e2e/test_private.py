"""chat and push between those who have a key: who is let in, who is told why not, and what anybody else can do."""

import hmac
import os
import re
import signal
import stat
import struct
import subprocess

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from capture import Capture
from keys import KEYS, key_file, keys, sides  # noqa: F401
from native_peer import CONNECT, HELLO, begin
from netkit import host_port, udp_socket, wait_until
from programs import resident
from relay import Relay, relays  # noqa: F401
from time_of_day import clock


@pytest.fixture
def room(netkit, keys):
    return netkit.serve("chat", "serve", "127.0.0.1:0", "--psk-file", keys("room", "ann", "ben"))


def join(netkit, address, file, *args):
    member = netkit.start("chat", "join", address, "--psk-file", file, *args)
    member.err.expect(rb"joined ")
    return member


def refused(netkit, address, *args, command=("chat", "join")):
    """What a run that may not come in says, within the eleven seconds."""
    run = netkit.run(*command, address, *args, deadline=11)
    assert run.status == 77, run
    return run.err.decode()


def test_members_talk_under_the_names_of_their_keys(netkit, room, keys):
    ann = join(netkit, room.address, keys("a", "ann"))
    ben = join(netkit, room.address, keys("b", "ann", "ben"), "--name", "ben")
    ann.write("hello\n")
    ben.out.expect(rb"^\[ann\] hello\n")
    ben.write("hello yourself\n")
    ann.out.expect(rb"^\[ben\] hello yourself\n")
    ann.close_stdin()
    assert ann.wait() == 0
    room.out.expect(rb"\* ann left \(quit\)\n")


def test_subscribers_get_what_is_pushed(netkit, keys, tmp_path):
    server = netkit.serve("push", "serve", "127.0.0.1:0", "--psk-file", keys("k", "ann", "ben"), "--from", "-",
                          "--min-subscribers", "2", sockets=2)
    subscribers = [netkit.start("push", "subscribe", server.address, "--psk-file", keys(name, name)) for name in
                   ("ann", "ben")]
    lines = b"".join(b"line %d\n" % i for i in range(2000))
    server.write(lines)
    server.close_stdin()
    for subscriber in subscribers:
        assert subscriber.wait() == 0
        assert subscriber.out.rest() == lines
    assert server.wait() == 0


@pytest.mark.parametrize("command", [("chat", "join"), ("push", "subscribe")], ids=["chat", "push"])
@pytest.mark.parametrize("own, here, there", [
    ({"ann": "99" * 32}, "the server has another key of 'ann'", "its key of 'ann' is wrong"),
    ({"bob": "99" * 32}, "the server has no key of 'bob'", "there is no key of 'bob'"),
    (None, "this server requires a key (--psk-file)", "it is not encrypted, but this server requires a key (--psk-file)"),
], ids=["another key", "unknown", "no key"])
def test_who_is_not_let_in_is_told_and_the_server_says_so(netkit, keys, command, own, here, there):
    server = netkit.serve(command[0], "serve", "127.0.0.1:0", "--psk-file", keys("room", "ann"))
    args = ["--name", "ann"] if own is None else ["--psk-file", keys("own", **own)]
    said = refused(netkit, server.address, *args, command=command)
    assert said == f"netkit: {command[0]}: {server.address}: refused: {here}\n"
    server.err.expect(rb"^netkit: \w+: 127\.0\.0\.1:\d+ refused: " + re.escape(there).encode() + rb"\n")
    server.stop()
    assert not [key for key in ("99" * 32, KEYS["ann"]) if key.encode() in server.err.data]


@pytest.mark.parametrize("command", [("chat", "join"), ("push", "subscribe")], ids=["chat", "push"])
def test_a_server_without_keys_knows_a_handshake_and_says_so(netkit, keys, command):
    server = netkit.serve(command[0], "serve", "127.0.0.1:0")
    said = refused(netkit, server.address, "--psk-file", keys("own", "ann"), command=command)
    assert said == (f"netkit: {command[0]}: {server.address}: refused: the server has no keys (--psk-file), or no "
                    "cipher in common\n")
    server.err.expect(rb"refused: it requests encryption, but this server has no keys \(--psk-file\)\n")
    server.stop()
    assert b"joined" not in server.out.data and b"subscribed" not in server.out.data


def test_a_plain_member_needs_to_be_allowed(netkit, room, keys):
    with udp_socket() as sock:
        sock.sendto(b"reg\n", host_port(room.address))
        room.err.expect(rb"refused: it uses the plain dialect, but this server requires a key \(--plain\)\n")
    open_room = netkit.serve("chat", "serve", "127.0.0.1:0", "--psk-file", keys("k", "ann"), "--plain", "local")
    with udp_socket() as sock:
        sock.sendto(b"reg\n", host_port(open_room.address))
        open_room.out.expect(rb"joined\n")
        join(netkit, open_room.address, keys("a", "ann")).write("hello\n")
        assert sock.recv(100) == b"[ann] hello\n"


@pytest.mark.parametrize("command", [("chat", "join"), ("push", "subscribe")], ids=["chat", "push"])
def test_a_plain_client_is_told_that_a_key_is_needed(netkit, keys, command):
    server = netkit.serve(command[0], "serve", "127.0.0.1:0", "--psk-file", keys("k", "ann"))
    client = netkit.start(*command, server.address, "--plain", "--name", "ben")
    assert client.wait(11) == 77 and client.out.rest() == b""
    assert client.err.data.endswith(f"netkit: {command[0]}: {server.address}: refused: this server requires a key (--psk-file)\n".encode())
    server.err.expect(rb"refused: it uses the plain dialect, but this server requires a key \(--plain\)\n")
    with udp_socket() as sock:
        for said in (b"reg\n", b"is there anybody out there?\n"):
            sock.sendto(said, host_port(server.address))
            assert sock.recv(100) == b"\x15key needed (--psk-file)\n"[:len(said)]


def test_a_clock_that_jumps_ends_nothing(netkit, keys, tmp_path):
    """OpenSSL goes by the time of day."""
    time_of_day = tmp_path / "time"
    time_of_day.write_text("+0\n")
    room = netkit.serve("chat", "serve", "127.0.0.1:0", "--psk-file", keys("k", "ann", "ben"), env=clock(time_of_day))
    with Relay(host_port(room.address), loss=0.2, seed=5) as relay:
        ann = netkit.start("chat", "join", relay.address, "--psk-file", keys("a", "ann"), "--heartbeat", "200ms",
                           env=clock(time_of_day))
        ann.err.expect(rb"joined ")
        for jump in ("+3000d", "-3000d"):
            time_of_day.write_text(jump + "\n")
            relay.move()
            ann.write(f"after {jump}\n")
            room.out.expect(rb"\[ann\] after " + re.escape(jump.encode()) + rb"\n")
            ben = join(netkit, relay.address, keys("b", "ben"))
            ben.signal(signal.SIGKILL)
            ben.wait()
    assert b"ann left" not in room.out.data


def test_nobody_can_take_the_name_of_another_or_change_his_own(netkit, room, keys):
    ann = join(netkit, room.address, keys("a", "ann"), "--commands")
    assert netkit.run("chat", "join", room.address, "--psk-file", keys("b", "ben"), "--name", "ann").status == 78
    ann.write("/nick ben\n")
    ann.err.expect(rb"the key determines the name\n")


@pytest.mark.parametrize("said", [b"ann", b"ben2", b"Ben"])
def test_a_client_that_says_another_name_than_its_key_has_is_refused(netkit, room, keys, said):
    """A client that was made to: netkit itself would not say it."""
    key = keys("b", "ben").read_text().strip().split(":")[1]
    client = netkit.start(argv=["openssl", "s_client", "-quiet", "-dtls1_2", "-connect", room.address, "-psk_identity", "ben", "-psk", key,
                                "-cipher", "ECDHE-PSK-CHACHA20-POLY1305"])
    nonce = b"8 bytes."
    client.write(begin(HELLO, 0, nonce).ljust(64, b"\0"))
    cookie = client.out.expect(rb"\xf5\x02\x02.8 bytes\.(.{20})").group(1)
    client.write(begin(CONNECT, 0, nonce) + cookie + struct.pack(">IH", 1, 64) + struct.pack(">BQQQQB", 1, 1, 0, 0, 0, len(said)) + said)
    client.out.expect(rb"\xf5\x02\x05.8 bytes\...the key belongs to 'ben'")


def test_who_comes_again_by_his_key_takes_his_own_place(netkit, room, keys):
    old = join(netkit, room.address, keys("a", "ann"))
    old.signal(signal.SIGKILL)
    old.wait()
    new = join(netkit, room.address, keys("a", "ann"))
    new.write("back\n")
    room.out.expect(rb"\[ann\] back\n")


def test_two_with_one_key_do_not_displace_each_other_for_ever(netkit, room, keys):
    old, new = (join(netkit, room.address, keys("a", "ann")) for _ in range(2))
    assert old.wait(5) == 75
    assert old.err.data.endswith(b": another has joined with the same key\n")
    new.write("still here\n")
    room.out.expect(rb"\[ann\] still here\n")


def test_a_revoked_member_is_put_out_at_once(netkit, room, keys, tmp_path):
    ann, ben = (join(netkit, room.address, keys(name, name)) for name in ("ann", "ben"))
    keys("room", "ben")
    room.signal(signal.SIGHUP)
    room.err.expect(rb"reloaded: 1 key\n")
    room.err.expect(rb"the key of 'ann' was revoked\n")
    assert ann.wait(5) == 77
    assert ann.err.data.endswith(b": the key was revoked\n")
    room.out.expect(rb"\* ann left \(revoked\)\n")
    ben.out.expect(rb"\* ann left \(revoked\)\n")
    assert "the server has no key of 'ann'" in refused(netkit, room.address, "--psk-file", tmp_path / "ann")
    ben.write("still here\n")
    room.out.expect(rb"\[ben\] still here\n")


def test_a_file_with_a_mistake_changes_nothing(netkit, room, keys, tmp_path):
    ann = join(netkit, room.address, keys("ann", "ann"))
    (tmp_path / "room").write_text("ann:password\n")
    room.signal(signal.SIGHUP)
    room.err.expect(rb"is not hexadecimal \(a password is not a key\); [^\n]*; the keys are unchanged\n")
    ann.write("hello\n")
    room.out.expect(rb"\[ann\] hello\n")


@pytest.mark.parametrize("args", [("chat", "serve", "0"), ("chat", "join", "9"), ("push", "serve", "0"),
                                  ("push", "subscribe", "9")], ids=lambda args: " ".join(args[:2]))
def test_a_key_file_that_others_may_read_is_refused(netkit, keys, args):
    file = keys("k", "ann", mode=0o644)
    run = netkit.run(*args, "--psk-file", file)
    assert run.status == 78
    assert run.err.decode() == f"netkit: {args[0]}: others may read the key file '{file}': run chmod 600 {file}\n"


def test_a_server_that_others_reach_says_that_it_is_open(netkit, keys):
    for command in ("chat", "push"):
        server = netkit.serve(command, "serve", "0.0.0.0:0")
        server.err.expect(rb"not encrypted: anyone on the path can read and forge traffic \(--psk-file\)\n")
        quiet = netkit.serve(command, "serve", "0.0.0.0:0", "--psk-file", keys("k", "ann"))
        for process in (server, quiet):
            process.stop()
        assert b"not encrypted" not in quiet.err.data


def test_a_member_whose_lease_is_over_is_told_and_comes_back(netkit, keys):
    room = netkit.serve("chat", "serve", "127.0.0.1:0", "--psk-file", keys("k", "ann"), "--lease", "600ms")
    ann = join(netkit, room.address, keys("a", "ann"), "--heartbeat", "200ms", "--reconnect-max", "200ms")
    ann.signal(signal.SIGSTOP)
    room.out.expect(rb"\* ann left \(lease\)\n")
    ann.signal(signal.SIGCONT)
    ann.err.expect(rb"connected again")
    ann.write("back\n")
    room.out.expect(rb"\[ann\] back\n")


def s_client(address, identity, key, **kwargs):
    return subprocess.Popen(["openssl", "s_client", "-dtls1_2", "-connect", address, "-psk_identity", identity, "-psk",
                             key, "-quiet"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            **kwargs)


def test_openssl_is_a_member_of_the_native_dialect(netkit, room, keys):
    """s_client completes the handshake, and what it sends is taken: a HELLO gets its COOKIE."""
    client = s_client(room.address, "ann", KEYS["ann"])
    try:
        client.stdin.write(b"\xf5\x02\x01\x00nonce123".ljust(64, b"\0"))
        client.stdin.flush()
        answer = os.read(client.stdout.fileno(), 2048)
        assert answer[:1] == b"\xf5" and answer[2] == 2 and answer[4:12] == b"nonce123" and len(answer) == 32
    finally:
        client.kill()
        client.communicate()


def test_an_openssl_server_is_shaken_hands_with(netkit, keys):
    with udp_socket() as sock:
        port = sock.getsockname()[1]
    server = netkit.start(argv=["openssl", "s_server", "-dtls1_2", "-accept", f"127.0.0.1:{port}", "-nocert", "-psk",
                                KEYS["ann"], "-cipher", "ECDHE-PSK-CHACHA20-POLY1305"])
    server.out.expect(rb"ACCEPT")
    netkit.start("chat", "join", f"127.0.0.1:{port}", "--psk-file", keys("a", "ann"))
    server.out.expect(rb"\xf5.\x01\x00.{8}\x00{52}")


def test_a_restarted_member_on_the_same_port_comes_back(netkit, room, keys):
    with udp_socket() as sock:
        port = sock.getsockname()[1]
    for _ in range(3):
        ann = join(netkit, room.address, keys("a", "ann"), "--bind", f"127.0.0.1:{port}")
        ann.write("hello\n")
        room.out.expect(rb"\[ann\] hello\n")
        ann.signal(signal.SIGKILL)
        ann.wait()


def test_a_killed_server_is_come_back_to(netkit, room, keys, tmp_path):
    ann = join(netkit, room.address, keys("a", "ann"), "--reconnect-max", "200ms")
    room.signal(signal.SIGKILL)
    room.wait()
    again = netkit.serve("chat", "serve", room.address, "--psk-file", tmp_path / "room")
    ann.write("are you there?\n")
    again.out.expect(rb"\[ann\] are you there\?\n")


def talk(netkit, tmp_path, sides):
    """A room and a push server, and all that goes over the loopback while members and subscribers use them."""
    captures = Capture(), Capture()
    room = netkit.serve("chat", "serve", "127.0.0.1:0", *sides(None))
    ann, ben = (netkit.start("chat", "join", room.address, *sides(name), "--commands") for name in ("ann", "ben"))
    for member in (ann, ben):
        member.err.expect(rb"joined ")
    ann.write("a word of ours\n/msg ben a quiet word\n/me waves\n")
    ben.out.expect(rb"a quiet word.*waves")
    push = netkit.serve("push", "serve", "127.0.0.1:0", *sides(None), "--every", "1h", sockets=2)
    reader = netkit.start("push", "subscribe", push.address, *sides("ann"), "--topic", "weather/#", "--count", "2")
    reader.err.expect(rb"subscribed")
    key = sides("ben")[-2:] if sides("ben")[0] == "--psk-file" else []
    for command in (["send", push.address, "it will rain", "--topic", "weather/here"], ["status", push.address]) * 2:
        assert netkit.run("push", *command, *key).status == 0
    assert reader.wait() == 0
    for capture, server in zip(captures, (room, push)):
        capture.save(tmp_path / str(server.port), server.port)
        server.stop()
    return [(tmp_path / str(server.port)).read_bytes() for server in (room, push)]


WORDS = [[b"a word of ours", b"a quiet word", b"waves"], [b"it will rain", b"weather/", b" native "]]


def test_what_is_captured_has_no_word_in_clear(netkit, sides, tmp_path):
    """Of a room, of what is pushed, of what publishers and who looks at the roster say; in clear all of it is there."""
    for captured, words in zip(talk(netkit, tmp_path, sides("ann", "ben")), WORDS):
        in_clear = [word for word in words if word in captured]
        assert len(captured) > 2000 and in_clear == ([] if (tmp_path / "None.keys").exists() else words)


def test_all_that_is_sent_are_records(netkit, room, keys, relays):
    relay = relays(room)
    seen = []
    relay.tap = lambda data, from_client: seen.append(data)
    ann = join(netkit, relay.address, keys("a", "ann"))
    ann.write("a word of ours\n")
    room.out.expect(rb"a word of ours")
    assert seen and all(20 <= data[0] <= 23 and data[1] == 0xFE for data in seen)


@pytest.fixture
def operated(netkit, keys):
    """A room with an operator, ann, and a member, ben."""
    room = netkit.serve("chat", "serve", "127.0.0.1:0", "--psk-file", keys("room", "ann", "ben"), "--operators", "ann")
    return room, *(join(netkit, room.address, keys(name, name), "--commands") for name in ("ann", "ben"))


def test_an_operator_mutes_and_sets_the_topic(netkit, operated, keys):
    room, ann, ben = operated
    ann.write("/topic the weather\n/mute ben 1h\n")
    ben.out.expect(rb"\* ann set the topic: the weather\n")
    ben.write("can you hear me?\n")
    ben.err.expect(rb"undelivered \(an operator has muted you\): can you hear me\?\n")
    ann.write("/mute ben 0\n")
    room.out.expect(rb"set the topic")
    wait_until(lambda: ben.write("and now?\n") is None and b"[ben] and now?" in read_on(room), what="ben is heard")


def read_on(process):
    process.out._pump(0.05)
    return process.out.data


def test_only_operators_may(operated):
    room, ann, ben = operated
    for line in ("/kick ann", "/ban ann", "/mute ann", "/topic mine"):
        ben.write(line + "\n")
        ben.err.expect(rb"only operators may do that \(--operators\)\n")


def test_an_operator_who_puts_himself_out_ends_nothing_else(operated):
    room, ann, ben = operated
    ann.write("".join("/kick ann\nstill here?\n" for _ in range(20)))
    assert ann.wait() == 75
    ben.write("hello\n")
    room.out.expect(rb"\[ben\] hello\n")


def test_a_banned_member_stays_out_and_a_kicked_one_comes_back(netkit, operated, keys, tmp_path):
    room, ann, ben = operated
    ann.write("/kick ben\n")
    assert ben.wait(5) == 75 and ben.err.data.endswith(b": kicked by an operator\n")
    ben = join(netkit, room.address, tmp_path / "ben")
    ann.write("/ban ben\n")
    assert ben.wait(5) == 77 and ben.err.data.endswith(b": banned by an operator\n")
    assert "refused: banned by an operator" in refused(netkit, room.address, "--psk-file", tmp_path / "ben")


def prf(secret, seed, size):
    """P_SHA256 of RFC 5246."""
    out, a = b"", seed
    while len(out) < size:
        a = hmac.digest(secret, a, "sha256")
        out += hmac.digest(secret, a + seed, "sha256")
    return out[:size]


def records(datagrams):
    """(from the client, type, epoch and number, fragment) of the DTLS records in them."""
    for data, from_client in datagrams:
        while data:
            size = 13 + int.from_bytes(data[11:13], "big")
            yield from_client, data[0], data[3:11], data[13:size]
            data = data[size:]


def decrypted(datagrams, master):
    """What a second implementation makes of a captured session with its master secret (RFC 5246, 6347, 7905)."""
    randoms = {}
    for from_client, kind, number, fragment in records(datagrams):
        if kind == 22 and number[:2] == b"\0\0" and fragment[0] in (1, 2):
            randoms[from_client] = fragment[14:46]
    block = prf(master, b"key expansion" + randoms[False] + randoms[True], 88)
    ciphers = {True: (ChaCha20Poly1305(block[:32]), block[64:76]), False: (ChaCha20Poly1305(block[32:64]), block[76:88])}
    for from_client, kind, number, fragment in records(datagrams):
        if kind == 23:
            cipher, iv = ciphers[from_client]
            nonce = bytes(a ^ b for a, b in zip(iv, bytes(4) + number))
            size = struct.pack(">H", len(fragment) - 16)
            yield from_client, cipher.decrypt(nonce, fragment, number + b"\x17\xfe\xfd" + size)


def test_the_key_log_decrypts_a_captured_session(netkit, room, keys, relays, tmp_path):
    log = tmp_path / "keys.log"
    relay = relays(room)
    seen = []
    relay.tap = lambda data, from_client: seen.append((data, from_client))
    ann = netkit.start("chat", "join", relay.address, "--psk-file", keys("a", "ann"), env={"SSLKEYLOGFILE": str(log)})
    ann.err.expect(rb"joined ")
    ann.write("a word of ours\n")
    room.out.expect(rb"a word of ours")
    ann.close_stdin()
    assert ann.wait() == 0
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    master = bytes.fromhex(re.fullmatch(r"CLIENT_RANDOM [0-9a-f]{64} ([0-9a-f]{96})\n", log.read_text()).group(1))
    native = list(decrypted(seen, master))
    assert all(datagram[:2] == b"\xf5\x02" for _, datagram in native)
    assert {1, 2, 3, 4, 6, 7} <= {datagram[2] for _, datagram in native}
    assert [datagram for from_client, datagram in native if from_client and b"a word of ours" in datagram]


def test_who_comes_from_elsewhere_resumes(netkit, room, keys, relays):
    relay = relays(room)
    seen = []
    relay.tap = lambda data, from_client: seen.append((data, from_client))
    ann = join(netkit, relay.address, keys("a", "ann"), "--heartbeat", "200ms")
    for i in range(2):
        before = len(seen)
        relay.move()
        ann.write(f"hello {i}\n")
        room.out.expect(rf"\[ann\] hello {i}\n".encode())
        shaken = {fragment[0] for _, kind, number, fragment in records(seen[before:]) if kind == 22 and number[:2] == b"\0\0"}
        assert {1, 2} <= shaken and 12 not in shaken, "hellos, and no ServerKeyExchange"
    assert b"left" not in room.out.data and b"again" not in ann.err.data


def test_openssl_resumes(room, tmp_path):
    for words, word in (("-sess_out", "New"), ("-sess_in", "Reused")):
        client = subprocess.Popen(["openssl", "s_client", "-dtls1_2", "-connect", room.address, "-psk_identity", "ann", "-psk",
                                   KEYS["ann"], words, tmp_path / "session"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)
        shown = b""
        while b"\n---\n" not in shown.partition(b"Cipher is ECDHE-PSK-CHACHA20-POLY1305")[2]:
            more = os.read(client.stdout.fileno(), 4096)
            assert more, shown
            shown += more
        client.communicate(b"Q\n", timeout=20)
        assert f"\n{word}, TLSv1.2, Cipher is".encode() in shown


def test_gnutls_completes_the_handshake(room):
    """gnutls-cli 3.7.9 crashes right after it, so what it prints must not wait in its buffer."""
    client = subprocess.Popen(["stdbuf", "-o0", "gnutls-cli", "--udp", "--pskusername", "ann", "--pskkey", KEYS["ann"], "--priority",
                               "NORMAL:-VERS-ALL:+VERS-DTLS1.2:-KX-ALL:+ECDHE-PSK:-CIPHER-ALL:+CHACHA20-POLY1305",
                               "-p", str(room.port), "127.0.0.1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
    try:
        shown = b""
        while b"PSK authentication" not in shown:
            more = os.read(client.stdout.fileno(), 4096)
            assert more, shown
            shown += more
        assert b"(DTLS1.2-" in shown and b"-(CHACHA20-POLY1305)" in shown
    finally:
        client.kill()
        client.communicate()


def test_a_flood_of_hellos_costs_members_nothing(netkit, room, keys):
    ann, ben = (join(netkit, room.address, keys(name, name)) for name in ("ann", "ben"))
    before = resident(room.pid)
    hello = client_hello()
    with udp_socket() as sock:
        sock.setblocking(False)
        for i in range(100_000):
            try:
                sock.sendto(hello[:27] + os.urandom(8) + hello[35:], host_port(room.address))
            except BlockingIOError:
                pass
            if i % 20_000 == 0:
                ann.write(f"said {i}\n")
                ben.out.expect(rf"\[ann\] said {i}\n".encode())
    ann.write("done\n")
    ben.out.expect(rb"\[ann\] done\n")
    assert resident(room.pid) - before < 8 << 20


def client_hello():
    body = b"\xfe\xfd" + os.urandom(32) + b"\0\0" + b"\0\4\xcc\xac\0\xff" + b"\1\0"
    message = b"\1" + len(body).to_bytes(3, "big") + bytes(5) + len(body).to_bytes(3, "big") + body
    return b"\x16\xfe\xff" + bytes(8) + len(message).to_bytes(2, "big") + message
