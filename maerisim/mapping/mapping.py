"""A mapping: how much of each dimension is on the fabric at once, and in which order the rest is walked.

Here is what follows from a mapping alone or from it and a layer; :mod:`maerisim.mapping.legality` says whether it can run.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from maerisim.documents import described
from maerisim.errors import MappingError
from maerisim.hardware.hardware import Hardware
from maerisim.text import shown
from maerisim.workload.problem import DIMENSIONS, Problem

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

        Raises MappingError for names that are not dimensions; see :mod:`maerisim.mapping.legality` for everything else.
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

    def to_dict(self) -> dict[str, Any]:
        """Tile sizes by dimension, order and placement as plain data, for JSON."""
        return {"tile": self.T, "order": list(self.order), "placement": list(self.placement)}

    def __str__(self) -> str:
        placed = "" if self.placement == REPLICATED else f", placement {' '.join(self.placement)}"
        return f"tile {tile_text(self.tile)}, order {' '.join(self.order)}{placed}"


def names_of(order: str | Sequence[str]) -> tuple[str, ...]:
    """Dimensions written as a text or a list."""
    return tuple(order.split()) if isinstance(order, str) else tuple(order)


def order_violations(what: str, order: Sequence[str], dimensions: Sequence[str]) -> list[str]:
    if sorted(order) == sorted(dimensions):
        return []
    known = " ".join(dimensions)
    missing = [name for name in dimensions if name not in order]
    twice = [name for name in dimensions if list(order).count(name) > 1]
    unknown = [name for name in order if name not in dimensions]
    details = [
        f"{word}: {shown(' '.join(names))}"
        for word, names in (("missing", missing), ("more than once", twice), ("not a dimension", unknown))
        if names
    ]
    return [f"expected {what} of all of {known}, found {described(' '.join(order))} ({'; '.join(details)})"]


def tile_text(tile: Sequence[int]) -> str:
    sizes = [f"{name}: {size}" for name, size in zip(DIMENSIONS, tile, strict=True) if size != 1]
    return f"{{{', '.join(sizes)}}}"
