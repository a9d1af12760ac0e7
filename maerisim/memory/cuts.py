"""Which ways to cut a layer into blocks are worth a closer look.

Every box of whole tiles, up to a grid of about two sizes per doubling, and the block orders that differ in what stays
in the buffer from one block to the next. Words are counted in closed form, as if nothing but whole operands and the rows
(or columns) under neighbouring windows stayed, and the most promising cuts are returned for :mod:`maerisim.ways.in_blocks` to
follow block by block.
"""

from __future__ import annotations

from itertools import permutations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from maerisim.arrays import Ints
from maerisim.errors import MappingError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.buffer_fit import occupancy
from maerisim.mapping.mapping import REDUCED, Mapping
from maerisim.memory.blocks import Blocks, compulsory_words
from maerisim.workload.problem import DIMENSIONS, Problem
from maerisim.workload.windows import lines

CUTS_OF_A_KIND = 5
"""Cuts that are worth a closer look, of those that leave the same loops of the fabric whole."""
MOST_BLOCKS = 1 << 20
"""Of a layer: more would take minutes to follow."""
MOST_BLOCKS_BY_CHOICE = 1 << 12
"""More are taken only when larger blocks do not fit."""
_MOST_BOXES = 1 << 17
"""Sizes of a dimension are thinned out until there are no more combinations."""
_CYCLES_PER_BLOCK = 24
"""About what it takes to fill and drain the fabric, to tell few blocks from many."""

Floats = npt.NDArray[np.float64]
Position = dict[str, Ints]


class _Order(NamedTuple):
    """Block loops, outermost first: groups of loops that no operand tells apart."""

    groups: tuple[tuple[str, ...], ...]

    @property
    def loops(self) -> tuple[str, ...]:
        return tuple(d for group in self.groups for d in group)

    def inside(self, group: tuple[str, ...], counts: Position) -> npt.NDArray[np.bool_]:
        """In which boxes a loop inside ``group`` turns."""
        place = self.groups.index(group)
        return np.asarray(_blocks(counts, [d for inner in self.groups[place + 1 :] for d in inner]) > 1)


_FILTERS, _OUTER = ("K",), ("G",)
_ORDERS = [
    _Order((_OUTER, *order))
    for plane in (("N", "P", "Q"), ("N", "Q", "P"))
    for order in permutations((_FILTERS, REDUCED, plane))
]
"""What stays in the buffer depends on which of filters, reduction and plane turns inside the others."""


def uncut(problem: Problem, mapping: Mapping) -> tuple[Blocks, float]:
    """The layer in one block, and the words that it moves."""
    return Blocks(problem, mapping, problem.dims), float(sum(compulsory_words(problem).values()))


