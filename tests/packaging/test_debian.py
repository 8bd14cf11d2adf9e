"""The Debian packages: made by cpack, linted, and used from where dpkg puts them."""

import glob
import gzip
import hashlib
import os
import re
import subprocess

import pytest

from programs import command

BUILD = os.environ.get("NETKIT_BUILD", "")
SOURCE = os.environ.get("NETKIT_SOURCE", "")


pytestmark = pytest.mark.timeout(420)  # lintian and strip are slow where many tests run


def pack(folder, umask="022", **env):
    """The two packages of this build, by name."""
    command("sh", "-c", f'umask {umask}; exec "$@"', "sh", "cpack", "--config", os.path.join(BUILD, "CPackConfig.cmake"),
            "-B", folder, cwd=folder, env=dict(os.environ, **env))
    found = {os.path.basename(path).split("_")[0]: path for path in glob.glob(f"{folder}/*.deb")}
    assert sorted(found) == ["netkit", "netkit-dev"]
    return found


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    return pack(tmp_path_factory.mktemp("packages"))


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


def test_lintian_finds_neither_errors_nor_warnings(packages, tmp_path):
    shown = command("lintian", "--allow-root", "--fail-on", "error,warning", "--no-cfg", "--suppress-tags", NOT_OURS,
                    *packages.values(), env=dict(os.environ, TMPDIR=str(tmp_path)))
    assert shown == "", shown


def sums(package):
    """Of what is in it, and of what dpkg is told of it."""
    return [command("sh", "-c", f'dpkg-deb --{kind}-tarfile "$1" | sha256sum', "sh", package) for kind in ("fsys", "ctrl")]


def test_packed_again_they_hold_the_same_bytes(packages, tmp_path):
    """Whoever packs them, wherever and whenever."""
    for name, package in pack(tmp_path, umask="077", TZ="Pacific/Auckland", HOME=str(tmp_path)).items():
        assert command("dpkg-deb", "--contents", package) == command("dpkg-deb", "--contents", packages[name])
        assert sums(package) == sums(packages[name]), name


def linked(root):
    """The libraries that the ELF files below `root` name and that are not there themselves."""
    programs = [root / "usr/bin/netkit", *(path for path in root.rglob("*") if re.search(r"\.so(\.|$)", path.name))]
    shown = "".join(command("readelf", "--dynamic", path) for path in programs if not path.is_symlink())
    own = set(re.findall(r"Library soname: \[(.*)\]", shown))
    return set(re.findall(r"Shared library: \[(.*)\]", shown)) - own


def test_it_depends_on_what_it_links_and_no_more(packages, root):
    triple = command("c++", "-print-multiarch").strip()
    shown = "".join(command("dpkg-query", "--search", f"*/{triple}/{library}") for library in linked(root))
    owners = {line.split(":")[0] for line in shown.splitlines() if not line.startswith("diversion ")}
    names = {re.split(r"[ (]", one.strip())[0] for one in field(packages["netkit"], "Depends").split(",")}
    assert names == owners | {"netbase"} and "libc6" in owners
    assert re.fullmatch(r"netkit \(= .*-1\)", field(packages["netkit-dev"], "Depends"))
    assert field(packages["netkit"], "Section") == "net"


def test_the_library_is_in_the_one_and_its_headers_in_the_other(packages):
    program, dev = files(packages["netkit"]), files(packages["netkit-dev"])
    assert "/usr/bin/netkit" in program and not any("/include/" in path for path in program)
    assert any(re.search(r"/libnetkit-core\.so\.\d+$", path) for path in program)
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
    plugins = [r for r in listed if r["type"] == "plugin" and r["ok"] and r["path"].startswith(str(root))]
    assert len([r for r in plugins if r["kind"] == "command"]) == 6
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


def made_by_units(system, command):
    """What an instance of a unit leaves on a system: as systemd, `systemctl enable` and `edit`, and its administrator
    make it."""
    state = system / f"var/lib/private/netkit-{command}-7000"
    state.mkdir(parents=True)
    (state / "log").write_text("kept\n")
    (system / f"var/lib/netkit-{command}-7000").symlink_to(f"private/netkit-{command}-7000")
    for path in (f"etc/default/netkit-{command}-7000", f"etc/systemd/system/netkit-{command}@7000.socket.d/override.conf",
                 f"etc/systemd/system/sockets.target.wants/netkit-{command}@7000.socket",
                 f"etc/systemd/system/multi-user.target.wants/netkit-{command}@7000.service"):
        (system / path).parent.mkdir(parents=True, exist_ok=True)
        (system / path).touch()


