"""Sweeps: every point is stored once whatever happens, and the results are those of the other commands."""

from __future__ import annotations

import csv
import io
import math
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from unittest.mock import Mock

import psutil
import pytest

from maerisim.cli import figures, study
from maerisim.cli.sweep import cluster, cores, plan, plot, running, work
from maerisim.cli.sweep.store import Store
from maerisim.cli.sweep.totals import totals
from maerisim.errors import DeadlockError, WorkersError
from maerisim.grid import Grid
from maerisim.hardware import Hardware
from maerisim.sweep import Experiment

PATIENCE_SECONDS = 60
SMALL = """\
name: small
hardware: maeri-16
networks: [net.yaml]
grid:
  multipliers: [8, 16]
  reduction.topology: [art, linear]
"""
NETWORK = """\
name: net
layers:
  - {name: conv, op: conv2d, input: [2, 6, 6], filters: 4, kernel: 3}
  - {name: fc, op: linear, inputs: 32, outputs: 8, count: 3}
"""
MANY = """\
name: many
hardware: maeri-16
networks: [net.yaml]
grid:
  reduction.latency: [1, 2, 3, 4, 5, 6, 7, 8]
  multiplier.latency: [1, 2, 3, 4]
"""
RTL = """\
name: rtl
hardware: maeri_rtl
networks: [net.yaml]
grid:
  multipliers: [32, 64]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with two sweeps of one small network, and one on hardware that cannot run all of it."""
    for name, text in (("net", NETWORK), ("small", SMALL), ("many", MANY), ("rtl", RTL)):
        (tmp_path / f"{name}.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(path, columns="key, finished_at"):
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(f"SELECT {columns} FROM results ORDER BY key").fetchall()


# --- what is run and stored -------------------------------------------------------------------------------------------


def test_results_are_those_of_simulate(maerisim, folder):
    """Of every point, from hardware files that are written out: cycles, counters, energy, mappings and totals."""
    exported = maerisim("sweep", "small.yaml", "--jobs", 1, "--export", "json")
    assert exported.code == 0, exported.err
    found = exported.json["rows"]
    assert len(found) == 2 * 2 * 2
    for multipliers in (8, 16):
        for topology in ("art", "linear"):
            (folder / "hw.yaml").write_text(
                f"extends: maeri-16\nname: hw\nmultipliers: {multipliers}\nreduction: {{topology: {topology}}}\n"
            )
            simulated = maerisim("simulate", "hw.yaml", "net.yaml", "--json").json
            for layer in simulated["layers"]:
                (row,) = (
                    row
                    for row in found
                    if (row["multipliers"], row["reduction.topology"], row["layer"])
                    == (multipliers, topology, layer["name"])
                )
                for key in ("op", "count", "cycles", "estimated_cycles", "error", "macs", "utilization", "energy"):
                    assert row[key] == layer[key]
                for key in ("counters", "mapping", "problem", "scaled", "bound_cycles", "limited_by"):
                    assert row[key] == layer[key]
                assert row["status"] == "done"
                assert 0 < row["first_result"] <= row["cycles"]
            table = maerisim("sweep", "small.yaml", "--no-run").out
            assert f"{simulated['total_cycles']:,}" in table


def test_the_table_marks_the_point_with_the_fewest_cycles(maerisim, folder):
    finished = maerisim("sweep", "small.yaml", "--jobs", 1)
    assert finished.code == 0
    found = maerisim("sweep", "small.yaml", "--export", "json").json["rows"]
    totals = {}
    for row in found:
        point = (row["multipliers"], row["reduction.topology"])
        totals[point] = totals.get(point, 0) + row["cycles"] * row["count"]
    best = min(totals, key=totals.get)
    (marked,) = (line for line in finished.out.splitlines() if line.endswith("best"))
    assert f"{totals[best]:,}" in marked.split()
    assert f"Fewest cycles for net: multipliers {best[0]}, reduction.topology {best[1]}." in finished.out
    assert "8 of 8 distinct results in small.sqlite" in finished.out


@pytest.mark.parametrize("objective", ["energy", "edp"])
def test_other_objectives_have_results_and_a_best_point_of_their_own(maerisim, folder, objective):
    maerisim("sweep", "small.yaml", "--jobs", 1)
    (folder / "small.yaml").write_text(f"{SMALL}objective: {objective}\n")
    found = maerisim("sweep", "small.yaml", "--jobs", 1, "--export", "json").json["rows"]
    assert len(rows("small.sqlite")) == 2 * len(found)
    energy, cycles = {}, {}
    for row in found:
        point = f"multipliers {row['multipliers']}, reduction.topology {row['reduction.topology']}"
        energy[point] = energy.get(point, 0) + row["energy"] * row["count"]
        cycles[point] = cycles.get(point, 0) + row["cycles"] * row["count"]
    least = min(energy, key=lambda point: energy[point] * (cycles[point] if objective == "edp" else 1))
    assert f"for net: {least}." in maerisim("sweep", "small.yaml").out


def test_equal_layers_run_once_across_points_networks_and_sweeps(maerisim, folder):
    (folder / "other.yaml").write_text(NETWORK.replace("name: net", "name: other").replace("name: fc", "name: again"))
    (folder / "small.yaml").write_text(SMALL.replace("[net.yaml]", "[net.yaml, other.yaml]"))
    assert maerisim("sweep", "small.yaml", "--jobs", 1).code == 0
    before = rows("small.sqlite")
    assert len(before) == 2 * 4
    (folder / "copy.yaml").write_text("extends: maeri-16\nname: copy\ndistribution: {bandwidth: 2}\n")
    (folder / "third.yaml").write_text(
        "name: third\nhardware: copy.yaml\nnetworks: [net.yaml]\ngrid: {multipliers: [8], collection.bandwidth: [2, 4]}\n"
    )
    finished = maerisim("sweep", "third.yaml", "--jobs", 1, "--database", "small.sqlite")
    assert finished.code == 0, finished.err
    after = rows("small.sqlite")
    assert set(before) < set(after)
    assert len(after) - len(before) == 2  # a quarter of 8 multipliers is 2: only 4 collection buses are new


def test_what_is_stored_does_not_run_again(maerisim, folder):
    maerisim("sweep", "small.yaml", "--jobs", 1)
    before = rows("small.sqlite")
    (folder / "small.yaml").write_text(SMALL.replace("[8, 16]", "[8, 16, 32]"))
    maerisim("sweep", "small.yaml", "--jobs", 1)
    after = rows("small.sqlite")
    assert set(before) < set(after)
    assert len(after) == 3 * 4


def test_another_version_has_results_of_its_own(maerisim, folder, monkeypatch):
    maerisim("sweep", "small.yaml", "--jobs", 1)
    monkeypatch.setattr(plan, "version", lambda _: "99.0")
    maerisim("sweep", "small.yaml", "--jobs", 1)
    assert len(rows("small.sqlite")) == 2 * 8


@pytest.mark.parametrize(
    "grid",
    [
        "multiplier.weight_registers: [1]",
        "energy.add: [2]",
        "accumulation.words: [0]",
        "multiplier.forwarding: [false]",
    ],
)
def test_every_parameter_is_part_of_the_key(folder, grid):
    def keys(text):
        (folder / "s.yaml").write_text(f"name: s\nhardware: maeri-16\nnetworks: [net.yaml]\ngrid: {{{text}}}\n")
        return set(plan.Plan.of(Experiment.load("s.yaml")).tasks)

    assert keys(grid).isdisjoint(keys("multipliers: [16]"))


# --- what fails -------------------------------------------------------------------------------------------------------


def test_a_layer_that_fails_does_not_stop_the_others(maerisim, folder, monkeypatch):
    def stuck(problem, *arguments, **options):
        if problem.C == 32:
            raise DeadlockError("deadlock: nothing moves in cycle 7")
        return simulate(problem, *arguments, **options)

    simulate = study.simulate
    monkeypatch.setattr(study, "simulate", stuck)
    finished = maerisim("sweep", "small.yaml", "--jobs", 1)
    assert finished.code == 1
    assert finished.err.startswith(
        "4 results failed:\n  net fc at multipliers 8, reduction.topology art: deadlock: nothing"
    )
    assert finished.out.count("1 failed") == 4
    assert rows("small.sqlite", "status, message IS NULL").count(("failed", 0)) == 4
    assert rows("small.sqlite", "status, message IS NULL").count(("done", 1)) == 4
    document = maerisim("sweep", "small.yaml", "--no-run", "--export", "json")
    assert document.code == 1
    for row in document.json["rows"]:
        if row["layer"] == "fc":
            assert (row["status"], row["cycles"]) == ("failed", None)
            assert row["message"] == "deadlock: nothing moves in cycle 7"
        else:
            assert (row["status"], row["message"]) == ("done", None)


def test_failures_are_kept_until_they_are_to_be_tried_again(maerisim, folder, monkeypatch):
    def broken(task):
        raise ZeroDivisionError("1 / 0")

    with monkeypatch.context() as patch:
        patch.setattr(work, "measure", broken)
        finished = maerisim("sweep", "small.yaml", "--jobs", 1)
    assert finished.code == 1
    assert finished.err.count("ZeroDivisionError: 1 / 0 (this is a defect of maerisim, please report it)") == 8
    before = rows("small.sqlite")
    assert maerisim("sweep", "small.yaml", "--jobs", 1).code == 1
    assert rows("small.sqlite") == before
    assert maerisim("sweep", "small.yaml", "--jobs", 1, "--retry-failed").code == 0
    after = rows("small.sqlite")
    assert [key for key, _ in after] == [key for key, _ in before]
    assert maerisim("sweep", "small.yaml", "--jobs", 1, "--retry-failed").code == 0
    assert rows("small.sqlite") == after


def test_layers_that_are_not_supported_are_listed_and_the_others_run(maerisim, folder):
    finished = maerisim("sweep", "rtl.yaml", "--jobs", 1)
    assert finished.code == 0
    assert finished.out.count("Not supported: layer 'fc'") == 1
    assert len(rows("rtl.sqlite")) == 2
    (folder / "rtl.yaml").write_text(f"{RTL}layers: {{net.yaml: [fc]}}\n")
    finished = maerisim("sweep", "rtl.yaml", "--jobs", 1)
    assert finished.code == 2
    assert "layer 'fc'" in finished.err
    assert "in network 'net' at multipliers 32" in finished.err


def test_totals_of_different_layers_are_not_compared(maerisim, folder):
    """The linear layer runs at both points with a decoupled controller and not at the one with a lock-step one."""
    mixed = "{controller.kind: [decoupled, lock_step], multiplier.kind: [step, role], distribution.latency: [1, 2]}"
    text = f"name: mixed\nhardware: maeri-32\nnetworks: [net.yaml]\nskip_invalid: true\ngrid: {mixed}\n"
    (folder / "mixed.yaml").write_text(text)
    finished = maerisim("sweep", "mixed.yaml", "--jobs", 1)
    assert finished.code == 2
    assert "layer 'fc' cannot run on maeri-32" in finished.err
    assert "at controller.kind lock_step, multiplier.kind role, distribution.latency 2" in finished.err
    (folder / "mixed.yaml").write_text(f"{text}layers: {{net.yaml: [conv]}}\n")
    finished = maerisim("sweep", "mixed.yaml", "--jobs", 1)
    assert finished.code == 0, finished.err
    assert len(rows("mixed.sqlite")) == 3


def test_stages_poolings_and_sparse_layers_are_swept_too(maerisim, folder):
    (folder / "net.yaml").write_text(
        NETWORK
        + "  - {name: cell, op: lstm, input_size: 4, hidden_size: 4, sequence_length: 2}\n"
        + "  - {name: pool, op: max_pool2d, input: [2, 6, 6], kernel: 2}\n"
        + "  - {name: sparse, op: linear, inputs: 16, outputs: 4, sparsity: {density: 0.5}}\n"
    )
    (folder / "one.yaml").write_text("name: one\nhardware: maeri-16\nnetworks: [net.yaml]\ngrid: {multipliers: [32]}\n")
    assert maerisim("sweep", "one.yaml", "--jobs", 1).code == 0
    swept = maerisim("sweep", "one.yaml", "--export", "json").json["rows"]
    simulated = maerisim("simulate", "maeri-32", "net.yaml", "--json").json["layers"]
    assert [(row["layer"], row["cycles"]) for row in swept] == [(row["name"], row["cycles"]) for row in simulated]
    assert all(row["utilization"] > 0 for row in swept)


def test_stages_of_recurrent_layers_count_as_often_as_they_run(maerisim, folder):
    (folder / "net.yaml").write_text(
        "name: net\nlayers:\n  - {name: cell, op: lstm, input_size: 8, hidden_size: 8, sequence_length: 5}\n"
    )
    (folder / "one.yaml").write_text("name: one\nhardware: maeri-16\nnetworks: [net.yaml]\ngrid: {multipliers: [16]}\n")
    simulated = maerisim("simulate", "maeri-16", "net.yaml", "--json").json
    assert len(simulated["layers"]) > 1
    assert f"{simulated['total_cycles']:,}" in maerisim("sweep", "one.yaml", "--jobs", 1).out.split()
    stage = simulated["layers"][0]["name"]
    (folder / "one.yaml").write_text((folder / "one.yaml").read_text() + f"layers: {{net.yaml: ['{stage}']}}\n")
    (row,) = maerisim("sweep", "one.yaml", "--export", "json").json["rows"]
    assert (row["layer"], row["count"]) == (stage, simulated["layers"][0]["count"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no database, but a text long enough to look like one", "file is not a database"),
        (None, "is not a database of"),
    ],
)
def test_files_that_are_no_results(maerisim, folder, content, message):
    path = folder / "x.sqlite"
    if content is None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE results (x)")
    else:
        path.write_bytes(content)
    before = path.read_bytes()
    finished = maerisim("sweep", "small.yaml", "--database", path)
    assert finished.code == 2
    assert message in finished.err
    assert path.read_bytes() == before


def test_points_that_are_no_hardware_are_reported_before_anything_runs(maerisim, folder):
    (folder / "small.yaml").write_text(SMALL.replace("[8, 16]", "[8, 17]"))
    finished = maerisim("sweep", "small.yaml")
    assert finished.code == 2
    assert "small.yaml:5: grid.multipliers[1]: expected a power of two" in finished.err
    assert not (folder / "small.sqlite").exists()


# --- being interrupted ------------------------------------------------------------------------------------------------


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
    tasks = list(plan.Plan.of(Experiment.load("many.yaml")).tasks.values())
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
    assert done == [["engine", "estimates"], "workers"]
    maerisim("sweep", "rtl.yaml")
    assert done[2:] == [["estimates", "lock_step"], "workers"]
    maerisim("sweep", "rtl.yaml")
    assert len(done) == 4  # nothing to run, nothing to compile


# --- Dask -------------------------------------------------------------------------------------------------------------

CLUSTER = """
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        input()
"""


@pytest.fixture
def scheduler(tmp_path):
    """The address of a cluster of two worker processes on this machine."""
    script = tmp_path / "cluster.py"
    script.write_text(CLUSTER)
    with subprocess.Popen(
        [sys.executable, script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        yield process.stdout.readline().strip()
        process.communicate("\n", timeout=PATIENCE_SECONDS)


def test_a_dask_cluster_gives_the_same_results(maerisim, folder, scheduler):
    finished = maerisim("sweep", "small.yaml", "--dask", scheduler, "--export", "json")
    assert finished.code == 0, finished.err
    here = maerisim("sweep", "small.yaml", "--jobs", 1, "--database", "here.sqlite", "--export", "json")
    for there, one in zip(finished.json["rows"], here.json["rows"], strict=True):
        assert there | {"wall_seconds": None} == one | {"wall_seconds": None}


def test_a_cluster_that_is_not_there(maerisim, folder, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.2)
    finished = maerisim("sweep", "small.yaml", "--dask", "tcp://127.0.0.1:9")
    assert finished.code == 2
    assert "error: --dask tcp://127.0.0.1:9: no Dask scheduler can be reached there" in finished.err


def test_dask_that_is_not_installed(maerisim, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    finished = maerisim("sweep", "small.yaml", "--dask", "tcp://127.0.0.1:9")
    assert finished.code == 2
    assert "pip install 'maerisim[distributed]'" in finished.err


@pytest.mark.parametrize(
    ("workers", "message"),
    [
        ({}, "the cluster has no workers"),
        ({"tcp://a:1": "0.0.1"}, "worker tcp://a:1: expected maerisim .*, found 0.0.1"),
        ({"tcp://a:1": ModuleNotFoundError("maerisim")}, "worker tcp://a:1: expected maerisim .*, found none"),
    ],
)
def test_clusters_that_cannot_run_a_sweep(workers, message):
    client = Mock(run=Mock(return_value=workers))
    with pytest.raises(WorkersError, match=message):
        cluster.check_workers(client, "tcp://s:1")


# --- exporting and plotting -------------------------------------------------------------------------------------------


def test_csv_has_the_numbers_of_json(maerisim, folder):
    written = maerisim("sweep", "small.yaml", "--jobs", 1, "--export", "csv", "-o", "out.csv")
    assert "Exported to out.csv." in written.out
    assert "Fewest cycles" in written.out
    printed = maerisim("sweep", "small.yaml", "--export", "csv")
    assert printed.out == (folder / "out.csv").read_text()
    table = list(csv.DictReader(io.StringIO(printed.out)))
    document = maerisim("sweep", "small.yaml", "--export", "json").json
    assert (document["sweep"], document["objective"]) == ("small", "cycles")
    for line, row in zip(table, document["rows"], strict=True):
        for name in ("network", "layer", "multipliers", "reduction.topology", "cycles", "energy", "status"):
            assert line[name] == str(row[name])
        assert line["counters.multiplications"] == str(row["macs"])
        assert line["counters.buffer_reads.weights"] == str(row["counters"]["buffer_reads"]["weights"])


def test_what_is_missing_is_exported_as_missing_when_nothing_is_to_run(maerisim, folder):
    (folder / "first.yaml").write_text(SMALL.replace("[8, 16]", "[8]"))
    maerisim("sweep", "first.yaml", "--jobs", 1)
    common = ("sweep", "small.yaml", "--no-run")
    exported = maerisim(*common, "--export", "json")
    assert exported.code == 0
    assert [row["status"] for row in exported.json["rows"]] == ["done"] * 4 + ["missing"] * 4
    assert "2 missing" in maerisim(*common).out
    nothing = maerisim(*common, "--database", "none.sqlite")
    assert nothing.code == 2
    assert not (folder / "none.sqlite").exists()


@pytest.mark.parametrize(("ending", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_plots_are_written_in_the_format_of_their_ending(maerisim, folder, ending, magic):
    (folder / "small.yaml").write_text(
        SMALL.replace("reduction.topology: [art, linear]", "distribution.bandwidth: [2, 4]")
    )
    finished = maerisim("sweep", "small.yaml", "--jobs", 1, "--plot", f"plot.{ending}")
    assert finished.code == 0, finished.err
    assert (folder / f"plot.{ending}").read_bytes().startswith(magic)


def drawn(maerisim, folder, grid, *, without=0):
    """The figure of a sweep as if its first results were missing, and the cycles of its points."""
    (folder / "s.yaml").write_text(f"name: s\nhardware: maeri-16\nnetworks: [net.yaml]\nskip_invalid: true\n{grid}")
    assert maerisim("sweep", "s.yaml", "--jobs", 1).code == 0
    whole = plan.Plan.of(Experiment.load("s.yaml"))
    with Store(folder / "s.sqlite") as store:
        found = totals(whole, store.get(list(whole.tasks)[without:]))
    return plot.draw(whole, found), {str(total.point): total.cycles for total in found}


def test_a_plot_shows_cycles_against_bandwidth_and_a_line_for_each_number_of_multipliers(maerisim, folder):
    figure, cycles = drawn(maerisim, folder, "grid: {multipliers: [4, 8], distribution.bandwidth: [8, 2, 4]}")
    (panel,) = figure.axes
    assert panel.get_title(loc="left") == "net"
    assert panel.get_xlabel() == "distribution bandwidth (words per cycle)"
    assert panel.get_ylabel() == "cycles"
    assert (panel.get_xscale(), panel.get_yscale()) == ("log", "log")
    assert [label.get_text() for label in panel.get_xticklabels()] == ["2", "4", "8"]
    (legend,) = figure.legends
    assert legend.get_title().get_text() == "multipliers"
    assert [text.get_text() for text in legend.get_texts()] == ["4", "8"]
    four, eight = panel.lines
    assert four.get_color() != eight.get_color()
    assert list(four.get_xdata()) == [2, 4]
    assert list(eight.get_xdata()) == [2, 4, 8]
    for line, multipliers in ((four, 4), (eight, 8)):
        points = [f"multipliers {multipliers}, distribution.bandwidth {x:.0f}" for x in line.get_xdata()]
        assert list(line.get_ydata()) == [cycles[point] for point in points]


def test_points_without_a_result_interrupt_the_line_and_are_counted(maerisim, folder):
    figure, cycles = drawn(maerisim, folder, "grid: {distribution.bandwidth: [2, 4, 8]}", without=1)
    (line,) = figure.axes[0].lines
    assert [math.isnan(y) for y in line.get_ydata()] == [True, False, False]
    assert next(iter(cycles.values())) is None
    assert "1 of 3 points without a result" in " ".join(figure.get_supxlabel().split())


def test_a_difference_of_a_few_percent_does_not_fill_the_axis(maerisim, folder):
    figure, cycles = drawn(maerisim, folder, "grid: {reduction.latency: [1, 2]}")
    low, high = figure.axes[0].get_ylim()
    assert max(cycles.values()) / min(cycles.values()) < 1.5
    assert high / low == pytest.approx(plot.LEAST_RATIO)
    assert low < min(cycles.values()) < max(cycles.values()) < high


def test_texts_stand_side_by_side_and_other_parameters_have_panels(maerisim, folder):
    figure, _ = drawn(
        maerisim,
        folder,
        "grid: {reduction.topology: [art, linear], multipliers: [8, 16], multiplier.forwarding: [true, false]}",
    )
    left, right = figure.axes
    assert [label.get_text() for label in left.get_xticklabels()] == ["art", "linear"]
    assert {line.get_linestyle() for line in left.lines} == {"None"}
    assert left.get_title(loc="left") == "net, multiplier forwarding true"
    assert right.get_title(loc="left") == "net, multiplier forwarding false"


@pytest.mark.parametrize(
    ("grid", "layout"),
    [
        ({"multipliers": [8, 16], "collection.bandwidth": [2, 4]}, (("collection.bandwidth",), ("multipliers",), ())),
        ({"multipliers": [8, 16]}, (("multipliers",), (), ())),
        ({"multipliers": [8]}, (("multipliers",), (), ())),
        ({"multipliers": [8, 16], "reduction.latency": [1, 2]}, (("reduction.latency",), ("multipliers",), ())),
        (
            {"reduction.latency": [1, 2], "reduction.topology": ["art", "linear"], "distribution.bandwidth": [2, 4]},
            (("distribution.bandwidth",), ("reduction.latency",), (("reduction.topology",),)),
        ),
        (
            {"distribution.bandwidth, collection.bandwidth": [2, 4], "multipliers": [8]},
            (("distribution.bandwidth", "collection.bandwidth"), (), ()),
        ),
    ],
)
def test_what_a_plot_shows_where(grid, layout):
    points = Grid.of(grid, Hardware.load("maeri-16")).points
    assert plot.Layout.of(points) == plot.Layout(*layout)


@pytest.mark.parametrize(
    ("file", "message"),
    [("plot.gif", "expected a name that ends with .png, .svg, .pdf"), ("gone/plot.png", "there is no directory gone")],
)
def test_plots_that_cannot_be_written_are_refused_before_anything_runs(maerisim, folder, file, message):
    finished = maerisim("sweep", "small.yaml", "--plot", file)
    assert finished.code == 2
    assert message in finished.err
    assert not (folder / "small.sqlite").exists()


def test_more_panels_than_fit_are_refused_before_anything_runs(maerisim, folder):
    grid = "multipliers: [8, 16], distribution.latency: [1, 2], reduction.latency: [1, 2, 3, 4, 5], "
    (folder / "small.yaml").write_text(
        f"name: small\nhardware: maeri-16\nnetworks: [net.yaml]\ngrid: {{{grid}collection.latency: [1, 2, 3, 4, 5]}}\n"
    )
    finished = maerisim("sweep", "small.yaml", "--plot", "plot.png")
    assert finished.code == 2
    assert (
        "25 columns of panels for the values of reduction latency, collection latency, at most 24 fit" in finished.err
    )
    assert not (folder / "small.sqlite").exists()


def test_matplotlib_that_is_not_installed(maerisim, folder, monkeypatch):
    monkeypatch.setattr(figures, "find_spec", lambda _: None)
    finished = maerisim("sweep", "small.yaml", "--plot", "plot.png")
    assert finished.code == 2
    assert "pip install 'maerisim[plot]'" in finished.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["-o", "x.csv"], "is for --export"), (["--jobs", 2, "--dask", "tcp://a:1"], "is for this machine's cores")],
)
def test_options_that_do_not_go_together(maerisim, folder, arguments, message):
    finished = maerisim("sweep", "small.yaml", *arguments)
    assert finished.code == 2
    assert message in finished.err
