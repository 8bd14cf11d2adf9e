"""netkit sse bench: many readers of one stream, each by a connection of HTTP/1.1 or several by one of HTTP/2."""

import json
import re
import resource
import signal

import pytest

from certificates import make_local_certificate
from sse_peer import Server, answer, events, head, hold, ok


@pytest.fixture
def bench(netkit):
    """Runs it to its end; its JSON records where the last argument asks for them."""
    return lambda url, *args: netkit.run("sse", "bench", url, *args)


@pytest.fixture
def tls(tmp_path):
    make_local_certificate(tmp_path)
    return "--cert", tmp_path / "server.pem", "--key", tmp_path / "server.key"


@pytest.fixture
def ticking(netkit):
    return lambda *args, every="20ms": netkit.serve("sse", "serve", "127.0.0.1:0", "--every", every, "--message", "tick", "--json",
                                                    *args)


def test_a_bench(ticking, bench):
    server = ticking()
    done = bench(f"http://{server.address}/events", "--readers", "50", "--duration", "1s", "--json")
    end = done.records[-1]
    assert done.status == 0 and end["readers"] == 50 and end["failed"] == 0 and end["events"] > 500, end
    assert 0 < end["first_max_ms"] < 1000 and 5 < end["gap_p50_ms"] < 200 and end["lost_percent"] < 50
    assert 0 <= end["lag_p50_ms"] <= end["lag_max_ms"] < 1000
    text = bench(f"http://{server.address}/events", "--readers", "5", "--duration", "300ms")
    assert text.status == 0 and re.search(rb"^5 readers, 0 failed, \d+ events\nconnect +p50 ", text.out), text


@pytest.mark.parametrize("kind, body", [("application/x-ndjson", b'{"n":1}\n{"n":2}\n'),
                                        ("application/json-seq", b'\x1e{"n":\n1}\n\x1e2\n')])
def test_json_texts_are_events(bench, kind, body):
    with Server(hold(head(Content_Type=kind) + body)) as server:
        done = bench(server.url, "--readers", "1", "--duration", "300ms", "--json")
    assert done.status == 0 and done.records[-1]["events"] == 2, done


@pytest.mark.parametrize("args", [("--max-first", "1us"), ("--max-gap", "1us")])
def test_a_threshold_that_is_missed_is_1(ticking, bench, args):
    server = ticking()
    done = bench(server.address, "--readers", "3", "--duration", "300ms", *args)
    assert done.status == 1 and args[0].encode() in done.err, done


def test_a_stream_that_has_stopped_has_a_gap(bench):
    with Server(hold(ok(events(1, 2)))) as server:
        done = bench(server.url, "--readers", "1", "--duration", "400ms", "--max-gap", "100ms")
    assert done.status == 1 and b"no further event for" in done.err and b"--max-gap" in done.err, done


def test_a_bench_of_nobody(bench):
    with Server() as nobody:
        pass
    done = bench(nobody.url, "--readers", "3")
    assert done.status == 69 and re.search(rb"all 3 readers failed: \S+ connection refused\n", done.err)
    with Server(answer("404 Not Found"), repeat=True) as server:
        done = bench(server.url, "--readers", "2")
    assert done.status == 76 and b"answered 404" in done.err


def test_a_thousand_readers(ticking, bench):
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 2000:
        pytest.fail("too few descriptors")
    server = ticking(every="250ms")
    done = bench(server.address, "--readers", "1000", "--duration", "3s", "--json")
    end = done.records[-1]
    assert done.status == 0 and end["readers"] == 1000 and end["failed"] == 0, end


def test_a_thousand_readers_share_a_hundred_connections(netkit, ticking, tls):
    server = ticking(*tls, every="250ms")
    bench = netkit.start("sse", "bench", f"https://{server.address}/", "--readers", "1000", "--streams", "10", "--cacert", tls[1],
                         "--duration", "30s", "--stats=250ms", "--json")
    while bench.out.json().get("events", 0) < 5000:  # however long that takes
        pass
    assert bench.stop(signal.SIGINT) == 130
    end = json.loads(bench.out.rest().splitlines()[-1])
    assert end["readers"] == 1000 and end["failed"] == 0 and end["events"] >= 5000, end
    assert end["lag_max_ms"] < 1000 and end["first_max_ms"] > 0
    assert server.stop() == 0
    served = server.out.json()
    assert (served["connections"], served["streams"]) == (100, 1000) and served["delivered"] >= end["events"]


def test_what_is_left_over_has_a_connection_of_its_own(ticking, bench, tls):
    server = ticking(*tls)
    done = bench(f"https://{server.address}/", "--readers", "7", "--streams", "3", "--insecure", "--duration", "300ms", "--json")
    assert done.status == 0 and done.records[-1]["readers"] == 7, done
    assert server.stop() == 0 and server.out.json()["connections"] == 3


def test_a_server_may_take_fewer_streams(ticking, bench, tls):
    server = ticking(*tls)
    done = bench(f"https://{server.address}/", "--readers", "120", "--streams", "120", "--insecure", "--duration", "300ms", "--json")
    end = done.records[-1]
    assert done.status == 0 and (end["readers"], end["failed"]) == (100, 20), end
    assert b"netkit: sse: the server allows 100 streams per connection (--streams)\n" in done.err


def test_a_server_without_http_2(ticking, bench):
    server = ticking()
    done = bench(server.address, "--readers", "2", "--streams", "2")
    assert done.status == 76 and b"the server does not speak HTTP/2" in done.err, done


def test_an_answer_that_is_no_stream_by_http_2(netkit, bench, tls, tmp_path):
    (tmp_path / "token").write_text("secret\n")
    server = netkit.serve("sse", "serve", "127.0.0.1:0", "--read-token-file", tmp_path / "token", *tls)
    done = bench(f"https://{server.address}/", "--readers", "2", "--streams", "2", "--insecure")
    assert done.status == 76 and b"answered 401" in done.err, done


def test_a_server_that_ends(ticking, bench, netkit, tls):
    server = ticking(*tls)
    client = netkit.start("sse", "bench", f"https://{server.address}/", "--readers", "4", "--streams", "2", "--insecure", "--json",
                          "--stats=50ms")
    client.out.expect(rb'"readers":4')
    assert server.stop() == 0
    assert client.wait() == 69 and b"the server closed the" in client.err.rest()


def test_rows_while_it_runs(ticking, bench):
    server = ticking()
    done = bench(server.address, "--readers", "5", "--duration", "1s", "--stats=300ms", "--json")
    rows = [r for r in done.records if r["type"] == "interval"]
    assert len(rows) == 3 and rows[-1]["readers"] == 5 and rows[-1]["events_per_s"] > 50, done
    assert rows[0]["to_s"] == rows[1]["from_s"] and rows[-1]["gap_p50_ms"] > 5 and rows[-1]["lag_max_ms"] >= 0
    assert re.search(rb"^netkit: sse: +\S+-\S+ +s   5 readers   \S+ events/s   \S+ kB/s   gap p50 ", done.err, re.M), done.err


def test_a_signal_cuts_it_short(netkit, ticking):
    server = ticking()
    client = netkit.start("sse", "bench", server.address, "--readers", "3", "--json", "--stats=50ms")
    client.out.expect(rb'"readers":3')
    assert client.stop() == 128 + 15
    assert re.search(rb'"type":"end".*"events":\d+', client.out.rest())
