"""The optimizers of the library ``nevergrad`` on vectors, by their names there."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from maerisim.kernels.estimating.quantities import Floats
from mapper.searching.encoding import LENGTH
from mapper.searching.ground import Ground
from mapper.searching.techniques.vectors import BATCH, OfVectors

ONE_BY_ONE = ("OnePlusOne",)
"""Those whose next proposal depends on the last one."""
STALE = 20
"""So many vectors in a row that are nothing new end an optimizer: its steps have become too small."""


class Nevergrad(OfVectors):
    """The search by one of them."""

    def __init__(self, name: str, ground: Ground, random: np.random.Generator, budget: int) -> None:
        super().__init__(ground, random, budget)
        self.name, self.batch = name, 1 if name in ONE_BY_ONE else BATCH
        self.optimizer = self.begun()
        self.candidates: list[Any] = []

    def begun(self) -> Any:
        """The library's optimizer at its beginning."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what the library imports and is about to change
            import nevergrad as ng

            parametrization = ng.p.Array(shape=(LENGTH,), lower=0.0, upper=1.0)
            parametrization.random_state = np.random.RandomState(int(self.random.integers(2**31)))
            return ng.optimizers.registry[self.name](
                parametrization=parametrization, budget=self.budget, num_workers=self.batch
            )

    def vectors(self) -> Sequence[Floats]:
        """What the optimizer proposes for its workers; one that has nothing new, or whose budget is over, begins again from the
        best.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if self.stale >= STALE or self.optimizer.num_ask >= self.budget:
                best, self.optimizer, self.stale = self.best, self.begun(), 0
                if best is not None:
                    self.optimizer.suggest(best)
            left = self.budget - self.optimizer.num_ask
            self.candidates = [self.optimizer.ask() for _ in range(min(self.batch, left))]
        return [np.asarray(candidate.value, float) for candidate in self.candidates]

    def begin(self, vectors: Sequence[Floats], losses: Sequence[float]) -> None:
        """Suggest the best of what is known."""
        self.optimizer.suggest(vectors[int(np.argmin(losses))])

    def hear(self, _vectors: Sequence[Floats], losses: Sequence[float]) -> None:
        """What became of the candidates."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for candidate, loss in zip(self.candidates, losses, strict=True):
                self.optimizer.tell(candidate, loss)
