"""No blocks of whole windows move fewer DRAM words than the curve says, and at its ends the curve is what it must be."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maerisim.mapping.mapping import Mapping
from maerisim.memory.blocks import Blocks, compulsory_words
from maerisim.memory.buffer_curve import buffer_curve
from maerisim.workload.problem import DIMENSIONS, Problem


def words_of(blocks: Blocks) -> int:
    """All words that blocks move, one block after the other."""
    moved = blocks.transfers
    return sum(int(words.sum()) for words in moved[:5])


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    sizes = {d: draw(st.integers(1, most)) for d, most in zip("NGKCPQ", (2, 2, 5, 5, 5, 5), strict=True)}
    taps = {d: draw(st.integers(1, 3)) for d in "RS"}
    strides, dilations = (draw(st.tuples(st.integers(1, 3), st.integers(1, 2))) for _ in range(2))
    pools = draw(st.booleans())
    return Problem(
        **sizes, **taps, stride=strides, dilation=dilations, padding=draw(st.sampled_from([(0, 0), (1, 1)])),
        operation="max" if pools else "multiply",
    )  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(problem=problems(), data=st.data())
def test_no_blocks_move_fewer_words(problem: Problem, data: st.DataObject) -> None:
    extent = tuple(
        size if d in "RS" else data.draw(st.integers(1, size), label=d)
        for d, size in zip(DIMENSIONS, problem.dims, strict=True)
    )
    order = tuple(data.draw(st.permutations(DIMENSIONS)))
    blocks = Blocks(problem, Mapping.of({}), extent, order)
    least = buffer_curve(problem).least(int(blocks.occupancy.total))
    assert least is not None
    assert words_of(blocks) >= least


def test_without_windows_some_blocks_reach_the_curve_everywhere() -> None:
    problem = Problem(K=4, C=3, N=5)
    curve = buffer_curve(problem)
    reached: dict[int, int] = {}
    for k in range(1, 5):
        for c in range(1, 4):
            for n in range(1, 6):
                extent = (n, 1, k, c, 1, 1, 1, 1)
                for loops in permutations("NKC"):
                    order = (*(d for d in DIMENSIONS if d not in "NKC"), *loops)
                    blocks = Blocks(problem, Mapping.of({}), extent, order)
                    room = int(blocks.occupancy.total)
                    reached[room] = min(words_of(blocks), reached.get(room, 10**9))
    for room, words in zip(curve.buffer.tolist(), curve.words.tolist(), strict=True):
        assert words == min(moved for size, moved in reached.items() if size <= room)
    assert curve.buffer[0] == min(reached)


@pytest.mark.parametrize(
    "problem", [Problem(K=6, C=4, R=3, S=3, P=8, Q=8), Problem(G=8, R=2, S=2, P=4, Q=4, operation="add")]
)
def test_the_ends_of_the_curve(problem: Problem) -> None:
    curve = buffer_curve(problem)
    assert curve.words[-1] == sum(compulsory_words(problem).values())
    assert curve.least(int(curve.buffer[0]) - 1) is None
    assert curve.least(10**9) == curve.words[-1]
    assert (curve.words[1:] < curve.words[:-1]).all()
    assert (curve.buffer[1:] > curve.buffer[:-1]).all()
