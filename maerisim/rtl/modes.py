"""What a switch of the RTL's reduction network can do, and a configuration of all of them.

Numbers are those of the RTL (``RN_Types.bsv``, ``RN_DblReductionSwitch_Datapath.bsv``). A switch waits until every
input that its mode names has a value; what arrives at an input that the mode does not name stays there and blocks the
multipliers below.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from maerisim.rtl.switches import LEFT, LL, LR, RIGHT, RL, RR, AdderTree


class SingleMode(IntEnum):
    """Modes of a single switch."""

    IDLE = 0
    ADD = 1
    PASS_LEFT = 2
    PASS_RIGHT = 3


class HalfMode(IntEnum):
    """Modes of either half of a double switch."""

    IDLE = 0
    PASS = 1
    ADD_TWO = 2
    ADD_THREE = 3


SINGLE_INPUTS: dict[SingleMode, tuple[int, ...]] = {
    SingleMode.IDLE: (),
    SingleMode.ADD: (LEFT, RIGHT),
    SingleMode.PASS_LEFT: (LEFT,),
    SingleMode.PASS_RIGHT: (RIGHT,),
}
LEFT_INPUTS: dict[HalfMode, tuple[int, ...]] = {
    HalfMode.IDLE: (),
    HalfMode.PASS: (LL,),
    HalfMode.ADD_TWO: (LL, LR),
    HalfMode.ADD_THREE: (LL, LR, RL),
}
RIGHT_INPUTS: dict[HalfMode, tuple[int, ...]] = {
    HalfMode.IDLE: (),
    HalfMode.PASS: (RR,),
    HalfMode.ADD_TWO: (RL, RR),
    HalfMode.ADD_THREE: (LR, RL, RR),
}
HALF_INPUTS = (LEFT_INPUTS, RIGHT_INPUTS)
"""The inputs that a mode of the left and of the right half adds (or passes)."""


def compatible(left: HalfMode, right: HalfMode) -> bool:
    """Whether both halves work beside each other: they must not need the same input.

    The RTL's rules have guards that amount to this: three on the left stop unless the right passes one or is idle, two
    on the left stop beside three on the right, two on the right stop beside three on the left.
    """
    return not set(LEFT_INPUTS[left]) & set(RIGHT_INPUTS[right])


COMBINATIONS: tuple[tuple[HalfMode, HalfMode], ...] = tuple(
    (left, right) for left in HalfMode for right in HalfMode if compatible(left, right)
)
"""The modes (left, right) of a double switch that work beside each other: 13 of 16."""


class Single(NamedTuple):
    """Configuration of a single switch; a ``result`` leaves to a collection bus instead of going up."""

    mode: SingleMode = SingleMode.IDLE
    result: bool = False


class Double(NamedTuple):
    """Configuration of a double switch; a result leaves to a collection bus instead of going up."""

    left: HalfMode = HalfMode.IDLE
    right: HalfMode = HalfMode.IDLE
    left_result: bool = False
    right_result: bool = False

    def mode(self, side: int) -> HalfMode:
        """The mode of the LEFT or the RIGHT half."""
        return self.right if side else self.left

    def result(self, side: int) -> bool:
        """Whether the LEFT or the RIGHT half sends its sum to a collection bus."""
        return self.right_result if side else self.left_result


@dataclass(frozen=True)
class Configuration:
    """The configuration of all switches, in the RTL's numbering."""

    tree: AdderTree
    doubles: tuple[Double, ...]
    singles: tuple[Single, ...]
