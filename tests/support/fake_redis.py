"""A Redis that answers what it is told to."""

import contextlib
import socket
import threading

ATTACHED = b"*5\r\n:1\r\n:1\r\n:0\r\n:0\r\n$3\r\n0-0\r\n"


def good_answer(command):
    """What an empty Redis says, for the first seconds; nothing to who waits for entries, or appends `hello`."""
    if b"hello" in command:
        return b""
    if b"ROLE" in command:
        return b"*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"
    if b"SCRIPT" in command:
        return b"$40\r\n" + b"5" * 40 + b"\r\n"
    if b"EVAL" in command:
        return ATTACHED
    if b"HSCAN" in command:
        return b"*2\r\n$1\r\n0\r\n*0\r\n"
    if b"RANGE" in command:
        return b"*0\r\n"
    return b""


def commands(data):
    """The commands that have come whole, and what has come of the next."""
    found = []
    while data:
        at, words, parts = data.find(b"\r\n") + 2, 0, int(data[1:data.find(b"\r\n")] or 0) if b"\r\n" in data else 0
        while parts and words < parts and (end := data.find(b"\r\n", at)) > 0:
            at, words = end + 4 + int(data[at + 1:end]), words + 1
        if not parts or words < parts or at > len(data):
            break
        found.append(data[:at])
        data = data[at:]
    return found, data


class FakeRedis:
    """`answer(command)`: the bytes that are the answer, or pieces of them without end."""

    def __init__(self, answer=good_answer):
        self.answer = answer
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/t"
        self.connections = self.asked = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection = self.server.accept()[0]
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError), connection:
            rest = b""
            while data := connection.recv(1 << 20):
                whole, rest = commands(rest + data)
                for command in whole:
                    self.asked += 1
                    answer = self.answer(command)
                    for piece in [answer] if isinstance(answer, bytes) else answer:
                        connection.sendall(piece)

    def close(self):
        self.server.close()
