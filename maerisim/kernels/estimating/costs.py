"""The cost of a mapping in closed form, on plain numbers; the formulas are explained in :mod:`maerisim.analytic.estimate`.

A cost falls into what the tile and the reuse decide (:func:`count_traffic`), what the placement decides
(:func:`add_placement`), and the cycles (:func:`set_cycles`).
"""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import helper
from maerisim.kernels.estimating import entries, load_table, orders
from maerisim.kernels.estimating.controller import inside_batches
from maerisim.kernels.estimating.dimensions import EVERYTHING, OF_K, OF_Q, OF_WEIGHTS, REPLICATED, K, N, P, Q, R, S
from maerisim.kernels.estimating.exits import Exits
from maerisim.kernels.estimating.loads import distinct
from maerisim.kernels.estimating.orders import Reuse
from maerisim.kernels.estimating.quantities import (
    FabricNumbers,
    LayerNumbers,
    LoopNumbers,
    TileShape,
    log2,
    next_subset,
)


@helper
def windows(
    tile: Ints, loops: LoopNumbers, partial: int, outer: int, inner: int, step_outer: int, step_inner: int
) -> int:
    """Rows (or columns) of inputs that the tiles of an output and a filter dimension touch, summed over all tiles."""
    total = 0
    for outer_edge in range(1 + (partial >> outer & 1)):
        for inner_edge in range(1 + (partial >> inner & 1)):
            times = 1 if outer_edge else loops.trips[outer] - (partial >> outer & 1)
            times *= 1 if inner_edge else loops.trips[inner] - (partial >> inner & 1)
            outputs = loops.edge[outer] if outer_edge else tile[outer]
            taps = loops.edge[inner] if inner_edge else tile[inner]
            total += times * distinct(outputs, taps, step_outer, step_inner)
    return total


@helper
def count_traffic(
    layer: LayerNumbers, tile: Ints, shape: TileShape, loops: LoopNumbers, reuse: Reuse, fabric: FabricNumbers, exits: Exits,
    costs: Ints, row: int,
) -> None:  # fmt: skip
    """Fill ``costs[row]`` with all that neither the placement nor, except for what it reuses, the loop order changes."""
    for entry in range(entries.COSTS):
        costs[row, entry] = 0
    sent = EVERYTHING & ~(reuse.repeats | reuse.passes)
    costs[row, entries.DELIVERED + entries.WEIGHTS] = 1
    costs[row, entries.READS + entries.WEIGHTS] = loops.turns[shape.turning & sent & ~OF_WEIGHTS]
    for d in range(8):
        costs[row, entries.DELIVERED + entries.WEIGHTS] *= loops.size[d] if sent >> d & 1 else tile[d]
        costs[row, entries.READS + entries.WEIGHTS] *= loops.size[d] if OF_WEIGHTS >> d & 1 else 1
    if not shape.weighted:
        costs[row, entries.DELIVERED + entries.WEIGHTS], costs[row, entries.READS + entries.WEIGHTS] = 0, 0
    vectors = 1  # groups of channels of images, each with rows and columns
    for d in range(4):
        vectors *= loops.size[d] if d != K else 1
    reads = vectors * windows(tile, loops, shape.partial, P, R, layer.stride_h, layer.dilation_h)
    reads *= 1 if reuse.inputs_kept else loops.trips[K]
    rows = vectors * (tile[K] if reuse.inputs_kept else loops.size[K]) * loops.size[P] * loops.size[R]
    if reuse.sliding == orders.SLIDES:
        columns = loops.size[S] + (loops.trips[Q] - 1) * loops.trips[S]
        costs[row, entries.READS + entries.INPUTS] = reads * columns
        costs[row, entries.DELIVERED + entries.INPUTS] = rows * columns
        costs[row, entries.FORWARDS] = rows * (loops.trips[Q] - 1) * (loops.size[S] - loops.trips[S])
    else:
        columns = windows(tile, loops, shape.partial, Q, S, layer.stride_w, layer.dilation_w)
        costs[row, entries.READS + entries.INPUTS] = reads * columns
        costs[row, entries.DELIVERED + entries.INPUTS] = rows * loops.size[Q] * loops.size[S]
    costs[row, entries.STEPS], costs[row, entries.FOLD_STEPS] = shape.steps, shape.folds
    costs[row, entries.MACS if shape.weighted else entries.PASSES] = shape.macs
    costs[row, entries.OUTPUTS] = shape.outputs
    costs[row, entries.SPILLS], costs[row, entries.FORWARDING] = reuse.spills, int(reuse.sliding == orders.SLIDES)
    costs[row, entries.ADDITIONS] = shape.macs - shape.outputs * shape.folds
    continued = shape.outputs * (shape.folds - 1)
    if reuse.spills:
        for entry in (entries.DISTRIBUTED, entries.DELIVERED, entries.READS):
            costs[row, entry + entries.PARTIAL_SUMS] = continued
        costs[row, entries.HOPS] = continued * log2(fabric.multipliers)
        costs[row, entries.RESULTS] = shape.outputs * shape.folds
        costs[row, entries.ADDITIONS] += shape.outputs * shape.folds if fabric.pads else continued
    else:
        costs[row, entries.RESULTS] = shape.outputs
        costs[row, entries.ACCUMULATIONS] = continued
    last = exits.start[shape.vn_size + reuse.spills] + shape.vn_count - 1
    depth = exits.depth[last]
    tail = fabric.accumulation_latency + fabric.collection_latency
    costs[row, entries.DEPTH], costs[row, entries.NEAREST] = depth, exits.nearest[last]
    costs[row, entries.DRAIN] = fabric.distribution_latency + fabric.multiplier_latency + depth + tail


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
    shape: TileShape,
    loops: LoopNumbers,
    reuse: Reuse,
    fabric: FabricNumbers,
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
    add_loads(
        words, entries.WEIGHTS, loads, load_table.WEIGHTS, columns, shape.partial & sent, turns[whole & sent], middles
    )
    sent = EVERYTHING & ~OF_K if reuse.inputs_kept else EVERYTHING
    slides = reuse.sliding == orders.SLIDES
    times = turns[whole & sent & ~OF_Q] if slides else turns[whole & sent]
    add_loads(words, entries.INPUTS, loads, load_table.INPUTS, columns, shape.partial & sent, times, middles)
    if slides:
        times *= middles[OF_Q]
        add_loads(words, entries.INPUTS, loads, load_table.SLIDING, columns, shape.partial & sent, times, middles)
    if reuse.spills:
        times = turns[whole & REPLICATED] * (shape.folds - 1)
        add_loads(
            words,
            entries.PARTIAL_SUMS,
            loads,
            load_table.RETURNS,
            columns,
            shape.partial & REPLICATED,
            times,
            middles,
        )
    costs[row, entries.DISTRIBUTED + entries.WEIGHTS] = words[entries.WEIGHTS, load_table.ALL]
    costs[row, entries.DISTRIBUTED + entries.INPUTS] = words[entries.INPUTS, load_table.ALL]
    packets = words[entries.WEIGHTS, load_table.ALL] + words[entries.INPUTS, load_table.ALL]
    costs[row, entries.HOPS] += (
        log2(fabric.ports) * packets
        + words[entries.WEIGHTS, load_table.BRANCHES]
        + words[entries.INPUTS, load_table.BRANCHES]
    )
    for column in range(load_table.BUSIEST, columns):
        busiest = words[entries.INPUTS, column] + words[entries.PARTIAL_SUMS, column] + words[entries.WEIGHTS, column]
        costs[row, entries.PORT_CYCLES] = max(costs[row, entries.PORT_CYCLES], busiest)


