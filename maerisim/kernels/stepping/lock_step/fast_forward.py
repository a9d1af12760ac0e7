"""Exact fast-forward of a fabric driven in lock step.

All there is to compare is whether the controller finds as many results written as are due: that comes out the same for as long
as both grow alike, or as results lag behind.
"""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import helper, inlined
from maerisim.kernels.stepping import counted, walk
from maerisim.kernels.stepping.lock_step.machine import ControlProgram
from maerisim.kernels.stepping.record import DIFFERENT, Record, forget, go_on, recurs
from maerisim.kernels.stepping.recurrence import until_counter_runs_out


@helper
def look(control: ControlProgram, record: Record, level: int, expected: int, cycle: int, tally: Ints) -> int:
    """Compare the state at a boundary of ``level`` with an earlier one; return the cycle to go on from."""
    for inner in range(level + 1, control.walker.turns.shape[1] + 1):
        forget(record, inner, True)
    repetitions = 0
    if recurs(record, level, cycle, 0) != DIFFERENT:
        repetitions = until_counter_runs_out(record, level)
        repetitions = min(repetitions, until_results_are_due(control, record, level, expected, tally))
    return go_on(record, level, cycle, repetitions, tally)


@inlined
def until_results_are_due(control: ControlProgram, record: Record, level: int, expected: int, tally: Ints) -> int:
    """Repetitions in which the results that the controller waits for are written when they were, and none is the last."""
    due, due_then = control.walker.base[0], record.saved_clock[level, record.due_clock]
    results, results_then = tally[counted.RESULTS], record.saved_clock[level, record.tally_clock + counted.RESULTS]
    growth, gaining = results - results_then, (results - results_then) - (due - due_then)
    least = walk.LATEST if growth == 0 else (expected - results - 1) // growth
    if gaining != 0:
        if results >= due_then:
            return 0
        if gaining > 0:
            least = min(least, (due_then - results - 1) // gaining)
    return max(0, least)
