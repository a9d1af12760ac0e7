"""What a part of a layer takes up in the global buffer, and whether a mapping fits there.

A *block* is a box of the loop nest, so many of each dimension, whose operands and outputs are in the buffer together.
Padding is materialised there. An operand that changes from block to block is there twice: the next block's loads (or the
last one's outputs leave) behind the computation of the present one.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from math import prod
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.workload.problem import DIMENSIONS, Problem
from maerisim.workload.windows import Count, lines

WEIGHTS, INPUTS, OUTPUTS = frozenset("GKCRS"), frozenset("NGCRSPQ"), frozenset("NGKPQ")
"""The dimensions that each operand depends on."""


class BufferUse(NamedTuple):
    """Words of each operand in one block, and how often the buffer has room for it: 2 where blocks differ in it."""

    weights: Count
    inputs: Count
    outputs: Count
    copies: tuple[Count, Count, Count]

    @property
    def total(self) -> Count:
        """Words of the global buffer."""
        return sum(words * copies for words, copies in zip(self[:3], self.copies, strict=True))

    def __str__(self) -> str:
        parts = zip(("weights", "inputs", "outputs"), self[:3], self.copies, strict=True)
        return ", ".join(f"{name} {copies} × {words:,}" for name, words, copies in parts if words)


def occupancy(problem: Problem, extent: MappingOf[str, Count]) -> BufferUse:
    """The occupancy of blocks of ``problem`` with this many of each dimension."""
    e = extent
    rows = lines(e["P"], e["R"], problem.stride[0], problem.dilation[0])
    columns = lines(e["Q"], e["S"], problem.stride[1], problem.dilation[1])
    sizes = dict(zip(DIMENSIONS, problem.dims, strict=True))
    if all(isinstance(e[d], int) and e[d] >= size for d, size in sizes.items()):
        weights = problem.weights
    else:
        weights = 0 if problem.pools else prod(e[d] for d in sorted(WEIGHTS))

    def copies(dimensions: frozenset[str]) -> Count:
        changes: Count = 0
        for d in dimensions:
            changes = changes | (e[d] < sizes[d])
        return 1 + changes

    return BufferUse(
        weights=weights,
        inputs=e["N"] * e["G"] * e["C"] * rows * columns,
        outputs=prod(e[d] for d in sorted(OUTPUTS)),
        copies=(copies(WEIGHTS), copies(INPUTS), copies(OUTPUTS)),
    )


def violations(problem: Problem, mapping: Mapping, hardware: Hardware, kept_whole: str = "") -> list[str]:
    """Why not even the smallest block of ``mapping``, a tile of every dimension, fits the global buffer.

    All of the layer has to fit where it is not cut into blocks: ``kept_whole`` says why.
    """
    if kept_whole:
        return too_large(problem, hardware, kept_whole)
    room = hardware.global_buffer.words
    if room is None:
        return []
    needed = occupancy(
        problem,
        {d: min(tile, size) for d, tile, size in zip(DIMENSIONS, mapping.tile, problem.dims, strict=True)},
    )
    if needed.total <= room:
        return []
    return [f"a block of one tile takes {needed.total:,} words of the global buffer ({needed}), {room:,} are there"]


def too_large(problem: Problem, hardware: Hardware, kept_whole: str) -> list[str]:
    """Why a layer that is not cut into blocks, because of ``kept_whole``, does not fit the global buffer."""
    room = hardware.global_buffer.words
    needed = occupancy(problem, dict(zip(DIMENSIONS, problem.dims, strict=True)))
    if room is None or needed.total <= room:
        return []
    takes = f"{needed.total:,} words in the global buffer ({needed}), {room:,} are there"
    return [f"{takes}, and a layer is not cut into blocks because of {kept_whole}"]


def fits_buffer(problem: Problem, tiles: npt.NDArray[np.int32], hardware: Hardware) -> npt.NDArray[np.bool_]:
    """Which ``tiles`` [tile, dimension] have a block that fits the global buffer, see :func:`violations`."""
    room = hardware.global_buffer.words
    if room is None:
        return np.ones(len(tiles), np.bool_)
    sizes = np.minimum(tiles, np.array(problem.dims)).astype(np.int64)
    needed = occupancy(problem, {d: sizes[:, place] for place, d in enumerate(DIMENSIONS)})
    return np.asarray(needed.total <= room, np.bool_)
