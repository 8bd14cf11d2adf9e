"""A plugin outside the tree builds against the installed prefix, is loaded, completed and run."""

import os
import shutil
import subprocess

import pytest

from programs import command

HELLO = os.path.join(os.path.dirname(__file__), "hello")
PREFIX = os.environ.get("NETKIT_PREFIX", "")


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """The plugin, built by what find_package(netkit) offers."""
    folder = tmp_path_factory.mktemp("build")
    command("cmake", "-S", HELLO, "-B", folder, f"-DCMAKE_PREFIX_PATH={PREFIX}",
            f"-DCMAKE_INSTALL_PREFIX={folder / 'prefix'}")
    command("cmake", "--build", folder)
    return folder


def test_the_plugin_runs(netkit, build):
    result = netkit.run("--plugin-dir", build, "hello", "greet", "ann", "--times", "2")
    assert (result.status, result.out, result.err) == (0, b"hello ann\nhello ann\n", b"")


def test_its_records_are_json_like_everybodys(netkit, build):
    result = netkit.run("--plugin-dir", build, "hello", "greet", "--json")
    assert [r["type"] for r in result.records] == ["greeting", "end"]
    assert result.records[0]["text"] == "hello world"


def test_it_is_listed_helped_and_completed(netkit, build):
    env = {"NETKIT_PLUGIN_PATH": str(build)}
    assert b"greets, to test the plugin kit" in netkit.run("plugins", env=env).out
    assert b"-n, --times N" in netkit.run("hello", "greet", "--help", env=env).out
    assert netkit.run("__complete", "hello", "greet", "--ti", env=env).lines[0] == "--times\tgreet N times"


def test_the_check_finds_it_well(netkit, build):
    result = netkit.run("plugins", "check", build / "hello.so")
    assert result.status == 0 and result.out.endswith(b"hello.so is OK\n"), result


def test_it_installs_where_netkit_looks(netkit, build, tmp_path):
    """Into a copy of the installation, so that this one stays as it was."""
    copy = tmp_path / "moved"
    shutil.copytree(PREFIX, copy, symlinks=True)
    command("cmake", "--install", build, "--prefix", copy)
    result = netkit.run(argv=[copy / "bin" / "netkit", "hello", "greet"])
    assert (result.status, result.out, result.err) == (0, b"hello world\n", b"")


def test_a_users_own_folder_is_searched(netkit, build):
    folder = os.path.join(netkit.home, ".local/share/netkit/plugins/3")
    os.makedirs(folder)
    shutil.copy(build / "hello.so", folder)
    assert netkit.run("hello", "greet").out == b"hello world\n"


def test_pkg_config_builds_it_too(netkit, tmp_path):
    path = subprocess.run(["find", PREFIX, "-name", "netkit.pc"], capture_output=True, text=True, check=True)
    env = dict(os.environ, PKG_CONFIG_PATH=os.path.dirname(path.stdout.split()[0]))
    flags = command("pkg-config", "--cflags", "--libs", "netkit", env=env).split()
    command("c++", "-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-z,now", f"{HELLO}/hello.cpp", *flags,
            "-o", tmp_path / "hello.so")
    assert netkit.run("--plugin-dir", tmp_path, "hello", "greet").out == b"hello world\n"
