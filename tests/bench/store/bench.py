"""tools/bench store: push serve on stores beside what the stores do without it.

sqlite: records that a server acknowledges, beside a bare program with the same transactions on the same disk. redis:
the time of a record from one server's publisher to another one's subscriber, beside an XADD by one client and the XREAD
of another. In each round both take their turn; what counts is the median over the rounds.
"""

import argparse
import json
import os
import random
import select
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

NETKIT = f"{os.environ['NETKIT_BUILD']}/bin/netkit"
GOALS = {"sqlite": 0.8, "p50": 2, "p99": 2}
TEXT = b"x" * 100


def serve(url):
    process = subprocess.Popen([NETKIT, "push", "serve", "127.0.0.1:0", "--from", "-", "--keep", "100000", "--store", url],
                               stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    address = process.stderr.readline().split()[-1].decode()
    process.stderr.readline()
    host, port = address.rsplit(":", 1)
    return process, (host, int(port))


def publish(address, count):
    """Seconds until all of them are acknowledged."""
    request = b"PUSH - %d\n%s" % (len(TEXT), TEXT)
    begin, answered, sent = time.monotonic(), 0, 0
    with socket.create_connection(address) as sock:
        while answered < count:
            while sent < count and sent - answered < 500:
                batch = min(100, count - sent)
                sock.sendall(request * batch)
                sent += batch
            answered += sock.recv(65536).count(b"\n")
    return time.monotonic() - begin


def bare_sqlite(path, count, together):
    """The same records, so many in a transaction."""
    begin = time.monotonic()
    with sqlite3.connect(path, isolation_level=None) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("CREATE TABLE entry(stream INTEGER, number INTEGER, time INTEGER, text BLOB, "
                         "PRIMARY KEY(stream, number)) WITHOUT ROWID")
        for first in range(0, count, together):
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT INTO entry VALUES(1, ?, 0, ?)",
                                 [(first + i, TEXT) for i in range(min(together, count - first))])
            database.execute("COMMIT")
    return time.monotonic() - begin


def measure_sqlite(folder, rounds, count):
    ratios = []
    for i in range(rounds):
        process, address = serve(f"sqlite:{folder}/netkit{i}.db")
        ours = publish(address, count)
        process.terminate()
        process.wait()
        bare = bare_sqlite(f"{folder}/bare{i}.db", count, 500)
        ratios.append(bare / ours)
        print(f"sqlite {i + 1}: netkit {count / ours:,.0f} records/s acknowledged, bare {count / bare:,.0f}")
    return statistics.median(ratios)


def command(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def percentiles(times):
    times = sorted(times)
    return times[len(times) // 2] * 1e6, times[len(times) * 99 // 100] * 1e6


def bare_hop(port, count, pause):
    writer, reader = socket.create_connection(("127.0.0.1", port)), socket.create_connection(("127.0.0.1", port))
    times, last = [], b"0-0"
    for i in range(count):
        reader.sendall(command(b"XREAD", b"BLOCK", b"0", b"STREAMS", b"bare", last))
        begin = time.monotonic()
        writer.sendall(command(b"XADD", b"bare", b"MAXLEN", b"~", b"1000", b"*", b"text", TEXT))
        last = writer.recv(100).split(b"\r\n")[1]
        data = b""
        while not data.endswith(TEXT + b"\r\n"):
            data += reader.recv(65536)
        times.append(time.monotonic() - begin)
        time.sleep(pause)
    return percentiles(times)


def two_servers(port, count, pause):
    first, from_address = serve(f"redis://127.0.0.1:{port}/bench")
    second, to_address = serve(f"redis://127.0.0.1:{port}/bench")
    reader = subprocess.Popen([NETKIT, "push", "subscribe", "%s:%d" % to_address, "--name", "s"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
    reader.stderr.readline()
    times = []
    with socket.create_connection(from_address) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for i in range(count):
            begin = time.monotonic()
            sock.sendall(b"PUSH - %d\n%s" % (len(TEXT), TEXT))
            while not select.select([reader.stdout], [], [], 5)[0]:
                raise SystemExit("a record has not come")
            os.read(reader.stdout.fileno(), 65536)
            times.append(time.monotonic() - begin)
            sock.recv(100)
            time.sleep(pause)
    for process in (reader, first, second):
        process.terminate()
        process.wait()
    return percentiles(times)


def wait_for(port):
    """Until Redis answers, ten seconds at most."""
    end = time.monotonic() + 10
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port)) as sock:
                sock.sendall(command(b"PING"))
                if sock.recv(100).startswith(b"+PONG"):
                    return
        except ConnectionRefusedError:
            pass
        if time.monotonic() > end:
            raise SystemExit("redis-server does not answer")


def measure_redis(folder, rounds, count):
    port = random.randrange(10000, 32000)
    redis = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder],
                             stdout=subprocess.DEVNULL)
    try:
        wait_for(port)
        ratios = []
        for i in range(rounds):
            ours, bare = two_servers(port, count, 0.001), bare_hop(port, count, 0.001)
            ratios.append((ours[0] / bare[0], ours[1] / bare[1]))
            print(f"redis {i + 1}: netkit p50 {ours[0]:.0f} µs, p99 {ours[1]:.0f} µs; bare hop p50 {bare[0]:.0f} µs, p99 {bare[1]:.0f} µs")
        return [statistics.median(column) for column in zip(*ratios)]
    finally:
        redis.kill()
        redis.wait()


def main():
    parser = argparse.ArgumentParser(prog="tools/bench store", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--records", type=int, default=20000, help="of sqlite; a tenth of them of redis")
    parser.add_argument("--json", action="store_true", help="print the quotients as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        quotients = {"sqlite": measure_sqlite(folder, options.rounds, options.records)}
        quotients["p50"], quotients["p99"] = measure_redis(folder, options.rounds, options.records // 10)
    if options.json:
        print(json.dumps(quotients))
    good = [quotients["sqlite"] >= GOALS["sqlite"], quotients["p50"] <= GOALS["p50"], quotients["p99"] <= GOALS["p99"]]
    print(f"sqlite {quotients['sqlite']:.2f} of bare (goal {GOALS['sqlite']}), redis p50 {quotients['p50']:.2f} and p99 "
          f"{quotients['p99']:.2f} times a bare hop (goal {GOALS['p50']})")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
