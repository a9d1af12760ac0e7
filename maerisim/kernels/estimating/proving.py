"""What no mapping of some tiles scores less than: every tile with every loop order and placement.

Bounds rule out most mappings, as in a ranking; for each of the others the times of its control steps are followed as far as
they are certain (:mod:`maerisim.kernels.estimating.certain`). Loop orders that reuse the same are looked at one by one, but those
together of which the innermost loops alone decide that they are no better.
"""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import helper, kernel
from maerisim.kernels.estimating import entries, times
from maerisim.kernels.estimating.certain import least_result
from maerisim.kernels.estimating.costs import least_cycles
from maerisim.kernels.estimating.nest import nest_of
from maerisim.kernels.estimating.orders import (
    Reuse,
    around,
    kept,
    may_surround,
    nothing_placed,
    pack,
    size_of,
    unpack,
)
from maerisim.kernels.estimating.quantities import Floats, LayerNumbers, TileShape, measure
from maerisim.kernels.estimating.ranking import (
    bound_of,
    energy_of,
    in_doubt,
    place_tile,
    placements_of,
    price_placed,
    price_tile,
    score_of,
)
from maerisim.kernels.estimating.search_space import BY_PRODUCT, OPEN, REUSE, SPILLING, Aim, TileSpace, Workspace
from maerisim.kernels.estimating.sections import find_parts


class RivalList(NamedTuple):
    """The mappings that may score less than ``least[0]``, with one loop a dimension.

    ``listed[0]`` of them are listed: the ``score`` [place] that is certain, ``mapping`` [place; tile, placement, packed order].
    Of those that find no place there the least score is in ``least[1]``, to begin with ``least[0]``. ``left[0]``: loop orders that are
    still looked at; when none is left, the others score at least what bounds say.
    """

    score: Floats
    mapping: Ints
    listed: Ints
    left: Ints
    least: Floats


@helper
def limit_of(rivals: RivalList) -> float:
    """What a mapping has to score less than to matter."""
    return float(rivals.least[0] if rivals.listed[0] < rivals.score.shape[0] else rivals.least[1])


@helper
def open_kinds(traffics: int, spills: int, limit: float, w: Workspace) -> int:
    """Open the kinds of traffic that spill, or do not, whose floor is below the limit; return their number."""
    t, opened = w.tables, 0
    for kind in range(traffics):
        is_open = t.traffic[SPILLING, kind] == spills and t.floor[kind, 0] < limit
        t.traffic[OPEN, kind] = int(is_open)
        opened += int(is_open)
    return opened


@helper
def may_become(reuse: Reuse, target: Reuse) -> bool:
    """Whether further loops could make a reuse the ``target``."""
    return not (
        reuse.repeats & ~target.repeats
        or reuse.passes & ~target.passes
        or reuse.fast & ~target.fast
        or reuse.inputs_kept > target.inputs_kept
    )


class PlacedTile(NamedTuple):
    """A placed tile with one reuse: what its orders have in common."""

    tile: int
    placement: int
    reuse: int
    parts: int
    bound: int
    energy: float


@helper
def try_order(shape: TileShape, one: PlacedTile, order: int, aim: Aim, rivals: RivalList, w: Workspace) -> int:
    """List a loop order if it may be better; return of how many innermost loops that is decided (``LEVELS``: of all)."""
    if rivals.left[0] == 0:
        score, _ = score_of(one.bound, one.energy, aim)
        rivals.least[1] = min(rivals.least[1], score)
        return 0
    rivals.left[0] -= 1
    limit = limit_of(rivals)
    enough = ceil(limit / one.energy if aim.objective == BY_PRODUCT else limit)
    nest = nest_of(shape, w.loops, unpack(one.reuse), order, w.fabric, w.times)
    cycles, deciding = least_result(shape, nest, w.fabric, w.leaves, one.parts, enough, w.sections, w.times)
    score, _ = score_of(max(cycles, one.bound), one.energy, aim)
    if score >= limit:
        return deciding
    place = rivals.listed[0]
    if place < rivals.score.shape[0]:
        rivals.score[place], rivals.listed[0] = score, place + 1
        rivals.mapping[place, 0], rivals.mapping[place, 1], rivals.mapping[place, 2] = one.tile, one.placement, order
    else:
        rivals.least[1] = score
    return times.LEVELS


