"""What a mapping moves, in closed form on plain numbers: reuse, layout, and the words at each port and bus.

Kinds of control steps (a *class* is a set of dimensions at their last, partial tile) are counted by how often they occur.

Dimensions are numbered as in ``DIMENSIONS``: N G K C R S P Q. No array is allocated: a :class:`Workspace` is passed in.
"""

from __future__ import annotations

from typing import NamedTuple

from maerisim.kernels.jit import inlined, kernel
from maerisim.program import Ints

N, G, K, C, R, S, P, Q = 0, 1, 2, 3, 4, 5, 6, 7

INPUTS, PARTIAL_SUMS, WEIGHTS = 0, 1, 2

ART, PLAIN_TREE, LINEAR = 0, 1, 2
REGIONAL, BY_SWITCH = 0, 1

WEIGHT_ROW = 512
"""Row of ``step_load`` behind those of the inputs, two for each class of partial dimensions."""


class Fabric(NamedTuple):
    """The numbers of a hardware document that matter to an estimate."""

    multipliers: int
    ports: int
    buses: int
    distribution_latency: int
    weight_registers: int
    weight_depth: int
    input_registers: int
    input_depth: int
    forwarding: int
    forward_depth: int
    multiplier_latency: int
    topology: int
    level_latency: int
    lateral_latency: int
    shorter_end: int
    pads: int
    folds_together: int
    waits: int
    weights_first: int
    reduction_depth: int
    wiring: int
    collection_depth: int
    collection_latency: int
    accumulation_words: int
    accumulation_latency: int


class Layer(NamedTuple):
    """Sizes and geometry of a problem; whether its inputs are ``weighted`` (1) or pooled (0)."""

    weighted: int
    size: Ints
    stride_h: int
    stride_w: int
    dilation_h: int
    dilation_w: int


class Workspace(NamedTuple):
    """Scratch arrays; ``coordinate`` is [dimension, switch], ``load`` [port] and ``cost`` are results."""

    bus_of_switch: Ints
    size: Ints
    trips: Ints
    edge: Ints
    limit: Ints
    loops: Ints
    reused_weights: Ints
    reused_inputs: Ints
    partial: Ints
    coordinate: Ints
    virtual_neuron: Ints
    address: Ints
    active: Ints
    load: Ints
    step_load: Ints
    bus_load: Ints
    step_bus_load: Ints
    bus_of: Ints
    port_of: Ints
    vn_partial: Ints
    class_port: Ints
    class_bus: Ints
    parts: Ints
    part: Ints
    at_last: Ints
    phase_load: Ints
    cost: Ints


# Entries of ``cost``; those of an operand come three in a row: inputs, partial sums, weights.
CYCLES, STEPS, PORT_CYCLES, BUS_CYCLES, PHASES, DRAIN, DEPTH = 0, 1, 2, 3, 4, 5, 6
DISTRIBUTED, DELIVERED, READS = 7, 10, 13
HOPS, ADDITIONS, ADDER_WORDS, ACCUMULATIONS, FORWARDS, RESULTS, OUTPUTS, FOLDS = 16, 17, 18, 19, 20, 21, 22, 23
SPILLS, FORWARDING, MACS, PASSES = 24, 25, 26, 27
COSTS = 28


@inlined
def is_weight(d: int) -> bool:
    """Whether the weights depend on dimension d."""
    return d in (G, K, C, R, S)


@inlined
def is_input(d: int) -> bool:
    """Whether the inputs depend on dimension d."""
    return d != K


@inlined
def is_fold(d: int) -> bool:
    """Whether dimension d is summed over."""
    return d in (C, R, S)


@inlined
def find_reuse(w: Workspace, count: int, weights: bool, registers: int, folds_together: int) -> int:
    """Mark the loops during which an operand stays in place (see lowering.reuse.held); return the words held."""
    reused = w.reused_weights if weights else w.reused_inputs
    for d in range(8):
        reused[d] = 0
    if registers == 0:
        return 1
    place = count
    while place > 0 and not (is_weight(w.loops[place - 1]) if weights else is_input(w.loops[place - 1])):
        place -= 1
        reused[w.loops[place]] = 1
    words = 1
    while place > 0:
        d = w.loops[place - 1]
        ringed = is_fold(d) if folds_together else (is_weight(d) if weights else is_input(d))
        if not ringed or words * w.trips[d] > registers:
            break
        words *= w.trips[d]
        place -= 1
    passes = 0
    while place > 0:
        d = w.loops[place - 1]
        if not (d in (P, Q) if folds_together else not (is_weight(d) if weights else is_input(d))):
            break
        place -= 1
        reused[d] = 1
        passes += 1
    return words if passes or folds_together else 1


