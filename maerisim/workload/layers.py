"""The kinds of layers in a network document, and the problems that each reduces to, in one stage or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from maerisim import documents
from maerisim.documents import Complaint
from maerisim.documents.sizes import InputShape, Padding, PositivePair, Sides, Size, behind
from maerisim.errors import NotSupportedError
from maerisim.workload import foreign
from maerisim.workload.convolutions import (
    PADDINGS,
    Conv1d,
    Conv2d,
    Conv3d,
    Pair,
    Zeros,
    sides_of,
    too_large,
    wrong_bitmap,
)
from maerisim.workload.entry import BatchedLayer, Entry, numbered, part_name
from maerisim.workload.problem import FusedProblem, Operation, Problem, Stage
from maerisim.workload.recurrent import Gru, Lstm
from maerisim.workload.sparsity import Sparsity
from maerisim.workload.transposed import ConvTranspose2d


class _Pool2d(BatchedLayer):
    """A pooling of each channel: without weights, every channel is a group of its own."""

    input: InputShape = Field(description="[channels, height, width], without padding")
    kernel: PositivePair = Field(description="window size, one integer or [height, width]; all of it pools globally")
    stride: PositivePair | None = Field(None, description="one integer or [height, width]; default: the kernel")
    padding: Padding = Field((0, 0), description=f"around the input: {PADDINGS}")
    ceil_mode: bool = Field(False, description="the last window may stick out of the padded input")

    operation: ClassVar[Operation]
    foreign_keys: ClassVar[Mapping[str, str]] = foreign.POOLING

    @model_validator(mode="after")
    def _check(self) -> Self:
        problems = too_large(self.kernel, (1, 1), self.input, self.sides)
        most = map(max, zip(self.sides[:2], behind(self.sides), strict=True))
        where = "on each side of" if len(self.sides) == 2 else "beside"
        problems += [
            (("padding",), f"{padding} {where} a kernel of {kernel}, more than half of it")
            for kernel, padding in dict.fromkeys(zip(self.kernel, most, strict=True))
            if 2 * padding > kernel
        ]
        if problems:
            raise documents.complaints_error(problems)
        return self

    @property
    def sides(self) -> Sides:
        """The padding in numbers."""
        return sides_of(self.padding, self.input, self.kernel, self.stride or self.kernel, (1, 1))

    @property
    def problem(self) -> Problem:
        """The loop nest; what a last window has outside the padded input counts as padding."""
        channels, *size = self.input
        stride, sides = self.stride or self.kernel, self.sides
        outputs = []
        for axis in (0, 1):
            way = size[axis] + sides[axis] + behind(sides)[axis] - self.kernel[axis]
            steps = -(-way // stride[axis]) if self.ceil_mode else way // stride[axis]
            # No window lies in the padding behind the input alone.
            outputs.append(1 + steps - (steps * stride[axis] >= size[axis] + sides[axis]))
        return Problem(
            N=self.batch,
            G=channels,
            R=self.kernel[0],
            S=self.kernel[1],
            P=outputs[0],
            Q=outputs[1],
            stride=stride,
            padding=sides,
            operation=self.operation,
        )

    @property
    def parameters(self) -> int:
        """None."""
        return 0


class MaxPool2d(_Pool2d):
    """The largest input of each window; padding never wins."""

    op: Literal["max_pool2d"]

    operation: ClassVar[Operation] = "max"

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            input: Sequence[int],
            kernel: Pair,
            stride: Pair | None = ...,
            padding: Pair | Literal["same"] = ...,
            ceil_mode: bool = ...,
            name: str = ...,
            count: int = ...,
            batch: int = ...,
        ) -> None: ...


class AvgPool2d(_Pool2d):
    """The sum of each window, padding zeros included; its division by the window size is done at the buffer."""

    op: Literal["avg_pool2d"]

    operation: ClassVar[Operation] = "add"

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            input: Sequence[int],
            kernel: Pair,
            stride: Pair | None = ...,
            padding: Pair | Literal["same"] = ...,
            ceil_mode: bool = ...,
            name: str = ...,
            count: int = ...,
            batch: int = ...,
        ) -> None: ...


class Linear(BatchedLayer):
    """A fully connected layer."""

    op: Literal["linear"]

    foreign_keys: ClassVar[Mapping[str, str]] = foreign.FULLY_CONNECTED

    inputs: Size = Field(description="input features")
    outputs: Size = Field(description="output features")
    bias: bool = Field(False, description="one bias per output, counted as a parameter")
    sparsity: Sparsity | None = Field(None, description="which weights are zero; null: none")

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            inputs: int,
            outputs: int,
            bias: bool = ...,
            sparsity: Zeros = ...,
            name: str = ...,
            count: int = ...,
            batch: int = ...,
        ) -> None: ...

    @model_validator(mode="after")
    def _check(self) -> Self:
        problems = wrong_bitmap(self.sparsity, self.outputs, self.inputs)
        if problems:
            raise documents.complaints_error(problems)
        return self

    @property
    def problem(self) -> Problem:
        """Inputs are input channels, outputs are output channels of a 1x1 convolution of one pixel."""
        return Problem(N=self.batch, K=self.outputs, C=self.inputs, sparsity=self.sparsity)

    @property
    def parameters(self) -> int:
        """Weights that are not zero, and one bias per output."""
        return self.problem.weights + (self.outputs if self.bias else 0)


class MatMul(BatchedLayer):
    """``batch`` independent products A[m,k] @ B[k,n] of activations, as in attention."""

    op: Literal["matmul"]

    foreign_keys: ClassVar[Mapping[str, str]] = foreign.PRODUCT

    m: Size = Field(description="rows of A and of the result")
    k: Size = Field(description="columns of A, rows of B")
    n: Size = Field(description="columns of B and of the result")
    sparsity: Sparsity | None = Field(
        None, description="which entries of B are zero, its columns being the filters; null: none"
    )

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            m: int,
            k: int,
            n: int,
            sparsity: Zeros = ...,
            name: str = ...,
            count: int = ...,
            batch: int = ...,
        ) -> None: ...

    @model_validator(mode="after")
    def _check(self) -> Self:
        problems = wrong_bitmap(self.sparsity, self.batch * self.n, self.k)
        if problems:
            raise documents.complaints_error(problems)
        return self

    @property
    def problem(self) -> Problem:
        """Products are groups, rows of A are the batch, B takes the place of the weights."""
        return Problem(N=self.m, G=self.batch, K=self.n, C=self.k, sparsity=self.sparsity)

    @property
    def parameters(self) -> int:
        """None: both operands are activations."""
        return 0


class Fused(Entry):
    """Two layers at the same time on one fabric: what the first gives is what the second takes, and stays on the chip.

    What lies between them in a network (biases, activations, the division of an average) is done at the buffer.
    """

    op: Literal["fused"]
    layers: list[
        Annotated[
            Conv2d | MaxPool2d | AvgPool2d | Linear, Field(discriminator="op"), documents.ForeignTags(foreign.KINDS)
        ]
    ] = Field(min_length=2, max_length=2, description="the layer that gives, and the one that takes all it gives")

    positional: ClassVar[tuple[str, ...]] = ("layers",)

    @classmethod
    def completed(cls, data: dict[str, Any]) -> dict[str, Any]:
        """What was given, and names."""
        layers = data.get("layers")
        return super().completed(data | {"layers": numbered(layers)} if isinstance(layers, list | tuple) else data)

    if TYPE_CHECKING:

        def __init__(
            self,
            layers: Sequence[Conv2d | MaxPool2d | AvgPool2d | Linear | Mapping[str, Any]],
            *,
            name: str = ...,
            count: int = ...,
        ) -> None: ...

    @model_validator(mode="after")
    def _check(self) -> Self:
        first, second = self.layers
        problems: list[Complaint] = []
        for place, layer in enumerate(self.layers):
            if isinstance(layer, Conv2d | Linear) and layer.sparsity is not None:
                problems.append((("layers", place, "sparsity"), "expected dense weights, fused layers have no others"))
            if layer.count > 1:
                text = f"expected 1, found {layer.count}: the pair occurs together, count belongs to '{self.name}'"
                problems.append((("layers", place, "count"), text))
        if first.name == second.name:
            problems.append((("layers", 1, "name"), f"'{second.name}' is the name of both layers"))
        if first.batch != second.batch:
            text = f"expected {first.batch}, the batch of '{first.name}', found {second.batch}"
            problems.append((("layers", 1, "batch"), text))
        given = first.problem
        shape = (given.G * given.K, given.P, given.Q)
        whose = f"what '{first.name}' gives ([channels, height, width] = {list(shape)})"
        if isinstance(second, Linear):
            if second.inputs != prod(shape):
                text = f"expected {prod(shape)}, all of {whose}, found {second.inputs}"
                problems.append((("layers", 1, "inputs"), text))
        elif second.input != shape:
            problems.append((("layers", 1, "input"), f"expected {whose}, found {list(second.input)}"))
        if problems:
            raise documents.complaints_error(problems)
        return self

    @property
    def fused(self) -> FusedProblem:
        """Both loop nests."""
        first, second = self.layers
        return FusedProblem(first.problem, second.problem)

    @property
    def problem(self) -> Problem:
        """Raises NotSupportedError: these are two loop nests."""
        names = ", ".join(stage.name for stage in self.stages)
        msg = f"layer '{self.name}' fuses two layers, expected one: use {names}"
        raise NotSupportedError(msg)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Both layers as they run one after the other, by which each can be asked for alone."""
        return tuple(Stage(part_name(self.name, layer.name), layer.problem, 1) for layer in self.layers)

    @property
    def parameters(self) -> int:
        """Weights and biases of both."""
        return sum(layer.parameters for layer in self.layers)


Layer = Annotated[
    Conv2d | MaxPool2d | AvgPool2d | Linear | MatMul | Lstm | Gru | Fused | Conv1d | Conv3d | ConvTranspose2d,
    Field(discriminator="op"),
    documents.ForeignTags(foreign.KINDS),
]
