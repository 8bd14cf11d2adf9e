"""What programs under measurement cost this machine, and free ports for them."""

import os
import re
import socket


def free_port(kind="tcp"):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def read(path):
    """The content of a file below /proc; empty: what it tells of has gone."""
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except OSError:
        return ""


def _tasks(pid):
    try:
        return [f"/proc/{pid}/task/{task}" for task in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


def cpu_seconds(pid):
    """Of a process and those it started and that still run: the scheduler's count, to the nanosecond."""
    processes, spent = [pid], 0
    for process in processes:
        for task in _tasks(process):
            processes += [int(child) for child in read(f"{task}/children").split()]
            spent += int((read(f"{task}/schedstat").split() or [0])[0])
    return spent / 1e9


def own_memory(pid):
    """Bytes of anonymous memory in use. Pages of files are not counted: others may share them."""
    match = re.search(r"RssAnon:\s+(\d+) kB", read(f"/proc/{pid}/status"))
    return int(match.group(1)) * 1024 if match else 0


def resident(pid):
    """Bytes of memory in use, pages of files included."""
    return int(read(f"/proc/{pid}/statm").split()[1]) * os.sysconf("SC_PAGE_SIZE")
