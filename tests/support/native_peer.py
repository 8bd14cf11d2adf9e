"""Peers of the native dialect, a push subscriber and a chat member, written from netkit-protocol(7) and nothing else."""

import os
import struct

HELLO, COOKIE, CONNECT, ACCEPT, REJECT, DATA, ACK, BYE = 1, 2, 3, 4, 5, 6, 7, 8
PING = 1
NUMBERED, CONTINUES, OPEN = 1, 2, 4
WINDOW = 64


def begin(kind, flags, key):
    return struct.pack(">BBBB", 0xF5, 2, kind, flags) + key


class Session:
    """`lose(number)` says which of the DATA that arrive, counted from 0, are to be taken for lost on their way."""

    def __init__(self, sock, server, payload, lose=lambda number: False):
        self.sock, self.server, self.lose = sock, server, lose
        self.messages, self.gaps = [], []  # (number, text), (from, to)
        self.end = None  # what the server's end says
        self.partial = {}  # by whether they are numbered
        self.held = {}
        self.data = 0
        self.seq = 1  # of its next DATA
        self._handshake(payload)

    def _ask(self, datagram, kind):
        while True:
            self.sock.sendto(datagram, self.server)
            answer, sender = self.sock.recvfrom(2048)
            assert sender == self.server
            if answer[4:12] == datagram[4:12]:
                assert answer[2] != REJECT, answer[14:]
                if answer[:3] == bytes([0xF5, 2, kind]):
                    return answer

    def _handshake(self, payload):
        nonce = os.urandom(8)
        cookie = self._ask(begin(HELLO, 0, nonce).ljust(64, b"\0"), COOKIE)[12:32]
        accept = self._ask(begin(CONNECT, 0, nonce) + cookie + struct.pack(">IH", 1, WINDOW) + payload, ACCEPT)
        self.session = accept[12:20]
        self.next, _, self.lease = struct.unpack(">IHI", accept[20:30])
        self.key, self.payload = accept[30:46], accept[46:]
        assert self.payload[0] == 1
        self.acknowledge(PING)

    def _header(self, kind, flags=0):
        return begin(kind, flags, self.session) + struct.pack(">IIHH", self.seq, self.next, WINDOW, 0)

    def acknowledge(self, flags=0):
        ahead = [number for number in self.held if number != self.next]
        bitmap = bytearray((max(ahead) - self.next - 1) // 8 + 1 if ahead else 0)
        for number in ahead:
            bit = number - self.next - 1
            bitmap[bit // 8] |= 1 << bit % 8
        self.sock.sendto(self._header(ACK, flags) + bytes(bitmap), self.server)

    def send(self, body):
        """One DATA with this body, which is not sent again."""
        self.sock.sendto(self._header(DATA, PING) + body, self.server)
        self.seq += 1

    def run(self):
        """Until the server has said its end."""
        while self.end is None:
            datagram, _ = self.sock.recvfrom(2048)
            assert len(datagram) <= 1200 and datagram[:2] == b"\xf5\x02" and datagram[4:12] == self.session
            kind, flags = datagram[2], datagram[3]
            if kind == DATA:
                self.data += 1
                if self.lose(self.data - 1):
                    continue
                self._take(int.from_bytes(datagram[12:16], "big"), datagram[24:])
            if kind == DATA or flags & PING:
                self.acknowledge()

    def _take(self, number, body):
        # The numbers of a test do not go round.
        if number >= self.next:
            self.held[number] = body
        while self.next in self.held:
            self._deliver(self.held.pop(self.next))
            self.next += 1

    def _deliver(self, body):
        kind, flags, rest = body[0] >> 4, body[0] & 15, body[1:]
        if kind == 1:
            self.gaps.append(struct.unpack(">QQ", rest[:16]))
        elif kind == 2:
            self.end = rest[1:]
        else:
            self._bundle(flags, rest)

    def _bundle(self, flags, rest):
        number = 0
        if flags & NUMBERED:
            number, rest = int.from_bytes(rest[:8], "big"), rest[8:]
        entries = []
        while rest:
            size, rest = (rest[0], rest[1:]) if rest[0] < 128 else ((rest[0] & 127) << 8 | rest[1], rest[2:])
            entries.append(rest[:size])
            rest = rest[size:]
        for i, entry in enumerate(entries):
            if i == 0 and flags & CONTINUES:
                entry = self.partial.pop(flags & NUMBERED) + entry
            if i == len(entries) - 1 and flags & OPEN:
                self.partial[flags & NUMBERED] = entry
                break
            self.messages.append((number + i if number else 0, entry))

    def leave(self, text=b"bye"):
        self.sock.sendto(self._header(BYE) + b"\0" + text, self.server)


class NativePeer(Session):
    """A push subscriber."""

    def __init__(self, sock, server, name, since=0, **kwargs):
        super().__init__(sock, server, struct.pack(">BQQ", 1, 0, since) + name, **kwargs)
        _, self.stream, self.first = struct.unpack(">BQQ", self.payload)


class ChatPeer(Session):
    """A chat member."""

    def __init__(self, sock, server, name):
        instance = int.from_bytes(os.urandom(8), "big")
        super().__init__(sock, server, struct.pack(">BQQQQB", 1, instance, 0, 0, 0, len(name)) + name)

    def gap(self, count):
        """Tells the room that so many messages will never come."""
        self.send(b"\x10" + struct.pack(">QQI", 0, 0, count))
