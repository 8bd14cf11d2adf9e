"""A UDP relay in the test's own process that loses, doubles and reorders datagrams, by a seed."""

import heapq
import random
import select
import socket
import threading
import time

import pytest

from netkit import host_port


class Relay:
    """Clients send to `relay.address`; each gets a socket of its own towards `target`, so that the server sees as many
    peers as there are. `loss`, `double` and `reorder` are probabilities, applied in both directions. `outage()` drops
    everything for a while, `move()` gives every client another address and port towards the server, as a NAT may.
    `largest` is the largest payload seen, `forwarded` and `dropped` count datagrams; `tap`, if set, is called with each
    that comes and whether a client sent it."""

    def __init__(self, target, loss=0.0, double=0.0, reorder=0.0, delay=0.02, seed=1):
        self.target = target
        self.loss, self.double, self.reorder, self.delay = loss, double, reorder, delay
        self.random = random.Random(seed)
        self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.front.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.front.bind(("127.0.0.1", 0))
        self.address = "%s:%d" % self.front.getsockname()
        self.clients = {}
        self.backs = {}
        self.delayed = []
        self.largest = 0
        self.forwarded = self.dropped = 0
        self.down_until = 0.0
        self.moves = self.moved = 0
        self.tap = None
        self.running = True
        self.count = 0
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def outage(self, seconds):
        self.down_until = time.monotonic() + seconds

    def move(self):
        """Returns once it is done; what is on its way to where the clients were is lost."""
        self.moves += 1
        while self.moved < self.moves:
            time.sleep(0.001)

    def _move(self):
        for client, old in list(self.clients.items()):
            del self.clients[client], self.backs[old]
            old.close()
        self.moved = self.moves

    def _back(self, client):
        sock = self.clients.get(client)
        if sock is None:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            sock.bind((f"127.0.0.{1 + self.moved}", 0))
            self.clients[client] = sock
            self.backs[sock] = client
        return sock

    def _forward(self, sock, data, to):
        self.largest = max(self.largest, len(data))
        if time.monotonic() < self.down_until or self.random.random() < self.loss:
            self.dropped += 1
            return
        copies = 2 if self.random.random() < self.double else 1
        for _ in range(copies):
            if self.random.random() < self.reorder:
                self.count += 1
                due = time.monotonic() + self.random.random() * self.delay
                heapq.heappush(self.delayed, (due, self.count, sock, data, to))
            else:
                self._send(sock, data, to)

    def _send(self, sock, data, to):
        try:
            sock.sendto(data, to)
            self.forwarded += 1
        except OSError:
            self.dropped += 1

    def _run(self):
        while self.running:
            timeout = 0.05
            if self.delayed:
                timeout = min(timeout, max(0.0, self.delayed[0][0] - time.monotonic()))
            ready = select.select([self.front, *self.backs], [], [], timeout)[0]
            for sock in ready:
                try:
                    data, sender = sock.recvfrom(65536)
                except OSError:
                    continue
                if self.tap:
                    self.tap(data, sock is self.front)
                if sock is self.front:
                    self._forward(self._back(sender), data, self.target)
                else:
                    self._forward(self.front, data, self.backs[sock])
            if self.moved < self.moves:
                self._move()
            while self.delayed and self.delayed[0][0] <= time.monotonic():
                _, _, sock, data, to = heapq.heappop(self.delayed)
                self._send(sock, data, to)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.running = False
        self.thread.join()
        for sock in [self.front, *self.backs]:
            sock.close()


@pytest.fixture
def relays():
    """relays(server, loss=0.2) begins one in front of a server."""
    made = []

    def make(server, **kwargs):
        made.append(Relay(host_port(server.address), **kwargs))
        return made[-1]
    yield make
    for relay in made:
        relay.close()
