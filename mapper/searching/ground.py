"""What there is to search: which mappings a layer can have on a machine, one loop a dimension, and how to draw one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np

from maerisim.errors import NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.legality import has_room
from maerisim.mapping.mapping import REPLICATED, Mapping
from maerisim.ways.base import LayerWay
from maerisim.ways.way import way_of
from maerisim.workload.problem import DIMENSIONS, Problem
from mapper.space import Space, space_of

SHRINK = 0.9
"""A tile that does not fit is made smaller by so much at once."""
FIXED_IN_SPARSE = ("G", "R", "S")
"""Dimensions that the tile of a sparse layer has one of, see :mod:`maerisim.mapping.sparse_rounds`."""


@dataclass(frozen=True)
class Ground:
    """The mappings of a layer: tiles, loop orders and placements. Raises NotSupportedError where a search of them is not possible."""

    problem: Problem
    hardware: Hardware

    def __post_init__(self) -> None:
        self.way.require_possible()
        if self.way.space not in ("tiles_and_orders", "sets_of_filters"):
            msg = f"search techniques are for layers on the fabric alone, expected no DRAM and no lock step, found {self.hardware.name}"
            raise NotSupportedError(msg)

    @cached_property
    def way(self) -> LayerWay:
        """How the layer runs."""
        return way_of(self.problem, self.hardware)

    @cached_property
    def sparse(self) -> bool:
        """Whether a tile counts nonzero weights and filters."""
        return self.way.space == "sets_of_filters"

    @cached_property
    def limits(self) -> tuple[int, ...]:
        """The largest tile in each dimension."""
        sizes = dict(zip(DIMENSIONS, self.problem.dims, strict=True))
        if self.sparse:
            problem = self.problem
            sizes |= dict.fromkeys(FIXED_IN_SPARSE, 1)
            sizes |= {"K": problem.G * problem.K, "C": int(problem.mask.sum(axis=(1, 2, 3)).max())}
        return tuple(min(sizes[d], self.hardware.multipliers) for d in DIMENSIONS)

    @cached_property
    def space(self) -> Space:
        """Every tile of a dense layer, with all loop orders and placements: what the proof ranks."""
        return space_of(self.problem, self.hardware)

    def is_legal(self, mapping: Mapping) -> bool:
        """Whether a mapping can run, with one loop a dimension."""
        return not mapping.cuts and not self.way.violations(mapping)

    def fits(self, mapping: Mapping) -> bool:
        """Whether the array has room for the tile of a well-formed mapping."""
        if self.sparse:
            return self.is_legal(mapping)
        return prod(mapping.tile) <= self.hardware.multipliers and has_room(self.problem, mapping, self.hardware)

    def made(self, tile: Sequence[int], order: Sequence[str], placement: Sequence[str]) -> Mapping:
        """The mapping of this tile or, where that does not fit, of one that is smaller in all dimensions alike.

        Draws nothing, so that repairing costs no samples. A rule on loop orders that a controller has may still be violated.
        """
        if self.sparse:
            order = ("G", "K", *(d for d in order if d not in "GK"))
        sizes = [min(max(1, int(size)), limit) for size, limit in zip(tile, self.limits, strict=True)]
        mapping = _mapping(sizes, order, placement)
        if self.fits(mapping):
            return mapping
        room = min(float(prod(sizes)), float(self.hardware.multipliers))
        while room >= 2:
            mapping = _mapping(_shrunk(sizes, room), order, placement)
            if self.fits(mapping):
                return mapping
            room *= SHRINK
        return _mapping([1] * len(DIMENSIONS), order, placement)

    def drawn(self, random: np.random.Generator) -> Mapping:
        """A mapping at random: each tile of the space, each order and each placement equally likely.

        Of a sparse layer sizes are drawn evenly by their logarithms, and shrunk until they fit.
        """
        order = tuple(DIMENSIONS[d] for d in random.permutation(len(DIMENSIONS)))
        placement = tuple(REPLICATED[d] for d in random.permutation(len(REPLICATED)))
        if self.sparse:
            sizes = [int(np.exp(random.random() * np.log(limit)) + 0.5) for limit in self.limits]
            return self.made(sizes, order, placement)
        tiles = self.space.tiles
        return _mapping(tiles[random.integers(len(tiles))].tolist(), order, placement)


def _mapping(tile: Sequence[int], order: Sequence[str], placement: Sequence[str]) -> Mapping:
    n, g, k, c, r, s, p, q = tile
    return Mapping((n, g, k, c, r, s, p, q), tuple(order), tuple(placement))


def _shrunk(sizes: Sequence[int], room: float) -> list[int]:
    """Sizes whose product is at most ``room``: all smaller by the same power, rounded, the largest first."""
    logs = np.log(sizes)
    wanted = np.exp(logs * min(1.0, np.log(room) / max(logs.sum(), 1e-9)))
    shrunk = [1] * len(sizes)
    for d in np.argsort(-wanted, kind="stable"):
        shrunk[d] = min(max(1, round(float(wanted[d]))), int(room))
        room /= shrunk[d]
    return shrunk
