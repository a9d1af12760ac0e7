"""The controller releases control steps to the distribution ports."""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import inlined
from maerisim.kernels.stepping import counted
from maerisim.kernels.stepping.machine import Controller


@inlined
def step_controller(controller: Controller, tally: Ints) -> bool:
    """The controller releases control steps to the ports, one batch after the other where it waits for outputs."""
    moved = False
    left = controller.rate
    while left > 0 and controller.released[0] < controller.last_step:
        released = controller.released[0]
        if controller.waits and released % controller.batch_steps == 0:
            batch, before = released // controller.batch_steps, 0
            for loop in range(len(controller.trips)):
                before += batch % controller.trips[loop] * controller.results[loop]
                batch //= controller.trips[loop]
            if tally[counted.RESULTS] < before:
                break
        steps = min(left, controller.batch_steps - released % controller.batch_steps)
        controller.released[0] += steps
        left -= steps
        moved = True
    return moved
