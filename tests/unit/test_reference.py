"""The NumPy reference against loops that anyone can read."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from maerisim.errors import ValuesError
from maerisim.reference import HIGHEST, LOWEST, Operands, random_operands, reference_outputs
from maerisim.workload import Problem

pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
problems = st.builds(
    Problem,
    **{name: st.integers(1, 3) for name in ("N", "G", "K", "C", "R", "S", "P", "Q")},
    stride=pair,
    dilation=pair,
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
)


def naive_outputs(problem: Problem, operands: Operands) -> NDArray[np.int64]:
    shape = (problem.N, problem.G, problem.K, problem.P, problem.Q)
    outputs = np.zeros(shape, dtype=np.int64)
    for n, g, k, p, q in itertools.product(*map(range, shape)):
        total = 0
        for c, r, s in itertools.product(range(problem.C), range(problem.R), range(problem.S)):
            row = p * problem.stride[0] + r * problem.dilation[0]
            column = q * problem.stride[1] + s * problem.dilation[1]
            total += int(operands.inputs[n, g, c, row, column]) * int(operands.weights[g, k, c, r, s])
        outputs[n, g, k, p, q] = total
    return outputs


@given(problem=problems, seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=60)
def test_equals_the_naive_loops(problem: Problem, seed: int) -> None:
    operands = random_operands(problem, seed)
    outputs = reference_outputs(problem, operands)
    assert outputs.dtype == np.int64
    np.testing.assert_array_equal(outputs, naive_outputs(problem, operands))


@given(problem=problems)
@settings(deadline=None, max_examples=20)
def test_large_values_stay_exact(problem: Problem) -> None:
    operands = random_operands(problem, 1)
    large = Operands(operands.inputs * 2**30 + 1, operands.weights * 2**24 + 1)
    np.testing.assert_array_equal(reference_outputs(problem, large), naive_outputs(problem, large))


@given(problem=problems, seed=st.integers(0, 100))
@settings(deadline=None)
def test_operands_are_small_reproducible_and_padded(problem: Problem, seed: int) -> None:
    operands = random_operands(problem, seed)
    again = random_operands(problem, seed)
    for values, repeated in zip(operands, again, strict=True):
        assert values.dtype == np.int64
        assert values.min() >= LOWEST
        assert values.max() <= HIGHEST
        np.testing.assert_array_equal(values, repeated)
    rows, columns = problem.padding
    inputs = operands.inputs
    assert inputs.shape == (problem.N, problem.G, problem.C, problem.H, problem.W)
    assert not inputs[..., :rows, :].any()
    assert not inputs[..., :columns].any()
    assert not inputs[..., max(0, problem.H - rows) :, :].any()
    assert not inputs[..., max(0, problem.W - columns) :].any()


def test_random_operands_use_the_whole_range_and_the_seed() -> None:
    problem = Problem(C=64, K=64)
    assert set(np.unique(random_operands(problem, 0).weights)) == set(range(LOWEST, HIGHEST + 1))
    assert (random_operands(problem, 0).weights != random_operands(problem, 1).weights).any()


def test_wrong_shapes() -> None:
    operands = random_operands(Problem(C=3, K=2), 0)
    with pytest.raises(ValuesError, match="expected"):
        reference_outputs(Problem(C=2, K=2), operands)
