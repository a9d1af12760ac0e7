"""Numbering of the adder switches of a binary tree, shared by the topologies that are trees.

Level 1 joins the multiplier switches in pairs; level ``log2 M`` is the root. Switch ``n`` of level ``l`` has the
children ``2n`` and ``2n + 1`` of level ``l - 1`` (multiplier switches at level 1). The global number of a switch
counts level by level from the leaves.
"""

from __future__ import annotations

from maerisim.fabric.topology import Wire


class BinaryTree:
    """The adder switches above ``multipliers`` (a power of two) multiplier switches."""

    aligned = False

    def __init__(self, multipliers: int) -> None:
        self.multipliers = multipliers
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
        level = next(lv for lv in range(1, self.levels + 1) if switch < self._level_start[lv + 1])
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
