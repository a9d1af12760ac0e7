"""Mappings whose outermost loops walk blocks, where the best one without leaves a gap.

The partial sums of a whole layer may be more than the accumulation buffer holds, so that it pays to finish one block of
outputs before the next is begun. A block is a layer of its own: its best mapping is ranked like that of any other, and one
or two loops over such blocks go around it. The sizes of the blocks follow from the words of the accumulation buffer. There
is no proof that none is better; how far from the best a mapping can be, whatever its loops, says the bound of any mapping.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from math import inf
from typing import Any, NamedTuple

from maerisim.analytic.ranking import rank
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import REDUCED, Mapping
from maerisim.ways.way import estimate, simulate, violations
from maerisim.workload.problem import Problem
from mapper.choice import Choice, pace
from mapper.space import Space, space_of

WORTH = 0.02
"""By what share fewer cycles are worth a search."""
CLOSE_ENOUGH = 0.005
"""By what share more cycles than partial sums without limit would take end a search."""
SIMULATED = 3
"""Mappings of the least estimates that are simulated."""
WALKED = "KNPQ"
"""Dimensions of which blocks are looked at: those that tell outputs apart and share operands."""


class Nest(NamedTuple):
    """A mapping with loops over blocks, and what it is expected to take."""

    cycles: int
    mapping: Mapping


def improved(choice: Choice, space: Space, hardware: Hardware, until: float = inf) -> Choice:
    """The ``choice`` of fewest cycles from a ``space``, or a mapping with loops over blocks that takes fewer.

    Nothing more is looked at from the time ``until`` of ``time.monotonic()`` on.
    """
    problem, expected = space.problem, choice.estimate
    worthwhile = (1 - WORTH) * expected.cycles
    if choice.certificate is None or expected.bound_cycles > worthwhile or not _sums_may_exceed(problem, hardware):
        return choice
    roomy = hardware.with_overrides({"accumulation.words": problem.outputs})
    least = rank(problem, roomy, space.tiles).best[0].estimate.cycles
    if least > worthwhile:
        return choice
    search = _Search(problem, hardware, least, until)
    found = [nest for nest in search.run() if nest.cycles < expected.cycles][:SIMULATED]
    before = simulate(problem, choice.mapping, hardware).cycles
    simulated = [Nest(simulate(problem, nest.mapping, hardware).cycles, nest.mapping) for nest in found]
    best = min(simulated, key=lambda nest: nest.cycles, default=None)
    looked_at, candidates = len(search.known), choice.candidates + len(search.known)
    if best is None or best.cycles >= before:
        account = replace(choice.certificate, with_blocks=looked_at)
        return replace(choice, candidates=candidates, certificate=account)
    gap = max(0.0, 1 - expected.bound_cycles / best.cycles)
    account = replace(
        choice.certificate,
        with_blocks=looked_at,
        fewer=1 - best.cycles / before,
        simulated=choice.certificate.simulated + len(simulated),
        gap=gap,
        certain_gap=gap,
    )
    chosen = estimate(problem, best.mapping, hardware)
    reason = f"{pace(chosen, hardware)}; {account}"
    return Choice(best.mapping, chosen, candidates, reason, account)


def _sums_may_exceed(problem: Problem, hardware: Hardware) -> bool:
    """Whether a layer has more partial sums in a group than the accumulation buffer holds."""
    folds = any(getattr(problem, d) > 1 for d in REDUCED)
    return folds and 0 < hardware.accumulation_words < problem.outputs // problem.G


class _Search:
    """The blocks looked at, by dimension and size; ``least`` cycles are as good as it gets."""

    def __init__(self, problem: Problem, hardware: Hardware, least: int, until: float) -> None:
        self.problem, self.hardware, self.until = problem, hardware, until
        self.enough = (1 + CLOSE_ENOUGH) * least
        self.known: dict[tuple[tuple[str, int], ...], Nest] = {}

    def run(self) -> list[Nest]:
        """Mappings with one loop over blocks, and with one more inside the best of these, the best first."""
        self.look_around(())
        if self.known:
            self.look_around(min(self.known, key=lambda blocks: self.known[blocks].cycles))
        return sorted(self.known.values(), key=lambda nest: nest.cycles)

    def look_around(self, outer: tuple[tuple[str, int], ...]) -> None:
        """Blocks of each dimension, from large ones on as long as smaller ones take fewer cycles."""
        for d in WALKED:
            if d in dict(outer):
                continue
            best, worse = inf, 0
            for size in sizes(getattr(self.problem, d), self.hardware):
                if worse == 2 or self.is_done():
                    break
                nest = self.look((*outer, (d, size)))
                worse = worse + 1 if nest is None or nest.cycles >= best else 0
                best = best if nest is None else min(best, nest.cycles)

    def look(self, blocks: tuple[tuple[str, int], ...]) -> Nest | None:
        """The best mapping of a block with loops over blocks around it; None where they would not turn or it does not fit."""
        values: dict[str, Any] = dict(blocks)
        block = replace(self.problem, **values, padding=(0, 0))
        ranking = rank(block, self.hardware, space_of(block, self.hardware).tiles)
        if not ranking.best:
            return None
        inside = ranking.best[0].mapping
        order = [f"{d}:{size}" for d, size in blocks] + list(inside.order)
        mapping = Mapping.of(inside.T, order, inside.placement)
        if violations(self.problem, mapping, self.hardware):
            return None
        self.known[blocks] = Nest(estimate(self.problem, mapping, self.hardware).cycles, mapping)
        return self.known[blocks]

    def is_done(self) -> bool:
        """Whether nothing better is to be expected, or time has run out."""
        least = min((nest.cycles for nest in self.known.values()), default=inf)
        return least <= self.enough or time.monotonic() >= self.until


def sizes(size: int, hardware: Hardware) -> Iterator[int]:
    """Sizes of blocks along a dimension, the largest first.

    As many as the accumulation buffer holds partial sums, if there are that many of each on the array or one, two, four, ...;
    where they do not divide the dimension also the equal parts that are no larger.
    """
    found = set()
    for at_once in range(hardware.multipliers.bit_length()):
        most = hardware.accumulation_words >> at_once
        if 0 < most < size:
            found |= {most, -(-size // -(-size // most))}
    yield from sorted(found, reverse=True)
