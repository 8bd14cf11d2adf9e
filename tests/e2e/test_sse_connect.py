"""netkit sse on its way to a server: TLS, HTTP/2, client certificates, logins, compression, proxies, unix sockets."""

import base64
import os
import ssl
import subprocess
import time
import zlib

import brotli
import pytest

from certificates import make_family
from netkit import fake_names, netkit_path, wait_until
from sse_peer import Nginx, Server, answer, events, free_port, listens, ok


@pytest.fixture
def folder(tmp_path):
    make_family(tmp_path)
    (tmp_path / "secret").write_text("s3cret\n")
    (tmp_path / "wrong").write_text("guessed\n")
    return tmp_path


@pytest.fixture
def origin(netkit):
    return netkit.serve("sse", "serve", "127.0.0.1:0", "--every", "20ms", "--message", "tick", "-q")


@pytest.fixture
def nginx(netkit, folder, origin):
    """nginx in front of `origin`: `nginx(LINES)` adds lines to its server, which speaks TLS and HTTP/2."""
    def start(lines="", listen="127.0.0.1:{port} ssl http2"):
        tls = f"ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;" if "ssl" in listen else ""
        return Nginx(netkit, folder, listen, f"{tls} {lines} location / {{ proxy_pass http://{origin.address}; "
                     'proxy_http_version 1.1; proxy_set_header Connection ""; }')
    return start


@pytest.fixture
def read(netkit, folder):
    def run(url, *args, **kwargs):
        return netkit.run("sse", url, "-c", "2", "--reconnect", "never", "--cacert", folder / "ca.pem", *args, **kwargs)
    return run


def test_http_2_over_tls(nginx, read):
    proxy = nginx()
    done = read(proxy.url)
    assert done.status == 0 and done.out == b"tick\ntick\n" and done.err == b""
    assert proxy.log().startswith("HTTP/2.0 200 ")


def test_http_2_comes_back_when_the_proxy_has_restarted(netkit, nginx, folder):
    proxy = nginx()
    client = netkit.start("sse", proxy.url, "--cacert", folder / "ca.pem", "--retry", "20ms", "--json")
    first = int(client.out.json()["id"])
    proxy.stop()
    client.err.expect(rb"trying again")
    proxy.start()
    client.err.expect(rb"connected again after ")
    ids = [first] + [int(client.out.json()["id"]) for _ in range(20)]
    proxy.stop()
    assert client.stop() == 0
    ids += [int(line.split(b'"id":"')[1].split(b'"')[0]) for line in client.out.rest().splitlines()[:-1]]
    assert ids == list(range(first, first + len(ids)))


def test_a_server_that_demands_a_certificate(nginx, read, folder):
    proxy = nginx(f"ssl_client_certificate {folder}/ca.pem; ssl_verify_client on;")
    good = read(proxy.url, "--cert", folder / "ann.pem", "--key", folder / "ann.key")
    assert good.status == 0 and good.out == b"tick\ntick\n", good
    without = read(proxy.url)
    assert without.status == 76 and b"400" in without.err and b"certificate" in without.err
    stranger = read(proxy.url, "--cert", folder / "stranger.pem", "--key", folder / "stranger.key")
    assert stranger.status == 76 and b"certificate" in stranger.err
    wrong_key = read(proxy.url, "--cert", folder / "ann.pem", "--key", folder / "server.key")
    assert wrong_key.status == 78 and wrong_key.err.count(b"\n") == 1
    missing = read(proxy.url, "--cert", folder / "none.pem", "--key", folder / "ann.key")
    assert missing.status == 78 and b"cannot read the certificate file" in missing.err and b"none.pem" in missing.err


def test_files_of_tls_are_looked_at_first(netkit, folder):
    """Before there is a connection, whatever the URL; a passphrase is not asked for."""
    subprocess.run(["openssl", "pkey", "-in", "ann.key", "-aes128", "-passout", "pass:x", "-out", "locked.key"], cwd=folder,
                   check=True, timeout=20)
    for args, words in [(("--cacert", folder / "none.pem"), b"cannot read the CA file"),
                        (("--cacert", folder / "secret"), b"holds no certificate in PEM form"),
                        (("--cert", folder / "ann.pem", "--key", folder / "locked.key"), b"is encrypted")]:
        done = netkit.run("sse", "http://127.0.0.1:1/", *args, "--timeout", "10s")
        assert done.status == 78 and words in done.err and done.err.count(b"\n") == 1, done


