"""The network document: its layers, in the order of execution."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, model_validator

from maerisim import documents
from maerisim.documents import Complaint, Constructible, Document, Kind
from maerisim.errors import DocumentError
from maerisim.workload.entry import numbered
from maerisim.workload.layers import Layer
from maerisim.workload.problem import Stage


class Network(Document, Constructible):
    """A network: the layers that a fabric runs, in order."""

    kind: ClassVar[Kind] = "network"

    name: str = Field(min_length=1, description="how reports call this network")
    description: str = Field("", description="anything worth knowing")
    layers: list[Layer] = Field(min_length=1, description="in the order of execution")

    positional: ClassVar[tuple[str, ...]] = ("layers",)

    if TYPE_CHECKING:

        def __init__(
            self, layers: Sequence[Layer | Mapping[str, Any]], *, name: str = ..., description: str = ...
        ) -> None:
            """The network's name is ``network`` when it is left out."""

    @classmethod
    def completed(cls, data: dict[str, Any]) -> dict[str, Any]:
        """What was given, and a name; layers that have none, and are not the only ones of their kind, get numbers."""
        layers = data.get("layers")
        if isinstance(layers, list | tuple):
            data = data | {"layers": numbered(layers)}
        return {"name": "network", **data}

    @classmethod
    def complaints_between(cls, data: Mapping[str, Any]) -> list[Complaint]:
        """Layer names that occur twice."""
        layers = data.get("layers")
        first: dict[str, int] = {}
        problems: list[Complaint] = []
        for index, layer in enumerate(layers if isinstance(layers, list) else []):
            name = layer.get("name") if isinstance(layer, Mapping) else None
            if not isinstance(name, str):
                continue
            if name in first:
                text = f"'{name}' is already the name of layers[{first[name]}]; layer names must be unique"
                problems.append((("layers", index, "name"), text))
            first.setdefault(name, index)
        return problems

    @model_validator(mode="after")
    def _check(self) -> Network:
        problems = self.complaints_between({"layers": [{"name": layer.name} for layer in self.layers]})
        stages = {stage.name: layer for layer in self.layers for stage in layer.stages if stage.name != layer.name}
        problems += [
            (("layers", index, "name"), f"'{layer.name}' is already the name of a stage of '{stages[layer.name].name}'")
            for index, layer in enumerate(self.layers)
            if layer.name in stages
        ]
        if problems:
            raise documents.complaints_error(problems)
        return self

    @classmethod
    def load(cls, path_or_name: str | os.PathLike[str]) -> Network:
        """The network in a YAML file, or a shipped one by name (``alexnet``).

        Raises DocumentError with every problem of the file.
        """
        return documents.load(cls, path_or_name)

    def layer(self, name: str) -> Layer:
        """The layer called ``name``. Raises DocumentError with the nearest names when there is none."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        names = [layer.name for layer in self.layers]
        stages = [stage.name for layer in self.layers for stage in layer.stages]
        hint = documents.nearest(name, dict.fromkeys([*names, *stages])) or f" (layers: {documents.listed(names)})"
        raise DocumentError([f"{self.name}: no layer '{name}'{hint}"])

    def stage(self, name: str) -> Stage:
        """The stage called ``name``, which is that of its layer when this has no other.

        Raises DocumentError when there is none, NotSupportedError for a layer of several stages, with their names.
        """
        for layer in self.layers:
            for stage in layer.stages:
                if stage.name == name:
                    return stage
        return Stage(name, self.layer(name).problem, 1)  # raises one or the other

    @property
    def macs(self) -> int:
        """Multiply-accumulate operations of all layers, ``count`` times each."""
        return sum(layer.count * layer.macs for layer in self.layers)

    @property
    def parameters(self) -> int:
        """Weights and biases of all layers, ``count`` times each; normalisation layers are not part of a network."""
        return sum(layer.count * layer.parameters for layer in self.layers)
