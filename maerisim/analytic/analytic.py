"""The analytic model: cycles, energy and counts of a mapping without running it.

Per kind of control step (tiles at the edge of the layer counted by how often they occur, not averaged) the words that
each distribution port sends, the step of each multiplier switch, and the results of each collection bus. A run takes at
least as long as the busiest of them in total, plus the way of the last word through the fabric. All counts are exact
sums over the same kinds of steps.

How much longer it takes depends on how far ports, switches and buses can run ahead of one another in their queues: the
times of the control steps, one from the other, tell it (:mod:`maerisim.kernels.estimating.timing`). They are worked out for those
mappings that could be among the best if nothing held them up.

:func:`~maerisim.analytic.ranking.rank` looks at every loop order and placement of many tiles, :func:`estimate_steps` at one
mapping. Both see the fabric alone; :func:`maerisim.ways.way.estimate` knows the global buffer and DRAM too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maerisim.analytic.bounds import bound
from maerisim.analytic.durations import cycles, drain
from maerisim.analytic.predicted import LIMITS, Estimate, explain
from maerisim.analytic.ranking import cycles_of_blocks, estimate_many
from maerisim.arrays import Ints
from maerisim.counts.counters import Counters, sum_of
from maerisim.counts.program_totals import totals
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.legality import LegalLayer
from maerisim.program.program import Program
from maerisim.workload.problem import Problem


def estimate_steps(legal: LegalLayer) -> Estimate:
    """Estimate a mapping of a dense layer on the fabric, from its kinds of control steps."""
    mapping = legal.mapping
    walks = [(mapping.order, mapping.placement)]
    costs = estimate_many(legal.problem, [mapping.tile], walks, legal.hardware)[0, 0]
    return explain(costs, legal.problem, legal.hardware)


def estimate_blocks(legal: LegalLayer, program: Program) -> Estimate:
    """Estimate a mapping of a dense layer whose loops walk blocks: its ``program`` is counted, its control steps are timed."""
    problem, hardware = legal.problem, legal.hardware
    count = totals(program, hardware)
    least = int(busy_cycles([program], [count]).max()) + drain(program, hardware) - 1
    timed = cycles_of_blocks(problem, legal.mapping, hardware)
    return _estimate(max(least, timed), [program], [count], problem, hardware)


def busy_cycles(sequence: Sequence[Program], counts: Sequence[Counters]) -> Ints:
    """In how many cycles the busiest multiplier, port and bus have work [3], when each of the programs does so many things."""
    each = [
        (program.compute.steps, max(count.busy["ports"]), max(count.busy["buses"]))
        for program, count in zip(sequence, counts, strict=True)
    ]
    return np.asarray(np.sum(each, axis=0), np.int64)


def estimate_programs(sequence: Sequence[Program], problem: Problem, hardware: Hardware) -> Estimate:
    """Estimate programs that run one after the other, from their loops and templates."""
    counts = [totals(program, hardware) for program in sequence]
    taken = sum(cycles(program, hardware, each) for program, each in zip(sequence, counts, strict=True))
    return _estimate(taken, sequence, counts, problem, hardware)


def _estimate(
    taken: int, sequence: Sequence[Program], counts: Sequence[Counters], problem: Problem, hardware: Hardware
) -> Estimate:
    """What is predicted of programs that take so many cycles."""
    resources = busy_cycles(sequence, counts).tolist()
    return Estimate(
        cycles=taken,
        least_cycles=max(resources),
        bound_cycles=bound(problem, hardware),
        limited_by=LIMITS[resources.index(max(resources))],
        counters=sum_of(counts).traffic,
    )
