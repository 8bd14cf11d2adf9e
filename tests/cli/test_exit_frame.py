"""Every exit status of netkit-frame(1), brought about, but for those of test_exit_common.py."""

import functools
import os
import signal
import socket

import pytest

import exit_status
from exit_ways import (AS_OTHERS, PROHIBITED, RECORDING, TOLD, broken_pipe, by_second_signal, full_pipe,  # noqa: F401
                       silent, words_of)
from frame_peer import APPID, DATETIME, IMEI, REGISTER, Server, answer, free_port, request
from keys import key_file
from netkit import netkit_path

ends = functools.partial(exit_status.ends, "frame")


@pytest.fixture
def server(netkit):
    return netkit.serve("frame", "serve", "127.0.0.1:0").address


@pytest.fixture
def scripted():
    with Server() as peer:
        yield peer


@pytest.fixture
def unreadable(tmp_path):
    (tmp_path / "body").touch(mode=0)
    return tmp_path / "body"


@pytest.fixture
def crowded():
    """The address of a socket whose queue is full, so that nobody gets connected to it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        while not waiting or waiting[-1].connect_ex(listener.getsockname()) == 0:
            waiting.append(socket.socket())
            waiting[-1].settimeout(0.2)
        yield "127.0.0.1:%d" % listener.getsockname()[1]
        for sock in waiting:
            sock.close()


@ends("0 done")
def test_encoded(netkit):
    return netkit.run("frame", "encode", stdin=b"7:hello\n")


@ends("0 done")
def test_decoded(netkit):
    return netkit.run("frame", "decode", stdin=request(7, b"hello"))


@ends("0 done")
def test_replayed(netkit, server):
    return netkit.run("frame", "replay", RECORDING, server)


@ends("0 every request was answered, if only with an error", "connect")
def test_requests_answered(netkit, server):
    run = netkit.run("frame", "connect", server, stdin=b"datetime\n7:hello\n")
    assert run.lines[1] == "7 error -1"
    return run


@TOLD
@ends("0 ended by INT or TERM", "connect -k")
def test_client(netkit, scripted, signo):
    client = netkit.start("frame", "connect", "-k", scripted.address, "--send", "datetime")
    scripted.accept().expect(DATETIME)
    client.signal(signo)
    return client


@TOLD
@ends("0 ended by INT or TERM", "connect --every")
def test_cyclic_requests(netkit, scripted, signo):
    client = netkit.start("frame", "connect", scripted.address, "--send", "datetime", "--every", "10ms")
    scripted.accept().expect(DATETIME)
    client.signal(signo)
    return client


@ends("1 no answer within --wait", "connect", "replay")
def test_no_answer(netkit, silent, action):
    return netkit.run(*words_of("frame", action, peer=silent.address)[:-1], "10ms")


@ends("1 an answer has an error, with --fail", "connect")
def test_an_error_is_a_failure(netkit, server):
    return netkit.run("frame", "connect", server, "--fail", stdin=b"7:hello\n")


@ends("1 --expect did not match within --within", "connect")
def test_not_what_was_expected(netkit, server):
    return netkit.run("frame", "connect", server, "--send", "datetime", "--expect", "yesterday", "--within", "50ms")


@ends("2 a line of standard input is not a MESSAGE", "connect")
def test_no_message_to_send(netkit, server):
    run = netkit.run("frame", "connect", server, stdin=b"nonsense\ndatetime\n")
    assert run.out.startswith(b"datetime "), "it goes on"
    return run


@ends("2 a line of standard input is not a MESSAGE", "encode")
def test_no_message_to_encode(netkit):
    run = netkit.run("frame", "encode", stdin=b"nonsense\ndatetime\n")
    assert run.out == b"", "it does not go on"
    return run


UNCONNECTED = "69 refused, or not connected in time"


@ends(UNCONNECTED, "connect", "replay")
def test_refused(netkit, action):
    return netkit.run(*words_of("frame", action, peer=f"127.0.0.1:{free_port()}"))


@ends(UNCONNECTED, "connect", "replay")
def test_no_connection(netkit, crowded, action):
    return netkit.run(*words_of("frame", action, peer=crowded), "--connect-timeout", "50ms")


@ends(UNCONNECTED, "connect")
def test_no_handshake(netkit, silent):
    return netkit.run(*words_of("frame", "connect", peer=silent.address), "--tls", "--connect-timeout", "50ms")


@ends("69 no such serial line, or it is in use", "serve", "connect")
def test_no_serial_line(netkit, tmp_path, action):
    return netkit.run("frame", action, f"serial:{tmp_path}/none")


GONE = "69 closed by the peer, or too many heartbeats missed"


@ends(GONE, "connect")
def test_closed(netkit, scripted):
    client = netkit.start("frame", "connect", scripted.address, "--send", "datetime")
    peer = scripted.accept()
    peer.expect(DATETIME)
    peer.close()
    return client


@ends(GONE, "connect")
def test_no_heartbeats(netkit, silent):
    return netkit.run(*words_of("frame", "connect", peer=silent.address), "--heartbeat", "10ms", "--misses", "2")


@ends("74 output or file error", "encode")
def test_full_disk_of_encode(netkit):
    with open("/dev/full", "wb") as full:
        run = netkit.start("frame", "encode", stdout=full)
    run.write(b"datetime\n")
    return run


@ends("74 output or file error", "encode", "decode")
def test_unreadable_input(netkit, tmp_path, action):
    folder = os.open(tmp_path, os.O_RDONLY)
    run = netkit.start("frame", action, stdin=folder)
    os.close(folder)
    return run


@ends("74 output or file error", "serve", "connect", "proxy")
def test_no_record_folder(netkit, silent, tmp_path, action):
    return netkit.run(*words_of("frame", action, peer=silent.address), "--record", tmp_path / "no" / "recording")


@ends("74 output or file error", "replay")
def test_no_recording(netkit, tmp_path):
    return netkit.run("frame", "replay", tmp_path / "nothing")


BROKEN = "76 the peer violated the protocol"


@ends(BROKEN, "connect", "replay")
def test_empty_frame(netkit, scripted, action):
    client = netkit.start(*words_of("frame", action, peer=scripted.address))
    peer = scripted.accept()
    peer.expect(DATETIME)
    peer.send(b"\0\0\0\0")
    return client


@ends(BROKEN, "connect", "replay")
def test_large_frame(netkit, scripted, action):
    client = netkit.start(*words_of("frame", action, peer=scripted.address), "--max-frame", "10")
    peer = scripted.accept()
    peer.expect(DATETIME)
    peer.send(answer(2, 0, b"x" * 9))
    return client


@ends(BROKEN, "connect")
def test_no_tls(netkit, server):
    return netkit.run("frame", "connect", server, "--tls", "--send", "datetime")


@ends("76 the input does not match the codec", "decode")
def test_no_frame(netkit):
    return netkit.run("frame", "decode", stdin=b"GET / HTTP/1.1\r\n\r\n")


@ends("76 the input does not match the codec", "decode")
def test_cut_frame(netkit):
    return netkit.run("frame", "decode", stdin=request(7, b"hello")[:-1])


@ends("76 the input does not match the codec", "replay")
def test_no_recording_at_all(netkit, tmp_path):
    (tmp_path / "file").write_text("no recording\n")
    return netkit.run("frame", "replay", tmp_path / "file")


REFUSED = ("77 the registration was refused, the server's certificate is not trusted, or the server rejects "
           "this client's")


@ends(REFUSED, "connect")
def test_registration_refused(netkit, scripted):
    client = netkit.start("frame", "connect", scripted.address, "--register", f"{APPID},{IMEI}", "--send", "datetime")
    peer = scripted.accept()
    peer.expect(REGISTER)
    peer.send(answer(0, -1))
    return client


@ends(REFUSED, "connect")
def test_untrusted_server(netkit, family):
    server = netkit.serve("frame", "serve", "127.0.0.1:0", "--cert", family / "server.pem", "--key", family / "server.key")
    return netkit.run("frame", "connect", server.address, "--tls", "--send", "datetime")


@ends(REFUSED, "connect")
def test_untrusted_client(netkit, family):
    server = netkit.serve("frame", "serve", "127.0.0.1:0", "--cert", family / "server.pem", "--key", family / "server.key",
                          "--client-ca", family / "ca.pem")
    return netkit.run("frame", "connect", server.address, "--tls", "--send", "datetime", "--cacert", family / "ca.pem",
                      "--cert", family / "stranger.pem", "--key", family / "stranger.key")


@ends("77 the network prohibits it", "connect", "replay")
def test_prohibited(netkit, action):
    return netkit.run(argv=[*PROHIBITED, netkit_path(), *words_of("frame", action, peer="192.0.2.1:9")])


@ends("77 no permission to read a file", "connect")
def test_forbidden_body(netkit, server, unreadable):
    return netkit.run(argv=[*AS_OTHERS, netkit_path(), "frame", "connect", server, "--send", f"7:@{unreadable}"])


@ends("77 no permission to read a file", "encode")
def test_forbidden_body_of_a_line(netkit, unreadable):
    return netkit.run(argv=[*AS_OTHERS, netkit_path(), "frame", "encode"], stdin=f"7:@{unreadable}\n")


@ends("78 a certificate or key cannot be used", "serve", "connect", "proxy")
def test_no_certificate(netkit, silent, tmp_path, action):
    (tmp_path / "file").write_text("no certificate\n")
    tls = ["--tls"] if action == "connect" else []
    return netkit.run(*words_of("frame", action, peer=silent.address), *tls, "--cert", tmp_path / "file", "--key",
                      tmp_path / "file")


@ends("128+n ended by signal n", "connect", "replay")
def test_by_signal(netkit, scripted, action):
    client = netkit.start(*words_of("frame", action, peer=scripted.address))
    scripted.accept().expect(DATETIME)  # the loop runs
    client.signal(signal.SIGINT)
    return client, signal.SIGINT


@ends("128+n ended by signal n", "connect")
def test_expecting_by_signal(netkit, scripted):
    client = netkit.start("frame", "connect", "-k", scripted.address, "--send", "datetime", "--expect", "hex:00")
    scripted.accept().expect(DATETIME)
    client.signal(signal.SIGINT)
    return client, signal.SIGINT


@ends("128+n ended by signal n", "encode")
def test_encode_by_signal(netkit):
    run = netkit.start("frame", "encode")
    run.write(b"datetime\n")
    run.out.expect(b"\x02$")
    run.signal(signal.SIGTERM)
    return run, signal.SIGTERM


@ends("128+n ended by signal n", "decode")
def test_decode_by_signal(netkit):
    run = netkit.start("frame", "decode")
    run.write(DATETIME)
    run.out.expect(b"datetime\n")
    run.signal(signal.SIGTERM)
    return run, signal.SIGTERM


@ends("128+n ended at once by a second signal", "connect -k")
def test_by_two(netkit, scripted, full_pipe):
    client = netkit.start("frame", "connect", "-k", scripted.address, "--send", "datetime", "--json", stdout=full_pipe)
    scripted.accept().expect(DATETIME)
    return by_second_signal(client)


@ends("128+n the reader of standard output has gone", "encode")
def test_reader_of_encode_gone(netkit, broken_pipe):
    run = netkit.start("frame", "encode", stdout=broken_pipe)
    run.write(b"datetime\n")
    return run, signal.SIGPIPE


@ends("77 the server rejects the key, or requires one", "connect")
@pytest.mark.parametrize("has_key", [True, False])
def test_another_key_and_none(netkit, tmp_path, has_key):
    server = netkit.serve("frame", "serve", "127.0.0.1:0", "--psk-file", key_file(tmp_path / "there", "ann"))
    own = ["--psk-file", key_file(tmp_path / "here", ann="99" * 32)] if has_key else []
    return netkit.run("frame", "connect", server.address, "-k", "--send", "datetime", *own)
