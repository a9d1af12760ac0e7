"""Mappings at random: each of the space equally likely, or without those that cannot be better than one seen before."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np

from maerisim.mapping.mapping import Mapping
from maerisim.workload.problem import DIMENSIONS
from mapper.searching.ground import Ground
from mapper.searching.protocol import Trial

BATCH = 100
MISSES = 500
"""Samples in a row of which none was better: then the pruned search declares victory."""
DRAWS = 20
"""Draws for each mapping that is new, at most."""
KIND = {"K": 0, "G": 1, "C": 2, "R": 2, "S": 3, "N": 4, "P": 4, "Q": 5}
"""Loops of one kind concern the same operands. Rows of windows are apart from their columns, along which inputs slide."""


class Drawn:
    """Random search. It learns nothing."""

    def __init__(self, ground: Ground, random: np.random.Generator, _budget: int) -> None:
        self.ground, self.random = ground, random

    def ask(self) -> Sequence[Mapping]:
        """Mappings at random."""
        return [self.ground.drawn(self.random) for _ in range(BATCH)]

    def tell(self, _trials: Sequence[Trial]) -> None:
        """Nothing."""


class Pruned:
    """Random search as Timeloop does it: of mappings that reuse alike one is tried, and it ends when nothing gets better.

    Equivalent are mappings that differ in loops that do not turn, in the order of neighbouring loops that concern the same operands,
    or in the places of dimensions of which the tile has one.
    """

    def __init__(self, ground: Ground, random: np.random.Generator, _budget: int) -> None:
        self.ground, self.random = ground, random
        self.seen: set[Mapping] = set()
        self.best, self.misses = inf, 0

    def ask(self) -> Sequence[Mapping]:
        """Mappings of kinds that were not tried yet; none after so many misses."""
        if self.misses >= MISSES:
            return ()
        new: dict[Mapping, None] = {}
        for _ in range(DRAWS * BATCH):
            mapping = plain(self.ground.drawn(self.random), self.ground)
            if mapping not in self.seen:
                new[mapping] = None
            if len(new) == BATCH:
                break
        self.seen |= new.keys()
        return list(new)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Count what was no better."""
        for trial in trials:
            better = trial.score < self.best
            self.misses = 0 if better else self.misses + 1
            self.best = min(self.best, trial.score)


def plain(mapping: Mapping, ground: Ground) -> Mapping:
    """The one that stands for all mappings that reuse alike."""
    sizes = dict(zip(DIMENSIONS, ground.problem.dims, strict=True))
    turning = [d for d in mapping.order if mapping.tile_of(d) < sizes[d]]
    runs: list[list[str]] = []
    for d in turning:
        if runs and KIND[runs[-1][0]] == KIND[d]:
            runs[-1].append(d)
        else:
            runs.append([d])
    still = [d for d in DIMENSIONS if d not in turning]
    order = (*still, *(d for run in runs for d in sorted(run)))
    single = sorted(d for d in mapping.placement if mapping.tile_of(d) == 1)
    placement = (*single, *(d for d in mapping.placement if mapping.tile_of(d) > 1))
    return Mapping(mapping.tile, order, placement)
