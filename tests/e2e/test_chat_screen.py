"""chat join at a terminal, by what its screen shows."""

import os
import signal

import pytest

from netkit import Terminal, clean_environment, host_port, netkit_path, udp_socket, wait_until
from screen import Screen


@pytest.fixture
def room(netkit):
    return netkit.serve("chat", "serve", "127.0.0.1:0", "--lease", "60s")


def member(netkit, room, name):
    process = netkit.start("chat", "join", room.address, "--name", name)
    process.err.expect(rb"joined \S+ as")
    return process


NO_TIMES = {"NETKIT_CHAT_TIMESTAMPS": "no"}


def at_terminal(netkit, room, *args, columns=40, env=None):
    """ann, at a screen of 24 rows."""
    terminal = netkit.terminal("chat", "join", room.address, "--name", "ann", *args, columns=columns, env=NO_TIMES | (env or {}))
    screen = Screen(terminal, columns=columns)
    screen.wait(lambda s: s.lines[-1:] == [">"] and "here: " in str(s.lines))
    return terminal, screen


def prompt_below(text):
    """The last row is the prompt, and one above it shows `text`."""
    return lambda screen: screen.lines[-1] == ">" and any(text in line for line in screen.lines)


LONG = "a" * 30 + "b" * 30 + "c" * 30
WRAPPED = ["> " + "a" * 30 + "b" * 8, "b" * 22 + "c" * 18, "c" * 12]


def test_a_message_above_a_line_that_wraps(netkit, room):
    bob = member(netkit, room, "bob")
    terminal, screen = at_terminal(netkit, room, "--color", "never")
    terminal.type(LONG)
    screen.wait(WRAPPED)
    bob.write("interrupting\n")
    screen.wait(["[bob] interrupting", *WRAPPED])
    assert screen.cursor == (12, "c" * 12)
    terminal.type("\x01")
    screen.wait(lambda s: s.cursor == (2, WRAPPED[0]))
    bob.write("again\n")
    screen.wait(["[bob] again", *WRAPPED])
    assert screen.cursor == (2, WRAPPED[0])
    terminal.type("X\r")
    room.out.expect(rb"^\[ann\] X%s\n" % LONG.encode())
    said = "[ann] X" + LONG
    screen.wait(["[bob] interrupting", "[bob] again", said[:40], said[40:80], said[80:], ">"])


def test_wide_characters(netkit, room):
    bob = member(netkit, room, "bob")
    terminal, screen = at_terminal(netkit, room, "--color", "never")
    terminal.type("日本語テキスト" * 4)
    rows = ["> 日本語テキスト日本語テキスト日本語テキ", "スト日本語テキスト"]
    as_shown = lambda s: ["".join(line.split()) for line in s.lines[-2:]] == ["".join(row.split()) for row in rows]
    screen.wait(as_shown)
    bob.write("ümläut 日本\n")
    screen.wait(lambda s: as_shown(s) and "ümläut" in s.lines[-3])
    assert screen.cursor[0] == 18
    terminal.type("\x7f\r")
    room.out.expect("^\\[ann\\] {}\n".format(("日本語テキスト" * 4)[:-1]).encode())


def test_control_c_in_a_line_that_wraps_leaves_it_to_be_read(netkit, room):
    terminal, screen = at_terminal(netkit, room, "--color", "never")
    terminal.type(LONG + "\x01")
    screen.wait(lambda s: s.cursor == (2, WRAPPED[0]))
    terminal.type("\x03")
    screen.wait([*WRAPPED[:2], WRAPPED[2] + "^C", ">"])


def test_the_window_is_resized_while_a_line_is_typed(netkit, room):
    bob = member(netkit, room, "bob")
    terminal, screen = at_terminal(netkit, room, "--color", "never")
    terminal.type("half a line that is longer than forty columns")
    screen.wait(["> half a line that is longer than forty", "columns"])
    bob.write("before\n")
    screen.wait(["[bob] before", "> half a line that is longer than forty", "columns"])
    screen.resize(24, 60)
    screen.wait(["> half a line that is longer than forty columns"])
    bob.write("wider\n")
    screen.wait(["[bob] wider", "> half a line that is longer than forty columns"])
    assert "[bob] before" in screen.lines
    screen.resize(24, 30)
    screen.wait(["> half a line that is longer t", "han forty columns"])
    bob.write("narrower\n")
    screen.wait(["[bob] narrower", "> half a line that is longer t", "han forty columns"])
    terminal.type(".\r")
    room.out.expect(rb"^\[ann\] half a line that is longer than forty columns\.\n")


