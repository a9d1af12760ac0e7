"""How virtual neurons of one size, side by side from multiplier switch 0 on, are summed by the RTL's switches.

The search goes level by level from the multipliers to the root. At a level every value that arrives belongs to one
virtual neuron, and every switch must use each of its values once. Two observations make the search exact without
branching; the tests enumerate all cases of the first:

- Whatever values arrive at a switch: all mode combinations that use each of them once, and add only values of the same
  virtual neuron, drive the same outputs for the same virtual neurons. (Only four values of one virtual neuron leave a
  choice, and both outputs are driven then.) Which of them is taken does not matter to the levels above.
- A virtual neuron whose values have come together in one output may as well leave there. If a configuration sends it
  further up, it does so through switches that pass it on and nothing else; with these idle the rest still works.

So there is one course of events. Where no mode fits the values that arrive at a switch, no configuration exists.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from maerisim.errors import NotSupportedError
from maerisim.rtl.modes import (
    COMBINATIONS,
    LEFT_INPUTS,
    RIGHT_INPUTS,
    SINGLE_INPUTS,
    Configuration,
    Double,
    HalfMode,
    Single,
    SingleMode,
)
from maerisim.rtl.switches import INPUT_NAMES, LR, RL, AdderTree, Output, SwitchKind

Arriving = int | None
"""The virtual neuron that a value belongs to; None where no value arrives."""


@dataclass(frozen=True)
class Obstacle:
    """A switch that has no mode for the values that arrive at it: the proof that no configuration exists."""

    tree: AdderTree
    level: int
    kind: SwitchKind
    switch: int
    values: tuple[Arriving, ...]

    def __str__(self) -> str:
        where = f"{self.kind} switch {self.switch} (level {self.level})"
        for vn in {*self.values} - {None}:
            if [port for port, value in enumerate(self.values) if value == vn] == [LR, RL] and self.kind == "double":
                return f"no mode of {where} adds LR and RL, where the values of virtual neuron {vn} arrive"
        names = INPUT_NAMES if self.kind == "double" else ("left", "right")
        arriving = [f"{name} {vn}" for name, vn in zip(names, self.values, strict=True) if vn is not None]
        return f"no mode of {where} keeps these virtual neurons apart: {', '.join(arriving)}"


@dataclass(frozen=True)
class Packing:
    """How many virtual neurons of one size fit: ``full`` by their size, ``largest`` with the modes of the switches.

    ``obstacle`` is what rules out one more than ``largest``; None when that is the full packing.
    """

    vn_size: int
    full: int
    largest: int
    obstacle: Obstacle | None


def configure(multipliers: int, vn_size: int, vn_count: int) -> Configuration:
    """A configuration that sums ``vn_count`` virtual neurons of ``vn_size``.

    Raises NotSupportedError with the largest number that works when there is no such configuration.
    """
    most = packing(multipliers, vn_size)
    outcome: Configuration | Obstacle | str = f"there is room for {most.full}"
    if vn_count <= most.full:
        outcome = attempt(multipliers, vn_size, vn_count)
    if isinstance(outcome, Configuration):
        return outcome
    msg = (
        f"{vn_count} virtual neurons of {vn_size} on {multipliers} multipliers: {outcome}; "
        f"the largest number that works is {most.largest}"
    )
    raise NotSupportedError(msg)


@cache
def packing(multipliers: int, vn_size: int) -> Packing:
    """The largest number of virtual neurons of ``vn_size`` that the switches can sum.

    Raises NotSupportedError for a size that the RTL cannot do at all.
    """
    check_size(multipliers, vn_size)
    full = multipliers // vn_size
    obstacle: Obstacle | None = None
    for count in range(full, 0, -1):
        outcome = attempt(multipliers, vn_size, count)
        if isinstance(outcome, Configuration):
            return Packing(vn_size, full, count, obstacle)
        obstacle = outcome
    raise AssertionError("a single virtual neuron starts at the left edge, where every mode exists")


def check_size(multipliers: int, vn_size: int) -> None:
    """Raises NotSupportedError for a virtual neuron of one multiplier or of more than there are."""
    if vn_size < 2:
        msg = f"a virtual neuron of {vn_size}: the RTL's smallest has 2 multipliers (put more channels into it)"
        raise NotSupportedError(msg)
    if vn_size > multipliers:
        msg = f"a virtual neuron of {vn_size} is larger than the array of {multipliers} multipliers"
        raise NotSupportedError(msg)


def attempt(multipliers: int, vn_size: int, vn_count: int) -> Configuration | Obstacle:
    """The configuration for ``vn_count`` virtual neurons of ``vn_size``, or the proof that there is none.

    They have to fit into the array.
    """
    tree = AdderTree(multipliers)
    doubles = [Double()] * tree.doubles
    singles = [Single()] * tree.singles
    values: list[Arriving] = [leaf // vn_size if leaf < vn_size * vn_count else None for leaf in range(multipliers)]
    for level in range(tree.levels - 1, -1, -1):
        driven: list[Arriving] = [None] * 2**level
        for position in (0, *range(1, 2**level - 1, 2), 2**level - 1):
            output = tree.output(level, position)
            low = 2 * position
            if output.kind == "single":
                arriving = tuple(values[low : low + 2])
                mode = single_mode(arriving)
                if mode is None:
                    return Obstacle(tree, level, "single", output.switch, arriving)
                singles[output.switch] = Single(mode)
                driven[position] = _sum_of(arriving, SINGLE_INPUTS[mode])
            else:
                arriving = tuple(values[low : low + 4])
                modes = double_modes(arriving)
                if not modes:
                    return Obstacle(tree, level, "double", output.switch, arriving)
                left, right = modes[0]
                doubles[output.switch] = Double(left, right)
                driven[position] = _sum_of(arriving, LEFT_INPUTS[left])
                driven[position + 1] = _sum_of(arriving, RIGHT_INPUTS[right])
        values = _let_whole_sums_leave(
            driven, [tree.output(level, place) for place in range(2**level)], doubles, singles
        )
    return Configuration(tree, tuple(doubles), tuple(singles))


def single_mode(arriving: Sequence[Arriving]) -> SingleMode | None:
    """The mode of a single switch that uses each value once; None when two virtual neurons meet."""
    present = tuple(port for port, vn in enumerate(arriving) if vn is not None)
    for mode, inputs in SINGLE_INPUTS.items():
        if inputs == present and _alike(arriving, inputs):
            return mode
    return None


@cache
def double_modes(arriving: tuple[Arriving, ...]) -> tuple[tuple[HalfMode, HalfMode], ...]:
    """All modes of a double switch that use each value once and add only values of the same virtual neuron.

    The most even ones come first: (two, two) before (three, one).
    """
    present = {port for port, vn in enumerate(arriving) if vn is not None}
    fitting = [
        (left, right)
        for left, right in COMBINATIONS
        if {*LEFT_INPUTS[left], *RIGHT_INPUTS[right]} == present
        and _alike(arriving, LEFT_INPUTS[left])
        and _alike(arriving, RIGHT_INPUTS[right])
    ]
    return tuple(sorted(fitting, key=lambda modes: abs(modes[0] - modes[1])))


def _alike(arriving: Sequence[Arriving], inputs: Sequence[int]) -> bool:
    return len({arriving[port] for port in inputs}) <= 1


def _sum_of(arriving: Sequence[Arriving], inputs: Sequence[int]) -> Arriving:
    return arriving[inputs[0]] if inputs else None


def _let_whole_sums_leave(
    driven: list[Arriving], outputs: list[Output], doubles: list[Double], singles: list[Single]
) -> list[Arriving]:
    """Set the result flag where a virtual neuron is down to one value; return what goes on to the next level."""
    left = Counter(driven)
    for place, vn in enumerate(driven):
        if vn is None or left[vn] > 1:
            continue
        driven[place] = None
        output = outputs[place]
        if output.kind == "single":
            singles[output.switch] = singles[output.switch]._replace(result=True)
        elif output.side:
            doubles[output.switch] = doubles[output.switch]._replace(right_result=True)
        else:
            doubles[output.switch] = doubles[output.switch]._replace(left_result=True)
    return driven
