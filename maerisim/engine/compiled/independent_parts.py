"""Parts of a configured fabric that share nothing: they run apart, and equal ones once.

A port serves neighbouring multiplier switches. Two ports belong together when a virtual neuron lies on both, when words are
forwarded from one to the other, or when their virtual neurons share a collection bus or an adder switch. Parts know
nothing of one another, so each takes the cycles it takes alone, and where one drifts against another the whole would never
be in the same state twice although each of them is.

An adder switch that two virtual neurons share ties them together by its busy cycles alone. Where parts tend to drift, as partial
sums return or there are two layers, these are counted afterwards, from the cycles that each part notes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np

from maerisim.arrays import Ints
from maerisim.counts.program_totals import OfVirtualNeurons
from maerisim.fabric.choose import places_of
from maerisim.fabric.collection_buses import BusInput
from maerisim.fabric.topology import Routing, Transfer, Wire
from maerisim.fabric.virtual_neuron import Span
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import CollectStep, Packets, Program, Thread, Use
from maerisim.program.wiring import REGISTER

MOST_NOTED = 2**25
"""Words through adder switches whose cycles are noted, in all: a quarter of a GiB."""


@dataclass(frozen=True)
class IndependentPart:
    """A part of a program as a program of its own, on hardware with just its ports and switches.

    ``places`` gives (level, column) of the adder switches of its transfers; ``starts`` the multiplier switches at which it
    and its equals begin on the whole array; ``noted`` by column the words through each adder switch that
    other parts use as well. Of two layers the parts of the first come first, and those of the second are all distinct.
    """

    program: Program
    hardware: Hardware
    places: dict[int, tuple[int, int]]
    starts: tuple[int, ...]
    noted: dict[int, int]


class _Cut(NamedTuple):
    """Where a part lies in its program, and by column the words through adder switches that are noted."""

    ports: slice
    multipliers: slice
    vns: slice
    words: dict[int, int]


def parts_of(program: Program, hardware: Hardware, neurons: OfVirtualNeurons) -> list[IndependentPart]:
    """The distinct parts of ``program``, given what each of its virtual neurons does."""
    leaves = hardware.multipliers // hardware.ports
    vn_starts = [span.start for span in program.spans]
    transfers = _by_virtual_neuron(program)
    places = places_of(hardware)
    ports = list(_ports(program, hardware, together=True))
    noted: set[int] = set()
    if program.spills or program.fusion is not None:
        apart = list(_ports(program, hardware, together=False))
        shared = _shared(program, hardware, apart)
        if _can_be_noted(program, hardware, places, apart, shared, neurons):
            ports, noted = apart, set(shared)
    equal: dict[object, list[_Cut]] = {}
    contents = _Contents(program, transfers, places, leaves)
    for first, last in ports:
        start, stop = first * leaves, min(last * leaves, program.multipliers_used)
        vns = slice(bisect_left(vn_starts, start), bisect_left(vn_starts, stop))
        words: dict[int, int] = {}
        for transfer in chain.from_iterable(transfers[vns]) if noted else ():
            if transfer.switch in noted:
                column = places[transfer.switch][1] - start
                words[column] = words.get(column, 0) + int(neurons.steps[transfer.virtual_neuron])
        cut = _Cut(slice(first, last), slice(start, stop), vns, words)
        # What parts of a second layer wait for is in a table by address, each in its own.
        key = contents.of(cut), tuple(words.items()), start if program.layer_of_port(first) else None
        equal.setdefault(key, []).append(cut)
    made = []
    for cut, *others in equal.values():
        start = cut.multipliers.start
        part = _part(program, neurons.results, cut, transfers)
        of_part = {t.switch: places[t.switch] for t in part.reduction.transfers}
        at = {switch: (level, column - start) for switch, (level, column) in of_part.items()}
        starts = (start, *(other.multipliers.start for other in others))
        made.append(IndependentPart(part, _hardware_of(part, hardware, cut.ports), at, starts, cut.words))
    return made


def _by_virtual_neuron(program: Program) -> list[list[Transfer]]:
    """The transfers of each virtual neuron, in the order of the program."""
    found: list[list[Transfer]] = [[] for _ in program.spans]
    for transfer in program.reduction.transfers:
        found[transfer.virtual_neuron].append(transfer)
    return found


def _hardware_of(part: Program, hardware: Hardware, of_part: slice) -> Hardware:
    """Hardware with just the ports, switches and buses of a part."""
    ports = of_part.stop - of_part.start
    buses = len({entry.bus for entry in part.bus_inputs})
    return hardware.model_copy(
        update={
            "multipliers": ports * hardware.multipliers // hardware.ports,
            "distribution": hardware.distribution.model_copy(update={"bandwidth": ports}),
            "collection": hardware.collection.model_copy(update={"bandwidth": max(1, buses)}),
        }
    )


def _shared(program: Program, hardware: Hardware, parts: list[tuple[int, int]]) -> dict[int, set[int]]:
    """The adder switches that several parts use, and the numbers of these parts."""
    leaves = hardware.multipliers // hardware.ports
    behind = np.array([last for _, last in parts])
    of_neuron = np.searchsorted(behind, [span.start // leaves for span in program.spans], side="right").tolist()
    users: dict[int, set[int]] = {}
    for transfer in program.reduction.transfers:
        if transfer.switch != REGISTER:
            users.setdefault(transfer.switch, set()).add(of_neuron[transfer.virtual_neuron])
    return {switch: numbers for switch, numbers in users.items() if len(numbers) > 1}


def _can_be_noted(
    program: Program,
    hardware: Hardware,
    places: Mapping[int, tuple[int, int]],
    parts: list[tuple[int, int]],
    shared: dict[int, set[int]],
    neurons: OfVirtualNeurons,
) -> bool:
    """Whether there is memory for the words through these adder switches, and each has a column in all parts that use it."""
    leaves = hardware.multipliers // hardware.ports
    words = sum(
        int(neurons.steps[transfer.virtual_neuron])
        for transfer in program.reduction.transfers
        if transfer.switch in shared
    )
    return words <= MOST_NOTED and all(
        0 <= places[switch][1] - parts[part][0] * leaves < _columns((parts[part][1] - parts[part][0]) * leaves)
        for switch, numbers in shared.items()
        for part in numbers
    )


def _columns(multipliers: int) -> int:
    """The columns of so many multiplier switches: whole words of 64."""
    return -(-multipliers // 64) * 64


def _ports(program: Program, hardware: Hardware, *, together: bool) -> Iterator[tuple[int, int]]:
    """First port of each part, and the one behind its last; what shares an adder switch is ``together`` or not."""
    leaves = hardware.multipliers // hardware.ports
    used = -(-program.multipliers_used // leaves)
    limits = hardware.controller
    held_back = limits.holds_ports_back
    if held_back or hardware.collection.write_back == "half":
        yield 0, used  # the controller or the global buffer ties everything together
        return
    starts = np.array([span.start for span in program.spans]) // leaves
    ends = np.array([span.start + span.size - 1 for span in program.spans]) // leaves
    joined = np.zeros(used + 1, np.int64)  # +1 where a stretch of joined ports begins, -1 where it ends

    def join(low: Ints, high: Ints) -> None:
        np.add.at(joined, low, 1)
        np.add.at(joined, high, -1)

    join(starts, ends)
    forwarding = np.flatnonzero((np.array(program.compute.templates) & Use.FORWARD).any(axis=0))
    join((forwarding - 1) // leaves, forwarding // leaves)
    sharing: dict[tuple[str, int], list[int]] = {}
    for vn, bus in enumerate(program.buses):
        sharing.setdefault(("bus", bus), []).append(vn)
    for transfer in program.reduction.transfers if together else ():
        sharing.setdefault(("switch", transfer.switch), []).append(transfer.virtual_neuron)
    hulls = np.array([(starts[min(group)], ends[max(group)]) for group in sharing.values()])
    join(hulls[:, 0], hulls[:, 1])
    apart = np.flatnonzero(np.cumsum(joined)[: used - 1] == 0) + 1
    if program.fusion is not None and program.fusion.port not in apart:
        apart = apart[:0]  # what the second layer does holds the first one up
    yield from pairwise([0, *apart.tolist(), used])


def _part(program: Program, results: Ints, cut: _Cut, transfers: Sequence[Sequence[Transfer]]) -> Program:
    """The part of ``program`` that is cut out; ``results`` and ``transfers`` of all virtual neurons are given."""
    ports, multipliers, vns, _ = cut
    start, first_vn = multipliers.start, vns.start
    sums = program.partial_sum_of[multipliers]
    fusion = program.fusion
    if fusion is not None:
        fusion = replace(
            fusion,
            port=_within(fusion.port, ports),
            switch=_within(fusion.switch, multipliers),
            virtual_neuron=_within(fusion.virtual_neuron, vns),
        )
    return replace(
        program,
        weights=_packets(program.weights, ports, start),
        inputs=_packets(program.inputs, ports, start),
        partial_sums=_packets(program.partial_sums, ports, start),
        compute=replace(program.compute, templates=tuple(uses[multipliers] for uses in program.compute.templates)),
        collect=_collect(program.collect, vns),
        spans=tuple(Span(span.start - start, span.size) for span in program.spans[vns]),
        reduction=Routing(tuple(_renamed(each, start, first_vn) for each in chain.from_iterable(transfers[vns]))),
        bus_inputs=_bus_inputs(program, vns),
        multipliers_used=multipliers.stop - start,
        results=int(results[vns].sum()),
        output_offset=program.output_offset[vns],
        partial_sum_of=np.where(sums < 0, sums, sums - first_vn),
        fusion=fusion,
    )


def _bus_inputs(program: Program, vns: slice) -> tuple[BusInput, ...]:
    """The bus inputs of these virtual neurons, buses and places numbered anew."""
    inputs = program.bus_inputs[vns]
    bus_number = {bus: number for number, bus in enumerate(sorted({entry.bus for entry in inputs}))}
    turn = {place: number for number, place in enumerate(sorted({entry.place for entry in inputs}))}
    return tuple(BusInput(bus_number[entry.bus], turn[entry.place]) for entry in inputs)


def _within(place: int, part: slice) -> int:
    """A place as seen from a part; the nearest end of that where it lies outside."""
    first, last = int(part.start), int(part.stop)
    return min(max(place, first), last) - first


def _renamed(transfer: Transfer, start: int, first_vn: int) -> Transfer:
    """A transfer of a part that begins at this multiplier switch and virtual neuron."""
    if not (start or first_vn):
        return transfer
    before = {"product": start, "result": first_vn}

    def renamed(wire: Wire) -> Wire:
        kind, level, place, stage = wire
        return Wire(kind, level, place - before[kind], stage) if kind in before else wire

    switch, operands, output, virtual_neuron, latency = transfer
    return Transfer(switch, tuple(map(renamed, operands)), renamed(output), virtual_neuron - first_vn, latency)


def _packets(thread: Thread[Packets], ports: slice, start: int) -> Thread[Packets]:
    first, last = ports.start, ports.stop

    def of_ports(packets: Packets) -> Packets:
        begin, end = int(packets.port_start[first]), int(packets.port_start[last])
        begin_destination, end_destination = int(packets.first[begin]), int(packets.first[end])
        return Packets(
            port_start=packets.port_start[first : last + 1] - begin,
            offset=packets.offset[begin:end],
            reads=packets.reads[begin:end],
            hops=packets.hops[begin:end],
            first=packets.first[begin : end + 1] - begin_destination,
            destinations=packets.destinations[begin_destination:end_destination] - start,
            wait=packets.wait[begin:end],
        )

    return replace(thread, templates=tuple(map(of_ports, thread.templates)))


def _collect(thread: Thread[CollectStep], vns: slice) -> Thread[CollectStep]:
    return replace(
        thread,
        templates=tuple(
            CollectStep(step.flags[vns], step.additions_two[vns], step.additions_three[vns])
            for step in thread.templates
        ),
    )


class _Contents:
    """All of a part that its timing depends on, equal for equal parts, told before the part is made.

    Places count from the port, the multiplier switch and the virtual neuron that they belong to.
    """

    def __init__(
        self,
        program: Program,
        transfers: Sequence[Sequence[Transfer]],
        places: Mapping[int, tuple[int, int]],
        leaves: int,
    ) -> None:
        self.program, self.places, self.spills = program, places, program.spills
        self.packets = [_Counted.of(packets, leaves) for thread in program.streams for packets in thread.templates]
        self.neurons = [self._neuron(span, *each) for span, each in zip(program.spans, transfers, strict=True)]

    def of(self, cut: _Cut) -> object:
        """The content of the part that is cut out."""
        program, (ports, multipliers, vns, _) = self.program, cut
        sums = program.partial_sum_of[multipliers]
        if self.spills:
            sums = np.where(sums < 0, sums, sums - vns.start)
        return (
            ports.stop - ports.start,
            tuple(packets.between(ports) for packets in self.packets),
            tuple(uses[multipliers].tobytes() for uses in program.compute.templates),
            tuple(step.flags[vns].tobytes() for step in program.collect.templates),
            tuple(span.start - multipliers.start for span in program.spans[vns]),
            tuple(self.neurons[vns]),
            _bus_inputs(program, vns),
            sums.tobytes(),
        )

    def _neuron(self, span: Span, *transfers: Transfer) -> object:
        """How a virtual neuron is summed; it shares no wire with others."""
        number: dict[Wire, int] = {}

        def anonymous(wire: Wire) -> object:
            if wire.kind == "product":
                return wire.place - span.start, wire.stage
            return (wire.kind, wire.stage) if wire.kind == "result" else number.setdefault(wire, len(number))

        def summed(transfer: Transfer) -> object:
            level, column = self.places[transfer.switch]
            return level, column - span.start, tuple(map(anonymous, transfer.operands)), anonymous(transfer.output)

        return span.size, tuple(map(summed, transfers))


class _Counted(NamedTuple):
    """The packets of one control step: how many by port, to how many switches by packet, and to which of its port's."""

    port_start: Ints
    first: Ints
    packets: Ints
    switches: Ints
    destinations: Ints
    wait: Ints

    @classmethod
    def of(cls, packets: Packets, leaves: int) -> _Counted:
        """The packets of a whole array, each port of which serves so many multiplier switches."""
        of_port, switches = np.diff(packets.port_start), np.diff(packets.first)
        start = leaves * np.repeat(np.arange(len(of_port)), of_port)
        destinations = packets.destinations - np.repeat(start, switches)
        return cls(packets.port_start, packets.first, of_port, switches, destinations, packets.wait)

    def between(self, ports: slice) -> object:
        """The content of these ports."""
        begin, end = int(self.port_start[ports.start]), int(self.port_start[ports.stop])
        return (
            self.packets[ports].tobytes(),
            self.switches[begin:end].tobytes(),
            self.destinations[self.first[begin] : self.first[end]].tobytes(),
            self.wait[begin:end].tobytes(),
        )
