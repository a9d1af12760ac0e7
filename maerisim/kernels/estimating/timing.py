"""When the last result of a mapping leaves: the times of its control steps, one from the other.

Each component does its control steps in order, and each as soon as what it needs is there. So every time is the latest
of a few earlier ones plus a constant, and a run is a recurrence in maxima and sums:

- A *port* sends a word a cycle, the words of each operand in order, and each when there is room for it: when the word that
  came as many words before at the same switches as they have room for was used up. A word that has to wait leaves cycles
  free, which words of other operands for later steps take; a returning partial sum waits for its result.
- A *section* (the switches of a virtual neuron under one port) does a step one cycle after the step before, when its
  words have arrived, and when there is room for its products on their way to the last adder of the virtual neuron. A
  step beyond the edge of a tile, in which it has nothing to do, takes it a cycle as well.
- The last adder of a virtual neuron waits for all its sections; its accumulator until there is room in front of the bus.
- A *bus* takes one result a cycle, and virtual neurons take turns.

This holds what a closed form for the run's total cannot: how far resources average out that are busy in turns. It is no
simulation: there are no queues in it and nothing is tried again, a control step costs a few operations per section, and a loop is
left as soon as it has become periodic (:mod:`maerisim.kernels.estimating.periods`). Parts of the fabric that share no virtual
neuron, port or bus have their own times; parts that are alike are looked at once.

What is left out: differences between the switches of a section, forwarding links that are full, and exactly
which cycles were free long ago.
"""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import helper, population
from maerisim.kernels.estimating import load_table, sections, times
from maerisim.kernels.estimating.controller import hold_back, release
from maerisim.kernels.estimating.global_buffer import time_of_results, write_half
from maerisim.kernels.estimating.loads import Leaves
from maerisim.kernels.estimating.nest import (
    NestNumbers,
    class_loaded,
    class_sent,
    go_on,
    start,
    steps_left,
    turned,
    walked_inside,
)
from maerisim.kernels.estimating.periods import skip_repetitions
from maerisim.kernels.estimating.quantities import FabricNumbers, TileShape
from maerisim.kernels.estimating.sections import PartRanges, Sections, part_of
from maerisim.kernels.estimating.times import StepNumbers, StepTimes, TimeRows, rows_of

BEFORE = (1 << times.SLOTS) - 1
"""No cycle before the first one is free."""
LATEST, PACE, CYCLES = 1, 2, 3
"""Rows of ``StepTimes.complete`` while weights are sent: of a port the latest cycle taken, by how much that went on with the last
word, and which cycles until then are taken."""


@helper
def last_result(
    shape: TileShape,
    nest: NestNumbers,
    fabric: FabricNumbers,
    leaves: Leaves,
    results: Ints,
    parts: int,
    enough: int,
    s: Sections,
    t: StepTimes,
) -> int:
    """Cycles until a run with these loops is over; no more are counted once they are ``enough`` for sure.

    The parts are those that ``find_parts`` has found; ``results`` [bus] those of the whole run.
    """
    cycles = 0
    for index in range(parts):
        if cycles < enough:
            part = part_of(index, s.limits)
            cycles = max(cycles, last_result_of(shape, nest, fabric, leaves, results, part, enough, s, t))
    return cycles


@helper
def last_result_of(
    shape: TileShape,
    nest: NestNumbers,
    fabric: FabricNumbers,
    leaves: Leaves,
    results: Ints,
    part: PartRanges,
    enough: int,
    s: Sections,
    t: StepTimes,
) -> int:
    """Cycles until the last result of a part is written; as many steps as are left each take one at the least, and each of the
    ``results`` [bus] takes a cycle of its bus, of which some were left free long ago.
    """
    rows, loop = rows_of(fabric), t.loop
    begin(rows, part, t)
    position, place = start(nest, loop), 0
    while True:
        if shape.weighted and fabric.folds_together and not position.begun & nest.batch:
            if fabric.waits:
                hold_back(shape, nest, fabric, rows, part, t.now, loop)
            send_batch(nest.words, fabric, leaves, rows, part, s, t)
        further = int(position.begun & nest.slides != 0)
        step = StepNumbers(position.at_edge, position.begun, position.ending, further, place)
        do_step(shape, nest, fabric, leaves, rows, part, step, s, t)
        t.worked[0] += part.end_section - part.section
        place = (place + 1) & (times.RING - 1)
        level = go_on(nest, loop)
        if level == nest.levels:
            break
        if level:
            least = t.now[times.DONE, part.section] + steps_left(nest, loop)
            for bus in range(part.bus, part.end_bus):
                least = max(least, times.NEVER - times.SLOTS + results[bus] + t.now[rows.bus + times.MISSED, bus])
            if least >= enough:
                return int(least)
        skip_repetitions(nest.spills, rows, part, level, place, -1, s, t)
        position = turned(level, position, loop, t.class_of)
    return time_of_results(fabric, rows, part, 0, t.now)


