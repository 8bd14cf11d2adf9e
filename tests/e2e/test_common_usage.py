"""What every command has in common, shown with echo: addresses, durations, signals, environment, file, exit status."""

import re
import signal

import pytest

from netkit import fake_names, host_port, udp_socket


def usage(netkit, *args):
    """Runs what must be refused: exit 2, nothing on stdout, one line on stderr, which is returned without where help is."""
    result = netkit.run(*args)
    assert result.status == 2, result
    assert result.out == b""
    line, hint, _ = re.match(r"(.*?)(;? see 'netkit[a-z ]* --help'\n)(.*)", result.err.decode(), re.S).groups()
    assert line + hint == result.err.decode() and "\n" not in line, result
    return line


@pytest.mark.parametrize("form", ["127.0.0.1:{port}", "localhost:{port}", "{port}", ":{port}", "127.0.0.1 {port}"])
def test_addresses_reach_the_server(netkit, form):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", sockets=2)
    result = netkit.run("echo", "send", *form.format(port=server.port).split(), "x")
    assert (result.status, result.out) == (0, b"x\n"), result


def test_ipv6_addresses(netkit):
    server = netkit.serve("echo", "serve", "[::1]:0", sockets=2)
    assert server.address.startswith("[::1]:")
    assert netkit.run("echo", "send", server.address, "x").out == b"x\n"
    assert netkit.run("echo", "send", "--tcp", server.address, "x").out == b"x\n"


def test_service_names_are_ports(netkit):
    assert netkit.run("echo", "send", "127.0.0.1:http", "x", "-w", "200ms").status in (1, 69)


def test_an_address_without_brackets_is_refused_with_the_spelling_that_works(netkit):
    assert "[::1]:80" in usage(netkit, "echo", "send", "::1:80", "x")


def test_a_zone_is_an_interface(netkit):
    assert usage(netkit, "echo", "send", "[fe80::1%nosuch]:80", "x").endswith(
        "'[fe80::1%nosuch]:80': there is no interface 'nosuch'")
    assert netkit.run("echo", "send", "[fe80::1%lo]:9", "x", "-w", "10ms").status in (1, 69)
    assert usage(netkit, "echo", "send", "[::1%lo]:80", "x").endswith(
        "'[::1%lo]:80': only a link-local or multicast address has an interface (write [::1]:80)")


@pytest.mark.parametrize("words, failed", [
    (["echo", "send", "[fe80::1]:80", "x"], "connect udp to"), (["echo", "ping", "[ff02::1]:80"], "connect udp to"),
    (["echo", "send", "[fe80::1]:80", "x", "--tcp"], None), (["echo", "serve", "[fe80::1]:80"], "bind udp"),
    (["frame", "serve", "[fe80::1]:80"], "bind tcp"), (["frame", "connect", "[fe80::1]:80"], None),
])
def test_a_link_local_address_without_its_interface_is_69_with_the_spelling_that_works(netkit, words, failed):
    address = next(word for word in words if word.startswith("["))
    done = netkit.run(*words)
    assert done.status == 69
    hint = f"without its interface (write {address.replace(']', '%eth0]')})"
    said = f"cannot {failed} {address} {hint}: invalid argument" if failed else f"{address}: invalid argument {hint}"
    assert done.err.decode() == f"netkit: {words[0]}: {said}\n"


@pytest.mark.parametrize("port", ["-1", "65536", "99999999999", "12x", ""])
def test_bad_ports_are_refused(netkit, port):
    assert usage(netkit, "echo", "send", f"127.0.0.1:{port}", "x")


@pytest.mark.parametrize("value", ["5x", "-1s", "", "1e400s", "s"])
def test_bad_durations_are_refused(netkit, value):
    line = usage(netkit, "echo", "send", "1", "x", f"--wait={value}")
    assert line.startswith("netkit: echo: --wait: ")


@pytest.mark.parametrize("value", ["20ms", "0.02s", "0.02", "20000us"])
def test_durations_end_the_wait(netkit, value):
    silent = udp_socket()
    result = netkit.run("echo", "send", "127.0.0.1:%d" % silent.getsockname()[1], "x", "--wait", value)
    assert result.status == 1
    silent.close()


def test_an_unknown_word_gets_did_you_mean(netkit):
    assert "did you mean 'echo'" in usage(netkit, "ehco")
    assert "did you mean 'serve'" in usage(netkit, "echo", "srve")
    assert "did you mean '--reply'" in usage(netkit, "echo", "serve", "--repyl", "x")


def test_options_are_not_abbreviated(netkit):
    assert "--rep" in usage(netkit, "echo", "serve", "--rep", "x")