def test_a_name_that_is_not_ascii(netkit):
    with Server(ok(events(1)), ok(events(2))) as server:
        named = server.url.replace("127.0.0.1", "b\u00fccher.example")
        with Server(answer("302 Found", Location=named)) as there:
            for url in (named, there.url):
                done = netkit.run("sse", url, "-c", "1", "--timeout", "10s",
                                  env=fake_names("xn--bcher-kva.example=127.0.0.1"))
                assert done.status == 0, done
    assert [r.headers["host"] for r in server.requests] == [f"xn--bcher-kva.example:{server.port}"] * 2


# TLS 1.2 has no alert that says that a certificate was missing.
@pytest.mark.parametrize("version, given, status, words", [
    ("-tls1_2", (), 76, b"handshake failure"),
    ("-tls1_3", (), 77, b"does not accept the client's certificate"),
    ("-tls1_2", ("--cert", "stranger.pem", "--key", "stranger.key"), 77, b"does not accept the client's certificate"),
    ("-tls1_3", ("--cert", "stranger.pem", "--key", "stranger.key"), 77, b"does not accept the client's certificate"),
])
def test_a_server_that_demands_a_certificate_in_the_handshake(netkit, folder, version, given, status, words):
    """openssl s_server refuses at once what nginx answers with 400."""
    given = [folder / word if "." in word else word for word in given]
    server = netkit.start(argv=["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", "server.pem", "-key", "server.key",
                                "-CAfile", "ca.pem", "-Verify", "1", "-verify_return_error", "-naccept", "2", version], cwd=folder)
    port = int(server.out.expect(rb"ACCEPT 127\.0\.0\.1:(\d+)").group(1))
    refused = netkit.run("sse", f"https://127.0.0.1:{port}/", "--cacert", folder / "ca.pem", *given)
    assert refused.status == status and words in refused.err, refused
    assert refused.err.count(b"\n") == 1
    client = netkit.start("sse", f"https://127.0.0.1:{port}/", "-c", "1", "--cacert", folder / "ca.pem", "--cert",
                          folder / "ann.pem", "--key", folder / "ann.key")
    server.out.expect(rb"GET / HTTP/1\.1\r\n")
    server.write(ok(b"data: hello\n\n").replace(b"\r\n", b"\n"))
    assert client.wait() == 0 and client.out.rest() == b"hello\n"


@pytest.mark.parametrize("where, shown", [("elsewhere", [True, False]), ("here", [True, True])])
def test_a_client_certificate_stays_with_its_origin(netkit, folder, where, shown):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    context.load_verify_locations(folder / "ca.pem")
    context.verify_mode = ssl.CERT_OPTIONAL
    seen = []

    def step(data):
        def run(connection, _):
            seen.append(bool(connection.sock.getpeercert()))
            connection.send(data)
        return run
    with Server(step(ok(events(1))), context=context) as other:
        target = other.url if where == "elsewhere" else "/there"
        with Server(step(answer("302 Found", Location=target)), step(ok(events(2))), context=context) as server:
            done = netkit.run("sse", server.url, "-c", "1", "--cacert", folder / "ca.pem", "--cert", folder / "ann.pem",
                              "--key", folder / "ann.key")
    assert done.status == 0 and seen == shown, done


def test_a_login_that_is_asked_for(nginx, netkit, read, folder):
    hashed = subprocess.run(["openssl", "passwd", "-apr1", "s3cret"], capture_output=True, check=True, timeout=20).stdout
    (folder / "users").write_bytes(b"ann:" + hashed)
    proxy = nginx(f"auth_basic members; auth_basic_user_file {folder}/users;")
    assert read(proxy.url, "--user", "ann", "--password-file", folder / "secret").status == 0
    wrong = read(proxy.url, "--user", "ann", "--password-file", folder / "wrong")
    assert wrong.status == 77 and b"answered 401" in wrong.err
    with open(f"{netkit.home}/.netrc", "w", encoding="ascii") as netrc:
        netrc.write("machine 127.0.0.1 login ann password s3cret\n")
    assert read(proxy.url).status == 77
    assert read(proxy.url, "--netrc").out == b"tick\ntick\n"