def test_a_terminal_that_breaks_its_lines_anew(netkit, room, tmp_path):
    """tmux does; no message is wiped off."""
    def tmux(*words):
        return netkit.run(argv=["tmux", "-S", tmp_path / "tmux", "-f", "/dev/null", *words], env=NO_TIMES).out.decode()

    def shows(*rows):
        return lambda: [line for line in tmux("capture-pane", "-p").splitlines() if line][-len(rows):] == list(rows)

    bob = member(netkit, room, "bob")
    tmux("new-session", "-d", "-x", "60", "-y", "15", netkit_path(), "chat", "join", room.address, "--name", "ann")
    try:
        wait_until(shows(">"), what="the prompt")
        tmux("send-keys", "half a line that is long " * 3)
        bob.write("before\n")
        wait_until(shows("[bob] before", "> " + "half a line that is long " * 2 + "half a l", "ine that is long"), what="the message")
        tmux("resize-window", "-x", "100", "-y", "15")
        wait_until(shows("[bob] before", "> " + ("half a line that is long " * 3).rstrip()), what="the line in one row")
        tmux("resize-window", "-x", "40", "-y", "15")
        wait_until(shows("> half a line that is long half a line t", "hat is long half a line that is long"), what="two rows")
        bob.write("after\n")
        wait_until(shows("[bob] after", "> half a line that is long half a line t", "hat is long half a line that is long"), what="both")
        assert "[bob] before\n" in tmux("capture-pane", "-p")
        tmux("send-keys", "Enter")
        room.out.expect(rb"^\[ann\] (half a line that is long ){3}\n")
    finally:
        tmux("kill-server")


def test_many_messages_while_a_line_is_typed(netkit, room):
    bob = member(netkit, room, "bob")
    terminal, screen = at_terminal(netkit, room, "--color", "never")
    bob.write("".join(f"line {i}\n" for i in range(300)))
    for c in "typed meanwhile":
        terminal.type(c)
    screen.wait(["[bob] line 298", "[bob] line 299", "> typed meanwhile"])
    bob.write("".join(f"line {i}\n" for i in range(300, 600)))
    terminal.type(", and more")
    screen.wait(["[bob] line 598", "[bob] line 599", "> typed meanwhile, and more"])
    terminal.type("\r")
    room.out.expect(rb"^\[ann\] typed meanwhile, and more\n")


def test_pasted_lines_are_said_one_by_one(netkit, room):
    terminal, screen = at_terminal(netkit, room, "--color", "never")
    terminal.type("\x1b[200~first\rsecond\rthird\x1b[201~")
    screen.wait(["> first", "second", "third"])
    terminal.type("\r")
    room.out.expect(rb"^\[ann\] first\n\[ann\] second\n\[ann\] third\n")
    terminal.type("\x1b[A")
    screen.wait(["> third"])


def test_search_in_the_history_while_messages_arrive(netkit, room):
    bob = member(netkit, room, "bob")
    terminal, screen = at_terminal(netkit, room, "--color", "never", columns=80)
    terminal.type("needle\rhay\r\x12need")
    screen.wait(["(reverse-i-search)`need': needle"])
    bob.write("interrupting\n")
    screen.wait(["[bob] interrupting", "(reverse-i-search)`need': needle"])
    terminal.type("\r")
    room.out.expect(rb"\[ann\] hay\n\[bob\] interrupting\n\[ann\] needle\n")


def test_names_have_colours_where_allowed(netkit, room):
    bob, carl = member(netkit, room, "bob"), member(netkit, room, "carl")

    def colours(*args, **kwargs):
        """Of the names in the next two messages."""
        # Nothing of what was said before: it would be taken for what is waited for.
        terminal, screen = at_terminal(netkit, room, "--since", "1000000", *args, **kwargs)
        for speaker in (bob, carl, bob):
            speaker.write("hello\n")
            screen.wait([f"[{'bob' if speaker is bob else 'carl'}] hello", ">"])
        found = []
        for y, line in enumerate(screen.screen.display):
            if "] hello" in line:
                row = screen.screen.buffer[y]
                assert row[0].fg == row[line.index("]")].fg == row[line.index("hello")].fg == "default"
                found.append(row[1].fg)
        terminal.type("\x04")
        assert terminal.wait() == 0
        return found

    first, second, third = colours()
    assert first == third != second and "default" not in (first, second)
    assert colours("--color", "always", env={"NO_COLOR": "1"}) == [first, second, first]
    for plain in (colours("--color", "never"), colours(env={"NO_COLOR": "1"}), colours(env={"TERM": "dumb"})):
        assert plain == ["default"] * 3


