"""A program as the flat arrays that the kernels step: nothing is decided here, everything is copied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from maerisim.arrays import Ints
from maerisim.counts.counters import OPERANDS, STALLS, Counters
from maerisim.errors import NotSupportedError
from maerisim.fabric.collection_buses import virtual_neurons_by_bus
from maerisim.fabric.topology import Transfer
from maerisim.hardware.hardware import Hardware
from maerisim.kernels.stepping import counted, walk
from maerisim.kernels.stepping.accumulator import seek_first_active
from maerisim.kernels.stepping.distribution_port import seek_first_packets
from maerisim.kernels.stepping.global_buffer import NOTHING
from maerisim.kernels.stepping.lock_step.machine import ControlProgram, LockStepState, Slots, Switches
from maerisim.kernels.stepping.machine import (
    Adders,
    Between,
    Bits,
    Collectors,
    Controller,
    Machine,
    Multipliers,
    Ports,
    Returning,
    Stores,
    Wires,
)
from maerisim.kernels.stepping.operand_store import PARTIAL_SUMS
from maerisim.kernels.stepping.returning_sums import NOBODY, seek_first_partial_sums
from maerisim.kernels.stepping.walk import Code, Walkers, seek_first_steps
from maerisim.program.program import Control, ControlRow, Node, Packets, Program, Step, Thread
from maerisim.program.wiring import Wiring, wire_up
from maerisim.workload.reference import Operands

MOST_VALUES = 2**26
"""Words that all queues together have room for, where values are carried: half a GiB."""


@dataclass
class CodeRows:
    """Code rows of all threads."""

    rows: list[tuple[int, int, int, int, int, int]] = field(default_factory=list)
    deepest: int = 1

    def add(self, thread: Thread[Any], first_template: int) -> int:
        """Append a thread whose templates are numbered from ``first_template`` on; return its first row."""
        return self.add_both(thread, first_template)[0]

    def add_both(self, thread: Thread[Any], first_template: int) -> tuple[int, int]:
        """The same; return the first rows of both layers' nests."""
        starts = []
        for nodes in (thread.nodes, thread.second):
            starts.append(len(self.rows))
            self._nodes(nodes, first_template, 0)
            self.rows.append((walk.HALT, 0, 0, 0, 0, 0))
        return starts[0], starts[1]

    def _nodes(self, nodes: Sequence[Node], first_template: int, depth: int) -> None:
        self.deepest = max(self.deepest, depth + 1)
        for node in nodes:
            if isinstance(node, Step):
                self.rows.append((walk.STEP, first_template + node.template, node.count, node.period, node.advance, 0))
                continue
            self.rows.append((walk.LOOP, depth, node.count, 0, 0, 0))
            body = len(self.rows)
            self._nodes(node.body, first_template, depth + 1)
            self.rows.append((walk.END, depth, 0, node.period, node.advance, body))

    def code(self) -> Code:
        """The rows as arrays."""
        return Code(*np.array(self.rows, np.int64).T.copy())


