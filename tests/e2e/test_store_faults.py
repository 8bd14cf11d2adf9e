"""Three servers on one Redis, killed, stopped and cut off in turn: nothing that was acknowledged is lost, doubled or reordered.

NETKIT_STORE_SEED repeats a run, NETKIT_STORE_SECONDS makes it longer."""

import json
import os
import random
import signal
import threading
import time

import pytest

from netkit import tcp_connect, wait_until
from redis_server import Redis

SECONDS = float(os.environ.get("NETKIT_STORE_SECONDS", "8"))


class Publisher(threading.Thread):
    """Hands numbered records to whichever server takes them, and remembers those that were acknowledged."""

    def __init__(self, name, servers, over):
        super().__init__(daemon=True)
        self.name, self.servers, self.over = name, servers, over
        self.tried, self.acknowledged = [], []

    def run(self):
        number = 0
        while not self.over.is_set():
            try:
                with tcp_connect(random.choice(self.servers)) as sock:
                    sock.settimeout(10)
                    while not self.over.is_set():
                        number += 1
                        text = f"{self.name}-{number}"
                        self.tried.append(text)
                        sock.sendall(b"PUSH t %d\n%s" % (len(text), text.encode()))
                        answer = b""
                        while not answer.endswith(b"\n"):
                            chunk = sock.recv(100)
                            if not chunk:
                                raise ConnectionError
                            answer += chunk
                        if answer == b"OK\n":
                            self.acknowledged.append(text)
                        time.sleep(0.002)
            except OSError:
                self.over.wait(0.05)


class Servers:
    """Three, each at a port of its own, so that it is found again when it has been started anew."""

    def __init__(self, netkit, redis):
        self.netkit, self.redis, self.running, self.addresses = netkit, redis, [], []
        for _ in range(3):
            self.running.append(self.start("127.0.0.1:0"))
            self.addresses.append(self.running[-1].address)

    def start(self, address):
        return self.netkit.serve("push", "serve", address, "--from", "-", "--keep", "100000", "--reconnect-max", "200ms", "--store",
                                 f"redis://{self.redis.address}/t", sockets=2, stdout=open(os.devnull, "wb"))

    def kill(self, i):
        self.running[i].signal(signal.SIGKILL)
        self.running[i].wait()
        self.running[i] = self.start(self.addresses[i])


def faults(dice, servers, redis, end):
    """One after the other, each over before the next."""
    while time.monotonic() < end:
        time.sleep(dice.uniform(0.2, 0.6))
        kind = dice.choice(["server", "server", "redis", "stop"])
        if kind == "server":
            servers.kill(dice.randrange(3))
        elif kind == "redis":
            redis.kill()
            time.sleep(dice.uniform(0, 0.4))
            redis.start()
        else:
            redis.signal(signal.SIGSTOP)
            time.sleep(dice.uniform(0.1, 0.5))
            redis.signal(signal.SIGCONT)


def records(path):
    return [json.loads(line) for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def check(reader):
    """What it printed is in order, and each hole is one that it reported. Returns texts by their numbers."""
    heard, last = {}, 0
    for record in reader:
        if record["type"] == "gap":
            assert record["from"] == last + 1, record
            last = record["to"]
        else:
            assert record["seq"] == last + 1, (record, last)
            last = record["seq"]
            heard[last] = record["text"]
    return heard


@pytest.mark.timeout(100)
def test_nothing_is_lost_doubled_or_reordered(netkit, tmp_path):
    seed = int(os.environ.get("NETKIT_STORE_SEED", random.randrange(1 << 30)))
    print("NETKIT_STORE_SEED =", seed)
    dice = random.Random(seed)
    redis = Redis(tmp_path, "--appendonly", "yes", "--appendfsync", "always")
    try:
        servers = Servers(netkit, redis)
        paths = [tmp_path / f"reader{i}" for i in range(6)]
        for i, path in enumerate(paths):
            addresses = servers.addresses[i % 3:] + servers.addresses[:i % 3]
            with open(path, "wb") as file:
                reader = netkit.start("push", "subscribe", ",".join(addresses), "--name", f"r{i}", "--since", "1", "--json", "--no-end",
                                      "--reconnect-max", "100ms", stdout=file)
            reader.err.expect(rb"subscribed to")
        over = threading.Event()
        publishers = [Publisher(f"p{i}", servers.addresses, over) for i in range(3)]
        for one in publishers:
            one.start()
        faults(dice, servers, redis, time.monotonic() + SECONDS)
        over.set()
        for one in publishers:
            one.join(20)
        total = int(redis.cli("HGET", "{t:push}:state", "n"))
        wait_until(lambda: all(records(path) and records(path)[-1].get("seq") == total for path in paths), what="the last record")
        heard = [check(records(path)) for path in paths]
        acknowledged = {text for one in publishers for text in one.acknowledged}
        tried = [text for one in publishers for text in one.tried]
        assert len(acknowledged) > 100
        for texts in heard:
            assert texts == heard[0] and sorted(texts) == list(range(1, total + 1)), "one order for all, without holes"
            assert len(set(texts.values())) == len(texts), "nothing twice"
            assert acknowledged <= set(texts.values()) <= set(tried), "what was acknowledged, and nothing invented"
    finally:
        redis.kill()
