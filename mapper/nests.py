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
from math import prod
from typing import Any, NamedTuple

import numpy as np

from maerisim.analytic.analytic import estimate_in_a_row
from maerisim.analytic.objective import Objective
from maerisim.analytic.ranking import Floor, rank
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.constraints import Range
from maerisim.mapping.legality import Legal
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import violations
from maerisim.workload.problem import DIMENSIONS, Problem

FILLED_FIRST = ("QPN", "PNQ", "NQP")
"""In which order the turns for which weights stay are given to columns, rows and images."""

Limits = MappingOf[str, Range]
"""What sizes blocks of a dimension may have, where it is cut; ``full``: it is not."""


class Nest(NamedTuple):
    """A mapping with loops over blocks, and the cycles to expect if those of its blocks grow with their size."""

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
                first, further = estimate_in_a_row(Legal(block, ranking.best[0].mapping, hardware))
                count = prod(sizes[d] / size for d, size in blocks.items())
                yield Nest(mapping, round(first + (count - 1) * further))


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


def _allowed(block: int, size: int, limits: Range | None) -> bool:
    low, high = (1, size) if limits is None else limits.bounds(size)
    return low <= block <= high
