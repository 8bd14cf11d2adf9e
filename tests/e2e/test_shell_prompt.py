"""netkit shell at a terminal: keys in, screen out."""

import os
import re
import signal
import stat
import subprocess
import termios

import pytest

from netkit import wait_until

# A plugin of the tests, which has options of many kinds.
HELLO = os.path.join(os.environ.get("NETKIT_BUILD", ""), "tests", "bad_plugins", "good")


@pytest.fixture
def shell(netkit, tmp_path):
    """Opens a shell whose history is in tmp_path, and waits for its prompt."""
    def open_shell(env=None):
        terminal = netkit.terminal("shell", env={"XDG_STATE_HOME": str(tmp_path), **(env or {})}, columns=120,
                                   cwd=tmp_path)
        terminal.expect(rb"netkit> ")
        return terminal
    return open_shell


def run(terminal, line, shown):
    terminal.type(line + "\r")
    return terminal.expect(shown)


def in_foreground(terminal):
    """Waits until a command has the terminal: what is typed before is read with the line editor's modes."""
    wait_until(lambda: os.tcgetpgrp(terminal.fd) != terminal.pid, what="a command in the foreground")


def modes(terminal):
    return termios.tcgetattr(terminal.fd)


def fresh_modes():
    """Those of a terminal that nobody has changed."""
    master, slave = os.openpty()
    try:
        return termios.tcgetattr(master)
    finally:
        os.close(master)
        os.close(slave)


def end(terminal):
    terminal.type("exit\r")
    terminal.wait()


def test_a_whole_session(shell):
    """What the shell is for: complete, serve in the background, talk, watch, stop, and find it all again."""
    first = shell()
    first.type("ec\tser\t127.0.0.1:0 --rep\t")
    first.expect(rb"echo serve 127.0.0.1:0 --reply ")
    first.type("'got {text}' &\r")
    port = int(first.expect(rb"\[1\] netkit: echo: listening on udp 127\.0\.0\.1:(\d+)").group(1))
    run(first, f"echo send 127.0.0.1:{port} hello-there", rb"[\r\n]got hello-there\r\n")
    # While a line is typed, what the server prints comes above it and the line is there again.
    first.type("version half")
    first.expect(rb"version half")
    done = subprocess.run(["nc", "-u", "-w1", "-W1", "127.0.0.1", str(port)], input=b"from-nc", capture_output=True,
                          check=False, timeout=20)
    assert done.stdout == b"got from-nc"
    first.expect(rb"\[1\] 127\.0\.0\.1:\d+ from-nc\r\n.*netkit> version half")
    first.type("\x15jobs\r")
    first.expect(rb"\[1\] running  echo serve")
    run(first, "stop 1", rb"\[1\] ended with 0  echo serve")
    end(first)
    second = shell()
    second.type("\x1b[A\x1b[A\x1b[A")
    second.expect(rb"jobs")
    second.type("\x15\x12hello-there\r")
    second.expect(rb"127\.0\.0\.1:%d: connection refused" % port)
    end(second)


def test_netkit_alone_at_a_terminal_is_the_shell(netkit):
    terminal = netkit.terminal()
    terminal.expect(rb"netkit> ")
    terminal.type("exit 3\r")
    assert terminal.wait() == 3


def test_ctrl_c_ends_the_command_and_not_the_shell(shell):
    terminal = shell()
    run(terminal, "sh -c 'echo ready-$((1+1)); exec cat'", rb"ready-2")
    terminal.type("\x03")
    terminal.expect(rb"\^C\r?\n.*netkit> ")
    run(terminal, "version", rb"netkit \d.*netkit> ")
    terminal.type("\x04")
    assert terminal.wait() == 0


def test_ctrl_c_throws_away_the_line(shell):
    terminal = shell()
    terminal.type("version nonsense\x03")
    terminal.expect(rb"\^C\r?\n.*netkit> ")
    run(terminal, "version", rb"netkit \d")
    end(terminal)


def test_ctrl_z_makes_a_job_and_fg_brings_it_back(shell):
    terminal = shell()
    run(terminal, "sh -c 'echo begun-$((1+1)); exec cat'", rb"begun-2")
    terminal.type("\x1a")
    terminal.expect(rb"\[1\] stopped  sh -c .*netkit> ")
    run(terminal, "jobs", rb"\[1\] stopped  sh")
    terminal.type("fg 1\r")
    in_foreground(terminal)
    terminal.type("and it reads\r")
    terminal.expect(rb"and it reads\r\n.*and it reads\r\n")
    terminal.type("\x04")
    terminal.expect(rb"netkit> ")
    run(terminal, "jobs", rb"netkit> ")
    assert b"[1] stopped" not in terminal.out.data[terminal.out.position - 30:]
    end(terminal)


