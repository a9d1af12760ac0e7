"""A mapping: how much of each dimension is on the fabric at once, and in which order the rest is walked.

Mapping documents keep the mappings of a network's layers on one hardware, each with the problem it was made for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator

from maerisim import documents
from maerisim.documents import Document, Kind, Model
from maerisim.documents.sizes import PaddingPair, PositivePair, Size
from maerisim.errors import MappingError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping import buffer_fit as capacity
from maerisim.mapping import sparse_rounds as rounds
from maerisim.workload.problem import DIMENSIONS, Operation, Problem
from maerisim.workload.sparsity import Sparsity

REDUCED = ("C", "R", "S")
"""Dimensions that are summed over: a virtual neuron holds their tile."""
REPLICATED = ("G", "K", "N", "P", "Q")
"""Dimensions that tell virtual neurons apart, in the order in which these are laid out unless a mapping says else."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """Tile sizes in the order of ``DIMENSIONS``, and the temporal loops from the outermost to the innermost.

    For sparse layers K and C count something else, see :mod:`maerisim.mapping.sparse_rounds`.

    ``placement`` orders the virtual neurons along the array: those that differ in its last dimension are neighbours,
    so that what they share takes one slot of a distribution port.
    """

    tile: tuple[int, int, int, int, int, int, int, int]
    order: tuple[str, ...] = DIMENSIONS
    placement: tuple[str, ...] = REPLICATED

    @classmethod
    def of(
        cls,
        tile: MappingOf[str, int],
        order: str | Sequence[str] = DIMENSIONS,
        placement: str | Sequence[str] = REPLICATED,
    ) -> Mapping:
        """From named sizes, 1 where absent, and an order like ``"N G K C P Q R S"``.

        Raises MappingError for names that are not dimensions; see ``check`` for everything else.
        """
        unknown = [name for name in tile if name not in DIMENSIONS]
        if unknown:
            known = " ".join(DIMENSIONS)
            msg = "tile"
            raise MappingError(msg, [f"'{name}' is not a dimension (dimensions: {known})" for name in unknown])
        n, g, k, c, r, s, p, q = (tile.get(name, 1) for name in DIMENSIONS)
        return cls((n, g, k, c, r, s, p, q), names_of(order), names_of(placement))

    @property
    def T(self) -> dict[str, int]:
        """Tile size by dimension name."""
        return dict(zip(DIMENSIONS, self.tile, strict=True))

    def tile_of(self, dimension: str) -> int:
        """Tile size of one dimension, e.g. ``"K"``."""
        return self.tile[DIMENSIONS.index(dimension)]

    @property
    def vn_size(self) -> int:
        """Multiplier switches of one full virtual neuron."""
        _, _, _, c, r, s, _, _ = self.tile
        return c * r * s

    @property
    def vn_count(self) -> int:
        """Virtual neurons on the fabric at once, in a full tile."""
        n, g, k, _, _, _, p, q = self.tile
        return n * g * k * p * q

    @property
    def switches(self) -> int:
        """Multiplier switches in use, in a full tile."""
        return self.vn_size * self.vn_count

    def trips(self, problem: Problem) -> tuple[int, int, int, int, int, int, int, int]:
        """Trip count of each temporal loop, in the order of ``DIMENSIONS``; the last trip may be partial."""
        n, g, k, c, r, s, p, q = (-(-size // tile) for size, tile in zip(problem.dims, self.tile, strict=True))
        return (n, g, k, c, r, s, p, q)

    def live_partial_sums(self, problem: Problem) -> int:
        """Outputs begun and not complete at once: 0 when each is complete after a single control step.

        The outputs of a tile, times the output tiles that the loops visit inside the outermost loop that folds.
        """
        trips = dict(zip(DIMENSIONS, self.trips(problem), strict=True))
        turning = [name for name in self.order if trips[name] > 1]
        folding = [place for place, name in enumerate(turning) if name in REDUCED]
        if not folding:
            return 0
        live = self.vn_count
        for name in turning[folding[0] :]:
            live *= 1 if name in REDUCED else trips[name]
        return live

    def spills(self, problem: Problem, hardware: Hardware) -> bool:
        """Whether partial sums exceed the accumulation buffer and go through the global buffer.

        Every virtual neuron then takes one more multiplier switch, for the partial sum that comes back. Those of a
        sparse layer never do (a mapping that does not fit is refused).
        """
        return problem.sparsity is None and self.live_partial_sums(problem) > hardware.accumulation_words

    def check(self, problem: Problem, hardware: Hardware) -> list[str]:
        """Every constraint that this mapping violates, in words with numbers; empty when it can run."""
        violations = []
        if len(self.tile) != len(DIMENSIONS):
            return [f"a tile needs one size for each of {' '.join(DIMENSIONS)}, found {len(self.tile)} sizes"]
        sizes = dict(zip(DIMENSIONS, problem.dims, strict=True))
        if problem.sparsity is not None:
            sizes |= dict.fromkeys("GKCRS", max(self.tile))  # see maerisim.mapping.sparse_rounds
        for name, tile, size in zip(DIMENSIONS, self.tile, sizes.values(), strict=True):
            if tile < 1:
                violations.append(f"the tile of {name} is {tile}, expected at least 1")
            elif tile > size and not hardware.controller.pad_edges:
                violations.append(f"the tile of {name} is {tile}, more than the {size} that the layer has")
        violations += _order_violations("an order", self.order, DIMENSIONS)
        violations += _order_violations("a placement", self.placement, REPLICATED)
        if violations:
            return violations
        if problem.sparsity is not None:
            return rounds.violations(problem, self, hardware) + capacity.violations(problem, self, hardware)
        refused = self._order_refused(problem, hardware) + self._padding_refused(problem, hardware)
        return refused + self._space_violations(problem, hardware) + capacity.violations(problem, self, hardware)

    def _padding_refused(self, problem: Problem, hardware: Hardware) -> list[str]:
        """A convolution has weights of 0 for what lies beyond a window; a pooling would take in its neighbours."""
        if not (hardware.controller.pad_edges and problem.pools):
            return []
        return [
            f"a tile of {self.tile_of(name)} in {name} leaves a partial one of the {getattr(problem, name)} of a pooling "
            f"window, and the controller of {hardware.name} fills up partial tiles"
            for name in REDUCED
            if getattr(problem, name) % self.tile_of(name)
        ]

    def _order_refused(self, problem: Problem, hardware: Hardware) -> list[str]:
        if not hardware.multiplier.wait_for_all_weights:
            return []
        trips = dict(zip(DIMENSIONS, self.trips(problem), strict=True))
        turning = [name for name in self.order if trips[name] > 1]
        folding = [name for name in turning if name in REDUCED]
        folds, registers = prod(trips[name] for name in folding), hardware.multiplier.weight_registers
        refused = []
        if folding != turning[len(turning) - len(folding) :]:
            refused.append(
                f"the controller of {hardware.name} takes all folds of an output together: C R S must be the innermost "
                f"loops, found {' '.join(turning)}"
            )
        if folds > registers:
            refused.append(f"{folds} folds need as many weight registers in each switch, {registers} are there")
        return refused

    def _space_violations(self, problem: Problem, hardware: Hardware) -> list[str]:
        spills = self.spills(problem, hardware)
        size = self.vn_size + spills
        block = 1 << (size - 1).bit_length() if hardware.reduction.topology == "plain_tree" else size
        needed = (self.vn_count - 1) * block + size
        if needed <= hardware.multipliers:
            return []
        why = f"{self.vn_count} virtual neurons of {size} need {needed} multipliers, {hardware.multipliers} are there"
        if block != size:
            why += f" (in a plain_tree each takes an aligned subtree of {block})"
        if spills:
            why += (
                f" (one of each takes in partial sums: {self.live_partial_sums(problem)} are live, the accumulation "
                f"buffer holds {hardware.accumulation_words}; a loop order with C R S further in needs fewer)"
            )
        return [why]

    def __str__(self) -> str:
        placed = "" if self.placement == REPLICATED else f", placement {' '.join(self.placement)}"
        return f"tile {_tile_text(self.tile)}, order {' '.join(self.order)}{placed}"


def names_of(order: str | Sequence[str]) -> tuple[str, ...]:
    """Dimensions written as a text or a list."""
    return tuple(order.split()) if isinstance(order, str) else tuple(order)


def _order_violations(what: str, order: Sequence[str], dimensions: Sequence[str]) -> list[str]:
    if sorted(order) == sorted(dimensions):
        return []
    known = " ".join(dimensions)
    missing = [name for name in dimensions if name not in order]
    twice = [name for name in dimensions if list(order).count(name) > 1]
    unknown = [name for name in order if name not in dimensions]
    details = [
        f"{word}: {' '.join(names)}"
        for word, names in (("missing", missing), ("more than once", twice), ("not a dimension", unknown))
        if names
    ]
    return [f"expected {what} of all of {known}, found '{' '.join(order)}' ({'; '.join(details)})"]


def _tile_text(tile: Sequence[int]) -> str:
    sizes = [f"{name}: {size}" for name, size in zip(DIMENSIONS, tile, strict=True) if size != 1]
    return f"{{{', '.join(sizes)}}}"


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
    padding: PaddingPair = Field((0, 0), description="one integer or [height, width]; does not matter to a mapping")
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


Order = Annotated[
    tuple[str, ...],
    BeforeValidator(_split_order),
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"enum": list(DIMENSIONS)}, "uniqueItems": True}]}
    ),
]


class MappingEntry(Model):
    """One layer's mapping."""

    problem: ProblemEntry = Field(description="the problem that this mapping was made for")
    tile: TileEntry = Field(description="how much of each dimension is on the fabric at once, 1 where left out")
    order: Order = Field(DIMENSIONS, description="temporal loops, outermost first, as a list or 'N G K C R S P Q'")

    placement: Order = Field(REPLICATED, description="virtual neurons along the array, neighbours last: 'G K N P Q'")

    @field_validator("order")
    @classmethod
    def _check_order(cls, order: tuple[str, ...]) -> tuple[str, ...]:
        for violation in _order_violations("an order", order, DIMENSIONS):
            raise ValueError(violation)
        return order

    @field_validator("placement")
    @classmethod
    def _check_placement(cls, placement: tuple[str, ...]) -> tuple[str, ...]:
        for violation in _order_violations("a placement", placement, REPLICATED):
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
            order=mapping.order,
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
            hint = documents.nearest(layer, self.shares) or f" (it has: {', '.join(self.shares) or 'none'})"
            msg = f"layer '{layer}'"
            raise MappingError(msg, [f"the mapping file has no 'shares' entry for these fused layers{hint}"])
        return self.shares[layer]

    def mapping_for(self, layer: str, problem: Problem) -> Mapping:
        """The mapping of ``layer``, which must have been made for this ``problem``; padding does not matter.

        Raises MappingError when there is none, or when it is for another layer, naming what differs.
        """
        entry = self.layers.get(layer)
        if entry is None:
            hint = documents.nearest(layer, self.layers) or f" (it has: {', '.join(self.layers) or 'none'})"
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

    Raises OSError when the file cannot be written.
    """
    lines = [f"hardware: {documents.scalar(mappings.hardware)}", f"network: {documents.scalar(mappings.network)}"]
    lines.append("layers:" if mappings.layers else "layers: {}")
    for name, entry in mappings.layers.items():
        problem = entry.problem
        sizes = [f"{dimension}: {getattr(problem, dimension)}" for dimension in DIMENSIONS]
        for key, default in (("stride", (1, 1)), ("dilation", (1, 1)), ("padding", (0, 0))):
            pair: Any = getattr(problem, key)
            if pair != default:
                sizes.append(f"{key}: {pair[0] if pair[0] == pair[1] else list(pair)}")
        if problem.operation != "multiply":
            sizes.append(f"operation: {problem.operation}")
        if problem.sparsity is not None:
            sizes.append(f"sparsity: {problem.sparsity.as_yaml()}")
        lines += [
            f"  {documents.scalar(name)}:",
            f"    problem: {{{', '.join(sizes)}}}",
            f"    tile: {_tile_text(entry.mapping.tile)}",
            f"    order: {' '.join(entry.order)}",
        ]
        if entry.placement != REPLICATED:
            lines.append(f"    placement: {' '.join(entry.placement)}")
    if mappings.shares:
        lines.append("shares:")
        lines += [f"  {documents.scalar(name)}: {share}" for name, share in mappings.shares.items()]
    text = "\n".join(lines) + "\n"
    if path is not None:
        Path(path).write_text(text, encoding="utf-8")
    return text
