"""Ranking looks at every mapping that differs once, and finds the best that estimating them one by one finds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import permutations, product
from math import factorial
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maerisim.analytic import numbers, ranking
from maerisim.analytic.objective import Objective
from maerisim.analytic.predicted import prices
from maerisim.analytic.ranking import estimate_many, rank
from maerisim.fabric.choose import topology_of
from maerisim.hardware.hardware import Hardware
from maerisim.kernels.estimating import entries, orders, search_space
from maerisim.lowering.dense import filled_up
from maerisim.lowering.forwarding import forwards
from maerisim.lowering.layout import INPUT_DIMENSIONS, WEIGHT_DIMENSIONS
from maerisim.lowering.reuse import held, temporal_loops
from maerisim.mapping.mapping import REPLICATED, Mapping
from maerisim.ways.way import estimate, violations
from maerisim.workload.problem import DIMENSIONS, Problem
from mapper.space import all_tiles
from tests.strategies import hardwares

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def small_problems(draw: st.DrawFn, dimensions: int) -> Problem:
    """Problems with so many dimensions above 1."""
    larger = draw(st.permutations(DIMENSIONS))[:dimensions]
    sizes = {d: draw(st.integers(2, 5)) for d in larger}
    return Problem(**sizes, stride=(draw(st.integers(1, 2)),) * 2, dilation=(1, 1))


def walks_of(problem: Problem) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Every order and placement of the dimensions above 1, with the others outside."""
    larger = [d for d, size in zip(DIMENSIONS, problem.dims, strict=True) if size > 1]
    still = tuple(d for d in DIMENSIONS if d not in larger)
    replicated = [d for d in REPLICATED if d in larger]
    ones = tuple(d for d in REPLICATED if d not in larger)
    return [
        (still + order, ones + placement)
        for order, placement in product(permutations(larger), permutations(replicated))
    ]


def reuse(given: Problem, mapping: Mapping, hardware: Hardware) -> object:
    """All that the cost of a mapping takes from its loop order, from the lowering and the definition of fast loops."""
    problem = filled_up(given, mapping, hardware)
    multiplier, loops = hardware.multiplier, temporal_loops(problem, mapping)
    weights = held(loops, WEIGHT_DIMENSIONS, multiplier.weight_registers, multiplier.wait_for_all_weights)
    inputs = held(loops, INPUT_DIMENSIONS, multiplier.input_registers)
    slides = forwards(problem, mapping, hardware, loops, inputs)
    if hardware.controller.pad_edges and given.S % mapping.tile_of("S"):
        slides = False
    fast, period = set(), 1
    for loop in reversed(loops):
        if period > multiplier.input_fifo_depth or hardware.controller.wait_for_outputs:
            break
        fast.add(loop.dimension)
        period *= loop.trips
    kept = [(operand.passes, operand.ring, operand.repeats) for operand in (weights, inputs)]
    return *kept, slides, frozenset(fast), mapping.spills(problem, hardware)


@QUICK
@given(small_problems(dimensions=5), hardwares(16))
def test_every_loop_order_and_placement_that_differs_is_estimated_once(problem: Problem, hardware: Hardware) -> None:
    orders = {order for order, _ in walks_of(problem)}
    for tile in all_tiles(problem, hardware)[::7]:
        sizes = dict(zip(DIMENSIONS, (int(size) for size in tile), strict=True))
        kinds = set()
        for order in orders:
            mapping = Mapping.of(sizes, order)
            if not violations(problem, mapping, hardware):
                kinds.add(reuse(problem, mapping, hardware))
        placements = factorial(sum(sizes[d] > 1 for d in REPLICATED))
        assert rank(problem, hardware, tile[None], bounded=False).estimated == len(kinds) * placements


@pytest.mark.parametrize("objective", ["cycles", "energy", "edp"])
@QUICK
@given(problem=small_problems(dimensions=4), hardware=hardwares(16))
def test_the_best_is_the_best_of_all_mappings(objective: Objective, problem: Problem, hardware: Hardware) -> None:
    """The ranking looks at one loop order of each that reuse the same, whose estimates can differ a little.

    So the best is at least that of all orders, and no more than it would be if the worst of each kind were looked at.
    """
    tiles, walks = all_tiles(problem, hardware), walks_of(problem)
    costs = estimate_many(problem, tiles.tolist(), walks, hardware)
    cycles, energy = costs[..., entries.CYCLES].astype(float), costs @ prices(hardware.energy)
    scores = {"cycles": cycles, "energy": energy, "edp": cycles * energy}[objective]
    worst: dict[object, float] = {}
    for number, tile in enumerate(tiles.tolist()):
        kinds = {
            order: reuse(problem, Mapping.of(dict(zip(DIMENSIONS, tile, strict=True)), order), hardware)
            for order in {order for order, _ in walks}
        }
        for (order, placement), score, valid in zip(walks, scores[number], cycles[number] > 0, strict=True):
            if valid:
                kind = number, kinds[order], placement
                worst[kind] = max(worst.get(kind, 0.0), score)
    ranking = rank(problem, hardware, tiles, objective)
    found = ranking.best[0]
    rounding = 1e-9
    assert scores[cycles > 0].min() * (1 - rounding) <= found.score <= min(worst.values()) * (1 + rounding)
    assert violations(problem, found.mapping, hardware) == []
    assert estimate(problem, found.mapping, hardware) == found.estimate


