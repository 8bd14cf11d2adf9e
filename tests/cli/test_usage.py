"""The form of the command line: mistakes are one sentence on stderr, exit 2, and say what would be right."""

import os
import re
import signal

import pytest

from commands import HELLO


def hinted(sentence, help_of):
    """The line of a mistake: it ends with where help is."""
    return f"{sentence}{'' if sentence.endswith('?') else ';'} see '{help_of} --help'\n"


@pytest.fixture
def hello(netkit):
    """Runs the test plugin, which has one of everything."""
    return lambda *words, **kwargs: netkit.run("--plugin-dir", HELLO, "hello", *words, **kwargs)


@pytest.mark.parametrize("words, sentence", [
    (["ecko"], "netkit: unknown command 'ecko'; did you mean 'echo'?"),
    (["zzzzzz"], "netkit: unknown command 'zzzzzz'"),
    (["../echo"], "netkit: unknown command '../echo'"),
    (["\x1b[2J"], "netkit: unknown command '\\x1b[2J'"),
    (["--verson"], "netkit: unknown option '--verson' before the command; a command's own options come after it; "
                   "did you mean '--version'?"),
    (["--config"], "netkit: --config needs a value"),
    (["plugins", "--jsn"], "netkit: plugins: unknown option '--jsn'; did you mean '--json'?"),
    (["completion", "bsh"], "netkit: completion: 'bsh' is not bash, zsh or fish"),
    (["completion"], "netkit: completion: missing SHELL"),
    (["config", "ecko"], "netkit: config: unknown command 'ecko'; did you mean 'echo'?"),
])
def test_mistakes_before_a_command_runs(netkit, words, sentence):
    result = netkit.run(*words)
    command = re.match("netkit: (plugins|completion|config): ", sentence)
    help_of = f"netkit {command[1]}" if command else "netkit"
    if words[0] == "plugins":
        help_of += " list"  # the action that may be left out
    assert (result.status, result.out, result.err.decode()) == (2, b"", hinted(sentence, help_of))


@pytest.mark.parametrize("words, sentence", [
    ([], "needs an action: greet"),
    (["gret"], "unknown action 'gret'; did you mean 'greet'?"),
    (["greet", "--tims", "3"], "unknown option '--tims'; did you mean '--times'?"),
    (["greet", "--times", "0"], "--times: '0' is too small (at least 1)"),
    (["greet", "--times", "-1"], "--times: '-1' is too small (at least 1)"),
    (["greet", "--times"], "--times needs a value (N)"),
    (["greet", "--tone", "wram"], "--tone: 'wram' is not warm or cold; did you mean 'warm'?"),
    (["greet", "--timeout", "5x"], "--timeout: '5x' is not a duration (write 500ms, 5s, 2m, 1.5h or none)"),
    (["greet", "--json", "--raw"], "--json and --raw cannot be combined"),
    (["greet", "--to", "tcp:x:1"], "--to: 'tcp:x:1' is not a sink (write -, file:PATH, udp:HOST:PORT, "
                                   "broadcast:HOST:PORT, multicast:GROUP:PORT, exec:COMMAND, STORE/STREAM or none)"),
    (["greet", "a", "b"], "unexpected argument 'b' (it takes [NAME])"),
])
def test_mistakes_of_an_action(hello, words, sentence):
    result = hello(*words)
    help_of = "netkit hello greet" if words[:1] == ["greet"] else "netkit hello"
    assert (result.status, result.out, result.err.decode()) == (2, b"", hinted(f"netkit: hello: {sentence}", help_of))


@pytest.mark.parametrize("words, sentence", [
    (["ping"], "netkit: unknown command 'ping'; did you mean 'netkit echo ping'?"),
    (["replay"], "netkit: unknown command 'replay'; did you mean 'netkit frame replay'?"),
    (["chat", "9998"], "netkit: chat: '9998' is an address, not an action; did you mean 'netkit chat join 9998'?"),
    (["frame", "a:1"], "netkit: frame: 'a:1' is an address, not an action; did you mean 'netkit frame connect a:1'?"),
    (["echo", "ping", "--port", "80"], "netkit: echo: unknown option '--port'; the port is part of ADDRESS (write "
                                       "HOST:PORT)"),
    (["echo", "serve", "--host=::1"], "netkit: echo: unknown option '--host'; the host is part of ADDRESS (write "
                                      "HOST:PORT)"),
    (["echo", "ping", "9", "-i", "100", "ms"], "netkit: echo: --interval: write 100ms, without a blank"),
    (["echo", "ping", "9", "--to", "/tmp/x"], "netkit: echo: --to: '/tmp/x' is not a sink (write file:/tmp/x)"),
    (["push", "serve", "--from", "./x"], "netkit: push: --from: './x' is not a source (write file:./x)"),
])
def test_what_was_plainly_meant_is_said(netkit, words, sentence):
    result = netkit.run(*words)
    known = words[:2] if len(words) > 2 else words[:1] if len(words) == 2 else []
    assert (result.status, result.out, result.err.decode()) == (2, b"", hinted(sentence, " ".join(["netkit", *known])))


