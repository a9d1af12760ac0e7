"""What a mapping costs, for many mappings at once: in closed form, by the timed estimate, or simulated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Literal

import numpy as np

from maerisim.analytic.objective import Objective, score
from maerisim.analytic.predicted import least_cycles, prices
from maerisim.analytic.ranking import estimate_rows, numbers_of, rank
from maerisim.errors import NotSupportedError
from maerisim.kernels.estimating import entries
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import simulate
from mapper.searching.ground import Ground
from mapper.searching.protocol import Scored

CostKind = Literal["closed_form", "estimate", "simulate"]
"""The cycles in which the busiest resource has work (microseconds a mapping), the whole estimate, in which control steps are
timed (milliseconds, of bad mappings seconds), or the cycles of a simulation."""
Scorer = Callable[[Sequence[Mapping]], list[Scored]]
"""What legal mappings cost."""

IMPOSSIBLE = Scored(inf, inf, inf)


def scorer_of(ground: Ground, objective: Objective, kind: CostKind = "closed_form") -> Scorer:
    """The function that says what mappings of a dense layer cost. Raises NotSupportedError for sparse layers, see
    :mod:`mapper.searching.densities`.
    """
    if ground.sparse:
        raise NotSupportedError("a sparse layer has no closed form: its mappings are scored at several densities")
    if kind == "simulate":
        return lambda mappings: [_simulated(ground, objective, mapping) for mapping in mappings]
    return lambda mappings: _estimated(ground, objective, mappings, timed=kind == "estimate")


def _estimated(ground: Ground, objective: Objective, mappings: Sequence[Mapping], *, timed: bool) -> list[Scored]:
    if not mappings:
        return []
    costs = estimate_rows(
        ground.problem,
        np.array([mapping.tile for mapping in mappings], np.int32),
        numbers_of([mapping.order for mapping in mappings]),
        numbers_of([mapping.placement for mapping in mappings]),
        ground.hardware,
        timed=timed,
    )
    cycles = costs[:, entries.CYCLES] if timed else least_cycles(costs)
    energy = costs @ prices(ground.hardware.energy)
    return [
        Scored(score(objective, c, e)[0], c, e) if c > 0 else IMPOSSIBLE
        for c, e in zip(cycles.tolist(), energy.tolist(), strict=True)
    ]


def _simulated(ground: Ground, objective: Objective, mapping: Mapping) -> Scored:
    result = simulate(ground.problem, mapping, ground.hardware)
    energy = result.counters.energy(ground.hardware.energy)
    return Scored(score(objective, result.cycles, energy)[0], result.cycles, energy)


def optimum(ground: Ground, objective: Objective, kind: CostKind = "closed_form") -> tuple[Mapping, float]:
    """The mapping that no other of the space costs less than, and its score: the referee.

    In closed form it is exact over all tiles, orders and placements. By ``estimate`` it is over the orders that reuse something
    else, one of each kind, so that a search may find one that is better by a hair.
    """
    best = rank(ground.problem, ground.hardware, ground.space.tiles, objective, certain=kind == "closed_form").best[0]
    return best.mapping, best.score
