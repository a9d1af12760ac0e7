"""Find the best mapping: search all of them by the analytic model, and re-rank the best few by simulation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from maerisim.analytic import Estimate, Objective, Ranking, estimate, rank
from maerisim.engine import simulate
from maerisim.errors import MappingError, NotSupportedError
from maerisim.hardware import Hardware
from maerisim.lowering import refusals
from maerisim.lowering.layout import INPUT_DIMENSIONS, WEIGHT_DIMENSIONS
from maerisim.lowering.reuse import forwards, held, temporal_loops
from maerisim.mapping import Mapping
from maerisim.rtl.layer import choose
from maerisim.workload import DIMENSIONS, Problem
from mapper import sparse
from mapper.space import all_tiles

FINALISTS = 4
"""Mappings that are simulated after ranking."""
SAMPLE_CYCLES = 6_000
"""Estimated cycles of the shortened run by which a finalist is judged."""
FEWEST_TRIPS = 2
"""Trips that every loop keeps in a shortened run."""


@dataclass(frozen=True)
class Choice:
    """The mapping chosen: ``candidates`` were estimated, ``reason`` says in a sentence why this one won."""

    mapping: Mapping
    estimate: Estimate
    candidates: int
    reason: str


def find_mapping(problem: Problem, hardware: Hardware, objective: Objective = "cycles") -> Choice:
    """The best mapping by estimate, or one of the next best if simulation favours it; the same for the same input.

    A lock-step controller has one layout for a layer, which is taken. Raises MappingError when nothing fits,
    NotSupportedError when the controller cannot run the layer.
    """
    if hardware.controller.kind == "lock_step":
        return _only_layout(problem, hardware)
    if problem.sparsity is not None:
        return _sparse(problem, hardware, objective)
    tiles = all_tiles(problem, hardware)
    ranking = rank(problem, hardware, tiles, objective, FINALISTS)
    if not ranking.best:
        raise MappingError("mapper", [f"none of {len(tiles)} tiles fits {hardware.multipliers} multipliers"])
    # A shortened run tells how far the estimate of this kind of mapping is off; the full estimate is corrected by it.
    judged = [
        (found.score * _correction(problem, found.mapping, hardware, objective), place)
        for place, found in enumerate(ranking.best)
    ]
    _, place = min(judged)
    chosen = ranking.best[place]
    reason = _reason(chosen.estimate, place, len(tiles), ranking, hardware)
    return Choice(chosen.mapping, chosen.estimate, ranking.estimated, reason)


def _only_layout(problem: Problem, hardware: Hardware) -> Choice:
    """The layout that the published RTL's testbench has for a layer, with as many virtual neurons as its switches sum."""
    refused = refusals(problem, hardware)
    if refused:
        raise NotSupportedError("\n".join(f"the RTL cannot run this layer: {reason}" for reason in refused))
    placement = choose(problem, hardware)
    tile = {"K": placement.vn_count, "C": placement.channels, "R": problem.R, "S": problem.S}
    mapping = Mapping.of(tile, "N G C R S K P Q")
    reason = f"the one layout that the RTL's testbench walks, with the {placement.vn_count} virtual neurons that work"
    return Choice(mapping, estimate(problem, mapping, hardware), 1, reason)


def _sparse(problem: Problem, hardware: Hardware, objective: Objective) -> Choice:
    """The best mapping of a sparse layer, judged by its programs."""
    refused = refusals(problem, hardware)
    if refused:
        raise NotSupportedError("\n".join(refused))

    def score(expected: Estimate, rounds: float) -> tuple[float, float]:
        cycles, energy = expected.cycles * rounds, expected.counters.energy(hardware.energy) * rounds
        return {"cycles": (cycles, energy), "energy": (energy, cycles), "edp": (cycles * energy, cycles)}[objective]

    mapping, candidates = sparse.find(problem, hardware, score)
    expected = estimate(problem, mapping, hardware)
    reason = (
        f"{_resource(expected, hardware)}; {expected.bound_cycles / expected.cycles:.0%} of the bound of any mapping; "
        f"judged by the programs of some of its rounds"
    )
    return Choice(mapping, expected, candidates, reason)


def _correction(problem: Problem, mapping: Mapping, hardware: Hardware, objective: Objective) -> float:
    """Simulated over estimated cycles on a shortened layer; 1 where cycles do not matter or it reuses other words."""
    if objective == "energy":
        return 1.0
    short = shortened(problem, mapping, hardware)
    if _reuse(short, mapping, hardware) != _reuse(problem, mapping, hardware):
        return 1.0
    return simulate(short, mapping, hardware).cycles / estimate(short, mapping, hardware).cycles


def shortened(problem: Problem, mapping: Mapping, hardware: Hardware) -> Problem:
    """The layer with fewer trips of its outermost loops but the same full and partial tiles.

    Takes about ``SAMPLE_CYCLES``, as far as all loops keep ``FEWEST_TRIPS``.
    """
    short = problem
    for name in mapping.order:
        cycles = estimate(short, mapping, hardware).cycles
        if cycles <= SAMPLE_CYCLES:
            break
        size, tile = short.dims[DIMENSIONS.index(name)], mapping.tile_of(name)
        trips = -(-size // tile)
        fewer = min(trips, max(FEWEST_TRIPS, trips * SAMPLE_CYCLES // cycles))
        sizes: dict[str, Any] = dict(zip(DIMENSIONS, short.dims, strict=True)) | {name: size - (trips - fewer) * tile}
        short = replace(problem, **sizes, padding=(0, 0))
    return short


def _reuse(problem: Problem, mapping: Mapping, hardware: Hardware) -> object:
    """What tells kinds of mappings apart: the loops that reuse weights and inputs, and where partial sums are kept."""
    multiplier, loops = hardware.multiplier, temporal_loops(problem, mapping)
    weights = held(loops, WEIGHT_DIMENSIONS, multiplier.weight_registers, multiplier.wait_for_all_weights)
    inputs = held(loops, INPUT_DIMENSIONS, multiplier.input_registers)
    slides = forwards(problem, mapping, hardware, loops, inputs)
    loops_of = [(operand.passes, operand.ring, operand.repeats) for operand in (weights, inputs)]
    return loops_of, slides, mapping.spills(problem, hardware)


def _reason(expected: Estimate, place: int, tiles: int, ranking: Ranking, hardware: Hardware) -> str:
    share = expected.bound_cycles / expected.cycles
    rank = "confirmed by" if place == 0 else f"moved up from place {place + 1} by"
    return (
        f"{_resource(expected, hardware)}; {share:.0%} of the bound of any mapping; best by estimate of all loop orders and "
        f"placements of {tiles:,} tiles, of which a bound left {ranking.estimated:,} mappings to estimate; {rank} "
        f"simulating the best {len(ranking.best)}"
    )


def _resource(expected: Estimate, hardware: Hardware) -> str:
    """What sets the pace of a mapping."""
    return {
        "multipliers": f"all {hardware.multipliers} multipliers have work in every control step",
        "distribution": f"the busiest of {hardware.ports} distribution ports sets the pace",
        "collection": f"the busiest of {hardware.buses} collection buses sets the pace",
    }[expected.limited_by]
