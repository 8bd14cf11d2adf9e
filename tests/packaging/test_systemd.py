"""The units: accepted and found hardened by systemd's own tools, and started as systemd starts them, with sockets."""

import fcntl
import os
import re
import shlex
import signal
import socket
import subprocess

import pytest

from netkit import DEADLINE, netkit_path, receive_exactly, tcp_connect

PREFIX = os.environ.get("NETKIT_PREFIX", "")
UNITS = os.path.join(PREFIX, "lib/systemd/system")

# Command, and the kinds of sockets of its socket unit.
SERVERS = {"echo": "ut", "chat": "u", "push": "ut", "sse": "t", "frame": "t", "broadcast": "u"}


def unit(command, kind):
    with open(os.path.join(UNITS, f"netkit-{command}@.{kind}"), encoding="utf-8") as file:
        return file.read()


def values(text, key):
    return re.findall(rf"^{key}=(.*)$", text, re.M)


@pytest.fixture
def instances(tmp_path):
    """The templates with an instance's name, as `systemd-analyze` wants files."""
    for command in SERVERS:
        for kind in ("service", "socket"):
            (tmp_path / f"netkit-{command}@7000.{kind}").write_text(unit(command, kind))
    return tmp_path


def test_there_is_one_of_each_and_no_other():
    expected = {f"netkit-{command}@.{kind}" for command in SERVERS for kind in ("service", "socket")}
    assert set(os.listdir(UNITS)) == expected
    assert not re.search(r"@[A-Z_]+@", "".join(unit(c, k) for c in SERVERS for k in ("service", "socket")))


def test_systemd_accepts_them(instances):
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *sorted(map(str, instances.iterdir()))],
                          capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", SERVERS)
def test_they_are_hardened(instances, command):
    """At most 2.0 of 10: what is left is the network, which a server is for."""
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager",
                           instances / f"netkit-{command}@7000.service"], capture_output=True, text=True, check=False,
                          timeout=60)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


def start_with_sockets(netkit, words, sockets, env=None):
    """Starts a program as sd_listen_fds(3) has it: descriptors from 3 on, and the number of the process itself."""
    high = [fcntl.fcntl(sock.fileno(), fcntl.F_DUPFD, 200) for sock in sockets]
    moved = " ".join(f"{3 + i}<&{fd} {fd}<&-" for i, fd in enumerate(high))
    names = ":".join(["unit"] * len(high))
    script = f'exec {moved}; export LISTEN_PID=$$ LISTEN_FDS={len(high)} LISTEN_FDNAMES={names}; exec "$@"'
    process = netkit.start(argv=["bash", "-c", script, "bash", *words], stdin=subprocess.DEVNULL, env=env or {},
                           pass_fds=high)
    for fd in high:
        os.close(fd)
    return process


class Service:
    """Runs a service's ExecStart with sockets and a notification socket, as systemd does (sd_listen_fds(3))."""

    def __init__(self, netkit, tmp_path, command, options="", address="127.0.0.1:0"):
        self.sockets = [self.bound(kind) for kind in SERVERS[command]]
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(tmp_path / "notify"))
        self.notify.settimeout(DEADLINE)
        line = values(unit(command, "service"), "ExecStart")[0]
        assert line.startswith(netkit_path() + " ")
        # The two variables of the unit, as systemd reads them: $OPTIONS as words, ${ADDRESS} as one.
        words = shlex.split(line.replace("$OPTIONS", options).replace("${ADDRESS}", shlex.quote(address)))
        self.process = start_with_sockets(netkit, words, self.sockets, {"NOTIFY_SOCKET": str(tmp_path / "notify")})
        for index, kind in enumerate(SERVERS[command]):
            word = {"u": b"udp", "t": b"tcp"}[kind]
            self.process.err.expect(rb"listening on " + word + b" 127.0.0.1:%d\n" % self.port(index))

    @staticmethod
    def bound(kind):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "u" else socket.SOCK_STREAM)
        sock.bind(("127.0.0.1", 0))
        if kind == "t":
            sock.listen()
        return sock

    def port(self, index=0):
        return self.sockets[index].getsockname()[1]

    def address(self, index=0):
        return f"127.0.0.1:{self.port(index)}"

    def state(self):
        return self.notify.recv(4096).decode()


