"""netkit sse among bad servers, at the ends of pipes and over restarts: nothing lost, nothing invented, memory bounded."""

import email.utils
import json
import re
import socket
import sys
import time
import zlib

import pytest

from netkit import Terminal, clean_environment, netkit_path
from sse_peer import ONE, QUICK, Server, answer, events, hold, ok

# Far above what 16 MiB of event need, also under a sanitizer, and far below what an endless answer brings.
MEMORY_KIB = 400 << 10


def peer_window_scale(sock):
    """What the peer shifts its windows by, RFC 7323: tcpi_snd_wscale of linux/tcp.h."""
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[6] & 15


def without_end(start, more):
    """A step that sends `more` again and again."""
    def step(connection, _):
        connection.send(start)
        try:
            while True:
                connection.send(more)
        except OSError:
            pass
    return step


MEASURE = """import resource, subprocess, sys
done = subprocess.run(sys.argv[1:])
print("memory", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(done.returncode)"""


def run_measured(netkit, *args):
    """The Result, and the most memory that it took, in KiB."""
    done = netkit.run(argv=[sys.executable, "-c", MEASURE, netkit_path(), "sse", *args])
    return done, int(re.search(rb"memory (\d+)", done.err).group(1))


def gzip_bomb():
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    piece = bomb.compress(b"data: " + b"x" * (4 << 20)) + bomb.flush(zlib.Z_SYNC_FLUSH)
    return without_end(ok(piece, Content_Encoding="gzip"), bomb.compress(b"x" * (64 << 20)) + bomb.flush(zlib.Z_SYNC_FLUSH))


@pytest.mark.parametrize("step", [
    gzip_bomb(),
    without_end(ok(b"data: "), b"x" * 65536),
    without_end(ok(b": "), b"x" * 65536),
    without_end(ok(b""), b"data: xxxxxxxxxxxxxxxx\n" * 1000),
    without_end(ok(b"id: "), b"\xff" * 65536),
], ids=["a gzip bomb", "an endless line", "an endless comment", "an endless event", "an endless id"])
def test_what_has_no_end(netkit, step):
    with Server(step) as server:
        done, memory = run_measured(netkit, server.url, *QUICK)
    assert done.status == 76 and done.out == b"" and b"16M (--max-event)" in done.err, done
    assert memory < MEMORY_KIB


