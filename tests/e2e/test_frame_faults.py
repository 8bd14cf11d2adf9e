"""netkit frame connect, with servers that break: what it says, does, and never loses."""

import signal
import time

import pytest

from frame_peer import (APPID, HEARTBEAT, IMEI, REGISTER, Server, answer, free_port, request)

FAST = ["--reconnect", "forever", "--reconnect-max", "100ms"]


@pytest.fixture
def server():
    with Server() as scripted:
        yield scripted


def start(netkit, address, *args, stdin=None):
    client = netkit.start("frame", "connect", address, "--heartbeat", "none", *args)
    if stdin is not None:
        client.write(stdin)
        client.close_stdin()
    return client


def test_a_server_that_closes_gets_the_request_again(netkit, server):
    client = start(netkit, server.address, *FAST, "--stats", stdin="7:a\n8:b\n")
    first = server.accept()
    assert first.request() == (7, b"a") and first.request() == (8, b"b")
    first.send(answer(7, 0, b"A"))
    first.close()
    second = server.accept()
    assert second.request() == (8, b"b")  # and not 7, which was answered
    second.send(answer(8, 0, b"B"))
    assert client.wait() == 0
    assert client.out.rest() == b"7 A\n8 B\n"
    err = client.err.rest().decode()
    assert f"{server.address}: connection lost: closed by the peer (1 request without an answer); trying again in " in err
    assert f"{server.address}: connected again after " in err
    assert " resent 1, " in err and err.count("\n") == 3


def test_without_reconnect_a_drop_ends_with_69_and_names_what_is_lost(netkit, server):
    client = start(netkit, server.address, "--json", stdin="7:a\n8:b\n")
    peer = server.accept()
    peer.request()
    peer.send(answer(7))
    peer.request()
    peer.close()
    assert client.wait() == 69
    end = client.out.rest().splitlines()[-1]
    assert b'"ok":false' in end and b'"unanswered":1' in end and b'"resent":0' in end
    err = client.err.rest().decode()
    assert "no answer to 1 request: #2 8\n" in err and "closed by the peer" in err


def test_a_server_that_resets(netkit, server):
    client = start(netkit, server.address, *FAST, stdin="7:a\n")
    peer = server.accept()
    peer.request()
    peer.reset()
    again = server.accept()
    again.request()
    again.send(answer(7))
    assert client.wait() == 0
    assert b"lost: connection reset by peer" in client.err.rest()


@pytest.mark.realtime
def test_a_silent_server_is_dropped_after_its_misses(netkit, server):
    client = netkit.start("frame", "connect", server.address, *FAST, "--heartbeat", "100ms",
                          "--misses", "2", "--send", "7:a")
    client.close_stdin()
    peer = server.accept()
    peer.expect(request(7, b"a"))
    began = time.monotonic()
    assert peer.at_end() == HEARTBEAT * 2
    assert time.monotonic() - began < 5
    again = server.accept()
    assert again.request() == (7, b"a")
    again.send(answer(7))
    assert client.wait() == 0
    assert b"no answer to 2 heartbeats (--misses) (1 request without an answer)" in client.err.rest()


def test_any_frame_counts_as_life(netkit, server):
    client = netkit.start("frame", "connect", server.address, "-k", "--heartbeat", "60ms", "--misses", "2")
    peer = server.accept()
    for _ in range(6):
        peer.expect(HEARTBEAT)
        peer.send(answer(50))
    client.out.expect(rb"(50 ok\n){6}")
    assert client.stop(signal.SIGTERM) == 0


@pytest.mark.parametrize("rest", [1, 2, 4, 5, 9])
def test_half_a_frame(netkit, server, rest):
    client = start(netkit, server.address, *FAST, stdin="7:a\n")
    peer = server.accept()
    peer.request()
    peer.send(answer(7, 0, b"0123456789")[:rest])
    peer.close()
    again = server.accept()
    again.request()
    again.send(answer(7, 0, b"whole"))
    assert client.wait() == 0
    assert client.out.rest() == b"7 whole\n"
    assert b"in the middle of a frame" in client.err.rest()


