"""netkit sse read beside curl -N, sed, jq, eventsource-parser and Python."""

import os
import resource
import statistics
import subprocess

from others import NODE_CLIENT, ORIGIN, PYTHON_CLIENT
from processes import NETKIT, PYTHON, Child, judge

MEMORY_GOAL_KIB = 24 << 10
TEXT = f"{NETKIT} sse $URL --reconnect never -q"


def clients(modules):
    """What reads a stream of any bytes, as a shell line with $URL."""
    found = {"netkit text": TEXT, "netkit --raw": f"{TEXT} --raw", "netkit --json": f"{TEXT} --json",
             "curl -N": "curl -sN $URL", "curl | sed": "curl -sN $URL | sed -n 's/^data: //p'",
             "python": f"exec {PYTHON} -c \"$PYTHON_CLIENT\" $URL"}
    if modules:
        found["eventsource-parser"] = f"exec node -e \"$NODE_CLIENT\" $URL {modules}/eventsource-parser"
    return found


# What people write for a part of JSON, and what reads the same events as they are.
SELECTORS = {"netkit --select": f"{TEXT} --select /choices/0/delta/content --join",
             "curl | sed | jq -rj": "curl -sN $URL | sed -n 's/^data: //p' | jq -rj '.choices[0].delta.content'",
             "netkit text": TEXT}

# size, who, than whom, the most that the quotient of their CPU times may be
GOALS = [(200, "netkit text", "curl -N", 2.5), (65536, "netkit text", "curl -N", 1.3),
         (200, "netkit text", "curl | sed", 1.0), (65536, "netkit text", "curl | sed", 1.0),
         (200, "netkit --json", "eventsource-parser", 0.25), (65536, "netkit --json", "eventsource-parser", 0.25),
         ("JSON", "netkit --select", "curl | sed | jq -rj", 0.15), ("JSON", "netkit --select", "netkit text", 3)]

# The larger of two lines of these sizes in MiB may take so many times the CPU time of the smaller.
LINES, LINE_GOAL = (4, 16), 6


def run_client(line, url):
    """CPU seconds, and the largest memory in KiB."""
    env = dict(os.environ, URL=url, PYTHON_CLIENT=PYTHON_CLIENT, NODE_CLIENT=NODE_CLIENT)
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        null = os.open("/dev/null", os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        subprocess.run(["sh", "-c", line], env=env, check=False)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        os.write(write_end, b"%f %d" % (used.ru_utime + used.ru_stime, used.ru_maxrss))
        os._exit(0)
    os.waitpid(pid, 0)
    seconds, memory = os.read(read_end, 100).split()
    os.close(read_end)
    os.close(write_end)
    return float(seconds), int(memory)


def line_rounds(options):
    """One event of one line that comes in pieces of 1 KiB: the time is to grow with its size, no faster."""
    found = {}
    for _ in range(options.rounds):
        for size in LINES:
            with Child([PYTHON, "-c", ORIGIN, str((size << 20) - 64), "1", "1024"]) as origin:
                found.setdefault(size, []).append(run_client(TEXT, f"http://127.0.0.1:{origin.port}/")[0])
    return judge(f"a line of {LINES[1]} MiB / of {LINES[0]} MiB", [b / a for a, b in zip(*found.values())], most=LINE_GOAL)


def read_rounds(options, modules):
    found = {}
    megabytes = {200: options.megabytes, 65536: options.megabytes, "JSON": max(options.megabytes // 8, 1)}  # jq is slow
    for size, programs in ((200, clients(modules)), (65536, clients(modules)), ("JSON", SELECTORS)):
        with Child([PYTHON, "-c", ORIGIN, str(size), str(megabytes[size] << 20)]) as origin:
            for _ in range(options.rounds):
                for name, line in programs.items():
                    found.setdefault((size, name), []).append(run_client(line, f"http://127.0.0.1:{origin.port}/"))
    return report(found, megabytes)


def report(found, megabytes):
    for (size, name), runs in found.items():
        seconds = statistics.median(run[0] for run in runs)
        print(f"{size:>6}  {name:20} {seconds / megabytes[size] * 1000:7.2f} ms CPU a MiB, "
              f"{max(run[1] for run in runs) / 1024:6.1f} MiB memory")
    well = [judge(f"{size:>6}  {one} / {other}", [a[0] / max(b[0], 0.01) for a, b in zip(found[size, one], found[size, other])],
                  most=most) for size, one, other, most in GOALS if (size, other) in found]
    memory = max(run[1] for (_, name), runs in found.items() if name.startswith("netkit") for run in runs)
    print(f"memory of netkit: {memory / 1024:.1f} MiB, goal {MEMORY_GOAL_KIB >> 10}")
    return all(well) and memory <= MEMORY_GOAL_KIB
