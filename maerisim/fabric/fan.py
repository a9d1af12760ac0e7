"""FAN, SIGMA's forwarding adder network: a binary adder tree whose sums skip the levels at which nothing is added.

Every switch has two outputs. One leads to its parent; the other is its *forwarding link*, to the nearest switch above on
its other side, with a delay register for every level in between. With both, any partition of the multiplier switches into
contiguous virtual neurons is summed without blocking, and all words of a virtual neuron arrive together (Qin et al.,
HPCA 2020). In the numbering of that paper, adder ``a`` stands between the multiplier switches a and a + 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from maerisim.fabric.topology import Link, Place, Routing, Topology, Transfer, Wire
from maerisim.fabric.tree import BinaryTree
from maerisim.fabric.virtual_neuron import Span


class ForwardingAdderNetwork(BinaryTree, Topology):
    """FAN over ``multipliers`` leaves; ``latency`` cycles a level.

    A sum leaves at the switch that completes it or, ``to_last_level``, rides on through the registers of the levels above,
    so that the sums of all virtual neurons take equally long.
    """

    name = "fan"
    side_links = "forwarding links"
    legend = "forwarding links are not drawn"

    def __init__(self, multipliers: int, latency: int = 1, *, to_last_level: bool = False) -> None:
        super().__init__(multipliers, latency)
        self.to_last_level = to_last_level

    def route(self, spans: Sequence[Span]) -> Routing:
        """Configure the network for the given VNs (disjoint spans, any order)."""
        transfers: list[Transfer] = []
        exits, positions = [], []
        for number, span in enumerate(spans):
            first, last = span.start, span.start + span.size - 1
            level = self._meeting(first, last)
            index = first >> level
            operands = self._operands(number, level, first, last, transfers)
            latency = self.latency * (self.levels - level + 1 if self.to_last_level else 1)
            exits.append(self.number(level, index))
            positions.append(span.start if span.size == 1 else self.position(level, index))
            transfers.append(Transfer(exits[-1], operands, Wire("result", 0, number), number, latency))
        return self.configured(transfers, exits, positions)

    @staticmethod
    def _meeting(first: int, last: int) -> int:
        """The level at which the products of a run of multiplier switches meet, 1 for a single one."""
        return max(1, (first ^ last).bit_length())

    def _operands(self, number: int, level: int, first: int, last: int, transfers: list[Transfer]) -> tuple[Wire, ...]:
        """The wires by which the products ``first .. last`` reach the switch of ``level`` where they meet."""
        if level == 1:
            return tuple(self.child(1, leaf) for leaf in range(first, last + 1))
        middle = last >> (level - 1) << (level - 1)
        halves = ((first, middle - 1), (middle, last))
        return tuple(self._sum(number, level, *half, transfers) for half in halves)

    def _sum(self, number: int, above: int, first: int, last: int, transfers: list[Transfer]) -> Wire:
        """Sum the products ``first .. last``; return the wire on which a switch of the level ``above`` takes the sum."""
        level = self._meeting(first, last)
        operands = self._operands(number, level, first, last, transfers)
        output = Wire("up" if level + 1 == above else "forward", level, first >> level)
        switch = self.number(level, first >> level)
        transfers.append(Transfer(switch, operands, output, number, self.latency * (above - level)))
        return output

    def in_words(self) -> str:
        """Levels, and how far the sums go."""
        leave = ", sums ride on to the last level" if self.to_last_level else ""
        return f"{super().in_words()}, forwarding links past levels{leave}"

    def links_beside(self, level: int) -> Iterator[Link]:
        """The forwarding links: from each switch to the nearest one above on the side that its parent is not."""
        for index in range(self.multipliers >> level):
            away = 1 << (level - 1)
            position = self.position(level, index) + (away if index % 2 else -away)
            if 0 < position < self.multipliers:
                above = (position & -position).bit_length()
                target = self.number(above, position >> above)
                yield Link(Place("adder", self.number(level, index)), target, beside=True)
