"""A binary adder tree without lateral links: a virtual neuron may only use whole aligned subtrees."""

from __future__ import annotations

from collections.abc import Sequence

from maerisim.errors import NotSupportedError
from maerisim.fabric.topology import Routing, Topology, Transfer, Wire
from maerisim.fabric.tree import BinaryTree
from maerisim.fabric.virtual_neuron import Span


class PlainTree(BinaryTree, Topology):
    """Plain tree over ``multipliers`` leaves; ``latency`` cycles a level."""

    name = "plain_tree"

    def alignment(self, size: int) -> int:
        """The next power of two: the leaves of an aligned subtree."""
        return 1 << (size - 1).bit_length()

    def route(self, spans: Sequence[Span]) -> Routing:
        """Sum each VN in the subtree that holds it.

        Raises NotSupportedError for a VN that does not start at the first leaf of such a subtree.
        """
        transfers: list[Transfer] = []
        exits, positions = [], []
        for number, (start, size) in enumerate(spans):
            block = self.alignment(size)
            if start % block:
                raise NotSupportedError(
                    f"plain_tree: a virtual neuron of {size} multipliers must start at a multiple of {block}, not at "
                    f"{start}; use the art topology for arbitrary partitions"
                )
            a, b = start, start + size - 1
            top = max(1, block.bit_length() - 1)
            for level in range(1, top + 1):
                for index in range(a // 2, b // 2 + 1):
                    operands = tuple(self.child(level, c) for c in (2 * index, 2 * index + 1) if a <= c <= b)
                    output = Wire("result", 0, number) if level == top else Wire("up", level, index)
                    transfers.append(Transfer(self.number(level, index), operands, output, number, self.latency))
                a, b = a // 2, b // 2
            exits.append(self.number(top, a))
            positions.append(start if size == 1 else self.position(top, a))
        return self.configured(transfers, exits, positions)
