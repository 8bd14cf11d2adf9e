"""`netkit __complete`: what the shells ask."""

import pytest

from commands import HELLO


@pytest.fixture
def complete(netkit):
    def run(*words, cwd=None):
        result = netkit.run("__complete", *words, env={"NETKIT_PLUGIN_PATH": HELLO}, cwd=cwd)
        assert result.status == 0 and result.err == b""
        words = [line.split("\t")[0] for line in result.lines[:-1]]
        return words, result.lines[-1]
    return run


@pytest.mark.parametrize("words, expected, directive", [
    (["hel"], ["hello", "help"], ":none"),
    (["--pl"], ["--plugin-dir"], ":none"),
    (["--plugin-dir", ""], [], ":folder"),
    (["--config", ""], [], ":file"),
    (["hello", ""], ["greet"], ":none"),
    (["hello", "greet", "--ton"], ["--tone"], ":none"),
    (["hello", "greet", "--tone", ""], ["warm", "cold"], ":none"),
    (["hello", "greet", "--tone=c"], ["--tone=cold"], ":none"),
    (["hello", "greet", "--to", "f"], ["file:"], ":nospace"),
    (["hello", "greet", "--config", ""], [], ":file"),
    (["hello", "greet", "-n", ""], [], ":none"),
    (["hello", "greet", "--tone", "cold", "--ton"], [], ":none"),
    (["hello", "greet", "--to", "-", "--to"], ["--tone", "--to"], ":none"),
    (["hello", "greet", "--", "--ton"], [], ":none"),
    (["help", "exit"], ["exit-status"], ":none"),
    (["help", "hello", ""], ["greet"], ":none"),
    (["completion", ""], ["bash", "zsh", "fish"], ":none"),
    (["plugins", "che"], ["check"], ":none"),
    (["plugins", "check", ""], [], ":file"),
    (["plugins", "--j"], ["--json"], ":none"),
    (["config", "hello", "--j"], ["--json"], ":none"),
    (["nonsense", ""], [], ":none"),
    (["--plugin-dir", HELLO, "hello", "gr"], ["greet"], ":none"),
])
def test_candidates(complete, words, expected, directive):
    assert complete(*words) == (expected, directive)


def test_interfaces(complete):
    words, _ = complete("broadcast", "send", "--interface", "l")
    assert words in ([], ["lo"]), "empty only where there is no such command"


def test_files_after_a_scheme(complete, tmp_path):
    (tmp_path / "log.txt").touch()
    (tmp_path / "logs").mkdir()
    assert complete("hello", "greet", "--to", f"file:{tmp_path}/log.") == ([f"file:{tmp_path}/log.txt"], ":none")
    words, directive = complete("hello", "greet", "--to", "file:log", cwd=tmp_path)
    assert (sorted(words), directive) == (["file:log.txt", "file:logs/"], ":nospace")


def test_a_file_cannot_forge_a_candidate(complete, tmp_path):
    (tmp_path / "a\nb").touch()
    (tmp_path / "ac").touch()
    assert complete("hello", "greet", "--to", f"file:{tmp_path}/a")[0] == [f"file:{tmp_path}/ac"]


def test_a_broken_plugin_completes_nothing_and_hurts_nobody(netkit, tmp_path):
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o755)
    (folder / "broken.so").write_text("text")
    env = {"NETKIT_PLUGIN_PATH": str(folder)}
    assert netkit.run("__complete", "broken", "", env=env).out == b":none\n"
    assert b"broken" not in netkit.run("__complete", "", env=env).out
