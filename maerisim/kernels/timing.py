"""When the last result of a mapping leaves: the times of its control steps, one from the other, repetitions skipped.

Each component does its control steps in order, and each as soon as what it needs is there. So every time is the latest
of a few earlier ones plus a constant, and a run is a recurrence in maxima and sums:

- A *port* has sent the inputs of a step so many cycles after those of the step before as it has words to send, or after
  the operand queues had room: when the word that came ``input_depth`` before at the same switches was used up.
- A *section* (the switches of a virtual neuron under one port) does a step one cycle after the step before, when its
  words have arrived, and when the products of an earlier step have left the queues between it and the sum. A step beyond
  the edge of a tile, in which it has nothing to do, takes it a cycle as well.
- The sum of a *bundle* (alike virtual neurons under one port, or one that lies under several) waits for all sections.
- A *bus* takes one result a cycle; an accumulator waits until the queue in front of the bus has room.

Weights are sent ahead while a port waits for room: a port saves up idle cycles, as many as it has words to send until the
weight registers are full, and takes due weights from these savings. Returning partial sums wait for their result.

This holds what a closed form for the run's total cannot: how far resources average out that are busy in turns. It is no
simulation: there are no cycles, queues or words in it, a control step costs a few operations per port, and a loop is
left as soon as it has become periodic: when between two of its iterations all times have grown by the same amount, they
do so in each further one (adding a constant to all times changes nothing), so that what is left is multiplied. Parts of
the fabric that share no virtual neuron, port or bus have their own times; parts that are alike are looked at once.

What is left out: the order of the words of one step at a port, differences between the switches of a section, and the
queue between a sum and its accumulator.
"""

from __future__ import annotations

from typing import NamedTuple

from maerisim.kernels.exits import Exits
from maerisim.kernels.jit import helper, kernel
from maerisim.kernels.loads import (
    BEFORE_LAST,
    BEFORE_LAST_AT_EDGE,
    INPUT_LOADS,
    SLIDING_LOADS,
    WEIGHT_LOADS,
    Leaves,
)
from maerisim.kernels.orders import SLIDES, Reuse
from maerisim.kernels.quantities import (
    FOLDS,
    OF_K,
    OF_Q,
    OF_S,
    REGIONAL,
    REPLICATED,
    TRIPS,
    Fabric,
    Loops,
    Shape,
    Words,
    block_of,
    log2,
    next_subset,
)
from maerisim.program import Ints

RING = 64
"""Steps for which the times of sums are remembered; longer queues count as if they were so long."""
NEVER = -(1 << 40)
"""A time of something that has not happened."""
WORTHWHILE = 16
"""Control steps that must be left of a loop for its iterations to be compared."""
PATIENCE = 32
"""Iterations after which a loop that has not become periodic is taken to go on at the pace of the latest ones."""
LEVELS = 8
"""Most loops of a mapping."""

SENT, SAVED_UP, DUE = 0, 1, 2
"""Rows of ports: when the last word was sent, cycles saved up for weights, and the weights due so far."""
DONE, SPREAD, USED_UP = 3, 4, 5
"""Rows of sections: when the last step was done, by how much other virtual neurons of the bundle were done before that,
and when inputs were used up, the latest first (so many rows as an input queue is deep)."""


class Rows(NamedTuple):
    """First rows of what takes as many rows as a queue of the fabric is deep, the latest time in the first.

    Sections: when ``returned`` partial sums were used up. Bundles: when results were ``taken`` by their bus; by control
    step, modulo ``RING``, when they were ``sums``, and were ``written``. Buses (one row): when the last result was.
    """

    returned: int
    taken: int
    sums: int
    written: int
    bus: int


DIMENSION, TURNS, INDEX, BODY, SINCE, WINDOW = 0, 1, 2, 3, 4, 5
"""Rows of ``Timing.loop``: its dimension, trips, iteration and control steps; the iteration of the earlier times (-1:
none), and after how many iterations these are renewed."""
FIELDS = 7