def test_netrc_is_for_its_machines_only(netkit):
    with open(f"{netkit.home}/.netrc", "w", encoding="ascii") as netrc:
        netrc.write("machine localhost login ann password s3cret\n")
    with Server(ok(events(1))) as other:
        with Server(answer("302 Found", Location=other.url)) as server:
            done = netkit.run("sse", f"http://localhost:{server.port}/", "--netrc", "-c", "1")
    assert done.status == 0 and other.requests[0].headers.get("authorization") is None
    assert server.requests[0].headers["authorization"] == "Basic " + base64.b64encode(b"ann:s3cret").decode()


@pytest.mark.parametrize("option", [("--bearer-file",), ("--user", "ann", "--password-file"), ("--data",)])
def test_a_file_that_may_not_be_read(netkit, tmp_path, option):
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    secret.chmod(0)
    path = f"@{secret}" if option[0] == "--data" else secret
    # Root reads everything but without these two.
    as_others = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if secret.owner() == "root" else []
    done = netkit.run(argv=[*as_others, netkit_path(), "sse", "http://127.0.0.1:1/", *option, path])
    assert done.status == 77 and b"secret" in done.err and b"ermission denied" in done.err, done
    assert b"s3cret" not in done.err


def test_a_secret_never_shows(netkit, folder):
    with Server(answer("401 Unauthorized", b"no")) as server:
        done = netkit.run("sse", server.url, "-vvv", "--bearer-file", folder / "secret")
    assert done.status == 77 and b"s3cret" not in done.err + done.out


def compressed_by(name):
    if name == "br":
        packer = brotli.Compressor()
        return lambda data: packer.process(data) + packer.flush()
    packer = zlib.compressobj(6, zlib.DEFLATED, 31 if name == "gzip" else 15)
    return lambda data: packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)


@pytest.mark.parametrize("name", ["br", "gzip", "deflate"])
def test_compressed_events_come_at_once(netkit, name):
    pack = compressed_by(name)
    seen = []

    def step(connection, request):
        assert name in request.headers["accept-encoding"]
        connection.send(ok(b"", Content_Encoding=name))
        for number in (1, 2):
            connection.send(pack(events(number)))
            wait_until(lambda want=number: len(seen) >= want, what="the event")
        connection.wait_for_close()
    with Server(step) as server:
        client = netkit.start("sse", server.url)
        for number in (1, 2):
            seen.append(client.out.expect(b"event %d\n" % number))
        assert client.stop() == 0
    assert server.errors == []


def test_brotli_that_is_broken(netkit):
    with Server(ok(b"\xff" * 100, Content_Encoding="br")) as server:
        done = netkit.run("sse", server.url)
    assert done.status == 76 and done.err.count(b"\n") == 1


@pytest.fixture
def proxy(netkit, folder):
    """tinyproxy; `LINES` more of its configuration."""
    def start(lines=""):
        port = free_port()
        (folder / "proxy").write_text(f"Listen 127.0.0.1\nPort {port}\nTimeout 60\nMaxClients 10\nLogLevel Connect\n{lines}\n")
        process = netkit.start(argv=["tinyproxy", "-d", "-c", folder / "proxy"])
        wait_until(lambda: listens(port), what="tinyproxy")
        process.url = f"http://127.0.0.1:{port}"
        return process
    return start


@pytest.mark.parametrize("variable", ["http_proxy", "all_proxy", "ALL_PROXY"])
def test_a_real_proxy_from_the_environment(read, origin, proxy, variable):
    through = proxy()
    done = read(f"http://{origin.address}/e", env={variable: through.url})
    assert done.status == 0 and done.out == b"tick\ntick\n", done
    through.out.expect(rb"Request[^\n]*GET http://127")


def test_tls_through_a_proxy(nginx, read, proxy):
    inner, through = nginx(), proxy()
    for args, env in (((), {"https_proxy": through.url}), (("--proxy", through.url), {})):
        done = read(inner.url, *args, env=env)
        assert done.status == 0 and done.out == b"tick\ntick\n", done
        through.out.expect(rb"Request[^\n]*CONNECT 127")
    # What ended the proxy's connections to nginx has yet to come to it.
    assert inner.log(requests=2) == "HTTP/2.0 200 /events\n" * 2


