"""What every command has in common, for all commands: how each action ends, and what no single command shows."""

import contextlib
import json
import os
import re
import signal
import socket
import time

import pytest

from netkit import DEADLINE, host_port, receive_exactly, tcp_connect, udp_socket

SERVERS = [("echo", "serve", "127.0.0.1:0"), ("chat", "serve", "127.0.0.1:0"), ("chat", "peer", "--bind", "127.0.0.1:0"),
           ("broadcast", "listen", "127.0.0.1:0"), ("push", "serve", "127.0.0.1:0"),
           ("sse", "serve", "127.0.0.1:0", "--every", "1h"), ("frame", "serve", "127.0.0.1:0"),
           ("frame", "proxy", "127.0.0.1:0", "127.0.0.1:9")]
# Clients, with `{}` where the address belongs of a peer that takes what comes and never answers.
UDP_CLIENTS = [("echo", "send", "{}", "x", "-w", "1h"), ("echo", "ping", "{}", "-w", "1h", "-i", "20ms"),
               ("echo", "bench", "{}", "--duration", "1h"), ("chat", "join", "{}", "--name", "ann"),
               ("push", "subscribe", "{}"), ("broadcast", "send", "{}", "x", "-w", "1h", "--repeat", "9", "-i", "20ms")]
TCP_CLIENTS = [("push", "status", "{}", "-w", "1h"), ("sse", "read", "http://{}/"),
               ("frame", "connect", "{}", "--send", "datetime", "-k")]
# Those that INT ends as a user expects: with 0.
UNTIL_TOLD = [("echo", "ping"), ("chat", "join"), ("push", "subscribe"), ("sse", "read"), ("frame", "connect")]


def name(words):
    return " ".join(words[:2])


def end_of(output):
    record = json.loads(output.splitlines()[-1])
    assert list(record)[:2] == ["type", "ok"] and record["type"] == "end"
    assert record["ok"] or list(record)[2] == "error"
    return record


class SilentPeer:
    """Takes what comes, and says when the first of it is there."""

    def __init__(self, kind):
        self.socket = socket.socket(socket.AF_INET, kind)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(DEADLINE)
        if kind == socket.SOCK_STREAM:
            self.socket.listen()
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.connection = None

    def wait_for_a_message(self):
        if self.socket.type == socket.SOCK_STREAM:
            self.connection = self.socket.accept()[0]
            self.connection.settimeout(DEADLINE)
        assert (self.connection or self.socket).recv(65536)

    def close(self):
        for one in (self.socket, self.connection):
            if one:
                one.close()


def nobodys_address():
    """A port that neither a UDP nor a TCP socket has."""
    while True:
        with socket.socket() as probe, udp_socket() as bound:
            try:
                probe.bind(bound.getsockname())
            except OSError:
                continue
            return "127.0.0.1:%d" % bound.getsockname()[1]


@pytest.fixture
def silent(request):
    peer = SilentPeer(request.param)
    yield peer
    peer.close()


CLIENTS = ([(socket.SOCK_DGRAM, words) for words in UDP_CLIENTS] + [(socket.SOCK_STREAM, words) for words in TCP_CLIENTS])
every_client = pytest.mark.parametrize("silent, words", CLIENTS, indirect=["silent"],
                                       ids=[name(words) for _, words in CLIENTS])
every_server = pytest.mark.parametrize("words", SERVERS, ids=name)


# Those of libcurl say it in other words.
our_client = pytest.mark.parametrize("silent, words", [one for one in CLIENTS if one[1][0] != "sse"], indirect=["silent"],
                                     ids=[name(words) for _, words in CLIENTS if words[0] != "sse"])


@our_client
def test_a_client_sends_from_where_it_is_told(netkit, silent, words):
    netkit.start(*[word.format(silent.address) for word in words], "--bind", "127.0.0.9")
    if silent.socket.type == socket.SOCK_STREAM:
        silent.wait_for_a_message()
        assert silent.connection.getpeername()[0] == "127.0.0.9"
    else:
        assert silent.socket.recvfrom(65536)[1][0] == "127.0.0.9"


