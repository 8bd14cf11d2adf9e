"""The examples of netkit-frame(1), as they stand there but for addresses."""

import json
import os
import re
import shlex
import signal

import pytest

from frame_peer import APPID, IMEI, Server, REGISTER, answer, free_port
from man_page import example

PAGE = "netkit-frame.1"


@pytest.fixture
def server(netkit):
    words = example(PAGE, "netkit frame serve").split()
    return netkit.serve(*words[1:], "127.0.0.1:0")


def test_ask_for_the_time(netkit, server):
    done = netkit.shell(example(PAGE, "printf 'datetime").replace("localhost:9089", server.address))
    assert done.status == 0 and done.err == b""
    assert [json.loads(line)["type"] for line in done.lines] == ["frame", "end"]


def test_stay_register_and_fail_over(netkit):
    with Server() as scripted:
        command = example(PAGE, "netkit frame connect -k").replace("a.example:9089", f"127.0.0.1:{free_port()}")
        command = command.replace("b.example:9089", scripted.address)
        client = netkit.start(argv=["bash", "-c", "exec " + command.replace("netkit", os.environ["NETKIT"], 1)],
                              env={"APPID": APPID, "IMEI": IMEI})
        peer = scripted.accept()
        peer.expect(REGISTER)
        peer.send(answer(0))
        client.out.expect(rb"register ok\n")
        assert client.stop(signal.SIGINT) == 0


def test_encode_and_send_by_nc(netkit, server):
    done = netkit.shell(example(PAGE, "printf '7:hello").replace("localhost 9089", f"127.0.0.1 {server.port}"))
    assert done.status == 0 and done.lines == ["7 error -1"]


def test_a_dns_query(netkit):
    port = free_port()
    dns = netkit.start(argv=["dnsmasq", "--no-daemon", "--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--user=",
                             "--listen-address=127.0.0.1", "--bind-interfaces", f"--port={port}",
                             "--address=/name/192.0.2.7"])
    dns.err.expect(rb"started")
    done = netkit.shell(example(PAGE, "netkit frame connect localhost:53").replace("localhost:53", f"127.0.0.1:{port}"))
    record, end = [json.loads(line) for line in done.lines]
    assert record["base64"] and end["ok"] and done.status == 0


def test_look_on_and_repeat(netkit, server, tmp_path):
    words = example(PAGE, "netkit frame proxy :9090").replace(":9090", "127.0.0.1:0").replace("localhost:9089", server.address)
    proxy = netkit.serve(*words.split()[1:], cwd=tmp_path)
    assert netkit.run("frame", "connect", proxy.address, "--send", "datetime").status == 0
    assert re.search(r" > datetime$", proxy.out.line().decode())
    assert proxy.stop() == 0
    replay = example(PAGE, "netkit frame replay").replace("localhost:9089", server.address).split()[1:]
    done = netkit.run(*replay, cwd=tmp_path)
    assert done.status == 0 and done.out.startswith(b"< datetime ")


def test_a_modbus_device_and_a_script(netkit):
    words = shlex.split(example(PAGE, "netkit frame serve :5020"))
    server = netkit.serve(*[word.replace(":5020", "127.0.0.1:0") for word in words[1:]])
    done = netkit.shell(example(PAGE, "netkit frame connect :5020").replace(":5020", server.address))
    assert done.status == 0 and done.err == b""
