"""What rules of thumb and mRNA propose, one mapping after the other: they learn nothing from what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from maerisim.errors import MappingError
from maerisim.mapping.mapping import Mapping
from mapper.references.heuristic import ORDERS, PLACEMENTS, tiles
from mapper.references.mrna import mrna
from mapper.searching.ground import Ground
from mapper.searching.protocol import Trial

BATCH = 100


class Rules:
    """The rules of thumb of :mod:`mapper.references.heuristic`: tiles with few control steps first, each with every order that is
    known to reuse something.
    """

    def __init__(self, ground: Ground, _random: np.random.Generator, _budget: int) -> None:
        self.mappings = iter(()) if ground.sparse else _by_rules(ground)

    def ask(self) -> Sequence[Mapping]:
        """The next of them."""
        return list(islice(self.mappings, BATCH))

    def tell(self, _trials: Sequence[Trial]) -> None:
        """Nothing."""


class Mrna:
    """The one mapping that mRNA's own estimate finds best; none where mRNA has none."""

    def __init__(self, ground: Ground, _random: np.random.Generator, _budget: int) -> None:
        self.ground, self.asked = ground, False

    def ask(self) -> Sequence[Mapping]:
        """The mapping, once."""
        if self.asked:
            return ()
        self.asked = True
        try:
            return [mrna(self.ground.problem, self.ground.hardware)]
        except MappingError:
            return ()

    def tell(self, _trials: Sequence[Trial]) -> None:
        """Nothing."""


def _by_rules(ground: Ground) -> Iterator[Mapping]:
    for tile in tiles(ground.problem, ground.hardware):
        for order in ORDERS:
            for placement in PLACEMENTS:
                yield ground.made(tile, order, placement)
