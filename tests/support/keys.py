"""Files of keys for --psk-file."""

import os

KEYS = {"ann": "11" * 32, "ben": "22" * 32, "eve": "33" * 32}


def key_file(path, *names, mode=0o600, **keys):
    """Writes a file with the usual keys of `names`, and `keys` as given."""
    lines = [f"{name}:{KEYS[name]}\n" for name in names] + [f"{name}:{key}\n" for name, key in keys.items()]
    path.touch(mode=0o600)
    path.write_text("".join(lines))
    os.chmod(path, mode)
    return path
