"""What the order of the temporal loops keeps in place, and the orders of a tile that do not keep the same.

A loop order is read from the innermost loop outwards. What it costs depends on the innermost loops alone, on those that
reuse an operand and on those that turn faster than the queues are deep, and on whether the partial sums that are live at
once fit the accumulation buffer. Orders that agree in these are one :class:`Reuse`; see :mod:`maerisim.lowering.reuse`.
"""

from __future__ import annotations

from typing import NamedTuple

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import helper
from maerisim.kernels.estimating.dimensions import FOLDS, OF_K, OF_PLANE, OF_Q, OF_S, OF_WEIGHTS, REPLICATED, K, Q
from maerisim.kernels.estimating.quantities import FabricNumbers, TileShape, fits

REPEATS, RING, PASSES, SETTLED = 0, 1, 2, 3
"""What a further loop could be to an operand."""
UNKNOWN, NEVER, SLIDES = 0, 1, 2
"""Whether inputs move on over the forwarding links."""


class Reuse(NamedTuple):
    """What the innermost loops, those in ``placed``, keep in place. Sets of loops are masks.

    Weights stay during ``repeats``; the words of ``ring`` are held together and used again in each of ``passes``. Inputs
    stay during K when ``inputs_kept``, those of ``input_ring`` held together. ``weights`` and ``inputs`` say what a
    further loop could be to them. The loops in ``fast`` turn faster than the input queues are deep (``all_fast``: a
    further one could, too). ``spills``: the partial sums do not fit the accumulation buffer.
    """

    placed: int
    repeats: int
    ring: int
    passes: int
    input_ring: int
    fast: int
    weights: int
    inputs: int
    inputs_kept: int
    all_fast: int
    sliding: int
    spills: int


@helper
def nothing_placed(fabric: FabricNumbers, shape: TileShape) -> Reuse:
    """Before the innermost loop."""
    return Reuse(
        placed=0,
        repeats=0,
        ring=0,
        passes=0,
        input_ring=0,
        fast=0,
        weights=REPEATS if fabric.weight_registers else SETTLED,
        inputs=REPEATS if fabric.input_registers else SETTLED,
        inputs_kept=0,
        all_fast=int(not fabric.waits),
        sliding=UNKNOWN if shape.slidable else NEVER,
        spills=0,
    )


@helper
def is_settled(reuse: Reuse) -> bool:
    """Whether no further loop can change anything but ``spills``."""
    return reuse.weights == SETTLED and reuse.inputs == SETTLED and not reuse.all_fast and reuse.sliding != UNKNOWN


@helper
def around(reuse: Reuse, d: int, fabric: FabricNumbers, shape: TileShape, turns: Ints) -> Reuse:
    """With one more loop, d, around those placed so far."""
    loop = 1 << d
    repeats, ring, passes, weights = reuse.repeats, reuse.ring, reuse.passes, reuse.weights
    passing = loop & (OF_PLANE if fabric.folds_together else ~OF_WEIGHTS)
    if weights == REPEATS and passing:
        repeats |= loop
    elif weights != SETTLED:
        in_ring = loop & (FOLDS if fabric.folds_together else OF_WEIGHTS)
        if weights != PASSES and in_ring and turns[ring | loop] <= fabric.weight_registers:
            ring |= loop
            weights = RING
        elif passing:
            passes |= loop
            weights = PASSES
        else:
            weights = SETTLED
    input_ring, inputs, inputs_kept = reuse.input_ring, reuse.inputs, reuse.inputs_kept
    if inputs != SETTLED:
        if d == K:
            inputs_kept = 1
            inputs = SETTLED
        elif turns[input_ring | loop] <= fabric.input_registers:
            input_ring |= loop
            inputs = RING
        else:
            inputs = SETTLED
    fast, all_fast = reuse.fast, reuse.all_fast
    if all_fast:
        fast |= loop
        all_fast = int(turns[fast] <= fabric.input_depth)
    spills = reuse.spills
    if loop & FOLDS:
        spills = int(shape.vn_count * turns[reuse.placed & REPLICATED] > fabric.accumulation_words)
    return Reuse(
        placed=reuse.placed | loop,
        repeats=repeats,
        ring=ring,
        passes=passes,
        input_ring=input_ring,
        fast=fast,
        weights=weights,
        inputs=inputs,
        inputs_kept=inputs_kept,
        all_fast=all_fast,
        sliding=slides(reuse, d, inputs_kept, fabric, shape, turns),
        spills=spills,
    )


