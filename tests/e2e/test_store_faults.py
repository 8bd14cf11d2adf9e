"""Three servers of each kind on one Redis, while servers, Redis and the ways between are killed, stopped and cut in turn:
nothing that was acknowledged is lost, nothing is invented, doubled or reordered, and every gap is reported.

NETKIT_STORE_SEED repeats a run, NETKIT_STORE_SECONDS makes it longer, NETKIT_STORE_READERS has more readers of each kind."""

import collections
import json
import os
import random
import re
import shutil
import signal
import threading
import time

import pytest

from echo_peers import free_port
from netkit import fake_names, tcp_connect, wait_until
from redis_server import Redis
from tcp_path import TcpPath

SECONDS = float(os.environ.get("NETKIT_STORE_SECONDS", "8"))
READERS = int(os.environ.get("NETKIT_STORE_READERS", "6"))
PAUSE = 0.01  # between the records of a publisher
QUICK = ("--reconnect-max", "200ms")


class Publisher(threading.Thread):
    """Hands numbered records to whichever server takes them; remembers those that were acknowledged, and when."""

    def __init__(self, name, addresses, over):
        super().__init__(daemon=True)
        self.name, self.addresses, self.over = name, addresses, over
        self.tried, self.acknowledged = [], {}

    def run(self):
        while not self.over.is_set():
            self.publish_at(random.choice(self.addresses), self.over.is_set)
            self.over.wait(0.05)
        while f"end-{self.name}" not in self.acknowledged:
            self.publish_at(random.choice(self.addresses), lambda: f"end-{self.name}" in self.acknowledged, f"end-{self.name}")

    def publish_at(self, address, is_done, text=None):
        try:
            with tcp_connect(address) as sock:
                sock.settimeout(10)
                while not is_done():
                    record = text or f"{self.name}-{len(self.tried)}"
                    self.tried.append(record)
                    if self.publish(sock, record.encode()):
                        self.acknowledged[record] = time.monotonic()
                    time.sleep(PAUSE)
        except OSError:
            time.sleep(0.05)


class Pusher(Publisher):
    def publish(self, sock, text):
        sock.sendall(b"PUSH t %d\n%s" % (len(text), text))
        return answer(sock, rb"[^\n]*\n")[0] == b"OK\n"


class Poster(Publisher):
    def publish(self, sock, text):
        sock.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer wr1te\r\nContent-Length: %d\r\n\r\n%s" %
                     (len(text), text))
        return answer(sock, rb"HTTP/1.1 (\d+).*?\r\n\r\n.*\n")[1] == b"200"


def answer(sock, pattern):
    data = b""
    while not (match := re.fullmatch(pattern, data, re.S)):
        chunk = sock.recv(4096)
        if not chunk:
            raise ConnectionError
        data += chunk
    return match


class Push:
    """Servers, readers and publishers of one kind. What a reader tells: ("heard", number, text), ("gap", from, to)."""

    name = "push"

    def __init__(self, netkit, urls, folder):
        self.netkit, self.urls, self.folder, self.servers = netkit, urls, folder, []
        self.addresses = [f"127.0.0.1:{free_port()}" for _ in urls]
        for i in range(len(urls)):
            self.servers.append(self.start(i))

    def start(self, i):
        return self.netkit.serve("push", "serve", self.addresses[i], "--from", "-", "--keep", "100000", *QUICK, "--store", self.urls[i],
                                 sockets=2, stdout=open(os.devnull, "wb"))

    def kill(self, i):
        self.servers[i].signal(signal.SIGKILL)
        self.servers[i].wait()
        self.servers[i] = self.start(i)

    def publisher(self, name, over):
        return Pusher(name, self.addresses, over)

    def turned(self, i):
        return self.addresses[i % 3:] + self.addresses[:i % 3]

    def read(self, i):
        path = self.folder / f"{self.name}{i}"
        with open(path, "wb") as file:
            self.reader(i, file).err.expect(rb"(subscribed to|joined|connected)")
        return path

    def reader(self, i, file):
        return self.netkit.start("push", "subscribe", ",".join(self.turned(i)), "--name", f"r{i}", "--since", "1", "--json", "--no-end",
                                 *QUICK, stdout=file)

    @staticmethod
    def told(record):
        if record["type"] == "gap":
            return ("gap", record["from"], record["to"])
        return ("heard", record["seq"], record["text"])


