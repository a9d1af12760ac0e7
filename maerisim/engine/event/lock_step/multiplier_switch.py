"""A multiplier switch with a role, and the leaf registers in front of it."""

from __future__ import annotations

from maerisim.engine.event.component import Component, Surroundings
from maerisim.engine.event.queues import Queue, Word
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import Role

EMPTY = Word(0)
"""The words carry no values: the RTL is a reference for timing and counts, its testbench computes no convolution."""

_LASTING = {Role.MIDDLE_FIRST: Role.MIDDLE, Role.RIGHT_FIRST: Role.RIGHT}


class RoleSwitch(Component):
    """Multiplies, passes products on while its count lasts, and copies words from its left neighbour.

    ``left`` products may still leave; ``sent`` is when one last did; ``following`` is the configuration that waits. A
    delivered word passes the registers ``first`` and ``second``.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        number: int,
        hardware: Hardware,
        wire: Queue,
        neighbour: RoleSwitch | None,
    ) -> None:
        super().__init__(surroundings)
        self.number, self.wire, self.neighbour = number, wire, neighbour
        switch, clock = hardware.multiplier, self.clock
        self.stream = Queue(clock, switch.input_fifo_depth)
        self.forwarded = Queue(clock, switch.forward_fifo_depth)
        self.products = Queue(clock, switch.product_fifo_depth)
        self.first, self.second = Queue(clock, 1), Queue(clock, 1)
        self.role = Role.IDLE
        self.left = 0
        self.sent = -1
        self.following: tuple[Role, int] | None = None

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

    def step(self) -> None:
        """Multiply, pass a product on while the count lasts, take a copy from the left neighbour."""
        source = self.source
        if source is not None and source.items and self.products.room:
            self.products.push(source.pop())
            self.observer.multiplied(self.number, 0, self.cycle)
            self.watchdog.moved = True
        if self.products.items and self.left and self.wire.room:
            self.wire.push(self.products.pop())
            self.left -= 1
            self.sent = self.cycle
            self.watchdog.moved = True
        copied = None if self.neighbour is None else self.neighbour.copied
        if copied is not None and copied.items and self.forwarded.room:
            self.forwarded.push(copied.items[0])
            self.observer.forwarded(self.number - 1, self.number, 0, self.cycle)
            self.watchdog.moved = True

    def step_leaf(self) -> None:
        """Words pass through both registers of the leaf in a cycle, where there is room."""
        if self.first.items and self.second.room:
            self.second.push(self.first.pop())
            self.watchdog.moved = True
        if self.second.items and (self.role != Role.LEFT or self.stream.room):
            word = self.second.pop()
            if self.role == Role.LEFT:
                self.stream.push(word)
            self.watchdog.moved = True

    def take_configuration(self) -> None:
        """A first state ends; with a count of 0 at the start of the cycle the switch takes up the role that waits."""
        if self.role in _LASTING:
            self.role = _LASTING[self.role]
            self.watchdog.moved = True
        if self.following is not None and self.left == 0 and self.sent != self.cycle:
            self.role, self.left = self.following
            self.following = None
            self.observer.reconfigured(self.number, self.role, self.left, self.cycle)
            self.watchdog.moved = True
