"""What happens to the machine under a running server: it is stopped, its clock jumps, its network goes and comes back."""

import signal
import subprocess

import pytest

from hostile import Target
from native_peer import ChatPeer
from netkit import netkit_path, udp_socket, wait_until
from test_faults import SERVERS
from time_of_day import clock


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_that_was_stopped_goes_on(netkit, name):
    words, good, sockets, kind = SERVERS[name]
    target = Target(netkit.serve(*words, sockets=sockets), good, kind)
    good(target)
    target.process.signal(signal.SIGSTOP)
    wait_until(lambda: open(f"/proc/{target.process.pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()[0] == "T")
    waiting = [udp_socket() for _ in range(50)]
    for sock in waiting:
        sock.sendto(b"while it stands still", target.host_port)
    target.process.signal(signal.SIGCONT)
    good(target)
    assert target.process.stop() == 0


@pytest.mark.parametrize("jump", ["+3000d", "-3000d"])
@pytest.mark.parametrize("name", SERVERS)
def test_a_clock_that_jumps_ends_nothing(netkit, tmp_path, name, jump):
    """The time of day jumps; what netkit measures with does not, as on Linux."""
    words, good, sockets, kind = SERVERS[name]
    time_of_day = tmp_path / "time"
    time_of_day.write_text("+0\n")
    target = Target(netkit.serve(*words, "--sandbox", "off", sockets=sockets, env=clock(time_of_day)), good, kind)
    good(target)
    member = None
    if name == "chat":
        sock = udp_socket()
        member = ChatPeer(sock, target.host_port, b"resident")
    time_of_day.write_text(jump + "\n")
    good(target)
    if member:
        member.send(b"\x20\x00")  # still of the room: its END is acknowledged, no RESET
        assert member.sock.recv(2048)[2] != 9
    assert target.process.stop() == 0


def test_the_jump_is_seen(netkit, tmp_path):
    time_of_day = tmp_path / "time"
    time_of_day.write_text("+0\n")
    # The file is read by what is preloaded, which a sandbox does not know.
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--json", "--udp", "--sandbox", "off", env=clock(time_of_day))
    years = []
    for jump in ("+0", "+3000d"):
        time_of_day.write_text(jump + "\n")
        with udp_socket() as sock:
            sock.sendto(b"now", ("127.0.0.1", server.port))
        years.append(int(server.out.json()["time"][:4]))
    assert 8 <= years[1] - years[0] <= 9
    assert server.stop() == 0  # killed it would leave a semaphore, and no process of its number could begin


def test_a_network_that_goes_and_comes_back(netkit):
    holder = netkit.start(argv=["unshare", "-n", "sh", "-c", "ip link set lo up && echo up && exec cat"])
    holder.out.expect(rb"up\n")
    inside = ["nsenter", "-t", str(holder.pid), "-n"]

    def ip(*words):
        subprocess.run([*inside, "ip", *words], check=True, timeout=20)

    def come():
        ip("link", "add", "va", "type", "veth", "peer", "name", "vb")
        ip("address", "add", "10.9.0.1/24", "dev", "va")
        ip("link", "set", "va", "up")
        ip("link", "set", "vb", "up")

    come()
    server = netkit.start(argv=[*inside, netkit_path(), "echo", "serve", "10.9.0.1:7000", "-q"])
    server.err.expect(rb"listening on udp 10\.9\.0\.1:7000\n")
    server.err.expect(rb"listening on tcp 10\.9\.0\.1:7000\n")

    def asked(*words):
        return netkit.run(argv=[*inside, netkit_path(), "echo", "send", *words, "10.9.0.1:7000", "hello", "-w", "5s"])
    assert asked().out == asked("--tcp").out == b"hello\n"
    ip("link", "delete", "va")
    assert asked().status != 0
    come()
    assert asked().out == asked("--tcp").out == b"hello\n"
    assert server.stop() == 0


@pytest.mark.parametrize("words", [["--to", "file:{0}/records"], ["--record", "{0}/recording"], ["--history", "{0}/history"]],
                         ids=["sink", "recording", "history"])
def test_a_read_only_disk_is_named(netkit, tmp_path, words):
    command = {"--to": ["echo", "serve", "127.0.0.1:0"], "--record": ["frame", "proxy", "127.0.0.1:0", "9"],
               "--history": ["chat", "serve", "127.0.0.1:0"]}[words[0]]
    script = 'mount -t tmpfs -o ro none "$0" && exec "$@"'
    argv = [word.format(tmp_path) for word in [netkit_path(), *command, *words]]
    done = netkit.run(argv=["unshare", "-m", "sh", "-c", script, str(tmp_path), *argv])
    assert done.status == 74 and b"read-only file system" in done.err.lower(), done
