"""A controller that drives all ports and multiplier switches with one program of rows."""

from __future__ import annotations

from collections.abc import Sequence

from maerisim.engine.event.component import Component, Surroundings, Tick
from maerisim.engine.event.global_buffer import GlobalBuffer
from maerisim.engine.event.lock_step.distribution_port import Slot, SlotPort
from maerisim.engine.event.lock_step.multiplier_switch import RoleSwitch
from maerisim.program.program import Control, ControlRow, Program, Role


class RowController(Component):
    """Walks the ``control`` thread of a program; ``visit`` is the row that it is at."""

    def __init__(
        self,
        surroundings: Surroundings,
        program: Program,
        switches: Sequence[RoleSwitch],
        ports: Sequence[SlotPort],
        global_buffer: GlobalBuffer,
    ) -> None:
        super().__init__(surroundings)
        self.program, self.switches, self.ports, self.global_buffer = program, switches, ports, global_buffer
        self.templates = {thread.name: thread.templates for thread in program.streams}
        assert program.control is not None
        self.rows = program.control.walk()
        self.visit = next(self.rows, None)

    def run(self) -> Tick:
        """One row after the other; a row that goes takes a cycle."""
        while self.visit is not None:
            if self.goes(self.visit.template, self.visit.base):
                self.visit = next(self.rows, None)
                self.watchdog.moved = True
            yield self.tick()

    @property
    def at_the_end(self) -> bool:
        """Whether everything is sent: nothing but the last results, or not even they, are waited for."""
        if self.visit is None:
            return True
        return self.visit.template.kind == Control.RESULTS and self.visit.base == self.program.results

    def goes(self, row: ControlRow, due: int) -> bool:
        """Do what a row says, or say that it has to wait."""
        if row.kind == Control.CONFIGURE:
            return self.configure(row)
        if row.kind == Control.SEND:
            return self.send(row)
        if row.kind == Control.DRAINED:
            return not any(port.undelivered for port in self.ports)
        if row.kind == Control.RESULTS:
            results = self.global_buffer.results
            return results == due or (due == self.program.results and results > due)
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

    def send(self, row: ControlRow) -> bool:
        """Queue a packet at every port that has one, unless one of their queues is full."""
        packets = self.templates[row.operand][row.packets]
        slots = [
            (port, Slot(row.operand, packets.destinations_of(number).tolist()), number)
            for port in self.ports
            for number in packets.of_port(port.number)
        ]
        for port, slot, _ in slots:
            if not port.waiting.room:
                self.observer.port_stalled(port.number, row.operand, slot.destinations, self.cycle)
                return False
        for port, slot, number in slots:
            port.accept(slot)
            reads, hops = int(packets.reads[number]), int(packets.hops[number])
            self.observer.sent(
                port.number, row.operand, slot.destinations, 0, self.cycle, address=-1, reads=reads, hops=hops
            )
        return True
