"""Help of everything there is: on stdout, 80 columns, examples first, the same words everywhere."""

import re

import pytest

from commands import all_actions, commands, common_options, help_options, output

BUILTINS = ["help", "plugins", "shell", "config", "completion", "psk", "version"]


def widths(text):
    """Lines that are wider than 80 columns, but for examples and words that cannot be broken."""
    return [line for line in text.splitlines() if len(line) > 80 and not line.startswith("  netkit ") and
            not re.match(r"^ *\S+$", line)]


@pytest.mark.parametrize("command", commands() + BUILTINS)
def test_of_a_command(netkit, command):
    for words in ([command, "--help"], [command, "-h"]):
        result = netkit.run(*words)
        assert result.status == 0 and result.err == b""
        assert result.out.startswith(f"netkit {command} ".encode()) and f"\nUsage: netkit {command}".encode() in result.out
        assert widths(result.out.decode()) == []


@pytest.mark.parametrize("command, action", all_actions())
def test_of_an_action(command, action):
    text = output(command, action, "--help")
    assert widths(text) == []
    assert re.match(rf"netkit {command} \[?{action}\]? - \w", text), "the first line says what it does"
    assert re.search(rf"^Usage: netkit {command} \[?{action}\]?", text, re.M)
    assert text.index("Examples:") < text.index("ptions:"), "examples come first"
    assert len(help_options(text)) == len(set(help_options(text)))


@pytest.mark.parametrize("command, action", all_actions())
def test_the_short_one_fits_a_screen(netkit, command, action):
    result = netkit.run(command, action, "-h")
    assert result.status == 0 and result.err == b""
    assert widths(result.out.decode()) == []
    assert len(result.lines) <= 48
    assert re.match(rf"netkit {command} \[?{action}\]? - \w", result.out.decode())
    assert 1 <= len(re.findall(r"^  (?:\$ )?.*\bnetkit ", result.out.decode(), re.M)) <= 2, "two examples"
    full = output(command, action, "--help")
    assert help_options(result.out.decode()) == [name for name in help_options(full) if name not in common_options(full)]


@pytest.mark.parametrize("command, action", all_actions())
def test_wins_over_what_is_missing_or_set(netkit, command, action):
    """A plugin is not run for help, whatever the environment says."""
    result = netkit.run(command, action, "--help", env={f"NETKIT_{command.upper()}_TIMEOUT": "nonsense"})
    assert result.status == 0


@pytest.mark.parametrize("command, action", all_actions())
def test_connecting_ends_by_itself(command, action):
    """A machine that is gone answers nothing, and the kernel asks it for two minutes."""
    text = output(command, action, "--help").partition("\nCommon options")[0] + output("help", "common")
    assert re.search(r"--connect-timeout D\s[^[]*\[10s]", text)


def test_of_netkit_lists_every_command(netkit):
    text = netkit.run("--help").out.decode()
    for name in commands() + BUILTINS:
        assert re.search(rf"^  {name} ", text, re.M), name
    assert netkit.run("help").out.decode() == text
    assert widths(text) == []


def test_alone_is_a_usage_error_without_a_terminal(netkit):
    result = netkit.run()
    assert (result.status, result.out) == (2, b"")
    assert result.err == b"netkit: needs a command; see 'netkit --help'\n"


def test_exit_status(netkit):
    text = netkit.run("help", "exit-status").out.decode()
    statuses = re.findall(r"^  (\S+) ", text, re.M)
    assert statuses == "0 1 2 68 69 70 74 75 76 77 78 124 128+n".split()


@pytest.mark.parametrize("topic, words", [
    ("addresses", ["HOST:PORT", "[fe80::1%eth0]:PORT"]), ("durations", ["500ms", "64k", "100/s"]),
    ("templates", ["{text}", "{ctime}"]), ("sources", ["exec:COMMAND"]), ("sinks", ["multicast:GROUP:PORT", "none"]),
    ("common", ["--sandbox", "--escape"]), ("codecs", ["modbus-tcp", "jt808"]), ("exit-status", ["128+n"]),
])
def test_topics(netkit, topic, words):
    result = netkit.run("help", topic)
    assert (result.status, result.err) == (0, b"") and widths(result.out.decode()) == []
    assert all(word in result.out.decode() for word in words)
    assert re.search(rf"\b{topic}\b", netkit.run("--help").out.decode())


def test_the_common_options_are_all_explained(netkit):
    explained = help_options(netkit.run("help", "common").out.decode())
    for command, action in all_actions():
        assert set(common_options(output(command, action, "--help"))) <= set(explained)


@pytest.mark.parametrize("command, action", [("echo", "serve"), ("sse", "serve"), ("plugins", "check")])
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_before_the_action_is_about_it(netkit, command, action, option):
    assert netkit.run(command, option, action).out == netkit.run(command, action, option).out


def test_a_command_whose_action_may_be_left_out_shows_help_when_nothing_is_asked(netkit):
    assert netkit.run("sse").out == netkit.run("sse", "--help").out
    assert netkit.run("sse").status == 0


def test_headings_are_bold_at_a_terminal(netkit):
    terminal = netkit.terminal("echo", "--help", env={"TERM": "xterm"})
    terminal.expect(rb"\x1b\[1mExamples:\x1b\[0m\r\n")
    assert terminal.wait() == 0
    plain = netkit.terminal("echo", "--help", env={"TERM": "xterm", "NO_COLOR": "1"})
    plain.expect(rb"\r\nExamples:\r\n")
    assert plain.wait() == 0


def test_version(netkit):
    expected = netkit.run("--version").out
    assert expected.startswith(b"netkit ")
    assert netkit.run("version").out == expected
    assert netkit.run("--config", "/dev/null", "--version").out == expected
    full = netkit.run(argv=["sh", "-c", '"$NETKIT" --version >/dev/full'], env={"NETKIT": netkit_binary()})
    assert full.status == 74


def netkit_binary():
    from netkit import netkit_path
    return netkit_path()


def test_help_about_nothing_known(netkit):
    result = netkit.run("help", "exit-statsu")
    assert result.status == 2
    assert result.err == (b"netkit: help: there is no help on 'exit-statsu'; did you mean 'exit-status'? "
                          b"see 'netkit help --help'\n")


def test_help_shows_the_page_or_the_text(netkit, tmp_path):
    """With no man on the PATH the text is what is left."""
    command = commands()[0]
    text = netkit.run("help", command, env={"PATH": str(tmp_path)}).out
    assert f"\nUsage: netkit {command}".encode() in text
