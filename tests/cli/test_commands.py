"""Every command does what its help says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from maerisim.workload.network import Network

SCRIPT = Path(sys.executable).with_name("maerisim")
REFERENCE = Path(__file__).parents[2] / "maerisim" / "cli" / "README.md"
TINY_ROWS = 15
"""Eight layers of one stage, an LSTM of three and a GRU of four."""


def script(*arguments):
    return subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, check=False, timeout=120)


def test_the_installed_script_validates_a_layer():
    finished = script("validate", "maeri-16", "tiny", "--layer", "strided")
    assert finished.returncode == 0, finished.stderr
    assert "strided" in finished.stdout
    assert finished.stderr == ""


def test_a_pipe_gets_neither_colour_nor_trailing_blanks_nor_cut_cells():
    finished = script("validate", "maeri-16", "tiny", "--layer", "depthwise", "--layer", "pointwise")
    assert "\x1b" not in finished.stdout
    assert "…" not in finished.stdout
    assert all(line == line.rstrip() for line in finished.stdout.splitlines())


def test_the_installed_script_reports_bad_input_without_a_traceback():
    finished = script("validate", "maeri-16", "no-such-network")
    assert finished.returncode == 2
    assert "Traceback" not in finished.stderr
    assert "no-such-network" in finished.stderr


def test_help_names_every_command(maerisim):
    finished = maerisim("--help")
    assert finished.code == 0
    commands = ("map", "simulate", "validate", "compare-mappings", "sweep", "show", "rtl", "warmup", "schema", "import")
    for command in commands:
        assert re.search(rf"^  {command} ", finished.out, re.MULTILINE)


def test_version(maerisim):
    finished = maerisim("--version")
    assert finished.code == 0
    assert re.fullmatch(r"maerisim \d+\.\d+\.\d+\S*\n", finished.out)


@pytest.mark.parametrize("objective", ["cycles", "energy", "edp", "energy_efficiency"])
def test_map_says_how_many_mappings_there_were_and_how_sure_it_is(maerisim, objective):
    finished = maerisim("map", "maeri-16", "tiny", "--layer", "strided", "--objective", objective)
    assert finished.code == 0
    assert re.search(r"^strided .*; best of [\d,]+ mappings .*; no other is \w+", finished.out, re.MULTILINE)


def test_map_estimates_and_does_not_simulate(maerisim):
    document = maerisim("map", "maeri-16", "tiny", "--json").json
    assert len(document["layers"]) == TINY_ROWS
    assert document["total_cycles"] is None
    assert document["total_estimated_cycles"] > 0
    for layer in document["layers"]:
        assert layer["cycles"] is None
        assert layer["error"] is None
        assert layer["candidates"] >= 1
        assert layer["reason"]


def test_saved_mappings_are_simulated_as_they_were_found(maerisim, tmp_path):
    path = tmp_path / "mappings.yaml"
    mapped = maerisim("map", "maeri-16", "tiny", "-o", path, "--json").json
    simulated = maerisim("simulate", "maeri-16", "tiny", "--mapping", path, "--json").json
    for before, after in zip(mapped["layers"], simulated["layers"], strict=True):
        assert after["mapping"] == before["mapping"]
        assert after["estimated_cycles"] == before["estimated_cycles"]
        assert after["cycles"] > 0
        assert after["candidates"] is None


def test_both_engines_print_the_same_document(maerisim):
    common = ("simulate", "maeri-16", "tiny", "--layer", "depthwise", "--scale", 2000, "--json")
    compiled = maerisim(*common, "--engine", "compiled")
    event = maerisim(*common, "--engine", "event")
    assert compiled.code == event.code == 0
    assert compiled.out == event.out


def test_stepping_every_cycle_prints_the_same_document(maerisim):
    skipping = maerisim("simulate", "maeri-16", "tiny", "--json")
    stepping = maerisim("simulate", "maeri-16", "tiny", "--json", "--no-fast-forward")
    assert skipping.code == stepping.code == 0
    assert skipping.json == stepping.json


def test_a_layer_that_fails_does_not_lose_those_before_it(maerisim, monkeypatch):
    from maerisim.errors import DeadlockError
    from maerisim.study import layer as layers

    simulate = layers.simulate
    ran = []

    def failing(*arguments, **options):
        ran.append(arguments)
        if len(ran) == 3:
            raise DeadlockError("deadlock: nothing moves in cycle 7")
        return simulate(*arguments, **options)

    monkeypatch.setattr(layers, "simulate", failing)
    ended = maerisim("simulate", "maeri-16", "tiny", "--json")
    assert ended.code == 2
    assert [layer["name"] for layer in ended.json["layers"]] == ["conv3x3", "strided"]
    assert "nothing moves in cycle 7" in ended.err
    assert "depthwise" in ended.err


def test_simulated_values_are_compared_with_numpys(maerisim):
    finished = maerisim("simulate", "maeri-16", "tiny", "--check-values")
    assert finished.code == 0
    assert f"Every output value of {TINY_ROWS} layers equals NumPy's." in finished.out


def test_wrong_values_are_an_error_that_names_the_layer_and_the_place(maerisim, monkeypatch):
    from maerisim.study import layer as layers

    right = layers.reference_outputs

    def one_off(problem, operands):
        outputs = right(problem, operands).copy()
        outputs[0, 0, 0, 0, 0] += 1
        return outputs

    monkeypatch.setattr(layers, "reference_outputs", one_off)
    finished = maerisim("simulate", "maeri-16", "tiny", "--layer", "strided", "--check-values")
    assert finished.code == 2
    assert "outputs differ from NumPy's" in finished.err
    assert "(0, 0, 0, 0, 0)" in finished.err
    assert "strided" in finished.err


def test_a_program_is_printed_instead_of_run(maerisim):
    finished = maerisim("simulate", "maeri-16", "tiny", "--layer", "strided", "--print-program")
    assert finished.code == 0
    assert finished.out.startswith("# strided: tile {")
    assert len(finished.out.splitlines()) > 3


def test_validate_compares_the_estimate_of_every_layer(maerisim):
    document = maerisim("validate", "maeri-16", "tiny", "--json").json
    for layer in document["layers"]:
        assert layer["error"] == pytest.approx((layer["estimated_cycles"] - layer["cycles"]) / layer["cycles"])
        assert 0 < layer["utilization"] <= 1
        assert layer["bound_cycles"] <= layer["cycles"]
        assert layer["counters"]["multiplications"] == layer["macs"]
    assert document["total_cycles"] == sum(layer["count"] * layer["cycles"] for layer in document["layers"])
    errors = [abs(layer["error"]) for layer in document["layers"]]
    assert document["mean_absolute_error"] == pytest.approx(sum(errors) / len(errors))


def test_the_same_input_gives_the_same_json(maerisim):
    first, second = (maerisim("validate", "maeri-16", "tiny", "--layer", "linear", "--json") for _ in range(2))
    assert first.out == second.out


def test_the_reference_documents_every_json_key(maerisim):
    document = maerisim("validate", "maeri-16", "tiny", "--layer", "linear", "--json").json
    table = "\n".join(line for line in REFERENCE.read_text("utf-8").splitlines() if line.startswith("| `"))
    documented = set(re.findall(r"`(?:layers\[\]|unsupported\[\])?\.?(\w+)(?:\[\])?`", table))
    documented |= {"layers"} if "layers[]" in table else set()
    assert {*document, *document["layers"][0]} <= documented


def test_every_command_has_a_whole_sentence_in_a_list_of_80_columns(maerisim, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for arguments in ([], ["import"]):
        commands = maerisim(*arguments, "--help").out.partition("Commands:\n")[2].splitlines()
        assert len(commands) >= 2
        for line in commands:
            assert re.fullmatch(r"  \S+ +[A-Z][^.]*[^.]\.", line), line


def test_layers_are_chosen_by_name_and_stay_in_the_networks_order(maerisim):
    document = maerisim("map", "maeri-16", "tiny", "--layer", "linear", "--layer", "strided", "--json").json
    assert [layer["name"] for layer in document["layers"]] == ["strided", "linear"]


def test_repeated_layers_run_once_and_count_in_the_totals(maerisim, tmp_path):
    path = tmp_path / "twice.yaml"
    path.write_text("name: twice\nlayers:\n  - {name: fc, op: linear, inputs: 32, outputs: 8, count: 3}\n")
    document = maerisim("simulate", "maeri-16", path, "--json").json
    (layer,) = document["layers"]
    assert layer["count"] == 3
    assert document["total_cycles"] == 3 * layer["cycles"]
    assert "fc ×3" in maerisim("simulate", "maeri-16", path).out


def test_scaled_layers_are_smaller_and_say_so(maerisim):
    common = ("validate", "maeri-16", "tiny", "--layer", "conv3x3", "--layer", "depthwise", "--scale", 20_000)
    large, small = maerisim(*common, "--json").json["layers"]
    assert large["scaled"] is True
    assert large["macs"] <= 20_000
    assert small["scaled"] is False
    text = maerisim(*common).out
    assert "conv3x3*" in text
    assert "* shrunk by --scale" in text
    assert "conv3x3: 73,728 MACs to" in text


CELLS = """\
name: cells
layers:
  - {name: before, op: lstm, input_size: 5, hidden_size: 6, sequence_length: 3, count: 2}
  - {name: after, op: gru, input_size: 6, hidden_size: 4, sequence_length: 2, batch: 2}
