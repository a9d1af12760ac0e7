"""Skipping repetitions changes nothing: cycles and every counter equal the stepped run's."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from maerisim.counts.counters import differences
from maerisim.engine.compiled import fast_forward as recording
from maerisim.engine.compiled import run as compiled
from maerisim.engine.compiled.watched import Watched
from maerisim.engine.observers import Observer
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.fused import FusedMapping
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import program_of, simulate, violations
from maerisim.workload.problem import DIMENSIONS, FusedProblem, Problem
from tests.strategies import Case, FusedCase, cut_orders, fused_cases, hardwares

DEEP = st.sampled_from([64, 300, 16384])
"""Queues that hardly ever fill, as STONNE's."""
DEEP_QUEUES = (
    "multiplier.input_fifo_depth",
    "multiplier.partial_sum_fifo_depth",
    "multiplier.forward_fifo_depth",
    "multiplier.product_fifo_depth",
    "reduction.fifo_depth",
    "collection.fifo_depth",
)


@st.composite
def held_back(draw: st.DrawFn, drawn: Hardware) -> Hardware:
    """The same hardware with deep queues, or with a controller that waits for outputs, as STONNE's does."""
    changes: dict[str, object] = {name: draw(DEEP) for name in DEEP_QUEUES if draw(st.booleans())}
    if draw(st.booleans()):
        sums_first = draw(st.booleans())
        changes |= {
            "controller.pad_edges": True,
            "controller.wait_for_outputs": True,
            "controller.wait_across_images": draw(st.booleans()),
            "controller.steps_per_cycle": draw(st.sampled_from([None, 1, 2])),
            "controller.weights_first": draw(st.booleans()),
            "distribution.partial_sums_first": sums_first,
            "distribution.partial_sums_as_they_arrive": sums_first and draw(st.booleans()),
            "multiplier.wait_for_all_weights": True,
            "multiplier.weight_registers": draw(st.sampled_from([16, 16384])),
        }
    return drawn.with_overrides(changes)


@st.composite
def long_cases(draw: st.DrawFn) -> Case:
    """Layers whose loops turn often enough to recur, small tiles, any order, also with loops over blocks."""
    sizes = {d: draw(st.integers(1, 2)) for d in DIMENSIONS}
    for d in draw(st.lists(st.sampled_from("NGKCPQ"), min_size=2, max_size=3, unique=True)):
        sizes[d] = draw(st.integers(4, 14))
    problem = Problem(**sizes, stride=(draw(st.integers(1, 2)),) * 2)
    hardware = draw(hardwares(32))
    if draw(st.booleans()):
        hardware = draw(held_back(hardware))
    tile = {d: draw(st.integers(1, min(size, 3))) for d, size in sizes.items()}
    order = draw(st.permutations(DIMENSIONS))
    if hardware.multiplier.wait_for_all_weights:
        order = [d for d in order if d not in "CRS"] + [d for d in order if d in "CRS"]
    for d in draw(st.permutations(DIMENSIONS)):
        if not violations(problem, Mapping.of(tile, order), hardware):
            break
        tile[d] = 1
    mapping = Mapping.of(tile, order)
    cut = Mapping.of(tile, draw(cut_orders(order, problem, mapping)))
    return Case(problem, mapping if violations(problem, cut, hardware) else cut, hardware)


@st.composite
def long_firsts(draw: st.DrawFn) -> Problem:
    """First layers whose loops turn often."""
    sizes = {d: draw(st.integers(1, 2)) for d in DIMENSIONS}
    for d in draw(st.lists(st.sampled_from("NKCPQ"), min_size=2, max_size=3, unique=True)):
        sizes[d] = draw(st.integers(4, 14))
    return Problem(**sizes)


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(fused_cases(firsts=long_firsts()))
def test_skipping_equals_stepping_of_two_layers(case: FusedCase) -> None:
    problem, mapping, hardware = case
    assume(not violations(problem, mapping, hardware))
    assert_equal(problem, mapping, hardware)


@pytest.mark.parametrize("smallest_deep", [2, recording.DEEP])
@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(long_cases())
def test_skipping_equals_stepping(smallest_deep: int, case: Case) -> None:
    """Whether the words of a queue are looked at is a matter of speed alone."""
    problem, mapping, hardware = case
    assume(not violations(problem, mapping, hardware))
    with mock.patch.object(recording, "DEEP", smallest_deep):
        assert_equal(problem, mapping, hardware)


