"""Simulated annealing: a few walkers that make small moves, and accept worse mappings while it is warm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maerisim.mapping.mapping import Mapping
from mapper.searching import moves
from mapper.searching.ground import Ground
from mapper.searching.protocol import Trial

WALKERS = 8
WARM, COLD = 0.2, 0.002
"""Temperatures at the start and the end: what is worse by this share is accepted once in e times."""


class Annealing:
    """The search; temperatures fall geometrically over the budget."""

    def __init__(self, ground: Ground, random: np.random.Generator, budget: int) -> None:
        self.ground, self.random = ground, random
        self.steps, self.step = max(1, budget // WALKERS), 0
        self.walkers: list[Trial] = []
        self.begun = False

    def ask(self) -> Sequence[Mapping]:
        """A neighbour of each walker; at the beginning places at random."""
        if not self.begun or not self.walkers:
            missing = max(1, WALKERS - len(self.walkers))
            return [self.ground.drawn(self.random) for _ in range(missing)]
        return [moves.neighbour(walker.mapping, self.ground, self.random) for walker in self.walkers]

    def tell(self, trials: Sequence[Trial]) -> None:
        """Each walker stays or goes; the best of those that begin is where a mapping was known before."""
        if not self.begun or not self.walkers:
            self.begun = True
            self.walkers = sorted((*self.walkers, *(t for t in trials if t.legal)), key=lambda t: t.score)[:WALKERS]
            return
        temperature = WARM * (COLD / WARM) ** min(1.0, self.step / self.steps)
        self.step += 1
        for place, trial in enumerate(trials):
            worse = np.log(trial.score / self.walkers[place].score) if trial.legal else np.inf
            if worse <= 0 or self.random.random() < np.exp(-worse / temperature):
                self.walkers[place] = trial
