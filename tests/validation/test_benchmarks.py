"""The scripts in ``benchmarks/``: how they end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(path for path in (ROOT / "benchmarks").glob("*.py") if "__main__" in path.read_text("utf-8"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_script_ends_by_way_of_the_one_that_explains(script: Path) -> None:
    text = script.read_text("utf-8").partition('if __name__ == "__main__":\n')[2]
    assert re.search(r"^    run_(script|measurement)\(.*\)\n\Z", text, re.MULTILINE), text


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal to a group of processes")
@pytest.mark.parametrize(
    "arguments", [("check_networks.py", "tiny", "--jobs", "2"), ("check_networks.py", "tiny", "--jobs", "1")]
)
def test_ctrl_c_is_answered_in_a_line_and_leaves_no_process(arguments: tuple[str, ...]) -> None:
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT / "benchmarks",
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert "values equal" in process.stdout.readline()  # at work, with many layers to go
    workers = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert err == "interrupted\n"
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert not alive


def test_input_that_cannot_be_used_is_answered_in_a_line() -> None:
    finished = subprocess.run(
        [sys.executable, "bench_estimate_error.py", "tyny"],
        cwd=ROOT / "benchmarks",
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert finished.returncode == 2
    assert finished.stderr.startswith("error: tyny")
    assert "Traceback" not in finished.stderr
