"""What techniques have in common that search among vectors: see :mod:`mapper.searching.encoding`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from maerisim.kernels.estimating.quantities import Floats
from maerisim.mapping.mapping import Mapping
from mapper.searching.encoding import decode, encode
from mapper.searching.ground import Ground
from mapper.searching.protocol import Trial

BATCH = 20
"""Vectors that are asked for at once."""
WORSE = 3.0
"""By so much, in logarithms, a mapping that cannot run counts as worse than the worst that can."""


class OfVectors(ABC):
    """A technique that asks for ``vectors`` and hears of ``losses``: logarithms of scores, since these differ in factors."""

    def __init__(self, ground: Ground, random: np.random.Generator, budget: int) -> None:
        self.ground, self.random, self.budget = ground, random, budget
        self.asked: Sequence[Floats] | None = None
        self.worst = 0.0

    def ask(self) -> Sequence[Mapping]:
        """The mappings of the next vectors."""
        self.asked = self.vectors()
        return [decode(vector, self.ground) for vector in self.asked]

    def tell(self, trials: Sequence[Trial]) -> None:
        """Hear of the vectors asked for; or, before, of mappings known before."""
        scores = [float(np.log(trial.score)) for trial in trials if trial.legal]
        self.worst = max([self.worst, *scores])
        losses = [float(np.log(trial.score)) if trial.legal else self.worst + WORSE for trial in trials]
        if self.asked is None:
            self.begin([encode(trial.mapping, self.ground) for trial in trials], losses)
        else:
            self.hear(self.asked[: len(losses)], losses)

    @abstractmethod
    def vectors(self) -> Sequence[Floats]:
        """What to try next."""

    @abstractmethod
    def begin(self, vectors: Sequence[Floats], losses: Sequence[float]) -> None:
        """Vectors of mappings that were known before, and their losses."""

    @abstractmethod
    def hear(self, vectors: Sequence[Floats], losses: Sequence[float]) -> None:
        """What became of vectors."""
