"""What the components of the event engine have in common."""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple, Protocol

import simpy

from maerisim.engine.observers import Observer
from maerisim.engine.watchdog import Watchdog

Tick = Generator[simpy.Event, None, None]
"""The process of a component: it does its work of a cycle, and sleeps until the next one."""


class Process(Protocol):
    """A component that works on its own, in the order in which they are started."""

    def run(self) -> Tick:
        """Its work, cycle by cycle."""


class Surroundings(NamedTuple):
    """The clock, which no component holds itself, who is told of events, and who has to know that something moves."""

    clock: simpy.Environment
    observer: Observer
    watchdog: Watchdog


class Component:
    """A component of the machine."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.clock, self.observer, self.watchdog = surroundings

    @property
    def cycle(self) -> int:
        """The present cycle, from 0."""
        return int(self.clock.now)

    def tick(self) -> simpy.Event:
        """Sleep until the next cycle."""
        return self.clock.timeout(1)
