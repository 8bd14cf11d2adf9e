"""netkit push serve: sources, ends, and the native subscribers of one machine."""

import json
import os
import signal
import socket
import subprocess

import pytest

from netkit import DEADLINE, host_port, receive_to_end, tcp_connect, udp_socket, wait_until


def serve(netkit, *args, **kwargs):
    return netkit.serve("push", "serve", "0", *args, sockets=2, **kwargs)


def subscribe(netkit, server, name, *args, **kwargs):
    client = netkit.start("push", "subscribe", server.address, "--name", name, *args, **kwargs)
    client.err.expect(rb"subscribed to 127\.0\.0\.1:%d as %s\n" % (server.port, name.encode()))
    return client


class ToFile:
    """A subscriber whose output goes to a file, so that it never waits for the test to read."""

    def __init__(self, netkit, server, path, name, *args):
        with open(path, "wb") as file:
            self.process = subscribe(netkit, server, name, *args, stdout=file)
        self.path = path

    def data(self):
        return self.path.read_bytes()


def test_every_line_reaches_three_subscribers_in_order(netkit, tmp_path):
    server = serve(netkit, "--from", "-", "--slow", "wait", "--min-subscribers", "3")
    # To files: a reader that waits for its turn would hold everybody, which is what --slow wait means.
    clients = [ToFile(netkit, server, tmp_path / f"s{i}", f"s{i}") for i in range(3)]
    lines = b"".join(b"%d\n" % i for i in range(20000))
    server.write(lines)
    server.close_stdin()
    for client in clients:
        assert client.process.wait() == 0
        assert client.data() == lines
    assert server.wait() == 0


def test_what_came_before_a_line_that_is_too_long_is_delivered(netkit, tmp_path):
    server = serve(netkit, "--from", "-", "--slow", "wait", "--min-subscribers", "2", "--max-line", "100", "--keep-open")
    native = ToFile(netkit, server, tmp_path / "native", "ann")
    plain = netkit.start("push", "subscribe", server.address, "--name", "bob", "--plain", "--count", "3000")
    lines = b"".join(b"%d\n" % i for i in range(3000))
    server.write(lines + b"x" * 200 + b"\nnot any more\n")
    assert native.process.wait() == 0  # it is told that this is the end
    assert native.data() == lines
    assert plain.wait() == 0 and plain.out.data == lines
    assert server.wait() == 76
    assert server.err.data.endswith(b"netkit: push: a line of --from - is longer than 100 (--max-line)\n")


def test_a_million_lines_reach_three_subscribers_in_order(netkit, tmp_path):
    server = serve(netkit, "--from", "exec:seq 1 1000000", "--slow", "wait", "--min-subscribers", "3")
    clients = [ToFile(netkit, server, tmp_path / f"s{i}", f"s{i}") for i in range(3)]
    expected = b"".join(b"%d\n" % i for i in range(1, 1000001))
    for client in clients:
        assert client.process.wait(60) == 0
        assert client.data() == expected
    assert server.wait() == 0


def test_a_subscriber_that_vanishes_is_gone_after_the_lease(netkit):
    server = serve(netkit, "--from", "-", "--lease", "300ms", "--json")
    client = subscribe(netkit, server, "ann")
    assert server.out.json()["type"] == "subscribed"
    client.stop(signal.SIGKILL)
    record = server.out.json()
    assert (record["type"], record["name"], record["reason"]) == ("unsubscribed", "ann", "silent")


def test_since_asks_for_what_is_kept_and_says_what_is_not(netkit):
    server = serve(netkit, "--from", "-", "--keep", "3", "--json")
    first = subscribe(netkit, server, "ann")
    # One at a time: records that come together are kept together.
    for number in range(1, 11):
        server.write(f"line {number}\n")
        first.out.expect(rb"line %d\n" % number)
    late = netkit.run("push", "subscribe", server.address, "--since", "2", "--count", "3", "--json")
    assert [(r["type"], r.get("from", r.get("seq")), r.get("to")) for r in late.records[:-1]] == [
        ("gap", 2, 7), ("push", 8, None), ("push", 9, None), ("push", 10, None)]
    assert b"lost records 2 to 7 (6)\n" in late.err
    early = netkit.start("push", "subscribe", server.address, "--name", "bob", "--since", "100", "--json")
    early.err.expect(rb"subscribed")
    server.write("line 11\n")
    assert early.out.json()["seq"] == 11


