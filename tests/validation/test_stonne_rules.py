"""Both engines in the ``stonne`` profile against STONNE's rules, restated (:mod:`tests.validation.stonne_rules`).

The restatement is held against STONNE's own measurements where they are at hand, and two cases are worked out by hand.
"""

from __future__ import annotations

import csv
import sys
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from maerisim.counts.counters import differences
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import simulate, violations
from maerisim.workload.problem import DIMENSIONS, Problem
from maerisim.workload.reference import random_operands, reference_outputs
from tests.validation.stonne_rules import Stonne, WrongError

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
from stonne_rows import ORDER, PLACEMENT, case, counts

GOLDEN = next((path for path in (ROOT.parent / "shared" / "golden",) if path.exists()), None)


@cache
def stonne(multipliers: int, ports: int, buses: int, accumulates: bool) -> Hardware:
    overrides: dict[str, Any] = {
        "multipliers": multipliers,
        "distribution.bandwidth": ports,
        "distribution.latency": 1 if ports == multipliers else 2,
        "collection.bandwidth": buses,
    }
    if not accumulates:
        overrides |= {"accumulation.words": 0, "accumulation.latency": 0}
    return Hardware.load("stonne").with_overrides(overrides)


def agree(problem: Problem, mapping: Mapping, hardware: Hardware) -> int:
    """The cycles of both engines, with and without values; values and all counters are checked."""
    operands = random_operands(problem, seed=1)
    event = simulate(problem, mapping, hardware, engine="event", operands=operands)
    compiled = simulate(problem, mapping, hardware, operands=operands)
    timing = simulate(problem, mapping, hardware)
    assert event.cycles == compiled.cycles == timing.cycles
    assert differences(event.counters, compiled.counters) == []
    assert differences(event.counters, timing.counters) == []
    assert event.outputs is not None
    assert compiled.outputs is not None
    np.testing.assert_array_equal(event.outputs, reference_outputs(problem, operands))
    np.testing.assert_array_equal(compiled.outputs, event.outputs)
    return event.cycles


def agree_with_stonne(problem: Problem, mapping: Mapping, hardware: Hardware) -> None:
    restated = Stonne(problem, mapping, hardware).run()
    assert agree(problem, mapping, hardware) == restated.cycles
    ours = counts(simulate(problem, mapping, hardware), problem, mapping)
    moved = ("sram_w_reads", "sram_in_reads", "sram_psum_reads", "psum_writes")
    assert tuple(ours[name] for name in moved) == restated[1:]


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_groups_let_the_next_weights_in_after_as_many_outputs_as_there_are() -> None:
    """Two groups of three filters, two of them at once, and four output rows, one at a time: four batches of weights.

    A word arrives in the cycle in which it is sent. Of a batch begun in cycle b the weights are sent in b and the rows
    in b + 1 to b + 4; a product of b + 1 passes the leaf adder in b + 2, the accumulator in b + 3 and the bus in b + 4, and
    is written in b + 5. Both virtual neurons are below one leaf adder, and share a bus: eight results are written in
    b + 5 to b + 12, one a cycle.

    The second batch waits for 2 filters x 4 rows = 8 results: written in cycle 13, so that it begins in 14 and writes in
    19 to 26. The third is the first of the second group and waits for the 3 x 4 = 12 that the first group really has:
    written in 22, it begins in 23 and writes in 28 to 35. (All 16 with those of the filter that fills up the tile would
    be there in 26.) The last waits for 12 + 8 = 20 results: in 31; it begins in 32 and writes in 37 to 44.
    """
    problem, mapping = Problem(G=2, K=3, P=4), Mapping.of({"K": 2}, ORDER, PLACEMENT)
    hardware = stonne(16, 16, 16, accumulates=True)
    assert agree(problem, mapping, hardware) == 44
    agree_with_stonne(problem, mapping, hardware)


