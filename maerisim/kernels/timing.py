"""When the last result of a mapping leaves: the times of its control steps, one from the other.

Each component does its control steps in order, and each as soon as what it needs is there. So every time is the latest
of a few earlier ones plus a constant, and a run is a recurrence in maxima and sums:

- A *port* sends the words of a step one after the other, each when there is room for it: when the word that came
  ``input_depth`` before at the same switches was used up.
- A *section* (the switches of a virtual neuron under one port) does a step one cycle after the step before, when its
  words have arrived, and when there is room for its products on their way to the last adder of the virtual neuron. A
  step beyond the edge of a tile, in which it has nothing to do, takes it a cycle as well.
- The last adder of a virtual neuron waits for all its sections; its accumulator until there is room in front of the bus.
- A *bus* takes one result a cycle, and virtual neurons take turns.

Weights are sent ahead while a port waits for room: a port saves up idle cycles, as many as it has words to send until the
weight registers are full, and takes due weights from these savings. Returning partial sums wait for their result.

This holds what a closed form for the run's total cannot: how far resources average out that are busy in turns. It is no
simulation: there are no cycles and no queues in it, a control step costs a few operations per section, and a loop is
left as soon as it has become periodic (:mod:`maerisim.kernels.periods`). Parts of the fabric that share no virtual
neuron, port or bus have their own times; parts that are alike are looked at once.

What is left out: which of inputs and weights goes first when both could, and differences between the switches of a section.
"""

from __future__ import annotations

from maerisim.kernels.jit import helper
from maerisim.kernels.loads import INPUT_LOADS, SLIDING_LOADS, WEIGHT_LOADS, Leaves
from maerisim.kernels.orders import SLIDES, Reuse
from maerisim.kernels.periods import skip_repetitions
from maerisim.kernels.quantities import FOLDS, OF_K, OF_Q, REPLICATED, TRIPS, Fabric, Loops, Shape
from maerisim.kernels.sections import BEGIN, BEYOND, BUS, FIRST, NEXT, PORT, SLACK, VN, WAY, Part, Sections, part_of
from maerisim.kernels.times import (
    BODY,
    DIMENSION,
    DONE,
    DUE,
    INDEX,
    LEVELS,
    NEVER,
    RING,
    SAVED_UP,
    SENT,
    SINCE,
    SLOTS,
    TURNS,
    USED_UP,
    Rows,
    Step,
    Times,
    rows_of,
)
from maerisim.program import Ints


@helper
def last_result(
    shape: Shape,
    loops: Loops,
    reuse: Reuse,
    order: int,
    fabric: Fabric,
    leaves: Leaves,
    parts: int,
    s: Sections,
    t: Times,
) -> int:
    """Cycles until a run with this packed loop order is over; the parts are those that ``find_parts`` has found."""
    cycles = 0
    for index in range(parts):
        part = part_of(index, s.limits)
        cycles = max(cycles, last_result_of(shape, loops, reuse, order, fabric, leaves, part, s, t))
    return cycles


