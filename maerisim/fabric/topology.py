"""What every reduction topology answers: where virtual neurons can lie, and how each of them is summed.

A topology routes a set of virtual neurons (VNs), each a run of neighbouring multiplier switches, into *transfers*: a
switch takes one word from each of its operand wires, adds them, and puts the sum on one output wire. A wire is a
queue with one writer and one reader.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

from maerisim.fabric.virtual_neuron import Span


class Wire(NamedTuple):
    """A queue between two components.

    ``kind`` is ``product`` (place: multiplier switch), ``up`` (the output of adder switch ``place`` at ``level`` to
    its parent), ``result`` (place: virtual neuron), or what a topology calls its other links: ``lateral`` (to the
    neighbour that is not its sibling), ``chain`` (to the next adder switch). In a configuration that is given switch by
    switch also ``operand`` (input ``place`` of ``level``, which has a queue of its own) and ``port`` (input ``place`` of
    collection bus ``level``). ``stage`` counts the registers of a wire whose latency exceeds one cycle.
    """

    kind: str
    level: int
    place: int
    stage: int = 0

    def __str__(self) -> str:
        place = f"{self.place}" if self.kind in ("product", "result", "chain") else f"{self.level}.{self.place}"
        return f"{self.kind} {place}" + (f" stage {self.stage}" if self.stage else "")


class Transfer(NamedTuple):
    """One use of an adder switch per word: the sum of one word of each operand wire goes to the output wire."""

    switch: int
    operands: tuple[Wire, ...]
    output: Wire
    virtual_neuron: int
    latency: int = 1


def crosses(transfer: Transfer) -> bool:
    """Whether a transfer puts a word on a lateral link, and does not only move it along the registers of one."""
    operand, output = transfer.operands[0], transfer.output
    return output.kind == "lateral" and (operand.kind, operand.place) != (output.kind, output.place)


@dataclass(frozen=True)
class Routing:
    """A configured reduction network: its transfers, and for each VN the switch where its sum leaves.

    ``exits`` holds one adder switch per VN, ``exit_names`` what it is called; ``exit_positions`` its place along the
    multipliers (0 .. M-1), from which the collection network derives the bus. A configuration that is given switch by switch knows no VNs: it has
    ``ports``, the wires that end at a collection bus. Nothing moves before cycle ``configured_at``.
    """

    transfers: tuple[Transfer, ...]
    exits: tuple[int, ...] = ()
    exit_names: tuple[str, ...] = ()
    exit_positions: tuple[int, ...] = ()
    ports: tuple[Wire, ...] = ()
    configured_at: int = 0

    @cached_property
    def receivers_first(self) -> tuple[Transfer, ...]:
        """The transfers ordered so that whoever takes from a wire precedes whoever puts on it."""
        reader = {wire: transfer for transfer in self.transfers for wire in transfer.operands}
        rank: dict[Wire, int] = {}

        for transfer in self.transfers:
            way: list[Wire] = []
            step: Transfer | None = transfer
            while step is not None and step.output not in rank:
                way.append(step.output)
                step = reader.get(step.output)
            behind = -1 if step is None else rank[step.output]
            rank |= {wire: behind + place for place, wire in enumerate(reversed(way), 1)}
        return tuple(sorted(self.transfers, key=lambda t: (rank[t.output], t.switch, t.output)))

    @cached_property
    def senders_first(self) -> tuple[Transfer, ...]:
        """The adder switches alone, in the other order: those whose output is a register stand for all that follow."""
        return tuple(
            transfer
            for transfer in reversed(self.receivers_first)
            if len(transfer.operands) > 1 or not transfer.operands[0].stage
        )

    def depth(self, virtual_neuron: int) -> int:
        """Transfers on the longest way from a product of this VN to its result."""
        longest: dict[Wire, int] = {}
        for transfer in reversed(self.receivers_first):
            if transfer.virtual_neuron == virtual_neuron:
                longest[transfer.output] = 1 + max(longest.get(wire, 0) for wire in transfer.operands)
        return longest[Wire("result", 0, virtual_neuron)]


class Place(NamedTuple):
    """A component of the fabric: a ``multiplier`` switch or an ``adder`` switch, by its number."""

    kind: str
    number: int


class Link(NamedTuple):
    """A link from the multiplier switch or adder switch ``source`` to the adder switch ``target``.

    ``beside``: it does not lead from a switch to the next one on its regular way; ``both_ways``: words go either way.
    """

    source: Place
    target: int
    beside: bool = False
    both_ways: bool = False


class Topology(Protocol):
    """A reduction topology over the multiplier switches, from which all that depends on it follows.

    Whoever adds one writes a class like those beside this file, names it in :mod:`maerisim.fabric.choose` and gives the
    estimate a twin of its rule in ``maerisim/kernels/estimating/``.
    """

    switches: int

    def alignment(self, size: int) -> int:  # noqa: ARG002
        """The number of which the first multiplier switch of a VN of ``size`` has to be a multiple."""
        return 1

    def block(self, size: int) -> int:
        """Multiplier switches that a VN of ``size`` occupies when VNs of that size are packed side by side."""
        multiple = self.alignment(size)
        return -(-size // multiple) * multiple

    @abstractmethod
    def route(self, spans: Sequence[Span]) -> Routing:
        """Sum each VN on its own path; no two VNs share a wire."""

    def configured(self, transfers: Iterable[Transfer], exits: Sequence[int], positions: Sequence[int]) -> Routing:
        """The network with these transfers, registers added, given where each VN's sum leaves."""
        return Routing(staged(transfers), tuple(exits), tuple(map(self.name_switch, exits)), tuple(positions))

    @abstractmethod
    def column(self, switch: int) -> int:
        """A place of adder switch ``switch`` along the multiplier switches that is no other adder switch's."""

    @abstractmethod
    def level(self, switch: int) -> int:
        """How far adder switch ``switch`` is from the multipliers, 1 next to them."""

    @abstractmethod
    def name_switch(self, switch: int) -> str:
        """How to call adder switch ``switch`` in messages and drawings."""

    @abstractmethod
    def in_words(self) -> str:
        """What it consists of, and its latencies."""

    @abstractmethod
    def links(self) -> Iterator[Link]:
        """Every link between multiplier and adder switches."""


def staged(transfers: Iterable[Transfer]) -> tuple[Transfer, ...]:
    """Replace every transfer of latency n by itself and n - 1 registers on its output wire."""
    result: list[Transfer] = []
    for transfer in transfers:
        operands, wire = transfer.operands, transfer.output
        for stage in range(transfer.latency - 1, 0, -1):
            register = Wire(wire.kind, wire.level, wire.place, stage)
            result.append(Transfer(transfer.switch, operands, register, transfer.virtual_neuron))
            operands = (register,)
        result.append(Transfer(transfer.switch, operands, wire, transfer.virtual_neuron))
    return tuple(result)
