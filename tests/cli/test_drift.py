"""Declarations, help, completion and man pages say the same."""

import os
import re

import pytest

from commands import actions, all_actions, candidates, commands, common_options, help_options, output

MAN = os.path.join(os.environ.get("NETKIT_SOURCE", ""), "man")


def page_text(name):
    """A page without the markup that stands between an option's dashes and its name."""
    with open(os.path.join(MAN, name), encoding="utf-8") as file:
        return file.read()


def page_options(text):
    """The long options that a page describes or mentions: `.Fl -name`."""
    return set(re.findall(r"\bFl\s+-([a-z0-9][a-z0-9-]*)", text))


@pytest.mark.parametrize("command, action", all_actions())
def test_completion_knows_every_option_of_the_help(command, action):
    words = [word[2:] for word in candidates(command, action, "--")]
    assert words == help_options(output(command, action, "--help"))


@pytest.mark.parametrize("command", [c for c in commands() if os.path.exists(os.path.join(MAN, f"netkit-{c}.1"))])
def test_the_page_knows_every_option_and_no_other(command):
    text = page_text(f"netkit-{command}.1")
    common = page_options(page_text("netkit.1"))
    declared = set()
    for action in actions(command):
        own = output(command, action, "--help").split("Common options")[0]
        declared |= set(help_options(output(command, action, "--help")))
        missing = set(help_options(own)) - page_options(text)
        assert not missing, f"not in netkit-{command}.1: {missing} of {action}"
        assert re.search(rf"\b{action}\b", text)
    assert page_options(text) <= declared | common, "the page has options that are not declared"


def test_netkits_page_knows_the_common_options():
    documented = page_options(page_text("netkit.1"))
    for command, action in all_actions():
        assert set(common_options(output(command, action, "--help"))) <= documented


# What a page of a command has, in any order but for the first three.
SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "OUTPUT", "ENVIRONMENT", "FILES", "EXIT STATUS", "SIGNALS",
            "EXAMPLES", "SEE ALSO", "SECURITY CONSIDERATIONS"]


@pytest.mark.parametrize("page", ["netkit", "netkit-shell", *(f"netkit-{command}" for command in commands())])
def test_a_page_has_every_section_and_five_examples(page):
    sections = re.findall(r"^\.Sh (.*)$", page_text(f"{page}.1"), re.M)
    assert sections[:3] == SECTIONS[:3] and set(SECTIONS) <= set(sections)
    shown = page_text(f"{page}.1").split("\n.Sh EXAMPLES\n")[1].split("\n.Sh ")[0]
    assert len(re.findall(r"^(?:\.Dl )?(?:\$ )?.*\bnetkit ", shown, re.M)) >= 5


@pytest.mark.parametrize("command, action", all_actions())
def test_every_record_is_in_the_page(command, action):
    """The types and fields that the help lists."""
    text = page_text(f"netkit-{command}.1") if os.path.exists(os.path.join(MAN, f"netkit-{command}.1")) else ""
    shown = output(command, action, "--help").partition("Records, by")[2].partition("\n\n")[0]
    for kind, help_text in re.findall(r"^  ([a-z_]+) +(.*)$", re.sub(r"\n {10,}", " ", shown), re.M):
        for word in [kind, *re.findall(r"\w+", help_text.partition("fields: ")[2])]:
            assert re.search(rf"\b{word}\b", text), f"{word} of {action}"


@pytest.mark.parametrize("command, action", all_actions())
def test_every_total_is_in_the_page(command, action):
    """The numbers that the help lists, in the section on output."""
    if not os.path.exists(os.path.join(MAN, f"netkit-{command}.1")):
        return
    shown = output(command, action, "--help").partition("Totals, in the")[2].partition("\n\n")[0]
    names = re.findall(r"^  ([a-z0-9_]+) ", shown, re.M)
    assert names, "every action counts something"
    text = page_text(f"netkit-{command}.1").partition(".Sh OUTPUT")[2].partition("\n.Sh ")[0]
    assert not [name for name in names if not re.search(rf"\b{name}\b", text)]


@pytest.mark.parametrize("word, page", [(word, f"netkit-{word}.1") for word in ("plugins", "config", "completion", "psk", "shell")])
def test_netkits_own_words_are_in_a_page(word, page):
    text = page_text(page)
    for action in candidates("help", word, "") or [""]:
        words = [word, action] if action else [word]
        assert set(help_options(output(*words, "--help"))) <= page_options(text)
        assert re.search(rf"\.Cm {action}\b|\b{action}\b", text)


def test_every_page_is_listed_for_installation():
    with open(os.path.join(os.path.dirname(MAN), "cmake", "netkit_install.cmake"), encoding="utf-8") as file:
        listed = file.read()
    for page in os.listdir(MAN):
        match = re.fullmatch(r"netkit-(\w+)\.1", page)
        assert page in listed or (match and match.group(1) in commands()), page
