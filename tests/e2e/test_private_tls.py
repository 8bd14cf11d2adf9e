"""TLS with pre-shared keys: frame and sse serve, against each other and against openssl; and the key log."""

import os
import re
import signal
import socket
import stat
import subprocess

import pytest

from capture import Capture
from frame_peer import HEARTBEAT, free_port
from keys import KEYS, keys  # noqa: F401
from netkit import wait_until

SUITE = "ECDHE-PSK-CHACHA20-POLY1305"


@pytest.fixture
def server(netkit, keys):
    return netkit.serve("frame", "serve", "127.0.0.1:0", "--psk-file", keys("server", "ann", "ben"))


def connect(netkit, address, file, *args, **kwargs):
    return netkit.run("frame", "connect", address, "--psk-file", file, "--send", "datetime", *args, **kwargs)


def test_frame_talks_to_itself(netkit, server, keys):
    run = connect(netkit, server.address, keys("a", "ann"))
    assert run.status == 0 and run.out.startswith(b"datetime 2")


@pytest.mark.parametrize("own, here, there", [
    ({"ann": "99" * 32}, "the server has another key of 'ann'", "its key of 'ann' is wrong"),
    ({"bob": "99" * 32}, "the server has no key of 'bob'", "there is no key of 'bob'"),
], ids=["another key", "unknown"])
def test_who_has_no_good_key_is_told(netkit, server, keys, own, here, there):
    run = connect(netkit, server.address, keys("own", **own))
    assert run.status == 77
    assert f"netkit: frame: {server.address}: refused: {here}\n" in run.err.decode()
    server.err.expect(b"refused: " + there.encode() + b"\n")
    server.stop()
    assert b"9999" not in server.err.data


@pytest.mark.parametrize("command", ["serve", "proxy"])
def test_who_speaks_in_clear_is_told_that_a_key_is_needed(netkit, server, keys, command):
    if command == "proxy":
        server = netkit.serve("frame", "proxy", "127.0.0.1:0", server.address, "--psk-file", keys("p", "eve"))
    run = netkit.run("frame", "connect", server.address, "-k", "--send", "datetime", deadline=11)
    assert run.status == 77
    assert f"netkit: frame: {server.address}: refused: this server requires a key (--psk-file)\n" in run.err.decode()
    server.err.expect(rb"refused: it is not encrypted, but this server requires a key \(--psk-file\)\n")


def test_a_server_with_a_certificate_has_no_keys(netkit, keys, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", tmp_path / "key", "-out", tmp_path / "cert", "-subj", "/CN=x"], check=True,
                   capture_output=True, timeout=60)
    server = netkit.serve("frame", "serve", "127.0.0.1:0", "--cert", tmp_path / "cert", "--key", tmp_path / "key")
    run = connect(netkit, server.address, keys("a", "ann"))
    assert run.status == 77
    assert b"refused: the server has no keys (--psk-file), or no cipher in common\n" in run.err


