"""Parts of a configured fabric that share nothing: they run apart, and equal ones once.

A port serves neighbouring multiplier switches. Two ports belong together when a virtual neuron lies on both, when words are
forwarded from one to the other, or when their virtual neurons share an adder switch or a collection bus. Parts know
nothing of one another, so each takes the cycles it takes alone, and where one drifts against another the whole would never
be in the same state twice although each of them is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from maerisim.arrays import Ints
from maerisim.fabric.choose import topology_of
from maerisim.fabric.collection_buses import BusInput
from maerisim.fabric.topology import Routing, Transfer, Wire
from maerisim.fabric.virtual_neuron import Span
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import CollectStep, Packets, Program, Thread, Use


@dataclass(frozen=True)
class IndependentPart:
    """A part of a program as a program of its own, on hardware with just its ports and switches.

    ``places`` gives (level, column) of the adder switches of its transfers; ``starts`` the multiplier switches at which it
    and its equals begin on the whole array.
    """

    program: Program
    hardware: Hardware
    places: dict[int, tuple[int, int]]
    starts: tuple[int, ...]


def parts_of(program: Program, hardware: Hardware, results: Ints) -> list[IndependentPart]:
    """The distinct parts of ``program``, given the ``results`` of each virtual neuron."""
    leaves = hardware.multipliers // hardware.ports
    vn_starts = [span.start for span in program.spans]
    transfers = _by_virtual_neuron(program)
    places = _places(program, hardware)
    found: dict[object, IndependentPart] = {}
    for first, last in _ports(program, hardware):
        start, stop = first * leaves, min(last * leaves, program.multipliers_used)
        vns = slice(bisect_left(vn_starts, start), bisect_left(vn_starts, stop))
        part = _part(program, results, slice(first, last), slice(start, stop), vns, transfers[vns])
        of_part = {t.switch: places[t.switch] for t in part.reduction.transfers}
        at = {switch: (level, column - start) for switch, (level, column) in of_part.items()}
        key = _content(part, at)
        if key in found:
            found[key] = replace(found[key], starts=(*found[key].starts, start))
        else:
            found[key] = IndependentPart(part, _hardware_of(part, hardware, last - first), at, (start,))
    return list(found.values())


def _by_virtual_neuron(program: Program) -> list[list[Transfer]]:
    """The transfers of each virtual neuron, in the order of the program."""
    found: list[list[Transfer]] = [[] for _ in program.spans]
    for transfer in program.reduction.transfers:
        found[transfer.virtual_neuron].append(transfer)
    return found


def _places(program: Program, hardware: Hardware) -> dict[int, tuple[int, int]]:
    """Level and column of each adder switch that is used."""
    topology = topology_of(hardware)
    switches = {transfer.switch for transfer in program.reduction.transfers}
    return {switch: (topology.level(switch), topology.column(switch)) for switch in switches}


def _hardware_of(part: Program, hardware: Hardware, ports: int) -> Hardware:
    """Hardware with just the ports, switches and buses of a part."""
    buses = len({entry.bus for entry in part.bus_inputs})
    return hardware.model_copy(
        update={
            "multipliers": ports * hardware.multipliers // hardware.ports,
            "distribution": hardware.distribution.model_copy(update={"bandwidth": ports}),
            "collection": hardware.collection.model_copy(update={"bandwidth": max(1, buses)}),
        }
    )


def _ports(program: Program, hardware: Hardware) -> Iterator[tuple[int, int]]:
    """First port of each part, and the one behind its last."""
    leaves = hardware.multipliers // hardware.ports
    used = -(-program.multipliers_used // leaves)
    limits = hardware.controller
    held_back = limits.holds_ports_back
    if held_back or hardware.collection.write_back == "half" or program.fusion is not None:
        yield 0, used  # the controller, the global buffer or what flows between two layers ties everything together
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
    for transfer in program.reduction.transfers:
        sharing.setdefault(("switch", transfer.switch), []).append(transfer.virtual_neuron)
    hulls = np.array([(starts[min(group)], ends[max(group)]) for group in sharing.values()])
    join(hulls[:, 0], hulls[:, 1])
    apart = np.flatnonzero(np.cumsum(joined)[: used - 1] == 0) + 1
    yield from pairwise([0, *apart.tolist(), used])


def _part(
    program: Program,
    results: Ints,
    ports: slice,
    multipliers: slice,
    vns: slice,
    transfers: Sequence[Sequence[Transfer]],
) -> Program:
    """The part of ``program`` on these ports, multiplier switches and virtual neurons, whose ``transfers`` are given."""
    start, first_vn = multipliers.start, vns.start
    inputs = program.bus_inputs[vns]
    bus_number = {bus: number for number, bus in enumerate(sorted({entry.bus for entry in inputs}))}
    turn = {place: number for number, place in enumerate(sorted({entry.place for entry in inputs}))}
    sums = program.partial_sum_of[multipliers]
    return replace(
        program,
        weights=_packets(program.weights, ports, start),
        inputs=_packets(program.inputs, ports, start),
        partial_sums=_packets(program.partial_sums, ports, start),
        compute=replace(program.compute, templates=tuple(uses[multipliers] for uses in program.compute.templates)),
        collect=_collect(program.collect, vns),
        spans=tuple(Span(span.start - start, span.size) for span in program.spans[vns]),
        reduction=Routing(tuple(_renamed(each, start, first_vn) for of_vn in transfers for each in of_vn)),
        bus_inputs=tuple(BusInput(bus_number[entry.bus], turn[entry.place]) for entry in inputs),
        multipliers_used=multipliers.stop - start,
        results=int(results[vns].sum()),
        output_offset=program.output_offset[vns],
        partial_sum_of=np.where(sums < 0, sums, sums - first_vn),
    )


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


def _content(program: Program, places: dict[int, tuple[int, int]]) -> object:
    """All of a part that its timing depends on, equal for equal parts; ``places`` of its adder switches."""
    number: dict[Wire, int] = {}

    def anonymous(wire: Wire) -> object:
        if wire.kind in ("product", "result"):
            return wire
        return number.setdefault(wire, len(number))

    return (
        tuple(
            array.tobytes()
            for thread in program.streams
            for packets in thread.templates
            for array in (packets.port_start, packets.first, packets.destinations, packets.wait)
        ),
        tuple(uses.tobytes() for uses in program.compute.templates),
        tuple(step.flags.tobytes() for step in program.collect.templates),
        program.spans,
        tuple(
            (places[t.switch], tuple(map(anonymous, t.operands)), anonymous(t.output))
            for t in program.reduction.transfers
        ),
        program.bus_inputs,
        program.partial_sum_of.tobytes(),
    )