class Sse(Push):
    """Behind one name, as browsers are."""

    name = "sse"

    def __init__(self, netkit, urls, folder):
        (folder / "token").write_text("wr1te\n")
        self.port = free_port()
        super().__init__(netkit, urls, folder)

    def start(self, i):
        self.addresses[i] = f"127.0.0.{i + 1}:{self.port}"
        return self.netkit.serve("sse", "serve", self.addresses[i], "--from", "-", "--keep", "100000", *QUICK, "--store", self.urls[i],
                                 "--host", "events.example", "--write-token-file", self.folder / "token",
                                 stdout=open(os.devnull, "wb"))

    def publisher(self, name, over):
        return Poster(name, self.addresses, over)

    def reader(self, i, file):
        hosts = ",".join(address.split(":")[0] for address in self.turned(i))
        return self.netkit.start("sse", f"http://events.example:{self.port}/", "--retry", "50ms", *QUICK, "--comments", "--json", "--no-end",
                                 "-v", env=fake_names(f"events.example={hosts}"), stdout=file)

    @staticmethod
    def told(record):
        if record["type"] == "event":
            return ("heard", int(record["id"]), record["data"])
        lost = re.match(r"lost: (?:event (\d+)|\d+ events \((\d+) to (\d+)\))", record.get("text", ""))
        return lost and ("gap", int(lost[1] or lost[2]), int(lost[1] or lost[3]))


class Speaker:
    """A member who says numbered lines. What others hear under a number has been acknowledged by the store."""

    def __init__(self, room, name, over):
        self.name, self.over, self.tried, self.acknowledged = name, over, [], {}
        self.member = room.netkit.start("chat", "join", ",".join(room.addresses), "--name", name, "-q", *QUICK,
                                        stdout=open(os.devnull, "wb"))
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self):
        self.thread.start()

    def join(self, timeout):
        self.thread.join(timeout)

    def run(self):
        while not self.over.is_set():
            self.say(f"{self.name}-{len(self.tried)}")
            time.sleep(3 * PAUSE)
        self.say(f"end-{self.name}")

    def say(self, text):
        self.tried.append(text)
        self.member.write(text + "\n")


class Chat(Push):
    name = "chat"

    def start(self, i):
        return self.netkit.serve("chat", "serve", self.addresses[i], "--keep", "100000", *QUICK, "--lease", "5s", "--store", self.urls[i],
                                 stdout=open(os.devnull, "wb"))

    def publisher(self, name, over):
        return Speaker(self, name, over)

    def reader(self, i, file):
        return self.netkit.start("chat", "join", ",".join(self.turned(i)), "--name", f"r{i}", "--json", "--no-end", *QUICK, stdout=file)

    @staticmethod
    def told(record):
        if record["type"] == "gap":
            return record["to"] and ("gap", record["from"], record["to"])
        return record["type"] == "message" and ("heard", record["seq"], record["text"])


class Faults:
    """One after the other, each over before the next."""

    def __init__(self, dice, kinds, redis, paths):
        self.dice, self.kinds, self.redis, self.paths = dice, kinds, redis, paths
        self.rolled_back_at = None

    def run(self, seconds):
        end = time.monotonic() + seconds
        faults = [self.server, self.server, self.kill, self.stop, self.cut, self.hold]
        while time.monotonic() < end - seconds / 2:
            self.make(self.dice.choice(faults))
        self.roll_back()
        while time.monotonic() < end:
            self.make(self.dice.choice(faults))

    def make(self, fault):
        time.sleep(self.dice.uniform(0.1, 0.5))
        fault()

    def server(self):
        self.dice.choice(self.kinds).kill(self.dice.randrange(3))

    def kill(self):
        self.redis.kill()
        time.sleep(self.dice.uniform(0, 0.4))
        self.redis.start()

    def stop(self):
        self.redis.signal(signal.SIGSTOP)
        time.sleep(self.dice.uniform(0.1, 0.5))
        self.redis.signal(signal.SIGCONT)

    def cut(self):
        self.broken(TcpPath.cut)

    def hold(self):
        self.broken(TcpPath.hold)

    def broken(self, how):
        path = self.dice.choice(self.paths)
        how(path)
        time.sleep(self.dice.uniform(0.2, 0.8))
        path.mend()

    def roll_back(self):
        """As a failover to a replica that lacks the newest entries."""
        data = self.redis.folder / "appendonlydir"
        shutil.copytree(data, self.redis.folder / "older")
        time.sleep(0.7)
        self.redis.kill()
        self.rolled_back_at = time.monotonic()
        shutil.rmtree(data)
        shutil.move(self.redis.folder / "older", data)
        self.redis.start()


def has_ended(path, words):
    """Whether all of them stand near its end."""
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - 20000))
        end = file.read()
    return all(word in end for word in words)


