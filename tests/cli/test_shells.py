"""TAB in real shells: bash and zsh at a pseudo-terminal, fish by its own `complete -C`."""

import os
import re

import pytest

from commands import HELLO
from netkit import Terminal, clean_environment, netkit_path

PREFIX = os.environ.get("NETKIT_PREFIX", "")

# What is typed before TAB, and the words that the line has after it.
CASES = [
    ("netkit ec", ["netkit", "echo"]),
    ("netkit echo ser", ["netkit", "echo", "serve"]),
    ("netkit echo serve --rep", ["netkit", "echo", "serve", "--reply"]),
    ("netkit hello greet --ton", ["netkit", "hello", "greet", "--tone"]),
    ("netkit hello greet --tone c", ["netkit", "hello", "greet", "--tone", "cold"]),
    ("netkit hello greet --tone=c", ["netkit", "hello", "greet", "--tone=cold"]),
    ("netkit broadcast send --interface l", ["netkit", "broadcast", "send", "--interface", "lo"]),
    ("netkit hello greet --to f", ["netkit", "hello", "greet", "--to", "file:"]),
    ("netkit hello greet --to=m", ["netkit", "hello", "greet", "--to=multicast:"]),
    ("netkit hello greet --to file:./onl", ["netkit", "hello", "greet", "--to", "file:./only-one"]),
    ("netkit hello greet --to file:./wi", ["netkit", "hello", "greet", "--to", "file:./with blank"]),
    ("netkit hello greet --to file:./with\\ b", ["netkit", "hello", "greet", "--to", "file:./with blank"]),
    ("netkit hello greet --config onl", ["netkit", "hello", "greet", "--config", "only-one"]),
]


def environment(home):
    env = clean_environment()
    env.update({"PATH": os.path.dirname(netkit_path()) + ":/usr/bin:/bin", "NETKIT_PLUGIN_PATH": HELLO, "HOME": str(home),
                "TERM": "dumb", "PS1": "> ", "HISTFILE": "/dev/null", "XDG_CONFIG_HOME": str(home),
                "XDG_DATA_HOME": str(home)})
    return env


class LineEditor:
    """A shell at a terminal whose line, completed by TAB, is printed word by word."""

    def __init__(self, argv, setup, home):
        for name in ("only-one", "with blank"):
            (home / name).touch()
        self.terminal = Terminal(argv, environment(home), 24, 200)
        # The quotes keep the shell's echo of this from looking like its output.
        show = """words() { printf 'w=<%s>' "$@"; printf '=en''d\\n'; }"""
        self.terminal.type(f"cd {home}; {setup}; {show}; printf '%s\\n' rea''dy\n")
        self.terminal.expect(rb"ready\r?\n")

    def complete(self, typed):
        """Types, presses TAB, and makes the line the arguments of `words` (Ctrl-A goes to its begin)."""
        self.terminal.type(typed + "\t\x01words \n")
        shown = self.terminal.expect(rb"((?:w=<[^>]*>)+)=end").group(1).decode()
        return re.findall(r"w=<([^>]*)>", shown)


@pytest.fixture
def bash(tmp_path):
    script = os.path.join(PREFIX, "share/bash-completion/completions/netkit")
    editor = LineEditor(["bash", "--norc", "--noprofile", "-i"], f"source {script}", tmp_path)
    yield editor
    editor.terminal.cleanup()


@pytest.fixture(scope="module")
def dump(tmp_path_factory):
    """What zsh keeps of all completions, which takes it longer to find than everything else here."""
    return tmp_path_factory.mktemp("zsh") / "dump"


@pytest.fixture
def zsh(tmp_path, dump):
    folder = os.path.join(PREFIX, "share/zsh/site-functions")
    setup = f"fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -d {dump}; bindkey -e"
    editor = LineEditor(["zsh", "-f", "-i"], setup, tmp_path)
    yield editor
    editor.terminal.cleanup()


@pytest.mark.parametrize("typed, words", CASES)
def test_bash(bash, typed, words):
    assert bash.complete(typed) == words


@pytest.mark.parametrize("typed, words", CASES)
def test_zsh(zsh, typed, words):
    assert zsh.complete(typed) == words


