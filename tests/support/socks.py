"""A scripted SOCKS5 proxy (RFC 1928), with a login by name and password (RFC 1929) where one is wanted."""

import contextlib
import select
import socket
import struct
import threading

from netkit import DEADLINE, receive_exactly

NO_LOGIN, PASSWORD, NO_METHOD = 0, 2, 255
SUCCEEDED, GENERAL, NOT_ALLOWED, NO_NETWORK, NO_HOST, REFUSED, _, NO_COMMAND, NO_ADDRESS = range(9)


class Socks:
    """Passes connections on to 127.0.0.1 at the port that is asked for, whatever the host; or answers each request with
    `reply`. With `login`, a (name, password), nobody else is let in. `requests` are the hosts that were asked for, with
    the port; `logins` what was said."""

    def __init__(self, login=None, reply=SUCCEEDED):
        self.login, self.reply = login, reply
        self.requests, self.logins = [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.sockets = [self.listener]
        self.threads = [threading.Thread(target=self._run, daemon=True)]
        self.threads[0].start()

    def _run(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self.listener.accept()
                sock.settimeout(DEADLINE)
                self.sockets.append(sock)
                self.threads.append(threading.Thread(target=self._serve, args=(sock,), daemon=True))
                self.threads[-1].start()

    def _serve(self, sock):
        with sock, contextlib.suppress(OSError):
            if self._let_in(sock) and (port := self._request(sock)):
                with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as target:
                    self.sockets.append(target)
                    self._answer(sock, SUCCEEDED)
                    self._pass_on(sock, target)

    def _let_in(self, sock):
        version, count = receive_exactly(sock, 2)
        assert version == 5
        wanted = NO_LOGIN if self.login is None else PASSWORD
        if wanted not in receive_exactly(sock, count):
            sock.sendall(bytes([5, NO_METHOD]))
            return False
        sock.sendall(bytes([5, wanted]))
        return self.login is None or self._check_login(sock)

    def _check_login(self, sock):
        assert receive_exactly(sock, 1) == b"\1"
        said = tuple(receive_exactly(sock, receive_exactly(sock, 1)[0]).decode() for _ in range(2))
        self.logins.append(said)
        sock.sendall(bytes([1, said != self.login]))
        return said == self.login

    def _request(self, sock):
        """The port to connect to; none where the request is refused."""
        head = receive_exactly(sock, 4)
        assert head[:3] == b"\5\1\0"  # CONNECT
        if head[3] == 3:
            host = receive_exactly(sock, receive_exactly(sock, 1)[0]).decode()
        else:
            family, size = {1: (socket.AF_INET, 4), 4: (socket.AF_INET6, 16)}[head[3]]
            host = socket.inet_ntop(family, receive_exactly(sock, size))
        port = struct.unpack(">H", receive_exactly(sock, 2))[0]
        self.requests.append((host, port))
        if self.reply == SUCCEEDED:
            return port
        self._answer(sock, self.reply)
        return None

    def _answer(self, sock, reply):
        sock.sendall(bytes([5, reply, 0, 1]) + bytes(6))

    def _pass_on(self, sock, target):
        others = {sock: target, target: sock}
        while True:
            for ready in select.select(list(others), [], [])[0]:
                data = ready.recv(65536)
                if not data:
                    return
                others[ready].sendall(data)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for sock in self.sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(DEADLINE)
