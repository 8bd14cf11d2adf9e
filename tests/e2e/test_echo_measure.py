"""echo ping and bench: of servers of Python and netkit, lossy ways, and closed ports."""

import json
import re
import signal
import socket
import threading
import time
import urllib.request

import pytest
from echo_peers import free_port, tcp_server, udp_server  # noqa: F401
from netkit import netkit_path, udp_socket, wait_until
from relay import Relay


def test_ping_prints_replies_and_statistics(netkit, udp_server):
    server = udp_server()
    done = netkit.run("echo", "ping", server.address, "-c", "3", "-i", "10ms", "-s", "100")
    assert done.status == 0 and done.err == b""
    lines = done.lines
    for number in (1, 2, 3):
        assert re.fullmatch(rf"100 bytes from {server.address}: seq={number} time=\d+\.\d{{3}} ms", lines[number - 1])
    assert lines[3] == f"--- {server.address}: 3 sent, 3 received, 0.0 % lost, 0 duplicates, 0 reordered"
    number = r"[\d.,]+"
    assert re.fullmatch(rf"rtt       min {number}   mean {number}   p50 {number}   max {number}   jitter {number} [µm]s", lines[4])
    assert len(lines) == 5, "so few have neither percentiles nor a histogram"
    assert len({len(data) for data in server.seen}) == 1


@pytest.mark.realtime
def test_ping_knows_loss_duplicates_and_reordering(netkit, udp_server):
    held = []

    def answer(data):
        number = int.from_bytes(data[8:12], "big")
        if number == 2:
            return []  # lost
        if number == 4:
            held.append(data)  # overtaken by the next
            return []
        return [(0, data)] + ([(0, data)] if number == 3 else []) + [(0, old) for old in (held if number == 5 else [])]

    done = netkit.run("echo", "ping", udp_server(answer).address, "-c", "5", "-i", "50ms", "-w", "300ms", "--json")
    end = done.records[-1]
    assert (end["sent"], end["received"], end["lost"]) == (5, 4, 1)
    assert (end["loss_percent"], end["duplicates"], end["reordered"]) == (20, 1, 1)
    assert end["rtt_min_ms"] <= end["rtt_p50_ms"] <= end["rtt_p99_ms"] <= end["rtt_max_ms"]
    replies = [r for r in done.records if r["type"] == "reply"]
    assert [(r["seq"], r["duplicate"], r["reordered"]) for r in replies] == [
        (1, False, False), (3, False, False), (3, True, False), (5, False, False), (4, False, True)]


@pytest.mark.realtime
def test_ping_over_a_lossy_way(netkit, udp_server):
    target = udp_server()
    relay = Relay(("127.0.0.1", int(target.address.rsplit(":", 1)[1])), loss=0.3, seed=7)
    try:
        done = netkit.run("echo", "ping", relay.address, "-c", "60", "-i", "2ms", "-w", "300ms", "--max-loss", "5%", "-q")
        assert done.status == 1
        assert b"more than --max-loss allows" in done.err
        done = netkit.run("echo", "ping", relay.address, "-c", "60", "-i", "2ms", "-w", "300ms", "--max-loss", "90%", "-q")
        assert done.status == 0
    finally:
        relay.close()


@pytest.mark.realtime
def test_ping_thresholds_on_latency(netkit, udp_server):
    slow = udp_server(lambda data: [(0.05, data)]).address
    assert netkit.run("echo", "ping", slow, "-c", "2", "-i", "10ms", "--max-p99", "10s").status == 0
    done = netkit.run("echo", "ping", slow, "-c", "2", "-i", "10ms", "--max-p99", "20ms")
    assert done.status == 1 and b"more than --max-p99 allows" in done.err


def test_ping_without_an_answer_is_1_and_refused_69(netkit, udp_server):
    silent = udp_server(lambda data: []).address
    assert netkit.run("echo", "ping", silent, "-c", "1", "-w", "100ms").status == 1
    assert netkit.run("echo", "ping", f"127.0.0.1:{free_port()}", "-c", "1", "-w", "100ms").status == 69


@pytest.mark.parametrize("words", [("echo", "serve", "127.0.0.1:0", "--udp", "--reply", "ack: {text}!"),
                                   ("chat", "serve", "127.0.0.1:0")], ids=["another reply", "a chat room"])
