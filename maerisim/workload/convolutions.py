"""Convolutions in one, two and three dimensions and transposed, as the loop nests that they reduce to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import lcm, prod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from maerisim import documents
from maerisim.documents import Complaint
from maerisim.documents.sizes import (
    InputShape,
    LineShape,
    Padding,
    PaddingTriple,
    PositivePair,
    PositiveTriple,
    Sides,
    Size,
    VolumeShape,
    WholeSize,
    behind,
)
from maerisim.workload import foreign
from maerisim.workload.entry import BatchedLayer
from maerisim.workload.problem import Problem, Stage
from maerisim.workload.sparsity import Sparsity

Pair = int | Sequence[int]
"""One integer, or [height, width]; of a padding also [top, left, bottom, right]."""
PADDINGS = (
    "one integer or [height, width] on each side, [top, left, bottom, right], or same: as many outputs as strides fit "
    "into the input, the odd zero at the end"
)
Zeros = Sparsity | Mapping[str, Any] | None
"""Which weights are zero."""


class Conv2d(BatchedLayer):
    """A two-dimensional convolution; depthwise when ``groups`` equals the input channels."""

    op: Literal["conv2d"]

    foreign_keys: ClassVar[Mapping[str, str]] = foreign.CONVOLUTION

    input: InputShape = Field(description="[channels, height, width], all groups together, without padding")
    filters: Size = Field(description="output channels, all groups together")
    kernel: PositivePair = Field(description="filter size, one integer or [height, width]")
    stride: PositivePair = Field((1, 1), description="one integer or [height, width]")
    padding: Padding = Field((0, 0), description=f"zeros around the input: {PADDINGS}")
    dilation: PositivePair = Field((1, 1), description="distance of filter taps, one integer or [height, width]")
    groups: Size = Field(1, description="independent groups of channels")
    bias: bool = Field(False, description="one bias per filter, counted as a parameter")
    sparsity: Sparsity | None = Field(None, description="which weights are zero; null: none")

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            input: Sequence[int],
            filters: int,
            kernel: Pair,
            stride: Pair = ...,
            padding: Pair | Literal["same"] = ...,
            dilation: Pair = ...,
            groups: int = ...,
            bias: bool = ...,
            sparsity: Zeros = ...,
            name: str = ...,
            count: int = ...,
            batch: int = ...,
        ) -> None: ...

    @model_validator(mode="after")
    def _check(self) -> Conv2d:
        problems = undivided(self.groups, self.input[0], self.filters)
        problems += too_large(self.kernel, self.dilation, self.input, self.sides)
        problems += wrong_bitmap(self.sparsity, self.filters, self.input[0] // self.groups * prod(self.kernel))
        if problems:
            raise documents.complaints_error(problems)
        return self

    @property
    def sides(self) -> Sides:
        """The padding in numbers."""
        return sides_of(self.padding, self.input, self.kernel, self.stride, self.dilation)

    @property
    def problem(self) -> Problem:
        """The loop nest; input rows and columns that the last stride does not reach are not touched."""
        channels, *size = self.input
        sides = self.sides
        rows, columns = (
            outputs(size[axis], self.kernel[axis], self.stride[axis], axis_sides(sides, axis), self.dilation[axis])
            for axis in (0, 1)
        )
        return Problem(
            N=self.batch,
            G=self.groups,
            K=self.filters // self.groups,
            C=channels // self.groups,
            R=self.kernel[0],
            S=self.kernel[1],
            P=rows,
            Q=columns,
            stride=self.stride,
            dilation=self.dilation,
            padding=sides,
            sparsity=self.sparsity,
        )

    @property
    def parameters(self) -> int:
        """Weights that are not zero, and one bias per filter."""
        return self.problem.weights + (self.filters if self.bias else 0)


class Conv1d(BatchedLayer):
    """A one-dimensional convolution: one of a single row."""

    op: Literal["conv1d"]

    foreign_keys: ClassVar[Mapping[str, str]] = foreign.CONVOLUTION

    input: LineShape = Field(description="[channels, length], all groups together, without padding")
    filters: Size = Field(description="output channels, all groups together")
    kernel: Size = Field(description="filter size")
    stride: Size = Field(1, description="distance of outputs")
    padding: WholeSize = Field(0, description="zeros on each side")
    dilation: Size = Field(1, description="distance of filter taps")
    groups: Size = Field(1, description="independent groups of channels")
    bias: bool = Field(False, description="one bias per filter, counted as a parameter")
    sparsity: Sparsity | None = Field(None, description="which weights are zero; null: none")

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            input: Sequence[int],
            filters: int,
            kernel: int,
            stride: int = ...,
            padding: int = ...,
            dilation: int = ...,
            groups: int = ...,
            bias: bool = ...,
            sparsity: Zeros = ...,
            name: str = ...,
            count: int = ...,
            batch: int = ...,
        ) -> None: ...

    @model_validator(mode="after")
    def _check(self) -> Conv1d:
        channels, length = self.input
        problems = undivided(self.groups, channels, self.filters)
        problems += beyond((self.kernel,), (self.dilation,), (length,), ((self.padding, self.padding),), ("columns",))
        problems += wrong_bitmap(self.sparsity, self.filters, channels // self.groups * self.kernel)
        if problems:
            raise documents.complaints_error(problems)
        return self

    @property
    def problem(self) -> Problem:
        """The loop nest of a row; what the last stride does not reach is not touched."""
        channels, length = self.input
        return Problem(
            N=self.batch,
            G=self.groups,
            K=self.filters // self.groups,
            C=channels // self.groups,
            S=self.kernel,
            Q=outputs(length, self.kernel, self.stride, (self.padding, self.padding), self.dilation),
            stride=(1, self.stride),
            dilation=(1, self.dilation),
            padding=(0, self.padding),
            sparsity=self.sparsity,
        )

    @property
    def parameters(self) -> int:
        """Weights that are not zero, and one bias per filter."""
        return self.problem.weights + (self.filters if self.bias else 0)


class Conv3d(BatchedLayer):
    """A three-dimensional convolution, folded to two: taps of one axis become input channels.

    The axis is the first of depth, height and width of which no input line belongs to two outputs; its outputs are then
    images. Where there is none it is the depth, and the layer runs once for every output depth. Padding of this axis is
    input like any other.
    """

    op: Literal["conv3d"]

    foreign_keys: ClassVar[Mapping[str, str]] = foreign.CONVOLUTION

    input: VolumeShape = Field(description="[channels, depth, height, width], all groups together, without padding")
    filters: Size = Field(description="output channels, all groups together")
    kernel: PositiveTriple = Field(description="filter size, one integer or [depth, height, width]")
    stride: PositiveTriple = Field((1, 1, 1), description="one integer or [depth, height, width]")
    padding: PaddingTriple = Field((0, 0, 0), description="zeros on each side, one integer or [depth, height, width]")
    dilation: PositiveTriple = Field((1, 1, 1), description="distance of taps, one integer or [depth, height, width]")
    groups: Size = Field(1, description="independent groups of channels")
    bias: bool = Field(False, description="one bias per filter, counted as a parameter")

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            input: Sequence[int],
            filters: int,
            kernel: Pair,
            stride: Pair = ...,
            padding: Pair = ...,
            dilation: Pair = ...,
            groups: int = ...,
            bias: bool = ...,
            name: str = ...,
            count: int = ...,
            batch: int = ...,
        ) -> None: ...

    @model_validator(mode="after")
    def _check(self) -> Conv3d:
        channels, *size = self.input
        problems = undivided(self.groups, channels, self.filters)
        problems += beyond(self.kernel, self.dilation, size, self._sides, ("planes", "rows", "columns"))
        if problems:
            raise documents.complaints_error(problems)
        return self

    @property
    def _sides(self) -> list[tuple[int, int]]:
        return [(padding, padding) for padding in self.padding]

    @property
    def output(self) -> tuple[int, ...]:
        """(depth, height, width) of the outputs."""
        axes = zip(self.input[1:], self.kernel, self.stride, self._sides, self.dilation, strict=True)
        return tuple(outputs(*axis) for axis in axes)

    @property
    def folded(self) -> tuple[int, bool]:
        """The axis of which taps are channels, and whether its outputs have no input in common."""
        for axis, size in enumerate(self.output):
            meet = lcm(self.stride[axis], self.dilation[axis])
            taps, steps = meet // self.dilation[axis], meet // self.stride[axis]
            if taps >= self.kernel[axis] or steps >= size:
                return axis, True
        return 0, False

    @property
    def problem(self) -> Problem:
        """What runs at once: all of the layer, or one output depth."""
        axis, apart = self.folded
        rows, columns = (each for each in range(3) if each != axis)
        sizes = self.output
        return Problem(
            N=self.batch * (sizes[axis] if apart else 1),
            G=self.groups,
            K=self.filters // self.groups,
            C=self.input[0] // self.groups * self.kernel[axis],
            R=self.kernel[rows],
            S=self.kernel[columns],
            P=sizes[rows],
            Q=sizes[columns],
            stride=(self.stride[rows], self.stride[columns]),
            dilation=(self.dilation[rows], self.dilation[columns]),
            padding=(self.padding[rows], self.padding[columns]),
        )

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The layer, once or once for every output depth."""
        axis, apart = self.folded
        return (Stage(self.name, self.problem, 1 if apart else self.output[axis]),)

    @property
    def parameters(self) -> int:
        """Weights, and one bias per filter."""
        return self.problem.weights + (self.filters if self.bias else 0)