def test_a_long_list_of_candidates_stops_nothing(netkit, room):
    members = [udp_socket() for _ in range(130)]
    terminal, screen = at_terminal(netkit, room, "--color", "never", columns=80)
    for sock in members:
        sock.sendto(b"reg", host_port(room.address))
    screen.wait(lambda s: s.lines[-1] == ">" and terminal.out.data.count(b" joined\r\n") == len(members))
    terminal.type("/msg 127\t\t\t")
    screen.wait(lambda s: "... and 30 more" in s.lines and s.lines[-1].startswith("> /msg 127.0.0.1:"))
    members[0].sendto(b"still here", host_port(room.address))
    screen.wait(lambda s: "still here" in s.lines[-2] and s.lines[-1].startswith("> /msg 127.0.0.1:"))
    for sock in members:
        sock.close()


def test_control_bytes_of_others_are_shown(netkit, room):
    terminal, screen = at_terminal(netkit, room, "--color", "always", columns=100)
    netkit.run("chat", "join", room.address, "--name", "bo\u0301b", stdin="\x1b]52;c;aGk=\x07\x1b[2J \u009b31m \u202eevil\ttab\n")
    screen.wait(prompt_below(r"\x1b]52;c;aGk=\x07\x1b[2J \xc2\x9b31m \xe2\x80\xaeevil"))


def test_stopped_by_control_z_and_continued(netkit, room):
    """Under a shell with job control, which gets its terminal as it was."""
    env = clean_environment() | NO_TIMES | {"HOME": netkit.home, "TERM": "xterm", "PS1": "SHELL> "}
    terminal = Terminal(["/bin/bash", "--norc", "--noprofile", "-i"], env, 24, 80)
    netkit.processes.append(terminal)
    screen = Screen(terminal)
    screen.wait(["SHELL>"])
    bob = member(netkit, room, "bob")
    terminal.type(f"{netkit_path()} chat join {room.address} --name ann --color never --heartbeat 1s\r")
    screen.wait(lambda s: s.lines[-1:] == [">"] and "joined" in str(s.lines))
    terminal.type("half a li")
    screen.wait(["> half a li"])
    terminal.type("\x1a")
    screen.wait(lambda s: s.lines[-1] == "SHELL>" and any("Stopped" in line for line in s.lines))
    terminal.type("echo $((6 * 7)); stty -a | grep -o ' icanon'\r")
    screen.wait(["42", " icanon", "SHELL>"])
    bob.write("heard later\n")
    room.out.expect(rb"heard later\n")
    terminal.type("fg\r")
    screen.wait(["[bob] heard later", "> half a li"])
    terminal.type("ne\r")
    room.out.expect(rb"^\[ann\] half a line\n")
    terminal.type("\x04")
    screen.wait(["SHELL>"])
    terminal.type("exit\r")
    assert terminal.wait() == 0


def test_history_is_kept_over_sessions_and_for_the_user_alone(netkit, room, tmp_path):
    state = tmp_path / "state"
    for text in ("first", "second"):
        terminal, screen = at_terminal(netkit, room, env={"XDG_STATE_HOME": str(state)})
        terminal.type(text + "\r \x1b[A")
        screen.wait(["[ann] " + text, "> " + text])  # said, and recalled
        terminal.type("\x15\x04")
        assert terminal.wait() == 0
    file = state / "netkit" / "chat_history"
    assert file.read_text() == "first\nsecond\n"
    assert file.stat().st_mode & 0o777 == 0o600
    terminal, screen = at_terminal(netkit, room, env={"XDG_STATE_HOME": str(state)})
    terminal.type("\x1b[A\x1b[A")
    screen.wait(["> first"])


def test_the_terminal_is_as_before_after_every_way_out(netkit, room):
    import termios
    for leave in ("\x04", "/quit\r", "\x03", signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        terminal, screen = at_terminal(netkit, room)
        raw = termios.tcgetattr(terminal.fd)
        if isinstance(leave, str):
            terminal.type(leave)
        else:
            os.kill(terminal.pid, leave)
        terminal.wait()
        assert b"\x1b[?2004l" in terminal.out.data or leave == signal.SIGHUP
        after = termios.tcgetattr(terminal.fd)
        assert after[3] & termios.ICANON and after[3] & termios.ECHO and not raw[3] & termios.ICANON, leave
