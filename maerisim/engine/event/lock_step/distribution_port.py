"""A distribution port with a queue, whose words take two cycles each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from maerisim.engine.event.component import Component, Surroundings
from maerisim.engine.event.lock_step.multiplier_switch import EMPTY, RoleSwitch
from maerisim.engine.event.queues import Queue
from maerisim.hardware.hardware import Hardware


class Slot(NamedTuple):
    """A word of the controller for one port: the multiplier switches that it goes to."""

    operand: str
    destinations: list[int]


class SlotPort(Component):
    """Sends a word in two cycles, one to configure its subtree and one in the tree.

    Slots are ``waiting``, ``configuring`` or in the ``tree``; ``undelivered`` counts all of them.
    """

    def __init__(
        self, surroundings: Surroundings, number: int, hardware: Hardware, switches: Sequence[RoleSwitch]
    ) -> None:
        super().__init__(surroundings)
        self.number, self.switches = number, switches
        self.waiting = Queue(self.clock, hardware.distribution.fifo_depth)
        self.configuring: Slot | None = None
        self.tree: Slot | None = None
        self.undelivered = 0

    def accept(self, slot: Slot) -> None:
        """Queue a slot of the controller."""
        self.waiting.push(slot)
        self.undelivered += 1

    def deliver(self) -> None:
        """The word in the tree reaches all its leaves; one that finds a full leaf is lost."""
        if self.tree is None:
            return
        operand, destinations = self.tree
        for index in destinations:
            leaf = self.switches[index].first
            if leaf.room:
                leaf.push(EMPTY)
                self.observer.delivered(self.number, operand, index, 0, self.cycle)
                self.watchdog.moved = True
            else:
                self.observer.lost(self.number, operand, index, self.cycle)

    def step(self) -> None:
        """The word in the tree is gone, or the configured slot is sent; the queue moves up."""
        if self.tree is not None:
            self.tree = None
            self.undelivered -= 1
            self.watchdog.moved = True
        elif self.configuring is not None:
            self.tree, self.configuring = self.configuring, None
            self.watchdog.moved = True
        if self.configuring is None and self.waiting.items:
            self.configuring = self.waiting.pop()
            self.watchdog.moved = True
