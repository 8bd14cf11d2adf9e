"""What netkit-migrate(7) tells people to type exists."""

import os
import re
import shlex

import pytest

from commands import actions, all_actions, commands, help_options, output

with open(os.path.join(os.environ["NETKIT_SOURCE"], "man", "netkit-migrate.7"), encoding="utf-8") as file:
    PAGE = file.read()
LINES = sorted(set(re.findall(r"^\.(?:Dl|Ql) (netkit \w+.*)$", PAGE, re.M)))


def options_of(command, action):
    text = output(command, action, "--help")
    return set(help_options(text)), set(re.findall(r"^  -(\w), ", text, re.M))


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_of_a_command_that_exists(line):
    _, command, *words = shlex.split(line.rstrip(" ,."))
    assert command in commands()
    action = words[0] if words and words[0] in actions(command) else "read"
    long, short = options_of(command, action)
    for word in words:
        if match := re.match(r"--([a-z0-9-]+)", word):
            assert match[1] in long, line
        elif match := re.match(r"-([a-zA-Z])$", word):
            assert match[1] in short, line


@pytest.mark.parametrize("program", ["nc", "ncat", "socat", "curl", "iperf3", "fping", "mosquitto_sub", "wscat"])
def test_who_types_another_program_is_sent_to_the_page(netkit, program):
    assert b"'man netkit-migrate'" in netkit.run(program, "x").err
    assert re.search(rf"^\.(It Li|Nd) .*\b{program}\b", PAGE, re.M)


def test_every_option_that_stands_alone_exists():
    known = set.union(*(options_of(command, action)[0] for command, action in all_actions()))
    assert set(re.findall(r"^\.Fl -([a-z0-9-]+)", PAGE, re.M)) <= known