def test_fg_takes_the_youngest_and_ctrl_c_ends_it(shell):
    terminal = shell()
    run(terminal, "sleep 100 &", rb"\[1\] sleep 100")
    run(terminal, "sleep 200 &", rb"\[2\] sleep 200")
    terminal.type("fg\r")
    in_foreground(terminal)
    terminal.type("\x03")
    terminal.expect(rb"netkit> ")
    found = run(terminal, "jobs", rb"\[1\] running  sleep 100\r\n(.*)netkit> ")
    assert b"[2]" not in found.group(1)
    run(terminal, "fg 7", rb"there is no job '7'; see 'jobs'")
    end(terminal)


def test_stop_ends_even_what_ignores_it(shell):
    terminal = shell()
    run(terminal, "sh -c 'trap \"\" TERM; echo deaf-$((1+1)); while :; do sleep 0.1; done' &", rb"\[1\] deaf-2")
    run(terminal, "stop 1", rb"\[1\] ended with 137")
    end(terminal)


def test_jobs_end_with_the_shell(shell, tmp_path):
    terminal = shell()
    run(terminal, f"sh -c 'echo $$ > {tmp_path}/pid; echo begun-$((1+1)); exec sleep 100' &", rb"begun-2")
    pid = int((tmp_path / "pid").read_text())
    end(terminal)
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), what="the end of the job")


def test_what_a_job_prints_cannot_move_the_cursor(shell):
    terminal = shell()
    run(terminal, r"printf '\033[2J\302\233x\n' &", rb"\[1\] \\x1b\[2J\\xc2\\x9bx")
    end(terminal)


def test_a_crash_is_a_line_with_its_name(shell):
    terminal = shell()
    run(terminal, "sh -c 'kill -ABRT $$'", rb"netkit: sh: crashed: Aborted")
    run(terminal, "version", rb"netkit \d")
    end(terminal)


def test_help_of_an_action(shell):
    terminal = shell()
    run(terminal, "help echo serve", rb"Usage: netkit echo serve")
    end(terminal)


@pytest.mark.parametrize("typed, shown", [
    ("plug\tche\t", rb"plugins check "),
    ("hello gr\t--ton\tc\t", rb"hello greet --tone cold "),
    ("broadcast send --interface l\t", rb"--interface lo "),
    ("hello greet --to f\tonly-\t", rb"--to file:only-one "),
    ("cat onl\t", rb"cat only-one "),
    ("cat 'wi\t", rb"cat 'with blank' "),
    ("cat wi\t", rb"'with blank' "),
    ("version > onl\t", rb"version > only-one "),
    ("netkit completion f\t", rb"netkit completion fish "),
    ("stop \t", rb"stop 1 "),
    ("echo send localh\t", rb"echo send localhost:7 "),
    ("echo serve --metrics 127.\t", rb"--metrics 127.0.0.1:7001 "),
])
def test_completes(shell, tmp_path, typed, shown):
    for name in ("only-one", "with blank"):
        (tmp_path / name).touch()
    history = tmp_path / "netkit"
    history.mkdir(mode=0o700)
    (history / "shell_history").write_text("echo send localhost:7 hi\necho serve 127.0.0.1:7001 -q\nversion |\n")
    terminal = shell(env={"NETKIT_PLUGIN_PATH": HELLO})
    run(terminal, "sleep 100 &", rb"\[1\] sleep 100\r\n")
    terminal.type(typed)
    terminal.expect(shown)
    terminal.type("\x03")
    end(terminal)


def test_history_keeps_what_it_should(shell, tmp_path):
    """Not what begins with a blank, nor a line twice; readable by nobody else."""
    terminal = shell()
    for line in ("true kept", " true secret", "true kept", "true other"):
        run(terminal, line, rb"netkit> ")
    end(terminal)
    path = tmp_path / "netkit" / "shell_history"
    assert path.read_text().splitlines() == ["true kept", "true other", "exit"]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(path.parent).st_mode) == 0o700
    again = shell()
    again.type("\x1b[A\x1b[A")
    again.expect(rb"true other")
    again.type("\x03")
    end(again)


@pytest.mark.parametrize("way", ["exit", "ctrl-d", "TERM", "HUP", "ABRT", "SEGV"])
def test_the_terminal_is_as_it_was(shell, way):
    """While the prompt is open the terminal's modes are the line editor's; on every way out they are put back."""
    terminal = shell()
    assert modes(terminal)[3] & termios.ICANON == 0
    terminal.type("half a li")
    terminal.expect(rb"half a li")
    if way == "exit":
        terminal.type("\x15exit\r")
    elif way == "ctrl-d":
        terminal.type("\x15\x04")
    else:
        terminal.signal(getattr(signal, "SIG" + way))
    terminal.wait()
    assert modes(terminal) == fresh_modes()


def test_the_terminal_is_as_it_was_after_a_command_that_changed_it(shell):
    terminal = shell()
    run(terminal, "sh -c 'stty raw -echo; echo changed-$((1+1)); kill -KILL $$'", rb"changed-2.*netkit> ")
    found = run(terminal, "stty -a", rb"(speed.*)netkit> ").group(1)
    assert re.search(rb"[^-]icanon", found) and re.search(rb"[^-]echo\b", found), found
    end(terminal)