def test_skip_loses_nothing_for_who_keeps_up(netkit, tmp_path):
    server = serve(netkit, "--from", "-")
    client = ToFile(netkit, server, tmp_path / "ann", "ann")
    lines = b"".join(b"%06d %s\n" % (i, b"x" * 100) for i in range(20000))
    server.write(lines)
    server.close_stdin()
    assert client.process.wait() == 0
    assert client.data() == lines


def test_the_end_of_the_source_ends_server_and_subscribers(netkit):
    server = serve(netkit, "--from", "-")
    client = subscribe(netkit, server, "ann", "--json")
    server.write("one\ntwo\n")
    server.close_stdin()
    assert client.wait() == 0
    *records, end = client.out.data.decode().splitlines()
    assert [r.split('"text":')[1] for r in records] == ['"one"}', '"two"}']
    assert '"ok":true' in end
    assert server.wait() == 0


def test_keep_open_goes_on_when_the_source_has_ended(netkit, tmp_path):
    source = tmp_path / "source"
    source.write_text("one\ntwo\n")
    server = serve(netkit, "--from", f"file:{source}", "--keep-open", "--last", "--min-subscribers", "1")
    client = subscribe(netkit, server, "ann")
    client.out.expect(rb"\Aone\ntwo\n")
    late = netkit.run("push", "subscribe", server.address, "--since", "1", "--count", "2")
    assert late.out == b"one\ntwo\n"
    assert server.stop() == 0


def test_ticks_go_on_after_a_file(netkit, tmp_path):
    source = tmp_path / "source"
    source.write_text("one\n")
    server = serve(netkit, "--from", f"file:{source}", "--every", "50ms", "--message", "tick {seq}",
                   "--min-subscribers", "1")
    client = subscribe(netkit, server, "ann")
    client.out.expect(rb"^one\n")
    client.out.expect(rb"^tick \d+\ntick \d+\n")
    assert server.stop(signal.SIGINT) == 0


def test_exec_pushes_the_whole_output_when_it_changes(netkit, tmp_path):
    source = tmp_path / "value"
    source.write_text("a\nb\n")
    server = serve(netkit, "--exec", f"cat {source}", "--every", "30ms", "--on-change", "--min-subscribers", "1")
    client = subscribe(netkit, server, "ann", "--json")
    assert client.out.json()["text"] == "a\nb"
    (tmp_path / "new").write_text("c\n")
    os.replace(tmp_path / "new", source)
    record = client.out.json()
    assert record["text"] == "c" and record["seq"] == 2


def test_exec_without_on_change_repeats(netkit):
    server = serve(netkit, "--exec", "echo same", "--every", "30ms")
    result = netkit.run("push", "subscribe", server.address, "--count", "3")
    assert result.out == b"same\nsame\nsame\n"


def test_a_command_that_fails_is_said_and_not_pushed(netkit):
    server = serve(netkit, "--exec", "echo no; exit 3", "--every", "30ms")
    server.err.expect(rb"--exec: the command ended with status 3\n")
    server.stop()
    assert b"records 0" in server.err.data.replace(b"=", b" ")


def test_a_command_that_fails_again_and_again_is_said_once(netkit, tmp_path):
    runs = tmp_path / "runs"
    server = serve(netkit, "--exec", f"echo >> {runs}; test $(wc -l < {runs}) = 3 || exit 3", "--every", "10ms", "--keep-open")
    wait_until(lambda: runs.exists() and runs.read_text().count("\n") > 6, what="seven runs")
    server.stop()
    assert server.err.data.count(b"--exec: the command ended with status 3\n") == 2, "before and after the third"


def test_min_subscribers_holds_the_source(netkit):
    server = serve(netkit, "--from", "-", "--min-subscribers", "2")
    server.write("one\n")
    first = subscribe(netkit, server, "first")
    first.out.silent(0.2)
    second = subscribe(netkit, server, "second")
    for client in (first, second):
        client.out.expect(rb"\Aone\n")


def test_a_name_that_is_taken_over_ends_the_older_with_75(netkit):
    server = serve(netkit, "--from", "-")
    first = subscribe(netkit, server, "ann")
    second = subscribe(netkit, server, "ann")
    assert first.wait() == 75
    first.err.expect(rb"another subscriber took the name ann\n")
    server.write("one\n")
    second.out.expect(rb"\Aone\n")


