"""netkit sse through a SOCKS5 proxy."""

import pytest

from netkit import fake_names
from socks import GENERAL, NO_ADDRESS, NO_COMMAND, NO_HOST, NO_NETWORK, NOT_ALLOWED, REFUSED, Socks

LOGIN = ("ann", "s3cret")


@pytest.fixture
def origin(netkit):
    return netkit.serve("sse", "serve", "127.0.0.1:0", "--host", "stream.example", "--every", "20ms", "--message", "tick", "-q")


@pytest.fixture
def read(netkit, origin):
    """Reads two events of `origin` by a name that only this environment's resolver and the proxy know."""
    def run(*args, env=(), **kwargs):
        return netkit.run("sse", f"http://stream.example:{origin.port}/", "-c", "2", "--reconnect", "never", *args,
                          env={**fake_names("stream.example=127.0.0.1"), **dict(env)}, **kwargs)
    return run


@pytest.mark.parametrize("scheme, host", [("socks5", "127.0.0.1"), ("socks5h", "stream.example")])
@pytest.mark.parametrize("source", ["--proxy", "NETKIT_SSE_PROXY", "ALL_PROXY", "all_proxy", "http_proxy"])
def test_a_stream_is_read_through_it(read, origin, scheme, host, source):
    with Socks() as proxy:
        url = f"{scheme}://{proxy.address}"
        done = read("--proxy", url) if source == "--proxy" else read(env={source: url})
        assert (done.status, done.out, done.err) == (0, b"tick\ntick\n", b"")
        assert proxy.requests == [(host, origin.port)]  # a name is the proxy's to resolve by socks5h only


@pytest.mark.parametrize("reply, status, why", [
    (GENERAL, 69, "the proxy answered: general failure"),
    (NOT_ALLOWED, 77, "the proxy forbids the connection"),
    (NO_NETWORK, 69, "the proxy answered: network is unreachable"),
    (NO_HOST, 69, "the proxy answered: no route to host"),
    (REFUSED, 69, "the proxy answered: connection refused"),
    (NO_COMMAND, 76, "the proxy does not support connections"),
    (NO_ADDRESS, 76, "the proxy does not support this type of address"),
    (99, 69, "the proxy refused the connection: "),
])
def test_a_refusal_of_the_proxy_is_said(read, origin, reply, status, why):
    with Socks(reply=reply) as proxy:
        done = read("--proxy", f"socks5h://{proxy.address}", "--json")
        assert done.status == status and proxy.requests == [("stream.example", origin.port)]
        assert done.err.decode().startswith(f"netkit: sse: http://stream.example:{origin.port}/: {why}"), done
        assert done.err.count(b"\n") == 1 and done.records[-1]["ok"] is False


def test_who_is_forbidden_does_not_try_again(read):
    with Socks(reply=NOT_ALLOWED) as proxy:
        done = read("--proxy", f"socks5h://{proxy.address}", "--reconnect", "forever")
        assert done.status == 77 and len(proxy.requests) == 1


def test_a_proxy_that_is_not_there_is_69(read):
    with Socks() as proxy:
        address = proxy.address
    done = read("--proxy", f"socks5://{address}")
    assert done.status == 69 and done.err.count(b"\n") == 1, done


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
@pytest.mark.parametrize("variable", ["NETKIT_SSE_PROXY", "ALL_PROXY"])
def test_a_login_is_told_to_the_proxy_and_to_nobody_else(netkit, origin, scheme, variable):
    with Socks(login=LOGIN) as proxy:
        reader = netkit.start("sse", f"http://{origin.address}/", "-vvv", env={variable: f"{scheme}://ann:s3cret@{proxy.address}"})
        assert reader.out.line() == b"tick"
        with open(f"/proc/{reader.pid}/cmdline", "rb") as file:
            assert b"s3cret" not in file.read()
        assert reader.stop() == 0
        assert proxy.logins == [LOGIN] and b"s3cret" not in reader.err.data


@pytest.mark.parametrize("said, why", [("ann:guessed@", b"the proxy refused the login"),
                                       ("", b"the proxy requires another login")], ids=["wrong", "none"])
def test_a_login_that_it_does_not_take_is_77(read, said, why):
    with Socks(login=LOGIN) as proxy:
        done = read(env={"ALL_PROXY": f"socks5h://{said}{proxy.address}"})
        assert (done.status, proxy.requests) == (77, [])
        assert done.err.count(b"\n") == 1 and done.err.endswith(why + b"\n") and b"guessed" not in done.err, done


def test_a_password_on_the_command_line_is_refused(read):
    with Socks(login=LOGIN) as proxy:
        done = read("--proxy", f"socks5h://ann:s3cret@{proxy.address}")
        assert (done.status, proxy.logins) == (2, [])
        assert b"NETKIT_SSE_PROXY" in done.err and b"s3cret" not in done.err
