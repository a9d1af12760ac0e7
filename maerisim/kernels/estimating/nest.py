"""The temporal loops of a mapping, as a recurrence over its control steps walks them.

The level of the innermost loop is 0. Loops over one dimension share it out: what an iteration of one covers is what the loop
inside it over the same dimension walks, so that uneven last parts need no case of their own. One loop a dimension is the case in
which none has another one inside.
"""

from __future__ import annotations

from typing import NamedTuple

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import helper
from maerisim.kernels.estimating import load_table, orders, times
from maerisim.kernels.estimating.dimensions import CLASSES, FOLDS, OF_K, OF_Q, K
from maerisim.kernels.estimating.load_table import first_row
from maerisim.kernels.estimating.orders import Reuse
from maerisim.kernels.estimating.quantities import FabricNumbers, LoopNumbers, TileShape
from maerisim.kernels.estimating.times import StepTimes


class NestNumbers(NamedTuple):
    """What the loops of a mapping keep in place. Sets of loops are masks with a bit for each level.

    Inputs stay during ``inputs_stay``, of which the loop over filters at ``kept_from`` is the outermost one and that at ``filters``
    walks tiles; weights stay during ``weights_stay``. ``words`` weights are held together in the loops of a ``batch``. There
    is room for ``ahead`` more weights than those in use, and so it was ``ago`` steps before a weight is used (0: times tell).
    Inputs slide during the loop in ``slides``; ``folds`` are those that are summed over. ``inputs``, ``sliding``: the first
    rows of these loads.
    """

    levels: int
    weights_stay: int
    inputs_stay: int
    kept_from: int
    filters: int
    batch: int
    words: int
    ahead: int
    ago: int
    slides: int
    folds: int
    spills: int
    inputs: int
    sliding: int


class MaskedReuse(NamedTuple):
    """Of several loops what they do for operands, see :class:`maerisim.lowering.reuse.Held`; masks with a bit for each level."""

    repeats: int
    ring: int
    passes: int
    inputs: int
    slides: int


class TurnedLoops(NamedTuple):
    """Where the loops are: those past their first (``begun``) and at their last iteration (``ending``), and the class of the
    control step (``at_edge``).
    """

    begun: int
    ending: int
    at_edge: int


@helper
def nest_of(
    shape: TileShape, loops: LoopNumbers, reuse: Reuse, order: int, fabric: FabricNumbers, t: StepTimes
) -> NestNumbers:
    """The loops of a packed order, with one loop a dimension."""
    loop, levels = t.loop, 0
    for d in range(8):
        if shape.turning >> d & 1:
            dimension = order >> 3 * levels & 7
            loop[times.DIMENSION, levels] = dimension
            loop[times.STEP, levels], loop[times.EXTENT, levels] = loops.tile[dimension], loops.size[dimension]
            t.class_of[dimension, loops.edge[dimension]] = 1 << dimension
            levels += 1
    held = MaskedReuse(
        at_levels(reuse.repeats, levels, loop),
        at_levels(reuse.ring, levels, loop),
        at_levels(reuse.passes, levels, loop),
        at_levels(OF_K, levels, loop) if reuse.inputs_kept else 0,
        at_levels(OF_Q, levels, loop) if reuse.sliding == orders.SLIDES else 0,
    )
    return set_loops(levels, held, reuse.spills, CLASSES, fabric, loop)


@helper
def at_levels(dimensions: int, levels: int, loop: Ints) -> int:
    """The levels of the loops over some dimensions."""
    found = 0
    for level in range(levels):
        found |= (dimensions >> loop[times.DIMENSION, level] & 1) << level
    return int(found)


@helper
def set_loops(
    levels: int, held: MaskedReuse, spills: int, classes: int, fabric: FabricNumbers, loop: Ints
) -> NestNumbers:
    """The loops of a mapping whose dimensions, steps and extents are known, those of a dimension that of all of it."""
    kept_from, filters = 0, 0
    for level in range(levels):
        d = loop[times.DIMENSION, level]
        loop[times.AROUND, level], loop[times.INSIDE, level], loop[times.EACH, level] = -1, -1, 1
        inside = level - 1
        while inside >= 0 and loop[times.DIMENSION, inside] != d:
            inside -= 1
        if inside >= 0:
            loop[times.AROUND, inside], loop[times.INSIDE, level] = level, inside
            loop[times.EXTENT, inside] = loop[times.STEP, level]
            set_trips(inside, loop)
            loop[times.EACH, level] = loop[times.TILES, inside]
        elif d == K:
            filters = level
        if held.inputs >> level & 1:
            kept_from = level
        set_trips(level, loop)
    steps = 1
    for level in range(levels):
        others = steps // walked_inside(level, loop)
        loop[times.BODY, level] = others * loop[times.EACH, level]
        steps = others * loop[times.TILES, level]
    ring = turns_of(held.ring, levels, loop)
    ahead = fabric.weight_room - (ring if held.passes else 1)
    return NestNumbers(
        levels=levels,
        weights_stay=held.repeats | held.passes,
        inputs_stay=held.inputs,
        kept_from=kept_from,
        filters=filters,
        batch=held.repeats | held.ring | held.passes,
        words=ring,
        ahead=ahead,
        ago=steps_ago(held, ring, ahead, levels, loop),
        slides=held.slides,
        folds=at_levels(FOLDS, levels, loop),
        spills=spills,
        inputs=first_row(load_table.INPUTS, classes),
        sliding=first_row(load_table.SLIDING, classes),
    )


