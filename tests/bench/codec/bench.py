"""tools/bench codec: cutting frames beside a memchr scan of the same bytes, and CRCs beside zlib's CRC-32.

All run in one program, in random order and over and over; what counts is the median of CPU time. The status is 1 if a
goal is missed. Decoding random bytes, one in 128 of which is to be escaped, is shown without a goal.
"""

import argparse
import json
import os
import subprocess
import sys

BUILD = os.environ["NETKIT_BUILD"]
CUTS = ["line", "slip", "cobs", "hdlc"]
CUT_GOAL = 3.0  # times the scan, at most
CRC_GOALS = {"crc32": 0.8, "crc16-modbus": 1 / 3, "crc16-xmodem": 1 / 3}  # of zlib's rate, at least
SIZES = [64, 1024, 65536]


def medians(repetitions, seconds):
    """CPU time by name, in ns."""
    done = subprocess.run([f"{BUILD}/bench/codec_bench", "--benchmark_format=json",
                           "--benchmark_enable_random_interleaving=true", f"--benchmark_repetitions={repetitions}",
                           f"--benchmark_min_time={seconds}", "--benchmark_report_aggregates_only=true"],
                          stdout=subprocess.PIPE, check=True)
    return {run["run_name"]: run["cpu_time"] for run in json.loads(done.stdout)["benchmarks"]
            if run["aggregate_name"] == "median"}


def row(name, ratio, goal, met):
    verdict = "" if met is None else ("ok" if met else "MISSED")
    print(f"{name:34} {ratio:6.2f}  {goal:28} {verdict}")
    return met is not False


def main():
    parser = argparse.ArgumentParser(prog="tools/bench codec", description=__doc__.split("\n\n", 1)[1])
    parser.add_argument("--repetitions", type=int, default=15, help="of each measurement [15]")
    parser.add_argument("--seconds", type=float, default=0.02, help="that one takes [0.02]")
    options = parser.parse_args()
    times = medians(options.repetitions, options.seconds)
    good = True
    for cut in CUTS:
        for kind in ("text", "random"):
            ratio = times[f"decode/{cut}/{kind}"] / times[f"scan/{cut}/{kind}"]
            goal = f"of memchr's time, at most {CUT_GOAL:.0f}" if kind == "text" else "of memchr's time"
            good &= row(f"decode {cut}, {kind}", ratio, goal, ratio <= CUT_GOAL if kind == "text" else None)
    for name, least in CRC_GOALS.items():
        for size in SIZES:
            ratio = times[f"crc/zlib/{size}"] / times[f"crc/{name}/{size}"]
            good &= row(f"{name}, {size} bytes", ratio, f"of zlib's rate, at least {least:.2f}", ratio >= least)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
