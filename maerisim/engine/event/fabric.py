"""The event engine: the components of the machine, wired up and started. This is the specification of a cycle.

Every component is a file, and a SimPy process that looks at its queues once a cycle and then sleeps for one cycle. Processes are
started receivers first, and SimPy resumes processes that wake at the same time in the order in which they went to
sleep, so the order of work within a cycle is, always:

1. collection buses take one result each, round robin among the virtual neurons wired to them;
2. accumulators take the sum that has arrived and start, continue or complete an output;
3. adder switches, from the results back towards the multipliers, add (or compare) the words on their operand wires;
4. multiplier switches, by rising index, multiply;
5. the controller releases control steps, and the global buffer writes results;
6. distribution ports deliver one word each.

A word put on a queue is therefore seen one cycle later, and a full queue that is popped takes a word in the same cycle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import simpy

from maerisim.arrays import Ints
from maerisim.engine.event.accumulator import Accumulator
from maerisim.engine.event.adder_switch import AdderSwitch
from maerisim.engine.event.collection_bus import CollectionBus
from maerisim.engine.event.component import Process, Surroundings
from maerisim.engine.event.controller import Controller
from maerisim.engine.event.distribution_port import DistributionPort
from maerisim.engine.event.global_buffer import GlobalBuffer
from maerisim.engine.event.multiplier_switch import MultiplierSwitch
from maerisim.engine.event.queues import Queue
from maerisim.engine.observers import Counting, Observer, all_of
from maerisim.engine.outcome import Progress, Run
from maerisim.engine.watchdog import Watchdog, deadlock_message
from maerisim.errors import DeadlockError
from maerisim.fabric.collection_buses import virtual_neurons_by_bus
from maerisim.fabric.topology import Transfer, Wire
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import Control, Program
from maerisim.program.wiring import wire_up
from maerisim.workload.reference import Operands


class Fabric:
    """All components of one run. ``operands`` is None when no values are wanted; every word is then 0."""

    def __init__(
        self,
        program: Program,
        hardware: Hardware,
        operands: Operands | None,
        outputs: Ints,
        observer: Observer | None = None,
    ) -> None:
        self.program, self.hardware = program, hardware
        self.clock = simpy.Environment()
        self.watchdog = Watchdog(hardware.distribution.latency)
        self.surroundings = Surroundings(self.clock, observer or Observer(), self.watchdog)
        self.wiring = wire_up(program, hardware)
        self.queues = {wire: self.queue(wire, depth) for wire, depth in self.wiring.depth.items()}
        self.global_buffer = GlobalBuffer(self.surroundings, program, hardware, operands, outputs)
        self.surroundings.observer.configured(program, hardware)
        self.start()

    def queue(self, wire: Wire, depth: int) -> Queue:  # noqa: ARG002 (in lock step it depends on the wire)
        """The queue that a wire is."""
        return Queue(self.clock, depth)

    def start(self) -> None:
        """Start every process, receivers first."""
        around, program, hardware = self.surroundings, self.program, self.hardware
        queues, wiring = self.queues, self.wiring
        self.controller = Controller(around, program, hardware, self.global_buffer)
        self.switches: list[MultiplierSwitch] = []
        for number, wire in enumerate(wiring.product):
            neighbour = self.switches[-1] if self.switches else None
            self.switches.append(MultiplierSwitch(around, number, program, hardware, queues[wire], neighbour))
        self.ports = [
            DistributionPort(around, port, program, hardware, self.switches, self.controller, self.global_buffer)
            for port in range(hardware.ports)
        ]
        accumulators = [
            Accumulator(around, vn, program, queues[result], queues[target], self.global_buffer)
            for vn, (result, target) in enumerate(zip(wiring.result, wiring.accumulated, strict=True))
        ]
        adders = self.adders(wiring.reduction)
        # Without a stage of their own, accumulators pass a sum on in the cycle in which it leaves the adders.
        own_stage = hardware.accumulation.latency > 0
        behind_products: list[Process] = [*accumulators, *adders] if own_stage else [*adders, *accumulators]
        receivers_first: tuple[Process, ...] = (
            *self.buses(),
            *self.adders(wiring.collection),
            *behind_products,
            *self.switches,
            self.controller,
            self.global_buffer,
            *self.ports,
        )
        for component in receivers_first:
            self.clock.process(component.run())

    def buses(self) -> list[CollectionBus]:
        """The collection buses that have something to do."""
        members = virtual_neurons_by_bus(self.program.bus_inputs, self.hardware.buses)
        least_recent = self.hardware.collection.arbiter == "least_recently_granted"
        return [
            CollectionBus(
                self.surroundings,
                bus,
                [(member, self.queues[self.wiring.outgoing[member]]) for member in of_bus],
                self.global_buffer,
                least_recently_granted=least_recent,
            )
            for bus, of_bus in enumerate(members)
            if of_bus
        ]

    def adders(self, receivers_first: Iterable[Transfer]) -> list[AdderSwitch]:
        """The configured uses of adder switches, and the registers of long wires."""
        of_wire: dict[Wire, list[Transfer]] = {}
        for transfer in receivers_first:
            of_wire.setdefault(transfer.output._replace(stage=0), []).append(transfer)
        return [AdderSwitch(self.surroundings, each, self.program, self.queues) for each in of_wire.values()]

    @property
    def finished(self) -> bool:
        """Whether the run is over: all results have left."""
        return self.global_buffer.finished

    @property
    def stalled(self) -> Mapping[int, str]:
        """For each multiplier switch with work left why it stood still last."""
        return {switch.number: switch.stalled_by for switch in self.switches if not switch.done}

    @property
    def blocked(self) -> Mapping[int, tuple[str, list[int]]]:
        """For each port that could send nothing the operand that waits first, and where it is to go."""
        heads = {port.number: port.blocked for port in self.ports}
        return {port: (head.operand, head.destinations) for port, head in heads.items() if head is not None}

    @property
    def row_in_wait(self) -> Control | None:
        """What a controller that drives the fabric in lock step waits for."""
        return None


def run(
    program: Program,
    hardware: Hardware,
    operands: Operands | None,
    outputs: Ints,
    progress: Progress | None,
    observers: Sequence[Observer] = (),
    fabric_type: type[Fabric] = Fabric,
) -> Run:
    """Run to the last result; ``observers`` are told of everything that happens.

    Fills ``outputs`` (flat) when values are carried. Raises DeadlockError when nothing moves for longer than a word
    takes through the distribution network.
    """
    counting = Counting(hardware)
    observer = all_of([counting, *observers])
    fabric = fabric_type(program, hardware, operands, outputs, observer)
    cycle = 0
    while not fabric.finished:
        fabric.clock.run(until=cycle + 0.5)
        observer.cycle_ended(cycle)
        if fabric.watchdog.bites():
            raise DeadlockError(_deadlock(fabric, cycle))
        cycle += 1
        if progress is not None and cycle % 1000 == 0:
            progress(fabric.global_buffer.results, program.results)
    return Run(cycle, counting.counters(), fabric.global_buffer.first_result, cycle)


def _deadlock(fabric: Fabric, cycle: int) -> str:
    return deadlock_message(
        cycle=cycle,
        results=fabric.global_buffer.results,
        expected=fabric.program.results,
        stalled=fabric.stalled,
        blocked=fabric.blocked,
        waiting=[str(wire) for wire, queue in fabric.queues.items() if queue.items],
        row=fabric.row_in_wait,
    )