@inlined
def slides(layer: Layer, tile: Ints, fabric: Fabric, w: Workspace, count: int, held: int) -> bool:
    """Whether inputs move on over the forwarding links (see lowering.reuse.forwards)."""
    if fabric.forwarding == 0 or tile[Q] > 1 or tile[S] == 1 or layer.stride_w != layer.dilation_w:
        return False
    place = -1
    for i in range(count):
        if w.loops[i] == Q:
            place = i
    if place < 0:
        return False
    travelling, words = 1, 0
    for i in range(place + 1, count):
        d = w.loops[i]
        if d == K:
            if w.reused_inputs[K] == 0:
                return False
            words = held
        else:
            travelling *= w.trips[d]
    return travelling + words <= fabric.forward_depth


@inlined
def ring_has(w: Workspace, count: int, wanted: int) -> bool:
    """Whether the inputs that are held together while the filters pass differ in dimension ``wanted``."""
    inside = False
    for i in range(count):
        if w.loops[i] == K:
            inside = w.reused_inputs[K] == 1
        elif inside and w.loops[i] == wanted:
            return True
    return False


@inlined
def exit_of(fabric: Fabric, start: int, size: int) -> tuple[int, int, int, int]:
    """Where the sum of a VN leaves: (switch, position, cycles from product to result, transfers on its way).

    Follows the routing rules of fabric.art, fabric.plain_tree and fabric.linear.
    """
    m = fabric.multipliers
    if fabric.topology == LINEAR:
        return start + size - 1, start + size - 1, fabric.level_latency * size, size * fabric.level_latency
    a, b = start, start + size - 1
    level, offset, width = 1, 0, m // 2
    early, late = 0, 0
    transfers = 0
    lateral = fabric.lateral_latency
    while True:
        first, last = a // 2, b // 2
        lower, upper = first, last
        if fabric.topology == ART:
            hop = 0
            if first != last and first % 2 == 1:
                here = 2 * first + 2 - a
                if here < b - 2 * first - 1 if fabric.shorter_end else here == 1:
                    lower = first + 1
                    hop = max(lateral, here - 1)
                    transfers += hop
                    if fabric.shorter_end:
                        a = 2 * first + 2
            if lower != last and last % 2 == 0:
                here = b - 2 * last + 1
                if here <= 2 * last - a if fabric.shorter_end else here == 1:
                    upper = last - 1
                    transfers += max(lateral, here - 1)
                    hop = max(hop, lateral, here - 1)
            late += hop
        transfers += (upper - lower + 1) * fabric.level_latency
        early += fabric.level_latency
        if lower == upper and (fabric.topology == ART or (1 << level) >= size):
            position = start if size == 1 else (lower << level) + (1 << (level - 1))
            return offset + lower, position, early + late, transfers
        a, b = lower, upper
        offset += width
        width //= 2
        level += 1


@inlined
def multiplicity(w: Workspace, chosen: int, skipped: Ints, partial: Ints, partials: int) -> int:
    """How many steps of a thread fall in the class ``chosen`` (bit i: dimension partial[i] at its last tile).

    Sets ``limit`` to the tile sizes of that class; ``skipped`` marks the loops that the thread leaves out.
    """
    times = 1
    for d in range(8):
        if skipped[d] == 0:
            times *= w.trips[d]
    for i in range(partials):
        d = partial[i]
        if chosen >> i & 1:
            times //= w.trips[d]
            w.limit[d] = w.edge[d]
        else:
            times = times // w.trips[d] * (w.trips[d] - 1)
    return times


