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
ROUNDS = 50
"""Asked in vain for so many batches it tries mappings again: in a small space there may be no others."""
WORSE = 3.0
"""By so much, in logarithms, a mapping that cannot run counts as worse than the worst that can."""


class OfVectors(ABC):
    """A technique that asks for ``vectors`` and hears of ``losses``: logarithms of scores, since these differ in factors.

    Many vectors are one mapping. It remembers the losses of mappings, and proposes only those that it has not tried; where
    ``stale`` vectors in a row told it nothing new its steps are smaller than from a mapping to the next.
    """

    def __init__(self, ground: Ground, random: np.random.Generator, budget: int) -> None:
        self.ground, self.random, self.budget = ground, random, budget
        self.asked: list[tuple[Floats, Mapping]] | None = None
        self.known: dict[Mapping, float] = {}
        self.worst, self.stale = 0.0, 0

    def ask(self) -> Sequence[Mapping]:
        """The mappings of the next vectors that were not tried yet, or after many vectors those that were."""
        for _ in range(ROUNDS):
            self.asked = [(vector, decode(vector, self.ground)) for vector in self.vectors()]
            new = [
                mapping for mapping in dict.fromkeys(mapping for _, mapping in self.asked) if mapping not in self.known
            ]
            if new:
                self.stale = 0
                return new
            self.stale += len(self.asked)
            self.hear_of_asked()
        return [mapping for _, mapping in self.asked or ()]

    def tell(self, trials: Sequence[Trial]) -> None:
        """Hear of the vectors asked for; or, before, of mappings known before."""
        scores = [float(np.log(trial.score)) for trial in trials if trial.legal]
        self.worst = max([self.worst, *scores])
        for trial in trials:
            self.known[trial.mapping] = float(np.log(trial.score)) if trial.legal else self.worst + WORSE
        if self.asked is None:
            start = [trial.mapping for trial in trials]
            self.begin([encode(mapping, self.ground) for mapping in start], [self.known[mapping] for mapping in start])
        elif all(mapping in self.known for _, mapping in self.asked):  # else the budget has ended
            self.hear_of_asked()

    def hear_of_asked(self) -> None:
        """Hear of all vectors asked for."""
        asked = self.asked or []
        self.hear([vector for vector, _ in asked], [self.known[mapping] for _, mapping in asked])

    @property
    def best(self) -> Floats | None:
        """The vector of the best mapping known."""
        mapping = min(self.known, key=lambda mapping: self.known[mapping], default=None)
        return None if mapping is None else encode(mapping, self.ground)

    @abstractmethod
    def vectors(self) -> Sequence[Floats]:
        """What to try next."""

    @abstractmethod
    def begin(self, vectors: Sequence[Floats], losses: Sequence[float]) -> None:
        """Vectors of mappings that were known before, and their losses."""

    @abstractmethod
    def hear(self, vectors: Sequence[Floats], losses: Sequence[float]) -> None:
        """What became of vectors."""
