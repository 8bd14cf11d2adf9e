"""Each bad plugin is refused with its own sentence and status 70; the others still work."""

import os
import shutil
import struct

import pytest

BUILT = os.path.join(os.environ.get("NETKIT_BUILD", ""), "tests", "bad_plugins")

# What the sentence holds, and whether the note alone rules the plugin out (then none of its code may run).
REFUSALS = {
    "text": ("is not an ELF file", True),
    "truncated": ("is truncated", True),
    "foreign": ("is built for aarch64; expected x86-64", True),
    "no_note": ("has no netkit note", True),
    "other_abi": ("has plugin ABI 4; expected 3", True),
    "other_tag": ("was built for '9.9.9 gcc-99 cxx11'; expected '", True),
    "other_name": ("has the name 'somebody' inside; expected its file's, 'other_name'", True),
    "undefined": ("cannot be loaded: undefined symbol: nobody_defines_this", False),
    "throws": ("failed to create itself: no licence for this machine", False),
    "no_entry": ("has no entry symbol; expected netkit_plugin_entry", False),
}


@pytest.fixture
def folder(tmp_path):
    """All bad plugins and a good one, in a folder of their own."""
    plugins = tmp_path / "plugins"
    shutil.copytree(BUILT, plugins, ignore=shutil.ignore_patterns("good"))
    shutil.copy(os.path.join(BUILT, "good", "hello.so"), plugins)
    (plugins / "text.so").write_text("#!/bin/sh\necho this is no plugin\n")
    good = (plugins / "hello.so").read_bytes()
    (plugins / "truncated.so").write_bytes(good[:len(good) // 2])
    # e_machine is the half word at 18; 183 is EM_AARCH64.
    (plugins / "foreign.so").write_bytes(good[:18] + struct.pack("<H", 183) + good[20:])
    plugins.chmod(0o755)
    return plugins


@pytest.mark.parametrize("name", REFUSALS)
def test_it_is_refused_with_its_sentence(netkit, folder, tmp_path, name):
    sentence, by_note = REFUSALS[name]
    trace = tmp_path / "trace"
    result = netkit.run("--plugin-dir", folder, name, "run", env={"BAD_PLUGIN_TRACE": str(trace)})
    assert (result.status, result.out) == (70, b""), result
    error = result.err.decode()
    assert error.startswith(f"netkit: plugin {folder}/{name}.so {sentence}") and error.count("\n") == 1, error
    if by_note:
        assert not trace.exists(), "code of a plugin ran that its note rules out"


@pytest.mark.parametrize("name", REFUSALS)
def test_its_check_says_the_same(netkit, folder, name):
    result = netkit.run("plugins", "check", folder / f"{name}.so")
    assert result.status == 70, result
    assert f"plugin {folder}/{name}.so {REFUSALS[name][0]}" in result.err.decode()


def test_a_check_is_of_the_file_that_is_named(netkit, folder):
    done = netkit.run("plugins", "check", "hello.so", cwd=folder)
    assert (done.status, done.out, done.err) == (0, b"plugin hello.so is OK\n", b"")


def test_the_others_still_work(netkit, folder):
    result = netkit.run("--plugin-dir", folder, "hello", "greet")
    assert (result.status, result.out, result.err) == (0, b"hello world\n", b"")


def test_listing_runs_no_code_of_any(netkit, folder, tmp_path):
    trace = tmp_path / "trace"
    env = {"BAD_PLUGIN_TRACE": str(trace), "NETKIT_PLUGIN_PATH": str(folder)}
    for words in (["plugins"], ["plugins", "--json"], ["--help"], ["__complete", ""], ["nonsense"]):
        assert netkit.run(*words, env=env).status in (0, 2)
    assert not trace.exists()


def test_the_list_says_what_is_wrong(netkit, folder):
    records = netkit.run("--plugin-dir", folder, "plugins", "--json").records
    plugins = {r["name"]: r for r in records if r["type"] == "plugin" and r["path"].startswith(str(folder))}
    assert plugins["hello"]["ok"] and "problem" not in plugins["hello"]
    for name, (sentence, by_note) in REFUSALS.items():
        assert plugins[name]["ok"] != by_note
        if by_note:
            assert sentence in plugins[name]["problem"]


@pytest.mark.parametrize("name, sentence", [
    ("crashes", "crashed while it loaded: segmentation fault"),
    ("exits", "ended the process while it loaded, with status 0"),
    ("misdeclared", "action run: --pace has an invalid default: 'soon' is not a duration"),
])
def test_a_check_survives_what_loading_does(netkit, folder, name, sentence):
    result = netkit.run("plugins", "check", folder / f"{name}.so", folder / "hello.so")
    assert result.status == 70, result
    assert f"{folder}/{name}.so {sentence}" in result.err.decode(), result
    assert b"hello.so is OK" in result.out, "the next one is judged all the same"


def test_a_file_that_others_may_write_is_refused(netkit, folder):
    (folder / "hello.so").chmod(0o646)
    result = netkit.run("--plugin-dir", folder, "hello", "greet")
    assert result.status == 70
    assert b"cannot be trusted: its file is writable by others (mode 0646)" in result.err


def test_a_folder_that_others_may_write_is_refused(netkit, folder):
    folder.chmod(0o777)
    result = netkit.run("--plugin-dir", folder, "hello", "greet")
    assert result.status == 70
    assert b"cannot be trusted: its directory is writable by others (mode 0777)" in result.err


def test_a_folder_above_that_others_may_write_is_refused(netkit, folder, tmp_path):
    above = tmp_path / "above"
    (above / "plugins").mkdir(parents=True)
    shutil.copy(folder / "hello.so", above / "plugins")
    for mode, status in ((0o777, 70), (0o1777, 0), (0o755, 0)):
        above.chmod(mode)
        result = netkit.run("--plugin-dir", above / "plugins", "hello", "greet")
        assert result.status == status, result
        assert status == 0 or f"its directory {above} is writable by others (mode 0777)" in result.err.decode()


AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to somebody else")


@AS_ROOT
@pytest.mark.parametrize("what", ["file", "directory"])
def test_what_belongs_to_somebody_else_is_refused(netkit, folder, what):
    os.chown(folder / "hello.so" if what == "file" else folder, 65534, 65534)
    result = netkit.run("--plugin-dir", folder, "hello", "greet")
    assert result.status == 70
    assert f"cannot be trusted: its {what} belongs to the user 65534, who is neither root nor you" in result.err.decode()


@AS_ROOT
def test_what_a_group_may_write_is_refused_unless_it_is_its_owners_alone(netkit, folder):
    for group, status in ((0, 0), (65534, 70)):
        os.chown(folder / "hello.so", 0, group)
        (folder / "hello.so").chmod(0o664)
        result = netkit.run("--plugin-dir", folder, "hello", "greet")
        assert result.status == status, result
        assert status == 0 or b"its file is writable by a group (mode 0664)" in result.err


def test_a_link_does_not_hide_whose_file_it_is(netkit, folder, tmp_path):
    links = tmp_path / "links"
    links.mkdir(mode=0o755)
    (links / "hello.so").symlink_to(folder / "hello.so")
    assert netkit.run("--plugin-dir", links, "hello", "greet").status == 0
    folder.chmod(0o777)
    assert netkit.run("--plugin-dir", links, "hello", "greet").status == 70


def test_a_plugin_cannot_take_a_word_of_netkit(netkit, folder):
    shutil.copy(folder / "hello.so", folder / "help.so")
    assert netkit.run("--plugin-dir", folder, "help").out.startswith(b"netkit - ")
