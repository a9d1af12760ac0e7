"""What ``import maerisim`` offers: the results are those of the commands, nothing is printed, nothing finished is lost."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given, settings

import maerisim
from maerisim import Linear, Mapping, Network, Problem
from maerisim.cli import main
from maerisim.study import layer as layers
from maerisim.workload.loops import layer_of
from tests.strategies import problems

TWO = Network([Linear(inputs=12, outputs=8, name="wide"), Linear(inputs=8, outputs=4, name="narrow")], name="two")


@pytest.mark.parametrize(
    ("call", "command"),
    [
        (lambda: maerisim.map("maeri-16", "tiny", layers="linear"), "map"),
        (lambda: maerisim.front("maeri-16", "tiny", layers=["linear"]), "map --objective pareto"),
        (lambda: maerisim.simulate("maeri-16", "tiny", layers="linear", check_values=True), "simulate --check-values"),
        (lambda: maerisim.validate("maeri-16", "tiny", layers="linear"), "validate"),
        (lambda: maerisim.report("maeri-16", "tiny", layers="linear"), "report"),
        (lambda: maerisim.roofline("maeri-16", "tiny", layers="linear"), "roofline"),
        (lambda: maerisim.compare("maeri-16", "tiny", layers="linear"), "compare-mappings"),
    ],
)
def test_results_are_the_documents_of_the_commands_and_nothing_is_printed(call, command, capsys):
    found = call().to_dict()
    assert capsys.readouterr() == ("", "")
    name, *options = command.split()
    with pytest.raises(SystemExit):
        main([name, "maeri-16", "tiny", "--layer", "linear", "--json", *options])
    assert json.loads(json.dumps(found)) == json.loads(capsys.readouterr().out)


def test_a_loop_nest_is_a_layer_of_its_own():
    layer = maerisim.Conv2d(input=[6, 7, 9], filters=4, kernel=(3, 2), stride=2, padding=1, groups=2, batch=2)
    found = maerisim.simulate("maeri-16", layer.problem, check_values=True)
    assert found.layers[0].problem == layer.problem
    assert found.to_dict()["layers"] == maerisim.simulate("maeri-16", layer, check_values=True).to_dict()["layers"]
    mapping = maerisim.rank("maeri-16", layer.problem, count=1).best[0].mapping
    assert maerisim.estimate("maeri-16", layer.problem, mapping=mapping).layers[0].mapping == mapping


@settings(max_examples=100, deadline=None)
@given(problems())
def test_loop_nests_are_those_of_the_layers_that_have_them(problem):
    if problem.pools:  # each channel by itself
        problem = replace(problem, K=1, C=1, dilation=(1, 1))
    assert layer_of(problem).problem == problem


def test_loop_nests_of_shipped_layers_and_of_no_layer():
    for name in maerisim.shipped("network"):
        for stage in (stage for layer in Network.load(name).layers for stage in layer.stages):
            assert layer_of(stage.problem).problem == stage.problem
    with pytest.raises(maerisim.NotSupportedError, match=r"no layer has the loop nest .*operation='max'"):
        maerisim.map("maeri-16", Problem(G=2, C=2, R=2, operation="max"))


def test_mappings_are_given_by_name_as_a_file_or_one_for_the_only_layer(tmp_path):
    mapped = maerisim.map("maeri-16", TWO)
    maerisim.save_mappings(mapped, tmp_path / "m.yaml")
    expected = maerisim.simulate("maeri-16", TWO).total_cycles
    assert maerisim.simulate("maeri-16", TWO, mapping=mapped.mappings).total_cycles == expected
    assert maerisim.simulate("maeri-16", TWO, mapping=tmp_path / "m.yaml").total_cycles == expected
    alone = maerisim.simulate("maeri-16", TWO, layers="wide", mapping=mapped.mappings["wide"], engine="event")
    assert alone.total_cycles == maerisim.simulate("maeri-16", TWO, layers="wide").total_cycles
    assert alone.layers[0].candidates is None


@pytest.mark.parametrize(
    ("mapping", "problem"),
    [
        (Mapping.of({"K": 2}), "mapping: expected mappings by the name of the layer, found one for 2: wide, narrow"),
        ({"wide": Mapping.of({"K": 2})}, "mapping: layer 'narrow': there is no mapping for it (there are: wide)"),
        (
            {"wide": Mapping.of({"K": 2}), "narrow": Mapping.of({"K": 99})},
            "mapping: layer 'narrow': the tile of K is 99, more than the 4 that the layer has",
        ),
    ],
)
def test_mappings_that_cannot_be_used(mapping, problem):
    with pytest.raises(maerisim.MappingError) as caught:
        maerisim.simulate("maeri-16", TWO, mapping=mapping)
    assert str(caught.value) == problem


def test_constraints_may_be_a_dict():
    found = maerisim.map("maeri-16", TWO, constraints={"layers": {"wide": {"tile": {"K": 3}}}})
    assert found.layer("wide").mapping.tile_of("K") == 3
    with pytest.raises(
        maerisim.DocumentError, match=r"constraints: layers\.wider: two has no layer or stage of this name"
    ):
        maerisim.map("maeri-16", TWO, constraints={"layers": {"wider": {"tile": {"K": 3}}}})
    with pytest.raises(maerisim.MappingError, match=r"tile C = 11 \(constraints: all\.tile\.C\)"):
        maerisim.map("maeri-16", TWO, layers="narrow", constraints={"all": {"tile": {"C": 11}}})


def test_words_that_mean_nothing_are_refused():
    with pytest.raises(maerisim.NotSupportedError, match=r"objective: expected one of cycles, .*, found 'speed'"):
        maerisim.map("maeri-16", TWO, objective="speed")
    with pytest.raises(maerisim.NotSupportedError, match="engine: expected one of compiled, event, found 'fast'"):
        maerisim.simulate("maeri-16", TWO, engine="fast")


def test_progress_is_told_layer_by_layer_up_to_the_total():
    told = []
    maerisim.simulate("maeri-16", TWO, progress=lambda done, total, doing: told.append((done, total, doing)))
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    assert {total for _, total, _ in told} == {12 * 8 + 8 * 4}
    assert any(doing.startswith("mapping wide (so far to ") for _, _, doing in told)
    doings = [doing.partition(" (so far ")[0] for _, _, doing in told]
    assert list(dict.fromkeys(doings)) == ["mapping wide", "simulating wide", "mapping narrow", "simulating narrow"]


@pytest.mark.parametrize("ending", [KeyboardInterrupt, maerisim.DeadlockError])
def test_what_ends_a_run_is_raised_or_leaves_what_is_finished(ending, monkeypatch):
    simulate, calls = layers.simulate, []

    def ended_in_the_second_layer(*values, **options):
        calls.append(values)
        if len(calls) == 2:
            raise ending
        return simulate(*values, **options)

    monkeypatch.setattr(layers, "simulate", ended_in_the_second_layer)
    with pytest.raises(ending):
        maerisim.simulate("maeri-16", TWO)
    calls.clear()
    found = maerisim.simulate("maeri-16", TWO, partial=True)
    assert [layer.name for layer in found.layers] == ["wide"]
    assert (found.interrupted, found.failure is None) == ((ending is KeyboardInterrupt,) * 2)


def test_the_ranking_begins_with_what_the_estimate_says_is_best():
    ranking = maerisim.rank("maeri-16", TWO, layers="wide", count=5)
    scores = [each.score for each in ranking.best]
    assert scores == sorted(scores)
    assert len({each.mapping for each in ranking.best}) == len(scores)
    again = maerisim.estimate("maeri-16", TWO, layers="wide", mapping=ranking.best[0].mapping)
    assert again.layers[0].estimate.cycles == ranking.best[0].estimate.cycles == scores[0]
    assert [each["score"] for each in ranking.to_dict()["mappings"]] == scores
    with pytest.raises(maerisim.NotSupportedError, match="one layer at a time, found 2: wide, narrow"):
        maerisim.rank("maeri-16", TWO)
    with pytest.raises(maerisim.NotSupportedError, match="dense layers on decoupled controllers only"):
        maerisim.rank("maeri-256-dram", TWO, layers="wide")


def test_programs_come_with_what_they_are_of():
    program = next(maerisim.programs("maeri-16", TWO, layers="wide"))
    assert program.layer == "wide"
    assert str(program).startswith(f"# wide: {program.mapping}\n")


def test_a_sweep_takes_objects_and_finds_what_single_calls_find(tmp_path):
    hardware = maerisim.Hardware(multipliers=16)
    asked = {"hardware": hardware, "networks": [TWO], "grid": {"distribution.bandwidth": [2, 4]}}
    database, told = tmp_path / "s.sqlite", []
    swept = maerisim.sweep(asked, database=database, jobs=1, progress=lambda *how: told.append(how))
    assert [done for done, _, _ in told] == [1, 2, 3, 4]
    for total in swept.totals:
        assert total.cycles == maerisim.simulate(total.point.hardware, TWO).total_cycles
    assert swept.best["two"].cycles == min(total.cycles for total in swept.totals)
    assert len(swept.to_dict()["rows"]) == 4
    again = maerisim.sweep(asked, database=database, run=False)
    assert again.to_dict() == swept.to_dict()
    with pytest.raises(maerisim.DocumentError, match="sweep: networks: expected at least 1 entries, found 0"):
        maerisim.sweep({**asked, "networks": []})


def test_frames_have_a_flat_row_for_each_layer(monkeypatch):
    found = maerisim.map("maeri-16", TWO)
    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=list))
    rows = found.to_frame()
    assert [row["name"] for row in rows] == ["wide", "narrow"]
    assert rows[0]["mapping.tile.K"] == found.layers[0].mapping.tile_of("K")
    assert rows[0]["mapping.order"].split() == list(found.layers[0].mapping.order)
    assert not any(isinstance(value, (dict, list)) for row in rows for value in row.values())
    assert [row["score"] for row in maerisim.rank("maeri-16", TWO, layers="wide", count=2).to_frame()]
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(maerisim.NotSupportedError, match="needs pandas"):
        found.to_frame()
