"""The mapping document: the mappings of a network's layers on one hardware, each with the problem it was made for."""

from __future__ import annotations

import os
from collections.abc import Mapping as MappingOf
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator

from maerisim import documents
from maerisim.documents import Document, Kind, Model
from maerisim.documents.sizes import PaddingSides, PositivePair, Size
from maerisim.errors import MappingError
from maerisim.mapping.mapping import REPLICATED, Mapping, block_violations, order_violations, tile_text
from maerisim.workload.problem import DIMENSIONS, Operation, Problem
from maerisim.workload.sparsity import Sparsity


class ProblemEntry(Model):
    """The problem that a mapping was made for."""

    N: Size = Field(1, description="batch")
    G: Size = Field(1, description="groups")
    K: Size = Field(1, description="output channels per group")
    C: Size = Field(1, description="input channels per group")
    R: Size = Field(1, description="filter height")
    S: Size = Field(1, description="filter width")
    P: Size = Field(1, description="output height")
    Q: Size = Field(1, description="output width")
    stride: PositivePair = Field((1, 1), description="one integer or [height, width]")
    dilation: PositivePair = Field((1, 1), description="one integer or [height, width]")
    padding: PaddingSides = Field(
        (0, 0), description="one integer, [height, width] or [top, left, bottom, right]; does not matter to a mapping"
    )
    operation: Operation = Field("multiply", description="multiply by weights and add, or pool: add, or max")
    sparsity: Sparsity | None = Field(None, description="which weights are zero; null: none")

    def as_problem(self) -> Problem:
        """The same as a Problem."""
        return Problem(**{name: getattr(self, name) for name in type(self).model_fields})

    @classmethod
    def from_problem(cls, problem: Problem) -> ProblemEntry:
        """The entry for a Problem."""
        return cls(**{name: getattr(problem, name) for name in cls.model_fields})


class TileEntry(Model):
    """Tile sizes; a dimension that is left out has 1 on the fabric at once."""

    N: Size = 1
    G: Size = 1
    K: Size = 1
    C: Size = 1
    R: Size = 1
    S: Size = 1
    P: Size = 1
    Q: Size = 1


def _split_order(value: object) -> object:
    if isinstance(value, str):
        return tuple(value.split())
    if isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value):
        return tuple(value)
    expected = f"an order like '{' '.join(DIMENSIONS)}'"
    msg = f"expected {expected}, found {documents.described(value)}"
    raise ValueError(msg)


