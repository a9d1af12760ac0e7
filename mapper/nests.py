"""Mappings whose outer loops walk blocks, made where the bound of every nest of loops promises most.

How rarely the words of a tile can be sent is a matter of two numbers, whatever its loops: for how many turns of loops
over filters inputs stay in place, and for how many of loops over images, rows and columns weights do. What limits them are
the registers and the accumulation buffer. Blocks of so many tiles are the cut that lets both stay; inside a block, which is a
layer of its own, one loop a dimension is enough, and its best order and placement are ranked like those of any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import replace
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from maerisim.analytic.objective import Objective
from maerisim.analytic.ranking import Floor, cycles_of_blocks, rank
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.constraints import Range
from maerisim.mapping.mapping import REPLICATED, Mapping, Walk
from maerisim.ways.way import violations
from maerisim.workload.problem import DIMENSIONS, Problem
from mapper.space import sizes_without_waste

FILLED_FIRST = ("QPN", "PNQ", "NQP")
"""In which order the turns for which weights stay are given to columns, rows and images."""

Limits = MappingOf[str, Range]
"""What sizes blocks of a dimension may have, where it is cut; ``full``: it is not."""


class Nest(NamedTuple):
    """A mapping with loops over blocks, and the cycles to expect."""

    mapping: Mapping
    cycles: int


def nests(
    problem: Problem,
    hardware: Hardware,
    floors: Sequence[Floor],
    objective: Objective,
    limits: Limits,
    placements: Sequence[Sequence[str]] | None,
) -> Iterator[Nest]:
    """Mappings with loops over blocks for each of the tiles with these ``floors``, in their order."""
    sizes = dict(zip(DIMENSIONS, problem.dims, strict=True))
    for floor in floors:
        for blocks in blocks_of(sizes, floor):
            if not blocks or not all(_allowed(blocks[d], sizes[d], limits.get(d)) for d in blocks):
                continue
            values: dict[str, Any] = dict(blocks)
            block = replace(problem, **values, padding=(0, 0))
            ranking = rank(block, hardware, np.array([floor.tile], np.int32), objective, placements=placements)
            if not ranking.best:
                continue
            mapping = around(ranking.best[0].mapping, blocks)
            if not violations(problem, mapping, hardware):
                yield Nest(mapping, cycles_of_blocks(problem, mapping, hardware))


def blocks_of(sizes: MappingOf[str, int], floor: Floor) -> list[dict[str, int]]:
    """The sizes of blocks of whole tiles in which operands stay as long as a floor asks for, by the dimensions that are cut.

    Blocks of a dimension are as equal as whole tiles allow, and no larger than needed.
    """
    tiles = dict(zip(DIMENSIONS, floor.tile, strict=True))
    found: list[dict[str, int]] = []
    for names in FILLED_FIRST:
        turns, left = {"K": floor.filters}, floor.others
        for d in names:
            turns[d] = max(1, left)
            left //= -(-sizes[d] // tiles[d])
        blocks = {}
        for d, most in turns.items():
            trips = -(-sizes[d] // tiles[d])
            size = tiles[d] * -(-trips // -(-trips // most))
            if size < sizes[d]:
                blocks[d] = size
        if blocks not in found:
            found.append(blocks)
    return found


def around(inside: Mapping, blocks: MappingOf[str, int]) -> Mapping:
    """The mapping of a layer that walks ``blocks`` in its outermost loops, each with the mapping ``inside``."""
    outside = [d if size <= inside.tile_of(d) else f"{d}:{size}" for d, size in blocks.items()]
    return Mapping.of(inside.T, [*outside, *(d for d in inside.order if d not in outside)], inside.placement)


def near(problem: Problem, mapping: Mapping) -> Iterator[Mapping]:
    """The mappings of the same tile one step away, legal or not, loops that do not turn in front.

    A loop in another place; a loop over blocks more, in parts as equal as whole tiles allow, one less, or one of blocks a tile
    smaller or larger; two dimensions of several virtual neurons swapped.
    """
    sizes, tile = dict(zip(DIMENSIONS, problem.dims, strict=True)), mapping.T
    loops = [loop for loop in mapping.loops if loop.step < sizes[loop.dimension]]
    changed: list[Sequence[Walk]] = []
    for place, (d, step) in enumerate(loops):
        rest = loops[:place] + loops[place + 1 :]
        changed += [(*rest[:to], loops[place], *rest[to:]) for to in range(len(loops)) if to != place]
        if step > tile[d]:
            others = (step - tile[d], step + tile[d])
            changed += [rest, *((*loops[:place], Walk(d, other), *loops[place + 1 :]) for other in others)]
    for d in REPLICATED:
        trips = -(-sizes[d] // tile[d])
        cuts = [Walk(d, size * tile[d]) for size in sizes_without_waste(trips, trips)[1:-1]]
        changed += [(*loops[:place], cut, *loops[place:]) for cut in cuts for place in range(len(loops))]
    still = [Walk(d, tile[d]) for d in DIMENSIONS if tile[d] >= sizes[d]]
    for each in changed:
        yield of_loops(tile, [*still, *_apart(each, sizes)], mapping.placement)
    several = [place for place, d in enumerate(mapping.placement) if tile[d] > 1]
    for one, other in combinations(several, 2):
        placement = list(mapping.placement)
        placement[one], placement[other] = placement[other], placement[one]
        yield replace(mapping, placement=tuple(placement))


def is_allowed(problem: Problem, mapping: Mapping, limits: Limits) -> bool:
    """Whether the ``limits`` allow the blocks that the loops of a mapping walk."""
    sizes, tile = dict(zip(DIMENSIONS, problem.dims, strict=True)), mapping.T
    blocks = {d: [loop.step for loop in mapping.loops if loop.dimension == d and loop.step > tile[d]] for d in limits}
    return all(_allowed(step, sizes[d], limits[d]) for d, steps in blocks.items() for step in steps)


def of_loops(tile: MappingOf[str, int], loops: Sequence[Walk], placement: Sequence[str]) -> Mapping:
    """The mapping with these loops; the innermost one over a dimension walks its tiles."""
    names = [loop.dimension for loop in loops]
    order = [d if d not in names[place + 1 :] else f"{d}:{loops[place].step}" for place, d in enumerate(names)]
    return Mapping.of(tile, order, placement)


def _apart(loops: Sequence[Walk], sizes: MappingOf[str, int]) -> list[Walk]:
    """The loops with those over one dimension from large to small blocks, without those that change nothing.

    These walk all that is inside the loop around them over the same dimension, or nothing but parts of one next to it.
    """
    left = {d: sorted({loop.step for loop in loops if loop.dimension == d}, reverse=True) for d in sizes}
    apart: list[Walk] = []
    for loop in reversed(loops):
        d = loop.dimension
        if left[d]:
            inside, step = apart[-1] if apart else None, left[d].pop()
            if step < sizes[d] and not (inside and inside.dimension == d and step % inside.step == 0):
                apart.append(Walk(d, step))
    return apart[::-1]


def _allowed(block: int, size: int, limits: Range | None) -> bool:
    low, high = (1, size) if limits is None else limits.bounds(size)
    return low <= block <= high