class Timing(NamedTuple):
    """What a placed tile consists of, the times of its control steps, and earlier times.

    Sections: ``port``, ``bundle`` and, [class, section], whether a step of the class ``needs`` inputs there, also when
    they slide (``slides``). Bundles: ``first`` section (one entry more), ``bus``, ``size`` (virtual neurons), ``way``
    (cycles from the start of the multiplication to the sum), ``slack`` (steps that its sections can be ahead of the
    sum) and ``beyond``, the dimensions beyond whose last, partial tile it lies.

    ``limits`` [part, limit of a :class:`Part`]; ``now`` [row, lane] and ``earlier`` [level, row, lane], where a lane is a
    port, section, bundle or bus; ``loop`` [field, level]. ``ready`` and ``words`` [section], ``room`` [port],
    ``results``, ``soonest`` and ``latest`` [bus] are those of one step.
    """

    port: Ints
    bundle: Ints
    needs: Words
    slides: Words
    first: Ints
    bus: Ints
    size: Ints
    way: Ints
    slack: Ints
    beyond: Ints
    limits: Ints
    now: Ints
    earlier: Ints
    loop: Ints
    ready: Ints
    words: Ints
    room: Ints
    results: Ints
    soonest: Ints
    latest: Ints


class Part(NamedTuple):
    """Ranges of ports, sections, bundles and buses that depend on one another, and the largest slack of a bundle."""

    port: int
    end_port: int
    section: int
    end_section: int
    bundle: int
    end_bundle: int
    bus: int
    end_bus: int
    slack: int


class Step(NamedTuple):
    """A control step: its class, the loops past their first (``begun``) and at their last iteration (``ending``), whether
    its inputs slide, and its number modulo ``RING``.
    """

    at_edge: int
    begun: int
    ending: int
    further: int
    place: int


@helper
def rows_of(fabric: Fabric) -> Rows:
    """The rows for the queues of a fabric."""
    returned = USED_UP + fabric.input_depth
    taken = returned + fabric.partial_sum_depth
    sums = taken + fabric.collection_depth
    return Rows(returned, taken, sums, sums + RING, sums + 2 * RING)


@kernel
def count_rows(fabric: Fabric) -> int:
    """The number of rows of the times of a fabric."""
    return rows_of(fabric).bus + 1


@helper
def part_of(index: int, t: Timing) -> Part:
    """The part with this index."""
    limits = t.limits
    return Part(
        limits[index, 0],
        limits[index, 1],
        limits[index, 2],
        limits[index, 3],
        limits[index, 4],
        limits[index, 5],
        limits[index, 6],
        limits[index, 7],
        limits[index, 8],
    )


