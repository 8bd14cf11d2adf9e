"""What every command has in common, shown with echo: output, text, JSON, sinks, sources, disks and pipes."""

import json
import os
import re
import signal
import socket
import subprocess
import time

import pytest

from netkit import host_port, netkit_path, receive_exactly, receive_to_end, tcp_connect, udp_socket


def echo_server(netkit, *args, **kwargs):
    return netkit.serve("echo", "serve", "127.0.0.1:0", *args, sockets=2, **kwargs)


def say(server, data):
    """One datagram to the server, and its answer."""
    sock = udp_socket()
    sock.sendto(data, host_port(server.address))
    answer = sock.recv(65536)
    peer = "%s:%d" % sock.getsockname()
    sock.close()
    return answer, peer


def test_ready_lines_name_each_socket_udp_first(netkit):
    server = echo_server(netkit)
    assert [kind for kind, _ in server.listening] == ["udp", "tcp"]
    assert server.listening[0][1] == server.listening[1][1]


def test_every_interface_is_four_sockets(netkit):
    server = netkit.serve("echo", "serve", ":0", sockets=4)
    port = server.port
    assert server.listening == [("udp", f"0.0.0.0:{port}"), ("udp", f"[::]:{port}"),
                                ("tcp", f"0.0.0.0:{port}"), ("tcp", f"[::]:{port}")]


def test_ready_fd_gets_the_same_lines_and_is_closed(netkit):
    reading, writing = os.pipe()
    server = netkit.start("echo", "serve", "127.0.0.1:0", "-q", "--ready-fd", str(writing), pass_fds=(writing,))
    os.close(writing)
    with os.fdopen(reading) as pipe:
        lines = pipe.read().splitlines()
    assert len(lines) == 2 and lines[0].startswith("netkit: echo: listening on udp 127.0.0.1:")
    assert server.stop(signal.SIGINT) == 0
    assert server.err.data.decode().splitlines() == lines  # with -q nothing else


def test_ready_fd_2_leaves_standard_error_to_the_log(netkit):
    """Nobody who connects gets its number, and with it what is logged."""
    server = echo_server(netkit, "--ready-fd", "2", "-v")
    assert os.readlink(f"/proc/{server.pid}/fd/2").startswith("pipe:")
    with tcp_connect(server.listening[1][1]) as client:
        server.err.expect(rb" connected\n")
        client.sendall(b"x")
        assert receive_exactly(client, 1) == b"x"
        client.shutdown(socket.SHUT_WR)
        assert receive_to_end(client) == b""
    server.err.expect(rb" closed\n")


def test_a_port_that_is_taken_is_one_line_and_69(netkit):
    server = echo_server(netkit)
    second = netkit.run("echo", "serve", server.address)
    assert second.status == 69
    assert second.err.decode() == f"netkit: echo: cannot bind udp {server.address}: address already in use\n"


def test_text_is_peer_and_text(netkit):
    server = echo_server(netkit)
    _, peer = say(server, "grüß dich".encode())
    assert server.out.line().decode() == f"{peer} grüß dich"


def test_text_shows_what_would_move_a_cursor(netkit):
    server = echo_server(netkit)
    _, peer = say(server, b"\x1b]52;c;x\x07\ta\x7f\xc2\x9b\xff\xe2\x80\xaeb\n\r")
    shown = server.out.line().decode()
    assert shown == peer + r" \x1b]52;c;x\x07" + "\t" + r"a\x7f\xc2\x9b\xff\xe2\x80\xaeb\x0a\x0d"


def test_json_has_type_time_peer_first_and_ends_with_the_totals(netkit):
    server = echo_server(netkit, "--json")
    _, peer = say(server, b"hi")
    line = server.out.line()
    record = json.loads(line)
    assert list(record)[:3] == ["type", "time", "peer"]
    assert record["peer"] == peer and record["text"] == "hi"
    assert len(record["time"]) == len("2026-11-20T15:12:29.123456Z") and record["time"].endswith("Z")
    assert server.stop(signal.SIGTERM) == 0
    end = json.loads(server.out.rest().splitlines()[-1])
    assert list(end)[:2] == ["type", "ok"] and end["type"] == "end" and end["ok"] is True
    assert end["received"] == 1


def test_json_puts_bytes_that_are_not_utf8_into_base64(netkit):
    server = echo_server(netkit, "--json")
    say(server, b"\xff\x00")
    assert server.out.json()["base64"] == "/wA="


def test_raw_is_the_bytes_as_they_came(netkit):
    server = echo_server(netkit, "--raw")
    say(server, b"a\x1b\n")
    server.out.expect(rb"a\x1b\n")
    assert server.out.data == b"a\x1b\n"


def test_the_format_does_not_depend_on_the_terminal(netkit):
    server = echo_server(netkit)
    terminal = netkit.terminal("echo", "send", server.address, "same")
    terminal.expect(rb"^same\r\n")
    assert terminal.wait() == 0
    assert b"\x1b" not in terminal.out.data.split(b"same\r\n")[0]


