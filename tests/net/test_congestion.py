"""netkit push on paths that others use: a bottleneck with 100 ms of buffer, delay, loss, a TCP stream beside.

What a busy machine does to round trips is not the path's: some bounds here are wider than those of the simulated paths in
tests/unit/datagram/congestion_test.cpp. Each path is two hosts with a cable of its own between them, so that several are measured at once."""

import contextlib
import json
import os
import re
import subprocess
import time

import pytest

from keys import key_file
from lan import Lan, _run

LINE = "x" * 1000
SOURCE = f"exec:yes {LINE}"
HERE, THERE = "10.91.1.1", "10.91.1.2"
HERE_6, THERE_6 = "fd91::1", "fd91::2"

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


@pytest.fixture(autouse=True)
def first_in_line():
    """Round trips are to be those of the path: a busy machine serves these programs before others."""
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -15)


class Path:
    """What host a sends to b passes a bottleneck of so many Mbit/s (0: there is none)."""

    def __init__(self, netkit, folder, mbit, rtt_ms, loss=0, ip="ip", encrypted=False):
        self.lan = Lan(netkit)
        self.folder = folder
        folder.mkdir()
        for name in "ab":
            self.lan.host(name)
        self.ip, self.encrypted = ip, encrypted
        self.server = HERE if ip == "ip" else f"[{HERE_6}]"
        self.lan.cable("a", *((HERE, "b", THERE) if ip == "ip" else (HERE_6, "b", THERE_6)), rtt_ms / 2, loss)
        self.mbit = 0
        if mbit:
            self.set_rate(mbit)

    def set_rate(self, mbit):
        verb = "replace" if self.mbit else "add"
        self.mbit = mbit
        self.buffer = mbit * 12_500
        _run("tc", "qdisc", verb, "dev", "n1", "root", "tbf", "rate", f"{mbit}mbit", "burst", "15kb", "latency", "100ms",
             pid=self.lan.hosts["a"].pid)

    def router(self, *rules):
        """What leaves a is changed by these rules of nft."""
        table = f"{self.ip} path"
        for words in (f"add table {table}", f"add chain {table} out {{ type filter hook postrouting priority 0; }}",
                      *(f"add rule {table} out {self.ip} {rule}" for rule in rules)):
            _run("nft", words, pid=self.lan.hosts["a"].pid)

    def inside(self, host, *argv):
        return ["nsenter", "-t", str(self.lan.hosts[host].pid), "-n", *argv]

    def serve(self, port=9000, *options):
        keys = ["--psk-file", key_file(self.folder / "keys", "ann")] if self.encrypted else []
        self.lan.listen("a", "push", "serve", f"{self.server}:{port}", "--from", SOURCE, "--slow", "wait", *keys, *options)

    def subscribe(self, number=0, port=9000):
        """Returns the file with what comes."""
        path = self.folder / f"out{number}"
        who = ["--psk-file", self.folder / "keys"] if self.encrypted else ["--name", f"s{number}"]
        with open(path, "wb") as file:
            self.lan.start("b", "push", "subscribe", f"{self.server}:{port}", *who, stdout=file)
        return path

    def start_tcp(self):
        self.sink = self.lan.netkit.start(argv=self.inside("b", "python3", "-c", TCP_SINK))
        self.sink.out.expect(rb"ready\n")
        self.lan.netkit.start(argv=self.inside("a", "python3", "-c", TCP_SOURCE))

    def tcp_bytes(self):
        self.sink.write("\n")
        return int(self.sink.out.line())

    def bottleneck(self):
        out = subprocess.run(self.inside("a", "tc", "-s", "-j", "qdisc", "show", "dev", "n1"), check=True,
                             capture_output=True, text=True, timeout=20).stdout
        return json.loads(out)[0]


class Measured:
    """What passes the bottleneck from now until end()."""

    def __init__(self, path):
        self.path = path
        self.before, self.began = path.bottleneck(), time.monotonic()
        self.backlogs = []

    def look(self):
        self.backlogs.append(self.path.bottleneck()["backlog"])

    def end(self):
        after, took = self.path.bottleneck(), time.monotonic() - self.began
        self.bytes = after["bytes"] - self.before["bytes"]
        packets = after["packets"] - self.before["packets"]
        drops = after["drops"] - self.before["drops"]
        self.used = self.bytes * 8e-6 / took / self.path.mbit
        self.dropped = drops / max(packets + drops, 1)
        self.backlog = sum(self.backlogs) / max(len(self.backlogs), 1)
        print(f"{self.path.mbit} Mbit/s: used {self.used:.2f}, dropped {self.dropped:.3f}, backlog {self.backlog:.0f} bytes")
        return self


