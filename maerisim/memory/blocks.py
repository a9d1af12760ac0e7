"""A layer in blocks that follow one another through the global buffer, and the words that each moves from and to DRAM.

A block is a box of the loop nest: so many tiles of each dimension. Each is a smaller layer with the same mapping, and the
fabric takes one after the other, in a loop order of their own.

- What a block shares with the one before stays in the buffer and is not read again; nothing stays for longer.
- Outputs leave once they are complete. Those that are not stay while the blocks that follow continue the same ones; else
  they are written to DRAM and read again. What a block adds to them is added at the collection side.
- Padding is made on the chip: it is never read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from maerisim.arrays import Ints
from maerisim.mapping.buffer_fit import OUTPUTS, WEIGHTS, BufferUse, occupancy
from maerisim.mapping.mapping import REDUCED, Mapping
from maerisim.workload.problem import DIMENSIONS, FusedProblem, Problem
from maerisim.workload.windows import real_lines

if TYPE_CHECKING:
    from maerisim.kernels.stepping.transfers import Schedule


class Shape(NamedTuple):
    """Blocks of the same size: the layer that each of them is, its mapping, and how many there are."""

    problem: Problem
    mapping: Mapping
    blocks: int


class Transfers(NamedTuple):
    """Words that each block [block] moves: read before it runs, and written after it."""

    weights: Ints
    inputs: Ints
    partial_sums: Ints
    """Outputs begun by earlier blocks, back from DRAM."""
    outputs: Ints
    """Complete outputs written."""
    unfinished: Ints
    """Partial sums written."""
    first_of_outputs: npt.NDArray[np.bool_]
    """Whether a block works on other outputs than the one before."""


@dataclass(frozen=True)
class Blocks:
    """A ``problem`` with a ``mapping`` in blocks that cover ``extent`` of each dimension, less at the edges.

    ``order`` is that of the loops from block to block, outermost first.
    """

    problem: Problem
    mapping: Mapping
    extent: tuple[int, ...]
    order: tuple[str, ...] = DIMENSIONS

    @cached_property
    def counts(self) -> dict[str, int]:
        """Blocks along each dimension."""
        return {
            d: -(-size // extent) for d, size, extent in zip(DIMENSIONS, self.problem.dims, self.extent, strict=True)
        }

    def __len__(self) -> int:
        return prod(self.counts.values())

    @cached_property
    def occupancy(self) -> BufferUse:
        """What the blocks need of the global buffer."""
        return occupancy(self.problem, dict(zip(DIMENSIONS, self.extent, strict=True)))

    @cached_property
    def places(self) -> dict[str, Ints]:
        """Where each block [block] lies along each dimension, counted in blocks."""
        numbers = np.unravel_index(np.arange(len(self)), [self.counts[d] for d in self.order])
        return {d: np.asarray(number, np.int64) for d, number in zip(self.order, numbers, strict=True)}

    def ranges(self, place: dict[str, int]) -> dict[str, range]:
        """What the block at a place covers of each dimension."""
        return {
            d: range(place[d] * extent, min((place[d] + 1) * extent, size))
            for d, size, extent in zip(DIMENSIONS, self.problem.dims, self.extent, strict=True)
        }

    @cached_property
    def shapes(self) -> list[Shape]:
        """The kinds of blocks; :attr:`shape_of` says which each is."""
        return [
            self._shape(
                {d: size for d, (size, _) in zip(self.order, sizes, strict=True)}, prod(blocks for _, blocks in sizes)
            )
            for sizes in product(*(self._sizes(d) for d in self.order))
        ]

    @cached_property
    def shape_of(self) -> Ints:
        """The number of its shape for each block."""
        number = np.zeros(len(self), np.int64)
        for d in self.order:
            kinds = len(self._sizes(d))
            number = number * kinds + (self.places[d] == self.counts[d] - 1) * (kinds - 1)
        return number

    def _sizes(self, d: str) -> list[tuple[int, int]]:
        """Sizes of blocks along a dimension, each with the number of blocks that have it; the partial one last."""
        at = DIMENSIONS.index(d)
        size, extent, count = self.problem.dims[at], self.extent[at], self.counts[d]
        partial = size - (count - 1) * extent
        return [(extent, count)] if partial == extent else [(extent, count - 1), (partial, 1)]

    def _shape(self, sizes: dict[str, int], blocks: int) -> Shape:
        if len(self) == 1:
            return Shape(self.problem, self.mapping, 1)
        values: dict[str, Any] = sizes
        of_block = replace(self.problem, **values, padding=(0, 0))
        # A tile beyond the layer is filled up with zeros.
        filled = {d: tile for d, tile in self.mapping.T.items() if tile > self.problem.dims[DIMENSIONS.index(d)]}
        return Shape(of_block, self.mapping.within(sizes | filled), blocks)

    @cached_property
    def transfers(self) -> Transfers:
        """The words that each block moves."""
        places, blocks = self.places, len(self)
        sizes = {d: self._size_at(d) for d in DIMENSIONS}

        def words(dimensions: Sequence[str]) -> Ints:
            return np.asarray(np.prod([sizes[d] for d in dimensions], axis=0, dtype=np.int64))

        def changes(dimensions: frozenset[str]) -> npt.NDArray[np.bool_]:
            """Whether a block lies elsewhere in these dimensions than the one before."""
            changed = np.zeros(blocks, np.bool_)
            changed[0] = True
            for d in dimensions:
                changed[1:] |= np.diff(places[d]) != 0
            return changed

        if self.problem.pools:
            weights = np.zeros(blocks, np.int64)
        elif blocks == 1:
            weights = np.array([self.problem.weights])
        else:
            weights = words(sorted(WEIGHTS)) * changes(WEIGHTS)
        rows, same_rows = self._lines("P", "R", 0)
        columns, same_columns = self._lines("Q", "S", 1)
        same_plane = ~changes(frozenset("NGC")) * same_rows * same_columns
        inputs = words("NGC") * (rows * columns - same_plane)
        outputs, begins = words(sorted(OUTPUTS)), changes(OUTPUTS)
        ends = np.append(begins[1:], True)
        fresh, complete = np.ones(blocks, np.bool_), np.ones(blocks, np.bool_)
        for d in REDUCED:
            fresh &= places[d] == 0
            complete &= places[d] == self.counts[d] - 1
        return Transfers(
            weights=weights,
            inputs=inputs,
            partial_sums=outputs * (begins & ~fresh),
            outputs=outputs * (ends & complete),
            unfinished=outputs * (ends & ~complete),
            first_of_outputs=begins,
        )

    @property
    def folds(self) -> int:
        """Blocks that work on each output."""
        return prod(self.counts[d] for d in REDUCED)

    def _size_at(self, d: str) -> Ints:
        """How much of a dimension each block covers."""
        at = DIMENSIONS.index(d)
        size, extent = self.problem.dims[at], self.extent[at]
        return np.minimum(extent, size - self.places[d] * extent)

    def _lines(self, outer: str, inner: str, axis: int) -> tuple[Ints, Ints]:
        """Input rows (axis 0) or columns (1) of each block, and those that the block before has too; without padding."""
        count = self.counts[inner]
        window = self.places[outer] * count + self.places[inner]
        before = np.concatenate([window[:1], window[:-1]])
        pairs, pair_of = np.unique(window * (self.counts[outer] * count) + before, return_inverse=True)
        touched = {
            number: real_lines(self.problem, axis, *self._window(outer, inner, number))
            for number in np.unique(window).tolist()
        }
        found = np.zeros((len(pairs), 2), np.int64)
        for place, pair in enumerate(pairs.tolist()):
            now, last = divmod(pair, self.counts[outer] * count)
            shared = touched[now] if now == last else np.intersect1d(touched[now], touched[last], assume_unique=True)
            found[place] = len(touched[now]), len(shared)
        return found[pair_of, 0], found[pair_of, 1]

    def _window(self, outer: str, inner: str, number: int) -> tuple[range, range]:
        ranges = self.ranges(
            dict.fromkeys(DIMENSIONS, 0) | dict(zip((outer, inner), divmod(number, self.counts[inner]), strict=True))
        )
        return ranges[outer], ranges[inner]


def unlimited_use(problem: Problem, mapping: Mapping, cycles: int) -> MemoryUse:
    """The use of a layer that took so many ``cycles`` where neither the buffer nor DRAM limits it: all in one block."""
    return memory_use(Blocks(problem, mapping, problem.dims), cycles=cycles, compute_cycles=cycles, dram_cycles=0)


def fused_use(problem: FusedProblem, mappings: tuple[Mapping, Mapping], cycles: int) -> MemoryUse:
    """The use of two fused layers: the words between them lie in the global buffer, and do not go to DRAM."""
    first, second = (
        unlimited_use(layer, mapping, cycles)
        for layer, mapping in zip((problem.first, problem.second), mappings, strict=True)
    )
    return replace(
        first,
        buffer_words=first.buffer_words + second.buffer_words - problem.intermediate_words,
        read=first.read | {"weights": first.read["weights"] + second.read["weights"]},
        written=second.written,
        block_weights=first.block_weights + second.block_weights,
    )


def compulsory_words(problem: Problem) -> dict[str, int]:
    """Words that have to cross the boundary to DRAM however large the buffer is: operands once, outputs once.

    Padding is made on the chip. Of sparse weights the nonzero words count, not the bitmap.
    """
    rows = len(real_lines(problem, 0, range(problem.P), range(problem.R)))
    columns = len(real_lines(problem, 1, range(problem.Q), range(problem.S)))
    return {
        "inputs": problem.N * problem.G * problem.C * rows * columns,
        "weights": problem.weights,
        "outputs": problem.outputs,
    }


@dataclass(frozen=True)
class MemoryUse:
    """What a layer takes of global buffer and DRAM: ``blocks``, the most words in the buffer, the words ``read`` and
    ``written`` by operand, the cycles of all blocks on the fabric (``compute_cycles``), those in which the DRAM channel
    was busy, and those in which the fabric waited, for words or at the end for the last outputs to leave. ``block_weights``
    are the weights of one block, ``schedule`` all of them in turn where there was one to follow.
    """

    blocks: int
    buffer_words: int
    read: dict[str, int]
    written: dict[str, int]
    compute_cycles: int
    dram_cycles: int
    waiting_cycles: int
    block_weights: int
    schedule: Schedule | None = field(default=None, compare=False, repr=False)

    @property
    def words(self) -> int:
        """All words from and to DRAM."""
        return sum(self.read.values()) + sum(self.written.values())


def memory_use(
    blocks: Blocks, *, cycles: int, compute_cycles: int, dram_cycles: int, schedule: Schedule | None = None
) -> MemoryUse:
    """The use of a layer in ``blocks`` that took so many cycles in all, on the fabric and on the DRAM channel."""
    moved = blocks.transfers

    def total(words: Ints) -> int:
        return int(words.sum())

    return MemoryUse(
        blocks=len(blocks),
        buffer_words=int(blocks.occupancy.total),
        read={
            "inputs": total(moved.inputs),
            "partial_sums": total(moved.partial_sums),
            "weights": total(moved.weights),
        },
        written={"outputs": total(moved.outputs), "partial_sums": total(moved.unfinished)},
        compute_cycles=compute_cycles,
        dram_cycles=dram_cycles,
        waiting_cycles=cycles - compute_cycles,
        block_weights=int(blocks.occupancy.weights),
        schedule=schedule,
    )