def test_a_length_of_4_gib(netkit, server):
    client = start(netkit, server.address, *FAST, stdin="7:a\n")
    peer = server.accept()
    peer.request()
    peer.send(b"\xff\xff\xff\xff\x07\0")
    again = server.accept()
    again.request()
    again.send(answer(7))
    assert client.wait() == 0
    assert b"--max-frame" in client.err.rest()


@pytest.mark.parametrize("wrong", [b"\0\0\0\0", b"\0\0\0\x01\x07", b"\xff\xff\xff\xff"])
def test_a_broken_protocol_ends_with_76(netkit, server, wrong):
    client = start(netkit, server.address, stdin="7:a\n")
    peer = server.accept()
    peer.request()
    peer.send(wrong)
    assert client.wait() == 76
    assert client.err.rest().count(b"\n") == 2  # what happened, and what has no answer


@pytest.mark.parametrize("words, name", [
    (b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP"), (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH"), (b'{"hello":1}\n', "JSON"), (b"\x15\x03\x03\0\x02\x02\x46", "TLS")])
def test_a_server_of_another_protocol_is_named(netkit, server, words, name):
    client = start(netkit, server.address, stdin="7:a\n")
    peer = server.accept()
    peer.request()
    peer.send(words)
    assert client.wait() == 76
    assert f"{server.address}: connection lost: it speaks {name}, not frames" in client.err.rest().decode()


def test_an_answer_that_nobody_asked_for_has_no_name_without_ids(netkit, server):
    client = start(netkit, server.address, "--codec", "u16", "-k", stdin="raw:a\nraw:b\n")
    peer = server.accept()
    peer.expect(b"\0\1a\0\1b")
    peer.send(b"\0\1A\0\1B\0\1C")
    client.out.expect(rb"A\nB\nC\n")
    client.err.expect(rb"netkit: frame: an answer is late or a duplicate: no request is waiting\n")
    assert client.stop(signal.SIGINT) == 0


def test_an_answer_twice_is_said_once(netkit, server):
    client = start(netkit, server.address, stdin="7:a\n8:b\n")
    peer = server.accept()
    peer.request(), peer.request()
    peer.send(answer(7) * 3)
    client.err.expect(rb"netkit: frame: answer 7 is late or a duplicate: 1 request is waiting for another answer\n")
    peer.send(answer(8))
    assert client.wait() == 0
    assert client.err.rest() == b""


def test_an_answer_with_another_id_leaves_the_request_waiting(netkit, server):
    client = start(netkit, server.address, stdin="7:a\n")
    peer = server.accept()
    peer.request()
    peer.send(answer(9))
    client.err.expect(rb"answer 9 was not requested: 1 request is waiting for another answer\n")
    peer.send(answer(7))
    assert client.wait() == 0
    assert client.out.rest() == b"9 ok\n7 ok\n"


def test_no_answer_within_wait_is_a_no(netkit, server):
    client = netkit.start("frame", "connect", server.address, "--heartbeat", "50ms", "--wait", "300ms",
                          "--send", "7:a")
    client.close_stdin()
    peer = server.accept()
    peer.request()
    with pytest.raises(AssertionError):  # heartbeats are answered and change nothing
        peer.request()
    assert client.wait() == 1
    err = client.err.rest()
    assert b"no answer to 1 request: #1 7" in err and b"no answer within 300ms (--wait)" in err


def test_a_refused_registration_ends_with_77(netkit, server):
    client = start(netkit, server.address, "-k", "--register", f"{APPID},{IMEI}", "--send", "7:a")
    peer = server.accept()
    peer.expect(REGISTER)
    peer.send(answer(0, -1))
    assert client.wait() == 77
    assert peer.at_end() == b""  # 7:a never went out
    err = client.err.rest()
    assert b"refused the registration" in err and b"#1 7 (not sent)" in err


def test_it_registers_anew_after_every_connect(netkit, server):
    client = start(netkit, server.address, "-k", "--reconnect-max", "50ms", "--register", f"{APPID},{IMEI}")
    for _ in range(3):
        peer = server.accept()
        peer.expect(REGISTER)
        peer.send(answer(0))
        client.out.expect(rb"register ok\n")
        peer.close()
    assert client.stop(signal.SIGINT) == 0


