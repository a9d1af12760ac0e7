"""The words at each distribution port and the results on each bus, for every class of control steps of a placed tile.

Nothing here depends on the loop order. Leaves are the multiplier switches below a port: their arrays are [leaf, port],
so that the innermost loops run over ports and the compiler makes vector instructions of them.
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

    Words and marks of its virtual neurons and of the leaves [leaf, port]; ``twin`` [operand, pair, port] says at which
    ports the two leaves of a ``pair`` need the same word. ``port_words`` [row, port] and ``bus_results`` [class, bus].
    ``reach`` [2]: how many leaves any port uses, and how many ports are used, from the first on; nothing is known of what lies
    behind them.
    """

    vn_words: Ints
    vn_marks: Shorts
    words: Ints
    marks: Shorts
    pair: Shorts
    twin: Shorts
    at_work: Shorts
    working: Shorts
    shared: Shorts
    port_words: Shorts
    bus_results: Shorts
    used_rows: Ints
    total: Ints
    reach: Ints


class Placed(NamedTuple):
    """What a placed tile moves in a control step of each class.

    ``loads`` [row, column]: see :mod:`maerisim.kernels.estimating.load_table`. ``bus_results`` [class]: results on the
    busiest bus.
    """

    loads: Ints
    bus_results: Ints


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
            leaves.words[OF_WEIGHT, leaf, port] = -1 - leaf
            leaves.words[OF_INPUT, leaf, port] = -1 - leaf
    for vn in range(count):
        start = vn * block + spills
        for i in range(shape.vn_size):
            leaf, port = (start + i) & (span - 1), (start + i) >> shift
            leaves.words[OF_WEIGHT, leaf, port] = words[OF_WEIGHT, vn] + parts.words[OF_WEIGHT, i]
            leaves.words[OF_INPUT, leaf, port] = words[OF_INPUT, vn] + parts.words[OF_INPUT, i]
            leaves.marks[leaf, port] = marks[vn] | parts.marks[i]


@helper
def find_twins(words: Ints, operand: int, reach: int, ports: int, pair: Shorts, twin: Shorts) -> int:
    """List the pairs of leaves that need the same word at any port, nearest first; return their number."""
    count = 0
    for leaf in range(1, reach):
        for other in range(leaf - 1, -1, -1):
            anywhere = 0
            for port in range(ports):
                same = int(words[operand, leaf, port] == words[operand, other, port])
                twin[operand, count, port] = same
                anywhere |= same
            if anywhere:
                pair[operand, count, 0] = leaf
                pair[operand, count, 1] = other
                count += 1
    return count


@helper
def mark_at_work(marks: Shorts, outside: int, at_work: Shorts, working: Shorts, reach: int, ports: int) -> None:
    """Find the leaves that have none of the marks ``outside``, and count them by port."""
    for port in range(ports):
        working[port] = 0
    for leaf in range(reach):
        for port in range(ports):
            inside = (marks[leaf, port] & outside) == 0
            at_work[leaf, port] = inside
            working[port] += inside


@helper
def count_words(leaves: Leaves, operand: int, pairs: int, row: int, loads: Ints, span: int, ports: int) -> None:
    """Words at each port that the leaves at work need, in ``port_words[row]``; fills the sums in ``loads[row]``.

    A word is one packet. Its branch to a leaf passes a distribution switch of its own at each level below that at which
    it parts from the branch to the nearest leaf before that needs the same word.
    """
    at_work, pair, twin, shared = leaves.at_work, leaves.pair, leaves.twin, leaves.shared
    delivered, repeated, common = 0, 0, 0
    for port in range(ports):
        leaves.port_words[row, port] = leaves.working[port]
        delivered += leaves.working[port]
    at = 0
    while at < pairs:
        leaf, count, width = int(pair[operand, at, 0]), 0, 2
        for port in range(ports):
            shared[port] = 0
        while at < pairs and pair[operand, at, 0] == leaf:
            other = int(pair[operand, at, 1])
            while width < span and other < leaf - leaf % width:
                common += count
                width *= 2
            count = 0
            for port in range(ports):
                shared[port] |= twin[operand, at, port] & at_work[other, port] & at_work[leaf, port]
                count += shared[port]
            at += 1
        while width < span:
            common += count
            width *= 2
        repeated += count
        for port in range(ports):
            leaves.port_words[row, port] -= shared[port]
    loads[row, load_table.ALL] = delivered - repeated
    loads[row, load_table.BRANCHES] = log2(span) * delivered - common


