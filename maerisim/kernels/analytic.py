"""The cost of a mapping in closed form, on plain numbers; the formulas are explained in :mod:`maerisim.analytic`."""

from __future__ import annotations

from maerisim.kernels.jit import inlined, kernel
from maerisim.kernels.loads import (
    ACCUMULATIONS,
    ADDITIONS,
    BUS_CYCLES,
    COSTS,
    CYCLES,
    DEPTH,
    DRAIN,
    FOLDS,
    FORWARDING,
    MACS,
    OUTPUTS,
    PASSES,
    PHASES,
    PLAIN_TREE,
    PORT_CYCLES,
    RESULTS,
    SPILLS,
    STEPS,
    WEIGHT_ROW,
    C,
    Fabric,
    Layer,
    Q,
    R,
    S,
    Workspace,
    add_inputs,
    add_results,
    add_weights,
    class_results,
    find_reuse,
    is_fold,
    is_weight,
    lay_out,
    leave_out_weights,
    ring_has,
    slides,
)
from maerisim.program import Ints

VALID, TOO_LARGE = 0, 1
"""Status of an estimate."""


@inlined
def split_loops(tile: Ints, w: Workspace, count: int, spills: bool, sliding: bool) -> int:
    """Split each loop into parts of iterations that cost the same: first, middle, last where these matter.

    Fills ``parts`` and ``part`` [loop, part] (iterations; negative for the last one). Returns the combinations.
    """
    combinations = 1
    for i in range(count):
        d = w.loops[i]
        first = (spills and is_fold(d)) or (sliding and d == Q)
        last = w.edge[d] != tile[d] or (is_fold(d) and not spills)
        parts = 0
        if first:
            w.part[i, parts] = 1
            parts += 1
        middle = w.trips[d] - first - last
        if middle > 0:
            w.part[i, parts] = middle
            parts += 1
        if last:
            w.part[i, parts] = -1
            parts += 1
        w.parts[i] = parts
        combinations *= parts
    return combinations


@inlined
def phase_cycles(
    tile: Ints, fabric: Fabric, w: Workspace, count: int, spills: bool, sliding: bool, partials: int, block: int
) -> int:
    """Cycles of all phases of a run, weights apart (they load behind the computation).

    Within a phase the busiest of multipliers, ports and buses sets the pace. A phase ends where a loop that takes
    longer than the input queues hold goes over to its next part; faster loops average out within the queues.
    """
    vn_partials = class_results(tile, fabric, w, block)
    combinations = split_loops(tile, w, count, spills, sliding)
    block_size, period = 1, 1
    for i in range(count - 1, -1, -1):
        if period > fabric.input_depth:
            break
        block_size *= w.parts[i]
        period *= w.trips[w.loops[i]]
    total, steps_so_far, bus_so_far = 0, 0, 0
    for port in range(fabric.ports):
        w.phase_load[port] = 0
    for combination in range(combinations):
        rest, steps, sends, slide = combination, 1, 1, 0
        first_fold, last_fold = True, True
        for d in range(8):
            w.at_last[d] = 0
        for i in range(count - 1, -1, -1):
            d = w.loops[i]
            digit = rest % w.parts[i]
            rest //= w.parts[i]
            iterations = w.part[i, digit]
            if iterations < 0:
                iterations = 1
                w.at_last[d] = 1
            steps *= iterations
            if w.reused_inputs[d] == 0:
                sends *= iterations
            elif digit > 0:
                sends = 0
            if is_fold(d):
                first_fold = first_fold and digit == 0
                last_fold = last_fold and w.at_last[d] == 1
            if sliding and d == Q and digit > 0:
                slide = 1
        row = slide
        for i in range(partials):
            row += 2 * w.at_last[w.partial[i]] << i
        vn_class = 0
        for i in range(vn_partials):
            vn_class += w.at_last[w.vn_partial[i]] << i
        returning = steps if spills and not first_fold else 0
        for port in range(fabric.ports):
            w.phase_load[port] += sends * w.step_load[row, port] + returning * w.class_port[vn_class, port]
        if spills or last_fold:
            bus_so_far += steps * w.class_bus[vn_class]
        steps_so_far += steps
        if (combination + 1) % block_size == 0:
            longest = max(steps_so_far, bus_so_far)
            for port in range(fabric.ports):
                longest = max(longest, w.phase_load[port])
                w.phase_load[port] = 0
            total += longest
            steps_so_far, bus_so_far = 0, 0
    return total


