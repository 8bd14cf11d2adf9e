"""netkit frame over datagrams, unix sockets and serial lines, which are pseudo-terminals here."""

import fcntl
import os
import pty
import signal
import socket
import stat
import struct
import tty

import pytest

from frame_peer import DATETIME, HEARTBEAT, Peer, answer, connect, request
from netkit import Reader, udp_socket, wait_until


TCGETS2 = 0x802C542A


def serve(netkit, where, *args):
    server = netkit.start("frame", "serve", where, *args)
    return server, server.err.expect(rb"^netkit: frame: listening on (udp|unix|serial) (\S+)\n").group(2).decode()


class Line:
    """A serial line: a name for it, and its other end."""

    def __init__(self, path):
        self.path = path
        self.open()

    def open(self):
        self.fd, self.other = pty.openpty()  # kept, so that there is no hang-up while nobody else has it
        tty.setraw(self.other)
        name = os.ttyname(self.other)
        temporary = f"{self.path}.new"
        os.symlink(name, temporary)
        os.rename(temporary, self.path)
        self.reader = Reader(self.fd)

    def write(self, data):
        os.write(self.fd, data)

    def close(self):
        os.close(self.fd)
        os.close(self.other)


@pytest.fixture
def line(tmp_path):
    made = Line(tmp_path / "line")
    yield made
    try:
        made.close()
    except OSError:
        pass


def test_a_datagram_is_a_frame(netkit):
    server, address = serve(netkit, "udp:127.0.0.1:0")
    port = int(address.rsplit(":", 1)[1])
    sock = udp_socket()
    for message, reply in ((DATETIME, None), (HEARTBEAT, answer(1)), (request(7, b"x"), answer(7, -1))):
        sock.sendto(message[4:], ("127.0.0.1", port))  # without the length
        got = sock.recv(100)
        assert got == reply[4:] if reply else got[:2] == b"\2\0"
    done = netkit.run("frame", "connect", f"udp:{address}", "--send", "heartbeat", "--send", "9:x")
    assert (done.status, done.lines) == (0, ["heartbeat ok", "9 error -1"])
    assert server.stop() == 0


def test_a_datagram_keeps_its_check(netkit):
    server, address = serve(netkit, "udp:127.0.0.1:0", "--codec", "slip,check=crc16-modbus:le", "--rule", "PING => PONG")
    done = netkit.run("frame", "connect", f"udp:{address}", "--codec", "idle=5ms,check=crc16-modbus:le", stdin="PING\nPING\n")
    assert (done.status, done.lines) == (0, ["PONG", "PONG"])
    server.out.expect(rb"PING\n.*PING\n")


def test_nobody_at_the_port(netkit):
    sock = udp_socket()
    port = sock.getsockname()[1]
    sock.close()
    done = netkit.run("frame", "connect", f"udp:127.0.0.1:{port}", "--send", "datetime")
    assert done.status == 69 and b"connection refused" in done.err


def test_a_unix_socket(netkit, tmp_path):
    path = tmp_path / "frames"
    server, name = serve(netkit, f"unix:{path}")
    assert name == str(path) and stat.S_IMODE(path.stat().st_mode) == 0o600
    done = netkit.run("frame", "connect", f"unix:{path}", "--send", "heartbeat")
    assert (done.status, done.lines) == (0, ["heartbeat ok"])
    second = netkit.run("frame", "serve", f"unix:{path}")
    assert second.status == 69 and b"address already in use" in second.err
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(path))
    Peer(sock).send(request(7, b"hi"))
    server.out.expect(rb"^unix:\d 7 hi\n")
    assert server.stop() == 0 and not path.exists()


def test_a_unix_socket_that_was_left_behind(netkit, tmp_path):
    path = tmp_path / "frames"
    server, _ = serve(netkit, f"unix:{path}")
    server.signal(signal.SIGKILL)
    server.wait()
    assert path.exists()
    serve(netkit, f"unix:{path}")
    assert netkit.run("frame", "connect", f"unix:{path}", "--send", "heartbeat").status == 0
    path = tmp_path / "file"
    path.write_text("mine")
    assert netkit.run("frame", "serve", f"unix:{path}").status == 69 and path.read_text() == "mine"


def test_a_client_at_a_serial_line(netkit, line):
    client = netkit.start("frame", "connect", f"serial:{line.path},19200,7e1", "--codec", "line", "--send", "ID?")
    client.close_stdin()
    line.reader.expect(rb"^ID\?\n")
    modes = fcntl.ioctl(line.fd, TCGETS2, bytes(44))
    assert struct.unpack("II", modes[36:]) == (19200, 19200)
    line.write(b"noise-free\n")
    assert client.wait() == 0 and client.out.rest() == b"noise-free\n"