def test_unsubscribing_a_native_one_ends_it_with_75(netkit):
    server = serve(netkit, "--from", "-")
    client = subscribe(netkit, server, "ann")
    netkit.run(argv=["bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{server.port}; echo UNSUBSCRIBE ann >&3; head -1 <&3"])
    assert client.wait() == 75


def test_a_stopped_subscriber_holds_the_source_with_wait(netkit, tmp_path):
    server = serve(netkit, "--from", "-", "--slow", "wait", "--keep", "10")
    client = ToFile(netkit, server, tmp_path / "ann", "ann")
    client.process.signal(signal.SIGSTOP)
    lines = b"".join(b"%05d %s\n" % (i, b"x" * 1000) for i in range(1000))
    server.write(lines[: 64 << 10])
    client.process.signal(signal.SIGCONT)
    server.write(lines[64 << 10:])
    server.close_stdin()
    assert client.process.wait() == 0
    assert client.data() == lines


def test_a_stopped_subscriber_holds_publishers_with_wait(netkit, tmp_path):
    server = serve(netkit, "--from", "-", "--slow", "wait", "--keep", "10")
    client = ToFile(netkit, server, tmp_path / "ann", "ann")
    client.process.signal(signal.SIGSTOP)
    line = b"x" * 15000
    requests, sent = b"PUSH - 15000\n%s" % line * 1500, 0
    with tcp_connect(server.address) as publisher:
        publisher.settimeout(1)
        with pytest.raises(TimeoutError):
            while sent < len(requests):
                sent += publisher.send(requests[sent : sent + 65536])
        client.process.signal(signal.SIGCONT)
        publisher.settimeout(DEADLINE)
        publisher.sendall(requests[sent:])
        publisher.shutdown(socket.SHUT_WR)
        assert receive_to_end(publisher) == b"OK\n" * 1500
    server.close_stdin()
    assert client.process.wait() == 0
    assert client.data() == (line + b"\n") * 1500


@pytest.mark.realtime
def test_a_reader_that_does_not_read_keeps_its_subscription(netkit):
    server = serve(netkit, "--from", "exec:seq 1 2000000", "--slow", "wait", "--lease", "300ms", "--min-subscribers", "1")
    # Standard output is a pipe that nobody reads: more than it holds comes, and the lease passes many times.
    client = subscribe(netkit, server, "ann")

    def age():
        rows = netkit.run("push", "status", server.address, "--json").records
        return [row["age"] for row in rows if row["type"] == "subscriber"]
    wait_until(lambda: max(age()) > 2)
    assert client.wait() == 0
    assert client.out.data == b"".join(b"%d\n" % i for i in range(1, 2000001))
    assert server.wait() == 0


def test_what_a_silent_subscriber_did_not_get_is_said(netkit):
    server = serve(netkit, "--from", "-", "--lease", "300ms", "--json")
    client = subscribe(netkit, server, "ann")
    client.signal(signal.SIGSTOP)
    server.write(b"one\ntwo\n")
    server.err.expect(rb"netkit: push: 127\.0\.0\.1:\d+ is silent: 2 records for ann are not delivered\n")
    client.stop(signal.SIGKILL)
    assert server.stop() == 0
    assert json.loads(server.out.rest().splitlines()[-1])["lost"] == 2


@pytest.mark.realtime
def test_a_stopped_subscriber_is_skipped_and_told_what_it_missed(netkit, tmp_path):
    server = serve(netkit, "--from", "-", "--keep", "10", "--grace", "50ms")
    fast = ToFile(netkit, server, tmp_path / "fast", "fast")
    slow = ToFile(netkit, server, tmp_path / "slow", "slow", "--json")
    slow.process.signal(signal.SIGSTOP)
    lines = b"".join(b"%05d %s\n" % (i, b"x" * 1000) for i in range(1, 2001))
    server.write(lines)
    server.close_stdin()
    assert fast.process.wait() == 0 and fast.data() == lines
    slow.process.signal(signal.SIGCONT)
    assert slow.process.wait() == 0
    expected, gaps = 1, 0
    for record in map(json.loads, slow.data().splitlines()[:-1]):
        if record["type"] == "gap":
            assert record["from"] == expected
            expected = record["to"] + 1
            gaps += 1
        else:
            assert record["seq"] == expected and record["text"].startswith("%05d" % expected)
            expected += 1
    assert expected == 2001 and gaps > 0
    slow.process.err.expect(rb"lost records \d+ to \d+ \(\d+\)\n")


