"""tools/bench store: push serve on stores beside what the stores do without it.

sqlite: records that a server acknowledges, beside a bare program with the same transactions on the same disk.
hop: the time of a record from one server's publisher to another one's subscriber by way of Redis, at 1,000 a second,
beside an XADD by one client and the XREAD of another; `relayed`, the same by way of two relays that do nothing else, is
the least that a server can have. throughput: records that a server acknowledges on Redis, beside redis-benchmark -P 16.
fanout: deliveries to native subscribers for each CPU second of two servers and Redis, beside redis pub/sub. start: how
long a server takes to start, with 1,000 and with 1,000,000 records in its store.
In each round both take their turn; what counts is the median over the rounds.
"""

import argparse
import contextlib
import json
import os
import re
import resource
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "fanout"))
import others  # noqa: E402

BUILD = os.environ["NETKIT_BUILD"]
NETKIT = f"{BUILD}/bin/netkit"
TEXT = b"x" * 100
WINDOW = 1000  # records of a publisher that are not acknowledged: two batches take turns, one of which is being stored
TOGETHER = WINDOW // 2
MANY = 1_000_000


@contextlib.contextmanager
def netkit(*words):
    """`push serve` with its `port` and its `source`, the descriptor that it takes records from."""
    reading, source = os.pipe()
    process = subprocess.Popen([NETKIT, "push", "serve", "127.0.0.1:0", "--from", "-", "-q", "--ready-fd", "1", *words],
                               stdin=reading, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    os.close(reading)
    try:
        process.port = int(re.search(rb":(\d+)\n", process.stdout.readline()).group(1))
        process.source = source
        yield process
    finally:
        process.terminate()
        process.wait()
        os.close(source)


@contextlib.contextmanager
def redis(folder):
    port = others.free_port()
    process = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder],
                               stdout=subprocess.DEVNULL)
    others.wait_for_port(port)
    process.port = port
    process.url = f"redis://127.0.0.1:{port}/bench"
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def publish(port, count):
    """Seconds until all of them are acknowledged."""
    request = b"PUSH - %d\n%s" % (len(TEXT), TEXT)
    begin, answered, sent = time.monotonic(), 0, 0
    with socket.create_connection(("127.0.0.1", port)) as sock:
        while answered < count:
            while sent < count and sent - answered < WINDOW:
                batch = min(WINDOW - (sent - answered), count - sent)
                sock.sendall(request * batch)
                sent += batch
            answered += sock.recv(65536).count(b"\n")
    return time.monotonic() - begin


# ---- sqlite

TABLES = """
CREATE TABLE stream(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, last INTEGER NOT NULL);
CREATE TABLE entry(stream INTEGER, number INTEGER, time INTEGER, topic TEXT, text BLOB, fields BLOB, writer INTEGER,
                   sequence INTEGER, PRIMARY KEY(stream, number)) WITHOUT ROWID;
CREATE TABLE writer(stream INTEGER, writer INTEGER, sequence INTEGER, used INTEGER, PRIMARY KEY(stream, writer)) WITHOUT ROWID;
INSERT INTO stream VALUES(1, 'push', 0);
"""


