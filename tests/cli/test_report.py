"""``maerisim report``: a page for each layer, the same as JSON."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REFERENCE = Path(__file__).parents[2] / "maerisim" / "cli" / "README.md"
ARGUMENTS = ("maeri-16", "tiny", "--layer", "conv3x3", "--layer", "max_pool")


def test_a_page_for_each_layer_and_one_for_all(maerisim):
    finished = maerisim("report", *ARGUMENTS)
    assert finished.code == 0
    for heading in (
        "kinds of tiles, in multiplier switches",
        "distribution",
        "accesses and energy",
        "distance from the bounds",
        "what would relieve it",
    ):
        assert finished.out.splitlines().count(heading) == 2
    for label in (
        "mapping",
        "cycles",
        "control steps",
        "utilization",
        "limited by",
        "waits for",
        "energy",
        "code size",
    ):
        assert len(re.findall(f"^{label}  ", finished.out, re.MULTILINE)) >= 1
    assert len(re.findall(r"^in total$", finished.out, re.MULTILINE)) == 1
    assert "in total" not in maerisim("report", *ARGUMENTS[:4]).out


def test_json_adds_to_what_simulate_says(maerisim):
    reported = maerisim("report", *ARGUMENTS, "--json").json
    simulated = maerisim("simulate", *ARGUMENTS, "--json").json
    assert reported["total_cycles"] == simulated["total_cycles"]
    for ours, theirs in zip(reported["layers"], simulated["layers"], strict=True):
        assert {key: ours[key] for key in theirs} == theirs
        events = [spent for spent in ours["events"] if spent["component"] != "dram"]
        assert sum(spent["energy"] for spent in events) == pytest.approx(theirs["energy"])
        assert max(ours["bounds"].values()) == theirs["bound_cycles"]
        for operand, sent in ours["multicasts"].items():
            words = sum(int(width) * count for width, count in sent["words_by_width"].items())
            assert words == theirs["counters"]["delivered"][operand]
            assert sent["unicasts"] + sent["multicasts"] == theirs["counters"]["buffer_reads"][operand]
        for relief in ours["relief"]:
            assert relief["saved_cycles"] == theirs["cycles"] - relief["cycles"]


def test_tiles_are_reported_one_by_one_and_add_up(maerisim, tmp_path):
    """Eight filters in tiles of three: two whole tiles and one of two, in 16 x 16 steps for each of 4 x 3 x 3 folds."""
    path = tmp_path / "mappings.yaml"
    path.write_text(
        "hardware: maeri-16\nnetwork: tiny\nlayers:\n"
        "  conv3x3:\n    problem: {K: 8, C: 4, R: 3, S: 3, P: 16, Q: 16}\n    tile: {K: 3}\n    order: [N, G, K, C, R, S, P, Q]\n"
    )
    arguments = ("report", "maeri-16", "tiny", "--layer", "conv3x3", "--mapping", path)
    (layer,) = maerisim(*arguments, "--json").json["layers"]
    assert {"dimension": "K", "tiles": 3, "size": 3, "last": 2} in layer["loops"]
    assert [(tile["virtual_neurons"], tile["steps"]) for tile in layer["tiles"]] == [
        ([{"size": 1, "count": 3}], 2 * 256 * 36),
        ([{"size": 1, "count": 2}], 256 * 36),
    ]
    assert [tile["counters"]["multiplications"] for tile in layer["tiles"]] == [2 * 256 * 36 * 3, 256 * 36 * 2]
    for name, total in layer["counters"].items():
        if isinstance(total, int) and name in layer["tiles"][0]["counters"]:
            assert sum(tile["counters"][name] for tile in layer["tiles"]) == total, name
    assert sum(tile["busy_cycles"]["multipliers"] for tile in layer["tiles"]) == layer["busy_cycles"]["multipliers"]
    for place, spent in enumerate(event for event in layer["events"] if event["component"] != "dram"):
        parts = [tile["events"][place] for tile in layer["tiles"]]
        assert sum(part["count"] for part in parts) == spent["count"]
    assert sum(tile["energy"] for tile in layer["tiles"]) == pytest.approx(layer["energy"])
    out = maerisim(*arguments).out
    assert re.search(r"^loops {6,}.*K 3 x 3 \(last 2\)", out, re.MULTILINE)
    assert re.search(r"^multipliers: multiplication +55,296 +18,432 +73,728$", out, re.MULTILINE)
    assert "what each kind of tile does" not in maerisim("report", "maeri-16", "tiny", "--layer", "conv3x3").out


def test_many_kinds_of_tiles_share_a_column(maerisim, tmp_path):
    """A sparse layer has a kind for every fold: on a page of 100 columns two have one, and the others one together."""
    path = tmp_path / "sparse.yaml"
    path.write_text(
        "name: sparse\nlayers:\n  - {name: fc, op: linear, inputs: 40, outputs: 24, sparsity: {density: 0.3, seed: 1}}\n"
    )
    (layer,) = maerisim("report", "maeri-16", path, "--json").json["layers"]
    kinds = len(layer["tiles"])
    assert kinds > 5
    assert layer["loops"] == []
    page = maerisim("report", "maeri-16", path).out.partition("what each kind of tile does")[2]
    heading = next(line for line in page.splitlines() if "kind 1" in line)
    assert re.split(r"\s{2,}", heading.strip()) == ["kind 1", "kind 2", f"3 to {kinds}", "total"]
    row = next(line for line in page.splitlines() if line.startswith("control steps"))
    *each, total = (int(number.replace(",", "")) for number in re.split(r"\s{2,}", row.strip())[1:])
    assert sum(each) == total == layer["control_steps"]


def test_a_given_mapping_is_held_against_the_mappers(maerisim, tmp_path):
    path = tmp_path / "mappings.yaml"
    path.write_text(
        "hardware: maeri-16\nnetwork: tiny\nlayers:\n  linear:\n    problem: {K: 64, C: 512}\n    tile: {C: 2}\n"
    )
    arguments = ("maeri-16", "tiny", "--layer", "linear")
    (layer,) = maerisim("report", *arguments, "--mapping", path, "--json").json["layers"]
    best = maerisim("simulate", *arguments, "--json").json["layers"][0]["cycles"]
    assert layer["mapping"]["tile"]["C"] == 2
    assert layer["peak_utilization"] == 2 / 16
    relief = {entry["resource"]: entry for entry in layer["relief"]}
    assert relief["mapping"]["cycles"] == best
    assert relief["mapping"]["saved_cycles"] == layer["cycles"] - best > 0


def test_hardware_without_control_steps_is_refused_at_once(maerisim):
    finished = maerisim("report", "maeri_rtl", "tiny")
    assert finished.code == 2
    assert "maeri_rtl is driven in lock step" in finished.err
    assert not finished.out


def test_an_interrupted_report_keeps_what_is_finished(maerisim, monkeypatch):
    from maerisim.study import profiles as report

    original, seen = report.profile, []

    def interrupted_in_the_second_layer(*arguments):
        seen.append(arguments)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(report, "profile", interrupted_in_the_second_layer)
    finished = maerisim("report", *ARGUMENTS, "--json")
    assert finished.code == 130
    assert "interrupted: 1 layer is finished" in finished.err
    assert [layer["name"] for layer in finished.json["layers"]] == ["conv3x3"]


def test_the_reference_documents_every_json_key(maerisim):
    document = maerisim("report", *ARGUMENTS, "--json").json
    simulated = maerisim("simulate", *ARGUMENTS, "--json").json
    text = REFERENCE.read_text("utf-8").partition("`report --json`")[2].partition("\n## ")[0]
    documented = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", text))))
    layer = document["layers"][0]
    added = set(layer) - set(simulated["layers"][0])
    inner = {*layer["tiles"][0], *layer["multicasts"]["inputs"], *layer["events"][0], *layer["relief"][0]}
    assert (set(document) - set(simulated)) | added | inner <= documented
