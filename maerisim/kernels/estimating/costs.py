"""The cost of a mapping in closed form, on plain numbers; the formulas are explained in :mod:`maerisim.estimate.estimate`.

A cost falls into what the tile and the reuse decide (:func:`count_traffic`), what the placement decides
(:func:`add_placement`), and the cycles (:func:`set_cycles`).
"""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import helper
from maerisim.kernels.estimating.exits import Exits
from maerisim.kernels.estimating.loads import (
    ALL,
    BRANCHES,
    BUSIEST,
    INPUT_LOADS,
    RETURN_LOADS,
    SLIDING_LOADS,
    WEIGHT_LOADS,
    distinct,
)
from maerisim.kernels.estimating.orders import SLIDES, Reuse
from maerisim.kernels.estimating.quantities import (
    ACCUMULATIONS,
    ADDITIONS,
    BUS_CYCLES,
    COSTS,
    CYCLES,
    DELIVERED,
    DEPTH,
    DISTRIBUTED,
    DRAIN,
    EDGE,
    EVERYTHING,
    FOLD_STEPS,
    FORWARDING,
    FORWARDS,
    HOPS,
    INPUTS,
    MACS,
    OF_K,
    OF_Q,
    OF_WEIGHTS,
    OUTPUTS,
    PARTIAL_SUMS,
    PASSES,
    PORT_CYCLES,
    READS,
    REPLICATED,
    RESULTS,
    SIZE,
    SPILLS,
    STEPS,
    TRIPS,
    WEIGHTS,
    Fabric,
    K,
    Layer,
    Loops,
    P,
    Q,
    R,
    S,
    Shape,
    log2,
    next_subset,
)


@helper
def windows(tile: Ints, extent: Ints, partial: int, outer: int, inner: int, step_outer: int, step_inner: int) -> int:
    """Rows (or columns) of inputs that the tiles of an output and a filter dimension touch, summed over all tiles."""
    total = 0
    for outer_edge in range(1 + (partial >> outer & 1)):
        for inner_edge in range(1 + (partial >> inner & 1)):
            times = 1 if outer_edge else extent[TRIPS, outer] - (partial >> outer & 1)
            times *= 1 if inner_edge else extent[TRIPS, inner] - (partial >> inner & 1)
            outputs = extent[EDGE, outer] if outer_edge else tile[outer]
            taps = extent[EDGE, inner] if inner_edge else tile[inner]
            total += times * distinct(outputs, taps, step_outer, step_inner)
    return total


@helper
def count_traffic(
    layer: Layer, tile: Ints, shape: Shape, loops: Loops, reuse: Reuse, fabric: Fabric, exits: Exits,
    costs: Ints, row: int,
) -> None:  # fmt: skip
    """Fill ``costs[row]`` with all that neither the placement nor, except for what it reuses, the loop order changes."""
    for entry in range(COSTS):
        costs[row, entry] = 0
    extent = loops.extent
    sent = EVERYTHING & ~(reuse.repeats | reuse.passes)
    costs[row, DELIVERED + WEIGHTS] = 1
    costs[row, READS + WEIGHTS] = loops.turns[shape.turning & sent & ~OF_WEIGHTS]
    for d in range(8):
        costs[row, DELIVERED + WEIGHTS] *= extent[SIZE, d] if sent >> d & 1 else tile[d]
        costs[row, READS + WEIGHTS] *= extent[SIZE, d] if OF_WEIGHTS >> d & 1 else 1
    if not shape.weighted:
        costs[row, DELIVERED + WEIGHTS], costs[row, READS + WEIGHTS] = 0, 0
    vectors = 1  # groups of channels of images, each with rows and columns
    for d in range(4):
        vectors *= extent[SIZE, d] if d != K else 1
    reads = vectors * windows(tile, extent, shape.partial, P, R, layer.stride_h, layer.dilation_h)
    reads *= 1 if reuse.inputs_kept else extent[TRIPS, K]
    rows = vectors * (tile[K] if reuse.inputs_kept else extent[SIZE, K]) * extent[SIZE, P] * extent[SIZE, R]
    if reuse.sliding == SLIDES:
        columns = extent[SIZE, S] + (extent[TRIPS, Q] - 1) * extent[TRIPS, S]
        costs[row, READS + INPUTS] = reads * columns
        costs[row, DELIVERED + INPUTS] = rows * columns
        costs[row, FORWARDS] = rows * (extent[TRIPS, Q] - 1) * (extent[SIZE, S] - extent[TRIPS, S])
    else:
        columns = windows(tile, extent, shape.partial, Q, S, layer.stride_w, layer.dilation_w)
        costs[row, READS + INPUTS] = reads * columns
        costs[row, DELIVERED + INPUTS] = rows * extent[SIZE, Q] * extent[SIZE, S]
    costs[row, STEPS], costs[row, FOLD_STEPS] = shape.steps, shape.folds
    costs[row, MACS if shape.weighted else PASSES], costs[row, OUTPUTS] = shape.macs, shape.outputs
    costs[row, SPILLS], costs[row, FORWARDING] = reuse.spills, int(reuse.sliding == SLIDES)
    costs[row, ADDITIONS] = shape.macs - shape.outputs * shape.folds
    continued = shape.outputs * (shape.folds - 1)
    if reuse.spills:
        for entry in (DISTRIBUTED, DELIVERED, READS):
            costs[row, entry + PARTIAL_SUMS] = continued
        costs[row, HOPS] = continued * log2(fabric.multipliers)
        costs[row, RESULTS] = shape.outputs * shape.folds
        costs[row, ADDITIONS] += shape.outputs * shape.folds if fabric.pads else continued
    else:
        costs[row, RESULTS] = shape.outputs
        costs[row, ACCUMULATIONS] = continued
    depth = exits.depth[exits.start[shape.vn_size + reuse.spills] + shape.vn_count - 1]
    tail = fabric.accumulation_latency + fabric.collection_latency
    costs[row, DEPTH] = depth
    costs[row, DRAIN] = fabric.distribution_latency + fabric.multiplier_latency + depth + tail