@helper
def count_nothing(leaves: Leaves, row: int, loads: Ints, ports: int) -> None:
    """No port has a word to send."""
    for port in range(ports):
        leaves.port_words[row, port] = 0
    loads[row, load_table.ALL], loads[row, load_table.BRANCHES] = 0, 0


@helper
def count_classes(shape: TileShape, fabric: FabricNumbers, leaves: Leaves, loads: Ints) -> None:
    """Words of weights and inputs at each port, for every class."""
    pairs = find_all_twins(leaves)
    at_edge = shape.partial
    while at_edge >= 0:
        count_class(shape, at_edge, at_edge, CLASSES, pairs, fabric, leaves, loads)
        at_edge = next_subset(at_edge, shape.partial)


@helper
def find_all_twins(leaves: Leaves) -> tuple[int, int]:
    """List the pairs of leaves that need the same weight or input; return their numbers."""
    reach, ports = leaves.reach[0], leaves.reach[1]
    return (
        find_twins(leaves.words, OF_WEIGHT, reach, ports, leaves.pair, leaves.twin),
        find_twins(leaves.words, OF_INPUT, reach, ports, leaves.pair, leaves.twin),
    )


@helper
def count_class(
    shape: TileShape,
    at_edge: int,
    outside: int,
    classes: int,
    pairs: tuple[int, int],
    fabric: FabricNumbers,
    leaves: Leaves,
    loads: Ints,
) -> None:
    """Words of weights and inputs at each port in one of ``classes``, in which leaves with a mark ``outside`` need none."""
    span, reach, ports = fabric.multipliers // fabric.ports, leaves.reach[0], leaves.reach[1]
    weights, inputs = pairs
    mark_at_work(leaves.marks, outside | ABSENT, leaves.at_work, leaves.working, reach, ports)
    if shape.weighted:
        count_words(leaves, OF_WEIGHT, weights, load_table.WEIGHTS + at_edge, loads, span, ports)
    else:
        count_nothing(leaves, load_table.WEIGHTS + at_edge, loads, ports)
    count_words(leaves, OF_INPUT, inputs, first_row(load_table.INPUTS, classes) + at_edge, loads, span, ports)
    if shape.slidable:
        outside |= BEFORE_LAST_AT_EDGE if outside & OF_S else BEFORE_LAST
        mark_at_work(leaves.marks, outside | ABSENT, leaves.at_work, leaves.working, reach, ports)
        count_words(leaves, OF_INPUT, inputs, first_row(load_table.SLIDING, classes) + at_edge, loads, span, ports)


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
    """Results on the busiest bus, and uses of adder switches, over the whole run, per fold.

    Fills ``placed.bus_results`` and, with ``spills``, the words of returning partial sums at each port.
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
        leaves.total[bus] = 0
    at_edge = partial
    while at_edge >= 0:
        times, most = loops.turns[whole] * loops.middles[partial ^ at_edge], 0
        for bus in range(fabric.buses):
            most = max(most, results[at_edge, bus])
            leaves.total[bus] += times * results[at_edge, bus]
        placed.bus_results[at_edge] = most
        at_edge = next_subset(at_edge, partial)
    busiest = 0
    for bus in range(fabric.buses):
        busiest = max(busiest, leaves.total[bus])
    return busiest, adder_words


@helper
def find_busiest(shape: TileShape, spills: int, leaves: Leaves, loads: Ints) -> int:
    """Copy the words of each port that can be the busiest of any mix of classes; return the columns of ``loads``.

    A port can not when another one has at least as many words in every class.
    """
    total, open_ports, more, ports = leaves.total, leaves.working, leaves.shared, leaves.reach[1]
    for port in range(ports):
        total[port] = 0
        open_ports[port] = 1
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
            if open_ports[port] and (busiest < 0 or total[port] > total[busiest]):
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
            open_ports[port] &= more[port]
        column += 1
