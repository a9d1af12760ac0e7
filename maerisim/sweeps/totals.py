"""What a sweep found for each network at each point: its layers' results, each times its count."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from maerisim.analytic.objective import Objective, score
from maerisim.sweeps.grid import GridPoint
from maerisim.sweeps.plan import SweepEntry, SweepPlan
from maerisim.sweeps.work import Measured, Outcome


@dataclass(frozen=True)
class Total:
    """A network at a point. The numbers are None until every layer has a result."""

    network: str
    point: GridPoint
    layers: tuple[tuple[SweepEntry, Outcome | None], ...]

    @property
    def missing(self) -> int:
        """Layers that have not run yet."""
        return sum(outcome is None for _, outcome in self.layers)

    @property
    def failed(self) -> int:
        """Layers that ran and failed."""
        return sum(outcome is not None and outcome.measured is None for _, outcome in self.layers)

    def _sum(self, quantity: Callable[[Measured], float]) -> float | None:
        measured = [(outcome.measured if outcome else None, entry.layer.count) for entry, outcome in self.layers]
        known = [quantity(result) * count for result, count in measured if result is not None]
        return math.fsum(known) if len(known) == len(measured) else None

    @property
    def cycles(self) -> int | None:
        """Simulated cycles."""
        cycles = self._sum(lambda result: result.cycles)
        return None if cycles is None else round(cycles)

    @property
    def error(self) -> float | None:
        """(estimated - simulated) / simulated cycles, where errors of opposite sign cancel."""
        cycles, estimated = self.cycles, self._sum(lambda result: result.estimated_cycles)
        return None if cycles is None or estimated is None else (estimated - cycles) / cycles

    @property
    def energy(self) -> float | None:
        """Energy in the unit of the hardware's table."""
        return self._sum(lambda result: result.energy)

    @property
    def utilization(self) -> float | None:
        """Multiplications, and inputs that poolings pass on, over multiplier cycles."""
        cycles = self.cycles
        operations = self._sum(lambda result: result.counters["multiplications"] + result.counters["passes"])
        if cycles is None or operations is None:
            return None
        return operations / (cycles * self.point.hardware.multipliers)

    def score(self, objective: Objective) -> float | None:
        """What the sweep wants small: cycles, energy, or their product."""
        cycles, energy = self.cycles, self.energy
        if cycles is None or energy is None:
            return None
        return score(objective, cycles, energy)[0]


def totals(plan: SweepPlan, outcomes: Mapping[str, Outcome]) -> list[Total]:
    """Every network at every point, in the plan's order."""
    grouped = itertools.groupby(plan.entries, key=lambda entry: (entry.network, str(entry.point)))
    found = []
    for (network, _), entries in grouped:
        layers = tuple((entry, outcomes.get(entry.task.key)) for entry in entries)
        found.append(Total(network, layers[0][0].point, layers))
    return found


def best(found: Sequence[Total], objective: Objective) -> dict[str, Total]:
    """The point with the smallest score for each network that has one; of equal ones the first in the grid."""
    winners: dict[str, Total] = {}
    for total in found:
        scored, least = total.score(objective), winners.get(total.network)
        if scored is not None and (least is None or scored < (least.score(objective) or math.inf)):
            winners[total.network] = total
    return winners
