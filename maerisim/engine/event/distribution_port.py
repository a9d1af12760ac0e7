"""A distribution port, and the subtree of distribution switches below it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from maerisim.arrays import Ints
from maerisim.counts.counters import OPERANDS
from maerisim.engine.event.component import Component, Surroundings, Tick
from maerisim.engine.event.controller import Controller
from maerisim.engine.event.global_buffer import GlobalBuffer
from maerisim.engine.event.multiplier_switch import MultiplierSwitch
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import Packets, Program, Thread


class Packet(NamedTuple):
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


class Stream:
    """The packets of one operand that a port still has to send; ``head`` is the next one."""

    def __init__(self, packets: Iterator[Packet], memory: Ints | None) -> None:
        self.memory = memory
        self._packets = packets
        self.next()

    def next(self) -> None:
        """Go on to the next packet."""
        self.head = next(self._packets, None)


class DistributionPort(Component):
    """Sends one word a cycle into its subtree, where it arrives ``latency`` cycles later.

    Words for the earliest control step go first; of the same step inputs, then partial sums, then weights. A word goes
    when it is in the global buffer and all its destinations have room for it, the words on their way counted, so that
    nothing in the subtree ever waits. One that cannot go yet does not hold up those of the other operands. ``blocked``
    is the packet that waits first, if nothing was sent.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        number: int,
        program: Program,
        hardware: Hardware,
        switches: Sequence[MultiplierSwitch],
        controller: Controller,
        global_buffer: GlobalBuffer,
    ) -> None:
        super().__init__(surroundings)
        self.number, self.program, self.switches = number, program, switches
        self.controller, self.global_buffer = controller, global_buffer
        self.partial_sums_first = hardware.distribution.partial_sums_first
        self.tree: deque[Packet | None] = deque([None] * (hardware.distribution.latency - 1))
        self.streams = [
            Stream(packets_of(program, thread, number), global_buffer.memory_of(operand, number))
            for operand, thread in zip(OPERANDS, program.streams, strict=True)
        ]
        self.blocked: Packet | None = None

    def run(self) -> Tick:
        """Each cycle a word into the tree, and one out of it."""
        while True:
            packet = self.send()
            self.tree.append(packet)
            if (arriving := self.tree.popleft()) is not None:
                self.deliver(arriving)
            self.blocked = None
            if packet is None and (waiting := self.waiting()):
                self.blocked = waiting[0][0]
                self.observer.port_stalled(self.number, self.blocked.operand, self.blocked.destinations, self.cycle)
            yield self.tick()

    def waiting(self) -> list[tuple[Packet, Stream]]:
        """The next packet of each operand, if its control step is released."""
        released = self.controller.released
        return [(s.head, s) for s in self.streams if s.head is not None and s.head.step < released]

    def send(self) -> Packet | None:
        """The word that goes in this cycle, its room reserved."""
        for packet, stream in sorted(self.waiting(), key=self.turn):
            if packet.wait and self.global_buffer.written[packet.wait_for] < packet.wait:
                continue
            stores = [self.switches[index].stores[packet.operand] for index in packet.destinations]
            if not all(store.room for store in stores):
                continue
            for store in stores:
                store.claimed += 1
            stream.next()
            value = self.global_buffer.read(stream.memory, packet.address)
            self.observer.sent(
                self.number,
                packet.operand,
                packet.destinations,
                value,
                self.cycle,
                address=packet.address,
                reads=packet.reads,
                hops=packet.hops,
            )
            self.watchdog.moved = True
            return packet._replace(value=value)
        return None

    def deliver(self, packet: Packet) -> None:
        """A word reaches all its destinations."""
        for index in packet.destinations:
            self.switches[index].stores[packet.operand].queue.push(packet.value)
            self.observer.delivered(self.number, packet.operand, index, packet.value, self.cycle)
        self.watchdog.moved = True

    def turn(self, entry: tuple[Packet, Stream]) -> int:
        """The place of a word among those that could go: by control step, or partial sums before all."""
        packet = entry[0]
        return -1 if self.partial_sums_first and packet.operand == "partial_sums" else packet.step


def packets_of(program: Program, thread: Thread[Packets], port: int) -> Iterator[Packet]:
    """All packets of a thread for one port, in order; partial sums that start an output have no word to send."""
    results_so_far = [0] * len(program.spans)
    layer = program.layer_of_port(port)
    between = program.fusion if layer == 1 and thread.name == "inputs" else None
    for template, step, base in thread.walk(layer):
        for number in template.of_port(port):
            destinations = template.destinations_of(number).tolist()
            address, vn, wait = base + int(template.offset[number]), -1, 0
            if between is not None:
                vn, wait = int(between.producer[address]), int(between.due[address])
                address = int(between.source[address])
            if thread.name == "partial_sums":
                vn = int(program.partial_sum_of[destinations[0]])
                results_so_far[vn] += 1
                if template.wait[number] == 0:
                    continue
                wait = results_so_far[vn] - int(template.wait[number])
            reads, hops = int(template.reads[number]), int(template.hops[number])
            yield Packet(thread.name, step, address, destinations, reads, hops, vn, wait)
