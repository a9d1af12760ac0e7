"""Help and completion answer at once: they import nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "numpy",
    "numba",
    "simpy",
    "yaml",
    "rich",
    "joblib",
    "maerisim.hardware.hardware",
    "maerisim.engine.run",
    "mapper",
)

PROGRAM = """
import sys
from maerisim.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print("IMPORTED", *sys.modules)
"""


@pytest.mark.parametrize(
    "arguments", [["--help"], ["validate", "--help"], ["report", "--help"], ["sweep", "--help"], ["--version"]]
)
def test_help_imports_nothing_heavy(arguments):
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    imported = set(finished.stdout.rpartition("IMPORTED")[2].split())
    assert imported
    assert imported.isdisjoint(HEAVY)


def test_a_sweep_imports_neither_matplotlib_nor_dask_unless_asked_to(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text("name: s\nhardware: maeri-16\nnetworks: [tiny]\ngrid: {multipliers: [2]}\n")
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, "sweep", "s.yaml", "--jobs", "1"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    imported = set(finished.stdout.rpartition("IMPORTED")[2].split())
    assert "maerisim.cli.sweep" in imported
    assert imported.isdisjoint({"matplotlib", "distributed", "dask"})


@pytest.mark.parametrize(("given", "found"), [(None, "1"), ("2", "2")])
def test_a_command_starts_no_threads_for_large_matrices_unless_asked_to(monkeypatch, given, found):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    if given is not None:
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", given)
    program = PROGRAM + "import os; print(os.environ['OPENBLAS_NUM_THREADS'])"
    finished = subprocess.run(
        [sys.executable, "-c", program, "show", "maeri-16"], capture_output=True, text=True, check=True, timeout=60
    )
    assert finished.stdout.split()[-1] == found
