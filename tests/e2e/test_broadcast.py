"""netkit broadcast on this machine's loopback."""

import signal
import socket

import pytest

from netkit import free_port, host_port, udp_socket, wait_until


def listen(netkit, *args):
    return netkit.serve("broadcast", "listen", "127.255.255.255:0", *args)


def test_everybody_who_listens_hears(netkit):
    listener = listen(netkit)
    sent = netkit.run("broadcast", "send", listener.address, "hello", "-w", "0")
    assert (sent.status, sent.out, sent.err) == (0, b"", b"")
    assert listener.out.line().endswith(b" hello")
    assert listener.stop(signal.SIGINT) == 0


def test_answers_have_their_sender(netkit):
    listener = netkit.serve("broadcast", "listen", ":0", "--reply", "got {text}", sockets=2)
    result = netkit.run("broadcast", "send", f"127.255.255.255:{listener.port}", "x", "--replies", "1", "-w", "20s")
    assert result.lines == [f"127.0.0.1:{listener.port} got x"]


def test_a_message_is_no_answer_to_itself(netkit):
    port = free_port()
    sent = netkit.run("broadcast", "send", f"127.255.255.255:{port}", "x", "--bind", f":{port}", "--expect", "1", "-w", "100ms")
    assert (sent.status, sent.out) == (1, b"")


def test_a_python_socket_can_answer(netkit):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(20)
    sock.bind(("127.255.255.255", 0))
    client = netkit.start("broadcast", "send", "127.255.255.255:%d" % sock.getsockname()[1], "who?", "-w", "20s",
                          "--replies", "2", "--json")
    data, peer = sock.recvfrom(100)
    assert data == b"who?"
    other = udp_socket()
    me = udp_socket()
    for answer in (me, me, other):  # one of them twice
        answer.sendto(b"me", peer)
    assert client.wait() == 0
    records = [line for line in client.out.data.decode().splitlines() if '"answer"' in line]
    assert len(records) == 2
    for s in (sock, other, me):
        s.close()


def test_too_many_responders_are_said_once(netkit):
    with udp_socket() as asked, udp_socket() as one, udp_socket() as other:
        client = netkit.start("broadcast", "send", "127.0.0.1:%d" % asked.getsockname()[1], "who?", "-w", "300ms",
                              "--max-responders", "1", "--json")
        _, peer = asked.recvfrom(100)
        for answer in (one, other, one, one):
            answer.sendto(b"me", peer)
        assert client.wait() == 0
        totals = client.out.rest().decode().splitlines()[-1]
        assert '"answers":1,"duplicates":2,"overflow":1' in totals
        assert client.err.rest().count(b"more responders than --max-responders") == 1


def test_lines_of_stdin_are_messages(netkit):
    listener = listen(netkit, "-c", "3")
    netkit.run("broadcast", "send", listener.address, "-w", "0", stdin="a\nb\nc\n")
    assert listener.wait() == 0
    assert [line.split()[-1] for line in listener.out.data.decode().splitlines()] == ["a", "b", "c"]


def test_a_line_that_is_too_long_ends_the_input_not_the_answers(netkit):
    listener = netkit.serve("broadcast", "listen", "127.0.0.1:0", "--reply", "got {text}")
    done = netkit.run("broadcast", "send", listener.address, "-w", "20s", "--replies", "1", "--max-line", "100",
                      stdin="good\n" + "x" * 200 + "\nnot any more\n")
    assert (done.status, done.lines) == (76, [f"{listener.address} got good"])
    assert done.err == b"netkit: broadcast: a line of --from - is longer than 100 (--max-line)\n"


def test_lines_in_a_row_have_their_answers(netkit):
    listener = netkit.serve("broadcast", "listen", ":0", "--reply", "{text}", sockets=2)
    done = netkit.run("broadcast", "send", f"127.255.255.255:{listener.port}", "-w", "10s", "--replies", "3", "--json",
                      stdin="a\nb\nc\n")
    assert done.status == 0 and [r.get("text") for r in done.records] == ["a", "b", "c", None]
    assert done.records[-1]["duplicates"] == 0


def test_lines_typed_at_a_terminal_have_a_prompt(netkit):
    listener = netkit.serve("broadcast", "listen", ":0", "--reply", "got {text}", sockets=2)
    terminal = netkit.terminal("broadcast", "send", f"127.255.255.255:{listener.port}", "-w", "100ms")
    terminal.expect(rb"> $")
    terminal.type("one\r")
    terminal.expect(rb"127\.0\.0\.1:\d+ got one\r\n> ")  # above the prompt
    terminal.type("tww\x7fo\r")
    terminal.expect(rb"got two\r\n> ")
    terminal.type("\x04")
    assert terminal.wait() == 0


def test_a_source_that_is_named_twice_is_read_once(netkit):
    listener = listen(netkit, "-c", "2")
    done = netkit.run("broadcast", "send", listener.address, "-w", "0", "--from", "-", "--from", "-", stdin="a\nb\n")
    assert done.status == 0 and listener.wait() == 0


