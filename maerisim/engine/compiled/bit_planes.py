"""A program as bit planes, 64 switches to a word, for :mod:`maerisim.kernels.stepping.bit_planes`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from maerisim.engine.compiled.flatten import (
    Threads,
    adders_of,
    collection_of,
    controller_of,
    ports_of,
    returning_of,
    zeros,
)
from maerisim.fabric.choose import places_of
from maerisim.fabric.topology import Transfer, Wire
from maerisim.hardware.hardware import Hardware
from maerisim.kernels.stepping import counted, walk
from maerisim.kernels.stepping.asking import NEVER
from maerisim.kernels.stepping.bit_planes import flag_row
from maerisim.kernels.stepping.bit_planes.machine import Arrivals, LaneMachine, Lanes, ReductionNetwork
from maerisim.kernels.stepping.machine import Asked, Wires
from maerisim.program.program import Program, Use
from maerisim.program.wiring import REGISTER, Wiring, wire_up

QUESTIONS = 2**20
"""Of the ports of a second layer, that are kept: stretches with more are not repeated."""


def flatten_lanes(
    program: Program, hardware: Hardware, places: Mapping[int, tuple[int, int]] | None = None
) -> LaneMachine:
    """The machine of ``program`` on ``hardware`` before its first cycle.

    ``places`` (level, column) are those of the adder switches, unless they are just where ``hardware`` has them.
    """
    wiring = wire_up(program, hardware)
    threads = Threads(program)
    behind = dict.fromkeys((*wiring.accumulated, *wiring.outgoing))
    behind |= dict.fromkeys(wire for transfer in wiring.collection for wire in (*transfer.operands, transfer.output))
    number = {wire: index for index, wire in enumerate(behind)}
    collection = collection_of(program, hardware, wiring, number)
    words = -(-hardware.multipliers // 64)
    rows = _PlaneRows()
    stores = _stores(program, hardware)
    present = [rows.take(planes) for planes in stores.planes]
    available = [
        rows.take(planes) if ring else row
        for row, planes, ring in zip(present, stores.planes, stores.ring, strict=True)
    ]
    claimed = [rows.take(planes) for planes in stores.planes[:-1]]
    flag_rows = rows.take(flag_row.FLAG_ROWS)
    network = _network(wiring, places_of(hardware) if places is None else places, rows, words)
    compute_walkers = threads.compute_walkers()
    count = program.multipliers_used
    ports = ports_of(program, hardware, None)
    returning = returning_of(program, hardware, ports)
    return LaneMachine(
        code=threads.code,
        lanes=Lanes(
            bits=np.zeros(rows.count * words, np.uint64),
            words=words,
            present=np.array(present, np.int64) * words,
            available=np.array(available, np.int64) * words,
            claimed=np.array([*(row * words for row in claimed), -1], np.int64),
            planes=np.array(stores.planes, np.int64),
            depth=np.array(stores.depth, np.int64),
            together=program.batches.weights,
            flags=flag_rows * words,
            now=zeros(count),
            uses=np.array(program.compute.templates, np.int64),
            stalled=np.zeros((5, words), np.uint64),
        ),
        network=network,
        wires=_wires(wiring, number),
        adders=adders_of(program, wiring.collection, len(wiring.collection), number, hardware),
        collection=collection,
        collect_walkers=threads.collect_walkers(collection),
        compute_walkers=compute_walkers,
        controller=controller_of(program, hardware),
        ports=ports,
        arrivals=Arrivals(
            full=np.zeros((3, words), np.uint64),
            sent=np.zeros((3, words), np.uint64),
            under_way=np.zeros((hardware.distribution.latency - 1, 3, words), np.uint64),
        ),
        asked=_asked(program, hardware.ports),
        stream_walkers=threads.stream_walkers(hardware.ports, returning),
        returning=returning,
        returning_walkers=threads.returning_walkers(ports, returning),
        tally=zeros(counted.TALLY_ROWS),
        tally_before=zeros(counted.TALLY_ROWS),
    )


def _asked(program: Program, ports: int) -> Asked:
    """What ports ask for, before the first question; for no port where no second layer has any."""
    count = ports if program.layer_of_port(ports - 1) else 0
    kept = max(1, QUESTIONS // count) if count else 1
    return Asked(zeros(count, kept), zeros(count, kept) + NEVER, zeros(count, kept) + walk.LATEST, zeros(count))


def _wires(wiring: Wiring, number: dict[Wire, int]) -> Wires:
    """The wires behind the accumulators, empty."""
    count = len(number)
    return Wires(
        words=zeros(count),
        depth=np.array([wiring.depth[wire] for wire in number], np.int64),
        head=zeros(count),
        value=zeros(count, 1),
        normal=zeros(count),
        popped=zeros(count),
        pushed=zeros(count),
    )


@dataclass
class _PlaneRows:
    """Rows of bit planes that are given out one after the other."""

    count: int = 0

    def take(self, rows: int) -> int:
        """The first of so many new rows."""
        first, self.count = self.count, self.count + rows
        return first


class _Stores(NamedTuple):
    """Room, planes of a count, and whether any step uses another word than the first."""

    depth: list[int]
    planes: list[int]
    ring: list[bool]


def _stores(program: Program, hardware: Hardware) -> _Stores:
    switch = hardware.multiplier
    held = switch.held_weights
    depth = [switch.input_fifo_depth, switch.partial_sum_fifo_depth, held, switch.forward_fifo_depth]
    most = [max(room, together) for room, together in zip(depth, (1, 1, program.batches.weights, 1), strict=True)]
    uses = np.bitwise_or.reduce(np.array(program.compute.templates, np.int64), axis=None)
    weights, inputs = bool(uses & Use.NEXT_WEIGHT), bool(uses & Use.NEXT_INPUT)
    return _Stores(depth, [room.bit_length() for room in most], [inputs, False, weights, inputs])


@dataclass
class _Group:
    """Wires, and the transfers that put words on them (none for the products)."""

    depth: int
    wires: dict[Wire, int] = field(default_factory=dict)
    transfers: dict[int, Transfer] = field(default_factory=dict)


def _network(wiring: Wiring, places: Mapping[int, tuple[int, int]], rows: _PlaneRows, words: int) -> ReductionNetwork:
    groups = _groups(wiring, places)
    place = {
        wire: 64 * words * number + column
        for number, group in enumerate(groups)
        for wire, column in group.wires.items()
    }
    slots = len(groups) * words
    exists, switches = np.zeros((2, slots), np.uint64)
    virtual_neuron = np.full((slots, 64), -1, np.int64)
    exits: dict[int, int] = defaultdict(int)
    operands: list[dict[tuple[int, int], int]] = [defaultdict(int) for _ in range(slots)]
    for transfer in wiring.reduction:
        slot, column = divmod(place[transfer.output], 64)
        bit = 1 << column
        exists[slot] |= np.uint64(bit)
        if transfer.switch != REGISTER:
            switches[slot] |= np.uint64(bit)
        if transfer.output.kind == "result" and transfer.output.stage == 0:
            exits[slot] |= bit
            virtual_neuron[slot, column] = transfer.output.place
        for wire in transfer.operands:
            source, from_column = divmod(place[wire], 64)
            operands[slot][source, (from_column - column) % 64] |= bit
    counts = [len(of_slot) for of_slot in operands]
    flat = [(source, turn, mask) for of_slot in operands for (source, turn), mask in of_slot.items()]
    planes = [group.depth.bit_length() for group in groups]
    first = [row * words + word for row in map(rows.take, planes) for word in range(words)]
    return ReductionNetwork(
        first=np.array(first, np.uint32),
        planes=np.repeat(np.array(planes, np.int64), words),
        depth=np.repeat(np.array([group.depth for group in groups], np.int64), words),
        word=np.tile(np.arange(words, dtype=np.uint32), len(groups)),
        exists=exists,
        switches=switches,
        operand_start=np.concatenate(([0], np.cumsum(counts))).astype(np.uint32),
        needed=np.array([mask for _, _, mask in flat], np.uint64),
        source=np.array([source for source, _, _ in flat], np.uint32),
        turn=np.array([turn for _, turn, _ in flat], np.uint64),
        filled=np.zeros(slots, np.uint64),
        full=np.zeros(slots, np.uint64),
        filled_above=np.zeros(slots, np.uint64),
        full_above=np.zeros(slots, np.uint64),
        taken=np.zeros(slots, np.uint64),
        exits=np.array(list(exits), np.int64),
        exit_mask=np.array(list(exits.values()), np.uint64),
        virtual_neuron=virtual_neuron,
        active=np.zeros(words, np.uint64),
        twice=zeros(64 * words),
        noted=np.zeros(words, np.uint64),
        first_moment=zeros(64 * words) - 1,
        moments=zeros(0),
    )


def _groups(wiring: Wiring, places: Mapping[int, tuple[int, int]]) -> list[_Group]:
    """The products, then the transfers: receivers first, and no two of a group depend on each other.

    Adder switches of one level make one group, or several where they pass words to one another. The column of a
    transfer is that of its adder switch, or of the product that a register passes on.
    """
    reader = {wire: transfer for transfer in wiring.reduction for wire in transfer.operands}
    rank: dict[Wire, tuple[int, int]] = {}  # levels below the root, and transfers of that level behind it
    products = _Group(wiring.depth[wiring.product[0]])
    products.wires = {wire: column for column, wire in enumerate(wiring.product)}
    groups: dict[tuple[int, int, int, int], _Group] = {}
    for transfer in wiring.reduction:
        level, column = places.get(transfer.switch, (0, transfer.output.place))  # a register lies beside its product
        below = -level
        following = reader.get(transfer.output)
        behind = 0
        if following is not None and rank[following.output][0] >= below:
            below, behind = rank[following.output][0], rank[following.output][1] + 1
        rank[transfer.output] = below, behind
        depth, ordinal = wiring.depth[transfer.output], 0
        while column in groups.setdefault((below, behind, ordinal, depth), _Group(depth)).transfers:
            ordinal += 1
        group = groups[below, behind, ordinal, depth]
        group.wires[transfer.output] = column
        group.transfers[column] = transfer
    return [products, *(groups[key] for key in sorted(groups))]
