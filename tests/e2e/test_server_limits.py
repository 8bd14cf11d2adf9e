"""--allow, --deny and --rate of servers that count clients, and what they count."""

import json

import pytest

from netkit import host_port, receive_exactly, receive_to_end, tcp_connect, udp_socket, wait_until

STREAMS = [("sse", "serve", "127.0.0.1:0", "--every", "1h"), ("sse", "proxy", "127.0.0.1:0", "http://127.0.0.1:9/"),
           ("frame", "serve", "127.0.0.1:0"), ("frame", "proxy", "127.0.0.1:0", "127.0.0.1:9")]
REFUSE = [("--deny", "127.0.0.0/8"), ("--allow", "192.0.2.0/24"), ("--allow", "127.0.0.0/8", "--deny", "127.0.0.1")]
HEARTBEAT, ANSWER = b"\0\0\0\1\1", 6


def end(server):
    assert server.stop() == 0
    return json.loads(server.out.data.splitlines()[-1])


@pytest.mark.parametrize("limit", REFUSE, ids=" ".join)
@pytest.mark.parametrize("words", STREAMS, ids=lambda words: " ".join(words[:2]))
def test_a_client_that_is_not_let_in(netkit, words, limit):
    server = netkit.serve(*words, *limit, "--json")
    with tcp_connect(server.address) as client:
        assert receive_to_end(client) == b""
    numbers = end(server)
    assert (numbers["denied"], numbers["connections"]) == (1, 0)


@pytest.mark.parametrize("words", STREAMS, ids=lambda words: " ".join(words[:2]))
def test_a_client_that_is_let_in(netkit, words):
    server = netkit.serve(*words, "--allow", "127.0.0.0/8", "--json", "-v")
    with tcp_connect(server.address):
        server.err.expect(rb" connected\n")
    assert end(server)["connections"] == 1


def test_a_stream_over_its_rate_waits(netkit):
    server = netkit.serve("frame", "serve", "127.0.0.1:0", "--rate", "20/s", "--json")
    with tcp_connect(server.address) as client:
        for _ in range(25):  # a second's worth passes at once
            client.sendall(HEARTBEAT)
            assert len(receive_exactly(client, ANSWER)) == ANSWER
    assert end(server)["delayed"] >= 1


def test_a_listener_hears_whom_it_may(netkit):
    server = netkit.serve("broadcast", "listen", "127.0.0.1:0", "--deny", "127.0.0.2", "--json")
    with udp_socket(address=("127.0.0.2", 0)) as denied, udp_socket() as good:
        denied.sendto(b"unheard", host_port(server.address))
        good.sendto(b"heard", host_port(server.address))
    assert server.out.json()["text"] == "heard"
    numbers = end(server)
    assert (numbers["received"], numbers["dropped_denied"]) == (1, 1)


def test_a_listener_takes_so_much_of_each(netkit):
    server = netkit.serve("broadcast", "listen", "127.0.0.1:0", "--rate", "2/s", "--json", "--stats=20ms")
    with udp_socket() as sock:
        for _ in range(5):
            sock.sendto(b"x", host_port(server.address))
        wait_until(lambda: server.out._pump(0.05) and b'"dropped_rate":3' in server.out.data, what="three that are dropped")
    assert end(server)["received"] == 2
