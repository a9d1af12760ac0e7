"""``maerisim compare-search``: techniques beside one another and the proof, stored and resumed."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from maerisim.laboratory import api, running
from maerisim.mapping.document import load_mappings
from mapper.searching.ground import Ground
from mapper.searching.scoring import optimum

REFERENCE = Path(__file__).parents[2] / "maerisim" / "cli" / "README.md"
ASKED = (
    "compare-search",
    "maeri-16",
    "tiny",
    "--layer",
    "conv3x3",
    "--layer",
    "linear",
    "--budget",
    60,
    "--seeds",
    3,
    "--jobs",
    1,
)
TWO = ("--technique", "random", "--technique", "genetic")


def test_techniques_have_their_libraries_in_the_process_of_the_command():
    """Which hides SciPy from numba."""
    asked = ["--layer", "linear", "--technique", "one_plus_one", "--budget", "10", "--seeds", "1", "--jobs", "1"]
    command = [sys.executable, "-m", "maerisim", "compare-search", "maeri-16", "tiny", *asked, "--json"]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    (searched,) = json.loads(finished.stdout)["searched"]
    assert searched["message"] is None


def test_each_technique_is_held_against_the_proof(maerisim):
    finished = maerisim(*ASKED, *TWO, "--simulate", "--json")
    assert finished.code == 0, finished.err
    document = finished.json
    assert [(each["layer"], each["technique"]) for each in document["searched"]] == [
        (layer, technique) for layer in ("conv3x3", "linear") for technique in ("random", "genetic")
    ]
    study = api.study_of("maeri-16", "tiny", ["conv3x3"])
    _, least = optimum(Ground(study.stages[0].problem, study.hardware), "cycles")
    for each in document["searched"]:
        assert each["message"] is None
        assert each["samples"] == 60
        assert len(each["runs"]) == 3
        assert each["gap"] == sorted(run["gap"] for run in each["runs"])[1] >= 0
        assert each["optimum"] == least or each["layer"] == "linear"
        assert each["simulated"] >= each["simulated_optimum"] * 0.99
        for run in each["runs"]:
            assert run["cycles"] == pytest.approx((1 + run["gap"]) * each["optimum"])
            assert run["better"][-1][2] == run["gap"]
    page, rows = maerisim(*ASKED, *TWO).out, maerisim(*ASKED, *TWO, "--csv").out.splitlines()
    assert rows[0].startswith("layer,technique,message,optimum,gap,")
    assert len(rows) == 5
    for each in document["searched"]:
        assert f"{each['gap']:.1%}" in page
    assert "each search had 60 samples, of which illegal and repeated ones are not given back" in page


def test_what_is_stored_is_not_run_again(maerisim, tmp_path, monkeypatch):
    kept = ("--database", tmp_path / "searches.sqlite")
    first = maerisim(*ASKED, *TWO, *kept, "--json").json
    monkeypatch.setattr(running, "run", lambda job: pytest.fail(f"{job.name} is stored"))
    assert maerisim(*ASKED, *TWO, *kept, "--json").json == first
    connection = sqlite3.connect(tmp_path / "searches.sqlite")
    assert connection.execute("SELECT count(*) FROM found").fetchone() == (4,)
    connection.close()
    refused = maerisim("sweep", "bandwidth", "--no-run", "--database", tmp_path / "searches.sqlite")
    assert (refused.code, "is not a database of sweep results" in refused.err) == (2, True)


def test_a_replay_file_warms_the_next_search(maerisim, tmp_path):
    replay = ("--technique", "genetic", "--replay", tmp_path / "solved.yaml", "--json")
    cold = maerisim(*ASKED, *replay).json["searched"]
    assert len(load_mappings(tmp_path / "solved.yaml").layers) == 2
    warm = maerisim(*ASKED, *replay).json["searched"]
    for before, after in zip(cold, warm, strict=True):
        best = min(run["gap"] for run in before["runs"])
        assert all(run["gap"] <= best + 1e-12 for run in after["runs"])
        assert all(run["better"][0][2] <= best + 1e-12 or run["better"][1][0] <= 4 for run in after["runs"])


def test_a_figure_is_drawn(maerisim, tmp_path):
    path = tmp_path / "searches.svg"
    assert maerisim(*ASKED, *TWO, "--plot", path).code == 0
    assert path.read_text("utf-8").count("<path") > 20


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("maeri-16", "tiny", "--technique", "genetics"), "technique: expected one of random, random_pruned, "),
        (("maeri-256-dram", "tiny"), "expected no DRAM and no lock step, found maeri-256-dram"),
        (("maeri-16", "tiny", "--layer", "conv4x4"), "no layer 'conv4x4'"),
        (("maeri-16", "tiny", "--plot", "searches.jpg"), "expected a name that ends with .png, .svg, .pdf"),
    ],
)
def test_bad_input_is_explained(maerisim, arguments, expected):
    finished = maerisim("compare-search", *arguments)
    assert finished.code == 2
    assert expected in finished.err


def test_a_search_that_fails_does_not_stop_the_others(maerisim, monkeypatch):
    work = running.run

    def broken(job):
        if job.options["technique"] == "random":
            return running.failed(job, "a library is not there")
        return work(job)

    monkeypatch.setattr(running, "run", broken)
    finished = maerisim(*ASKED, *TWO)
    assert finished.code == 1
    assert "2 of 4 searches failed:\n  conv3x3, random: a library is not there\n" in finished.err
    assert "genetic" in finished.out


def test_the_reference_lists_every_key(maerisim):
    document = maerisim(*ASKED, "--technique", "random", "--json").json
    text = REFERENCE.read_text("utf-8").partition("`compare-search --json`")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([a-z_0-9]+)(?:\[\])?`", text))
    (layer, *_) = document["searched"]
    assert {*document, *layer, *layer["runs"][0]} <= named
