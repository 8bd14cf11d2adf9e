"""Scripted peers for netkit sse: a raw HTTP server that answers connection after connection by a script, and a raw
reader of event streams."""

import contextlib
import re
import select
import socket
import ssl
import threading

from netkit import DEADLINE, free_port, tcp_connect, wait_until


# Options of sse by which reconnecting takes no time.
QUICK = ("--retry", "1ms", "--reconnect-max", "20ms")
TEXT = "text/event-stream"
ONE = b"data: one\n\n"


def head(status="200 OK", **fields):
    """The head of an answer: `Content_Type="text/html"` becomes that header."""
    lines = [f"HTTP/1.1 {status}"] + [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def answer(status, body=b"", **fields):
    return head(status, Content_Length=len(body), Connection="close", **fields) + body


def ok(body, **fields):
    """An answer that is a stream, which begins with `body`."""
    return head(Content_Type=TEXT, **fields) + body


def read(netkit, server, *args, **kwargs):
    """`netkit sse` of a Server, until it ends."""
    return netkit.run("sse", server.url, *QUICK, *args, **kwargs)


def events(*numbers):
    return b"".join(b"id: %d\ndata: event %d\n\n" % (n, n) for n in numbers)


class Request:
    def __init__(self, raw):
        self.raw = raw
        top, _, self.body = raw.partition(b"\r\n\r\n")
        lines = top.decode("latin-1").split("\r\n")
        self.method, self.target, self.version = lines[0].split(" ")
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()


class Connection:
    """One accepted connection, whose request has been read."""

    def __init__(self, sock):
        self.sock = sock
        sock.settimeout(DEADLINE)

    def request(self):
        raw = b""
        while b"\r\n\r\n" not in raw:
            chunk = self.sock.recv(65536)
            if not chunk:
                return None
            raw += chunk
        length = re.search(rb"content-length: (\d+)", raw, re.I)
        while length and len(raw.partition(b"\r\n\r\n")[2]) < int(length.group(1)):
            raw += self.sock.recv(65536)
        return Request(raw)

    def send(self, data):
        self.sock.sendall(data)

    def close(self):
        self.sock.close()

    def reset(self):
        """Ends it by RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    def wait_for_close(self):
        try:
            while self.sock.recv(65536):
                pass
        except ConnectionError:
            pass


class Server:
    """Answers the n-th connection by the n-th step of a script: bytes are sent as they are, then the connection is
    closed; a function is called with the Connection and the Request. After the last step, connections are refused.
    `requests` are those that came."""

    def __init__(self, *steps, family=socket.AF_INET, context=None, repeat=False):
        self.steps, self.context, self.repeat = list(steps), context, repeat
        self.requests, self.errors = [], []
        self.listener = socket.create_server(("127.0.0.1" if family == socket.AF_INET else "::1", 0), family=family)
        host, self.port = self.listener.getsockname()[:2]
        self.host = host if family == socket.AF_INET else f"[{host}]"
        self.url = f"{'https' if context else 'http'}://{self.host}:{self.port}/events"
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        index = 0
        while self.repeat or index < len(self.steps):
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            step = self.steps[min(index, len(self.steps) - 1)]
            index += 1
            self._serve(sock, step)
        self.listener.close()

    def _serve(self, sock, step):
        try:
            if self.context:
                sock = self.context.wrap_socket(sock, server_side=True)
            connection = Connection(sock)
            request = connection.request()
            if request is None:
                return
            self.requests.append(request)
            if callable(step):
                step(connection, request)
            else:
                connection.send(step)
        except (OSError, ssl.SSLError) as error:
            self.errors.append(error)
        finally:
            sock.close()

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.thread.join(DEADLINE)
        assert failure or not self.thread.is_alive(), "a step still waits for its client"


def hold(data):
    """A step that sends `data` and keeps the connection until the client closes it."""
    def step(connection, _):
        connection.send(data)
        connection.wait_for_close()
    return step


def listens(where):
    """Whether a port of 127.0.0.1, or the socket at a path, takes connections."""
    is_path = isinstance(where, str)
    with socket.socket(socket.AF_UNIX if is_path else socket.AF_INET) as sock:
        return sock.connect_ex(where if is_path else ("127.0.0.1", where)) == 0


NGINX = """daemon off; master_process off; user root; pid {folder}/pid; error_log stderr; worker_processes 1;
events {{ worker_connections 64; }}
http {{ log_format short '$server_protocol $status $request_uri'; access_log {folder}/log short;
client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;
scgi_temp_path {folder}/s; gzip on; gzip_types text/event-stream; gzip_min_length 1;
server {{ listen {listen}; {server} }} }}
"""


class Nginx:
    """nginx with one server: `listen` is its directive, with `{port}` for a free one, `server` what else is in its block."""

    def __init__(self, netkit, folder, listen, server):
        self.netkit, self.folder, self.port = netkit, folder, free_port()
        self.url = f"{'https' if 'ssl' in listen else 'http'}://127.0.0.1:{self.port}/events"
        self.path = listen[5:] if listen.startswith("unix:") else None
        (folder / "conf").write_text(NGINX.format(folder=folder, listen=listen.format(port=self.port), server=server))
        self.start()

    def start(self):
        self.process = self.netkit.start(argv=["nginx", "-c", self.folder / "conf", "-p", self.folder, "-e", "stderr"])
        wait_until(lambda: listens(self.path or self.port), what="nginx")

    def stop(self):
        """Ends it; what it has not seen the end of by then never stands in its log."""
        self.process.stop()

    def log(self, requests=1):
        """A line a request: PROTOCOL STATUS TARGET. Waits until so many have come to their end."""
        log = self.folder / "log"
        wait_until(lambda: log.read_text().count("\n") >= requests, what="nginx's log")
        return log.read_text()


class Relay:
    """Passes TCP connections on to `target`, and can cut them."""

    def __init__(self, target):
        self.target = target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "%s:%d" % self.listener.getsockname()
        self.pairs, self.cut, self.running = {}, threading.Event(), True
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    @contextlib.contextmanager
    def outage(self):
        """Cuts every connection, and each that comes, until the block ends."""
        self.cut.set()
        with self.lock:
            self._drop_all()
        yield
        self.cut.clear()

    def _drop_all(self):
        for sock in self.pairs:
            sock.close()
        self.pairs.clear()

    def _accept(self):
        sock, _ = self.listener.accept()
        if self.cut.is_set():
            return sock.close()
        other = tcp_connect(self.target)
        self.pairs[sock], self.pairs[other] = other, sock
        return None

    def _pass_on(self, sock):
        other = self.pairs[sock]
        try:
            data = sock.recv(65536)
            other.sendall(data)
        except OSError:
            data = b""
        if not data:
            for end in (sock, other):
                del self.pairs[end]
                end.close()

    def _run(self):
        while self.running:
            with self.lock:
                ready = select.select([self.listener, *self.pairs], [], [], 0.01)[0]
                for sock in ready:
                    if sock is self.listener:
                        self._accept()
                    elif sock in self.pairs:
                        self._pass_on(sock)
            # A lock that is taken again at once is never had by others.
            threading.Event().wait(0.001)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.running = False
        self.thread.join()
        self._drop_all()
        self.listener.close()


class BodySocket:
    """A connection whose answers are read without the chunks around them, from the first head on that has them."""

    def __init__(self, sock):
        self.sock, self.raw, self.chunked, self.left = sock, b"", False, 0

    def __getattr__(self, name):
        return getattr(self.sock, name)

    def recv(self, size):
        """Bytes of heads and bodies; none when the peer has closed."""
        while True:
            received = self.sock.recv(size)
            if not received:
                return b""
            if body := self._passed(received):
                return body

    def _passed(self, received):
        if self.chunked:
            self.raw += received
            return self._chunks()
        if b"\r\nTransfer-Encoding: chunked\r\n" not in received:
            return received
        self.chunked = True
        head, end, self.raw = received.partition(b"\r\n\r\n")
        assert end, "a head that comes in pieces"
        return head + end + self._chunks()

    def _chunks(self):
        out = []
        while self.raw:
            if self.left == 0:
                size, end, rest = self.raw.partition(b"\r\n")
                if not end:
                    break
                self.raw, self.left = rest, int(size, 16) + 2
            data, self.raw = self.raw[:self.left], self.raw[self.left:]
            out.append(data[:max(self.left - 2, 0)])  # without the CR LF at its end
            self.left -= len(data)
        return b"".join(out)


class Reader:
    """A raw reader of `sse serve`."""

    def __init__(self, address, path="/events", **headers):
        self.sock = BodySocket(tcp_connect(address))
        self.data = b""
        self.ask(path, **headers)

    def ask(self, path, **headers):
        lines = [f"GET {path} HTTP/1.1", "Host: x"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())

    def until(self, pattern):
        """Everything up to and with the first match of `pattern`."""
        while not (match := re.search(pattern, self.data, re.S)):
            chunk = self.sock.recv(65536)
            assert chunk, f"closed before {pattern!r}: {self.data[-500:]!r}"
            self.data += chunk
        found, self.data = self.data[:match.end()], self.data[match.end():]
        return found

    def ids(self, last):
        """The ids up to that of the event with the data `last`; quick where much comes before it."""
        end, found, tail = b"data: %s\n\n" % last, [self.data], self.data
        while end not in tail:
            chunk = self.sock.recv(65536)
            assert chunk, f"closed before {last}"
            found.append(chunk)
            tail = tail[-len(end):] + chunk
        self.data = b""
        return [int(number) for number in re.findall(rb"id: (\d+)\n", b"".join(found))]

    def head(self):
        return self.until(rb"\r\n\r\n")

    def close(self):
        self.sock.close()
