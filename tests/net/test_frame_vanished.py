"""netkit frame connect and a server that vanishes from the network, in a network namespace of the test's own."""

import subprocess

import pytest

from netkit import netkit_path


@pytest.fixture
def inside(netkit):
    """The words before a command that runs it in a fresh namespace with only loopback."""
    holder = netkit.start(argv=["unshare", "-n", "sh", "-c", "ip link set lo up && echo up && exec sleep 600"])
    holder.out.expect(rb"up\n")
    return ["nsenter", "-t", str(holder.pid), "-n"]


@pytest.mark.parametrize("options, reason", [
    (["--heartbeat", "none", "--user-timeout", "500ms"], rb"connection timed out"),
    (["--heartbeat", "100ms", "--misses", "3"], rb"no answer to 3 heartbeats \(--misses\)"),
])
def test_a_vanished_server_is_noticed_and_the_request_goes_out_again(netkit, inside, options, reason):
    def nft(*words):
        subprocess.run([*inside, "nft", *words], check=True, timeout=20)

    server = netkit.start(argv=[*inside, netkit_path(), "frame", "serve"])
    server.err.expect(rb"listening on tcp 127\.0\.0\.1:9089\n")
    client = netkit.start(argv=[*inside, netkit_path(), "frame", "connect", "9089", "-k", "--reconnect-max", "100ms",
                                "--connect-timeout", "300ms", *options])
    client.write("datetime\n")
    client.out.expect(rb"datetime [^\n]+\n")
    nft("add table inet cable")
    nft("add chain inet cable input { type filter hook input priority 0; }")
    nft("add rule inet cable input tcp dport 9089 drop")
    client.write("7:still there\n")
    client.err.expect(rb"lost: " + reason + rb" \(1 request without an answer\)")
    nft("delete table inet cable")
    client.err.expect(rb"127\.0\.0\.1:9089: connected again after \d+(\.\d)? m?s\n")
    client.out.expect(rb"7 error -1\n")
    assert client.stop() == 0
