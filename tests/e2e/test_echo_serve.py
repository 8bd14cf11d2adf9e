"""echo serve: against nc, socat, ncat and plain sockets; what it prints; whom it answers."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest
from netkit import (DEADLINE, host_port, receive_exactly, receive_to_end, tcp_connect, udp_socket, wait_until)


# For tests that do not read standard output: a full pipe would hold the server up.
UNSEEN = ("--to", "file:/dev/null")


def ask(port, data, host="127.0.0.1", sock=None):
    """Sends a datagram and returns the reply and who sent it."""
    own = sock or udp_socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    own.sendto(data, (host, port))
    reply, peer = own.recvfrom(65536)
    if not sock:
        own.close()
    return reply, peer[:2]


def end_of(server, number=signal.SIGINT):
    """Stops a server that prints JSON; returns its records and the end record."""
    assert server.stop(number) == 0
    lines = [json.loads(line) for line in server.out.data[server.out.position:].decode().splitlines()]
    return lines[:-1], lines[-1]


@pytest.mark.parametrize("size", [0, 1, 2, 511, 1200, 1473, 8192, 65506, 65507])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_udp_echo_is_the_same_bytes(netkit, host, size):
    server = netkit.serve("echo", "serve", f"[{host}]:0" if ":" in host else f"{host}:0", "--udp", *UNSEEN)
    data = os.urandom(size)
    reply, peer = ask(server.port, data, host)
    assert reply == data
    assert peer == (host, server.port)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_tcp_echoes_three_megabytes_and_honours_half_close(netkit, host):
    server = netkit.serve("echo", "serve", f"[{host}]:0" if ":" in host else f"{host}:0", "--tcp", *UNSEEN)
    data = os.urandom(3 << 20)
    with tcp_connect(server.address) as sock:
        writer = threading.Thread(target=lambda: (sock.sendall(data), sock.shutdown(socket.SHUT_WR)))
        writer.start()
        assert receive_to_end(sock) == data
        writer.join()


def _unread(port):
    """Bytes that wait in the kernel for the server of a TCP connection to read them."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table]
    queues = [row[4] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "01"]
    return int(queues[0].split(":")[1], 16) if queues else 0


