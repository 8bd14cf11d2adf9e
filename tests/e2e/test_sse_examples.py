"""The examples of netkit-sse(1), as they stand there but for addresses."""

import os
import re
import shlex
import socket

import pytest

from certificates import make_local_certificate
from completion_api import CHAT, MESSAGES, STREAMS, TEXT
from man_page import example
from sse_peer import Reader, Server, head, hold, ok

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
    words = example(PAGE, "Print the data of each").replace("localhost:8000", server.address).split()
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


@pytest.fixture
def words(netkit):
    """The words of an example, of servers that are elsewhere."""
    def of(start, *changes):
        line = example(PAGE, start)
        for old, new in changes:
            line = line.replace(old, str(new))
        return shlex.split(line)[1:]
    return of


@pytest.mark.parametrize("start, path", [("netkit sse http://localhost:8000/v1/chat", CHAT),
                                         ("netkit sse http://localhost:8000/v1/messages", MESSAGES)])
def test_an_api_as_plain_text(netkit, words, start, path):
    with open(os.path.join(netkit.home, "req.json"), "w", encoding="utf-8") as file:
        file.write('{"stream": true}')
    with Server(ok(STREAMS[path])) as server:
        done = netkit.run(*words(start, ("localhost:8000", f"127.0.0.1:{server.port}")), cwd=netkit.home)
    assert done.status == 0 and done.out.decode() == TEXT, done
    assert server.requests[0].target == path and server.requests[0].body == b'{"stream": true}'


def test_a_watch(netkit, words):
    watch = b"".join(b'{"type":"%s","object":{"metadata":{"name":"web-%d"}}}\n' % (what, n)
                     for n, what in enumerate((b"ADDED", b"MODIFIED", b"DELETED")))
    with Server(hold(head(Content_Type="application/json") + watch)) as server:
        client = netkit.start(*words("netkit sse 'http://localhost:8000/api", ("localhost:8000", f"127.0.0.1:{server.port}")))
        client.out.expect(rb"^ADDED\tweb-0\nMODIFIED\tweb-1\nDELETED\tweb-2\n$")
        assert server.requests[0].target == "/api/v1/pods?watch=1"
        assert client.stop() == 0


def test_the_log_of_a_job(netkit, words):
    server = netkit.serve("sse", "serve", "127.0.0.1:0")
    server.write(b"build\ntest\n")
    client = netkit.start(*words("netkit sse http://localhost:8000/jobs", ("localhost:8000", server.address)))
    client.out.expect(rb"build\ntest\n")
    server.write(b"done: 7 tests\n")
    assert client.wait() == 0 and client.out.rest() == b"done: 7 tests\n"


def test_recorded_and_played(netkit, server, words):
    at = netkit.home
    done = netkit.run(*words("netkit sse http://localhost:8000/events -c 3 --record", ("localhost:8000", server.address)), cwd=at)
    assert done.status == 0 and len(done.lines) == 3, done
    train = netkit.serve(*words("netkit sse serve 8001 --replay", ("8001", "127.0.0.1:0")), cwd=at)
    assert netkit.run("sse", f"http://{train.address}/events", "-c", "3").out == done.out


def test_seen_and_kept(netkit, server, words):
    through = netkit.serve(*words("netkit sse proxy", ("8001", "127.0.0.1:0"), ("https://api.example/", f"http://{server.address}/")),
                           cwd=netkit.home)
    done = netkit.run("sse", f"http://{through.address}/events", "-c", "2")
    through.out.expect(done.out)
    assert through.stop() == 0 and os.path.getsize(os.path.join(netkit.home, "day.rec")) > 200


def test_a_load_test(netkit, server, words):
    done = netkit.run(*words("netkit sse bench 8000/events", ("8000", server.address), ("1000", 100)), "--duration", "1s")
    assert done.status == 0 and b"100 readers, 0 failed" in done.out, done


def test_a_load_test_by_http_2(netkit, words, tmp_path):
    make_local_certificate(tmp_path)
    server = netkit.serve("sse", "serve", "127.0.0.1:0", "--every", "20ms", "--cert", tmp_path / "server.pem", "--key",
                          tmp_path / "server.key")
    done = netkit.run(*words("netkit sse bench https", ("localhost:8000", server.address), ("1000", 100)), "--duration", "1s")
    assert done.status == 0 and b"100 readers, 0 failed" in done.out, done


def test_a_hub(netkit, words):
    with open(os.path.join(netkit.home, "token"), "w", encoding="utf-8") as file:
        file.write("s3cret\n")
    hub = netkit.serve(*words("netkit sse serve :8000 --channels", (":8000", "127.0.0.1:0")), cwd=netkit.home)
    reader = Reader(hub.address, "/builds")
    reader.head()
    done = netkit.shell(f"curl -s --noproxy '*' -H 'Authorization: Bearer s3cret' -d 'build 7: passed' http://{hub.address}/builds")
    assert done.status == 0 and done.out.strip().isdigit()
    reader.until(rb"data: build 7: passed\n\n")


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