def test_returning_partial_sums_leave_a_port_in_the_order_in_which_they_came_back() -> None:
    """Two filters of two folds at one port, without accumulation buffer.

    The port sends the four weights in cycles 1 to 4 and the two inputs in 5 and 6; a word is multiplied a cycle after it
    is sent. Both products of the first fold meet the zeros of their virtual neurons in cycle 7, pass their buses in 8 and
    arrive at the memory in 9, which writes half of them: the one on the lower bus, which is that of virtual neuron 1.
    Its partial sum goes back in 9, that of virtual neuron 0 in 10; in the order of the program that would wait for
    virtual neuron 0. They are added in 11 and 12 and on the buses in 12 and 13: written in 13 and 14.
    """
    problem, mapping = Problem(K=2, C=2), Mapping.of({"K": 2}, ORDER, PLACEMENT)
    hardware = stonne(16, 1, 16, accumulates=False)
    assert agree(problem, mapping, hardware) == 14
    agree_with_stonne(problem, mapping, hardware)
    in_order = hardware.with_overrides({"distribution.partial_sums_as_they_arrive": False})
    assert agree(problem, mapping, in_order) == 15


# --- the restatement against STONNE itself ----------------------------------------------------------------------------


@pytest.mark.skipif(GOLDEN is None, reason="no table of STONNE runs beside the repository (../shared/golden)")
@pytest.mark.parametrize("table", ["stonne.csv", "stonne_random.csv"])
def test_the_rules_are_those_of_stonne(table: str) -> None:
    assert GOLDEN is not None
    checked = 0
    with (GOLDEN / table).open() as file:
        for row in csv.DictReader(file):
            if int(row["cycles"]) * int(row["num_ms"]) > 60_000:
                continue
            names = ("cycles", "sram_w_reads", "sram_in_reads", "sram_psum_reads", "psum_writes")
            assert Stonne(*case(row)).run() == tuple(int(row[name]) for name in names), row["name"]
            checked += 1
    assert checked > 30


@pytest.mark.skipif(GOLDEN is None, reason="no table of STONNE runs beside the repository (../shared/golden)")
def test_the_rules_tell_why_outputs_are_wrong() -> None:
    """Where the next weights come too early, words that do not belong together are multiplied."""
    assert GOLDEN is not None
    with (GOLDEN / "stonne_wrong.csv").open() as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    for name in ("edge_x7tx2", "edge_x7tx3", "n2"):
        assert rows[name]["status"] == "WRONG_RESULT"
        with pytest.raises(WrongError):
            Stonne(*case(rows[name])).run()


# --- every kind of layer with every option -----------------------------------------------------------------------------


class Kind(NamedTuple):
    """A kind of layer and tile."""

    problem: Problem
    tile: dict[str, int]


KINDS = {
    "whole tiles, no folds": Kind(Problem(K=4, C=2, P=3, Q=2), {"K": 2, "C": 2}),
    "folds of channels": Kind(Problem(K=4, C=3, P=2, Q=2), {"K": 2}),
    "folds of rows and columns": Kind(Problem(K=2, R=2, S=3, P=2, Q=2), {"K": 2, "S": 1}),
    "groups": Kind(Problem(G=3, K=2, C=2, P=2), {"K": 2, "C": 2}),
    "groups side by side": Kind(Problem(G=4, K=2, C=2, P=2), {"G": 2, "K": 2}),
    "groups, partial filters": Kind(Problem(G=3, K=3, C=2, P=2, Q=2), {"K": 2, "C": 2}),
    "groups, partial filters, folds": Kind(Problem(G=2, K=3, C=2, P=2, Q=2), {"K": 2}),
    "partial groups": Kind(Problem(G=3, K=2, P=3), {"G": 2, "K": 2}),
    "partial groups and filters": Kind(Problem(G=3, K=3, C=2, P=2), {"G": 2, "K": 2}),
    "all groups at once, partial filters": Kind(Problem(G=2, K=3, C=2, P=2), {"G": 2, "K": 2}),
    "filters that are fewer than the tile": Kind(Problem(G=3, K=1, C=2, P=2), {"K": 2}),
    "partial filters": Kind(Problem(K=5, C=2, P=2, Q=2), {"K": 2, "C": 2}),
    "partial channels": Kind(Problem(K=3, C=5, P=2, Q=2), {"K": 2, "C": 2}),
    "partial rows of the filter": Kind(Problem(K=2, R=3, S=2, P=2, Q=2), {"K": 2, "R": 2, "S": 2, "Q": 2}),
    "partial columns of the filter": Kind(Problem(K=2, R=2, S=3, P=2, Q=3), {"K": 2, "S": 2}),
    "partial output rows": Kind(Problem(K=3, C=2, P=5, Q=2), {"P": 2, "C": 2}),
    "partial output columns": Kind(Problem(K=3, R=2, S=2, P=2, Q=5), {"Q": 2, "R": 2, "S": 2}),
    "partial in most dimensions": Kind(Problem(G=3, K=3, C=3, S=3, P=3), dict.fromkeys("GKCSP", 2)),
    "forwarding": Kind(Problem(K=3, R=2, S=3, P=2, Q=4), {"R": 2, "S": 3}),
    "forwarding, folds": Kind(Problem(K=3, C=2, R=2, S=4, P=2, Q=4), {"R": 2, "S": 2}),
    "forwarding, several rows": Kind(Problem(K=2, S=3, P=4, Q=3), {"S": 3, "P": 2}),
    "forwarding, groups": Kind(Problem(G=2, K=4, S=3, P=2, Q=3), {"S": 3, "K": 2}),
    "stride 2": Kind(Problem(K=3, C=2, R=2, S=2, P=2, Q=3, stride=(2, 2)), {"K": 2, "R": 2, "S": 2}),
    "stride 3, folds": Kind(Problem(K=3, C=2, R=2, S=3, P=2, Q=2, stride=(3, 3)), {"K": 2, "S": 2}),
    "virtual neurons of one multiplier": Kind(Problem(K=5, C=3, P=3), {"K": 4}),
}  # fmt: skip
"""STONNE computes all of these correctly."""