@helper
def add_loads(
    words: Ints, operand: int, loads: Ints, first: int, columns: int, classes: int, times: int, middles: Ints
) -> None:
    """Add to ``words[operand]`` the loads of every class of the dimensions in ``classes``, as often as it occurs.

    ``times``: how often the loops turn that have no partial tile.
    """
    at_edge = classes
    while at_edge >= 0:
        often = times * middles[classes ^ at_edge]
        for column in range(columns):
            words[operand, column] += often * loads[first + at_edge, column]
        at_edge = next_subset(at_edge, classes)


@helper
def add_placement(
    shape: Shape,
    loops: Loops,
    reuse: Reuse,
    fabric: Fabric,
    loads: Ints,
    columns: int,
    words: Ints,
    costs: Ints,
    row: int,
) -> None:
    """Add to ``costs[row]`` what the loads of a placed tile decide."""
    turns, middles = loops.turns, loops.middles
    for operand in range(3):
        for column in range(columns):
            words[operand, column] = 0
    whole = shape.turning & ~shape.partial
    sent = EVERYTHING & ~(reuse.repeats | reuse.passes)
    add_loads(words, WEIGHTS, loads, WEIGHT_LOADS, columns, shape.partial & sent, turns[whole & sent], middles)
    sent = EVERYTHING & ~OF_K if reuse.inputs_kept else EVERYTHING
    slides = reuse.sliding == SLIDES
    times = turns[whole & sent & ~OF_Q] if slides else turns[whole & sent]
    add_loads(words, INPUTS, loads, INPUT_LOADS, columns, shape.partial & sent, times, middles)
    if slides:
        times *= middles[OF_Q]
        add_loads(words, INPUTS, loads, SLIDING_LOADS, columns, shape.partial & sent, times, middles)
    if reuse.spills:
        times = turns[whole & REPLICATED] * (shape.folds - 1)
        add_loads(words, PARTIAL_SUMS, loads, RETURN_LOADS, columns, shape.partial & REPLICATED, times, middles)
    costs[row, DISTRIBUTED + WEIGHTS] = words[WEIGHTS, ALL]
    costs[row, DISTRIBUTED + INPUTS] = words[INPUTS, ALL]
    packets = words[WEIGHTS, ALL] + words[INPUTS, ALL]
    costs[row, HOPS] += log2(fabric.ports) * packets + words[WEIGHTS, BRANCHES] + words[INPUTS, BRANCHES]
    for column in range(BUSIEST, columns):
        busiest = words[INPUTS, column] + words[PARTIAL_SUMS, column] + words[WEIGHTS, column]
        costs[row, PORT_CYCLES] = max(costs[row, PORT_CYCLES], busiest)


@helper
def set_cycles(shape: Shape, turns: Ints, reuse: Reuse, fabric: Fabric, costs: Ints, row: int) -> None:
    """Fill in the cycles of the run: of the busiest of multipliers, ports and buses, and the way of the last word.

    No run takes less (see :mod:`maerisim.kernels.estimating.timing` for how much more). When the controller waits for the outputs of
    each batch of weights nothing overlaps.
    """
    busiest = max(costs[row, STEPS], costs[row, PORT_CYCLES], costs[row, BUS_CYCLES])
    costs[row, CYCLES] = busiest + costs[row, DRAIN] - 1
    if fabric.waits:
        inside = reuse.repeats | reuse.ring | reuse.passes if fabric.folds_together else reuse.repeats
        batches = shape.steps // turns[inside] if shape.weighted else 1
        released = shape.steps + (batches * turns[reuse.ring] if fabric.weights_first and shape.weighted else 0)
        costs[row, CYCLES] = max(released, busiest) + batches * costs[row, DRAIN]
