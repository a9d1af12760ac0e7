"""For how many repetitions of a stretch what happens in it stays the same.

A stretch lies between an earlier moment of a run, whose state is kept, and the present one, whose state is equal. Loop
counters, control steps and counts have moved on meanwhile, and do so by as much in each repetition. They matter in a few
comparisons only: of a counter with its end, of the control steps of two words at a port, of a control step with those that
are released, of results with those that are waited for. A stretch repeats itself for as long as each of them comes out as
it did.
"""

from __future__ import annotations

from maerisim.kernels.compiling.jit import inlined
from maerisim.kernels.stepping import counted, walk
from maerisim.kernels.stepping.bit_planes.machine import LaneMachine
from maerisim.kernels.stepping.controller import results_due
from maerisim.kernels.stepping.machine import Controller, Machine
from maerisim.kernels.stepping.record import Record


@inlined
def until_something_changes(machine: LaneMachine | Machine, record: Record, level: int) -> int:
    """Repetitions in which every comparison comes out as it did."""
    repetitions = until_counter_runs_out(record, level)
    repetitions = min(repetitions, until_returns_change(machine, record, level))
    if repetitions > 0:
        repetitions = min(repetitions, until_order_changes(machine, record, level))
        repetitions = min(repetitions, until_release_changes(machine, record, level))
    return repetitions


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
def stays_below(then: int, now: int, other_then: int, other_now: int) -> int:
    """Repetitions in which a clock compares with another one as it did: equal growth, or one below the other throughout."""
    growth, other_growth = now - then, other_now - other_then
    if growth == other_growth:
        return walk.LATEST
    if now < other_then:
        return walk.LATEST if growth < other_growth else (other_then - now - 1) // (growth - other_growth)
    if then >= other_now:
        return walk.LATEST if growth > other_growth else (then - other_now) // (other_growth - growth)
    return 0


@inlined
def until_order_changes(machine: LaneMachine | Machine, record: Record, level: int) -> int:
    """Repetitions in which no port changes its mind about which operand is for the earlier step."""
    place, least = machine.ports.place, walk.LATEST
    for port in range(place.shape[0]):
        for one in range(2):
            now = place[port, one]
            if now < 0 or now == walk.LATEST:
                continue
            then = record.saved_clock[level, record.place_clock + 3 * port + one]
            for other in range(one + 1, 3):
                other_now = place[port, other]
                if other_now < 0 or other_now == walk.LATEST:
                    continue
                other_then = record.saved_clock[level, record.place_clock + 3 * port + other]
                least = min(least, stays_below(then, now, other_then, other_now))
    return least


@inlined
def until_release_changes(machine: LaneMachine | Machine, record: Record, level: int) -> int:
    """Repetitions in which the controller releases the same steps, and the same words are for steps that it has released."""
    controller = machine.controller
    then, now = record.saved_clock[level, record.released_clock], controller.released[0]
    if now == walk.LATEST:
        return walk.LATEST
    least = until_controller_stops(machine, record, level, then, now)
    walkers = machine.stream_walkers
    for walker in range(len(walkers.step)):
        if machine.code.op[walkers.row[walker]] != walk.HALT:
            step_then = record.saved_clock[level, record.step_clock + walker]
            least = min(least, stays_below(step_then, walkers.step[walker], then, now))
    walkers = machine.returning_walkers
    for walker in range(len(walkers.step)):
        if machine.code.op[walkers.row[walker]] != walk.HALT:
            step_then = record.saved_clock[level, record.returning_clock + walker]
            least = min(least, stays_below(step_then, walkers.step[walker], then, now))
    return least


@inlined
def until_controller_stops(machine: LaneMachine | Machine, record: Record, level: int, then: int, now: int) -> int:
    """Repetitions in which the controller, which has released steps up to ``now``, goes on as since ``then``."""
    controller = machine.controller
    if then == controller.last_step:
        return walk.LATEST
    if now == controller.last_step:
        return 0
    released = now - then
    results_then = record.saved_clock[level, record.tally_clock + counted.RESULTS]
    results = machine.tally[counted.RESULTS] - results_then
    waits = controller.waits and results_then < results_due(
        controller, controller.last_step // controller.batch_steps - 1
    )
    batch, batch_then = now // controller.batch_steps, then // controller.batch_steps
    if released == 0:
        if waits and results > 0:
            return int(max(0, (results_due(controller, batch) - results_then - results - 1) // results))
        return walk.LATEST
    least = (controller.last_step - now - 1) // released
    if not waits:
        return least
    if batch == batch_then:
        # The next batch has not begun yet; whether it can is asked at the first step of each alone.
        if then % controller.batch_steps == 0:
            return 0
        return min(least, (controller.batch_steps - now % controller.batch_steps - 1) // released)
    if now % controller.batch_steps != then % controller.batch_steps:
        return 0
    return min(least, until_loop_ends(controller, batch_then, batch, results))


@inlined
def until_loop_ends(controller: Controller, then: int, now: int, results: int) -> int:
    """Repetitions in which the batches of one loop outside them follow one another, each as many results after the last."""
    least = 0
    for loop in range(len(controller.trips)):
        trips = controller.trips[loop]
        further = now % trips - then % trips
        if further != 0:
            if least > 0 or further * controller.results[loop] != results:
                return 0
            least = (trips - 1 - now % trips) // further
            if least <= 0:
                return 0
        then //= trips
        now //= trips
    return least


@inlined
def until_returns_change(machine: LaneMachine | Machine, record: Record, level: int) -> int:
    """Repetitions in which the same partial sums are back in the global buffer when they are asked for.

    What a virtual neuron asks is whether it has written more results than it has issued steps, less the distance to the
    result that it continues. Where both grow alike nothing changes; else one side has to be ahead for all distances.
    """
    written, issued, least = machine.collection.written, machine.ports.issued, walk.LATEST
    if not machine.collection.spills:
        return least
    for vn in range(len(issued)):
        if not machine.collection.spilling[vn]:
            continue
        written_then = record.saved_clock[level, record.written_clock + vn]
        issued_then = record.saved_clock[level, record.issued_clock + vn]
        gaining = (issued[vn] - issued_then) - (written[vn] - written_then)
        if gaining == 0:
            continue
        behind = written_then - (issued[vn] - record.least_wait[vn])
        ahead = issued_then - record.most_wait[vn] - written[vn]
        if behind > 0:
            least = min(least, walk.LATEST if gaining < 0 else (behind - 1) // gaining)
        elif ahead >= 0:
            least = min(least, walk.LATEST if gaining > 0 else ahead // -gaining)
        else:
            return 0
    return least
