"""`--metrics` on every server: the format as Prometheus reads it, and the same numbers as the totals."""

import json
import re
import signal
import socket
import time
import urllib.error
import urllib.request

import pytest

from netkit import wait_until

SERVERS = {
    "echo": ["echo", "serve", "127.0.0.1:0"],
    "chat": ["chat", "serve", "127.0.0.1:0"],
    "push": ["push", "serve", "127.0.0.1:0", "--every", "20ms"],
    "sse": ["sse", "serve", "127.0.0.1:0", "--every", "20ms"],
    "frame": ["frame", "serve", "127.0.0.1:0"],
    "broadcast": ["broadcast", "listen", "127.0.0.1:0"],
}


def parse(text):
    """Strictly, by the exposition format 0.0.4: each family is HELP, TYPE, then its samples, and comes once. Gives
    {name with its labels: (type, value)}."""
    assert text.endswith("\n"), "the last line must end with a line feed"
    found = {}
    families = set()
    family = None
    for line in text.splitlines():
        if match := re.fullmatch(r"# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) ((?:[^\\]|\\\\|\\n)*)", line):
            family = [match[1], None]
            assert match[1] not in families, f"{match[1]} comes twice"
            families.add(match[1])
        elif match := re.fullmatch(r"# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|summary)", line):
            assert family == [match[1], None], line
            family[1] = match[2]
        else:
            match = re.fullmatch(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-z]+=\"[^\"\\]*\"(?:,[a-z]+=\"[^\"\\]*\")*\})? "
                                 r"(-?(?:\d+(?:\.\d*)?(?:e[+-]?\d+)?)|NaN|[+-]Inf)", line)
            parts = ("", "_sum", "_count") if family[1] == "summary" else ("",)
            assert match and family[1] and match[1] in [family[0] + part for part in parts], line
            assert (family[1] == "counter") == match[1].endswith("_total"), line
            name = match[1] + (match[2] or "")
            assert name not in found, f"{name} comes twice"
            found[name] = (family[1], float(match[3]))
            assert family[1] == "gauge" or found[name][1] >= 0
    assert found
    return found


def start(netkit, command, *words):
    server = netkit.serve(*SERVERS[command], "--metrics", "127.0.0.1:0", *words)
    url = server.err.expect(rb"^netkit: \w+: metrics on (http://127\.0\.0\.1:\d+/metrics)\n").group(1).decode()
    return server, url


def get(url):
    with urllib.request.urlopen(url, timeout=20) as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return parse(answer.read().decode())


@pytest.mark.parametrize("command", SERVERS)
def test_every_server_has_them(netkit, command):
    server, url = start(netkit, command)
    before = get(url)
    about = [name for name in before if name.startswith("netkit_build_info{")]
    assert len(about) == 1 and f'command="{command}"' in about[0] and before[about[0]] == ("gauge", 1)
    assert abs(before["process_start_time_seconds"][1] - time.time()) < 60
    assert all(name.startswith("netkit_") for name in before if name != "process_start_time_seconds")
    after = get(url)
    assert list(after) == list(before), "a scrape has the same families in the same order"
    assert all(after[name][1] >= value for name, (kind, value) in before.items() if kind == "counter")
    assert server.stop(signal.SIGTERM) == 0


def test_they_count_what_happens(netkit):
    server, url = start(netkit, "echo", "--json")
    assert netkit.run("echo", "send", server.address, "a", "b", "c").status == 0
    numbers = get(url)
    end = None
    assert server.stop(signal.SIGTERM) == 0
    for line in server.out.rest().splitlines():
        end = json.loads(line)
    assert end["type"] == "end"
    totals = {name: value for name, value in end.items() if name not in ("type", "ok")}
    samples = {name for name in numbers if not name.startswith(("netkit_build_info", "netkit_out_of_memory_total", "process_"))}
    assert len(samples) == len(totals), "each total is a sample"
    for name, value in totals.items():
        part = name.partition("_")[2]
        label = {"dropped": f'reason="{part}"', "bytes": f'direction="{"in" if part == "received" else "out"}"'}
        kind = name.partition("_")[0]
        sample = f"netkit_{kind}_total{{{label[kind]}}}" if kind in label else f"netkit_{name}_total"
        assert numbers.get(sample, numbers.get(f"netkit_{name}")) is not None, name
    assert numbers["netkit_received_total"] == ("counter", 3)


def test_only_metrics_and_only_get(netkit):
    _, url = start(netkit, "echo")
    for address, method, status in ((url.replace("/metrics", "/"), "GET", 404), (url, "POST", 405)):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(address, method=method), timeout=20)
        assert refused.value.code == status
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(url, headers={"Host": "foreign.example"}), timeout=20)
    assert refused.value.code == 421 and refused.value.read() == b"this server does not have that host name\n"


def test_a_scraper_that_says_nothing_holds_nobody(netkit):
    server, url = start(netkit, "echo")
    host, port = url.removeprefix("http://").removesuffix("/metrics").split(":")
    idle = [socket.create_connection((host, int(port))) for _ in range(20)]
    assert netkit.run("echo", "send", server.address, "still there").out == b"still there\n"
    for sock in idle:
        sock.close()

    def answered():
        try:
            return get(url)
        except ConnectionError:  # as long as there are too many connections
            return None
    wait_until(answered, what="an answer")


def test_an_address_in_use_is_said(netkit):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = netkit.run("echo", "serve", "127.0.0.1:0", "--metrics", "127.0.0.1:%d" % taken.getsockname()[1])
    assert done.status == 69 and b"address already in use" in done.err
    assert b"listening on" not in done.err, "what waits for that line would go on"