@helper
def slides(reuse: Reuse, d: int, inputs_kept: int, fabric: FabricNumbers, shape: TileShape, turns: Ints) -> int:
    """Whether inputs slide with loop d around the others (see lowering.forwarding); ``reuse`` is that before it."""
    if reuse.sliding == NEVER:
        return NEVER
    if d == K:
        if not inputs_kept:
            return reuse.sliding if reuse.placed & OF_Q else NEVER
        torn = shape.partial & OF_S and reuse.input_ring & OF_S
        return NEVER if reuse.input_ring & OF_Q or torn else reuse.sliding
    if reuse.sliding == SLIDES:
        return SLIDES
    held = turns[reuse.input_ring] if reuse.placed & OF_K else 0
    if turns[reuse.placed & ~OF_K] + held > fabric.forward_depth:
        return NEVER
    return SLIDES if d == Q else UNKNOWN


@helper
def pack(reuse: Reuse) -> int:
    """A number that tells it apart from all others."""
    masks = reuse.placed | reuse.repeats << 8 | reuse.ring << 16 | reuse.passes << 24 | reuse.input_ring << 32
    return (
        masks
        | reuse.fast << 40
        | reuse.weights << 48
        | reuse.inputs << 50
        | reuse.inputs_kept << 52
        | (reuse.all_fast << 53 | reuse.sliding << 54 | reuse.spills << 56)
    )


@helper
def unpack(key: int) -> Reuse:
    """The inverse of :func:`pack`."""
    return Reuse(
        placed=key & 255,
        repeats=key >> 8 & 255,
        ring=key >> 16 & 255,
        passes=key >> 24 & 255,
        input_ring=key >> 32 & 255,
        fast=key >> 40 & 255,
        weights=key >> 48 & 3,
        inputs=key >> 50 & 3,
        inputs_kept=key >> 52 & 1,
        all_fast=key >> 53 & 1,
        sliding=key >> 54 & 3,
        spills=key >> 56 & 1,
    )


@helper
def kept(reuse: Reuse, spills: int, fabric: FabricNumbers) -> Reuse:
    """Only what matters to the cost when all loops are placed; the same for all orders that reuse the same."""
    return Reuse(
        placed=0,
        repeats=reuse.repeats,
        ring=reuse.ring if reuse.passes or fabric.folds_together else 0,
        passes=reuse.passes,
        input_ring=reuse.input_ring if reuse.inputs_kept else 0,
        fast=reuse.fast,
        weights=SETTLED,
        inputs=SETTLED,
        inputs_kept=reuse.inputs_kept,
        all_fast=0,
        sliding=reuse.sliding,
        spills=spills,
    )


@helper
def may_surround(reuse: Reuse, d: int, fabric: FabricNumbers, shape: TileShape) -> bool:
    """Whether loop d may be the next one outside those placed: folds are taken together where weights must be."""
    if not fabric.folds_together:
        return True
    if FOLDS >> d & 1:
        return not reuse.placed & REPLICATED
    return not shape.turning & FOLDS & ~reuse.placed


class OrderTable(NamedTuple):
    """Lists of loop orders: ``classes`` [reuse or order, class], both packed, is the result.

    A packed order has the number of a loop every three bits, that of the innermost one lowest. ``queue`` holds what is
    still to be grown, ``seen`` [slot, key or mark] is a hash table: a slot whose mark is not the current one is free.
    ``current``: the mark, and the slots in use.
    """

    classes: Ints
    queue: Ints
    seen: Ints
    current: Ints


