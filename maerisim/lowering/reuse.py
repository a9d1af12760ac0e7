"""What stays in place between control steps, derived from the order of the temporal loops."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from maerisim.hardware.hardware import Hardware
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
    and the passes are those over the outputs of one image.
    """
    if registers == 0:
        return Held(frozenset(), frozenset(), frozenset(), 1)
    ringed = frozenset(REDUCED) if folds_together else relevant
    passing = frozenset("PQ") if folds_together else frozenset(DIMENSIONS) - frozenset(relevant)
    rest = list(loops)
    repeats, ring, passes = set(), set(), set()
    while rest and rest[-1].dimension not in relevant:
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


def forwards(problem: Problem, mapping: Mapping, hardware: Hardware, loops: Sequence[Trips], inputs: Held) -> bool:
    """Whether inputs slide along a filter row over the forwarding links instead of being sent again.

    A switch needs in the next output column what its right neighbour has now: one column a step (T_Q = 1), a window
    of several columns (T_S > 1), stride equal to dilation, nothing between the two steps that sends the row again,
    and room in the forwarding queue for the words on their way.
    """
    names = [loop.name for loop in loops]
    if (
        not hardware.multiplier.forwarding
        or "Q" not in names
        or mapping.tile_of("Q") > 1
        or mapping.tile_of("S") == 1
        or problem.stride[1] != problem.dilation[1]
        or any(loop.dimension == "Q" and loop.name in inputs.ring for loop in loops)
    ):
        return False
    if "S" in inputs.ring and len(mapping.tile_sizes(problem, "S")) > 1:
        return False  # the words held together would come half from the neighbour, half from the ports
    inside = loops[names.index("Q") + 1 :]
    if any(loop.dimension == "K" and loop.name not in inputs.reused for loop in inside):
        return False
    words = inputs.words if any(loop.dimension == "K" for loop in inside) else 0
    travelling = 1
    for loop in inside:
        travelling *= loop.trips if loop.dimension != "K" else 1
    return travelling + words <= hardware.multiplier.forward_fifo_depth