class Threads:
    """The threads of a program as code, and the walkers at their first steps."""

    def __init__(self, program: Program) -> None:
        self._program = program
        rows = CodeRows()
        self._compute = rows.add_both(program.compute, 0)
        self._collect = rows.add_both(program.collect, 0)
        self._streams, first_template = [], 0
        for thread in program.streams:
            self._streams.append(rows.add_both(thread, first_template))
            first_template += len(thread.templates)
        self.code, self._deepest = rows.code(), rows.deepest

    def compute_walkers(self) -> Walkers:
        """One for each multiplier switch in use."""
        switches = range(self._program.multipliers_used)
        starts = [self._compute[self._program.layer_of_switch(switch)] for switch in switches]
        return walkers_at(self.code, starts, self._deepest)

    def collect_walkers(self, collection: Collectors) -> Walkers:
        """One for each virtual neuron, at a step in which it is at work."""
        neurons = range(len(self._program.spans))
        starts = [self._collect[self._program.layer_of_virtual_neuron(number)] for number in neurons]
        walkers = walkers_at(self.code, starts, self._deepest)
        seek_first_active(self.code, walkers, collection.flags)
        return walkers

    def stream_walkers(self, ports: int, returning: Returning) -> Walkers:
        """One for each port of each stream; those of partial sums have nothing to walk where they leave as they arrive."""
        starts = [start[self._program.layer_of_port(port)] for start in self._streams for port in range(ports)]
        if len(returning.port):
            nothing = int(np.argmax(self.code.op == walk.HALT))
            starts[PARTIAL_SUMS * ports : (PARTIAL_SUMS + 1) * ports] = [nothing] * ports
        first_steps = [thread.first_step for thread in self._program.streams for _ in range(ports)]
        return walkers_at(self.code, starts, self._deepest, first_steps)

    def returning_walkers(self, ports: Ports, returning: Returning) -> Walkers:
        """One for each virtual neuron whose partial sums leave as they arrive, at the first of them."""
        neurons = range(len(returning.port))
        starts = [self._streams[PARTIAL_SUMS][self._program.layer_of_virtual_neuron(number)] for number in neurons]
        first_steps = [self._program.partial_sums.first_step for _ in neurons]
        walkers = walkers_at(self.code, starts, self._deepest, first_steps)
        seek_first_partial_sums(self.code, ports, returning, walkers)
        return walkers


def flatten(program: Program, hardware: Hardware, operands: Operands | None, outputs: Ints) -> Machine:
    """The machine of ``program`` on ``hardware`` before its first cycle; ``outputs`` is filled by the run."""
    wiring = wire_up(program, hardware)
    threads = Threads(program)
    code = threads.code
    number = {wire: index for index, wire in enumerate(wiring.depth)}
    depth = np.array(list(wiring.depth.values()), np.int64)
    carry = operands is not None
    if carry:
        depth = np.minimum(depth, _most_words(program))
    count = len(depth)
    wires = Wires(
        words=zeros(count),
        depth=depth,
        head=zeros(count),
        value=_values(count, depth=int(depth.max())) if carry else zeros(count, 1),
        normal=np.array([wire in wiring.normal for wire in wiring.depth], np.int64),
        popped=zeros(count) - 1,
        pushed=zeros(count) - 1,
    )
    collection = collection_of(program, hardware, wiring, number)
    uses = np.array(program.compute.templates, np.int64)
    compute_walkers = threads.compute_walkers()
    ports = ports_of(program, hardware, operands)
    returning = returning_of(program, hardware, ports)
    machine = Machine(
        code=code,
        wires=wires,
        adders=adders_of(program, (*wiring.collection, *wiring.reduction), len(wiring.collection), number, hardware),
        collection=collection,
        collect_walkers=threads.collect_walkers(collection),
        multipliers=Multipliers(
            uses=uses,
            now=uses[code.arg[compute_walkers.row], np.arange(program.multipliers_used)],
            product=np.array([number[wire] for wire in wiring.product], np.uint32),
            empty=_empty_words(program),
            busy=zeros(hardware.multipliers),
            stalled_by=zeros(program.multipliers_used) - 1,
        ),
        stores=_stores(program, hardware, carry),
        compute_walkers=compute_walkers,
        controller=controller_of(program, hardware),
        ports=ports,
        stream_walkers=threads.stream_walkers(hardware.ports, returning),
        returning=returning,
        returning_walkers=threads.returning_walkers(ports, returning),
        outputs=outputs,
        tally=zeros(counted.TALLY_ROWS),
    )
    seek_first_packets(machine.code, machine.ports, machine.stream_walkers)
    return machine


def flatten_lock_step(program: Program, control: Thread[ControlRow], hardware: Hardware) -> LockStepState:
    """What a machine whose controller walks ``control`` has besides :func:`flatten`."""
    return LockStepState(
        switches=_switches(hardware),
        slots=_slots(hardware),
        control=_control(program, control),
        configured_at=program.reduction.configured_at,
    )


def zeros(*shape: int) -> Ints:
    return np.zeros(shape, np.int64)


