"""CONTRIBUTING's table of dependencies, against what is included, linked and installed."""

import os
import pathlib
import re
import subprocess

SOURCE = pathlib.Path(os.environ.get("NETKIT_SOURCE", ""))
PREFIX = pathlib.Path(os.environ.get("NETKIT_PREFIX", ""))
ROWS = re.findall(r"^\| [^|]+ \| (`[^|]*) \| (`[^|]*) \|([^|]*)\| [^|]+ \|$", (SOURCE / "CONTRIBUTING.md").read_text(), re.M)
PACKAGES, HEADERS, LINKED = ({word for row in ROWS for word in re.findall(r"`([^`]+)`", row[column])} for column in range(3))

# What comes with the system, and the folders of the tree that includes begin at.
SYSTEM = ("arpa/", "asm/", "linux/", "net/", "netinet/", "sys/")
OWN = ("core/include", "core/runtime", "core/src", "plugins", "tests", "tools/netkit")
RUNTIME = re.compile(r"lib(c|m|gcc_s|stdc\+\+|asan|ubsan|tsan|netkit.*)$|ld-")


def test_every_header_of_others_is_of_a_library_that_is_listed():
    files = [path for folder in OWN for path in (SOURCE / folder).rglob("*.[ch]pp")]
    named = {name for path in files for name in re.findall(r"^\s*#include <(.+)>", path.read_text(), re.M)}
    included = {name for name in named if ("/" in name or name in HEADERS) and not name.startswith(SYSTEM)
                and not any((SOURCE / folder / name).exists() for folder in OWN)}
    assert {name for name in included if not name.startswith(tuple(HEADERS))} == set()
    assert {header for header in HEADERS if not any(name.startswith(header) for name in included)} == set()


def test_what_is_linked_is_listed():
    linked = set()
    for path in PREFIX.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.read_bytes()[:4] == b"\x7fELF":
            dynamic = subprocess.run(["readelf", "-dW", path], capture_output=True, text=True, check=True).stdout
            linked |= {name.split(".so")[0] for name in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)}
    assert {name for name in linked if not RUNTIME.match(name)} == LINKED


def test_packages_are_those_of_the_table():
    listed = re.findall(r"^(\S+-dev) ", (SOURCE / "tools/packages.txt").read_text(), re.M)
    assert {name for name in listed if name not in ("dpkg-dev", "libclang-rt-dev")} == PACKAGES  # these are of tools
