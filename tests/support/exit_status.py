"""The EXIT STATUS of a man page, clause by clause, and what tests bring each of them about with.

An item's text is a list of clauses, parted by semicolons. One that begins with actions, `serve, peer: address in use`,
is for these; the others are for the command as a whole. A page's test registers a way for each:

    PAGE = Page("chat", ...)

    @PAGE.way("69 address in use", "serve", "peer")
    def in_use(netkit, action): ...

A clause that no way is for, and a way that no clause is for, is a case that fails."""

import functools
import inspect
import os
import re
import signal
import subprocess

import pytest

from netkit import Process


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


class Clause:
    def __init__(self, status, text):
        named = re.match(r"([a-z]+(?: -\w)?(?:, [a-z]+(?: -\w)?)*): ", text)
        self.actions = named.group(1).split(", ") if named else [None]
        self.key = f"{status} {text[named.end():] if named else text}"


def clauses(page):
    return [Clause(status, text) for status, whole in items(page) for text in whole.split("; ")]


class Case:
    """One clause for one action, and a way to it; or what is wrong with the page or the table."""

    def __init__(self, key, action, way=None, problem=None):
        self.key, self.action, self.way, self.problem = key, action, way, problem

    def __str__(self):
        return " ".join(str(part) for part in (self.key, self.action, self.way and self.way.__name__) if part)

    def check(self, request):
        assert self.problem is None, self.problem
        given = {"action": self.action}
        names = inspect.signature(self.way).parameters
        run = self.way(**{name: given[name] if name in given else request.getfixturevalue(name) for name in names})
        signo = 0
        if isinstance(run, tuple):
            run, signo = run
        ended, said = (run.wait(), run.err.data) if isinstance(run, Process) else (run.status, run.err)
        status = self.key.split(" ", 1)[0]
        # A shell's 128 + n is, to the parent, either that number or the signal itself.
        wanted = [128 + signo, -signo] if status == "128+n" else [int(status)]
        assert ended in wanted, said
        if status not in ("0", "128+n"):
            assert b"netkit: " in said and said.endswith(b"\n"), "one sentence says why"


def _telling(start, signo):
    @functools.wraps(start)
    def tell(**given):
        process = start(**given)
        process.signal(signo)
        return process
    tell.__name__ = f"{start.__name__} {signo.name}"
    return tell


class Page:
    """`lines` are the words of each action that a test of all of them runs it with; see exit_ways.py."""

    def __init__(self, command, lines):
        self.command, self.lines, self.ways = command, lines, []

    def way(self, key, *actions):
        """Registers a function for the clause `key`; its parameters are fixtures, and `action`."""
        def register(function):
            self.ways += [(key, action, function) for action in actions or [None]]
            return function
        return register

    def told(self, key, *actions):
        """As way(), for INT and for TERM: the function starts what is to be told, and it is told by each."""
        def register(start):
            for signo in (signal.SIGINT, signal.SIGTERM):
                self.way(key, *actions)(_telling(start, signo))
            return start
        return register

    def cases(self):
        found, used = [], set()
        for clause in clauses(f"netkit-{self.command}.1"):
            for action in clause.actions:
                mine = [way for way in self.ways if way[0] == clause.key and (action is None or way[1] == action)]
                used.update(mine)
                found += [Case(*way) for way in mine]
                if not mine:
                    found.append(Case(clause.key, action, problem="the page lists what no way is for"))
        unused = [way for way in self.ways if way not in used]
        found += [Case(*way, problem="the page does not list what a way is for") for way in unused]
        return pytest.mark.parametrize("case", found, ids=str)