def test_ping_counts_no_reply_that_is_not_what_was_sent(netkit, words):
    server = netkit.serve(*words)
    done = netkit.run("echo", "ping", server.address, "-c", "2", "-i", "10ms", "-w", "300ms", "--json")
    end = done.records[-1]
    assert (done.status, end["received"], end["wrong"] > 0) == (1, 0, True)
    assert f"{server.address} answers, but is not an echo server" in done.err.decode()


def test_what_was_not_measured_is_null(netkit):
    nobody = f"127.0.0.1:{free_port()}"
    end = netkit.run("echo", "ping", nobody, "-c", "2", "-i", "10ms", "-w", "10ms", "--json").records[-1]
    assert (end["rtt_p99_ms"], end["jitter_ms"], end["loss_percent"], end["lost"]) == (None, None, 100, 2)
    end = netkit.run("echo", "bench", nobody, "--duration", "200ms", "--json").records[-1]
    assert (end["p99_ms"], end["min_ms"], end["loss_percent"]) == (None, None, 100) and end["lost"] == end["sent"] > 0
    end = netkit.run("echo", "bench", nobody, "--duration", "200ms", "--json", "--tcp").records[-1]
    assert (end["p99_ms"], end["packets_per_s"], end["loss_percent"], end["lost"]) == (None, None, None, None)


@pytest.mark.realtime
def test_ping_says_which_probes_are_lost(netkit, udp_server):
    server = udp_server(lambda data: [] if data[11] == 2 else [(0, data)])
    done = netkit.run("echo", "ping", server.address, "-c", "3", "-i", "20ms", "-w", "200ms")
    assert [line for line in done.lines if "seq=2" in line] == ["seq=2 no reply"]
    done = netkit.run("echo", "ping", server.address, "-c", "3", "-i", "20ms", "-w", "200ms", "--json")
    assert [r["seq"] for r in done.records if r["type"] == "lost"] == [2]


def test_ping_says_once_that_it_is_refused(netkit):
    nobody = f"127.0.0.1:{free_port()}"
    ping = netkit.start("echo", "ping", nobody, "-i", "20ms", "-w", "20ms")
    ping.out.expect(rb"seq=4 no reply\n")
    assert ping.stop(signal.SIGINT) == 0
    assert ping.err.data.count(b"connection refused") == 1


@pytest.mark.parametrize("targets", [1, 2])
def test_a_refusal_is_said_when_it_comes_and_not_again_at_the_end(netkit, targets):
    nobody = [f"127.0.0.1:{free_port()}" for _ in range(targets)]
    ping = netkit.start("echo", "ping", *nobody, "-c", "1", "-w", "400ms")
    ping.err.expect(b"connection refused\n")
    assert b"no reply" not in ping.out.data  # the probe is not overdue yet
    assert ping.wait() == 69
    for address in nobody:
        assert ping.err.data.count(f"{address}: connection refused\n".encode()) == 1
        assert f"no reply from {address} (refused)\n".encode() in ping.err.data


def test_ping_without_an_address_finds_the_server_of_this_machine(netkit):
    done = netkit.run("echo", "ping", "-c", "1", "-w", "10ms", "-v")
    assert b"sending to 127.0.0.1:8080\n" in done.err


def test_quiet_hides_no_reply(netkit, udp_server):
    done = netkit.run("echo", "ping", udp_server().address, "-c", "1", "-q")
    assert b"seq=1 time=" in done.out and done.err == b""


def test_ping_of_several_servers(netkit, udp_server, tmp_path):
    good, nobody = udp_server().address, f"127.0.0.1:{free_port()}"
    done = netkit.run("echo", "ping", good, nobody, "-c", "2", "-i", "10ms", "-w", "100ms", "--json")
    summaries = {r["target"]: (r["received"], r["loss_percent"], r["rtt_p99_ms"] is None)
                 for r in done.records if r["type"] == "summary"}
    assert done.status == 69 and summaries == {good: (2, 0, False), nobody: (0, 100, True)}
    assert (done.records[-1]["sent"], done.records[-1]["received"]) == (4, 2)
    targets = tmp_path / "targets"
    host, _, port = good.rpartition(":")
    targets.write_text(f"# two\n{good}\n\n{host} \t{port}\n")
    for words in (["--targets", str(targets)], ["--targets", "-"]):
        done = netkit.run("echo", "ping", *words, "-c", "1", stdin=targets.read_text())
        assert done.status == 0 and done.out.count(b"--- ") == 2
    assert netkit.run("echo", "ping", "--targets", str(tmp_path / "none")).status == 74


