"""What falls to each kind of tile: small mappings counted by hand, drawn ones walked step by step."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings

from maerisim.counts.coinciding_steps import coincidences
from maerisim.counts.counters import OPERANDS
from maerisim.counts.multicasts import together
from maerisim.counts.program_totals import totals
from maerisim.counts.tile_kinds import shares, summed
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.program.program import Loop, Step, Thread
from maerisim.ways.way import programs, violations
from maerisim.workload.network import Network
from maerisim.workload.problem import Problem
from mapper import find_mapping
from tests.strategies import Case, cases, sparse_cases

MAERI_16 = Hardware.load("maeri-16")


def shares_of(problem, mapping, hardware=MAERI_16):
    return shares(programs(problem, mapping, hardware), hardware)


def test_a_whole_and_a_partial_tile_of_filters():
    """Five filters of 2 x 2, two at once, on 3 x 3 outputs: 18 steps with two virtual neurons of 4, 9 with one.

    Weights stay for the 9 outputs of a tile; of the inputs a filter row gets both for the first output of each row, then
    one from its neighbour.
    """
    problem = Problem(K=5, R=2, S=2, P=3, Q=3)
    both, one = shares_of(problem, Mapping.of({"K": 2, "R": 2, "S": 2}, "N G K C R S P Q"))
    assert (both.tile.virtual_neurons, both.tile.steps) == (((4, 2),), 18)
    assert (one.tile.virtual_neurons, one.tile.steps) == (((4, 1),), 9)
    assert both.work.traffic.multiplications == 18 * 8
    assert one.work.traffic.multiplications == 9 * 4
    assert both.work.multicasts["weights"].words == {1: 2 * 8}
    assert one.work.multicasts["weights"].words == {1: 4}
    inputs = 3 * (4 + 2 + 2)
    assert both.work.multicasts["inputs"].words == {2: 2 * inputs}
    assert one.work.multicasts["inputs"].words == {1: inputs}
    assert both.work.traffic.forwards == 2 * 3 * 2 * 4
    assert one.work.traffic.forwards == 3 * 2 * 2
    assert both.work.traffic.additions == 18 * 2 * 3
    assert both.work.traffic.results == 2 * 18
    assert one.work.traffic.buffer_writes == {"outputs": 9, "partial_sums": 0}
    # Below the first of four ports lie the four switches of the first filter.
    assert both.work.busy == {"multipliers": 18, "distribution": 2 * (inputs + 4), "collection": 18}
    assert one.work.busy == {"multipliers": 9, "distribution": inputs + 4, "collection": 9}


def test_partial_sums_fall_to_the_tile_that_takes_them():
    """Five channels, two at once, without an accumulation buffer: the sums of the first step come back in the second,
    those of the second in the third, which has one channel.
    """
    hardware = MAERI_16.with_overrides({"accumulation.words": 0})
    whole, partial = shares_of(Problem(C=5, Q=2), Mapping.of({"C": 2}, "N G K C R S P Q"), hardware)
    assert (whole.tile.steps, partial.tile.steps) == (4, 2)
    assert whole.work.multicasts["partial_sums"].words == {1: 2}
    assert partial.work.multicasts["partial_sums"].words == {1: 2}
    assert whole.work.traffic.buffer_writes == {"outputs": 0, "partial_sums": 4}
    assert partial.work.traffic.buffer_writes == {"outputs": 2, "partial_sums": 0}


def check_steps(case: Case) -> None:
    """Against walking all threads: every visit has the label of the control step that it is for."""
    problem, mapping, hardware = case
    assume(not violations(problem, mapping, hardware))
    for program in programs(problem, mapping, hardware):
        timeline = program.compute
        labels = np.arange(len(timeline.templates)) % 3
        at = {}
        numbers = {id(template): number for number, template in enumerate(timeline.templates)}
        for visit in timeline.walk():
            at[visit.step - timeline.first_step] = int(labels[numbers[id(visit.template)]])
        for thread in (program.collect, *program.streams):
            numbers_of = {id(template): number for number, template in enumerate(thread.templates)}
            walked = Counter(
                (at[visit.step - thread.first_step], numbers_of[id(visit.template)]) for visit in thread.walk()
            )
            assert coincidences(thread, timeline, labels) == walked


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_every_visit_is_found_in_its_control_step(case: Case) -> None:
    check_steps(case)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(sparse_cases())
def test_every_visit_of_a_sparse_layer_is_found_in_its_control_step(case: Case) -> None:
    check_steps(case)


def test_loops_that_do_not_lie_over_one_another_are_counted_all_the_same():
    """Every third step against steps whose label changes every two, then every four: walked by hand."""
    timeline = Thread(
        "compute", (Loop(3, 0, 0, (Step(0, 2, 1, 0), Step(1, 2, 1, 0))), Step(2, 4, 1, 0)), ("a", "b", "c")
    )
    thread = Thread("inputs", (Loop(2, 0, 0, (Step(0, 1, 3, 0), Step(1, 1, 3, 0))), Step(0, 1, 1, 0)), ("x", "y"))
    # Steps 0 3 6 9 12 carry x y x y x; labels 0011 0011 0011 2222.
    found = coincidences(thread, timeline, np.arange(3))
    assert found == {(0, 0): 1, (1, 1): 1, (1, 0): 1, (0, 1): 1, (2, 0): 1}


def check_sums(problem: Problem, mapping: Mapping, hardware: Hardware) -> None:
    """The shares add up to the counts of the programs, exactly."""
    sequence = programs(problem, mapping, hardware)
    found = shares(sequence, hardware)
    runs = [totals(program, hardware) for program in sequence]
    whole = [run.traffic.as_dict() for run in runs]
    parts = [share.work.traffic.as_dict() for share in found]
    for name, value in whole[0].items():
        if isinstance(value, dict):
            for key in value:
                assert sum(part[name][key] for part in parts) == sum(run[name][key] for run in whole), (name, key)
        else:
            assert sum(part[name] for part in parts) == sum(run[name] for run in whole), name
    steps = sum(program.compute.steps for program in sequence)
    assert sum(share.tile.steps for share in found) == steps
    assert summed([share.work for share in found]).busy == {
        "multipliers": steps,
        "distribution": sum(max(run.busy["ports"]) for run in runs),
        "collection": sum(max(run.busy["buses"]) for run in runs),
    }
    for share in found:
        longest = max(share.work.steps, share.work.busy["distribution"], share.work.busy["collection"])
        assert share.work.busy[share.work.busiest] == longest
    sent = together([share.work.multicasts for share in found])
    for operand in OPERANDS:
        assert sum(sent[operand].words.values()) == sum(run.buffer_reads[operand] for run in runs)
        assert sum(width * count for width, count in sent[operand].words.items()) == sum(
            run.delivered[operand] for run in runs
        )
    for share in found:
        assert share.work.traffic.operations == share.tile.multipliers * share.tile.steps


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_shares_add_up_to_the_whole(case: Case) -> None:
    problem, mapping, hardware = case
    assume(not violations(problem, mapping, hardware))
    check_sums(problem, mapping, hardware)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(sparse_cases())
def test_shares_of_sparse_layers_add_up_to_the_whole(case: Case) -> None:
    problem, mapping, hardware = case
    assume(not violations(problem, mapping, hardware))
    check_sums(problem, mapping, hardware)


@pytest.mark.parametrize(
    ("network", "layer"),
    [
        ("alexnet", "conv3"),
        ("alexnet", "pool1"),
        ("mobilenet_v2", "features.2.depthwise"),
        ("lstm", "lstm1"),
        ("gru", "encoder"),
    ],
)
def test_shares_of_shipped_layers_add_up_to_the_whole(network, layer):
    """Dense, pooling, depthwise and recurrent layers in full: millions of control steps, none of them walked."""
    hardware = Hardware.load("maeri-64")
    for stage in Network.load(network).layer(layer).stages:
        check_sums(stage.problem, find_mapping(stage.problem, hardware).mapping, hardware)
