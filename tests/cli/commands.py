"""What the installed netkit says about itself: its commands and their actions."""

import functools
import os
import re
import subprocess

from netkit import clean_environment, netkit_path

# Plugins of tests, for what no command of ours has.
HELLO = os.path.join(os.environ.get("NETKIT_BUILD", ""), "tests", "bad_plugins", "good")


@functools.cache
def output(*words):
    """What it prints, the same each time: help and completion depend on nothing but what is installed."""
    done = subprocess.run([netkit_path(), *words], capture_output=True, text=True, env=clean_environment(), timeout=60,
                          check=True)
    assert done.stderr == ""
    return done.stdout


def candidates(*words):
    """Completion of the last word: the candidates without their help."""
    lines = output("__complete", *words).splitlines()
    assert lines[-1] in (":none", ":file", ":folder", ":nospace"), lines
    return [line.split("\t")[0] for line in lines[:-1]]


def commands():
    """The plugins that are installed."""
    words = ("help", "plugins", "config", "completion", "psk", "version", "shell")
    return [name for name in candidates("") if name not in words]


def actions(command):
    return candidates("help", command, "")


def all_actions():
    return [(command, action) for command in commands() for action in actions(command)]


def help_options(text):
    """The long options that a help text lists, and those that it names as common."""
    own, _, common = text.partition("\nCommon options")
    return re.findall(r"^  (?:-\w, |    )--([a-z0-9-]+)", own, re.M) + common_options(text)


def common_options(text):
    """Those that a help text names as common."""
    return re.findall(r"--([a-z0-9-]+)", text.partition("\nCommon options")[2].partition("\n\n")[0])
