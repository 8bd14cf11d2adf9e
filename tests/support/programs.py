"""Programs that a test uses as tools, and what a process costs."""

import os
import subprocess


def command(*argv, **kwargs):
    """What it prints; it must end well."""
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, check=False, timeout=400, **kwargs)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def resident(pid):
    """Bytes of memory that are resident in the process `pid`."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