@QUICK
@given(
    problem=small_problems(dimensions=5), hardware=hardwares(32), objective=st.sampled_from(["cycles", "energy", "edp"])
)
def test_a_bound_rules_out_no_mapping_that_is_among_the_best(
    problem: Problem, hardware: Hardware, objective: Objective
) -> None:
    tiles = all_tiles(problem, hardware)
    everything = rank(problem, hardware, tiles, objective, count=5, bounded=False)
    bounded = rank(problem, hardware, tiles, objective, count=5)
    assert [found.score for found in bounded.best] == [found.score for found in everything.best]
    assert everything.dismissed == everything.dismissed_tiles == 0
    assert bounded.estimated + bounded.dismissed <= everything.estimated


@QUICK
@given(small_problems(dimensions=4), hardwares(32), st.integers(0, 2**32 - 1))
def test_kernels_read_nothing_that_they_did_not_write(problem: Problem, hardware: Hardware, seed: int) -> None:
    def answers() -> list[object]:
        costs = estimate_many(problem, tiles[::5].tolist(), walks_of(problem)[:6], hardware)
        listed = rank(problem, hardware, tiles, count=3)
        promising = ranking.floors(problem, hardware, tiles, "cycles", 1.5 * listed.best[-1].score)
        rivals = ranking.rivals(problem, hardware, promising, "cycles", listed.best[-1].score, count=5)
        return [costs.tolist(), listed, promising, rivals]

    @contextmanager
    def scribbled(hardware: Hardware, **size: Any) -> Iterator[search_space.Workspace]:
        with numbers.scratch(hardware, **size) as room:
            scribble(room, np.random.default_rng(seed))
            used.append(room)
            yield room

    tiles, used = all_tiles(problem, hardware), list[search_space.Workspace]()
    expected = answers()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "scratch", scribbled)
        assert answers() == expected
    assert len(used) >= 7


def scribble(room: object, random: np.random.Generator) -> None:
    """Fill scratch arrays with anything, but for what the hardware gives, which is never written, and for the marks of a table, which
    tell what was written.
    """
    if isinstance(room, np.ndarray):
        room[...] = random.integers(0, 2**16, room.shape)
    elif isinstance(room, search_space.Workspace):
        scribble(room[2:], random)
    elif isinstance(room, orders.OrderTable):
        scribble((room.classes, room.queue), random)
    elif isinstance(room, tuple):
        for part in room:
            scribble(part, random)


@pytest.mark.parametrize("bandwidth", [1, 4, 8, 16])
@pytest.mark.parametrize("objective", ["cycles", "energy"])
def test_a_bound_rules_out_no_mapping_that_shares_windows(bandwidth: int, objective: Objective) -> None:
    """Neighbouring outputs read the same inputs, at other places of their virtual neurons: one packet brings both."""
    hardware = Hardware.load("maeri-32").with_overrides(
        {"distribution.bandwidth": bandwidth, "multiplier.forwarding": False, "energy.distribution_switch_access": 100}
    )
    strided = Problem(R=3, P=4, Q=2, stride=(2, 2))
    for problem in (Problem(S=3, Q=9), Problem(S=5, Q=6, C=2), Problem(R=2, S=3, P=6), strided):
        tiles = all_tiles(problem, hardware)
        everything, bounded = (rank(problem, hardware, tiles, objective, count=5, bounded=b) for b in (False, True))
        assert [found.score for found in bounded.best] == [found.score for found in everything.best]


def test_mappings_that_score_the_same_are_listed_once() -> None:
    """Rows and columns of this layer can be swapped: every mapping has a twin."""
    problem, hardware = Problem(K=8, C=4, P=8, Q=8), Hardware.load("maeri-16")
    ranking = rank(problem, hardware, all_tiles(problem, hardware), count=20)
    scores = [(found.score, found.estimate.counters.energy(hardware.energy)) for found in ranking.best]
    assert len(set(scores)) == 20
    assert scores == sorted(scores)


@QUICK
@given(small_problems(dimensions=4), hardwares(32))
def test_the_tiles_are_those_that_fit(problem: Problem, hardware: Hardware) -> None:
    block = topology_of(hardware).block
    fitting = set()
    for tile in product(*(range(1, size + 1) for size in problem.dims)):
        n, g, f, c, r, s, p, q = tile
        if (n * g * f * p * q - 1) * block(c * r * s) + c * r * s <= hardware.multipliers:
            fitting.add(tile)
    tiles = [tuple(tile) for tile in all_tiles(problem, hardware).tolist()]
    assert len(tiles) == len(set(tiles))
    assert set(tiles) == fitting
