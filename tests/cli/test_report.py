"""``maerisim report``: a page for each layer, the same as JSON."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
ARGUMENTS = ("maeri-16", "tiny", "--layer", "conv3x3", "--layer", "max_pool")


def test_a_page_for_each_layer_and_one_for_all(maerisim):
    finished = maerisim("report", *ARGUMENTS)
    assert finished.code == 0
    for heading in ("kinds of tiles", "distribution", "accesses and energy", "distance from", "what would relieve it"):
        assert len(re.findall(f"^{heading}", finished.out, re.MULTILINE)) == 2
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
    from maerisim.cli import report

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


def test_the_readme_documents_every_json_key(maerisim):
    document = maerisim("report", *ARGUMENTS, "--json").json
    simulated = maerisim("simulate", *ARGUMENTS, "--json").json
    text = README.read_text("utf-8").partition("`report --json`")[2].partition("\n## ")[0]
    documented = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", text))))
    layer = document["layers"][0]
    added = set(layer) - set(simulated["layers"][0])
    inner = {*layer["tiles"][0], *layer["multicasts"]["inputs"], *layer["events"][0], *layer["relief"][0]}
    assert (set(document) - set(simulated)) | added | inner <= documented
