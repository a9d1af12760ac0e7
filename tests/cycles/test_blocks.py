"""The words that blocks move, against sets of words followed one by one."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maerisim.errors import MappingError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.buffer_fit import fits_buffer, occupancy
from maerisim.mapping.mapping import Mapping
from maerisim.memory.blocks import Blocks, compulsory_words
from maerisim.memory.cuts import cuts
from maerisim.ways.way import estimate, violations
from maerisim.workload.problem import DIMENSIONS, Problem
from maerisim.workload.sparsity import Sparsity
from maerisim.workload.windows import lines
from tests.strategies import problems

HARDWARE = Hardware.load("maeri-16")
Word = tuple[int, ...]


@st.composite
def cut_layers(draw: st.DrawFn) -> Blocks:
    problem = draw(problems(600))
    padding = draw(st.tuples(st.integers(0, 1), st.integers(0, 1)))
    sizes: dict[str, object] = dict(zip(DIMENSIONS, problem.dims, strict=True))
    problem = Problem(
        **sizes,  # type: ignore[arg-type]
        stride=problem.stride,
        dilation=problem.dilation,
        padding=padding,
        operation=problem.operation,
    )
    extent = tuple(draw(st.integers(1, size)) for size in problem.dims)
    return Blocks(problem, Mapping.of({}), extent, tuple(draw(st.permutations(DIMENSIONS))))


def places_of(blocks: Blocks) -> list[dict[str, range]]:
    """What each block covers, by nested loops in the order of the blocks."""
    size = dict(zip(DIMENSIONS, blocks.problem.dims, strict=True))
    extent = dict(zip(DIMENSIONS, blocks.extent, strict=True))
    starts = product(*(range(0, size[d], extent[d]) for d in blocks.order))
    return [
        {d: range(first, min(first + extent[d], size[d])) for d, first in zip(blocks.order, start, strict=True)}
        for start in starts
    ]


def input_words(problem: Problem, at: dict[str, range], *, padding: bool) -> set[Word]:
    """The input words under the windows of a block; without those that are padding unless these are asked for."""
    found = set()
    for n, g, c, r, s, p, q in product(*(at[d] for d in "NGCRSPQ")):
        row = p * problem.stride[0] + r * problem.dilation[0]
        column = q * problem.stride[1] + s * problem.dilation[1]
        inside = (
            problem.padding[0] <= row < problem.H - problem.padding[0]
            and problem.padding[1] <= column < problem.W - problem.padding[1]
        )
        if inside or padding:
            found.add((n, g, c, row, column))
    return found


def box(at: dict[str, range], dimensions: str) -> set[Word]:
    return set(product(*(at[d] for d in dimensions)))


@settings(max_examples=150, deadline=None)
@given(cut_layers())
def test_words_are_those_that_are_not_in_the_buffer_already(blocks: Blocks) -> None:
    problem, places = blocks.problem, places_of(blocks)
    folds_left = dict.fromkeys(box(dict(zip(DIMENSIONS, map(range, problem.dims), strict=True)), "NGKPQ"), 0)
    for at in places:
        for word in box(at, "NGKPQ"):
            folds_left[word] += 1
    begun: set[Word] = set()
    weights: set[Word] = set()
    inputs: set[Word] = set()
    outputs: set[Word] = set()
    moved = blocks.transfers
    for number, at in enumerate(places):
        needed = set() if problem.pools else box(at, "GKCRS")
        assert moved.weights[number] == len(needed - weights)
        weights, needed = needed, input_words(problem, at, padding=False)
        assert moved.inputs[number] == len(needed - inputs)
        inputs, needed = needed, box(at, "NGKPQ")
        assert moved.first_of_outputs[number] == (needed != outputs)
        assert moved.partial_sums[number] == len((needed - outputs) & begun)
        outputs = needed
        begun |= outputs
        for word in outputs:
            folds_left[word] -= 1
        leaving = outputs if number + 1 == len(places) else outputs - box(places[number + 1], "NGKPQ")
        assert moved.outputs[number] == sum(folds_left[word] == 0 for word in leaving)
        assert moved.unfinished[number] == sum(folds_left[word] > 0 for word in leaving)
    assert len(places) == len(blocks)
    assert moved.outputs.sum() == problem.outputs


@settings(max_examples=100, deadline=None)
@given(cut_layers())
def test_shapes_are_the_sizes_of_the_blocks(blocks: Blocks) -> None:
    found = [blocks.shapes[number].problem.dims for number in blocks.shape_of]
    assert found == [tuple(len(at[d]) for d in DIMENSIONS) for at in places_of(blocks)]
    assert [shape.blocks for shape in blocks.shapes] == np.bincount(blocks.shape_of).tolist()


@settings(max_examples=100, deadline=None)
@given(cut_layers())
def test_the_buffer_holds_the_largest_block_twice_where_blocks_differ(blocks: Blocks) -> None:
    places = places_of(blocks)
    needed = 0
    for sets in (
        [set() if blocks.problem.pools else box(at, "GKCRS") for at in places],
        [input_words(blocks.problem, at, padding=True) for at in places],
        [box(at, "NGKPQ") for at in places],
    ):
        needed += max(map(len, sets)) * (1 if all(words == sets[0] for words in sets) else 2)
    assert blocks.occupancy.total == needed


@pytest.mark.parametrize(("stride", "dilation"), list(product(range(1, 5), range(1, 5))))
def test_lines_under_neighbouring_windows(stride: int, dilation: int) -> None:
    for outputs, taps in product(range(1, 8), range(1, 6)):
        touched = {i * stride + j * dilation for i in range(outputs) for j in range(taps)}
        assert lines(outputs, taps, stride, dilation) == len(touched)


def test_one_block_moves_what_is_compulsory() -> None:
    problem = Problem(N=2, K=4, C=3, R=3, S=3, P=8, Q=8, padding=(1, 1))
    moved = Blocks(problem, Mapping.of({}), problem.dims).transfers
    # 8 x 8 outputs of a padded 3 x 3 convolution have 8 x 8 inputs.
    assert moved.inputs.tolist() == [2 * 3 * 8 * 8]
    assert moved.weights.tolist() == [4 * 3 * 3 * 3]
    assert moved.outputs.tolist() == [2 * 4 * 8 * 8]
    assert compulsory_words(problem) == {"inputs": 384, "weights": 108, "outputs": 512}


def test_a_mapping_whose_smallest_block_does_not_fit_is_refused_with_the_numbers() -> None:
    problem = Problem(K=8, C=4, R=3, S=3, P=6, Q=6)
    mapping = Mapping.of({"R": 3, "S": 3})
    # One tile: 9 weights, a window of 9 inputs, 1 output; each operand changes from block to block.
    roomy, tight = (HARDWARE.with_overrides({"global_buffer.words": words}) for words in (38, 37))
    assert violations(problem, mapping, roomy) == []
    (refusal,) = violations(problem, mapping, tight)
    assert refusal.startswith("a block of one tile takes 38 words of the global buffer (weights 2 × 9, inputs 2 × 9, ")
    assert refusal.endswith("outputs 2 × 1), 37 are there")
    with pytest.raises(MappingError, match="37 are there"):
        estimate(problem, mapping, tight)


@settings(max_examples=100, deadline=None)
@given(cut_layers(), st.integers(1, 400))
def test_tiles_are_filtered_as_mappings_are_checked(blocks: Blocks, words: int) -> None:
    hardware = HARDWARE.with_overrides({"global_buffer.words": words, "multipliers": 4096})
    tiles = np.array([blocks.extent, [1] * 8, blocks.problem.dims], np.int32)
    refused = [
        [text for text in violations(blocks.problem, Mapping(tuple(tile)), hardware) if "global buffer" in text]  # type: ignore[arg-type]
        for tile in tiles.tolist()
    ]
    assert fits_buffer(blocks.problem, tiles, hardware).tolist() == [not texts for texts in refused]


@settings(max_examples=60, deadline=None)
@given(cut_layers(), st.integers(20, 2000))
def test_cuts_fit_the_buffer_in_whole_tiles(blocks: Blocks, words: int) -> None:
    hardware = HARDWARE.with_overrides({"global_buffer.words": words, "multipliers": 4096})
    mapping = Mapping(blocks.extent)  # type: ignore[arg-type]
    if violations(blocks.problem, mapping, hardware):
        return
    found = cuts(blocks.problem, mapping, hardware, 1000)
    assert found
    for cut, _ in found:
        assert cut.occupancy.total <= words
        for size, extent, tile in zip(blocks.problem.dims, cut.extent, mapping.tile, strict=True):
            assert extent == size or extent % tile == 0


def test_occupancy_of_a_sparse_layer_counts_its_nonzero_weights() -> None:
    problem = Problem(K=2, C=4, sparsity=Sparsity(bitmap=("0101", "0001")))
    assert occupancy(problem, dict(zip(DIMENSIONS, problem.dims, strict=True)))[:3] == (3, 4, 2)
