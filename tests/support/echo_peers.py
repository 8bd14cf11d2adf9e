"""Echo servers for the clients of netkit echo: by Python, as a test says, and by socat."""

import socket
import threading

import pytest

from netkit import free_port, udp_socket, wait_until


class UdpServer:
    """Answers datagrams as `answer(data)` says: a list of (delay, reply)."""

    def __init__(self, answer=lambda data: [(0, data)]):
        self.sock = udp_socket()
        self.address = "127.0.0.1:%d" % self.sock.getsockname()[1]
        self.seen = []
        self.timers = []
        self.thread = threading.Thread(target=self._run, args=(answer,), daemon=True)
        self.thread.start()

    def _run(self, answer):
        while True:
            try:
                data, peer = self.sock.recvfrom(65536)
            except TimeoutError:
                continue
            except OSError:
                return
            self.seen.append(data)
            try:
                self._answer(answer(data), peer)
            except OSError:  # closed meanwhile
                return

    def _answer(self, replies, peer):
        for delay, reply in replies:
            if delay:
                timer = threading.Timer(delay, self.sock.sendto, (reply, peer))
                self.timers.append(timer)
                timer.start()
            else:
                self.sock.sendto(reply, peer)

    def close(self):
        for timer in self.timers:
            timer.join()
        self.sock.close()


@pytest.fixture
def udp_server():
    servers = []

    def start(*args):
        servers.append(UdpServer(*args))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def tcp_server():
    """A Python TCP server that handles one connection by `handle(sock)`."""
    listening = socket.create_server(("127.0.0.1", 0))
    threads = []

    def start(handle):
        def run():
            sock, _ = listening.accept()
            with sock:
                handle(sock)

        threads.append(threading.Thread(target=run, daemon=True))
        threads[-1].start()
        return "127.0.0.1:%d" % listening.getsockname()[1]

    yield start
    for thread in threads:
        thread.join(20)
    listening.close()


def start_socat(netkit, kind):
    table = {"UDP": "/proc/net/udp", "TCP": "/proc/net/tcp"}[kind]
    while True:  # somebody else may take the port first; then socat ends
        port = free_port()
        socat = netkit.start(argv=["socat", f"{kind}4-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork", "PIPE"])
        wait_until(lambda: socat.popen.poll() is not None or
                   f"0100007F:{port:04X} 00000000:0000" in open(table, encoding="ascii").read(), what="socat")
        if socat.popen.poll() is None:
            return f"127.0.0.1:{port}"
