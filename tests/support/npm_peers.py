"""Programs from npm that tests and benchmarks talk to: those of npm/package-lock.json, installed once for a build."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile

LISTED = os.path.join(os.path.dirname(__file__), "npm")
FILES = ("package.json", "package-lock.json")


def npm_modules(build):
    """The folder of modules for NODE_PATH, below the folder of a build; installed by whoever comes first."""
    folder = os.path.join(build, "npm")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not all(_is_same(name, folder) for name in FILES):
            _install(folder)
    return os.path.join(folder, "node_modules")


def _is_same(name, folder):
    try:
        with open(os.path.join(LISTED, name), "rb") as wanted, open(os.path.join(folder, name), "rb") as found:
            return wanted.read() == found.read()
    except FileNotFoundError:
        return False


def _install(folder):
    with tempfile.TemporaryDirectory(dir=folder) as work:
        shutil.copytree(LISTED, work, dirs_exist_ok=True)
        done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", os.path.join(work, "cache")],
                              cwd=work, capture_output=True, timeout=100, check=False)
        assert done.returncode == 0, done.stderr.decode()[-2000:]
        modules = os.path.join(folder, "node_modules")
        shutil.rmtree(modules, ignore_errors=True)
        os.rename(os.path.join(work, "node_modules"), modules)
    for name in FILES:  # last: by these it is known that all is there
        shutil.copy(os.path.join(LISTED, name), os.path.join(folder, name))


if __name__ == "__main__":
    npm_modules(sys.argv[1])
