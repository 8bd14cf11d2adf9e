"""What the tests of exit statuses have in common.

The words of an action may hold LISTEN, where it listens, and PEER, an address at which somebody listens by UDP and by
TCP and never answers."""

import errno
import fcntl
import os
import signal
import socket

import pytest

from netkit import udp_socket, wait_until

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
def nobody():
    """An address at which nobody listens."""
    with udp_socket() as sock:
        address = "127.0.0.1:%d" % sock.getsockname()[1]
    return address


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


NO_LEAK_CHECK = {"ASAN_OPTIONS": "detect_leaks=0:quarantine_size_mb=2"}  # a sanitizer cannot do it under strace


# Without the right to ports below 1024, and with a network that may not be sent to.
UNPRIVILEGED = ["unshare", "-n", "setpriv", "--bounding-set=-net_bind_service"]
PROHIBITED = ["unshare", "-n", "sh", "-c", 'ip link set lo up; ip route add prohibit 192.0.2.0/24; exec "$@"', "sh"]


RECORDING = os.path.join(os.path.dirname(__file__), "one_request.rec")  # one request, and its answer

# The words with which each action is run by a test of all of them.
LINES = {
    "echo": {"serve": [LISTEN], "send": [PEER, "hello", "-w", "none"], "ping": [PEER], "bench": [PEER, "--flows", "1"]},
    "chat": {"serve": [LISTEN], "join": [PEER, "--name", "ann"], "peer": [PEER, "--bind", LISTEN]},
    "broadcast": {"send": [PEER, "hello", "-w", "none", "--replies", "1"], "listen": [LISTEN]},
    "push": {"serve": [LISTEN], "subscribe": [PEER], "send": [PEER, "hello"], "status": [PEER]},
    "sse": {"read": [f"http://{PEER}/"], "serve": [LISTEN]},
    "frame": {"serve": [LISTEN], "connect": [PEER, "--send", "datetime", "-w", "none"], "proxy": [LISTEN, PEER], "encode": [], "decode": [], "replay": [RECORDING, PEER, "-w", "none"]},
}


def words_of(command, action, listen="127.0.0.1:0", peer="127.0.0.1:9"):
    words = [word.replace(LISTEN, listen).replace(PEER, peer) for word in LINES[command][action]]
    return [command, *action.split(), *words]


# As one who may not read and write what is another's, though root runs the tests.
AS_OTHERS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
LONG_LINE = b"x" * ((1 << 20) + 1)
TOLD = pytest.mark.parametrize("signo", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
