"""A Redis of the test's own, that can be killed, stopped and started again."""

import contextlib
import signal
import subprocess

from echo_peers import free_port
from netkit import tcp_connect, wait_until


class Redis:
    """A Redis of the test's own."""

    def __init__(self, folder, *args, name="redis", port=None):
        self.folder = folder / name
        self.folder.mkdir()
        self.args = args
        self.port = port or free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.start()

    def start(self, *more):
        self.process = subprocess.Popen(["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder,
                                         "--save", "", "--logfile", self.folder / "log", *self.args, *more])
        wait_until(self.answers, what="redis")

    def answers(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()
        with contextlib.suppress(OSError), tcp_connect(self.address) as sock:
            sock.settimeout(1)
            sock.sendall(b"PING\r\n")
            return sock.recv(100)[:5] in (b"+PONG", b"-NOAU")
        return False

    def cli(self, *words, **kwargs):
        return subprocess.run(["redis-cli", "-p", str(self.port), *map(str, words)], capture_output=True, text=True, timeout=20,
                              check=True, **kwargs).stdout

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()