# What stays to be chosen from: the line as far as all agree, and the words that are shown.
CHOICES = [
    ("netkit echo s", "netkit echo se", ["send", "serve"]),
    ("netkit echo serve --r", "netkit echo serve --r", ["--raw", "--reply", "--rate", "--ready-fd"]),
]


@pytest.mark.parametrize("typed, line, words", CHOICES)
def test_a_choice_in_bash(bash, typed, line, words):
    # Once for what all agree in, where that is more than was typed, and twice for the list.
    bash.terminal.type(typed + "\t" * (2 if line == typed else 3))
    for word in words:
        bash.terminal.out.position = 0
        bash.terminal.expect(rb"\s" + word.encode() + rb"\s")
    bash.terminal.type("\x01words \n")
    shown = bash.terminal.expect(rb"((?:w=<[^>]*>)+)=end").group(1).decode()
    assert " ".join(re.findall(r"w=<([^>]*)>", shown)) == line


@pytest.mark.parametrize("typed, line, words", CHOICES)
def test_a_choice_in_zsh(zsh, typed, line, words):
    zsh.terminal.type(typed + "\t" * (1 if line == typed else 2))
    for word in words:
        zsh.terminal.out.position = 0
        zsh.terminal.expect(word.encode() + rb"\s+-- ")
    zsh.terminal.type("\x01words \n")
    shown = zsh.terminal.expect(rb"((?:w=<[^>]*>)+)=end").group(1).decode()
    assert " ".join(re.findall(r"w=<([^>]*)>", shown)) == line


@pytest.mark.parametrize("typed, line, words", CHOICES)
def test_a_choice_in_fish(netkit, tmp_path, typed, line, words):
    script = os.path.join(PREFIX, "share/fish/vendor_completions.d/netkit.fish")
    result = netkit.run(argv=["fish", "--no-config", "-c", f"source {script}; complete -C '{typed}'"],
                        env=environment(tmp_path), cwd=tmp_path)
    assert set(words) <= {line.split("\t")[0] for line in result.lines}
    assert all("\t" in line for line in result.lines), "each is described"


@pytest.fixture
def fish(tmp_path):
    script = os.path.join(PREFIX, "share/fish/vendor_completions.d/netkit.fish")
    # A prompt without colours, so that the screen can be read.
    terminal = Terminal(["fish", "--no-config", "-C", f"cd {tmp_path}; source {script}; function fish_prompt; echo '> '; end; "
                         "function words; printf 'w=<%s>' $argv; echo '=e''nd'; end; set fish_autosuggestion_enabled 0"],
                        environment(tmp_path), 24, 200)
    terminal.expect(rb"> ")
    yield terminal
    terminal.cleanup()


@pytest.mark.parametrize("typed, words", CASES[:4])
def test_fish_at_a_terminal(fish, typed, words):
    fish.type(typed + "\t")
    fish.expect(re.escape(words[-1]).encode())
    fish.type("\x01words \r")
    shown = fish.expect(rb"((?:w=<[^>]*>)+)=end").group(1).decode()
    assert re.findall(r"w=<([^>]*)>", shown) == words


@pytest.mark.parametrize("typed, words", CASES)
def test_fish(netkit, tmp_path, typed, words):
    for name in ("only-one", "with blank"):
        (tmp_path / name).touch()
    script = os.path.join(PREFIX, "share/fish/vendor_completions.d/netkit.fish")
    result = netkit.run(argv=["fish", "--no-config", "-c", f"source {script}; complete -C '{typed}'"],
                        env=environment(tmp_path), cwd=tmp_path)
    assert result.status == 0 and result.err == b"", result
    assert [line.split("\t")[0] for line in result.lines] == [words[-1]]


@pytest.mark.parametrize("shell, check", [("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "-n"])])
def test_the_printed_script_is_the_installed_one(netkit, tmp_path, shell, check):
    paths = {"bash": "bash-completion/completions/netkit", "zsh": "zsh/site-functions/_netkit",
             "fish": "fish/vendor_completions.d/netkit.fish"}
    script = netkit.run("completion", shell).out
    with open(os.path.join(PREFIX, "share", paths[shell]), "rb") as file:
        assert file.read() == script
    (tmp_path / "script").write_bytes(script)
    assert netkit.run(argv=[*check, tmp_path / "script"]).status == 0
