"""sse bench beside a program for node that has as many readers of the same server."""

import json
import subprocess

from others import NODE_READERS
from processes import NETKIT, Child, judge, run

GOAL = 0.6
SECONDS = 8


def load_rounds(options):
    """CPU time for each event that came; both connect first, and have so long for it and the events together."""
    quotients = []
    for _ in range(options.rounds):
        server = [NETKIT, "sse", "serve", "127.0.0.1:0", "--every", "500ms", "--message", "x" * 100, "-q", "--ready-fd", "1"]
        with Child(server, stderr=subprocess.DEVNULL) as origin:
            url = f"http://127.0.0.1:{origin.port}/events"
            used, out = run([NETKIT, "sse", "bench", url, "--readers", str(options.many), "--duration", f"{SECONDS}s", "--json"])
            end = json.loads(out.splitlines()[-1])
            assert end["failed"] == 0, end
            ours = used / end["events"]
            used, out = run(["node", "-e", NODE_READERS, url, str(options.many), str(SECONDS)])
            theirs = used / int(out)
        print(f"{options.many} readers: netkit {ours * 1e6:.2f} us an event, node {theirs * 1e6:.2f} us", flush=True)
        quotients.append(ours / theirs)
    return judge(f"sse bench of {options.many} readers / node", quotients, most=GOAL)