@our_client
def test_a_client_keeps_to_the_family_that_it_is_told(netkit, silent, words):
    client = netkit.start(*[word.format(silent.address) for word in words], "-6")
    client.err.expect(rb"'127\.0\.0\.1' is not an IPv6 address")


@every_server
def test_a_server_that_is_told_to_end_ends_well(netkit, words):
    server = netkit.serve(*words, "--json")
    assert server.stop(signal.SIGTERM) == 0
    assert end_of(server.out.data)["ok"] is True


@every_server
def test_a_server_ends_with_124_when_its_time_has_passed(netkit, words):
    result = netkit.start(*words, "--json", "--timeout", "50ms")
    assert result.wait() == 124
    assert end_of(result.out.data)["error"] == "--timeout: 50ms passed"
    assert result.err.data.endswith(b": --timeout: 50ms passed\n")


def wake_ups(server):
    """Of all its threads."""
    tasks = f"/proc/{server.pid}/task"
    count = 0
    for task in os.listdir(tasks):
        with open(f"{tasks}/{task}/status", encoding="ascii") as status:
            count += sum(map(int, re.findall(r"^voluntary_ctxt_switches:\s+(\d+)", status.read(), re.M)))
    return count


def test_idle_servers_make_no_wake_ups(netkit):
    device = netkit.serve("frame", "serve", "127.0.0.1:0", "--codec", "u16", "--rule", "/^a/ => b")
    proxy = netkit.serve("frame", "proxy", "127.0.0.1:0", device.address, "--codec", "u16")
    servers = [device, proxy, *(netkit.serve(*words) for words in SERVERS)]
    with contextlib.ExitStack() as clients:
        for address in [device.address, proxy.address] * 20:
            client = clients.enter_context(tcp_connect(address))
            client.sendall(b"\0\1a")
            assert receive_exactly(client, 3) == b"\0\1b"
        end = time.monotonic() + DEADLINE
        awake = servers
        while awake:
            assert time.monotonic() < end, [server.argv for server in awake]
            before = [wake_ups(server) for server in servers]
            time.sleep(1)  # what is measured: a second in which nothing happens
            awake = [server for server, count in zip(servers, before) if wake_ups(server) > count]


@every_client
def test_a_client_that_is_interrupted_says_so(netkit, silent, words):
    client = netkit.start(*[word.format(silent.address) for word in words], "--json")
    silent.wait_for_a_message()
    until_told = words[:2] in UNTIL_TOLD
    assert client.stop(signal.SIGINT) == (0 if until_told else 130)
    end = end_of(client.out.data)
    assert end["ok"] is until_told and end.get("error") == (None if until_told else "ended by signal INT")


@every_client
def test_a_client_ends_with_124_when_its_time_has_passed(netkit, silent, words):
    client = netkit.start(*[word.format(silent.address) for word in words], "--json", "--timeout", "100ms")
    assert client.wait() == 124
    assert end_of(client.out.data)["error"] == "--timeout: 100ms passed"


@pytest.mark.parametrize("words", [
    ("echo", "send", "{}", "x"), ("echo", "send", "--tcp", "{}", "x"), ("echo", "ping", "{}", "-c", "1", "-w", "1s"),
    ("echo", "bench", "--tcp", "{}"), ("chat", "join", "{}", "--reconnect", "never", "--connect-timeout", "1s"),
    ("push", "subscribe", "{}", "--reconnect", "never"), ("push", "status", "{}"),
    ("sse", "read", "http://{}/", "--reconnect", "never"), ("frame", "connect", "{}", "--reconnect", "never"),
], ids=" ".join)
def test_nobody_there_is_69_and_the_end_record_says_what_stderr_says(netkit, words):
    address = nobodys_address()
    result = netkit.run(*[word.format(address) for word in words], "--json")
    assert result.status == 69, result
    end = end_of(result.out)
    assert end["ok"] is False and end["error"] and end["error"].encode() in result.err
    assert address in end["error"]