"""


@pytest.fixture
def cells(tmp_path):
    path = tmp_path / "cells.yaml"
    path.write_text(CELLS)
    return path


def test_recurrent_layers_have_a_row_per_stage_that_counts_the_time_steps(maerisim, cells):
    document = maerisim("validate", "maeri-16", cells, "--json").json
    assert [(layer["name"], layer["op"], layer["count"]) for layer in document["layers"]] == [
        ("before/gates", "lstm", 6),
        ("before/cell", "lstm", 6),
        ("before/output", "lstm", 6),
        ("after/gates", "gru", 2),
        ("after/reset", "gru", 2),
        ("after/candidate", "gru", 2),
        ("after/update", "gru", 2),
    ]
    assert document["total_cycles"] == sum(layer["count"] * layer["cycles"] for layer in document["layers"])
    assert "before/gates ×6" in maerisim("simulate", "maeri-16", cells).out


@pytest.mark.parametrize("engine", ["compiled", "event"])
def test_values_of_recurrent_layers_are_checked_through_the_sequence(maerisim, cells, engine):
    plain = maerisim("simulate", "maeri-16", cells, "--json").json
    checked = maerisim("simulate", "maeri-16", cells, "--check-values", "--engine", engine, "--json").json
    assert [layer["cycles"] for layer in checked["layers"]] == [layer["cycles"] for layer in plain["layers"]]
    assert all(layer["values_checked"] for layer in checked["layers"])
    assert not any(layer["values_checked"] for layer in plain["layers"])


def test_wrong_values_in_a_sequence_are_an_error_that_names_the_layer_and_the_place(maerisim, cells, monkeypatch):
    from maerisim.study import layer as layers

    right = layers.reference_states

    def one_off(layer, operands):
        states = right(layer, operands)
        states.hidden[-1, 0, 2] += 1
        return states

    monkeypatch.setattr(layers, "reference_states", one_off)
    finished = maerisim("simulate", "maeri-16", cells, "--check-values")
    assert finished.code == 2
    assert "1 of 18 outputs differ from NumPy's; the first is (2, 0, 2)" in finished.err
    assert "while running layer 'before'" in finished.err


def test_one_stage_of_a_layer_runs_by_its_name(maerisim, cells):
    arguments = ("simulate", "maeri-16", cells, "--layer", "before/cell", "--check-values", "--json")
    (layer,) = maerisim(*arguments).json["layers"]
    assert (layer["name"], layer["count"], layer["values_checked"]) == ("before/cell", 6, True)


def test_mappings_of_stages_are_saved_and_used(maerisim, cells, tmp_path):
    path = tmp_path / "mappings.yaml"
    mapped = maerisim("map", "maeri-16", cells, "-o", path, "--json").json
    simulated = maerisim("simulate", "maeri-16", cells, "--mapping", path, "--check-values", "--json").json
    assert [layer["mapping"] for layer in simulated["layers"]] == [layer["mapping"] for layer in mapped["layers"]]


POOLINGS = """\
name: poolings
layers:
  - {name: largest, op: max_pool2d, input: [6, 9, 9], kernel: 3, stride: 2, padding: 1}
  - {name: rounded_up, op: max_pool2d, input: [5, 8, 8], kernel: 3, stride: 2, ceil_mode: true, batch: 2}
  - {name: mean, op: avg_pool2d, input: [20, 6, 6], kernel: 6}
