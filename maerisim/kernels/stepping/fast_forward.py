"""Exact fast-forward: skip the repetitions of a state that has been seen.

Timing does not depend on data. What happens next depends on the state of the fabric (the words in every queue, the place
of every walker) and on loop counters only when one of them runs out. So when, at two boundaries of the program, the
state is the same but for loop counters that went down, the stretch between them repeats until the first of these
counters is about to run out; clocks and counts grow by the same amount in each repetition. What else ends it is worked
out in :mod:`maerisim.kernels.stepping.recurrence`.
"""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import helper, kernel
from maerisim.kernels.stepping import counted, ending, recurrence
from maerisim.kernels.stepping.asking import ask_again, until_answer_changes, until_next_is_there
from maerisim.kernels.stepping.bit_planes import bitwise
from maerisim.kernels.stepping.bit_planes.adder_switch import LOW_PLANES, settle_above
from maerisim.kernels.stepping.bit_planes.fabric import begin, step_cycle
from maerisim.kernels.stepping.bit_planes.machine import LaneMachine, ReductionNetwork
from maerisim.kernels.stepping.deep_queues import change_queues, note_empty, until_queue_matters
from maerisim.kernels.stepping.machine import Collectors
from maerisim.kernels.stepping.record import DIFFERENT, EQUAL, Record, boundary, forget, go_on, recurs


@helper
def look(machine: LaneMachine, record: Record, level: int, innermost: int, cycle: int) -> int:
    """Compare the state at a boundary of ``level`` with an earlier one; return the cycle to go on from."""
    for inner in range(level + 1, innermost + 1):
        forget(record, inner, True)
    repetitions = 0
    found = recurs(record, level, cycle, machine.ports.line.shape[0])
    if found != DIFFERENT:
        repetitions = recurrence.until_something_changes(machine, record, level)
        if found != EQUAL and repetitions > 0:
            repetitions = min(repetitions, until_queue_matters(record, level, cycle - record.saved_cycle[level]))
        if len(machine.asked.sent) > 0 and repetitions > 0:
            repetitions = until_answer_changes(machine, record, level, cycle, repetitions)
            ask_again(machine, record, level, cycle, repetitions)
        if len(machine.collection.moments) > 0:
            note_results(machine.collection, record, level, cycle, repetitions)
        if len(machine.network.moments) > 0:
            note_words(machine.network, record, level, cycle, repetitions)
        if found != EQUAL and repetitions > 0:
            change_queues(record, level, repetitions)
            count_again(machine)
    return go_on(record, level, cycle, repetitions, machine.tally)


@helper
def count_again(machine: LaneMachine) -> None:
    """Note what the upper planes of deep wires say, after their words have changed."""
    lanes, network = machine.lanes, machine.network
    for slot in range(len(network.first)):
        if network.planes[slot] > LOW_PLANES:
            settle_above(lanes.bits, network, slot, lanes.words, bitwise.NONE, bitwise.NONE)


@helper
def note_results(collection: Collectors, record: Record, level: int, cycle: int, repetitions: int) -> None:
    """Note when the results of so many repetitions of the stretch since the copy of ``level`` are written."""
    for vn in range(len(collection.written)):
        results = collection.written[vn] - record.saved_clock[level, record.written_clock + vn]
        first = collection.first_moment[vn] + collection.written[vn]
        repeat_moments(collection.moments, first, results, cycle - record.saved_cycle[level], repetitions)


@helper
def note_words(network: ReductionNetwork, record: Record, level: int, cycle: int, repetitions: int) -> None:
    """Note when words go through the adder switches that are noted, in so many repetitions of the stretch since the copy of
    ``level``.
    """
    for column in range(len(network.twice)):
        if network.first_moment[column] >= 0:
            words = network.twice[column] - record.saved_clock[level, record.twice_clock + column]
            first = network.first_moment[column] + network.twice[column]
            repeat_moments(network.moments, first, words, cycle - record.saved_cycle[level], repetitions)


@helper
def repeat_moments(moments: Ints, first: int, events: int, distance: int, repetitions: int) -> None:
    """Note so many repetitions of the latest ``events``, each ``distance`` cycles later, from place ``first`` on."""
    for place in range(first, first + repetitions * events):
        moments[place] = moments[place - events] + distance


@helper
def wait_for_word(machine: LaneMachine, cycle: int) -> int:
    """Nothing has moved for so long that nothing will before a word of the first layer is there: the cycle in which one is,
    else ``cycle``.

    Who was held back in the cycle before is so until then.
    """
    following = cycle
    if len(machine.asked.sent) > 0:
        following = until_next_is_there(machine.ports, machine.asked, cycle)
        for count in range(counted.TALLY_ROWS):
            machine.tally[count] += (following - cycle) * (machine.tally[count] - machine.tally_before[count])
    return following


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
    idle, steps, deep = 0, 0, len(record.queues.first) > 0
    walkers, watched, loops = machine.compute_walkers, record.watched, machine.compute_walkers.turns.shape[1]
    streams, loading = machine.stream_walkers, record.loading
    while steps < budget:
        if machine.tally[counted.RESULTS] >= expected:
            return ending.COMPLETE, cycle, steps
        row, left = walkers.row[watched], walkers.left[watched]
        if idle >= machine.ports.line.shape[0]:
            for count in range(counted.TALLY_ROWS):
                machine.tally_before[count] = machine.tally[count]
        idle = 0 if step_cycle(machine, cycle) else idle + 1
        cycle += 1
        steps += 1
        if idle > machine.ports.line.shape[0]:
            following = wait_for_word(machine, cycle)
            if following == cycle:
                return ending.DEADLOCK, cycle - 1, steps
            cycle, idle = following, 0
        if not skipping:
            continue
        if deep:
            note_empty(machine, record)
        if walkers.left[watched] != left or walkers.row[watched] != row:
            level = boundary(walkers, watched, record.turns)
            if level >= 0:
                cycle = look(machine, record, level, loops, cycle)
        elif loading >= 0 and streams.left[loading] != record.loading_left[0]:
            record.loading_left[0] = streams.left[loading]
            level = boundary(streams, loading, record.loading_turns)
            if level >= 0:
                cycle = look(machine, record, loops + 1 + level, 2 * loops + 1, cycle)
                record.loading_left[0] = streams.left[loading]
    return ending.RUNNING, cycle, steps