@helper
def find_parts(shape: Shape, fabric: Fabric, exits: Exits, spills: int, leaves: Leaves, t: Timing) -> int:
    """Find the sections, bundles and parts of a placed tile; return the number of parts, of which equal ones count once."""
    size = shape.vn_size + spills
    block, shift = block_of(fabric, size), log2(fabric.multipliers // fabric.ports)
    section_of = t.ready  # [place among all workers]
    bundles, sections, worker = 0, 0, 0
    t.first[0] = 0
    for vn in range(shape.vn_count):
        port, end_port = vn * block >> shift, ((vn * block + size - 1) >> shift) + 1
        entry, beyond, last = exits.start[size] + vn, int(leaves.vn_marks[vn]), bundles - 1
        within = end_port == port + 1 and last >= 0 and t.first[last] == sections - 1
        if within and t.port[sections - 1] == port and t.bus[last] == exits.bus[entry] and t.beyond[last] == beyond:
            t.size[last] += 1
            t.way[last] = max(t.way[last], exits.way[entry] + fabric.multiplier_latency)
        else:
            for each in range(port, end_port):
                t.port[sections], t.bundle[sections] = each, bundles
                sections += 1
            t.bus[bundles], t.beyond[bundles], t.size[bundles] = exits.bus[entry], beyond, 1
            t.way[bundles] = exits.way[entry] + fabric.multiplier_latency
            bundles += 1
            t.first[bundles] = sections
        for switch in range(vn * block + spills, vn * block + size):
            section_of[worker] = t.first[bundles - 1] + (switch >> shift) - port
            worker += 1
    for bundle in range(bundles):
        levels = t.way[bundle] - fabric.multiplier_latency - 1
        t.slack[bundle] = min(RING - 1, fabric.product_depth + fabric.reduction_depth * levels)
    find_needs(shape, block, shift, spills, sections, leaves, t)
    return split(shape, fabric, bundles, leaves, t)


@helper
def find_needs(shape: Shape, block: int, shift: int, spills: int, sections: int, leaves: Leaves, t: Timing) -> None:
    """Fill ``needs`` and ``slides``; ``ready`` holds the section of every worker."""
    below = (1 << shift) - 1
    at_edge = shape.partial
    while at_edge >= 0:
        before_last = BEFORE_LAST_AT_EDGE if at_edge & OF_S else BEFORE_LAST
        for section in range(sections):
            t.needs[at_edge, section], t.slides[at_edge, section] = 0, 0
        worker = 0
        for vn in range(shape.vn_count):
            start = vn * block + spills
            for switch in range(start, start + shape.vn_size):
                marks, section = int(leaves.marks[switch & below, switch >> shift]), t.ready[worker]
                worker += 1
                if not marks & at_edge:
                    t.needs[at_edge, section] = 1
                    if not marks & before_last:
                        t.slides[at_edge, section] = 1
        at_edge = next_subset(at_edge, shape.partial)


@helper
def split(shape: Shape, fabric: Fabric, bundles: int, leaves: Leaves, t: Timing) -> int:
    """List the parts that share no port, virtual neuron and bus, equal ones once; return their number."""
    limits, regional = t.limits, fabric.wiring == REGIONAL
    parts, start, last_port, last_bus = 0, 0, -1, -1
    for bundle in range(bundles + 1):
        ends = bundle == bundles
        if bundle > start:
            ends = ends or (regional and t.port[t.first[bundle]] > last_port and t.bus[bundle] > last_bus)
        if ends:
            limits[parts, 0], limits[parts, 1] = t.port[t.first[start]], last_port + 1
            limits[parts, 2], limits[parts, 3] = t.first[start], t.first[bundle]
            limits[parts, 4], limits[parts, 5] = start, bundle
            limits[parts, 6] = t.bus[start] if regional else 0
            limits[parts, 7] = last_bus + 1 if regional else fabric.buses
            limits[parts, 8] = 0
            for member in range(start, bundle):
                limits[parts, 8] = max(limits[parts, 8], t.slack[member])
            new = True
            for other in range(parts):
                new = new and not alike(shape, leaves, part_of(other, t), part_of(parts, t), t)
            parts += int(new)
            start = bundle
        if bundle < bundles:
            last_port = max(last_port, t.port[t.first[bundle + 1] - 1])
            last_bus = max(last_bus, t.bus[bundle])
    return parts


@helper
def alike(shape: Shape, leaves: Leaves, one: Part, other: Part, t: Timing) -> bool:
    """Whether two parts are made in the same way, and send the same numbers of words."""
    ports, sections = one.end_port - one.port, one.end_section - one.section
    if ports != other.end_port - other.port or sections != other.end_section - other.section:
        return False
    bundles = one.end_bundle - one.bundle
    if bundles != other.end_bundle - other.bundle or one.end_bus - one.bus != other.end_bus - other.bus:
        return False
    for i in range(bundles):
        a, b = one.bundle + i, other.bundle + i
        if t.size[a] != t.size[b] or t.way[a] != t.way[b] or t.beyond[a] != t.beyond[b]:
            return False
        if t.bus[a] - one.bus != t.bus[b] - other.bus:
            return False
    for i in range(sections):
        a, b = one.section + i, other.section + i
        if t.port[a] - one.port != t.port[b] - other.port or t.bundle[a] - one.bundle != t.bundle[b] - other.bundle:
            return False
    words, at_edge = leaves.port_words, shape.partial
    while at_edge >= 0:
        for i in range(sections):
            a, b = one.section + i, other.section + i
            if t.needs[at_edge, a] != t.needs[at_edge, b] or t.slides[at_edge, a] != t.slides[at_edge, b]:
                return False
        for i in range(ports):
            a, b = one.port + i, other.port + i
            if words[WEIGHT_LOADS + at_edge, a] != words[WEIGHT_LOADS + at_edge, b]:
                return False
            if words[INPUT_LOADS + at_edge, a] != words[INPUT_LOADS + at_edge, b]:
                return False
            if shape.slidable and words[SLIDING_LOADS + at_edge, a] != words[SLIDING_LOADS + at_edge, b]:
                return False
        at_edge = next_subset(at_edge, shape.partial)
    return True


@helper
def last_result(
    shape: Shape, loops: Loops, reuse: Reuse, order: int, fabric: Fabric, leaves: Leaves, parts: int, t: Timing
) -> int:
    """Cycles until a run with this packed loop order is over; the parts are those that :func:`find_parts` has found."""
    cycles = 0
    for index in range(parts):
        cycles = max(cycles, last_result_of(shape, loops, reuse, order, fabric, leaves, part_of(index, t), t))
    return cycles


@helper
def last_result_of(
    shape: Shape, loops: Loops, reuse: Reuse, order: int, fabric: Fabric, leaves: Leaves, part: Part, t: Timing
) -> int:
    """Cycles until the last result of a part is written."""
    rows, loop = rows_of(fabric), t.loop
    ahead = fabric.weight_room - loops.turns[reuse.ring if reuse.passes else 0]
    begin(rows, part, t)
    levels, body = 0, 1
    for d in range(LEVELS):
        if shape.turning >> d & 1:
            dimension = order >> 3 * levels & 7
            loop[DIMENSION, levels], loop[TURNS, levels] = dimension, loops.extent[TRIPS, dimension]
            loop[INDEX, levels], loop[BODY, levels], loop[SINCE, levels] = 0, body, -1
            body *= loop[TURNS, levels]
            levels += 1
    begun, ending, place = 0, 0, 0
    while True:
        further = int(reuse.sliding == SLIDES and begun & OF_Q != 0)
        step = Step(ending & shape.partial, begun, ending, further, place)
        t.loop[6, 0] += 1
        do_step(shape, reuse, ahead, fabric, leaves, rows, part, step, t)
        place = (place + 1) & (RING - 1)
        level = 0
        while level < levels:
            loop[INDEX, level] += 1
            if loop[INDEX, level] < loop[TURNS, level]:
                break
            loop[INDEX, level], loop[SINCE, level] = 0, -1
            begun &= ~(1 << loop[DIMENSION, level])
            ending &= ~(1 << loop[DIMENSION, level])
            level += 1
        if level == levels:
            break
        skip_repetitions(reuse, ahead, leaves, rows, part, level, place, t)
        begun |= 1 << loop[DIMENSION, level]
        if loop[INDEX, level] == loop[TURNS, level] - 1:
            ending |= 1 << loop[DIMENSION, level]
    cycles = 0
    for bus in range(part.bus, part.end_bus):
        cycles = max(cycles, t.now[rows.bus, bus])
    return cycles


@helper
def begin(rows: Rows, part: Part, t: Timing) -> None:
    """Before the first cycle."""
    now = t.now
    for port in range(part.port, part.end_port):
        now[SENT, port], now[SAVED_UP, port], now[DUE, port] = -1, 0, 0
    for section in range(part.section, part.end_section):
        now[DONE, section], now[SPREAD, section] = -1, 0
        for row in range(USED_UP, rows.taken):
            now[row, section] = NEVER
    for bundle in range(part.bundle, part.end_bundle):
        for row in range(rows.taken, rows.bus):
            now[row, bundle] = NEVER
    for bus in range(part.bus, part.end_bus):
        now[rows.bus, bus] = NEVER


@helper
def push(now: Ints, first: int, end: int, lane: int, time: int) -> None:
    """Put a time in front of the latest ones."""
    for row in range(end - 1, first, -1):
        now[row, lane] = now[row - 1, lane]
    now[first, lane] = time


@helper
def do_step(
    shape: Shape,
    reuse: Reuse,
    ahead: int,
    fabric: Fabric,
    leaves: Leaves,
    rows: Rows,
    part: Part,
    step: Step,
    t: Timing,
) -> None:
    """The times of one control step."""
    now = t.now
    for section in range(part.section, part.end_section):
        t.ready[section] = NEVER
    if not (reuse.inputs_kept and step.begun & OF_K):
        send_inputs(ahead, fabric, leaves, part, step, t)
    returns = reuse.spills and step.begun & FOLDS
    if returns:
        send_partial_sums(ahead, fabric, leaves, rows, part, step, t)
    if shape.weighted and not step.begun & (reuse.repeats | reuse.passes):
        send_weights(ahead, fabric, leaves, part, step, t)
    use_up = not reuse.inputs_kept or step.ending & OF_K
    sent = step.at_edge & ~OF_K if reuse.inputs_kept else step.at_edge
    outside, last = step.at_edge & REPLICATED, (step.place - 1) & (RING - 1)
    for section in range(part.section, part.end_section):
        bundle, done = t.bundle[section], now[DONE, section] + 1
        if not t.beyond[bundle] & outside:
            if t.ready[section] > done:
                done, now[SPREAD, section] = t.ready[section], t.words[section] - 1
            queued = rows.sums + ((step.place - t.slack[bundle]) & (RING - 1))
            done = max(done, now[queued, bundle] - t.way[bundle])
        now[DONE, section] = done
        if use_up and (t.slides[sent, section] if step.further else t.needs[sent, section]):
            push(now, USED_UP, rows.returned, section, done)
        if returns and t.first[bundle] == section and not t.beyond[bundle] & outside:
            push(now, rows.returned, rows.taken, section, done)
    for bundle in range(part.bundle, part.end_bundle):
        time = now[rows.sums + last, bundle]
        if not t.beyond[bundle] & outside:
            time += 1
            for section in range(t.first[bundle], t.first[bundle + 1]):
                time = max(time, now[DONE, section] + t.way[bundle])
        now[rows.sums + step.place, bundle] = time
        now[rows.written + step.place, bundle] = now[rows.written + last, bundle]
    if reuse.spills or step.ending & FOLDS == shape.turning & FOLDS:
        collect(fabric, rows, part, step, t)


@helper
def wait(port: int, until: int, ahead: int, leaves: Leaves, t: Timing) -> None:
    """Let a port wait; what it could have sent meanwhile of the next weights, as far as there is room, is saved."""
    gap = until - t.now[SENT, port]
    if gap > 0:
        t.now[SENT, port] = until
        most = ahead * int(leaves.port_words[WEIGHT_LOADS, port])
        t.now[SAVED_UP, port] = max(0, min(t.now[SAVED_UP, port] + gap, most))


@helper
def send_inputs(ahead: int, fabric: Fabric, leaves: Leaves, part: Part, step: Step, t: Timing) -> None:
    """Send the inputs of a step when those that came before by the depth of the queues are used up."""
    now, oldest = t.now, USED_UP + fabric.input_depth - 1
    row = (SLIDING_LOADS if step.further else INPUT_LOADS) + step.at_edge
    for port in range(part.port, part.end_port):
        t.room[port] = NEVER
    for section in range(part.section, part.end_section):
        if t.slides[step.at_edge, section] if step.further else t.needs[step.at_edge, section]:
            t.room[t.port[section]] = max(t.room[t.port[section]], now[oldest, section] - 1)
    for port in range(part.port, part.end_port):
        words = int(leaves.port_words[row, port])
        if words:
            wait(port, t.room[port], ahead, leaves, t)
            now[SENT, port] += words
    for section in range(part.section, part.end_section):
        if t.slides[step.at_edge, section] if step.further else t.needs[step.at_edge, section]:
            t.ready[section] = now[SENT, t.port[section]] + fabric.distribution_latency
            t.words[section] = int(leaves.port_words[row, t.port[section]])


@helper
def send_partial_sums(
    ahead: int, fabric: Fabric, leaves: Leaves, rows: Rows, part: Part, step: Step, t: Timing
) -> None:
    """Send the partial sums that a step continues when they are written and their queues have room.

    The step that produced them: the innermost folding loop that is not at its first iteration goes back by one, those
    inside it are at their last. What was written more than ``RING`` steps ago is there.
    """
    now, loop, distance, inside, level = t.now, t.loop, 0, 1, 0
    while not step.begun & FOLDS & 1 << loop[DIMENSION, level]:
        if FOLDS >> loop[DIMENSION, level] & 1:
            distance -= (loop[TURNS, level] - 1) * inside
        inside *= loop[TURNS, level]
        level += 1
    distance += inside
    outside, oldest = step.at_edge & REPLICATED, rows.taken - 1
    for bundle in range(part.bundle, part.end_bundle):
        if not t.beyond[bundle] & outside:
            section = t.first[bundle]
            until = now[oldest, section] - 1
            if distance < RING:
                until = max(until, now[rows.written + ((step.place - distance) & (RING - 1)), bundle] - 2)
            wait(t.port[section], until, ahead, leaves, t)
            now[SENT, t.port[section]] += t.size[bundle]
            ready = now[SENT, t.port[section]] + fabric.distribution_latency
            if ready > t.ready[section]:
                t.ready[section], t.words[section] = ready, t.size[bundle]


@helper
def send_weights(ahead: int, fabric: Fabric, leaves: Leaves, part: Part, step: Step, t: Timing) -> None:
    """Send what has not been sent ahead of the weights that a step is the first to use."""
    now = t.now
    for section in range(part.section, part.end_section):
        if t.needs[step.at_edge, section]:
            # Ahead of the last step go the inputs that the queues have room for; with no room for weights ahead, nothing.
            port = t.port[section]
            inputs = fabric.input_depth * int(leaves.port_words[INPUT_LOADS, port]) if ahead > 0 else 1
            wait(port, now[DONE, section] - inputs, ahead, leaves, t)
    for port in range(part.port, part.end_port):
        words = int(leaves.port_words[WEIGHT_LOADS + step.at_edge, port])
        saved = min(words, now[SAVED_UP, port])
        now[SAVED_UP, port] -= saved
        now[DUE, port] += words
        now[SENT, port] += words - saved
        t.room[port] = now[SENT, port] if words > saved else NEVER
    for section in range(part.section, part.end_section):
        ready = t.room[t.port[section]] + fabric.distribution_latency
        if t.needs[step.at_edge, section] and ready > t.ready[section]:
            t.ready[section] = ready
            t.words[section] = int(leaves.port_words[WEIGHT_LOADS + step.at_edge, t.port[section]])


@helper
def collect(fabric: Fabric, rows: Rows, part: Part, step: Step, t: Timing) -> None:
    """Send the results of a step when the queues in front of the buses have room.

    The first of the results on a bus is there before the last one by the time between the words that they waited for. A
    bundle that is ahead of others does not wait for theirs, but has its turns only.
    """
    now, outside, sums, queued = t.now, step.at_edge & REPLICATED, rows.sums + step.place, rows.sums - 1
    tail = fabric.accumulation_latency + fabric.collection_latency
    for bus in range(part.bus, part.end_bus):
        t.results[bus], t.soonest[bus], t.latest[bus] = 0, -NEVER, NEVER
    for bundle in range(part.bundle, part.end_bundle):
        if not t.beyond[bundle] & outside:
            t.results[t.bus[bundle]] += t.size[bundle]
    for bundle in range(part.bundle, part.end_bundle):
        if not t.beyond[bundle] & outside:
            bus = t.bus[bundle]
            time = max(now[sums, bundle], now[queued, bundle] - 1)
            now[sums, bundle] = time
            spread = min(t.results[bus] - 1, now[SPREAD, t.first[bundle + 1] - 1])
            t.soonest[bus], t.latest[bus] = min(t.soonest[bus], time - spread), max(t.latest[bus], time)
    for bus in range(part.bus, part.end_bus):
        if t.results[bus]:
            first = max(now[rows.bus, bus], t.soonest[bus] + tail - 1)
            now[rows.bus, bus] = max(first + t.results[bus], t.latest[bus] + tail)
    for bundle in range(part.bundle, part.end_bundle):
        if not t.beyond[bundle] & outside:
            bus = t.bus[bundle]
            alone = max(now[sums, bundle] + tail, now[rows.taken, bundle] + t.results[bus])
            written = min(now[rows.bus, bus], alone)
            push(now, rows.taken, rows.sums, bundle, written)
            now[rows.written + step.place, bundle] = written


@helper
def skip_repetitions(
    reuse: Reuse, ahead: int, leaves: Leaves, rows: Rows, part: Part, level: int, place: int, t: Timing
) -> None:
    """Skip iterations of a loop that has become periodic.

    The first and the last iteration of a loop are not like the others. Earlier times are renewed at growing distances
    (Brent), so that any period is found. Where components have paces of their own because they hardly depend on one
    another, it may take long until those that run ahead have filled their queues. They are then left where they are
    relative to the slowest one, whose pace is that of the loop.
    """
    loop = t.loop
    index = loop[INDEX, level]
    left = loop[TURNS, level] - 1 - index
    if left * loop[BODY, level] < WORTHWHILE:
        return
    if loop[SINCE, level] < 0:
        loop[WINDOW, level] = 1
    else:
        period = index - loop[SINCE, level]
        if period <= left:
            times, pace = min(left // period, repetitions(reuse, ahead, leaves, rows, part, level, place, t)), 0
            if times == 0 and period >= PATIENCE:
                times = left // period
                front, before = NEVER, NEVER
                for section in range(part.section, part.end_section):
                    front = max(front, t.now[DONE, section])
                    before = max(before, t.earlier[level, DONE, section])
                pace = front - before
            if times > 0:
                repeat(reuse, rows, part, level, place, times, pace, t)
                loop[INDEX, level] += times * period
                loop[SINCE, level] = -1
                return
        t.loop[6, 1] += 1
        if period < loop[WINDOW, level]:
            return
        loop[WINDOW, level] *= 2
    loop[SINCE, level] = index
    remember(reuse, rows, part, level, place, t)


@helper
def grown(now: Ints, earlier: Ints, level: int, first: int, end: int, lane: int) -> int:
    """By how much all times of the rows have grown; -1 when they have not all alike."""
    more = now[first, lane] - earlier[level, first, lane]
    for row in range(first + 1, end):
        if now[row, lane] - earlier[level, row, lane] != more:
            return -1
    return int(more)


@helper
def grown_by_step(now: Ints, earlier: Ints, level: int, first: int, place: int, count: int, lane: int) -> int:
    """The same for the latest ``count`` steps before ``place``."""
    more = now[first + ((place - 1) & (RING - 1)), lane] - earlier[level, first, lane]
    for age in range(2, count + 1):
        if now[first + ((place - age) & (RING - 1)), lane] - earlier[level, first + age - 1, lane] != more:
            return -1
    return int(more)


@helper
def repetitions(
    reuse: Reuse, ahead: int, leaves: Leaves, rows: Rows, part: Part, level: int, place: int, t: Timing
) -> int:
    """How often what happened since the earlier times is sure to repeat itself.

    All times of components that had to do with one another have to have grown by the same amount; those of others are
    unchanged. A port may save up more, if it had enough for all weights that were due.
    """
    now, earlier, most = t.now, t.earlier, -NEVER
    for section in range(part.section, part.end_section):
        more, bundle = now[DONE, section] - earlier[level, DONE, section], t.bundle[section]
        if now[SPREAD, section] != earlier[level, SPREAD, section]:
            return 0
        summed = now[rows.sums + ((place - 1) & (RING - 1)), bundle] - earlier[level, rows.sums, bundle]
        sent = now[SENT, t.port[section]] - earlier[level, SENT, t.port[section]]
        if summed and (summed != more or (sent and sent != more)):
            return 0
        used_up = grown(now, earlier, level, USED_UP, rows.returned, section)
        returned = grown(now, earlier, level, rows.returned, rows.taken, section)
        if (used_up and used_up != more) or (returned and returned != more):
            return 0
    for port in range(part.port, part.end_port):
        more = now[SAVED_UP, port] - earlier[level, SAVED_UP, port]
        due = now[DUE, port] - earlier[level, DUE, port]
        if more < 0 or (more > 0 and earlier[level, SAVED_UP, port] < due):
            return 0
        if more > 0:
            room = ahead * int(leaves.port_words[WEIGHT_LOADS, port]) - now[SAVED_UP, port] - due
            most = min(most, room // more)
    for bundle in range(part.bundle, part.end_bundle):
        more = grown_by_step(now, earlier, level, rows.sums, place, RING - 1 if reuse.spills else part.slack, bundle)
        taken = grown(now, earlier, level, rows.taken, rows.sums, bundle)
        if more < 0 or (taken and taken != more):
            return 0
        bus = t.bus[bundle]
        if taken and now[rows.bus, bus] - earlier[level, rows.bus, bus] != more:
            return 0
        if reuse.spills:
            written = grown_by_step(now, earlier, level, rows.written, place, RING - 1, bundle)
            if written and written != more:
                return 0
    return most


@helper
def remember(reuse: Reuse, rows: Rows, part: Part, level: int, place: int, t: Timing) -> None:
    """Keep the present times as the earlier ones of a level; those by step with the latest first."""
    now, earlier = t.now, t.earlier
    for row in range(DUE + 1):
        for port in range(part.port, part.end_port):
            earlier[level, row, port] = now[row, port]
    for row in range(DONE, rows.taken):
        for section in range(part.section, part.end_section):
            earlier[level, row, section] = now[row, section]
    for row in range(rows.taken, rows.sums):
        for bundle in range(part.bundle, part.end_bundle):
            earlier[level, row, bundle] = now[row, bundle]
    for age in range(1, RING if reuse.spills else part.slack + 1):
        row = (place - age) & (RING - 1)
        for bundle in range(part.bundle, part.end_bundle):
            earlier[level, rows.sums + age - 1, bundle] = now[rows.sums + row, bundle]
            earlier[level, rows.written + age - 1, bundle] = now[rows.written + row, bundle]
    for bus in range(part.bus, part.end_bus):
        earlier[level, rows.bus, bus] = now[rows.bus, bus]


@helper
def further(now: int, earlier: int, times: int, pace: int) -> int:
    """A time that grows as often again by as much as since the earlier one, or, if at all, by ``pace``."""
    return now + times * (pace if pace and now != earlier else now - earlier)


@helper
def repeat(reuse: Reuse, rows: Rows, part: Part, level: int, place: int, times: int, pace: int, t: Timing) -> None:
    """Let all times grow as often again as they have since the earlier ones; with a ``pace`` all by as much."""
    now, earlier = t.now, t.earlier
    for port in range(part.port, part.end_port):
        now[SENT, port] = further(now[SENT, port], earlier[level, SENT, port], times, pace)
        now[DUE, port] = further(now[DUE, port], earlier[level, DUE, port], times, 0)
        if not pace:
            now[SAVED_UP, port] = further(now[SAVED_UP, port], earlier[level, SAVED_UP, port], times, 0)
    for row in range(DONE, rows.taken):
        if row != SPREAD:
            for section in range(part.section, part.end_section):
                now[row, section] = further(now[row, section], earlier[level, row, section], times, pace)
    for row in range(rows.taken, rows.sums):
        for bundle in range(part.bundle, part.end_bundle):
            now[row, bundle] = further(now[row, bundle], earlier[level, row, bundle], times, pace)
    for age in range(1, RING if reuse.spills else part.slack + 1):
        row = (place - age) & (RING - 1)
        for first in range(rows.sums, rows.written + 1, RING):
            for bundle in range(part.bundle, part.end_bundle):
                time, before = now[first + row, bundle], earlier[level, first + age - 1, bundle]
                now[first + row, bundle] = further(time, before, times, pace)
    for bus in range(part.bus, part.end_bus):
        now[rows.bus, bus] = further(now[rows.bus, bus], earlier[level, rows.bus, bus], times, pace)
