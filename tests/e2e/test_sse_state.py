"""netkit sse going on where it was: Last-Event-ID, --last-event-id and --state."""

import signal
import threading

import pytest

from netkit import wait_until
from sse_peer import ONE, Server, answer, events, hold, ok, read


def test_it_comes_back_after_the_last_id(netkit):
    with Server(ok(events(1, 2)), ok(b"data: no id\n\nid\n" + ONE), ok(events(9))) as server:
        done = read(netkit, server, "-c", "5")
    assert done.status == 0 and done.lines == ["event 1", "event 2", "no id", "one", "event 9"]
    assert [r.headers.get("last-event-id") for r in server.requests] == [None, "2", None]
    assert done.err.count(b"closed the stream; trying again in 1 ms") == 2
    assert done.err.count(b": connected again after ") == 2


def test_an_id_of_an_unfinished_event_does_not_count(netkit):
    with Server(ok(events(1) + b"id: 2\ndata: half"), ok(events(3))) as server:
        assert read(netkit, server, "-c", "2").lines == ["event 1", "event 3"]
    assert server.requests[1].headers["last-event-id"] == "1"


def test_an_id_without_data_counts(netkit):
    with Server(ok(b"id: 5\n\n"), ok(ONE)) as server:
        read(netkit, server, "-c", "1")
    assert server.requests[1].headers["last-event-id"] == "5"


def test_an_id_of_utf8_comes_back_as_it_was(netkit):
    with Server(ok("id: né☃\ndata: x\n\n".encode()), ok(ONE)) as server:
        read(netkit, server, "-c", "2")
    assert server.requests[1].headers["last-event-id"].encode("latin-1").decode() == "né☃"


def test_an_id_to_begin_with(netkit):
    with Server(answer("503 Busy"), ok(ONE)) as server:
        read(netkit, server, "-c", "1", "--last-event-id", "41")
    assert [r.headers["last-event-id"] for r in server.requests] == ["41", "41"]


def test_the_state_outlives_the_run(netkit, tmp_path):
    state = tmp_path / "state"
    with Server(ok(events(1, 2)), ok(events(3, 4))) as server:
        assert read(netkit, server, "-c", "2", "--state", state).status == 0
        assert state.read_text() == "2\n" and state.stat().st_mode & 0o777 == 0o600
        assert read(netkit, server, "-c", "1", "--state", state).lines == ["event 3"]
    assert server.requests[1].headers["last-event-id"] == "2" and state.read_text() == "3\n"


def test_a_state_that_cannot_be_written(netkit, tmp_path):
    with Server(ok(ONE + events(1))) as server:
        done = read(netkit, server, "-c", "2", "--state", tmp_path / "none" / "state")
    assert done.status == 74 and b"--state" in done.err


def test_a_state_on_a_full_device(netkit):
    with Server(ok(ONE + events(1))) as server:
        done = read(netkit, server, "-c", "2", "--state", "/dev/full")
    assert done.status == 74
    assert done.err == b"netkit: sse: --state: cannot write '/dev/full': no space left on device\n"
    assert "last-event-id" not in server.requests[0].headers


@pytest.mark.parametrize("size", [(1 << 18) + 1, 1 << 20])
def test_an_id_that_no_request_can_carry_is_the_end(netkit, size):
    """The same again and again would not make it smaller."""
    with Server(ok(b"id: " + b"x" * size + b"\ndata: one\n\n"), ok(ONE)) as server:
        done = read(netkit, server, "--timeout", "10s")
    assert done.status == 76 and done.out == b"one\n" and len(server.requests) == 1, done
    assert b"the last event id is too long for a request: %d bytes" % size in done.err


def test_an_id_of_a_quarter_of_a_mib_is_carried(netkit):
    with Server(ok(b"id: " + b"x" * (1 << 18) + b"\ndata: one\n\n"), ok(ONE)) as server:
        assert read(netkit, server, "-c", "2").status == 0
    assert len(server.requests[1].headers["last-event-id"]) == 1 << 18


def test_an_id_in_a_given_header_is_refused(netkit):
    """It would be sent after every reconnect, and bring the same events again."""
    done = netkit.run("sse", "http://127.0.0.1:1/", "-H", "last-event-id: 5")
    assert done.status == 2 and b"use --last-event-id" in done.err, done


@pytest.mark.parametrize("given, sent", [("", None), ("3", "3")])
def test_the_option_beats_the_state(netkit, tmp_path, given, sent):
    (tmp_path / "state").write_text("5\n")
    with Server(ok(events(7))) as server:
        assert read(netkit, server, "-c", "1", "--last-event-id", given, "--state", tmp_path / "state").status == 0
    assert server.requests[0].headers.get("last-event-id") == sent and (tmp_path / "state").read_text() == "7\n"


