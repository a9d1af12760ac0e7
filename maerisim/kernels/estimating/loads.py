"""The words at each distribution port and the results on each bus, for every class of control steps of a placed tile.

Nothing here depends on the loop order. Leaves are the multiplier switches below a port.
"""

from __future__ import annotations

from typing import NamedTuple

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import helper
from maerisim.kernels.estimating import load_table
from maerisim.kernels.estimating.dimensions import CLASSES, OF_S, REPLICATED, C, G, K, N, P, Q, R, S
from maerisim.kernels.estimating.exits import Exits
from maerisim.kernels.estimating.load_table import first_row
from maerisim.kernels.estimating.quantities import (
    FabricNumbers,
    LayerNumbers,
    LoopNumbers,
    Shorts,
    TileShape,
    block_of,
    log2,
    next_subset,
)

OF_WEIGHT, OF_INPUT = 0, 1
"""Which word of a switch."""

BEFORE_LAST, BEFORE_LAST_AT_EDGE, ABSENT = 1 << 8, 1 << 9, 1 << 10
"""Marks of a switch, beside one for each dimension beyond whose last, partial tile it lies: not in the last column of a
filter row (of a full tile, of a partial one), and unused."""


class Parts(NamedTuple):
    """The words that the switches of a virtual neuron need [operand, switch], and their marks.

    ``stride`` [operand, dimension]: how far words lie apart.
    """

    stride: Ints
    words: Ints
    marks: Shorts


class Leaves(NamedTuple):
    """Scratch arrays of a placed tile.

    Words and marks of its virtual neurons; ``marks`` of the leaves [leaf, port]. ``words`` [operand, place, port]: the word of a leaf and
    the leaf in one number, sorted at each port, and in the same order ``sorted_leaves`` and ``sorted_marks``. ``way``: twice
    the levels of distribution switches below that at which the branch to this leaf parts from that to the leaf in the place before, if
    both need the same word; otherwise twice all levels, and one. ``port_words`` [row, port] and ``bus_results`` [class, bus].
    ``reach`` [2]: how many leaves any port uses, and how many ports are used, from the first on; nothing is known of what lies
    behind them.
    """

    vn_words: Ints
    vn_marks: Shorts
    marks: Shorts
    words: Ints
    sorted_leaves: Shorts
    sorted_marks: Shorts
    way: Shorts
    longest: Shorts
    branches: Shorts
    port_words: Shorts
    bus_results: Shorts
    used_rows: Ints
    total: Ints
    candidate: Shorts
    more: Shorts
    reach: Ints


class Placed(NamedTuple):
    """What a placed tile moves in a control step of each class.

    ``loads`` [row, column]: see :mod:`maerisim.kernels.estimating.load_table`. ``bus_results`` [class]: results on the
    busiest bus. ``bus_totals`` [bus]: results over the whole run.
    """

    loads: Ints
    bus_results: Ints
    bus_totals: Ints


