"""The Debian packages: made by cpack, linted, and used from where dpkg puts them."""

import glob
import gzip
import hashlib
import os
import re
import subprocess

import pytest

BUILD = os.environ.get("NETKIT_BUILD", "")
SOURCE = os.environ.get("NETKIT_SOURCE", "")


pytestmark = pytest.mark.timeout(420)  # lintian and strip are slow where many tests run


def command(*argv, **kwargs):
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, check=False, timeout=400, **kwargs)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The two packages of this build, by name."""
    folder = tmp_path_factory.mktemp("packages")
    command("cpack", "--config", os.path.join(BUILD, "CPackConfig.cmake"), "-B", folder, cwd=folder)
    found = {os.path.basename(path).split("_")[0]: path for path in glob.glob(f"{folder}/*.deb")}
    assert sorted(found) == ["netkit", "netkit-dev"]
    return found


@pytest.fixture(scope="module")
def root(packages, tmp_path_factory):
    """Both of them unpacked, as dpkg does it."""
    folder = tmp_path_factory.mktemp("root")
    for package in packages.values():
        command("dpkg-deb", "--extract", package, folder)
    return folder


def field(package, name):
    return command("dpkg-deb", "--field", package, name).strip()


def files(package):
    """Its paths; the sixth word of a line, which a link's target follows."""
    paths = {line.split()[5].lstrip(".") for line in command("dpkg-deb", "--contents", package).splitlines()}
    return paths - {"/"}


# Of a package that is in no archive: it closes no bug; its libraries are its own; plugins are not cross-compiled.
NOT_OURS = "initial-upload-closes-no-bugs,package-name-doesnt-match-sonames,pkg-config-unavailable-for-cross-compilation"


def test_lintian_finds_neither_errors_nor_warnings(packages):
    shown = command("lintian", "--allow-root", "--fail-on", "error,warning", "--no-cfg", "--suppress-tags", NOT_OURS,
                    *packages.values())
    assert shown == "", shown


def test_it_depends_on_what_it_links_and_no_more(packages):
    names = {re.split(r"[ (]", one.strip())[0] for one in field(packages["netkit"], "Depends").split(",")}
    with open(os.path.join(SOURCE, "tools", "packages.txt"), encoding="utf-8") as file:
        listed = {line.split()[0] for line in file if line.rstrip().endswith(" run")}
    assert names - {"libc6", "libgcc-s1", "libstdc++6"} <= listed
    assert {"libc6", "libcurl4", "libreadline8", "libssl3", "netbase"} <= names
    assert re.fullmatch(r"netkit \(= .*-1\)", field(packages["netkit-dev"], "Depends"))
    assert field(packages["netkit"], "Section") == "net"


def test_the_library_is_in_the_one_and_its_headers_in_the_other(packages):
    program, dev = files(packages["netkit"]), files(packages["netkit-dev"])
    assert "/usr/bin/netkit" in program and not any("/include/" in path for path in program)
    assert any(path.endswith("/libnetkit-core.so.1") for path in program)
    assert any(path.endswith("/libnetkit-core.so") for path in dev)
    assert "/usr/include/netkit/plugin/plugin.hpp" in dev and "/usr/share/man/man3/netkit-plugin.3.gz" in dev
    assert all(path.startswith("/usr/") for path in program | dev)
    assert not {path for path in program & dev if not path.endswith("/")}, "a file is in both"


def test_it_says_what_debian_wants_to_know(root):
    for name in ("netkit", "netkit-dev"):
        doc = root / "usr/share/doc" / name
        assert "GPL-3+" in (doc / "copyright").read_text()
        assert gzip.decompress((doc / "changelog.Debian.gz").read_bytes()).startswith(b"netkit (")
    for page in glob.glob(f"{root}/usr/share/man/man*/*"):
        assert page.endswith(".gz"), page


def test_its_sums_are_right(packages, root, tmp_path):
    for name, package in packages.items():
        control = tmp_path / name
        command("dpkg-deb", "--control", package, control)
        lines = (control / "md5sums").read_text().splitlines()
        assert {line.split("  ", 1)[1] for line in lines} == \
            {path.lstrip("/") for path in files(package) if os.path.isfile(root / path.lstrip("/"))
             and not os.path.islink(root / path.lstrip("/"))}
        for line in lines:
            digest, path = line.split("  ", 1)
            assert hashlib.md5((root / path).read_bytes()).hexdigest() == digest, path


def test_it_runs_from_there(netkit, root):
    program = root / "usr/bin/netkit"
    listed = netkit.run(argv=[program, "plugins", "--json"]).records
    assert len([r for r in listed if r["type"] == "plugin" and r["ok"] and r["path"].startswith(str(root))]) == 6
    server = netkit.start(argv=[program, "echo", "serve", "127.0.0.1:0", "--udp", "-q"])
    address = server.err.expect(rb"listening on udp (\S+)\n").group(1).decode()
    assert netkit.run(argv=[program, "echo", "send", address, "hi"]).out == b"hi\n"


def test_debians_shells_find_its_completion(netkit, root):
    """zsh in its own fpath, bash and fish in the folders that their packages name."""
    fpath = subprocess.run(["zsh", "-f", "-c", "print -l $fpath"], capture_output=True, text=True, check=True).stdout
    found = [folder for folder in fpath.splitlines() if (root / folder.lstrip("/") / "_netkit").exists()]
    assert len(found) == 1
    shown = netkit.run(argv=["zsh", "-f", "-c", f"fpath=({root}{found[0]} $fpath); autoload -Uz compinit; compinit -u -D; "
                                                "print -r -- ${_comps[netkit]}"])
    assert shown.out == b"_netkit\n"
    assert (root / "usr/share/bash-completion/completions/netkit").exists()
    assert (root / "usr/share/fish/vendor_completions.d/netkit.fish").exists()


def test_units_name_the_program_that_is_installed(root):
    units = glob.glob(f"{root}/usr/lib/systemd/system/*.service")
    assert len(units) == 6
    for unit in units:
        with open(unit, encoding="utf-8") as file:
            assert "\nExecStart=/usr/bin/netkit " in file.read(), unit


def test_dpkg_installs_and_removes_it_and_leaves_nothing(packages, tmp_path):
    """Into a root of its own, so without the packages that it depends on."""
    database = tmp_path / "var/lib/dpkg"
    for folder in ("info", "updates", "triggers"):
        (database / folder).mkdir(parents=True)
    (database / "status").touch()
    before = set(map(str, tmp_path.rglob("*")))
    # Its scripts run outside of that root, where DPKG_ROOT tells them to leave the system alone.
    dpkg = ["dpkg", f"--root={tmp_path}", "--force-not-root", "--force-depends", "--force-script-chrootless",
            "--log=/dev/null"]
    command(*dpkg, "--no-triggers", "--install", *packages.values())
    assert (tmp_path / "usr/bin/netkit").exists()
    command(*dpkg, "--no-triggers", "--purge", "netkit-dev", "netkit")
    left = {path for path in set(map(str, tmp_path.rglob("*"))) - before if not path.startswith(str(database))}
    assert not left, left
