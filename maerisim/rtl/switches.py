"""The adder switches of the RTL's reduction network, and what is wired to what.

The network is a binary tree whose levels count from the root (level 0). Seen as a plain tree, output ``p`` of level
``l`` (``0 .. 2^l - 1``) stands above outputs ``2p`` and ``2p + 1`` of the level below, multipliers at the bottom. The
RTL builds it from two kinds of switches: *single* switches at the two edges of a level (one at the root), and *double*
switches, each of them two neighbouring adders that do not share a parent (outputs ``2i + 1`` and ``2i + 2``) with four
inputs LL, LR, RL, RR. (Source: ``RN_ReductionNetwork.bsv``.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

SwitchKind = Literal["single", "double"]

LL, LR, RL, RR = range(4)
INPUT_NAMES = ("LL", "LR", "RL", "RR")
LEFT, RIGHT = range(2)


class Input(NamedTuple):
    """An input of a switch: ``port`` is LL, LR, RL or RR of a double switch, LEFT or RIGHT of a single one."""

    kind: SwitchKind
    switch: int
    port: int


class Output(NamedTuple):
    """An output of a switch: ``side`` is LEFT or RIGHT of a double switch, LEFT of a single one."""

    kind: SwitchKind
    switch: int
    side: int

    def __str__(self) -> str:
        if self.kind == "single":
            return f"single switch {self.switch}"
        return f"the {('left', 'right')[self.side]} half of double switch {self.switch}"


@dataclass(frozen=True)
class AdderTree:
    """The switches above ``multipliers`` (a power of two, at least 4) multiplier switches."""

    multipliers: int

    @cached_property
    def levels(self) -> int:
        """Levels of switches, the root being level 0."""
        return self.multipliers.bit_length() - 1

    @property
    def singles(self) -> int:
        """Number of single switches."""
        return 2 * self.levels - 1

    @property
    def doubles(self) -> int:
        """Number of double switches."""
        return self.multipliers // 2 - self.levels

    def singles_of(self, level: int) -> range:
        """The single switches of a level: the left and the right one, at the root only one."""
        return range(1) if level == 0 else range(2 * level - 1, 2 * level + 1)

    def doubles_of(self, level: int) -> range:
        """The double switches of a level from the left to the right; none at levels 0 and 1."""
        first = 0 if level == 0 else 2 ** (level - 1) - level
        return range(first, first + (2 ** (level - 1) - 1 if level else 0))

    def output(self, level: int, position: int) -> Output:
        """Who drives output ``position`` of a level."""
        if position == 0:
            return Output("single", self.singles_of(level)[0], LEFT)
        if position == 2**level - 1:
            return Output("single", self.singles_of(level)[-1], LEFT)
        return Output("double", self.doubles_of(level)[(position - 1) // 2], (position - 1) % 2)

    def level_of(self, output: Output) -> int:
        """The level of the switch that drives an output."""
        if output.kind == "single":
            return (output.switch + 1) // 2
        return next(level for level in range(self.levels) if output.switch in self.doubles_of(level))

    def input_of_leaf(self, leaf: int) -> Input:
        """Where the products of multiplier switch ``leaf`` go."""
        left, right = self.singles_of(self.levels - 1)
        if leaf < 2:
            return Input("single", left, leaf)
        if leaf >= self.multipliers - 2:
            return Input("single", right, leaf - self.multipliers + 2)
        return Input("double", self.doubles_of(self.levels - 1)[(leaf - 2) // 4], (leaf - 2) % 4)

    def input_above(self, output: Output) -> Input | None:
        """Where an output goes that is not a result; None at the root."""
        level = self.level_of(output)
        if level == 0:
            return None
        if output.kind == "single":
            edge = output.switch - self.singles_of(level)[0]
            return Input("single", self.singles_of(level - 1)[edge if level > 1 else 0], edge)
        doubles = self.doubles_of(level)
        number = 2 * (output.switch - doubles[0]) + output.side
        if number == 0:
            return Input("single", self.singles_of(level - 1)[0], RIGHT)
        if number == 2 * len(doubles) - 1:
            return Input("single", self.singles_of(level - 1)[-1], LEFT)
        return Input("double", self.doubles_of(level - 1)[(number - 1) // 4], (number - 1) % 4)

    def result_port(self, output: Output, buses: int) -> tuple[int, int]:
        """(collection bus, input port of that bus) at which a result of this output arrives."""
        group, bus = divmod(output.switch, buses)
        if output.kind == "double":
            return bus, 2 * group + output.side
        return bus, 2 * self.doubles // buses + 1 + group
