"""The EXIT STATUS of a man page, clause by clause, and which tests bring each of them about.

An item's text is a list of clauses, parted by semicolons. One that begins with actions, `serve, peer: address in use`,
is for these; the others are for the command as a whole. A test names the clause that it is for, and returns the run:

    @ends("chat", "69 address in use", "serve", "peer")
    def test_in_use(netkit, action):
        return netkit.run("chat", action, ...)

test_exit_status.py says which clauses no test names, and which tests name no clause."""

import functools
import inspect
import os
import re
import subprocess

import pytest

from netkit import Process

# (command, action, clause) of every test; the action is None where the clause is for the command as a whole.
TESTED = []


def _text(page):
    """The section as mandoc shows it, an item a line."""
    path = os.path.join(os.environ["NETKIT_SOURCE"], "man", page)
    done = subprocess.run(["mandoc", "-Tascii", "-Owidth=1000", path], capture_output=True, text=True, check=True, timeout=60)
    shown = re.sub(".\b", "", done.stdout)
    return re.search(r"^EXIT STATUS\n(.*?)^\S", shown, re.M | re.S).group(1)


def items(page):
    """(status, text) of the items that the section lists, in its order."""
    found = re.findall(r"^ {5}(\d+(?:\+n)?)\s+(\S.*?)\s*$", _text(page), re.M)
    return [(status, " ".join(text.split())) for status, text in found]


def clauses(command):
    """(action, clause) of what the command's page lists."""
    for status, whole in items(f"netkit-{command}.1"):
        for text in whole.split("; "):
            named = re.match(r"([a-z]+(?: --?\w+)?(?:, [a-z]+(?: --?\w+)?)*): ", text)
            for action in named.group(1).split(", ") if named else [None]:
                yield action, f"{status} {text[named.end():] if named else text}"


def _check(status, run):
    """`run`, or (run, the signal that it ended by), ended with `status` and a sentence that says why."""
    run, signo = run if isinstance(run, tuple) else (run, 0)
    ended, said = (run.wait(), run.err.data) if isinstance(run, Process) else (run.status, run.err)
    # A shell's 128 + n is, to the parent, either that number or the signal itself.
    assert ended in ([128 + signo, -signo] if status == "128+n" else [int(status)]), said
    if status not in ("0", "128+n"):
        assert b"netkit: " in said and said.endswith(b"\n"), "one sentence says why"


def ends_each(clause, pairs):
    """Makes a function a test that ends as the clause says, for each (command, action): its parameters of these names."""
    def register(function):
        TESTED.extend((*pair, clause) for pair in pairs)

        @functools.wraps(function)
        def test(**fixtures):
            _check(clause.split()[0], function(**fixtures))
        names = [name for name in ("command", "action") if name in inspect.signature(function).parameters]
        if not names:
            return test
        values = [dict(zip(("command", "action"), pair)) for pair in pairs]
        return pytest.mark.parametrize(",".join(names), [tuple(value[name] for name in names) if names[1:] else
                                                         value[names[0]] for value in values])(test)
    return register


def ends(command, clause, *actions):
    return ends_each(clause, [(command, action) for action in actions or [None]])
