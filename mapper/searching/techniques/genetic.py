"""A genetic search whose genes are a mapping's own: after Gamma (Kao and Krishna, ICCAD 2020).

A level of Gamma's hierarchy has factors, an order and a set of parallel dimensions; the array of MAERI is one level, so that
growth and ageing, which add and remove levels there, add and remove dimensions that are spread over the array here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maerisim.errors import MappingError, NotSupportedError
from maerisim.mapping.mapping import Mapping
from mapper.references.stationary import input_stationary, output_stationary, row_stationary, weight_stationary
from mapper.searching import moves
from mapper.searching.ground import Ground
from mapper.searching.protocol import Trial


@dataclass(frozen=True)
class Habits:
    """How often what happens to a child, and of whom a generation is made; shares and probabilities are Gamma's."""

    most: int = 100
    generations: int = 20
    elites: float = 0.05
    parents: float = 0.5
    newcomers: float = 0.1
    by_default: float = 0.5
    crossover: float = 0.5
    loops: float = 0.1
    parallelism: float = 0.1
    tiles: float = 0.5
    redrawn: float = 1.0

    @classmethod
    def without_crossover(cls) -> Habits:
        """Children of one parent."""
        return cls(crossover=0.0)

    @classmethod
    def without_mutation(cls) -> Habits:
        """Children have nothing that neither parent has."""
        return cls(loops=0.0, parallelism=0.0, tiles=0.0, redrawn=0.0)


class Genetic:
    """The search; its population is a twentieth of the budget, at most 100 (and at least 10)."""

    def __init__(self, ground: Ground, random: np.random.Generator, budget: int, habits: Habits | None = None) -> None:
        self.ground, self.random = ground, random
        self.habits = Habits() if habits is None else habits
        self.size = min(self.habits.most, max(10, budget // self.habits.generations))
        self.population: list[Trial] = []
        self.generation = 0

    def ask(self) -> Sequence[Mapping]:
        """The next generation without its elites, which are known."""
        self.generation += 1
        if self.generation == 1:
            return self.first()
        ranked = in_order(self.population)
        elites = ranked[: max(1, round(self.habits.elites * self.size))]
        parents = [trial.mapping for trial in ranked[: max(2, round(self.habits.parents * self.size))]]
        self.population = elites
        count = self.size - len(elites)
        strangers = round(self.habits.newcomers * self.size)
        children = [self.child(parents) for _ in range(count - strangers)]
        return children + [self.ground.drawn(self.random) for _ in range(strangers)]

    def tell(self, trials: Sequence[Trial]) -> None:
        """They join the population, each mapping once."""
        known = {trial.mapping: trial for trial in (*self.population, *trials) if trial.legal}
        self.population = list(known.values())

    def first(self) -> Sequence[Mapping]:
        """Half of them children of plain dataflows and of what was known before, the others at random."""
        count = max(1, self.size - len(self.population))
        defaults = [trial.mapping for trial in self.population] or dataflows(self.ground)
        usual = round(self.habits.by_default * count) if defaults else 0
        made = defaults[:usual] if not self.population else []
        while len(made) < usual:
            made.append(self.mutated(defaults[self.random.integers(len(defaults))]))
        return made + [self.ground.drawn(self.random) for _ in range(count - usual)]

    def child(self, parents: Sequence[Mapping]) -> Mapping:
        """Of two parents or one, changed."""
        one, other = (parents[int(place)] for place in self.random.integers(len(parents), size=2))
        crossover = self.habits.crossover and (1.0 if self.generation == 2 else self.habits.crossover)
        if self.random.random() < crossover:
            one = self.crossed(one, other)
        return self.mutated(one)

    def crossed(self, one: Mapping, other: Mapping) -> Mapping:
        """The first with one axis of the second: the size of a dimension, the order, or the placement."""
        axis = self.random.integers(3)
        if axis == 0:
            d = self.random.integers(len(one.tile))
            tile = [*one.tile[:d], other.tile[d], *one.tile[d + 1 :]]
            return self.ground.made(tile, one.order, one.placement)
        if axis == 1:
            return self.ground.made(one.tile, other.order, one.placement)
        return self.ground.made(one.tile, one.order, other.placement)

    def mutated(self, mapping: Mapping) -> Mapping:
        """The mapping after the changes that chance has for it."""
        habits, ground, random = self.habits, self.ground, self.random
        for share, move in (
            (habits.redrawn, moves.redraw),
            (habits.tiles, moves.swap_tiles),
            (habits.parallelism, moves.grow_or_age),
            (habits.parallelism, moves.swap_placed),
            (habits.loops, moves.swap_loops),
        ):
            if random.random() < share:
                mapping = move(mapping, ground, random)
        return mapping


def dataflows(ground: Ground) -> list[Mapping]:
    """Plain dataflows that the layer has a mapping for."""
    found = []
    for dataflow in (weight_stationary, output_stationary, input_stationary, row_stationary):
        try:
            mapping = dataflow(ground.problem, ground.hardware)
        except (MappingError, NotSupportedError):
            continue
        found.append(ground.made(mapping.tile, mapping.order, mapping.placement))
    return found


def in_order(trials: Sequence[Trial]) -> list[Trial]:
    """By Pareto rank in cycles and energy, and of equal rank by score."""
    left, ranked = sorted(trials, key=lambda trial: (trial.cost.cycles, trial.cost.energy)), []
    while left:
        front: list[Trial] = []
        rest: list[Trial] = []
        least = np.inf
        for trial in left:
            (front if trial.cost.energy < least else rest).append(trial)
            least = min(least, trial.cost.energy)
        ranked += sorted(front, key=lambda trial: trial.score)
        left = rest
    return ranked
