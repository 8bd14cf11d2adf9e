"""What the compiler and the linker do against those who find a fault."""

import json
import os
import pathlib
import subprocess

import pytest

from programs import command

PREFIX = pathlib.Path(os.environ.get("NETKIT_PREFIX", ""))
SOURCE = pathlib.Path(os.environ.get("NETKIT_SOURCE", ""))


def objects():
    """The programs and libraries of the installation."""
    for path in sorted(PREFIX.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with open(path, "rb") as file:
                if file.read(4) == b"\x7fELF":
                    yield path


def test_what_is_installed():
    found = list(objects())
    assert PREFIX / "bin" / "netkit" in found and len(found) > 7
    for path in found:
        headers = command("readelf", "-lhW", path)
        assert "Type:                              DYN" in headers, f"{path} is not position-independent"
        assert "GNU_RELRO" in headers, path
        stack = next(line for line in headers.splitlines() if "GNU_STACK" in line)
        assert " RWE " not in stack, f"the stack of {path} can be executed"


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """The commands that compile what people install."""
    build = tmp_path_factory.mktemp("release")
    command("cmake", "-S", SOURCE, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
            "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
    return json.loads((build / "compile_commands.json").read_text())


def test_how_it_is_compiled(release):
    assert len(release) > 40  # each is a file, or some that are compiled together
    for entry in release:
        for flag in ("-fstack-protector-strong", "-D_FORTIFY_SOURCE=2"):
            assert flag in entry["command"], f"{entry['file']}: {flag}"


def test_that_the_flags_take_effect(release, tmp_path):
    """One file, compiled as the others are: its buffers are watched."""
    flags = [word for word in release[0]["command"].split() if word.startswith(("-O", "-D_F", "-U_F", "-f")) and
             not word.startswith("-ffile-prefix-map")]
    source = tmp_path / "x.cpp"
    source.write_text("#include <cstring>\nvoid use(char*);\nvoid f(const char* text) { char buffer[32]; "
                      "std::strcpy(buffer, text); use(buffer); }\n")
    subprocess.run(["c++", *flags, "-c", str(source), "-o", str(tmp_path / "x.o")], check=True, timeout=60)
    symbols = command("nm", "-u", tmp_path / "x.o")
    assert "__stack_chk_fail" in symbols and "__strcpy_chk" in symbols
