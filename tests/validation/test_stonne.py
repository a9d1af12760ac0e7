"""The ``stonne`` profile against STONNE's own cycles, where its table of measurements is at hand."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = ROOT.parent / "shared" / "golden" / "stonne.csv"
SCRIPT = ROOT / "benchmarks" / "validate_stonne.py"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.skipif(not TABLE.exists(), reason="no table of STONNE runs beside the repository (../shared/golden)")
def test_cycles_are_those_of_stonne() -> None:
    rows = len(TABLE.read_text().splitlines()) - 1
    result = run(TABLE)
    assert f'"cases": {rows}, "exact": {rows}, "max_abs_error": 0.0' in result.stdout.splitlines()[-1]
    assert result.returncode == 0


@pytest.mark.skipif(not TABLE.exists(), reason="no table of STONNE runs beside the repository (../shared/golden)")
def test_the_event_engine_agrees_on_the_short_rows(tmp_path: Path) -> None:
    with TABLE.open() as file:
        table = csv.DictReader(file)
        rows = [row for row in table if int(row["cycles"]) < 120 and int(row["num_ms"]) <= 64]
        short = tmp_path / "short.csv"
        with short.open("w", newline="") as target:
            writer = csv.DictWriter(target, table.fieldnames or [])
            writer.writeheader()
            writer.writerows(rows[:12])
    result = run(short, "--engine", "event")
    assert '"cases": 12, "exact": 12' in result.stdout.splitlines()[-1]


def test_a_missing_table_is_named() -> None:
    result = run("nowhere.csv")
    assert result.returncode == 2
    assert "nowhere.csv: no such file" in result.stderr