def test_a_message_that_is_too_long_is_said_and_the_others_are_sent(netkit):
    listener = listen(netkit, "-c", "2")
    done = netkit.run("broadcast", "send", listener.address, "-w", "0", stdin="a\n" + 66_000 * "x" + "\nb\n")
    assert done.status == 1
    assert done.err.decode() == ("netkit: broadcast: a message of 66000 bytes does not fit into a datagram: "
                                 f"cannot send to {listener.address}: message too long\n")
    assert netkit.run("broadcast", "send", listener.address, 66_000 * "x", "-w", "1h").status == 1
    assert listener.wait() == 0 and [line[-2:] for line in listener.out.rest().splitlines()] == [b" a", b" b"]


def test_a_ticker_is_a_source(netkit):
    listener = listen(netkit, "-c", "2")
    ticker = netkit.start("broadcast", "send", listener.address, "--every", "20ms", "--message", "tick")
    assert listener.wait() == 0
    assert ticker.stop(signal.SIGINT) == 0


def test_nobody_answers_is_0_and_1_when_answers_are_expected(netkit):
    silent = udp_socket()
    address = "127.0.0.1:%d" % silent.getsockname()[1]
    assert netkit.run("broadcast", "send", address, "x", "-w", "20ms").status == 0
    result = netkit.run("broadcast", "send", address, "x", "-w", "20ms", "--expect", "1")
    assert result.status == 1
    assert result.err == b"netkit: broadcast: 0 of the 1 expected answers arrived\n"
    silent.close()


def test_that_nobody_answered_is_said(netkit):
    silent = udp_socket()
    address = "127.0.0.1:%d" % silent.getsockname()[1]
    done = netkit.run("broadcast", "send", address, "x", "-w", "20ms")
    assert (done.status, done.err) == (0, f"netkit: broadcast: no answer from {address} within 20ms\n".encode())
    silent.close()


def test_bytes_in_hexadecimal(netkit):
    listener = netkit.serve("broadcast", "listen", "127.0.0.1:0", "--reply", "\\x01{text}", "--hex", "-c", "2")
    done = netkit.run("broadcast", "send", listener.address, "--hex", "ff ff 00", "--replies", "1", "-w", "20s")
    assert done.lines == [f"{listener.address} 01ffff00"]
    done = netkit.run("broadcast", "send", listener.address, "--hex", "-w", "0", stdin="00ff\n")
    assert done.status == 0 and listener.wait() == 0
    assert [line.split()[-1] for line in listener.out.data.splitlines()] == [b"ffff00", b"00ff"]
    assert netkit.run("broadcast", "send", listener.address, "--hex", "0g").status == 2


@pytest.mark.parametrize("args, words", [
    (["send", "--wait", "none", "127.255.255.255:9", "x"], b"--replies"),
    (["send", "127.255.255.255:9", "x", "--from", "-"], b"--from"),
    (["listen", ":0", "--group", "10.0.0.1"], b"multicast"),
    (["listen", ":0", "--source", "10.0.0.1"], b"--group"),
])
def test_what_makes_no_sense_is_refused(netkit, args, words):
    result = netkit.run("broadcast", *args)
    assert result.status == 2 and words in result.err and result.err.count(b"\n") == 1


def test_an_interface_that_does_not_exist_is_69(netkit):
    result = netkit.run("broadcast", "send", "255.255.255.255:9", "x", "--interface", "nope0")
    assert result.status == 69 and b"nope0" in result.err


def test_two_listeners_that_answer_fall_silent(netkit):
    """One forged datagram must not make two answering listeners talk for ever."""
    first = netkit.serve("broadcast", "listen", "127.0.0.1:0", "--reply", "re: {text}", "--to", "file:/dev/null")
    second = netkit.serve("broadcast", "listen", "127.0.0.2:0", "--reply", "x", "--to", "file:/dev/null")

    def forge():
        """A datagram to the first that seems to come from the second. The answer may reach this socket, which shares the
        second's port while it is open, and then there is no loop yet."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(host_port(second.address))
            sock.sendto(b"hello", host_port(first.address))

    def loop_is_named():
        forge()
        for process in (first, second):
            process.err._pump(0.05)
        return b" answers answers: ignored from now on" in first.err.data + second.err.data

    wait_until(loop_is_named, what="a listener that names the loop")

    def received():
        second.signal(signal.SIGUSR1)
        return int(second.err.expect(rb"received (\d+)").group(1))

    # A turn of the loop may still be under way; then both are silent.
    count = received()
    wait_until(lambda: count_is_stable(received), what="silence")
    assert 0 < count < 5000


def count_is_stable(received):
    return received() == received()


def test_a_group_of_the_link_is_joined_where_its_interface_is_named(netkit):
    for address in ("[ff02::77%lo]:0", "[ff02::77]:0"):
        listener = netkit.serve("broadcast", "listen", address, "--interface", "lo")
        assert listener.address.startswith("[ff02::77%lo]:")
        assert listener.stop() == 0
