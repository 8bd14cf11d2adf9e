"""Programs that are measured, and what they use."""

import os
import resource
import statistics
import subprocess
import sys

BUILD = os.environ["NETKIT_BUILD"]
NETKIT = f"{BUILD}/bin/netkit"
PYTHON = "/usr/bin/python3"

sys.path[:0] = [os.path.join(os.path.dirname(__file__), folder) for folder in ("..", "../../support")]

from certificates import make_local_certificate  # noqa: E402
from machine import cpu_seconds, free_port  # noqa: E402
from npm_peers import npm_modules  # noqa: E402

__all__ = ["BUILD", "NETKIT", "PYTHON", "Child", "cpu_seconds", "free_port", "judge", "make_local_certificate", "npm_modules", "run"]


def run(argv, env=None):
    """CPU seconds of a program and its children, and its standard output."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    out = process.stdout.read()
    process.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, out


class Child:
    """A server, whose first line ends with its port."""

    def __init__(self, argv, **kwargs):
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, **kwargs)
        self.port = int(self.process.stdout.readline().decode().strip().rsplit(":", 1)[-1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def judge(what, quotients, most=None, least=None):
    """Prints the median of quotients beside its goal; whether that is kept."""
    quotient = statistics.median(quotients)
    well = (most is None or quotient <= most) and (least is None or quotient >= least)
    goal = f", goal at most {most}" if most is not None else f", goal at least {least}" if least is not None else ""
    print(f"{what}: {quotient:.2f}{goal}{'' if well else ' MISSED'}", flush=True)
    return well
