"""chat join at a prompt: the name, who is here, what was said before, times, one's own lines, being called, an outage."""

import re
import signal
import time

import pytest

from screen import Screen


@pytest.fixture
def room(netkit):
    return netkit.serve("chat", "serve", "127.0.0.1:0", "--motd", "be kind")


def say(netkit, room, text, name="bob"):
    assert netkit.run("chat", "join", room.address, "--name", name, stdin=text + "\n").status == 0


def sit_down(netkit, room, *args, columns=80, env=None, name="ann"):
    """ann at a screen, who is in the room."""
    terminal = netkit.terminal("chat", "join", room.address, "--color", "never", *args, columns=columns,
                               env={"USER": name} | (env or {}))
    screen = Screen(terminal, columns=columns)
    screen.wait(lambda s: s.lines[-1:] == [">"] and any("here: " in line for line in s.lines))
    return terminal, screen


def times(line):
    """The line without a time in front of it, which it has to have."""
    match = re.fullmatch(r"\d\d:\d\d (.*)", line)
    assert match, line
    return match[1]


def test_who_chose_no_name_gets_one_that_is_free(netkit, room):
    members = []
    for name in ("ann", "ann2", "ann3"):
        members.append(netkit.start("chat", "join", room.address, env={"USER": "ann"}))
        members[-1].err.expect(b"joined \\S+ as %s\n" % name.encode())
    members[2].write("hello\n")
    assert members[0].out.expect(rb"\[(\w+)\] hello\n").group(1) == b"ann3"
    chosen = netkit.run("chat", "join", room.address, "--name", "ann", stdin="hi\n")
    assert chosen.status == 75 and b"choose another with --name" in chosen.err


@pytest.mark.parametrize("columns", [60, 80])
def test_the_screen_of_a_newcomer(netkit, room, columns):
    for number in range(12):
        say(netkit, room, f"before {number}")
    netkit.start("chat", "join", room.address, "--name", "carl").err.expect(rb"joined")
    _, screen = sit_down(netkit, room, columns=columns)
    lines = screen.wait(lambda s: any("before 11" in line for line in s.lines) and s.lines[-1] == ">")
    assert lines[0] == f"netkit: chat: joined {room.address} as ann"
    assert lines[1] == "netkit: chat: be kind"
    shown = [line for line in lines if "before" in line]
    assert [times(line) for line in shown] == [f"[bob] before {number}" for number in range(2, 12)]
    assert "netkit: chat: here: ann, carl" in lines


def test_own_lines_are_as_the_others_see_them(netkit, room):
    terminal, screen = sit_down(netkit, room, columns=60)
    terminal.type("hello\r/me waves\r//who\r/help\r")
    lines = screen.wait(lambda s: "/topic" in s.lines[-2] and s.lines[-1] == ">")
    at = next(number for number, line in enumerate(lines) if line.endswith("[ann] hello"))
    assert [times(line) for line in lines[at:at + 3]] == ["[ann] hello", "* ann waves", "[ann] /who"]
    assert lines[at + 3] == "> /help", "commands stay as they were typed"
    room.out.expect(rb"^\[ann\] hello\n\* ann waves\n\[ann\] /who\n")
    terminal.type("x" * 130 + "\r")
    said = "[ann] " + "x" * 130
    wrapped = lambda s: times("".join(s.lines[-4:-1])) == said and s.lines[-1] == ">"
    screen.wait(lambda s: s.lines[-4:-3] and s.lines[-4].endswith("x") and "[ann]" in s.lines[-4] and wrapped(s))