def cuts(problem: Problem, mapping: Mapping, hardware: Hardware, compute_cycles: int) -> list[tuple[Blocks, float]]:
    """The most promising ways to cut a layer that takes ``compute_cycles`` on the fabric, each with about the words that it moves.

    What operand registers reuse is lost where a block ends, so for any number of innermost loops of the mapping those cuts
    are looked for that leave them whole: those that may take fewest cycles, those of fewest blocks, and of fewest words.
    Raises MappingError when the global buffer has no room for the smallest block, or only for too many.
    """
    room = hardware.global_buffer.words
    extents = _boxes(problem, mapping)
    sizes = {d: extents[:, place] for place, d in enumerate(DIMENSIONS)}
    counts = {d: -(-size // sizes[d]) for d, size in zip(DIMENSIONS, problem.dims, strict=True)}
    total, blocks = occupancy(problem, sizes).total, _blocks(counts, DIMENSIONS)
    fits = np.ones(len(extents), np.bool_) if room is None else total <= room
    least = int(blocks[fits].min(initial=MOST_BLOCKS + 1))
    if least > MOST_BLOCKS:
        why = f"a global buffer of {room:,} words would take more than the {MOST_BLOCKS:,} blocks that are followed"
        raise MappingError("mapping", [why])
    fits &= blocks <= max(least, MOST_BLOCKS_BY_CHOICE)
    extents, blocks, total = extents[fits], blocks[fits], total[fits]
    sizes, counts = ({d: of[d][fits] for d in DIMENSIONS} for of in (sizes, counts))
    pace = 0.0 if hardware.dram.bandwidth is None else 1 / hardware.dram.bandwidth
    compute = compute_cycles + _CYCLES_PER_BLOCK * (blocks - 1.0)
    by_order = np.array([_words(problem, sizes, counts, order) for order in _ORDERS])
    order, words = by_order.argmin(axis=0), by_order.min(axis=0)
    # What the first block reads and the last one writes is not hidden behind anything.
    score = np.maximum(words * pace, compute) + pace * total / 2
    chosen: dict[int, None] = {}
    left = np.arange(len(extents))
    for d in ("", *reversed(mapping.order)):
        left = left if not d else left[counts[d][left] == 1]
        for keys in ((words, score), (words, blocks), (blocks, words)):
            chosen |= dict.fromkeys(left[np.lexsort([key[left] for key in keys])[:CUTS_OF_A_KIND]].tolist())
    return [
        (Blocks(problem, mapping, tuple(extents[each].tolist()), _ORDERS[order[each]].loops), float(words[each]))
        for each in chosen
    ]


def _boxes(problem: Problem, mapping: Mapping) -> Ints:
    """Sizes [box, dimension] of the blocks to look at: the grid of whole tiles, thinned out where it is large."""
    options = [
        _extents(size, min(tile, size), every=d not in "RS")
        for d, size, tile in zip(DIMENSIONS, problem.dims, mapping.tile, strict=True)
    ]
    while np.prod([len(sizes) for sizes in options], dtype=np.float64) > _MOST_BOXES:
        longest = max(options, key=len)
        options[options.index(longest)] = [*longest[:-1:2], longest[-1]]
    return np.stack(np.meshgrid(*options, indexing="ij"), axis=-1).reshape(-1, len(DIMENSIONS)).astype(np.int64)


def _extents(size: int, tile: int, *, every: bool) -> list[int]:
    """Sizes of blocks along a dimension: all of it, about equal parts of whole tiles, a tile; without ``every`` no parts."""
    trips, parts = -(-size // tile), 2
    extents = [size]
    while every and parts < trips:
        extents.append(-(-trips // parts) * tile)
        parts += parts // 3 if parts % 3 == 0 else parts // 2
    return list(dict.fromkeys([*extents, tile]))


def _blocks(counts: Position, dimensions: tuple[str, ...] | list[str]) -> Floats:
    return np.asarray(np.prod([counts[d] for d in dimensions], axis=0, dtype=np.float64))


def _words(problem: Problem, sizes: Position, counts: Position, order: _Order) -> Floats:
    """Words to and from DRAM for each box when its blocks follow one another in an order."""
    plane = next(group for group in order.groups if "P" in group)
    again = {
        group: np.where(order.inside(group, counts), _blocks(counts, group), 1) for group in (_FILTERS, REDUCED, plane)
    }
    rows, columns = (
        _lines(problem, axis, outer, inner, sizes, counts, innermost=order.loops[-1] == outer)
        for axis, (outer, inner) in enumerate((("P", "R"), ("Q", "S")))
    )
    weights = problem.weights * again[plane]
    inputs = problem.N * problem.G * problem.C * rows * columns * again[_FILTERS]
    outputs = problem.outputs * (2 * again[REDUCED] - 1)
    return np.asarray(weights + inputs + outputs, np.float64)


def _lines(
    problem: Problem, axis: int, outer: str, inner: str, sizes: Position, counts: Position, *, innermost: bool
) -> Floats:
    """Input rows (axis 0) or columns (1) that all blocks along them read."""
    stride, dilation = problem.stride[axis], problem.dilation[axis]
    read = counts[outer] * counts[inner] * lines(sizes[outer], sizes[inner], stride, dilation)
    if innermost:  # what neighbouring windows share stays
        once = lines(getattr(problem, outer), getattr(problem, inner), stride, dilation)
        read = np.where(counts[inner] == 1, once, read)
    return np.asarray(read, np.float64)