@helper
def begin(rows: TimeRows, part: PartRanges, t: StepTimes) -> None:
    """Before the first cycle."""
    now = t.now
    for port in range(part.port, part.end_port):
        now[times.TAKEN, port], now[times.TAKEN + 1, port], now[times.MISSED, port], now[times.DUE, port] = (
            -1,
            BEFORE,
            0,
            0,
        )
        for row in range(times.SENT_INPUT, times.SENT_WEIGHT + 1):
            now[row, port] = -1
        now[times.HELD_UP, port] = times.NEVER
    for section in range(part.section, part.end_section):
        now[times.DONE, section] = -1
        now[rows.long_ago, section] = times.NEVER
        for row in range(times.RETIRED, rows.returned):
            now[row, section] = times.NEVER
    for vn in range(part.vn, part.end_vn):
        now[rows.long_ago, vn] = times.NEVER
        for row in range(rows.returned, rows.bus):
            now[row, vn] = times.NEVER
    for bus in range(part.bus, part.end_bus):
        now[rows.bus, bus], now[rows.bus + 1, bus], now[rows.bus + times.MISSED, bus] = times.NEVER, 0, 0
    now[rows.released, 0], now[rows.released, 1] = 0, 0


@helper
def push(now: Ints, first: int, end: int, lane: int, time: int) -> None:
    """Put a time in front of the latest ones."""
    for row in range(end - 1, first, -1):
        now[row, lane] = now[row - 1, lane]
    now[first, lane] = time


@helper
def do_step(
    shape: TileShape,
    nest: NestNumbers,
    fabric: FabricNumbers,
    leaves: Leaves,
    rows: TimeRows,
    part: PartRanges,
    step: StepNumbers,
    s: Sections,
    t: StepTimes,
) -> None:
    """The times of one control step."""
    now, of, ahead, ago = t.now, s.of, nest.ahead, nest.ago
    together = shape.weighted and fabric.folds_together
    since = release(fabric, rows, now) if fabric.waits or fabric.rate else times.NEVER
    for section in range(part.section, part.end_section):
        t.ready[section] = t.complete[0, section] if together else times.NEVER
    inputs = nest.sliding if step.further else nest.inputs
    returns = nest.spills and step.begun & nest.folds
    if returns and fabric.partial_sums_first:
        send_partial_sums(since, nest, fabric, rows, part, step, s, t)
    if not step.begun & nest.inputs_stay:
        load = inputs + step.at_edge
        send_words(load, times.SENT_INPUT, rows.room_for_input, since, 0, 0, fabric, leaves, part, s, t)
    if returns and not fabric.partial_sums_first:
        send_partial_sums(since, nest, fabric, rows, part, step, s, t)
    loads_weights = shape.weighted and not together and not step.begun & nest.weights_stay
    if loads_weights:
        used_up = times.DONE if ago else times.RETIRED + ahead
        send_words(step.at_edge, times.SENT_WEIGHT, used_up, since, ago, ahead, fabric, leaves, part, s, t)
    use_up = step.ending & nest.inputs_stay == nest.inputs_stay
    sent = inputs + class_sent(nest, step.at_edge, t.loop, t.class_of)
    retires = shape.weighted and not together and not ago and step.ending & nest.weights_stay == nest.weights_stay
    loaded = class_loaded(nest, step.at_edge, t.loop) if retires else 0
    for section in range(part.section, part.end_section):
        vn, done = of[sections.VN, section], now[times.DONE, section] + 1
        if not s.idle[step.at_edge, vn]:
            done = max(done, t.ready[section])
            slack = of[sections.SLACK, section]
            if slack:
                done = max(done, now[rows.added + ((step.place - slack) & (times.RING - 1)), vn])
        now[times.DONE, section] = done
        if retires and s.last[loaded, section]:
            push(now, times.RETIRED, times.USED_UP, section, done)
        if use_up and s.last[sent, section]:
            push(now, times.USED_UP, rows.returned, section, done)
    emits = nest.spills or step.ending & nest.folds == nest.folds
    left = results_in_a_row(nest, t.loop) if emits else 0
    for vn in range(part.vn, part.end_vn):
        t.arrived[vn] = times.NEVER
        for section in range(of[sections.FIRST, vn], of[sections.FIRST, vn + 1]):
            t.arrived[vn] = max(t.arrived[vn], now[times.DONE, section] + of[sections.WAY, section])
    for vn in range(part.vn, part.end_vn):
        at_work = not s.idle[step.at_edge, vn]
        if at_work and returns:
            push(now, rows.returned, rows.summed, vn, now[times.DONE, of[sections.FIRST, vn]])
        sum_up(fabric, rows, step, vn, int(at_work), left, s, t)
    if nest.spills and fabric.half:
        write_half(rows, part, step, s, t)


