"""tools/picture: what it draws is a session as it was on the screen."""

import os
import subprocess
import xml.etree.ElementTree as tree

from netkit import netkit_path

SOURCE = os.environ["NETKIT_SOURCE"]


def rows(path):
    """The text of the picture, a row each."""
    found = {}
    for text in tree.parse(path).iter("{http://www.w3.org/2000/svg}text"):
        found.setdefault(text.get("y"), []).append(text.text)
    return [" ".join(parts) for parts in found.values()]


def shows(lines):
    assert lines[0] == "$ netkit echo ping 7000 -c 3 -i 200ms" and "$ netkit echo bench 7000 --duration 2s --flows 4" in lines
    assert any(line.startswith("latency   min ") for line in lines) and any("█" in line for line in lines)
    assert lines[-1].endswith("unknown action 'pimg'; did you mean 'ping'? see 'netkit echo --help'")


def test_it_draws_a_session(tmp_path):
    subprocess.run([f"{SOURCE}/tools/picture", "--netkit", netkit_path(), tmp_path / "a.svg"], check=True, timeout=60)
    shows(rows(tmp_path / "a.svg"))


def test_the_picture_of_the_readme_is_one():
    shows(rows(f"{SOURCE}/share/session.svg"))
    with open(f"{SOURCE}/README.md", encoding="utf-8") as readme:
        assert "](share/session.svg)" in readme.read()
