"""Zeros around an input: the same outputs as strides fit into it, or other numbers of them on each of the four sides."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from maerisim.documents import validate
from maerisim.engine.run import EngineName
from maerisim.errors import DocumentError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.document import MappingFile, dump_mappings, load_mappings
from maerisim.memory.blocks import compulsory_words
from maerisim.ways.way import simulate
from maerisim.workload.layers import AvgPool2d, Conv2d, MaxPool2d
from maerisim.workload.network import Network
from maerisim.workload.problem import Problem
from maerisim.workload.reference import Operands, random_operands
from mapper import find_mapping
from tests.strategies import hardwares

HARDWARE = Hardware.load("maeri-16")
pair = st.tuples(st.integers(1, 3), st.integers(1, 3))


def layer(**fields: Any) -> Any:
    return validate(Network, {"name": "n", "layers": [{"name": "a", **fields}]}, "test").layers[0]


def padded(inputs: NDArray[np.int64], sides: tuple[int, ...], blank: int) -> NDArray[np.int64]:
    top, left, bottom, right = sides
    return np.pad(inputs, [(0, 0)] * (inputs.ndim - 2) + [(top, bottom), (left, right)], constant_values=blank)


def by_windows(inputs: NDArray[np.int64], weights: NDArray[np.int64], stride: tuple[int, int]) -> NDArray[np.int64]:
    """The convolution of inputs (C, H, W) with their padding by weights (K, C, R, S)."""
    windows = np.lib.stride_tricks.sliding_window_view(inputs, weights.shape[2:], axis=(1, 2))
    return np.einsum("cpqrs,kcrs->kpq", windows[:, :: stride[0], :: stride[1]], weights)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "dilation", "expected"),
    [
        # tf.nn.convolution: ceil(size / stride) outputs, the odd zero at the end.
        (224, 3, 2, 1, (0, 1)),
        (224, 7, 2, 1, (2, 3)),
        (112, 3, 2, 1, (0, 1)),
        (15, 3, 2, 1, (1, 1)),
        (28, 2, 1, 1, (0, 1)),
        (28, 3, 1, 1, (1, 1)),
        (28, 3, 1, 2, (2, 2)),
        (28, 1, 2, 1, (0, 0)),
        (7, 3, 3, 1, (1, 1)),
        (8, 5, 3, 1, (1, 2)),
    ],
)
def test_the_same_is_tensorflows(size: int, kernel: int, stride: int, dilation: int, expected: tuple[int, int]) -> None:
    found = Conv2d(
        input=[2, size, 1], filters=1, kernel=[kernel, 1], stride=stride, dilation=dilation, padding="same"
    ).problem
    before, after = expected
    assert -(-size // stride) == found.P
    assert found.padding == ((before, 0) if before == after else (before, 0, after, 0))
    pooled = MaxPool2d(input=[2, size, 1], kernel=[kernel, 1], stride=stride, padding="same").problem
    assert -(-size // stride) == pooled.P


@given(
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    kernel=pair,
    stride=pair,
    sides=st.tuples(*[st.integers(0, 3)] * 4),
    same=st.booleans(),
    seed=st.integers(0, 99),
    hardware=hardwares(32, controllers=False),
)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_both_engines_compute_what_numpy_does_with_the_padded_input(
    size: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    sides: tuple[int, int, int, int],
    same: bool,
    seed: int,
    hardware: Hardware,
) -> None:
    if same:
        # As TensorFlow's documentation has it, written another way: what is left of the last window.
        left = [k - (n % s or s) for n, k, s in zip(size, kernel, stride, strict=True)]
        total = [max(0, each) for each in left]
        sides = (total[0] // 2, total[1] // 2, total[0] - total[0] // 2, total[1] - total[1] // 2)
    elif any(n + sides[a] + sides[a + 2] < k for a, (n, k) in enumerate(zip(size, kernel, strict=True))):
        return
    found = Conv2d(input=[2, *size], filters=3, kernel=kernel, stride=stride, padding="same" if same else sides).problem
    generator = np.random.default_rng(seed)
    inputs, weights = generator.integers(-8, 8, (2, *size)), generator.integers(-8, 8, (3, 2, *kernel))
    around = padded(inputs, sides, 0)
    expected = by_windows(around, weights, stride)
    assert expected.shape == (found.K, found.P, found.Q)
    operands = Operands(around[None, None, :, : found.H, : found.W], weights[None])
    chosen = find_mapping(found, hardware).mapping
    for engine in ("event", "compiled"):
        result = simulate(found, chosen, hardware, engine=engine, operands=operands)
        assert result.outputs is not None
        np.testing.assert_array_equal(result.outputs[0, 0], expected)
    drawn = random_operands(found, seed).inputs[0, 0]
    rows, columns = (max(0, n - sides[axis + 2]) for axis, n in enumerate((found.H, found.W)))
    outside = np.ones(drawn.shape, np.bool_)
    outside[:, sides[0] : rows, sides[1] : columns] = False
    assert not drawn[outside].any()


@pytest.mark.parametrize("engine", ["event", "compiled"])
@pytest.mark.parametrize("kind", [MaxPool2d, AvgPool2d])
def test_pooling_over_other_padding_behind_than_before(engine: EngineName, kind: Any) -> None:
    problem = kind(input=[3, 6, 6], kernel=3, stride=2, padding="same").problem
    assert problem.padding == (0, 0, 1, 1)
    inputs = np.random.default_rng(1).integers(-8, 8, (3, 6, 6))
    around = padded(inputs, (0, 0, 1, 1), problem.identity)
    found = simulate(
        problem,
        find_mapping(problem, HARDWARE).mapping,
        HARDWARE,
        engine=engine,
        operands=Operands(around[None, :, None], np.zeros(0, np.int64)),
    )
    assert found.outputs is not None
    for channel, row, column in product(range(3), range(3), range(3)):
        window = inputs[channel, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
        assert found.outputs[0, channel, 0, row, column] == (window.max() if kind is MaxPool2d else window.sum())


def test_padding_is_not_read_from_dram() -> None:
    """A window of 3 with one row more of zeros before than behind, and none beside."""
    problem = Problem(C=2, R=3, S=3, P=6, Q=4, padding=(2, 0, 1, 0))
    assert compulsory_words(problem)["inputs"] == 2 * (8 - 3) * 6


def test_the_sides_of_a_layer_within_fused_ones() -> None:
    network = {
        "name": "n",
        "layers": [
            {
                "name": "pair",
                "op": "fused",
                "layers": [
                    {"name": "one", "op": "conv2d", "input": [2, 32, 32], "filters": 4, "kernel": 1},
                    {"name": "two", "op": "conv2d", "input": [4, 32, 32], "filters": 2, "kernel": 3, "stride": 2,
                     "padding": "same"},
                ],
            }
        ],
    }  # fmt: skip
    fused = validate(Network, network, "test").layers[0].fused  # type: ignore[union-attr]
    assert fused.second.padding == (0, 0, 1, 1)
    smaller = fused.scaled(4000)
    assert smaller.second.P < fused.second.P
    assert (smaller.first.P, smaller.first.Q) == (smaller.second.H - 1, smaller.second.W - 1)


def test_equal_sides_are_two_numbers() -> None:
    sizes = {"op": "conv2d", "input": [1, 8, 8], "filters": 1, "kernel": 3}
    assert layer(**sizes, padding=[1, 2, 1, 2]).problem == layer(**sizes, padding=[1, 2]).problem
    assert layer(**sizes, padding="same").problem == layer(**sizes, padding=1).problem


@pytest.mark.parametrize(
    ("padding", "message"),
    [
        ([1, 2, 3], "padding: expected an integer, [height, width] or [top, left, bottom, right], found the list"),
        ([1, 2, 3, -1], "padding: expected at least 0, found the list [1, 2, 3, -1]"),
        ("Same", "padding: expected same or an integer, found 'Same' (did you mean 'same'?)"),
        ("SAME_UPPER", "padding: expected same or an integer, found 'SAME_UPPER' (did you mean 'same'?)"),
        ("valid", "padding: expected same or an integer, found 'valid'"),
        (1.5, "padding: expected an integer, [height, width] or [top, left, bottom, right], found 1.5"),
        (True, "padding: expected an integer"),
        ([0, 0, 2**41, 0], "padding: expected at most 1099511627776"),
    ],
)
def test_what_is_no_padding(padding: Any, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        layer(op="conv2d", input=[1, 8, 8], filters=1, kernel=3, padding=padding)
    assert any(message in problem for problem in caught.value.problems), caught.value.problems


def test_a_pooling_has_at_most_half_a_window_on_any_side() -> None:
    with pytest.raises(DocumentError, match="padding: 2 beside a kernel of 3, more than half of it"):
        layer(op="max_pool2d", input=[1, 8, 8], kernel=3, padding=[0, 0, 2, 0])


def test_mapping_files_keep_four_sides(tmp_path: Path) -> None:
    problem = Conv2d(input=[2, 8, 8], filters=2, kernel=3, stride=2, padding="same").problem
    mapping = find_mapping(problem, HARDWARE).mapping
    dump_mappings(MappingFile.of("h", "n", {"a": (problem, mapping)}), tmp_path / "m.yaml")
    found = load_mappings(tmp_path / "m.yaml")
    assert found.layers["a"].problem.as_problem() == problem
    assert found.mapping_for("a", problem) == mapping
