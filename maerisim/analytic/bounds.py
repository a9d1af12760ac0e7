"""Cycles below which no mapping of a layer can be."""

from __future__ import annotations

import math
from typing import NamedTuple

from maerisim.hardware.hardware import Hardware
from maerisim.mapping.sparse_rounds import nonzeros
from maerisim.memory.blocks import compulsory_words
from maerisim.workload.problem import Problem
from maerisim.workload.windows import lines


class Bounds(NamedTuple):
    """The least cycles that any mapping of a layer keeps each resource busy."""

    compute: int
    """Every multiplier does an operation in every cycle."""
    distribution: int
    """Every port sends a word in every cycle, and each operand word is sent once."""
    collection: int
    """Every bus carries an output in every cycle, and no partial sums."""
    dram: int = 0
    """The DRAM channel moves a word in every cycle, each operand and output once; 0 where it is not limiting."""


def words_sent_once(problem: Problem) -> int:
    """Operand words that the distribution ports send at least: weights and the inputs under all windows.

    Inputs of sparse layers do not count, since some meet only zeros.
    """
    p = problem
    rows = lines(p.P, p.R, p.stride[0], p.dilation[0])
    columns = lines(p.Q, p.S, p.stride[1], p.dilation[1])
    return p.weights + (0 if p.sparsity is not None else p.N * p.G * p.C * rows * columns)


def bounds(problem: Problem, hardware: Hardware) -> Bounds:
    """For each resource the cycles below which no mapping of ``problem`` can be."""
    p = problem
    compute = -(-p.operations // hardware.multipliers)
    # Filters of zeros give no results.
    outputs = p.outputs if p.sparsity is None else len(nonzeros(p)) * p.N * p.P * p.Q
    bandwidth = hardware.dram.bandwidth
    dram = 0 if bandwidth is None else math.ceil(sum(compulsory_words(p).values()) / bandwidth)
    return Bounds(compute, -(-words_sent_once(p) // hardware.ports), -(-outputs // hardware.buses), dram)


def bound(problem: Problem, hardware: Hardware) -> int:
    """Cycles below which no mapping of ``problem`` can be: see :class:`Estimate`."""
    return max(bounds(problem, hardware))
