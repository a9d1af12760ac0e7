"""Warm start: layers that were solved before, the one most like a new layer, and its mapping carried over."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import log2
from pathlib import Path

from maerisim.mapping.document import MappingFile, dump_mappings, load_mappings
from maerisim.mapping.mapping import Mapping
from maerisim.workload.problem import DIMENSIONS, Problem
from mapper.searching.ground import Ground
from mapper.space import sizes_without_waste


def edits(one: Problem, other: Problem) -> float:
    """In how many of its sizes, strides and dilations a layer differs from another: the edit distance of the study."""
    pairs = zip((*one.dims, one.stride, one.dilation), (*other.dims, other.stride, other.dilation), strict=True)
    return sum(mine != theirs for mine, theirs in pairs)


def doublings(one: Problem, other: Problem) -> float:
    """How often sizes have to be doubled or halved to make one layer of the other: 56 is nearer to 28 than to 7."""
    sizes = zip((*one.dims, *one.stride, *one.dilation), (*other.dims, *other.stride, *other.dilation), strict=True)
    return sum(abs(log2(mine / theirs)) for mine, theirs in sizes)


Distance = Callable[[Problem, Problem], float]


@dataclass
class Solved:
    """A replay buffer: layers with the best mapping known of each, in the order in which they were solved."""

    layers: dict[Problem, Mapping] = field(default_factory=dict)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Solved:
        """The layers of a mapping document, nothing where there is no such file. Raises DocumentError.

        Any mapping document will do, also one that ``map --output`` wrote.
        """
        if not Path(path).exists():
            return cls()
        entries = load_mappings(path).layers.values()
        return cls({entry.problem.as_problem(): entry.mapping for entry in entries if not entry.mapping.cuts})

    def save(self, path: str | os.PathLike[str], hardware: str) -> None:
        """Write them as a mapping document. Raises DocumentError where it cannot be written."""
        named = {f"layer_{place}": layer for place, layer in enumerate(self.layers.items(), 1)}
        dump_mappings(MappingFile.of(hardware, "solved", named), path)

    def add(self, problem: Problem, mapping: Mapping) -> None:
        """Remember a mapping as the best known of a layer."""
        self.layers.pop(problem, None)
        self.layers[problem] = mapping

    @property
    def last(self) -> Problem | None:
        """The layer that was solved last."""
        return next(reversed(self.layers), None)

    def nearest(self, problem: Problem, distance: Distance = doublings) -> Problem | None:
        """The layer most like this one; of equals the one solved last."""
        return min(reversed(self.layers), key=lambda known: distance(known, problem), default=None)

    def start(self, ground: Ground, distance: Distance = doublings) -> list[Mapping]:
        """Mappings to begin a search with: none where nothing was solved."""
        nearest = self.nearest(ground.problem, distance)
        return [] if nearest is None else carried_over(nearest, self.layers[nearest], ground)


def carried_over(solved: Problem, mapping: Mapping, ground: Ground) -> list[Mapping]:
    """Mappings of another layer: loop order and placement are inherited, and the tile as it is or in proportion to its
    dimensions; each also with the room on the array that is left filled up.
    """
    sizes = zip(mapping.tile, ground.problem.dims, solved.dims, strict=True)
    scaled = [max(1, round(tile * new / old)) for tile, new, old in sizes]
    same = ground.made(mapping.tile, mapping.order, mapping.placement)
    other = ground.made(scaled, mapping.order, mapping.placement)
    first = sorted(range(len(DIMENSIONS)), key=lambda d: -mapping.tile[d])
    return list(dict.fromkeys([filled(same, ground, first), same, filled(other, ground, first), other]))


def filled(mapping: Mapping, ground: Ground, first: Sequence[int]) -> Mapping:
    """The mapping with as much of each dimension as there is still room for, in this order of the dimensions."""
    tile = list(mapping.tile)
    for d in first:
        size = ground.problem.dims[d]
        for larger in reversed(sizes_without_waste(size, ground.limits[d])):
            if larger <= tile[d]:
                break
            grown = [*tile[:d], larger, *tile[d + 1 :]]
            made = ground.made(grown, mapping.order, mapping.placement)
            if list(made.tile) == grown:
                tile = grown
                break
    return ground.made(tile, mapping.order, mapping.placement)
