"""--store redis: at a Redis that is none, or means harm: the server lives, holds a bound of memory, and ends when told to."""

import itertools
import time

import pytest

from fake_redis import FakeRedis, good_answer
from hostile import MEGABYTE
from netkit import tcp_connect, wait_until
from programs import resident
from test_sse_hub import post

LARGEST = 64 * MEGABYTE  # of an answer
MOST = 450 * MEGABYTE  # hiredis copies it, and AddressSanitizer keeps what is freed


@pytest.fixture
def redis():
    started = []

    def start(*args):
        started.append(FakeRedis(*args))
        return started[-1]
    yield start
    for one in started:
        one.close()


def serve(netkit, redis, *args):
    return netkit.start("push", "serve", "127.0.0.1:0", "--every", "1h", "--store", redis.url, "--reconnect-max", "50ms", "-v", *args)


def attached_then(word, answer):
    return lambda command: answer(command) if word in command else good_answer(command)


def entry(number, text=b"hi"):
    return b"*2\r\n$3\r\n5-5\r\n*4\r\n$1\r\nn\r\n$%d\r\n%s\r\n$4\r\ntext\r\n$%d\r\n%s\r\n" % (len(number), number, len(text), text)


PAGE = b"*200\r\n" + entry(b"1000000", b"x" * 4000) * 200


def endless_pages(command):
    if b"EVAL" in command:
        return b"*5\r\n:1\r\n:1\r\n:1000000\r\n:1000000\r\n$3\r\n5-5\r\n"
    return PAGE if b"RANGE" in command else good_answer(command)


def text(size):
    return itertools.chain([b"$%d\r\n" % size], itertools.repeat(b"x" * MEGABYTE))


HOSTILE = {
    "a text that is said to be too large": lambda _: text(2147483647),
    "a text that turns out to be too large": lambda _: text(LARGEST - 100),
    "texts without end": lambda _: itertools.chain([b"*1000000\r\n"], itertools.repeat(b"$1000\r\n" + b"x" * 1000 + b"\r\n")),
    "a line without end": lambda _: itertools.chain([b"+"], itertools.repeat(b"x" * MEGABYTE)),
    "two thousand million elements": lambda _: itertools.chain([b"*2147483647\r\n"], itertools.repeat(b":1\r\n" * 1000)),
    "arrays in arrays": lambda _: b"*1000000\r\n" * 9 + b":1\r\n" * 1000,
    "pages of what came before without end": endless_pages,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_answer_takes_more_than_a_bound(netkit, redis, name):
    # Until it has given the connection up, or has all that it keeps.
    fake = redis(HOSTILE[name])
    server = serve(netkit, fake, "--keep", "1000")
    most = [0]

    def is_over():
        most[0] = max(most[0], resident(server.pid))
        return fake.connections > 2 or server.err._pump(0) and b"listening on tcp" in server.err.data
    wait_until(is_over, deadline=20, what="the end of it")
    assert most[0] < MOST
    assert server.stop() == 0


def test_nodes_that_send_on_to_each_other_are_left_alone(netkit, redis):
    fake = redis(lambda _: b"-MOVED 1 127.0.0.1:%d\r\n" % fake.port)
    server = serve(netkit, fake)
    server.err.expect(rb"is a cluster that redirects from node to node")
    began, before = time.monotonic(), fake.connections
    server.err.expect(rb"(is a cluster that redirects from node to node.*){3}")
    assert fake.connections - before < 100
    assert server.stop() == 0


@pytest.mark.parametrize("news", [b"*-1\r\n", b":5\r\n", b"*1\r\n*2\r\n$1\r\nx\r\n*1\r\n" + entry(b"0"),
                                  b"*1\r\n*2\r\n$1\r\nx\r\n*1\r\n*2\r\n$3\r\n5-5\r\n*0\r\n"],
                         ids=["nothing", "a number", "what is old", "what has no text"])
def test_a_store_that_has_nothing_new_is_not_asked_again_at_once(netkit, redis, news):
    fake = redis(attached_then(b"XREAD", lambda _: news))
    server = serve(netkit, fake)
    server.err.expect(rb"listening on tcp")
    began, before = time.monotonic(), fake.asked
    wait_until(lambda: time.monotonic() > began + 0.5)
    assert fake.asked - before < 60, "fifty a second"
    assert server.stop() == 0


def test_what_follows_a_post_that_waits_is_not_read(netkit, redis, tmp_path):
    (tmp_path / "token").write_text("secret\n")
    fake = redis()
    server = netkit.serve("sse", "serve", "127.0.0.1:0", "--channels", "--write-token-file", tmp_path / "token", "--store", fake.url)
    before = resident(server.pid)
    with tcp_connect(server.address) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer secret\r\nContent-Length: 5\r\n\r\nhello")
        sock.setblocking(False)
        sent = 0
        with pytest.raises(BlockingIOError):
            while sent < 64 * MEGABYTE:
                wait_until(lambda: True)
                sent += sock.send(b"x" * MEGABYTE)
                time.sleep(0.01)  # for as long as somebody reads
        assert resident(server.pid) - before < 8 * MEGABYTE
    assert server.stop() == 75


def test_an_entry_that_no_answer_could_have_is_refused(netkit, redis, tmp_path):
    (tmp_path / "write").write_text("wr1te\n")
    server = netkit.serve("sse", "serve", "127.0.0.1:0", "--from", "-", "--max-line", "100M", "--max-event", "100M",
                          "--write-token-file", tmp_path / "write", "--store", redis().url)
    large = b"x" * LARGEST
    with tcp_connect(server.address) as sock:
        assert post(sock, "/", large) == (503, b"an entry of 67108864 bytes is too large: the store takes up to 63M\n")
    server.write(large + b"\n")
    server.err.expect(b"an entry of 67108864 bytes is too large: the store takes up to 63M; skipped\n")