def told(kind, path):
    records = [json.loads(line) for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    return [told for record in records if (told := kind.told(record))]


def appended_again(tales, stored, acknowledged, rolled_back_at):
    """What one server had read when the store lost it, while the answer to the one that appended it was still on its way: of that
    one alone netkit-store(7) says that it is heard again, under another number."""
    lost = {text for tale in tales for what, number, text in tale if what == "heard" and number and number not in stored}
    return {text for text in lost & set(stored.values()) if acknowledged.get(text, rolled_back_at) >= rolled_back_at}


def check_order(tale, again=()):
    """What a reader was told rises, and each hole is a gap that it was told or something that it had heard without a number.
    Nothing comes twice but what was appended `again`. Returns what it heard by its numbers, the gaps, and what had no number."""
    heard, gaps, unnumbered, holes, last = {}, [], [], [], 0
    for what, first, second in tale:
        if what == "gap":
            assert first > last or not holes, (first, second, last)
            gaps.append((first, second))
            last = max(last, second)
        elif first is None:
            unnumbered.append(second)
        else:
            assert first > last, f"{second} has number {first} and comes after {last}"
            holes += range(last + 1, min(first, last + 10000))
            heard[first], last = second, first
    holes = [hole for hole in holes if not any(first <= hole <= last for first, last in gaps)]
    texts = [*heard.values(), *unnumbered]
    twice = [text for text, count in collections.Counter(texts).items() if count > 1 + (text in again)]
    assert not twice, f"nothing twice: {[(number, text) for number, text in heard.items() if text in twice]}, gaps {gaps}"
    return heard, gaps, unnumbered, holes


def check(kind, tales, publishers, stored, rolled_back_at):
    """Returns a line that says what was compared."""
    tried = {text for one in publishers for text in one.tried}
    acknowledged = {text: at for one in publishers for text, at in one.acknowledged.items()}
    numbers = dict(stored)
    again = appended_again(tales, stored, acknowledged, rolled_back_at)
    results = [check_order(tale, again) for tale in tales]
    for heard, _, _, _ in results:
        for number, text in heard.items():
            assert numbers.setdefault(number, text) == text, f"{kind.name}: {number} is two records"
    number_of = {text: number for number, text in numbers.items()}
    twice = [text for text, count in collections.Counter(numbers.values()).items() if count > 1 + (text in again)]
    assert not twice, f"a record has two numbers: {twice}"
    assert set(number_of) <= tried, "something was invented"
    for text, at in acknowledged.items():
        assert text in number_of or at < rolled_back_at, f"{kind.name}: {text} was acknowledged and is lost"
    for heard, gaps, unnumbered, holes in results:
        assert {numbers.get(hole) for hole in holes} <= set(unnumbered), f"{kind.name}: gaps that were not reported"
        for number, text in numbers.items():
            is_told = number in heard or text in unnumbered or any(first <= number <= last for first, last in gaps)
            assert is_told, f"{kind.name}: {number} ({text}) was not heard"
        lost = sum(number not in heard and text not in unnumbered and number in stored for number, text in numbers.items())
        assert lost == 0, f"{kind.name}: {lost} records that the store has were reported as lost"
    assert len(numbers) > 20
    return f"{kind.name}: {len(tales)} readers, {len(acknowledged)} acknowledged, {len(numbers)} numbers, {len(results[0][1])} gaps"


def stored(redis, kind):
    """What Redis has by its numbers."""
    words = redis.cli("--json", "XRANGE", f"t:{kind.name}", "-", "+")
    entries = [dict(zip(pairs[::2], pairs[1::2])) for _, pairs in json.loads(words)]
    return {int(entry["n"]): entry["text"] for entry in entries}


@pytest.mark.timeout(60 + 5 * SECONDS)
def test_nothing_is_lost_doubled_or_reordered(netkit, tmp_path):
    seed = int(os.environ.get("NETKIT_STORE_SEED", random.randrange(1 << 30)))
    print("NETKIT_STORE_SEED =", seed)
    redis = Redis(tmp_path, "--appendonly", "yes", "--appendfsync", "always")
    paths = [TcpPath(redis.address) for _ in range(3)]
    try:
        kinds = [kind(netkit, [f"redis://{path.address}/t" for path in paths], tmp_path) for kind in (Push, Chat, Sse)]
        files = {kind: [kind.read(i) for i in range(READERS)] for kind in kinds}
        over = threading.Event()
        publishers = {kind: [kind.publisher(f"{kind.name}{i}", over) for i in range(3)] for kind in kinds}
        for one in sum(publishers.values(), []):
            one.start()
        faults = Faults(random.Random(seed), kinds, redis, paths)
        faults.run(SECONDS)
        over.set()
        for kind in kinds:
            for one in publishers[kind]:
                one.join(30)
            last = [f'"end-{one.name}"'.encode() for one in publishers[kind]]
            wait_until(lambda: all(has_ended(path, last) for path in files[kind]), what=f"the last of {kind.name}")
        for kind in kinds:
            tales = [told(kind, path) for path in files[kind]]
            print(check(kind, tales, publishers[kind], stored(redis, kind), faults.rolled_back_at))
    finally:
        redis.kill()
        for path in paths:
            path.close()
