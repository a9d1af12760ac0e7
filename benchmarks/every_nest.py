"""Every nest of loops of a small layer: all tiles, all cuts into blocks of whole tiles, all orders and placements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, permutations, product

from maerisim import Hardware, Mapping, Problem
from maerisim.mapping.mapping import REPLICATED
from maerisim.ways.way import violations
from maerisim.workload.problem import DIMENSIONS
from mapper.space import all_tiles

CUTS = 2
"""How often a dimension is cut into blocks, at most."""

Steps = tuple[int, ...]
"""What the loops over one dimension cover in an iteration, outermost first; the last is the tile."""


def every_nest(problem: Problem, hardware: Hardware) -> Iterator[Mapping]:
    """Every legal mapping with up to ``CUTS`` cuts a dimension; those once that are lowered to the same program.

    The same are mappings that differ in loops that do not turn, in the places of single virtual neurons, or in two
    loops over a dimension with none between them that walk the same tiles as one would.
    """
    for sizes in all_tiles(problem, hardware):
        tile = dict(zip(DIMENSIONS, (int(size) for size in sizes), strict=True))
        turning = [d for d, size in zip(DIMENSIONS, problem.dims, strict=True) if size > tile[d]]
        still = [d for d in DIMENSIONS if d not in turning]
        several = [d for d in REPLICATED if tile[d] > 1]
        single = [d for d in REPLICATED if d not in several]
        extents = dict(zip(DIMENSIONS, problem.dims, strict=True))
        for steps in product(*(_steps(extents[d], tile[d]) for d in turning)):
            for order in _orders(dict(zip(turning, steps, strict=True)), ("", 0)):
                mapping = Mapping.of(tile, [*still, *order])
                if violations(problem, mapping, hardware):
                    continue
                for placement in permutations(several):
                    yield Mapping(mapping.tile, mapping.order, (*single, *placement), mapping.cuts)


def _steps(size: int, tile: int) -> list[Steps]:
    """The loops over a dimension of this size, with any blocks of whole tiles."""
    blocks = range(2 * tile, size, tile)
    return [(*sorted(cuts, reverse=True), tile) for count in range(CUTS + 1) for cuts in combinations(blocks, count)]


def _orders(left: dict[str, Steps], outside: tuple[str, int]) -> Iterator[Sequence[str]]:
    """All orders of the loops that are left, those over one dimension from large to small blocks.

    Within the loop ``outside`` over a dimension, another one over it only if it does not divide its blocks evenly.
    """
    if not left:
        yield ()
        return
    for d, (step, *smaller) in left.items():
        if d == outside[0] and outside[1] % step == 0:
            continue
        rest = {name: tuple(smaller) if name == d else steps for name, steps in left.items() if name != d or smaller}
        for inside in _orders(rest, (d, step)):
            yield (f"{d}:{step}" if smaller else d, *inside)
