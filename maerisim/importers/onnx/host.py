"""What a model does besides its layers: nodes that MAERI does not run, with their share of all that it does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from math import prod

from maerisim.importers.onnx.model import OnnxNode
from maerisim.text import harmless

FREE = ("Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze")
"""Operators that change no word."""
MOVING = (
    *("Cast", "Concat", "DepthToSpace", "Expand", "Gather", "GatherElements", "GatherND", "Pad", "ScatterElements"),
    *("ScatterND", "Slice", "SpaceToDepth", "Split", "Tile", "Transpose"),
)
"""Operators that only move words."""


class HostWork:
    """Operations and words of all nodes: of layers, and by operator those that are not."""

    def __init__(self) -> None:
        self._known = [0, 0]
        self._host: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        self._constants = 0

    def layers(self, node: OnnxNode, operations: int) -> None:
        """A node that became layers with so many operations."""
        self._known[0] += operations
        self._known[1] += words(node)

    def host(self, node: OnnxNode) -> None:
        """A node that MAERI does not run."""
        done, moved = operations(node), 0 if node.op in FREE else words(node)
        for place, value in enumerate((1, done, moved)):
            self._host[node.op][place] += value
        self._known[0] += done
        self._known[1] += moved

    def constant(self) -> None:
        """A node that is done before the model runs."""
        self._constants += 1

    def lines(self) -> Iterator[str]:
        """The operators that MAERI does not run, those with most words first."""
        if self._host:
            yield "MAERI does not run (nodes, their share of the operations, of the words that are moved):"
        width = max(map(len, self._host), default=0)
        for op, (nodes, done, moved) in sorted(self._host.items(), key=lambda item: (-item[1][2], item[0])):
            shares = (value / total if total else 0.0 for value, total in zip((done, moved), self._known, strict=True))
            yield "  ".join(["", harmless(f"{op:{width}}"), f"{nodes:5,}", *(f"{share:8.3%}" for share in shares)])
        if self._constants:
            yield f"Known before the model runs: what {self._constants:,} of its nodes give."


def words(node: OnnxNode) -> int:
    """Words of all inputs and outputs of known shape."""
    return node.elements([name for name in (*node.proto.input, *node.proto.output) if name])


def operations(node: OnnxNode) -> int:
    """One for every word of the largest input or output; none where words are only moved."""
    if node.op in (*FREE, *MOVING):
        return 0
    shapes = node.model.shapes
    sizes = [prod(shapes[name]) for name in (*node.proto.input, *node.proto.output) if name in shapes]
    return max(sizes, default=0)