def test_a_client_that_does_not_read_costs_little_and_loses_nothing(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--tcp", "--raw", *UNSEEN)  # showing it as text takes longest
    data = os.urandom(1 << 20) * 32
    with tcp_connect(server.address) as sock:
        writer = threading.Thread(target=lambda: (sock.sendall(data), sock.shutdown(socket.SHUT_WR)))
        writer.start()
        wait_until(lambda: _unread(server.port) > 0 and _state(server.pid) == "S", what="a server that reads no more")
        with open(f"/proc/{server.pid}/status", encoding="ascii") as status:
            resident = int(re.search(r"RssAnon:\s+(\d+)", status.read()).group(1))
        assert resident < 40_000
        assert receive_to_end(sock) == data
        writer.join()


@pytest.mark.parametrize("argv, needs", [
    (["nc", "-u", "-w", "1", "127.0.0.1", "{port}"], "nc"),
    (["nc", "-N", "127.0.0.1", "{port}"], "nc"),
    (["ncat", "127.0.0.1", "{port}"], "ncat"),
    (["socat", "-t", "1", "-", "UDP4:127.0.0.1:{port}"], "socat"),
    (["socat", "-t", "2", "-", "TCP4:127.0.0.1:{port}"], "socat"),
])
def test_answers_the_clients_that_people_use(netkit, argv, needs):
    assert shutil.which(needs), f"{needs} is in tools/packages.txt"
    server = netkit.serve("echo", "serve", "127.0.0.1:0", sockets=2)
    words = [word.format(port=server.port) for word in argv]
    done = netkit.run(argv=words, stdin="grüße, \x1b[31m{text}\n")
    assert done.out.decode() == "grüße, \x1b[31m{text}\n"


def test_listens_on_udp_and_tcp_and_one_port(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", sockets=2)
    assert [kind for kind, _ in server.listening] == ["udp", "tcp"]
    assert server.listening[0][1] == server.listening[1][1]


def test_every_interface_is_two_sockets_of_each_kind(netkit):
    server = netkit.serve("echo", "serve", ":0", sockets=4)
    assert [(kind, host_port(address)[0]) for kind, address in server.listening] == [
        ("udp", "0.0.0.0"), ("udp", "::"), ("tcp", "0.0.0.0"), ("tcp", "::")]


@pytest.mark.parametrize("asked", ["127.0.0.1", "127.0.0.5", "::1"])
def test_answers_come_from_the_address_that_was_asked(netkit, asked):
    server = netkit.serve("echo", "serve", ":0", "--udp", sockets=2)
    assert ask(server.port, b"who?", asked) == (b"who?", (asked, server.port))


def test_prints_a_line_per_datagram_and_per_read(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", sockets=2)
    with udp_socket() as sock, tcp_connect(server.address) as stream:
        ask(server.port, b"over udp", sock=sock)
        assert server.out.line() == b"127.0.0.1:%d over udp" % sock.getsockname()[1]
        stream.sendall(b"over tcp\n")
        assert server.out.line() == b"127.0.0.1:%d over tcp" % stream.getsockname()[1]


def test_no_peer_can_move_the_cursor(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--udp")
    reply, _ = ask(server.port, b"\x1b]52;c;x\x07\tb\xff\xe2\x80\xae\nend")
    assert reply == b"\x1b]52;c;x\x07\tb\xff\xe2\x80\xae\nend"
    assert server.out.line().endswith(rb" \x1b]52;c;x\x07" + b"\t" + rb"b\xff\xe2\x80\xae\x0aend")


def test_json_has_every_field_and_ends_with_totals(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--json", sockets=2)
    ask(server.port, "grüße".encode())
    ask(server.port, b"\xff\x00")
    with tcp_connect(server.address) as sock:
        sock.sendall(b"read")
        receive_exactly(sock, 4)
    records, end = end_of(server)
    assert list(records[0]) == ["type", "time", "peer", "proto", "seq", "text"]
    assert [record["type"] for record in records] == ["datagram", "datagram", "read"]
    assert records[0]["text"] == "grüße" and records[1]["base64"] == "/wA="
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", records[0]["time"])
    assert (end["type"], end["ok"]) == ("end", True)
    assert (end["received"], end["sent"], end["bytes_received"]) == (3, 3, 13)
    assert (end["accepted"], end["kernel_drops"]) == (1, 0)


def test_quiet_prints_nothing_and_answers(netkit):
    server = netkit.start("echo", "serve", "127.0.0.1:0", "-q", "--ready-fd", "1")
    port = int(server.out.line().rsplit(b":", 1)[1])
    assert ask(port, b"psst")[0] == b"psst"
    assert server.stop(signal.SIGINT) == 0
    assert server.out.data.count(b"\n") <= 2 and b"psst" not in server.out.data


@pytest.mark.parametrize("template, sent, pattern", [
    ("ack: {text}", "hello", r"ack: hello"),
    ("【{ctime}】{text}", "grüße\n", r"【\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}】grüße\n"),
    ("{{{text}}}\\n\\x41", "x", r"\{x\}\}\nA"),
    ("{ip} {port} {seq}", "x", r"127\.0\.0\.1 \d+ 1"),
    ("pong", "ping", r"pong"),
])
@pytest.mark.parametrize("proto", ["udp", "tcp"])
def test_replies_are_rendered(netkit, template, sent, pattern, proto):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", f"--{proto}", "--reply", template)
    if proto == "udp":
        reply = ask(server.port, sent.encode())[0]
    else:
        with tcp_connect(server.address) as sock:
            sock.sendall(sent.encode())
            sock.shutdown(socket.SHUT_WR)
            reply = receive_to_end(sock)
    assert re.fullmatch(pattern, reply.decode())


def test_a_reply_longer_than_any_datagram_is_counted_and_hurts_nobody(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--udp", "--json", "-q", "--reply", "{text} {text}")
    with udp_socket() as sock:
        for _ in range(3):
            sock.sendto(b"x" * 65507, ("127.0.0.1", server.port))
        assert ask(server.port, b"hi", sock=sock)[0] == b"hi hi"
    assert end_of(server)[1]["too_big"] == 3


def test_an_unknown_field_is_a_usage_error(netkit):
    done = netkit.run("echo", "serve", "127.0.0.1:0", "--reply", "{colour}")
    assert done.status == 2
    assert b"--reply" in done.err and b"colour" in done.err and done.out == b""


def test_each_thread_answers(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--threads", "3", "--json", sockets=2)
    for number in range(40):  # so many ports that every thread gets some
        assert ask(server.port, b"%d" % number)[0] == b"%d" % number
    with tcp_connect(server.address) as sock:
        sock.sendall(b"tcp")
        assert receive_exactly(sock, 3) == b"tcp"
    lines = [server.out.json() for _ in range(41)]
    assert sorted(line["text"] for line in lines) == sorted([str(n) for n in range(40)] + ["tcp"])
    _, end = end_of(server)
    assert end["received"] == 41


def test_threads_share_one_limit_and_one_policy(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--threads", "3", "--max-clients", "2", "--deny", "127.0.0.7",
                          "--reply", "[{text}]", sockets=2)
    for _ in range(12):  # so many ports that every thread gets some
        assert ask(server.port, b"x")[0] == b"[x]"
        with udp_socket(address=("127.0.0.7", 0)) as denied:
            denied.sendto(b"x", ("127.0.0.1", server.port))
    held = [tcp_connect(server.address) for _ in range(2)]
    for sock in held:
        sock.sendall(b"y")
        assert receive_exactly(sock, 3) == b"[y]"
    for _ in range(6):
        with tcp_connect(server.address) as late:
            try:
                assert late.recv(1) == b""
            except ConnectionResetError:
                pass
    for sock in held:
        sock.close()
    assert server.stop() == 0
    totals = server.err.data.decode().splitlines()[-1]
    for fact in ("received 26", "sent 14", "dropped denied 12", "accepted 2", "refused clients 6"):
        assert f" {fact}," in totals, totals


def test_a_second_server_is_told_that_the_address_is_in_use(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--udp")
    done = netkit.run("echo", "serve", server.address, "--udp")
    assert done.status == 69
    assert b"address already in use" in done.err.lower()


def test_deny_and_allow(netkit):
    server = netkit.serve("echo", "serve", ":0", "--allow", "127.0.0.0/8", "--deny", "127.0.0.7", "--json", sockets=4)
    with udp_socket(address=("127.0.0.7", 0)) as denied:
        denied.sendto(b"let me in", ("127.0.0.1", server.port))
        assert ask(server.port, b"hello")[0] == b"hello"
        denied.settimeout(0.2)
        with pytest.raises(TimeoutError):
            denied.recv(100)
    with socket.create_connection(("::1", server.port), timeout=DEADLINE) as sock:
        assert sock.recv(1) == b""
    records, end = end_of(server)
    assert [record["text"] for record in records] == ["hello"]
    assert end["dropped_denied"] == 2


def test_a_rate_holds_each_source_to_its_share(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--udp", "--rate", "5/m", "--json")
    with udp_socket(address=("127.0.0.8", 0)) as greedy:
        for _ in range(50):
            greedy.sendto(b"more", ("127.0.0.1", server.port))
        assert ask(server.port, b"other")[0] == b"other"
    records, end = end_of(server)
    assert end["dropped_rate"] == 50 - (len(records) - 1) > 0


def test_a_rate_holds_a_stream_up_and_loses_nothing(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--tcp", "--rate", "50/s", "--json", *UNSEEN)
    with tcp_connect(server.address) as sock:
        for number in range(70):
            sock.sendall(b"%02d" % number)
            assert receive_exactly(sock, 2) == b"%02d" % number
    server.signal(signal.SIGUSR1)
    assert int(server.err.expect(rb"delayed (\d+)").group(1)) > 0


@pytest.mark.realtime
def test_idle_clients_are_closed(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--tcp", "--idle-timeout", "200ms", "--json", "-v")
    with tcp_connect(server.address) as sock:
        sock.sendall(b"x")
        assert receive_exactly(sock, 1) == b"x"
        try:
            assert sock.recv(1) == b""
        except ConnectionResetError:
            pass
    server.err.expect(rb" closed: silent for 200ms \(--idle-timeout\)\n")
    assert end_of(server)[1]["idle_clients"] == 1


def test_clients_over_the_limit_are_refused_and_the_option_is_named(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--tcp", "--max-clients", "2", "--json")
    held = [tcp_connect(server.address) for _ in range(2)]
    for sock in held:
        sock.sendall(b"x")
        assert receive_exactly(sock, 1) == b"x"
    with tcp_connect(server.address) as late:
        try:
            assert late.recv(1) == b""
        except ConnectionResetError:
            pass
    server.err.expect(rb"netkit: echo: 127\.0\.0\.1:\d+ refused: full: 2 clients \(--max-clients\)\n")
    held.pop().close()
    wait_until(lambda: _echoes(server.address), what="a free place")
    for sock in held:
        sock.close()
    assert end_of(server)[1]["refused_clients"] >= 1


def _echoes(address):
    with tcp_connect(address) as sock:
        try:
            sock.sendall(b"y")
            return sock.recv(1) == b"y"
        except OSError:
            return False


def test_out_of_descriptors_it_lives_and_does_not_spin(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--tcp")
    subprocess.run(["prlimit", f"--pid={server.pid}", "--nofile=40:4096"], check=True)
    socks = [tcp_connect(server.address) for _ in range(60)]
    server.err.expect(rb"netkit: echo: cannot accept a connection: too many open files\n")
    before = _cpu(server.pid)
    server.err.silent(0.5)  # said once a second
    assert _cpu(server.pid) - before < 0.25
    # Room first, then the clients' ends: UBSan takes an object for gone when it cannot open a pipe to look at it.
    subprocess.run(["prlimit", f"--pid={server.pid}", "--nofile=4096:4096"], check=True)
    for sock in socks:
        sock.close()
    wait_until(lambda: _echoes(server.address), what="room again")


def _cpu(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_an_idle_server_makes_no_wake_ups(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", sockets=2)
    for _ in range(500):
        ask(server.port, b"busy")
    wait_until(lambda: _state(server.pid) == "S", what="an idle server")
    before = _switches(server.pid)
    server.err.silent(0.6)
    assert _switches(server.pid) - before <= 2


def _state(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0]


def _switches(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return sum(int(n) for n in re.findall(r"ctxt_switches:\s+(\d+)", status.read()))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_with_totals(netkit, number):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", sockets=2)
    ask(server.port, b"x")
    assert server.stop(number) == 0
    assert re.search(rb"netkit: echo: .*received 1\b", server.err.data)


def test_usr1_shows_totals_in_between(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", sockets=2)
    ask(server.port, b"x")
    server.signal(signal.SIGUSR1)
    server.err.expect(rb"netkit: echo: .*received 1\b")
    assert ask(server.port, b"still here")[0] == b"still here"


def test_records_can_go_to_a_file(netkit, tmp_path):
    log = tmp_path / "echo.log"
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--udp", "--json", "--to", f"file:{log}")
    ask(server.port, b"kept")
    assert server.stop() == 0
    assert json.loads(log.read_text().splitlines()[0])["text"] == "kept"
    assert server.out.data == b""


def test_a_full_disk_ends_it_with_74(netkit):
    with open("/dev/full", "wb") as full:
        server = netkit.serve("echo", "serve", "127.0.0.1:0", "--udp", stdout=full)
        with udp_socket() as sock:
            sock.sendto(b"x", ("127.0.0.1", server.port))
            assert server.wait() == 74
    assert b"no space left on device" in server.err.data.lower()


def test_environment_sets_an_option(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--udp", env={"NETKIT_ECHO_REPLY": "env {text}"})
    assert ask(server.port, b"x")[0] == b"env x"
