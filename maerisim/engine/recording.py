"""What happened in each cycle of a window of a run, kept by an observer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from maerisim.engine.observers import Observer


class CycleWindow(NamedTuple):
    """The cycles from ``first`` up to, but not with, ``end``."""

    first: int
    end: int


class SentWord(NamedTuple):
    """A word that a port sends, or has to keep: of which operand, and to which multiplier switches."""

    port: int
    operand: str
    destinations: tuple[int, ...]


class Arrival(NamedTuple):
    """A word that has reached a multiplier switch."""

    switch: int
    operand: str


class Handed(NamedTuple):
    """An input that a multiplier switch hands on to its neighbour."""

    switch: int
    to: int


class Addition(NamedTuple):
    """A word through an adder switch, for a virtual neuron; ``crosses``: on to its lateral link."""

    switch: int
    virtual_neuron: int
    crosses: bool = False


class Collected(NamedTuple):
    """A result on a collection bus, ``complete`` or a partial sum."""

    bus: int
    virtual_neuron: int
    complete: bool


@dataclass
class Frame:
    """What happened in one cycle. ``stalled`` gives for each multiplier switch that had to wait the cause."""

    sent: list[SentWord] = field(default_factory=list)
    held: list[SentWord] = field(default_factory=list)
    arrived: list[Arrival] = field(default_factory=list)
    multiplied: list[int] = field(default_factory=list)
    handed: list[Handed] = field(default_factory=list)
    added: list[Addition] = field(default_factory=list)
    accumulated: list[int] = field(default_factory=list)
    collected: list[Collected] = field(default_factory=list)
    written: list[int] = field(default_factory=list)
    stalled: dict[int, str] = field(default_factory=dict)


class Recording(Observer):
    """Keeps a :class:`Frame` for each cycle of ``window``; ``multiplied`` are also the inputs that a pooling passes on."""

    def __init__(self, window: CycleWindow) -> None:
        self.window = window
        self.frames: list[Frame] = []
        self._now = Frame()

    def sent(
        self,
        port: int,
        operand: str,
        destinations: Sequence[int],
        value: int,
        cycle: int,
        *,
        address: int,
        reads: int,
        hops: int,
    ) -> None:
        self._now.sent.append(SentWord(port, operand, tuple(destinations)))

    def delivered(self, port: int, operand: str, switch: int, value: int, cycle: int) -> None:
        self._now.arrived.append(Arrival(switch, operand))

    def multiplied(self, switch: int, value: int, cycle: int) -> None:
        self._now.multiplied.append(switch)

    def passed(self, switch: int, value: int, cycle: int) -> None:
        self._now.multiplied.append(switch)

    def forwarded(self, switch: int, to: int, value: int, cycle: int) -> None:
        self._now.handed.append(Handed(switch, to))

    def added(self, switch: int, virtual_neuron: int, values: Sequence[int], total: int, cycle: int) -> None:
        self._now.added.append(Addition(switch, virtual_neuron))

    def compared(self, switch: int, virtual_neuron: int, values: Sequence[int], total: int, cycle: int) -> None:
        self._now.added.append(Addition(switch, virtual_neuron))

    def crossed(self, switch: int, virtual_neuron: int, value: int, cycle: int) -> None:
        self._now.added[-1] = Addition(switch, virtual_neuron, crosses=True)

    def accumulated(self, virtual_neuron: int, total: int, cycle: int) -> None:
        self._now.accumulated.append(virtual_neuron)

    def collected(self, bus: int, virtual_neuron: int, value: int, complete: bool, cycle: int) -> None:
        self._now.collected.append(Collected(bus, virtual_neuron, complete))

    def written(self, virtual_neuron: int, address: int, value: int, cycle: int) -> None:
        self._now.written.append(virtual_neuron)

    def stalled(self, switch: int, cause: str, cycle: int) -> None:
        self._now.stalled[switch] = cause

    def port_stalled(self, port: int, operand: str, destinations: Sequence[int], cycle: int) -> None:
        self._now.held.append(SentWord(port, operand, tuple(destinations)))

    def cycle_ended(self, cycle: int) -> None:
        if self.window.first <= cycle < self.window.end:
            self.frames.append(self._now)
        self._now = Frame()