def test_dpkg_installs_and_removes_it_and_leaves_nothing(packages, root, tmp_path):
    """Into a root of its own, so without the packages that it depends on."""
    database = tmp_path / "var/lib/dpkg"
    for folder in ("info", "updates", "triggers"):
        (database / folder).mkdir(parents=True)
    (database / "status").touch()
    # Names that are alike, and what others have put into the same folders.
    for path in ("var/lib/private/netkit", "etc/default/netkit", "etc/systemd/system/sockets.target.wants/netkit.socket",
                 "etc/systemd/system/multi-user.target.wants/other@7000.service"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    before = set(map(str, tmp_path.rglob("*")))
    # Its scripts run outside of that root, where DPKG_ROOT tells them to leave the system alone.
    dpkg = ["dpkg", f"--root={tmp_path}", "--force-not-root", "--force-depends", "--force-script-chrootless",
            "--log=/dev/null"]
    command(*dpkg, "--no-triggers", "--install", *packages.values())
    assert (tmp_path / "usr/bin/netkit").exists()
    commands = {re.match(r"netkit-(\w+)@", unit.name).group(1) for unit in root.glob("usr/lib/systemd/system/*")}
    for name in commands:
        made_by_units(tmp_path, name)
    (tmp_path / "etc/xdg/netkit").mkdir(parents=True)
    (tmp_path / "etc/xdg/netkit/config").touch()
    before.add(str(tmp_path / "etc/xdg"))  # of every package that has a file there
    command(*dpkg, "--no-triggers", "--remove", "netkit-dev", "netkit")
    assert not (tmp_path / "usr/bin/netkit").exists()
    assert all((tmp_path / f"var/lib/netkit-{name}-7000/log").exists() for name in commands), "to purge is another thing"
    command(*dpkg, "--no-triggers", "--purge", "netkit-dev", "netkit")
    after = {path for path in set(map(str, tmp_path.rglob("*"))) if not path.startswith(str(database))}
    assert after == {path for path in before if not path.startswith(str(database))}


# ---- netkit-dev, unpacked beside netkit

LIBRARIES = ("Poco", "boost", "curl", "fmt", "openssl", "rapidjson", "readline")


def test_the_headers_are_those_of_the_sources_and_need_no_library(root):
    """netkit-dev depends on no other -dev package."""
    folder = root / "usr/include"
    shipped = {str(path.relative_to(folder)) for path in folder.rglob("*.hpp")}
    own = os.path.join(SOURCE, "core", "include")
    assert shipped >= {os.path.relpath(path, own) for path in glob.glob(f"{own}/**/*.hpp", recursive=True)}
    for header in shipped:
        includes = re.findall(r"^ *# *include [<\"]([^>\"]+)", (folder / header).read_text(), re.M)
        assert not [name for name in includes if name.split("/")[0] in LIBRARIES], header
        assert all(name in shipped for name in includes if name.startswith("netkit/")), header


def test_the_headers_are_whole_in_any_order(root, tmp_path):
    folder = root / "usr/include"
    headers = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.hpp"))
    for name, order in (("forth.cpp", headers), ("back.cpp", headers[::-1])):
        (tmp_path / name).write_text("".join(f"#include <{header}>\n" for header in order))
    command("c++", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", f"-I{folder}", "forth.cpp", "back.cpp",
            cwd=tmp_path)


TLS_PROJECT = """cmake_minimum_required(VERSION 3.25)
project(tls LANGUAGES CXX)
find_package(netkit REQUIRED)
add_executable(tls tls.cpp)
target_link_libraries(tls PRIVATE netkit::netkit-core)
"""
TLS_PROGRAM = """#include <netkit/tls/tls.hpp>
int main() { return netkit::TlsContext::client({}) != nullptr ? 0 : 1; }
"""


def test_tls_needs_no_other_package_to_build(root, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(TLS_PROJECT)
    (tmp_path / "tls.cpp").write_text(TLS_PROGRAM)
    command("cmake", "-B", "build", f"-DCMAKE_PREFIX_PATH={root}/usr", cwd=tmp_path)
    command("cmake", "--build", "build", cwd=tmp_path)
    command(tmp_path / "build/tls")


def test_a_new_plugin_is_built_with_find_package(netkit, root, tmp_path):
    program = root / "usr/bin/netkit"
    assert netkit.run(argv=[program, "plugins", "new", "hello"], cwd=tmp_path).status == 0
    plugin = tmp_path / "hello"
    command("cmake", "-B", "build", f"-DCMAKE_PREFIX_PATH={root}/usr", cwd=plugin)
    with open(plugin / "build/CMakeCache.txt", encoding="utf-8") as cache:
        assert f"netkit_DIR:PATH={root}/usr/lib/cmake/netkit\n" in cache.read()
    command("cmake", "--build", "build", cwd=plugin)
    shown = command("ctest", "--test-dir", "build", "--output-on-failure", "--no-tests=error", cwd=plugin)
    assert "100% tests passed" in shown
    server = netkit.start(argv=[program, "--plugin-dir", plugin / "build", "hello", "serve", "127.0.0.1:0", "-c", "1"])
    address = server.err.expect(rb"listening on udp (\S+)\n").group(1).decode()
    assert netkit.run(argv=[program, "--plugin-dir", plugin / "build", "hello", "ask", address, "hi"]).out == b"HI\n"
    assert server.wait() == 0
    # Installed as its README has it, and found without being named.
    command("cmake", "--install", "build", cwd=plugin)
    listed = netkit.run(argv=[program, "plugins", "--json"]).records
    here = [r["path"] for r in listed if r.get("name") == "hello"]
    with open(plugin / "build/install_manifest.txt", encoding="utf-8") as manifest:
        installed = manifest.read().split()
    for path in installed:
        os.remove(path)
    assert len(here) == 1 and here[0] in installed and here[0].startswith(str(root)), listed


def test_a_plugin_is_built_with_pkg_config(netkit, root, tmp_path):
    env = dict(os.environ, PKG_CONFIG_PATH=f"{root}/usr/lib/pkgconfig")
    flags = command("pkg-config", "--cflags", "--libs", "netkit", env=env).split()
    assert str(root) in "".join(flags), "a netkit that is installed here is not meant"
    source = os.path.join(os.path.dirname(__file__), "hello", "hello.cpp")
    command("c++", "-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-z,now", "-Wl,-z,defs", source, *flags, "-o",
            tmp_path / "hello.so")
    done = netkit.run(argv=[root / "usr/bin/netkit", "--plugin-dir", tmp_path, "hello", "greet"])
    assert done.out == b"hello world\n", done
