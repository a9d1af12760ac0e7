"""The controller: one program of rows moves all ports and multiplier switches."""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import inlined
from maerisim.kernels.stepping import counted, walk
from maerisim.kernels.stepping.lock_step import row_kind
from maerisim.kernels.stepping.lock_step.distribution_port import drained, send_slot
from maerisim.kernels.stepping.lock_step.machine import ControlProgram, Slots, Switches
from maerisim.kernels.stepping.machine import Ports
from maerisim.kernels.stepping.walk import advance


@inlined
def give_configuration(control: ControlProgram, switches: Switches, template: int) -> bool:
    """Hand each switch its next role and count; False while one of them has not taken up its last."""
    for m in range(len(switches.role)):
        if control.roles[template, m] >= 0 and switches.next_role[m] >= 0:
            return False
    for m in range(len(switches.role)):
        if control.roles[template, m] >= 0:
            switches.next_role[m] = control.roles[template, m]
            switches.next_left[m] = control.products[template]
    return True


@inlined
def step_control(
    control: ControlProgram, switches: Switches, slots: Slots, ports: Ports, expected: int, tally: Ints
) -> bool:
    """The controller's row goes, or waits for another cycle."""
    row = control.walker.row[0]
    if control.code.op[row] == walk.HALT:
        return False
    template = control.code.arg[row]
    kind = control.kind[template]
    goes = True
    if kind == row_kind.CONFIGURE:
        goes = give_configuration(control, switches, template)
    elif kind == row_kind.SEND:
        goes = send_slot(ports, slots, control.packets[template], tally)
    elif kind == row_kind.DRAINED:
        goes = drained(slots)
    elif kind == row_kind.RESULTS:
        due = control.walker.base[0]
        goes = tally[counted.RESULTS] == due or (due == expected and tally[counted.RESULTS] > due)
    if goes:
        advance(control.code, control.walker, 0)
    return goes


@inlined
def at_the_end(control: ControlProgram, expected: int) -> bool:
    """Whether the controller has sent everything: it waits for the last results, or not even that."""
    row = control.walker.row[0]
    if control.code.op[row] == walk.HALT:
        return True
    return bool(control.kind[control.code.arg[row]] == row_kind.RESULTS and control.walker.base[0] == expected)
