"""SECURITY.md: each promise has a test that exists."""

import os
import pathlib
import re

SOURCE = pathlib.Path(os.environ["NETKIT_SOURCE"])


def test_each_promise_has_a_test():
    rows = re.findall(r"^\| (?!netkit promises|---)(.*?) \| (.*) \|$", (SOURCE / "SECURITY.md").read_text(), re.M)
    assert len(rows) > 15
    for promise, tests in rows:
        named = re.findall(r"`(tests/[^:`]+)::(\w+)`", tests)
        assert named, promise
        for path, name in named:
            text = (SOURCE / path).read_text()
            assert re.search(rf"^def {name}\(|^TEST(_F)?\(\w+, {name}\)", text, re.M), f"{promise}: {path} has no {name}"