def test_template_renders_records_and_escapes_fields(netkit):
    server = echo_server(netkit, "--template", r"{ip}|{text}|{{x}\t\x41")
    say(server, b"a\x1b")
    assert server.out.line() == rb"127.0.0.1|a\x1b|{x}" + b"\tA"


def test_an_unknown_field_is_a_usage_error(netkit):
    result = netkit.run("echo", "serve", "127.0.0.1:0", "--reply", "{nope}")
    assert result.status == 2 and result.out == b""
    assert result.err.startswith(b"netkit: echo: --reply: ") and b"{nope}" in result.err
    assert result.err.count(b"\n") == 1


def test_sinks_replace_stdout_and_dash_names_it_again(netkit, tmp_path):
    listener = udp_socket()
    file = tmp_path / "records"
    server = echo_server(netkit, "--to", f"udp:127.0.0.1:{listener.getsockname()[1]}", "--to", f"file:{file}", "--to", "-",
                         "--to", "exec:cat >> \"$OUT\"; printf ' %s' \"$NETKIT_PEER\" >> \"$OUT\"",
                         env={"OUT": str(tmp_path / "exec")})
    _, peer = say(server, b"one")
    assert listener.recv(100) == b"one"
    assert server.out.line().decode() == f"{peer} one"
    assert server.stop(signal.SIGINT) == 0
    assert file.read_text() == f"{peer} one\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "exec").read_text() == f"one {peer}"
    listener.close()


def test_without_stdout_among_the_sinks_nothing_is_printed(netkit, tmp_path):
    server = echo_server(netkit, "--to", f"file:{tmp_path}/records")
    say(server, b"one")
    assert server.stop(signal.SIGINT) == 0
    assert server.out.data == b""


def test_a_full_disk_is_said_and_74(netkit):
    server = echo_server(netkit)
    with open("/dev/full", "wb") as full:
        client = netkit.start("echo", "send", server.address, "x", stdout=full)
        assert client.wait() == 74
    assert client.err.data == b"netkit: echo: cannot write to standard output: no space left on device\n"


def test_stdout_closed_by_head_ends_quietly(netkit):
    server = echo_server(netkit)
    result = netkit.shell(f"yes line | head -5000 | netkit echo send {server.address} | head -1; echo ${{PIPESTATUS[2]}}")
    assert result.lines[0] == "line"
    assert result.lines[1] in ("141", "0")
    assert result.err == b""


def test_records_are_not_held_back_in_a_pipe(netkit):
    server = echo_server(netkit)
    for text in (b"one", b"two"):
        say(server, text)
        assert server.out.line().endswith(text)


def test_stdin_is_not_read_when_the_message_is_an_argument(netkit):
    server = echo_server(netkit)
    result = netkit.shell(f"printf 'a\\nb\\n' | (netkit echo send {server.address} x; cat)")
    assert result.lines == ["x", "a", "b"]


def test_stdin_lines_are_messages_also_without_a_last_newline_and_from_a_file(netkit, tmp_path):
    server = echo_server(netkit)
    assert netkit.run("echo", "send", server.address, stdin=b"a\nb").lines == ["a", "b"]
    file = tmp_path / "lines"
    file.write_text("c\r\nd\n")
    with open(file, "rb") as stdin:
        client = netkit.start("echo", "send", server.address, stdin=stdin)
        assert client.wait() == 0
    assert client.out.data == b"c\nd\n"


def test_a_successful_pipeline_is_silent_on_stderr(netkit):
    server = echo_server(netkit)
    result = netkit.run("echo", "send", server.address, "x")
    assert (result.status, result.out, result.err) == (0, b"x\n", b"")


def test_tcp_records_and_half_close(netkit):
    server = echo_server(netkit, "--json")
    sock = tcp_connect(server.address)
    sock.sendall(b"tail")
    sock.shutdown(socket.SHUT_WR)
    assert receive_to_end(sock) == b"tail"
    assert server.out.json()["text"] == "tail"


def test_statistics_are_on_stderr_with_stats_and_after_a_signal(netkit):
    server = echo_server(netkit)
    result = netkit.run("echo", "send", server.address, "x", "--stats")
    assert b"received 1" in result.err and result.err.count(b"\n") == 1
    say(server, b"x")
    server.signal(signal.SIGUSR1)
    server.err.expect(rb"^netkit: echo: received \d+, .*\n")
    assert server.stop(signal.SIGINT) == 0
    assert b"netkit: echo: received " in server.err.rest()


def test_verbosity_adds_connections(netkit):
    server = echo_server(netkit, "-v")
    tcp_connect(server.address).close()
    server.err.expect(rb"^netkit: echo: .*127\.0\.0\.1:\d+.*\n")


def test_metrics_are_prometheus_text(netkit):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = echo_server(netkit, "-q", "--ready-fd", "2", "--metrics", f"127.0.0.1:{port}")
    say(server, b"x")
    body = subprocess.run(["curl", "-sf", f"http://127.0.0.1:{port}/metrics"], capture_output=True, check=True,
                          timeout=20).stdout.decode()
    assert "# TYPE netkit_received_total counter" in body
    assert "netkit_received_total 1" in body.splitlines()


