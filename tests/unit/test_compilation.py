"""Compiled kernels are kept where they can be, apart for each version of their sources."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from numba.core.compiler_machinery import PassManager

from maerisim.kernels.compiling import cache as compilation
from maerisim.kernels.compiling.pipeline import Passes

KERNEL = """
from maerisim.kernels.compiling.jit import kernel

@kernel
def more(number: int) -> int:
    return number + 1

print(more(6))
"""


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A package of two kernels in place of ours, and a user's cache."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "one.py").write_text("ONE = 1\n")
    (package / "two.py").write_text("TWO = 2\n")
    monkeypatch.setattr(compilation, "_SOURCES", package)
    monkeypatch.setattr(compilation, "directory", compilation.directory.__wrapped__)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return package


def test_a_change_in_any_source_means_another_directory(sources):
    first = compilation.directory()
    assert compilation.directory() == first
    (sources / "two.py").write_text("TWO = 3\n")
    second = compilation.directory()
    assert second != first
    (sources / "two.py").write_text("TWO = 2\n")
    assert compilation.directory() == first
    assert first.parent == second.parent == sources / "__pycache__"


@pytest.mark.parametrize("folder", ["compiling", "stepping", "estimating"])
def test_kernels_of_all_folders_share_one_directory(folder, tmp_path, monkeypatch):
    kernels = tmp_path / "kernels"
    shutil.copytree(compilation._SOURCES, kernels, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(compilation, "_SOURCES", kernels)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    find = compilation.directory.__wrapped__
    files = [path for path in sorted((kernels / folder).glob("*.py")) if path.stem != "__init__"]
    before = find()
    changed = set()
    for path in files:
        text = path.read_text(encoding="utf-8")
        path.write_text(f"{text}# changed\n", encoding="utf-8")
        changed.add(find())
        path.write_text(text, encoding="utf-8")
    assert len(changed - {before}) == len(files) > 2
    assert find() == before


def test_a_moved_line_is_a_change(sources):
    first = compilation.directory()
    (sources / "one.py").write_text("")
    (sources / "two.py").write_text("ONE = 1\nTWO = 2\n")
    assert compilation.directory() != first


def test_only_the_latest_generations_are_left(sources):
    made = []
    for number in range(6):
        (sources / "one.py").write_text(f"ONE = {number}\n")
        made.append(compilation.directory())
        os.utime(made[-1], (number, number))
    assert sorted(made[0].parent.iterdir()) == sorted(made[-3:])


def test_the_users_choice_comes_first(sources, monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "chosen"))
    assert compilation.directory().parent == tmp_path / "chosen"


def test_beside_a_read_only_installation_the_users_cache_is_taken(sources, tmp_path):
    (sources / "__pycache__").write_text("a file where the directory would be")
    assert compilation.directory().parent == tmp_path / "cache" / "maerisim"


def test_no_place_at_all(sources, tmp_path):
    (sources / "__pycache__").write_text("")
    (tmp_path / "cache").write_text("")
    assert compilation.directory() is None


def test_kernels_run_where_none_can_be_kept(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    finished = subprocess.run(
        [sys.executable, "-c", KERNEL],
        env=os.environ | {"NUMBA_CACHE_DIR": str(blocked / "below")},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert finished.stdout == "7\n"
    assert finished.stderr == ""


@pytest.mark.skipif(sys.platform != "linux", reason="counts the pages that Linux hands out")
def test_passes_get_their_stack_once(monkeypatch):
    """Calls in a loop, at a depth where CPython asks for memory and returns it in each of them, or at any other."""
    import resource

    monkeypatch.setattr(PassManager, "run", lambda _self, work: work())

    def nothing():
        pass

    def call_at(depth):
        if depth:
            call_at(depth - 1)
        for _ in range(200):
            nothing()

    def pages_for(calls):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        calls()
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    assert pages_for(lambda: Passes("at all depths").run(lambda: [call_at(depth) for depth in range(200)])) < 2000
