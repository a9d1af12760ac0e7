"""What a search technique is: it proposes mappings, and is told what became of them.

class Shrinking:
    \"\"\"Random mappings, and from the tenth on neighbours of the best.\"\"\"

    def __init__(self, ground: Ground, random: np.random.Generator, budget: int) -> None: ...
    def ask(self) -> Sequence[Mapping]: ...
    def tell(self, trials: Sequence[Trial]) -> None: ...
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from typing import NamedTuple, Protocol

import numpy as np

from maerisim.mapping.mapping import Mapping
from mapper.searching.ground import Ground


class Scored(NamedTuple):
    """What a mapping costs: the ``score`` is to be made small, and infinite where a mapping cannot run."""

    score: float
    cycles: float
    energy: float


class Trial(NamedTuple):
    """A mapping that was tried, and what it costs."""

    mapping: Mapping
    cost: Scored

    @property
    def legal(self) -> bool:
        """Whether the mapping can run."""
        return isfinite(self.cost.score)

    @property
    def score(self) -> float:
        """What is to be made small."""
        return self.cost.score


class Technique(Protocol):
    """A search. All that it does at random comes from the generator that it is given, so that a seed is a search.

    It counts nothing: every mapping that it proposes is one sample of its budget, legal or not, new or not.
    """

    def ask(self) -> Sequence[Mapping]:
        """The next mappings to try, as many as it likes; none when it has nothing left to propose."""
        ...

    def tell(self, trials: Sequence[Trial]) -> None:
        """What became of the mappings asked for, in their order, fewer where the budget ended.

        Before the first ``ask`` come mappings that were known before, if there are any (a warm start).
        """
        ...


Maker = Callable[[Ground, np.random.Generator, int], Technique]
"""Begins a search of a ground with a budget of so many samples."""
