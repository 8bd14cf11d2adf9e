"""tools/bench sse: netkit sse beside what people use for the same.

In each round every program takes every test, one after another. What counts is the median over the rounds of a
program's CPU time divided by that of the other in the same round.
"""

import argparse
import resource
import sys

from loading import load_rounds
from processes import BUILD, npm_modules
from reading import line_rounds, read_rounds
from relaying import relay_rounds
from serving import http2_rounds, serve_rounds


def modules():
    """From npm, or none where that cannot be reached."""
    try:
        return npm_modules(BUILD)
    except (OSError, AssertionError):
        print("eventsource-parser is not measured: npm cannot install it here")
        return None


PARTS = {"read": lambda options: read_rounds(options, modules()), "line": line_rounds, "serve": serve_rounds,
         "http2": http2_rounds, "proxy": relay_rounds, "bench": load_rounds}


def main():
    options = argparse.ArgumentParser(prog="tools/bench sse", description=__doc__)
    options.add_argument("parts", nargs="*", metavar="PART", help="all unless given: " + ", ".join(PARTS))
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--megabytes", type=int, default=256)
    options.add_argument("--readers", type=int, default=1000)
    options.add_argument("--many", type=int, default=10000, help="readers of sse bench")
    options.add_argument("--events", type=int, default=100)
    options = options.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        sys.exit(f"tools/bench sse: there is no part {', '.join(sorted(unknown))}")
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    well = [part(options) for name, part in PARTS.items() if not options.parts or name in options.parts]
    return 0 if all(well) else 1


if __name__ == "__main__":
    sys.exit(main())
