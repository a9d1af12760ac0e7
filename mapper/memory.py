"""The best mapping of a layer where the global buffer or DRAM limits it.

The search ranks mappings by what they cost on the fabric. With DRAM the fastest of them is not always the best: blocks cut
short what it reuses. So the fastest of many tiles are simulated block by block, with all words from and to DRAM.
"""

from __future__ import annotations

from typing import NamedTuple

from maerisim.counts.events import dram_energy
from maerisim.engine.run import Result
from maerisim.errors import MappingError
from maerisim.estimate.bounds import bound
from maerisim.estimate.objective import Objective, score
from maerisim.estimate.predicted import Estimate
from maerisim.estimate.ranking import rank
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.ways import in_blocks as system
from mapper.space import Space

LISTED = 128
"""Mappings of the least estimates on the fabric, of which the best of each tile is judged."""
JUDGED = 16
"""Mappings that are judged with DRAM, at most."""
CLOSE_ENOUGH = 1.01
"""Times the bound of any mapping: nothing else is looked at then."""


class Judged(NamedTuple):
    """The mapping that is best with DRAM, its estimate, and how many were estimated and judged."""

    mapping: Mapping
    estimate: Estimate
    estimated: int
    judged: int


def best(space: Space, hardware: Hardware, objective: Objective) -> Judged | None:
    """The best mapping of a space with DRAM, which its energy includes; None when none fits.

    Those that are judged are simulated, but estimated for controllers of which every cycle would have to be stepped.
    Raises MappingError when all take too many blocks.
    """
    problem, controller = space.problem, hardware.controller
    stepped = controller.wait_for_outputs or controller.steps_per_cycle is not None
    judge = system.estimate if stepped else system.simulate
    ranking = rank(problem, hardware, space.tiles, objective, LISTED, orders=space.orders, placements=space.placements)
    of_tile: dict[tuple[int, ...], Mapping] = {}
    for ranked in ranking.best:
        of_tile.setdefault(ranked.mapping.tile, ranked.mapping)
    enough = CLOSE_ENOUGH * bound(problem, hardware)
    scores: dict[Mapping, tuple[float, float]] = {}
    refused: list[str] = []
    for mapping in list(of_tile.values())[:JUDGED]:
        try:
            found = judge(problem, mapping, hardware)
        except MappingError as error:
            refused += error.violations
            continue
        scores[mapping] = score(objective, found.cycles, energy(found, hardware))
        if objective == "cycles" and found.cycles <= enough:
            break
    if not scores:
        if refused:
            raise MappingError("mapper", list(dict.fromkeys(refused)))
        return None
    chosen = min(scores, key=lambda mapping: scores[mapping])
    return Judged(chosen, system.estimate(problem, chosen, hardware), ranking.estimated, len(scores))


def energy(found: Estimate | Result, hardware: Hardware) -> float:
    """Energy of a mapping, DRAM included."""
    outside = 0.0 if found.memory is None else dram_energy(found.memory, hardware.energy)
    return found.counters.energy(hardware.energy) + outside
