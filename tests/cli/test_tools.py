"""The scripts in tools/: what they check can fail, and they leave the user where he is. And what tests have started ends
with them."""

import os
import pathlib
import shutil
import subprocess

import pytest

from netkit import Netkit, wait_until

SOURCE = pathlib.Path(os.environ["NETKIT_SOURCE"])


@pytest.fixture
def tree(tmp_path):
    """A tree of nothing but the scripts, and of programs that pretend to have done what they were asked for."""
    root = tmp_path / "a tree"
    shutil.copytree(SOURCE / "tools", root / "tools", ignore=shutil.ignore_patterns("netkit"))
    shutil.copy(SOURCE / ".clang-format", root)
    (tmp_path / "bin").mkdir()
    return root


def pretend(tree, name, script):
    program = tree.parent / "bin" / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def run(tree, *words, cwd=None):
    env = dict(os.environ, PATH=f"{tree.parent}/bin:/usr/bin:/bin", HOME=str(tree.parent))
    return subprocess.run([tree / words[0], *words[1:]], cwd=cwd or tree, env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False, timeout=60)


def test_lint_looks_at_a_tree_that_belongs_to_somebody_else(tree):
    (tree / "bad.hpp").write_text("int   f( );\n")
    for words in (("init", "-q"), ("add", "."), ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a")):
        subprocess.run(["git", *words], cwd=tree, env=dict(os.environ, HOME=str(tree.parent)), check=True)
    if os.geteuid() == 0:
        for path in (tree, *tree.rglob("*")):
            os.chown(path, 12345, 12345, follow_symlinks=False)
    done = run(tree, "tools/lint")
    assert done.returncode == 1 and "lint: run tools/lint --fix" in done.stderr and "clean" not in done.stdout, done


@pytest.mark.parametrize("words", [[], ["--base", "nonsense"]])
def test_lint_is_not_clean_where_git_lists_nothing(tree, words):
    (tree / "fine.hpp").write_text("int f();\n")
    if words:
        subprocess.run(["git", "init", "-q"], cwd=tree, check=True)
    done = run(tree, "tools/lint", *words)
    assert done.returncode == 1 and "tools/lint: git " in done.stderr and "clean" not in done.stdout, done


def test_check_clang_fails_without_a_clang(tree):
    pretend(tree, "dpkg-query", "echo installed")
    pretend(tree, "apt-cache", "exit 0")
    done = run(tree, "tools/check", "clang")
    assert done.returncode == 1 and "apt knows no clang" in done.stderr, done


def test_run_runs_where_the_user_is(tree, tmp_path):
    pretend(tree, "dpkg-query", "echo installed")
    pretend(tree, "cmake", "exit 0")
    (tree / "build/release/bin").mkdir(parents=True)
    program = tree / "build/release/bin/netkit"
    program.write_text('#!/bin/sh\npwd; echo "$1"\n')
    program.chmod(0o755)
    done = run(tree, "tools/run", "a word", cwd=tmp_path)
    assert (done.stdout, done.returncode) == (f"{os.path.realpath(tmp_path)}\na word\n", 0), done


def test_what_a_test_has_started_ends_with_it_and_with_what_that_has_started(tmp_path):
    tool = Netkit(tmp_path)
    child = int(tool.start(argv=["sh", "-c", "sleep 300 & echo $!; wait"]).out.line())
    tool.cleanup()
    stat = pathlib.Path(f"/proc/{child}/stat")
    wait_until(lambda: not stat.exists() or stat.read_text().split(")")[1].split()[0] == "Z")
