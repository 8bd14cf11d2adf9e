"""The form of the command line: mistakes are one sentence on stderr, exit 2, and say what would be right."""

import os
import signal

import pytest

from commands import HELLO


@pytest.fixture
def hello(netkit):
    """Runs the test plugin, which has one of everything."""
    return lambda *words, **kwargs: netkit.run("--plugin-dir", HELLO, "hello", *words, **kwargs)


@pytest.mark.parametrize("words, sentence", [
    (["ecko"], "netkit: unknown command 'ecko'; did you mean 'echo'?"),
    (["zzzzzz"], "netkit: unknown command 'zzzzzz'; see 'netkit --help'"),
    (["../echo"], "netkit: unknown command '../echo'; see 'netkit --help'"),
    (["\x1b[2J"], "netkit: unknown command '\\x1b[2J'; see 'netkit --help'"),
    (["--verson"], "netkit: unknown option '--verson' before the command; a command's own options come after it; "
                   "did you mean '--version'?"),
    (["--config"], "netkit: --config needs a value"),
    (["plugins", "--jsn"], "netkit: plugins: unknown option '--jsn'; did you mean '--json'?"),
    (["completion", "bsh"], "netkit: completion: 'bsh' is not bash, zsh or fish; did you mean 'bash'?"),
    (["completion"], "netkit: completion: needs SHELL: SHELL is missing"),
    (["config", "ecko"], "netkit: config: unknown command 'ecko'; did you mean 'echo'?"),
])
def test_mistakes_before_a_command_runs(netkit, words, sentence):
    result = netkit.run(*words)
    assert (result.status, result.out, result.err.decode()) == (2, b"", sentence + "\n")


@pytest.mark.parametrize("words, sentence", [
    ([], "needs an action: greet"),
    (["gret"], "unknown action 'gret'; did you mean 'greet'?"),
    (["greet", "--tims", "3"], "unknown option '--tims'; did you mean '--times'?"),
    (["greet", "--times", "0"], "--times: '0' is too small (at least 1)"),
    (["greet", "--times", "-1"], "--times: '-1' is too small (at least 1)"),
    (["greet", "--times"], "--times needs a value (N)"),
    (["greet", "--tone", "wram"], "--tone: 'wram' is not warm or cold; did you mean 'warm'?"),
    (["greet", "--timeout", "5x"], "--timeout: '5x' is not a duration (write 500ms, 5s, 2m, 1.5h or none)"),
    (["greet", "--json", "--raw"], "--json and --raw exclude each other"),
    (["greet", "--to", "tcp:x:1"], "--to: 'tcp:x:1' is not a sink (write -, file:PATH, udp:HOST:PORT, "
                                   "broadcast:HOST:PORT, multicast:GROUP:PORT or exec:COMMAND)"),
    (["greet", "a", "b"], "'b' is one argument too many (it takes [NAME])"),
])
def test_mistakes_of_an_action(hello, words, sentence):
    result = hello(*words)
    assert (result.status, result.out, result.err.decode()) == (2, b"", f"netkit: hello: {sentence}\n")


@pytest.mark.parametrize("words", [
    ["greet", "ann", "--times", "2"], ["greet", "--times=2", "ann"], ["greet", "-n2", "ann"], ["-n", "2", "greet", "ann"],
    ["greet", "-qn2", "--", "ann"], ["greet", "--times", "5", "--times", "2", "ann"],
])
def test_one_thing_may_be_said_in_many_ways(hello, words):
    assert hello(*words).out == b"hello ann\nhello ann\n"


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
