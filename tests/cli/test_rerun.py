"""``rerun``: a stored result gives the same cycles, and what was altered is found."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from maerisim.hardware.hardware import Hardware
from maerisim.reports.provenance import hardware_from

SPARSE = """
name: sparse
layers:
  - {name: drawn, op: linear, inputs: 20, outputs: 6, sparsity: {density: 0.5, seed: 3}}
  - {name: drawn_by_hand, op: linear, inputs: 3, outputs: 2, sparsity: {bitmap: ['011', '110']}}
"""
SWEEP = """
name: small
hardware: maeri-16
networks: [tiny]
layers: {tiny: [linear, matmul]}
grid: {distribution.bandwidth: [2, 4]}
"""


def stored(maerisim, path, *arguments):
    """The JSON of a command in a file."""
    finished = maerisim(*arguments, "--json")
    assert finished.code == 0, finished.err
    path.write_text(finished.out)
    return finished.json


@pytest.mark.parametrize(
    ("arguments", "runs"),
    [
        (("simulate", "maeri-16", "tiny", "--layer", "lstm", "--layer", "max_pool"), 4),
        (("map", "maeri-16", "tiny", "--layer", "strided"), 1),
        (("validate", "maeri_rtl", "alexnet", "--layer", "conv3", "--scale", "20000"), 1),
        (("simulate", "maeri-16", "fused", "--scale", "500", "--layer", "separable"), 1),
        (("simulate", "maeri-256-dram", "tiny", "--layer", "conv3x3"), 1),
        (("roofline", "maeri-16", "tiny", "--layer", "linear"), 1),
        (("report", "maeri-16", "tiny", "--layer", "depthwise"), 1),
        (("map", "maeri-16", "tiny", "--layer", "conv3x3", "--objective", "pareto"), None),
        (("buffer-curve", "maeri-256-dram", "tiny", "--layer", "conv3x3"), None),
        (("compare-mappings", "maeri-16", "tiny", "--layer", "pointwise"), None),
    ],
    ids=lambda each: each[0] if isinstance(each, tuple) else "",
)
def test_the_result_of_every_command_can_be_had_again(maerisim, arguments, runs, tmp_path):
    path = tmp_path / "result.json"
    document = stored(maerisim, path, *arguments)
    finished = maerisim("rerun", path, "--json")
    assert finished.code == 0, finished.out
    assert finished.json["same"]
    found = finished.json["runs"]
    assert len(found) == len(document["provenance"]["runs"]) == (runs or len(found))
    assert found
    assert all(run["cycles"] == run["stored_cycles"] for run in found)


def test_an_exported_sweep_can_be_had_again_on_the_hardware_of_each_point(maerisim, tmp_path):
    (tmp_path / "small.yaml").write_text(SWEEP)
    common = ("sweep", tmp_path / "small.yaml", "--database", tmp_path / "d.sqlite", "--jobs", 1)
    exported = maerisim(*common, "--export", "json")
    assert exported.code == 0, exported.err
    path = tmp_path / "result.json"
    path.write_text(exported.out)
    finished = maerisim("rerun", path, "--json")
    assert finished.code == 0, finished.out
    assert [run["cycles"] for run in finished.json["runs"]] == [row["cycles"] for row in exported.json["rows"]]
    bandwidths = [run.get("hardware", {}) for run in exported.json["provenance"]["runs"]]
    assert bandwidths == [{}, {}, *[{"distribution": {"bandwidth": 4}}] * 2]


def test_what_is_no_file_is_not_read(maerisim, tmp_path):
    for place, words in (("/dev/zero", "is a device"), (tmp_path, "is a directory"), (tmp_path / "no", "no such file")):
        finished = maerisim("rerun", place)
        assert finished.code == 2
        assert f"{place}: {words}, expected a result of maerisim" in finished.err


def test_sparse_layers_are_those_that_were(maerisim, tmp_path):
    network, path = tmp_path / "sparse.yaml", tmp_path / "result.json"
    network.write_text(SPARSE)
    stored(maerisim, path, "simulate", "maeri-16", network)
    network.unlink()
    assert maerisim("rerun", path).code == 0


def test_the_whole_hardware_is_stored(maerisim, tmp_path):
    hardware = tmp_path / "mine.yaml"
    hardware.write_text("name: mine\nmultipliers: 16\ndistribution: {latency: 3}\n")
    path = tmp_path / "result.json"
    document = stored(maerisim, path, "simulate", hardware, "tiny", "--layer", "linear")
    assert hardware_from(document["provenance"]["hardware"], "here") == Hardware.load(hardware)
    hardware.unlink()
    finished = maerisim("rerun", path)
    assert finished.code == 0
    assert "1 run, all with the cycles that are stored" in finished.out


def test_other_cycles_are_said(maerisim, tmp_path):
    path = tmp_path / "result.json"
    document = stored(maerisim, path, "simulate", "maeri-16", "tiny", "--layer", "linear", "--layer", "matmul")
    document["provenance"]["runs"][0]["cycles"] += 1
    document["provenance"]["maerisim"] = "0.0.1"
    path.write_text(json.dumps(document))
    finished = maerisim("rerun", path)
    assert finished.code == 1
    assert "1 of 2 runs take other cycles than stored" in finished.out
    assert " linear " in finished.out
    assert "-1" in finished.out
    assert "matmul" not in finished.out
    assert "Made by maerisim 0.0.1" in finished.out
    assert "altered" not in finished.out


def test_altered_inputs_are_said(maerisim, tmp_path):
    path = tmp_path / "result.json"
    document = stored(maerisim, path, "simulate", "maeri-16", "tiny", "--layer", "linear")
    document["provenance"]["hardware"]["distribution"]["bandwidth"] = 1
    path.write_text(json.dumps(document))
    finished = maerisim("rerun", path)
    assert finished.code == 1
    assert "The inputs were altered" in finished.out
    assert "1 of 1 run" in finished.out


def test_a_mapping_that_no_longer_fits_has_a_reason(maerisim, tmp_path):
    path = tmp_path / "result.json"
    document = stored(maerisim, path, "simulate", "maeri-16", "tiny", "--layer", "linear")
    document["provenance"]["runs"][0]["mapping"]["tile"]["C"] = 99
    path.write_text(json.dumps(document))
    (run,) = maerisim("rerun", path, "--json").json["runs"]
    assert run["cycles"] is None
    assert "99" in run["reason"]


def test_a_page_has_its_provenance_in_an_element(maerisim, tmp_path):
    path, page = tmp_path / "result.json", tmp_path / "report.html"
    document = stored(maerisim, path, "simulate", "maeri-16", "tiny", "--layer", "linear")
    provenance = json.dumps(document["provenance"]).replace("</", "<\\/")
    page.write_text(
        f'<!doctype html><title>x</title><script type="application/json" id="provenance">{provenance}</script><p>'
    )
    assert maerisim("rerun", page, "--json").json["runs"] == maerisim("rerun", path, "--json").json["runs"]


def test_a_database_of_sweeps_can_be_had_again(maerisim, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SWEEP)
    assert maerisim("sweep", "small.yaml", "--jobs", "1").code == 0
    finished = maerisim("rerun", "small.sqlite", "--json")
    assert finished.code == 0
    assert len(finished.json["runs"]) == 4
    assert finished.json["altered"] == 0
    with closing(sqlite3.connect("small.sqlite")) as connection, connection:
        connection.execute("UPDATE results SET cycles = cycles + 5 WHERE rowid = 1")
        connection.execute("UPDATE results SET objective = 'energy' WHERE rowid = 2")
        connection.execute("UPDATE results SET status = 'failed', cycles = NULL WHERE rowid = 3")
    again = maerisim("rerun", "small.sqlite", "--json")
    assert again.code == 1
    assert [run["same"] for run in again.json["runs"]] == [False, True, True]
    assert (again.json["altered"], again.json["failed"]) == (1, 1)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[1]",
        '{"provenance": {}}',
        '{"provenance": {"hardware": {"name": "x"}, "runs": 3}}',
        "<p>",
        "\0\1\2",
        "[" * 9999,
    ],
)
def test_what_is_no_result_is_said(maerisim, content, tmp_path):
    path = tmp_path / "result"
    path.write_text(content)
    finished = maerisim("rerun", path)
    assert finished.code == 2
    assert finished.err.startswith(f"error: {path}: ")


def test_other_databases_are_no_results(maerisim, tmp_path):
    path = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE t (a)")
    assert "is not a database of sweep results" in maerisim("rerun", path).err
    assert "no such file" in maerisim("rerun", tmp_path / "nothing").err
