"""Partial sums on their way back to the fabric that leave a port in the order in which they were written."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from maerisim.engine.event.packets import Packet, packets_of
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import Program


class ReturningSums:
    """A queue per distribution port of the virtual neurons whose next partial sum has been ``written``.

    A virtual neuron is there at most once: it joins the end when the result that its next partial sum is gets written
    or, if that was earlier, when the partial sum before is sent. Nobody joins where ``hardware`` sends partial sums in the
    order of the program.
    """

    def __init__(self, program: Program, hardware: Hardware, written: Sequence[int]) -> None:
        self._written = written
        self._queues: list[deque[int]] = [deque() for _ in range(hardware.ports)]
        self._port: dict[int, int] = {}
        if hardware.distribution.partial_sums_as_they_arrive:
            starts = [span.start // hardware.leaves_per_port for span in program.spans]
            self._port = {vn: port for vn, port in enumerate(starts) if program.spilling[vn]}
        self._left = {vn: _packets_for(program, vn, port) for vn, port in self._port.items()}
        self._next = {vn: next(packets, None) for vn, packets in self._left.items()}

    def arrive(self, virtual_neuron: int) -> None:
        """A result of a virtual neuron has been written."""
        if virtual_neuron in self._port and virtual_neuron not in self._queues[self._port[virtual_neuron]]:
            self._join(virtual_neuron)

    def first(self, port: int) -> Packet | None:
        """The partial sum that came back to a port first."""
        queue = self._queues[port]
        return self._next[queue[0]] if queue else None

    def leave(self, port: int) -> None:
        """The first partial sum of a port has been sent."""
        virtual_neuron = self._queues[port].popleft()
        self._next[virtual_neuron] = next(self._left[virtual_neuron], None)
        self._join(virtual_neuron)

    def _join(self, virtual_neuron: int) -> None:
        packet = self._next[virtual_neuron]
        if packet is not None and self._written[virtual_neuron] >= packet.wait:
            self._queues[self._port[virtual_neuron]].append(virtual_neuron)


def _packets_for(program: Program, virtual_neuron: int, port: int) -> Iterator[Packet]:
    packets = packets_of(program, program.partial_sums, port)
    return (packet for packet in packets if packet.wait_for == virtual_neuron)