def measure(paths, span):
    """All of these paths at once, for so many seconds."""
    measured = [Measured(path) for path in paths]
    end = time.monotonic() + span
    while time.monotonic() < end:
        time.sleep(0.1)
        for each in measured:
            each.look()
    return [each.end() for each in measured]


def sizes(files):
    return [os.path.getsize(file) for file in files]


def wait_for_all(files):
    deadline = time.monotonic() + 30
    while not all(sizes(files)):
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.realtime
def test_alone_it_keeps_the_buffer_free_and_two_share_the_path(netkit, tmp_path):
    paths = [Path(netkit, tmp_path / f"{rtt}", 10, rtt) for rtt in (2, 80)]
    bare = []
    for path in paths:
        path.lan.listen("b", "echo", "serve", f"{THERE}:8080", "-q")
        records = path.lan.run("a", "echo", "ping", f"{THERE}:8080", "-c", "5", "-i", "10ms", "--json").records
        bare.append(records[-1]["rtt_p50_ms"])
    pair = Path(netkit, tmp_path / "pair", 10, 2)
    for port in (9000, 9001):  # each with a source of its own
        pair.serve(port)
    files = [pair.subscribe(0, 9000)]
    for path in paths:
        path.serve()
        path.subscribe()
    wait_for_all(files)
    files.append(pair.subscribe(1, 9001))
    wait_for_all(files)
    time.sleep(3)
    pings = [path.lan.start("a", "echo", "ping", f"{THERE}:8080", "-c", "30", "-i", "100ms", "--json") for path in paths]
    before = sizes(files)
    *alone, both = measure([*paths, pair], 3)
    got = [after - size for after, size in zip(sizes(files), before)]
    for measured in alone:
        assert measured.used >= 0.85
        assert measured.dropped <= 0.02
        assert measured.backlog < measured.path.buffer / 3
    for ping, rtt in zip(pings, bare):
        beside = json.loads(ping.out.rest().splitlines()[-1])["rtt_p50_ms"]
        assert beside < 1.5 * rtt + 20, (rtt, beside)
    print("got", got)
    assert both.used >= 0.85
    assert max(got) <= 2 * min(got)


@pytest.mark.realtime
def test_beside_a_tcp_stream_both_have_their_share(netkit, tmp_path):
    paths = [Path(netkit, tmp_path / f"{mbit}-{rtt}", mbit, rtt) for mbit, rtt in ((10, 2), (10, 80))]
    for path in paths:
        path.serve()
        path.subscribe()
        path.start_tcp()
    time.sleep(5)
    before = [path.tcp_bytes() for path in paths]
    for measured, count in zip(measure(paths, 6), before):
        tcp = measured.path.tcp_bytes() - count
        share = 1 - tcp * 1500 / 1448 / measured.bytes
        print(f"share {share:.2f}")
        assert measured.used >= 0.85
        assert 0.25 <= share <= 0.75


@pytest.mark.realtime
def test_fifty_subscribers_do_not_overfill_it(netkit, tmp_path):
    path = Path(netkit, tmp_path / "path", 10, 2)
    path.serve(9000, "--min-subscribers", "50")
    files = [path.subscribe(number) for number in range(50)]
    wait_for_all(files)
    time.sleep(4)
    before = sizes(files)
    measured, = measure([path], 4)
    got = [after - size for after, size in zip(sizes(files), before)]
    print(f"from {min(got)} to {max(got)} bytes")
    assert measured.used >= 0.85
    assert measured.dropped <= 0.02
    assert max(got) <= 2 * min(got)