@pytest.fixture
def start(netkit, tmp_path):
    started = []

    def run(command, options=""):
        started.append(Service(netkit, tmp_path, command, options))
        return started[-1]
    yield run
    for service in started:
        service.notify.close()
        for sock in service.sockets:
            sock.close()


def exchange(netkit, service, command):
    """One real exchange with the server, over the sockets that were passed."""
    if command == "echo":
        with tcp_connect(service.address(1)) as sock:
            sock.sendall(b"over tcp")
            assert receive_exactly(sock, 8) == b"over tcp"
        assert netkit.run("echo", "send", service.address(0), "hi").out == b"hi\n"
    elif command == "chat":
        done = netkit.run("chat", "join", service.address(), "--name", "ann", stdin=b"hello\n")
        assert done.status == 0, done
    elif command == "push":
        with tcp_connect(service.address(1)) as sock:
            sock.sendall(b"LIST\n")
            assert sock.recv(100).startswith(b"OK 0")
        done = netkit.run("push", "subscribe", service.address(0), "-c", "1", "--name", "ann")
        assert (done.status, done.out) == (0, b"tick\n"), done
    elif command == "sse":
        done = netkit.run("sse", f"http://{service.address()}/", "-c", "1")
        assert (done.status, done.out) == (0, b"tick\n"), done
    elif command == "frame":
        done = netkit.run("frame", "connect", service.address(), "--send", "datetime")
        assert done.status == 0 and done.out.startswith(b"datetime 2"), done
    elif command == "broadcast":
        assert netkit.run("echo", "send", service.address(), "hi").out == b"here\n"


OPTIONS = {"push": "--every 50ms --message tick", "sse": "--every 50ms --message tick", "broadcast": "--reply here"}


@pytest.mark.parametrize("command", SERVERS)
def test_a_server_takes_the_sockets_of_its_unit(netkit, start, command):
    service = start(command, OPTIONS.get(command, ""))
    kinds = [{"u": "udp", "t": "tcp"}[kind] for kind in SERVERS[command]]
    listening = ", ".join(f"{kind} {service.address(i)}" for i, kind in enumerate(kinds))
    assert service.state() == f"READY=1\nSTATUS=listening on {listening}"
    exchange(netkit, service, command)
    service.process.signal(signal.SIGTERM)
    assert service.state() == "STOPPING=1"
    assert service.process.wait() == 0


def test_the_socket_units_listen_on_what_their_servers_take():
    for command, kinds in SERVERS.items():
        text = unit(command, "socket")
        assert len(values(text, "ListenDatagram")) == kinds.count("u"), command
        assert len(values(text, "ListenStream")) == kinds.count("t"), command
        assert values(text, "ListenDatagram") + values(text, "ListenStream") == \
            [("0.0.0.0" if command == "broadcast" else "127.0.0.1") + ":%i"] * len(kinds)


def test_threads_cannot_share_passed_sockets(netkit, tmp_path):
    with Service.bound("u") as sock:
        process = start_with_sockets(netkit, [netkit_path(), "echo", "serve", "--threads", "2"], [sock])
        assert process.wait() == 2
        assert process.err.rest() == (b"netkit: echo: inherited sockets (LISTEN_FDS) serve a single thread: "
                                      b"omit --threads; see 'netkit echo serve --help'\n")


@pytest.mark.parametrize("kind", ["u", "t"])
def test_systemd_socket_activate_starts_the_server_with_its_first_peer(netkit, kind):
    """systemd's own tool; it says where it listens, and starts the server when somebody comes."""
    with Service.bound(kind) as probe:
        port = probe.getsockname()[1]
    words = ["-d"] if kind == "u" else []
    protocol = {"u": "--udp", "t": "--tcp"}[kind]
    tool = netkit.start(argv=["systemd-socket-activate", *words, "-l", f"127.0.0.1:{port}", netkit_path(), "echo",
                              "serve", protocol])
    tool.err.expect(rb"Listening on 127.0.0.1:%d" % port)
    done = netkit.run("echo", "send", protocol, f"127.0.0.1:{port}", "hello", "-w", "10s")
    assert (done.status, done.out) == (0, b"hello\n"), done
    tool.err.expect(rb"listening on \w+ 127.0.0.1:%d\n" % port)
    tool.signal(signal.SIGTERM)
    assert tool.wait() == 0
