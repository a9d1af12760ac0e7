"""Find a mapping of two fused layers: how many multipliers for each, and a mapping of each on its share.

For every share both layers have a few candidates: the best mappings of all, and the best of those that go through rows or
through channels in order, which let the second layer begin early. Every pair of them is estimated, the best by estimate
are simulated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import permutations
from math import inf

from maerisim.analytic.bounds import bound
from maerisim.analytic.fused import Moments, completed, first_needed, lateness, loaded_ahead, together
from maerisim.analytic.objective import Objective, score
from maerisim.analytic.predicted import Estimate
from maerisim.analytic.ranking import Ranked, rank
from maerisim.errors import MappingError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.fused import FusedMapping, share_of_buffer, shares
from maerisim.mapping.legality import misaligned
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import estimate, simulate, violations, way_of
from maerisim.workload.problem import FusedProblem, Problem
from mapper.find import find_mapping
from mapper.space import all_tiles

EACH = 8
"""Candidates of a layer on a share of each kind of walk."""
SIMULATED_CYCLES = 32_000_000
"""Estimated cycles of all pairs that are simulated, some 250 ns each: what repeats is skipped, but not the table of words
between."""
MOST_SPLITS = 128
"""Shares of the array that are looked at, as many as 512 multipliers have: with eight times as many it would take minutes."""
FINALISTS = 6
"""Mappings of both layers that are simulated after ranking."""


@dataclass(frozen=True)
class Apart:
    """Both layers one after the other, each on the whole array with the best mapping of its own: simulated cycles."""

    first: Mapping
    second: Mapping
    cycles: int


@dataclass(frozen=True)
class FusedChoice:
    """The mapping chosen: ``candidates`` pairs were estimated, ``reason`` says in a sentence why this one won."""

    mapping: FusedMapping
    estimate: Estimate
    candidates: int
    reason: str
    apart: Apart


@dataclass(frozen=True)
class _Pair:
    """A mapping of both layers with its estimated cycles and energy."""

    mapping: FusedMapping
    cycles: int
    energy: float

    def score(self, objective: Objective, cycles: int) -> tuple[float, float]:
        """What is to be made small when it takes so many ``cycles``, then what decides between equals."""
        return score(objective, cycles, self.energy)


def find_fused(problem: FusedProblem, hardware: Hardware, objective: Objective = "cycles") -> FusedChoice:
    """The best mapping of two fused layers that is found, the same for the same input.

    Raises MappingError when nothing fits, NotSupportedError when the hardware cannot fuse layers.
    """
    way_of(problem, hardware).require_possible()
    best: list[_Pair] = []
    seen = looked_at = 0
    for multipliers, floor in _splits(problem, hardware):
        # Both layers together take as many cycles as the slower one, so none that takes more than a finalist is of use.
        below = best[-1].cycles if objective == "cycles" and len(best) == FINALISTS else inf
        if floor >= below:
            break
        looked_at += 1
        pairs = list(_pairs(problem, hardware, multipliers, objective, below))
        seen += len(pairs)
        best = sorted((*best, *pairs), key=lambda pair: pair.score(objective, pair.cycles))[:FINALISTS]
    if not best:
        raise MappingError(
            "mapper", [f"no two shares of {hardware.multipliers} multipliers hold a virtual neuron each"]
        )
    place = 0
    simulated = [] if objective == "energy" else best[: SIMULATED_CYCLES // best[0].cycles]
    if simulated:
        measured = [simulate(problem, pair.mapping, hardware).cycles for pair in simulated]
        place = min(range(len(simulated)), key=lambda number: best[number].score(objective, measured[number]))
    chosen = best[place].mapping
    found = estimate(problem, chosen, hardware)
    slower, resource = found.limited_by.split(": ")
    reason = (
        f"{chosen.multipliers} and {hardware.multipliers - chosen.multipliers} multipliers, limited by the {slower} layer's "
        f"{resource}; best by estimate of {seen:,} pairs of mappings on {looked_at} shares of the array"
        + (f", place {place + 1} of the best {len(simulated)} by simulation" if simulated else "")
    )
    return FusedChoice(chosen, found, seen, reason, _apart(problem, hardware, objective))


def _splits(problem: FusedProblem, hardware: Hardware) -> list[tuple[int, int]]:
    """The multipliers that the first may have, and the cycles below which no mapping then is; ``MOST_SPLITS`` of the least cycles."""
    leaves = hardware.leaves_per_port
    found = []
    for multipliers in range(leaves, hardware.multipliers, leaves):
        first, second = shares(hardware, multipliers)
        found.append((multipliers, max(bound(problem.first, first), bound(problem.second, second))))
    return sorted(found, key=lambda split: split[1])[:MOST_SPLITS]


def _pairs(
    problem: FusedProblem, hardware: Hardware, multipliers: int, objective: Objective, below: float
) -> Iterator[_Pair]:
    """All pairs of candidates on shares of this size that score no more than ``below``, estimated."""
    share, rest = shares(hardware, multipliers)
    firsts = _candidates(problem.first, hardware, share, objective, below, partial(completed, problem.first))
    seconds = _candidates(problem.second, hardware, rest, objective, below, partial(first_needed, problem))
    # What is legal on its share is so beside any other layer; what the pairs share is worked out once.
    energies = [first.estimate.counters.energy(hardware.energy) for first, _ in firsts]
    for second, needed in seconds:
        if misaligned(problem.second, second.mapping, hardware, multipliers):
            continue
        ahead = loaded_ahead(problem.second, second.mapping, second.estimate, hardware)
        of_second = second.estimate.counters.energy(hardware.energy)
        for (first, given), of_first in zip(firsts, energies, strict=True):
            mapping = FusedMapping(first.mapping, second.mapping, multipliers)
            late = lateness(problem, given, needed)
            cycles = together(first.estimate.cycles, second.estimate.cycles, late, ahead)
            yield _Pair(mapping, cycles, of_first + of_second)


def _candidates(
    problem: Problem,
    hardware: Hardware,
    share: Hardware,
    objective: Objective,
    below: float,
    moments: Callable[[Mapping, int], Moments],
) -> list[tuple[Ranked, Moments]]:
    """The best mappings of a layer that fit its share, of each kind of walk, and when they give or need their words; none
    that scores more than ``below``.
    """
    tiles = all_tiles(problem, share)
    alone = share_of_buffer(hardware, share.multipliers)
    found: dict[Mapping, Ranked] = {}
    for walks in (None, _by_rows(), _by_channels("K"), _by_channels("C")):
        for ranked in rank(problem, alone, tiles, objective, EACH, orders=walks, below=below).best:
            if not violations(problem, ranked.mapping, share):
                found.setdefault(ranked.mapping, ranked)
    return [(ranked, moments(mapping, ranked.estimate.cycles)) for mapping, ranked in found.items()]


def _orders(outermost: str, inside: Iterable[str]) -> list[tuple[str, ...]]:
    """All orders that begin with these dimensions; ``inside`` are dimensions, or several that stay together."""
    return [(*outermost, *"".join(blocks)) for blocks in permutations(inside)]


def _by_rows() -> list[tuple[str, ...]]:
    """Loop orders that complete or take in one row after the other."""
    return _orders("NP", ("Q", "GK", "C", "RS"))


def _by_channels(name: str) -> list[tuple[str, ...]]:
    """Loop orders that complete (K) or take in (C) one channel after the other."""
    other = "C" if name == "K" else "K"
    return _orders("NG" + name, ("PQ", "RS", other))


def _apart(problem: FusedProblem, hardware: Hardware, objective: Objective) -> Apart:
    first, second = (find_mapping(layer, hardware, objective).mapping for layer in (problem.first, problem.second))
    cycles = sum(
        simulate(layer, mapping, hardware).cycles
        for layer, mapping in ((problem.first, first), (problem.second, second))
    )
    return Apart(first, second, cycles)
