"""CMA-ES on vectors, by the library ``cmaes``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from maerisim.kernels.estimating.quantities import Floats
from mapper.searching.encoding import LENGTH
from mapper.searching.ground import Ground
from mapper.searching.techniques.vectors import OfVectors

if TYPE_CHECKING:
    from cmaes import CMA

SIGMA, NEAR = 0.3, 0.1
"""The step at first, and where a mapping was known before."""
STALE = 13
"""So many vectors in a row that are nothing new (a generation) end an optimizer."""


class CmaEs(OfVectors):
    """The search, begun again at random when it has converged."""

    def __init__(self, ground: Ground, random: np.random.Generator, budget: int) -> None:
        super().__init__(ground, random, budget)
        self.optimizer = self.begun_at(np.full(LENGTH, 0.5), SIGMA)

    def begun_at(self, mean: Floats, sigma: float) -> CMA:
        """The library's optimizer from here on."""
        from cmaes import CMA

        return CMA(mean, sigma, seed=int(self.random.integers(2**31)))

    def vectors(self) -> Sequence[Floats]:
        """A generation."""
        if self.optimizer.should_stop() or self.stale >= STALE:
            self.stale = 0
            self.optimizer = self.begun_at(self.random.random(LENGTH), SIGMA)
        return [self.optimizer.ask() for _ in range(self.optimizer.population_size)]

    def begin(self, vectors: Sequence[Floats], losses: Sequence[float]) -> None:
        """Begin near the best of what is known."""
        self.optimizer = self.begun_at(vectors[int(np.argmin(losses))], NEAR)

    def hear(self, vectors: Sequence[Floats], losses: Sequence[float]) -> None:
        """A generation."""
        self.optimizer.tell(list(zip(vectors, losses, strict=True)))
