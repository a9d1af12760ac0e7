"""The controller: which control steps the distribution ports may send words for."""

from __future__ import annotations

import math

from maerisim.engine.event.component import Component, Surroundings, Tick
from maerisim.engine.event.global_buffer import GlobalBuffer
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import Program


class Controller(Component):
    """Releases control steps to the ports, one batch after the other where it waits for outputs.

    ``released`` steps may be sent for; all from the start where nothing holds the ports back.
    """

    def __init__(
        self, surroundings: Surroundings, program: Program, hardware: Hardware, global_buffer: GlobalBuffer
    ) -> None:
        super().__init__(surroundings)
        self.batches, self.limits, self.global_buffer = program.batches, hardware.controller, global_buffer
        free = not self.limits.holds_ports_back
        self.released: float = math.inf if free else 0

    def run(self) -> Tick:
        """Each cycle as many steps as the rate allows, until all are released."""
        batches, results_before = self.batches, self.batches.results_before
        rate = self.limits.steps_per_cycle or batches.last_step
        while self.released < batches.last_step:
            for _ in range(rate):
                batch, step = divmod(int(self.released), batches.steps)
                waits = self.limits.wait_for_outputs and step == 0
                if self.released == batches.last_step or (waits and self.global_buffer.results < results_before(batch)):
                    break
                self.released += 1
                self.watchdog.moved = True
            yield self.tick()
