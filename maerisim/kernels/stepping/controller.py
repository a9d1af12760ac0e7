"""The controller releases control steps to the distribution ports."""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import inlined
from maerisim.kernels.stepping import counted
from maerisim.kernels.stepping.machine import Controller


@inlined
def results_due(controller: Controller, batch: int) -> int:
    """The results that have to be written before a batch begins."""
    before = 0
    for loop in range(len(controller.trips)):
        before += batch % controller.trips[loop] * controller.results[loop]
        batch //= controller.trips[loop]
    return before


@inlined
def step_controller(controller: Controller, tally: Ints) -> bool:
    """The controller releases control steps to the ports, one batch after the other where it waits for outputs."""
    moved = False
    left = controller.rate
    while left > 0 and controller.released[0] < controller.last_step:
        released = controller.released[0]
        if controller.waits and released == controller.due[0] and tally[counted.RESULTS] < controller.due[1]:
            break
        if controller.waits and released % controller.batch_steps == 0:
            # Divisions take long, and a controller waits for many cycles at the same step.
            controller.due[0] = released
            controller.due[1] = results_due(controller, released // controller.batch_steps)
            if tally[counted.RESULTS] < controller.due[1]:
                break
        steps = min(left, controller.batch_steps - released % controller.batch_steps)
        controller.released[0] += steps
        left -= steps
        moved = True
    return moved
