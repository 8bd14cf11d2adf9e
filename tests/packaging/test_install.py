"""What an installation holds, and that it can be moved."""

import os
import shutil

PREFIX = os.environ.get("NETKIT_PREFIX", "")


def test_every_file_is_where_it_is_looked_for():
    for path in ("bin/netkit", "include/netkit/plugin/plugin.hpp", "include/netkit/version.hpp",
                 "share/bash-completion/completions/netkit", "share/zsh/site-functions/_netkit",
                 "share/fish/vendor_completions.d/netkit.fish", "share/man/man1/netkit.1",
                 "share/man/man1/netkit-shell.1", "share/man/man3/netkit-plugin.3", "share/man/man5/netkit.conf.5",
                 "share/man/man7/netkit-migrate.7", "share/man/man7/netkit-protocol.7", "share/man/man7/netkit-recipes.7", "share/man/man7/netkit-store.7",
                 "share/netkit/netkit.lua", "share/netkit/grafana.json", "share/netkit/alerts.yml",
                 "lib/systemd/system/netkit-echo@.service",
                 "lib/systemd/system/netkit-echo@.socket"):
        assert os.path.exists(os.path.join(PREFIX, path)), path


def test_nothing_in_it_is_writable_by_others():
    for folder, _, files in os.walk(PREFIX):
        for path in [folder, *(os.path.join(folder, name) for name in files)]:
            assert os.path.islink(path) or os.stat(path).st_mode & 0o002 == 0, path


def test_it_runs_after_a_move(netkit, tmp_path):
    moved = tmp_path / "elsewhere"
    shutil.copytree(PREFIX, moved, symlinks=True)
    here = netkit.run("plugins", "--json").records
    there = netkit.run(argv=[moved / "bin" / "netkit", "plugins", "--json"]).records
    assert [r.get("name") for r in here] == [r.get("name") for r in there]
    assert all(r["path"].startswith(str(moved)) for r in there if r["type"] == "plugin" and r["path"])


def test_a_link_to_it_finds_its_plugins(netkit, tmp_path):
    link = tmp_path / "netkit"
    link.symlink_to(os.path.join(PREFIX, "bin/netkit"))
    assert netkit.run(argv=[link, "plugins", "--json"]).out == netkit.run("plugins", "--json").out
