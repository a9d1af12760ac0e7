"""The fabric driven in lock step, and the loop that steps it.

Adder switches, buses, the global buffer, wires, operand stores and packets are those of :mod:`maerisim.kernels.stepping`;
controller, ports and multiplier switches are of a second kind, in the order of the event engine's twin
:mod:`maerisim.engine.event.lock_step`.
"""

from __future__ import annotations

from maerisim.kernels.compiling.jit import kernel
from maerisim.kernels.stepping import counted, ending
from maerisim.kernels.stepping.adder_switch import step_adders
from maerisim.kernels.stepping.collection_bus import step_buses
from maerisim.kernels.stepping.global_buffer import step_global_buffer
from maerisim.kernels.stepping.lock_step.controller import at_the_end, step_control
from maerisim.kernels.stepping.lock_step.distribution_port import deliver_slots, step_slots
from maerisim.kernels.stepping.lock_step.fast_forward import look
from maerisim.kernels.stepping.lock_step.machine import LockStepState
from maerisim.kernels.stepping.lock_step.multiplier_switch import step_leaves, step_switches, take_configurations
from maerisim.kernels.stepping.machine import Machine
from maerisim.kernels.stepping.record import Record, boundary


@kernel
def run_in_lock_step(
    machine: Machine, lock_step: LockStepState, record: Record, expected: int, cycle: int, budget: int, skipping: bool
) -> tuple[int, int, int]:
    """Step from ``cycle`` until everything is sent and ``expected`` results have left, or for ``budget`` steps.

    Returns (status, cycle, steps). With ``skipping`` repetitions are skipped. It is a deadlock when nothing moves for
    longer than a word takes through the distribution network.
    """
    m, switches, slots, control = machine, lock_step.switches, lock_step.slots, lock_step.control
    transfers = len(m.adders.output)
    walker, idle, steps = control.walker, 0, 0
    while steps < budget:
        if m.tally[counted.RESULTS] >= expected and at_the_end(control, expected):
            return ending.COMPLETE, cycle, steps
        row, left = walker.row[0], walker.left[0]
        moved = step_buses(m.wires, m.collection)
        if cycle >= lock_step.configured_at:
            moved |= step_adders(m.wires, m.adders, 0, transfers, cycle, m.tally, False, True)
        else:
            moved = True
        moved |= step_switches(m, switches, cycle)
        deliver_slots(m.ports, slots, switches)
        moved |= step_leaves(switches, m.stores)
        moved |= step_global_buffer(
            m.code, m.collection, m.ports, m.stream_walkers, m.returning, m.returning_walkers, cycle, m.tally
        )
        m.tally[counted.OUTPUTS_WRITTEN] = m.tally[counted.RESULTS]
        moved |= step_control(control, switches, slots, m.ports, expected, m.tally)
        moved |= step_slots(slots)
        moved |= take_configurations(switches, cycle)
        idle = 0 if moved else idle + 1
        if idle > m.ports.line.shape[0]:
            return ending.DEADLOCK, cycle, steps
        cycle += 1
        steps += 1
        if not skipping or cycle <= lock_step.configured_at:
            continue
        if walker.row[0] != row or walker.left[0] != left:
            level = boundary(walker, 0, record.turns)
            if level >= 0:
                cycle = look(control, record, level, expected, cycle, m.tally)
    return ending.RUNNING, cycle, steps
