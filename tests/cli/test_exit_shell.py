"""Every exit status of netkit-shell(1), brought about."""

import functools
import signal

import exit_status
from exit_ways import NO_LEAK_CHECK, with_fault
from netkit import netkit_path

ends = functools.partial(exit_status.ends, "shell")


@ends("0 done", "jobs")
def test_listed(netkit):
    return netkit.run("shell", "-c", "false; jobs")


@ends("0 done", "stop")
def test_stopped(netkit):
    return netkit.run("shell", "-c", "sleep 60 & false; stop")


@ends("1 a file of a redirection cannot be opened")
def test_no_folder(netkit, tmp_path):
    return netkit.run("shell", "-c", f"version > {tmp_path}/no/file")


@ends("2 wrong usage")
def test_unknown_option(netkit):
    return netkit.run("shell", "--nonsense")


@ends("2 a line that cannot be read")
def test_open_quote(netkit):
    return netkit.run("shell", "-c", "version 'a")


@ends("2 a line that cannot be read")
def test_long_line(netkit):
    return netkit.run("shell", stdin=b"#" * (65 * 1024))


@ends("2 no such job")
def test_no_job(netkit):
    return netkit.run("shell", "-c", "fg 3")


@ends("70 no process can be started")
def test_no_process(netkit):
    return netkit.run(argv=with_fault("clone,clone3,vfork", "EAGAIN", netkit_path(), "shell", "-c", "version | cat"),
                      env=NO_LEAK_CHECK)


@ends("126 the program cannot be run")
def test_no_program(netkit, tmp_path):
    return netkit.run("shell", "-c", f"{tmp_path}/")


@ends("127 the program is not found")
def test_not_found(netkit):
    return netkit.run("shell", "-c", "no-such-program")


@ends("128+n the program was ended by signal n")
def test_program_is_ended(netkit):
    return netkit.run("shell", "-c", "sh -c 'kill -TERM $$'"), signal.SIGTERM


@ends("128+n the shell was")
def test_shell_is_ended(netkit):
    shell = netkit.start("shell")
    shell.write(b"version\n")
    shell.out.expect(rb"netkit ")
    shell.signal(signal.SIGTERM)
    return shell, signal.SIGTERM


def test_others_are_those_of_the_last_program(netkit):
    for line, status in (("exit 5", 5), ("sh -c 'exit 7'", 7), ("false; exit", 1), ("true | sh -c 'exit 9'", 9),
                         ("echo serve no-such-host.invalid:0", 68)):
        assert netkit.run("shell", "-c", line).status == status, line
