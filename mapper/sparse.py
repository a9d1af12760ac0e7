"""Find a mapping of a sparse layer: how many nonzero weights and positions at once, and when the folds turn.

Nothing about nonzero weights is regular enough for a closed form, so candidates are judged by the programs of some of
their rounds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from math import prod

from maerisim.analytic.analytic import estimate_programs
from maerisim.analytic.objective import Objective, score
from maerisim.analytic.predicted import Estimate
from maerisim.errors import MappingError
from maerisim.hardware.hardware import Hardware
from maerisim.lowering.sparse import RoundLowering
from maerisim.mapping.mapping import Mapping
from maerisim.mapping.sparse_rounds import POSITIONS, nonzeros, rounds, trips
from maerisim.ways.way import estimate, violations
from maerisim.workload.problem import Problem
from mapper.choice import Choice, pace, share_of_bound
from mapper.space import sizes_without_waste

Score = Callable[[Estimate, float], tuple[float, float]]
"""What is to be made small of an estimate of which each round stands for so many."""

PLACEMENTS = (("G", "K", "N", "P", "Q"), ("G", "N", "P", "Q", "K"))
"""Virtual neurons that share weights lie side by side, or those that share inputs."""
ORDERS = ("G K N P Q C R S", "G K C N P Q R S", "G K N P C Q R S")
"""All folds of an output together, one fold of all outputs after the other, or of those of a row."""
ALIKE = 2
"""Tiles with virtual neurons of about the same size, from one power of two to the next, that are judged with every order and placement:
those with the fewest control steps. Small ones hold their weights longer, large ones fill the array better.
"""
FINALISTS, SAMPLED_ROUNDS = 6, 3
"""Mappings that are judged by so many rounds, the best of those judged by one."""


def best(problem: Problem, hardware: Hardware, objective: Objective) -> Choice:
    """The best mapping of those that are looked at. Raises MappingError when none fits."""

    def scored(expected: Estimate, rounds: float) -> tuple[float, float]:
        return score(objective, expected.cycles * rounds, expected.counters.energy(hardware.energy) * rounds)

    mapping, candidates = find(problem, hardware, scored)
    expected = estimate(problem, mapping, hardware)
    reason = f"{pace(expected, hardware)}; {share_of_bound(expected)}; judged by the programs of some rounds"
    return Choice(mapping, expected, candidates, reason)


def find(problem: Problem, hardware: Hardware, cost: Score) -> tuple[Mapping, int]:
    """The best mapping, and how many were looked at. Raises MappingError when none fits."""
    fitting = sorted(
        ((control_steps(problem, mapping, hardware), mapping) for mapping in tiles(problem, hardware)),
        key=lambda entry: entry[0],
    )
    alike: Counter[int] = Counter()
    kept: list[Mapping] = []
    for _, mapping in fitting:
        size = mapping.tile_of("C").bit_length()
        alike[size] += 1
        if alike[size] <= ALIKE:
            kept.append(mapping)
    if not kept:
        raise MappingError("mapper", [f"no tile of this sparse layer fits {hardware.multipliers} multipliers"])
    different = [variant for mapping in kept for variant in variants(problem, mapping)]
    legal = [mapping for mapping in different if not violations(problem, mapping, hardware)]
    promising = sorted(legal, key=lambda mapping: cost(*sampled(problem, mapping, hardware, 1)))[:FINALISTS]
    best = min(promising, key=lambda mapping: cost(*sampled(problem, mapping, hardware, SAMPLED_ROUNDS)))
    return best, len(fitting) + len(different)


def variants(problem: Problem, mapping: Mapping) -> Iterator[Mapping]:
    """The orders and placements that are tried with a tile, of those that do the same the first."""
    turning = {name for name in POSITIONS if getattr(problem, name) > mapping.tile_of(name)} | {"C"}
    spread = {name for name in POSITIONS if mapping.tile_of(name) > 1} | {"K"}
    seen = set()
    for order, placement in product(ORDERS, PLACEMENTS):
        walk = tuple(name for name in order.split() if name in turning)
        lie = tuple(name for name in placement if name in spread)
        if (walk, lie) not in seen:
            seen.add((walk, lie))
            yield replace(mapping, order=tuple(order.split()), placement=placement)


def tiles(problem: Problem, hardware: Hardware) -> Iterator[Mapping]:
    """Mappings that fit: nonzero weights at once without waste, alone or with several images, rows or columns."""
    largest = max(nonzeros(problem).values(), default=1)
    limit = hardware.multipliers
    several: list[dict[str, int]] = [{}] + [
        {name: size} for name in POSITIONS for size in sizes_without_waste(getattr(problem, name), limit) if size > 1
    ]
    for most in sizes_without_waste(largest, limit):
        for positions in several:
            tile = {"K": problem.G * problem.K, "C": most, **positions}
            mapping = Mapping.of(tile, ORDERS[0], PLACEMENTS[1])
            if most * prod(positions.values()) <= limit and not violations(problem, mapping, hardware):
                yield mapping


def control_steps(problem: Problem, mapping: Mapping, hardware: Hardware) -> int:
    """Control steps of all rounds."""
    return sum(prod(trips(problem, mapping, round_).values()) for round_ in rounds(problem, mapping, hardware))


def sampled(problem: Problem, mapping: Mapping, hardware: Hardware, most: int) -> tuple[Estimate, float]:
    """The estimate of at most so many rounds, evenly spread, and for how many rounds each of them stands."""
    every = rounds(problem, mapping, hardware)
    count = min(most, len(every))
    sample = [every[(2 * index + 1) * len(every) // (2 * count)] for index in range(count)]
    sequence = [RoundLowering(problem, mapping, hardware, round_).program() for round_ in sample]
    return estimate_programs(sequence, problem, hardware), len(every) / count