@inlined
def first_load(fabric: Fabric, w: Workspace, count: int) -> int:
    """Cycles by which the first weights, which nothing hides, make the first pass over them longer."""
    words, steps, sends = 1, 1, 1
    for i in range(count - 1, -1, -1):
        d = w.loops[i]
        if not is_weight(d) and words > 1:
            break
        if w.reused_weights[d] == 0:
            if not has_passes(w, i):
                break
            words *= w.trips[d]
        steps *= w.trips[d]
        if w.reused_inputs[d] == 0:
            sends *= w.trips[d]
    longest, pace = 0, steps
    for port in range(fabric.ports):
        longest = max(longest, words * w.step_load[WEIGHT_ROW, port] + sends * w.step_load[0, port])
        pace = max(pace, sends * w.step_load[0, port])
    return max(0, longest - pace)


@inlined
def batch_bound(fabric: Fabric, w: Workspace, count: int, steps: int, ring: int) -> None:
    """Cycles when every batch of weights waits for the outputs of the one before: nothing overlaps."""
    cost = w.cost
    inside = 1
    for i in range(count - 1, -1, -1):
        d = w.loops[i]
        if not (w.reused_weights[d] or (fabric.folds_together and is_fold(d))):
            break
        inside *= w.trips[d]
    batches = steps // inside
    released = steps + (batches * ring if fabric.weights_first else 0)
    busiest = max(released, cost[PORT_CYCLES], cost[BUS_CYCLES])
    cost[PHASES] = busiest
    cost[CYCLES] = busiest + batches * cost[DRAIN]


@inlined
def has_passes(w: Workspace, place: int) -> bool:
    """Whether the weights of the loop at ``place`` are held while a loop outside it turns."""
    for i in range(place - 1, -1, -1):
        if not is_weight(w.loops[i]):
            return bool(w.reused_weights[w.loops[i]])
    return False


@inlined
def walk_tiles(layer: Layer, tile: Ints, order: Ints, fabric: Fabric, w: Workspace) -> tuple[int, int, int, int, int]:
    """Fill trips, sizes, edges and the loops that turn; return how many turn, steps, folds, virtual neurons, MACs.

    A function of its own because numba would compile everything that takes these numbers twice: once for the constants
    that they begin with.
    """
    count = 0
    steps, folds, vn_count, macs = 1, 1, 1, 1
    for i in range(8):
        d = order[i]
        w.trips[d] = (layer.size[d] + tile[d] - 1) // tile[d]
        w.size[d] = w.trips[d] * tile[d] if fabric.pads else layer.size[d]
        w.edge[d] = w.size[d] - (w.trips[d] - 1) * tile[d]
        macs *= w.size[d]
        steps *= w.trips[d]
        if is_fold(d):
            folds *= w.trips[d]
        else:
            vn_count *= tile[d]
        if w.trips[d] > 1:
            w.loops[count] = d
            count += 1
    return count, steps, folds, vn_count, macs


