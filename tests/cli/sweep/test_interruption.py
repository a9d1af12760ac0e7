"""Sweeps that are stopped, killed or left: nothing is lost and no process stays."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import psutil
import pytest

from maerisim.sweeps import cores, plan, running, work
from maerisim.sweeps.document import Experiment
from tests.cli.sweep.documents import PATIENCE_SECONDS, rows


def start(sweep, *options):
    """A sweep on two processes in a session of its own, when it has stored a few results; and all of its processes."""
    process = subprocess.Popen(
        [sys.executable, "-m", "maerisim", "sweep", f"{sweep}.yaml", "--jobs", "2", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if len(rows(f"{sweep}.sqlite")) >= 4:
                break
        except sqlite3.OperationalError:
            pass  # not there yet, or being written
        time.sleep(0.02)
    assert process.poll() is None, process.communicate()
    return process, psutil.Process(process.pid).children(recursive=True)


def test_after_kill_9_nothing_is_lost_or_left_and_the_same_command_resumes(maerisim, folder):
    process, workers = start("many")
    assert len(workers) >= 2
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert not alive
    before = rows("many.sqlite")
    assert 4 <= len(before) < 64
    with closing(sqlite3.connect("many.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    finished = maerisim("sweep", "many.yaml", "--jobs", 1)
    assert finished.code == 0, finished.err
    after = rows("many.sqlite")
    assert set(before) < set(after)
    assert len(after) == 64


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal to a group of processes")
def test_ctrl_c_says_what_is_stored_and_leaves_no_process(folder):
    process, workers = start("many")
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert out == ""
    stored = len(rows("many.sqlite"))
    assert err == f"interrupted: {stored} of 64 results are stored in many.sqlite; the same command resumes\n"
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert not alive


def test_a_worker_that_is_killed_ends_the_run_with_an_explanation(folder):
    process, processes = start("many")
    (worker, *_) = (child for child in processes if any("popen_loky" in part for part in child.cmdline()))
    worker.kill()
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 2
    assert "error: a worker process was ended from outside" in err
    assert "Traceback" not in err
    _, alive = psutil.wait_procs(processes, timeout=20)
    assert not alive


def test_leaving_early_ends_the_workers_without_a_warning(folder):
    tasks = list(plan.SweepPlan.of(Experiment.load("many.yaml")).tasks.values())
    outcomes = cores.on_cores(tasks, 2)
    assert next(outcomes).measured is not None
    workers = [child for child in psutil.Process().children() if any("popen_loky" in part for part in child.cmdline())]
    assert workers
    outcomes.close()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert not alive


def test_ctrl_c_without_workers(maerisim, folder, monkeypatch):
    ran = []

    def interrupted_at_the_third(task):
        ran.append(task)
        if len(ran) == 3:
            raise KeyboardInterrupt
        return measure(task)

    measure = work.measure
    monkeypatch.setattr(work, "measure", interrupted_at_the_third)
    finished = maerisim("sweep", "small.yaml", "--jobs", 1)
    assert finished.code == 130
    assert finished.err == "interrupted: 2 of 8 results are stored in small.sqlite; the same command resumes\n"


def test_kernels_are_compiled_before_there_are_workers(maerisim, folder, monkeypatch):
    done = []

    def workers(tasks, jobs):
        done.append("workers")
        yield from map(work.run, tasks)

    monkeypatch.setattr(cores, "on_cores", workers)
    monkeypatch.setattr(running.warmup, "ensure", done.append)
    maerisim("sweep", "small.yaml")
    assert done == [["engine", "search"], "workers"]
    maerisim("sweep", "rtl.yaml")
    assert done[2:] == [["lock_step", "search"], "workers"]
    maerisim("sweep", "rtl.yaml")
    assert len(done) == 4  # nothing to run, nothing to compile
