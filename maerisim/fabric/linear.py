"""A linear chain of adders: each switch adds its own product to the sum that comes from its neighbour."""

from __future__ import annotations

from collections.abc import Sequence

from maerisim.fabric.topology import Reduction, Span, Transfer, Wire, staged


class LinearChain:
    """Chain over ``multipliers`` switches; ``latency`` cycles for each hop."""

    aligned = False

    def __init__(self, multipliers: int, latency: int = 1) -> None:
        self.switches = multipliers
        self.latency = latency

    def block(self, size: int) -> int:
        """Any contiguous run will do."""
        return size

    def route(self, spans: Sequence[Span]) -> Reduction:
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
        ends = tuple(start + size - 1 for start, size in spans)
        return Reduction(staged(transfers), ends, ends)

    def column(self, switch: int) -> int:
        """Its place along the multiplier switches."""
        return switch

    def level(self, switch: int) -> int:  # noqa: ARG002
        """All adders stand beside the multipliers."""
        return 1

    def name_switch(self, switch: int) -> str:
        """The number of the multiplier beside it."""
        return str(switch)
