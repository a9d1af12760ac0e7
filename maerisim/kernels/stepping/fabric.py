"""One cycle of the fabric over flat arrays, and the loop that steps it.

The same order of work as the event engine: collection buses, accumulators, adder switches, multiplier switches,
controller, global buffer, distribution ports (receivers first). Each component is a file of its own. Queues are counters;
the words themselves are kept only when ``carry`` is set. Nothing is allocated while stepping.
"""

from __future__ import annotations

from maerisim.kernels.compiling.jit import helper, inlined, kernel
from maerisim.kernels.stepping import counted, ending
from maerisim.kernels.stepping.accumulator import step_accumulators
from maerisim.kernels.stepping.adder_switch import step_adders
from maerisim.kernels.stepping.collection_bus import step_buses
from maerisim.kernels.stepping.controller import step_controller
from maerisim.kernels.stepping.distribution_port import step_ports
from maerisim.kernels.stepping.global_buffer import step_global_buffer
from maerisim.kernels.stepping.machine import Machine
from maerisim.kernels.stepping.multiplier_switch import step_multipliers
from maerisim.kernels.stepping.record import EQUAL, Record, boundary, forget, go_on, recurs
from maerisim.kernels.stepping.recurrence import until_something_changes


@inlined
def step_cycle(machine: Machine, cycle: int, carry: bool) -> bool:
    """One cycle of the whole fabric; whether anything moved."""
    m = machine
    moved = step_buses(m.wires, m.collection)
    moved |= step_adders(m.wires, m.adders, 0, m.adders.behind, cycle, m.tally, carry, False)
    if m.collection.own_stage:
        moved |= step_accumulators(m.code, m.wires, m.collection, m.collect_walkers, m.outputs, m.tally, carry)
    moved |= step_adders(m.wires, m.adders, m.adders.behind, len(m.adders.output), cycle, m.tally, carry, False)
    if not m.collection.own_stage:
        moved |= step_accumulators(m.code, m.wires, m.collection, m.collect_walkers, m.outputs, m.tally, carry)
    moved |= step_multipliers(m.code, m.wires, m.multipliers, m.stores, m.compute_walkers, m.tally, carry)
    moved |= step_controller(m.controller, m.tally)
    moved |= step_global_buffer(
        m.code, m.collection, m.ports, m.stream_walkers, m.returning, m.returning_walkers, cycle, m.tally
    )
    released = m.controller.released[0]
    moved |= step_ports(
        m.code,
        m.ports,
        m.stores,
        m.stream_walkers,
        m.returning,
        m.returning_walkers,
        m.collection,
        m.outputs,
        released,
        cycle,
        m.tally,
        carry,
    )
    return moved


@helper
def look(machine: Machine, record: Record, level: int, cycle: int, until: int) -> int:
    """Compare the state at a boundary of ``level`` with an earlier one; return the cycle to go on from, at most ``until``."""
    for inner in range(level + 1, machine.compute_walkers.turns.shape[1] + 1):
        forget(record, inner, True)
    repetitions = 0
    if recurs(record, level, cycle, machine.ports.line.shape[0]) == EQUAL:
        repetitions = until_something_changes(machine, record, level)
        repetitions = min(repetitions, (until - cycle) // (cycle - record.saved_cycle[level]))
    return go_on(record, level, cycle, repetitions, machine.tally)


@kernel
def run(
    machine: Machine, record: Record, expected: int, cycle: int, until: int, budget: int, carry: bool, skipping: bool
) -> tuple[int, int, int]:
    """Step from ``cycle`` until ``expected`` results have left, up to cycle ``until``, or for ``budget`` steps: (status, cycle, steps).

    With ``skipping``, which does not ``carry`` values, repetitions are skipped (:mod:`maerisim.kernels.stepping.fast_forward`). It is
    a deadlock when nothing moves for longer than a word takes through the distribution network.
    """
    idle, steps = 0, 0
    walkers, watched = machine.compute_walkers, record.watched
    while steps < budget and cycle < until:
        if machine.tally[counted.RESULTS] >= expected:
            return ending.COMPLETE, cycle, steps
        row, left = walkers.row[watched], walkers.left[watched]
        idle = 0 if step_cycle(machine, cycle, carry) else idle + 1
        if idle > machine.ports.line.shape[0]:
            return ending.DEADLOCK, cycle, steps
        cycle += 1
        steps += 1
        if skipping and (walkers.left[watched] != left or walkers.row[watched] != row):
            level = boundary(walkers, watched, record.turns)
            if level >= 0:
                cycle = look(machine, record, level, cycle, until)
    return ending.RUNNING, cycle, steps
