"""Every mapping of a small layer, one by one: the witness for searches."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product
from math import prod

from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import REPLICATED, Mapping
from maerisim.ways.way import violations
from maerisim.workload.problem import DIMENSIONS, Problem


def all_tiles_of(problem: Problem, hardware: Hardware) -> Iterator[dict[str, int]]:
    """Every tile of which the virtual neurons, packed one beside the other, fit the array."""
    for sizes in product(*(range(1, min(size, hardware.multipliers) + 1) for size in problem.dims)):
        if prod(sizes) <= hardware.multipliers:
            yield dict(zip(DIMENSIONS, sizes, strict=True))


def walks_of(problem: Problem, tile: dict[str, int]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The orders of the loops that turn, and the placements of the dimensions of which there are several."""
    turning = [d for d, size in zip(DIMENSIONS, problem.dims, strict=True) if size > tile[d]]
    several = [d for d in REPLICATED if tile[d] > 1]
    still = tuple(d for d in DIMENSIONS if d not in turning)
    single = tuple(d for d in REPLICATED if d not in several)
    for order, placement in product(permutations(turning), permutations(several)):
        yield still + order, single + placement


def all_mappings(problem: Problem, hardware: Hardware) -> list[Mapping]:
    """Every legal mapping once."""
    found = [Mapping.of(tile, *walk) for tile in all_tiles_of(problem, hardware) for walk in walks_of(problem, tile)]
    return [mapping for mapping in found if not violations(problem, mapping, hardware)]
