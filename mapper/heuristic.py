"""Find a good mapping: prune by rules, rank by the analytic model, re-rank the best few by simulation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from maerisim.analytic import Estimate, energies, estimate, estimate_many
from maerisim.engine import simulate
from maerisim.errors import MappingError, NotSupportedError
from maerisim.hardware import Hardware
from maerisim.kernels import loads as k
from maerisim.lowering import refusals
from maerisim.mapping import Mapping
from maerisim.program import Ints
from maerisim.rtl.layer import choose
from maerisim.workload import DIMENSIONS, Problem
from mapper import sparse
from mapper.space import ORDERS, PLACEMENTS, WALKS, tiles

Objective = Literal["cycles", "energy", "edp"]
Scores = np.ndarray[Any, np.dtype[np.float64]]

FINALISTS = 4
"""Mappings that are simulated after ranking."""
SAMPLE_CYCLES = 6_000
"""Estimated cycles of the shortened run by which a finalist is judged."""


@dataclass(frozen=True)
class Choice:
    """The mapping chosen: ``candidates`` were estimated, ``reason`` says in a sentence why this one won."""

    mapping: Mapping
    estimate: Estimate
    candidates: int
    reason: str


def find_mapping(problem: Problem, hardware: Hardware, objective: Objective = "cycles") -> Choice:
    """The best mapping that the heuristic finds; the same for the same input.

    A lock-step controller has one layout for a layer, which is taken. Raises MappingError when nothing fits,
    NotSupportedError when the controller cannot run the layer.
    """
    if hardware.controller.kind == "lock_step":
        return _only_layout(problem, hardware)
    if problem.sparsity is not None:
        return _sparse(problem, hardware, objective)
    kept, fitting = tiles(problem, hardware)
    costs = estimate_many(problem, kept, WALKS, hardware)
    scores = _scores(costs, hardware, objective)
    legal = int(np.isfinite(scores).sum())
    if legal == 0:
        raise MappingError("mapper", [f"none of {fitting} tiles fits {hardware.multipliers} multipliers"])
    finalists = _finalists(kept, scores, problem)
    # A shortened run tells how far the estimate of this kind of mapping is off; the full estimate is corrected by it.
    judged = [
        (score * _correction(problem, mapping, hardware, objective), place, mapping)
        for place, (score, mapping) in enumerate(finalists)
    ]
    _, place, mapping = min(judged, key=lambda entry: entry[:2])
    expected = estimate(problem, mapping, hardware)
    return Choice(mapping, expected, legal, _reason(expected, place, len(judged), len(kept), fitting, hardware))


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


def _scores(costs: Ints, hardware: Hardware, objective: Objective) -> Scores:
    """What is to be made small, per tile and order; infinite where a mapping does not fit."""
    cycles = costs[..., k.CYCLES].astype(np.float64)
    energy = energies(costs, hardware.energy)
    # The other quantity breaks ties: a faster mapping among equally frugal ones, and the other way round.
    score = {
        "cycles": cycles + energy / (1.0 + energy.max()),
        "energy": energy + cycles / (1.0 + cycles.max()),
        "edp": cycles * energy,
    }[objective]
    return np.where(cycles > 0, score, np.inf)


def _finalists(kept: list[tuple[int, ...]], scores: Scores, problem: Problem) -> list[tuple[float, Mapping]]:
    """The best mappings that differ in more than the order of loops that do not turn."""
    found: dict[object, tuple[float, Mapping]] = {}
    for flat in np.argsort(scores, axis=None, kind="stable"):
        tile, (order, placement) = kept[flat // len(WALKS)], WALKS[flat % len(WALKS)]
        score = float(scores.flat[flat])
        if len(found) == FINALISTS or not np.isfinite(score):
            break
        mapping = Mapping.of(dict(zip(DIMENSIONS, tile, strict=True)), order, placement)
        turning = tuple(d for d in order if problem.dims[DIMENSIONS.index(d)] > mapping.tile_of(d))
        neighbours = tuple(d for d in placement if mapping.tile_of(d) > 1)
        found.setdefault((tile, turning, neighbours), (score, mapping))
    return list(found.values())


def _correction(problem: Problem, mapping: Mapping, hardware: Hardware, objective: Objective) -> float:
    """Simulated over estimated cycles on a shortened layer (1 where cycles do not matter or shortening changes it)."""
    if objective == "energy":
        return 1.0
    short = shortened(problem, mapping, hardware)
    if mapping.spills(short, hardware) != mapping.spills(problem, hardware):
        return 1.0
    return simulate(short, mapping, hardware).cycles / estimate(short, mapping, hardware).cycles


def shortened(problem: Problem, mapping: Mapping, hardware: Hardware) -> Problem:
    """The layer with fewer trips of each loop but the same full and partial tiles, some ``SAMPLE_CYCLES`` long."""
    sizes = dict(zip(DIMENSIONS, problem.dims, strict=True))
    for most in (64, 32, 16, 8, 6, 4, 3, 2):
        short: dict[str, Any] = {}
        for d, size in sizes.items():
            tile = mapping.tile_of(d)
            trips = -(-size // tile)
            short[d] = size - (trips - min(trips, most)) * tile
        shorter = replace(problem, **short, padding=(0, 0))
        if estimate(shorter, mapping, hardware).cycles <= SAMPLE_CYCLES:
            break
    return shorter


def _reason(expected: Estimate, place: int, judged: int, kept: int, fitting: int, hardware: Hardware) -> str:
    share = expected.bound_cycles / expected.cycles
    rank = "confirmed by" if place == 0 else f"moved up from place {place + 1} by"
    return (
        f"{_resource(expected, hardware)}; {share:.0%} of the bound of any mapping; {kept} of {fitting} tiles kept by the rules, "
        f"each with {len(ORDERS)} loop orders and {len(PLACEMENTS)} placements; {rank} simulating the best {judged}"
    )


def _resource(expected: Estimate, hardware: Hardware) -> str:
    """What sets the pace of a mapping."""
    return {
        "multipliers": f"all {hardware.multipliers} multipliers have work in every control step",
        "distribution": f"the busiest of {hardware.ports} distribution ports sets the pace",
        "collection": f"the busiest of {hardware.buses} collection buses sets the pace",
    }[expected.limited_by]