def assert_equal(
    problem: Problem | FusedProblem, mapping: Mapping | FusedMapping, hardware: Hardware
) -> compiled.Run | None:
    """Run with and without skipping; both must find the same, or both that the program cannot go on."""
    program = program_of(problem, mapping, hardware)
    skipping = compiled.run_lanes(program, hardware, fast_forward=True)
    stepping = compiled.run_lanes(program, hardware, fast_forward=False)
    if skipping is None or stepping is None:
        assert skipping is stepping
        return None
    assert differences(skipping.counters, stepping.counters) == []
    assert (skipping.cycles, skipping.first_result) == (stepping.cycles, stepping.first_result)
    assert stepping.stepped >= stepping.cycles
    return skipping


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(long_cases(), st.lists(st.floats(0, 1), min_size=1, max_size=3))
def test_a_cycle_that_is_watched_is_reached_in_the_state_of_the_stepped_run(case: Case, stops: list[float]) -> None:
    problem, mapping, hardware = case
    assume(not violations(problem, mapping, hardware))
    program = program_of(problem, mapping, hardware)
    run = compiled.run_lanes(program, hardware)
    assume(run is not None)
    assert run is not None
    skipping, stepping = Watched(program, hardware), Watched(program, hardware)
    stepping._recurs = False
    for stop in sorted(stops):
        for watched in (skipping, stepping):
            watched.go_to(int(stop * run.cycles))
            watched.watch(watched.cycle + 2, Observer())
        assert skipping.cycle == stepping.cycle
        for part in ("state", "counter", "clock"):
            np.testing.assert_array_equal(getattr(skipping._record, part), getattr(stepping._record, part))
    assert skipping.stepped <= stepping.stepped == stepping.cycle


@pytest.mark.parametrize("order", ["N G K C R S P Q", "N G P Q C R S K", "G K N P Q C R S"])
@pytest.mark.parametrize("name", ["maeri-16", "maeri-64"])
def test_long_layers_are_skipped_for_the_most_part(order: str, name: str) -> None:
    hardware = Hardware.load(name)
    problem = Problem(N=1, G=1, K=60, C=60, R=1, S=3, P=28, Q=28)
    run = assert_equal(problem, Mapping.of({"C": 2, "S": 3, "K": 2}, order), hardware)
    assert run is not None
    assert run.stepped < 0.05 * run.cycles
    watched = Watched(program_of(problem, Mapping.of({"C": 2, "S": 3, "K": 2}, order), hardware), hardware)
    watched.go_to(run.cycles)
    assert watched.finished
    assert watched.stepped < 0.05 * run.cycles


STONNE = "N G K P Q C R S"


@pytest.mark.parametrize(
    ("problem", "tile", "words"),
    [
        (Problem(K=128, C=64, P=14, Q=14), {"K": 64}, 1_000_000),
        (Problem(K=96, C=16, R=3, S=3, P=20, Q=20), {"R": 3, "S": 3, "C": 4}, 1_000_000),
        (Problem(K=96, C=16, R=3, S=3, P=20, Q=20), {"R": 3, "S": 3, "C": 4}, 0),
        (Problem(K=640, C=512), {"C": 32}, 0),
    ],
    ids=["one multiplier", "3x3", "3x3 without accumulation buffer", "linear without accumulation buffer"],
)
def test_controllers_that_wait_are_skipped_for_the_most_part(
    problem: Problem, tile: dict[str, int], words: int
) -> None:
    hardware = Hardware.load("stonne").with_overrides({"accumulation.words": words})
    run = assert_equal(problem, Mapping.of(tile, STONNE), hardware)
    assert run is not None
    assert run.stepped < 0.1 * run.cycles


def test_values_are_carried_by_stepping() -> None:
    from maerisim.workload.reference import random_operands, reference_outputs

    problem = Problem(N=1, G=1, K=12, C=6, R=3, S=3, P=12, Q=12)
    operands = random_operands(problem, 3)
    hardware, mapping = Hardware.load("maeri-16"), Mapping.of({"R": 3, "S": 3}, "N G K C R S P Q")
    result = simulate(problem, mapping, hardware, operands=operands)
    np.testing.assert_array_equal(result.outputs, reference_outputs(problem, operands))
    assert result.cycles == simulate(problem, mapping, hardware).cycles
