"""The best mapping of a layer where the global buffer or DRAM limits it.

The search ranks mappings by what they cost on the fabric. With DRAM the fastest of them is not always the best: blocks cut
short what it reuses. So the fastest of many tiles are judged again, with all words from and to DRAM.
"""

from __future__ import annotations

from typing import NamedTuple

from maerisim import system
from maerisim.analytic import Estimate, Objective, rank, score
from maerisim.errors import MappingError
from maerisim.hardware import Hardware
from maerisim.mapping import Mapping
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
    """The best mapping of a space with DRAM, by estimate; None when none fits.

    Its energy includes DRAM. Raises MappingError when all take too many blocks.
    """
    problem = space.problem
    ranking = rank(problem, hardware, space.tiles, objective, LISTED, orders=space.orders, placements=space.placements)
    of_tile: dict[tuple[int, ...], Mapping] = {}
    for ranked in ranking.best:
        of_tile.setdefault(ranked.mapping.tile, ranked.mapping)
    found: dict[Mapping, Estimate] = {}
    refused: list[str] = []
    for mapping in list(of_tile.values())[:JUDGED]:
        try:
            expected = found[mapping] = system.estimate(problem, mapping, hardware)
        except MappingError as error:
            refused += error.violations
            continue
        if objective == "cycles" and expected.cycles <= CLOSE_ENOUGH * expected.bound_cycles:
            break
    if not found:
        if refused:
            raise MappingError("mapper", list(dict.fromkeys(refused)))
        return None
    chosen = min(found, key=lambda mapping: score(objective, found[mapping].cycles, energy(found[mapping], hardware)))
    return Judged(chosen, found[chosen], ranking.estimated, len(found))


def energy(expected: Estimate, hardware: Hardware) -> float:
    """Energy of a mapping, DRAM included."""
    words = 0 if expected.memory is None else expected.memory.words
    return expected.counters.energy(hardware.energy) + words * hardware.energy.dram_access
