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