@helper
def distinct(outer: int, inner: int, step_outer: int, step_inner: int) -> int:
    """Number of values of ``i step_outer + j step_inner`` for i < outer, j < inner."""
    a, b = step_outer, step_inner
    while b:
        a, b = b, a % b
    return outer * inner - max(0, outer - step_inner // a) * max(0, inner - step_outer // a)


@helper
def fill_parts(layer: LayerNumbers, tile: Ints, shape: TileShape, edge: Ints, parts: Parts) -> None:
    """The words of one virtual neuron: numbers that tell the words of a tile apart, in the order in which they are sent.

    Ports send inputs by row and column, then image, group and channel; weights as they lie in the tensor.
    """
    stride = parts.stride
    width = (tile[Q] - 1) * layer.stride_w + (tile[S] - 1) * layer.dilation_w + 1
    stride[OF_WEIGHT, N], stride[OF_WEIGHT, P], stride[OF_WEIGHT, Q] = 0, 0, 0
    stride[OF_WEIGHT, S] = 1
    stride[OF_WEIGHT, R] = tile[S]
    stride[OF_WEIGHT, C] = tile[S] * tile[R]
    stride[OF_WEIGHT, K] = shape.vn_size
    stride[OF_WEIGHT, G] = shape.vn_size * tile[K]
    pixel = tile[N] * tile[G] * tile[C]
    stride[OF_INPUT, K] = 0
    stride[OF_INPUT, C] = 1
    stride[OF_INPUT, G] = tile[C]
    stride[OF_INPUT, N] = tile[C] * tile[G]
    stride[OF_INPUT, S] = layer.dilation_w * pixel
    stride[OF_INPUT, Q] = layer.stride_w * pixel
    stride[OF_INPUT, R] = layer.dilation_h * width * pixel
    stride[OF_INPUT, P] = layer.stride_h * width * pixel
    for s in range(tile[S]):
        parts.words[OF_WEIGHT, s] = s * stride[OF_WEIGHT, S]
        parts.words[OF_INPUT, s] = s * stride[OF_INPUT, S]
        marks = 0 if s < edge[S] else OF_S
        marks |= 0 if s == tile[S] - 1 else BEFORE_LAST
        marks |= 0 if s == edge[S] - 1 else BEFORE_LAST_AT_EDGE
        parts.marks[s] = marks
    rows = spread(R, tile[S], tile, edge, stride, parts.words, parts.marks)
    spread(C, rows, tile, edge, stride, parts.words, parts.marks)


@helper
def spread(d: int, count: int, tile: Ints, edge: Ints, stride: Ints, words: Ints, marks: Shorts) -> int:
    """Repeat the first ``count`` entries for every index of dimension d in the tile; return the new count."""
    for index in range(1, tile[d]):
        beyond = 1 << d if index >= edge[d] else 0
        for i in range(count):
            there = index * count + i
            words[OF_WEIGHT, there] = words[OF_WEIGHT, i] + index * stride[OF_WEIGHT, d]
            words[OF_INPUT, there] = words[OF_INPUT, i] + index * stride[OF_INPUT, d]
            marks[there] = marks[i] | beyond
    return count * int(tile[d])


@helper
def lay_out(
    tile: Ints,
    placement: Ints,
    shape: TileShape,
    edge: Ints,
    parts: Parts,
    fabric: FabricNumbers,
    spills: int,
    leaves: Leaves,
) -> None:
    """Place the virtual neurons as lowering.layout.place does; fills their and the leaves' words and marks."""
    words, marks = leaves.vn_words, leaves.vn_marks
    words[OF_WEIGHT, 0], words[OF_INPUT, 0], marks[0] = 0, 0, 0
    count = 1
    for place in range(4, -1, -1):
        count = spread(placement[place], count, tile, edge, parts.stride, words, marks)
    span = fabric.multipliers // fabric.ports
    shift = log2(span)
    block = block_of(fabric, shape.vn_size + spills)
    packed = block == shape.vn_size
    switches = shape.vn_count * block
    reach, ports = min(span, switches), (switches + span - 1) >> shift
    leaves.reach[0], leaves.reach[1] = reach, ports
    for leaf in range(reach):
        for port in range(switches >> shift if packed else 0, ports):
            leaves.marks[leaf, port] = ABSENT
            leaves.words[OF_WEIGHT, leaf, port] = -1 << shift | leaf
            leaves.words[OF_INPUT, leaf, port] = -1 << shift | leaf
    for vn in range(count):
        start = vn * block + spills
        for i in range(shape.vn_size):
            leaf, port = (start + i) & (span - 1), (start + i) >> shift
            leaves.words[OF_WEIGHT, leaf, port] = (words[OF_WEIGHT, vn] + parts.words[OF_WEIGHT, i]) << shift | leaf
            leaves.words[OF_INPUT, leaf, port] = (words[OF_INPUT, vn] + parts.words[OF_INPUT, i]) << shift | leaf
            leaves.marks[leaf, port] = marks[vn] | parts.marks[i]


@helper
def sort_words(operand: int, levels: int, leaves: Leaves) -> None:
    """Sort the leaves of all ports by their words, equal words by leaf, and find their ways; a port has so many ``levels``.

    By merge exchange, whose comparisons are the same for all ports (Knuth, The Art of Computer Programming, 5.2.2, algorithm M).
    """
    words, reach, ports, half = leaves.words, leaves.reach[0], leaves.reach[1], 1
    while 2 * half < reach:
        half *= 2
    part = half
    while part:
        distance, wide, odd = part, half, 0
        while True:
            for place in range(reach - distance):
                if place & part == odd:
                    for port in range(ports):
                        one, other = words[operand, place, port], words[operand, place + distance, port]
                        words[operand, place, port] = min(one, other)
                        words[operand, place + distance, port] = max(one, other)
            if wide == part:
                break
            distance, wide, odd = wide - part, wide >> 1, part
        part >>= 1
    for place in range(reach):
        for port in range(ports):
            word = words[operand, place, port]
            leaf, way = int(word & ((1 << levels) - 1)), 2 * levels + 1
            if place:
                differs = int(word ^ words[operand, place - 1, port])
                if differs >> levels == 0:
                    way = 2 * log2(differs + 1)
            leaves.sorted_leaves[operand, place, port] = leaf
            leaves.sorted_marks[operand, place, port] = leaves.marks[leaf, port]
            leaves.way[operand, place, port] = way


@helper
def count_words(leaves: Leaves, operand: int, outside: int, row: int, loads: Ints) -> None:
    """Words at each port that the leaves without a mark ``outside`` need, in ``port_words[row]``; fills the sums in ``loads[row]``.

    A word is one packet. Its branch to a leaf passes a distribution switch of its own at each level below that at which
    it parts from the branch to the last leaf before that needs the same word: the longest way since that leaf.
    """
    reach, ports, longest, branches = leaves.reach[0], leaves.reach[1], leaves.longest, leaves.branches
    for port in range(ports):
        longest[port], branches[port], leaves.port_words[row, port] = 0, 0, 0
    for place in range(reach):
        for port in range(ports):
            way = max(int(longest[port]), int(leaves.way[operand, place, port]))
            needs = (leaves.sorted_marks[operand, place, port] & outside) == 0
            leaves.port_words[row, port] += way & 1 if needs else 0
            branches[port] += way >> 1 if needs else 0
            longest[port] = 0 if needs else way
    loads[row, load_table.ALL], loads[row, load_table.BRANCHES] = 0, 0
    for port in range(ports):
        loads[row, load_table.ALL] += leaves.port_words[row, port]
        loads[row, load_table.BRANCHES] += branches[port]


@helper
def count_nothing(leaves: Leaves, row: int, loads: Ints, ports: int) -> None:
    """No port has a word to send."""
    for port in range(ports):
        leaves.port_words[row, port] = 0
    loads[row, load_table.ALL], loads[row, load_table.BRANCHES] = 0, 0


@helper
def sort_and_count_classes(shape: TileShape, fabric: FabricNumbers, leaves: Leaves, loads: Ints) -> None:
    """Words of weights and inputs at each port, for every class."""
    sort_all_words(shape, fabric, leaves)
    at_edge = shape.partial
    while at_edge >= 0:
        count_class(shape, at_edge, at_edge, CLASSES, leaves, loads)
        at_edge = next_subset(at_edge, shape.partial)


@helper
def sort_all_words(shape: TileShape, fabric: FabricNumbers, leaves: Leaves) -> None:
    """Sort the leaves of all ports by their inputs, and by their weights if there are any."""
    levels = log2(fabric.multipliers // fabric.ports)
    sort_words(OF_INPUT, levels, leaves)
    if shape.weighted:
        sort_words(OF_WEIGHT, levels, leaves)


@helper
def count_class(shape: TileShape, at_edge: int, outside: int, classes: int, leaves: Leaves, loads: Ints) -> None:
    """Words of weights and inputs at each port in one of ``classes``, in which leaves with a mark ``outside`` need none."""
    outside |= ABSENT
    if shape.weighted:
        count_words(leaves, OF_WEIGHT, outside, load_table.WEIGHTS + at_edge, loads)
    else:
        count_nothing(leaves, load_table.WEIGHTS + at_edge, loads, leaves.reach[1])
    count_words(leaves, OF_INPUT, outside, first_row(load_table.INPUTS, classes) + at_edge, loads)
    if shape.slidable:
        outside |= BEFORE_LAST_AT_EDGE if outside & OF_S else BEFORE_LAST
        count_words(leaves, OF_INPUT, outside, first_row(load_table.SLIDING, classes) + at_edge, loads)


@helper
def sum_classes(partial: int, rows: Shorts, first: int, lanes: int) -> None:
    """Make counts by class of those by set: what is inside the last tile of the dimensions in the set, and no other."""
    for d in range(8):
        if partial >> d & 1:
            others = partial & ~(1 << d)
            subset = others
            while subset >= 0:
                for lane in range(lanes):
                    rows[first + subset, lane] += rows[first + (subset | 1 << d), lane]
                subset = next_subset(subset, others)


@helper
def count_results(
    shape: TileShape,
    fabric: FabricNumbers,
    exits: Exits,
    spills: int,
    loops: LoopNumbers,
    leaves: Leaves,
    placed: Placed,
) -> tuple[int, int]:
    """Results on the busiest bus, and uses of adder switches, over the whole run.

    Fills ``placed.bus_results``, ``placed.bus_totals`` and, with ``spills``, the words of returning partial sums at each port.
    """
    partial, whole = shape.partial & REPLICATED, shape.turning & REPLICATED & ~shape.partial
    size = shape.vn_size + spills
    block, first, shift = block_of(fabric, size), exits.start[size], log2(fabric.multipliers // fabric.ports)
    results, returns, ports = leaves.bus_results, leaves.port_words, leaves.reach[1]
    inside = partial
    while inside >= 0:
        for bus in range(fabric.buses):
            results[inside, bus] = 0
        if spills:
            for port in range(ports):
                returns[load_table.RETURNS + inside, port] = 0
        inside = next_subset(inside, partial)
    adder_words = 0
    for vn in range(shape.vn_count):
        beyond = int(leaves.vn_marks[vn])
        inside = partial & ~beyond
        results[inside, exits.bus[first + vn]] += 1
        if spills:
            returns[load_table.RETURNS + inside, vn * block >> shift] += 1
        adder_words += exits.transfers[first + vn] * loops.turns[whole | inside] * loops.middles[beyond]
    sum_classes(partial, results, 0, fabric.buses)
    if spills:
        sum_classes(partial, returns, load_table.RETURNS, ports)
    for bus in range(fabric.buses):
        placed.bus_totals[bus] = 0
    at_edge = partial
    while at_edge >= 0:
        times, most = loops.turns[whole] * loops.middles[partial ^ at_edge] * (shape.folds if spills else 1), 0
        for bus in range(fabric.buses):
            most = max(most, results[at_edge, bus])
            placed.bus_totals[bus] += times * results[at_edge, bus]
        placed.bus_results[at_edge] = most
        at_edge = next_subset(at_edge, partial)
    busiest = 0
    for bus in range(fabric.buses):
        busiest = max(busiest, placed.bus_totals[bus])
    return busiest, adder_words * shape.folds


@helper
def find_busiest(shape: TileShape, spills: int, leaves: Leaves, loads: Ints) -> int:
    """Copy the words of each port that can be the busiest of any mix of classes; return the columns of ``loads``.

    A port can not when another one has at least as many words in every class.
    """
    total, candidate, more, ports = leaves.total, leaves.candidate, leaves.more, leaves.reach[1]
    for port in range(ports):
        total[port] = 0
        candidate[port] = 1
    rows = 0
    for first in range(0, load_table.ROWS, CLASSES):
        if (first == load_table.SLIDING and not shape.slidable) or (first == load_table.RETURNS and not spills):
            continue
        classes = shape.partial & REPLICATED if first == load_table.RETURNS else shape.partial
        at_edge = classes
        while at_edge >= 0:
            leaves.used_rows[rows] = first + at_edge
            rows += 1
            for port in range(ports):
                total[port] += leaves.port_words[first + at_edge, port]
            at_edge = next_subset(at_edge, classes)
    column = load_table.BUSIEST
    while True:
        busiest = -1
        for port in range(ports):
            if candidate[port] and (busiest < 0 or total[port] > total[busiest]):
                busiest = port
        if busiest < 0:
            return column
        for port in range(ports):
            more[port] = 0
        for i in range(rows):
            row = leaves.used_rows[i]
            most = leaves.port_words[row, busiest]
            loads[row, column] = most
            for port in range(ports):
                more[port] |= leaves.port_words[row, port] > most
        for port in range(ports):
            candidate[port] &= more[port]
        column += 1
