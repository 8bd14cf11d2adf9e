"""netkit shell: lines and scripts. Its prompt is in test_shell_prompt.py."""

import os
import subprocess
import threading

import pytest

from netkit import wait_until


def test_runs_a_line_of_netkit_and_other_programs(netkit):
    done = netkit.run("shell", "-c", "version | tr a-z A-Z")
    assert (done.status, done.lines[0][:7]) == (0, "NETKIT ")


@pytest.mark.parametrize("line, status", [
    ("version > /dev/null; sh -c 'exit 7'", 7),
    ("echo serve --nonsense", 2),
    ("false | true", 0),
    ("true | false", 1),
    ("sh -c 'kill -KILL $$'", 128 + 9),
    ("no-such-program", 127),
    ("/etc/passwd", 126),
    ("version |", 2),
    ("exit 5", 5),
    ("false; exit", 1),
    ("exit five; exit 5", 2),
    ("exit 256", 2),
    ("", 0),
    ("# nothing but a comment", 0),
])
def test_the_status_of_a_line(netkit, line, status):
    assert netkit.run("shell", "-c", line).status == status


@pytest.mark.parametrize("line, status, sentence", [
    ("nonsense", 127, "there is no command 'nonsense'"),
    ("ehco serve | cat", 0, "there is no command 'ehco'; did you mean 'echo'?"),
    ("sotp 1", 127, "there is no command 'sotp'; did you mean 'stop'?"),
    ("/no/such/program", 127, "/no/such/program: no such file or directory"),
    ("/etc/passwd", 126, "/etc/passwd: permission denied"),
])
def test_a_word_that_is_no_command(netkit, line, status, sentence):
    done = netkit.run("shell", "-c", line)
    assert (done.status, done.out, done.err.decode()) == (status, b"", f"netkit: shell: {sentence}\n")


@pytest.mark.parametrize("line, words", [
    ("""printf '<%s>' a  b""", "<a><b>"),
    ("""printf '<%s>' 'a  b' "c 'd'" e\\ f''""", "<a  b><c 'd'><e f>"),
    ("""printf '<%s>' "say \\"hi\\" \\\\ \\x" '\\n'""", '<say "hi" \\ \\x><\\n>'),
    ("""printf '<%s>' '' "" a'b'"c" """, "<><><abc>"),
    ("""printf '<%s>' $HOME * ~ `id` # a comment""", "<$HOME><*><~><`id`>"),
    ("""printf '<%s>' a#b""", "<a#b>"),
])
def test_quotes_and_nothing_else(netkit, line, words):
    assert netkit.run("shell", "-c", line).out.decode() == words


@pytest.mark.parametrize("line, sentence", [
    ("version |", "there is no command before the end"),
    ("| version", "there is no command before |"),
    ("version && version", "'&&' is not supported (write ; between commands)"),
    ("version||version", "'||' is not supported (write ; between commands)"),
    ("version >", "a redirection needs a file name"),
    ("version 'a", "a quote is not closed"),
    ("fg", "there are no jobs"),
    ("stop 3", "there are no jobs"),
])
def test_a_line_that_is_not_whole_is_refused(netkit, line, sentence):
    done = netkit.run("shell", "-c", line)
    assert (done.status, done.out) == (2, b"")
    assert done.err.decode() == f"netkit: shell: {sentence}\n"


def test_redirects(netkit, tmp_path):
    netkit.run("shell", "-c", "version > out; cat < out >> two; cat < out >> two; cat no 2> err; cat no >both 2>&1",
               cwd=tmp_path)
    assert (tmp_path / "two").read_text().count("netkit ") == 2
    assert "no" in (tmp_path / "err").read_text() and "no" in (tmp_path / "both").read_text()
    done = netkit.run("shell", "-c", "version > /no/such/folder/out")
    assert done.status == 1 and done.err == b"netkit: shell: /no/such/folder/out: no such file or directory\n"


def test_a_script_goes_on_after_a_failure_unless_told(netkit):
    script = b"false\nversion |\nversion\n"
    assert netkit.run("shell", stdin=script).out.startswith(b"netkit ")
    ended = netkit.run("shell", "--errexit", stdin=script)
    assert (ended.status, ended.out) == (1, b"")
    ended = netkit.run("shell", "--errexit", "-c", "version |; version")
    assert (ended.status, ended.out) == (2, b"")


