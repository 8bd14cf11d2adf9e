"""Manual pages as they are read: what is shown can be searched and copied, and other programs can read the pages."""

import os
import pathlib
import re
import subprocess

import pytest

from commands import actions, commands, help_options, output

SOURCE = pathlib.Path(os.environ.get("NETKIT_SOURCE", ""))
PAGES = sorted((SOURCE / "man").iterdir()) + [SOURCE / "tools/netkit/plugin_template/netkit-skeleton.1"]
FISH = pathlib.Path("/usr/share/fish/tools/create_manpage_completions.py")

# groff 1.23 and later show a bare `-`, `'` and grave accent as typographic characters; so does an older one with these.
AS_GROFF_1_23 = ".char - \\[hy]\n.char ' \\[cq]\n.char ` \\[oq]\n"


def shown(page):
    """The text of a page at a terminal of 80 columns."""
    done = subprocess.run(["groff", "-mdoc", "-Tutf8", "-P-cbou"], input=AS_GROFF_1_23 + page.read_text(),
                          capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def long_options(text):
    return set(re.findall(r"\bFl +-([a-z][a-z-]+)", text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_and_commands_can_be_searched_and_copied(page):
    text = shown(page)
    within = [line for line in text.splitlines() if "\u2010" in line.rstrip("\u2010")]
    assert not within, "a hyphen that is not a minus, other than where a word is broken"
    missing = [name for name in long_options(page.read_text()) if f"--{name}" not in text]
    assert not missing
    for command in re.findall(r"^\.Dl \$ (.*)", page.read_text(), re.M):
        if not re.search(r'[\\"]|(^| )(Ns|Ar|Li|Ql|Dq)( |$)', command):
            assert "".join(command.split()) in "".join(text.split()), "an example is shown as it is typed"


@pytest.mark.parametrize("command", commands())
def test_fish_reads_the_declared_options_from_a_page(command, tmp_path):
    page = SOURCE / "man" / f"netkit-{command}.1"
    done = subprocess.run(["python3", str(FISH), "--stdout", str(page)], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "HOME": str(tmp_path)}, check=True)
    read = set(re.findall(r"-[lo] '?([^\s']+)", "\n".join(line.split(" --description")[0]
                                                          for line in done.stdout.splitlines())))
    declared = {name for action in actions(command) for name in help_options(output(command, action, "--help"))}
    assert read and read <= declared