@helper
def try_given(shape: TileShape, one: PlacedTile, given: Ints, aim: Aim, rivals: RivalList, w: Workspace) -> None:
    """List those of the given loop orders with one reuse that may be better."""
    fabric, turns = w.fabric, w.loops.turns
    for row in range(given.shape[0]):
        reuse, order, placed, legal = nothing_placed(fabric, shape), 0, 0, True
        for place in range(7, -1, -1):
            d = given[row, place]
            if shape.turning >> d & 1:
                legal = legal and may_surround(reuse, d, fabric, shape)
                reuse = around(reuse, d, fabric, shape, turns)
                order |= d << 3 * placed
                placed += 1
        if legal and pack(kept(reuse, reuse.spills, fabric)) == one.reuse:
            try_order(shape, one, order, aim, rivals, w)


@helper
def try_all(shape: TileShape, one: PlacedTile, aim: Aim, rivals: RivalList, w: Workspace) -> None:
    """List those of all loop orders with one reuse that may be better.

    Grows them from the innermost loop outwards, depth first; what the innermost loops decide is not looked at again.
    """
    fabric, turns, queue = w.fabric, w.loops.turns, w.orders.queue
    target = unpack(one.reuse)
    queue[0, 0], queue[1, 0] = pack(nothing_placed(fabric, shape)), 0
    waiting = 1
    while waiting:
        waiting -= 1
        reuse, order = unpack(queue[0, waiting]), queue[1, waiting]
        placed, rest = size_of(reuse.placed), shape.turning & ~reuse.placed
        if rest:
            for d in range(8):
                if rest >> d & 1 and may_surround(reuse, d, fabric, shape):
                    larger = around(reuse, d, fabric, shape, turns)
                    if may_become(larger, target):
                        queue[0, waiting], queue[1, waiting] = pack(larger), order | d << 3 * placed
                        waiting += 1
        elif pack(kept(reuse, reuse.spills, fabric)) == one.reuse:
            deciding = try_order(shape, one, order, aim, rivals, w)
            inner = (1 << 3 * deciding) - 1
            while (
                waiting
                and size_of(unpack(queue[0, waiting - 1]).placed) >= deciding
                and (queue[1, waiting - 1] ^ order) & inner == 0
            ):
                waiting -= 1


@helper
def try_classes(
    shape: TileShape, kind: int, count: int, at: int, placement: int, parts: int, space: TileSpace, aim: Aim, rivals: RivalList,
    w: Workspace,
) -> int:  # fmt: skip
    """List the orders of a kind of traffic, priced for a placement, that may be better; return the parts of this.

    Parts are found when they are needed (0: they are not yet). Where the controller waits for outputs the closed form is all
    that is certain.
    """
    t, costs, fabric = w.tables, w.tables.placed_costs, w.fabric
    energy = energy_of(costs, kind, aim.price)
    bound = bound_of(costs, kind) - in_doubt(costs, kind, aim)
    score, _ = score_of(bound, energy, aim)
    for i in range(count):
        if t.kind[i] != kind or score >= limit_of(rivals):
            continue
        if fabric.waits:
            reuse = unpack(w.orders.classes[0, i])
            cycles = least_cycles(shape, w.loops, reuse, fabric, costs, kind) + costs[kind, entries.DRAIN] - 1
            rivals.least[1] = min(rivals.least[1], score_of(cycles - in_doubt(costs, kind, aim), energy, aim)[0])
            continue
        if not parts:
            spills = t.traffic[SPILLING, kind]
            parts = find_parts(shape, fabric, w.exits, spills, 1, w.leaves, w.sections)
        one = PlacedTile(at, placement, w.orders.classes[0, i], parts, bound, energy)
        if space.orders.shape[0]:
            try_given(shape, one, space.orders, aim, rivals, w)
        else:
            try_all(shape, one, aim, rivals, w)
    return parts


@kernel
def find_rivals(layer: LayerNumbers, space: TileSpace, aim: Aim, rivals: RivalList, w: Workspace) -> None:
    """Find the mappings of a space that may score less than ``rivals.least[0]``."""
    t, tile = w.tables, w.tables.tile
    for at in range(space.first, space.end):
        if space.floor[at, 0] >= limit_of(rivals):
            continue
        for d in range(8):
            tile[d] = space.tiles[at, d]
        first, end = placements_of(space, tile)
        first += (at + space.share) % space.shares
        if first >= end:
            continue
        shape = measure(layer, tile, w.fabric, w.loops)
        count, traffics = price_tile(layer, space, at, shape, aim, w)
        for placement in range(first, end, space.shares):
            for spills in range(2):
                if not open_kinds(traffics, spills, limit_of(rivals), w):
                    continue
                one, parts = place_tile(space.placements[placement], shape, spills, w), 0
                for kind in range(traffics):
                    if t.traffic[OPEN, kind]:
                        price_placed(one, unpack(t.traffic[REUSE, kind]), shape, kind, w)
                        parts = try_classes(shape, kind, count, at, placement, parts, space, aim, rivals, w)
