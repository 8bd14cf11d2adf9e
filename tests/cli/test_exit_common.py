"""The exit statuses that every command has, brought about with each of its actions."""

import signal

from exit_status import ends_each
from exit_ways import (AS_OTHERS, LINES, LISTEN, NO_LEAK_CHECK, PEER, TOLD, UNPRIVILEGED, broken_pipe, by_second_signal,  # noqa: F401
                       full_pipe, silent, with_fault, words_of)
from netkit import is_sanitized, netkit_path

EVERY = [(command, action) for command, actions in LINES.items() for action in actions]
ADDRESSED = [pair for pair in EVERY if any(word in " ".join(words_of(*pair, LISTEN, PEER)) for word in (LISTEN, PEER))]
SERVERS = [pair for pair in EVERY if LISTEN in words_of(*pair, LISTEN, PEER)]
RECORDED = [pair for pair in EVERY if pair != ("frame", "encode")]  # which has no end record to write


# What ends a run before it has begun.


@ends_each("2 wrong usage", EVERY)
def test_unknown_option(netkit, command, action):
    return netkit.run(*words_of(command, action), "--nonsense")


@ends_each("68 name not resolved", ADDRESSED)
def test_unknown_name(netkit, command, action):
    return netkit.run(*words_of(command, action, "no-such-host.invalid:0", "no-such-host.invalid:9"))


@ends_each("70 internal or plugin fault", EVERY)
def test_few_descriptors(netkit, silent, command, action):
    """Its first descriptor cannot be made; with a few more allowed a later one, and it crashes of none."""
    words = [netkit_path(), *words_of(command, action, peer=silent.address), "-t", "10ms"]
    if is_sanitized():
        return netkit.run(argv=with_fault("epoll_create1", "EMFILE", *words), env=NO_LEAK_CHECK)
    runs = [netkit.run(argv=["prlimit", f"--nofile={count}:{count}", *words]) for count in range(4, 10)]
    assert all(run.status >= 0 for run in runs), runs
    return runs[0]


@ends_each("70 internal or plugin fault", [(command, next(iter(actions))) for command, actions in LINES.items()])
def test_broken_plugin(netkit, tmp_path, command, action):
    (tmp_path / "plugins").mkdir(mode=0o755)
    (tmp_path / "plugins" / f"{command}.so").write_text("no plugin")
    return netkit.run("--plugin-dir", tmp_path / "plugins", *words_of(command, action))


@ends_each("78 configuration", EVERY)
def test_configuration(netkit, tmp_path, command, action):
    (tmp_path / "config").write_text(f"[{command}]\nnonsense = 1\n")
    return netkit.run(*words_of(command, action), "--config", tmp_path / "config")


# What becomes of servers.


STORING = [("chat", "serve"), ("push", "serve"), ("sse", "serve")]


@ends_each("78 what --store names is not a store", STORING)
def test_no_store(netkit, tmp_path, command, action):
    (tmp_path / "notes.txt").write_text("not a database\n")
    return netkit.run(*words_of(command, action), "--store", f"sqlite:{tmp_path}/notes.txt")


@ends_each("77 the store denies access", STORING)
def test_read_only_store(netkit, tmp_path, command, action):
    (tmp_path / "store.db").touch()
    (tmp_path / "store.db").chmod(0o400)
    return netkit.run(argv=[*AS_OTHERS, netkit_path(), *words_of(command, action), "--store", f"sqlite:{tmp_path}/store.db"])


@ends_each("75 the store is unavailable or refuses entries when the server exits", [("push", "serve"), ("sse", "serve")])
def test_full_store(netkit, tmp_path, command, action):
    (tmp_path / "disk").mkdir()
    script = 'mount -t tmpfs -o size=256k none "$0" && exec "$@"'
    server = netkit.serve(argv=["unshare", "-m", "sh", "-c", script, str(tmp_path / "disk"), netkit_path(),
                                *words_of(command, action), "--from", "-", "--store", f"sqlite:{tmp_path}/disk/store.db"])
    for _ in range(20):
        server.write(b"x" * 20000 + b"\n")
    server.err.expect(rb"the store refuses entries: its disk is full")
    server.signal(signal.SIGTERM)
    return server


@ends_each("69 address in use, or not one of this machine", SERVERS)
def test_in_use(netkit, silent, command, action):
    return netkit.run(*words_of(command, action, silent.address))


@ends_each("69 address in use, or not one of this machine", SERVERS)
def test_not_here(netkit, command, action):
    return netkit.run(*words_of(command, action, "192.0.2.1:0"))


@ends_each("77 the port needs privileges", SERVERS)
def test_privileges(netkit, command, action):
    return netkit.run(argv=[*UNPRIVILEGED, netkit_path(), *words_of(command, action, ":1")])


@TOLD
@ends_each("0 ended by INT or TERM", SERVERS)
def test_server_is_told(netkit, silent, command, action, signo):
    server = netkit.serve(*words_of(command, action, peer=silent.address))
    server.signal(signo)
    return server


@ends_each("128+n ended at once by a second signal", SERVERS)
def test_by_two(netkit, silent, full_pipe, command, action):
    return by_second_signal(netkit.serve(*words_of(command, action, peer=silent.address), "--json", stdout=full_pipe))


# What ends any run.


@ends_each("74 output or file error", RECORDED)
def test_full_disk(netkit, silent, command, action):
    with open("/dev/full", "wb") as full:
        return netkit.start(*words_of(command, action, peer=silent.address), "--json", "-t", "50ms", stdout=full)


@ends_each("74 output or file error", RECORDED)
def test_no_such_folder(netkit, silent, tmp_path, command, action):
    return netkit.run(*words_of(command, action, peer=silent.address), "--to", f"file:{tmp_path}/no/folder")


@ends_each("128+n the reader of standard output has gone", RECORDED)
def test_reader_gone(netkit, silent, broken_pipe, command, action):
    run = netkit.start(*words_of(command, action, peer=silent.address), "--json", "-t", "50ms", stdout=broken_pipe)
    return run, signal.SIGPIPE


@ends_each("124 --timeout passed", EVERY)
def test_timeout(netkit, silent, command, action):
    return netkit.start(*words_of(command, action, peer=silent.address), "-t", "50ms")
