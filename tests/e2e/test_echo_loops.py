"""echo serve must not be used for loops: forged datagrams, in a network of the test's own."""

import ctypes
import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import threading

import pytest
from netkit import udp_socket

CLONE_NEWNET = 0x40000000


@pytest.fixture(autouse=True)
def own_network():
    """Only a loopback interface, so that nothing forged can leave."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net", encoding="ascii") as before:
        if libc.unshare(CLONE_NEWNET) != 0:
            pytest.skip("no network namespace here: " + os.strerror(ctypes.get_errno()))
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        yield
        assert libc.setns(before.fileno(), CLONE_NEWNET) == 0


def forge(source, destination, data, count=1):
    """Sends UDP datagrams to `destination` as if they came from `source`; both (host, port)."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        for _ in range(count):
            udp = struct.pack("!HHHH", source[1], destination[1], 8 + len(data), 0) + data
            header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, socket.IPPROTO_UDP, 0,
                                 socket.inet_aton(source[0]), socket.inet_aton(destination[0]))
            raw.sendto(header + udp, (destination[0], 0))


def serve(netkit, *args, address="127.0.0.1:0"):
    return netkit.serve("echo", "serve", address, "--udp", "--to", "file:/dev/null", *args)


def counters(server):
    """The server's totals so far."""
    server.signal(signal.SIGUSR1)
    line = server.err.expect(rb"netkit: echo: (.*received \d+.*)\n").group(1).decode()
    return {name.replace(" ", "_"): int(value) for name, value in re.findall(r"([a-z][a-z _]*?) (\d+)(?:,|$)", line)}


def settled(*servers):
    """Waits until nothing more is received; returns each one's totals."""
    last = None
    while True:
        now = [counters(server) for server in servers]
        if last is not None and [c["received"] for c in now] == [c["received"] for c in last]:
            return now
        last = now
        select.select([], [], [], 0.2)


@pytest.mark.parametrize("reply", ["{text}", "ack: {text}", "pong"])
@pytest.mark.parametrize("forged", [1, 20])
def test_a_loop_between_two_servers_falls_silent(netkit, reply, forged):
    one, other = serve(netkit, "--reply", reply), serve(netkit)
    forge(("127.0.0.1", other.port), ("127.0.0.1", one.port), b"round and round", forged)
    totals = settled(one, other)
    assert 0 < sum(t["received"] for t in totals) < 5_000
    assert sum(t["loops"] for t in totals) >= 1
    with udp_socket() as client:  # others are answered as before
        client.sendto(b"hello", ("127.0.0.1", other.port))
        assert client.recv(100) == b"hello"


def test_a_loop_is_stopped_and_the_load_test_beside_it_is_not(netkit):
    one, other = serve(netkit), serve(netkit)
    bench = netkit.start("echo", "bench", one.address, "--flows", "2", "--window", "16", "--duration", "1s", "--json",
                         "--stats=50ms")
    bench.err.expect(rb"received [1-9]")  # it runs
    forge(("127.0.0.1", other.port), ("127.0.0.1", one.port), b"round and round")
    assert bench.wait() == 0
    end = json.loads(bench.out.data.splitlines()[-1])
    (of_one, of_other) = settled(one, other)
    assert 0 < of_other["received"] < 5_000 and of_one["loops"] + of_other["loops"] >= 1
    assert end["received"] > 5_000 and end["lost"] == 0


def test_a_loop_with_another_echo_server_falls_silent(netkit):
    server = serve(netkit)
    echoed = []
    with udp_socket() as other:
        other.settimeout(0.5)
        forge(other.getsockname(), ("127.0.0.1", server.port), b"x" * 100)
        try:
            while len(echoed) < 20_000:
                data, peer = other.recvfrom(2000)
                other.sendto(data, peer)
                echoed.append(peer)
        except TimeoutError:
            pass
    assert len(echoed) < 5_000
    server.err.expect(rb"answers answers: ignored from now on")


def test_it_does_not_talk_to_itself(netkit):
    server = serve(netkit)
    forge(("127.0.0.1", server.port), ("127.0.0.1", server.port), b"mirror")
    (totals,) = settled(server)
    assert (totals["received"], totals["sent"], totals["dropped_own"]) == (1, 0, 1)


def test_it_does_not_talk_to_itself_by_another_of_its_addresses(netkit):
    server = serve(netkit, address="0.0.0.0:0")
    forge(("127.0.0.9", server.port), ("127.0.0.1", server.port), b"mirror")
    (totals,) = settled(server)
    assert (totals["received"], totals["sent"], totals["dropped_own"]) == (1, 0, 1)


@pytest.mark.parametrize("any_port", [False, True])
def test_service_ports_and_port_zero(netkit, any_port):
    server = serve(netkit, *(["--any-port"] if any_port else []))
    ports = [7, 13, 17, 19, 37, 53, 123, 1900, 11211]
    for port in ports + [0]:
        forge(("127.0.0.1", port), ("127.0.0.1", server.port), b"x")
    (totals,) = settled(server)
    assert totals["received"] == len(ports) + 1
    assert totals["sent"] == (len(ports) if any_port else 0)
    assert totals["dropped_port"] == (1 if any_port else len(ports) + 1)


def test_broadcast_is_heard_and_not_answered(netkit):
    subprocess.run(["ip", "link", "add", "d0", "type", "veth", "peer", "name", "d1"], check=True)
    subprocess.run(["ip", "addr", "add", "10.9.8.1/24", "broadcast", "10.9.8.255", "dev", "d0"], check=True)
    for end in ("d0", "d1"):
        subprocess.run(["ip", "link", "set", end, "up"], check=True)
    server = serve(netkit, address="0.0.0.0:0")
    with udp_socket(address=("10.9.8.1", 0)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        client.sendto(b"anybody?", ("10.9.8.255", server.port))
        client.sendto(b"you", ("10.9.8.1", server.port))
        assert client.recv(100) == b"you"
    forge(("10.9.8.255", 5000), ("10.9.8.1", server.port), b"amplify")
    forge(("255.255.255.255", 5000), ("10.9.8.1", server.port), b"amplify")
    (totals,) = settled(server)
    assert totals["sent"] == 1
    assert totals["dropped_broadcast"] >= 1


def test_an_honest_client_with_one_payload_gets_every_answer(netkit):
    server = serve(netkit)
    with udp_socket() as client:
        for _ in range(6_000):
            client.sendto(b"same", ("127.0.0.1", server.port))
            assert client.recv(100) == b"same"
    assert counters(server)["dropped_loop"] == 0


@pytest.mark.parametrize("arguments", [["--flows", "1", "--window", "64"], ["--flows", "4", "--rate", "20000/s"]])
def test_a_load_generator_is_not_stopped(netkit, arguments):
    server = serve(netkit)
    done = netkit.run("echo", "bench", server.address, "--duration", "500ms", "--json", *arguments)
    end = json.loads(done.out.splitlines()[-1])
    assert done.status == 0 and end["received"] > 5_000
    assert counters(server)["dropped_loop"] == 0


def test_a_peer_that_cannot_be_reached_does_not_stop_it(netkit):
    server = serve(netkit, address="0.0.0.0:0")
    stop = threading.Event()

    def flood():
        while not stop.is_set():
            forge(("203.0.113.9", 4000), ("127.0.0.1", server.port), b"unroutable")
            forge(("127.0.0.1", 9), ("127.0.0.1", server.port), b"refused")

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        with udp_socket() as client:
            for number in range(300):
                client.sendto(b"%d" % number, ("127.0.0.1", server.port))
                assert client.recv(100) == b"%d" % number
    finally:
        stop.set()
        thread.join()
