"""The constraints document: what the mappings of a network's layers may be."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from maerisim import documents
from maerisim.documents import Complaint, Document, KeyPath, Kind, Model, described
from maerisim.errors import DocumentError
from maerisim.mapping.mapping import REPLICATED, names_of
from maerisim.workload.network import Network
from maerisim.workload.problem import DIMENSIONS

Dimension = Literal["N", "G", "K", "C", "R", "S", "P", "Q"]


class Range(Model):
    """From ``min`` to ``max``, both included; ``full``: the size of the layer."""

    min: int | None = Field(None, ge=1)
    max: int | None = Field(None, ge=1)
    full: bool = False

    def bounds(self, size: int) -> tuple[int, int]:
        """The least and the largest value, in a layer of this ``size``."""
        if self.full:
            return size, size
        return self.min or 1, size if self.max is None else self.max

    def __str__(self) -> str:
        if self.full:
            return "= full"
        if self.min == self.max:
            return f"= {self.min}"
        parts = [f">= {self.min}" if self.min is not None else "", f"<= {self.max}" if self.max is not None else ""]
        return " and ".join(part for part in parts if part)


def _range(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 1:
            msg = f"expected at least 1, found {value}"
            raise ValueError(msg)
        return {"min": value, "max": value}
    if value == "full":
        return {"full": True}
    if isinstance(value, dict):
        unknown = [key for key in value if key not in ("min", "max")]
        if unknown or not value:
            found = f"the key {documents.described(unknown[0])}" if unknown else "nothing"
            msg = f"expected 'min', 'max' or both, found {found}"
            raise ValueError(msg)
        low, high = value.get("min"), value.get("max")
        if isinstance(low, int) and isinstance(high, int) and low > high:
            msg = f"expected min up to max, found {low} and {high}"
            raise ValueError(msg)
        return value
    msg = f"expected a number, 'full', or {{min: ..., max: ...}}, found {described(value)}"
    raise ValueError(msg)


def _split(value: object, known: tuple[str, ...]) -> object:
    if not isinstance(value, str) and not (
        isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value)
    ):
        msg = f"expected dimensions like '{' '.join(known)}', found {described(value)}"
        raise ValueError(msg)
    names = names_of(value)
    for name in names:
        if name not in known:
            msg = f"expected dimensions of {' '.join(known)}, found {documents.described(name)}{documents.nearest(name, known)}"
            raise ValueError(msg)
        if names.count(name) > 1:
            msg = f"{name} stands here {names.count(name)} times"
            raise ValueError(msg)
    return names


def _names_schema(known: tuple[str, ...]) -> WithJsonSchema:
    several = {"type": "array", "items": {"enum": list(known)}, "uniqueItems": True}
    return WithJsonSchema({"anyOf": [{"type": "string"}, several]})


SizeRange = Annotated[
    Range,
    BeforeValidator(_range),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"const": "full"},
                {
                    "type": "object",
                    "properties": {"min": {"type": "integer", "minimum": 1}, "max": {"type": "integer", "minimum": 1}},
                    "additionalProperties": False,
                    "minProperties": 1,
                },
            ]
        }
    ),
]
Loops = Annotated[tuple[str, ...], BeforeValidator(lambda value: _split(value, DIMENSIONS)), _names_schema(DIMENSIONS)]
Replicated = Annotated[
    tuple[str, ...], BeforeValidator(lambda value: _split(value, REPLICATED)), _names_schema(REPLICATED)
]


class Utilization(Model):
    """Bounds of a share."""

    min: float = Field(0.0, ge=0, le=1, description="at least this share")
    max: float = Field(1.0, ge=0, le=1, description="at most this share")

    def __str__(self) -> str:
        parts = [f">= {self.min:g}" if self.min > 0 else "", f"<= {self.max:g}" if self.max < 1 else ""]
        return " and ".join(part for part in parts if part) or ">= 0"


class LayerConstraints(Model):
    """What a mapping of a layer has to fulfil; what is left out is free."""

    tile: dict[Dimension, SizeRange] = Field(
        default_factory=dict, description="tile sizes: a number, full (the whole dimension), or {min: ..., max: ...}"
    )
    blocks: dict[Dimension, SizeRange] = Field(
        default_factory=dict,
        description="sizes of the blocks that outer loops walk, where a dimension is cut into some: a number, {min: ..., max: "
        "...}, or full (it is not cut)",
    )
    order: Loops = Field(
        (),
        description="loops in this order, the first outermost; loops that are not named may be anywhere; with it, as with outermost "
        "and innermost, there is one loop a dimension",
    )
    outermost: Loops = Field((), description="the outermost loops, in this order")
    innermost: Loops = Field((), description="the innermost loops, in this order, the last one innermost")
    placement: Replicated = Field(
        (), description="virtual neurons along the array: dimensions in this order, neighbours last"
    )
    vn_size: SizeRange | None = Field(None, description="multiplier switches of a virtual neuron")
    vn_count: SizeRange | None = Field(None, description="virtual neurons on the array at once")
    utilization: Utilization | None = Field(
        None, description="share of the multipliers at work, on average over the control steps"
    )


@dataclass(frozen=True)
class Constraint:
    """One constraint on a layer: the key that states it, its value, and where it stands."""

    key: str
    value: Any
    where: str

    def __str__(self) -> str:
        value = " ".join(self.value) if isinstance(self.value, tuple) else self.value
        words = f"{self.key} {value}" if not isinstance(self.value, tuple) else f"{self.key} '{value}'"
        return f"{words} ({self.where})" if self.where else words


class Constraints(Document):
    """Constraints on the mappings of all layers, and of some."""

    kind: ClassVar[Kind] = "constraints"

    all: LayerConstraints = Field(default_factory=LayerConstraints, description="constraints on every layer")
    layers: dict[str, LayerConstraints] = Field(
        default_factory=dict,
        description="by layer (or stage): constraints that take the place of the same keys of 'all'",
    )

    @classmethod
    def complaints_between(cls, data: Mapping[str, Any]) -> list[Complaint]:
        """A file without any constraint."""
        return (
            []
            if data.get("all") or data.get("layers")
            else [((), "expected 'all' or 'layers' with constraints, found none")]
        )

    @model_validator(mode="after")
    def _check(self) -> Constraints:
        problems = self.complaints_between(self.model_dump(exclude_defaults=True))
        if problems:
            raise documents.complaints_error(problems)
        return self


@dataclass(frozen=True)
class ConstraintFile:
    """A constraints document and the file it came from, if it came from one."""

    constraints: Constraints
    source: documents.Source | None

    @classmethod
    def load(cls, path: str | os.PathLike[str], network: Network) -> ConstraintFile:
        """Read a file of constraints on ``network``. Raises DocumentError with everything that is wrong with it."""
        constraints, source = documents.load_with_source(Constraints, path)
        unknown = cls._unknown(constraints, network)
        if unknown:
            raise source.report(unknown)
        return cls(constraints, source)

    @classmethod
    def of_data(cls, data: Mapping[str, Any], network: Network) -> ConstraintFile:
        """The same from what such a file would hold."""
        constraints = documents.validate(Constraints, dict(data), "constraints")
        unknown = cls._unknown(constraints, network)
        if unknown:
            raise DocumentError([f"constraints: {documents.dotted(path)}: {message}" for path, message in unknown])
        return cls(constraints, None)

    @staticmethod
    def _unknown(constraints: Constraints, network: Network) -> list[Complaint]:
        """Names that are neither a layer nor a stage."""
        known = {stage.name for layer in network.layers for stage in layer.stages}
        known |= {layer.name for layer in network.layers}
        return [
            (
                ("layers", name),
                f"{network.name} has no layer or stage of this name{documents.nearest(name, sorted(known))}",
            )
            for name in constraints.layers
            if name not in known
        ]

    def of(self, stage: str, layer: str) -> tuple[Constraint, ...]:
        """The constraints on a stage of a layer: of its own name, else of the layer's, else of all."""
        found: dict[str, Constraint] = {}
        entries: list[tuple[KeyPath, LayerConstraints | None]] = [(("all",), self.constraints.all)]
        entries += [(("layers", name), self.constraints.layers.get(name)) for name in dict.fromkeys((layer, stage))]
        for path, given in entries:
            for key in LayerConstraints.model_fields if given is not None else ():
                value = getattr(given, key)
                if key in ("tile", "blocks"):
                    word = key.removesuffix("s")
                    for name, size in value.items():
                        found[f"{word} {name}"] = Constraint(f"{word} {name}", size, self._where((*path, key, name)))
                elif value:
                    found[key] = Constraint(key, value, self._where((*path, key)))
        return tuple(found.values())

    def _where(self, path: KeyPath) -> str:
        if self.source is None:
            return f"constraints: {documents.dotted(path)}"
        name, line = self.source.where(path)
        return f"{name}:{line}"
