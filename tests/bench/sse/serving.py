"""sse serve beside node's http and the least that a server can do; and by HTTP/2 beside HTTP/1.1."""

import json
import selectors
import socket
import subprocess
import sys
import tempfile

from others import NODE_SERVER
from processes import BUILD, NETKIT, Child, cpu_seconds, judge, make_local_certificate

# events at a time, than whose deliveries a second of CPU time, the least that the quotient may be
GOALS = {(16, "node"): 4, (1, "limit"): 0.8}
SHARED, HTTP2_GOAL = 10, 1.6  # streams a connection; their cost a delivery to that of HTTP/1.1
WINDOW = 4  # seconds that count


def deliveries(argv, readers, events, burst):
    """Events that reached a reader, a second of the server's CPU time; `burst` at a time, each written by itself."""
    with Child(argv, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as server, selectors.DefaultSelector() as wait:
        for _ in range(readers):
            sock = socket.create_connection(("127.0.0.1", server.port))
            sock.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200" in sock.recv(4096)
            sock.setblocking(False)
            wait.register(sock, selectors.EVENT_READ)
        before = cpu_seconds(server.process.pid)
        for number in range(events):
            server.process.stdin.write(b"x" * 100 + b"%08d\n" % number)
            server.process.stdin.flush()
            if number % burst == burst - 1:
                drain(wait, readers, b"%08d\n" % number)
        used = cpu_seconds(server.process.pid) - before
        for key in list(wait.get_map().values()):
            key.fileobj.close()
    return readers * events / max(used, 0.01)


def drain(wait, readers, last):
    """Until every reader has the event that ends with `last`."""
    missing = readers
    while missing > 0:
        for key, _ in wait.select(10) or sys.exit("an event did not arrive within ten seconds"):
            missing -= last in key.fileobj.recv(65536)


def serve_rounds(options):
    """Bursts of 16, of which each server makes what batches it can, have the goal; an event at a time is a send a reader,
    whoever sends, so that there the limit is what to look at."""
    servers = {"netkit": [NETKIT, "sse", "serve", "127.0.0.1:0", "-q", "--ready-fd", "1"],
               "node": ["node", "-e", NODE_SERVER],
               "limit": [f"{BUILD}/bench/sse_limit", str(options.readers)]}
    quotients = {}
    for _ in range(options.rounds):
        for burst, events in ((1, options.events), (16, options.events * 4)):
            rates = {name: deliveries(argv, options.readers, events, burst) for name, argv in servers.items()}
            for name in ("node", "limit"):
                quotients.setdefault((burst, name), []).append(rates["netkit"] / rates[name])
            print(f"serve to {options.readers}, {burst:2} at a time: "
                  + ", ".join(f"{name} {rate:,.0f}/s" for name, rate in rates.items()), flush=True)
    well = [judge(f"serve {burst:2} at a time: netkit / {name}", found, least=GOALS.get((burst, name)))
            for (burst, name), found in quotients.items()]
    return all(well)


def microseconds(readers, server_args, url, client_args):
    """CPU time of sse serve for each delivery, once all readers are there."""
    server_argv = [NETKIT, "sse", "serve", "127.0.0.1:0", "--every", "20ms", "--message", "x" * 100, "-q", "--json",
                   "--stats=500ms", "--ready-fd", "1", *server_args]
    with Child(server_argv, stderr=subprocess.DEVNULL) as server:
        client = subprocess.Popen([NETKIT, "sse", "bench", url.format(port=server.port), "--readers", str(readers), "--duration",
                                   f"{WINDOW + 10}s", *client_args], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            marks = []
            for line in server.process.stdout:
                record = json.loads(line)
                if record["readers"] == readers:
                    marks.append((record["delivered"], cpu_seconds(server.process.pid)))
                if len(marks) == 2 * WINDOW + 1:
                    break
        finally:
            client.kill()
            client.wait()
    return 1e6 * (marks[-1][1] - marks[0][1]) / (marks[-1][0] - marks[0][0])


def http2_rounds(options):
    """The same events to the same readers, who have a connection each or share them."""
    with tempfile.TemporaryDirectory() as folder:
        make_local_certificate(folder)
        tls = ("--cert", f"{folder}/server.pem", "--key", f"{folder}/server.key")
        ways = {"HTTP/1.1": ((), "http://127.0.0.1:{port}/e", ()),
                "HTTP/1.1 by TLS": (tls, "https://127.0.0.1:{port}/e", ("--insecure",)),
                "HTTP/2": (tls, "https://127.0.0.1:{port}/e", ("--insecure", "--streams", str(SHARED)))}
        found = {}
        for _ in range(options.rounds):
            for name, way in ways.items():
                found.setdefault(name, []).append(microseconds(options.readers, *way))
            print(f"serve to {options.readers}: " + ", ".join(f"{name} {runs[-1]:.2f} us a delivery" for name, runs in found.items()),
                  flush=True)
    well = judge(f"serve by HTTP/2 to {options.readers // SHARED} connections of {SHARED} streams / by HTTP/1.1",
                 [a / b for a, b in zip(found["HTTP/2"], found["HTTP/1.1"])], most=HTTP2_GOAL)
    judge("the same / by HTTP/1.1 and TLS", [a / b for a, b in zip(found["HTTP/2"], found["HTTP/1.1 by TLS"])])
    return well
