"""Search the space of mappings to proof: all of them by the analytic model with bounds, then the best by simulation.

The score of a mapping in simulation is at least what its busiest resource costs, and at least its estimate less the
published error of estimates. The mappings of the least estimates are simulated, until none of the others can be better
by more than a tolerance. Loop orders that reuse the same are one mapping here, as they are for the estimate.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from math import inf

from maerisim.analytic.accuracy import largest_overestimate
from maerisim.analytic.certificate import Certificate
from maerisim.analytic.objective import Objective, score
from maerisim.analytic.ranking import Ranked, Ranking, rank
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import simulate
from mapper.choice import Choice, pace
from mapper.space import Space, nothing_fits

LISTED = 64
"""Mappings of the least estimates that are looked at one by one; more of them as long as a search goes on."""
MOST_LISTED = 1 << 14
STEPPED_CYCLES = 1_000_000
"""Estimated cycles beyond which nothing is simulated where most cycles may have to be stepped."""


@dataclass(frozen=True)
class Effort:
    """How far a search goes.

    It ends when no other mapping can be better by more than ``tolerance``, after ``simulations``, or after ``seconds``
    (None: no limit), whichever comes first.
    """

    tolerance: float = 0.001
    simulations: int | None = 128
    seconds: float | None = None


PROOF = Effort(tolerance=0.0, simulations=None)
"""Until no other mapping can be better."""


def best(space: Space, hardware: Hardware, objective: Objective, effort: Effort) -> Choice:
    """The best mapping of a space in simulation. Raises MappingError when no loop order fits any of its tiles."""
    found = _Search(space, hardware, objective, effort).run()
    if found is None:
        raise nothing_fits(space, hardware)
    return found


class _Search:
    """One search: what is ranked, what has been simulated, and the best of it."""

    def __init__(self, space: Space, hardware: Hardware, objective: Objective, effort: Effort) -> None:
        self.problem, self.space, self.hardware = space.problem, space, hardware
        self.objective, self.effort = objective, effort
        self.until = None if effort.seconds is None else time.monotonic() + effort.seconds
        self.error = largest_overestimate(hardware)
        self.scores: dict[Mapping, tuple[float, float]] = {}
        self.best: Ranked | None = None

    def run(self) -> Choice | None:
        first = self.rank(1)
        if not first.best:
            return None
        self.best = first.best[0]
        if self.objective == "energy":  # which is exact
            gap = _gap(self.best.score, first.unseen_score)
            return self.found(first, gap, gap)
        certain = self.certain_score()
        if not self.can_simulate(self.best):
            reached = score(self.objective, self.best.estimate.cycles, self.energy(self.best))[0]
            least = min(max(certain, self.best.score * (1 - self.error)), first.unseen_score)
            return self.found(first, _gap(reached, least), _gap(reached, certain))
        self.simulate(self.best)
        gap, listing, listed = _gap(self.reached, certain), first, 1
        while gap > self.effort.tolerance and not self.is_spent() and listed < MOST_LISTED:
            listed = LISTED if listed == 1 else 4 * listed
            listing = self.rank(listed)
            gap = self.narrow(listing, listed, certain)
            if len(listing.best) < listed:
                break
        return self.found(listing, gap, _gap(self.reached, certain))

    def narrow(self, listing: Ranking, listed: int, certain: float) -> float:
        """Simulate the mappings of a list in turn until the gap to all others is small enough; return that gap."""
        rest = inf if len(listing.best) < listed else max(certain, listing.best[-1].score * (1 - self.error))
        rest = min(rest, listing.unseen_score)
        bounds = [self.least(each) for each in listing.best]
        place = 0
        while True:
            open_bounds = [
                bound
                for bound, each in zip(bounds, listing.best, strict=True)
                if each.mapping not in self.scores and bound < self.reached
            ]
            gap = _gap(self.reached, min([*open_bounds, rest]))
            if gap <= self.effort.tolerance or not open_bounds or self.is_spent():
                return gap
            while listing.best[place].mapping in self.scores or bounds[place] >= self.reached:
                place += 1
            self.simulate(listing.best[place])

    def rank(self, count: int, *, certain: bool = False) -> Ranking:
        return rank(
            self.problem, self.hardware, self.space.tiles, self.objective, count,
            orders=self.space.orders, placements=self.space.placements, alike=count > 1, certain=certain, until=self.until,
        )  # fmt: skip

    def certain_score(self) -> float:
        """No mapping scores less, whatever is thought of the estimate."""
        ranking = self.rank(1, certain=True)
        if not ranking.best:
            return 0.0
        return min(ranking.best[0].score, ranking.unseen_score)

    def least(self, ranked: Ranked) -> float:
        """What the mapping scores at least in simulation."""
        cycles = max(ranked.estimate.least_cycles, ranked.estimate.cycles * (1 - self.error))
        return score(self.objective, cycles, self.energy(ranked))[0]

    def energy(self, ranked: Ranked) -> float:
        return ranked.estimate.counters.energy(self.hardware.energy)

    def can_simulate(self, ranked: Ranked) -> bool:
        """Whether that takes little time.

        Where partial sums return and the controller waits for outputs, virtual neurons that share a port drift against
        one another, and few of their cycles recur.
        """
        waits = self.hardware.controller.wait_for_outputs and ranked.mapping.spills(self.problem, self.hardware)
        return not waits or ranked.estimate.cycles <= STEPPED_CYCLES

    def simulate(self, ranked: Ranked) -> None:
        cycles = simulate(self.problem, ranked.mapping, self.hardware).cycles
        self.scores[ranked.mapping] = score(self.objective, cycles, self.energy(ranked))
        assert self.best is not None
        if self.scores[ranked.mapping] < self.scores[self.best.mapping]:
            self.best = ranked

    @property
    def reached(self) -> float:
        assert self.best is not None
        return self.scores[self.best.mapping][0]

    def is_spent(self) -> bool:
        if self.until is not None and time.monotonic() >= self.until:
            return True
        return self.effort.simulations is not None and len(self.scores) >= self.effort.simulations

    def found(self, ranking: Ranking, gap: float, certain_gap: float) -> Choice:
        assert self.best is not None
        account = Certificate(
            objective=self.objective,
            tiles=len(self.space.tiles),
            mappings=self.space.mappings,
            dismissed_tiles=ranking.dismissed_tiles,
            dismissed_by_traffic=ranking.dismissed_by_traffic,
            dismissed_by_placement=ranking.dismissed_by_placement,
            estimated=ranking.estimated,
            unseen_tiles=ranking.unseen_tiles,
            simulated=len(self.scores),
            gap=gap,
            certain_gap=certain_gap,
        )
        found = self.best
        reason = f"{pace(found.estimate, self.hardware)}; {account}"
        return Choice(found.mapping, found.estimate, ranking.estimated, reason, account)


def _gap(reached: float, least: float) -> float:
    """By what share of ``reached`` something that scores at least ``least`` is better; 0 when it is not."""
    return max(0.0, 1 - least / reached)