def outputs(size: int, kernel: int, stride: int, padding: tuple[int, int], dilation: int) -> int:
    """Outputs of a convolution along one axis, with its padding before and behind."""
    return (size + sum(padding) - (kernel - 1) * dilation - 1) // stride + 1


def undivided(groups: int, channels: int, filters: int) -> list[Complaint]:
    """How groups do not divide the channels of a layer."""
    return [
        (("groups",), f"{groups} groups do not divide the {total} {what} of '{key}'")
        for key, what, total in (("input", "input channels", channels), ("filters", "filters", filters))
        if total % groups
    ]


def wrong_bitmap(sparsity: Sparsity | None, filters: int, weights: int) -> list[Complaint]:
    """How the bitmap of a layer differs from its ``filters`` of so many weights each."""
    found = [] if sparsity is None else sparsity.problems_for(filters, weights)
    return [(("sparsity", *path), message) for path, message in found]


def sides_of(
    padding: Sides | Literal["same"],
    shape: tuple[int, int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
) -> Sides:
    """A padding in numbers: the same is the least with which every stride into the input begins a window."""
    if not isinstance(padding, str):
        return padding
    total = [
        max(0, -(-size // step) * step - step + (taps - 1) * apart + 1 - size)
        for size, taps, step, apart in zip(shape[1:], kernel, stride, dilation, strict=True)
    ]
    before, after = (total[0] // 2, total[1] // 2), (-(-total[0] // 2), -(-total[1] // 2))
    return before if before == after else (*before, *after)


def axis_sides(padding: Sides, axis: int) -> tuple[int, int]:
    """The padding before and behind along an axis."""
    return padding[axis], behind(padding)[axis]


def too_large(
    kernel: tuple[int, int], dilation: tuple[int, int], shape: tuple[int, int, int], padding: Sides
) -> list[Complaint]:
    """How a kernel exceeds the padded input of [channels, height, width]."""
    total = [axis_sides(padding, axis) for axis in (0, 1)]
    return beyond(kernel, dilation, shape[1:], total, ("rows", "columns"))


def beyond(
    kernel: Sequence[int],
    dilation: Sequence[int],
    size: Sequence[int],
    padding: Sequence[tuple[int, int]],
    words: Sequence[str],
) -> list[Complaint]:
    """How a kernel exceeds the padded input along each axis, of which the lines are called by ``words``."""
    problems: list[Complaint] = []
    for axis, word in enumerate(words):
        taps = (kernel[axis] - 1) * dilation[axis] + 1
        padded = size[axis] + sum(padding[axis])
        if taps > padded:
            what = f"a kernel of {kernel[axis]}" + (f" with dilation {dilation[axis]}" if dilation[axis] > 1 else "")
            problems.append((("kernel",), f"{what} covers {taps} {word}, more than the {padded} of the padded input"))
    return problems
