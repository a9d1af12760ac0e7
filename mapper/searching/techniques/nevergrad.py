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


class Nevergrad(OfVectors):
    """The search by one of them."""

    def __init__(self, name: str, ground: Ground, random: np.random.Generator, budget: int) -> None:
        super().__init__(ground, random, budget)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what the library imports and is about to change
            import nevergrad as ng

            parametrization = ng.p.Array(shape=(LENGTH,), lower=0.0, upper=1.0)
            parametrization.random_state = np.random.RandomState(int(random.integers(2**31)))
            self.batch = 1 if name in ONE_BY_ONE else BATCH
            self.optimizer: Any = ng.optimizers.registry[name](
                parametrization=parametrization, budget=budget, num_workers=self.batch
            )
        self.candidates: list[Any] = []
        self.left = budget

    def vectors(self) -> Sequence[Floats]:
        """What the optimizer proposes for its workers."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.candidates = [self.optimizer.ask() for _ in range(min(self.batch, self.left))]
        self.left -= len(self.candidates)
        return [np.asarray(candidate.value, float) for candidate in self.candidates]

    def begin(self, vectors: Sequence[Floats], losses: Sequence[float]) -> None:
        """Suggest the best of what is known: the library tries it again, as a sample."""
        self.optimizer.suggest(vectors[int(np.argmin(losses))])

    def hear(self, vectors: Sequence[Floats], losses: Sequence[float]) -> None:
        """What became of the candidates."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for candidate, loss in zip(self.candidates[: len(vectors)], losses, strict=True):
                self.optimizer.tell(candidate, loss)
