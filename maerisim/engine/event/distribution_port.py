"""A distribution port, and the subtree of distribution switches below it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from maerisim.arrays import Ints
from maerisim.counts.counters import OPERANDS
from maerisim.engine.event.component import Component, Surroundings, Tick
from maerisim.engine.event.controller import Controller
from maerisim.engine.event.global_buffer import GlobalBuffer
from maerisim.engine.event.multiplier_switch import MultiplierSwitch
from maerisim.engine.event.packets import Packet, packets_of
from maerisim.engine.event.returning_sums import ReturningSums
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import Program


class Stream:
    """The packets of one operand that a port still has to send; ``head`` is the next one."""

    def __init__(self, packets: Iterator[Packet], memory: Ints | None) -> None:
        self.memory = memory
        self._packets = packets
        self.next()

    def next(self) -> None:
        """Go on to the next packet."""
        self.head = next(self._packets, None)


class ReturningStream:
    """The partial sums that have come back to a port, one virtual neuron after the other; ``head`` is the next one."""

    def __init__(self, returning: ReturningSums, port: int, memory: Ints | None) -> None:
        self.memory = memory
        self._returning, self._port = returning, port

    @property
    def head(self) -> Packet | None:
        """The partial sum that came back first."""
        return self._returning.first(self._port)

    def next(self) -> None:
        """Go on to the next packet."""
        self._returning.leave(self._port)


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
        self.streams: list[Stream | ReturningStream] = [
            Stream(packets_of(program, thread, number), global_buffer.memory_of(operand, number))
            for operand, thread in zip(OPERANDS, program.streams, strict=True)
        ]
        if hardware.distribution.partial_sums_as_they_arrive:
            place, memory = OPERANDS.index("partial_sums"), global_buffer.memory_of("partial_sums", number)
            self.streams[place] = ReturningStream(global_buffer.returning, number, memory)
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

    def waiting(self) -> list[tuple[Packet, Stream | ReturningStream]]:
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

    def turn(self, entry: tuple[Packet, Stream | ReturningStream]) -> int:
        """The place of a word among those that could go: by control step, or partial sums before all."""
        packet = entry[0]
        return -1 if self.partial_sums_first and packet.operand == "partial_sums" else packet.step
