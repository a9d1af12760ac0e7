"""Fused layers from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

NETWORK = """\
name: pair
layers:
  - name: block
    op: fused
    layers:
      - {name: one, op: conv2d, input: [4, 6, 6], filters: 4, kernel: 1}
      - {name: two, op: conv2d, input: [4, 6, 6], filters: 2, kernel: 3, padding: 1}
  - {name: after, op: linear, inputs: 72, outputs: 8}
"""


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    path = tmp_path / "pair.yaml"
    path.write_text(NETWORK)
    return path


def test_simulate_checks_values_with_both_engines(maerisim, pair):
    compiled, event = (
        maerisim("simulate", "maeri-16", pair, "--check-values", "--json", "--engine", engine)
        for engine in ("compiled", "event")
    )
    assert compiled.code == event.code == 0, event.err
    assert compiled.json == event.json
    block, after = compiled.json["layers"]
    assert block["values_checked"] is after["values_checked"] is True
    assert block["op"] == "fused"
    assert block["macs"] == 4 * 4 * 36 + 2 * 4 * 9 * 36
    assert block["counters"]["multiplications"] == block["macs"]
    assert block["counters"]["buffer_writes"]["outputs"] == 4 * 36 + 2 * 36
    fused = block["fused"]
    assert fused["layers"] == ["one", "two"]
    assert sum(fused["multipliers"]) == 16
    assert (fused["intermediate_words"], fused["boundary_words_apart"]) == (144, 288)
    assert [mapping["tile"].keys() for mapping in block["mapping"]] == [after["mapping"]["tile"].keys()] * 2
    assert "fused" not in after


def test_cycles_apart_are_those_of_both_layers_asked_for_alone(maerisim, pair):
    block = maerisim("validate", "maeri-16", pair, "--layer", "block", "--json").json["layers"][0]
    alone = maerisim("simulate", "maeri-16", pair, "--layer", "block/one", "--layer", "block/two", "--json").json
    assert [layer["name"] for layer in alone["layers"]] == ["block/one", "block/two"]
    assert block["fused"]["cycles_apart"] == alone["total_cycles"]


def test_the_table_says_what_fusing_costs(maerisim, pair):
    finished = maerisim("validate", "maeri-16", pair)
    assert finished.code == 0
    note = next(line for line in finished.out.splitlines() if line.startswith("block: "))
    assert "one on " in note
    assert "144 words between them stay on the chip, 288 less to DRAM and back" in note
    assert finished.out.splitlines()[0].startswith("pair on maeri-16")


def test_saved_mappings_are_read_again(maerisim, pair, tmp_path):
    saved = tmp_path / "mappings.yaml"
    first = maerisim("map", "maeri-16", pair, "-o", saved, "--json")
    assert first.code == 0
    again = maerisim("simulate", "maeri-16", pair, "--mapping", saved, "--json")
    assert again.code == 0, again.err
    for mapped, simulated in zip(first.json["layers"], again.json["layers"], strict=True):
        assert mapped["mapping"] == simulated["mapping"]
        assert mapped["estimated_cycles"] == simulated["estimated_cycles"]
    assert again.json["layers"][0]["fused"]["cycles_apart"] is None


def test_mappings_that_do_not_fit_are_refused(maerisim, pair, tmp_path):
    saved = tmp_path / "mappings.yaml"
    maerisim("map", "maeri-16", pair, "-o", saved)
    text = saved.read_text()
    share = next(line for line in text.splitlines() if line.startswith("  block: "))
    saved.write_text(text.replace(share, "  block: 6"))
    finished = maerisim("simulate", "maeri-16", pair, "--mapping", saved)
    assert finished.code == 2
    assert "layer 'block': the first layer has 6 of 16 multipliers, expected some but not all" in finished.err
    saved.write_text(text.replace(share, "  blok: 8"))
    finished = maerisim("simulate", "maeri-16", pair, "--mapping", saved)
    assert finished.code == 2
    assert "no 'shares' entry for these fused layers (did you mean 'blok'?)" in finished.err


def test_print_program_shows_both_nests(maerisim, pair):
    finished = maerisim("simulate", "maeri-16", pair, "--layer", "block", "--print-program")
    assert finished.code == 0
    assert "two layers at once: ports from " in finished.out
    assert "each sent when it has been written to the global buffer" in finished.out
    assert "walked by each multiplier switch of the second layer" in finished.out


@pytest.mark.parametrize("command", ["report", "compare-mappings"])
def test_commands_for_single_layers_say_so_and_run_the_others(maerisim, pair, command):
    finished = maerisim(command, "maeri-16", pair, "--json")
    assert finished.code == 0
    assert [layer["name"] for layer in finished.json["layers"]] == ["after"]
    (refused,) = finished.json["unsupported"]
    assert refused["name"] == "block"
    assert (
        "only map, simulate and validate do; one after the other they are block/one and block/two" in refused["reason"]
    )
    finished = maerisim(command, "maeri-16", pair, "--layer", "block")
    assert finished.code == 2
    assert "only map, simulate and validate do" in finished.err


def test_a_controller_that_holds_ports_back_cannot_fuse(maerisim, pair):
    finished = maerisim("simulate", "stonne", pair, "--layer", "block")
    assert finished.code == 2
    assert "layer 'block' cannot run on stonne: fused layers need distribution ports that run ahead" in finished.err


def test_constraints_are_refused(maerisim, pair, tmp_path):
    constraints = tmp_path / "constraints.yaml"
    constraints.write_text("layers:\n  block/two:\n    tile: {K: 2}\n")
    finished = maerisim("map", "maeri-16", pair, "--constraints", constraints)
    assert finished.code == 2
    assert (
        f"constraints are not supported for fused layers such as 'block': tile K = 2 ({constraints}:3)" in finished.err
    )


def test_the_rtl_runs_one_layer(maerisim, pair, tmp_path):
    finished = maerisim("rtl", "maeri_rtl", pair, "--layer", "block", "-o", tmp_path)
    assert finished.code == 2
    assert "layer 'block' fuses two layers, expected one: use block/one, block/two" in finished.err


def test_what_does_not_fit_together_is_located(maerisim, pair):
    pair.write_text(
        NETWORK.replace("input: [4, 6, 6], filters: 2", "input: [4, 6, 5], batch: 2, count: 3, filters: 2").replace(
            "name: two", "name: one"
        )
    )
    finished = maerisim("simulate", "maeri-16", pair)
    assert finished.code == 2
    expected = [
        ":7: layers[0].layers[1].count: expected 1, found 3: the pair occurs together, count belongs to 'block'",
        ":7: layers[0].layers[1].name: 'one' is the name of both layers",
        ":7: layers[0].layers[1].batch: expected 1, the batch of 'one', found 2",
        ":7: layers[0].layers[1].input: expected what 'one' gives ([channels, height, width] = [4, 6, 6]), found [4, 6, 5]",
    ]
    for line in expected:
        assert f"{pair}{line}" in finished.err


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (
            "{name: two, op: linear, inputs: 140, outputs: 3}",
            "layers[0].layers[1].inputs: expected 144, all of what 'one' gives ([channels, height, width] = [4, 6, 6])",
        ),
        (
            "{name: two, op: linear, inputs: 144, outputs: 3, sparsity: {density: 0.5, seed: 1}}",
            "layers[0].layers[1].sparsity: expected dense weights, fused layers have no others",
        ),
        ("{name: two, op: lstm, input_size: 3, hidden_size: 3}", "layers[0].layers[1].op"),
    ],
)
def test_second_layers_that_cannot_be_fused(maerisim, pair, second, expected):
    lines = NETWORK.splitlines()
    lines[6] = f"      - {second}"
    pair.write_text("\n".join(lines))
    finished = maerisim("simulate", "maeri-16", pair)
    assert finished.code == 2
    assert f"{pair}:7: {expected}" in finished.err


def test_scale_shrinks_both(maerisim):
    finished = maerisim(
        "simulate", "maeri-16", "fused", "--scale", 5000, "--engine", "event", "--check-values", "--json"
    )
    assert finished.code == 0, finished.err
    for layer in finished.json["layers"]:
        assert layer["scaled"]
        assert layer["values_checked"]