def test_send_comes_before_stdin_again(netkit, server):
    client = start(netkit, server.address, *FAST, "--send", "7:first", stdin="8:second\n")
    for _ in range(2):
        peer = server.accept()
        assert peer.request() == (7, b"first") and peer.request() == (8, b"second")
        if _ == 0:
            peer.reset()
    peer.send(answer(7) + answer(8))
    assert client.wait() == 0


def test_refused_ends_with_69_in_one_line(netkit):
    done = netkit.run("frame", "connect", f"127.0.0.1:{free_port()}", "--send", "datetime", "-q")
    assert done.status == 69
    assert b"connection refused" in done.err.lower() or b"refused" in done.err


def test_a_name_that_does_not_resolve_ends_with_68(netkit):
    done = netkit.run("frame", "connect", "no-such-host.invalid:1", "--send", "datetime")
    assert done.status == 68 and b"no-such-host.invalid" in done.err


def test_failover_to_the_next_of_the_list(netkit, server):
    dead = f"127.0.0.1:{free_port()}"
    client = start(netkit, f"{dead},{server.address}", stdin="7:a\n")
    peer = server.accept()
    peer.request()
    peer.send(answer(7))
    assert client.wait() == 0
    assert dead in client.err.rest().decode()


def test_after_a_drop_the_address_in_use_comes_first_then_the_others(netkit, server):
    with Server() as other:
        client = start(netkit, f"{other.address},{server.address}", "-k", "--reconnect-max", "50ms")
        other_peer = other.accept()
        port = other.port
        other_peer.close()
        again = other.accept()  # the one in use first
        other.close()
        again.reset()
        peer = server.accept()
        with Server(port) as back:
            peer.close()
            server.accept().close()  # now this one is the first
            server.close()
            back.accept()
        assert client.stop(signal.SIGINT) == 0


def test_reconnect_n_gives_up(netkit):
    done = netkit.run("frame", "connect", f"127.0.0.1:{free_port()}", "-k", "--reconnect", "2",
                      "--reconnect-max", "10ms", "-v")
    assert done.status == 69
    assert done.err.count(b"trying") == 2


@pytest.mark.parametrize("lines, status", [("", 0), ("nonsense\n", 2)])
def test_input_that_ends_before_the_connection_is_there(netkit, server, lines, status):
    done = netkit.run("frame", "connect", server.address, "--heartbeat", "none", "--wait", "10s", "--json", stdin=lines)
    assert done.status == status and done.records[-1]["connections"] == 1


def test_stop_without_k_is_cut_short(netkit, server):
    client = netkit.start("frame", "connect", server.address, "--send", "7:a")
    server.accept().request()
    assert client.stop(signal.SIGINT) == 130
    assert b"no answer to 1 request: #1 7" in client.err.rest()


def test_timeout_passes(netkit, server):
    done = netkit.run("frame", "connect", server.address, "-k", "-t", "200ms")
    assert done.status == 124


def test_a_bad_line_is_said_and_not_sent(netkit, server):
    client = start(netkit, server.address, stdin="nonsense\n7:a\n")
    peer = server.accept()
    assert peer.request() == (7, b"a")
    peer.send(answer(7))
    assert client.wait() == 2
    assert client.out.rest() == b"7 ok\n"
    assert b"message 'nonsense'" in client.err.rest()


def test_polling_that_waits_for_answers_is_said_once(netkit, server):
    client = start(netkit, server.address, "--max-requests", "2", "--send", "7:a", "--every", "10ms")
    peer = server.accept()
    for _ in range(2):
        assert peer.request() == (7, b"a")
    peer.silent(0.2)
    peer.send(answer(7))
    assert peer.request() == (7, b"a")
    peer.silent(0.1)
    client.stop()
    assert client.err.rest().count(b"2 requests unanswered: no more are sent for now (--max-requests") == 1


def test_input_waits_while_too_much_is_unanswered(netkit, server):
    client = start(netkit, server.address, "--max-requests", "10",
                   stdin="".join(f"7:{i}\n" for i in range(1000)))
    peer = server.accept()
    for i in range(10):
        assert peer.request() == (7, str(i).encode())
    peer.silent(0.2)
    for i in range(10, 1000):
        peer.send(answer(7))
        assert peer.request() == (7, str(i).encode())
    peer.send(answer(7) * 10)
    assert client.wait() == 0
    assert client.out.rest() == b"7 ok\n" * 1000