@pytest.mark.parametrize("columns", [60, 80])
def test_a_session_without_utf_8(netkit, room, columns):
    """Where the locale knows ASCII alone the room is the same, and the line being typed stays whole."""
    terminal, screen = sit_down(netkit, room, columns=columns, env={"LC_ALL": "C"})
    terminal.type("half")
    screen.wait(["> half"])
    say(netkit, room, "gr\u00fc\u00dfe \x1b[2J \u2014 \u4f60\u597d")
    shown = screen.wait(lambda s: any("* bob left" in line for line in s.lines) and s.lines[-1] == "> half")
    # A wide character takes two places of the screen, of which the second is empty.
    assert [times(line) for line in shown[-4:-1]] == ["* bob joined", "[bob] gr\u00fc\u00dfe \\x1b[2J \u2014 \u4f60\u597d", "* bob left (quit)"]
    terminal.type(" a line\r\u00fcber\r")
    room.out.expect("^\\[ann\\] half a line\n\\[ann\\] \u00fcber\n".encode())
    screen.wait(lambda s: [times(line) for line in s.lines[-3:-1]] == ["[ann] half a line", "[ann] \u00fcber"] and s.lines[-1] == ">")


def test_one_who_is_called_hears_a_bell(netkit, room):
    terminal, screen = sit_down(netkit, room, "--color", "always")
    for text, rings in (("hello Ann, are you there?", True), ("annual report", False), ("bye, ann", True)):
        before = terminal.out.data.count(b"\a")
        say(netkit, room, text)
        screen.wait(lambda s, text=text: any(text in line for line in s.lines) and s.lines[-1] == ">")
        assert terminal.out.data.count(b"\a") - before == rings, text
        row = next(y for y, line in enumerate(screen.screen.display) if text in line)
        column = screen.screen.display[row].index(text)
        assert screen.screen.buffer[row][column].bold == rings, text


def test_a_restart_of_the_room_is_survived(netkit, room):
    terminal, screen = sit_down(netkit, room, "--reconnect-max", "100ms")
    terminal.type("half a li")
    screen.wait(["> half a li"])
    assert room.stop() == 0
    screen.wait(lambda s: any("the room has closed; trying again" in line for line in s.lines) and s.lines[-1] == "> half a li")
    terminal.type("ne\r")
    again = netkit.serve("chat", "serve", room.address)
    again.out.expect(rb"^\[ann\] half a line\n")
    screen.wait(lambda s: any("connected again after" in line for line in s.lines) and s.lines[-1] == ">")
    terminal.type("\x04")
    assert terminal.wait() == 0


def test_times_also_in_a_pipe(netkit, room):
    member = netkit.start("chat", "join", room.address, "--name", "ann", "--timestamps")
    member.err.expect(rb"joined")
    say(netkit, room, "hello")
    assert times(member.out.line().decode()) == "* bob joined"
    line = member.out.line().decode()
    assert times(line) == "[bob] hello" and line[:2] in (time.strftime("%H"), time.strftime("%H", time.localtime(time.time() - 60)))


def test_a_terminal_that_cannot_wipe_keeps_what_was_typed(netkit, room):
    terminal = netkit.terminal("chat", "join", room.address, "--name", "ann", env={"TERM": "dumb"})
    terminal.expect(rb"here: ann")
    terminal.type("hello\r")
    room.out.expect(rb"^\[ann\] hello\n")
    terminal.type("/who\r")
    terminal.expect(rb"here: ann")
    assert b"[ann] hello" not in terminal.out.data


def test_what_is_said_to_a_closed_room_waits_which_is_said_once(netkit, room):
    terminal, screen = sit_down(netkit, room)
    room.signal(signal.SIGTERM)
    assert room.wait() == 0
    screen.wait(lambda s: s.lines[-1] == ">" and any("the room has closed" in line for line in s.lines))
    terminal.type("one\rtwo\r")
    lines = screen.wait(lambda s: s.lines[-1] == ">" and any("[ann] two" in line for line in s.lines))
    assert [times(line) for line in lines if "[ann]" in line] == ["[ann] one", "[ann] two"]
    assert [line for line in lines if "not in the room" in line] == [
        "netkit: chat: not in the room: what you say is sent as soon as it can be reached"]
