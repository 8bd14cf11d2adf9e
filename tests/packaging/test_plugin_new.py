"""`netkit plugins new`: what it writes builds outside of the tree, passes its test, works and is documented."""

import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess

import pytest

from netkit import clean_environment, netkit_path, udp_socket
from programs import command

PREFIX = os.environ.get("NETKIT_PREFIX", "")
PAGE = os.path.join(os.environ.get("NETKIT_SOURCE", ""), "man", "netkit-plugin.3")


# A compiler is slow where many tests run.
pytestmark = pytest.mark.timeout(420)


@pytest.fixture(scope="module")
def hello(tmp_path_factory):
    """The folder of a plugin made, configured and built as its README says."""
    folder = tmp_path_factory.mktemp("new") / "hello"
    made = subprocess.run([netkit_path(), "plugins", "new", "hello"], cwd=folder.parent, env=clean_environment(),
                          capture_output=True, text=True, check=False, timeout=20)
    assert (made.returncode, made.stderr) == (0, "")
    assert sorted(made.stdout.splitlines()) == sorted(f"hello/{name}" for name in os.listdir(folder))
    command("cmake", "-B", "build", f"-DCMAKE_PREFIX_PATH={PREFIX}", "-DCMAKE_BUILD_TYPE=Debug",
            "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror", cwd=folder)
    command("cmake", "--build", "build", cwd=folder)
    return folder


def test_its_own_tests_pass(hello):
    shown = command("ctest", "--test-dir", "build", "--output-on-failure", "--no-tests=error", cwd=hello)
    assert "100% tests passed, 0 tests failed out of 2" in shown


def test_it_answers(netkit, hello):
    server = netkit.serve("--plugin-dir", hello / "build", "hello", "serve", "127.0.0.1:0", "-c", "2")
    done = netkit.run("--plugin-dir", hello / "build", "hello", "ask", server.address, "hello, \x1b[2J")
    assert (done.status, done.out, done.err) == (0, b"HELLO, \\x1b[2J\n", b"")
    done = netkit.run("--plugin-dir", hello / "build", "hello", "ask", "--json", server.address, "b")
    assert [r["type"] for r in done.records] == ["answer", "end"] and done.records[0]["text"] == "B"
    assert server.wait() == 0
    assert re.fullmatch(rb"127\.0\.0\.1:\d+ hello, \\x1b\[2J\n127\.0\.0\.1:\d+ b\n", server.out.rest())


def test_it_answers_in_batches(netkit, hello, tmp_path):
    """What comes together is answered by one system call."""
    trace = tmp_path / "trace"
    server = netkit.serve(argv=["strace", "-f", "-e", "trace=bind,sendmmsg,sendmsg,sendto", "-o", trace, netkit_path(),
                                "--plugin-dir", hello / "build", "hello", "serve", "127.0.0.1:0", "-q"])
    child = int(trace.read_text().split()[0])
    with udp_socket() as sock:
        os.kill(child, signal.SIGSTOP)
        for number in range(20):
            sock.sendto(b"?%02d" % number, ("127.0.0.1", server.port))
        os.kill(child, signal.SIGCONT)
        assert [sock.recv(100) for _ in range(20)] == [b"=%02d" % number for number in range(20)]
    os.kill(child, signal.SIGTERM)
    assert server.wait() == 0
    assert re.findall(r"\bsend\w+", trace.read_text()) == ["sendmmsg"]


def test_it_refuses_port_0(netkit, hello):
    """Whom a server may answer is no plugin's own business."""
    server = netkit.serve("--plugin-dir", hello / "build", "hello", "serve", "127.0.0.1:0", "--json", "-c", "1")
    try:
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
    except PermissionError:
        pytest.skip("no raw sockets here")
    with raw:
        raw.sendto(struct.pack("!HHHH", 0, server.port, 10, 0) + b"?x", ("127.0.0.1", 0))
    assert netkit.run("--plugin-dir", hello / "build", "hello", "ask", server.address, "b").out == b"B\n"
    assert server.wait() == 0
    end = json.loads(server.out.rest().splitlines()[-1])
    assert (end["questions"], end["ignored"]) == (1, 1)
    code = (hello / "plugin.cpp").read_text()
    assert "port()" not in code and "sendmmsg" not in code and "UdpSocket" not in code


def test_its_page_tells_its_exit_statuses(netkit, hello):
    env = {"NETKIT_PLUGIN_PATH": str(hello / "build")}
    with open(hello / "netkit-hello.1", encoding="utf-8") as page:
        section = page.read().split(".Sh EXIT STATUS")[1].split(".Sh ")[0]
    assert re.findall(r"^\.It (\d+)$", section, re.M) == ["0", "1", "2", "69"]
    with udp_socket() as silent:
        silence = "127.0.0.1:%d" % silent.getsockname()[1]
        assert netkit.run("hello", "ask", silence, "x", "-w", "10ms", env=env).status == 1
        taken = netkit.run("hello", "serve", silence, env=env)
        assert taken.status == 69 and b"address already in use" in taken.err
    assert netkit.run("hello", "ask", silence, "x", env=env).status == 69
    assert netkit.run("hello", "ask", silence, env=env).status == 2


def test_it_is_listed_completed_and_found_well(netkit, hello):
    env = {"NETKIT_PLUGIN_PATH": str(hello / "build")}
    assert b"answers questions in capitals" in netkit.run("plugins", env=env).out
    assert netkit.run("__complete", "hello", "as", env=env).lines[0].startswith("ask\t")
    assert netkit.run("__complete", "hello", "ask", "--wa", env=env).lines[0].startswith("--wait\t")
    assert netkit.run("plugins", "check", hello / "build" / "hello.so").status == 0


