"""The options of ``map`` that say what is searched, for what, and how far."""

from __future__ import annotations

import json

import pytest

MAP = ("map", "maeri-16", "tiny", "--layer", "strided")


def test_a_proof_says_so(maerisim):
    finished = maerisim(*MAP, "--prove")
    assert finished.code == 0
    assert "nor at all unless its estimate is further off than published" in finished.out
    (layer,) = maerisim(*MAP, "--prove", "--json").json["layers"]
    assert layer["search"]["gap"] == 0
    assert layer["search"]["certain_gap"] >= 0
    (usual,) = maerisim(*MAP, "--json").json["layers"]
    assert usual["search"]["simulated"] <= layer["search"]["simulated"]


def test_without_time_the_first_tiles_are_all_that_is_looked_at(maerisim):
    (layer,) = maerisim("map", "maeri-256", "alexnet", "--layer", "conv1", "--time-budget", 0, "--json").json["layers"]
    assert layer["search"]["unseen_tiles"] > 0
    assert layer["search"]["gap"] > 0


def test_a_front_trades_cycles_for_energy(maerisim):
    document = maerisim("map", "maeri-16", "tiny", "--objective", "pareto", "--json").json
    assert len(document["fronts"]) > 1
    for front in document["fronts"]:
        cycles = [point["cycles"] for point in front["points"]]
        energy = [point["energy"] for point in front["points"]]
        assert cycles == sorted(set(cycles))
        assert energy == sorted(set(energy), reverse=True)
    table = maerisim("map", "maeri-16", "tiny", "--objective", "pareto").out
    assert "no other mapping takes both fewer cycles and less energy" in table


@pytest.mark.parametrize("option", [("--prove",), ("--time-budget", 1), ("-o", "m.yaml")])
def test_a_front_has_no_single_mapping(maerisim, option):
    finished = maerisim(*MAP, "--objective", "pareto", *option)
    assert finished.code == 2
    assert "a front has several" in finished.err


def test_constraints_hold_for_what_is_found(maerisim, tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("all: {tile: {R: full}}\nlayers: {strided: {tile: {K: 2}, innermost: Q}}\n")
    (layer,) = maerisim(*MAP, "--constraints", path, "--json").json["layers"]
    assert (layer["mapping"]["tile"]["K"], layer["mapping"]["tile"]["R"]) == (2, layer["problem"]["R"])
    turning = [d for d in layer["mapping"]["order"] if layer["mapping"]["tile"].get(d, 1) < layer["problem"][d]]
    assert "Q" not in turning[:-1]


def test_constraints_that_leave_nothing_are_explained_and_cost_no_finished_layer(maerisim, tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("layers:\n  strided:\n    tile:\n      K: 100\n")
    finished = maerisim("map", "maeri-16", "tiny", "--layer", "conv3x3", "--layer", "strided", "--constraints", path)
    assert finished.code == 2
    assert f"tile K = 100 ({path}:4) rules out" in finished.err
    assert "while running layer 'strided'" in finished.err
    assert "conv3x3" in finished.out


def test_the_schema_of_constraints_knows_what_a_file_can_say(maerisim):
    schema = json.loads(maerisim("schema", "constraints").out)
    assert {"all", "layers"} == set(schema["properties"])
    assert {
        "tile",
        "blocks",
        "order",
        "innermost",
        "outermost",
        "placement",
        "vn_size",
        "vn_count",
        "utilization",
    } == set(schema["$defs"]["LayerConstraints"]["properties"])


def test_an_explanation_compares_the_winner_with_others(maerisim):
    finished = maerisim(*MAP, "--explain")
    assert finished.code == 0
    assert "Why this mapping of strided" in finished.out
    assert "rejected" in finished.out
    assert "Others are kept out by" in finished.out
    (layer,) = maerisim(*MAP, "--explain", "--json").json["layers"]
    explanation = layer["explanation"]
    assert len(explanation["rejected"]) == 5
    assert all(each["cycles"] >= explanation["chosen"]["cycles"] for each in explanation["rejected"])
    assert any(each["worse"] for each in explanation["rejected"])
    assert {each["change"].split(":")[0] for each in explanation["neighbours"]} >= {"tile of K halved"}
    (usual,) = maerisim(*MAP, "--json").json["layers"]
    assert "explanation" not in usual


def test_fused_layers_are_not_explained(maerisim):
    finished = maerisim("map", "maeri-16", "fused", "--explain")
    assert finished.code == 2
    assert "only the mappings of single layers are explained" in finished.err