@pytest.mark.realtime
def test_a_room_of_fifty_who_all_talk_does_not_overfill_it(netkit, tmp_path):
    path = Path(netkit, tmp_path / "path", 10, 2)
    path.lan.listen("a", "chat", "serve", f"{HERE}:9000", "-q")
    files, members = [tmp_path / f"member{number}" for number in range(50)], []
    for number, file in enumerate(files):
        with open(file, "wb") as out:
            members.append(path.lan.start("b", "chat", "join", f"{HERE}:9000", "--name", f"m{number}", "--notices", "no",
                                          stdout=out))

    def talk(span, measured=None):
        end = time.monotonic() + span
        while time.monotonic() < end:
            for member in members:
                member.write("y" * 120 + "\n")
            time.sleep(0.1)
            if measured:
                measured.look()

    talk(5)
    before, measured = sizes(files), Measured(path)
    talk(4, measured)
    measured.end()
    got = [after - size for after, size in zip(sizes(files), before)]
    print(f"from {min(got)} to {max(got)} bytes")
    assert measured.used >= 0.85
    assert measured.dropped <= 0.02
    assert max(got) <= 2 * min(got)
    assert all(member.popen.poll() is None for member in members)


def test_what_comes_faster_than_it_can_pass_is_not_lost(netkit, tmp_path):
    path = Path(netkit, tmp_path / "path", 10, 2)
    path.lan.listen("a", "push", "serve", f"{HERE}:9000", "--from", "exec:seq -f %01000.0f 1 2000", "--slow", "wait",
                    "--min-subscribers", "1")
    client = path.lan.start("b", "push", "subscribe", f"{HERE}:9000", "--name", "ann")
    assert [int(line) for line in client.out.rest().splitlines()] == list(range(1, 2001))
    assert client.wait() == 0


@pytest.mark.realtime
def test_random_loss_does_not_stop_it(netkit, tmp_path):
    rates = {}
    for loss in (0, 20):
        path = Path(netkit, tmp_path / f"{loss}", 0, 40, loss)
        path.serve()
        file = path.subscribe()
        wait_for_all([file])
        time.sleep(1)
        before, began = os.path.getsize(file), time.monotonic()
        time.sleep(1.5)
        rates[loss] = (os.path.getsize(file) - before) * 8e-6 / (time.monotonic() - began)
        netkit.cleanup()
    print({loss: round(rate, 1) for loss, rate in rates.items()}, "Mbit/s")
    assert rates[20] >= 0.5 * rates[0]


@pytest.mark.realtime
def test_marks_are_answered_and_cleared_ones_not_made_any_more(netkit, tmp_path):
    marking = [Path(netkit, tmp_path / "marking", 0, 40),
               Path(netkit, tmp_path / "marking6", 0, 40, ip="ip6", encrypted=True)]
    clearing = Path(netkit, tmp_path / "clearing", 20, 40)
    for path in marking:
        path.router(f"ecn ect0 limit rate over 1250 kbytes/second burst 20 kbytes {path.ip} ecn set ce")
    clearing.router("ecn ect0 counter ip ecn set not-ect")
    for path in (*marking, clearing):
        path.serve()
    files = [path.subscribe() for path in (*marking, clearing)]
    wait_for_all(files)
    time.sleep(1.5)
    before, began = sizes(files), time.monotonic()
    time.sleep(1.5)
    took = time.monotonic() - began
    rates = [(after - size) * 8e-6 / took for after, size in zip(sizes(files), before)]
    out = subprocess.run(clearing.inside("a", "nft", "-j", "list", "table", "ip", "path"), check=True, capture_output=True,
                         text=True, timeout=20).stdout
    marked = int(re.search(r'"packets": (\d+)', out)[1])
    print(f"{rates[0]:.1f} and {rates[1]:.1f} Mbit/s where more than 10 are marked; {marked} marks that were cleared")
    assert all(5 <= rate <= 15 for rate in rates[:2])
    assert 1 <= marked <= 10


@pytest.mark.realtime
def test_it_follows_a_rate_that_falls_and_rises(netkit, tmp_path):
    path = Path(netkit, tmp_path / "path", 100, 40)
    path.serve()
    file = path.subscribe()
    time.sleep(2)
    for mbit, least in ((2, 0.8), (100, 0.4)):
        path.set_rate(mbit)
        time.sleep(5 * 0.14 + 0.5)
        measured, = measure([path], 1.5)
        assert measured.used >= least
    assert path.lan.run("a", "push", "status", f"{HERE}:9000", "--json").records[0]["lost"] == 0
    assert set(file.read_bytes().split()[:-1]) == {LINE.encode()}
