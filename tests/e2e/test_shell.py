"""netkit shell: lines, jobs and the prompt."""

import os
import stat


def test_runs_a_line_of_netkit_and_other_programs(netkit):
    done = netkit.run("shell", "-c", "version | tr a-z A-Z")
    assert (done.status, done.lines[0][:7]) == (0, "NETKIT ")


def test_the_status_is_that_of_the_last_command(netkit):
    assert netkit.run("shell", "-c", "version > /dev/null; sh -c 'exit 7'").status == 7
    assert netkit.run("shell", "-c", "echo serve --nonsense").status == 2


def test_redirects(netkit, tmp_path):
    netkit.run("shell", "-c", f"version > {tmp_path}/out; cat < {tmp_path}/out >> {tmp_path}/two; cat {tmp_path}/no 2> {tmp_path}/err")
    assert (tmp_path / "two").read_text().startswith("netkit ")
    assert (tmp_path / "err").read_text()


def test_a_script_goes_on_after_a_failure_unless_told(netkit):
    script = b"false\nversion\n"
    assert netkit.run("shell", stdin=script).out.startswith(b"netkit ")
    ended = netkit.run("shell", "--errexit", stdin=script)
    assert (ended.status, ended.out) == (1, b"")


def test_a_crash_is_a_line_with_its_name(netkit):
    done = netkit.run("shell", "-c", "sh -c 'kill -SEGV $$'; version")
    assert b"netkit: sh: crashed: Segmentation fault" in done.err
    assert done.status == 0 and done.out.startswith(b"netkit ")


def test_a_line_that_is_not_whole_is_refused(netkit):
    done = netkit.run("shell", "-c", "version |")
    assert done.status == 2 and b"netkit: shell:" in done.err


def test_a_session_at_a_terminal(netkit):
    shell = netkit.terminal()
    shell.expect(rb"netkit> ")
    shell.type("ec\tse\tr\t--rep\t")
    shell.expect(rb"--reply")
    shell.type("\x15echo serve 127.0.0.1:0 &\r")
    port = int(shell.expect(rb"\[1\] [^\n]*127\.0\.0\.1:([1-9]\d+)").group(1))
    shell.type(f"echo send 127.0.0.1:{port} hello-there | tr a-z A-Z\r")
    shell.expect(rb"HELLO-THERE")
    shell.type("jobs\r")
    shell.expect(rb"\[1\] running  echo serve")
    shell.type("stop 1\r")
    shell.expect(rb"\[1\] ended with \d+  echo serve")
    shell.type("exit 3\r")
    assert shell.wait() == 3


def test_ctrl_c_ends_the_command_and_not_the_shell(netkit):
    shell = netkit.terminal("shell")
    shell.expect(rb"netkit> ")
    shell.type("sh -c 'echo ready-$((1+1)); exec cat'\r")
    shell.expect(rb"ready-2")
    shell.type("\x03")
    shell.expect(rb"netkit> ")
    shell.type("version\r")
    shell.expect(rb"netkit \d.*netkit> ")
    shell.type("\x04")
    shell.wait()


def test_history_is_there_after_a_restart(netkit, tmp_path):
    for keys, shown in (("version\r", rb"netkit \d"), ("\x1b[A\x1b[A\r", rb"version.*netkit \d")):
        shell = netkit.terminal("shell", env={"XDG_STATE_HOME": str(tmp_path)})
        shell.expect(rb"netkit> ")
        shell.type(keys)
        shell.expect(shown)
        shell.type("exit\r")
        shell.wait()
    history = os.stat(tmp_path / "netkit" / "shell_history")
    assert stat.S_IMODE(history.st_mode) == 0o600
