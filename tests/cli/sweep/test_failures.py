"""Sweeps of which something fails, or that cannot run at all."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from maerisim.errors import DeadlockError
from maerisim.study import layer
from maerisim.sweeps import work
from tests.cli.sweep.documents import NETWORK, RTL, SMALL, rows


def test_a_layer_that_fails_does_not_stop_the_others(maerisim, folder, monkeypatch):
    def stuck(problem, *arguments, **options):
        if problem.C == 32:
            raise DeadlockError("deadlock: nothing moves in cycle 7")
        return simulate(problem, *arguments, **options)

    simulate = layer.simulate
    monkeypatch.setattr(layer, "simulate", stuck)
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
