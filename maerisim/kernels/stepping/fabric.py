"""One cycle of the fabric over flat arrays, and the loop that steps it.

The same order of work as the event engine: collection buses, accumulators, adder switches, multiplier switches,
controller, global buffer, distribution ports (receivers first). Each component is a file of its own. Queues are counters;
the words themselves are kept only when ``carry`` is set. Nothing is allocated while stepping.
"""

from __future__ import annotations

from maerisim.kernels.compiling.jit import inlined, kernel
from maerisim.kernels.stepping import counted, ending
from maerisim.kernels.stepping.accumulator import step_accumulators
from maerisim.kernels.stepping.adder_switch import step_adders
from maerisim.kernels.stepping.collection_bus import step_buses
from maerisim.kernels.stepping.controller import step_controller
from maerisim.kernels.stepping.distribution_port import step_ports
from maerisim.kernels.stepping.global_buffer import step_global_buffer
from maerisim.kernels.stepping.machine import Machine
from maerisim.kernels.stepping.multiplier_switch import step_multipliers


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


@kernel
def run(machine: Machine, expected: int, cycle: int, budget: int, carry: bool) -> tuple[int, int]:
    """Step from ``cycle`` until ``expected`` results have left, or for ``budget`` cycles: (status, cycle).

    It is a deadlock when nothing moves for longer than a word takes through the distribution network.
    """
    end = cycle + budget
    idle = 0
    while cycle < end:
        if machine.tally[counted.RESULTS] >= expected:
            return ending.COMPLETE, cycle
        idle = 0 if step_cycle(machine, cycle, carry) else idle + 1
        if idle > machine.ports.line.shape[0]:
            return ending.DEADLOCK, cycle
        cycle += 1
    return ending.RUNNING, cycle
