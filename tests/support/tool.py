"""Programs that a test uses as tools: compilers, packagers."""

import subprocess


def command(*argv, **kwargs):
    """What it prints; it must end well."""
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, check=False, timeout=400, **kwargs)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