@pytest.mark.parametrize("option", ["file:/dev/full", "file:/nonexistent/records"])
def test_a_file_that_takes_nothing_is_named_and_74(netkit, option):
    server = netkit.start("echo", "serve", "127.0.0.1:0", "--to", option)
    if "full" in option:
        server.err.expect(rb"listening on udp (\S+)\n")
        with udp_socket() as sock:
            sock.sendto(b"x", host_port(re.search(rb"udp (\S+)\n", server.err.data).group(1).decode()))
            assert server.wait() == 74
    assert server.wait() == 74
    assert option[5:].encode() in server.err.data


def test_each_sink_has_counters_of_its_own(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--json", "--to", "-", "--to", "exec:exit 3", "--to",
                          "exec:cat >/dev/null", "--to", "udp:127.0.0.1:9", "--to", "multicast:239.255.0.1:9")
    with udp_socket() as sock:
        for text in (b"x", b"y"):
            sock.sendto(text, host_port(server.address))
            server.out.expect(rb'"text":"%s"' % text)
    assert server.stop() == 0
    end = end_of(server.out.data)
    assert (end["to_exec_sent"], end["to_exec_failed"]) == (2, 2)
    assert (end["to_exec_2_sent"], end["to_exec_2_failed"], end["to_exec_2_dropped"]) == (2, 0, 0)
    assert end["to_udp_sent"] + end["to_udp_dropped"] == 2
    assert end["to_multicast_sent"] + end["to_multicast_dropped"] == 2
    assert server.err.data.count(b"netkit: echo: exec:exit 3 ended with status 3\n") == 1, "the first failure is reported"


def test_as_many_records_wait_for_a_command_as_the_option_says(netkit, tmp_path):
    held = tmp_path / "held"
    os.mkfifo(held)
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--json", "--to", "-", "--to", f"exec:read line <{held}", "--max-exec", "1",
                          "--max-exec-waiting", "2")
    with udp_socket() as sock:
        for _ in range(5):
            sock.sendto(b"x", host_port(server.address))
    server.err.expect(rb"; 2 wait, others are dropped \(--max-exec, --max-exec-waiting\)\n")
    for _ in range(5):
        server.out.line()
    with open(held, "wb") as release:
        release.write(b"\n\n\n")
        release.flush()
        assert server.stop() == 0
    end = end_of(server.out.data)
    assert (end["to_exec_sent"], end["to_exec_dropped"]) == (3, 2)


def test_a_command_sees_the_record_in_its_environment(netkit, tmp_path):
    seen = tmp_path / "seen"
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--to", f"exec:env | grep ^NETKIT_ >{seen}", "-q")
    with udp_socket() as sock:
        sock.sendto(b"$(reboot)", host_port(server.address))
        peer = "127.0.0.1:%d" % sock.getsockname()[1]
        sock.recv(100)
    assert server.stop() == 0
    variables = dict(line.split("=", 1) for line in seen.read_text().splitlines())
    assert variables.pop("NETKIT_TIME").endswith("Z")
    assert variables == {"NETKIT_TYPE": "datagram", "NETKIT_PEER": peer, "NETKIT_IP": "127.0.0.1",
                         "NETKIT_PORT": peer.split(":")[1], "NETKIT_TEXT": "$(reboot)", "NETKIT_PROTO": "udp",
                         "NETKIT_SEQ": "1"}


