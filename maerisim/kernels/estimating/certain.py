"""When the last result of a mapping leaves at the earliest: the recurrence of :mod:`timing`, of what must hold alone.

A maximum of sums of least values is never too large. So what is not certain is left out, or put at its least:

- Each multiplier switch is a section of its own.
- A word is sent after the one before of its operand, and after there is room for it: where more weights have room than it is
  remembered when they were used up, there is room for all of them.
- Which words a port sends first does not matter. A word of an operand is sent after all before it, so that a switch that
  has the last inputs and the last weights of its port has them when all words up to its step have been sent: not before
  as many cycles were there in which they can be, each in the first that is free. (Into which cycles a set of words falls
  in this way does not depend on their order.) It has all words of the steps before if it gets a word of each operand.
- The same holds for the results that a bus takes. One virtual neuron is held up by its own results alone.
- Returning partial sums take no cycle of a port, and are there at once.
- Repetitions are skipped where all times recur. When a run takes long to become periodic, each step left takes a cycle.

Argued in the design notes, "Every loop nest".
"""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import helper
from maerisim.kernels.estimating import load_table, sections, times
from maerisim.kernels.estimating.loads import Leaves
from maerisim.kernels.estimating.nest import NestNumbers, class_loaded, class_sent, go_on, start, turned
from maerisim.kernels.estimating.periods import skip_repetitions
from maerisim.kernels.estimating.quantities import FabricNumbers, TileShape
from maerisim.kernels.estimating.sections import PartRanges, Sections, part_of
from maerisim.kernels.estimating.times import StepNumbers, StepTimes, TimeRows, rows_of
from maerisim.kernels.estimating.timing import begin, push, take_slot

MOST_STEPS = 1 << 18
"""Control steps of single switches that are looked at one by one."""
INPUTS, WEIGHTS, BEFORE = 0, 1, 2
"""Rows of ``StepTimes.complete``: what a switch has of each operand; of a port when the words of earlier steps were sent."""
ALL, ALL_OF_EARLIER_STEPS = 1, 2
"""The words of a port that a switch has when it does a step, or for which it has to wait at least."""


@helper
def least_result(
    shape: TileShape,
    nest: NestNumbers,
    fabric: FabricNumbers,
    leaves: Leaves,
    parts: int,
    enough: int,
    s: Sections,
    t: StepTimes,
) -> tuple[int, int]:
    """Cycles below which no run with these loops, one a dimension, ends; no more are counted once they are ``enough``.

    Also returned is of how many innermost loops this is true whatever lies around them, if they reuse the same.
    """
    least, levels = 0, 0
    for index in range(parts):
        part = part_of(index, s.limits)
        cycles, levels = least_result_of(shape, nest, fabric, leaves, part, enough, s, t)
        if cycles >= enough:
            return cycles, levels
        least = max(least, cycles)
    return least, times.LEVELS


