"""Nothing is sent anywhere that the user did not name: what each command sends and connects to, as the kernel sees it."""

import os
import pathlib
import re
import signal

import pytest

from exit_ways import NO_LEAK_CHECK
from netkit import host_port, netkit_path

SERVERS = {"echo": ["echo", "serve", "127.0.0.1:0"], "chat": ["chat", "serve", "127.0.0.1:0", "--web"],
           "push": ["push", "serve", "127.0.0.1:0", "--every", "20ms"], "sse": ["sse", "serve", "127.0.0.1:0", "--every", "20ms"],
           "frame": ["frame", "serve", "127.0.0.1:0"], "broadcast": ["broadcast", "listen", "127.0.0.1:0", "--reply", "here"]}
CLIENTS = {"echo": ["echo", "send", "{}", "hello"], "chat": ["chat", "join", "{}", "--name", "ann"],
           "push": ["push", "subscribe", "{}", "-c", "2"], "sse": ["sse", "http://{}/", "-c", "2"],
           "frame": ["frame", "connect", "{}", "--send", "datetime"], "broadcast": ["broadcast", "send", "{}", "hello", "--replies", "1"]}
STRACE = ["strace", "-f", "-v", "-s", "0", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o"]
INET = re.compile(r'sin6?_port=htons\((\d+)\), (?:sin_addr=inet_addr\("([^"]+)"\)|[^}]*inet_pton\(AF_INET6, "([^"]+)")')


def reached(path):
    return {(v4 or v6, int(port)) for port, v4, v6 in INET.findall(path.read_text())}


@pytest.mark.parametrize("name", SERVERS)
def test_who_is_named_and_who_asked_is_all(netkit, tmp_path, name):
    """From the first moment of each to its last."""
    server = netkit.serve(argv=[*STRACE, tmp_path / "server", netkit_path(), *SERVERS[name]], env=NO_LEAK_CHECK)
    words = [word.format(server.address) for word in CLIENTS[name]]
    done = netkit.run(argv=[*STRACE, tmp_path / "client", netkit_path(), *words], stdin="hello\n" if name == "chat" else "",
                      env=NO_LEAK_CHECK)
    assert done.status == 0, done
    os.kill(int(pathlib.Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text()), signal.SIGTERM)
    assert server.wait() == 0
    named = host_port(server.address)
    assert reached(tmp_path / "client") <= {named}
    assert all(host == "127.0.0.1" for host, _ in reached(tmp_path / "server"))
    assert name in ("frame", "sse") or reached(tmp_path / "client") == {named}, "the trace shows what is sent"
