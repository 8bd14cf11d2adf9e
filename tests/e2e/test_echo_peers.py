"""echo serve and the clients that people use: the same bytes come back, whatever they are and however many."""

import os
import random
import shutil
import socket
import threading

import pytest
from netkit import DEADLINE, receive_to_end, tcp_connect

HOSTS = {4: "127.0.0.1", 6: "::1"}
UNSEEN = ("--to", "file:/dev/null")


def serve(netkit, family, kind):
    host = HOSTS[family]
    return netkit.serve("echo", "serve", f"[{host}]:0" if family == 6 else f"{host}:0", f"--{kind}", *UNSEEN)


def some_bytes(size):
    """Not text, and the same in each run."""
    return random.Random(size).randbytes(size)


def client(name, kind, family, port):
    """A shell command that copies its standard input to the server and what comes back to its standard output."""
    host = HOSTS[family]
    udp = kind == "udp"
    return {
        "nc": f"nc -{family} {'-u' if udp else '-N'} {host} {port}",
        "ncat": f"ncat -{family} {'-u ' if udp else ''}{host} {port}",
        "socat": f"socat -b 65536 -t {DEADLINE:.0f} - {kind.upper()}{family}:{f'[{host}]' if family == 6 else host}:{port}",
    }[name]


def exchange(netkit, command, data):
    """What the client prints for `data`, which it gets in one piece and without an end: some stop at the end at once."""
    assert shutil.which(command.split()[0]), "it is in tools/packages.txt"
    process = netkit.start(argv=command.split())
    process.write(data)
    return process.out.expect(rb"\A.{%d}" % len(data)).group()


# As much as each of them reads at once, and so sends as one datagram.
@pytest.mark.parametrize("name, sizes", [("nc", [1, 1472, 16384]), ("ncat", [1, 1472, 8192]),
                                         ("socat", [1, 1473, 65506, 65507])])
@pytest.mark.parametrize("family", [4, 6])
def test_a_datagram(netkit, name, sizes, family):
    server = serve(netkit, family, "udp")
    for size in sizes:
        assert exchange(netkit, client(name, "udp", family, server.port), some_bytes(size)) == some_bytes(size)


@pytest.mark.parametrize("name", ["nc", "ncat", "socat"])
@pytest.mark.parametrize("family", [4, 6])
def test_three_megabytes_over_tcp_with_half_close(netkit, tmp_path, name, family):
    server = serve(netkit, family, "tcp")
    for data in (b"", some_bytes(3 << 20)):
        (tmp_path / "in").write_bytes(data)
        # It ends when the server closes, which it does once the rest is echoed.
        done = netkit.shell(f"{client(name, 'tcp', family, server.port)} < {tmp_path}/in")
        assert (done.status, done.out == data, done.err) == (0, True, b"")


@pytest.mark.parametrize("family", [4, 6])
def test_a_stream_in_pieces_of_every_size(netkit, family):
    server = serve(netkit, family, "tcp")
    data = some_bytes(1 << 20)
    with tcp_connect(server.address) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def write():
            at = 0
            for size in [1, 2, 3, 1000, 4096, 65535, 65536, 65537, len(data)]:
                sock.sendall(data[at:at + size])
                at += size
            sock.shutdown(socket.SHUT_WR)

        writer = threading.Thread(target=write)
        writer.start()
        assert receive_to_end(sock) == data
        writer.join()


@pytest.mark.parametrize("family", [4, 6])
def test_many_sizes_of_one_client(netkit, family):
    server = serve(netkit, family, "udp")
    with socket.socket(socket.AF_INET6 if family == 6 else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(DEADLINE)
        sock.connect((HOSTS[family], server.port))
        for size in [*range(0, 66), *range(1430, 1480), 9000, *(2 ** n + d for n in range(12, 16) for d in (-1, 0, 1)),
                     65507]:
            data = os.urandom(size)
            sock.send(data)
            assert sock.recv(65536) == data
