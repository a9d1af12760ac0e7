"""The augmented reduction tree (ART) of MAERI: a binary adder tree with links between neighbours.

Switch ``n`` of a level has one lateral link to the neighbour that is not its sibling: odd n to n + 1, even n to
n - 1. With it any partition of the multiplier switches into contiguous virtual neurons is summed without blocking
(Kwon et al., ASPLOS 2018); the rule is in :func:`_climb`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from maerisim.fabric.topology import Link, Place, Routing, Topology, Transfer, Wire
from maerisim.fabric.tree import BinaryTree
from maerisim.fabric.virtual_neuron import Span


class AugmentedReductionTree(BinaryTree, Topology):
    """ART over ``multipliers`` leaves; ``latency`` cycles a level, ``lateral_latency`` cycles for a lateral hop.

    ``shorter_end`` routes as the MAERI paper says: wherever a lateral link joins the first or the last switch of a VN
    to the rest, and this end holds the smaller part, its sum crosses over. Otherwise only single values cross.
    """

    name = "art"

    def __init__(
        self, multipliers: int, latency: int = 1, lateral_latency: int = 1, *, shorter_end: bool = False
    ) -> None:
        super().__init__(multipliers, latency)
        self.shorter_end = shorter_end
        self.lateral_latency = lateral_latency

    def route(self, spans: Sequence[Span]) -> Routing:
        """Configure the tree for the given VNs (disjoint spans, any order)."""
        transfers: list[Transfer] = []
        exits, positions = [], []
        for number, span in enumerate(spans):
            level, index = self._climb(number, span, transfers)
            exits.append(self.number(level, index))
            positions.append(span.start if span.size == 1 else self.position(level, index))
        return self.configured(transfers, exits, positions)

    def in_words(self) -> str:
        """Levels, and what it takes to cross a lateral link."""
        return f"{super().in_words()}, {self.lateral_latency} across a lateral link"

    def links_beside(self, level: int) -> Iterator[Link]:
        """The lateral links: each joins an odd switch to the next one, which is not its sibling."""
        for index in range(1, (self.multipliers >> level) - 1, 2):
            odd = self.number(level, index)
            yield Link(Place("adder", odd), odd + 1, beside=True, both_ways=True)

    def _climb(self, number: int, span: Span, transfers: list[Transfer]) -> tuple[int, int]:
        """Route one VN level by level; return (level, index) of the switch where its sum leaves.

        At each level the VN's values arrive from the children ``a .. b``, in switches ``A .. B``. A switch at the
        end of the range that gets only one of the values is shared with a neighbouring VN: if its lateral link
        points into the range the value crosses over and the neighbour adds three; else it goes up alone.
        """
        a, b = span.start, span.start + span.size - 1
        for level in range(1, self.levels + 1):
            first, last = a // 2, b // 2
            crossing: dict[int, Wire] = {}
            lower, upper = self._remaining(a, b)
            if lower != first:
                crossing[lower] = self._cross(number, level, first, range(a, 2 * first + 2), transfers)
            if upper != last:
                crossing[upper] = self._cross(number, level, last, range(2 * last, b + 1), transfers)
            for index in range(lower, upper + 1):
                operands = [self.child(level, child) for child in (2 * index, 2 * index + 1) if a <= child <= b]
                if index in crossing:
                    operands.append(crossing[index])
                output = Wire("result", 0, number) if lower == upper else Wire("up", level, index)
                transfers.append(Transfer(self.number(level, index), tuple(operands), output, number, self.latency))
            if lower == upper:
                return level, lower
            a, b = lower, upper
        raise AssertionError("a VN inside the array has left the tree at the root")

    def _remaining(self, a: int, b: int) -> tuple[int, int]:
        """The first and the last switch from which values of a VN with the children ``a .. b`` go up."""
        first, last = a // 2, b // 2
        lower, upper = first, last
        inward = first != last and first % 2 == 1
        if inward and (self._shorter(a, 2 * first + 1, b) if self.shorter_end else a % 2 == 1):
            lower, a = first + 1, 2 * first + 2
        inward = lower != last and last % 2 == 0
        if inward and (b - 2 * last < 2 * last - a if self.shorter_end else b % 2 == 0):
            upper = last - 1
        return lower, upper

    @staticmethod
    def _shorter(a: int, middle: int, b: int) -> bool:
        """Whether ``a .. middle`` holds fewer values than ``middle + 1 .. b``."""
        return middle - a + 1 < b - middle

    def _cross(self, number: int, level: int, index: int, children: range, transfers: list[Transfer]) -> Wire:
        """Send the sum of the values at switch ``index`` over its lateral link; return the wire the neighbour reads."""
        values = tuple(self.child(level, child) for child in children)
        if self.lateral_latency == 0 and len(values) == 1:
            return values[0]
        lateral = Wire("lateral", level, index)
        transfers.append(Transfer(self.number(level, index), values, lateral, number, max(1, self.lateral_latency)))
        return lateral