@helper
def least_result_of(
    shape: TileShape,
    nest: NestNumbers,
    fabric: FabricNumbers,
    leaves: Leaves,
    part: PartRanges,
    enough: int,
    s: Sections,
    t: StepTimes,
) -> tuple[int, int]:
    """The same of a part."""
    rows, loop = rows_of(fabric), t.loop
    begin(rows, part, t)
    for section in range(part.section, part.end_section):
        t.complete[INPUTS, section], t.complete[WEIGHTS, section] = ALL, ALL
    position, place = start(nest, loop), 0
    for _ in range(1 + MOST_STEPS // (part.end_section - part.section)):
        further = int(position.begun & nest.slides != 0)
        step = StepNumbers(position.at_edge, position.begun, position.ending, further, place)
        do_step(shape, nest, fabric, leaves, rows, part, step, s, t)
        done = 1
        for level in range(nest.levels):
            done += loop[times.INDEX, level] * loop[times.BODY, level]
        least = latest(shape, fabric, part, s, t) + shape.steps - done
        if least >= enough:
            return least, loops_around(done, nest.levels, loop)
        place = (place + 1) & (times.RING - 1)
        level = go_on(nest, loop)
        if level == nest.levels:
            for bus in range(part.bus, part.end_bus):
                least = max(least, t.now[rows.bus, bus])
            return least, times.LEVELS
        skip_repetitions(nest.spills, rows, part, level, place, fabric.distribution_latency, s, t)
        position = turned(level, position, loop, t.class_of)
    return least, times.LEVELS


@helper
def loops_around(done: int, levels: int, loop: Ints) -> int:
    """How many innermost loops turn in the first steps, so many as are ``done``."""
    level, steps = 0, 1
    while steps < done and level < levels:
        steps *= loop[times.TURNS, level]
        level += 1
    return level


@helper
def latest(shape: TileShape, fabric: FabricNumbers, part: PartRanges, s: Sections, t: StepTimes) -> int:
    """When the last result would be written if all virtual neurons that are never idle were done with this step."""
    least, of = times.NEVER, s.of
    for vn in range(part.vn, part.end_vn):
        if not s.idle[shape.partial, vn]:
            for section in range(of[sections.FIRST, vn], of[sections.FIRST, vn + 1]):
                least = max(least, t.now[times.DONE, section] + of[sections.WAY, section])
    return least + fabric.level_latency + fabric.accumulation_latency + fabric.collection_latency


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
    """The least times of one control step."""
    now, of, complete, ahead = t.now, s.of, t.complete, nest.ahead
    for section in range(part.section, part.end_section):
        t.ready[section] = times.NEVER
        for operand in (INPUTS, WEIGHTS):
            complete[operand, section] = ALL | ALL_OF_EARLIER_STEPS if complete[operand, section] & ALL else 0
    for port in range(part.port, part.end_port):
        complete[BEFORE, port] = now[times.TAKEN, port]
    inputs = nest.sliding if step.further else nest.inputs
    if not step.begun & nest.inputs_stay:
        load = inputs + step.at_edge
        send(load, INPUTS, times.SENT_INPUT, rows.room_for_input, fabric, leaves, part, s, t)
    weights = step.at_edge
    loads_weights = shape.weighted and not step.begun & nest.weights_stay
    if loads_weights and nest.ago:
        send_anywhere(weights, fabric, leaves, part, s, t)
    elif loads_weights:
        send(weights, WEIGHTS, times.SENT_WEIGHT, times.RETIRED + ahead, fabric, leaves, part, s, t)
    use_up = step.ending & nest.inputs_stay == nest.inputs_stay
    in_use = inputs + class_sent(nest, step.at_edge, t.loop, t.class_of)
    retires = shape.weighted and not nest.ago and step.ending & nest.weights_stay == nest.weights_stay
    loaded = class_loaded(nest, step.at_edge, t.loop) if retires else 0
    for section in range(part.section, part.end_section):
        vn, port, done = of[sections.VN, section], of[sections.PORT, section], now[times.DONE, section] + 1
        if not s.idle[step.at_edge, vn]:
            has = complete[INPUTS, section] & complete[WEIGHTS, section]
            sent = now[times.TAKEN, port] if has & ALL else complete[BEFORE, port] if has else -1
            done = max(done, t.ready[section])
            if sent >= 0:
                done = max(done, sent + fabric.distribution_latency)
            slack = of[sections.SLACK, section]
            if slack:
                done = max(done, now[rows.added + ((step.place - slack) & (times.RING - 1)), vn])
        now[times.DONE, section] = done
        if retires and s.last[loaded, section]:
            push(now, times.RETIRED, times.USED_UP, section, done)
        if use_up and s.last[in_use, section]:
            push(now, times.USED_UP, rows.returned, section, done)
    emits = int(nest.spills or step.ending & nest.folds == nest.folds)
    for vn in range(part.vn, part.end_vn):
        arrived = times.NEVER
        for section in range(of[sections.FIRST, vn], of[sections.FIRST, vn + 1]):
            arrived = max(arrived, now[times.DONE, section] + of[sections.WAY, section])
        sum_up(fabric, rows, step, vn, int(not s.idle[step.at_edge, vn]), arrived, emits, s, t)


@helper
def sum_up(
    fabric: FabricNumbers,
    rows: TimeRows,
    step: StepNumbers,
    vn: int,
    at_work: int,
    arrived: int,
    emits: int,
    s: Sections,
    t: StepTimes,
) -> None:
    """Add up the products of a step of a virtual neuron, and send the result if it ``emits`` one."""
    now, of, last = t.now, s.of, (step.place - 1) & (times.RING - 1)
    added = now[rows.added + last, vn]
    written = now[rows.written + last, vn]
    if at_work:
        added = max(added + 1, now[rows.room_to_sum, vn], arrived)
        summed = max(added + fabric.level_latency, now[rows.summed, vn] + 1)
        if emits:
            summed = max(summed, now[rows.room_for_result, vn] - 1)
            written = max(summed + fabric.accumulation_latency + fabric.collection_latency, now[rows.taken, vn] + 1)
            push(now, rows.taken, rows.added, vn, written)
            bus = of[sections.BUS, vn]
            if written > now[rows.bus, bus] - times.SLOTS:
                take_slot(now, rows.bus, bus, written)
        push(now, rows.summed, rows.taken, vn, summed)
    now[rows.added + step.place, vn] = added
    now[rows.written + step.place, vn] = written


@helper
def get(operand: int, load: int, words: int, section: int, s: Sections, t: StepTimes) -> None:
    """Note which words of a port have been sent when the switch of a section has its own of this load of ``words``."""
    had, word = t.complete[operand, section], s.last[load, section]
    if words:
        all_before = ALL_OF_EARLIER_STEPS if word or had & ALL_OF_EARLIER_STEPS else 0
        t.complete[operand, section] = all_before | ALL if word == words else all_before


@helper
def send(
    load: int,
    operand: int,
    sent: int,
    used_up: int,
    fabric: FabricNumbers,
    leaves: Leaves,
    part: PartRanges,
    s: Sections,
    t: StepTimes,
) -> None:
    """Send the words of a load, each when there is room for it: since the time in row ``used_up``."""
    now = t.now
    for port in range(part.port, part.end_port):
        words = int(leaves.port_words[load, port])
        for word in range(1, words + 1):
            t.room[word] = times.NEVER
        for section in range(s.of[sections.BEGIN, port], s.of[sections.BEGIN, port + 1]):
            if s.last[load, section]:
                word = int(s.last[load, section])
                t.room[word] = max(t.room[word], now[used_up, section])
        for word in range(1, words + 1):
            time = max(t.room[word], now[sent, port] + 1)
            now[sent, port], t.sent[word] = time, time
            if time > now[times.TAKEN, port] - times.SLOTS:
                take_slot(now, times.TAKEN, port, time)
        for section in range(s.of[sections.BEGIN, port], s.of[sections.BEGIN, port + 1]):
            if s.last[load, section]:
                t.ready[section] = max(t.ready[section], t.sent[s.last[load, section]] + fabric.distribution_latency)
            get(operand, load, words, section, s, t)


@helper
def send_anywhere(
    load: int, fabric: FabricNumbers, leaves: Leaves, part: PartRanges, s: Sections, t: StepTimes
) -> None:
    """Send weights for which there has been room for long, in the first cycles that were left free.

    Those of which it is no longer remembered when they were are as many as there can be room for weights.
    """
    now = t.now
    for port in range(part.port, part.end_port):
        words = int(leaves.port_words[load, port])
        if words:
            most = fabric.weight_room * int(leaves.port_words[load_table.WEIGHTS, port])
            missed = min(now[times.MISSED, port], most)
            now[times.MISSED, port] = max(0, missed - words)
            now[times.DUE, port] += words
            for _ in range(words - missed):
                take_slot(now, times.TAKEN, port, times.NEVER)
        for section in range(s.of[sections.BEGIN, port], s.of[sections.BEGIN, port + 1]):
            get(WEIGHTS, load, words, section, s, t)