def _values(*queues: int, depth: int) -> Ints:
    """Room for the values in so many queues. Raises NotSupportedError where no memory has it."""
    if prod(queues) * depth > MOST_VALUES:
        raise NotSupportedError(
            f"values are not carried through {prod(queues):,} queues of {depth:,} words: expected at most {MOST_VALUES:,} words "
            "in all (make the queues of the hardware shorter, or simulate without values)"
        )
    return zeros(*queues, depth)


def walkers_at(code: Code, starts: Sequence[int], depth: int, first_steps: Sequence[int] | None = None) -> Walkers:
    count = len(starts)
    step = zeros(count) if first_steps is None else np.array(first_steps, np.int64)
    walkers = Walkers(zeros(count), zeros(count), step, zeros(count), zeros(count, depth))
    seek_first_steps(code, walkers, np.array(starts, np.int64))
    return walkers


def adders_of(
    program: Program, transfers: Sequence[Transfer], behind: int, number: dict[Any, int], hardware: Hardware
) -> Adders:
    """Transfers, receivers first, the first ``behind`` of them between accumulators and buses."""
    operand = np.zeros((len(transfers), 3), np.uint32)
    neuron = np.array([transfer.virtual_neuron for transfer in transfers], np.int64)
    for index, transfer in enumerate(transfers):
        operand[index, : len(transfer.operands)] = [number[wire] for wire in transfer.operands]
    return Adders(
        arity=np.array([len(transfer.operands) for transfer in transfers], np.int64),
        operand=operand,
        output=np.array([number[transfer.output] for transfer in transfers], np.uint32),
        switch=np.array([transfer.switch for transfer in transfers], np.int64),
        behind=behind,
        compares=np.append(program.comparing, program.compares)[neuron],  # -1, a register, compares nothing
        seen=zeros(hardware.multipliers) - 1,
        busy=zeros(hardware.multipliers),
    )


def collection_of(program: Program, hardware: Hardware, wiring: Wiring, number: dict[Any, int]) -> Collectors:
    members = virtual_neurons_by_bus(program.bus_inputs, hardware.buses)
    member_start = np.concatenate(([0], np.cumsum([len(group) for group in members]))).astype(np.int64)
    templates = program.collect.templates
    return Collectors(
        member_start=member_start,
        member=np.array([vn for group in members for vn in group], np.int64),
        last_granted=member_start[1:] - 1,
        least_recent=hardware.collection.arbiter == "least_recently_granted",
        busy=zeros(hardware.buses),
        outgoing=np.array([number[wire] for wire in wiring.outgoing], np.int64),
        result=np.array([number.get(wire, -1) for wire in wiring.result], np.int64),
        accumulated=np.array([number[wire] for wire in wiring.accumulated], np.int64),
        flags=np.array([template.flags for template in templates], np.int64),
        additions_two=np.array([template.additions_two for template in templates], np.int64),
        additions_three=np.array([template.additions_three for template in templates], np.int64),
        output_offset=program.output_offset,
        written=zeros(len(program.bus_inputs)),
        moments=zeros(0),
        first_moment=zeros(0),
        waiting=zeros(1),
        write_queue=zeros(2 * hardware.buses) + NOTHING,
        writes_half=hardware.collection.write_back == "half",
        spills=program.spills,
        spilling=program.spilling,
        compares=program.comparing,
        own_stage=hardware.accumulation.latency > 0,
    )


def _most_words(program: Program) -> int:
    """The words that are ever put on a wire or into an operand store: at most one in each control step."""
    threads = (program.compute, program.collect, *program.streams)
    return max(thread.steps_of(layer) for thread in threads for layer in (0, 1))


def _empty_words(program: Program) -> Ints:
    """The value of an empty word of each multiplier switch."""
    words = np.full(program.multipliers_used, program.empty_in(0), np.int64)
    if program.fusion is not None:
        words[program.fusion.switch :] = program.empty_in(1)
    return words


def controller_of(program: Program, hardware: Hardware) -> Controller:
    limits, batches = hardware.controller, program.batches
    free = not limits.holds_ports_back
    return Controller(
        released=zeros(1) + (walk.LATEST if free else 0),
        rate=limits.steps_per_cycle or batches.last_step,
        last_step=batches.last_step,
        waits=limits.wait_for_outputs,
        batch_steps=batches.steps,
        trips=np.array(batches.trips, np.int64),
        results=np.array(batches.results, np.int64),
        due=np.array([-1, 0], np.int64),
    )


