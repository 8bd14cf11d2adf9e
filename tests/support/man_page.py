"""The man pages as tests read them."""

import os
import shlex


def _examples(page):
    """(what is said before it, the command line) for each line of a page's EXAMPLES."""
    path = os.path.join(os.environ["NETKIT_SOURCE"], "man", page)
    with open(path, encoding="utf-8") as file:
        text = file.read().split("\n.Sh EXAMPLES\n", 1)[1].split("\n.Sh ", 1)[0]
    found, title = [], ""
    for line in text.splitlines():
        if line.startswith(".Dl $ "):
            command = line[len(".Dl $ "):]
            found.append((title, command.replace("\\(dq", '"').replace("\\e", "\\").replace("\\-", "-")))
        elif line != ".Pp":
            title = line
    return found


def sessions(page):
    """{title: [(command, [lines of output])]} of the sections of a page that show a session."""
    with open(os.path.join(os.environ["NETKIT_SOURCE"], "man", page), encoding="utf-8") as file:
        parts = file.read().split("\n.Ss ")[1:]
    found = {}
    for part in parts:
        steps = []
        for line in part.split(".Bd -literal\n", 1)[1].split("\n.Ed", 1)[0].splitlines():
            line = line.replace("\\e", "\\").replace("\\&", "")
            if line.startswith("$ "):
                steps.append((line[2:], []))
            elif line.startswith("> "):
                steps[-1] = (steps[-1][0].removesuffix("\\") + line[2:], [])
            else:
                steps[-1][1].append(line)
        found[part.split("\n", 1)[0]] = steps
    return found


def examples(page):
    """The command lines of a page's EXAMPLES, without the prompt."""
    return [command for _, command in _examples(page)]


def example(page, start):
    """The one example that is or begins with `start`, or what is said before it does, or that has it in it."""
    every = _examples(page)
    for fits in (lambda title, command: command == start, lambda title, command: command.startswith(start),
                 lambda title, command: title.startswith(start), lambda title, command: start in command):
        found = [command for title, command in every if fits(title, command)]
        if found:
            assert len(found) == 1, (start, found)
            return found[0]
    raise AssertionError(f"{page} has no example {start!r}: {every}")


def example_words(page, start, changes=()):
    """Its arguments, without the program, with each (old, new) of `changes` applied."""
    replaced = dict(changes)
    return [replaced.get(word, word) for word in shlex.split(example(page, start))[1:]]
