"""Numbering of the adder switches of a binary tree, shared by the topologies that are trees.

Level 1 joins the multiplier switches in pairs; level ``log2 M`` is the root. Switch ``n`` of level ``l`` has the
children ``2n`` and ``2n + 1`` of level ``l - 1`` (multiplier switches at level 1). The global number of a switch
counts level by level from the leaves.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from maerisim.fabric.topology import Link, Place, Wire
from maerisim.text import plural


class BinaryTree:
    """The adder switches above ``multipliers`` (a power of two) multiplier switches; ``latency`` cycles a level."""

    name: str
    side_links = "lateral links"
    """What links beside those from children to their parents are called."""
    legend = "┄┄ lateral link"
    """How they are drawn."""

    def __init__(self, multipliers: int, latency: int = 1) -> None:
        self.multipliers = multipliers
        self.latency = latency
        self.levels = multipliers.bit_length() - 1
        self.switches = multipliers - 1
        self._level_start = [0] * (self.levels + 2)
        for level in range(1, self.levels + 1):
            self._level_start[level + 1] = self._level_start[level] + (multipliers >> level)

    def number(self, level: int, index: int) -> int:
        """Global number of switch ``index`` of ``level``."""
        return self._level_start[level] + index

    def place(self, switch: int) -> tuple[int, int]:
        """(level, index) of a global switch number."""
        level = bisect_right(self._level_start, switch, 1, self.levels + 1) - 1
        return level, switch - self._level_start[level]

    def position(self, level: int, index: int) -> int:
        """Where the switch stands along the multiplier switches: the first leaf of its right child."""
        return (index << level) + (1 << (level - 1))

    def column(self, switch: int) -> int:
        """Its place along the multiplier switches, given by its global number."""
        return self.position(*self.place(switch))

    def level(self, switch: int) -> int:
        """The level of a global number, 1 next to the multipliers."""
        return self.place(switch)[0]

    def child(self, level: int, index: int) -> Wire:
        """The wire by which child ``index`` (counted along its own level) reaches its parent at ``level``."""
        return Wire("product", 0, index) if level == 1 else Wire("up", level - 1, index)

    def name_switch(self, switch: int) -> str:
        """``level.index`` of a switch, level 1 next to the multipliers."""
        level, index = self.place(switch)
        return f"{level}.{index}"

    def in_words(self) -> str:
        """The number of its levels and their latency."""
        return f"{self.name}: {plural(self.levels, 'level')} of adder switches, latency {self.latency} a level"

    def links(self) -> Iterator[Link]:
        """From every child to its parent, level by level, and after these what there is beside."""
        for level in range(1, self.levels + 1):
            for child in range(self.multipliers >> (level - 1)):
                source = ("multiplier", child) if level == 1 else ("adder", self.number(level - 1, child))
                yield Link(Place(*source), self.number(level, child // 2))
            yield from self.links_beside(level)

    def links_beside(self, level: int) -> Iterator[Link]:  # noqa: ARG002
        """The links of the switches of a level that do not lead to their parents."""
        yield from ()
