"""The servers that fan-out is compared with, each started on a free port, and the load that they all get."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))

from machine import cpu_seconds, free_port  # noqa: E402

__all__ = ["OWN", "WIRES", "cpu_seconds", "deliver", "free_port", "program", "server", "wait_for_port"]

BUILD = os.environ["NETKIT_BUILD"]
WIRES = ["netkit", "redis", "nats", "mosquitto"]
# push, and a room, each in clear and with keys; keys alone; and the limit of these.
OWN = ["netkit", "room", "private", "private-room", "handshakes", "limit"]
PROGRAMS = {"netkit": f"{BUILD}/bin/netkit", "redis": "redis-server", "nats": "nats-server", "mosquitto": "mosquitto"}
MOSQUITTO = "listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_connections -1\n"


def program(wire):
    """Where it is, or None; mosquitto is installed where only root looks."""
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"])
    return shutil.which(PROGRAMS[wire], path=path)


def wait_for_port(port):
    deadline = time.monotonic() + 20
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if time.monotonic() > deadline:
            raise SystemExit(f"no server on port {port}")
        time.sleep(0.02)


def command(wire, port, folder):
    path = program(wire)
    if wire == "redis":
        return [path, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                "--client-output-buffer-limit", "pubsub 0 0 0"]
    if wire == "nats":
        return [path, "-a", "127.0.0.1", "-p", str(port)]
    config = os.path.join(folder, "mosquitto.conf")
    with open(config, "w", encoding="ascii") as file:
        file.write(MOSQUITTO.format(port=port))
    os.chmod(folder, 0o755)
    return [path, "-c", config]


def own_command(wire):
    """What starts one of ours, which says its port on its standard error."""
    keys = [] if wire in ("netkit", "room") else ["--psk-file", os.environ["NETKIT_BENCH_KEYS"]]
    if wire == "limit":
        return [f"{BUILD}/bench/private_limit", keys[1]]
    words = ["chat", "serve", "127.0.0.1:0"] if wire.endswith("room") else ["push", "serve", "0", "--from", "-"]
    return [program("netkit"), *words, "-q", "--ready-fd", "2", *keys]


def start_speaker(wire, port, source):
    """A member of the room who says what comes from there."""
    keys = ["--psk-file", os.environ["NETKIT_BENCH_KEYS"]] if wire == "private-room" else []
    member = subprocess.Popen([program("netkit"), "chat", "join", str(port), "--name", "speaker", *keys], stdin=source,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while b"joined" not in member.stderr.readline():
        pass
    return member


@contextlib.contextmanager
def server(wire):
    """Its process, its port, and the descriptor that ours take what is published from (or -1)."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        def run(process):
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        if wire in OWN:
            reading, source = os.pipe()
            for descriptor in (reading, source):
                stack.callback(os.close, descriptor)
            process = run(subprocess.Popen(own_command(wire), stdin=reading, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE))
            port = int(re.search(rb":(\d+)\n", process.stderr.readline()).group(1))
            if wire.endswith("room"):
                run(start_speaker(wire, port, reading))
        else:
            port, source = free_port(), -1
            process = run(subprocess.Popen(command(wire, port, folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            wait_for_port(port)
        yield process, port, source


def deliver(wire, subscribers, messages, size, window):
    """Seconds, and CPU seconds of the server, until all subscribers have all messages."""
    with server(wire) as (process, port, source):
        words = [f"{BUILD}/bench/fanout_load", wire, port, subscribers, messages, size, window, source]
        load = subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                pass_fds=[source] if source >= 0 else [])
        try:
            if load.stdout.readline() != b"ready\n":
                raise SystemExit(f"{wire}: the load does not get its subscriptions")
            before = cpu_seconds(process.pid)
            load.stdin.write(b"go\n")
            load.stdin.flush()
            answer = load.stdout.readline()
            if not answer:
                raise SystemExit(f"{wire}: not all messages arrived")
            return float(answer), cpu_seconds(process.pid) - before
        finally:
            load.kill()
            load.wait()
