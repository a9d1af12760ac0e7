"""What lies in the working directory is data: no process of ours imports it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import maerisim
from tests.cli.sweep.documents import PATIENCE_SECONDS, rows

LIKELY = ("json", "random", "tempfile", "queue", "numpy", "yaml", "typer", "joblib", "pickle", "maerisim_plugin")


def test_no_process_of_a_sweep_imports_from_the_working_directory(folder):
    for module in LIKELY:
        Path(f"{module}.py").write_text(f"open('executed', 'a').write('{module} ')\nraise SystemExit(7)\n", "utf-8")
    finished = subprocess.run(
        [sys.executable, "-m", "maerisim", "sweep", "small.yaml", "--jobs", "2"],
        env=os.environ | {"PYTHONPATH": str(Path(maerisim.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert len(rows("small.sqlite")) == 8
    assert not Path("executed").exists(), Path("executed").read_text("utf-8")
