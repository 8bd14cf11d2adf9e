"""A server under bad inputs: each case sends one, names what it gets, and a good client is served afterwards."""

import re
import select
import socket
import struct

from netkit import host_port, receive_to_end, tcp_connect, udp_socket
from programs import resident

MEGABYTE = 1 << 20
# What a bad input may leave behind in the server's memory, and what all of a table may.
CASE_MEMORY = 8 * MEGABYTE


class Target:
    """A running server and a good client of it: `good()` fails unless the server does its job."""

    def __init__(self, process, good, family=socket.SOCK_DGRAM):
        self.process, self.good = process, good
        self.address = next(a for kind, a in process.listening if kind == ("udp" if family == socket.SOCK_DGRAM else "tcp"))
        self.host_port = host_port(self.address)

    def check(self, before):
        """The server lives, serves, and holds no more than it may."""
        assert self.process.popen.poll() is None, self.process.err.data[-2000:]
        self.good(self)
        grown = resident(self.process.pid) - before
        assert grown <= CASE_MEMORY, f"{grown >> 10} KiB more than before"

    def datagrams(self, *datagrams):
        """Sends them from a socket of their own and gives it, for what comes back."""
        sock = udp_socket()
        for datagram in datagrams:
            sock.sendto(datagram, self.host_port)
        return sock

    def stream(self, data, end=True):
        """Sends `data` over a connection of its own; all that comes back until the server closes, or until it has
        answered what came before the end of the input."""
        with tcp_connect(self.address) as sock:
            try:
                sock.sendall(data)
                if end:
                    sock.shutdown(socket.SHUT_WR)
                return receive_to_end(sock)
            except OSError:
                return b""  # the server closed before it had read all


def started_targets(tool, servers, **kwargs):
    """A function that gives the Target of a name, which it starts when it is first asked for. `servers`: by name, the
    words, the good client, how many sockets listen, and their kind."""
    started = {}

    def get(name):
        if name not in started:
            words, good, sockets, kind = servers[name]
            started[name] = Target(tool.serve(*words, sockets=sockets, **kwargs), good, kind)
            started[name].good(started[name])
        return started[name]
    return get


def reset(sock):
    """Closes a TCP connection by a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def waiting(sock):
    """The datagrams that are there now."""
    result = []
    while select.select([sock], [], [], 0)[0]:
        try:
            result.append(sock.recv(1 << 16))
        except ConnectionRefusedError:
            pass
    return result


def matches(pattern, data):
    return re.fullmatch(pattern, data, re.S) is not None
