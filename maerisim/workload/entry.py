"""What every layer of a network has, whatever its kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

from pydantic import Field

from maerisim.documents import Constructible
from maerisim.documents.sizes import Size
from maerisim.workload.problem import Problem, Stage


class Entry(Constructible, ABC):
    """What every entry of a network has."""

    name: str = Field(min_length=1, description="unique within the network")
    count: Size = Field(1, description="how often this identical layer occurs in the network")

    @classmethod
    def completed(cls, data: dict[str, Any]) -> dict[str, Any]:
        """What was given; its kind is that of the class, which is its name too when it has none."""
        return {"op": cls.kind_of_layer(), "name": cls.kind_of_layer(), **data}

    @classmethod
    def kind_of_layer(cls) -> str:
        """The ``op`` of the class."""
        (op,) = get_args(cls.model_fields["op"].annotation)
        return str(op)

    @property
    def is_unnamed(self) -> bool:
        """Whether it is called by its kind."""
        return self.name == self.kind_of_layer()

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


class BatchedLayer(Entry):
    """What every layer has that runs alone."""

    batch: Size = Field(1, description="images, sequences or independent products at once")


def part_name(layer: str, part: str) -> str:
    """How a part of a layer is called among the layers of a network."""
    return f"{layer}/{part}"


def numbered(layers: Sequence[Any]) -> list[Any]:
    """Layers that have the name of their kind, and are not the only ones of it, as ``conv2d_1`` and ``conv2d_2``."""
    unnamed = [layer.name for layer in layers if isinstance(layer, Entry) and layer.is_unnamed]
    several, numbers = Counter(unnamed), defaultdict[str, int](int)
    found = []
    for layer in layers:
        if isinstance(layer, Entry) and layer.is_unnamed and several[layer.name] > 1:
            numbers[layer.name] += 1
            found.append(layer.model_copy(update={"name": f"{layer.name}_{numbers[layer.name]}"}))
        else:
            found.append(layer)
    return found