@helper
def set_cycles(
    shape: TileShape, loops: LoopNumbers, reuse: Reuse, fabric: FabricNumbers, costs: Ints, row: int
) -> None:
    """Fill in the cycles of the run: of the busiest of multipliers, ports and buses, and the way of the last word.

    No run takes less (see :mod:`maerisim.kernels.estimating.timing` for how much more).
    """
    costs[row, entries.CYCLES] = least_cycles(shape, loops, reuse, fabric, costs, row) + costs[row, entries.DRAIN] - 1


@helper
def least_cycles(
    shape: TileShape, loops: LoopNumbers, reuse: Reuse, fabric: FabricNumbers, costs: Ints, row: int
) -> int:
    """Cycles without which no run is, but for the way of the last word.

    Those of the busiest resource; or of partial sums, each of which has to be back before the next one where folds follow one
    another; and pauses of a controller that waits.
    """
    busiest = max(costs[row, entries.STEPS], costs[row, entries.PORT_CYCLES], costs[row, entries.BUS_CYCLES])
    if reuse.spills and fabric.folds_together:
        there_and_back = costs[row, entries.DRAIN] - costs[row, entries.DEPTH] + costs[row, entries.NEAREST]
        there_and_back -= fabric.multiplier_latency + 1
        busiest = max(busiest, shape.steps // shape.folds * (shape.folds - 1) * there_and_back)
    return int(busiest) + cycles_between_batches(shape, loops, reuse, fabric, costs, row)


@helper
def cycles_between_batches(
    shape: TileShape, loops: LoopNumbers, reuse: Reuse, fabric: FabricNumbers, costs: Ints, row: int
) -> int:
    """Cycles in which nothing is sent, at the least, as the controller waits for the results of a batch.

    None where it waits for fewer than there are, because zeros fill up tiles or images are not told apart.
    """
    if not fabric.waits or not shape.weighted:
        return 0
    for d in range(8):
        if REPLICATED >> d & 1 and loops.size[d] != loops.real[d]:
            return 0
    if not fabric.across_images and loops.real[N] > 1:
        return 0
    batches = shape.steps // loops.turns[inside_batches(reuse)]
    nearest = costs[row, entries.DRAIN] - costs[row, entries.DEPTH] + costs[row, entries.NEAREST]
    return int((batches - 1) * (nearest - 1))