@pytest.mark.parametrize("words", [("broadcast", "listen", "127.0.0.1:0"), ("push", "subscribe", "{}"),
                                   ("echo", "serve", "127.0.0.1:0")])
def test_a_pipe_whose_reader_has_gone_ends_a_command_to_which_nothing_comes(netkit, words):
    with udp_socket() as silent:
        words = " ".join(words).format("127.0.0.1:%d" % silent.getsockname()[1])
        result = netkit.shell(f"netkit {words} | true; echo ${{PIPESTATUS[0]}}")
    assert result.lines == ["141"]


def test_escape_never_passes_all_bytes_each_record_with_a_newline(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--udp", "--escape", "never")
    with udp_socket() as sock:
        sock.sendto(b"\x1b[1m\xff\n", host_port(server.address))
        peer = b"127.0.0.1:%d" % sock.getsockname()[1]
        server.out.expect(re.escape(peer + b" \x1b[1m\xff\n\n"))


def test_a_template_is_for_the_main_records(netkit):
    """Others keep their form: a gap is on stderr alone, a lost probe is a line."""
    server = netkit.serve("push", "serve", "127.0.0.1:0", "--from", "-", "--keep", "2", sockets=2)
    assert netkit.run("push", "send", server.address, "a", "b", "c").status == 0
    done = netkit.run("push", "subscribe", server.address, "--since", "1", "--drain", "--template", "{seq}={text}")
    assert (done.status, done.out) == (0, b"2=b\n3=c\n") and b"lost records 1 to 1" in done.err
    with udp_socket() as silent:
        done = netkit.run("echo", "ping", "127.0.0.1:%d" % silent.getsockname()[1], "-c", "1", "-w", "10ms", "--template", "{seq}")
    assert done.lines[0] == "seq=1 no reply"
    done = netkit.run("echo", "ping", "9", "--template", "{target}")
    assert done.status == 2 and b"unknown field '{target}'" in done.err, "which no reply has"


def test_stats_in_json_are_records_with_rates(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--udp", "--json", "--stats=50ms")
    record = json.loads(server.out.expect(rb'^({"type":"stats",.*)\n').group(1))
    assert list(record)[:2] == ["type", "time"] and record["received"] == 0 and record["received_per_s"] == 0


def test_a_server_in_the_background_keeps_off_the_prompt(netkit):
    """The live line belongs to the foreground job."""
    terminal = netkit.terminal(argv=["bash", "--norc", "--noprofile", "-i"], env={"PS1": "$ "})
    terminal.type(f"{netkit_path()} echo serve 127.0.0.1:0 --udp --to none &\r")
    address = host_port(terminal.expect(rb"listening on udp (\S+)\r\n").group(1).decode())
    with udp_socket() as sock:
        began = time.monotonic()
        while time.monotonic() < began + 1.5:  # the line would have been drawn twice
            sock.sendto(b"x", address)
            sock.recv(100)
        assert b"received" not in terminal.out.data
        terminal.type("fg\r")
        terminal.expect(rb"--to none\r\n")
        sock.sendto(b"x", address)
        terminal.expect(rb"\x1b\[Kreceived [\d,]+, ")
    terminal.type("\x03")
    terminal.expect(rb"\x1b\[Knetkit: echo: received [\d,]+, .*\r\n")
    terminal.type("exit\r")
    terminal.wait()


def test_a_named_pipe_that_nobody_reads_holds_nobody(netkit, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    result = netkit.run("echo", "serve", "127.0.0.1:0", "--to", f"file:{tmp_path}/pipe")
    assert result.status == 74 and b"--to: cannot open" in result.err


def test_a_reader_at_a_socket_holds_nobody_up_and_may_go(netkit):
    reader, writer = socket.socketpair()
    with reader, writer, udp_socket() as client:
        server = netkit.serve("echo", "serve", "127.0.0.1:0", "--udp", stdout=writer)
        writer.close()
        client.connect(host_port(server.address))
        for _ in range(400):
            client.send(b"x" * 1000)
            assert len(client.recv(2000)) == 1000
    assert server.wait() == -signal.SIGPIPE


@pytest.mark.parametrize("args, status, sentence", [
    (("frame", "serve", "127.0.0.1:0", "--cert", "pipe", "--key", "pipe"), 78, b"the certificate file 'pipe' is a pipe; use a file"),
    (("sse", "https://127.0.0.1:9/", "--cacert", "pipe"), 78, b"the CA file 'pipe' is a pipe; use a file"),
    (("frame", "replay", "pipe", "127.0.0.1:9"), 76, b"this is not a recording")], ids=["cert", "cacert", "replay"])
def test_nor_does_one_that_nobody_writes(netkit, tmp_path, args, status, sentence):
    os.mkfifo(tmp_path / "pipe")
    result = netkit.run(*args, cwd=tmp_path)
    assert result.status == status and sentence in result.err, result