@helper
def set_trips(level: int, loop: Ints) -> None:
    """The trips of a loop over its extent, and the tiles that these walk with the loops inside it over the same dimension."""
    extent, tiles, inside = loop[times.EXTENT, level], 0, level
    loop[times.TURNS, level] = (extent + loop[times.STEP, level] - 1) // loop[times.STEP, level]
    while inside >= 0 and extent > 0:
        step = loop[times.STEP, inside]
        tiles += extent // step * loop[times.EACH, inside]
        extent %= step
        inside = loop[times.INSIDE, inside]
    loop[times.TILES, level] = tiles + int(extent > 0)


@helper
def walked_inside(level: int, loop: Ints) -> int:
    """The tiles of the same dimension that the loops inside one walk at present."""
    inside = loop[times.INSIDE, level]
    return int(loop[times.TILES, inside]) if inside >= 0 else 1


@helper
def turns_of(mask: int, levels: int, loop: Ints) -> int:
    """The product of the most trips of some loops."""
    turns = 1
    for level in range(levels):
        if mask >> level & 1:
            turns *= loop[times.TURNS, level]
    return int(turns)


@helper
def steps_ago(held: MaskedReuse, ring: int, ahead: int, levels: int, loop: Ints) -> int:
    """How many steps before a weight is first used at the least there is room for it; 0 when few enough to know the times.

    It takes the place of the one that is as many weights before it as there is room for: ``ahead``, and those of a ring,
    which are used up in the last of its passes.
    """
    repeats = turns_of(held.repeats, levels, loop)
    if not held.passes:
        return ahead * repeats if ahead >= times.RETIRES else 0
    of_ring = turns_of(held.ring | held.passes | held.repeats, levels, loop)
    return int(ahead // ring * of_ring + (ring + ahead % ring) * repeats)


@helper
def start(nest: NestNumbers, loop: Ints) -> TurnedLoops:
    """Put all loops before their first iteration, that of the whole layer, in which all of them turn."""
    for level in range(nest.levels - 1, -1, -1):
        loop[times.CLASS, level] = 0
        begin(level, loop)
    return TurnedLoops(0, 0, 0)


@helper
def begin(level: int, loop: Ints) -> None:
    """Put a loop before its first iteration, over what the present one of the loop around it over the same dimension covers."""
    around = loop[times.AROUND, level]
    loop[times.INDEX, level], loop[times.SINCE, level] = 0, -1
    if around >= 0:
        loop[times.EXTENT, level] = covered(around, loop)
        set_trips(level, loop)


@helper
def covered(level: int, loop: Ints) -> int:
    """How much of its dimension the present iteration of a loop covers."""
    step = loop[times.STEP, level]
    return int(min(step, loop[times.EXTENT, level] - loop[times.INDEX, level] * step))


@helper
def go_on(nest: NestNumbers, loop: Ints) -> int:
    """Let the innermost loop turn that has an iteration left; return its level, that of all loops when none has."""
    level = 0
    while level < nest.levels and loop[times.INDEX, level] + 1 == loop[times.TURNS, level]:
        level += 1
    if level < nest.levels:
        loop[times.INDEX, level] += 1
    return level


@helper
def steps_left(nest: NestNumbers, loop: Ints) -> int:
    """At the least so many control steps are left when a loop has turned, where no loop walks blocks."""
    steps = 0
    for level in range(nest.levels):
        steps += (loop[times.TURNS, level] - 1 - loop[times.INDEX, level]) * loop[times.BODY, level]
    return int(steps)


@helper
def turned(level: int, before: TurnedLoops, loop: Ints, class_of: Ints) -> TurnedLoops:
    """Where the loops are when that at a ``level`` has turned, and those inside it begin again."""
    begun, ending, at_edge = before.begun & ~((1 << level) - 1) | 1 << level, before.ending, before.at_edge
    for each in range(level, -1, -1):
        if each < level:
            begin(each, loop)
        last = int(loop[times.INDEX, each] + 1 == loop[times.TURNS, each])
        ending = ending & ~(1 << each) | last << each
        if loop[times.INSIDE, each] < 0:
            at_edge -= loop[times.CLASS, each]
            loop[times.CLASS, each] = class_of_part(each, covered(each, loop), loop, class_of)
            at_edge += loop[times.CLASS, each]
    return TurnedLoops(begun, ending, int(at_edge))


@helper
def class_of_part(level: int, size: int, loop: Ints, class_of: Ints) -> int:
    """The part of a tile of some size in the class of a control step: nothing when it is whole."""
    if size >= loop[times.STEP, level]:
        return 0
    return int(class_of[loop[times.DIMENSION, level], size])


@helper
def class_sent(nest: NestNumbers, at_edge: int, loop: Ints, class_of: Ints) -> int:
    """The class of the control step in which the inputs in use were sent, at the first iteration of the loops during which
    they stay.
    """
    if not nest.inputs_stay:
        return at_edge
    first = class_of_part(nest.filters, int(loop[times.EXTENT, nest.kept_from]), loop, class_of)
    return int(at_edge - loop[times.CLASS, nest.filters] + first)


@helper
def class_loaded(nest: NestNumbers, at_edge: int, loop: Ints) -> int:
    """The class of the control step in which the weights in use were sent, at the first iteration of the loops during which
    they stay, of which each has a whole tile there.
    """
    for level in range(nest.levels):
        if nest.weights_stay >> level & 1 and loop[times.INSIDE, level] < 0:
            at_edge -= loop[times.CLASS, level]
    return int(at_edge)
