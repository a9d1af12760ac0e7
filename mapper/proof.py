"""Search the space of mappings to proof: all of them by the analytic model with bounds, then the best by simulation.

Of mappings with one loop a dimension all are ranked. Their score in simulation is at least what their busiest resource costs,
and at least their estimate less the published error of estimates; those of the least estimates are simulated, until none
of the others can be better by more than a tolerance. Loop orders that reuse the same are one mapping here, as they are for
the estimate. Where a bound of all nests of loops promises something better, mappings with loops over blocks are made
(:mod:`mapper.nests`) and simulated too, of short layers also what lies near them, and the bound says how far the best is from any.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from heapq import heappop, heappush, nsmallest
from itertools import islice
from math import inf

import numpy as np

from maerisim.analytic.accuracy import largest_overestimate
from maerisim.analytic.bounds import bound
from maerisim.analytic.certificate import Certificate
from maerisim.analytic.objective import Objective, score
from maerisim.analytic.ranking import Floor, Ranked, Ranking, Rivals, floors, rank, rivals
from maerisim.hardware.hardware import Hardware
from maerisim.kernels.estimating.quantities import Tiles
from maerisim.mapping.legality import keeps_to_one_loop
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import estimate, simulate, violations
from maerisim.workload.problem import DIMENSIONS
from mapper import nests
from mapper.choice import Choice, Watch, pace
from mapper.space import Space, nothing_fits

LISTED = 64
"""Mappings of the least estimates that are looked at one by one; more of them as long as a search goes on."""
MOST_LISTED = 1 << 14
MOST_LISTED_OF_LONG, LONG = 64, 1_000_000
"""The same for a layer of so many cycles: to time its mappings takes long, and is worth less of them."""
STEPPED_CYCLES = 64_000_000
"""Estimated cycles of all simulations together where most cycles may have to be stepped; one is always made."""

REGISTERS_SIMULATED = 1 << 17
"""Pipeline registers of all simulations together, and of those of rivals: where latencies are long, each takes long to set up."""


WORK = 1_000_000_000
"""Takes some 10 to 30 seconds. With the ports and buses of shipped hardware a layer takes a fiftieth of it, with DRAM a tenth."""


@dataclass(frozen=True)
class Effort:
    """How far a search goes.

    It ends when no other mapping can be better by more than ``tolerance``, after ``simulations`` (fewer where a fabric has many
    pipeline registers), or after ``seconds`` (None: no limit), whichever comes first. Mappings are ranked for so much ``work``
    at the most (of a core: switches of placed tiles, and control steps of their sections; None: no limit). ``rivals``: so many more are
    simulated at the most, of those that may be better for all that is certain, fewer of long layers, and then neighbours of nests
    of short ones.
    """

    tolerance: float = 0.0005
    simulations: int | None = 64
    seconds: float | None = None
    rivals: int = 256
    work: int | None = WORK


SLACK_PER_TILE = 1e-10
"""A tile is left out that is no better than the best by more than this share times the tiles: of many, many come that close."""
NESTS_MADE, NESTS_JUDGED, NESTS_IN_VAIN = 16, 6, 2
"""So many mappings with loops over blocks are made at once, and those judged of which the fewest cycles are expected; until so
many times in a row none of them is better."""
STEPS_IN_VAIN = 64
"""Neighbours of nests that are simulated until so many in a row are no better."""
FAR = 4
"""Nests of which so many times the cycles of the best are expected are not simulated."""
NEAR = 0.0005
"""Floors that differ by less than this share are as good as equal."""
RUNNERS_UP = 5
"""So many of the mappings that were simulated and not chosen are told of, one of those that score the same."""
RIVALS_OF_LONG, SHORT = 16, 5_000
"""Rivals that are simulated of a layer of more than so many cycles, of which neighbours of nests are not."""

PROOF = Effort(tolerance=0.0, simulations=None, work=None)
"""Until no other mapping can be better."""


def best(space: Space, hardware: Hardware, objective: Objective, effort: Effort, watch: Watch | None = None) -> Choice:
    """The best mapping of a space in simulation; ``watch`` is told of the best so far.

    Raises MappingError when no loop order fits any of its tiles.
    """
    found = _Search(space, hardware, objective, effort, watch).run()
    if found is None:
        raise nothing_fits(space, hardware)
    return found


class _Search:
    """One search: what is ranked, what has been simulated, and the best of it."""

    def __init__(
        self, space: Space, hardware: Hardware, objective: Objective, effort: Effort, watch: Watch | None
    ) -> None:
        self.watch = watch
        self.problem, self.space, self.hardware = space.problem, space, hardware
        self.objective, self.effort = objective, effort
        most = REGISTERS_SIMULATED // max(1, _registers(hardware))
        self.simulations = None if effort.simulations is None else min(effort.simulations, max(1, most))
        self.until = None if effort.seconds is None else time.monotonic() + effort.seconds
        self.work = effort.work
        self.error = largest_overestimate(hardware)
        self.slack = 0.0 if objective == "energy" else SLACK_PER_TILE * len(space.tiles)
        self.scores: dict[Mapping, tuple[float, float]] = {}
        self.best: Ranked | None = None
        self.left_out = 0
        self.with_blocks: set[Mapping] = set()
        self.rivals_left = effort.rivals if effort.simulations is None else min(effort.rivals, most)
        self.least_of_nests: float | None = None

    def run(self) -> Choice | None:
        first = self.rank(1)
        if not first.best:
            return None
        self.best, self.listing = first.best[0], first
        if self.objective == "energy":  # which is exact
            self.scores[self.best.mapping] = (self.best.score, self.best.estimate.cycles)
            self.certain = min(self.best.score, first.unseen_score)
            self.try_nests(self.floors(self.reached))
            gap = _gap(self.reached, self.certain)
            return self.found(first, gap, gap)
        if self.simulations is not None and self.hardly_recurs(self.best):
            self.simulations = min(self.simulations, max(1, STEPPED_CYCLES // self.best.estimate.cycles))
        self.certain = float(bound(self.problem, self.hardware)) if self.objective == "cycles" else 0.0
        if self.best.mapping.spills(self.problem, self.hardware):
            self.try_nests_first(self.best)
        if self.best.mapping not in self.scores:
            self.simulate(self.best)
        self.tell()
        promising = self.floors(self.reached)
        tiles = np.array([floor.tile for floor in promising], np.int32).reshape(-1, len(DIMENSIONS))
        # Floors are of all nests, so that they are certain of mappings with one loop a dimension, too.
        self.certain = promising[0].score if promising else self.reached
        self.try_nests(promising)
        self.certain = certain = self.face_rivals(promising)
        gap, listing, listed = _gap(self.reached, certain), first, 1
        most = MOST_LISTED_OF_LONG if self.best.estimate.cycles > LONG else MOST_LISTED
        while gap > self.effort.tolerance and not self.is_spent() and self.work != 0 and listed < most:
            listed = LISTED if listed == 1 else 4 * listed
            self.listing = listing = self.rank(listed, tiles)
            self.left_out = len(self.space.tiles) - len(tiles)
            gap = self.narrow(listing, listed, certain)
            if len(listing.best) < listed:
                break
        least = self.reached * (1 - gap)
        self.step_from_nests(promising)
        return self.found(listing, _gap(self.reached, least), _gap(self.reached, certain))

    def try_nests_first(self, expected: Ranked) -> None:
        """Look for nests that are better than is expected of a mapping whose partial sums return, which takes long to simulate."""
        self.scores[expected.mapping] = score(self.objective, expected.estimate.cycles, self.energy(expected))
        self.try_nests(self.floors(self.reached))
        del self.scores[expected.mapping]

    def try_nests(self, promising: list[Floor]) -> None:
        """Judge mappings with loops over blocks where the bound of all nests lies below the best so far."""
        if (
            self.space.orders is not None
            or keeps_to_one_loop(self.hardware)
            or self.hardware.controller.holds_ports_back
        ):
            return
        before = self.reached
        least = promising[0].score if promising else before
        # Of floors that are as good as equal those come first that take least energy to reach: blocks are large there.
        frugal_first = sorted(promising, key=lambda floor: (_gap(floor.score, least) // NEAR, floor.energy))
        made = nests.nests(
            self.problem, self.hardware, frugal_first, self.objective, self.space.blocks, self.space.placements
        )
        self.least_of_nests = least
        in_vain = 0
        while _gap(self.reached, least) > self.effort.tolerance and in_vain < NESTS_IN_VAIN and not self.is_spent():
            some = sorted(islice(made, NESTS_MADE), key=lambda nest: nest.cycles)
            self.with_blocks.update(nest.mapping for nest in some)
            better = False
            for nest in some[:NESTS_JUDGED]:
                near = _gap(self.reached, least) <= self.effort.tolerance
                if self.is_spent() or (near and not (self.objective == "cycles" and nest.cycles < self.reached)):
                    break
                better |= self.judge(nest.mapping)
                self.tell()
            in_vain = 0 if better else in_vain + 1
            if len(some) < NESTS_MADE:
                break

    def step_from_nests(self, promising: list[Floor]) -> None:
        """Walk from nest to neighbouring nest, the best first, while a floor lies below it; where a simulation takes little time.

        Of a few cycles those matter that no floor tells apart: at the start, at the end, where loops turn.
        """
        assert self.best is not None
        if not self.nest_gap or self.best.estimate.cycles > SHORT:
            return
        floor = {each.tile: each.score for each in promising}
        tiles = (np.array([tile], np.int32) for tile in list(floor)[:NESTS_MADE])
        nearby = iter([*self.scores, *(ranked.mapping for tile in tiles for ranked in self.rank(1, tile).best)])
        waiting: list[tuple[tuple[float, float], int, Mapping]] = []
        seen: set[Mapping] = set()
        in_vain = 0
        while True:
            for mapping in nearby:
                if mapping in seen or floor.get(mapping.tile, inf) >= self.reached or not self.allows(mapping):
                    continue
                if self.is_far(mapping):
                    seen.add(mapping)
                    continue
                if (
                    self.is_late()
                    or not self.rivals_left
                    or in_vain == STEPS_IN_VAIN
                    or (self.nest_gap or 0.0) <= self.effort.tolerance
                ):
                    return
                seen.add(mapping)
                is_new = mapping not in self.scores
                self.rivals_left -= is_new
                if mapping.cuts:
                    self.with_blocks.add(mapping)
                if self.judge(mapping):
                    in_vain = 0
                    self.tell()
                else:
                    in_vain += is_new
                heappush(waiting, (self.scores[mapping], len(seen), mapping))
            if not waiting:
                return
            nearby = nests.near(self.problem, heappop(waiting)[-1])

    def allows(self, mapping: Mapping) -> bool:
        """Whether a nest can run and is in the space."""
        placements = self.space.placements
        return (
            (placements is None or mapping.placement in placements)
            and nests.is_allowed(self.problem, mapping, self.space.blocks)
            and not violations(self.problem, mapping, self.hardware)
        )

    def is_far(self, mapping: Mapping) -> bool:
        """Whether so many cycles are expected of a nest that nothing better is near it, and its simulation may take long."""
        assert self.best is not None
        if mapping in self.scores:
            return False
        return estimate(self.problem, mapping, self.hardware).cycles > FAR * self.best.estimate.cycles

    def judge(self, mapping: Mapping) -> bool:
        """Simulate a mapping, or estimate its energy; whether it is better than the best so far."""
        if mapping in self.scores:
            return False
        if self.objective == "energy":
            expected = estimate(self.problem, mapping, self.hardware)
            self.scores[mapping] = (expected.counters.energy(self.hardware.energy), expected.cycles)
        else:
            result = simulate(self.problem, mapping, self.hardware)
            energy = result.counters.energy(self.hardware.energy)
            self.scores[mapping] = score(self.objective, result.cycles, energy)
        assert self.best is not None
        if self.scores[mapping] >= self.scores[self.best.mapping]:
            return False
        expected = estimate(self.problem, mapping, self.hardware)
        self.best = Ranked(mapping, expected, self.scores[mapping][0])
        return True

    def narrow(self, listing: Ranking, listed: int, certain: float) -> float:
        """Simulate the mappings of a list in turn until the gap to all others is small enough; return that gap."""
        rest = inf if len(listing.best) < listed else max(certain, listing.best[-1].score * (1 - self.error))
        rest = min(rest, listing.unseen_score) * (1 - self.slack)
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
            self.tell()

    def floors(self, reached: float) -> list[Floor]:
        """The tiles of which some mapping may score less than what is ``reached``, whatever its loops."""
        return floors(
            self.problem, self.hardware, self.space.tiles, self.objective, reached, self.space.placements, self.until
        )

    def rank(self, count: int, tiles: Tiles | None = None) -> Ranking:
        """Rank those of the ``tiles``, or all, that are not left out for the slack."""
        tiles = self.space.tiles if tiles is None else tiles
        ranking = rank(
            self.problem, self.hardware, tiles, self.objective, count, orders=self.space.orders, placements=self.space.placements,
            alike=count > 1, slack=self.slack, until=self.until, work=self.work,
        )  # fmt: skip
        if self.work is not None:
            self.work = max(0, self.work - ranking.work)
        return ranking

    def face_rivals(self, promising: list[Floor]) -> float:
        """Simulate the mappings that may be better for sure, if they are few; return what none scores less than."""
        assert self.best is not None
        most = self.rivals_left
        if self.best.estimate.cycles > SHORT:
            most = min(most, RIVALS_OF_LONG)
        if self.simulations is not None and self.simulations != self.effort.simulations:
            most = min(most, self.simulations)
        found = self.rivals(promising, self.reached, most)
        least = found.least
        for certain, mapping in found.listed:
            many = least < self.reached and _gap(self.reached, min(certain, least)) <= self.effort.tolerance
            if certain >= self.reached or many or self.is_late():
                least = min(least, certain)
                break
            self.rivals_left -= 1
            self.judge(mapping)
            self.tell()
        return min(self.reached, least)

    def rivals(self, promising: list[Floor], reached: float, count: int) -> Rivals:
        """The mappings with one loop a dimension that may score less than what is ``reached``, whatever is thought of the estimate."""
        return rivals(
            self.problem, self.hardware, promising, self.objective, reached, count=count, orders=self.space.orders,
            placements=self.space.placements, until=self.until,
        )  # fmt: skip

    def least(self, ranked: Ranked) -> float:
        """What the mapping scores at least in simulation."""
        cycles = max(ranked.estimate.least_cycles, ranked.estimate.cycles * (1 - self.error))
        return score(self.objective, cycles, self.energy(ranked))[0]

    def energy(self, ranked: Ranked) -> float:
        return ranked.estimate.counters.energy(self.hardware.energy)

    def hardly_recurs(self, ranked: Ranked) -> bool:
        """Whether most cycles may have to be stepped.

        Where partial sums return and the controller waits for outputs, virtual neurons that share a port drift against
        one another.
        """
        return self.hardware.controller.wait_for_outputs and ranked.mapping.spills(self.problem, self.hardware)

    def simulate(self, ranked: Ranked) -> None:
        cycles = simulate(self.problem, ranked.mapping, self.hardware).cycles
        self.scores[ranked.mapping] = score(self.objective, cycles, self.energy(ranked))
        assert self.best is not None
        if self.scores[ranked.mapping] < self.scores[self.best.mapping]:
            self.best = ranked

    def tell(self) -> None:
        """Tell whoever watches of the best so far, with what is certain of others by now."""
        if self.watch is not None:
            gap = _gap(self.reached, self.certain)
            self.watch(self.found(self.listing, gap, gap))

    @property
    def reached(self) -> float:
        assert self.best is not None
        return self.scores[self.best.mapping][0]

    @property
    def nest_gap(self) -> float | None:
        """By what share any mapping could be better, whatever its loops; None where none may have loops over blocks."""
        return None if self.least_of_nests is None else _gap(self.reached, self.least_of_nests)

    @property
    def one_loop(self) -> float:
        """The least score with one loop a dimension; what is expected where no such mapping was simulated."""
        expected = self.listing.best[0].score
        return min((found[0] for mapping, found in self.scores.items() if not mapping.cuts), default=expected)

    def is_late(self) -> bool:
        return self.until is not None and time.monotonic() >= self.until

    def is_spent(self) -> bool:
        if self.is_late():
            return True
        return self.simulations is not None and len(self.scores) >= self.simulations

    def found(self, ranking: Ranking, gap: float, certain_gap: float) -> Choice:
        assert self.best is not None
        account = Certificate(
            objective=self.objective,
            tiles=len(self.space.tiles),
            mappings=self.space.mappings,
            dismissed_tiles=ranking.dismissed_tiles + self.left_out,
            dismissed_by_traffic=ranking.dismissed_by_traffic,
            dismissed_by_placement=ranking.dismissed_by_placement,
            estimated=ranking.estimated,
            unseen_tiles=ranking.unseen_tiles,
            simulated=0 if self.objective == "energy" else len(self.scores),
            gap=gap,
            certain_gap=certain_gap,
            with_blocks=len(self.with_blocks),
            fewer=_gap(self.one_loop, self.reached),
            nest_gap=self.nest_gap,
        )
        found = self.best
        reason = f"{pace(found.estimate, self.hardware)}; {account}"
        of_scores = {scored: mapping for mapping, scored in self.scores.items()}
        of_scores.pop(self.scores.get(found.mapping, (0.0, 0.0)), None)
        others = tuple(of_scores[scored] for scored in nsmallest(RUNNERS_UP, of_scores))
        return Choice(found.mapping, found.estimate, ranking.estimated, reason, account, others)


def _registers(hardware: Hardware) -> int:
    """The pipeline registers of a fabric, as many as it has multipliers for each cycle of latency; 0 of one without further ones."""
    behind = hardware.accumulation.latency + hardware.collection.latency
    latencies = hardware.multiplier.latency + hardware.reduction.latency + max(2, behind) - 4
    return latencies * hardware.multipliers


def _gap(reached: float, least: float) -> float:
    """By what share of ``reached`` something that scores at least ``least`` is better; 0 when it is not."""
    return max(0.0, 1 - least / reached)
