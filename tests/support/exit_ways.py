"""Ways to the exit statuses that every command has, with each of its actions.

The words of an action may hold LISTEN, where it listens, and PEER, an address at which somebody listens by UDP and by
TCP and never answers."""

import errno
import fcntl
import os
import signal
import socket

import pytest

from netkit import netkit_path, wait_until

LISTEN, PEER = "LISTEN", "PEER"


class Silent:
    """Takes datagrams and connections, and does nothing with them."""

    def __init__(self):
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.tcp.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(self.tcp.getsockname())

    def close(self):
        self.tcp.close()
        self.udp.close()


@pytest.fixture
def silent():
    while True:
        try:
            peer = Silent()
            break
        except OSError as error:  # the port is free for TCP only
            assert error.errno == errno.EADDRINUSE
    yield peer
    peer.close()


@pytest.fixture
def full_pipe():
    """A pipe's end that takes nothing more, as nobody reads at the other one."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writer, bytes(4096))
    yield writer
    os.close(reader)
    os.close(writer)


@pytest.fixture
def broken_pipe():
    """A pipe's end whose other one is closed."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


def by_second_signal(process):
    """Sends INT until it has ended."""
    def ended():
        if process.popen.poll() is None:
            process.signal(signal.SIGINT)
        return process.popen.poll() is not None
    wait_until(ended, what="the end by a second signal")
    return process, signal.SIGINT


def with_fault(calls, error, *argv):
    """A command whose `calls` fail. Limits would stop a sanitizer, too."""
    return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={calls}:error={error}", *argv]


NO_LEAK_CHECK = {"ASAN_OPTIONS": "detect_leaks=0"}  # a sanitizer cannot do it under strace


def is_sanitized():
    return "asan" in os.environ["NETKIT_BUILD"]


# Without the right to ports below 1024, and with a network that may not be sent to.
UNPRIVILEGED = ["unshare", "-n", "setpriv", "--bounding-set=-net_bind_service"]
PROHIBITED = ["unshare", "-n", "sh", "-c", 'ip link set lo up; ip route add prohibit 192.0.2.0/24; exec "$@"', "sh"]


def words_of(page, action, listen="127.0.0.1:0", peer="127.0.0.1:9"):
    words = [word.replace(LISTEN, listen).replace(PEER, peer) for word in page.lines[action]]
    return [page.command, *action.split(), *words]


def has_address(page, action):
    return any(word in " ".join(page.lines[action]) for word in (LISTEN, PEER))


def is_server(page, action):
    return LISTEN in page.lines[action]


def add_set_up(page):
    """What ends a run before it has begun."""
    every = list(page.lines)

    @page.way("2 wrong usage", *every)
    def unknown_option(netkit, action):
        return netkit.run(*words_of(page, action), "--nonsense")

    @page.way("68 name not resolved", *[action for action in every if has_address(page, action)])
    def unknown_name(netkit, action):
        return netkit.run(*words_of(page, action, "no-such-host.invalid:0", "no-such-host.invalid:9"))

    @page.way("70 internal or plugin fault", *every)
    def few_descriptors(netkit, silent, action):
        """Its first descriptor cannot be made; with a few more allowed a later one, and it crashes of none."""
        words = [netkit_path(), *words_of(page, action, peer=silent.address), "-t", "10ms"]
        if is_sanitized():
            return netkit.run(argv=with_fault("epoll_create1", "EMFILE", *words), env=NO_LEAK_CHECK)
        runs = [netkit.run(argv=["prlimit", f"--nofile={count}:{count}", *words]) for count in range(4, 10)]
        assert all(run.status >= 0 for run in runs), runs
        return runs[0]

    @page.way("70 internal or plugin fault")
    def broken_plugin(netkit, tmp_path):
        (tmp_path / "plugins").mkdir(mode=0o755)
        (tmp_path / "plugins" / f"{page.command}.so").write_text("no plugin")
        return netkit.run("--plugin-dir", tmp_path / "plugins", *words_of(page, every[0]))

    @page.way("78 configuration", *every)
    def configuration(netkit, tmp_path, action):
        (tmp_path / "config").write_text(f"[{page.command}]\nnonsense = 1\n")
        return netkit.run(*words_of(page, action), "--config", tmp_path / "config")


def add_servers(page):
    """What becomes of servers."""
    servers = [action for action in page.lines if is_server(page, action)]

    @page.way("69 address in use, or not one of this machine", *servers)
    def in_use(netkit, silent, action):
        return netkit.run(*words_of(page, action, silent.address))

    @page.way("69 address in use, or not one of this machine", *servers)
    def not_here(netkit, action):
        return netkit.run(*words_of(page, action, "192.0.2.1:0"))

    @page.way("77 the port needs privileges", *servers)
    def privileges(netkit, action):
        return netkit.run(argv=[*UNPRIVILEGED, netkit_path(), *words_of(page, action, ":1")])

    @page.told("0 ended by INT or TERM", *servers)
    def server(netkit, silent, action):
        return netkit.serve(*words_of(page, action, peer=silent.address))

    @page.way("128+n ended at once by a second signal", *servers)
    def by_two(netkit, silent, full_pipe, action):
        return by_second_signal(netkit.serve(*words_of(page, action, peer=silent.address), "--json", stdout=full_pipe))


def add_ends(page, without_json=()):
    """What ends any run; `without_json` are the actions that have no end record to write."""
    every = [action for action in page.lines if action not in without_json]

    @page.way("74 output or file error", *every)
    def full_disk(netkit, silent, action):
        with open("/dev/full", "wb") as full:
            return netkit.start(*words_of(page, action, peer=silent.address), "--json", "-t", "50ms", stdout=full)

    @page.way("74 output or file error", *every)
    def no_such_folder(netkit, silent, tmp_path, action):
        return netkit.run(*words_of(page, action, peer=silent.address), "--to", f"file:{tmp_path}/no/folder")

    @page.way("128+n the reader of standard output has gone", *every)
    def reader_gone(netkit, silent, broken_pipe, action):
        run = netkit.start(*words_of(page, action, peer=silent.address), "--json", "-t", "50ms", stdout=broken_pipe)
        return run, signal.SIGPIPE

    @page.way("124 --timeout passed", *page.lines)
    def timeout(netkit, silent, action):
        return netkit.start(*words_of(page, action, peer=silent.address), "-t", "50ms")


# As one who may not read and write what is another's, though root runs the tests.
AS_OTHERS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
LONG_LINE = b"x" * ((1 << 20) + 1)
