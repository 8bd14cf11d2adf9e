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


def text(screen):
    """All of it without blanks: a line that is longer than the window goes on in the next row."""
    screen._feed()
    return "".join(screen.screen.display).replace(" ", "")


def is_all(pattern, screen):
    """`pattern` as lines, for people."""
    assert re.fullmatch(re.sub(r"\s", "", pattern), text(screen)), "\n".join(screen.lines)


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


def test_help_keeps_to_the_window(netkit):
    terminal, screen = at(netkit, columns=50, argv=["bash", "--norc", "--noprofile", "-i"])
    screen.wait(["$"])
    terminal.type(f"{netkit_path()} echo ping --help; echo the en''d\r")
    shown = terminal.expect(rb"netkit echo ping - .*?\r\nthe end\r\n").group(0).decode().splitlines()
    assert len(shown) > 50 and [line for line in shown if len(line) > 50 and not line.startswith("  netkit ")] == []


def test_ctrl_d_ends_its_line_once(netkit):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "-q", sockets=2)
    terminal, screen = at(netkit, columns=80, argv=["bash", "--norc", "--noprofile", "-i"])
    screen.wait(["$"])
    terminal.type(f"{netkit_path()} echo send {server.address}\r")
    screen.wait([">"])
    terminal.type("\x04")
    screen.wait([">", "$"])
    shown = [line.strip() for line in screen.screen.display]
    assert shown.index("$") == shown.index(">") + 1


def test_ctrl_z_leaves_nothing_of_the_live_line(netkit):
    with udp_socket() as nobody:
        terminal, screen = at(netkit, columns=80, argv=["bash", "--norc", "--noprofile", "-i"])
        screen.wait(["$"])
        terminal.type(f"{netkit_path()} echo serve 127.0.0.1:0 --udp --to none\r")
        address = terminal.expect(rb"listening on udp (\S+)\r\n").group(1).decode()
        for _ in range(2):
            nobody.sendto(b"x", host_port(address))
            screen.wait(lambda s: re.match(r"received \d+, sent", s.lines[-1]))
            terminal.type("\x1a")
            screen.wait(lambda s: s.lines[-1] == "$" and any("Stopped" in line for line in s.lines[-3:]))
            assert not any("received" in line for line in screen.lines)
            terminal.type("fg\r")
            screen.wait(lambda s: re.search(r"--to none$|^received", s.lines[-1]))
        terminal.type("\x03")
        screen.wait(lambda s: s.lines[-1] == "$")


@COLUMNS
def test_the_totals_of_a_server(netkit, columns):
    terminal, screen = at(netkit, "echo", "serve", "127.0.0.1:0", "--udp", "--to", "none", columns=columns)
    address = terminal.expect(rb"listening on udp (\S+)\r\n").group(1).decode()
    with udp_socket() as sock:
        for number in range(1234):
            message = b"%04d" % number
            sock.sendto(message, host_port(address))
            while sock.recv(100) != message:
                pass  # a probe for loops
    terminal.expect(rb"received 1,234")  # the live line, which is as long as the window where it can be
    terminal.type("\x03")
    assert terminal.wait() == 0
    is_all(rf"""netkit: echo: listening on udp {address}
                (\^C)?netkit: echo: received 1,234, sent 1,234, bytes received 4.9 kB, bytes sent 4.9 kB""", screen)


NUMBER = r"[\d.,]+"


@LOCALES
@COLUMNS
def test_ping(netkit, columns, locale):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--udp", "-q")
    terminal, screen = at(netkit, "echo", "ping", server.address, "-c", "3", "-i", "10ms", columns=columns, locale=locale)
    assert terminal.wait() == 0
    reply = rf"56 bytes from {server.address}: seq=\d time={NUMBER} ms"
    unit = "(µs|ms)" if locale == "C.UTF-8" else "(us|ms)"
    is_all(rf"""{reply} {reply} {reply}
                --- {server.address}: 3 sent, 3 received, 0.0 % lost, 0 duplicates, 0 reordered
                rtt min {NUMBER} mean {NUMBER} p50 {NUMBER} max {NUMBER} jitter {NUMBER} {unit}""", screen)


@LOCALES
@COLUMNS
def test_bench(netkit, columns, locale):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "--udp", "-q")
    terminal, _ = at(netkit, "echo", "bench", server.address, "--duration", "1200ms", "--flows", "2", columns=columns, locale=locale,
                     rows=40)
    screen = Screen(terminal, rows=40, columns=columns)
    assert terminal.wait() == 0
    times, most, bar, unit = ("×", "≤", "[▏▎▍▌▋▊▉█·]+", "(µs|ms)") if locale == "C.UTF-8" else ("x", "<=", r"[#.]+", "(us|ms)")
    is_all(rf"""netkit: echo: UDP {server.address} 2 flows {times} 8 in flight 64 B
                netkit: echo: 0-1(\.\d)? s {NUMBER} replies/s {NUMBER} [kM]B/s 0 lost p50 {NUMBER} p99 {NUMBER} max {NUMBER} {unit}
                replies {NUMBER} of {NUMBER} 0 lost in {NUMBER} s
                rate {NUMBER} replies/s {NUMBER} [kM]B/s {NUMBER} [kM]bit/s
                latency min {NUMBER} mean {NUMBER} p50 {NUMBER} p90 {NUMBER} p99 {NUMBER} (p99.9 {NUMBER})? max {NUMBER} {unit}
                ({most} \d+ (us|µs|ms|s) {bar} <?{NUMBER} %)+""", screen)
    rows = [line for line in screen.lines if line.lstrip().startswith(most)]
    assert rows and all(line.endswith(" %") for line in rows), "each bar is in one row"
