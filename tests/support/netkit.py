"""The installed netkit under test: starting it, waiting for its events, and talking to it.

Every wait has a deadline and is for an event; nothing sleeps and hopes. Every process that is started here is ended
when the test ends, whatever happens.
"""

import json
import os
import pty
import random
import re
import select
import signal
import socket
import subprocess
import time

DEADLINE = float(os.environ.get("NETKIT_TEST_DEADLINE", "20"))


def netkit_path():
    """The installed executable: CTest sets NETKIT."""
    return os.environ["NETKIT"]


def is_sanitized():
    with open(os.path.join(os.environ["NETKIT_BUILD"], "CMakeCache.txt"), encoding="utf-8") as cache:
        return re.search(r"^NETKIT_SANITIZE:STRING=.", cache.read(), re.M) is not None


class Timeout(AssertionError):
    pass


class Reader:
    """Collects what comes out of a descriptor and waits for patterns in it."""

    def __init__(self, fd):
        self.fd = fd
        self.data = b""
        self.position = 0
        self.closed = False
        os.set_blocking(fd, False)

    def _pump(self, timeout):
        if self.closed:
            return False
        if not select.select([self.fd], [], [], max(0.0, timeout))[0]:
            return False
        try:
            chunk = os.read(self.fd, 1 << 20)
        except BlockingIOError:
            return False
        except OSError:  # a pseudo-terminal whose other side has closed
            chunk = b""
        if not chunk:
            self.closed = True
            return False
        self.data += chunk
        return True

    def expect(self, pattern, deadline=DEADLINE):
        """Waits until `pattern` (bytes, a regular expression) matches what came after the last match."""
        end = time.monotonic() + deadline
        regex = re.compile(pattern, re.S | re.M)
        while True:
            match = regex.search(self.data, self.position)
            if match:
                self.position = match.end()
                return match
            left = end - time.monotonic()
            if left <= 0 or (not self._pump(left) and self.closed):
                match = regex.search(self.data, self.position)
                if match:
                    self.position = match.end()
                    return match
                why = "closed" if self.closed else "timed out"
                raise Timeout(f"{why} waiting for {pattern!r}; have {self.data[self.position:][-2000:]!r}")

    def line(self, deadline=DEADLINE):
        """The next whole line, without its newline."""
        return self.expect(rb"([^\n]*)\n", deadline).group(1)

    def json(self, deadline=DEADLINE):
        return json.loads(self.line(deadline))

    def rest(self, deadline=DEADLINE):
        """Everything up to the end of the stream."""
        end = time.monotonic() + deadline
        while not self.closed:
            left = end - time.monotonic()
            if left <= 0:
                raise Timeout(f"still open after {deadline} s; have {self.data[-2000:]!r}")
            self._pump(left)
        result = self.data[self.position:]
        self.position = len(self.data)
        return result

    def silent(self, duration):
        """Asserts that nothing comes for `duration` seconds: only for what must NOT happen."""
        end = time.monotonic() + duration
        while (left := end - time.monotonic()) > 0 and not self.closed:
            self._pump(left)
        assert self.position == len(self.data), f"unexpected output: {self.data[self.position:]!r}"


