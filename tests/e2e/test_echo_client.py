"""echo send: to servers of socat and Python, lossy ways, and closed ports."""

import pytest
from echo_peers import free_port, start_socat, tcp_server, udp_server  # noqa: F401


@pytest.mark.parametrize("kind", ["UDP", "TCP"])
def test_sends_to_socat(netkit, kind):
    done = netkit.run("echo", "send", start_socat(netkit, kind), f"--{kind.lower()}", "one", "grüße", "three words here")
    assert (done.status, done.lines) == (0, ["one", "grüße", "three words here"])
    assert done.err == b""


@pytest.mark.parametrize("proto", ["udp", "tcp"])
def test_sends_lines_of_standard_input(netkit, proto):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", f"--{proto}")
    done = netkit.run("echo", "send", server.address, f"--{proto}", stdin="a\r\n\nno newline at the end")
    assert (done.status, done.out, done.err) == (0, b"a\n\nno newline at the end\n", b"")


def test_sends_a_large_message_by_tcp(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--tcp", "--to", "file:/dev/null")
    line = "0123456789" * 100_000
    done = netkit.run("echo", "send", server.address, "--tcp", "-w", "10s", stdin=line)
    assert (done.status, done.out.decode()) == (0, line + "\n")


def test_address_may_be_two_words_and_standard_input_is_left_alone(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--udp")
    done = netkit.run("echo", "send", "127.0.0.1", str(server.port), "message", stdin="not this")
    assert (done.status, done.out) == (0, b"message\n")


def test_bytes_in_hexadecimal(netkit, udp_server):
    server = udp_server()
    done = netkit.run("echo", "send", server.address, "--hex", "00 ff1B")
    assert (done.status, done.out) == (0, b"00ff1b\n")
    assert server.seen == [b"\x00\xff\x1b"]
    assert netkit.run("echo", "send", server.address, "--hex", "0g").status == 2


def test_replies_as_json_and_raw(netkit, udp_server):
    server = udp_server(lambda data: [(0, b"\xff" + data)])
    done = netkit.run("echo", "send", server.address, "--json", "x")
    reply, end = done.records
    assert list(reply) == ["type", "time", "peer", "proto", "seq", "rtt_ms", "base64"]
    assert (reply["type"], reply["peer"], reply["seq"], reply["base64"]) == ("reply", server.address, 1, "/3g=")
    assert end == {"type": "end", "ok": True, "sent": 1, "received": 1, "missing": 0, "late": 0}
    assert netkit.run("echo", "send", server.address, "--raw", "x", "y").out == b"\xffx\xffy"


@pytest.mark.realtime
def test_no_reply_is_1_and_the_next_message_is_still_sent(netkit, udp_server):
    server = udp_server(lambda data: [] if data == b"lost" else [(0, data)])
    done = netkit.run("echo", "send", server.address, "-w", "200ms", "lost", "found")
    assert (done.status, done.out) == (1, b"found\n")
    assert done.err == b"netkit: echo: no reply to 'lost' within 200ms\n"
    assert server.seen == [b"lost", b"found"]


@pytest.mark.realtime
@pytest.mark.parametrize("template", ["%s", "ack: %s", "%s, you said"])
def test_a_late_reply_is_not_the_next_ones(netkit, udp_server, template):
    held = []

    def answer(data):
        reply = template.encode() % data
        if data == b"slow":
            held.append(reply)  # comes when it is overdue, just before the reply to the next
            return []
        return [(0, late) for late in held] + [(0, reply)]

    server = udp_server(answer)
    done = netkit.run("echo", "send", server.address, "--json", "-w", "300ms", "slow", "fast")
    assert done.status == 1
    records = [(record["type"], record["text"]) for record in done.records[:-1]]
    assert records == [("late", template % "slow"), ("reply", template % "fast")]
    held.clear()
    done = netkit.run("echo", "send", server.address, "-w", "300ms", "slow", "fast")
    assert done.out.decode() == template % "fast" + "\n"


@pytest.mark.realtime
def test_late_bytes_of_a_stream_are_passed_over(netkit, tcp_server):
    def handle(sock):
        first = sock.recv(100)
        second = sock.recv(100)
        sock.sendall(first + second)
        sock.recv(1)

    done = netkit.run("echo", "send", tcp_server(handle), "--tcp", "-w", "300ms", "one", "twoo")
    assert (done.status, done.out) == (1, b"twoo\n")


@pytest.mark.parametrize("proto", ["udp", "tcp"])
def test_refused_is_69(netkit, proto):
    done = netkit.run("echo", "send", f"127.0.0.1:{free_port()}", f"--{proto}", "x")
    assert done.status == 69
    assert b"connection refused" in done.err and done.out == b""


def test_closed_by_the_peer_is_69(netkit, tcp_server):
    address = tcp_server(lambda sock: sock.recv(1))
    done = netkit.run("echo", "send", address, "--tcp", "x" * 100)
    assert done.status == 69


def test_the_timeout_of_the_run_is_124_only_if_it_passes_first(netkit, udp_server):
    silent = udp_server(lambda data: [])
    assert netkit.run("echo", "send", silent.address, "-w", "10s", "-t", "200ms", "x").status == 124
    assert netkit.run("echo", "send", silent.address, "-w", "100ms", "-t", "10s", "x").status == 1
    assert netkit.run("echo", "send", udp_server().address, "-t", "10s", "x").status == 0


def test_a_name_that_nobody_knows_is_68(netkit):
    assert netkit.run("echo", "send", "no-such-host.invalid:9", "x").status == 68


def test_localhost_is_found_wherever_it_listens(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", sockets=2)
    for proto in ("--udp", "--tcp"):
        done = netkit.run("echo", "send", f"localhost:{server.port}", proto, "x")
        assert (done.status, done.out) == (0, b"x\n")


def test_a_message_that_no_datagram_holds(netkit, udp_server):
    done = netkit.run("echo", "send", udp_server().address, stdin="x" * 65508)
    assert done.status == 1
    assert b"65508 bytes" in done.err


@pytest.mark.parametrize("proto", ["--udp", "--tcp"])
@pytest.mark.parametrize("words", [("send", "{}", "x"), ("bench", "{}", "--duration", "50ms", "--flows", "2")],
                         ids=["send", "bench"])
def test_another_server_of_the_list_is_tried(netkit, words, proto):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", proto)
    servers = f"127.0.0.1:{free_port()},{server.address}"
    assert netkit.run("echo", *[word.format(servers) for word in words], proto).status == 0


@pytest.mark.parametrize("words", [("--whole",), ("-",)])
def test_standard_input_as_one_message(netkit, udp_server, words):
    server = udp_server()
    done = netkit.run("echo", "send", server.address, *words, stdin="OPTIONS sip:x\r\n\r\n")
    assert (done.status, server.seen) == (0, [b"OPTIONS sip:x\r\n\r\n"])


def test_send_asks_again_until_any_answer_comes(netkit, udp_server):
    asked = []

    def answer(data):
        asked.append(data)
        return [(0, b"+PONG")] if len(asked) == 3 else []

    done = netkit.run("echo", "send", udp_server(answer).address, "PING", "--wait-for", "20s", "-w", "50ms")
    assert (done.status, done.out, asked) == (0, b"+PONG\n", [b"PING"] * 3)


@pytest.mark.parametrize("proto", ["--udp", "--tcp"])
def test_send_waits_for_a_service_to_come(netkit, proto):
    address = f"127.0.0.1:{free_port()}"
    send = netkit.start("echo", "send", address, "x", proto, "--wait-for", "20s", "-v")
    send.err.expect(rb"connection refused; waiting for it\n")
    netkit.serve("echo", "serve", address, proto)
    assert send.wait() == 0 and send.out.data == b"x\n"
    done = netkit.run("echo", "send", f"127.0.0.1:{free_port()}", "x", proto, "--wait-for", "200ms")
    assert done.status == 1 and b" within 200ms" in done.err


@pytest.mark.parametrize("arguments", [
    ["send", "x"], ["ping", "x"], ["bench", "x"], ["send", "127.0.0.1:9", "--udp", "--tcp", "x"], ["ping", "127.0.0.1:9", "extra"],
    ["ping", "127.0.0.1:9", "-s", "5"], ["ping", "127.0.0.1:9", "-i", "0"], ["bench", "127.0.0.1:9", "--size", "4"],
    ["bench", "127.0.0.1:9", "--flows", "0"], ["bench", "127.0.0.1:9", "--duration", "0"],
    ["bench", "127.0.0.1:9", "--size", "65M", "--tcp"], ["bench", "127.0.0.1:9", "--size", "64M", "--window", "64", "--tcp"],
    ["serve", "::1:80"], ["serve", "127.0.0.1:0", "extra"],
])
def test_wrong_usage_is_2(netkit, arguments):
    done = netkit.run("echo", *arguments)
    assert done.status == 2 and done.out == b"" and done.err.startswith(b"netkit: echo: ")
