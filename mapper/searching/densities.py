"""Mappings for layers whose sparsity is not known yet: scored at several densities of their weights, with real zeros.

A mapping of a sparse layer says how many nonzero weights of a filter a virtual neuron has at most; where a layer has fewer, its
virtual neurons are smaller (:func:`at`). So one mapping runs at every density.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import exp, log

from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.mapping.sparse_rounds import nonzeros
from maerisim.ways.way import simulate, violations
from maerisim.workload.problem import Problem
from maerisim.workload.sparsity import Sparsity
from mapper.searching.ground import Ground
from mapper.searching.protocol import Scored
from mapper.searching.scoring import IMPOSSIBLE
from mapper.sparse import sampled

DENSITIES = (1.0, 0.8, 0.5, 0.2, 0.1)
"""At which a mapping is scored unless others are given. All count alike: see :class:`AtDensities`."""
ROUNDS = 1
"""Sets of filters of which a search looks at the program, at each density."""


def sparse(problem: Problem, density: float, seed: int = 0) -> Problem:
    """The layer with zeros drawn at a density; at 1.0 too its mappings are those of a sparse layer."""
    return replace(problem, sparsity=Sparsity(density=density, seed=seed))


def at(problem: Problem, mapping: Mapping) -> Mapping:
    """The mapping as a sparse layer takes it: no virtual neuron has more weights than the largest filter has."""
    n, g, k, c, r, s, p, q = mapping.tile
    return replace(mapping, tile=(n, g, k, min(c, max(nonzeros(problem).values())), r, s, p, q))


@dataclass(frozen=True)
class AtDensities:
    """Scores mappings over a set of densities: the geometric mean of the cycles at each.

    So a mapping that takes 1 % more cycles at one density loses as much as at any other, though a dense layer takes ten times the
    cycles of one with a tenth of the weights; a sum, which the study takes, would hear of the dense ones only.
    """

    problem: Problem
    hardware: Hardware
    densities: tuple[float, ...] = DENSITIES
    seed: int = 0

    @cached_property
    def ground(self) -> Ground:
        """What is searched: the mappings of the densest layer."""
        return Ground(sparse(self.problem, max(self.densities), self.seed), self.hardware)

    def __call__(self, mappings: Sequence[Mapping]) -> list[Scored]:
        """What mappings cost; one that cannot run at some density is of no use."""
        return [self._cost(mapping) for mapping in mappings]

    def _cost(self, mapping: Mapping) -> Scored:
        logs, energies = 0.0, 0.0
        for density in self.densities:
            problem = sparse(self.problem, density, self.seed)
            here = at(problem, mapping)
            if violations(problem, here, self.hardware):
                return IMPOSSIBLE
            expected, times = sampled(problem, here, self.hardware, ROUNDS)
            logs += log(expected.cycles * times) / len(self.densities)
            energies += expected.counters.energy(self.hardware.energy) * times / len(self.densities)
        return Scored(exp(logs), exp(logs), energies)


def simulated_cycles(
    problem: Problem, mapping: Mapping, hardware: Hardware, density: float, seeds: Sequence[int]
) -> float | None:
    """The mean of the cycles over several patterns of zeros, every cycle simulated; None where the mapping cannot run."""
    cycles = []
    for seed in seeds:
        layer = sparse(problem, density, seed)
        here = at(layer, mapping)
        if violations(layer, here, hardware):
            return None
        cycles.append(simulate(layer, here, hardware).cycles)
    return sum(cycles) / len(cycles)
