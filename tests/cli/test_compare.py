"""``maerisim compare-mappings``: ours beside every reference, simulated."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mapper.references import REFERENCES

REFERENCE = Path(__file__).parents[2] / "maerisim" / "cli" / "README.md"


@pytest.fixture(scope="module")
def arguments():
    return ("compare-mappings", "maeri-16", "tiny", "--layer", "conv3x3", "--layer", "linear", "--scale", 20_000)


def test_every_reference_is_simulated_or_has_a_reason(maerisim, arguments):
    document = maerisim(*arguments, "--json").json
    assert [layer["name"] for layer in document["layers"]] == ["conv3x3", "linear"]
    for layer in document["layers"]:
        ours, *references = layer["mappings"]
        assert ours["by"] == "ours"
        assert [entry["by"] for entry in references] == list(REFERENCES)
        for entry in references:
            if "reason" in entry:
                assert (layer["name"], entry["by"]) == ("linear", "row_stationary")
            else:
                assert entry["ratio"] == pytest.approx(entry["cycles"] / ours["cycles"])
    means = document["geometric_means"]
    place = 1 + list(REFERENCES).index("mrna")
    ratios = [layer["mappings"][place]["ratio"] for layer in document["layers"]]
    assert means["mrna"]["ratio"] == pytest.approx((ratios[0] * ratios[1]) ** 0.5)
    assert means["row_stationary"]["layers"] == 1


def test_simulated_cycles_are_those_of_simulate(maerisim, arguments):
    compared = maerisim(*arguments, "--json").json["layers"]
    simulated = maerisim("simulate", *arguments[1:], "--json").json["layers"]
    for one, other in zip(compared, simulated, strict=True):
        assert one["mappings"][0]["cycles"] == other["cycles"]
        assert one["mappings"][0]["energy"] == other["energy"]
        assert one["mappings"][0]["utilization"] == other["utilization"]


def test_the_table_ends_with_means_and_reasons(maerisim, arguments):
    finished = maerisim(*arguments)
    assert finished.code == 0
    assert re.search(r"^ conv3x3\* +ours ", finished.out, re.MULTILINE)
    assert re.search(r"^ +row_stationary +-$", finished.out, re.MULTILINE)
    assert re.search(r"^ +mrna +geometric mean of 2 layers +\d+\.\d\d$", finished.out, re.MULTILINE)
    assert "ratio: cycles over ours; above 1 ours is better" in finished.out
    assert "row_stationary does not apply to linear: the layer has filters of a single tap" in finished.out
    assert "* shrunk by --scale" in finished.out


def test_the_objective_is_what_is_compared(maerisim, arguments):
    document = maerisim(*arguments, "--objective", "energy", "--json").json
    for layer in document["layers"]:
        ours, mrna, *_ = layer["mappings"]
        assert mrna["ratio"] == pytest.approx(mrna["energy"] / ours["energy"])


def test_an_interrupted_comparison_keeps_what_is_finished(maerisim, monkeypatch, arguments):
    from maerisim.study import layer

    run, calls = layer.simulate, []

    def interrupted_in_the_second_layer(*values, **options):
        calls.append(values)
        if len(calls) == len(REFERENCES) + 2:
            raise KeyboardInterrupt
        return run(*values, **options)

    monkeypatch.setattr(layer, "simulate", interrupted_in_the_second_layer)
    finished = maerisim(*arguments, "--json")
    assert finished.code == 130
    assert "interrupted: 1 layer is finished" in finished.err
    assert [each["name"] for each in finished.json["layers"]] == ["conv3x3"]


def test_the_reference_documents_every_json_key(maerisim, arguments):
    document = maerisim(*arguments, "--json").json
    text = REFERENCE.read_text("utf-8").partition("`compare-mappings --json`")[2].partition("\n\n")[0]
    layer = document["layers"][0]
    documented = {word for quoted in re.findall(r"`([^`]+)`", text) for word in re.findall(r"\w+", quoted)}
    assert {*document, *layer, *layer["mappings"][0], "reason"} <= documented


def test_references_say_which_kinds_of_layer_they_do_not_know(maerisim, tmp_path):
    path = tmp_path / "kinds.yaml"
    path.write_text(
        "name: kinds\nlayers:\n"
        "  - {name: pool, op: max_pool2d, input: [4, 8, 8], kernel: 2}\n"
        "  - {name: sparse, op: linear, inputs: 16, outputs: 8, sparsity: {density: 0.5}}\n"
    )
    printed = maerisim("compare-mappings", "maeri-16", path).out
    assert "mrna does not apply to pool: mRNA has no mapping for a pooling" in printed
    for name in ("mrna", "weight_stationary", "output_stationary", "input_stationary"):
        assert f"{name} does not apply to sparse: it keeps whole filters" in printed


def test_references_that_the_hardware_cannot_run_have_a_reason(maerisim):
    (layer,) = maerisim("compare-mappings", "maeri_rtl", "tiny", "--layer", "conv3x3", "--json").json["layers"]
    reasons = {entry["by"]: entry.get("reason", "") for entry in layer["mappings"]}
    assert reasons["ours"] == ""
    assert "it lays out virtual neurons along K only" in reasons["heuristic"]
