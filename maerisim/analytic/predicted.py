"""What is predicted of a mapping: cycles, counters, what limits it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from maerisim.analytic.bounds import bound
from maerisim.arrays import Ints
from maerisim.counts.counters import OPERANDS, Traffic
from maerisim.hardware.energy import EnergyTable
from maerisim.hardware.hardware import Hardware
from maerisim.kernels.estimating import entries as k
from maerisim.memory.blocks import MemoryUse
from maerisim.workload.problem import Problem

LIMITS = ("multipliers", "distribution", "collection")
"""What can limit a mapping on the fabric, in the order of the kernel's constants."""


@dataclass(frozen=True)
class Estimate:
    """The predicted cost of a mapping.

    ``bound_cycles`` is the least that any mapping of the layer could take on this hardware: every multiplier busy in
    every cycle, every operand word sent once, every output collected once, all of them moved from or to DRAM.
    ``least_cycles`` is the least that this mapping could take, those in which its busiest resource has work.
    ``limited_by`` names what takes longest. ``counters`` holds the predicted operations and words, ``memory`` what the
    system level does where it is modelled (:mod:`maerisim.ways.in_blocks`).
    """

    cycles: int
    least_cycles: int
    bound_cycles: int
    limited_by: str
    counters: Traffic
    memory: MemoryUse | None = None


def least_cycles(costs: Ints) -> Ints:
    """Of each of ``costs`` [..., entry] the cycles that the busiest resource is busy, and the shortest way of a word to its
    result.
    """
    busiest = costs[..., [k.STEPS, k.PORT_CYCLES, k.BUS_CYCLES]].max(axis=-1)
    return np.asarray(busiest + costs[..., k.DRAIN] - costs[..., k.DEPTH] + costs[..., k.NEAREST] - 1, np.int64)


def explain(cost: Ints, problem: Problem, hardware: Hardware) -> Estimate:
    """One row of costs as an Estimate."""
    resources = [int(cost[k.STEPS]), int(cost[k.PORT_CYCLES]), int(cost[k.BUS_CYCLES])]
    return Estimate(
        cycles=int(cost[k.CYCLES]),
        least_cycles=int(least_cycles(cost)),
        bound_cycles=bound(problem, hardware),
        limited_by=LIMITS[int(np.argmax(resources))],
        counters=_traffic(cost, compares=problem.operation == "max"),
    )


def _traffic(cost: Ints, *, compares: bool) -> Traffic:
    """The counts that a row of costs holds."""
    return Traffic(
        multiplications=int(cost[k.MACS]),
        passes=int(cost[k.PASSES]),
        additions=0 if compares else int(cost[k.ADDITIONS]),
        comparisons=int(cost[k.ADDITIONS]) if compares else 0,
        accumulations=int(cost[k.ACCUMULATIONS]),
        forwards=int(cost[k.FORWARDS]),
        distributed=_operands(cost, k.DISTRIBUTED),
        delivered=_operands(cost, k.DELIVERED),
        buffer_reads=_operands(cost, k.READS),
        buffer_writes={"outputs": int(cost[k.OUTPUTS]), "partial_sums": int(cost[k.RESULTS] - cost[k.OUTPUTS])},
        distribution_hops=int(cost[k.HOPS]),
        adder_words=int(cost[k.ADDER_WORDS]),
        results=int(cost[k.RESULTS]),
    )


def _operands(cost: Ints, start: int) -> dict[str, int]:
    return {name: int(cost[start + place]) for place, name in enumerate(OPERANDS)}


@cache
def prices(table: EnergyTable) -> npt.NDArray[np.float64]:
    """What one of each entry of a cost adds to the energy of a mapping, which is linear in the counts."""
    ones = [_traffic(entry, compares=False) for entry in np.eye(k.COSTS, dtype=np.int64)]
    return np.array([sum(spent.energy for spent in one.spent(table)) for one in ones])
