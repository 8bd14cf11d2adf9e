"""Environment and configuration files: what beats what, and how mistakes are said."""

import pytest

from commands import HELLO


@pytest.fixture
def hello(netkit):
    def run(*words, env=None):
        return netkit.run("hello", *words, env={"NETKIT_PLUGIN_PATH": HELLO, **(env or {})})
    return run


@pytest.fixture
def files(tmp_path):
    """Writes the user's and the system's file; gives the environment that names their folders."""
    def write(user=None, system=None):
        for name, text in (("user", user), ("system", system)):
            folder = tmp_path / name / "netkit"
            folder.mkdir(parents=True, exist_ok=True)
            if text is not None:
                (folder / "config").write_text(text)
        return {"XDG_CONFIG_HOME": str(tmp_path / "user"), "XDG_CONFIG_DIRS": str(tmp_path / "system")}
    return write


def count(result):
    assert result.status == 0, result
    return len(result.lines)


def test_option_beats_environment_beats_file_beats_default(hello, files):
    assert count(hello("greet")) == 1
    env = files(system="[hello]\ntimes = 2\n")
    assert count(hello("greet", env=env)) == 2
    env = files(user="[hello]\ntimes = 3\n")
    assert count(hello("greet", env=env)) == 3
    env["NETKIT_HELLO_TIMES"] = "4"
    assert count(hello("greet", env=env)) == 4
    assert count(hello("greet", "-n", "5", env=env)) == 5


def test_a_named_file_replaces_the_usual_ones(netkit, hello, files, tmp_path):
    env = files(user="[hello]\ntimes = 3\n")
    (tmp_path / "mine").write_text("[hello]\ntone = cold\n")
    assert count(hello("greet", "--config", tmp_path / "mine", env=env)) == 1
    before = netkit.run("--config", tmp_path / "mine", "hello", "greet", env={"NETKIT_PLUGIN_PATH": HELLO, **env})
    assert count(before) == 1
    assert count(hello("greet", "--config", "/dev/null", env=env)) == 1


@pytest.mark.parametrize("text, sentence", [
    ("[hello]\ntims = 2\n", ":2: hello has no option 'tims'; did you mean 'times'?"),
    ("[hello]\ntimes = many\n", ":2: times: 'many' is not a whole number"),
    ("[helo]\n", ":1: there is no command 'helo'"),
    ("times = 2\n", ":1: 'times = 2' comes before the first [COMMAND]"),
    ("[hello]\nhelp = yes\n", ":2: --help can only be given on the command line"),
])
def test_a_mistake_in_a_file_names_file_and_line(hello, files, text, sentence):
    env = files(user=text)
    result = hello("greet", env=env)
    assert (result.status, result.out) == (78, b"")
    assert result.err.decode() == f"netkit: hello: {env['XDG_CONFIG_HOME']}/netkit/config{sentence}\n"


def test_a_named_file_that_is_not_there(hello):
    result = hello("greet", "--config", "/nonexistent")
    assert result.status == 78
    assert result.err == b"netkit: hello: cannot read /nonexistent: no such file or directory\n"


def test_an_invalid_variable_is_named(hello):
    result = hello("greet", env={"NETKIT_HELLO_TONE": "noisy"})
    assert (result.status, result.err) == (
        2, b"netkit: hello: NETKIT_HELLO_TONE: 'noisy' is not warm or cold; see 'netkit hello greet --help'\n")


def test_variables_of_other_commands_do_not_matter(hello):
    assert count(hello("greet", env={"NETKIT_ECHO_TIMES": "nonsense", "NETKIT_HELLO_NOTHING": "nonsense"})) == 1


def test_config_says_where_values_come_from(netkit, files):
    env = {"NETKIT_PLUGIN_PATH": HELLO, "NETKIT_HELLO_TONE": "cold", **files(user="[hello]\ntimes = 3\n")}
    text = netkit.run("config", "hello", env=env).out.decode()
    file = f"{env['XDG_CONFIG_HOME']}/netkit/config"
    assert f"file {file}\n" in text
    assert f"hello greet --times = 3  (file: {file}:2)\n" in text
    assert "hello greet --tone = cold  (environment: NETKIT_HELLO_TONE)\n" in text
    assert "hello greet --color = auto  (default)\n" in text
    assert "hello greet --template is not set\n" in text


def test_config_in_json(netkit, files):
    env = {"NETKIT_PLUGIN_PATH": HELLO, **files(user="[hello]\ntimes = 3\n")}
    records = netkit.run("config", "--json", env=env).records
    values = [r for r in records if r["type"] == "value"]
    assert [(v["option"], v["value"], v["origin"]) for v in values] == [("times", "3", "file")]
    assert records[-1] == {"type": "end", "ok": True}
