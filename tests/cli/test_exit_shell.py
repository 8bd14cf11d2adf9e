"""Every exit status of netkit-shell(1), brought about."""

import signal

from exit_status import Page
from exit_ways import NO_LEAK_CHECK, with_fault
from netkit import netkit_path

PAGE = Page("shell", {})


@PAGE.way("0 done", "jobs")
def listed(netkit):
    return netkit.run("shell", "-c", "false; jobs")


@PAGE.way("0 done", "stop")
def stopped(netkit):
    return netkit.run("shell", "-c", "sleep 60 & false; stop")


@PAGE.way("1 a file of a redirection cannot be opened")
def no_folder(netkit, tmp_path):
    return netkit.run("shell", "-c", f"version > {tmp_path}/no/file")


@PAGE.way("2 wrong usage")
def unknown_option(netkit):
    return netkit.run("shell", "--nonsense")


@PAGE.way("2 a line that cannot be read")
def open_quote(netkit):
    return netkit.run("shell", "-c", "version 'a")


@PAGE.way("2 a line that cannot be read")
def long_line(netkit):
    return netkit.run("shell", stdin=b"#" * (65 * 1024))


@PAGE.way("2 no such job")
def no_job(netkit):
    return netkit.run("shell", "-c", "fg 3")


@PAGE.way("70 no process can be started")
def no_process(netkit):
    return netkit.run(argv=with_fault("clone,clone3,vfork", "EAGAIN", netkit_path(), "shell", "-c", "version | cat"),
                      env=NO_LEAK_CHECK)


@PAGE.way("126 the program cannot be run")
def no_program(netkit, tmp_path):
    return netkit.run("shell", "-c", f"{tmp_path}/")


@PAGE.way("127 the program is not found")
def not_found(netkit):
    return netkit.run("shell", "-c", "no-such-program")


@PAGE.way("128+n the program was ended by signal n")
def program_is_ended(netkit):
    return netkit.run("shell", "-c", "sh -c 'kill -TERM $$'"), signal.SIGTERM


@PAGE.way("128+n the shell was")
def shell_is_ended(netkit):
    shell = netkit.start("shell")
    shell.write(b"version\n")
    shell.out.expect(rb"netkit ")
    shell.signal(signal.SIGTERM)
    return shell, signal.SIGTERM


@PAGE.cases()
def test_every_status_of_the_page(request, case):
    case.check(request)


def test_others_are_those_of_the_last_program(netkit):
    for line, status in (("exit 5", 5), ("sh -c 'exit 7'", 7), ("false; exit", 1), ("true | sh -c 'exit 9'", 9),
                         ("echo serve no-such-host.invalid:0", 68)):
        assert netkit.run("shell", "-c", line).status == status, line