class Process:
    """A running program with its three streams."""

    def __init__(self, argv, env=None, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=None, pass_fds=(), preexec=None):
        self.argv = [str(a) for a in argv]
        full_env = clean_environment()
        full_env.update(env or {})
        self.popen = subprocess.Popen(self.argv, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, env=full_env,
                                      cwd=cwd, pass_fds=pass_fds, preexec_fn=preexec, process_group=0)
        self.out = Reader(self.popen.stdout.fileno()) if self.popen.stdout else None
        self.err = Reader(self.popen.stderr.fileno())

    @property
    def pid(self):
        return self.popen.pid

    def write(self, data):
        self.popen.stdin.write(data if isinstance(data, bytes) else data.encode())
        self.popen.stdin.flush()

    def close_stdin(self):
        self.popen.stdin.close()

    def signal(self, number):
        self.popen.send_signal(number)

    def wait(self, deadline=DEADLINE):
        """Reads both outputs until the process has ended, and gives its status (negative: the signal)."""
        end = time.monotonic() + deadline
        while self.popen.poll() is None:
            if time.monotonic() > end:
                raise Timeout(f"{self.argv} still runs after {deadline} s; stderr: {self.err.data[-2000:]!r}")
            readers = [r for r in (self.out, self.err) if r and not r.closed]
            if readers:
                ready = select.select([r.fd for r in readers], [], [], 0.02)[0]
                for reader in readers:
                    if reader.fd in ready:
                        reader._pump(0)
            else:
                try:
                    self.popen.wait(max(0.01, end - time.monotonic()))
                except subprocess.TimeoutExpired:
                    pass
        for reader in (self.out, self.err):
            while reader and reader._pump(0):
                pass
        return self.popen.returncode

    def stop(self, number=None, deadline=DEADLINE):
        self.signal(signal.SIGTERM if number is None else number)
        return self.wait(deadline)

    def cleanup(self):
        if self.popen.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)  # with what it has started
        self.popen.wait()
        for stream in (self.popen.stdin, self.popen.stdout, self.popen.stderr):
            if stream:
                try:
                    stream.close()
                except OSError:
                    pass


class Result:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    @property
    def lines(self):
        return self.out.decode().splitlines()

    @property
    def records(self):
        return [json.loads(line) for line in self.lines]

    def __repr__(self):
        return f"status {self.status}\nstdout {self.out[-3000:]!r}\nstderr {self.err[-3000:]!r}"


