"""The event engine's fabric driven in lock step: one controller program for all ports, multiplier switches with roles.

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

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from maerisim.arrays import Ints
from maerisim.engine.event import fabric as event
from maerisim.engine.event.fabric import Fabric, Tick
from maerisim.engine.event.queues import Queue, Word
from maerisim.engine.outcome import Progress, Run
from maerisim.fabric.collection_buses import virtual_neurons_by_bus
from maerisim.fabric.topology import Transfer, Wire
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import Control, ControlRow, Program, Role, Visit
from maerisim.workload.reference import Operands

T = TypeVar("T")

_EMPTY = Word(0)
"""The words carry no values: the RTL is a reference for timing and counts, its testbench computes no convolution."""

_LASTING = {Role.MIDDLE_FIRST: Role.MIDDLE, Role.RIGHT_FIRST: Role.RIGHT}


class Slot(NamedTuple):
    """A word of the controller for one port: the multiplier switches that it goes to."""

    destinations: list[int]


@dataclass
class RoleSwitch:
    """A multiplier switch with a role. ``left`` products may still leave; ``sent`` is when one last did; ``following``
    is the configuration that waits. A delivered word passes the registers ``first`` and ``second``.
    """

    stream: Queue
    forwarded: Queue
    products: Queue
    first: Queue
    second: Queue
    role: Role = Role.IDLE
    left: int = 0
    sent: float = -1
    following: tuple[Role, int] | None = None

    @property
    def source(self) -> Queue | None:
        """Where the words come from that this switch multiplies."""
        if self.role == Role.LEFT:
            return self.stream
        return self.forwarded if self.role in (Role.MIDDLE, Role.RIGHT) else None

    @property
    def copied(self) -> Queue | None:
        """Where the words come from that this switch copies to the right."""
        return None if self.role == Role.RIGHT else self.source


@dataclass
class Port:
    """A distribution port: slots that wait, the one being configured, the one in the tree, slots not yet delivered."""

    waiting: Queue
    configuring: Slot | None = None
    tree: Slot | None = None
    undelivered: int = 0


class LockStepFabric(Fabric):
    """All components of a run whose program has a ``control`` thread."""

    def _start(self) -> None:
        hardware, env = self.hardware, self.env
        switch = hardware.multiplier
        self.switches = [
            RoleSwitch(
                stream=Queue(env, switch.input_fifo_depth),
                forwarded=Queue(env, switch.forward_fifo_depth),
                products=Queue(env, switch.product_fifo_depth),
                first=Queue(env, 1),
                second=Queue(env, 1),
            )
            for _ in range(hardware.multipliers)
        ]
        self.ports = [Port(Queue(env, hardware.distribution.fifo_depth)) for _ in range(hardware.ports)]
        self.templates = {thread.name: thread.templates for thread in self.program.streams}
        assert self.program.control is not None
        self.rows = self.program.control.walk()
        self.visit = next(self.rows, None)
        self._start_processes()

    def _start_processes(self) -> None:
        """Start every process, in the order of work."""
        process = self.env.process
        for bus, members in enumerate(virtual_neurons_by_bus(self.program.bus_inputs, self.hardware.buses)):
            if members:
                process(self.bus(bus, members))
        for transfer in self.wiring.reduction:
            process(self.configured_adder(transfer))
        process(self.in_turn(self.step_switch, range(len(self.switches) - 1, -1, -1)))
        process(self.in_turn(self.deliver, self.ports))
        process(self.in_turn(self.step_leaf, self.switches))
        process(self.global_buffer())
        process(self.controller())
        process(self.in_turn(self.step_port, self.ports))
        process(self.in_turn(self.take_configuration, self.switches))

    def in_turn(self, work: Callable[[T], None], components: Sequence[T]) -> Tick:
        """Components that do the same ``work`` in every cycle, one after the other."""
        while True:
            for component in components:
                work(component)
            yield self.tick()

    @property
    def finished(self) -> bool:
        """Whether everything is sent and all results have left."""
        all_sent = self.visit is None or self.waits_for_last_results(self.visit)
        return all_sent and super().finished

    @property
    def row_in_wait(self) -> Control | None:
        """What the controller waits for."""
        return None if self.visit is None else self.visit.template.kind

    def waits_for_last_results(self, visit: Visit[ControlRow]) -> bool:
        """Whether nothing but the end of the run follows."""
        return visit.template.kind == Control.RESULTS and visit.base == self.program.results

    def write_back(self, vn: int, word: Word) -> None:  # noqa: ARG002 (a bus passes it on)
        """The result of a port leaves its bus; there is no accumulator that knows its address."""
        self.count.buffer_writes["outputs"] += 1
        self.write_queue.append(vn)
        self.progress = True

    def configured_adder(self, transfer: Transfer) -> Tick:
        """An adder switch that does nothing before it is configured."""
        while self.env.now < self.program.reduction.configured_at:
            self.progress = True
            yield self.tick()
        yield from self.adder(transfer)

    def step_switch(self, index: int) -> None:
        """Multiplier switch: multiply, pass a product on while the count lasts, take a copy from the left neighbour."""
        switch, wire = self.switches[index], self.queues[Wire("product", 0, index)]
        if switch.source is not None and switch.source.items and switch.products.room:
            switch.products.push(switch.source.pop())
            self.count.multiplications += 1
            self.count.busy["multipliers"][index] += 1
            self.progress = True
        if switch.products.items and switch.left and wire.room:
            wire.push(switch.products.pop())
            switch.left -= 1
            switch.sent = self.env.now
            self.progress = True
        neighbour = self.switches[index - 1].copied if index else None
        if neighbour is not None and neighbour.items and switch.forwarded.room:
            switch.forwarded.push(neighbour.items[0])
            self.count.forwards += 1
            self.progress = True

    def deliver(self, port: Port) -> None:
        """The word in the tree reaches all its leaves; one that finds a full leaf is lost."""
        if port.tree is not None:
            for index in port.tree.destinations:
                if self.switches[index].first.room:
                    self.switches[index].first.push(_EMPTY)
                    self.progress = True

    def step_leaf(self, switch: RoleSwitch) -> None:
        """Words pass through both registers of a leaf in a cycle, where there is room."""
        if switch.first.items and switch.second.room:
            switch.second.push(switch.first.pop())
            self.progress = True
        if switch.second.items and (switch.role != Role.LEFT or switch.stream.room):
            word = switch.second.pop()
            if switch.role == Role.LEFT:
                switch.stream.push(word)
            self.progress = True

    def controller(self) -> Tick:
        """Controller: one row after the other; a row that goes takes a cycle."""
        while self.visit is not None:
            if self.goes(self.visit.template, self.visit.base):
                self.visit = next(self.rows, None)
                self.progress = True
            yield self.tick()

    def goes(self, row: ControlRow, due: int) -> bool:
        """Do what a row of the controller's program says, or say that it has to wait."""
        if row.kind == Control.CONFIGURE:
            return self.configure(row)
        if row.kind == Control.SEND:
            return self.send_slots(row)
        if row.kind == Control.DRAINED:
            return not any(port.undelivered for port in self.ports)
        if row.kind == Control.RESULTS:
            return self.count.results == due or (due == self.program.results and self.count.results > due)
        return True

    def configure(self, row: ControlRow) -> bool:
        """Give switches a role and a count, unless one has not taken up its last."""
        assert row.roles is not None
        given = [(self.switches[index], Role(role)) for index, role in enumerate(row.roles) if role >= 0]
        if any(switch.following for switch, _ in given):
            return False
        for switch, role in given:
            switch.following = role, row.products
        return True

    def send_slots(self, row: ControlRow) -> bool:
        """Queue a packet at every port that has one, unless one of their queues is full."""
        packets = self.templates[row.operand][row.packets]
        chosen = [(port, number) for port in range(len(self.ports)) for number in packets.of_port(port)]
        if not all(self.ports[port].waiting.room for port, _ in chosen):
            self.count.port_stalls += 1
            return False
        for port, number in chosen:
            destinations = packets.destinations_of(number).tolist()
            self.ports[port].waiting.push(Slot(destinations))
            self.ports[port].undelivered += 1
            self.count.distributed[row.operand] += 1
            self.count.delivered[row.operand] += len(destinations)
            self.count.buffer_reads[row.operand] += int(packets.reads[number])
            self.count.distribution_hops += int(packets.hops[number])
            self.count.busy["ports"][port] += 1
        return True

    def step_port(self, port: Port) -> None:
        """Distribution port: a word takes two cycles, one to configure its subtree and one to be sent."""
        if port.tree is not None:
            port.tree = None
            port.undelivered -= 1
            self.progress = True
        elif port.configuring is not None:
            port.tree, port.configuring = port.configuring, None
            self.progress = True
        if port.configuring is None and port.waiting.items:
            port.configuring = port.waiting.pop()
            self.progress = True

    def take_configuration(self, switch: RoleSwitch) -> None:
        """First states end; a switch whose count was 0 at the start of the cycle takes up the role that waits."""
        if switch.role in _LASTING:
            switch.role = _LASTING[switch.role]
            self.progress = True
        if switch.following is not None and switch.left == 0 and switch.sent != self.env.now:
            switch.role, switch.left = switch.following
            switch.following = None
            self.progress = True


def run(
    program: Program, hardware: Hardware, operands: Operands | None, outputs: Ints, progress: Progress | None
) -> Run:
    """Run a program with a ``control`` thread; see :func:`maerisim.engine.event.fabric.run`."""
    return event.run(program, hardware, operands, outputs, progress, LockStepFabric)