def test_a_line_of_16_mib_in_small_writes(netkit):
    size = 15 << 20

    def step(connection, _):
        connection.send(ok(b"data: "))
        for _ in range(size // 4096):
            connection.send(b"x" * 4096)
        connection.send(b"\n\n")
    with Server(step) as server:
        done = netkit.run("sse", server.url, *QUICK, "-c", "1")
    assert done.status == 0 and len(done.out) == size + 1


def test_a_fast_server_runs_ahead_by_no_more_than_a_cache_holds(netkit):
    """The receive window can be 2 MiB at most, however much the kernel would let in."""
    most = []

    def step(connection, _):
        most.append(65535 << peer_window_scale(connection.sock))
        connection.send(ok(ONE))
    with Server(step) as server:
        done = netkit.run("sse", server.url, "-c", "1")
    assert done.status == 0 and 1 << 20 <= most[0] <= 2 << 20, (done, most)


def test_retry_after_is_honoured(netkit):
    with Server(answer("503 Busy", Retry_After="1"), ok(ONE)) as server:
        started = time.monotonic()
        done = netkit.run("sse", server.url, *QUICK, "-c", "1")
    assert done.status == 0 and time.monotonic() - started >= 1 and b"trying again in 1.0 s" in done.err


def test_retry_after_may_be_a_date(netkit):
    """A date two to three seconds ahead: whole seconds are all that it can say."""
    def busy(connection, _):
        connection.send(answer("503 Busy", Retry_After=email.utils.formatdate(int(time.time()) + 3, usegmt=True)))
    with Server(busy, ok(ONE)) as server:
        done = netkit.run("sse", server.url, *QUICK, "-c", "1")
    assert done.status == 0 and re.search(rb"trying again in [1-3]\.0 s", done.err), done


@pytest.mark.parametrize("value", ["soon", "-1", "0", "Sun, 06 Nov 1994 08:49:37 GMT"])
def test_a_retry_after_of_no_use_is_as_none(netkit, value):
    with Server(answer("503 Busy", Retry_After=value), ok(ONE)) as server:
        done = netkit.run("sse", server.url, *QUICK, "-c", "1")
    assert done.status == 0 and re.search(rb"trying again in \d+ ms", done.err), done


@pytest.mark.realtime
def test_a_reader_of_stdout_that_pauses_is_no_silence(netkit):
    """What waits in the socket meanwhile is read before --idle-timeout gives the stream up."""
    number = 8 << 10

    def step(connection, _):
        connection.send(ok(b"data: " + b"x" * 1018 + b"\n\n") + b"data: %s\n\n" % (b"x" * 1018) * (number - 1))
    with Server(step) as server:
        client = netkit.start("sse", server.url, "--reconnect", "never", "--idle-timeout", "200ms")
        client.out.expect(rb"x\n")
        client.err.silent(1)  # the pause that is the subject
        assert client.wait() == 69 and client.out.rest().count(b"\n") + 1 == number
    assert client.err.rest() == b"netkit: sse: %s: the server closed the stream\n" % server.url.encode()


def test_until_takes_one_pass_over_the_data(netkit):
    """A search that begins anew at each byte would take days for what a server can make of this."""
    with Server(ok(b"data: " + b"a" * (1 << 20) + b"\n\n" + ONE)) as server:
        done = netkit.run("sse", server.url, "--until", "a.*b|^one$", deadline=100)
    assert done.status == 0 and done.out.endswith(b"a\none\n")


@pytest.mark.realtime
def test_it_never_spins(netkit):
    """A server that asks for no pause, and closes at once, is asked ten times a second at most."""
    with Server(ok(b"retry: 0\n\n" + ONE), repeat=True) as server:
        done = netkit.run("sse", server.url, "--timeout", "1s")
    assert done.status == 124 and 2 <= len(server.requests) <= 12


def test_a_timeout(netkit):
    with Server(hold(ok(ONE))) as server:
        done = netkit.run("sse", server.url, "--timeout", "300ms")
    assert done.status == 124 and done.out == b"one\n"


def test_head_of_a_pipe(netkit):
    def step(connection, _):
        connection.send(ok(b""))
        try:
            while True:
                connection.send(events(1))
                time.sleep(0.01)
        except OSError:
            pass
    with Server(step) as server:
        done = netkit.shell(f"netkit sse {server.url} | head -1; echo ${{PIPESTATUS[0]}}")
    assert done.lines[0] == "event 1" and done.lines[1] == "141" and done.err == b""


@pytest.mark.parametrize("to", ["| cat", ">/dev/null"])
def test_a_pipeline_has_the_terminal_for_itself(netkit, to):
    """A client draws no live line, which would stand among what the last command of the pipeline writes."""
    with Server(hold(ok(ONE))) as server:
        command = f"'{netkit_path()}' sse {server.url} --timeout 2s {to}; echo over"
        shell = Terminal(["bash", "-c", command], {**clean_environment(), "TERM": "xterm"}, 24, 80)
        netkit.processes.append(shell)
        shell.expect(rb"--timeout: 2s passed(.*)over")
    assert b"\x1b[K" not in shell.out.data, shell.out.data


def test_a_full_disk(netkit):
    with Server(hold(ok(ONE))) as server:
        done = netkit.shell(f"netkit sse {server.url} >/dev/full")
    assert done.status == 74 and b"space" in done.err


def test_each_event_is_passed_on_by_broadcast(netkit):
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.settimeout(20)
    receiver.bind(("", 0))
    port = receiver.getsockname()[1]
    with receiver, Server(ok(events(1, 2))) as server:
        done = netkit.run("sse", server.url, *QUICK, "-c", "2", "--to", f"broadcast:127.255.255.255:{port}", "--template",
                    "Recv message form SSE Server!")
        assert done.status == 0 and done.out == b""
        assert [receiver.recv(100) for _ in range(2)] == [b"Recv message form SSE Server!"] * 2


def test_nothing_is_lost_over_ten_restarts(netkit):
    def step(connection, request):
        first = int(request.headers.get("last-event-id", "0")) + 1
        last = min(first + 99, 1000)
        connection.send(ok(events(*range(first, last + 1)) + b"id: %d\ndata: ha" % (last + 1)))
        if first % 200 == 1:
            connection.reset()
    with Server(*[step] * 60) as server:
        done = netkit.run("sse", server.url, *QUICK, "-c", "1000", "--json")
    numbers = [int(r["id"]) for r in done.records[:-1]]
    assert done.status == 0 and numbers == list(range(1, 1001))
    assert all(r["data"] == f"event {r['id']}" for r in done.records[:-1]) and len(server.requests) >= 10


# Numbers its events from Last-Event-ID on; after 100 and half of another one it dies by SIGKILL, as it does at LAST.
RESTARTING = """import os, re, signal, socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
peer, _ = server.accept()
asked = peer.recv(65536).decode()
first = int((re.search(r"(?i)last-event-id: (\\d+)", asked) or [0, 0])[1]) + 1
peer.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Type: text/event-stream\\r\\n\\r\\n")
for n in range(first, first + 100):
    peer.sendall(b"id: %d\\ndata: event %d\\n\\n" % (n, n))
peer.sendall(b"id: %d\\ndata: event %d\\n" % (n + 1, n + 1))
peer.recv(1) if n >= 1000 else os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_server_that_is_killed_ten_times(netkit, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with open(tmp_path / "out", "wb") as out:
        client = netkit.start("sse", f"http://127.0.0.1:{port}/", "-c", "1000", "--json", *QUICK, stdout=out)
    for _ in range(10):
        server = netkit.start(argv=[sys.executable, "-c", RESTARTING, port])
        server.wait()
    assert client.wait() == 0
    records = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert [(r["id"], r["data"]) for r in records[:-1]] == [(str(n), f"event {n}") for n in range(1, 1001)]
    assert records[-1]["ok"] and records[-1]["reconnects"] >= 9
