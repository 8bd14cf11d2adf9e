"""Records that others send: `--from udp:`, `tcp:` and `unix:`; and sinks that lead back."""

import contextlib
import signal
import socket

import pytest

from echo_peers import free_port
from netkit import udp_socket


@pytest.fixture
def sink():
    """Where the records go."""
    sock = udp_socket()
    yield sock
    sock.close()


def address(sock):
    return "127.0.0.1:%d" % sock.getsockname()[1]


def start(netkit, sink, *sources):
    """broadcast send sends each record on. Returns it and the ports of the sources."""
    run = netkit.start("broadcast", "send", address(sink), "-w", "none", "--replies", "1",
                       *[word for source in sources for word in ("--from", source)])
    ports = [int(run.err.expect(rb"reading from (?:udp|tcp) 127\.0\.0\.1:(\d+)\n").group(1)) for _ in sources]
    return run, ports


def heard(sink, count):
    return [sink.recv(65536) for _ in range(count)]


def write(port, data):
    with socket.create_connection(("127.0.0.1", port)) as writer:
        writer.sendall(data)


def test_a_datagram_is_a_record(netkit, sink):
    run, (port,) = start(netkit, sink, "udp:127.0.0.1:0")
    with udp_socket() as writer:
        for text in (b"one", b"two\nlines", b""):
            writer.sendto(text, ("127.0.0.1", port))
            assert heard(sink, 1) == [text]
    assert run.stop(signal.SIGINT) == 130


def test_a_line_of_a_connection_is_a_record(netkit, sink):
    run, (first, second) = start(netkit, sink, "tcp:127.0.0.1:0", "tcp:127.0.0.1:0")
    write(first, b"one\ntwo\r\n")
    assert heard(sink, 2) == [b"one", b"two"]
    write(second, b"three, without its end")
    assert heard(sink, 1) == [b"three, without its end"]
    with socket.create_connection(("127.0.0.1", first)) as slow, socket.create_connection(("127.0.0.1", first)) as quick:
        slow.sendall(b"be")
        quick.sendall(b"quick\n")
        assert heard(sink, 1) == [b"quick"]
        slow.sendall(b"gun\n")
        assert heard(sink, 1) == [b"begun"]
    write(first, b"".join(b"%d\n" % number for number in range(100)))
    assert heard(sink, 100) == [b"%d" % number for number in range(100)]
    assert run.stop(signal.SIGINT) == 130


def test_a_line_to_a_unix_socket_is_a_record(netkit, sink, tmp_path):
    path = tmp_path / "records"
    run = netkit.start("broadcast", "send", address(sink), "-w", "none", "--replies", "1", "--from", f"unix:{path}")
    run.err.expect(rb"reading from unix %s\n" % str(path).encode())
    assert path.stat().st_mode & 0o777 == 0o600
    for text in (b"one", b"two"):
        with socket.socket(socket.AF_UNIX) as writer:
            writer.connect(str(path))
            writer.sendall(text + b"\n")
        assert heard(sink, 1) == [text]
    assert run.stop(signal.SIGINT) == 130
    again = netkit.start("broadcast", "send", address(sink), "-w", "none", "--from", f"unix:{path}")
    again.err.expect(rb"reading from unix ")  # though the socket was left behind


def test_a_line_that_is_too_long_ends_nothing(netkit, sink):
    run = netkit.start("broadcast", "send", address(sink), "-w", "none", "--replies", "1", "--max-line", "10", "--from",
                       "tcp:127.0.0.1:0")
    port = int(run.err.expect(rb"reading from tcp 127\.0\.0\.1:(\d+)\n").group(1))
    write(port, b"x" * 100 + b"\ngood\n")
    assert heard(sink, 1) == [b"good"]
    run.err.expect(rb"a line of --from is longer than 10 \(--max-line\): skipped\n")
    assert run.stop(signal.SIGINT) == 130


def test_lines_that_do_not_end_hold_so_much_memory_together(netkit, sink, tmp_path):
    path = tmp_path / "records"
    run = netkit.start("broadcast", "send", address(sink), "-w", "none", "--replies", "1", "--max-line", "8M", "--from",
                       f"unix:{path}")
    run.err.expect(rb"reading from unix ")
    with contextlib.ExitStack() as all_of_them:
        writers = [all_of_them.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(11)]
        for writer in writers[:9]:
            writer.connect(str(path))
            writer.sendall(b"x" * (7 << 20))
        writers[9].connect(str(path))
        with pytest.raises(OSError):
            writers[9].sendall(b"x" * (7 << 20))
        run.err.expect(rb"unix:10 closed: too many long lines arrive at once \(--max-line\)\n")
        writers[10].connect(str(path))
        writers[10].sendall(b"short\n")
        assert heard(sink, 1) == [b"short"]
        assert run.stop(signal.SIGINT) == 130


@pytest.mark.parametrize("source, status", [("udp:nowhere", 2), ("tcp:", 2), ("unix:", 2), ("tcp:192.0.2.1:80", 69),
                                            ("unix:/nonexistent/socket", 69)])
def test_a_source_that_cannot_be(netkit, sink, source, status):
    assert netkit.run("broadcast", "send", address(sink), "--from", source).status == status


@pytest.mark.parametrize("words, to", [
    (("echo", "serve", "127.0.0.1:{}"), "udp:127.0.0.1:{}"), (("echo", "serve", ":{}", "--udp"), "udp:localhost:{}"),
    (("broadcast", "listen", ":{}"), "broadcast:255.255.255.255:{}"), (("chat", "serve", ":{}"), "udp:127.0.0.1:{}"),
], ids=["itself", "every interface", "broadcast", "chat"])
def test_a_sink_that_leads_back_is_refused(netkit, words, to):
    port = free_port()
    done = netkit.run(*[word.format(port) for word in words], "--to", to.format(port))
    assert done.status == 2 and b"come back to " in done.err