def _control(program: Program, thread: Thread[ControlRow]) -> ControlProgram:
    code_rows = CodeRows()
    start = code_rows.add(thread, 0)
    code = code_rows.code()
    first, templates = {}, 0
    for stream in program.streams:
        first[stream.name] = templates
        templates += len(stream.templates)
    nobody = zeros(program.multipliers_used) - 1
    rows = thread.templates
    return ControlProgram(
        code=code,
        kind=np.array([row.kind for row in rows], np.int64),
        roles=np.array([nobody if row.roles is None else row.roles for row in rows]),
        products=np.array([row.products for row in rows], np.int64),
        packets=np.array(
            [first[row.operand] + row.packets if row.kind == Control.SEND else -1 for row in rows], np.int64
        ),
        walker=walkers_at(code, [start], code_rows.deepest),
    )


def _switches(hardware: Hardware) -> Switches:
    count = hardware.multipliers
    return Switches(
        role=zeros(count),
        left=zeros(count),
        sent=zeros(count) - 1,
        next_role=zeros(count) - 1,
        next_left=zeros(count),
        products=zeros(count),
        product_depth=hardware.multiplier.product_fifo_depth,
        first_register=zeros(count),
        second_register=zeros(count),
    )


def _slots(hardware: Hardware) -> Slots:
    count = hardware.ports
    return Slots(
        queue=zeros(count, hardware.distribution.fifo_depth),
        head=zeros(count),
        waiting=zeros(count),
        register=zeros(count) - 1,
        tree=zeros(count) - 1,
        undelivered=zeros(count),
    )


def _stores(program: Program, hardware: Hardware, carry: bool) -> Stores:
    switch = hardware.multiplier
    held = switch.held_weights
    depth = np.array(
        [switch.input_fifo_depth, switch.partial_sum_fifo_depth, held, switch.forward_fifo_depth], np.int64
    )
    if carry:
        depth = np.minimum(depth, _most_words(program))
    shape = (4, program.multipliers_used)
    return Stores(
        words=zeros(*shape),
        claimed=zeros(*shape),
        current=zeros(*shape),
        depth=depth,
        together=np.array([1, 1, program.batches.weights, 1], np.int64),
        head=zeros(*shape),
        value=_values(*shape, depth=int(depth.max())) if carry else zeros(*shape, 1),
    )


def ports_of(program: Program, hardware: Hardware, operands: Operands | None) -> Ports:
    packets: list[Packets] = [template for thread in program.streams for template in thread.templates]
    stream = [number for number, thread in enumerate(program.streams) for _ in thread.templates]
    sizes = [len(template.offset) for template in packets]
    before = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    destinations = [len(template.destinations) for template in packets]
    destinations_before = np.concatenate(([0], np.cumsum(destinations))).astype(np.int64)
    starts = [template.first[:-1] + start for template, start in zip(packets, destinations_before[:-1], strict=True)]
    destination = np.concatenate([template.destinations for template in packets])
    first_destination = np.concatenate([template.destinations[template.first[:-1]] for template in packets])
    memory = [np.zeros(0, np.int64)] * 3
    if operands is not None:
        memory = [operands.inputs.ravel(), memory[1], operands.weights.ravel()]
    stages = hardware.distribution.latency - 1
    ports = hardware.ports
    first = np.concatenate([*starts, [destinations_before[-1]]]).astype(np.int64)
    leaves = hardware.multipliers // ports
    return Ports(
        packet_start=np.array([template.port_start + start for template, start in zip(packets, before, strict=False)]),
        offset=np.concatenate([template.offset for template in packets]),
        reads=np.concatenate([template.reads for template in packets]),
        hops=np.concatenate([template.hops for template in packets]),
        first=first,
        destination=destination.astype(np.uint32),
        wait=np.concatenate([template.wait for template in packets]),
        virtual_neuron=program.partial_sum_of[first_destination],
        stream=np.repeat(np.array(stream, np.int64), sizes),
        issued=zeros(len(program.spans)),
        head=zeros(3, ports),
        end=zeros(3, ports),
        line=zeros(stages, ports) - 1,
        line_value=zeros(stages, ports),
        word=np.arange(ports) * leaves >> 6,
        mask=_masks(first, destination, leaves),
        place=zeros(ports, 3) + walk.LATEST,
        partial_sums_first=hardware.distribution.partial_sums_first,
        busy=zeros(ports),
        memory=np.concatenate(memory),
        memory_start=np.array([0, 0, len(memory[0])], np.int64),
        between=_between(program, ports),
    )


