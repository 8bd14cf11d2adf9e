"""sse proxy beside socat, which passes bytes on and looks at none of them."""

import socket
import statistics
import subprocess
import time

from others import ORIGIN
from processes import NETKIT, PYTHON, Child, cpu_seconds, free_port, judge

CPU_GOAL, DELAY_GOAL = 1.0, 1.5
PINGS = 3000
EVENT = b"data: " + b"x" * 192 + b"\n\n"


def socat(target):
    """A relay of one connection, and its port."""
    port = free_port()
    process = subprocess.Popen(["socat", f"TCP4-LISTEN:{port},bind=127.0.0.1,nodelay", f"TCP4:127.0.0.1:{target},nodelay"],
                               stderr=subprocess.DEVNULL)
    return process, port


def proxy(target):
    process = subprocess.Popen([NETKIT, "sse", "proxy", "127.0.0.1:0", f"http://127.0.0.1:{target}/", "-q", "--ready-fd", "1"],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return process, int(process.stdout.readline().decode().strip().rsplit(":", 1)[-1])


RELAYS = {"netkit": proxy, "socat": socat}


def connect(port):
    """socat says nothing when it listens."""
    end = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            assert time.monotonic() < end
            time.sleep(0.01)


def ask(sock):
    sock.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")


def cpu_of_bytes(relay, target):
    """CPU seconds of a relay for all that the origin sends."""
    process, port = relay(target)
    with connect(port) as sock:
        before = cpu_seconds(process.pid)
        ask(sock)
        buffer = bytearray(1 << 20)
        used = before
        while sock.recv_into(buffer):
            used = cpu_seconds(process.pid)  # socat ends with its connection
    process.kill()
    process.wait()
    return used - before


def delay(relay):
    """How long an event is under way through a relay, in microseconds: p50 and p99 of many, one after the other."""
    times = []
    with socket.create_server(("127.0.0.1", 0)) as origin:
        process, port = relay(origin.getsockname()[1])
        client = connect(port)
        ask(client)
        server, _ = origin.accept()
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server.recv(65536)
        server.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        client.recv(65536)
        for _ in range(PINGS):
            began = time.perf_counter_ns()
            server.sendall(EVENT)
            left = len(EVENT)
            while left:
                left -= len(client.recv(65536))
            times.append((time.perf_counter_ns() - began) / 1000)
        server.close()
        client.close()
        process.kill()
        process.wait()
    quantiles = statistics.quantiles(times, n=100)
    return quantiles[49], quantiles[98]


def relay_rounds(options):
    well = True
    for size in (200, 65536):
        found = {}
        with Child([PYTHON, "-c", ORIGIN, str(size), str(options.megabytes << 20)]) as origin:
            for _ in range(options.rounds):
                for name, relay in RELAYS.items():
                    found.setdefault(name, []).append(cpu_of_bytes(relay, origin.port))
        for name, runs in found.items():
            print(f"{size:6} B  {name} passes on: {statistics.median(runs) / options.megabytes * 1000:.2f} ms CPU a MiB")
        well &= judge(f"{size:6} B  sse proxy / socat", [a / b for a, b in zip(found["netkit"], found["socat"])], most=CPU_GOAL)
    found = {}
    for _ in range(options.rounds):
        for name, relay in RELAYS.items():
            found.setdefault(name, []).append(delay(relay))
    for name, runs in found.items():
        print(f"an event through {name}: p50 {statistics.median(r[0] for r in runs):.0f} us, "
              f"p99 {statistics.median(r[1] for r in runs):.0f} us")
    return well & judge("p99 of the delay, sse proxy / socat", [a[1] / b[1] for a, b in zip(found["netkit"], found["socat"])],
                        most=DELAY_GOAL)
