"""What stays in place between control steps, derived from the order of the temporal loops."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from maerisim.mapping.mapping import REDUCED, Mapping
from maerisim.workload.problem import DIMENSIONS, Problem


class Trips(NamedTuple):
    """A temporal loop with more than one iteration: ``trips`` at most, each of them ``step`` of the ``dimension``.

    ``name`` is the dimension for the innermost loop over it, and tells the loops around that one apart: ``K:1024``.
    """

    name: str
    trips: int
    dimension: str
    step: int


def temporal_loops(problem: Problem, mapping: Mapping) -> tuple[Trips, ...]:
    """The loops that really turn, outermost first."""
    left = dict(zip(DIMENSIONS, problem.dims, strict=True))
    found: list[Trips] = []
    for dimension, step in mapping.loops:
        trips = -(-left[dimension] // step)
        if trips > 1:
            found.append(Trips(dimension, trips, dimension, step))
            left[dimension] = step
    innermost = {loop.dimension: loop for loop in found}
    return tuple(
        loop if loop is innermost[loop.dimension] else loop._replace(name=f"{loop.dimension}:{loop.step}")
        for loop in found
    )


@dataclass(frozen=True)
class Held:
    """How a switch reuses one operand. The innermost loops are, from the outside: ``passes``, ``ring``, ``repeats``.

    While the ``repeats`` loops turn the word is the same. The words of the ``ring`` loops are held together and used
    again in each of the ``passes``. A word is sent when all ``passes`` and ``repeats`` loops are at their first
    iteration, and retired when all of them are at their last.
    """

    passes: frozenset[str]
    ring: frozenset[str]
    repeats: frozenset[str]
    words: int

    @property
    def reused(self) -> frozenset[str]:
        """The loops during which nothing is sent again."""
        return self.passes | self.repeats


def held(loops: Sequence[Trips], relevant: Collection[str], registers: int, folds_together: bool = False) -> Held:
    """Reuse of an operand that depends on the ``relevant`` dimensions, with room for ``registers`` words.

    With ``folds_together`` (weights only) a ring consists of all folds of an output, whether there are passes or not,
    and the passes and repeats are those over the outputs of one image.
    """
    if registers == 0:
        return Held(frozenset(), frozenset(), frozenset(), 1)
    ringed = frozenset(REDUCED) if folds_together else relevant
    passing = frozenset("PQ") if folds_together else frozenset(DIMENSIONS) - frozenset(relevant)
    rest = list(loops)
    repeats, ring, passes = set(), set(), set()
    while rest and rest[-1].dimension in passing:
        repeats.add(rest.pop().name)
    words = 1
    while rest and rest[-1].dimension in ringed and words * rest[-1].trips <= registers:
        loop = rest.pop()
        ring.add(loop.name)
        words *= loop.trips
    while rest and rest[-1].dimension in passing:
        passes.add(rest.pop().name)
    if not passes and not folds_together:
        return Held(frozenset(), frozenset(), frozenset(repeats), 1)
    return Held(frozenset(passes), frozenset(ring), frozenset(repeats), words)