def test_ping_by_tcp_handshakes(netkit, tcp_server):
    address = tcp_server(lambda sock: sock.recv(1))
    done = netkit.run("echo", "ping", address, "--connect", "--wait-for", "5s", "-c", "1")
    assert done.status == 0 and re.match(rf"connected to {address}: seq=1 time=", done.lines[0])
    assert netkit.run("echo", "ping", f"127.0.0.1:{free_port()}", "--connect", "-c", "1", "-w", "100ms").status == 69


def test_ping_marks_its_probes(netkit):
    with udp_socket() as server:
        server.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        netkit.start("echo", "ping", "127.0.0.1:%d" % server.getsockname()[1], "--dscp", "46")
        _, parts, _, _ = server.recvmsg(1000, 100)
        assert parts[0][2][0] == 46 << 2


def test_ping_over_a_stream(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--tcp")
    done = netkit.run("echo", "ping", server.address, "--tcp", "-c", "3", "-i", "10ms")
    assert done.status == 0 and done.lines[3].startswith(f"--- {server.address}: 3 sent, 3 received")
    port = free_port()
    assert netkit.run("echo", "ping", f"127.0.0.1:{port}", "--tcp", "-c", "1").status == 69
    ping = netkit.start("echo", "ping", f"127.0.0.1:{port}", "--tcp", "-c", "2", "-i", "10ms", "--wait-for", "20s", "-v")
    ping.err.expect(rb"waiting for it\n")
    server = netkit.serve("echo", "serve", f"127.0.0.1:{port}", "--tcp")
    assert ping.wait() == 0


def test_ping_goes_on_when_the_connection_is_lost(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--tcp")
    ping = netkit.start("echo", "ping", server.address, "--tcp", "-i", "20ms", "-w", "100ms")
    ping.out.expect(rb"seq=2 time=")
    server.stop()
    ping.err.expect(rb"closed by the peer|refused")
    ping.out.expect(rb"seq=\d+ no reply\n")
    netkit.serve("echo", "serve", server.address, "--tcp")
    ping.out.expect(rb"seq=\d+ time=")
    assert ping.stop(signal.SIGINT) == 0


def test_bench_finds_the_highest_rate(netkit, udp_server):
    taken = []

    def answer(data):
        """Answers the first 200 of each step, whatever the rate: a rate above 4,000 a second loses within 50 ms."""
        if int.from_bytes(data[:4], "big") == 0:
            taken.clear()
        taken.append(data)
        return [(0, data)] if len(taken) <= 200 else []

    done = netkit.run("echo", "bench", udp_server(answer).address, "--search", "--rate", "500/s", "--flows", "1",
                      "--duration", "50ms", "--max-loss", "50%", "-w", "100ms", "--json")
    steps = [(r["rate"], r["passed"]) for r in done.records if r["type"] == "step"]
    assert done.status == 0 and steps[0] == (500, True) and False in [passed for _, passed in steps]
    assert done.records[-1]["highest_rate"] == max(rate for rate, passed in steps if passed)


def test_the_search_says_which_threshold_no_rate_meets(netkit, udp_server):
    done = netkit.run("echo", "bench", udp_server().address, "--search", "--rate", "1/s", "--flows", "1",
                      "--duration", "50ms", "--max-loss", "99%", "--max-p99", "1ns", "-w", "100ms")
    assert done.status == 1 and b"no rate passed: p99 is " in done.err


def test_bench_says_how_it_goes_on(netkit, udp_server):
    done = netkit.run("echo", "bench", udp_server().address, "--duration", "350ms", "--stats=100ms", "--json")
    rows = [r for r in done.records if r["type"] == "interval"]
    assert len(rows) >= 2 and rows[0]["from_s"] == 0 and rows[1]["from_s"] == rows[0]["to_s"]
    assert all(r["p50_ms"] <= r["p99_ms"] <= r["max_ms"] for r in rows if r["packets_per_s"])


def test_bench_holds_to_thresholds(netkit, udp_server):
    server = udp_server(lambda data: [] if int.from_bytes(data[:4], "big") % 4 == 0 else [(0, data)])
    words = ("echo", "bench", server.address, "--flows", "1", "--rate", "500/s", "--duration", "200ms", "-w", "100ms")
    done = netkit.run(*words, "--max-loss", "5%")
    assert done.status == 1 and b"more than --max-loss allows" in done.err
    assert netkit.run(*words, "--max-loss", "50%", "--max-p99", "10s").status == 0
    done = netkit.run(*words, "--max-p99", "1ns")
    assert done.status == 1 and b"more than --max-p99 allows" in done.err


def test_ping_is_interrupted_with_its_totals(netkit, udp_server):
    ping = netkit.start("echo", "ping", udp_server().address, "-i", "10ms")
    ping.out.expect(rb"seq=3 ")
    assert ping.stop(signal.SIGINT) == 0
    assert re.search(rb"--- .*: \d+ sent, \d+ received", ping.out.data)
    assert ping.err.rest() == b"", "nothing says it again"


def test_ping_waits_for_a_service(netkit):
    port = free_port()
    ping = netkit.start("echo", "ping", f"127.0.0.1:{port}", "--wait-for", "20s", "-v")
    ping.err.expect(rb"netkit: echo: 127\.0\.0\.1:%d: connection refused; waiting for it\n" % port)
    with udp_socket(address=("127.0.0.1", port)) as server:
        done = threading.Event()

        def answer():
            server.settimeout(0.1)
            while not done.is_set():
                try:
                    data, peer = server.recvfrom(1000)
                    server.sendto(data, peer)
                except TimeoutError:
                    pass

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            assert ping.wait() == 0
        finally:
            done.set()
            thread.join()
    assert b"1 sent, 1 received" in ping.out.data


def test_ping_waits_only_so_long(netkit):
    done = netkit.run("echo", "ping", f"127.0.0.1:{free_port()}", "--wait-for", "300ms")
    assert done.status == 1
    assert re.search(rb"no answer from 127\.0\.0\.1:\d+ within 300ms: connection refused\n", done.err)


@pytest.mark.parametrize("extra", [[], ["--tcp"], ["--no-coalesce"], ["--rate", "2000/s"], ["--rate", "2000/s", "--tcp"],
                                   ["--size", "1200", "--window", "1"]])
def test_bench_counts_what_it_sent_and_got(netkit, extra):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--json", "--to", "file:/dev/null", sockets=2)
    done = netkit.run("echo", "bench", server.address, "--duration", "300ms", "--flows", "4", "--json", *extra)
    assert done.status == 0, done
    end = done.records[-1]
    assert end["received"] + end["lost"] == end["sent"] > 0
    assert end["packets_per_s"] > 0 and end["min_ms"] <= end["p50_ms"] <= end["max_ms"]


def test_bench_reports_for_people(netkit, udp_server):
    done = netkit.run("echo", "bench", udp_server().address, "--duration", "200ms", "--flows", "1", "--window", "2")
    assert done.status == 0
    number = r"[\d.,]+"
    assert re.fullmatch(rf"replies   {number} of {number}   {number} lost   in \d+\.\d\d s", done.lines[0])
    assert re.fullmatch(rf"rate      {number} replies/s   {number} [kM]B/s   {number} [kM]bit/s", done.lines[1])
    assert re.fullmatch(rf"latency   min {number}   mean {number}   p50 {number}   p90 {number}   (p99 {number}   )?"
                        rf"(p99.9 {number}   )?max {number} [µm]s", done.lines[2])
    assert done.lines[3] == "" and all(re.fullmatch(r" +≤ +\d+ (µs|ms|s ) +[▏▎▍▌▋▊▉█·]+ +<?[\d.]+ %", line) for line in done.lines[4:])


def test_bench_draws_with_what_the_locale_has(netkit, udp_server):
    done = netkit.run("echo", "bench", udp_server().address, "--duration", "100ms", "--flows", "1", env={"LC_ALL": "C"})
    assert done.out.isascii() and done.lines[4].startswith("  <= ") and any("#" in line for line in done.lines[4:])


def test_ping_has_metrics_by_target(netkit, udp_server):
    server, nobody = udp_server().address, f"127.0.0.1:{free_port()}"
    ping = netkit.start("echo", "ping", server, nobody, "-i", "20ms", "-w", "100ms", "--metrics", "127.0.0.1:0")
    url = ping.err.expect(rb"metrics on (http://\S+)\n").group(1).decode()
    text, found = "", {}

    def have_three_each():
        nonlocal text, found
        text = urllib.request.urlopen(url, timeout=20).read().decode()
        found = dict(re.findall(r"^(\S+) (\S+)$", text, re.M))
        return all(int(found[f'netkit_ping_{what}_total{{target="{target}"}}']) >= 3
                   for what, target in (("replies", server), ("probes", nobody)))
    wait_until(have_three_each)
    assert found[f'netkit_ping_replies_total{{target="{nobody}"}}'] == "0"
    buckets = [int(value) for name, value in found.items() if name.startswith("netkit_ping_rtt_seconds_bucket") and server in name]
    assert buckets == sorted(buckets) and str(buckets[-1]) == found[f'netkit_ping_rtt_seconds_count{{target="{server}"}}']
    assert "# TYPE netkit_ping_rtt_seconds histogram\n" in text


@pytest.mark.realtime
def test_bench_counts_latency_from_when_a_message_was_due(netkit, udp_server):
    # The server stops for a third of a second: at 100 a second some thirty messages are late by up to as much, though
    # a client that waits for each answer would have seen one.
    stopped = []

    def answer(data):
        if not stopped and int.from_bytes(data[:4], "big") == 10:
            stopped.append(True)
            time.sleep(0.35)
        return [(0, data)]

    done = netkit.run("echo", "bench", udp_server(answer).address, "--rate", "100/s", "--flows", "1", "--duration", "1s",
                      "--json")
    end = done.records[-1]
    assert end["max_ms"] >= 300 and end["p90_ms"] >= 100


def test_bench_says_that_a_rate_was_not_kept(netkit, udp_server):
    done = netkit.run("echo", "bench", udp_server().address, "--rate", "1000000000/s", "--duration", "200ms", "-w", "200ms",
                      "--json")
    end = done.records[-1]
    assert done.status == 0 and end["skipped"] > end["sent"] > 0
    done = netkit.run("echo", "bench", udp_server().address, "--rate", "200/s", "--duration", "200ms", "--json")
    end = done.records[-1]
    assert (done.status, end["skipped"]) == (0, 0) and end["sent"] >= 40


@pytest.mark.parametrize("proto", ["--udp", "--tcp"])
def test_bench_wants_a_descriptor_a_flow(netkit, proto):
    argv = ["prlimit", "--nofile=100:100", netkit_path(), "echo", "bench", "127.0.0.1:9", "--flows", "100", proto]
    done = netkit.run(argv=argv)
    assert done.status == 2
    assert b"--flows: 100 sockets need more than the 100 descriptors" in done.err


def test_bench_counts_loss(netkit, udp_server):
    server = udp_server(lambda data: [] if int.from_bytes(data[:4], "big") % 10 == 0 else [(0, data)])
    done = netkit.run("echo", "bench", server.address, "--flows", "1", "--rate", "500/s", "--duration", "400ms", "-w",
                      "100ms", "--json")
    end = done.records[-1]
    assert done.status == 0
    assert 5 <= end["loss_percent"] <= 15


def test_bench_says_when_nobody_is_there(netkit, udp_server):
    assert netkit.run("echo", "bench", f"127.0.0.1:{free_port()}", "--duration", "200ms").status == 69
    assert netkit.run("echo", "bench", f"127.0.0.1:{free_port()}", "--duration", "200ms", "--tcp").status == 69
    silent = udp_server(lambda data: []).address
    done = netkit.run("echo", "bench", silent, "--duration", "100ms", "-w", "100ms")
    assert done.status == 1 and b"no reply from" in done.err


def test_bench_is_interrupted_with_its_totals(netkit, udp_server):
    bench = netkit.start("echo", "bench", udp_server().address, "--duration", "60s", "--json", "--stats=100ms")
    bench.err.expect(rb"received [1-9]")
    assert bench.stop(signal.SIGINT) == 130
    end = json.loads(bench.out.data.splitlines()[-1])
    assert end["type"] == "end" and end["received"] > 0


def test_bench_shows_progress_on_a_terminal(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--udp", "--to", "file:/dev/null")
    terminal = netkit.terminal("echo", "bench", server.address, "--duration", "900ms")
    terminal.expect(rb"packets per s|packets_per_s")
    terminal.expect(rb"replies/s")
    assert terminal.wait() == 0