def test_its_page_is_clean_and_names_what_it_declares(netkit, hello):
    page = hello / "netkit-hello.1"
    lint = subprocess.run(["mandoc", "-Tlint", "-W", "style", page], capture_output=True, text=True, check=False)
    assert lint.stdout + lint.stderr == ""
    text = page.read_text()
    assert "skeleton" not in text.lower()
    env = {"NETKIT_PLUGIN_PATH": str(hello / "build")}
    with open(os.path.join(os.path.dirname(PAGE), "netkit.1"), encoding="utf-8") as common:
        general = common.read()
    for action in ("serve", "ask"):
        shown = netkit.run("hello", action, "--help", env=env).out.decode()
        for option in re.findall(r"^  (?:-\w, |    )--([a-z-]+)", shown, re.M):
            of_its_own = option in ("wait", "count", "json", "to", "metrics")
            assert re.search(rf"\bFl -{option}\b", text if of_its_own else text + general), option


def test_no_word_of_the_template_is_left(hello):
    for name in os.listdir(hello):
        if name != "build":
            assert not re.search("skeleton|@DATE@", (hello / name).read_text(), re.I), name


def test_installed_for_a_user_it_has_a_page(netkit, hello):
    """Where netkit and `netkit help` look without being told."""
    command("cmake", "--install", hello / "build", "--component", "user", "--prefix",
            os.path.join(netkit.home, ".local"))
    assert b"hello" in netkit.run("__complete", "hel").out
    shown = netkit.run("help", "hello", env={"MANPAGER": "cat", "MAN_KEEP_FORMATTING": "", "PAGER": "cat"})
    if shutil.which("man"):
        assert shown.status == 0 and b"NETKIT-HELLO(1)" in shown.out, shown
    else:
        assert shown.out.startswith(b"Usage: netkit hello")


def test_it_installs_beside_netkit_by_itself(hello):
    with open(hello / "build" / "CMakeCache.txt", encoding="utf-8") as cache:
        prefix = re.search(r"^CMAKE_INSTALL_PREFIX:PATH=(.*)$", cache.read(), re.M).group(1)
    assert os.path.realpath(prefix) == os.path.realpath(PREFIX)


def test_netkit_plugin_3_shows_what_is_written(hello):
    """Every piece of code in netkit-plugin(3) is in the plugin that was just built."""
    with open(PAGE, encoding="utf-8") as page:
        blocks = re.findall(r"\.Bd -literal -offset indent\n(.*?)\.Ed\n", page.read(), re.S)
    written = "\n".join((hello / name).read_text() for name in os.listdir(hello) if name != "build")
    code = [block.replace("\\e", "\\") for block in blocks if ";\n" in block or "netkit_add_plugin" in block or "{" in block]
    assert len(code) >= 9
    for block in code:
        assert block in written, block


def test_netkit_plugin_3_builds_without_cmake(hello, tmp_path):
    """The compiler's line of the page, with the .pc file of this installation."""
    with open(PAGE, encoding="utf-8") as page:
        line = re.search(r"^c\+\+ (?:.*\\e\n)*.*$", page.read(), re.M).group(0).replace("\\e\n", "")
    found = command("find", PREFIX, "-name", "netkit.pc").split()[0]
    env = dict(os.environ, PKG_CONFIG_PATH=os.path.dirname(found))
    shutil.copytree(hello, tmp_path / "hello", ignore=shutil.ignore_patterns("build"))
    command("bash", "-c", line, cwd=tmp_path, env=env)
    command(netkit_path(), "plugins", "check", tmp_path / "hello.so")


@pytest.mark.parametrize("words, sentence", [
    (["Hello"], "'Hello' cannot be the name of a plugin: use lower-case letters, digits and '_', starting with a "
                "letter, at most 31"),
    (["my-tool"], "'my-tool' cannot be the name of a plugin"),
    (["9lives"], "'9lives' cannot be the name of a plugin"),
    (["a" * 32], "cannot be the name of a plugin"),
    (["../x"], "'../x' cannot be the name of a plugin"),
    (["help"], "'help' is a built-in command of netkit; choose another name"),
    (["echo"], "there is a command 'echo' already; choose another name"),
    (["fine", "there"], "'there' already exists; name a new directory"),
    ([], "missing NAME, as in 'new NAME [DIR]'"),
])
def test_what_it_refuses(netkit, tmp_path, words, sentence):
    folder = tmp_path / "folder"
    (folder / "there").mkdir(parents=True)
    done = netkit.run("plugins", "new", *words, cwd=folder)
    assert (done.status, done.out) == (2, b"")
    assert sentence in done.err.decode() and done.err.count(b"\n") == 1
    assert os.listdir(folder) == ["there"] and os.listdir(folder / "there") == []


def test_where_it_cannot_write(netkit, tmp_path):
    done = netkit.run("plugins", "new", "fine", "no/such/folder", cwd=tmp_path)
    assert done.status == 74
    assert done.err == b"netkit: plugins: cannot create 'no/such/folder': no such file or directory\n"


@pytest.mark.parametrize("name", ["class", "test"])
def test_names_that_mean_something_elsewhere(netkit, tmp_path, name):
    """Words of C++ and of CMake are names like others."""
    assert netkit.run("plugins", "new", name, cwd=tmp_path).status == 0
    command("c++", "-std=c++20", "-fsyntax-only", f"-I{PREFIX}/include", tmp_path / name / "plugin.cpp")
    command("cmake", "-S", tmp_path / name, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={PREFIX}")
