"""Transposed convolutions, as the convolutions of stride 1 that they consist of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import gcd, prod
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from pydantic import Field, model_validator

from maerisim import documents
from maerisim.documents.sizes import InputShape, PaddingPair, PositivePair, Size
from maerisim.errors import NotSupportedError
from maerisim.workload import foreign
from maerisim.workload.convolutions import Pair, undivided
from maerisim.workload.entry import BatchedLayer, part_name
from maerisim.workload.problem import Problem, Stage

MOST_PHASES = 64
"""Strides up to which a transposed convolution is taken: each is a row of smaller ones."""


class Phase(NamedTuple):
    """Outputs of a transposed convolution along an axis that meet the same ``taps``: a convolution of stride 1.

    ``outputs`` are the first of them, and every ``stride`` further; with ``before`` and ``after`` zeros at the sides of
    the inputs, and the first of the inputs is ``first`` (negative where it is one of these zeros).
    """

    taps: tuple[int, ...]
    dilation: int
    outputs: range
    first: int
    before: int
    after: int


def phases(size: int, kernel: int, stride: int, padding: int, beyond: int, dilation: int) -> Iterator[Phase]:
    """The phases along one axis of ``size`` inputs, of which output o gets input i by tap r when o = i stride - padding +
    r dilation.
    """
    last = (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + beyond
    common = gcd(stride, dilation)
    for tap in range(min(kernel, stride // common)):
        taps = tuple(range(tap, kernel, stride // common))
        place, step = tap * dilation % stride, dilation // common
        least, most = -(-(padding - place) // stride), (last + padding - place) // stride
        if least <= most:
            nearest = tap * dilation // stride
            first, end = least - nearest - (len(taps) - 1) * step, most - nearest
            made = range(least * stride + place - padding, last + 1, stride)
            yield Phase(taps, step, made, first, max(0, -first), max(0, end - size + 1))


class ConvTranspose2d(BatchedLayer):
    """A transposed convolution, as the convolutions of stride 1 that it consists of.

    It is the convolution of an input with zeros between its rows and columns. Outputs that are a stride apart meet the same
    taps, and no zero: such a phase is a small convolution. Phases that are alike run as one stage, several times.
    """

    op: Literal["conv_transpose2d"]

    foreign_keys: ClassVar[Mapping[str, str]] = foreign.CONVOLUTION

    input: InputShape = Field(description="[channels, height, width], all groups together")
    filters: Size = Field(description="output channels, all groups together")
    kernel: PositivePair = Field(description="filter size, one integer or [height, width]")
    stride: PositivePair = Field((1, 1), description="distance of the inputs in the output, or [height, width]")
    padding: PaddingPair = Field((0, 0), description="outputs left out on each side, one integer or [height, width]")
    output_padding: PaddingPair = Field((0, 0), description="outputs more at the end, one integer or [height, width]")
    dilation: PositivePair = Field((1, 1), description="distance of filter taps, one integer or [height, width]")
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
            output_padding: Pair = ...,
            dilation: Pair = ...,
            groups: int = ...,
            bias: bool = ...,
            name: str = ...,
            count: int = ...,
            batch: int = ...,
        ) -> None: ...

    @model_validator(mode="after")
    def _check(self) -> ConvTranspose2d:
        problems = undivided(self.groups, self.input[0], self.filters)
        problems += [
            ((key,), f"expected at most {MOST_PHASES * most} in a transposed convolution, found {max(pair)}")
            for key, pair, most in (("stride", self.stride, 1), ("kernel", self.kernel, MOST_PHASES))
            if max(pair) > MOST_PHASES * most
        ]
        for _, _, stride, _, more, dilation in self._axes:
            if more >= max(stride, dilation):
                text = f"expected less than the stride or the dilation ({max(stride, dilation)}), found {more}"
                problems.append((("output_padding",), text))
        problems += [
            (("padding",), f"{padding} on each side leaves no output")
            for padding, outputs in zip(self.padding, self.output, strict=True)
            if outputs < 1
        ]
        if problems:
            raise documents.complaints_error(problems)
        return self

    @property
    def _axes(self) -> Iterator[tuple[int, ...]]:
        """Size, kernel, stride, padding, output padding and dilation of rows and columns."""
        return zip(
            self.input[1:],
            self.kernel,
            self.stride,
            self.padding,
            self.output_padding,
            self.dilation,
            strict=True,
        )

    @property
    def output(self) -> tuple[int, ...]:
        """(height, width) of the outputs."""
        return tuple(
            (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + more + 1
            for size, kernel, stride, padding, more, dilation in self._axes
        )

    @property
    def phases(self) -> Iterator[tuple[tuple[Phase, Phase], Problem]]:
        """The phases of rows and columns, and the loop nest of each pair."""
        by_row, by_column = (list(phases(*axis)) for axis in self._axes)
        for rows in by_row:
            for columns in by_column:
                yield (
                    (rows, columns),
                    Problem(
                        N=self.batch,
                        G=self.groups,
                        K=self.filters // self.groups,
                        C=self.input[0] // self.groups,
                        R=len(rows.taps),
                        S=len(columns.taps),
                        P=len(rows.outputs),
                        Q=len(columns.outputs),
                        dilation=(rows.dilation, columns.dilation),
                        padding=(min(rows.before, rows.after), min(columns.before, columns.after)),
                    ),
                )

    @property
    def problem(self) -> Problem:
        """The loop nest of all phases, when these are alike. Raises NotSupportedError when they are not."""
        problem, *others = dict.fromkeys(problem for _, problem in self.phases)
        if others:
            names = ", ".join(stage.name for stage in self.stages)
            msg = f"layer '{self.name}' runs in {len(others) + 1} stages, expected one: use {names}"
            raise NotSupportedError(msg)
        return problem

    @property
    def stages(self) -> tuple[Stage, ...]:
        """A stage for each kind of phase, called after its taps."""
        counts = Counter(problem for _, problem in self.phases)
        if len(counts) == 1:
            return tuple(Stage(self.name, problem, count) for problem, count in counts.items())
        taps = Counter((problem.R, problem.S) for problem in counts)
        found: list[Stage] = []
        for problem, count in counts.items():
            part = f"{problem.R}x{problem.S}"
            if taps[problem.R, problem.S] > 1:
                part = f"{part}_{len(found) + 1}"
            found.append(Stage(part_name(self.name, part), problem, count))
        return tuple(found)

    @property
    def parameters(self) -> int:
        """Weights, and one bias per filter."""
        weights = self.input[0] * self.filters // self.groups * prod(self.kernel)
        return weights + (self.filters if self.bias else 0)
