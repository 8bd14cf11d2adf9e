"""netkit sse serve as a hub: channels, POST by a token, readers by a token, events for newcomers."""

import json
import re
import socket
import threading

import pytest

from netkit import tcp_connect, wait_until
from sse_peer import Reader


@pytest.fixture
def serve(netkit, tmp_path):
    (tmp_path / "write").write_text("wr1te\n")
    (tmp_path / "read").write_text("re4d\n")

    def start(*args):
        return netkit.serve("sse", "serve", "127.0.0.1:0", "--write-token-file", tmp_path / "write", *args)
    start.read_token = tmp_path / "read"
    return start


def post(sock, path, body, token="wr1te", **headers):
    """The status and the body of the answer, on a connection that is kept."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
    data = b""
    while b"\r\n\r\n" not in data:
        data += sock.recv(65536)
    head, _, rest = data.partition(b"\r\n\r\n")
    length = int(re.search(rb"Content-Length: (\d+)", head).group(1))
    while len(rest) < length:
        rest += sock.recv(65536)
    return int(head.split()[1]), rest


def test_a_post_is_an_event(serve):
    server = serve()
    reader = Reader(server.address)
    reader.head()
    with tcp_connect(server.address) as sock:
        status, number = post(sock, "/events?event=add", b"one\ntwo")
        assert status == 200
        reader.until(b"id: %s\nevent: add\ndata: one\ndata: two\n\n" % number.strip())
        assert post(sock, "/other", b"")[0] == 200
        reader.until(rb"id: \d+\ndata: \n\n")


def test_chunks_are_a_body(netkit, serve):
    server = serve()
    reader = Reader(server.address)
    reader.head()
    done = netkit.shell("echo hello | curl -s --noproxy '*' -H 'Transfer-Encoding: chunked' -H 'Authorization: Bearer wr1te' "
                        f"-H 'Content-Type: text/plain' --data-binary @- http://{server.address}/")
    assert done.status == 0 and done.out.strip().isdigit()
    reader.until(rb"data: hello\ndata: \n\n")


@pytest.mark.parametrize("token", ["", "wr1t", "wr1te2", "re4d"])
def test_nobody_publishes_without_the_token(serve, token):
    server = serve("--json")
    with tcp_connect(server.address) as sock:
        status, body = post(sock, "/", b"x", token)
        assert status == 401 and b"Bearer" in body
        assert post(sock, "/?token=wr1te", b"x", token)[0] == 401
    assert server.stop() == 0
    end = server.out.json()
    assert end["unauthorized"] == 2 and end["events"] == 0


def test_there_is_no_post_without_a_token_file(netkit):
    server = netkit.serve("sse", "serve", "127.0.0.1:0")
    with tcp_connect(server.address) as sock:
        assert post(sock, "/", b"x")[0] == 405


def test_a_body_has_a_limit(serve):
    server = serve("--max-event", "1k")
    with tcp_connect(server.address) as sock:
        assert post(sock, "/", b"x" * 1024)[0] == 200
        sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1025\r\n\r\n")
        assert sock.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_readers_need_their_token(serve):
    server = serve("--read-token-file", serve.read_token, "-v")
    assert Reader(server.address).head().startswith(b"HTTP/1.1 401 ")
    assert Reader(server.address, Authorization="Bearer wr1te").head().startswith(b"HTTP/1.1 401 ")
    assert Reader(server.address, Authorization="Bearer re4d").head().startswith(b"HTTP/1.1 200 ")
    assert Reader(server.address, "/events?token=re4d").head().startswith(b"HTTP/1.1 200 ")
    assert server.stop() == 0 and b"re4d" not in server.err.data


def test_a_path_is_a_channel(serve):
    server = serve("--channels")
    readers = {path: Reader(server.address, path, Accept="text/event-stream") for path in ("/", "/a", "/b/c")}
    for reader in readers.values():
        reader.head()
    server.write(b"from stdin\n")
    with tcp_connect(server.address) as sock:
        for path in readers:
            assert post(sock, path, b"to " + path.encode())[0] == 200
            assert post(sock, path, b"end")[0] == 200
    assert re.findall(rb"data: (.*)\n", readers["/"].until(rb"data: end\n"))[-2:] == [b"to /", b"end"]
    assert re.findall(rb"data: (.*)\n", readers["/a"].until(rb"data: end\n")) == [b"to /a", b"end"]
    assert re.findall(rb"data: (.*)\n", readers["/b/c"].until(rb"data: end\n")) == [b"to /b/c", b"end"]


def test_a_channel_has_one_name_however_it_is_escaped(serve):
    server = serve("--channels")
    readers = [Reader(server.address, path) for path in ("/caf%C3%A9", "/caf%c3%a9", "/%63af%C3%a9")]
    for reader in readers:
        reader.head()
    with tcp_connect(server.address) as sock:
        assert post(sock, "/caf%c3%A9", b"open")[0] == 200
    for reader in readers:
        reader.until(rb"data: open\n")


def test_channels_are_limited(serve):
    server = serve("--channels", "--max-channels", "2")
    with tcp_connect(server.address) as sock:
        assert post(sock, "/a", b"x")[0] == 200
        status, body = post(sock, "/b", b"x")
        assert status == 503 and b"full: 2 channels (--max-channels)" in body


def test_channels_keep_so_many_bytes_together(serve):
    server = serve("--channels", "--keep-bytes", "100k", "--json")
    with tcp_connect(server.address) as sock:
        for path in ["/small", *(f"/{number}" for number in range(10))]:
            assert post(sock, path, b"x" if path == "/small" else b"x" * 30_000)[0] == 200
    reader = Reader(server.address, "/small?last=1")
    reader.until(rb"data: x\n\n")  # the largest give way
    server.stop()
    assert json.loads(server.out.rest().splitlines()[-1])["kept"] == 4


def test_a_reader_of_many_channels_shuts_nobody_out(serve):
    server = serve("--channels", "--max-channels", "2")

    def is_there(path):
        reader = Reader(server.address, path)
        try:
            return reader.head().startswith(b"HTTP/1.1 200 ")
        finally:
            reader.close()
    for number in range(5):
        wait_until(lambda: is_there(f"/{number}"), what="a channel that nobody reads makes room")
    with tcp_connect(server.address) as sock:
        wait_until(lambda: post(sock, "/used", b"x")[0] == 200, what="room for a writer")
    assert not is_there("/more"), "what has events is kept"


def test_twenty_writers_at_once(serve):
    """Each reader has its channel's events, each writer's in order, with ids that only grow."""
    server = serve("--channels")
    channels, writers, each = 5, 20, 500
    readers = [Reader(server.address, f"/{n}") for n in range(channels)]
    for reader in readers:
        reader.head()
    wrong = []

    def write(writer):
        with tcp_connect(server.address) as sock:
            for number in range(each):
                if post(sock, f"/{writer % channels}", b"%d %d" % (writer, number))[0] != 200:
                    wrong.append((writer, number))
    threads = [threading.Thread(target=write, args=(n,), daemon=True) for n in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    with tcp_connect(server.address) as sock:
        for n in range(channels):
            assert post(sock, f"/{n}", b"end")[0] == 200
    assert not wrong
    for channel, reader in enumerate(readers):
        found = re.findall(rb"id: (\d+)\ndata: (\d+) (\d+)\n", reader.until(rb"data: end\n"))
        ids = [int(number) for number, _, _ in found]
        assert ids == sorted(set(ids)) and len(found) == each * writers // channels
        for writer in range(channel, writers, channels):
            assert [int(n) for _, who, n in found if int(who) == writer] == list(range(each))


@pytest.mark.parametrize("args, path, seen", [((), "/events", []), (("--last", "2"), "/events", [b"4", b"5"]),
                                              ((), "/events?last=3", [b"3", b"4", b"5"]),
                                              (("--last", "2"), "/events?last=0", [])])
def test_a_newcomer_gets_the_last_events(serve, args, path, seen):
    server = serve(*args)
    with tcp_connect(server.address) as sock:
        for number in range(1, 6):
            assert post(sock, "/", b"%d" % number)[0] == 200
        reader = Reader(server.address, path)
        reader.head()
        assert post(sock, "/", b"now")[0] == 200
    assert re.findall(rb"data: (.*)\n", reader.until(rb"data: now\n"))[:-1] == seen


def test_a_foreign_page_gets_nothing(serve):
    server = serve("--read-token-file", serve.read_token)
    with tcp_connect(server.address) as sock:
        assert post(sock, "/", b"x", Origin="http://foreign.example")[0] == 200  # who has the token may
        sock.sendall(b"OPTIONS / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://foreign.example\r\n\r\n")
        assert b"Access-Control" not in sock.recv(4096)
    with socket.create_connection(tuple(server.address.rsplit(":", 1))) as sock:
        sock.sendall(b"GET /?token=re4d HTTP/1.1\r\nHost: foreign.example\r\n\r\n")
        assert sock.recv(4096).startswith(b"HTTP/1.1 421 ")
