"""A particle swarm as in textbooks, on vectors: it knows nothing of mappings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maerisim.kernels.estimating.quantities import Floats
from mapper.searching.encoding import LENGTH
from mapper.searching.ground import Ground
from mapper.searching.techniques.vectors import OfVectors

SIZE, INERTIA, PULL, FASTEST = 40, 0.72, 1.2, 0.3
"""Particles, how much of a speed stays, how strongly their own best and the best of all pull, and the highest speed."""
STALE = 2 * SIZE
"""So many vectors in a row that are nothing new scatter the worse half."""


class Swarm(OfVectors):
    """Each particle is pulled to the best place that it has been at and to the best of all; at the edge it stops."""

    def __init__(self, ground: Ground, random: np.random.Generator, budget: int) -> None:
        super().__init__(ground, random, budget)
        self.places = random.random((SIZE, LENGTH))
        self.speeds = random.uniform(-0.25, 0.25, (SIZE, LENGTH))
        self.best_places = self.places.copy()
        self.best_losses = np.full(SIZE, np.inf)

    def vectors(self) -> Sequence[Floats]:
        """The places of all particles after a step, at first those at random."""
        if self.stale >= STALE:
            self.stale = 0
            worse = np.argsort(self.best_losses)[SIZE // 2 :]
            self.places[worse] = self.best_places[worse] = self.random.random((len(worse), LENGTH))
            self.best_losses[worse] = np.inf
        elif np.isfinite(self.best_losses).any():
            best = self.best_places[int(np.argmin(self.best_losses))]
            own, common = PULL * self.random.random((2, SIZE, LENGTH))
            pulled = own * (self.best_places - self.places) + common * (best - self.places)
            self.speeds = np.clip(INERTIA * self.speeds + pulled, -FASTEST, FASTEST)
            moved = self.places + self.speeds
            self.places = np.clip(moved, 0, 1)
            self.speeds[self.places != moved] = 0
        return list(self.places.copy())

    def begin(self, vectors: Sequence[Floats], losses: Sequence[float]) -> None:
        """Some particles begin at what is known."""
        for place, known in enumerate(np.argsort(losses, kind="stable")[:SIZE]):
            self.places[place] = self.best_places[place] = vectors[known]
            self.best_losses[place] = losses[known]

    def hear(self, vectors: Sequence[Floats], losses: Sequence[float]) -> None:
        """Remember the places that are better."""
        better = np.array(losses) < self.best_losses
        self.best_places[better] = np.array(vectors)[better]
        self.best_losses[better] = np.array(losses)[better]
