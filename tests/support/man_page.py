"""The man pages as tests read them."""

import os


def examples(page):
    """The command lines of a page's EXAMPLES, without the prompt."""
    path = os.path.join(os.environ["NETKIT_SOURCE"], "man", page)
    with open(path, encoding="utf-8") as file:
        text = file.read().split("\n.Sh EXAMPLES\n", 1)[1].split("\n.Sh ", 1)[0]
    lines = [line[len(".Dl $ "):] for line in text.splitlines() if line.startswith(".Dl $ ")]
    return [line.replace("\\(dq", '"').replace("\\e", "\\").replace("\\-", "-") for line in lines]
