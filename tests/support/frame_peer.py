"""The other end of netkit frame: scripted servers and clients that speak the wire format byte by byte."""

import select
import socket
import struct

from netkit import DEADLINE, free_port, host_port

APPID = "0123456789abcdef0123456789abcdef0123"
IMEI = "356938035643809"


def frame(content):
    return struct.pack(">I", len(content)) + content


def answer(message_id, error=0, body=b""):
    return frame(struct.pack(">bb", message_id, error) + body)


def request(message_id, body=b""):
    return frame(struct.pack(">b", message_id) + body)


REGISTER = request(0, (APPID + IMEI).encode())
HEARTBEAT = request(1)
DATETIME = request(2)


class Peer:
    """One connection, with a deadline on everything."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(DEADLINE)

    def send(self, data):
        self.sock.sendall(data)

    def exactly(self, count):
        data = b""
        while len(data) < count:
            chunk = self.sock.recv(count - len(data))
            assert chunk, f"closed after {data!r}; {count} bytes were due"
            data += chunk
        return data

    def expect(self, data):
        got = self.exactly(len(data))
        assert got == data, f"got {got!r}, want {data!r}"

    def content(self):
        """The content of the next frame."""
        return self.exactly(struct.unpack(">I", self.exactly(4))[0])

    def request(self):
        """The next request that is no heartbeat, as (id, body); heartbeats are answered."""
        while True:
            content = self.content()
            if content != b"\x01":
                return struct.unpack(">b", content[:1])[0], content[1:]
            self.send(answer(1))

    def at_end(self):
        """Waits for the end of the connection and gives what came before it."""
        data = b""
        try:
            while chunk := self.sock.recv(65536):
                data += chunk
        except ConnectionResetError:
            pass
        return data

    def silent(self, duration):
        assert not select.select([self.sock], [], [], duration)[0], "something came"

    def close(self):
        self.sock.close()

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Server:
    """A listening socket on a free port; `accept()` gives a Peer."""

    def __init__(self, port=0):
        self.sock = socket.create_server(("127.0.0.1", port))
        self.sock.settimeout(DEADLINE)
        self.port = self.sock.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.peers = []

    def accept(self):
        peer = Peer(self.sock.accept()[0])
        self.peers.append(peer)
        return peer

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
        for peer in self.peers:
            peer.close()


def connect(address):
    return Peer(socket.create_connection(host_port(address), timeout=DEADLINE))


def is_served(address):
    """Whether a heartbeat is answered, by a server that may refuse or drop the connection."""
    peer = connect(address)
    try:
        peer.send(HEARTBEAT)
        return peer.sock.recv(6) == answer(1)
    except OSError:
        return False
    finally:
        peer.close()
