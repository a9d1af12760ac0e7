"""Small changes of a mapping, one axis at a time: its tile, its loop order, and which dimensions are side by side."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Literal, TypeVar

import numpy as np

from maerisim.mapping.mapping import Mapping
from mapper.searching.ground import Ground
from mapper.space import sizes_without_waste

ItemT = TypeVar("ItemT")

SearchAxis = Literal["tile", "order", "parallelism"]
"""How much of each dimension that is spread over the array; the loop order; which dimensions are spread, and their placement."""
AXES: tuple[SearchAxis, ...] = ("tile", "order", "parallelism")


def redraw(mapping: Mapping, ground: Ground, random: np.random.Generator) -> Mapping:
    """One dimension gets another size, of those that leave no smaller edge than they need and that the others leave room for."""
    d = int(random.choice([d for d, limit in enumerate(ground.limits) if limit > 1] or [0]))
    tile = list(mapping.tile)
    room = max(1, ground.hardware.multipliers // (prod(tile) // tile[d]))
    tile[d] = int(random.choice(sizes_without_waste(_size(ground, d), min(room, ground.limits[d]))))
    return ground.made(tile, mapping.order, mapping.placement)


def swap_tiles(mapping: Mapping, ground: Ground, random: np.random.Generator) -> Mapping:
    """Two dimensions exchange their sizes."""
    tile = _swapped(mapping.tile, random)
    return ground.made(tile, mapping.order, mapping.placement)


def swap_loops(mapping: Mapping, ground: Ground, random: np.random.Generator) -> Mapping:
    """Two loops exchange their places."""
    return ground.made(mapping.tile, _swapped(mapping.order, random), mapping.placement)


def swap_placed(mapping: Mapping, ground: Ground, random: np.random.Generator) -> Mapping:
    """Two dimensions exchange their places along the array."""
    return ground.made(mapping.tile, mapping.order, _swapped(mapping.placement, random))


def grow_or_age(mapping: Mapping, ground: Ground, random: np.random.Generator) -> Mapping:
    """A dimension more is spread over the array (it grows), at the cost of the largest, or one less (it ages)."""
    spread = [d for d, size in enumerate(mapping.tile) if size > 1]
    single = [d for d, limit in enumerate(ground.limits) if limit > 1 and d not in spread]
    tile = list(mapping.tile)
    if single and (not spread or random.random() < 0.5):
        size = int(random.choice([2, 3, 4]))
        if spread:
            largest = max(spread, key=lambda d: tile[d])
            tile[largest] = max(1, tile[largest] // size)
        tile[int(random.choice(single))] = size
    elif spread:
        aged = int(random.choice(spread))
        others = [d for d, limit in enumerate(ground.limits) if limit > 1 and d != aged]
        if others:
            tile[int(random.choice(others))] *= tile[aged]
        tile[aged] = 1
    return ground.made(tile, mapping.order, mapping.placement)


def neighbour(mapping: Mapping, ground: Ground, random: np.random.Generator) -> Mapping:
    """The mapping after one move, tiles more often than the rest."""
    moves = (redraw, redraw, swap_tiles, grow_or_age, swap_loops, swap_placed)
    return moves[random.integers(len(moves))](mapping, ground, random)


def along(mapping: Mapping, axis: SearchAxis, ground: Ground, random: np.random.Generator) -> Mapping:
    """A mapping at random that differs from this one along one axis only.

    The tile changes in the sizes of the dimensions that are spread already; parallelism in which dimensions these sizes belong to,
    and in the placement.
    """
    if axis == "order":
        order = [mapping.order[place] for place in random.permutation(len(mapping.order))]
        return ground.made(mapping.tile, order, mapping.placement)
    tile = list(mapping.tile)
    if axis == "parallelism":
        free = [d for d, limit in enumerate(ground.limits) if limit > 1]
        sizes = [tile[d] for d in free]
        for d, place in zip(free, random.permutation(len(free)), strict=True):
            tile[d] = sizes[place]
        placement = [mapping.placement[place] for place in random.permutation(len(mapping.placement))]
        return ground.made(tile, mapping.order, placement)
    spread = [d for d, size in enumerate(tile) if size > 1]
    room = ground.hardware.multipliers
    for place in random.permutation(len(spread)):
        d = spread[place]
        most = max(2, min(ground.limits[d], room))
        tile[d] = int(random.integers(2, most + 1))
        room = max(1, room // tile[d])
    return ground.made(tile, mapping.order, mapping.placement)


def _size(ground: Ground, d: int) -> int:
    """The size of a dimension, of which tiles are parts."""
    return ground.limits[d] if ground.sparse else ground.problem.dims[d]


def _swapped(items: Sequence[ItemT], random: np.random.Generator) -> list[ItemT]:
    changed = list(items)
    one, other = random.choice(len(changed), 2, replace=False)
    changed[one], changed[other] = changed[other], changed[one]
    return changed