@inlined
def count_packets(fabric: Fabric, w: Workspace, switches: int, stream: int, times: int, row: int) -> None:
    """Count ``times`` steps of the packets that bring ``address`` to the ``active`` switches.

    Leaves the packets of one step at each port in ``step_load[row]``.
    """
    for port in range(fabric.ports):
        w.step_load[row, port] = 0
    span = fabric.multipliers // fabric.ports
    above = 0
    while (1 << above) < fabric.ports:
        above += 1
    delivered, packets, hops = 0, 0, 0
    for m in range(switches):
        if not w.active[m]:
            continue
        delivered += 1
        port = m // span
        last = -1
        for other in range(m - 1, port * span - 1, -1):
            if w.active[other] and w.address[other] == w.address[m]:
                last = other
                break
        if last < 0:
            packets += 1
            hops += above
            w.step_load[row, port] += 1
        # The branch to this switch is new below the level at which it parts from the last one with the same word.
        width = 1
        while width < span and (last < 0 or m // width != last // width):
            hops += 1
            width *= 2
    for port in range(fabric.ports):
        w.load[port] += times * w.step_load[row, port]
    w.cost[DISTRIBUTED + stream] += times * packets
    w.cost[DELIVERED + stream] += times * delivered
    w.cost[HOPS] += times * hops


@kernel
def distinct(outer: int, inner: int, step_outer: int, step_inner: int) -> int:
    """Number of values of ``i step_outer + j step_inner`` for i < outer, j < inner."""
    a, b = step_outer, step_inner
    while b:
        a, b = b, a % b
    return outer * inner - max(0, outer - step_inner // a) * max(0, inner - step_outer // a)


@inlined
def lay_out(tile: Ints, placement: Ints, w: Workspace, size: int, block: int, spills: bool) -> int:
    """Fill ``virtual_neuron`` and ``coordinate`` as lowering.layout.place does; return the switches in use."""
    switches = 0
    count = tile[N] * tile[G] * tile[K] * tile[P] * tile[Q]
    for vn in range(count):
        m = vn * block
        for unused in range(switches, m):
            w.virtual_neuron[unused] = -1
        rest = vn
        for i in range(4, -1, -1):
            d = placement[i]
            for index in range(m, m + size):
                w.coordinate[d, index] = rest % tile[d]
            rest //= tile[d]
        for index in range(m, m + size):
            w.virtual_neuron[index] = vn
        if spills:
            w.virtual_neuron[m] = -1
            m += 1
        for c in range(tile[C]):
            for r in range(tile[R]):
                for s in range(tile[S]):
                    w.coordinate[C, m] = c
                    w.coordinate[R, m] = r
                    w.coordinate[S, m] = s
                    m += 1
        switches = m
    return switches


@inlined
def mark_active(w: Workspace, switches: int) -> None:
    """Mark the working switches inside the limits of the current class."""
    for m in range(switches):
        inside = w.virtual_neuron[m] >= 0
        if inside:
            for d in range(8):
                if w.coordinate[d, m] >= w.limit[d]:
                    inside = False
                    break
        w.active[m] = inside


@inlined
def full_limits(tile: Ints, w: Workspace) -> None:
    """Set ``limit`` to the full tile."""
    for d in range(8):
        w.limit[d] = tile[d]


@inlined
def add_weights(tile: Ints, fabric: Fabric, w: Workspace, switches: int) -> None:
    """Packets of the weights over the whole run; leaves those of a full step in ``step_load[WEIGHT_ROW]``."""
    size = w.size
    for m in range(switches):
        c = w.coordinate
        w.address[m] = (((c[G, m] * size[K] + c[K, m]) * size[C] + c[C, m]) * size[R] + c[R, m]) * size[S] + c[S, m]
    partials = find_partials(tile, w, w.reused_weights)
    for chosen in range(1 << partials):
        full_limits(tile, w)
        times = multiplicity(w, chosen, w.reused_weights, w.partial, partials)
        mark_active(w, switches)
        count_packets(fabric, w, switches, WEIGHTS, times, WEIGHT_ROW + (chosen > 0))
        w.cost[READS + WEIGHTS] += times * w.limit[G] * w.limit[K] * w.limit[C] * w.limit[R] * w.limit[S]


@inlined
def leave_out_weights(fabric: Fabric, w: Workspace) -> None:
    """No loop asks for weights: none are sent, none are held."""
    w.reused_weights[:] = 1
    for port in range(fabric.ports):
        w.step_load[WEIGHT_ROW, port] = 0


@inlined
def find_partials(tile: Ints, w: Workspace, skipped: Ints) -> int:
    """List in ``partial`` the dimensions whose last tile is partial, among the loops that are not skipped."""
    partials = 0
    for d in range(8):
        if skipped[d] == 0 and w.trips[d] > 1 and w.edge[d] != tile[d]:
            w.partial[partials] = d
            partials += 1
    return partials


@inlined
def add_inputs(layer: Layer, tile: Ints, fabric: Fabric, w: Workspace, switches: int, sliding: bool) -> int:
    """Packets of the inputs over the whole run; with ``sliding`` only the last column after the first step of a row.

    Leaves the packets of one step in ``step_load``: for class i of the partial dimensions in row 2 i (row starts) and
    2 i + 1 (the other steps of a row). Returns the number of partial dimensions.
    """
    size = w.size
    height = (size[P] - 1) * layer.stride_h + (size[R] - 1) * layer.dilation_h + 1
    width = (size[Q] - 1) * layer.stride_w + (size[S] - 1) * layer.dilation_w + 1
    for m in range(switches):
        c = w.coordinate
        row = c[P, m] * layer.stride_h + c[R, m] * layer.dilation_h
        column = c[Q, m] * layer.stride_w + c[S, m] * layer.dilation_w
        w.address[m] = (((c[N, m] * size[G] + c[G, m]) * size[C] + c[C, m]) * height + row) * width + column
    partials = find_partials(tile, w, w.reused_inputs)
    for chosen in range(1 << partials):
        full_limits(tile, w)
        times = multiplicity(w, chosen, w.reused_inputs, w.partial, partials)
        lim = w.limit
        words = lim[N] * lim[G] * lim[C] * distinct(lim[P], lim[R], layer.stride_h, layer.dilation_h)
        starts = times // w.trips[Q] if sliding else times
        mark_active(w, switches)
        count_packets(fabric, w, switches, INPUTS, starts, 2 * chosen)
        w.cost[READS + INPUTS] += starts * words * distinct(lim[Q], lim[S], layer.stride_w, layer.dilation_w)
        if sliding:
            forwarded = 0
            for m in range(switches):
                if w.active[m] and w.coordinate[S, m] < lim[S] - 1:
                    w.active[m] = 0
                    forwarded += 1
            count_packets(fabric, w, switches, INPUTS, times - starts, 2 * chosen + 1)
            w.cost[READS + INPUTS] += (times - starts) * words
            w.cost[FORWARDS] += (times - starts) * forwarded
    return partials


@inlined
def add_results(tile: Ints, fabric: Fabric, w: Workspace, size: int, block: int, folds: int, spills: bool) -> int:
    """Results, additions and returning partial sums over the whole run.

    Leaves the virtual neurons that share a bus or a port in ``bus_of`` and ``port_of``. Returns the cycles from the
    last product to its sum in the slowest virtual neuron.
    """
    depth, levels = 0, 0
    while (1 << levels) < fabric.multipliers:
        levels += 1
    for vn in range(tile[N] * tile[G] * tile[K] * tile[P] * tile[Q]):
        start = vn * block
        switch, position, latency, transfers = exit_of(fabric, start, size)
        depth = max(depth, latency)
        outputs = 1
        for d in (N, G, K, P, Q):
            outputs *= w.trips[d] - (w.coordinate[d, start] >= w.edge[d])
        bus = position * fabric.buses // fabric.multipliers if fabric.wiring == REGIONAL else w.bus_of_switch[switch]
        port = start // (fabric.multipliers // fabric.ports)
        w.bus_of[vn] = bus
        w.port_of[vn] = port
        w.bus_load[bus] += outputs * (folds if spills else 1)
        w.cost[ADDER_WORDS] += outputs * folds * transfers
        w.cost[OUTPUTS] += outputs
        if spills:
            back = outputs * (folds - 1)
            w.load[port] += back
            w.cost[DISTRIBUTED + PARTIAL_SUMS] += back
            w.cost[DELIVERED + PARTIAL_SUMS] += back
            w.cost[READS + PARTIAL_SUMS] += back
            w.cost[HOPS] += back * levels
    return depth


@inlined
def class_results(tile: Ints, fabric: Fabric, w: Workspace, block: int) -> int:
    """Per class of the partial dimensions of virtual neurons: those at work on each port and the busiest bus.

    Fills ``vn_partial``, ``class_port`` [class, port] and ``class_bus``; returns the number of partial dimensions.
    """
    partials = 0
    for d in (N, G, K, P, Q):
        if w.trips[d] > 1 and w.edge[d] != tile[d]:
            w.vn_partial[partials] = d
            partials += 1
    count = tile[N] * tile[G] * tile[K] * tile[P] * tile[Q]
    for chosen in range(1 << partials):
        for port in range(fabric.ports):
            w.class_port[chosen, port] = 0
        for bus in range(fabric.buses):
            w.step_bus_load[bus] = 0
        for vn in range(count):
            at_work = True
            for i in range(partials):
                d = w.vn_partial[i]
                if chosen >> i & 1 and w.coordinate[d, vn * block] >= w.edge[d]:
                    at_work = False
            if at_work:
                w.class_port[chosen, w.port_of[vn]] += 1
                w.step_bus_load[w.bus_of[vn]] += 1
        w.class_bus[chosen] = 0
        for bus in range(fabric.buses):
            w.class_bus[chosen] = max(w.class_bus[chosen], w.step_bus_load[bus])
    return partials