def test_a_state_that_was_edited(netkit, tmp_path):
    (tmp_path / "state").write_bytes(b"5\r\n")
    with Server(ok(events(7))) as server:
        assert read(netkit, server, "-c", "1", "--state", tmp_path / "state").status == 0
    assert b"Last-Event-ID: 5\r\n" in server.requests[0].raw


@pytest.mark.parametrize("content", [
    b"export PATH=/bin\nulimit -c 0\n", b"\0\0\0\0", b"5\rx\n", b"5\nhttp://x/ 5\n", b"http://x/ 5\n5\n",
], ids=["another file", "zeros", "a CR", "an id before lines", "lines before an id"])
def test_a_file_that_is_no_state_is_not_overwritten(netkit, tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with Server(ok(events(7))) as server:
        done = read(netkit, server, "-c", "1", "--state", tmp_path / "file")
    assert done.status == 78 and b"is not a state file" in done.err and done.err.count(b"\n") == 1, done
    assert (tmp_path / "file").read_bytes() == content and not server.requests


def test_an_id_that_looks_like_a_line_of_the_state(netkit, tmp_path):
    with Server(ok(b"id: http://x/ 5\ndata: one\n\n"), ok(ONE)) as server:
        for _ in range(2):
            assert read(netkit, server, "-c", "1", "--state", tmp_path / "state").status == 0
    assert server.requests[1].headers["last-event-id"] == "http://x/ 5"


def test_the_state_of_several(netkit, tmp_path):
    """Each URL has its own; one that is not read this time keeps its line."""
    state = tmp_path / "state"
    with Server(ok(events(1)), ok(ONE)) as one, Server(ok(events(2)), answer("204 No Content")) as two:
        assert netkit.run("sse", one.url, two.url, "--retry", "1s", "-c", "2", "--state", state).status == 0
        assert sorted(state.read_text().splitlines()) == sorted([f"{one.url} 1", f"{two.url} 2"])
        assert read(netkit, one, "-c", "1", "--state", state).status == 0
        assert read(netkit, two, "--state", state).status == 0
    assert [s.requests[1].headers["last-event-id"] for s in (one, two)] == ["1", "2"]
    assert sorted(state.read_text().splitlines()) == sorted([f"{one.url} 1", f"{two.url} 2"])


@pytest.mark.parametrize("where", [">/dev/full", "--to file:/dev/full"])
def test_what_could_not_be_written_is_read_again(netkit, tmp_path, where):
    (tmp_path / "state").write_text("1\n")
    with Server(hold(ok(events(2, 3)))) as server:
        done = netkit.shell(f"netkit sse {server.url} --state {tmp_path}/state {where}")
    assert done.status == 74 and (tmp_path / "state").read_text() == "1\n", done


def test_the_state_does_not_run_ahead_of_the_reader(netkit, tmp_path):
    """Several times what a pipe holds, which nobody reads at first: killed then, it would have lost the rest."""
    last, state = 4000, tmp_path / "state"
    state.write_text("0\n")
    with Server(hold(ok(b"".join(b"id: %d\ndata: %0100d\n\n" % (n, n) for n in range(1, last + 1))))) as server:
        client = netkit.start("sse", server.url, "--state", state, "-v")
        client.err.expect(rb"connected to ")

        def has_come():
            client.signal(signal.SIGUSR1)
            return b"events 4000," in client.err.line()
        wait_until(has_come, what="all events")
        assert int(state.read_text()) < last
        client.out.expect(b"%0100d\n" % last)
        wait_until(lambda: int(state.read_text()) == last, what="the state")
        assert client.stop() == 0


def test_an_event_that_came_too_late_is_read_again(netkit, tmp_path):
    """Two streams are ready at once, and the first one's event is the last that is wanted."""
    go = threading.Event()

    def step(number):
        def run(connection, _):
            connection.send(ok(b""))
            go.wait(20)
            connection.send(events(number))
            sent.append(number)
            connection.wait_for_close()
        return run
    sent = []
    with Server(step(1)) as one, Server(step(2)) as two:
        client = netkit.start("sse", one.url, two.url, "-v", "-c", "1", "--state", tmp_path / "state")
        for _ in range(2):
            client.err.expect(rb"connected to ")
        client.signal(signal.SIGSTOP)
        go.set()
        wait_until(lambda: len(sent) == 2, what="both events")
        client.signal(signal.SIGCONT)
        assert client.wait() == 0
    printed = client.out.data.decode().split()[1]
    ids = dict(line.split(" ") for line in (tmp_path / "state").read_text().splitlines())
    assert ids == {one.url: "1" if printed == "1" else "", two.url: "2" if printed == "2" else ""}
