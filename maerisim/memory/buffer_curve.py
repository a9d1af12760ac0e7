"""The least words that any way to cut a layer into blocks moves from and to DRAM, for every size of the global buffer.

A *ski slope*: words fall as the buffer grows, until every operand moves once. It knows no mapping: blocks are of any sizes and in
any loop order, only whole in filter rows and columns (R and S), and move what :mod:`maerisim.memory.blocks` says.

What does not depend on the loop that turns innermost stays in the buffer; all else moves again with every turn of the loops
that it does not depend on. Where the reduction (C) is innermost outputs stay. Else some of the *plane* (N, P, Q) turns inside the
filters (K), and the rest outside: for each turn outside weights move again, for each turn of the filters inputs, less those
that the last and the first window of what turns inside share.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np

from maerisim.arrays import Ints
from maerisim.mapping.buffer_fit import occupancy
from maerisim.memory.blocks import compulsory_words
from maerisim.workload.problem import DIMENSIONS, Problem


class BufferCurve(NamedTuple):
    """From ``buffer[i]`` words of the global buffer on, the least words from and to DRAM are ``words[i]``; buffers rise."""

    buffer: Ints
    words: Ints

    def least(self, buffer: int) -> int | None:
        """The least words with a buffer of this size; None where no block fits."""
        place = int(np.searchsorted(self.buffer, buffer, side="right")) - 1
        return None if place < 0 else int(self.words[place])


def buffer_curve(problem: Problem) -> BufferCurve:
    """The curve of a layer. Of all blocks with the same turns of each loop only the smallest are looked at."""
    extents = _boxes(problem)
    sizes = dict(zip(DIMENSIONS, problem.dims, strict=True))
    turns = {d: -(-size // extents[d]) for d, size in sizes.items()}
    total = np.asarray(occupancy(problem, extents).total, np.int64)
    words = _words(problem, turns)
    order = np.lexsort((words, total))
    total, words = total[order], words[order]
    falls = np.ones(len(words), np.bool_)
    falls[1:] = words[1:] < np.minimum.accumulate(words)[:-1]
    return BufferCurve(total[falls], words[falls])


def _boxes(problem: Problem) -> dict[str, Ints]:
    """By dimension the sizes of blocks [box]. Every operand has its own words in each group: one at a time, or all."""
    options = {d: _extents(size) for d, size in zip(DIMENSIONS, problem.dims, strict=True)}
    options |= {"R": [problem.R], "S": [problem.S], "G": sorted({1, problem.G})}
    grid = np.meshgrid(*options.values(), indexing="ij")
    return {d: sizes.ravel().astype(np.int64) for d, sizes in zip(options, grid, strict=True)}


def _extents(size: int) -> list[int]:
    """The smallest blocks of every number of blocks that there can be along a dimension."""
    return sorted({-(-size // blocks) for blocks in range(1, size + 1)})


def _words(problem: Problem, turns: dict[str, Ints]) -> Ints:
    """The least words of boxes with so many turns of each loop, whatever the order of the loops."""
    once = compulsory_words(problem)
    filters, reduction = turns["K"], turns["C"]
    outputs = once["outputs"] * (2 * reduction - 1)
    plane = turns["N"] * turns["P"] * turns["Q"]
    least = once["weights"] * plane + once["inputs"] * filters + once["outputs"]
    for inside in (within for count in range(4) for within in combinations("NPQ", count)):
        again = np.ones_like(plane)
        for d in "NPQ":
            again = again if d in inside else again * turns[d]
        shared = problem.G * problem.C * np.ones_like(plane)
        shared = shared * (np.where(turns["N"] == 1, problem.N, 0) if "N" in inside else problem.N)
        for axis, d in enumerate("PQ"):
            shared = shared * _shared(problem, turns[d] if d in inside else np.ones_like(plane), axis)
        inputs = once["inputs"] * filters - (filters - 1) * np.minimum(shared, once["inputs"])
        least = np.minimum(least, once["weights"] * again + inputs + outputs)
    return np.asarray(least, np.int64)


def _shared(problem: Problem, turns: Ints, axis: int) -> Ints:
    """The most input rows (axis 0) or columns (1) that the first and the last of several windows can share."""
    whole, taps = ((problem.H, problem.R), (problem.W, problem.S))[axis]
    between = max(0, (taps - 1) * problem.dilation[axis] + 1 - problem.stride[axis])
    return np.asarray(np.where(turns == 1, whole, min(whole, between)), np.int64)
