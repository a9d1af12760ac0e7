"""Rank mappings by the analytic model: every tile with every loop order and placement, the best few kept.

What is the same for many mappings is counted once: the shape and the loop orders of a tile, what it moves with each
reuse, the loads of a placed tile. That gives what the mapping takes at the least; when the last result leaves
(:mod:`maerisim.kernels.estimating.timing`) is worked out for those mappings only that could be among the best by that.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import helper, kernel, population
from maerisim.kernels.estimating import entries, orders
from maerisim.kernels.estimating.blocks import cycles_of_blocks
from maerisim.kernels.estimating.controller import set_due
from maerisim.kernels.estimating.costs import add_placement, count_traffic, set_cycles
from maerisim.kernels.estimating.dimensions import OF_WEIGHTS, REPLICATED, K, P, Q
from maerisim.kernels.estimating.exits import Exits
from maerisim.kernels.estimating.loads import (
    count_results,
    fill_parts,
    find_busiest,
    lay_out,
    sort_and_count_classes,
)
from maerisim.kernels.estimating.nest import nest_of
from maerisim.kernels.estimating.orders import Reuse, list_all, list_given, unpack
from maerisim.kernels.estimating.quantities import (
    FabricNumbers,
    Floats,
    LayerNumbers,
    Tiles,
    TileShape,
    block_of,
    fits,
    log2,
    measure,
)
from maerisim.kernels.estimating.search_space import (
    BY_ENERGY,
    BY_PLACEMENT,
    BY_PRODUCT,
    BY_TILE,
    BY_TRAFFIC,
    ESTIMATED,
    KEY,
    MEMBERS,
    NO_LIMIT,
    OPEN,
    REUSE,
    SPILLING,
    TIMED,
    WORK,
    Aim,
    Best,
    Tables,
    TileSpace,
    Workspace,
)
from maerisim.kernels.estimating.sections import (
    find_parts,
)
from maerisim.kernels.estimating.timing import last_result


@helper
def energy_of(costs: Ints, row: int, price: Floats) -> float:
    """Energy of the operations and words in ``costs[row]``."""
    energy = 0.0
    for entry in range(entries.COSTS):
        energy += price[entry] * costs[row, entry]
    return energy


@helper
def copy_cost(source: Ints, row: int, target: Ints, to: int) -> None:
    """Copy ``source[row]`` to ``target[to]``."""
    for entry in range(entries.COSTS):
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
    return int(
        max(costs[row, entries.STEPS], costs[row, entries.PORT_CYCLES], costs[row, entries.BUS_CYCLES])
        + costs[row, entries.DRAIN]
        - 1
    )


@helper
def in_doubt(costs: Ints, row: int, aim: Aim) -> int:
    """Cycles to take off a bound that is to be ``certain``: the last result may come from less deep in the network."""
    return int(costs[row, entries.DEPTH] - costs[row, entries.NEAREST]) if aim.certain else 0


@helper
def is_beaten(first: float, second: float, score: Floats, place: int) -> bool:
    """Whether the mapping at ``place`` of the best scores no more than this."""
    return bool(first > score[place, 0] or (first == score[place, 0] and second >= score[place, 1]))


@helper
def cycles_to_be_beaten(energy: float, last: int, aim: Aim, best: Best) -> int:
    """The cycles from which on a mapping of some energy is none of the best, where estimated cycles decide that."""
    score = best.score[last, 0]
    if aim.certain or aim.objective == BY_ENERGY or score >= NO_LIMIT:
        return NO_LIMIT
    if aim.objective == BY_PRODUCT:
        return int(score / energy) + 1
    return int(score) + int(energy < best.score[last, 1])


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
def set_floor(
    tile: Ints, shape: TileShape, fabric: FabricNumbers, exits: Exits, spills: int, costs: Ints, row: int
) -> None:
    """Complete what the tile and the reuse decide to a bound: no placement and loop order costs less.

    A packet reaches no more switches than a port has that need the same word: those of neighbouring virtual neurons, at
    the same place in them for weights and, unless their windows overlap, for inputs.
    """
    span = fabric.multipliers // fabric.ports
    block = block_of(fabric, shape.vn_size + spills)
    side_by_side = (span + block - 1) // block
    overlapping = min(span, 1 + (span + block - 2) // block)
    words = costs[row, entries.DISTRIBUTED + entries.PARTIAL_SUMS]
    for operand in (entries.INPUTS, entries.WEIGHTS):
        together = overlapping if operand == entries.INPUTS and tile[P] * tile[Q] > 1 else side_by_side
        delivered = costs[row, entries.DELIVERED + operand]
        packets = max(costs[row, entries.READS + operand], (delivered + together - 1) // together)
        costs[row, entries.DISTRIBUTED + operand] = packets
        costs[row, entries.HOPS] += log2(fabric.ports) * packets
        if span > 1:
            costs[row, entries.HOPS] += delivered + (log2(span) - 1) * packets
        words += packets
    fewest = exits.fewest[exits.start[shape.vn_size + spills] + shape.vn_count - 1]
    costs[row, entries.ADDER_WORDS] = shape.outputs * shape.folds * fewest
    costs[row, entries.PORT_CYCLES] = (words + fabric.ports - 1) // fabric.ports
    costs[row, entries.BUS_CYCLES] = (costs[row, entries.RESULTS] + fabric.buses - 1) // fabric.buses
    costs[row, entries.CYCLES] = bound_of(costs, row)


@helper
def may_run(shape: TileShape, spills: int, fabric: FabricNumbers) -> bool:
    """Whether some loops let a tile run with partial sums that spill, or that do not."""
    if spills and shape.folds == 1:
        return False
    if not spills and shape.folds > 1 and shape.vn_count > fabric.accumulation_words:
        return False
    return fits(shape, shape.vn_size + spills, fabric)


@helper
def all_reused(shape: TileShape, spills: int) -> Reuse:
    """As if everything were sent once."""
    return Reuse(
        placed=0,
        repeats=shape.turning & ~OF_WEIGHTS,
        ring=0,
        passes=0,
        input_ring=0,
        fast=0,
        weights=orders.SETTLED,
        inputs=orders.SETTLED,
        inputs_kept=1,
        all_fast=0,
        sliding=orders.SLIDES if shape.slidable else orders.NEVER,
        spills=spills,
    )


@kernel
def find_floors(
    layer: LayerNumbers, tiles: Tiles, aim: Aim, below: float, floor: Floats, stay: Floats, w: Workspace
) -> None:
    """A bound of the score of all mappings of each tile, whatever its loops: as if every word were sent once.

    Where that is ``below`` a score, as if words were sent as rarely as registers and accumulation buffer allow. ``floor``
    [tile, score]. ``stay`` [tile; score, for how many turns over filters inputs stay, and weights over others]: the least
    of the scores that these give.
    """
    fabric, loops, tile = w.fabric, w.loops, w.tables.tile
    for at in range(tiles.shape[0]):
        for d in range(8):
            tile[d] = tiles[at, d]
        shape = measure(layer, tile, fabric, loops)
        for i in range(2):
            floor[at, i], stay[at, i], stay[at, 2 + i] = np.inf, np.inf, 1
        for spills in range(2):
            if not may_run(shape, spills, fabric):
                continue
            count_traffic(layer, tile, shape, loops, all_reused(shape, spills), fabric, w.exits, w.tables.costs, 0)
            w.tables.costs[0, entries.FORWARDS] = 0
            filters, others = loops.trips[K], loops.turns[shape.turning & REPLICATED & ~OF_WEIGHTS]
            first, second = score_of_reloads(tile, shape, spills, filters, others, aim, w)
            if first < below:
                lower_by_reloads(tile, shape, spills, aim, at, floor, stay, w)
            else:
                floor[at, 0], floor[at, 1] = min(floor[at, 0], first), min(floor[at, 1], second)


@kernel
def place_floors(layer: LayerNumbers, space: TileSpace, aim: Aim, below: float, w: Workspace) -> None:
    """Raise the floors that are ``below`` a score to what a tile costs where it is placed best and all is sent once.

    Those of a share of the tiles.
    """
    fabric, loops, costs, tile = w.fabric, w.loops, w.tables.placed_costs, w.tables.tile
    for at in range(space.first + space.share, space.end, space.shares):
        if space.floor[at, 0] >= below:
            continue
        for d in range(8):
            tile[d] = space.tiles[at, d]
        shape = measure(layer, tile, fabric, loops)
        fill_parts(layer, tile, shape, loops.edge, w.parts)
        first, end = placements_of(space, tile)
        least = np.inf
        for spills in range(2):
            if not may_run(shape, spills, fabric):
                continue
            reuse = all_reused(shape, spills)
            count_traffic(layer, tile, shape, loops, reuse, fabric, w.exits, w.tables.costs, 0)
            for placement in range(first, end):
                if least <= space.floor[at, 0]:
                    break
                price_placed(place_tile(space.placements[placement], shape, spills, w), reuse, shape, 0, w)
                score, _ = score_of(bound_of(costs, 0) - in_doubt(costs, 0, aim), energy_of(costs, 0, aim.price), aim)
                least = min(least, score)
        space.floor[at, 0] = max(space.floor[at, 0], least)


@helper
def placements_of(space: TileSpace, tile: Ints) -> tuple[int, int]:
    """The rows of the placements that differ for a tile: the first, and the end."""
    larger = 0
    for d in range(8):
        larger |= int(tile[d] > 1) << d
    return space.placements_of[larger & REPLICATED, 0], space.placements_of[larger & REPLICATED, 1]


@helper
def lower_by_reloads(
    tile: Ints, shape: TileShape, spills: int, aim: Aim, at: int, floor: Floats, stay: Floats, w: Workspace
) -> None:
    """Lower the floor of a tile to what its words cost, sent once in ``costs[0]``, if reloaded as rarely as loops allow.

    A weight that stays in a switch for ``m`` turns of loops over images, rows and columns does that many of its multiplications,
    an input that stays for ``k`` turns of loops over filters as many. Both at once needs registers for ``k`` weights or
    for ``m`` inputs. Where partial sums stay in the accumulation buffer it also needs room for those of ``k`` times ``m`` turns, or
    registers for all folds of what stays while blocks of outputs change (argued in the design notes, "Every loop nest").
    """
    filters, others = w.loops.trips[K], w.loops.turns[shape.turning & REPLICATED & ~OF_WEIGHTS]
    limited = shape.folds > 1 and not spills
    room = w.fabric.accumulation_words // shape.vn_count
    for operand in range(2):
        registers = w.fabric.input_registers if operand else w.fabric.weight_registers
        mine, theirs = (others, filters) if operand else (filters, others)
        held, most_held = 1, max(1, min(mine, registers))
        while True:
            most = min(theirs, room // held) if limited and held * shape.folds > registers else theirs
            if most > 0:
                k, m = (most, held) if operand else (held, most)
                first, second = score_of_reloads(tile, shape, spills, k, m, aim, w)
                if first < stay[at, 0] or (first == stay[at, 0] and second < stay[at, 1]):
                    stay[at, 0], stay[at, 1], stay[at, 2], stay[at, 3] = first, second, k, m
                floor[at, 0], floor[at, 1] = min(floor[at, 0], first), min(floor[at, 1], second)
            if held == most_held:
                break
            held = min(most_held, (mine - 1) // ((mine + held - 1) // held - 1) + 1)


@helper
def score_of_reloads(
    tile: Ints, shape: TileShape, spills: int, k: int, m: int, aim: Aim, w: Workspace
) -> tuple[float, float]:
    """What a tile scores at least if inputs stay for k turns and weights for m; ``costs[0]``: if all is sent once."""
    costs, filters = w.tables.placed_costs, w.loops.trips[K]
    others = w.loops.turns[shape.turning & REPLICATED & ~OF_WEIGHTS]
    copy_cost(w.tables.costs, 0, costs, 0)
    costs[0, entries.READS + entries.WEIGHTS] *= (others + m - 1) // m
    costs[0, entries.READS + entries.INPUTS] *= (filters + k - 1) // k
    if shape.weighted:
        words = (shape.macs + m - 1) // m
        costs[0, entries.DELIVERED + entries.WEIGHTS] = max(costs[0, entries.DELIVERED + entries.WEIGHTS], words)
    words = costs[0, entries.DELIVERED + entries.INPUTS] // tile[K] * w.loops.size[K]
    costs[0, entries.DELIVERED + entries.INPUTS] = max(
        costs[0, entries.DELIVERED + entries.INPUTS], (words + k - 1) // k
    )
    set_floor(tile, shape, w.fabric, w.exits, spills, costs, 0)
    return score_of(costs[0, entries.CYCLES] - in_doubt(costs, 0, aim), energy_of(costs, 0, aim.price), aim)


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
def price_tile(
    layer: LayerNumbers, space: TileSpace, at: int, shape: TileShape, aim: Aim, w: Workspace
) -> tuple[int, int]:
    """List the loop orders of the present tile, and what it costs at the least with each kind of traffic that these have.

    Returns the number of classes of orders, and of kinds.
    """
    t, costs, tile = w.tables, w.tables.placed_costs, w.tables.tile
    if space.orders.shape[0]:
        first, end = (at, at + 1) if space.each else (0, space.orders.shape[0])
        count = list_given(space.orders, first, end, w.fabric, shape, w.loops.turns, w.orders)
    else:
        count = list_all(w.fabric, shape, w.loops.turns, w.orders)
    traffics = group_classes(w.orders.classes, count, t)
    for kind in range(traffics):
        reuse = unpack(t.traffic[REUSE, kind])
        count_traffic(layer, tile, shape, w.loops, reuse, w.fabric, w.exits, t.costs, kind)
        copy_cost(t.costs, kind, costs, kind)
        set_floor(tile, shape, w.fabric, w.exits, reuse.spills, costs, kind)
        cycles = costs[kind, entries.CYCLES] - in_doubt(costs, kind, aim)
        t.floor[kind, 0], t.floor[kind, 1] = score_of(cycles, energy_of(costs, kind, aim.price), aim)
    fill_parts(layer, tile, shape, w.loops.edge, w.parts)
    return count, traffics


class PlacedCosts(NamedTuple):
    """What all loop orders of a placed tile have in common: the columns of its loads, cycles of the busiest bus, words that adders take."""

    columns: int
    bus_cycles: int
    adder_words: int


@helper
def place_tile(placement: Ints, shape: TileShape, spills: int, w: Workspace) -> PlacedCosts:
    """Lay the present tile on the fabric and count its loads."""
    lay_out(w.tables.tile, placement, shape, w.loops.edge, w.parts, w.fabric, spills, w.leaves)
    sort_and_count_classes(shape, w.fabric, w.leaves, w.placed.loads)
    bus_cycles, adder_words = count_results(shape, w.fabric, w.exits, spills, w.loops, w.leaves, w.placed)
    columns = find_busiest(shape, spills, w.leaves, w.placed.loads)
    return PlacedCosts(columns, bus_cycles, adder_words)


@helper
def work_of_placing(shape: TileShape, w: Workspace) -> int:
    """The switches below the ports that the present tile uses, once for each class of control steps."""
    return int(w.leaves.reach[0] * w.leaves.reach[1]) << population(shape.partial)


@helper
def price_placed(one: PlacedCosts, reuse: Reuse, shape: TileShape, kind: int, w: Workspace) -> None:
    """Find what a kind of traffic costs as placed, cycles apart."""
    t, costs = w.tables, w.tables.placed_costs
    copy_cost(t.costs, kind, costs, kind)
    costs[kind, entries.BUS_CYCLES], costs[kind, entries.ADDER_WORDS] = one.bus_cycles, one.adder_words
    add_placement(shape, w.loops, reuse, w.fabric, w.placed.loads, one.columns, t.words, costs, kind)


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
    one: PlacedCosts, shape: TileShape, traffics: int, last: int, aim: Aim, best: Best, w: Workspace
) -> None:
    """Find what the open kinds of traffic cost as placed, cycles apart, and close those that can no longer be kept."""
    t, costs = w.tables, w.tables.placed_costs
    for kind in range(traffics):
        if not t.traffic[OPEN, kind]:
            continue
        price_placed(one, unpack(t.traffic[REUSE, kind]), shape, kind, w)
        t.energy[kind] = energy_of(costs, kind, aim.price)
        first, second = score_of(bound_of(costs, kind) - in_doubt(costs, kind, aim), t.energy[kind], aim)
        if aim.bounded and is_beaten(first, second, best.score, last):
            best.counts[BY_PLACEMENT] += t.traffic[MEMBERS, kind]
            t.traffic[OPEN, kind] = 0


@helper
def rank_classes(
    shape: TileShape, spills: int, count: int, at: int, placement: int, lowest: int, last: int, aim: Aim,
    best: Best, w: Workspace,
) -> None:  # fmt: skip
    """Estimate the classes of loop orders whose traffic is open, and keep the best.

    The steps of those are timed that could be among the best if nothing held up the busiest resource.
    """
    t, costs, classes, fabric, loops = w.tables, w.tables.placed_costs, w.orders.classes, w.fabric, w.loops
    parts = 0
    for i in range(count):
        traffic = t.kind[i]
        if not t.traffic[OPEN, traffic]:
            continue
        reuse = unpack(classes[0, i])
        set_cycles(shape, loops, reuse, fabric, costs, traffic)
        best.counts[ESTIMATED] += 1
        least = costs[traffic, entries.CYCLES]
        if aim.certain:
            least -= in_doubt(costs, traffic, aim)
        first, second = score_of(least, t.energy[traffic], aim)
        if is_beaten(first, second, best.score, last):
            continue
        if aim.timed:
            if not parts:
                parts = find_parts(shape, fabric, w.exits, spills, 0, w.leaves, w.sections)
            best.counts[TIMED] += 1
            nest = nest_of(shape, loops, reuse, classes[1, i], fabric, w.times)
            if fabric.waits:
                set_due(shape, loops, reuse, fabric, nest.levels, w.times.loop)
            enough = cycles_to_be_beaten(t.energy[traffic], last, aim, best)
            w.times.worked[0] = 0
            cycles = last_result(shape, nest, fabric, w.leaves, w.placed.bus_totals, parts, enough, w.sections, w.times)
            best.counts[WORK] += w.times.worked[0]
            costs[traffic, entries.CYCLES] = max(costs[traffic, entries.CYCLES], cycles)
        if not aim.certain:
            first, second = score_of(costs[traffic, entries.CYCLES], t.energy[traffic], aim)
        if not is_beaten(first, second, best.score, last):
            place = keep(first, second, lowest, last, at, placement, classes[1, i], aim.alike, best)
            if place >= 0:
                copy_cost(costs, traffic, best.costs, place)


@kernel
def rank(layer: LayerNumbers, space: TileSpace, aim: Aim, best: Best, w: Workspace) -> int:
    """Find the best mappings of a space; the score of a place that stays empty is not changed.

    Returns the first tile of which not all mappings were looked at, because that was ``aim.work``; ``space.end`` if there is none.
    """
    fabric, loops, t, tile = w.fabric, w.loops, w.tables, w.tables.tile
    tiles, floor, placements, each = space.tiles, space.floor, space.placements, space.each
    for at in range(space.first, space.end):
        lowest, last = (at, at) if each else (0, best.score.shape[0] - 1)
        if aim.bounded and is_beaten(floor[at, 0], floor[at, 1], best.score, last):
            best.counts[BY_TILE] += space.share == at % space.shares
            continue
        for d in range(8):
            tile[d] = tiles[at, d]
        first, end = (at, at + 1) if each else placements_of(space, tile)
        first += (at + space.share) % space.shares
        if first >= end:
            continue
        shape = measure(layer, tile, fabric, loops)
        if space.loops.loops.shape[0]:
            best.costs[at, entries.CYCLES] = cycles_of_blocks(layer, shape, placements[at], space.loops, w)
            continue
        count, traffics = price_tile(layer, space, at, shape, aim, w)
        for placement in range(first, end, space.shares):
            for spills in range(2):
                if not open_traffics(traffics, spills, aim, t, best):
                    continue
                if best.counts[WORK] >= aim.work:
                    return at
                price_traffics(place_tile(placements[placement], shape, spills, w), shape, traffics, last, aim, best, w)
                best.counts[WORK] += work_of_placing(shape, w)
                rank_classes(shape, spills, count, at, placement, lowest, last, aim, best, w)
    return space.end