def test_a_template_knows_every_field_and_every_escape(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "-q")
    template = r"{text}|{name}|{peer}|{ip}|{port}|{seq}|{event}|{id}|{host}|{time}|{date}|{ctime}|\n\t\r\0\x41\\{{x}}}"
    result = netkit.run("echo", "send", server.address, "t\x1b", "--template", template, env={"TZ": "UTC"})
    fields = result.out.split(b"|")
    assert fields[:9] == [rb"t\x1b", b"", server.address.encode(), b"127.0.0.1", str(server.port).encode(), b"1", b"", b"",
                          socket.gethostname().encode()]
    second = fields[10].decode()
    assert re.fullmatch(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", fields[9])
    assert fields[9].decode()[:19] == second.replace(" ", "T")
    assert fields[11].decode() == time.asctime(time.strptime(second, "%Y-%m-%d %H:%M:%S"))
    assert fields[12] == b"\n\t\r\0A\\{x}}}\n"


@pytest.mark.parametrize("template", ["{nope}", "{text", r"\q", r"\x4"])
def test_a_template_with_a_mistake_is_refused(netkit, template):
    result = netkit.run("echo", "send", "9", "x", "--template", template)
    assert (result.status, result.out) == (2, b"")
    assert result.err.startswith(b"netkit: echo: --template: ") and result.err.count(b"\n") == 1


def test_a_mistyped_field_gets_the_spelling_that_works(netkit):
    result = netkit.run("echo", "send", "9", "x", "--template", "{tetx}")
    assert b"unknown field '{tetx}'; did you mean '{text}'?" in result.err


def test_no_character_that_moves_a_cursor_gets_through(netkit):
    controls = [*range(0x09), *range(0x0a, 0x20), 0x7f, *range(0x80, 0xa0), *range(0x202a, 0x202f), *range(0x2066, 0x206a)]
    text = "".join(map(chr, controls)).encode() + b"\xff\xc3\xed\xa0\x80\xf4\x90\x80\x80"
    server = netkit.serve("echo", "serve", "127.0.0.1:0")
    with udp_socket() as sock:
        sock.sendto(text + "\tü".encode(), host_port(server.address))
        shown = server.out.line().split(b" ", 1)[1]
    assert shown.decode() == "".join(f"\\x{byte:02x}" for byte in text) + "\tü"


# The leak check of a sanitized build cannot work under strace.
NO_LEAK_CHECK = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


def test_what_is_ready_together_goes_out_in_one_write(netkit, tmp_path):
    trace = tmp_path / "trace"
    server = netkit.serve(argv=["strace", "-f", "-e", "trace=write,writev", "-o", trace, os.environ["NETKIT"], "echo", "serve",
                                "127.0.0.1:0"], env=NO_LEAK_CHECK)
    child = int(trace.read_text().split()[0])
    with udp_socket() as sock:
        os.kill(child, signal.SIGSTOP)
        for number in range(5):
            sock.sendto(b"%d" % number, host_port(server.address))
        os.kill(child, signal.SIGCONT)
        for number in range(5):
            server.out.expect(rb" %d\n" % number)
    os.kill(child, signal.SIGTERM)
    assert server.wait() == 0
    assert len(re.findall(r"writev?\(\d+, .*127\.0\.0\.1:\d+ 0", trace.read_text())) == 1
    assert not re.search(r"writev?\(\d+, .*127\.0\.0\.1:\d+ [1-4]\\n\"", trace.read_text())


# What the kernel is asked for when the first packet leaves.
@pytest.mark.parametrize("silent, words, call", [
    (socket.SOCK_DGRAM, ("echo", "ping", "{}", "-c", "9"), "sendto"),
    (socket.SOCK_DGRAM, ("echo", "send", "{}", "x"), "sendto"),
    (socket.SOCK_DGRAM, ("echo", "bench", "{}"), "sendmmsg,sendmsg"),
    (socket.SOCK_DGRAM, ("broadcast", "send", "{}", "x"), "sendmmsg,sendmsg"),
], indirect=["silent"], ids=["ping", "send", "bench", "broadcast"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_with_the_first_packet_is_told_with_the_totals(netkit, silent, words, call, number):
    client = netkit.run(argv=["strace", "-f", "-o", "/dev/null", "-e", f"inject={call}:signal={number.value}:when=1",
                              os.environ["NETKIT"], *[word.format(silent.address) for word in words], "--json"],
                        env=NO_LEAK_CHECK)
    assert client.status == 128 + number, client
    end = end_of(client.out)
    assert (end["error"], end["sent"] >= 1) == (f"ended by signal {number.name[3:]}", True)
    has_summary = words[1] in ("ping", "bench")  # which has been printed
    assert has_summary or re.search(rb"\bsent [1-9]", client.err)
    silent.wait_for_a_message()


def test_systemd_hears_when_it_is_ready_and_when_it_stops(netkit, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(DEADLINE)
        server = netkit.serve("push", "serve", "127.0.0.1:0", sockets=2, env={"NOTIFY_SOCKET": str(tmp_path / "notify")})
        assert b"READY=1" in manager.recv(1000)
        server.signal(signal.SIGTERM)
        assert b"STOPPING=1" in manager.recv(1000)
        assert server.wait() == 0


@pytest.mark.realtime
def test_a_second_interrupt_ends_at_once(netkit, tmp_path):
    held = tmp_path / "held"
    os.mkfifo(held)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(DEADLINE)
        # The command of the sink is awaited, and does not end while nobody opens the other side.
        server = netkit.serve("echo", "serve", "127.0.0.1:0", "--to", f"exec:cat {held}",
                              env={"NOTIFY_SOCKET": str(tmp_path / "notify")})
        manager.recv(1000)
        with udp_socket() as sock:
            sock.sendto(b"x", host_port(server.address))
            sock.recv(100)
            server.signal(signal.SIGINT)
            assert b"STOPPING=1" in manager.recv(1000)
            began = time.monotonic()
            server.signal(signal.SIGINT)
            assert server.wait() == 130
            assert time.monotonic() - began < 3  # the patience with a command is 5 s
    with open(held, "wb"):
        pass  # lets it go


def test_a_terminal_shows_the_numbers_as_they_grow(netkit):
    server = netkit.terminal("echo", "serve", "127.0.0.1:0", "--to", "file:/dev/null")
    address = server.expect(rb"listening on udp (\S+)\r\n").group(1).decode()
    with udp_socket() as sock:
        sock.sendto(b"x", host_port(address))
        server.expect(rb"\rnetkit: echo: received 1, |received 1, ")
    server.signal(signal.SIGINT)
    assert server.wait() == 0


def test_statistics_come_every_so_often(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0", "-q", "--stats=20ms")
    for _ in range(3):
        server.err.expect(rb"^netkit: chat: members 0, .*\n")


@pytest.mark.parametrize("words, ask, kind", [
    (("echo", "serve", "127.0.0.1:0"), b"ping", ""),
    (("chat", "serve", "127.0.0.1:0"), b"ping", ": plain"),
    (("push", "serve", "127.0.0.1:0"), b"ping", ": plain"),
    (("broadcast", "listen", "127.0.0.1:0", "--reply", "pong"), b"ping", ""),
], ids=["echo", "chat", "push", "broadcast"])
def test_verbose_says_what_comes_and_goes_and_very_verbose_the_bytes(netkit, words, ask, kind):
    with udp_socket() as sock:
        peer = re.escape("127.0.0.1:%d" % sock.getsockname()[1]).encode()
        server = netkit.serve(*words, "-vv")
        sock.sendto(ask, host_port(server.address))
        server.err.expect(rb"^netkit: \w+: \S+Z from " + peer + kind.encode() + rb" \(4 bytes\)\n")
        assert server.stop() == 0
        server = netkit.serve(*words, "-vvv")
        sock.sendto(ask, host_port(server.address))
        server.err.expect(rb"^netkit: \w+: \S+Z from " + peer + kind.encode() + rb" \(4 bytes\)\n"
                          rb"netkit: \w+: .*70 69 6e 67 .*ping")


def test_very_verbose_shows_the_native_dialect_and_hides_no_direction(netkit):
    server = netkit.serve("push", "serve", "127.0.0.1:0", "--every", "20ms", "-vv")
    client = netkit.run("push", "subscribe", server.address, "-c", "1", "-vv")
    assert client.status == 0
    for line in (b"to %s: hello (64 bytes)", b"from %s: cookie (", b"from %s: accept (", b"from %s: data ("):
        assert line % server.address.encode() in client.err, client


def test_very_verbose_http_hides_credentials(netkit, tmp_path):
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    server = netkit.serve("sse", "serve", "127.0.0.1:0", "--every", "20ms", "--message", "one", "-vvv")
    result = netkit.run("sse", f"http://{server.address}/", "-c", "1", "--bearer-file", str(token), "-vvv")
    assert (result.status, result.out) == (0, b"one\n")
    assert b"to server: GET / HTTP/1.1\n" in result.err and b"from server: HTTP/1.1 200" in result.err
    assert re.search(rb"from server: body \(\d+ bytes\)\n", result.err)
    assert b"to server: Authorization:\n" in result.err and b"s3cret" not in result.err
    proxy = netkit.serve("sse", "proxy", "127.0.0.1:0", f"http://{server.address}/", "-vvv")
    result = netkit.run("sse", f"http://{proxy.address}/", "-c", "1", "--bearer-file", str(token))
    assert (result.status, result.out) == (0, b"one\n")
    for process in (server, proxy):
        process.stop()
        dumped = b"".join(re.findall(rb"\|(.{1,16})\|\n", process.err.rest()))
        assert b"s3cret" not in dumped and b"uthorization" not in dumped
        assert re.search(rb"from 127\.0\.0\.1:\d+ \(\d+ bytes\)\n", process.err.data)
    assert b"data: one" in b"".join(re.findall(rb"\|(.{1,16})\|\n", server.err.data))


def test_very_verbose_streams(netkit):
    server = netkit.serve("frame", "serve", "127.0.0.1:0", "-vv")
    result = netkit.run("frame", "connect", server.address, "--send", "datetime", "-vvv")
    assert result.status == 0
    assert b"to %s (5 bytes)\n" % server.address.encode() in result.err
    assert re.search(rb": .*00 00 00 01 02 ", result.err)
    server.err.expect(rb"from 127\.0\.0\.1:\d+ \(5 bytes\)\n")


@pytest.mark.parametrize("words, connection", [
    (("echo", "ping", "-c", "1", "--size", "16"), b"sending to"),
    (("echo", "bench", "--duration", "1ms", "--size", "16", "--flows", "1"), b"sending to"),
    (("echo", "bench", "--tcp", "--duration", "1ms", "--size", "16", "--flows", "1"), b"connected to"),
], ids=["ping", "bench", "bench --tcp"])
def test_verbose_probes(netkit, words, connection):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "-q")
    address = server.address.encode()
    said = {level: netkit.run(*words, server.address, level).err for level in ("-q", "-v", "-vv", "-vvv")}
    assert said["-q"] == b""
    assert b"netkit: echo: %s %s\n" % (connection, address) in said["-v"] and b"bytes)" not in said["-v"]
    for line in (rb"to %s \(16 bytes\)\n", rb"from %s \(\d+ bytes\)\n"):
        line %= re.escape(address)
        assert re.search(line, said["-vv"]) and b": 0000  " not in said["-vv"], said["-vv"]
        assert re.search(line + rb"netkit: echo: 0000  [0-9a-f]{2} ", said["-vvv"]), said["-vvv"]


def test_verbose_control_connections(netkit):
    server = netkit.serve("push", "serve", "127.0.0.1:0", "-vv")
    client = netkit.run("push", "status", server.address, "-vv")
    assert client.status == 0
    for line in (b"connected to %s\n", b"to %s (7 bytes)\n", b"from %s (5 bytes)\n"):
        assert line % server.address.encode() in client.err, client
    peer = server.err.expect(rb"netkit: push: \S+Z (\S+) connected\n").group(1)
    server.err.expect(b"from %s \\(7 bytes\\)\nnetkit: push: \\S+Z to %s \\(5 bytes\\)\n" % (peer, peer))
    server.err.expect(b"%s closed\n" % peer)
