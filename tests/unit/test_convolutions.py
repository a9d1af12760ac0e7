"""Convolutions in one and three dimensions and transposed ones: their loop nests compute what NumPy does.

Each layer is computed twice: tap by tap as its definition says, and by running its loop nests on parts of the same operands
in the simulator, with every cycle stepped and every value carried.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import maerisim
from maerisim import Conv1d, Conv2d, Conv3d, ConvTranspose2d, DocumentError, Hardware, Network, NotSupportedError
from maerisim.ways.way import simulate
from maerisim.workload.reference import Operands
from mapper import find_mapping

HARDWARE = Hardware.load("maeri-16")
SEED = 3


def drawn(*shape):
    return np.random.default_rng(SEED).integers(-8, 8, shape, dtype=np.int64)


def convolved(inputs, weights, stride, padding, dilation, groups):
    """(N, K, ...) of inputs (N, C, ...) and weights (K, C of a group, ...) in any number of dimensions."""
    inputs = np.pad(inputs, [(0, 0), (0, 0), *((p, p) for p in padding)])
    kernel = weights.shape[2:]
    sizes = [
        (size - (taps - 1) * d - 1) // s + 1
        for size, taps, s, d in zip(inputs.shape[2:], kernel, stride, dilation, strict=True)
    ]
    filters, channels = weights.shape[0] // groups, weights.shape[1]
    outputs = np.zeros((inputs.shape[0], weights.shape[0], *sizes), np.int64)
    for k in range(weights.shape[0]):
        first = k // filters * channels
        for taps in product(*map(range, kernel)):
            window = tuple(
                slice(t * d, t * d + (n - 1) * s + 1, s)
                for t, d, s, n in zip(taps, dilation, stride, sizes, strict=True)
            )
            for c in range(channels):
                outputs[:, k] += inputs[(slice(None), first + c, *window)] * weights[(k, c, *taps)]
    return outputs


def ran(problem, inputs, weights):
    """What the simulator makes of inputs (N, channels, rows, columns), all that is touched, and weights (K, C, R, S)."""
    n, g, c = problem.N, problem.G, problem.C
    inputs = inputs.reshape(n, g, c, *inputs.shape[2:])[:, :, :, : problem.H, : problem.W]
    weights = weights.reshape(g, problem.K, c, problem.R, problem.S)
    mapping = find_mapping(problem, HARDWARE).mapping
    result = simulate(problem, mapping, HARDWARE, operands=Operands(np.ascontiguousarray(inputs), weights))
    return result.outputs.reshape(n, g * problem.K, problem.P, problem.Q)


small = st.integers(1, 3)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_in_one_dimension(data):
    groups, length, taps = data.draw(st.sampled_from([1, 2])), data.draw(st.integers(3, 9)), data.draw(small)
    stride, padding, dilation = data.draw(small), data.draw(st.integers(0, 2)), data.draw(st.integers(1, 2))
    padding = max(padding, (taps - 1) * dilation + 1 - length)
    layer = Conv1d(
        input=[2 * groups, length],
        filters=3 * groups,
        kernel=taps,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        batch=2,
    )
    inputs, weights = drawn(2, 2 * groups, length), drawn(3 * groups, 2, taps)
    expected = convolved(inputs, weights, (stride,), (padding,), (dilation,), groups)
    padded = np.pad(inputs, [(0, 0), (0, 0), (padding, padding)])[:, :, None]
    assert np.array_equal(ran(layer.problem, padded, weights)[:, :, 0], expected)
    assert layer.macs == expected.size * 2 * taps


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_in_three_dimensions(data):
    groups = data.draw(st.sampled_from([1, 2]))

    def draw(strategy):
        return tuple(data.draw(strategy) for _ in range(3))

    size, taps, stride, dilation = draw(st.integers(2, 5)), draw(small), draw(small), draw(st.integers(1, 2))
    padding = tuple(
        max(data.draw(st.integers(0, 1)), (t - 1) * d + 1 - n) for t, d, n in zip(taps, dilation, size, strict=True)
    )
    layer = Conv3d(
        input=[2 * groups, *size],
        filters=groups,
        kernel=taps,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        batch=2,
    )
    inputs, weights = drawn(2, 2 * groups, *size), drawn(groups, 2, *taps)
    expected = convolved(inputs, weights, stride, padding, dilation, groups)
    assert layer.output == expected.shape[2:]
    assert layer.macs == expected.size * 2 * taps[0] * taps[1] * taps[2]
    axis, apart = layer.folded
    (stage,) = layer.stages
    padded = np.moveaxis(np.pad(inputs, [(0, 0), (0, 0), *((p, p) for p in padding)]), 2 + axis, 2)
    folded = np.moveaxis(weights, 2 + axis, 2)
    slices = [
        padded[:, :, [place * stride[axis] + tap * dilation[axis] for tap in range(taps[axis])]]
        for place in range(layer.output[axis])
    ]
    if apart:  # all outputs of the axis at once, as images
        assert stage.count == 1
        lines = np.stack(slices, 1)
        lines = lines.reshape(2 * len(slices), 2 * groups * taps[axis], *padded.shape[3:])
        found = ran(stage.problem, lines, folded)
        found = found.reshape(2, len(slices), groups, stage.problem.P, stage.problem.Q).transpose(0, 2, 1, 3, 4)
    else:
        assert stage.count == len(slices)
        each = [ran(stage.problem, lines.reshape(2, -1, *padded.shape[3:]), folded) for lines in slices]
        found = np.stack(each, 2)
    assert np.array_equal(np.moveaxis(found, 2, 2 + axis), expected)


def test_windows_that_share_no_input_are_images_and_others_run_in_turn():
    shared = Conv3d(input=[3, 4, 8, 8], filters=2, kernel=3, padding=1)
    assert [(stage.count, stage.problem.C, stage.problem.N) for stage in shared.stages] == [(4, 9, 1)]
    patches = Conv3d(input=[3, 4, 8, 8], filters=2, kernel=[2, 4, 4], stride=[2, 4, 4])
    assert [(stage.count, stage.problem.C, stage.problem.N) for stage in patches.stages] == [(1, 6, 2)]
    flat = Conv3d(input=[3, 4, 8, 8], filters=2, kernel=[3, 1, 3])
    assert [(stage.count, stage.problem.C, stage.problem.N) for stage in flat.stages] == [(1, 3, 8)]
    between = Conv3d(input=[3, 4, 8, 8], filters=2, kernel=[2, 3, 3], dilation=[2, 1, 1])  # planes 0 2, then 1 3
    assert [(stage.count, stage.problem.C, stage.problem.N) for stage in between.stages] == [(1, 6, 2)]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_transposed(data):
    groups = data.draw(st.sampled_from([1, 2]))

    def draw(strategy):
        return tuple(data.draw(strategy) for _ in range(2))

    size, taps, stride, dilation = draw(st.integers(1, 4)), draw(st.integers(1, 4)), draw(small), draw(small)
    more = tuple(data.draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True))
    ends = [(n - 1) * s + d * (k - 1) + m + 1 for n, s, d, k, m in zip(size, stride, dilation, taps, more, strict=True)]
    padding = tuple(data.draw(st.integers(0, min(2, (end - 1) // 2))) for end in ends)
    layer = ConvTranspose2d(
        input=[2 * groups, *size],
        filters=3 * groups,
        kernel=taps,
        stride=stride,
        padding=padding,
        output_padding=more,
        dilation=dilation,
        groups=groups,
        batch=2,
    )
    inputs, weights = drawn(2, 2 * groups, *size), drawn(2 * groups, 3, *taps)
    scattered = np.zeros((2, 3 * groups, *ends), np.int64)  # by the definition: each input adds to a window
    for c, k, r, s in product(range(2 * groups), range(3), range(taps[0]), range(taps[1])):
        rows = slice(r * dilation[0], r * dilation[0] + (size[0] - 1) * stride[0] + 1, stride[0])
        columns = slice(s * dilation[1], s * dilation[1] + (size[1] - 1) * stride[1] + 1, stride[1])
        scattered[:, c // 2 * 3 + k, rows, columns] += inputs[:, c] * weights[c, k, r, s]
    expected = scattered[:, :, padding[0] : ends[0] - padding[0], padding[1] : ends[1] - padding[1]]
    found = np.zeros_like(expected)
    for (rows, columns), problem in layer.phases:
        sides = [(0, 0), (0, 0), (rows.before, rows.after), (columns.before, columns.after)]
        begin = [max(0, rows.first), max(0, columns.first)]
        part = np.pad(inputs, sides)[:, :, begin[0] : begin[0] + problem.H, begin[1] : begin[1] + problem.W]
        of_taps = weights[:, :, rows.taps[::-1]][..., columns.taps[::-1]]
        by_filter = of_taps.reshape(groups, 2, 3, problem.R, problem.S).transpose(0, 2, 1, 3, 4)
        found[:, :, rows.outputs.start :: stride[0], columns.outputs.start :: stride[1]][
            :, :, : problem.P, : problem.Q
        ] = ran(problem, part, by_filter)
    assert np.array_equal(found, expected)
    assert layer.macs == sum(stage.count * stage.problem.macs for stage in layer.stages)
    assert layer.macs <= expected.size * 2 * taps[0] * taps[1]  # the convolution of the spread input


def test_a_transposed_convolution_multiplies_by_no_inserted_zero():
    layer = ConvTranspose2d(input=[8, 7, 7], filters=4, kernel=4, stride=2, padding=1)
    (stage,) = layer.stages  # four alike
    assert (stage.name, stage.count, stage.problem.R, stage.problem.P) == ("conv_transpose2d", 4, 2, 7)
    assert layer.macs == 14 * 14 * 4 * 8 * 4  # a quarter of 16 taps
    uneven = ConvTranspose2d(input=[8, 7, 7], filters=4, kernel=3, stride=2, padding=1, output_padding=1, name="up")
    assert [stage.name for stage in uneven.stages] == ["up/2x2", "up/2x1", "up/1x2", "up/1x1"]
    with pytest.raises(NotSupportedError, match=r"layer 'up' runs in 4 stages, expected one: use up/2x2, up/2x1"):
        _ = uneven.problem


def test_they_are_layers_like_any_other(tmp_path):
    document = tmp_path / "net.yaml"
    document.write_text(
        "name: net\nlayers:\n"
        "  - {name: row, op: conv1d, input: [4, 12], filters: 4, kernel: 3, padding: 1}\n"
        "  - {name: volume, op: conv3d, input: [2, 3, 4, 5], filters: 3, kernel: [3, 2, 2], padding: [1, 0, 0]}\n"
        "  - {name: up, op: conv_transpose2d, input: [3, 3, 3], filters: 2, kernel: 3, stride: 2}\n"
    )
    network = Network.load(document)
    found = maerisim.simulate("maeri-16", network, check_values=True)
    assert [layer.name for layer in found.layers] == ["row", "volume", "up/2x2", "up/2x1", "up/1x2", "up/1x1"]
    assert [layer.count for layer in found.layers] == [1, 3, 1, 1, 1, 1]
    assert all(layer.values_checked for layer in found.layers)
    assert sum(layer.count * layer.problem.macs for layer in found.layers) == network.macs


def test_a_row_is_a_convolution_of_one_row():
    row = Conv1d(input=[4, 12], filters=6, kernel=3, stride=2, padding=1, groups=2, bias=True)
    assert row.problem == Conv2d(
        input=[4, 1, 12], filters=6, kernel=[1, 3], stride=[1, 2], padding=[0, 1], groups=2
    ).problem  # fmt: skip
    assert row.parameters == 6 * 2 * 3 + 6
    assert Conv3d(input=[4, 2, 2, 2], filters=6, kernel=2, bias=True).parameters == 6 * 4 * 8 + 6
    assert ConvTranspose2d(input=[4, 2, 2], filters=6, kernel=3, bias=True).parameters == 6 * 4 * 9 + 6


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (
            lambda: Conv1d(input=[4, 2], filters=1, kernel=3),
            "Conv1d: kernel: a kernel of 3 covers 3 columns, more than",
        ),
        (lambda: Conv1d(input=[4, 2, 3], filters=1, kernel=1), r"Conv1d: input: expected [channels, length], found"),
        (
            lambda: Conv1d(input=[4, 9], filters=3, kernel=1, groups=2),
            "Conv1d: groups: 2 groups do not divide the 3 fil",
        ),
        (
            lambda: Conv3d(input=[4, 2, 9, 9], filters=1, kernel=[1, 2]),
            "Conv3d: kernel: expected an integer or [depth, height, width], found",
        ),
        (
            lambda: Conv3d(input=[4, 2, 9, 9], filters=1, kernel=3),
            "Conv3d: kernel: a kernel of 3 covers 3 planes, more",
        ),
        (
            lambda: ConvTranspose2d(input=[4, 2, 2], filters=1, kernel=3, stride=65),
            "ConvTranspose2d: stride: expected at most 64 in a transposed convolution, found 65",
        ),
        (
            lambda: ConvTranspose2d(input=[4, 2, 2], filters=1, kernel=3, stride=2, output_padding=2),
            "ConvTranspose2d: output_padding: expected less than the stride or the dilation (2), found 2",
        ),
        (
            lambda: ConvTranspose2d(input=[4, 1, 1], filters=1, kernel=1, padding=1),
            "ConvTranspose2d: padding: 1 on each side leaves no output",
        ),
    ],
)
def test_mistakes_are_explained(make, problem):
    with pytest.raises(DocumentError) as caught:
        make()
    assert any(each.startswith(problem) for each in caught.value.problems), caught.value.problems
