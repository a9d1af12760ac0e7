"""The cost of a mapping in closed form, on plain numbers; the formulas are explained in :mod:`maerisim.analytic`.

A cost falls into what the tile and the reuse decide (:func:`count_traffic`), what the placement decides
(:func:`add_placement`), and the cycles (:func:`set_cycles`).
"""

from __future__ import annotations

from maerisim.kernels.exits import Exits
from maerisim.kernels.jit import helper
from maerisim.kernels.loads import (
    ALL,
    BRANCHES,
    BUSIEST,
    INPUT_LOADS,
    RETURN_LOADS,
    SLIDING_LOADS,
    WEIGHT_LOADS,
    Placed,
    distinct,
)
from maerisim.kernels.orders import SLIDES, Reuse
from maerisim.kernels.quantities import (
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
    FOLDS,
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
    PHASES,
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
from maerisim.program import Ints


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
def phase(
    shape: Shape, loops: Loops, reuse: Reuse, placed: Placed, columns: int, words: Ints, edge: int, further: int
) -> tuple[int, int]:
    """Cycles of one phase, and of one that ends: the busiest of multipliers, ports and buses.

    ``edge``: loops around it at a partial tile; ``further``: inputs slide. A phase ends when the folds around it are the
    last ones: only then it sends results. With ``spills`` it is the first folds that differ: they get no partial sums
    back.
    """
    turns, middles, loads = loops.turns, loops.middles, placed.loads
    fast, partial = shape.turning & reuse.fast, shape.partial & reuse.fast
    sent = EVERYTHING & ~OF_K if reuse.inputs_kept else EVERYTHING
    row = OF_Q if reuse.sliding == SLIDES else 0
    whole = fast & ~shape.partial & ~row
    starts = SLIDING_LOADS if further else INPUT_LOADS
    steps, results, last_results = 0, 0, 0
    for column in range(BUSIEST, columns):
        words[0, column], words[1, column] = 0, 0
    inner = partial
    while inner >= 0:
        full = partial & ~inner
        times = turns[whole] * middles[full] * turns[fast & row]
        steps += times
        # Inputs that K reuses are sent with its first tile, which is a full one.
        sent_first = 0 if inner & ~sent else turns[whole & sent] * middles[full & sent]
        sent_then = sent_first * middles[row] if fast & row else 0
        inputs, outputs = (edge | inner) & sent, (edge | inner) & REPLICATED
        for column in range(BUSIEST, columns):
            words[0, column] += sent_first * loads[starts + inputs, column]
            words[0, column] += sent_then * loads[SLIDING_LOADS + inputs, column]
        if reuse.spills:
            results += times * placed.bus_results[outputs]
            first = 0
            if not inner & FOLDS:
                first = turns[whole & ~FOLDS] * middles[full & ~FOLDS] * turns[fast & row]
            for column in range(BUSIEST, columns):
                words[0, column] += times * loads[RETURN_LOADS + outputs, column]
                words[1, column] -= first * loads[RETURN_LOADS + outputs, column]
        elif not full & FOLDS:
            last_results += turns[whole & ~FOLDS] * middles[full] * turns[fast & row] * placed.bus_results[outputs]
        inner = next_subset(inner, partial)
    cycles, last_cycles = max(steps, results), max(steps, results + last_results)
    for column in range(BUSIEST, columns):
        cycles = max(cycles, words[0, column])
        last_cycles = max(last_cycles, words[0, column] + words[1, column])
    return cycles, last_cycles


@helper
def phase_cycles(shape: Shape, loops: Loops, reuse: Reuse, placed: Placed, columns: int, words: Ints) -> int:
    """Cycles of all phases of a run, weights apart (they load behind the computation).

    Within a phase the busiest of multipliers, ports and buses sets the pace. A phase covers the fast loops (K among
    them if it reuses inputs: input queues hold the words that are reused); phases differ in which of the loops around
    them are at a partial tile, in whether inputs slide, and in whether they end.
    """
    turns, middles = loops.turns, loops.middles
    slow, partial = shape.turning & ~reuse.fast, shape.partial & ~reuse.fast
    row = OF_Q if reuse.sliding == SLIDES else 0
    whole = slow & ~shape.partial & ~row
    total = 0
    edge = partial
    while edge >= 0:
        full = partial & ~edge
        times, ending = turns[whole] * middles[full], 0
        if not (edge if reuse.spills else full) & FOLDS:
            ending = turns[whole & ~FOLDS] * middles[full & ~FOLDS]
        for further in range(2 if slow & row else 1):
            cycles, last_cycles = phase(shape, loops, reuse, placed, columns, words, edge, further)
            often = middles[row] if further else 1
            total += often * (ending * last_cycles + (times - ending) * cycles)
        edge = next_subset(edge, partial)
    return total


@helper
def first_load(turns: Ints, reuse: Reuse, loads: Ints, columns: int) -> int:
    """Cycles by which the first weights, which nothing hides, make the first pass over them longer."""
    ring = reuse.ring if reuse.passes else 0
    first_pass = ring | reuse.repeats
    sends = turns[first_pass & ~OF_K] if reuse.inputs_kept else turns[first_pass]
    longest, pace = 0, turns[first_pass]
    for column in range(BUSIEST, columns):
        inputs = sends * loads[INPUT_LOADS, column]
        longest = max(longest, turns[ring] * loads[WEIGHT_LOADS, column] + inputs)
        pace = max(pace, inputs)
    return int(max(0, longest - pace))


@helper
def set_cycles(
    shape: Shape,
    turns: Ints,
    reuse: Reuse,
    fabric: Fabric,
    loads: Ints,
    columns: int,
    phases: int,
    costs: Ints,
    row: int,
) -> None:
    """Fill in the cycles of the run, given those of its phases.

    When the controller waits for the outputs of each batch of weights nothing overlaps, and there are no phases.
    """
    if fabric.waits:
        inside = reuse.repeats | reuse.ring | reuse.passes if fabric.folds_together else reuse.repeats
        batches = shape.steps // turns[inside] if shape.weighted else 1
        released = shape.steps + (batches * turns[reuse.ring] if fabric.weights_first and shape.weighted else 0)
        costs[row, PHASES] = max(released, costs[row, PORT_CYCLES], costs[row, BUS_CYCLES])
        costs[row, CYCLES] = costs[row, PHASES] + batches * costs[row, DRAIN]
    else:
        costs[row, PHASES] = phases + first_load(turns, reuse, loads, columns)
        busiest = max(costs[row, PHASES], costs[row, PORT_CYCLES], costs[row, BUS_CYCLES])
        costs[row, CYCLES] = busiest + costs[row, DRAIN] - 1
