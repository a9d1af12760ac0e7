"""What a layer computes, with NumPy and in exact integers: operands to simulate with, and the outputs to expect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maerisim.documents.sizes import behind
from maerisim.errors import ValuesError
from maerisim.workload.problem import FusedProblem, Problem

LOWEST, HIGHEST = -8, 7
"""Range of random operands: 4-bit integers."""

_EXACT_IN_FLOAT64 = 2**53


class Operands(NamedTuple):
    """Operands of a problem, int64: ``inputs`` (N, G, C, H, W) padded, ``weights`` (G, K, C, R, S) or none (0)."""

    inputs: NDArray[np.int64]
    weights: NDArray[np.int64]


class FusedOperands(NamedTuple):
    """Operands of two fused layers, int64: those of the first, and the weights of the second, whose inputs they make."""

    first: Operands
    weights: NDArray[np.int64]


def random_operands(problem: Problem, seed: int) -> Operands:
    """Operands drawn uniformly from [-8, 7], the same for the same seed; weights that the problem says so are zero.

    ``padding`` rows and columns at each side of the inputs hold what changes no output. A problem knows the input that
    it touches, not what lies beyond: where the last stride falls short of the border, they are the last rows touched.
    """
    generator = np.random.default_rng(seed)
    inputs = generator.integers(LOWEST, HIGHEST, problem.input_shape, dtype=np.int64, endpoint=True)
    for axis, (after, size) in enumerate(zip(behind(problem.padding), (problem.H, problem.W), strict=True)):
        across = np.moveaxis(inputs, 3 + axis, 0)
        across[: problem.padding[axis]] = problem.identity
        across[max(0, size - after) :] = problem.identity
    weights = generator.integers(LOWEST, HIGHEST, problem.weight_shape, dtype=np.int64, endpoint=True)
    if problem.sparsity is not None:
        weights *= problem.mask.reshape(problem.weight_shape)
    return Operands(inputs, weights)


def reference_outputs(problem: Problem, operands: Operands) -> NDArray[np.int64]:
    """The outputs (N, G, K, P, Q), int64: the grouped, strided and dilated convolution of the operands, or their pooling.

    Raises ValuesError when the operands do not have the shapes of the problem.
    """
    inputs, weights = operands
    expected = (problem.input_shape, problem.weight_shape)
    if (inputs.shape, weights.shape) != expected:
        msg = f"operands of shapes {inputs.shape} and {weights.shape}, expected {expected[0]} and {expected[1]}"
        raise ValuesError(msg)
    return _pooled(problem, inputs) if problem.pools else _convolved(problem, inputs, weights)


def random_fused_operands(problem: FusedProblem, seed: int) -> FusedOperands:
    """Operands of two fused layers, drawn as ``random_operands`` does."""
    return FusedOperands(random_operands(problem.first, seed), random_operands(problem.second, seed + 1).weights)


def fused_reference(problem: FusedProblem, operands: FusedOperands) -> NDArray[np.int64]:
    """The outputs (N, G, K, P, Q) of the second of two fused layers.

    Raises ValuesError when the operands do not have the shapes of the layers.
    """
    inputs = taken_in(problem, reference_outputs(problem.first, operands.first), problem.second.identity)
    return reference_outputs(problem.second, Operands(inputs, operands.weights))


def taken_in(problem: FusedProblem, words: NDArray[np.int64], blank: int) -> NDArray[np.int64]:
    """What the first of two fused layers gives (N, G, K, P, Q) as inputs of the second (N, G, C, H, W), ``blank`` where
    these are padding. Rows and columns that the last stride of the second does not reach are left out.
    """
    second = problem.second
    inputs = np.full(second.input_shape, blank, np.int64)
    images, _, rows, columns = problem.intermediate_shape
    between = words.reshape(images, second.G, second.C, rows, columns)
    top, left = second.padding[:2]
    inside = inputs[:, :, :, top : top + rows, left : left + columns]
    inside[...] = between[:, :, :, : inside.shape[3], : inside.shape[4]]
    return inputs


def _pooled(problem: Problem, inputs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sums or maxima over the channels and the window of each output; the K outputs of a group are all the same."""
    combine = np.maximum if problem.operation == "max" else np.add
    channels = combine.reduce(inputs, axis=2)
    pooled = np.full((problem.N, problem.G, problem.P, problem.Q), problem.identity, np.int64)
    for rows, columns, _ in _windows(problem):
        combine(pooled, channels[:, :, rows, columns], out=pooled)
    return np.repeat(pooled[:, :, None], problem.K, axis=2)


def _convolved(problem: Problem, inputs: NDArray[np.int64], weights: NDArray[np.int64]) -> NDArray[np.int64]:
    """By BLAS in float64 when no partial sum can leave the integers that float64 holds exactly, in int64 otherwise."""
    largest = _magnitude(inputs) * _magnitude(weights) * problem.C * problem.R * problem.S
    dtype = np.float64 if largest < _EXACT_IN_FLOAT64 else np.int64
    # Groups first, channels next: each filter tap is then one matrix product per group.
    channels = np.ascontiguousarray(inputs.transpose(1, 2, 0, 3, 4), dtype=dtype)
    taps = np.ascontiguousarray(weights.transpose(3, 4, 0, 1, 2), dtype=dtype)
    pixels = problem.N * problem.P * problem.Q
    sums = np.zeros((problem.G, problem.K, pixels), dtype=dtype)
    for rows, columns, tap in _windows(problem):
        sums += taps[tap] @ channels[:, :, :, rows, columns].reshape(problem.G, problem.C, pixels)
    outputs = sums.reshape(problem.G, problem.K, problem.N, problem.P, problem.Q).transpose(2, 0, 1, 3, 4)
    return np.ascontiguousarray(outputs, dtype=np.int64)


def _windows(problem: Problem) -> Iterator[tuple[slice, slice, tuple[int, int]]]:
    """The rows and columns that each filter tap (r, s) meets, one for each output."""
    for r in range(problem.R):
        rows = _touched(r * problem.dilation[0], problem.stride[0], problem.P)
        for s in range(problem.S):
            yield rows, _touched(s * problem.dilation[1], problem.stride[1], problem.Q), (r, s)


def _touched(first: int, step: int, count: int) -> slice:
    return slice(first, first + step * (count - 1) + 1, step)


def _magnitude(values: NDArray[np.int64]) -> int:
    return max(abs(int(values.min())), abs(int(values.max())))