@pytest.mark.parametrize("words, sentence", [
    (["echo", "send", "-t", "10s", "x"], "'x' has no port"), (["echo", "ping", "--help"], "[127.0.0.1:8080]"),
    (["echo", "bench", "--help"], "[127.0.0.1:8080]"), (["chat", "join", "--help"], "[127.0.0.1:9998]"),
    (["push", "subscribe", "--help"], "[127.0.0.1:9000]"), (["push", "status", "--help"], "[127.0.0.1:9000]"),
    (["frame", "connect", "--help"], "[127.0.0.1:9089]"),
])
def test_a_client_without_address_asks_where_its_server_listens_by_default(netkit, words, sentence):
    result = netkit.run(*words)
    assert sentence in (result.out + result.err).decode()


def test_an_action_of_several_commands_names_them(netkit):
    result = netkit.run("serve")
    assert result.err == (b"netkit: unknown command 'serve'; it is an action of chat, echo, frame, push, sse; "
                          b"see 'netkit --help'\n")


@pytest.mark.parametrize("words, same_as", [
    (["--help", "echo"], ["echo", "--help"]), (["-h", "echo"], ["echo", "-h"]), (["echo", "help"], ["echo", "--help"]),
    (["echo", "help", "ping"], ["echo", "ping", "--help"]), (["--help", "echo", "ping"], ["echo", "ping", "--help"]),
    (["-V"], ["--version"]),
])
def test_help_and_version_are_found_where_they_are_looked_for(netkit, words, same_as):
    result = netkit.run(*words)
    assert result.status == 0 and result.out == netkit.run(*same_as).out


@pytest.mark.parametrize("words", [
    ["greet", "ann", "--times", "2"], ["greet", "--times=2", "ann"], ["greet", "-n2", "ann"], ["-n", "2", "greet", "ann"],
    ["greet", "-qn2", "--", "ann"], ["greet", "--times", "5", "--times", "2", "ann"],
])
def test_one_thing_may_be_said_in_many_ways(hello, words):
    assert hello(*words).out == b"hello ann\nhello ann\n"


def test_the_end_record_may_be_left_out(hello):
    types = [record["type"] for record in hello("greet", "--json").records]
    assert types == ["greeting", "end"]
    assert [record["type"] for record in hello("greet", "--json", "--no-end").records] == ["greeting"]


def test_two_dashes_end_options(hello):
    assert hello("greet", "--", "--times").out == b"hello --times\n"


def test_a_reader_that_goes_ends_it_quietly(netkit):
    result = netkit.shell(f'netkit --plugin-dir {HELLO} hello greet -n 100 | head -1; echo "${{PIPESTATUS[0]}}"')
    assert result.err == b"" and result.lines[0] == "hello world"
    assert result.lines[1] in ("0", "141")


@pytest.mark.parametrize("words", [["version"], ["--version"], ["help"], ["plugins"], ["help", "exit-status"]])
@pytest.mark.parametrize("action", [signal.SIG_DFL, signal.SIG_IGN])
def test_a_reader_that_has_gone_is_no_error(netkit, words, action):
    reader, writer = os.pipe()
    os.close(reader)
    process = netkit.start(*words, stdout=writer, preexec=lambda: signal.signal(signal.SIGPIPE, action))
    os.close(writer)
    assert process.wait() in (-signal.SIGPIPE, 128 + signal.SIGPIPE)
    assert process.err.rest() == b""


def test_a_full_disk_is_said(netkit):
    for words in ("plugins", "--help", "help exit-status", "completion bash", "config"):
        result = netkit.shell(f"netkit {words} >/dev/full")
        assert result.status == 74 and b"cannot write to standard output: no space left on device" in result.err