@helper
def last_result_of(
    shape: Shape,
    loops: Loops,
    reuse: Reuse,
    order: int,
    fabric: Fabric,
    leaves: Leaves,
    part: Part,
    s: Sections,
    t: Times,
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
        do_step(shape, reuse, ahead, fabric, leaves, rows, part, step, s, t)
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
        skip_repetitions(reuse, ahead, leaves, rows, part, level, place, s, t)
        begun |= 1 << loop[DIMENSION, level]
        if loop[INDEX, level] == loop[TURNS, level] - 1:
            ending |= 1 << loop[DIMENSION, level]
    cycles = 0
    for bus in range(part.bus, part.end_bus):
        cycles = max(cycles, t.now[rows.bus, bus])
    return cycles


@helper
def begin(rows: Rows, part: Part, t: Times) -> None:
    """Before the first cycle."""
    now = t.now
    for port in range(part.port, part.end_port):
        now[SENT, port], now[SAVED_UP, port], now[DUE, port] = -1, 0, 0
    for section in range(part.section, part.end_section):
        now[DONE, section] = -1
        for row in range(USED_UP, rows.returned):
            now[row, section] = NEVER
    for vn in range(part.vn, part.end_vn):
        for row in range(rows.returned, rows.bus):
            now[row, vn] = NEVER
    for bus in range(part.bus, part.end_bus):
        now[rows.bus, bus], now[rows.bus + 1, bus] = NEVER, 0


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
    s: Sections,
    t: Times,
) -> None:
    """The times of one control step."""
    now, of = t.now, s.of
    for section in range(part.section, part.end_section):
        t.ready[section] = NEVER
    load = (SLIDING_LOADS if step.further else INPUT_LOADS) + step.at_edge
    if not (reuse.inputs_kept and step.begun & OF_K):
        send_inputs(load, ahead, fabric, leaves, part, s, t)
    returns = reuse.spills and step.begun & FOLDS
    if returns:
        send_partial_sums(ahead, fabric, leaves, rows, part, step, s, t)
    if shape.weighted and not step.begun & (reuse.repeats | reuse.passes):
        send_weights(ahead, fabric, leaves, part, step, s, t)
    use_up = not reuse.inputs_kept or step.ending & OF_K
    if reuse.inputs_kept:
        load &= ~OF_K
    outside = step.at_edge & REPLICATED
    for section in range(part.section, part.end_section):
        vn, done = of[VN, section], now[DONE, section] + 1
        if not of[BEYOND, vn] & outside:
            added = now[rows.added + ((step.place - of[SLACK, section]) & (RING - 1)), vn]
            done = max(done, t.ready[section], added)
        now[DONE, section] = done
        if use_up and s.last[load, section]:
            push(now, USED_UP, rows.returned, section, done)
    emits = reuse.spills or step.ending & FOLDS == shape.turning & FOLDS
    for vn in range(part.vn, part.end_vn):
        at_work = not of[BEYOND, vn] & outside
        if at_work and returns:
            push(now, rows.returned, rows.summed, vn, now[DONE, of[FIRST, vn]])
        sum_up(fabric, rows, step, vn, int(at_work), int(emits), s, t)


@helper
def sum_up(fabric: Fabric, rows: Rows, step: Step, vn: int, at_work: int, emits: int, s: Sections, t: Times) -> None:
    """Add up the products of a step of a virtual neuron, and send the result, if it has one, over its bus."""
    now, of, last = t.now, s.of, (step.place - 1) & (RING - 1)
    added = now[rows.added + last, vn]
    written = now[rows.written + last, vn]
    if at_work:
        added = max(added + 1, now[rows.taken - 1, vn])
        for section in range(of[FIRST, vn], of[FIRST, vn + 1]):
            added = max(added, now[DONE, section] + of[WAY, section])
        summed = max(added + fabric.level_latency, now[rows.summed, vn] + 1)
        if emits:
            summed = max(summed, now[rows.added - 1, vn] - 1)
            ready = summed + fabric.accumulation_latency + fabric.collection_latency
            turn = now[rows.taken, vn] + count_rivals(fabric, rows, vn, ready, s, t) + 1
            written = take_slot(rows, of[BUS, vn], max(ready, turn), t)
            push(now, rows.taken, rows.added, vn, written)
        push(now, rows.summed, rows.taken, vn, summed)
    now[rows.added + step.place, vn] = added
    now[rows.written + step.place, vn] = written


@helper
def count_rivals(fabric: Fabric, rows: Rows, vn: int, ready: int, s: Sections, t: Times) -> int:
    """Virtual neurons that are ahead of one on its bus, so that their results of later steps come in between its own.

    Their latest known result left longer ago than results wait in front of the bus.
    """
    rivals, other = 0, s.of[NEXT, vn]
    while other != vn:
        latest = t.now[rows.taken, other]
        rivals += int(latest != NEVER and latest < ready - fabric.collection_depth)
        other = s.of[NEXT, other]
    return rivals


