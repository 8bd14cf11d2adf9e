"""The echo servers that are measured: the limit, netkit, and what people use otherwise."""

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))

from machine import cpu_seconds, free_port, own_memory, read  # noqa: E402

__all__ = ["BUILD", "CLIENT_CPU", "Server", "available", "load", "own_memory"]

BUILD = os.environ["NETKIT_BUILD"]
SERVER_CPU, CLIENT_CPU = 0, 1

PYTHON_UDP = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('127.0.0.1', int(sys.argv[1])))
while True:
    data, peer = s.recvfrom(65536)
    s.sendto(data, peer)
"""
PYTHON_TCP = """
import asyncio, sys
class Echo(asyncio.Protocol):
    def connection_made(self, transport): self.transport = transport
    def data_received(self, data): self.transport.write(data)
async def main():
    server = await asyncio.get_running_loop().create_server(Echo, '127.0.0.1', int(sys.argv[1]))
    await server.serve_forever()
asyncio.run(main())
"""
NODE_UDP = """
const s = require('dgram').createSocket('udp4');
s.on('message', (m, r) => s.send(m, r.port, r.address));
s.bind(+process.argv[1], '127.0.0.1');
"""
NODE_TCP = """
require('net').createServer(c => { c.setNoDelay(); c.on('error', () => {}); c.pipe(c); })
  .listen(+process.argv[1], '127.0.0.1');
"""


def command(name, kind, port):
    """The argument vector of a server; `port` 0 where it chooses and prints one itself."""
    udp = kind == "udp"
    return {
        "limit": [f"{BUILD}/bench/echo_reflector", kind],
        "spinning": [f"{BUILD}/bench/echo_reflector", kind, "spin"],
        "netkit": [f"{BUILD}/bin/netkit", "echo", "serve", "127.0.0.1:0", f"--{kind}", "--ready-fd", "1", "-q",
                   "--max-clients", "20000"],
        "sockperf": ["sockperf", "sr", "-i", "127.0.0.1", "-p", port] + ([] if udp else ["--tcp"]),
        "socat": ["socat", f"{'UDP4' if udp else 'TCP4'}-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork", "PIPE"],
        "ncat": ["ncat", "-l", "-k", "127.0.0.1", port, "-c", "cat"] + (["-u"] if udp else []),
        "python": ["/usr/bin/python3", "-c", PYTHON_UDP if udp else PYTHON_TCP, port],
        "node": ["node", "-e", NODE_UDP if udp else NODE_TCP, port],
    }[name]


def available(name):
    program = command(name, "udp", 0)[0]
    return shutil.which(program) is not None


class Server:
    """A running server, pinned to its CPU."""

    def __init__(self, name, kind):
        port = 0 if name in ("limit", "spinning", "netkit") else free_port(kind)
        argv = [str(word) for word in command(name, kind, port)]
        self.popen = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                      start_new_session=True, preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CPU}))
        self.pid = self.popen.pid
        if port == 0:
            line = self.popen.stdout.readline().decode()
            if not line:
                sys.exit(f"{argv[0]} did not start")
            port = int(re.search(r"(\d+)\s*$", line).group(1))
        else:
            self._wait_for(kind, port)
        self.port = port

    @staticmethod
    def _wait_for(kind, port):
        table = {"udp": ("/proc/net/udp", "07"), "tcp": ("/proc/net/tcp", "0A")}[kind]
        end = time.monotonic() + 10
        while f"0100007F:{port:04X} 00000000:0000 {table[1]}" not in read(table[0]):
            if time.monotonic() > end:
                sys.exit(f"no {kind} server came up on port {port}")
            time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.killpg(self.pid, signal.SIGKILL)  # a session that this object started
        self.popen.wait()
        self.popen.stdout.close()


def load(server, mode, seconds, flows, window, size):
    """Runs the load: (messages sent, received, seconds, CPU seconds of the server); None where the server fails."""
    words = [f"{BUILD}/bench/echo_load", mode, str(server.port), str(seconds), str(flows), str(window), str(size)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          preexec_fn=lambda: os.sched_setaffinity(0, {CLIENT_CPU})) as client:
        try:
            if not select.select([client.stdout], [], [], 60)[0] or client.stdout.readline() != "ready\n":
                return None
            before = cpu_seconds(server.pid)
            answer = client.communicate("\n", timeout=seconds + 15)[0]
        except subprocess.TimeoutExpired:
            return None
        finally:
            client.kill()
    if client.returncode != 0:
        return None
    sent, received, lasted = answer.split()
    if mode == "tcp":  # which counts bytes
        sent, received = int(sent) // size, int(received) // size
    # The load counts after a tenth of its time, the CPU from its start.
    return int(sent), int(received), float(lasted), (cpu_seconds(server.pid) - before) * 0.9