def test_options_and_arguments_come_in_any_order_and_two_dashes_end_options(netkit):
    server = netkit.serve("echo", "serve", "--tcp", "127.0.0.1:0", "--udp", sockets=2)
    result = netkit.run("echo", "send", "--wait=5s", server.address, "-v", "--", "--x", "-y")
    assert result.lines == ["--x", "-y"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_ends_with_0_when_told_to(netkit, number):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", sockets=2)
    assert server.stop(number) == 0


def test_a_bounded_job_cut_short_prints_totals_and_ends_with_128_plus_n(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", sockets=2)
    ping = netkit.start("echo", "ping", server.address, "-i", "50ms", "-c", "1000")
    ping.out.expect(rb"seq=2")
    assert ping.stop(signal.SIGINT) == 130
    assert b"3 sent" in ping.out.data or b"sent" in ping.out.data


@pytest.mark.parametrize("words", [("echo", "ping"), ("echo", "send"), ("echo", "bench"), ("broadcast", "send")], ids=" ".join)
def test_a_name_server_that_does_not_answer_can_be_interrupted(netkit, words):
    client = netkit.start(*words, "slow.example:9", env=fake_names("slow.example=never"))
    client.err.expect(rb"resolving\n")
    assert client.stop(signal.SIGINT) in (-signal.SIGINT, 130)


def test_the_whole_run_is_bounded_by_timeout(netkit):
    silent = udp_socket()
    address = "127.0.0.1:%d" % silent.getsockname()[1]
    result = netkit.run("echo", "send", address, "x", "--wait", "30s", "--timeout", "100ms", "--json")
    assert result.status == 124
    assert result.records[-1]["type"] == "end" and result.records[-1]["ok"] is False
    silent.close()


def test_a_name_that_does_not_resolve_is_68(netkit):
    result = netkit.run("echo", "send", "no-such-host.invalid:7", "x")
    assert result.status == 68
    assert result.err.startswith(b"netkit: echo: cannot resolve 'no-such-host.invalid': ")


def test_refused_is_69_and_no_answer_is_1(netkit):
    sock = udp_socket()
    address = "127.0.0.1:%d" % sock.getsockname()[1]
    assert netkit.run("echo", "send", address, "x", "-w", "100ms").status == 1
    sock.close()
    assert netkit.run("echo", "send", address, "x").status == 69
    assert netkit.run("echo", "send", "--tcp", address, "x").status == 69


def test_option_beats_environment_beats_file(netkit, tmp_path):
    config = tmp_path / "home" / ".config" / "netkit"
    config.mkdir(parents=True)
    (config / "config").write_text("[echo]\nreply = file {text}\n")

    def answer(*args, env=None):
        server = netkit.serve("echo", "serve", "127.0.0.1:0", "-q", "--ready-fd", "2", *args, env=env, sockets=2)
        sock = udp_socket()
        sock.sendto(b"x", host_port(server.address))
        data = sock.recv(100)
        sock.close()
        server.stop()
        return data

    assert answer() == b"file x"
    assert answer(env={"NETKIT_ECHO_REPLY": "environment {text}"}) == b"environment x"
    assert answer("--reply", "option {text}", env={"NETKIT_ECHO_REPLY": "environment {text}"}) == b"option x"


def test_an_option_beats_what_contradicts_it_in_environment_and_file(netkit, tmp_path):
    (tmp_path / "tcp").write_text("[echo]\ntcp = true\n")
    tcp_in_file = ["--config", tmp_path / "tcp"]
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--udp", *tcp_in_file)
    address, port = server.listening[0][1], server.port
    for words in (["send", address, "x"], ["bench", str(port), "--duration", "10ms", "--flows", "1"]):
        for weaker in ({"args": tcp_in_file}, {"env": {"NETKIT_ECHO_TCP": "1"}}):
            args = ["echo", *words, *weaker.get("args", [])]
            assert netkit.run(*args, env=weaker.get("env")).status == 69  # by TCP
            assert netkit.run(*args, "--udp", env=weaker.get("env")).status == 0
    assert netkit.run("echo", "send", address, "x", *tcp_in_file, env={"NETKIT_ECHO_UDP": "1"}).lines == ["x"]
    assert server.stop() == 0
    assert server.err.rest().count(b"listening") == 0  # on UDP only
    both = netkit.run("echo", "send", address, "x", "--udp", "--tcp")
    assert (both.status, both.err) == (
        2, b"netkit: echo: --udp and --tcp cannot be combined; see 'netkit echo send --help'\n")


def test_an_unknown_key_in_the_file_is_78_with_file_and_line(netkit, tmp_path):
    config = tmp_path / "home" / ".config" / "netkit"
    config.mkdir(parents=True)
    (config / "config").write_text("[echo]\n\nrepyl = x\n")
    result = netkit.run("echo", "serve", "127.0.0.1:0")
    assert result.status == 78
    assert b"config:3" in result.err and result.err.count(b"\n") == 1


def test_an_error_in_the_environment_names_the_variable(netkit):
    result = netkit.run("echo", "send", "1", "x", env={"NETKIT_ECHO_WAIT": "soon"})
    assert result.status == 2 and b"NETKIT_ECHO_WAIT" in result.err


def test_config_shows_each_value_and_where_it_came_from(netkit):
    result = netkit.run("config", "echo", env={"NETKIT_ECHO_REPLY": "from here"})
    assert result.status == 0
    line = next(line for line in result.lines if "reply" in line and "from here" in line)
    assert "NETKIT_ECHO_REPLY" in line


def test_help_names_every_exit_status(netkit):
    text = netkit.run("help", "exit-status").out.decode()
    for status in ("0", "1", "2", "68", "69", "70", "74", "75", "76", "77", "78", "124", "128+n"):
        assert any(line.split()[:1] == [status] for line in text.splitlines()), status


def test_help_is_on_stdout_with_0_and_fits_80_columns(netkit):
    for args in (["--help"], ["help"], ["echo", "--help"], ["echo", "serve", "--help"], ["echo", "serve", "-h"]):
        result = netkit.run(*args)
        assert result.status == 0 and result.err == b"", args
        assert max(len(line) for line in result.lines) <= 80, args


def test_version(netkit):
    assert netkit.run("--version").out.decode() == "netkit 0.1.0\n"
    assert netkit.run("version").out.decode().startswith("netkit 0.1.0\n")


def test_a_terminal_gets_colour_only_when_it_may(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", sockets=2)
    for args, env in ((["--color", "never"], {}), (["--json", "--color", "always"], {}), ([], {"NO_COLOR": "1"})):
        terminal = netkit.terminal("echo", "send", server.address, "x", *args, env=env)
        assert terminal.wait() == 0
        assert b"\x1b[3" not in terminal.out.data, args
