"""Exact fast-forward: skip the repetitions of a state that has been seen.

Timing does not depend on data. What happens next depends on the state of the fabric (the words in every queue, the place
of every walker) and on loop counters only when one of them runs out. So when, at two boundaries of the program, the
state is the same but for loop counters that went down, the stretch between them repeats until the first of these
counters is about to run out; clocks and counts grow by the same amount in each repetition.

The boundaries are those of one multiplier switch's loops. Each level of its loop nest has a snapshot of its own, so that
inner loops are skipped within every iteration of an outer one, and the outer ones as soon as they recur as well.
"""

from __future__ import annotations

from typing import NamedTuple

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import inlined, kernel
from maerisim.kernels.stepping import counted, ending, walk
from maerisim.kernels.stepping.bit_planes.fabric import begin, step_cycle
from maerisim.kernels.stepping.bit_planes.machine import LaneMachine

LONGEST_PAUSE = 64
"""Most iterations of an outer loop for which a level that never recurs is not looked at."""
SHORTEST_ROW = 8
"""Repetitions that a step must have left for single repetitions to be compared."""


class Record(NamedTuple):
    """The state of a run in three arrays, and earlier copies of them per level [level, entry].

    ``state`` must be equal for a repetition, a ``counter`` (of walker ``walker``) may have gone down, one per walker, and
    clocks (control steps, counts) may have grown; the arrays of a machine are views of them. ``valid``, ``since`` and
    ``window`` renew the copies at growing distances (Brent's method); ``failures`` and ``pause`` leave levels out that
    do not recur. ``turns`` are the watched switch's loop counters at its last boundary, ``moved`` is scratch.
    """

    watched: int
    state: Ints
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
    moved: Ints
    step_clock: int
    written_clock: int
    issued_clock: int
    looks: Ints


@inlined
def same_state(record: Record, level: int) -> bool:
    """Whether the state equals the copy of ``level``."""
    state, saved = record.state, record.saved_state
    # Differences tend to stay where they are, so the last one is asked first.
    last = record.looks[1]
    if state[last] != saved[level, last]:
        return False
    for entry in range(len(state)):
        if state[entry] != saved[level, entry]:
            record.looks[1] = entry
            return False
    return True


@inlined
def until_counter_runs_out(record: Record, level: int) -> int:
    """Repetitions until the first loop counter that went down is at its last one (0: no repetition)."""
    look = record.looks[0] + 1
    record.looks[0] = look
    least = walk.LATEST
    for entry in range(len(record.counter)):
        now = record.counter[entry]
        down = record.saved_counter[level, entry] - now
        if down == 0:
            continue
        walker = record.walker[entry]
        if down < 0 or record.moved[walker] == look:
            return 0
        record.moved[walker] = look
        least = min(least, (now - 1) // down)
    return 0 if least == walk.LATEST else least


@inlined
def until_order_changes(machine: LaneMachine, record: Record, level: int) -> int:
    """Repetitions in which no port changes its mind about which operand is for the earlier step, and partial sums
    keep their distance to the results that they wait for.
    """
    written, issued = machine.collection.written, machine.ports.issued
    clock, saved = record.clock, record.saved_clock
    if machine.collection.spills:
        for vn in range(len(issued)):
            results = written[vn] - saved[level, record.written_clock + vn]
            if results != issued[vn] - saved[level, record.issued_clock + vn]:
                return 0
    count = machine.ports.head.shape[1]
    least = walk.LATEST
    for port in range(count):
        for a in range(3):
            if machine.code.op[machine.stream_walkers.row[a * count + port]] == walk.HALT:
                continue
            entry_a = record.step_clock + a * count + port
            now_a, then_a = 3 * clock[entry_a] + a, 3 * saved[level, entry_a] + a
            for b in range(3):
                if b == a or machine.code.op[machine.stream_walkers.row[b * count + port]] == walk.HALT:
                    continue
                entry_b = record.step_clock + b * count + port
                now_b, then_b = 3 * clock[entry_b] + b, 3 * saved[level, entry_b] + b
                if (now_a < now_b) != (then_a < then_b):
                    return 0
                gaining = (now_a - then_a) - (now_b - then_b)
                if gaining > 0 and now_a < now_b:
                    # Operand a is for the earlier step and catches up: it must not reach the other.
                    if now_a >= then_b:
                        return 0
                    least = min(least, (then_b - now_a) // gaining - 2)
    return max(0, least)


@inlined
def save(record: Record, level: int, cycle: int) -> None:
    """Keep a copy of the state for ``level``."""
    for entry in range(len(record.state)):
        record.saved_state[level, entry] = record.state[entry]
    for entry in range(len(record.counter)):
        record.saved_counter[level, entry] = record.counter[entry]
    for entry in range(len(record.clock)):
        record.saved_clock[level, entry] = record.clock[entry]
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
def look(machine: LaneMachine, record: Record, level: int, cycle: int) -> int:
    """Compare the state at a boundary of ``level`` with an earlier one; return the cycle to go on from."""
    for inner in range(level + 1, len(record.valid)):
        forget(record, inner, True)
    if record.pause[level] > 0 or machine.collection.waiting[0] > 0:
        return cycle  # results that wait for the global buffer are not part of the state
    if record.valid[level]:
        stages = machine.ports.line.shape[0]
        distance = cycle - record.saved_cycle[level]
        if (stages == 0 or distance % stages == 0) and same_state(record, level):
            repetitions = min(until_counter_runs_out(record, level), until_order_changes(machine, record, level))
            if repetitions > 0:
                first_result = machine.tally[counted.FIRST_RESULT]
                cycle = repeat(record, level, cycle, repetitions)
                machine.tally[counted.FIRST_RESULT] = first_result
                record.failures[level] = 0
                forget(record, level, False)
    record.since[level] += 1
    if not record.valid[level] or record.since[level] >= record.window[level]:
        save(record, level, cycle)
        record.window[level] *= 2
    return cycle


@kernel
def run(
    machine: LaneMachine, record: Record, expected: int, cycle: int, budget: int, skipping: bool
) -> tuple[int, int, int]:
    """Step from ``cycle`` until ``expected`` results have left, or for ``budget`` steps: (status, cycle, steps).

    With ``skipping`` repetitions are skipped. It is a deadlock when nothing moves for longer than a word takes through
    the distribution network.
    """
    if cycle == 0:
        begin(machine)
    idle, steps = 0, 0
    walkers, watched = machine.compute_walkers, record.watched
    loops = walkers.turns.shape[1]
    while steps < budget:
        if machine.tally[counted.RESULTS] >= expected:
            return ending.COMPLETE, cycle, steps
        row, left = walkers.row[watched], walkers.left[watched]
        idle = 0 if step_cycle(machine, cycle) else idle + 1
        if idle > machine.ports.line.shape[0]:
            return ending.DEADLOCK, cycle, steps
        cycle += 1
        steps += 1
        if not skipping or (walkers.left[watched] == left and walkers.row[watched] == row):
            continue
        level = loops
        for depth in range(loops):
            if walkers.turns[watched, depth] != record.turns[depth]:
                level = depth
                break
        if level < loops or walkers.left[watched] >= SHORTEST_ROW:
            cycle = look(machine, record, level, cycle)
            for depth in range(loops):
                record.turns[depth] = walkers.turns[watched, depth]
    return ending.RUNNING, cycle, steps
