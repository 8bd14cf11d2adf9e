"""netkit push between hosts of its own: who may subscribe, and registrations from addresses that are not their sender's."""

import os
import signal
import subprocess

import pytest

from lan import Lan, _run
from netkit import wait_until
from programs import resident

COUNT = 100_000
FORGE = os.path.join(os.environ["NETKIT_SOURCE"], "tests", "support", "forge.py")
HELLO, HEADERS = 64, 14 + 20 + 8


@pytest.fixture
def lan(netkit):
    """a serves, b subscribes, c forges. What a sends to the forged addresses, all of 10.128.0.0/9, goes to c."""
    lan = Lan(netkit)
    for number, name in enumerate("abc", 1):
        lan.host(name, f"10.91.1.{number}/24")
        for place in ("all", "n1"):
            _run("sysctl", "-qw", f"net.ipv4.conf.{place}.rp_filter=0", pid=lan.hosts[name].pid)
    _run("ip", "route", "add", "10.128.0.0/9", "via", "10.91.1.3", pid=lan.hosts["a"].pid)
    return lan


def sent_bytes(lan, host):
    out = subprocess.run(["nsenter", "-t", str(lan.hosts[host].pid), "-n", "cat", "/proc/net/dev"], check=True,
                         capture_output=True, text=True, timeout=20).stdout
    return next(int(line.split(":")[1].split()[8]) for line in out.splitlines() if line.strip().startswith("n1:"))


def forge(lan, port, payload):
    subprocess.run(["nsenter", "-t", str(lan.hosts["c"].pid), "-n", "python3", FORGE, "10.128.0.0", str(COUNT), "10.91.1.1",
                    str(port), payload], check=True, timeout=60)


@pytest.mark.parametrize("payload", ["hello", "name"])
def test_a_hundred_thousand_forged_registrations_leave_nothing(lan, tmp_path, payload):
    server = lan.listen("a", "push", "serve", "10.91.1.1:9000", "--every", "10ms", "--message", "{seq}", "-v")
    path = tmp_path / "out"
    with open(path, "wb") as file:
        client = lan.start("b", "push", "subscribe", "10.91.1.1:9000", "--name", "ann", stdout=file)
    client.err.expect(rb"subscribed")
    wait_until(path.read_bytes)
    before, sent = resident(server.pid), sent_bytes(lan, "a")
    forge(lan, 9000, payload)
    seen = len(path.read_bytes().splitlines())
    wait_until(lambda: len(path.read_bytes().splitlines()) > seen + 5)
    assert resident(server.pid) - before < 8 << 20
    status = lan.run("a", "push", "status", "10.91.1.1:9000", "--json")
    assert [record["name"] for record in status.records[:-1]] == ["ann"]
    records = len(path.read_bytes().splitlines())
    answered = sent_bytes(lan, "a") - sent - records * (HEADERS + 100)
    assert answered <= COUNT * (HELLO + HEADERS if payload == "hello" else 0)
    assert client.stop() == 0
    numbers = [int(line) for line in path.read_bytes().splitlines()]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert server.stop() == 0
    refused = int(server.err.expect(rb"refused plain (\d+)").group(1))
    # What the network between them dropped was never refused.
    assert refused > COUNT / 2 if payload == "name" else refused == 0


@pytest.mark.parametrize("mode, taken", [("local", ["near"]), ("all", ["far", "near"]), ("none", [])])
def test_plain_says_from_where_plain_subscribers_may_come(lan, mode, taken):
    """b is on the server's network; c comes from an address behind it."""
    _run("ip", "address", "add", "10.200.0.1/32", "dev", "lo", pid=lan.hosts["c"].pid)
    _run("ip", "route", "replace", "10.91.1.0/24", "dev", "n1", "src", "10.200.0.1", pid=lan.hosts["c"].pid)
    _run("ip", "route", "add", "10.200.0.1/32", "via", "10.91.1.3", pid=lan.hosts["a"].pid)
    server = lan.listen("a", "push", "serve", "10.91.1.1:9000", "--every", "20ms", "--plain", mode)
    clients = {name: lan.start(host, "push", "subscribe", "10.91.1.1:9000", "--plain", "--name", name)
               for host, name in (("b", "near"), ("c", "far"))}
    for name in taken:
        clients[name].out.line()

    def refused():
        server.signal(signal.SIGUSR1)
        return int(server.err.expect(rb"refused plain (\d+)").group(1))
    wait_until(lambda: refused() == 2 - len(taken))
    status = lan.run("a", "push", "status", "10.91.1.1:9000", "--json")
    assert sorted(record["name"] for record in status.records[:-1]) == taken
