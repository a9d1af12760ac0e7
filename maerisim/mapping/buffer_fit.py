"""What a part of a layer takes up in the global buffer, and whether a mapping fits there.

A *block* is a box of the loop nest, so many of each dimension, whose operands and outputs are in the buffer together.
Padding is materialised there. An operand that changes from block to block is there twice: the next block's loads (or the
last one's outputs leave) behind the computation of the present one.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from math import gcd, prod
from typing import TYPE_CHECKING, Any, NamedTuple

from maerisim.hardware.hardware import Hardware
from maerisim.workload.problem import DIMENSIONS, Problem

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from maerisim.mapping.mapping import Mapping

WEIGHTS, INPUTS, OUTPUTS = frozenset("GKCRS"), frozenset("NGCRSPQ"), frozenset("NGKPQ")
"""The dimensions that each operand depends on."""

Count = Any
"""A number, or an array of numbers of as many boxes."""


class Occupancy(NamedTuple):
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


def occupancy(problem: Problem, extent: MappingOf[str, Count]) -> Occupancy:
    """The occupancy of blocks of ``problem`` with this many of each dimension."""
    e = extent
    rows = lines(e["P"], e["R"], problem.stride[0], problem.dilation[0])
    columns = lines(e["Q"], e["S"], problem.stride[1], problem.dilation[1])
    whole = [d for d, size in zip(DIMENSIONS, problem.dims, strict=True) if isinstance(e[d], int) and e[d] >= size]
    if problem.sparsity is not None and len(whole) == len(DIMENSIONS):
        weights = problem.weights
    else:
        weights = 0 if problem.pools else prod(e[d] for d in sorted(WEIGHTS))
    sizes = dict(zip(DIMENSIONS, problem.dims, strict=True))

    def copies(dimensions: frozenset[str]) -> Count:
        changes: Count = 0
        for d in dimensions:
            changes = changes | (e[d] < sizes[d])
        return 1 + changes

    return Occupancy(
        weights=weights,
        inputs=e["N"] * e["G"] * e["C"] * rows * columns,
        outputs=prod(e[d] for d in sorted(OUTPUTS)),
        copies=(copies(WEIGHTS), copies(INPUTS), copies(OUTPUTS)),
    )


def lines(outputs: Count, taps: Count, stride: int, dilation: int) -> Count:
    """Input rows (or columns) under so many neighbouring windows of so many taps.

    The number of values of i stride + j dilation. With g their greatest common divisor a value has one pair (i, j), plus
    one for each pair that is ``dilation / g`` outputs and ``stride / g`` taps away from another.
    """
    g = gcd(stride, dilation)
    repeated_outputs, repeated_taps = outputs - dilation // g, taps - stride // g
    both = (repeated_outputs > 0) & (repeated_taps > 0)
    return outputs * taps - repeated_outputs * repeated_taps * both


def cut_whole(problem: Problem, hardware: Hardware) -> bool:
    """Whether ``problem`` runs in one block or not at all: sparse weights, or a lock-step controller."""
    return problem.sparsity is not None or hardware.controller.kind == "lock_step"


def refusals(problem: Problem, hardware: Hardware) -> list[str]:
    """Why a layer that runs in one block or not at all does not fit the global buffer with any mapping."""
    room = hardware.global_buffer.words
    if room is None or not cut_whole(problem, hardware):
        return []
    needed = occupancy(problem, dict(zip(DIMENSIONS, problem.dims, strict=True)))
    if needed.total <= room:
        return []
    why = "sparse weights" if problem.sparsity is not None else "its controller"
    takes = f"{needed.total:,} words in the global buffer ({needed}), {room:,} are there"
    return [f"{takes}, and a layer is not cut into blocks because of {why}"]


def violations(problem: Problem, mapping: Mapping, hardware: Hardware) -> list[str]:
    """Why not even the smallest block of ``mapping``, a tile of every dimension, fits the global buffer."""
    room = hardware.global_buffer.words
    if room is None or cut_whole(problem, hardware):
        return refusals(problem, hardware)
    needed = occupancy(
        problem,
        {d: min(tile, size) for d, tile, size in zip(DIMENSIONS, mapping.tile, problem.dims, strict=True)},
    )
    if needed.total <= room:
        return []
    return [f"a block of one tile takes {needed.total:,} words of the global buffer ({needed}), {room:,} are there"]


def fits_buffer(problem: Problem, tiles: npt.NDArray[np.int32], hardware: Hardware) -> npt.NDArray[np.bool_]:
    """Which ``tiles`` [tile, dimension] have a block that fits the global buffer, see :func:`violations`."""
    import numpy as np

    room = hardware.global_buffer.words
    if room is None:
        return np.ones(len(tiles), np.bool_)
    if cut_whole(problem, hardware):
        whole = occupancy(problem, dict(zip(DIMENSIONS, problem.dims, strict=True)))
        return np.full(len(tiles), whole.total <= room)
    sizes = np.minimum(tiles, np.array(problem.dims)).astype(np.int64)
    needed = occupancy(problem, {d: sizes[:, place] for place, d in enumerate(DIMENSIONS)})
    return np.asarray(needed.total <= room, np.bool_)
