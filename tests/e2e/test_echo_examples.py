"""The examples of netkit-echo(1), as they stand there but for addresses."""

import re
import signal

import pytest
from man_page import example, example_words
from netkit import receive_exactly, tcp_connect, udp_socket

PAGE = "netkit-echo.1"


def ask(port, data):
    with udp_socket() as sock:
        sock.sendto(data, ("127.0.0.1", port))
        return sock.recv(1000)


@pytest.fixture
def server(netkit):
    return netkit.serve("echo", "serve", "127.0.0.1:0", "--to", "file:/dev/null", sockets=2)


def test_serve_prints_what_comes(netkit):
    server = netkit.serve(*example_words(PAGE, "netkit echo serve"), "127.0.0.1:0", sockets=2)
    with tcp_connect(server.address) as sock:
        sock.sendall(b"hi")
        assert receive_exactly(sock, 2) == b"hi"
    assert server.out.line().endswith(b" hi")


def test_serve_quietly_on_every_interface(netkit):
    server = netkit.start(*example_words(PAGE, "netkit echo serve :7777", [(":7777", ":0")]), "--ready-fd", "1")
    port = int(server.out.line().rsplit(b":", 1)[1])
    assert ask(port, b"x") == b"x"
    assert server.stop(signal.SIGINT) == 0


def test_serve_with_a_reply(netkit):
    server = netkit.serve(*example_words(PAGE, "netkit echo serve 9000", [("9000", "127.0.0.1:0")]), sockets=2)
    assert re.fullmatch(rb"\w{3} \w{3} [ \d]\d [\d:]{8} \d{4} hello", ask(server.port, b"hello"))


@pytest.mark.parametrize("start, pattern", [
    ("netkit echo send", r"hello, world\n"),
    ("printf", r"a\nb\n"),
    ("netkit echo ping 8080 --wait-for", r".*1 sent, 1 received, .*"),
    ("netkit echo ping 8080 -c", r".*20 sent, 20 received, .*"),
    ("netkit echo bench 8080 --duration 1s --rate", r'\{"type":"end","ok":true,.*\n'),
])
def test_clients(netkit, server, start, pattern):
    done = netkit.shell(example(PAGE, start).replace("8080", server.address))
    assert done.status == 0, done
    assert re.fullmatch(pattern, done.out.decode(), re.S)


def test_bench_as_fast_as_it_answers(netkit, server):
    done = netkit.shell(example(PAGE, "netkit echo bench 8080 --duration 1s").replace("8080", server.address))
    assert done.status == 0 and re.match(rb"replies   [\d,]+ of [\d,]+   ", done.out)