def test_a_stopped_subscriber_is_dropped_when_told_so(netkit):
    server = serve(netkit, "--from", "-", "--keep", "10", "--grace", "50ms", "--slow", "drop")
    slow = subscribe(netkit, server, "slow")
    slow.signal(signal.SIGSTOP)
    server.write(b"".join(b"%05d %s\n" % (i, b"x" * 1000) for i in range(2000)))
    server.out.expect(rb"unsubscribed slow\n")
    slow.signal(signal.SIGCONT)


def test_status_shows_the_roster_with_numbers(netkit):
    server = serve(netkit, "--from", "-")
    client = subscribe(netkit, server, "ann")
    peer = udp_socket()
    peer.sendto(b"plain one", host_port(server.address))
    server.out.expect(rb"subscribed plain one\n")
    server.write("one\ntwo\n")
    client.out.expect(rb"\Aone\ntwo\n")

    def rows():
        result = netkit.run("push", "status", server.address, "--json")
        assert result.status == 0, result
        return {r["name"]: r for r in result.records if r["type"] == "subscriber"}
    wait_until(lambda: rows()["ann"]["sent"] == 2)
    found = rows()
    assert found["ann"]["kind"] == "native" and found["ann"]["lag"] == 0 and found["ann"]["lost"] == 0
    assert found["plain one"]["address"] == "127.0.0.1:%d" % peer.getsockname()[1]
    assert found["plain one"]["sent"] == 2
    assert found["ann"]["window"] > 0 and found["ann"]["rtt_ms"] > 0 and "window" not in found["plain one"]
    text = netkit.run("push", "status", server.address)
    assert b"plain one 127.0.0.1:" in text.out and b" window=" in text.out


def test_status_without_a_server_is_69(netkit):
    probe = udp_socket()
    result = netkit.run("push", "status", probe.getsockname()[1])
    assert result.status == 69, result


def test_wrong_uses_are_told(netkit):
    for args, word in ((["--exec", "date", "--from", "-"], b"--from"), (["--on-change"], b"--exec"),
                       (["--slow", "never"], b"--slow"), (["--plain", "some"], b"--plain"),
                       (["--lease", "1ms"], b"--lease"), (["--every", "0"], b"--every")):
        result = netkit.run("push", "serve", "0", *args)
        assert result.status == 2 and word in result.err, result
    for args in (["--name", "  "], ["--plain", "--since", "3"]):
        assert netkit.run("push", "subscribe", "1", *args).status == 2


def test_a_record_over_64_kib_is_left_out_and_said(netkit):
    server = serve(netkit, "--from", "-")
    client = subscribe(netkit, server, "ann")
    server.write(b"x" * 65537 + b"\nafter\n" + b"y" * 65536 + b"\n")
    server.err.expect(rb"a record of 65537 bytes is skipped")
    client.out.expect(rb"\Aafter\ny{65536}\n")


def test_a_full_disk_is_74(netkit):
    server = serve(netkit, "--every", "50ms")
    client = netkit.start("push", "subscribe", server.address, stdout=os.open("/dev/full", os.O_WRONLY))
    assert client.wait() == 74


def test_a_subscriber_that_is_told_to_end_says_good_bye(netkit):
    server = serve(netkit, "--from", "-")
    client = subscribe(netkit, server, "ann")
    assert client.stop(signal.SIGINT) == 0
    server.out.expect(rb"unsubscribed ann\n")


def test_records_that_go_to_nobody_are_said_once(netkit):
    server = serve(netkit, "--from", "-")
    server.write("1\n2\n")
    server.err.expect(rb"netkit: push: there are no subscribers: records reach nobody \(--min-subscribers 1 waits for one\)\n")
    ann = subscribe(netkit, server, "ann")
    server.out.expect(rb"subscribed ann\n")
    server.write("3\n")
    assert ann.out.line() == b"3"
    server.close_stdin()
    assert server.wait() == 0 and server.err.rest() == b""


def test_standard_input_that_is_not_read_is_said(netkit, tmp_path):
    server = serve(netkit)
    server.write("1\n")
    server.err.expect(rb"netkit: push: standard input is not read \(--from - reads it\)\n")
    (tmp_path / "lines").write_text("1\n")
    with open(tmp_path / "lines", "rb") as file:
        server = serve(netkit, "--every", "1h", stdin=file)
    assert b"standard input is not read" in server.err.data
    server = serve(netkit, "--every", "1h", stdin=subprocess.DEVNULL)
    assert server.stop() == 0 and b"standard input" not in server.err.data