@helper
def send_batch(
    words: int,
    fabric: FabricNumbers,
    leaves: Leaves,
    rows: TimeRows,
    part: PartRanges,
    s: Sections,
    t: StepTimes,
) -> None:
    """Send the ``words`` that each switch holds together; ``complete`` [0, section] is when it has them all.

    Each has room when as many as are held before it at the most have been used up, which those of a batch are together.
    Where weights do not come first they are released with the inputs that they are multiplied with. Once all ports send a word
    as they sent the one before, they do so with each further one.
    """
    now, before = t.now, t.complete
    always_room = (fabric.weight_room - words) // words >= times.RETIRES
    for section in range(part.section, part.end_section):
        if not always_room:
            push(now, times.RETIRED, times.USED_UP, section, now[times.DONE, section])
        t.ready[section] = times.NEVER
    for port in range(part.port, part.end_port):
        now[times.MISSED, port], before[PACE, port] = 0, -1
        before[LATEST, port], before[CYCLES, port] = now[times.TAKEN, port], now[times.TAKEN + 1, port]
    word, first_release = 0, now[rows.released, 0]
    while word < words:
        batches = (fabric.weight_room - word - 1) // words
        used_up, since = -1 if batches >= times.RETIRES else times.RETIRED + batches, times.NEVER
        if fabric.weights_first and (fabric.rate or fabric.waits):
            since = release(fabric, rows, now)
        elif fabric.rate or fabric.waits:
            since = first_release + (word // fabric.rate if fabric.rate else 0)
        send_words(load_table.WEIGHTS, times.SENT_WEIGHT, used_up, since, 0, 0, fabric, leaves, part, s, t)
        word += 1
        alike = min(words, fabric.weight_room - batches * words) - word
        if fabric.rate > 1 or not is_steady(part, t):
            continue
        for section in range(part.section, part.end_section):
            if s.last[load_table.WEIGHTS, section]:
                t.ready[section] += alike * before[PACE, s.of[sections.PORT, section]]
        for port in range(part.port, part.end_port):
            more = alike * before[PACE, port]
            now[times.TAKEN, port] += more
            now[times.SENT_WEIGHT, port] += more
            before[LATEST, port] += more
            now[times.DUE, port] += alike * int(leaves.port_words[load_table.WEIGHTS, port])
        if fabric.weights_first and fabric.rate:
            now[rows.released, 0] += alike
        word += alike
    for section in range(part.section, part.end_section):
        t.complete[0, section] = t.ready[section]


@helper
def is_steady(part: PartRanges, t: StepTimes) -> bool:
    """Whether all ports went on by as many cycles, taken in the same way, as with the word before; note what they did."""
    now, before, steady = t.now, t.complete, True
    for port in range(part.port, part.end_port):
        pace, cycles = now[times.TAKEN, port] - before[LATEST, port], now[times.TAKEN + 1, port]
        steady = steady and pace == before[PACE, port] and cycles == before[CYCLES, port]
        steady = steady and (pace == 0 or now[times.SENT_WEIGHT, port] == now[times.TAKEN, port])
        before[LATEST, port], before[PACE, port], before[CYCLES, port] = now[times.TAKEN, port], pace, cycles
    return steady


@helper
def sum_up(
    fabric: FabricNumbers,
    rows: TimeRows,
    step: StepNumbers,
    vn: int,
    at_work: int,
    left: int,
    s: Sections,
    t: StepTimes,
) -> None:
    """Add up the products of a step of a virtual neuron; if there is a result, one of ``left`` in a row, send it."""
    now, of, last = t.now, s.of, (step.place - 1) & (times.RING - 1)
    added = now[rows.added + last, vn]
    written = now[rows.written + last, vn]
    if at_work:
        added = max(added + 1, now[rows.room_to_sum, vn], t.arrived[vn])
        summed = max(added + fabric.level_latency, now[rows.summed, vn] + 1)
        if left:
            summed = max(summed, now[rows.room_for_result, vn] - 1)
            ready = summed + fabric.accumulation_latency + fabric.collection_latency
            ready = max(ready, now[rows.taken, vn] + 1)
            ready = max(ready, now[rows.taken, vn] + 1 + count_rivals(fabric, rows, step, vn, ready, left, s, t))
            written = take_slot(now, rows.bus, of[sections.BUS, vn], ready)
            push(now, rows.taken, rows.added, vn, written)
        push(now, rows.summed, rows.taken, vn, summed)
    now[rows.added + step.place, vn] = added
    now[rows.written + step.place, vn] = written


@helper
def results_in_a_row(nest: NestNumbers, loop: Ints) -> int:
    """The steps in a row that have results, from the present one on: until the innermost folding loop that turns begins again.

    Where partial sums return it is one: the next of the same virtual neuron comes when this one has been there and back.
    """
    if nest.spills:
        return 1
    level, before, inside = 0, 0, 1
    while level < nest.levels and not (nest.folds >> level & 1 and loop[times.TURNS, level] > 1):
        others = inside // walked_inside(level, loop)
        before += loop[times.INDEX, level] * loop[times.EACH, level] * others
        inside = others * loop[times.TILES, level]
        level += 1
    return inside - before


@helper
def count_rivals(
    fabric: FabricNumbers,
    rows: TimeRows,
    step: StepNumbers,
    vn: int,
    ready: int,
    left: int,
    s: Sections,
    t: StepTimes,
) -> int:
    """Virtual neurons on the bus of one that have a result of a later step when it is ready to send its own.

    Their next products arrive a cycle after those of this step, in which they are not idle, if they wait for nothing; and their
    latest known result must not be so long ago that they have sent all results ``left`` in a row since, at one and a half cycles
    each: between one cycle, alone on the bus, and two, when two take turns.
    """
    rivals, other = 0, s.of[sections.NEXT, vn]
    tail = fabric.level_latency + fabric.accumulation_latency + fabric.collection_latency
    while other != vn:
        if not s.idle[step.at_edge, other]:
            lead = ready - t.now[rows.taken, other]
            rivals += int(t.arrived[other] + 1 + tail <= ready and 2 * lead < 3 * left)
        other = s.of[sections.NEXT, other]
    return rivals


@helper
def take_slot(now: Ints, row: int, lane: int, ready: int) -> int:
    """The first free cycle from ``ready`` on of the port or bus whose cycles are in this row; it is taken."""
    gap, taken = ready - now[row, lane], now[row + 1, lane]
    if gap <= 0:
        gap = -min(-gap, times.SLOTS - 1)
        while gap < 1 and taken >> -gap & 1:
            gap += 1
    if gap < 1:
        now[row + 1, lane] = taken | 1 << -gap
        return int(now[row, lane] + gap)
    kept = max(0, times.SLOTS - gap)
    now[row, lane] += gap
    now[row + 1, lane] = (taken & ((1 << kept) - 1)) << (times.SLOTS - kept) | 1
    now[row + times.MISSED, lane] += gap - population(taken >> kept)
    return int(now[row, lane])


@helper
def send(now: Ints, operand: int, port: int, room: int) -> int:
    """When a port sends the next word of an operand, for which there is room from a cycle on."""
    time = take_slot(now, times.TAKEN, port, max(room, now[operand, port] + 1))
    now[operand, port] = time
    return time


@helper
def send_words(
    load: int,
    operand: int,
    used_up: int,
    since: int,
    ago: int,
    ahead: int,
    fabric: FabricNumbers,
    leaves: Leaves,
    part: PartRanges,
    s: Sections,
    t: StepTimes,
) -> None:
    """Send the inputs or weights of a step when there is room for them, ``since`` they are released.

    There is room since ``ago`` cycles before the time in row ``used_up`` (-1: always). Weights, of which there is room for
    those of ``ahead`` steps, take cycles first that were left free longer ago than it is remembered which.
    """
    now = t.now
    for port in range(part.port, part.end_port):
        words = int(leaves.port_words[load, port])
        for word in range(1, words + 1):
            t.room[word] = since
        for section in range(s.of[sections.BEGIN, port], s.of[sections.BEGIN, port + 1]):
            if used_up >= 0 and s.last[load, section]:
                word = int(s.first[load, section])
                t.room[word] = max(t.room[word], now[used_up, section] - ago)
        first = 1
        if operand == times.SENT_WEIGHT and words:
            missed = min(now[times.MISSED, port], ahead * int(leaves.port_words[load_table.WEIGHTS, port]))
            forgotten = now[times.TAKEN, port] - times.SLOTS
            while first <= words and first <= missed and t.room[first] <= forgotten:
                t.sent[first] = forgotten
                first += 1
            now[times.MISSED, port] = missed - words if first > words else 0
            now[times.DUE, port] += words
        for word in range(first, words + 1):
            t.sent[word] = send(now, operand, port, t.room[word])
            if t.sent[word] == since:
                now[times.HELD_UP, port] = since
        for section in range(s.of[sections.BEGIN, port], s.of[sections.BEGIN, port + 1]):
            if s.last[load, section]:
                sent = t.sent[s.last[load, section]]
                t.ready[section] = max(t.ready[section], sent + fabric.distribution_latency)


@helper
def send_partial_sums(
    since: int,
    nest: NestNumbers,
    fabric: FabricNumbers,
    rows: TimeRows,
    part: PartRanges,
    step: StepNumbers,
    s: Sections,
    t: StepTimes,
) -> None:
    """Send the partial sums that a step continues when they are written and their queues have room.

    The step that produced them: the innermost folding loop that is not at its first iteration goes back by one, those
    inside it are at their last. What was written more than ``RING`` steps ago is there. (Partial sums return where folding loops
    walk no blocks.)
    """
    now, loop, distance, inside, level = t.now, t.loop, 0, 1, 0
    while not step.begun & nest.folds & 1 << level:
        if nest.folds >> level & 1:
            distance -= (loop[times.TURNS, level] - 1) * inside
        inside = inside // walked_inside(level, loop) * loop[times.TILES, level]
        level += 1
    distance += inside
    for vn in range(part.vn, part.end_vn):
        if not s.idle[step.at_edge, vn]:
            section = s.of[sections.FIRST, vn]
            port = s.of[sections.PORT, section]
            room = max(since, now[rows.room_for_partial_sum, vn])
            if distance < times.RING:
                room = max(room, now[rows.written + ((step.place - distance) & (times.RING - 1)), vn] - 1)
            if fabric.as_they_arrive:
                sent = take_slot(now, times.TAKEN, port, room)
            else:
                sent = send(now, times.SENT_PARTIAL_SUM, port, room)
            if sent == since:
                now[times.HELD_UP, port] = since
            t.ready[section] = max(t.ready[section], sent + fabric.distribution_latency)