def returning_of(program: Program, hardware: Hardware, ports: Ports) -> Returning:
    """The queues of partial sums that leave as they arrive, empty; for no virtual neuron where none do."""
    if not (program.spills and hardware.distribution.partial_sums_as_they_arrive):
        return Returning(zeros(0), zeros(0, 0), zeros(0), zeros(0), zeros(0))
    count = len(program.spans)
    packet = zeros(len(ports.packet_start), count) - 1
    of_sums = np.flatnonzero(ports.stream == PARTIAL_SUMS)
    template = np.searchsorted(ports.packet_start[:, -1], of_sums, side="right")
    packet[template, ports.virtual_neuron[of_sums]] = of_sums
    starts = np.array([span.start for span in program.spans], np.int64)
    return Returning(
        port=starts // hardware.leaves_per_port,
        packet=packet,
        first=zeros(hardware.ports) + NOBODY,
        last=zeros(hardware.ports) + NOBODY,
        following=zeros(count) + NOBODY,
    )


def _between(program: Program, ports: int) -> Between:
    fusion = program.fusion
    if fusion is None:
        nothing = zeros(0)
        return Between(ports, nothing, nothing, nothing, 0, in_cycles=False, last=0)
    of_words = (fusion.producer, fusion.due, fusion.source)
    return Between(fusion.port, *of_words, fusion.identity, in_cycles=False, last=0)


def _masks(first: Ints, destination: Ints, leaves: int) -> Bits:
    """The destinations of all packets, as words of 64 switches from the first one of their port's ``leaves`` on."""
    packet = np.repeat(np.arange(len(first) - 1), np.diff(first))
    part = (destination >> 6) - (destination // leaves * leaves >> 6)
    masks = np.zeros((len(first) - 1, max(1, leaves >> 6)), np.uint64)
    np.bitwise_or.at(masks, (packet, part), np.uint64(1) << (destination & 63).astype(np.uint64))
    return masks


def counters_of(machine: Machine) -> Counters:
    """The counts of a finished run."""
    tally = [int(count) for count in machine.tally]
    combined = tally[counted.ADDITIONS_TWO] + 2 * tally[counted.ADDITIONS_THREE]

    def three(start: int) -> dict[str, int]:
        return {operand: tally[start + place] for place, operand in enumerate(OPERANDS)}

    return Counters(
        multiplications=tally[counted.MULTIPLICATIONS],
        passes=tally[counted.PASSES],
        additions=combined - tally[counted.COMPARISONS],
        comparisons=tally[counted.COMPARISONS],
        additions_two=tally[counted.ADDITIONS_TWO],
        additions_three=tally[counted.ADDITIONS_THREE],
        accumulations=tally[counted.ACCUMULATIONS],
        forwards=tally[counted.FORWARDS],
        distributed=three(counted.DISTRIBUTED),
        delivered=three(counted.DELIVERED),
        buffer_reads=three(counted.READS),
        buffer_writes={"outputs": tally[counted.OUTPUTS_WRITTEN], "partial_sums": tally[counted.PARTIAL_SUMS_WRITTEN]},
        distribution_hops=tally[counted.HOPS],
        adder_words=tally[counted.ADDER_WORDS],
        results=tally[counted.RESULTS],
        stalls={cause: tally[counted.STALLED + place] for place, cause in enumerate(STALLS)},
        port_stalls=tally[counted.PORT_STALLS],
        busy={
            "multipliers": machine.multipliers.busy.tolist(),
            "adder_switches": machine.adders.busy.tolist(),
            "ports": machine.ports.busy.tolist(),
            "buses": machine.collection.busy.tolist(),
        },
    )