def clean_environment():
    """The test's environment without what could change what netkit does."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("NETKIT_", "XDG_", "LC_", "http", "HTTP"))}
    env["LC_ALL"] = "C.UTF-8"
    # Nobody, root included, can make it.
    env["HOME"] = env.get("NETKIT_TEST_HOME", "/proc/nonexistent")
    return env


class Netkit:
    """What tests use: `netkit.run(...)`, `netkit.serve(...)`, `netkit.start(...)`."""

    def __init__(self, home):
        self.home = str(home)
        self.processes = []

    def _env(self, env):
        result = {"HOME": self.home}
        result.update(env or {})
        return result

    def start(self, *args, env=None, argv=None, **kwargs):
        """Starts netkit with `args` (or any other program with `argv`) and returns its Process."""
        process = Process(argv or [netkit_path(), *args], env=self._env(env), **kwargs)
        self.processes.append(process)
        return process

    def run(self, *args, stdin=b"", env=None, deadline=DEADLINE, argv=None, cwd=None):
        """Runs it to its end. Returns a Result."""
        full_env = clean_environment()
        full_env.update(self._env(env))
        data = stdin if isinstance(stdin, bytes) else stdin.encode()
        done = subprocess.run([str(a) for a in (argv or [netkit_path(), *args])], input=data, capture_output=True,
                              env=full_env, timeout=deadline, cwd=cwd, check=False)
        return Result(done.returncode, done.stdout, done.stderr)

    def shell(self, script, env=None, deadline=DEADLINE):
        """Runs `script` by bash with `netkit` on its PATH."""
        path = os.path.dirname(netkit_path()) + ":" + os.environ.get("PATH", "/usr/bin:/bin")
        return self.run(argv=["bash", "-c", script], env={"PATH": path, **(env or {})}, deadline=deadline)

    def serve(self, *args, sockets=None, **kwargs):
        """Starts a server and waits until it listens. `process.address` is the first socket's `HOST:PORT`,
        `process.port` its port, `process.listening` all as (kind, address)."""
        process = self.start(*args, **kwargs)
        process.listening = []
        while True:
            match = process.err.expect(rb"^netkit: \w+: listening on (udp|tcp) (\S+)\n")
            process.listening.append((match.group(1).decode(), match.group(2).decode()))
            if len(process.listening) >= (sockets or 1):
                break
        process.address = process.listening[0][1]
        process.port = int(process.address.rsplit(":", 1)[1])
        return process

    def terminal(self, *args, env=None, rows=24, columns=80, cwd=None, argv=None):
        """Starts netkit (or any other program with `argv`) at a pseudo-terminal. Returns a Terminal."""
        full_env = clean_environment()
        full_env.update(self._env({"TERM": "xterm", **(env or {})}))
        terminal = Terminal(argv or [netkit_path(), *[str(a) for a in args]], full_env, rows, columns, cwd)
        self.processes.append(terminal)
        return terminal

    def cleanup(self):
        for process in reversed(self.processes):
            process.cleanup()


class Terminal:
    """A program whose three streams are a pseudo-terminal."""

    def __init__(self, argv, env, rows, columns, cwd=None):
        import fcntl
        import struct
        import termios
        self.argv = argv
        self.pid, fd = pty.fork()
        if self.pid == 0:
            try:
                if cwd:
                    os.chdir(cwd)
                os.execvpe(argv[0], argv, env)
            finally:
                os._exit(127)
        self.fd = fd
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.out = Reader(fd)
        self.status = None

    def type(self, text):
        os.write(self.fd, text if isinstance(text, bytes) else text.encode())

    def expect(self, pattern, deadline=DEADLINE):
        return self.out.expect(pattern, deadline)

    def wait(self, deadline=DEADLINE):
        end = time.monotonic() + deadline
        while self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                break
            if time.monotonic() > end:
                raise Timeout(f"{self.argv} still runs after {deadline} s; screen: {self.out.data[-2000:]!r}")
            self.out._pump(0.02)
        while self.out._pump(0):
            pass
        return self.status

    def signal(self, number):
        os.kill(self.pid, number)

    def cleanup(self):
        if self.status is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
                self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            except (ProcessLookupError, ChildProcessError):
                pass
        os.close(self.fd)


def udp_socket(family=socket.AF_INET, address=None):
    """A bound UDP socket with a deadline on its receives."""
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.settimeout(DEADLINE)
    sock.bind(address or (("127.0.0.1", 0) if family == socket.AF_INET else ("::1", 0)))
    return sock


def fake_names(names):
    """The environment in which names resolve to what this says: "NAME=ADDRESS,ADDRESS NAME=never"."""
    return {"NETKIT_TEST_NAMES": names, "LD_PRELOAD": os.environ["NETKIT_BUILD"] + "/tests/fake_names.so"}


def tcp_connect(address):
    """Connects to `HOST:PORT` or `[HOST]:PORT`."""
    host, port = address.rsplit(":", 1)
    sock = socket.create_connection((host.strip("[]"), int(port)), timeout=DEADLINE)
    return sock


def receive_exactly(sock, count):
    data = b""
    while len(data) < count:
        chunk = sock.recv(count - len(data))
        if not chunk:
            break
        data += chunk
    return data


def receive_to_end(sock):
    data = bytearray()
    while chunk := sock.recv(1 << 16):
        data += chunk
    return bytes(data)


def free_port():
    """A port that nobody listens on, by UDP or TCP, nor will by taking any: those are above."""
    while True:
        port = random.randrange(10000, 32000)
        try:
            with udp_socket(address=("0.0.0.0", port)), socket.create_server(("0.0.0.0", port)):
                return port
        except OSError:
            pass


def host_port(address):
    host, port = address.rsplit(":", 1)
    return host.strip("[]"), int(port)


def wait_until(condition, deadline=DEADLINE, what="the condition"):
    """Polls for something that has no event of its own (a file's content, a process table)."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Timeout(f"{what} did not come true in {deadline} s")
        select.select([], [], [], 0.01)
