"""Mappings for layers whose sparsity is not known yet: scored at several densities of their weights, with real zeros.

A mapping of a sparse layer says how many nonzero weights of a filter a virtual neuron has at most; where a layer has fewer, its
virtual neurons are smaller (:func:`at`). So one mapping runs at every density.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
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
ROUNDS = 2
"""Sets of filters of which a search looks at the program, at each density. Of one estimates are off by 11 % on average where
weights are few, of two by 7 %, of three by 8 %."""


def sparse(problem: Problem, density: float, seed: int = 0) -> Problem:
    """The layer with zeros drawn at a density; at 1.0 too its mappings are those of a sparse layer."""
    return replace(problem, sparsity=Sparsity(density=density, seed=seed))


def at(problem: Problem, mapping: Mapping) -> Mapping:
    """The mapping as a sparse layer takes it: no virtual neuron has more weights than the largest filter has.

    Loops that do not turn and dimensions that the tile has one of come first, in a fixed order, so that mappings of which nothing
    else differs are one: a search estimates a sixth less.
    """
    n, g, k, c, r, s, p, q = mapping.tile
    most = max(nonzeros(problem).values())
    here = replace(mapping, tile=(n, g, k, min(c, most), r, s, p, q))
    sizes = {"N": problem.N, "P": problem.P, "Q": problem.Q, "C": most}
    turning = [d for d in mapping.order if d in sizes and here.tile_of(d) < sizes[d]]
    still = [d for d in ("G", "K", *"NCRSPQ") if d not in turning]
    several = [d for d in mapping.placement if here.tile_of(d) > 1]
    single = sorted(d for d in mapping.placement if d not in several)
    return replace(here, order=(*still, *turning), placement=(*single, *several))


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
    known: dict[tuple[float, Mapping], tuple[float, float] | None] = field(default_factory=dict, compare=False)

    @cached_property
    def ground(self) -> Ground:
        """What is searched: the mappings of the densest layer."""
        return Ground(sparse(self.problem, max(self.densities), self.seed), self.hardware)

    def over(self, densities: Sequence[float]) -> AtDensities:
        """Scores over other densities; the two share what they know."""
        return replace(self, densities=tuple(densities))

    def __call__(self, mappings: Sequence[Mapping]) -> list[Scored]:
        """What mappings cost; one that cannot run at some density is of no use."""
        return [self._cost(mapping) for mapping in mappings]

    def _cost(self, mapping: Mapping) -> Scored:
        logs, energies = 0.0, 0.0
        for density in self.densities:
            expected = self.expected(mapping, density)
            if expected is None:
                return IMPOSSIBLE
            cycles, energy = expected
            logs += log(cycles) / len(self.densities)
            energies += energy / len(self.densities)
        return Scored(exp(logs), exp(logs), energies)

    def expected(self, mapping: Mapping, density: float) -> tuple[float, float] | None:
        """Estimated cycles and energy at a density; None where the mapping cannot run."""
        problem = sparse(self.problem, density, self.seed)
        here = at(problem, mapping)
        if (density, here) not in self.known:
            found = None
            if not violations(problem, here, self.hardware):
                estimate, times = sampled(problem, here, self.hardware, ROUNDS)
                found = estimate.cycles * times, estimate.counters.energy(self.hardware.energy) * times
            self.known[density, here] = found
        return self.known[density, here]


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
