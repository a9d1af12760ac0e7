"""The state of a run, and earlier copies of it that it may come to be equal to.

The moments to compare are those at which one walker begins an iteration of its loops: that of a multiplier switch, and where
all weights are waited for also that of the weights at a port, as nothing else moves while they are loaded. Each level of
its loop nest has a copy of its own, so that inner loops are skipped within every iteration of an outer one, and the outer
ones as soon as they recur as well.
"""

from __future__ import annotations

from typing import NamedTuple

from maerisim.arrays import Ints, Mask
from maerisim.kernels.compiling.jit import helper, inlined
from maerisim.kernels.stepping import counted
from maerisim.kernels.stepping.machine import Bits
from maerisim.kernels.stepping.walk import Walkers

LONGEST_PAUSE = 64
"""Most iterations of an outer loop for which a level that never recurs is not looked at."""
SHORTEST_ROW = 8
"""Repetitions that a step must have left for single repetitions to be compared."""


class DeepQueues(NamedTuple):
    """Queues so deep that their words can grow more for a long time: ``first`` entry in the state and ``depth`` of
    each group, whose counts lie in so many ``planes`` of 64 columns, ``stride`` entries apart (0: one plain number); ``entry`` marks these in the state.

    Of those that it matters of (``asked``), ``empty`` has a bit for each that has been empty since the last boundary, and
    ``saved_empty`` [level, group] since the copy of each level. ``slot`` is that of the reduction network (-1: none).
    """

    first: Ints
    planes: Ints
    depth: Ints
    slot: Ints
    asked: Ints
    stride: int
    entry: Mask
    empty: Bits
    saved_empty: Bits


class Record(NamedTuple):
    """The state of a run in three arrays, and earlier copies of them per level [level, entry].

    ``state`` must be equal for a repetition, except for the words in deep queues; a ``counter`` (of walker ``walker``) may
    have gone down, one per walker, and clocks (control steps, counts) may have grown; the arrays of a machine are views of
    them. ``first_bits`` is the first entry of the bit planes. ``valid``, ``since`` and
    ``window`` renew the copies at growing distances (Brent's method); ``failures`` and ``pause`` leave levels out that
    do not recur. ``turns`` are the loop counters of the ``watched`` switch at its last boundary, ``loading_turns`` those of
    the weights that are watched while they are ``loading`` (-1: none are), whose levels follow; ``moved`` is scratch. ``least_wait`` and
    ``most_wait`` bound how many results ago that is which a partial sum of a virtual neuron continues. The places of
    what is compared among the clocks are called ``.._clock``.
    """

    watched: int
    loading: int
    first_bits: int
    state: Ints
    queues: DeepQueues
    counter: Ints
    clock: Ints
    walker: Ints
    saved_state: Ints
    saved_counter: Ints
    saved_clock: Ints
    saved_cycle: Ints
    valid: Ints
    since: Ints
    window: Ints
    failures: Ints
    pause: Ints
    turns: Ints
    loading_turns: Ints
    loading_left: Ints
    moved: Ints
    least_wait: Ints
    most_wait: Ints
    step_clock: int
    returning_clock: int
    written_clock: int
    issued_clock: int
    place_clock: int
    released_clock: int
    due_clock: int
    tally_clock: int
    base_clock: int
    asked_clock: int
    twice_clock: int
    looks: Ints


@helper
def hand_on_empty(record: Record) -> None:
    """What has been empty since this was done last was so since the copies of all levels."""
    queues = record.queues
    for group in range(len(queues.first)):
        if queues.empty[group]:
            for level in range(len(record.valid)):
                queues.saved_empty[level, group] |= queues.empty[group]
            queues.empty[group] = 0


DIFFERENT, EQUAL, EQUAL_BUT_FOR_QUEUES = 0, 1, 2


