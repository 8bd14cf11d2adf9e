"""The examples of netkit-sse(1), as they stand there but for addresses."""

import os
import re
import socket

import pytest

from man_page import example
from sse_peer import Reader

PAGE = "netkit-sse.1"


@pytest.fixture
def server(netkit):
    words = example(PAGE, "serve :8000 --every").replace(":8000", "127.0.0.1:0").replace("1s", "20ms").split()
    return netkit.serve(*words[1:])


@pytest.fixture
def run(netkit, server):
    return lambda start, old="", new="": netkit.shell(
        f"cd {netkit.home}; " + example(PAGE, start).replace("localhost:8000", server.address).replace(old, new))


def test_the_data(netkit, server):
    words = example(PAGE, "The data").replace("localhost:8000", server.address).split()
    client = netkit.start(*words[1:])
    client.out.expect(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n")
    assert client.stop() == 0


def test_by_jq(run):
    done = run("jq -r")
    assert done.status == 0 and re.fullmatch(rb"([-0-9]+ [:0-9]+\n){3}", done.out), done


def test_passed_on(run):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(20)
        receiver.bind(("", 0))
        done = run("--to broadcast", ":5000", f":{receiver.getsockname()[1]}")
        assert done.status == 0 and done.out == b""
        assert all(re.fullmatch(rb"[-0-9]+ [:0-9]+", receiver.recv(100)) for _ in range(2))


def test_go_on(run):
    first, second = run("--state"), run("--state")
    assert first.status == second.status == 0 and len(second.lines) == 2


def test_wait_for_a_job(run):
    done = run("--until")
    assert done.status == 0 and len(done.lines) == 1


def test_a_log(netkit):
    command = example(PAGE, "tail -n 2").replace(":8000", "127.0.0.1:0")
    path = os.path.dirname(os.environ["NETKIT"]) + ":" + os.environ["PATH"]
    with open(os.path.join(netkit.home, "log"), "w", encoding="utf-8") as log:
        log.write("a\nb\nc\n")
        log.flush()
        server = netkit.start(argv=["bash", "-c", command + " & echo $!; read; kill %1"], env={"PATH": path},
                              cwd=netkit.home)
        address = server.err.expect(rb"listening on tcp (\S+)").group(1).decode()
        reader = Reader(address, Last_Event_ID="0")
        reader.until(rb"event: line\ndata: c\n\n")
        log.write("d\n")
        log.flush()
        reader.until(rb"event: line\ndata: d\n\n")
        reader.close()
        server.write(b"\n")
        server.wait()
