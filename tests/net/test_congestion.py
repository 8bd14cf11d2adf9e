"""netkit push behind a bottleneck of 10 Mbit/s with 100 ms of buffer: alone, beside a TCP stream, and many of it."""

import json
import os
import subprocess
import time

import pytest

from lan import Lan, _run

RATE = 10e6
BUFFER = 125_000
LINE = "x" * 1000
SOURCE = f"exec:yes {LINE}"

# Answers each line that it reads with the bytes that it has received.
TCP_SINK = """
import socket, sys, threading
listener = socket.create_server(("10.91.1.2", 5001))
print("ready", flush=True)
stream, _ = listener.accept()
count = 0
def answer():
    for _ in sys.stdin:
        print(count, flush=True)
threading.Thread(target=answer, daemon=True).start()
while data := stream.recv(1 << 16):
    count += len(data)
"""
TCP_SOURCE = """
import socket
stream = socket.create_connection(("10.91.1.2", 5001))
while True:
    stream.sendall(bytes(1 << 16))
"""


@pytest.fixture
def lan(netkit):
    """What a sends to b passes the bottleneck."""
    lan = Lan(netkit)
    lan.host("a", "10.91.1.1/24")
    lan.host("b", "10.91.1.2/24")
    _run("tc", "qdisc", "add", "dev", "n1", "root", "tbf", "rate", "10mbit", "burst", "15kb", "latency", "100ms",
         pid=lan.hosts["a"].pid)
    return lan


def inside(lan, host, *argv):
    return ["nsenter", "-t", str(lan.hosts[host].pid), "-n", *argv]


def bottleneck(lan):
    out = subprocess.run(inside(lan, "a", "tc", "-s", "-j", "qdisc", "show", "dev", "n1"), check=True, capture_output=True,
                         text=True, timeout=20).stdout
    return json.loads(out)[0]


class Measured:
    """What passes the bottleneck for so long."""

    def __init__(self, lan, span):
        before, began = bottleneck(lan), time.monotonic()
        backlogs = []
        while time.monotonic() < began + span:
            backlogs.append(bottleneck(lan)["backlog"])
            time.sleep(0.1)
        after, took = bottleneck(lan), time.monotonic() - began
        self.bytes = after["bytes"] - before["bytes"]
        packets = after["packets"] - before["packets"]
        drops = after["drops"] - before["drops"]
        self.used = self.bytes * 8 / took / RATE
        self.dropped = drops / max(packets + drops, 1)
        self.backlog = sum(backlogs) / len(backlogs)
        print(f"used {self.used:.2f}, dropped {self.dropped:.3f}, backlog {self.backlog:.0f} bytes")


def received(sink):
    sink.write("\n")
    return int(sink.out.line())


def subscribe(lan, tmp_path, number=0):
    path = tmp_path / f"out{number}"
    with open(path, "wb") as file:
        lan.start("b", "push", "subscribe", "10.91.1.1:9000", "--name", f"s{number}", stdout=file)
    return path


@pytest.mark.realtime
def test_alone_it_uses_the_path_and_keeps_the_buffer_free(lan, tmp_path):
    lan.listen("b", "echo", "serve", "10.91.1.2:8080", "-q")
    bare = lan.run("a", "echo", "ping", "10.91.1.2:8080", "-c", "10", "-i", "10ms", "--json").records[-1]["rtt_p50_ms"]
    lan.listen("a", "push", "serve", "10.91.1.1:9000", "--from", SOURCE, "--slow", "wait")
    subscribe(lan, tmp_path)
    time.sleep(2)
    ping = lan.start("a", "echo", "ping", "10.91.1.2:8080", "-c", "30", "-i", "100ms", "--json")
    measured = Measured(lan, 3)
    assert measured.used >= 0.85
    assert measured.dropped <= 0.02
    assert measured.backlog < BUFFER / 3
    beside = json.loads(ping.out.rest().splitlines()[-1])["rtt_p50_ms"]
    assert beside < 1.5 * bare + 20, (bare, beside)


@pytest.mark.realtime
def test_beside_a_tcp_stream_both_have_their_share(lan, tmp_path):
    lan.listen("a", "push", "serve", "10.91.1.1:9000", "--from", SOURCE, "--slow", "wait")
    subscribe(lan, tmp_path)
    sink = lan.netkit.start(argv=inside(lan, "b", "python3", "-c", TCP_SINK))
    sink.out.expect(rb"ready\n")
    lan.netkit.start(argv=inside(lan, "a", "python3", "-c", TCP_SOURCE))
    time.sleep(4)
    before = received(sink)
    measured = Measured(lan, 8)
    tcp = received(sink) - before
    share = 1 - tcp * 1514 / 1448 / measured.bytes
    print(f"share {share:.2f}")
    assert measured.used >= 0.85
    assert 0.1 <= share <= 0.75


@pytest.mark.realtime
def test_fifty_subscribers_do_not_overfill_it(lan, tmp_path):
    lan.listen("a", "push", "serve", "10.91.1.1:9000", "--from", SOURCE, "--slow", "wait", "--min-subscribers", "50")
    paths = [subscribe(lan, tmp_path, number) for number in range(50)]
    deadline = time.monotonic() + 30
    while not all(os.path.getsize(path) for path in paths):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(3)
    before = [os.path.getsize(path) for path in paths]
    measured = Measured(lan, 5)
    got = [os.path.getsize(path) - size for path, size in zip(paths, before)]
    print(f"from {min(got)} to {max(got)} bytes")
    assert measured.used >= 0.85
    assert measured.dropped <= 0.02
    assert min(got) > 0


def test_what_comes_faster_than_it_can_pass_is_not_lost(lan):
    lan.listen("a", "push", "serve", "10.91.1.1:9000", "--from", "exec:seq -f %01000.0f 1 2000", "--slow", "wait",
               "--min-subscribers", "1")
    client = lan.start("b", "push", "subscribe", "10.91.1.1:9000", "--name", "ann")
    assert [int(line) for line in client.out.rest().splitlines()] == list(range(1, 2001))
    assert client.wait() == 0