def test_the_option_beats_the_environment(read, origin, proxy):
    through = proxy()
    done = read(f"http://{origin.address}/e", "--proxy", through.url, env={"http_proxy": "http://127.0.0.1:1"})
    assert done.status == 0 and done.out == b"tick\ntick\n", done


def test_no_proxy(read, origin):
    env = {"http_proxy": "http://127.0.0.1:1", "no_proxy": "localhost,127.0.0.1"}
    assert read(f"http://{origin.address}/e", env=env).status == 0
    assert read(f"http://{origin.address}/e", env={"http_proxy": "http://127.0.0.1:1"}).status == 69


def test_a_proxy_with_a_login(nginx, read, proxy):
    inner, through = nginx(), proxy("BasicAuth ann s3cret")
    with_login = through.url.replace("//", "//ann:s3cret@")
    assert read(inner.url, env={"https_proxy": with_login}).out == b"tick\ntick\n"
    assert read(inner.url, env={"NETKIT_SSE_PROXY": with_login}).out == b"tick\ntick\n"
    refused = read(inner.url, env={"https_proxy": through.url})
    assert refused.status == 77 and b"the proxy answered 407 to CONNECT" in refused.err


@pytest.mark.parametrize("status, asked", [("403 Forbidden", 1), ("502 Bad Gateway", 2), ("429 Too Many", 2)])
def test_a_proxy_that_does_not_connect(netkit, status, asked):
    """What a server is asked again for, a proxy is: it may find the way the next time."""
    with Server(answer(status), answer("403 Forbidden")) as proxy:
        done = netkit.run("sse", "https://far.invalid/e", "--proxy", f"http://127.0.0.1:{proxy.port}", "--retry", "1ms")
    assert done.status == 76 and b"the proxy answered 403 to CONNECT" in done.err, done
    assert len(proxy.requests) == asked


@pytest.mark.parametrize("url", ["ftp://ann:s3cret@x", "http://ann:s3cret@x:99999"])
def test_a_proxy_of_the_environment_that_is_none(netkit, url):
    done = netkit.run("sse", "http://far.invalid/e", env={"http_proxy": url})
    assert done.status == 78 and b"s3cret" not in done.err and done.err.count(b"\n") == 1, done


def test_nginx_at_a_unix_socket(nginx, read, folder):
    proxy = nginx(listen=f"unix:{folder}/socket")
    done = read("http://any.invalid/e", "--unix-socket", folder / "socket")
    assert done.status == 0 and done.out == b"tick\ntick\n", done
    assert proxy.log().startswith("HTTP/1.1 200 ")
    missing = read("http://any.invalid/e", "--unix-socket", folder / "none")
    assert missing.status == 69 and missing.err.count(b"\n") == 1


HAPPY = """
ip link set lo up && ip -6 address add 2001:db8::1 dev lo nodad &&
nft add table inet cable && nft 'add chain inet cable input { type filter hook input priority 0; }' &&
nft add rule inet cable input ip6 daddr 2001:db8::1 drop && exec "$@"
"""


def test_an_address_that_is_silent_or_shut_is_passed_over(netkit):
    """Happy Eyeballs: the name's IPv6 address swallows everything, in a namespace of the test's own."""
    names = {"NETKIT_TEST_NAMES": "silent.example=2001:db8::1,127.0.0.1 shut.example=::1,127.0.0.1"}
    script = ('"$1" sse serve 127.0.0.1:8000 --host silent.example --host shut.example --every 20ms --message tick -q & '
              'until "$1" sse 127.0.0.1:8000 -c 1 '
              '--reconnect never -q; do :; done; for h in silent shut; do '
              'LD_PRELOAD="$2" "$1" sse http://$h.example:8000/ -c 1 --reconnect never --connect-timeout 15s || exit; done; kill %1')
    started = time.monotonic()
    done = netkit.run(argv=["unshare", "-n", "sh", "-c", HAPPY, "sh", "bash", "-c", script, "bash", netkit_path(),
                            os.environ["NETKIT_BUILD"] + "/tests/fake_names.so"], env=names)
    assert done.status == 0 and done.out == b"tick\n" * 3 and b"timed out" not in done.err, done
    assert time.monotonic() - started < 15