"""


@pytest.mark.parametrize("hardware", ["maeri-16", "stonne"])
@pytest.mark.parametrize("engine", ["compiled", "event"])
def test_poolings_are_mapped_simulated_and_checked(maerisim, tmp_path, hardware, engine):
    path, mappings = tmp_path / "poolings.yaml", tmp_path / "mappings.yaml"
    path.write_text(POOLINGS)
    assert maerisim("map", hardware, path, "-o", mappings).code == 0
    arguments = ("simulate", hardware, path, "--mapping", mappings, "--check-values", "--engine", engine)
    finished = maerisim(*arguments)
    assert "Every output value of 3 layers equals NumPy's." in finished.out
    for layer in maerisim(*arguments, "--json").json["layers"]:
        assert layer["macs"] == layer["counters"]["multiplications"] == 0
        assert layer["utilization"] > 0


SPARSE = """\
name: sparse
layers:
  - {name: conv, op: conv2d, input: [6, 7, 7], filters: 20, kernel: 3, groups: 2, sparsity: {density: 0.3, seed: 4}}
  - {name: fc, op: linear, inputs: 4, outputs: 3, batch: 2, sparsity: {bitmap: ['0110', '0000', '1011']}}
"""


@pytest.mark.parametrize("engine", ["compiled", "event"])
@pytest.mark.parametrize("objective", ["cycles", "energy", "edp"])
def test_sparse_layers_are_mapped_simulated_and_checked(maerisim, tmp_path, engine, objective):
    path, mappings = tmp_path / "sparse.yaml", tmp_path / "mappings.yaml"
    path.write_text(SPARSE)
    assert maerisim("map", "maeri-16", path, "-o", mappings, "--objective", objective).code == 0
    arguments = ("simulate", "maeri-16", path, "--mapping", mappings, "--check-values", "--engine", engine)
    assert "Every output value of 2 layers equals NumPy's." in maerisim(*arguments).out
    for layer in maerisim(*arguments, "--json").json["layers"]:
        assert layer["counters"]["multiplications"] == layer["macs"] > 0
    assert layer["macs"] == 2 * 5


def test_every_program_of_a_sparse_layer_is_printed(maerisim, tmp_path):
    path = tmp_path / "sparse.yaml"
    path.write_text(SPARSE)
    printed = maerisim("simulate", "maeri-16", path, "--layer", "conv", "--print-program").out
    count = int(re.search(r"program 1 of (\d+)", printed)[1])
    assert count > 1
    assert len(re.findall(r"^# conv: ", printed, re.MULTILINE)) == count


def test_the_published_rtl_has_no_poolings(maerisim, tmp_path):
    path = tmp_path / "poolings.yaml"
    path.write_text(POOLINGS)
    finished = maerisim("simulate", "maeri_rtl", path)
    assert finished.code == 2
    assert "layer 'mean' cannot run on maeri_rtl: a pooling" in finished.err


def test_layers_that_the_hardware_cannot_run_are_listed_and_the_others_run(maerisim):
    arguments = ("simulate", "maeri_rtl", "tiny")
    finished = maerisim(*arguments)
    assert finished.code == 0
    assert re.search(r"strided +conv2d +not supported", finished.out)
    assert "Not supported: layer 'strided' cannot run on maeri_rtl: stride 2" in finished.out
    document = maerisim(*arguments, "--json").json
    assert [layer["name"] for layer in document["layers"]] == ["conv3x3", "pointwise"]
    assert [layer["name"] for layer in document["unsupported"]] == [
        layer.name for layer in Network.load("tiny").layers if layer.name not in ("conv3x3", "pointwise")
    ]


def test_an_unsupported_layer_asked_for_by_name_is_an_error(maerisim):
    finished = maerisim("simulate", "maeri_rtl", "tiny", "--layer", "conv3x3", "--layer", "strided")
    assert finished.code == 2
    assert finished.out == ""
    assert "strided" in finished.err


def test_a_network_of_unsupported_layers_is_an_error(maerisim, cells):
    finished = maerisim("simulate", "maeri_rtl", cells)
    assert finished.code == 2
    assert "before" in finished.err
    assert "after" in finished.err


@pytest.mark.parametrize("as_json", [False, True])
def test_an_interrupted_run_keeps_what_is_finished(maerisim, monkeypatch, as_json):
    from maerisim.study import layer as layers

    calls = []

    def interrupted_at_the_third(*arguments, **options):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return simulate(*arguments, **options)

    simulate = layers.simulate
    monkeypatch.setattr(layers, "simulate", interrupted_at_the_third)
    finished = maerisim("simulate", "maeri-16", "tiny", *(["--json"] if as_json else []))
    assert finished.code == 130
    assert "interrupted" in finished.err
    if as_json:
        assert [layer["name"] for layer in finished.json["layers"]] == ["conv3x3", "strided"]
        assert finished.json["interrupted"] is True
    else:
        assert "strided" in finished.out
        assert "pointwise" not in finished.out


def test_show_draws_the_fabric(maerisim):
    finished = maerisim("show", "maeri-16", "--vn", "5x2", "--vn", "3")
    assert finished.code == 0
    assert finished.out.strip()


def test_show_writes_graphviz(maerisim, tmp_path):
    path = tmp_path / "fabric.dot"
    assert maerisim("show", "maeri-16", "--dot", path).code == 0
    printed = maerisim("show", "maeri-16", "--dot", "-")
    assert printed.out.strip() == path.read_text("utf-8").strip()
    assert re.match(r"(strict )?(di)?graph\b", printed.out)


@pytest.mark.parametrize("document", ["hardware", "network", "mapping", "sweep"])
def test_schema_is_a_json_schema(maerisim, document):
    schema = json.loads(maerisim("schema", document).out)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert schema["type"] == "object"
    assert schema["properties"]