def bare_sqlite(path, count):
    """The same transactions with TOGETHER records in each; seconds."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.executescript(TABLES)
        begin = time.monotonic()
        for first in range(1, count + 1, TOGETHER):
            last = min(first + TOGETHER - 1, count)
            database.execute("BEGIN IMMEDIATE")
            database.execute("SELECT last FROM stream WHERE id = 1").fetchall()
            database.execute("SELECT sequence FROM writer WHERE stream = 1 AND writer = 7").fetchall()
            database.executemany("INSERT INTO entry VALUES(1, ?, ?, '', ?, x'', 7, ?)",
                                 [(n, 1795187549123456, TEXT, n) for n in range(first, last + 1)])
            database.execute("UPDATE stream SET last = ? WHERE id = 1", (last,))
            database.execute("REPLACE INTO writer VALUES(1, 7, ?, 1795187549123456)", (last,))
            database.execute("DELETE FROM entry WHERE stream = 1 AND number <= ?", (last - 100000,))
            database.execute("COMMIT")
        return time.monotonic() - begin


def measure_sqlite(folder, options):
    ratios = []
    for i in range(options.rounds):
        with netkit("--keep", "100000", "--store", f"sqlite:{folder}/netkit{i}.db") as server:
            ours = publish(server.port, options.records)
        bare = bare_sqlite(f"{folder}/bare{i}.db", options.records)
        ratios.append(bare / ours)
        print(f"sqlite {i + 1}: netkit {options.records / ours:,.0f} records/s acknowledged, bare {options.records / bare:,.0f}")
    return {"sqlite": statistics.median(ratios)}


# ---- redis

def hop(*words):
    """Microseconds: p50, p99."""
    done = subprocess.run([f"{BUILD}/bench/store_hop", *map(str, words)], capture_output=True, text=True, check=True)
    return [float(word) for word in done.stdout.split()]


def measure_hop(folder, options):
    ratios = []
    count = options.records // 20
    with redis(folder) as store, netkit("--store", store.url) as first, netkit("--store", store.url) as second:
        for i in range(options.rounds):
            ours, bare = hop("netkit", first.port, second.port, count), hop("redis", store.port, count)
            relayed = hop("relayed", store.port, count)
            ratios.append((ours[0] / bare[0], ours[1] / bare[1]))
            print(f"hop {i + 1}: netkit p50 {ours[0]:.0f} µs, p99 {ours[1]:.0f} µs; bare p50 {bare[0]:.0f} µs, p99 {bare[1]:.0f} µs; "
                  f"relayed p50 {relayed[0]:.0f} µs, p99 {relayed[1]:.0f} µs")
    p50, p99 = (statistics.median(column) for column in zip(*ratios))
    return {"p50": p50, "p99": p99}


def redis_benchmark(port, count):
    words = ["XADD", "bare", "MAXLEN", "~", "100000", "*", "text", TEXT.decode()]
    done = subprocess.run(["redis-benchmark", "-p", str(port), "-P", "16", "-n", str(count), "--csv", *words], capture_output=True,
                          text=True, check=True)
    return float(done.stdout.splitlines()[-1].split('","')[1].strip('"'))


def measure_throughput(folder, options):
    ratios = []
    count = 5 * options.records
    with redis(folder) as store, netkit("--keep", "100000", "--store", store.url) as server:
        for i in range(options.rounds):
            ours, bare = count / publish(server.port, count), redis_benchmark(store.port, count)
            ratios.append(ours / bare)
            print(f"throughput {i + 1}: netkit {ours:,.0f} records/s acknowledged, redis-benchmark -P 16 {bare:,.0f}")
    return {"throughput": statistics.median(ratios)}


def deliver(wire, port, source, processes, subscribers, count):
    """Deliveries for each CPU second of the processes."""
    words = [f"{BUILD}/bench/fanout_load", wire, port, subscribers, count, len(TEXT), 2000, source]
    load = subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            pass_fds=[source] if source >= 0 else [])
    try:
        if load.stdout.readline() != b"ready\n":
            sys.exit(f"{wire}: the load does not get its subscriptions")
        before = sum(others.cpu_seconds(process.pid) for process in processes)
        load.stdin.write(b"go\n")
        load.stdin.flush()
        if not load.stdout.readline():
            sys.exit(f"{wire}: not all messages arrived")
        return subscribers * count / (sum(others.cpu_seconds(process.pid) for process in processes) - before)
    finally:
        load.kill()
        load.wait()


def measure_fanout(folder, options):
    ratios = []
    subscribers, count = 1000, options.records // 10
    for i in range(options.rounds):
        keep = ("--keep", "10000", "--store")  # what comes from a store cannot be held
        with redis(folder) as store, netkit(*keep, store.url) as first, netkit(*keep, store.url) as second:
            ours = deliver("netkit", second.port, first.source, [store, first, second], subscribers, count)
        with others.server("redis") as (plain, port, _):
            theirs = deliver("redis", port, -1, [plain], subscribers, count)
        ratios.append(ours / theirs)
        print(f"fanout {i + 1}: {ours / 1e6:.2f} M deliveries for a CPU second of two servers and Redis, "
              f"pub/sub {theirs / 1e6:.2f} M ({subscribers} subscribers)")
    return {"fanout": statistics.median(ratios)}


# ---- start

def fill_sqlite(folder, count):
    url = f"sqlite:{folder}/{count}.db"
    with netkit("--store", url), contextlib.closing(sqlite3.connect(f"{folder}/{count}.db")) as database, database:
        database.execute("UPDATE stream SET last = ?", (count,))
        database.executemany("INSERT INTO entry VALUES(1, ?, 0, '', ?, x'', 7, ?)", ((n, TEXT, n) for n in range(1, count + 1)))
    return url


def fill_redis(store, count):
    url = f"redis://127.0.0.1:{store.port}/{count}"
    with netkit("--store", url):
        pass
    script = ("for n = 1, tonumber(ARGV[1]) do redis.call('XADD', KEYS[1], '*', 'n', n, 'text', ARGV[2]) end "
              "redis.call('HSET', KEYS[2], 'n', ARGV[1])")
    subprocess.run(["redis-cli", "-p", str(store.port), "EVAL", script, "2", f"{count}:push", f"{{{count}:push}}:state", str(count),
                    TEXT.decode()], check=True, stdout=subprocess.DEVNULL)
    return url


def start(url):
    begin = time.monotonic()
    with netkit("--store", url):
        return time.monotonic() - begin


def measure_start(folder, options):
    worst = 0.0
    with redis(folder) as store:
        for name, few, many in [("sqlite", fill_sqlite(folder, 1000), fill_sqlite(folder, MANY)),
                                ("redis", fill_redis(store, 1000), fill_redis(store, MANY))]:
            times = [(start(few), start(many)) for _ in range(3 * options.rounds)]
            short, long = (statistics.median(column) for column in zip(*times))
            worst = max(worst, long / short)
            print(f"start on {name}: {short * 1000:.0f} ms with 1,000 records, {long * 1000:.0f} ms with {MANY:,}")
    return {"start": worst}


PARTS = {"sqlite": measure_sqlite, "hop": measure_hop, "throughput": measure_throughput, "fanout": measure_fanout,
         "start": measure_start}
# What is to be reached, and whether more is better.
GOALS = {"sqlite": (0.8, True), "p50": (2, False), "p99": (2, False), "throughput": (0.7, True), "fanout": (2, True),
         "start": (1.2, False)}


def main():
    parser = argparse.ArgumentParser(prog="tools/bench store", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--records", type=int, default=40000, help="of sqlite; the other parts have so many times more or less")
    parser.add_argument("--only", choices=PARTS, help="one of the parts")
    parser.add_argument("--json", action="store_true", help="print the quotients as JSON")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    quotients = {}
    for name, measure in PARTS.items():
        if options.only in (None, name):
            with tempfile.TemporaryDirectory() as folder:
                quotients |= measure(folder, options)
    if options.json:
        print(json.dumps(quotients))
    missed = False
    for name, quotient in quotients.items():
        goal, is_more = GOALS[name]
        is_good = quotient >= goal if is_more else quotient <= goal
        missed |= not is_good
        print(f"{name}: {quotient:.2f} (goal {'at least' if is_more else 'at most'} {goal}) {'ok' if is_good else 'MISSED'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