@inlined
def estimate(layer: Layer, tile: Ints, order: Ints, placement: Ints, fabric: Fabric, w: Workspace) -> int:
    """Fill ``w.cost`` for one mapping; returns a status."""
    count, steps, folds, vn_count, macs = walk_tiles(layer, tile, order, fabric, w)
    live, folding = vn_count, False
    for i in range(count):
        folding = folding or is_fold(w.loops[i])
        if folding and not is_fold(w.loops[i]):
            live *= w.trips[w.loops[i]]
    if fabric.folds_together:
        folding_loops = 0
        for i in range(count):
            if is_fold(w.loops[i]):
                folding_loops += 1
            elif folding_loops:
                return TOO_LARGE
        if folds > fabric.weight_registers:
            return TOO_LARGE
    if fabric.pads and not layer.weighted and (layer.size[R] % tile[R] or layer.size[S] % tile[S]):
        return TOO_LARGE
    spills = folding and live > fabric.accumulation_words
    size = tile[C] * tile[R] * tile[S] + spills
    block = size
    if fabric.topology == PLAIN_TREE:
        block = 1
        while block < size:
            block *= 2
    if (vn_count - 1) * block + size > fabric.multipliers:
        return TOO_LARGE
    w.cost[:] = 0
    w.load[:] = 0
    w.bus_load[:] = 0
    ring = find_reuse(w, count, True, fabric.weight_registers, fabric.folds_together)
    held = find_reuse(w, count, False, fabric.input_registers, 0)
    sliding_ring = not ring_has(w, count, Q) and not (ring_has(w, count, S) and w.edge[S] != tile[S])
    sliding_ring = sliding_ring and (fabric.pads == 0 or layer.size[S] % tile[S] == 0)
    sliding = sliding_ring and slides(layer, tile, fabric, w, count, held)
    switches = lay_out(tile, placement, w, size, block, spills)
    if layer.weighted:
        add_weights(tile, fabric, w, switches)
    else:
        leave_out_weights(fabric, w)
        ring = 0
    partials = add_inputs(layer, tile, fabric, w, switches, sliding)
    depth = add_results(tile, fabric, w, size, block, folds, spills)
    cost = w.cost
    cost[STEPS], cost[FOLDS], cost[SPILLS], cost[FORWARDING], cost[DEPTH] = steps, folds, spills, sliding, depth
    cost[RESULTS] = cost[OUTPUTS] * (folds if spills else 1)
    cost[ACCUMULATIONS] = 0 if spills else cost[OUTPUTS] * (folds - 1)
    cost[MACS if layer.weighted else PASSES] = macs
    cost[ADDITIONS] = macs - cost[OUTPUTS] * folds
    if spills:
        cost[ADDITIONS] += cost[OUTPUTS] * (folds if fabric.pads else folds - 1)
    for port in range(fabric.ports):
        cost[PORT_CYCLES] = max(cost[PORT_CYCLES], w.load[port])
    for bus in range(fabric.buses):
        cost[BUS_CYCLES] = max(cost[BUS_CYCLES], w.bus_load[bus])
    tail = fabric.accumulation_latency + fabric.collection_latency
    cost[DRAIN] = fabric.distribution_latency + fabric.multiplier_latency + depth + tail
    if fabric.waits:
        batch_bound(fabric, w, count, steps, ring)
        return VALID
    cost[PHASES] = phase_cycles(tile, fabric, w, count, spills, sliding, partials, block)
    cost[PHASES] += first_load(fabric, w, count)
    cost[CYCLES] = max(cost[PHASES], cost[PORT_CYCLES], cost[BUS_CYCLES]) + cost[DRAIN] - 1
    return VALID


@kernel
def estimate_all(
    layer: Layer, tiles: Ints, orders: Ints, placements: Ints, fabric: Fabric, w: Workspace, costs: Ints
) -> int:
    """Estimate every tile with every (order, placement) pair into ``costs`` [tile, pair, entry]; count them.

    The cycles of a tile that is too large are 0.
    """
    evaluated = 0
    for i in range(tiles.shape[0]):
        for j in range(orders.shape[0]):
            if estimate(layer, tiles[i], orders[j], placements[j], fabric, w) == VALID:
                for entry in range(COSTS):
                    costs[i, j, entry] = w.cost[entry]
                evaluated += 1
    return evaluated
