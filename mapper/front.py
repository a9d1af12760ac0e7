"""The mappings of a layer that trade cycles for energy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from maerisim.analytic.ranking import rank
from maerisim.errors import NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.constraints import Constraint
from maerisim.ways.way import simulate, way_of
from maerisim.workload.problem import Problem
from mapper.choice import Choice, pace
from mapper.space import nothing_fits, space_of

ROUNDING = 1e-12
"""Energies that differ by a smaller share are equal: a ranking adds up the same terms in another order."""


@dataclass(frozen=True)
class FrontPoint:
    """A mapping on the front of cycles and energy; ``cycles`` are simulated."""

    choice: Choice
    cycles: int
    energy: float


def find_front(problem: Problem, hardware: Hardware, *, constraints: Sequence[Constraint] = ()) -> list[FrontPoint]:
    """The mappings of which no other takes both fewer cycles and less energy, the fastest first.

    The front is complete by estimate: each point has the fewest estimated cycles of all mappings of less energy than the
    point before. Points are simulated, and left out when another one turns out to be as fast for less energy. Raises what
    ``find_mapping`` raises; NotSupportedError also for sparse layers and lock-step controllers, which have no front.
    """
    if way_of(problem, hardware).space != "tiles_and_orders":
        raise NotSupportedError(
            "a front of cycles and energy is supported for dense layers on decoupled controllers only, without limits of "
            "global buffer and DRAM"
        )
    space = space_of(problem, hardware, constraints)
    points: list[FrontPoint] = []
    energy = inf
    while True:
        ranking = rank(
            problem, hardware, space.tiles, orders=space.orders, placements=space.placements, energy_below=energy
        )
        if not ranking.best:
            break
        found = ranking.best[0]
        of_point = found.estimate.counters.energy(hardware.energy)
        energy = of_point * (1 - ROUNDING)
        cycles = simulate(problem, found.mapping, hardware).cycles
        reason = f"{pace(found.estimate, hardware)}; fastest of all mappings of less energy than the one before"
        points.append(FrontPoint(Choice(found.mapping, found.estimate, ranking.estimated, reason), cycles, of_point))
    if not points:
        raise nothing_fits(space, hardware)
    return [
        point for place, point in enumerate(points) if all(point.cycles < other.cycles for other in points[place + 1 :])
    ]