@inlined
def same_state(record: Record, level: int) -> int:
    """Whether the state equals the copy of ``level``, perhaps but for the words in deep queues."""
    state, saved = record.state, record.saved_state
    # Differences tend to stay where they are, so the last one is asked first.
    last = record.looks[1]
    if state[last] != saved[level, last]:
        return DIFFERENT
    found = EQUAL
    for entry in range(len(state)):
        if state[entry] != saved[level, entry]:
            if record.queues.entry[entry]:
                found = EQUAL_BUT_FOR_QUEUES
            else:
                record.looks[1] = entry
                return DIFFERENT
    return found


@inlined
def save(record: Record, level: int, cycle: int) -> None:
    """Keep a copy of the state for ``level``."""
    for entry in range(len(record.state)):
        record.saved_state[level, entry] = record.state[entry]
    for entry in range(len(record.counter)):
        record.saved_counter[level, entry] = record.counter[entry]
    for entry in range(len(record.clock)):
        record.saved_clock[level, entry] = record.clock[entry]
    for group in range(len(record.queues.first)):
        record.queues.saved_empty[level, group] = 0
    record.saved_cycle[level] = cycle
    record.valid[level] = 1
    record.since[level] = 0


@inlined
def repeat(record: Record, level: int, cycle: int, repetitions: int) -> int:
    """Repeat the stretch since the copy of ``level``; return the cycle in which that ends."""
    for entry in range(len(record.counter)):
        record.counter[entry] += repetitions * (record.counter[entry] - record.saved_counter[level, entry])
    for entry in range(len(record.clock)):
        record.clock[entry] += repetitions * (record.clock[entry] - record.saved_clock[level, entry])
    return int(cycle + repetitions * (cycle - record.saved_cycle[level]))


@inlined
def forget(record: Record, level: int, failed: bool) -> None:
    """Drop the copy of ``level``; when it ``failed`` to recur look away for a while, longer each time."""
    if record.pause[level] > 0:
        record.pause[level] -= 1
    elif failed and record.window[level] > 2:
        record.failures[level] += 1
        record.pause[level] = min(LONGEST_PAUSE, (1 << min(record.failures[level], 20)) >> 2)
    record.valid[level] = 0
    record.since[level] = 0
    record.window[level] = 1


@inlined
def boundary(walkers: Walkers, watched: int, turns: Ints) -> int:
    """The level of the loop of which a walker has begun an iteration since ``turns``; -1 when that is not worth a look."""
    loops = walkers.turns.shape[1]
    level = loops
    for depth in range(loops):
        if walkers.turns[watched, depth] != turns[depth]:
            level = depth
            break
    if level == loops and walkers.left[watched] < SHORTEST_ROW:
        return -1
    for depth in range(loops):
        turns[depth] = walkers.turns[watched, depth]
    return int(level)


@inlined
def recurs(record: Record, level: int, cycle: int, stages: int) -> int:
    """Whether the state at a boundary of ``level`` equals the copy of that; cycles count modulo ``stages`` in it."""
    if record.pause[level] > 0 or not record.valid[level]:
        return DIFFERENT
    if stages > 0 and (cycle - record.saved_cycle[level]) % stages != 0:
        return DIFFERENT
    return same_state(record, level)


@inlined
def go_on(record: Record, level: int, cycle: int, repetitions: int, tally: Ints) -> int:
    """Skip so many repetitions (mostly none) and renew the copy of ``level`` if it is time to; return the cycle to go on from."""
    if record.pause[level] > 0:
        return cycle
    if repetitions > 0:
        first_result = tally[counted.FIRST_RESULT]
        cycle = repeat(record, level, cycle, repetitions)
        tally[counted.FIRST_RESULT] = first_result
        record.failures[level] = 0
        forget(record, level, False)
    record.since[level] += 1
    if not record.valid[level] or record.since[level] >= record.window[level]:
        hand_on_empty(record)
        save(record, level, cycle)
        record.window[level] *= 2
    return cycle
