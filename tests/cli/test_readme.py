"""The sessions in README.md and in the pages of netkit itself, run as they stand there."""

import os
import re

import pytest

from man_page import examples
from session import Session

SOURCE = os.environ.get("NETKIT_SOURCE", "")


def sessions():
    """The README's blocks that have a prompt: [(command, [lines of output])] each."""
    with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as file:
        blocks = re.findall(r"^```console\n(.*?)^```$", file.read(), re.M | re.S)
    found = []
    for block in blocks:
        steps = []
        for line in block.splitlines():
            if line.startswith("$ "):
                steps.append((line[2:], []))
            else:
                steps[-1][1].append(line)
        found.append(steps)
    return found


@pytest.fixture
def session(tmp_path):
    one = Session(tmp_path)
    yield one
    one.end()


def test_there_are_sessions_of_every_command():
    text = "\n".join(command for steps in sessions() for command, _ in steps)
    for command in ("echo", "chat", "broadcast", "push", "sse", "frame", "plugins new"):
        assert f"netkit {command} " in text


@pytest.mark.timeout(420)  # a compiler is among them
def test_the_sessions_of_the_readme_are_what_happens(session):
    for steps in sessions():
        for command, expected in steps:
            session.step(command, expected)


def parts(name):
    """What a README shows and names, whatever language it is in: its blocks, its code, the links, the shape of its tables."""
    with open(os.path.join(SOURCE, name), encoding="utf-8") as file:
        text = file.read()
    fenced = r"^```\w+\n.*?^```$"
    prose = re.sub(fenced, "", text, flags=re.M | re.S)
    return {"blocks": re.findall(fenced, text, re.M | re.S), "headings": len(re.findall(r"^## ", prose, re.M)),
            "code": sorted(re.findall(r"`[^`]+`", prose)), "rows": [line.count("|") for line in prose.splitlines() if line[:1] == "|"],
            "links": sorted(re.findall(r"\]\((?!README)([^)]+)\)", prose)), "points": len(re.findall(r"^- ", prose, re.M))}


def test_the_chinese_readme_shows_what_the_english_one_does():
    assert parts("README.zh-CN.md") == parts("README.md")


# What each example of netkit's own pages ends with, and prints.
EXAMPLES = {
    "netkit.1": [
        ("netkit plugins", 0, r"^  echo +UDP and TCP echo server"),
        ("netkit echo serve 7000 &", None, r"listening on udp 127.0.0.1:\d+"),
        ("netkit echo send 7000 hello", 0, r"^hello$"),
        ("netkit help exit-status", 0, r"^  124 "),
        ("netkit echo ping --help", 0, r"^  -c, --count N "),
        ("netkit config echo", 0, r"^echo send --wait = 1s  \(default\)$"),
        ("netkit plugins new hello", 0, r"^hello/plugin.cpp$"),
    ],
    "netkit-shell.1": [
        ("netkit shell -c 'version | tr a-z A-Z'", 0, r"^NETKIT \d"),
        ("netkit shell -c 'version > version.txt; cat version.txt'", 0, r"^netkit \d"),
        ("netkit shell -c 'echo serve 9999 -q & echo ping 9999 -c 1 --wait-for 10s'", 0, r"1 sent, 1 received"),
        ("printf 'version\\nnonsense\\nnever reached\\n' | netkit shell --errexit", 127, r"\Anetkit \d[^\n]*\n[^\n]*nonsense"),
        ("netkit shell -c 'version | false; exit 3'", 3, r"\A\Z"),
    ],
    "netkit.conf.5": [
        ("printf '[echo]\\nwait = 3s\\n' > my.conf", 0, r"\A\Z"),
        ("netkit --config my.conf config echo | grep 'send --wait'", 0, r"^echo send --wait = 3s  \(file: my.conf:2\)$"),
        ("netkit config --config my.conf", 0, r"^echo send --wait = 3s"),
        ("printf '[echo]\\nwiat = 3s\\n' > bad.conf", 0, r"\A\Z"),
        ("netkit --config bad.conf echo send 7 hello || echo \"ended with $?\"", 0,
         r"bad.conf:2: echo has no option 'wiat'; did you mean 'wait'\?\nended with 78$"),
    ],
}


@pytest.mark.parametrize("page", EXAMPLES)
def test_the_examples_of_a_page_print_what_they_say(session, page):
    assert examples(page) == [command for command, _, _ in EXAMPLES[page]]
    for command, status, shown in EXAMPLES[page]:
        if status is None:
            session.begin(command)
            session.process.out.expect(shown.encode())
            continue
        printed, ended = session.run(command)
        assert ended == status, command
        assert re.search(shown, printed.decode(), re.M), (command, printed)
