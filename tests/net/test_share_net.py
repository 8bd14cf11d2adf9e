"""What one host may have of a server's places."""

import pytest

from lan import three_hosts

# Connects N times and says for each whether it is served.
CONNECT = """
import socket, sys
for _ in range(int(sys.argv[1])):
    one = socket.create_connection(("10.92.1.1", 7000))
    one.settimeout(20)
    one.sendall(b"x")
    try:
        print("served" if one.recv(1) else "refused", flush=True)
    except ConnectionError:
        print("refused", flush=True)
    globals().setdefault("kept", []).append(one)
sys.stdin.read()
"""


@pytest.fixture
def lan(netkit):
    return three_hosts(netkit, "10.92.1")


def connect(lan, host, times):
    argv = ["nsenter", "-t", str(lan.hosts[host].pid), "-n", "python3", "-c", CONNECT, str(times)]
    client = lan.netkit.start(argv=argv)
    return [client.out.line() for _ in range(times)]


def test_one_host_does_not_take_all_places(lan):
    server = lan.start("a", "echo", "serve", ":7000", "--tcp", "--max-clients", "4")
    server.err.expect(rb"listening on tcp")
    assert connect(lan, "b", 4) == [b"served"] * 3 + [b"refused"]
    server.err.expect(rb"10\.92\.1\.2:\d+ refused: its address has 3 of 4 places \(--max-clients\)\n")
    assert connect(lan, "c", 1) == [b"served"]


# Joins a room N times, each with a session of its own, and says what came.
JOIN = """
import http.client, sys
for number in range(int(sys.argv[1])):
    room = http.client.HTTPConnection("10.92.1.1", 7000)
    room.request("POST", "/room/join?name=" + sys.argv[2] + str(number))
    answer = room.getresponse()
    print(answer.status, answer.read().decode().strip(), flush=True)
"""


def test_one_host_does_not_fill_a_room_by_its_page(lan):
    server = lan.start("a", "chat", "serve", ":7000", "--web", "-q", "--max-members", "1000")
    server.err.expect(rb"listening on tcp")

    def join(host, times):
        argv = ["nsenter", "-t", str(lan.hosts[host].pid), "-n", "python3", "-c", JOIN, str(times), host]
        return lan.netkit.run(argv=argv, deadline=60).lines
    answers = join("b", 100)
    assert answers[:50] == ["204 "] * 50
    assert answers.count("503 too many members are joining from this address") > 20
    assert join("c", 1) == ["204 "]
    assert server.stop() == 0


def test_one_host_has_its_share_of_a_page(lan):
    server = lan.start("a", "chat", "serve", ":7000", "--web", "-q", "--max-members", "4")
    server.err.expect(rb"listening on tcp")
    argv = ["nsenter", "-t", str(lan.hosts["b"].pid), "-n", "python3", "-c", JOIN, "4", "b"]
    assert lan.netkit.run(argv=argv).lines == ["204 "] * 3 + ["503 its address has 3 of 4 places (--max-members)"]
