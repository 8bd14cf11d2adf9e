"""-q and -v, for every action: neither changes what a client prints; -q leaves of a server where it listens; what -v adds
is on stderr."""

import re
import struct

import pytest

from netkit import host_port, tcp_connect, udp_socket

FLAGS = ["", "-q", "-v", "-vv", "-vvv"]
REGISTER = struct.pack(">I", 52) + b"\0" + b"a" * 36 + b"1" * 15
DATETIME = b"\0\0\0\1\2"


def words_with(flag, words):
    return [*words, flag] if flag else list(words)


def skeleton(output):
    """Without numbers."""
    return re.sub(rb"[\d.,:]+", b"0", output)


# What each client asks, the server that it asks ({}: its address), its input, and what it prints.
CLIENTS = [
    (("echo", "send", "{}", "hello"), ("echo", "serve", "127.0.0.1:0"), b"", rb"\Ahello\n\Z"),
    (("echo", "ping", "{}", "-c", "2", "-i", "10ms"), ("echo", "serve", "127.0.0.1:0"), b"", rb"seq=2 time=.*2 sent, 2 received"),
    (("echo", "bench", "{}", "--duration", "50ms", "--flows", "1"), ("echo", "serve", "127.0.0.1:0", "--to", "none"), b"", rb"\Areplies .*\nlatency "),
    (("chat", "join", "{}", "--name", "ann", "--since", "all"), ("chat", "serve", "127.0.0.1:0"), b"bye\n", rb"^\[bob\] hello\n"),
    (("chat", "join", "{}", "--plain", "--count", "1"), ("chat", "serve", "127.0.0.1:0"), b"hello\n", rb"\] hello\n"),
    (("broadcast", "send", "{}", "x", "--replies", "1"), ("broadcast", "listen", "127.0.0.1:0", "--reply", "here"), b"",
     rb"\A\S+ here\n\Z"),
    (("push", "subscribe", "{}", "--count", "1", "--name", "ann"), ("push", "serve", "127.0.0.1:0", "--every", "20ms"), b"", rb"\A\d"),
    (("push", "status", "{}"), ("push", "serve", "127.0.0.1:0", "--every", "1h"), b"", rb"\A"),
    (("sse", "read", "http://{}/", "--count", "1"), ("sse", "serve", "127.0.0.1:0", "--every", "20ms"), b"", rb"\A\d"),
    (("sse", "bench", "http://{}/", "--readers", "2", "--duration", "200ms"), ("sse", "serve", "127.0.0.1:0", "--every", "20ms"), b"",
     rb"^first event "),
    (("frame", "connect", "{}", "--send", "datetime"), ("frame", "serve", "127.0.0.1:0"), b"", rb"\Adatetime \d"),
    (("frame", "encode"), None, b"heartbeat\n", rb"\A\x00\x00\x00\x01\x01\Z"),
    (("frame", "decode"), None, DATETIME, rb"\Adatetime\n\Z"),
    (("frame", "replay", "{recording}", "{}"), ("frame", "serve", "127.0.0.1:0"), b"", rb"^< datetime \d"),
]
MEASURING = ("ping", "bench")  # print what nobody foresees


@pytest.mark.parametrize("words, server, given, shown", CLIENTS, ids=[" ".join(case[0][:2]) for case in CLIENTS])
def test_a_client(netkit, tmp_path, words, server, given, shown):
    address = netkit.serve(*server).address if server else ""
    recording = tmp_path / "recording"
    if "--since" in words:
        assert netkit.run("chat", "join", address, "--name", "bob", stdin="hello\n").status == 0
    if words[1] == "replay":
        assert netkit.run("frame", "connect", address, "--send", "datetime", "--record", recording).status == 0
    printed = {}
    for flag in FLAGS:
        done = netkit.run(*words_with(flag, [word.format(address, recording=recording) for word in words]), stdin=given)
        assert done.status == 0, done
        assert re.search(shown, done.out, re.S | re.M), (flag, done)
        printed[flag] = skeleton(done.out)
        lines = done.err.splitlines()
        assert flag != "-q" or not lines, done
        assert all(re.match(rb"(\d\d:\d\d:\d\d\S* )?netkit: \w+: |\S+ [0-9a-f]{4,} |\d{2,}", line) or flag == "-vvv" for line in lines), done
    if words[1] not in MEASURING and "--since" not in words:
        assert len(set(printed.values())) == 1, printed


def by_udp(data):
    def send(server):
        with udp_socket() as sock:
            sock.sendto(data, host_port(server.address))
            if server.argv[1] in ("echo", "chat") and server.argv[2] == "serve":
                sock.recv(1000)
    return send


def by_tcp(data, answer):
    def send(server):
        address = next(address for kind, address in server.listening if kind == "tcp")
        with tcp_connect(address) as sock:
            sock.sendall(data)
            assert sock.recv(1000).startswith(answer)
    return send


SUBSCRIBE = b"SUBSCRIBE ann 9\r\n"
# A server, how many sockets it has, what is sent to it, what it prints of that, and whether -q hides it.
SERVERS = [
    (("echo", "serve", "127.0.0.1:0"), 2, by_udp(b"x"), rb" x\n", True),
    (("chat", "serve", "127.0.0.1:0"), 1, by_udp(b"hello"), rb"\] hello\n", True),
    (("chat", "peer", "--bind", "127.0.0.1:0"), 1, by_udp(b"hello"), rb" hello\n", False),
    (("broadcast", "listen", "127.0.0.1:0"), 1, by_udp(b"hello"), rb" hello\n", True),
    (("push", "serve", "127.0.0.1:0", "--every", "1h"), 2, by_tcp(SUBSCRIBE, b"OK"), rb" subscribed ann\n", True),
    (("sse", "serve", "127.0.0.1:0", "--every", "1h"), 1, by_tcp(b"GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"HTTP/1.1 200"), None,
     True),
    (("frame", "serve", "127.0.0.1:0"), 1, by_tcp(REGISTER, b"\0\0\0\2\0\0"), rb" register appid=a+", True),
    (("frame", "proxy", "127.0.0.1:0", "{frame}"), 1, by_tcp(REGISTER, b"\0\0\0\2\0\0"), rb" > register appid=a+", True),
    (("sse", "proxy", "127.0.0.1:0", "http://{sse}/"), 1, by_tcp(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n",
                                                              b"HTTP/1.1 200"), rb"^event\n", True),
]
# What the proxies pass on to.
TARGETS = {"frame": ("frame", "serve", "127.0.0.1:0", "-q"),
           "sse": ("sse", "serve", "127.0.0.1:0", "--from", "-", "--last", "1", "--retry", "1h")}


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("words, sockets, send, shown, hidden", SERVERS, ids=[" ".join(case[0][:2]) for case in SERVERS])
def test_a_server(netkit, words, sockets, send, shown, hidden, flag):
    targets = {}
    if words[1] == "proxy":
        target = netkit.serve(*TARGETS[words[0]])
        if words[0] == "sse":
            target.write("event\n")
        targets[words[0]] = target.address
    server = netkit.serve(*words_with(flag, [word.format(**targets) for word in words]), sockets=sockets)
    send(server)
    if shown and not (flag == "-q" and hidden):
        server.out.expect(shown)
    assert server.stop() == 0
    lines = server.err.data.splitlines()
    listening = [line for line in lines if b": listening on " in line]
    if flag == "-q":
        assert lines == listening
        assert not hidden or server.out.data == b""
    elif shown:
        assert len(server.out.data.splitlines()) <= 3 and not re.search(rb"netkit: |connected|closed", server.out.data)
    assert len(listening) == sockets
