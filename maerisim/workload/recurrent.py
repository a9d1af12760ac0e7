"""Recurrent layers: cells unrolled over time steps, each of several stages."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field

from maerisim.documents.sizes import Size
from maerisim.errors import NotSupportedError
from maerisim.workload import foreign
from maerisim.workload.entry import BatchedLayer, part_name
from maerisim.workload.problem import Problem, Stage


class Recurrent(BatchedLayer):
    """Cells unrolled over ``sequence_length`` time steps, each of the same stages.

    A step needs what the one before it gives, so that nothing overlaps. Element-wise products have both operands from
    the same sample: every cell of every sample is then a group of its own, and the batch part of the groups.
    """

    input_size: Size = Field(description="features of one input vector")
    hidden_size: Size = Field(description="cells")
    sequence_length: Size = Field(1, description="time steps")
    bias: bool = Field(False, description="one bias per gate and cell, counted as a parameter")
    bidirectional: bool = Field(False, description="two such layers, the second of which begins with the last step")

    foreign_keys: ClassVar[Mapping[str, str]] = foreign.RECURRENT
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
        """The stages of a time step, each once in every step of each direction."""
        steps, count = self.step.items(), self.directions * self.sequence_length
        return tuple(Stage(part_name(self.name, part), problem, count) for part, problem in steps)

    @property
    def directions(self) -> int:
        """How many layers go through the sequence, one after the other, each with weights and states of its own."""
        return 2 if self.bidirectional else 1

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
        of_cell = self.gates * (self.input_size + self.hidden_size + (1 if self.bias else 0))
        return self.directions * self.hidden_size * of_cell

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

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            input_size: int,
            hidden_size: int,
            sequence_length: int = ...,
            bias: bool = ...,
            bidirectional: bool = ...,
            name: str = ...,
            count: int = ...,
            batch: int = ...,
        ) -> None: ...

    @property
    def step(self) -> dict[str, Problem]:
        """Gates i f g o, cell state ``f c + i g``, output ``o tanh(c)``."""
        return {"gates": self._product(4), "cell": self._element_wise(2), "output": self._element_wise(1)}


class Gru(Recurrent):
    """Gated recurrent units (Cho et al. 2014)."""

    op: Literal["gru"]

    gates: ClassVar[int] = 3

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            input_size: int,
            hidden_size: int,
            sequence_length: int = ...,
            bias: bool = ...,
            bidirectional: bool = ...,
            name: str = ...,
            count: int = ...,
            batch: int = ...,
        ) -> None: ...

    @property
    def step(self) -> dict[str, Problem]:
        """Gates z r, reset state ``r h``, candidate n from input and reset state, new state ``(1 - z) h + z n``."""
        return {
            "gates": self._product(2),
            "reset": self._element_wise(1),
            "candidate": self._product(1),
            "update": self._element_wise(2),
        }