def test_a_simulator_at_a_serial_line(netkit, line):
    server, name = serve(netkit, f"serial:{line.path},9600", "--codec", "modbus-rtu", "--rule", "hex:0103??00 => hex:0183{1}")
    assert name == f"{line.path},9600,8n1"
    frame = netkit.run("frame", "encode", "--codec", "u8,check=crc16-modbus:le", stdin="hex:01030700\n").out[1:]
    reply = netkit.run("frame", "encode", "--codec", "u8,check=crc16-modbus:le", stdin="hex:018307\n").out[1:]
    for _ in range(3):
        line.write(frame)
        wait_until(lambda: line.reader._pump(0.05) or len(line.reader.data) - line.reader.position >= len(reply))
        assert line.reader.data[line.reader.position:] == reply
        line.reader.position = len(line.reader.data)
    server.out.expect(rb"serial ")


def test_a_line_that_vanishes_is_an_outage_like_any_other(netkit, line):
    client = netkit.start("frame", "connect", "-k", f"serial:{line.path}", "--codec", "line", "--reconnect-max", "50ms")
    client.write("a\n")
    line.reader.expect(rb"^a\n")
    os.unlink(line.path)
    line.close()
    client.err.expect(rb"connection lost: no such device \(1 request without an answer\); trying again")
    line.open()
    client.err.expect(rb"connected again after")
    line.reader.expect(rb"^a\n")
    line.write(b"A\n")
    client.out.expect(rb"^A\n")


def test_a_simulator_survives_its_line(netkit, line):
    server, _ = serve(netkit, f"serial:{line.path}", "--codec", "line", "--rule", "a => b")
    line.write(b"a\n")
    line.reader.expect(rb"^b\n")
    os.unlink(line.path)
    line.close()
    server.err.expect(rb"connection lost: no such device; trying again")
    line.open()
    server.err.expect(rb"connected again after")
    line.write(b"a\n")
    line.reader.expect(rb"^b\n")


def test_what_is_no_serial_line(netkit, tmp_path):
    (tmp_path / "file").touch()
    for path, text in ((tmp_path / "none", "no such file"), (tmp_path / "file", "inappropriate ioctl")):
        done = netkit.run("frame", "connect", f"serial:{path}", "--codec", "line", "--send", "x")
        assert done.status == 69 and text in done.err.decode().lower()
    for settings in ("0", "9n1", "fast"):
        done = netkit.run("frame", "connect", f"serial:/dev/ttyS0,{settings}", "--send", "x")
        assert done.status == 2


def test_a_gateway_to_a_serial_line_shows(netkit, line):
    proxy = netkit.serve("frame", "proxy", "127.0.0.1:0", f"serial:{line.path}", "--codec", "line")
    peer = connect(proxy.address)
    peer.send(b"ask\n")
    line.reader.expect(rb"^ask\n")
    line.write(b"told\n")
    peer.expect(b"told\n")
    proxy.out.expect(rb"> ask\n[^\n]* < told\n")
    second = connect(proxy.address)
    assert second.at_end() == b"", "a line has one user"
    proxy.err.expect(rb"device or resource busy")
    peer.close()
    wait_until(lambda: connect_and_ask(proxy, line))


def connect_and_ask(proxy, line):
    peer = connect(proxy.address)
    try:
        peer.send(b"again\n")
        return line.reader._pump(0.2) and line.reader.data.endswith(b"again\n")
    finally:
        peer.close()


def test_datagrams_become_frames_of_a_stream(netkit):
    server = netkit.serve("frame", "serve", "127.0.0.1:0", "--codec", "dns", "--rule", "/(.*)/ => <{1}>")
    proxy = netkit.start("frame", "proxy", "udp:127.0.0.1:0", server.address, "--codec", "dns")
    address = proxy.err.expect(rb"listening on udp (\S+)\n").group(1).decode()
    sock = udp_socket()
    for body in (b"one", b"two"):
        sock.sendto(body, ("127.0.0.1", int(address.rsplit(":", 1)[1])))
        assert sock.recv(100) == b"<" + body + b">"
    proxy.out.expect(rb"> one\n[^\n]* < <one>\n")


@pytest.mark.parametrize("words, hint", [
    (["connect", "udp:127.0.0.1:9,127.0.0.1:9"], "cannot be mixed"),
    (["connect", "udp:127.0.0.1:9", "--tls"], "--tls"),
    (["serve", "unix:"], "unix:"),
    (["serve", "serial:"], "serial:/dev/ttyUSB0"),
    (["proxy", "unix:/tmp/x", "unix:/tmp/x"], "the proxy itself listens"),
])
def test_addresses_that_are_none(netkit, words, hint):
    done = netkit.run("frame", *words)
    assert done.status == 2 and hint in done.err.decode()
