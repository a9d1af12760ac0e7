"""A fabric with virtual neurons (VNs) on it: where each lies, and what every adder switch does for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from maerisim.errors import MappingError
from maerisim.fabric.choose import topology_of
from maerisim.fabric.collection_buses import bus_inputs
from maerisim.fabric.topology import Place, Routing, Topology, Transfer
from maerisim.fabric.virtual_neuron import Span, side_by_side
from maerisim.hardware.hardware import Hardware


class Deed(NamedTuple):
    """What an adder switch does for a VN: add two or three words, pass one on, or send one across a lateral link.

    ``how`` is ``2``, ``3``, ``1``, ``<`` or ``>``; ``leaves`` says that the sum goes to its collection bus.
    """

    virtual_neuron: int
    how: str
    leaves: bool = False

    def __str__(self) -> str:
        return f"{letter(self.virtual_neuron)}{self.how}{'*' if self.leaves else ''}"


class Passage(NamedTuple):
    """A link that a VN uses; ``crosses``: from a switch to its neighbour."""

    source: Place
    target: int
    virtual_neuron: int
    crosses: bool


def letter(virtual_neuron: int) -> str:
    """A, B, .., Z, AA, AB, .. for virtual neurons 0, 1, ..."""
    name = ""
    number = virtual_neuron + 1
    while number:
        number, digit = divmod(number - 1, 26)
        name = chr(ord("A") + digit) + name
    return name


@dataclass(frozen=True)
class Occupancy:
    """A fabric with virtual neurons on it; ``deeds`` maps adder switches to what they do, the VNs from left to right."""

    hardware: Hardware
    topology: Topology
    spans: tuple[Span, ...]
    reduction: Routing
    buses: tuple[int, ...]
    passages: tuple[Passage, ...]
    deeds: dict[int, list[Deed]]

    @classmethod
    def of(cls, hardware: Hardware, sizes: Sequence[int]) -> Occupancy:
        """Place VNs of the given sizes side by side. Raises MappingError when they do not fit."""
        topology = topology_of(hardware)
        spans = _placed(hardware, topology, sizes)
        return cls.routed(hardware, spans, topology.route(spans))

    @classmethod
    def routed(cls, hardware: Hardware, spans: tuple[Span, ...], reduction: Routing) -> Occupancy:
        """The VNs of a program, as it routes them."""
        topology = topology_of(hardware)
        buses = tuple(entry.bus for entry in bus_inputs(reduction, hardware))
        passages = _passages(topology, reduction)
        return cls(hardware, topology, spans, reduction, buses, passages, _deeds(reduction, passages))

    @property
    def owner(self) -> list[int]:
        """Per multiplier switch its VN, or -1."""
        owners = [-1] * self.hardware.multipliers
        for vn, (start, size) in enumerate(self.spans):
            owners[start : start + size] = [vn] * size
        return owners

    def work(self, switch: int) -> str:
        """What an adder switch does, in letters."""
        return " ".join(map(str, self.deeds.get(switch, ())))


def _placed(hardware: Hardware, topology: Topology, sizes: Sequence[int]) -> tuple[Span, ...]:
    spans = side_by_side(sizes, topology.alignment)
    free = spans[-1].start + spans[-1].size if spans else 0
    if free > hardware.multipliers:
        msg = f"virtual neurons of {', '.join(map(str, sizes))}"
        why = f"they take {free} multiplier switches, {hardware.name} has {hardware.multipliers}"
        aligned = any(topology.alignment(size) > 1 for size in sizes)
        note = f" (in a {hardware.reduction.topology} each starts an aligned subtree)" if aligned else ""
        raise MappingError(msg, [why + note])
    return spans


def _is_register(transfer: Transfer) -> bool:
    """Whether a transfer only moves a word along the registers of its output wire."""
    return transfer.operands[0]._replace(stage=0) == transfer.output._replace(stage=0)


def _passages(topology: Topology, reduction: Routing) -> tuple[Passage, ...]:
    """The links in use; what crosses over to a neighbour without a register passes the switch on its regular way."""
    regular, crosses = dict[Place, int](), dict[tuple[Place, int], bool]()
    for link in topology.links():
        crosses[link.source, link.target] = link.both_ways
        if link.both_ways:
            crosses[Place("adder", link.target), link.source.number] = True
        elif not link.beside:
            regular[link.source] = link.target
    writer = {transfer.output: Place("adder", transfer.switch) for transfer in reduction.transfers}
    passages = []
    for transfer in reduction.transfers:
        for wire in () if _is_register(transfer) else transfer.operands:
            source = writer.get(wire, Place("multiplier", wire.place))
            if (source, transfer.switch) not in crosses:
                between = regular[source]
                passages.append(Passage(source, between, transfer.virtual_neuron, crosses=False))
                source = Place("adder", between)
            crossing = crosses[source, transfer.switch]
            passages.append(Passage(source, transfer.switch, transfer.virtual_neuron, crossing))
    return tuple(passages)


def _deeds(reduction: Routing, passages: Sequence[Passage]) -> dict[int, list[Deed]]:
    deeds: dict[int, list[Deed]] = {}
    for passage in passages:
        if passage.crosses:
            how = ">" if passage.source.number < passage.target else "<"
            deeds.setdefault(passage.source.number, []).append(Deed(passage.virtual_neuron, how))
    for transfer in reduction.transfers:
        if not _is_register(transfer) and transfer.output.kind != "lateral":
            deed = Deed(transfer.virtual_neuron, str(len(transfer.operands)), transfer.output.kind == "result")
            deeds.setdefault(transfer.switch, []).append(deed)
    return {switch: sorted(done, key=lambda deed: deed.virtual_neuron) for switch, done in deeds.items()}
