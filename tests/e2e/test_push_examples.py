"""The examples of netkit-push(1), as they stand there but for addresses."""

import os

from man_page import example
from netkit import udp_socket, host_port

PAGE = "netkit-push.1"


def serve(netkit, *args):
    return netkit.serve("push", "serve", "0", *args, sockets=2)


def started(netkit, command):
    """A server that a shell starts from an example, at a free port."""
    command = command.replace("netkit push serve", f"{os.environ['NETKIT']} push serve 0")
    return netkit.serve(argv=["bash", "-c", command], sockets=2)


def test_the_time_every_second(netkit):
    words = example(PAGE, "netkit push serve :9000").split()
    server = netkit.serve(*words[1:3], ":0", *words[4:], sockets=4)
    peer = udp_socket()
    peer.sendto(b"ann", ("127.0.0.1", server.port))
    assert len(peer.recv(100)) == 19
    server.stop()


def test_follow_a_file(netkit, tmp_path):
    log = tmp_path / "app.log"
    log.write_text("newest\n")
    server = started(netkit, example(PAGE, "tail -F").replace("app.log", f"--pid={os.getpid()} {log}"))
    result = netkit.run("push", "subscribe", server.port, "--since", "1", "--count", "1")
    assert result.out == b"newest\n"


def test_the_load_when_it_changes(netkit):
    server = started(netkit, "exec " + example(PAGE, "netkit push serve --exec").replace("5s", "50ms"))
    result = netkit.run("push", "subscribe", server.port, "--count", "1")
    assert len(result.out.split()) == 5


def test_every_line_to_three(netkit):
    server = started(netkit, example(PAGE, "seq 1 1000"))
    clients = [netkit.start("push", "subscribe", server.port, "--name", f"s{i}") for i in range(3)]
    for client in clients:
        assert client.wait() == 0
        assert client.out.data == b"".join(b"%d\n" % i for i in range(1, 1001))
    assert server.wait() == 0


def test_ten_records_as_json(netkit):
    server = serve(netkit, "--from", "-")
    server.write("".join(f"{i}\n" for i in range(10)))
    words = example(PAGE, "netkit push subscribe").replace("localhost:9000", server.address).split()
    done = netkit.run(*words[1:])
    assert [r.get("seq") for r in done.records] == [*range(1, 11), None]


def test_who_is_there(netkit):
    server = serve(netkit, "--from", "-")
    peer = udp_socket()
    peer.sendto(b"ann", host_port(server.address))
    server.out.expect(rb"subscribed ann\n")
    done = netkit.run(*example(PAGE, "netkit push status").replace("localhost:9000", server.address).split()[1:])
    assert done.lines[0].startswith("ann 127.0.0.1:")


def test_subscribe_by_nc(netkit):
    server = serve(netkit, "--from", "-")
    command = example(PAGE, "printf").replace("localhost 9000", f"127.0.0.1 {server.port}")
    assert netkit.shell(command).lines == ["OK", "OK 1", "kitchen 127.0.0.1:5000", "OK"]