def test_a_scripts_lines_are_not_its_commands_input(netkit):
    done = netkit.run("shell", stdin=b"cat\nversion\nprintf '%s' last")
    assert done.out.startswith(b"netkit ") and done.out.endswith(b"last")


def test_a_scripts_line_runs_before_the_next_is_there(netkit):
    shell = netkit.start("shell")
    shell.write("version\n")
    assert shell.out.line().startswith(b"netkit ")
    shell.write("exit 3\nversion\n")
    assert shell.wait() == 3 and shell.out.rest() == b""


def test_a_line_has_a_limit(netkit):
    done = netkit.run("shell", stdin=b"version " + b"x" * 70_000)
    assert done.status == 2 and b"longer than 64 KiB" in done.err


def test_a_crash_is_a_line_with_its_name(netkit):
    done = netkit.run("shell", "-c", "version | sh -c 'kill -SEGV $$'; version")
    assert done.err == b"netkit: sh: crashed: Segmentation fault\n"
    assert done.status == 0 and done.out.startswith(b"netkit ")


def test_a_plugin_that_crashes_ends_its_command_only(netkit, tmp_path):
    bad = os.path.join(os.environ["NETKIT_BUILD"], "tests", "bad_plugins", "crashes.so")
    folder = tmp_path / "plugins"
    folder.mkdir(mode=0o755)
    subprocess.run(["cp", bad, folder], check=True)
    env = {"NETKIT_PLUGIN_PATH": str(folder)}
    done = netkit.run("shell", "-c", "crashes run; version", env=env)
    assert done.err == b"netkit: crashes: crashed: Segmentation fault\n"
    assert done.status == 0 and done.out.startswith(b"netkit ")


def test_jobs_of_a_line_end_with_it(netkit, tmp_path):
    """The last command's end is the line's; what still runs in the background is told to stop."""
    done = netkit.run("shell", "-c", f"sh -c 'trap \"echo told > {tmp_path}/told; exit\" TERM; echo $$ > {tmp_path}/pid; "
                                     f"while :; do sleep 0.05; done' & sh -c 'until test -s {tmp_path}/pid; do sleep 0.02; "
                                     "done'")
    assert done.status == 0
    assert (tmp_path / "told").read_text() == "told\n"


def test_a_server_and_its_client_in_one_script(netkit):
    """`&` and `stop` in a script: the server's output stays the script's."""
    script = "echo serve 127.0.0.1:0 --udp -q &\njobs\nstop 1\njobs\n"
    done = netkit.run("shell", stdin=script)
    assert done.out == b"[1] running  echo serve 127.0.0.1:0 --udp -q\n"
    assert done.status == 0


@pytest.mark.parametrize("number", [15, 1])
def test_a_signal_ends_a_script_and_its_jobs(netkit, tmp_path, number):
    shell = netkit.start("shell")
    shell.write(f"sh -c 'echo $$ > {tmp_path}/pid; exec sleep 100' &\ncat\n")
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
    pid = int((tmp_path / "pid").read_text())
    shell.signal(number)
    assert shell.wait() == 128 + number
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), what="the end of the job")


def test_sixty_four_jobs(netkit):
    done = netkit.run("shell", "-c", "sleep 100 &" * 65)
    assert b"netkit: shell: there are 64 jobs already; stop one\n" in done.err


def test_reading_a_pipe_that_closes(netkit):
    done = netkit.shell("set -o pipefail; netkit shell -c 'plugins --json | head -1' | wc -l")
    assert (done.status, done.out.strip()) == (0, b"1")


def test_two_shells_keep_one_history(netkit, tmp_path):
    """Lines are appended whole, under a lock."""
    env = {"XDG_STATE_HOME": str(tmp_path)}
    shells = [netkit.terminal("shell", env=env) for _ in range(2)]

    def talk(index):
        for number in range(10):
            shells[index].expect(rb"netkit> ")
            shells[index].type(f"true {index}-{number}\r")
        shells[index].expect(rb"netkit> ")
        shells[index].type("exit\r")
        shells[index].wait()
    threads = [threading.Thread(target=talk, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = (tmp_path / "netkit" / "shell_history").read_text().splitlines()
    assert sorted(line for line in lines if line != "exit") == sorted(f"true {i}-{n}" for i in range(2) for n in range(10))
