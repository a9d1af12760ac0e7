"""A genetic algorithm as in textbooks, on vectors: it knows nothing of mappings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maerisim.kernels.estimating.quantities import Floats
from mapper.searching.encoding import LENGTH, decode
from mapper.searching.ground import Ground
from mapper.searching.techniques.vectors import OfVectors

SIZE, ELITES, TOURNAMENT = 50, 2, 3
CROSSED, SPREAD = 0.9, 0.15
"""How often a child has two parents, and the standard deviation of a changed number."""
DRAWS = 10
"""Children that are made at the most for one whose mapping was not tried yet."""


class StandardGenetic(OfVectors):
    """Tournaments, uniform crossover, and on average one number of a child changed by a normal step."""

    def __init__(self, ground: Ground, random: np.random.Generator, budget: int) -> None:
        super().__init__(ground, random, budget)
        self.population: list[tuple[float, Floats]] = []

    def vectors(self) -> Sequence[Floats]:
        """A generation of children, at first one at random."""
        if len(self.population) < SIZE:
            return [self.random.random(LENGTH) for _ in range(SIZE - len(self.population))]
        return [self.new_child() for _ in range(SIZE - ELITES)]

    def new_child(self) -> Floats:
        """A child whose mapping was not tried yet, if there is one of a few."""
        for _ in range(DRAWS):
            child = self.child()
            if decode(child, self.ground) not in self.known:
                break
        return child

    def child(self) -> Floats:
        """Of two parents, or one."""
        one, other = self.parent(), self.parent()
        crossed = self.random.random() < CROSSED
        child = np.where(self.random.random(LENGTH) < 0.5, one, other) if crossed else one.copy()
        changed = self.random.random(LENGTH) < 1 / LENGTH
        return np.clip(child + changed * self.random.normal(0, SPREAD, LENGTH), 0, 1)

    def parent(self) -> Floats:
        """The best of a few."""
        places = self.random.integers(len(self.population), size=TOURNAMENT)
        return self.population[int(places.min())][1]  # the population is sorted

    def begin(self, vectors: Sequence[Floats], losses: Sequence[float]) -> None:
        """Known vectors are part of the first generation."""
        self.hear(vectors, losses)

    def hear(self, vectors: Sequence[Floats], losses: Sequence[float]) -> None:
        """The elites stay, the others make room."""
        kept = self.population[:ELITES] if len(self.population) >= SIZE else self.population
        self.population = sorted([*kept, *zip(losses, vectors, strict=True)], key=lambda each: each[0])