@helper
def take_slot(rows: Rows, bus: int, ready: int, t: Times) -> int:
    """The first cycle from ``ready`` on in which a bus has no other result; it is taken."""
    now = t.now
    gap, taken = ready - now[rows.bus, bus], now[rows.bus + 1, bus]
    if gap <= 0:
        gap = -min(-gap, SLOTS - 1)
        while gap < 1 and taken >> -gap & 1:
            gap += 1
    if gap < 1:
        now[rows.bus + 1, bus] = taken | 1 << -gap
        return int(now[rows.bus, bus] + gap)
    earlier = (taken & ((1 << (SLOTS - gap)) - 1)) << gap if gap < SLOTS else 0
    now[rows.bus, bus] += gap
    now[rows.bus + 1, bus] = earlier | 1
    return int(now[rows.bus, bus])


@helper
def wait(port: int, until: int, ahead: int, leaves: Leaves, t: Times) -> None:
    """Let a port wait; what it could have sent meanwhile of the next weights, as far as there is room, is saved."""
    gap = until - t.now[SENT, port]
    if gap > 0:
        t.now[SENT, port] = until
        most = ahead * int(leaves.port_words[WEIGHT_LOADS, port])
        t.now[SAVED_UP, port] = max(0, min(t.now[SAVED_UP, port] + gap, most))


@helper
def send_inputs(load: int, ahead: int, fabric: Fabric, leaves: Leaves, part: Part, s: Sections, t: Times) -> None:
    """Send the inputs of a step, each when those that came before by the depth of the queues are used up."""
    now, oldest = t.now, USED_UP + fabric.input_depth - 1
    for port in range(part.port, part.end_port):
        words = int(leaves.port_words[load, port])
        for word in range(1, words + 1):
            t.room[word] = NEVER
        for section in range(s.of[BEGIN, port], s.of[BEGIN, port + 1]):
            if s.last[load, section]:
                word = int(s.first[load, section])
                t.room[word] = max(t.room[word], now[oldest, section] - 1)
        for word in range(1, words + 1):
            wait(port, t.room[word], ahead, leaves, t)
            now[SENT, port] += 1
            t.sent[word] = now[SENT, port]
        for section in range(s.of[BEGIN, port], s.of[BEGIN, port + 1]):
            if s.last[load, section]:
                t.ready[section] = t.sent[s.last[load, section]] + fabric.distribution_latency


@helper
def send_partial_sums(
    ahead: int, fabric: Fabric, leaves: Leaves, rows: Rows, part: Part, step: Step, s: Sections, t: Times
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
    outside, oldest = step.at_edge & REPLICATED, rows.summed - 1
    for vn in range(part.vn, part.end_vn):
        if not s.of[BEYOND, vn] & outside:
            section = s.of[FIRST, vn]
            port = s.of[PORT, section]
            until = now[oldest, vn] - 1
            if distance < RING:
                until = max(until, now[rows.written + ((step.place - distance) & (RING - 1)), vn] - 2)
            wait(port, until, ahead, leaves, t)
            now[SENT, port] += 1
            t.ready[section] = max(t.ready[section], now[SENT, port] + fabric.distribution_latency)


@helper
def send_weights(ahead: int, fabric: Fabric, leaves: Leaves, part: Part, step: Step, s: Sections, t: Times) -> None:
    """Send what has not been sent ahead of the weights that a step is the first to use."""
    now, load = t.now, WEIGHT_LOADS + step.at_edge
    for port in range(part.port, part.end_port):
        words = int(leaves.port_words[load, port])
        # Ahead of the last step go the inputs that the queues have room for; with no room for weights ahead, nothing.
        inputs = fabric.input_depth * int(leaves.port_words[INPUT_LOADS, port]) if ahead > 0 else 1
        for section in range(s.of[BEGIN, port], s.of[BEGIN, port + 1]):
            if s.last[load, section]:
                wait(port, now[DONE, section] - inputs, ahead, leaves, t)
        saved = min(words, now[SAVED_UP, port])
        now[SAVED_UP, port] -= saved
        now[DUE, port] += words
        now[SENT, port] += words - saved
        for section in range(s.of[BEGIN, port], s.of[BEGIN, port + 1]):
            last = int(s.last[load, section])
            if last > saved:
                t.ready[section] = max(t.ready[section], now[SENT, port] - (words - last) + fabric.distribution_latency)
