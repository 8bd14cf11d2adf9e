"""netkit frame over TLS, against openssl s_server and s_client."""

import os
import subprocess

import pytest

from frame_peer import HEARTBEAT, answer, free_port, request
from frame_peer import connect as plain
from time_of_day import clock


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A CA, and certificates of 127.0.0.1 that are good, expired, of another name; and a self-signed one."""
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*args, env=None):
        subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True, timeout=60, env=env)

    def signed(name, san, env=None):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
                "-out", f"{name}.csr", "-subj", f"/CN={name}")
        (folder / f"{name}.ext").write_text(f"subjectAltName={san}\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", f"{name}.pem", "-extfile", f"{name}.ext", "-days", "2", env=env)

    for name, subject in (("ca", "/CN=test authority"), ("self", "/CN=127.0.0.1")):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                f"{name}.key", "-out", f"{name}.pem", "-subj", subject, "-days", "2",
                *(["-addext", "subjectAltName=IP:127.0.0.1"] if name == "self" else []))
    signed("good", "IP:127.0.0.1,DNS:localhost")
    # Not by faketime(1): it fails where a process of its number that was killed has left its semaphore.
    (folder / "past").write_text("-9d\n")
    signed("expired", "IP:127.0.0.1", env={**os.environ, **clock(folder / "past")})
    signed("wrong", "DNS:somewhere.example")
    return folder


@pytest.fixture
def s_server(netkit, certificates):
    """Starts `openssl s_server` with a certificate; gives its process, with `address`."""
    def start(name, *args):
        port = free_port()
        process = netkit.start(argv=["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert",
                                     certificates / f"{name}.pem", "-key", certificates / f"{name}.key",
                                     "-naccept", "1", *args])
        process.out.expect(rb"ACCEPT")
        process.address = f"127.0.0.1:{port}"
        return process
    return start


def connect(netkit, certificates, address, *args):
    return netkit.start("frame", "connect", address, "--tls", "--cacert", certificates / "ca.pem",
                        "--heartbeat", "none", "--send", "7:hello", *args)


def test_a_good_certificate(netkit, certificates, s_server):
    server = s_server("good")
    client = connect(netkit, certificates, server.address)
    client.close_stdin()
    server.out.expect(rb"\x00\x00\x00\x06\x07hello")
    server.write(answer(7, 0, b"hi"))
    assert client.wait() == 0
    assert client.out.rest() == b"7 hi\n" and client.err.rest() == b""


@pytest.mark.parametrize("name, reason", [
    ("expired", b"expired"),
    ("self", b"self-signed"),
    ("wrong", b"somewhere.example"),
])
def test_a_certificate_that_is_not_to_be_trusted(netkit, certificates, s_server, name, reason):
    server = s_server(name)
    client = connect(netkit, certificates, server.address)
    client.close_stdin()
    assert client.wait() == 77
    err = client.err.rest()
    assert reason in err and server.address.encode() in err
    assert b"hello" not in server.out.data


def test_insecure_takes_any_and_says_so(netkit, certificates, s_server):
    server = s_server("self")
    client = connect(netkit, certificates, server.address, "--insecure")
    client.close_stdin()
    server.out.expect(rb"\x00\x00\x00\x06\x07hello")
    server.write(answer(7))
    assert client.wait() == 0
    assert b"not verified" in client.err.rest()


def test_without_the_authority_nothing_is_trusted(netkit, certificates, s_server):
    server = s_server("good")
    done = netkit.run("frame", "connect", server.address, "--tls", "--send", "7:hello")
    assert done.status == 77 and b"certificate" in done.err


def test_a_bad_certificate_fails_over(netkit, certificates, s_server):
    bad, good = s_server("expired"), s_server("good")
    client = connect(netkit, certificates, f"{bad.address},{good.address}")
    client.close_stdin()
    good.out.expect(rb"\x07hello")
    good.write(answer(7))
    assert client.wait() == 0
    assert b"expired" in client.err.rest()


def test_a_server_without_tls(netkit, certificates):
    server = netkit.serve("frame", "serve", "127.0.0.1:0")
    done = netkit.run("frame", "connect", server.address, "--tls", "--send", "7:hello")
    assert done.status in (69, 76) and done.err.count(b"\n") == 2
    server.err.expect(rb"it speaks TLS, not frames")


def serve(netkit, certificates, *args):
    return netkit.serve("frame", "serve", "127.0.0.1:0", "--cert", certificates / "good.pem", "--key",
                        certificates / "good.key", *args)


def s_client(netkit, certificates, address, *args):
    return netkit.start(argv=["openssl", "s_client", "-connect", address, "-CAfile", certificates / "ca.pem",
                              "-verify_return_error", "-quiet", *args])


def test_s_client_is_served(netkit, certificates):
    server = serve(netkit, certificates)
    client = s_client(netkit, certificates, server.address)
    client.write(HEARTBEAT + request(7))
    client.out.expect(b"\\x00\\x00\\x00\\x02\\x01\\x00\\x00\\x00\\x00\\x02\\x07\xff")


@pytest.mark.parametrize("name, reason", [
    ("expired", b"certificate has expired"),
    ("self", b"self-signed certificate"),
    ("wrong", b"IP address mismatch"),
])
def test_s_client_that_refuses_the_server_leaves_it_serving(netkit, certificates, name, reason):
    server = netkit.serve("frame", "serve", "127.0.0.1:0", "-v", "--cert", certificates / f"{name}.pem", "--key",
                          certificates / f"{name}.key")
    client = s_client(netkit, certificates, server.address, "-verify_ip", "127.0.0.1")
    assert client.wait() != 0 and reason in client.err.data
    server.err.expect(rb"127\.0\.0\.1:\d+ closed: the peer refused: [^\n]+\n")
    done = netkit.run("frame", "connect", server.address, "--tls", "--insecure", "--send", "7:hello")
    assert done.status == 0 and done.out == b"7 error -1\n"


def test_netkit_at_both_ends(netkit, certificates):
    server = serve(netkit, certificates)
    client = connect(netkit, certificates, f"localhost:{server.port}")
    client.close_stdin()
    assert client.wait() == 0 and client.out.rest() == b"7 error -1\n"


def test_client_certificates(netkit, certificates):
    server = serve(netkit, certificates, "--client-ca", certificates / "ca.pem")
    with_one = connect(netkit, certificates, server.address, "--cert", certificates / "good.pem", "--key",
                       certificates / "good.key")
    with_one.close_stdin()
    assert with_one.wait() == 0
    for given, reason in (((), b"certificate required"),
                          (("--cert", certificates / "self.pem", "--key", certificates / "self.key"), b"unknown ca")):
        refused = connect(netkit, certificates, server.address, *given)
        refused.close_stdin()
        assert refused.wait() == 77 and b"the peer refused: " + reason in refused.err.rest()


def test_a_handshake_that_never_ends_is_closed(netkit, certificates):
    server = serve(netkit, certificates, "--frame-timeout", "200ms")
    assert plain(server.address).at_end() == b""
    server.err.expect(rb"TLS handshake took longer than 200ms \(--frame-timeout\)")


def test_files_that_do_not_fit(netkit, certificates):
    done = netkit.run("frame", "serve", "127.0.0.1:0", "--cert", certificates / "good.pem", "--key",
                      certificates / "self.key")
    assert done.status == 78 and b"self.key" in done.err
    missing = netkit.run("frame", "serve", "127.0.0.1:0", "--cert", certificates / "good.pem")
    assert missing.status == 2 and b"--key" in missing.err
