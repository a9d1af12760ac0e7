"""The machine driven in lock step: one controller program for all ports, multiplier switches with roles.

Adder switches, collection buses and the global buffer are those of :mod:`maerisim.engine.event.fabric`. The order of work
within a cycle is:

1. collection buses take one result each;
2. adder switches, from the results back towards the multipliers, add the words in their operand queues;
3. multiplier switches, from the highest index down, multiply, pass a product on and take a copy from the left;
4. the words in the trees of the ports reach the leaves, and pass through two registers into the multiplier switches;
5. the global buffer writes results, and the controller's row goes or waits;
6. the ports configure and send;
7. multiplier switches take up a new configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from maerisim.arrays import Ints
from maerisim.engine.event import fabric as event
from maerisim.engine.event.component import Tick
from maerisim.engine.event.fabric import Fabric
from maerisim.engine.event.lock_step.controller import RowController
from maerisim.engine.event.lock_step.distribution_port import SlotPort
from maerisim.engine.event.lock_step.multiplier_switch import RoleSwitch
from maerisim.engine.event.queues import Queue, TimedQueue
from maerisim.engine.observers import Observer
from maerisim.engine.outcome import Progress, Run
from maerisim.fabric.topology import Wire
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import Control, Program
from maerisim.workload.reference import Operands


class LockStepFabric(Fabric):
    """All components of a run whose program has a ``control`` thread."""

    def queue(self, wire: Wire, depth: int) -> Queue:
        """A wire takes one word a cycle, and may be a *normal* queue."""
        return TimedQueue(self.clock, depth, normal=wire in self.wiring.normal)

    def start(self) -> None:
        """Start every process, in the order of work."""
        around, program, hardware = self.surroundings, self.program, self.hardware
        switches: list[RoleSwitch] = []
        for number in range(hardware.multipliers):
            neighbour = switches[-1] if switches else None
            switches.append(RoleSwitch(around, number, hardware, self.queues[Wire("product", 0, number)], neighbour))
        ports = [SlotPort(around, number, hardware, switches) for number in range(hardware.ports)]
        self.rows = RowController(around, program, switches, ports, self.global_buffer)
        processes = [
            *(bus.run() for bus in self.buses()),
            *(adder.run() for adder in self.adders(self.wiring.reduction)),
            self.in_turn([switch.step for switch in reversed(switches)]),
            self.in_turn([port.deliver for port in ports]),
            self.in_turn([switch.step_leaf for switch in switches]),
            self.global_buffer.run(),
            self.rows.run(),
            self.in_turn([port.step for port in ports]),
            self.in_turn([switch.take_configuration for switch in switches]),
        ]
        for process in processes:
            self.clock.process(process)

    def in_turn(self, work: Sequence[Callable[[], None]]) -> Tick:
        """What components of one kind do in every cycle, one after the other."""
        while True:
            for of_component in work:
                of_component()
            yield self.clock.timeout(1)

    @property
    def finished(self) -> bool:
        """Whether everything is sent and all results have left."""
        return self.rows.at_the_end and super().finished

    @property
    def stalled(self) -> Mapping[int, str]:
        """Switches with roles wait for nothing that they could name."""
        return {}

    @property
    def blocked(self) -> Mapping[int, tuple[str, list[int]]]:
        """Nor do ports: it is the controller that waits for them."""
        return {}

    @property
    def row_in_wait(self) -> Control | None:
        """What the controller waits for."""
        return None if self.rows.visit is None else self.rows.visit.template.kind


def run(
    program: Program,
    hardware: Hardware,
    operands: Operands | None,
    outputs: Ints,
    progress: Progress | None,
    observers: Sequence[Observer] = (),
) -> Run:
    """Run a program with a ``control`` thread; see :func:`maerisim.engine.event.fabric.run`."""
    return event.run(program, hardware, operands, outputs, progress, observers, LockStepFabric)
