"""--sandbox: what a server that was taken over can still do."""

import os
import socket

import pytest

from netkit import netkit_path, wait_until

PROBER = os.path.join(os.environ.get("NETKIT_BUILD", ""), "tests", "prober")
DENIED, REFUSED = "operation not permitted", "permission denied"


@pytest.fixture
def tries(netkit):
    """What comes of each line, by a server with these options."""
    def run(lines, *options, status=0):
        done = netkit.run("--plugin-dir", PROBER, "prober", "serve", *options, stdin="\n".join(lines) + "\n")
        assert done.status == status, done
        return dict(line.split(": ", 1) for line in done.lines)
    return run


@pytest.fixture
def files(tmp_path):
    """A file that options name, and one that they do not."""
    for folder in ("named", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").write_text("x")
    return tmp_path


def listener():
    sock = socket.create_server(("127.0.0.1", 0))
    return sock, sock.getsockname()[1]


def test_it_starts_no_program_and_gets_at_no_process(tries):
    assert list(tries(["exec /bin/true", "setuid", "trace"]).values()) == [DENIED, DENIED, DENIED]


def test_it_reads_the_system_and_what_is_named_and_writes_beside_that(tries, files):
    results = tries(["read /etc/hosts", f"read {files}/named/file", f"write {files}/named/new", f"read {files}/other/file",
                     f"write {files}/other/file", "write /etc/netkit-was-here"], "--file", files / "named" / "file")
    assert list(results.values()) == ["done", "done", "done", REFUSED, REFUSED, REFUSED]


def test_it_reads_where_resolv_conf_points(netkit, files):
    script = 'mount -t tmpfs none /etc && ln -s "$0" /etc/resolv.conf && exec "$@"'
    done = netkit.run(argv=["unshare", "-m", "sh", "-c", script, str(files / "other" / "file"), netkit_path(),
                            "--plugin-dir", PROBER, "prober", "serve"], stdin="read /etc/resolv.conf\n")
    assert done.lines == ["read /etc/resolv.conf: done"], done


def test_it_connects_to_the_ports_that_are_named(tries):
    (named, port), (other, other_port) = listener(), listener()
    with named, other:
        results = tries([f"connect {port}", f"connect {other_port}"], "--peer", f"127.0.0.1:{port}")
    assert list(results.values()) == ["done", REFUSED]


def test_off_gives_nothing_up(tries, files):
    results = tries(["exec /bin/true", f"read {files}/other/file"], "--sandbox", "off")
    assert list(results.values()) == ["done", "done"]


def test_a_command_that_is_named_may_be_started_which_is_said(netkit, files):
    done = netkit.run("--plugin-dir", PROBER, "prober", "serve", "-v", "--to", "exec:cat >/dev/null", "--to", "-",
                      stdin=f"exec /bin/true\nread {files}/other/file\nsetuid\n")
    assert [line.rsplit(": ", 1)[1] for line in done.lines] == ["done", "done", DENIED]
    assert b"sandbox: file access is not restricted, because the command line names programs to run" in done.err


SERVERS = [["echo", "serve"], ["echo", "serve", "--threads", "3"], ["chat", "serve"], ["broadcast", "listen"],
           ["push", "serve", "--every", "10s"], ["sse", "serve", "--every", "10s"], ["frame", "serve"]]


@pytest.mark.parametrize("words", SERVERS, ids=" ".join)
def test_every_server_is_in_one_with_all_its_threads(netkit, words):
    server = netkit.serve(*words, "127.0.0.1:0", "--sandbox", "require")
    threads = int(words[-1]) if "--threads" in words else 1
    wait_until(lambda: len(os.listdir(f"/proc/{server.pid}/task")) == threads, what="its threads")
    for task in os.listdir(f"/proc/{server.pid}/task"):
        with open(f"/proc/{server.pid}/task/{task}/status", encoding="ascii") as file:
            status = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert server.stop() == 0