def test_openssl_as_client_and_as_server(netkit, server, keys):
    client = subprocess.Popen(["openssl", "s_client", "-connect", server.address, "-psk_identity", "ann", "-psk",
                               KEYS["ann"], "-quiet"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
    try:
        client.stdin.write(HEARTBEAT)
        client.stdin.flush()
        assert os.read(client.stdout.fileno(), 100) == b"\0\0\0\2\1\0"
    finally:
        client.kill()
        client.communicate()
    port = free_port()
    other = netkit.start(argv=["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-nocert", "-psk", KEYS["ann"],
                               "-cipher", SUITE, "-quiet"])
    wait_until(lambda: not socket.socket().connect_ex(("127.0.0.1", port)), what="s_server listens")
    netkit.start("frame", "connect", f"127.0.0.1:{port}", "--psk-file", keys("a", "ann"), "--send", "7:hello",
                 "--heartbeat", "none")
    other.out.expect(rb"\x00\x00\x00\x06\x07hello")


def test_a_proxy_between_two_that_have_keys(netkit, server, keys):
    proxy = netkit.serve("frame", "proxy", "127.0.0.1:0", server.address, "--psk-file", keys("p", "eve"),
                         "--target-psk-file", keys("b", "ben"))
    run = connect(netkit, proxy.address, keys("e", "eve"))
    assert run.status == 0 and run.out.startswith(b"datetime 2")
    proxy.out.expect(rb"datetime")


def test_sse_serve_by_openssl(netkit, keys):
    server = netkit.serve("sse", "serve", "127.0.0.1:0", "--psk-file", keys("s", "ann"), "--from", "-")
    client = netkit.start(argv=["openssl", "s_client", "-connect", server.address, "-psk_identity", "ann", "-psk",
                                KEYS["ann"], "-quiet"])
    client.write(b"GET /events HTTP/1.1\r\nHost: %s\r\n\r\n" % server.address.encode())
    client.out.expect(rb"200 OK")
    server.write("a private event\n")
    client.out.expect(rb"data: a private event\n")


def revoke(server, keys, *left):
    keys("server", *left)
    server.signal(signal.SIGHUP)
    server.err.expect(rb"reloaded: \d+ keys?\n")


def test_who_is_revoked_is_put_out_at_once(netkit, server, keys):
    ann, ben = (netkit.start("frame", "connect", server.address, "-k", "--psk-file", keys(name, name)) for name in ("ann", "ben"))
    for client in (ann, ben):
        client.write("datetime\n")
        client.out.expect(rb"datetime 2")
    revoke(server, keys, "ben")
    server.err.expect(rb"127\.0\.0\.1:\d+ closed: the key of 'ann' was revoked\n")
    assert ann.wait(11) == 77
    assert b"refused: the server has no key of 'ann'\n" in ann.err.data
    ben.write("datetime\n")
    ben.out.expect(rb"datetime 2")


@pytest.mark.parametrize("command", ["serve", "proxy"])
def test_a_reader_who_is_revoked_is_put_out_at_once(netkit, keys, command):
    source = netkit.serve("sse", "serve", "127.0.0.1:0", "--every", "100ms")
    words = {"serve": ["127.0.0.1:0", "--every", "100ms"], "proxy": ["127.0.0.1:0", f"http://{source.address}/"]}[command]
    server = netkit.serve("sse", command, *words, "--psk-file", keys("server", "ann", "ben"))
    readers = {name: netkit.start(argv=["openssl", "s_client", "-connect", server.address, "-psk_identity", name, "-psk", KEYS[name],
                                        "-quiet"]) for name in ("ann", "ben")}
    for reader in readers.values():
        reader.write(b"GET /events HTTP/1.1\r\nHost: %s\r\n\r\n" % server.address.encode())
        reader.out.expect(rb"data: 2")
    revoke(server, keys, "ben")
    server.err.expect(rb"closed: the key of 'ann' was revoked\n")
    readers["ann"].wait()
    readers["ben"].out.expect(rb"data: 2")


def test_a_key_file_with_a_mistake_changes_nothing(netkit, server, keys, tmp_path):
    (tmp_path / "server").write_text("ann:password\n")
    server.signal(signal.SIGHUP)
    server.err.expect(rb"the keys are unchanged\n")
    assert connect(netkit, server.address, keys("a", "ann")).status == 0


def hex_dump(text):
    """The bytes of tshark's first dump in the text."""
    dump = re.match(rb"[^\n]*\n((?:[0-9a-f]{4}  [^\n]*\n)*)", text).group(1)
    return b"".join(bytes.fromhex(line[6:53].decode()) for line in dump.splitlines())


def test_the_key_log_decrypts_what_was_captured(netkit, server, keys, tmp_path):
    log = tmp_path / "keys.log"
    capture = Capture()
    run = connect(netkit, server.address, keys("a", "ann"), env={"SSLKEYLOGFILE": str(log)})
    assert run.status == 0
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert re.fullmatch(rb"(CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}\n)+", log.read_bytes())
    capture.save(tmp_path / "frame.pcap", server.port)
    shown = subprocess.run(["tshark", "-r", tmp_path / "frame.pcap", "-o", f"tls.keylog_file:{log}", "-d",
                            f"tcp.port=={server.port},tls", "-V", "-x"], capture_output=True, check=True, timeout=60).stdout
    assert b"TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256" in shown
    decrypted = [hex_dump(part) for part in shown.split(b"Decrypted TLS (")[1:]]
    assert any(run.out[9:28] in data for data in decrypted)


def test_a_key_log_of_curl_is_private_too(netkit, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", tmp_path / "key", "-out", tmp_path / "cert", "-subj", "/CN=127.0.0.1", "-addext",
                    "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True, timeout=60)
    server = netkit.serve("sse", "serve", "127.0.0.1:0", "--cert", tmp_path / "cert", "--key", tmp_path / "key",
                          "--from", "-")
    log = tmp_path / "curl.log"
    reader = netkit.start("sse", f"https://{server.address}/", "--cacert", tmp_path / "cert", "-v",
                          env={"SSLKEYLOGFILE": str(log)})
    wait_until(lambda: log.exists() and log.stat().st_size > 0, what="a key log")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    reader.stop()
