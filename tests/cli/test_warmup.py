"""Kernels are compiled once, before or in the first command, which says so in one line."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from maerisim.cli.compiling import Announcement, announcement
from maerisim.kernels.compiling import cache as compilation

LAYER = ("maeri-16", "tiny", "--layer", "strided")


@pytest.mark.slow
def test_the_first_command_compiles_and_says_so_and_warmup_compiles_the_rest(maerisim, tmp_path):
    mapping = ("--mapping", str(tmp_path / "given.yaml"))
    assert maerisim("map", *LAYER, "-o", mapping[1]).code == 0

    def run(*arguments):
        finished = subprocess.run(
            [sys.executable, "-m", "maerisim", *arguments],
            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "kernels")},
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        return finished.stdout, finished.stderr

    given, said = run("simulate", *LAYER, *mapping)
    assert said == announcement()
    assert not any("ranking" in file.name for file in (tmp_path / "kernels").rglob("*"))
    assert run("simulate", *LAYER, *mapping) == (given, "")
    table, said = run("simulate", *LAYER)
    assert said == announcement()
    assert table == given
    for how, compiles in (
        ([], False),
        (["--no-fast-forward"], False),
        (["--check-values"], True),
        (["--check-values"], False),
    ):
        again, said = run("simulate", *LAYER, *how)
        assert again.splitlines()[0] == table.splitlines()[0]
        assert said == (announcement() if compiles else "")
    assert run("validate", "stonne", "tiny", "--layer", "matmul")[1] == ""
    listed, said = run("warmup")
    assert said == announcement()
    *kernels, summary = listed.splitlines()
    assert {line.split()[0] for line in kernels} == {"fabric.run_in_lock_step", "transfers.follow"}
    assert summary.startswith("kernels compiled: 2; kept in ")
    listed, said = run("warmup")
    assert listed.startswith("all kernels were compiled already; kept in ")
    assert listed.count("\n") == 1
    assert said == ""


def test_compiling_is_announced_once(capsys):
    with compilation.watched(Announcement()):
        compilation.tell("fabric.run", None)
        compilation.tell("fabric.run", 9.5)
        compilation.tell("analytic.estimate_all", None)
    compilation.tell("nobody listens", None)
    assert capsys.readouterr().err == announcement()
    assert announcement().count("\n") == 1


def test_where_nothing_can_be_kept_the_announcement_says_where_it_was_tried_and_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compilation, "directory", lambda: None)
    assert str(tmp_path) in announcement()
    assert "set NUMBA_CACHE_DIR" in announcement()
