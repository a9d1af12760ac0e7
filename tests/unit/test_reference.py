"""The NumPy reference against loops that anyone can read."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from maerisim.errors import ValuesError
from maerisim.workload.problem import LEAST, Operation, Problem
from maerisim.workload.reference import HIGHEST, LOWEST, Operands, random_operands, reference_outputs

pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
problems = st.builds(
    Problem,
    **{name: st.integers(1, 3) for name in ("N", "G", "K", "C", "R", "S", "P", "Q")},
    stride=pair,
    dilation=pair,
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    operation=st.sampled_from(["multiply", "multiply", "add", "max"]),
)


def naive_outputs(problem: Problem, operands: Operands) -> NDArray[np.int64]:
    shape = (problem.N, problem.G, problem.K, problem.P, problem.Q)
    outputs = np.zeros(shape, dtype=np.int64)
    for n, g, k, p, q in itertools.product(*map(range, shape)):
        words = []
        for c, r, s in itertools.product(range(problem.C), range(problem.R), range(problem.S)):
            row = p * problem.stride[0] + r * problem.dilation[0]
            column = q * problem.stride[1] + s * problem.dilation[1]
            word = int(operands.inputs[n, g, c, row, column])
            words.append(word if problem.pools else word * int(operands.weights[g, k, c, r, s]))
        outputs[n, g, k, p, q] = max(words) if problem.operation == "max" else sum(words)
    return outputs


@given(problem=problems, seed=st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=60)
def test_equals_the_naive_loops(problem: Problem, seed: int) -> None:
    operands = random_operands(problem, seed)
    outputs = reference_outputs(problem, operands)
    assert outputs.dtype == np.int64
    np.testing.assert_array_equal(outputs, naive_outputs(problem, operands))


@given(problem=problems.filter(lambda problem: not problem.pools))
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
        np.testing.assert_array_equal(values, repeated)
    rows, columns = problem.padding
    inputs, weights = operands
    assert inputs.shape == (problem.N, problem.G, problem.C, problem.H, problem.W)
    assert weights.size == (0 if problem.pools else problem.weights)
    padded = np.ones(inputs.shape, np.bool_)
    padded[..., rows : max(0, problem.H - rows), columns : max(0, problem.W - columns)] = False
    assert (inputs[padded] == (LEAST if problem.operation == "max" else 0)).all()
    for values in (inputs[~padded], weights):
        assert ((values >= LOWEST) & (values <= HIGHEST)).all()


@pytest.mark.parametrize("operation", ["add", "max"])
def test_padding_changes_no_pooled_output(operation: Operation) -> None:
    inputs = random_operands(Problem(G=3, R=4, S=4, operation=operation), 5).inputs
    padded = Problem(G=3, R=4, S=4, P=2, Q=2, stride=(2, 2), padding=(1, 1), operation=operation)
    around = np.full(padded.input_shape, padded.identity)
    around[..., 1:5, 1:5] = inputs
    nothing = np.zeros(0, np.int64)
    whole = reference_outputs(padded, Operands(around, nothing))[0, :, 0]
    corner = reference_outputs(Problem(G=3, R=3, S=3, operation=operation), Operands(inputs[..., :3, :3], nothing))
    np.testing.assert_array_equal(whole[:, 0, 0], corner[0, :, 0, 0, 0])


def test_random_operands_use_the_whole_range_and_the_seed() -> None:
    problem = Problem(C=64, K=64)
    assert set(np.unique(random_operands(problem, 0).weights)) == set(range(LOWEST, HIGHEST + 1))
    assert (random_operands(problem, 0).weights != random_operands(problem, 1).weights).any()


def test_wrong_shapes() -> None:
    operands = random_operands(Problem(C=3, K=2), 0)
    with pytest.raises(ValuesError, match="expected"):
        reference_outputs(Problem(C=2, K=2), operands)
