"""Explain a choice: simulate the best mappings that were rejected, and those one step away in each dimension."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from maerisim.analytic.explanation import Alternative, Cost, Explanation
from maerisim.analytic.objective import Objective, score
from maerisim.analytic.ranking import rank
from maerisim.errors import NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.constraints import Constraint
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import simulate, violations, way_of
from maerisim.workload.problem import DIMENSIONS, Problem
from mapper.choice import Choice
from mapper.nests import of_loops
from mapper.space import space_of

REJECTED = 5
"""So many of the mappings that were not chosen are shown, one of those that cost the same in all."""


def explain_choice(
    problem: Problem,
    hardware: Hardware,
    choice: Choice,
    objective: Objective = "cycles",
    *,
    constraints: Sequence[Constraint] = (),
) -> Explanation:
    """Why the mapper chose this mapping. Raises NotSupportedError where it does not search all tiles and loop orders."""
    if choice.certificate is None or way_of(problem, hardware).space != "tiles_and_orders":
        msg = f"only a search of all tiles and loop orders is explained, not that of this layer on {hardware.name}"
        raise NotSupportedError(msg)
    space = space_of(problem, hardware, constraints)
    listed = rank(
        problem, hardware, space.tiles, objective, REJECTED + 1, orders=space.orders, placements=space.placements
    )
    others = dict.fromkeys([each.mapping for each in listed.best] + list(choice.runners_up))
    others.pop(choice.mapping, None)
    chosen = _cost(problem, choice.mapping, hardware)
    rejected: dict[Cost, Alternative] = {}
    for mapping in others:
        cost = _cost(problem, mapping, hardware)
        if cost != chosen:
            rejected.setdefault(cost, Alternative("", mapping, cost))

    def in_order(each: Alternative) -> tuple[float, float]:
        assert each.cost is not None
        return score(objective, each.cost.cycles, each.cost.energy)

    return Explanation(
        closed_by=choice.certificate.closed_by,
        chosen=chosen,
        rejected=tuple(sorted(rejected.values(), key=in_order)[:REJECTED]),
        neighbours=tuple(
            _alternative(problem, hardware, change, mapping) for change, mapping in neighbours(problem, choice.mapping)
        ),
    )


def neighbours(problem: Problem, mapping: Mapping) -> Iterator[tuple[str, Mapping]]:
    """The mappings one step away, legal or not, and what differs: a tile halved or doubled, a loop over blocks less."""
    for d, size in zip(DIMENSIONS, problem.dims, strict=True):
        tile = mapping.tile_of(d)
        for word, other in (("halved", tile // 2), ("doubled", min(2 * tile, size))):
            if other not in (0, tile):
                yield f"tile of {d} {word}: {other}", _with_tile(mapping, d, other)
    for place, (d, step) in enumerate(mapping.loops):
        if d in mapping.order[place + 1 :]:
            loops = mapping.loops[:place] + mapping.loops[place + 1 :]
            yield f"without blocks {d}:{step}", of_loops(mapping.T, loops, mapping.placement)


def _with_tile(mapping: Mapping, dimension: str, tile: int) -> Mapping:
    """The mapping with another tile size, without the blocks that are no larger."""
    loops = [
        loop
        for place, loop in enumerate(mapping.loops)
        if loop.dimension != dimension or loop.step > tile or dimension not in mapping.order[place + 1 :]
    ]
    return of_loops({**mapping.T, dimension: tile}, loops, mapping.placement)


def _alternative(problem: Problem, hardware: Hardware, change: str, mapping: Mapping) -> Alternative:
    """A mapping with what it takes, or why it cannot run."""
    violated = violations(problem, mapping, hardware)
    return Alternative(
        change, mapping, None if violated else _cost(problem, mapping, hardware), violated[0] if violated else ""
    )


def _cost(problem: Problem, mapping: Mapping, hardware: Hardware) -> Cost:
    result = simulate(problem, mapping, hardware)
    counters = result.counters
    return Cost(
        cycles=result.cycles,
        energy=counters.energy(hardware.energy),
        words=sum(counters.distributed.values()),
        utilization=counters.operations / (result.cycles * hardware.multipliers),
        port_stalls=counters.port_stalls,
    )