@helper
def is_new(key: int, orders: OrderTable) -> bool:
    """Whether ``key`` is met for the first time for this tile."""
    seen, mark, last = orders.seen, orders.current[0], orders.current[1] - 1
    mixed = (key ^ key >> 19 ^ key >> 38) & 0x7FFFFFFF
    slot = (mixed * 0x5BD1E995 >> 20) & last
    while seen[slot, 1] == mark:
        if seen[slot, 0] == key:
            return False
        slot = (slot + 1) & last
    seen[slot, 0], seen[slot, 1] = key, mark
    return True


@helper
def size_of(loops: int) -> int:
    """Loops in a set."""
    count = 0
    for d in range(8):
        count += loops >> d & 1
    return count


@helper
def surrounded(order: int, count: int, loops: int) -> int:
    """A packed order of ``count`` loops with those of a set around it."""
    for d in range(7, -1, -1):
        if loops >> d & 1:
            order |= d << 3 * count
            count += 1
    return order


@helper
def add_class(
    reuse: Reuse, spills: int, order: int, count: int, fabric: FabricNumbers, shape: TileShape, orders: OrderTable
) -> int:
    """Add a class to the ``count`` there are if it is new and its virtual neurons fit; return their number."""
    size = shape.vn_size + spills
    if not fits(shape, size, fabric):
        return count
    key = pack(kept(reuse, spills, fabric))
    if not is_new(key, orders):
        return count
    orders.classes[0, count], orders.classes[1, count] = key, order
    return count + 1


@helper
def list_given(
    given: Ints, first: int, end: int, fabric: FabricNumbers, shape: TileShape, turns: Ints, orders: OrderTable
) -> int:
    """List the classes of the orders in rows ``first .. end - 1`` of ``given``, outermost loop first; return their number."""
    orders.current[0] += 1
    orders.current[1] = orders.seen.shape[0]
    if fabric.folds_together and shape.folds > fabric.weight_registers:
        return 0
    count = 0
    for row in range(first, end):
        reuse, order, placed, legal = nothing_placed(fabric, shape), 0, 0, True
        for place in range(7, -1, -1):
            d = given[row, place]
            if shape.turning >> d & 1:
                legal = legal and may_surround(reuse, d, fabric, shape)
                reuse = around(reuse, d, fabric, shape, turns)
                order |= d << 3 * placed
                placed += 1
        if legal:
            count = add_class(reuse, reuse.spills, order, count, fabric, shape, orders)
    return count


@helper
def list_all(fabric: FabricNumbers, shape: TileShape, turns: Ints, orders: OrderTable) -> int:
    """List every class of the orders of a tile, with one order of each; return their number.

    Grows orders from the innermost loop outwards, each state once, until further loops do not matter; these can still
    decide whether partial sums spill.
    """
    orders.current[0] += 1
    orders.current[1] = min(orders.seen.shape[0], 2 << 2 * size_of(shape.turning))
    if fabric.folds_together and shape.folds > fabric.weight_registers:
        return 0
    queue = orders.queue
    queue[0, 0], queue[1, 0] = pack(nothing_placed(fabric, shape)), 0
    waiting, taken, count = 1, 0, 0
    while taken < waiting:
        reuse, order = unpack(queue[0, taken]), queue[1, taken]
        taken += 1
        placed, rest = size_of(reuse.placed), shape.turning & ~reuse.placed
        if rest and not is_settled(reuse):
            for d in range(8):
                if rest >> d & 1 and may_surround(reuse, d, fabric, shape):
                    key = pack(around(reuse, d, fabric, shape, turns))
                    if is_new(key, orders):
                        queue[0, waiting], queue[1, waiting] = key, order | d << 3 * placed
                        waiting += 1
            continue
        folds, others = rest & FOLDS, rest & REPLICATED
        live, spills = shape.vn_count * turns[reuse.placed & REPLICATED], reuse.spills
        if folds:
            spills = int(live > fabric.accumulation_words)
        packed = surrounded(surrounded(order, placed, folds), placed + size_of(folds), others)
        count = add_class(reuse, spills, packed, count, fabric, shape, orders)
        if folds and not spills and live * turns[others] > fabric.accumulation_words:
            packed = surrounded(surrounded(order, placed, others), placed + size_of(others), folds)
            count = add_class(reuse, 1, packed, count, fabric, shape, orders)
    return count
