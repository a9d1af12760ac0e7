"""The best mapping of a layer where the global buffer or DRAM limits it.

The search ranks mappings by what they cost on the fabric. With DRAM the fastest of them is not always the best: blocks cut
short what it reuses. So the fastest of many tiles are simulated block by block, with all words from and to DRAM.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, islice

import numpy as np

from maerisim.analytic.bounds import bound
from maerisim.analytic.objective import Objective, score
from maerisim.analytic.predicted import Estimate
from maerisim.analytic.ranking import rank
from maerisim.counts.events import dram_energy
from maerisim.engine.run import Result
from maerisim.errors import MappingError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.text import plural
from maerisim.ways.way import estimate, simulate
from maerisim.workload.problem import Problem
from mapper.choice import Choice, pace, share_of_bound
from mapper.proof import WORK
from mapper.space import Space, nothing_fits, space_of

LISTED = (1, 16, 32, 64, 128)
"""So many mappings of the least estimates on the fabric are listed, more of them until there are enough tiles: to list 128
takes up to ten times as long as 16. The best of each tile is judged."""
JUDGED = 16
"""Mappings that are judged with DRAM, at most."""
CLOSE_ENOUGH = 1.01
"""Times the bound of any mapping: nothing else is looked at then."""


class TilesOnFabric:
    """The best mapping of each tile of a space on the fabric, the best tile first, looked for as far as somebody wants them."""

    def __init__(self, space: Space, hardware: Hardware, objective: Objective) -> None:
        self.space = space
        self._found: list[tuple[Mapping, int]] = []
        self._more = _of_each_tile(space, hardware, objective)

    def __iter__(self) -> Iterator[tuple[Mapping, int]]:
        """Each with how many mappings were estimated to find it."""
        for place in count():
            if place == len(self._found):
                following = next(self._more, None)
                if following is None:
                    return
                self._found.append(following)
            yield self._found[place]


def best_by_buffer(
    problem: Problem, machines: Sequence[Hardware], objective: Objective
) -> Iterator[Choice | MappingError]:
    """The best mapping on each piece of hardware; they differ in the global buffer alone, which the fabric knows nothing of."""
    tiles: TilesOnFabric | None = None
    for hardware in machines:
        try:
            space = space_of(problem, hardware)
            if tiles is None or not np.array_equal(tiles.space.tiles, space.tiles):
                tiles = TilesOnFabric(space, hardware, objective)
            yield best(tiles, hardware, objective)
        except MappingError as error:
            yield error


def best(tiles: TilesOnFabric, hardware: Hardware, objective: Objective) -> Choice:
    """The best mapping of a space with DRAM, which its energy includes. There is no proof.

    Those that are judged are simulated, but estimated for controllers of which every cycle would have to be stepped.
    Raises MappingError when none fits, or all take too many blocks.
    """
    space = tiles.space
    problem = space.problem
    judge = estimate if hardware.controller.holds_ports_back else simulate
    enough = CLOSE_ENOUGH * bound(problem, hardware)
    scores: dict[Mapping, tuple[float, float]] = {}
    refused: list[str] = []
    estimated = 0
    for mapping, so_many in islice(tiles, JUDGED):
        estimated = so_many
        try:
            found = judge(problem, mapping, hardware)
        except MappingError as error:
            refused += error.violations
            continue
        scores[mapping] = score(objective, found.cycles, energy(found, hardware))
        if objective == "cycles" and found.cycles <= enough:
            break
    if not scores:
        raise MappingError("mapper", list(dict.fromkeys(refused))) if refused else nothing_fits(space, hardware)
    chosen = min(scores, key=lambda mapping: scores[mapping])
    expected = estimate(problem, chosen, hardware)
    reason = (
        f"{pace(expected, hardware)}; {share_of_bound(expected)}; best with DRAM of "
        f"{plural(len(scores), 'tile')} tried, the best on the fabric first"
    )
    return Choice(chosen, expected, estimated, reason)


def _of_each_tile(space: Space, hardware: Hardware, objective: Objective) -> Iterator[tuple[Mapping, int]]:
    """The best mapping of each tile on the fabric, the best tile first, and how many mappings were estimated to find it."""
    seen: set[tuple[int, ...]] = set()
    work = WORK
    for listed in LISTED:
        ranking = rank(
            space.problem, hardware, space.tiles, objective, listed, orders=space.orders, placements=space.placements,
            work=work,
        )  # fmt: skip
        work = max(0, work - ranking.work)
        for mapping in (each.mapping for each in ranking.best):
            if mapping.tile not in seen:
                seen.add(mapping.tile)
                yield mapping, ranking.estimated
        if len(ranking.best) < listed:
            return


def energy(found: Estimate | Result, hardware: Hardware) -> float:
    """Energy of a mapping, DRAM included."""
    outside = 0.0 if found.memory is None else dram_energy(found.memory, hardware.energy)
    return found.counters.energy(hardware.energy) + outside
