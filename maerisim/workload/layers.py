"""The kinds of layers in a network document, and the problems that each reduces to, in one stage or several."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from math import prod
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from maerisim import documents
from maerisim.documents import Complaint, Model
from maerisim.documents.sizes import InputShape, PaddingPair, PositivePair, Size
from maerisim.errors import NotSupportedError
from maerisim.workload.problem import FusedProblem, Operation, Problem, Stage
from maerisim.workload.sparsity import Sparsity


class _Entry(Model, ABC):
    """What every entry of a network has."""

    name: str = Field(min_length=1, description="unique within the network")
    count: Size = Field(1, description="how often this identical layer occurs in the network")

    @property
    @abstractmethod
    def problem(self) -> Problem:
        """The loop nest of one occurrence. Raises NotSupportedError for a layer of several stages."""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """What runs for one occurrence, one after the other: the layer's loop nest under its own name."""
        return (Stage(self.name, self.problem, 1),)

    def scaled_stages(self, limit_macs: int) -> tuple[Stage, ...]:
        """The stages of a smaller layer of the same character, see ``Problem.scaled``."""
        return tuple(replace(stage, problem=stage.problem.scaled(limit_macs)) for stage in self.stages)

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations of one occurrence."""
        return sum(stage.count * stage.problem.macs for stage in self.stages)

    @property
    @abstractmethod
    def parameters(self) -> int:
        """Weights and biases of one occurrence."""


class _Layer(_Entry):
    """What every layer has."""

    batch: Size = Field(1, description="images, sequences or independent products at once")


class Conv2d(_Layer):
    """A two-dimensional convolution; depthwise when ``groups`` equals the input channels."""

    op: Literal["conv2d"]
    input: InputShape = Field(description="[channels, height, width], all groups together, without padding")
    filters: Size = Field(description="output channels, all groups together")
    kernel: PositivePair = Field(description="filter size, one integer or [height, width]")
    stride: PositivePair = Field((1, 1), description="one integer or [height, width]")
    padding: PaddingPair = Field((0, 0), description="zeros on each side, one integer or [height, width]")
    dilation: PositivePair = Field((1, 1), description="distance of filter taps, one integer or [height, width]")
    groups: Size = Field(1, description="independent groups of channels")
    bias: bool = Field(False, description="one bias per filter, counted as a parameter")
    sparsity: Sparsity | None = Field(None, description="which weights are zero; null: none")

    @model_validator(mode="after")
    def _check(self) -> Conv2d:
        problems: list[Complaint] = []
        for name, what, total in (("input", "input channels", self.input[0]), ("filters", "filters", self.filters)):
            if total % self.groups:
                problems.append((("groups",), f"{self.groups} groups do not divide the {total} {what} of '{name}'"))
        problems += _too_large(self.kernel, self.dilation, self.input, self.padding)
        problems += _wrong_bitmap(self.sparsity, self.filters, self.input[0] // self.groups * prod(self.kernel))
        if problems:
            raise documents.complaints_error(problems)
        return self

    @property
    def problem(self) -> Problem:
        """The loop nest; input rows and columns that the last stride does not reach are not touched."""
        channels, *size = self.input
        rows, columns = (
            (size[axis] + 2 * self.padding[axis] - (self.kernel[axis] - 1) * self.dilation[axis] - 1)
            // self.stride[axis]
            + 1
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
            padding=self.padding,
            sparsity=self.sparsity,
        )

    @property
    def parameters(self) -> int:
        """Weights that are not zero, and one bias per filter."""
        return self.problem.weights + (self.filters if self.bias else 0)


def _wrong_bitmap(sparsity: Sparsity | None, filters: int, weights: int) -> list[Complaint]:
    """How the bitmap of a layer differs from its ``filters`` of so many weights each."""
    found = [] if sparsity is None else sparsity.problems_for(filters, weights)
    return [(("sparsity", *path), message) for path, message in found]


def _too_large(
    kernel: tuple[int, int], dilation: tuple[int, int], shape: tuple[int, int, int], padding: tuple[int, int]
) -> list[Complaint]:
    """How a kernel exceeds the padded input."""
    problems: list[Complaint] = []
    for axis, word in enumerate(("rows", "columns")):
        taps = (kernel[axis] - 1) * dilation[axis] + 1
        padded = shape[1 + axis] + 2 * padding[axis]
        if taps > padded:
            what = f"a kernel of {kernel[axis]}" + (f" with dilation {dilation[axis]}" if dilation[axis] > 1 else "")
            problems.append((("kernel",), f"{what} covers {taps} {word}, more than the {padded} of the padded input"))
    return problems


class _Pool2d(_Layer):
    """A pooling of each channel: without weights, every channel is a group of its own."""

    input: InputShape = Field(description="[channels, height, width], without padding")
    kernel: PositivePair = Field(description="window size, one integer or [height, width]; all of it pools globally")
    stride: PositivePair | None = Field(None, description="one integer or [height, width]; default: the kernel")
    padding: PaddingPair = Field((0, 0), description="on each side, one integer or [height, width]")
    ceil_mode: bool = Field(False, description="the last window may stick out of the padded input")

    operation: ClassVar[Operation]

    @model_validator(mode="after")
    def _check(self) -> Self:
        problems = _too_large(self.kernel, (1, 1), self.input, self.padding)
        problems += [
            (("padding",), f"{padding} on each side of a kernel of {kernel}, more than half of it")
            for kernel, padding in dict.fromkeys(zip(self.kernel, self.padding, strict=True))
            if 2 * padding > kernel
        ]
        if problems:
            raise documents.complaints_error(problems)
        return self

    @property
    def problem(self) -> Problem:
        """The loop nest; what a last window has outside the padded input counts as padding."""
        channels, *size = self.input
        stride = self.stride or self.kernel
        outputs = []
        for axis in (0, 1):
            way = size[axis] + 2 * self.padding[axis] - self.kernel[axis]
            steps = -(-way // stride[axis]) if self.ceil_mode else way // stride[axis]
            # No window lies in the padding behind the input alone.
            outputs.append(1 + steps - (steps * stride[axis] >= size[axis] + self.padding[axis]))
        return Problem(
            N=self.batch,
            G=channels,
            R=self.kernel[0],
            S=self.kernel[1],
            P=outputs[0],
            Q=outputs[1],
            stride=stride,
            padding=self.padding,
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


class AvgPool2d(_Pool2d):
    """The sum of each window, padding zeros included; its division by the window size is done at the buffer."""

    op: Literal["avg_pool2d"]

    operation: ClassVar[Operation] = "add"


class Linear(_Layer):
    """A fully connected layer."""

    op: Literal["linear"]
    inputs: Size = Field(description="input features")
    outputs: Size = Field(description="output features")
    bias: bool = Field(False, description="one bias per output, counted as a parameter")
    sparsity: Sparsity | None = Field(None, description="which weights are zero; null: none")

    @model_validator(mode="after")
    def _check(self) -> Self:
        problems = _wrong_bitmap(self.sparsity, self.outputs, self.inputs)
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


class MatMul(_Layer):
    """``batch`` independent products A[m,k] @ B[k,n] of activations, as in attention."""

    op: Literal["matmul"]
    m: Size = Field(description="rows of A and of the result")
    k: Size = Field(description="columns of A, rows of B")
    n: Size = Field(description="columns of B and of the result")

    @property
    def problem(self) -> Problem:
        """Products are groups, rows of A are the batch, B takes the place of the weights."""
        return Problem(N=self.m, G=self.batch, K=self.n, C=self.k)

    @property
    def parameters(self) -> int:
        """None: both operands are activations."""
        return 0


class Recurrent(_Layer):
    """Cells unrolled over ``sequence_length`` time steps, each of the same stages.

    A step needs what the one before it gives, so that nothing overlaps. Element-wise products have both operands from
    the same sample: every cell of every sample is then a group of its own, and the batch part of the groups.
    """

    input_size: Size = Field(description="features of one input vector")
    hidden_size: Size = Field(description="cells")
    sequence_length: Size = Field(1, description="time steps")
    bias: bool = Field(False, description="one bias per gate and cell, counted as a parameter")

    gates: ClassVar[int]
    """Matrix products of (input, hidden state) per cell."""

    @property
    @abstractmethod
    def step(self) -> dict[str, Problem]:
        """The stages of one time step in order, by what they compute."""

    @property
    def problem(self) -> Problem:
        """Raises NotSupportedError: a time step is several loop nests."""
        names = ", ".join(stage.name for stage in self.stages)
        msg = f"layer '{self.name}' runs in {len(self.stages)} stages, expected one: use {names}"
        raise NotSupportedError(msg)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages of a time step, each once in every step."""
        steps = self.step.items()
        return tuple(Stage(part_name(self.name, part), problem, self.sequence_length) for part, problem in steps)

    def scaled_stages(self, limit_macs: int) -> tuple[Stage, ...]:
        """The stages of ``scaled``."""
        return self.scaled(limit_macs).stages

    def scaled(self, limit_macs: int) -> Self:
        """A smaller layer, none of whose stages has more than ``limit_macs`` MACs where that is possible.

        Halves the larger of hidden and input size, none below min(its size, 4); when that does not suffice the batch
        follows, none below min(its size, 2). The sequence keeps its length: all of its steps take the same time.
        """
        layer = self
        for names, floor in ((("hidden_size", "input_size"), 4), (("batch",), 2)):
            while max(stage.problem.macs for stage in layer.stages) > limit_macs:
                name = max(names, key=lambda name: getattr(layer, name))
                size = getattr(layer, name)
                if size <= floor:
                    break
                layer = layer.model_copy(update={name: max(floor, size // 2)})
        return layer

    @property
    def parameters(self) -> int:
        """Weights of the gates, and one bias per gate and cell."""
        return self.gates * self.hidden_size * (self.input_size + self.hidden_size + (1 if self.bias else 0))

    def _product(self, gates: int) -> Problem:
        """So many gates of every cell, from input and hidden state."""
        return Problem(N=self.batch, K=gates * self.hidden_size, C=self.input_size + self.hidden_size)

    def _element_wise(self, products: int) -> Problem:
        """A sum of so many products for every cell."""
        return Problem(G=self.batch * self.hidden_size, C=products)


class Lstm(Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000)."""

    op: Literal["lstm"]

    gates: ClassVar[int] = 4

    @property
    def step(self) -> dict[str, Problem]:
        """Gates i f g o, cell state ``f c + i g``, output ``o tanh(c)``."""
        return {"gates": self._product(4), "cell": self._element_wise(2), "output": self._element_wise(1)}


class Gru(Recurrent):
    """Gated recurrent units (Cho et al. 2014)."""

    op: Literal["gru"]

    gates: ClassVar[int] = 3

    @property
    def step(self) -> dict[str, Problem]:
        """Gates z r, reset state ``r h``, candidate n from input and reset state, new state ``(1 - z) h + z n``."""
        return {
            "gates": self._product(2),
            "reset": self._element_wise(1),
            "candidate": self._product(1),
            "update": self._element_wise(2),
        }


def part_name(layer: str, part: str) -> str:
    """How a part of a layer is called among the layers of a network."""
    return f"{layer}/{part}"


class Fused(_Entry):
    """Two layers at the same time on one fabric: what the first gives is what the second takes, and stays on the chip.

    What lies between them in a network (biases, activations, the division of an average) is done at the buffer.
    """

    op: Literal["fused"]
    layers: list[Annotated[Conv2d | MaxPool2d | AvgPool2d | Linear, Field(discriminator="op")]] = Field(
        min_length=2, max_length=2, description="the layer that gives, and the one that takes all it gives"
    )

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


Layer = Annotated[Conv2d | MaxPool2d | AvgPool2d | Linear | MatMul | Lstm | Gru | Fused, Field(discriminator="op")]
