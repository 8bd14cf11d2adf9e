"""A way to a TCP server that a test can cut and hold, in the test's own process."""

import contextlib
import socket
import struct
import threading

from netkit import tcp_connect

RESET = struct.pack("ii", 1, 0)  # of SO_LINGER: a close is RST


class TcpPath:
    """Clients connect to `path.address`. `cut()` breaks what is connected and takes no more, `hold()` lets nothing through;
    `mend()` ends either."""

    def __init__(self, target):
        self.target = target
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address = "%s:%d" % self.listening.getsockname()
        self.is_cut = False
        self.through = threading.Event()
        self.through.set()
        self.sockets = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        self.is_cut = True
        for sock in list(self.sockets):
            self._reset(sock)

    def hold(self):
        self.through.clear()

    def mend(self):
        self.is_cut = False
        self.through.set()

    def close(self):
        self.cut()
        self.through.set()
        self.listening.close()

    def _reset(self, sock):
        self.sockets.discard(sock)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            sock.shutdown(socket.SHUT_RD)  # wakes who reads it, and says nothing to the peer
            sock.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client = self.listening.accept()[0]
                try:
                    server = None if self.is_cut else tcp_connect(self.target)
                except OSError:
                    server = None
                if server is None:
                    self._reset(client)
                    continue
                client.settimeout(None)
                server.settimeout(None)
                self.sockets |= {client, server}
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._pump, args=ends, daemon=True).start()

    def _pump(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self.through.wait()
                sink.sendall(data)
        self._reset(source)
        self._reset(sink)
