"""What people see at a terminal, screen by screen: at 60 and 80 columns, with UTF-8 and without."""

import re
import time

import pytest

from netkit import host_port, netkit_path, udp_socket
from screen import Screen

COLUMNS = pytest.mark.parametrize("columns", [60, 80])
LOCALES = pytest.mark.parametrize("locale", ["C.UTF-8", "C"])


def at(netkit, *words, columns, locale="C.UTF-8", **kwargs):
    terminal = netkit.terminal(*words, columns=columns, env={"LC_ALL": locale, "PS1": "$ ", "NO_COLOR": "1"}, **kwargs)
    return terminal, Screen(terminal, columns=columns)


def unwrapped(screen, columns):
    """The lines that were printed: rows that are full go on in the next."""
    lines, whole = [], True
    for row in screen.screen.display:
        if not whole:
            lines[-1] += row.rstrip()
        elif row.strip():
            lines.append(row.rstrip())
        whole = len(row.rstrip()) < columns
    return lines


def traffic(address, seconds):
    with udp_socket() as sock:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            sock.sendto(b"x", address)
            sock.recv(100)


@COLUMNS
def test_a_prompt_beside_a_server_in_the_background(netkit, columns):
    terminal, screen = at(netkit, columns=columns, argv=["bash", "--norc", "--noprofile", "-i"])
    screen.wait(["$"])
    terminal.type(f"{netkit_path()} echo serve 127.0.0.1:0 --udp --to none &\r")
    address = terminal.expect(rb"listening on udp (\S+)\r\n").group(1).decode()
    terminal.type("\recho half")
    screen.wait(["$ echo half"])
    before = screen.lines
    traffic(host_port(address), 1.3)  # the live line would have been drawn
    screen._feed()
    assert screen.lines == before and screen.cursor == (11, "$ echo half")
    terminal.type(" a line\r")
    screen.wait(["half a line", "$"])
    terminal.type("kill %1; wait\r")
    screen.wait(lambda s: s.lines[-1] == "$" and any(re.match(r"netkit: echo: received [1-9][\d,]*, sent", line) for line in s.lines))
    terminal.type("exit\r")
    terminal.wait()


@COLUMNS
def test_the_totals_of_a_server(netkit, columns):
    terminal, screen = at(netkit, "echo", "serve", "127.0.0.1:0", "--udp", "--to", "none", columns=columns)
    address = terminal.expect(rb"listening on udp (\S+)\r\n").group(1).decode()
    with udp_socket() as sock:
        for _ in range(1234):
            sock.sendto(b"x", host_port(address))
            sock.recv(100)
    terminal.type("\x03")
    assert terminal.wait() == 0
    screen._feed()
    assert unwrapped(screen, columns) == [f"netkit: echo: listening on udp {address}",
                                          "^Cnetkit: echo: received 1,234, sent 1,234, bytes received 1,234, bytes sent 1,234"]


@LOCALES
@COLUMNS
def test_ping(netkit, columns, locale):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--udp", "-q")
    terminal, screen = at(netkit, "echo", "ping", server.address, "-c", "3", "-i", "10ms", columns=columns, locale=locale)
    assert terminal.wait() == 0
    screen._feed()
    shown = [re.sub(r"[\d,]*\d(\.\d+)?", "N", line) for line in unwrapped(screen, columns)]
    unit = "(µs|ms)" if locale == "C.UTF-8" else "(us|ms)"
    assert shown[:4] == 3 * ["N bytes from N.N:N: seq=N time=N ms"] + [
        "--- N.N:N: N sent, N received, N % lost, N duplicates, N reordered"]
    assert re.fullmatch(rf"rtt       min N   mean N   pN N   max N   jitter N {unit}", shown[4]) and len(shown) == 5, shown


@LOCALES
@COLUMNS
def test_bench(netkit, columns, locale):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--udp", "-q")
    terminal, screen = at(netkit, "echo", "bench", server.address, "--duration", "1200ms", "--flows", "2", columns=columns,
                          locale=locale, rows=40)
    screen = Screen(terminal, rows=40, columns=columns)
    assert terminal.wait() == 0
    screen._feed()
    lines = unwrapped(screen, columns)
    times, most, bar, unit = ("×", "≤", "[▏▎▍▌▋▊▉█·]+", "(µs|ms)") if locale == "C.UTF-8" else ("x", "<=", r"[#.]+", "(us|ms)")
    assert lines[0] == f"netkit: echo: UDP {server.address}   2 flows {times} 8 in flight   64 B"
    number = r"[\d.,]+"
    assert re.fullmatch(rf"netkit: echo:   0-1(\.\d)? +s   {number} replies/s   {number} [kM]B/s   0 lost   p50 {number}   p99 {number}   "
                        rf"max {number} {unit}", lines[1]), lines
    assert re.fullmatch(rf"replies   {number} of {number}   0 lost   in {number} s", lines[2])
    assert re.fullmatch(rf"rate      {number} replies/s   {number} [kM]B/s   {number} [kM]bit/s", lines[3])
    assert re.fullmatch(rf"latency   min {number}   mean {number}   p50 {number}   p90 {number}   p99 {number}   "
                        rf"(p99.9 {number}   )?max {number} {unit}", lines[4])
    rows = [row.rstrip() for row in screen.screen.display if most in row] if columns >= 80 else lines[5:]
    assert rows and all(re.fullmatch(rf" +{most} +\d+ (us|µs|ms|s) +{bar} +<?{number} %", row) for row in rows), rows
    assert not any("packets per s" in line for line in lines), "the live line is gone"
