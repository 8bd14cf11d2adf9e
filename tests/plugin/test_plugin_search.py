"""Where commands come from: folders in their order, then executables on PATH."""

import os
import shutil

import pytest

HELLO = os.path.join(os.environ.get("NETKIT_BUILD", ""), "tests", "bad_plugins", "good", "hello.so")


@pytest.fixture
def folders(tmp_path):
    """Two folders with the same plugin."""
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir(mode=0o755)
        shutil.copy(HELLO, tmp_path / name)
        made.append(tmp_path / name)
    return made


def executable(path, text):
    path.write_text(text)
    path.chmod(0o755)


def paths(result, name="hello"):
    return [(r["path"], r["ok"]) for r in result.records if r.get("name") == name]


def test_the_first_folder_wins_and_the_rest_are_duplicates(netkit, folders):
    a, b = folders
    result = netkit.run("plugins", "--json", env={"NETKIT_PLUGIN_PATH": f"{b}:{a}"})
    assert paths(result) == [(f"{b}/hello.so", True), (f"{a}/hello.so", False)]
    assert f"is a duplicate of {b}/hello.so" in result.out.decode()


def test_the_option_comes_before_the_variable(netkit, folders):
    a, b = folders
    result = netkit.run("--plugin-dir", a, "plugins", "--json", env={"NETKIT_PLUGIN_PATH": str(b)})
    assert paths(result)[0] == (f"{a}/hello.so", True)


def test_never_the_current_folder(netkit, folders):
    a, _ = folders
    for path in ("", ".", "./", "a:"):
        result = netkit.run("hello", "greet", env={"NETKIT_PLUGIN_PATH": path}, cwd=a)
        assert result.status == 2 and b"unknown command 'hello'" in result.err


def test_a_folder_that_is_not_there_is_a_mistake(netkit):
    result = netkit.run("--plugin-dir", "/nonexistent", "hello")
    assert result.status == 2
    assert result.err == b"netkit: --plugin-dir: '/nonexistent' is not a directory; see 'netkit --help'\n"


def test_an_executable_on_path_is_a_command(netkit, tmp_path):
    executable(tmp_path / "netkit-shout", '#!/bin/sh\nprintf "<%s>" "$@"; exit 7\n')
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    result = netkit.run("shout", "a b", "--json", "--", "", env=env)
    assert (result.status, result.out, result.err) == (7, b"<a b><--json><--><>", b"")
    assert b"shout" in netkit.run("--help", env=env).out
    assert any(line.startswith("shout\t") for line in netkit.run("__complete", "sh", env=env).lines)
    assert netkit.run("shuot", env=env).err == (b"netkit: unknown command 'shuot'; did you mean 'shout'? "
                                                b"see 'netkit --help'\n")
    assert netkit.run("help", "shout", env=env).out == b"<--help>"
    assert netkit.run("help", "shout", "loud", env=env).out == b"<loud><--help>"


def test_a_plugin_wins_over_an_executable(netkit, folders, tmp_path):
    executable(tmp_path / "netkit-hello", "#!/bin/sh\necho executable\n")
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "NETKIT_PLUGIN_PATH": str(folders[0])}
    assert netkit.run("hello", "greet", env=env).out == b"hello world\n"


def test_a_word_of_netkit_wins_over_all(netkit, tmp_path):
    executable(tmp_path / "netkit-version", "#!/bin/sh\necho executable\n")
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    assert netkit.run("version", env=env).out.startswith(b"netkit ")
    assert netkit.run("version", "--help", env=env).out.startswith(b"netkit version - ")


def test_its_signals_are_as_they_were(netkit, tmp_path):
    executable(tmp_path / "netkit-signals", "#!/bin/sh\ngrep -E 'Sig(Blk|Ign)' /proc/self/status\n")
    result = netkit.run("signals", env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    values = dict(line.split(":\t") for line in result.lines)
    assert int(values["SigBlk"], 16) & (1 << 12) == 0, "SIGPIPE is blocked"
