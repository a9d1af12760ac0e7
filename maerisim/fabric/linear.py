"""A linear chain of adders: each switch adds its own product to the sum that comes from its neighbour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from maerisim.fabric.topology import Link, Place, Routing, Topology, Transfer, Wire
from maerisim.fabric.virtual_neuron import Span


class LinearChain(Topology):
    """Chain over ``multipliers`` switches; ``latency`` cycles for each hop."""

    def __init__(self, multipliers: int, latency: int = 1) -> None:
        self.switches = multipliers
        self.latency = latency

    def route(self, spans: Sequence[Span]) -> Routing:
        """Sum each VN from its first multiplier to its last, where the result leaves."""
        transfers = []
        for number, (start, size) in enumerate(spans):
            last = start + size - 1
            for index in range(start, last + 1):
                operands: tuple[Wire, ...] = (Wire("product", 0, index),)
                if index > start:
                    operands += (Wire("chain", 0, index - 1),)
                output = Wire("result", 0, number) if index == last else Wire("chain", 0, index)
                transfers.append(Transfer(index, operands, output, number, self.latency))
        ends = [start + size - 1 for start, size in spans]
        return self.configured(transfers, ends, ends)

    def column(self, switch: int) -> int:
        """Its place along the multiplier switches."""
        return switch

    def level(self, switch: int) -> int:  # noqa: ARG002
        """All adders stand beside the multipliers."""
        return 1

    def name_switch(self, switch: int) -> str:
        """The number of the multiplier beside it."""
        return str(switch)

    def in_words(self) -> str:
        """Its length and the latency of a hop."""
        return f"linear: a chain of {self.switches} adders, latency {self.latency} each"

    def links(self) -> Iterator[Link]:
        """From each multiplier to its adder, and from adder to adder."""
        for index in range(self.switches):
            yield Link(Place("multiplier", index), index)
        for index in range(self.switches - 1):
            yield Link(Place("adder", index), index + 1)
