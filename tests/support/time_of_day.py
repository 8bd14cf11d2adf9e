"""A time of day that is what a file says, and jumps with it."""

import subprocess


def clock(path):
    """The environment for that; `path` holds an offset such as +3000d. A sandbox would hide the file."""
    free = {f"NETKIT_{name}_SANDBOX": "off" for name in ("ECHO", "CHAT", "PUSH", "SSE", "FRAME", "BROADCAST")}
    return {**free, "LD_PRELOAD": f"/usr/lib/{machine()}/faketime/libfaketime.so.1", "FAKETIME_TIMESTAMP_FILE": str(path),
            "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def machine():
    return subprocess.run(["gcc", "-print-multiarch"], capture_output=True, text=True, check=True).stdout.strip()