def _order_schema(loop: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": loop, "uniqueItems": True}]})


OrderEntry = Annotated[
    tuple[str, ...],
    BeforeValidator(_split_order),
    _order_schema({"type": "string", "pattern": f"^[{''.join(DIMENSIONS)}](:[1-9][0-9]*)?$"}),
]
PlacementEntry = Annotated[tuple[str, ...], BeforeValidator(_split_order), _order_schema({"enum": list(REPLICATED)})]


class MappingEntry(Model):
    """One layer's mapping."""

    problem: ProblemEntry = Field(description="the problem that this mapping was made for")
    tile: TileEntry = Field(description="how much of each dimension is on the fabric at once, 1 where left out")
    order: OrderEntry = Field(
        DIMENSIONS,
        description="temporal loops, outermost first, as a list or 'N G K C R S P Q'; K:1024 walks blocks of K, and a loop "
        "K further in the tiles of a block",
    )

    placement: PlacementEntry = Field(
        REPLICATED, description="virtual neurons along the array, neighbours last: 'G K N P Q'"
    )

    @field_validator("order")
    @classmethod
    def _check_order(cls, order: tuple[str, ...]) -> tuple[str, ...]:
        tiles = [loop for loop in order if ":" not in loop]
        for violation in block_violations(order) or order_violations("an order", tiles, DIMENSIONS):
            raise ValueError(violation)
        return order

    @field_validator("placement")
    @classmethod
    def _check_placement(cls, placement: tuple[str, ...]) -> tuple[str, ...]:
        for violation in order_violations("a placement", placement, REPLICATED):
            raise ValueError(violation)
        return placement

    @property
    def mapping(self) -> Mapping:
        """The mapping itself."""
        return Mapping.of(self.tile.model_dump(), self.order, self.placement)

    @classmethod
    def of(cls, problem: Problem, mapping: Mapping) -> MappingEntry:
        """The entry for a mapping and the problem it was made for."""
        return cls(
            problem=ProblemEntry.from_problem(problem),
            tile=TileEntry(**mapping.T),
            order=mapping.written_order,
            placement=mapping.placement,
        )


class MappingFile(Document):
    """The mappings of a network's layers on one hardware, by layer name."""

    kind: ClassVar[Kind] = "mapping"

    hardware: str = Field(description="name of the hardware that the mappings were made for")
    network: str = Field(description="name of the network that the layers belong to")
    layers: dict[str, MappingEntry] = Field(description="mapping by layer name")

    shares: dict[str, Size] = Field(
        default_factory=dict, description="fused layers by name: multipliers of the first, the second has the others"
    )

    @classmethod
    def of(
        cls,
        hardware: str,
        network: str,
        layers: MappingOf[str, tuple[Problem, Mapping]],
        shares: MappingOf[str, int] | None = None,
    ) -> MappingFile:
        """From problems and mappings by layer name, and the share of the first of two fused layers by their name."""
        entries = {name: MappingEntry.of(problem, mapping) for name, (problem, mapping) in layers.items()}
        return cls(hardware=hardware, network=network, layers=entries, shares=dict(shares or {}))

    def share_for(self, layer: str) -> int:
        """Multipliers of the first of two fused layers. Raises MappingError when it is not there."""
        if layer not in self.shares:
            hint = documents.nearest(layer, self.shares) or f" (it has: {documents.listed(self.shares) or 'none'})"
            msg = f"layer '{layer}'"
            raise MappingError(msg, [f"the mapping file has no 'shares' entry for these fused layers{hint}"])
        return self.shares[layer]

    def mapping_for(self, layer: str, problem: Problem) -> Mapping:
        """The mapping of ``layer``, which must have been made for this ``problem``; padding does not matter.

        Raises MappingError when there is none, or when it is for another layer, naming what differs.
        """
        entry = self.layers.get(layer)
        if entry is None:
            hint = documents.nearest(layer, self.layers) or f" (it has: {documents.listed(self.layers) or 'none'})"
            msg = f"layer '{layer}'"
            raise MappingError(msg, [f"the mapping file has no mapping for it{hint}"])
        made_for = entry.problem.as_problem()
        differing = [
            f"{name} is {_plain(getattr(problem, name))} here, {_plain(getattr(made_for, name))} in the mapping file"
            for name in (*DIMENSIONS, "stride", "dilation", "operation", "sparsity")
            if getattr(problem, name) != getattr(made_for, name)
        ]
        if differing:
            msg = f"layer '{layer}'"
            raise MappingError(msg, [f"mapping for another layer: {text}" for text in differing])
        return entry.mapping


def _plain(value: object) -> str:
    if value is None or isinstance(value, Sparsity):
        return "none" if value is None else value.as_yaml()
    return "x".join(str(part) for part in value) if isinstance(value, tuple) else str(value)


def load_mappings(path: str | os.PathLike[str]) -> MappingFile:
    """Read a mapping document. Raises DocumentError with every problem of the file."""
    return documents.load(MappingFile, path)


def dump_mappings(mappings: MappingFile, path: str | os.PathLike[str] | None = None) -> str:
    """The mapping document as YAML text, in the order of its layers; also written to ``path`` when given.

    Raises DocumentError when the file cannot be written.
    """
    lines = [f"hardware: {documents.scalar(mappings.hardware)}", f"network: {documents.scalar(mappings.network)}"]
    lines.append("layers:" if mappings.layers else "layers: {}")
    for name, entry in mappings.layers.items():
        problem = entry.problem
        sizes = [f"{dimension}: {getattr(problem, dimension)}" for dimension in DIMENSIONS]
        for key, default in (("stride", (1, 1)), ("dilation", (1, 1)), ("padding", (0, 0))):
            pair: Any = getattr(problem, key)
            if pair != default:
                sizes.append(f"{key}: {pair[0] if len(set(pair)) == 1 else list(pair)}")
        if problem.operation != "multiply":
            sizes.append(f"operation: {problem.operation}")
        if problem.sparsity is not None:
            sizes.append(f"sparsity: {problem.sparsity.as_yaml()}")
        lines += [
            documents.key(name, "  "),
            f"    problem: {{{', '.join(sizes)}}}",
            f"    tile: {tile_text(entry.mapping.tile)}",
            f"    order: {' '.join(entry.order)}",
        ]
        if entry.placement != REPLICATED:
            lines.append(f"    placement: {' '.join(entry.placement)}")
    if mappings.shares:
        lines.append("shares:")
        lines += [f"{documents.key(name, '  ')} {share}" for name, share in mappings.shares.items()]
    text = "\n".join(lines) + "\n"
    if path is not None:
        documents.write(path, text)
    return text
