"""The event engine: the fabric as SimPy processes and bounded stores. This is the specification of a cycle.

Every component is a process that looks at its queues once a cycle and then sleeps for one cycle. Processes are
started receivers first, and SimPy resumes processes that wake at the same time in the order in which they went to
sleep, so the order of work within a cycle is, always:

1. collection buses take one result each, round robin among the virtual neurons wired to them;
2. accumulators take the sum that has arrived and start, continue or complete an output;
3. adder switches, from the results back towards the multipliers, add (or compare) the words on their operand wires;
4. multiplier switches, by rising index, multiply;
5. the controller releases control steps, and the global buffer writes results;
6. distribution ports deliver one word each.

A word put on a queue is therefore seen one cycle later, and a full queue that is popped takes a word in the same cycle.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import simpy

from maerisim.arrays import Ints
from maerisim.counts.counters import OPERANDS, STALLS, Counters, by_operand
from maerisim.engine.deadlock import deadlock_message
from maerisim.engine.event.queues import Multiplier, OperandStore, Queue, TimedQueue, Word
from maerisim.engine.outcome import Progress, Run
from maerisim.errors import DeadlockError
from maerisim.fabric.collection_buses import virtual_neurons_by_bus
from maerisim.fabric.topology import Transfer, Wire
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import ACTIVE, Collect, Control, Packets, Program, Thread, Use
from maerisim.program.wiring import REGISTER, wire_up
from maerisim.workload.reference import Operands

Tick = Generator[simpy.Event, None, None]


@dataclass
class Tally:
    """Counts while the run goes on."""

    multiplications: int = 0
    passes: int = 0
    additions: int = 0
    comparisons: int = 0
    additions_two: int = 0
    additions_three: int = 0
    accumulations: int = 0
    forwards: int = 0
    distributed: dict[str, int] = field(default_factory=by_operand)
    delivered: dict[str, int] = field(default_factory=by_operand)
    buffer_reads: dict[str, int] = field(default_factory=by_operand)
    buffer_writes: dict[str, int] = field(default_factory=lambda: {"outputs": 0, "partial_sums": 0})
    distribution_hops: int = 0
    adder_words: int = 0
    results: int = 0
    stalls: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STALLS, 0))
    port_stalls: int = 0
    busy: dict[str, list[int]] = field(default_factory=dict)


class Fabric:
    """All components of one run. ``operands`` is None when no values are wanted; every word is then 0."""

    def __init__(self, program: Program, hardware: Hardware, operands: Operands | None, outputs: Ints) -> None:
        self.env = simpy.Environment()
        self.program, self.hardware = program, hardware
        self.memory: dict[str, Ints | None] = {"weights": None, "inputs": None, "partial_sums": None}
        if operands is not None:
            self.memory = {
                "weights": operands.weights.ravel(),
                "inputs": operands.inputs.ravel(),
                "partial_sums": outputs,
            }
        self.wiring = wire_up(program, hardware)
        self.queues = {wire: self._queue(wire, depth) for wire, depth in self.wiring.depth.items()}
        self.multipliers = [self._multiplier() for _ in range(program.multipliers_used)]
        self.count = Tally()
        self.count.busy = {
            "multipliers": [0] * hardware.multipliers,
            "adder_switches": [0] * hardware.multipliers,
            "ports": [0] * hardware.ports,
            "buses": [0] * hardware.buses,
        }
        self.adder_seen = [-1] * hardware.multipliers
        self.emitted: list[Queue] = [Queue(self.env) for _ in program.spans]
        self.written = [0] * len(program.bus_inputs)
        self.write_queue: deque[int] = deque()
        controller = hardware.controller
        free = controller.steps_per_cycle is None and not controller.wait_for_outputs
        self.released: float = math.inf if free else 0
        self.blocked_ports: dict[int, tuple[str, list[int]]] = {}
        self.first_result = 0
        self.progress = True
        self._start()

    def _queue(self, wire: Wire, depth: int) -> Queue:
        if self.program.control is None:
            return Queue(self.env, depth)
        return TimedQueue(self.env, depth, normal=wire in self.wiring.normal)

    def _multiplier(self) -> Multiplier:
        switch = self.hardware.multiplier
        held = switch.weight_registers * (2 if switch.weight_double_buffering else 1)
        return Multiplier(
            weights=OperandStore(Queue(self.env, held), self.program.batches.weights),
            inputs=OperandStore(Queue(self.env, switch.input_fifo_depth)),
            forwarded=OperandStore(Queue(self.env, switch.forward_fifo_depth)),
            partial_sums=OperandStore(Queue(self.env, switch.partial_sum_fifo_depth)),
        )

    def _start(self) -> None:
        """Start every process, receivers first."""
        process = self.env.process
        for bus, members in enumerate(virtual_neurons_by_bus(self.program.bus_inputs, self.hardware.buses)):
            if members:
                process(self.bus(bus, members))
        for transfer in self.wiring.collection:
            process(self.adder(transfer))
        accumulators = [self.accumulator(vn) for vn in range(len(self.program.spans))]
        adders = [self.adder(transfer) for transfer in self.wiring.reduction]
        # Without a stage of their own, accumulators pass a sum on in the cycle in which it leaves the adders.
        own_stage = self.hardware.accumulation.latency > 0
        for component in accumulators + adders if own_stage else adders + accumulators:
            process(component)
        for index in range(self.program.multipliers_used):
            process(self.multiplier(index))
        if self.released == 0:
            process(self.controller())
        process(self.global_buffer())
        for port in range(self.hardware.ports):
            process(self.port(port))

    @property
    def finished(self) -> bool:
        """Whether all results have left."""
        return self.count.results >= self.program.results

    @property
    def row_in_wait(self) -> Control | None:
        """What a controller that drives the fabric in lock step waits for."""
        return None

    def tick(self) -> simpy.Event:
        """Sleep until the next cycle."""
        return self.env.timeout(1)

    def bus(self, bus: int, members: tuple[int, ...]) -> Tick:
        """Collection bus: each cycle one result of the virtual neurons (or ports) wired to it.

        Round robin gives each its turn; else the one goes that went longest ago, the first of those that never did.
        """
        least_recent = self.hardware.collection.arbiter == "least_recently_granted"
        order = deque((member, self.queues[self.wiring.outgoing[member]]) for member in members)
        while True:
            for place, (member, source) in enumerate(order):
                if source.items:
                    self.write_back(member, source.pop())
                    self.count.busy["buses"][bus] += 1
                    if least_recent:
                        order.append(order[place])
                        del order[place]
                    else:
                        order.rotate(-place - 1)
                    break
            yield self.tick()

    def write_back(self, vn: int, word: Word) -> None:
        """A result leaves its bus for the global buffer."""
        flags, address = self.emitted[vn].pop()
        if (outputs := self.memory["partial_sums"]) is not None:
            outputs[address] = word.value
        self.count.buffer_writes["outputs" if flags & Collect.LAST else "partial_sums"] += 1
        self.write_queue.append(vn)
        self.progress = True

    def global_buffer(self) -> Tick:
        """Global buffer: writes the results that have arrived, all of them or half in a cycle."""
        half = self.hardware.collection.write_back == "half"
        while True:
            for _ in range(math.ceil(len(self.write_queue) / 2) if half else len(self.write_queue)):
                self.written[self.write_queue.popleft()] += 1
                self.count.results += 1
                self.first_result = self.first_result or int(self.env.now) + 1
                self.progress = True
            yield self.tick()

    def controller(self) -> Tick:
        """Controller: releases control steps to the ports, one batch after the other where it waits for outputs."""
        batches, limits = self.program.batches, self.hardware.controller
        rate = limits.steps_per_cycle or batches.last_step
        while self.released < batches.last_step:
            for _ in range(rate):
                batch, step = divmod(int(self.released), batches.steps)
                waits = limits.wait_for_outputs and step == 0
                if self.released == batches.last_step or (waits and self.count.results < batches.results_before(batch)):
                    break
                self.released += 1
                self.progress = True
            yield self.tick()

    def accumulator(self, vn: int) -> Tick:
        """Accumulator of a virtual neuron: adds up the folds of an output, passes complete ones on."""
        source, target = self.queues[self.wiring.result[vn]], self.queues[self.wiring.accumulated[vn]]
        held: dict[int, int] = {}
        layer = self.program.layer_of_virtual_neuron(vn)
        spills = bool(self.program.spilling[vn])
        for step, _, base in self.program.collect.walk(layer):
            flags = int(step.flags[vn])
            if not flags & Collect.ACTIVE:
                continue
            while not source.items or (flags & Collect.EMIT and not target.room):
                yield self.tick()
            address = base + int(self.program.output_offset[vn])
            total = source.pop().value
            if not flags & Collect.FIRST and not spills:
                total = self.combined([held.pop(address), total], layer)
                self.count.accumulations += 1
            if flags & Collect.EMIT:
                target.push(Word(total))
                self.emitted[vn].push((flags, address))
            else:
                held[address] = total
            self.progress = True
            yield self.tick()

    def combined(self, values: list[int], layer: int) -> int:
        """What adder switches and accumulators make of values: their sum, or in a max pooling the largest."""
        return max(values, default=self.program.empty_in(layer)) if self.program.compares_in(layer) else sum(values)

    def adder(self, transfer: Transfer) -> Tick:
        """One configured use of an adder switch (or a pipeline register): add one word of every operand wire."""
        operands = [self.queues[wire] for wire in transfer.operands]
        target = self.queues[transfer.output]
        layer = self.program.layer_of_virtual_neuron(transfer.virtual_neuron)
        while True:
            if all(queue.items for queue in operands) and target.room:
                words = [queue.pop() for queue in operands]
                live = [word.value for word in words if not word.empty]
                target.push(Word(self.combined(live, layer), empty=not live))
                if self.program.compares_in(layer):
                    self.count.comparisons += max(0, len(live) - 1)
                else:
                    self.count.additions += max(0, len(live) - 1)
                self.count.additions_two += len(live) == 2
                self.count.additions_three += len(live) == 3
                self.progress = True
                if transfer.switch != REGISTER:
                    self.count.adder_words += 1
                    if self.adder_seen[transfer.switch] != self.env.now:
                        self.adder_seen[transfer.switch] = int(self.env.now)
                        self.count.busy["adder_switches"][transfer.switch] += 1
            yield self.tick()

    def multiplier(self, index: int) -> Tick:
        """Multiplier switch: one control step a cycle, as soon as its operands are there."""
        switch = self.multipliers[index]
        product = self.queues[self.wiring.product[index]]
        layer = self.program.layer_of_switch(index)
        for step, _, _ in self.program.compute.walk(layer):
            uses = int(step[index])
            inputs = switch.forwarded if uses & Use.FORWARDED_INPUT else switch.inputs
            while cause := self.obstacle(index, uses, inputs, product):
                switch.stalled_by = cause
                self.count.stalls[cause] += 1
                yield self.tick()
            if uses & (Use.MULTIPLY | Use.PASS):
                if uses & Use.MULTIPLY:
                    product.push(Word(switch.weights.word * inputs.word))
                    self.count.multiplications += 1
                else:
                    product.push(Word(inputs.word))
                    self.count.passes += 1
                self.count.busy["multipliers"][index] += 1
                if uses & Use.FORWARD:
                    self.multipliers[index - 1].forwarded.queue.push(inputs.word)
                    self.multipliers[index - 1].forwarded.claimed += 1
                    self.count.forwards += 1
            elif uses & Use.PARTIAL_SUM:
                product.push(Word(switch.partial_sums.take()))
            elif uses & Use.IDLE:
                product.push(Word(self.program.empty_in(layer), empty=not self.hardware.controller.pad_edges))
            switch.weights.turn_over(uses, Use.RETIRE_WEIGHT, Use.NEXT_WEIGHT, Use.REWIND_WEIGHTS)
            inputs.turn_over(uses, Use.RETIRE_INPUT, Use.NEXT_INPUT, Use.REWIND_INPUTS)
            self.progress = True
            yield self.tick()
        switch.done = True

    def obstacle(self, index: int, uses: int, inputs: OperandStore, product: Queue) -> str:
        """What keeps a multiplier switch from its step, or nothing."""
        switch = self.multipliers[index]
        if not uses & ACTIVE:
            return ""
        if not product.room:
            return "collection"
        if uses & Use.MULTIPLY and not switch.weights.ready:
            return "weights"
        if uses & (Use.MULTIPLY | Use.PASS) and not inputs.ready:
            return "inputs"
        if uses & Use.PARTIAL_SUM and not switch.partial_sums.ready:
            return "wait"
        if uses & Use.FORWARD and not self.multipliers[index - 1].forwarded.room:
            return "forwarding"
        return ""

    def port(self, port: int) -> Tick:
        """Distribution port: one word a cycle into its subtree.

        Words for the earliest control step go first; of the same step inputs, then partial sums, then weights. A word
        that cannot go yet does not hold up those of the other operands.

        A word is sent when all its destinations have room for it and arrives there ``latency`` cycles later.
        """
        line: deque[_Packet | None] = deque([None] * (self.hardware.distribution.latency - 1))
        senders = [
            _Sender(operand, self.packets(thread, port), self.memory_of(operand, port))
            for operand, thread in zip(OPERANDS, self.program.streams, strict=True)
        ]
        while True:
            packet = self.send(port, senders)
            line.append(packet)
            if (arriving := line.popleft()) is not None:
                for index in arriving.destinations:
                    self.multipliers[index].of(arriving.operand).queue.push(arriving.value)
                self.progress = True
            self.blocked_ports.pop(port, None)
            heads = [sender.head for sender in senders if sender.head is not None]
            waiting = [head for head in heads if head.step < self.released]
            if packet is None and waiting:
                self.count.port_stalls += 1
                self.blocked_ports[port] = (waiting[0].operand, waiting[0].destinations)
            yield self.tick()

    def memory_of(self, operand: str, port: int) -> Ints | None:
        """Where the words of an operand lie that a port sends: inputs of a second layer among the results."""
        between = operand == "inputs" and self.program.layer_of_port(port) == 1
        return self.memory["partial_sums" if between else operand]

    def send(self, port: int, senders: list[_Sender]) -> _Packet | None:
        """The word that a port sends in this cycle, its room reserved."""
        waiting = [(sender.head, sender) for sender in senders if sender.head is not None]
        waiting = [entry for entry in waiting if entry[0].step < self.released]
        for packet, sender in sorted(waiting, key=lambda entry: self.turn(entry[0])):
            if packet.wait and self.written[packet.wait_for] < packet.wait:
                continue
            stores = [self.multipliers[index].of(packet.operand) for index in packet.destinations]
            if not all(store.room for store in stores):
                continue
            for store in stores:
                store.claimed += 1
            self.count.delivered[packet.operand] += len(stores)
            self.count.distributed[packet.operand] += 1
            self.count.buffer_reads[packet.operand] += packet.reads
            self.count.distribution_hops += packet.hops
            self.count.busy["ports"][port] += 1
            sender.next()
            self.progress = True
            return packet._replace(value=0 if sender.memory is None else self.value_of(packet, sender.memory))
        return None

    def value_of(self, packet: _Packet, memory: Ints) -> int:
        """The word that a packet carries; padding between two layers lies at no address."""
        if packet.address < 0:
            assert self.program.fusion is not None
            return self.program.fusion.identity
        return int(memory[packet.address])

    def turn(self, packet: _Packet) -> int:
        """The place of a word among those that a port could send: by control step, or partial sums before all."""
        first = self.hardware.distribution.partial_sums_first and packet.operand == "partial_sums"
        return -1 if first else packet.step

    def packets(self, thread: Thread[Packets], port: int) -> Iterator[_Packet]:
        """All packets of a thread for one port, in order."""
        results_so_far = [0] * len(self.program.spans)
        layer = self.program.layer_of_port(port)
        between = self.program.fusion if layer == 1 and thread.name == "inputs" else None
        for template, step, base in thread.walk(layer):
            for number in template.of_port(port):
                destinations = template.destinations_of(number).tolist()
                address, vn, wait = base + int(template.offset[number]), -1, 0
                if between is not None:
                    vn, wait = int(between.producer[address]), int(between.due[address])
                    address = int(between.source[address])
                if thread.name == "partial_sums":
                    vn = int(self.program.partial_sum_of[destinations[0]])
                    results_so_far[vn] += 1
                    if template.wait[number] == 0:
                        continue
                    wait = results_so_far[vn] - int(template.wait[number])
                yield _Packet(
                    thread.name,
                    step,
                    address,
                    destinations,
                    int(template.reads[number]),
                    int(template.hops[number]),
                    vn,
                    wait,
                )


class _Packet(NamedTuple):
    """A word on its way: for which control step, where from, where to, and what it waits for (``wait`` results of
    virtual neuron ``wait_for``).
    """

    operand: str
    step: int
    address: int
    destinations: list[int]
    reads: int
    hops: int
    wait_for: int
    wait: int
    value: int = 0


class _Sender:
    """The packets of one operand that a port still has to send; ``head`` is the next one."""

    def __init__(self, operand: str, packets: Iterator[_Packet], memory: Ints | None) -> None:
        self.operand, self.memory = operand, memory
        self._packets = packets
        self.next()

    def next(self) -> None:
        """Go on to the next packet."""
        self.head = next(self._packets, None)


def run(
    program: Program,
    hardware: Hardware,
    operands: Operands | None,
    outputs: Ints,
    progress: Progress | None,
    fabric_type: type[Fabric] = Fabric,
) -> Run:
    """Run to the last result.

    Fills ``outputs`` (flat) when values are carried. Raises DeadlockError when nothing moves for longer than a word
    takes through the distribution network.
    """
    fabric = fabric_type(program, hardware, operands, outputs)
    cycle = idle = 0
    while not fabric.finished:
        fabric.progress = False
        fabric.env.run(until=cycle + 0.5)
        idle = 0 if fabric.progress else idle + 1
        if idle >= hardware.distribution.latency:
            raise DeadlockError(_deadlock(fabric, cycle))
        cycle += 1
        if progress is not None and cycle % 1000 == 0:
            progress(fabric.count.results, program.results)
    count = fabric.count
    return Run(cycle, Counters(**vars(count)), fabric.first_result, cycle)


def _deadlock(fabric: Fabric, cycle: int) -> str:
    return deadlock_message(
        cycle=cycle,
        results=fabric.count.results,
        expected=fabric.program.results,
        stalled={index: switch.stalled_by for index, switch in enumerate(fabric.multipliers) if not switch.done},
        blocked=fabric.blocked_ports,
        waiting=[str(wire) for wire, queue in fabric.queues.items() if queue.items],
        row=fabric.row_in_wait,
    )