SIZES = [(32, 1, 8), (32, 4, 2), (32, 16, 32), (32, 32, 1), (64, 2, 16), (64, 64, 64), (128, 8, 16)]
"""Multipliers, ports and buses: many virtual neurons to a port, one, and many ports to one."""


@pytest.mark.parametrize("accumulates", [True, False], ids=["buffer", "no buffer"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_layer(kind: str, accumulates: bool) -> None:
    problem, tile = KINDS[kind]
    mapping = Mapping.of(tile, ORDER, PLACEMENT)
    fitting = [size for size in SIZES if not violations(problem, mapping, stonne(*size, accumulates))]
    assert fitting
    for size in fitting:
        agree_with_stonne(problem, mapping, stonne(*size, accumulates))


def traits_of(problem: Problem, mapping: Mapping) -> set[str]:
    """What is particular about a layer and its tile."""
    tile, trips = mapping.T, dict(zip(DIMENSIONS, mapping.trips(problem), strict=True))
    folds = trips["C"] * trips["R"] * trips["S"] > 1
    slides = tile["Q"] == 1 < tile["S"] and problem.stride == (1, 1) and problem.S % tile["S"] == 0 and problem.Q > 1
    partial = {d for d in "GKCRSPQ" if getattr(problem, d) % tile[d]}
    found = {f"partial {d}" for d in partial} | {"folds" if folds else "no folds"}
    found |= {"groups"} if problem.G > 1 else set()
    found |= {"groups side by side"} if problem.G > 1 < tile["G"] else set()
    found |= {"groups, partial K"} if problem.G > 1 and "K" in partial else set()
    found |= {"stride"} if problem.stride != (1, 1) else set()
    found |= {"forwarding"} if slides else set()
    return found | ({"folds of one multiplier"} if folds and mapping.vn_size == 1 else set())


def test_no_combination_is_left_out() -> None:
    """Every trait with and without buffer, with several virtual neurons to a port and with no more than one."""
    covered: set[tuple[str, bool, bool]] = set()
    for problem, tile in KINDS.values():
        mapping = Mapping.of(tile, ORDER, PLACEMENT)
        for size, accumulates in product(SIZES, (True, False)):
            hardware = stonne(*size, accumulates)
            if not violations(problem, mapping, hardware):
                several = mapping.vn_size + mapping.spills(problem, hardware) < hardware.leaves_per_port
                covered |= {(trait, accumulates, several) for trait in traits_of(problem, mapping)}
    traits = {trait for trait, _, _ in covered}
    assert len(traits) == 2 + 3 + 7 + 3
    assert covered == set(product(traits, (True, False), (True, False)))


OPTIONS: dict[str, dict[str, Any]] = {
    "steps_per_cycle: 3": {"controller.steps_per_cycle": 3},
    "steps_per_cycle: any": {"controller.steps_per_cycle": None},
    "weights_first: false": {"controller.weights_first": False},
    "wait_for_outputs: false": {"controller.wait_for_outputs": False},
    "wait_across_images: true": {"controller.wait_across_images": True},
    "pad_edges: false": {
        "controller.pad_edges": False,
        "controller.weights_first": False,
        "controller.wait_for_outputs": False,
        "multiplier.wait_for_all_weights": False,
        "distribution.partial_sums_as_they_arrive": False,
    },
    "partial_sums_as_they_arrive: false": {"distribution.partial_sums_as_they_arrive": False},
    "partial_sums_first: false": {
        "distribution.partial_sums_first": False,
        "distribution.partial_sums_as_they_arrive": False,
    },
    "wiring: regional": {"collection.wiring": "regional"},
    "wiring: modulo": {"collection.wiring": "modulo"},
    "arbiter: least_recently_granted": {"collection.arbiter": "least_recently_granted"},
    "write_back: all": {"collection.write_back": "all"},
    "queues that fill up": {
        "multiplier.input_fifo_depth": 2,
        "multiplier.partial_sum_fifo_depth": 1,
        "multiplier.product_fifo_depth": 1,
        "multiplier.forward_fifo_depth": 16,
        "reduction.fifo_depth": 1,
        "collection.fifo_depth": 1,
    },
    "inputs held": {"multiplier.input_registers": 1},
}


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_option_with_every_kind_of_layer(kind: str, option: str) -> None:
    """What no STONNE has is held by one engine against the other, and the values by NumPy."""
    problem, tile = KINDS[kind]
    tile = {d: min(size, getattr(problem, d)) for d, size in tile.items()}
    mapping = Mapping.of(tile, ORDER, PLACEMENT)
    for size, accumulates in ((SIZES[1], False), (SIZES[4], True)):
        hardware = stonne(*size, accumulates).with_overrides(OPTIONS[option])
        if not violations(problem, mapping, hardware):
            agree(problem, mapping, hardware)
    assert not violations(problem, mapping, hardware)


@st.composite
def drawn(draw: st.DrawFn) -> tuple[Problem, Mapping, Hardware]:
    """Layers and tiles that STONNE takes: of every kind, neighbouring outputs at a stride of 1 alone."""
    sizes = {d: draw(st.integers(1, 5)) for d in DIMENSIONS} | {"N": draw(st.sampled_from([1, 1, 2, 3]))}
    for d in draw(st.lists(st.sampled_from("GKCRS"), max_size=4)):
        sizes[d] = 1
    stride = draw(st.sampled_from([1, 1, 1, 2, 3]))
    problem = Problem(**sizes, stride=(stride, stride))
    assume(problem.macs <= 1500)
    tile = {d: draw(st.integers(1, size)) for d, size in sizes.items()}
    if stride > 1:
        tile |= {"P": 1, "Q": 1}
    mapping = Mapping.of(tile, ORDER, PLACEMENT)
    multipliers = draw(st.sampled_from([8, 16, 32, 64]))
    powers = st.sampled_from([1 << exponent for exponent in range(multipliers.bit_length())])
    hardware = stonne(multipliers, draw(powers), draw(powers), draw(st.booleans()))
    assume(not violations(problem, mapping, hardware))
    return problem, mapping, hardware


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn())
def test_cycles_and_counts_of_any_tile(case: tuple[Problem, Mapping, Hardware]) -> None:
    problem, mapping, hardware = case
    try:
        restated = Stonne(problem, mapping, hardware).run()
    except WrongError:
        assume(False)
    result = simulate(problem, mapping, hardware)
    ours = counts(result, problem, mapping)
    moved = tuple(ours[name] for name in ("sram_w_reads", "sram_in_reads", "sram_psum_reads", "psum_writes"))
    assert (result.cycles, *moved) == restated
