"""Files of keys for --psk-file."""

import hashlib
import os

import pytest

KEYS = {"ann": "11" * 32, "ben": "22" * 32, "eve": "33" * 32}


def key_of(name):
    return KEYS.get(name) or hashlib.sha256(name.encode()).hexdigest()


def key_file(path, *names, mode=0o600, **keys):
    """Writes a file with the usual keys of `names`, and `keys` as given."""
    lines = [f"{name}:{key_of(name)}\n" for name in names] + [f"{name}:{key}\n" for name, key in keys.items()]
    path.touch(mode=0o600)
    path.write_text("".join(lines))
    os.chmod(path, mode)
    return path


@pytest.fixture
def keys(tmp_path):
    """Makes key files by name: keys("room", "ann", "ben")."""
    return lambda file, *names, **others: key_file(tmp_path / file, *names, **others)


@pytest.fixture(params=["clear", "keys"])
def sides(request, tmp_path):
    """sides("ann", "ben") gives the arguments of a server, as side(None), and of these clients, as side("ann"): in clear,
    and with keys."""
    def make(*names):
        if request.param == "clear":
            return lambda name: ["--name", name] if name else []
        return lambda name: ["--psk-file", key_file(tmp_path / f"{name}.keys", *([name] if name else names))]
    return make
