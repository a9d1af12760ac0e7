"""Help and completion answer at once: they import nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("numpy", "numba", "simpy", "yaml", "rich", "maerisim.hardware", "maerisim.engine", "mapper")

PROGRAM = """
import sys
from maerisim.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print("IMPORTED", *sys.modules)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["validate", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments):
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    imported = set(finished.stdout.rpartition("IMPORTED")[2].split())
    assert imported
    assert imported.isdisjoint(HEAVY)
