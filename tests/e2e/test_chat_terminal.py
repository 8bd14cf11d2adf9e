"""chat join at a pseudo-terminal."""

import os
import signal

import pytest



def room(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    terminal = netkit.terminal("chat", "join", server.address, "--name", "ann", "--color", "never")
    terminal.expect(rb"joined \S+ as ann")
    return server, terminal


def say(netkit, server, text, name="bob"):
    assert netkit.run("chat", "join", server.address, "--name", name, stdin=text + b"\n").status == 0


def test_typing_while_messages_arrive_leaves_both_intact(netkit):
    server, terminal = room(netkit)
    terminal.type("half a li")
    terminal.expect(rb"half a li")
    say(netkit, server, b"interrupting")
    terminal.expect(rb"\[bob\] interrupting\r?\n")
    terminal.type("ne\r")
    server.out.expect(rb"^\[ann\] half a line\n")


def test_tab_completes_commands_and_names(netkit):
    server, terminal = room(netkit)
    bob = netkit.start("chat", "join", server.address, "--name", "bobby")
    bob.err.expect(rb"joined")
    terminal.expect(rb"\* bobby joined")
    terminal.type("/w\t\r")
    terminal.expect(rb"here: ann, bobby")
    terminal.type("/msg bo\thello you\r")
    assert bob.out.line() == b"[ann to you] hello you"


def test_history_survives(netkit):
    server, terminal = room(netkit)
    terminal.type("remember me\r")
    server.out.expect(rb"^\[ann\] remember me\n")
    terminal.type("\x04")
    assert terminal.wait() == 0
    again = netkit.terminal("chat", "join", server.address, "--name", "ann", "--color", "never")
    again.expect(rb"joined \S+ as ann")
    again.type("\x1b[A\r")
    server.out.expect(rb"^\[ann\] remember me\n")


def test_control_c_clears_the_line_and_control_d_leaves(netkit):
    server, terminal = room(netkit)
    terminal.type("not to be said")
    terminal.expect(rb"not to be said")
    terminal.type("\x03")
    terminal.type("said\r")
    server.out.expect(rb"^\[ann\] said\n")
    assert b"not to be said" not in server.out.data
    terminal.type("\x04")
    assert terminal.wait() == 0
    server.out.expect(rb"^\* ann left \(quit\)\n")


def test_control_bytes_of_others_never_reach_the_terminal(netkit):
    server, terminal = room(netkit)
    say(netkit, server, b"\x1b]52;c;aGk=\x07 \xc2\x9b31m \xe2\x80\xaeevil")
    terminal.expect(rb"\\x1b\]52;c;aGk=\\x07 \\xc2\\x9b31m \\xe2\\x80\\xaeevil")
    assert b"\x1b]52" not in terminal.out.data


def test_quit_and_help(netkit):
    server, terminal = room(netkit)
    terminal.type("/help\r")
    terminal.expect(rb"/ignore")
    terminal.type("/quit\r")
    assert terminal.wait() == 0
    server.out.expect(rb"^\* ann left \(quit\)\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_leaves_politely(netkit, number):
    server, terminal = room(netkit)
    terminal.signal(number)
    assert terminal.wait() == 0
    server.out.expect(rb"^\* ann left \(quit\)\n")


def test_a_window_that_is_closed_leaves_politely(netkit):
    server, terminal = room(netkit)
    terminal.type("not said")
    terminal.expect(rb"not said")
    os.dup2(os.open(os.devnull, os.O_RDWR), terminal.fd)  # the last descriptor of the terminal's other side
    server.out.expect(rb"^\* ann left \(quit\)\n")
    assert b"not said" not in server.out.data
