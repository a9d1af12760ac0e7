"""Rank mappings by the analytic model: every tile with every loop order and placement, the best few kept.

What is the same for many mappings is counted once: the shape and the loop orders of a tile, what it moves with each
reuse, the loads of a placed tile. That gives what the mapping takes at the least; when the last result leaves
(:mod:`maerisim.kernels.estimating.timing`) is worked out for those mappings only that could be among the best by that.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import helper, kernel
from maerisim.kernels.estimating.costs import add_placement, count_traffic, set_cycles
from maerisim.kernels.estimating.exits import Exits
from maerisim.kernels.estimating.loads import (
    Leaves,
    Parts,
    Placed,
    count_classes,
    count_results,
    fill_parts,
    find_busiest,
    lay_out,
)
from maerisim.kernels.estimating.orders import NEVER, SETTLED, SLIDES, Orders, Reuse, list_all, list_given, unpack
from maerisim.kernels.estimating.quantities import (
    ADDER_WORDS,
    BUS_CYCLES,
    COSTS,
    CYCLES,
    DELIVERED,
    DEPTH,
    DISTRIBUTED,
    DRAIN,
    FORWARDS,
    HOPS,
    INPUTS,
    OF_WEIGHTS,
    PARTIAL_SUMS,
    PORT_CYCLES,
    READS,
    REPLICATED,
    RESULTS,
    STEPS,
    WEIGHTS,
    Fabric,
    Floats,
    Layer,
    Loops,
    P,
    Q,
    Shape,
    Tiles,
    block_of,
    log2,
    measure,
)
from maerisim.kernels.estimating.sections import Sections, find_parts
from maerisim.kernels.estimating.times import RING, Times
from maerisim.kernels.estimating.timing import last_result

BY_CYCLES, BY_ENERGY, BY_PRODUCT = 0, 1, 2
"""What to make small."""

ESTIMATED, BY_TILE, BY_TRAFFIC, BY_PLACEMENT, TIMED = 0, 1, 2, 3, 4
"""Places of ``Best.counts``."""

KEY, REUSE, SPILLING, MEMBERS, OPEN = 0, 1, 2, 3, 4
"""Rows of ``Tables.traffic``."""


class Space(NamedTuple):
    """The mappings to rank: every tile with every loop order that differs and every placement, or, with ``each``, row by row.

    ``tiles`` [tile, dimension], of which those from ``first`` to ``end - 1`` are looked at; ``floor`` [tile, score]: no
    mapping of it scores less; ``orders`` [order, dimension], outermost loop first, or none for all that differ;
    ``placements`` [placement, 5]: those of a tile lie in rows ``placements_of`` [set of replicated dimensions of which
    it has more than one; first and end].
    """

    tiles: Tiles
    first: int
    end: int
    floor: Floats
    orders: Ints
    placements: Ints
    placements_of: Ints
    each: int


class Aim(NamedTuple):
    """What is to be made small: cycles, energy (``price`` of each entry of a cost) or their product.

    Energy decides between mappings of equal cycles or products, cycles between those of equal energy. Cycles are those
    estimated or, if ``certain``, those that the busiest resource takes at least. Only mappings of less than
    ``energy_below`` count. ``bounded``: leave out what a bound keeps from being among the best. ``alike``:
    keep also mappings that score the same.
    """

    objective: int
    certain: int
    price: Floats
    energy_below: float
    bounded: int
    alike: int


class Best(NamedTuple):
    """The best mappings found, in order, or one for each tile.

    ``score`` [place, 2], ``mapping`` [place; tile, placement, packed order], ``costs`` [place, entry]. ``counts``:
    mappings that were estimated, tiles that a bound ruled out with all their mappings, and mappings of other tiles that
    a bound ruled out by their traffic, by their traffic as placed; and mappings
    whose control steps were timed.
    """

    score: Floats
    mapping: Ints
    costs: Ints
    counts: Ints


class Tables(NamedTuple):
    """What is worked out once per tile or once per placed tile, for the kinds of traffic that it has.

    ``tile``: the present one. ``kind`` [class]: the place of a class in ``traffic`` [row, place]. ``floor`` [traffic,
    score]: no placement scores less. ``costs`` [traffic, entry]: what the tile decides; ``placed_costs``, ``energy``: with
    the present placement. ``words`` [operand, column]: scratch.
    """

    tile: Ints
    kind: Ints
    traffic: Ints
    floor: Floats
    costs: Ints
    placed_costs: Ints
    energy: Floats
    words: Ints


class Workspace(NamedTuple):
    """The exits of a reduction network, and scratch arrays; one per thread."""

    exits: Exits
    loops: Loops
    orders: Orders
    parts: Parts
    leaves: Leaves
    sections: Sections
    times: Times
    placed: Placed
    tables: Tables


@helper
def energy_of(costs: Ints, row: int, price: Floats) -> float:
    """Energy of the operations and words in ``costs[row]``."""
    energy = 0.0
    for entry in range(COSTS):
        energy += price[entry] * costs[row, entry]
    return energy


@helper
def copy_cost(source: Ints, row: int, target: Ints, to: int) -> None:
    """Copy ``source[row]`` to ``target[to]``."""
    for entry in range(COSTS):
        target[to, entry] = source[row, entry]


@helper
def score_of(cycles: int, energy: float, aim: Aim) -> tuple[float, float]:
    """What counts first, and what decides between equals; infinite for what does not count."""
    if energy >= aim.energy_below:
        return np.inf, np.inf
    if aim.objective == BY_ENERGY:
        return energy, float(cycles)
    return (cycles * energy if aim.objective == BY_PRODUCT else float(cycles)), energy


@helper
def bound_of(costs: Ints, row: int) -> int:
    """Cycles until the busiest resource has done its part and the last result has left."""
    return int(max(costs[row, STEPS], costs[row, PORT_CYCLES], costs[row, BUS_CYCLES]) + costs[row, DRAIN] - 1)


@helper
def in_doubt(costs: Ints, row: int, aim: Aim) -> int:
    """Cycles to take off a bound that is to be ``certain``: the last result may come from less deep in the network."""
    return int(costs[row, DEPTH]) if aim.certain else 0


@helper
def is_beaten(first: float, second: float, score: Floats, place: int) -> bool:
    """Whether the mapping at ``place`` of the best scores no more than this."""
    return bool(first > score[place, 0] or (first == score[place, 0] and second >= score[place, 1]))


@helper
def keep(
    first: float, second: float, lowest: int, last: int, at: int, placement: int, order: int, alike: int, best: Best
) -> int:
    """Put a mapping in its place among those from ``lowest`` to ``last``, which drops out; return the place.

    Unless ``alike``, returns -1 when one that scores the same is there already.
    """
    place = last
    while place > lowest and not is_beaten(first, second, best.score, place - 1):
        place -= 1
    if not alike and place > lowest and best.score[place - 1, 0] == first and best.score[place - 1, 1] == second:
        return -1
    for later in range(last, place, -1):
        for i in range(2):
            best.score[later, i] = best.score[later - 1, i]
        for i in range(3):
            best.mapping[later, i] = best.mapping[later - 1, i]
        copy_cost(best.costs, later - 1, best.costs, later)
    best.score[place, 0], best.score[place, 1] = first, second
    best.mapping[place, 0], best.mapping[place, 1], best.mapping[place, 2] = at, placement, order
    return place


@helper
def set_floor(tile: Ints, shape: Shape, fabric: Fabric, exits: Exits, spills: int, costs: Ints, row: int) -> None:
    """Complete what the tile and the reuse decide to a bound: no placement and loop order costs less.

    A packet reaches no more switches than a port has that need the same word: those of neighbouring virtual neurons, at
    the same place in them for weights and, unless their windows overlap, for inputs.
    """
    span = fabric.multipliers // fabric.ports
    block = block_of(fabric, shape.vn_size + spills)
    side_by_side = (span + block - 1) // block
    overlapping = min(span, 1 + (span + block - 2) // block)
    words = costs[row, DISTRIBUTED + PARTIAL_SUMS]
    for operand in (INPUTS, WEIGHTS):
        together = overlapping if operand == INPUTS and tile[P] * tile[Q] > 1 else side_by_side
        delivered = costs[row, DELIVERED + operand]
        packets = max(costs[row, READS + operand], (delivered + together - 1) // together)
        costs[row, DISTRIBUTED + operand] = packets
        costs[row, HOPS] += log2(fabric.ports) * packets
        if span > 1:
            costs[row, HOPS] += delivered + (log2(span) - 1) * packets
        words += packets
    fewest = exits.fewest[exits.start[shape.vn_size + spills] + shape.vn_count - 1]
    costs[row, ADDER_WORDS] = shape.outputs * shape.folds * fewest
    costs[row, PORT_CYCLES] = (words + fabric.ports - 1) // fabric.ports
    costs[row, BUS_CYCLES] = (costs[row, RESULTS] + fabric.buses - 1) // fabric.buses
    costs[row, CYCLES] = bound_of(costs, row)


@kernel
def find_floors(
    layer: Layer, fabric: Fabric, tiles: Tiles, aim: Aim, floor: Floats, exits: Exits, loops: Loops, t: Tables
) -> None:
    """A bound of the score of all mappings of each tile: as if it reused all that any loop order could."""
    costs, tile = t.costs, t.tile
    for at in range(tiles.shape[0]):
        for d in range(8):
            tile[d] = tiles[at, d]
        shape = measure(layer, tile, fabric, loops)
        everything = Reuse(
            placed=0,
            repeats=shape.turning & ~OF_WEIGHTS,
            ring=0,
            passes=0,
            input_ring=0,
            fast=0,
            weights=SETTLED,
            inputs=SETTLED,
            inputs_kept=1,
            all_fast=0,
            sliding=SLIDES if shape.slidable else NEVER,
            spills=0,
        )
        count_traffic(layer, tile, shape, loops, everything, fabric, exits, costs, 0)
        costs[0, FORWARDS] = 0
        set_floor(tile, shape, fabric, exits, 0, costs, 0)
        energy = energy_of(costs, 0, aim.price)
        floor[at, 0], floor[at, 1] = score_of(costs[0, CYCLES] - in_doubt(costs, 0, aim), energy, aim)


@helper
def group_classes(classes: Ints, count: int, t: Tables) -> int:
    """Find out which classes of loop orders share their traffic; return the number of kinds."""
    traffics = 0
    for i in range(count):
        reuse = unpack(classes[0, i])
        flags = reuse.inputs_kept | reuse.sliding << 1 | reuse.spills << 3
        key, kind = flags | (reuse.repeats | reuse.passes) << 4, 0
        while kind < traffics and t.traffic[KEY, kind] != key:
            kind += 1
        if kind == traffics:
            t.traffic[KEY, kind], t.traffic[REUSE, kind] = key, classes[0, i]
            t.traffic[SPILLING, kind], t.traffic[MEMBERS, kind] = reuse.spills, 0
            traffics += 1
        t.kind[i] = kind
        t.traffic[MEMBERS, kind] += 1
    return traffics


@helper
def open_traffics(traffics: int, spills: int, aim: Aim, t: Tables, best: Best) -> int:
    """Open the kinds of traffic that spill, or do not, and that no bound rules out; return their number."""
    opened = 0
    for kind in range(traffics):
        t.traffic[OPEN, kind] = 0
        if t.traffic[SPILLING, kind] != spills:
            continue
        if aim.bounded and is_beaten(t.floor[kind, 0], t.floor[kind, 1], best.score, best.score.shape[0] - 1):
            best.counts[BY_TRAFFIC] += t.traffic[MEMBERS, kind]
        else:
            t.traffic[OPEN, kind] = 1
            opened += 1
    return opened


@helper
def price_traffics(
    shape: Shape, loops: Loops, fabric: Fabric, loads: Ints, columns: int, traffics: int, last: int, aim: Aim,
    t: Tables, best: Best,
) -> None:  # fmt: skip
    """Complete the costs of the open kinds of traffic, cycles apart, and close those that can no longer be kept."""
    for kind in range(traffics):
        if not t.traffic[OPEN, kind]:
            continue
        costs = t.placed_costs
        reuse = unpack(t.traffic[REUSE, kind])
        add_placement(shape, loops, reuse, fabric, loads, columns, t.words, costs, kind)
        t.energy[kind] = energy_of(costs, kind, aim.price)
        first, second = score_of(bound_of(costs, kind) - in_doubt(costs, kind, aim), t.energy[kind], aim)
        if aim.bounded and is_beaten(first, second, best.score, last):
            best.counts[BY_PLACEMENT] += t.traffic[MEMBERS, kind]
            t.traffic[OPEN, kind] = 0


@helper
def rank_classes(
    shape: Shape, loops: Loops, fabric: Fabric, exits: Exits, leaves: Leaves, sections: Sections, times: Times, spills: int,
    classes: Ints, count: int, at: int, placement: int, lowest: int, last: int, aim: Aim, t: Tables,
    best: Best,
) -> None:  # fmt: skip
    """Estimate the classes of loop orders whose traffic is open, and keep the best.

    The steps of those are timed that could be among the best if nothing held up the busiest resource.
    """
    costs, parts = t.placed_costs, 0
    for i in range(count):
        traffic = t.kind[i]
        if not t.traffic[OPEN, traffic]:
            continue
        reuse = unpack(classes[0, i])
        set_cycles(shape, loops.turns, reuse, fabric, costs, traffic)
        best.counts[ESTIMATED] += 1
        least = bound_of(costs, traffic) - in_doubt(costs, traffic, aim) if aim.certain else costs[traffic, CYCLES]
        first, second = score_of(least, t.energy[traffic], aim)
        if is_beaten(first, second, best.score, last):
            continue
        if not fabric.waits:
            if not parts:
                parts = find_parts(shape, fabric, exits, spills, RING - 1, leaves, sections)
            best.counts[TIMED] += 1
            cycles = last_result(shape, loops, reuse, classes[1, i], fabric, leaves, parts, sections, times)
            costs[traffic, CYCLES] = max(costs[traffic, CYCLES], cycles)
        if not aim.certain:
            first, second = score_of(costs[traffic, CYCLES], t.energy[traffic], aim)
        if not is_beaten(first, second, best.score, last):
            place = keep(first, second, lowest, last, at, placement, classes[1, i], aim.alike, best)
            if place >= 0:
                copy_cost(costs, traffic, best.costs, place)


@kernel
def rank(
    layer: Layer, fabric: Fabric, space: Space, aim: Aim, best: Best, exits: Exits, loops: Loops, orders: Orders,
    parts: Parts, leaves: Leaves, sections: Sections, times: Times, placed: Placed, t: Tables,
) -> None:  # fmt: skip
    """Find the best mappings of a space; the score of a place that stays empty is not changed."""
    tiles, floor, placements = space.tiles, space.floor, space.placements
    turns, classes, costs, tile, each = loops.turns, orders.classes, t.placed_costs, t.tile, space.each
    for at in range(space.first, space.end):
        lowest, last = (at, at) if each else (0, best.score.shape[0] - 1)
        if aim.bounded and is_beaten(floor[at, 0], floor[at, 1], best.score, last):
            best.counts[BY_TILE] += 1
            continue
        for d in range(8):
            tile[d] = tiles[at, d]
        shape = measure(layer, tile, fabric, loops)
        if space.orders.shape[0]:
            first, end = (at, at + 1) if each else (0, space.orders.shape[0])
            count = list_given(space.orders, first, end, fabric, shape, turns, orders)
        else:
            count = list_all(fabric, shape, turns, orders)
        traffics = group_classes(classes, count, t)
        for kind in range(traffics):
            reuse = unpack(t.traffic[REUSE, kind])
            count_traffic(layer, tile, shape, loops, reuse, fabric, exits, t.costs, kind)
            copy_cost(t.costs, kind, costs, kind)
            set_floor(tile, shape, fabric, exits, reuse.spills, costs, kind)
            energy = energy_of(costs, kind, aim.price)
            t.floor[kind, 0], t.floor[kind, 1] = score_of(costs[kind, CYCLES] - in_doubt(costs, kind, aim), energy, aim)
        fill_parts(layer, tile, shape, loops.extent, parts)
        larger = 0
        for d in range(8):
            larger |= int(tile[d] > 1) << d
        first, end = space.placements_of[larger & REPLICATED, 0], space.placements_of[larger & REPLICATED, 1]
        if each:
            first, end = at, at + 1
        for placement in range(first, end):
            for spills in range(2):
                if not open_traffics(traffics, spills, aim, t, best):
                    continue
                lay_out(tile, placements[placement], shape, loops.extent, parts, fabric, spills, leaves)
                count_classes(shape, fabric, leaves, placed.loads)
                bus_cycles, adder_words = count_results(shape, fabric, exits, spills, loops, leaves, placed)
                columns = find_busiest(shape, spills, fabric.ports, leaves, placed.loads)
                for kind in range(traffics):
                    copy_cost(t.costs, kind, costs, kind)
                    costs[kind, BUS_CYCLES] = bus_cycles * (shape.folds if spills else 1)
                    costs[kind, ADDER_WORDS] = adder_words * shape.folds
                price_traffics(shape, loops, fabric, placed.loads, columns, traffics, last, aim, t, best)
                rank_classes(
                    shape, loops, fabric, exits, leaves, sections, times, spills, classes, count, at, placement, lowest,
                    last, aim, t, best,
                )  # fmt: skip
