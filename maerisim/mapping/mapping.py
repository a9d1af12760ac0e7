"""A mapping: how much of each dimension is on the fabric at once, and in which order the rest is walked.

Here is what follows from a mapping alone or from it and a layer; :mod:`maerisim.mapping.legality` says whether it can run.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

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

    The innermost loop over a dimension walks its tiles. Any loop around that one walks larger blocks of the dimension, and
    the loops inside it walk one block; ``cuts`` are the sizes of the blocks, in the order of these loops.

    For sparse layers K and C count something else, see :mod:`maerisim.mapping.sparse_rounds`.

    ``placement`` orders the virtual neurons along the array: those that differ in its last dimension are neighbours,
    so that what they share takes one slot of a distribution port.
    """

    tile: tuple[int, int, int, int, int, int, int, int]
    order: tuple[str, ...] = DIMENSIONS
    placement: tuple[str, ...] = REPLICATED
    cuts: tuple[int, ...] = ()

    @classmethod
    def of(
        cls,
        tile: MappingOf[str, int],
        order: str | Sequence[str] = DIMENSIONS,
        placement: str | Sequence[str] = REPLICATED,
    ) -> Mapping:
        """From named sizes, 1 where absent, and an order like ``"N G K C P Q R S"``.

        A loop over blocks is written with their size: ``"K:1024 N G K C P Q R S"``. Raises MappingError for names that are
        not dimensions and for blocks that cannot be read; see :mod:`maerisim.mapping.legality` for everything else.
        """
        unknown = [name for name in tile if name not in DIMENSIONS]
        if unknown:
            known = " ".join(DIMENSIONS)
            msg = "tile"
            raise MappingError(msg, [f"'{name}' is not a dimension (dimensions: {known})" for name in unknown])
        n, g, k, c, r, s, p, q = (tile.get(name, 1) for name in DIMENSIONS)
        loops = names_of(order)
        violations = block_violations(loops)
        if violations:
            msg = "order"
            raise MappingError(msg, violations)
        names = tuple(loop.partition(":")[0] for loop in loops)
        cuts = tuple(int(loop.partition(":")[2]) for loop in loops if ":" in loop)
        return cls((n, g, k, c, r, s, p, q), names, names_of(placement), cuts)

    @property
    def T(self) -> dict[str, int]:
        """Tile size by dimension name."""
        return dict(zip(DIMENSIONS, self.tile, strict=True))

    def tile_of(self, dimension: str) -> int:
        """Tile size of one dimension, e.g. ``"K"``."""
        return self.tile[DIMENSIONS.index(dimension)]

    @property
    def loops(self) -> tuple[Walk, ...]:
        """The temporal loops, outermost first, with what an iteration of each covers."""
        cuts = iter(self.cuts)
        return tuple(
            Walk(d, next(cuts, 0) if d in self.order[place + 1 :] else self.tile_of(d))
            for place, d in enumerate(self.order)
        )

    @property
    def written_order(self) -> tuple[str, ...]:
        """The order as it is written: ``K:1024`` for a loop over blocks, ``K`` for one over tiles."""
        if not self.cuts:
            return self.order
        return tuple(f"{d}:{step}" if d in self.order[place + 1 :] else d for place, (d, step) in enumerate(self.loops))

    def tile_sizes(self, problem: Problem, dimension: str) -> dict[int, int]:
        """How many tiles of each size there are along a dimension: full ones, and partial ones at the ends of blocks."""
        blocks = {problem.dims[DIMENSIONS.index(dimension)]: 1}
        for step in (loop.step for loop in self.loops if loop.dimension == dimension):
            parts: dict[int, int] = {}
            for size, count in blocks.items():
                whole, rest = divmod(size, step)
                for part, times in ((step, whole), (rest, int(rest > 0))):
                    if times:
                        parts[part] = parts.get(part, 0) + count * times
            blocks = parts
        return blocks

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
        """Tiles along each dimension, in the order of ``DIMENSIONS``; the last of each block may be partial."""
        if self.cuts:
            n, g, k, c, r, s, p, q = (sum(self.tile_sizes(problem, d).values()) for d in DIMENSIONS)
        else:
            n, g, k, c, r, s, p, q = (-(-size // tile) for size, tile in zip(problem.dims, self.tile, strict=True))
        return (n, g, k, c, r, s, p, q)

    def live_partial_sums(self, problem: Problem) -> int:
        """Outputs begun and not complete at once: 0 when each is complete after a single control step.

        The outputs of a tile, times the output tiles that the loops visit inside the outermost loop that folds.
        """
        left = dict(zip(DIMENSIONS, problem.dims, strict=True))
        live = 0
        for d, step in self.loops:
            trips = -(-left[d] // step)
            left[d] = min(left[d], step)
            if trips > 1 and d in REDUCED and not live:
                live = self.vn_count
            elif d not in REDUCED and live:
                live *= trips
        return live

    def spills(self, problem: Problem, hardware: Hardware) -> bool:
        """Whether partial sums exceed the accumulation buffer and go through the global buffer.

        Every virtual neuron then takes one more multiplier switch, for the partial sum that comes back. Those of a
        sparse layer never do (a mapping that does not fit is refused).
        """
        return problem.sparsity is None and self.live_partial_sums(problem) > hardware.accumulation_words

    def within(self, sizes: MappingOf[str, int]) -> Mapping:
        """The same mapping of a layer, or block of one, that has at most so many of each dimension.

        Tiles are no larger than the layer, and loops over blocks that are not smaller are left out.
        """
        n, g, k, c, r, s, p, q = (min(tile, sizes[d]) for d, tile in self.T.items())
        kept = [
            (loop.dimension, loop.step)
            for place, loop in enumerate(self.loops)
            if loop.dimension not in self.order[place + 1 :] or loop.step < sizes[loop.dimension]
        ]
        order = tuple(d for d, _ in kept)
        cuts = tuple(step for place, (d, step) in enumerate(kept) if d in order[place + 1 :])
        return Mapping((n, g, k, c, r, s, p, q), order, self.placement, cuts)

    def to_dict(self) -> dict[str, Any]:
        """Tile sizes by dimension, order and placement as plain data, for JSON."""
        return {"tile": self.T, "order": list(self.written_order), "placement": list(self.placement)}

    def __str__(self) -> str:
        placed = "" if self.placement == REPLICATED else f", placement {' '.join(self.placement)}"
        return f"tile {tile_text(self.tile)}, order {' '.join(self.written_order)}{placed}"


class Walk(NamedTuple):
    """A temporal loop: the ``dimension`` that it walks, and how much of it an iteration covers."""

    dimension: str
    step: int


def names_of(order: str | Sequence[str]) -> tuple[str, ...]:
    """Dimensions written as a text or a list."""
    return tuple(order.split()) if isinstance(order, str) else tuple(order)


def block_violations(order: Sequence[str]) -> list[str]:
    """What is wrong with the loops over blocks in an order as it is written."""
    violations = []
    for place, loop in enumerate(order):
        name, colon, size = loop.partition(":")
        if not colon:
            continue
        if name not in DIMENSIONS or not (size.isascii() and size.isdigit() and int(size) > 0):
            violations.append(f"expected a dimension and the size of its blocks like 'K:1024', found '{loop}'")
        elif name not in order[place + 1 :]:
            violations.append(f"'{loop}' walks blocks: expected a loop '{name}' over the tiles of a block further in")
    return violations


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
