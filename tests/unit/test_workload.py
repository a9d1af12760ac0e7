"""Layers and the problems they reduce to."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maerisim.documents import validate
from maerisim.errors import DocumentError, NotSupportedError
from maerisim.workload.layers import Layer
from maerisim.workload.network import Network
from maerisim.workload.problem import DIMENSIONS, Problem, Stage
from maerisim.workload.recurrent import Recurrent


def layer(**fields: Any) -> Layer:
    return validate(Network, {"name": "n", "layers": [{"name": "a", **fields}]}, "test").layers[0]


def conv(**fields: Any) -> Layer:
    return layer(op="conv2d", **{"input": [4, 8, 8], "filters": 6, "kernel": 3, **fields})


def test_convolution() -> None:
    found = conv(batch=2, groups=2, stride=[2, 1], padding=[1, 0], dilation=[1, 2], kernel=[3, 2])
    assert found.problem == Problem(
        N=2, G=2, K=3, C=2, R=3, S=2, P=4, Q=6, stride=(2, 1), dilation=(1, 2), padding=(1, 0)
    )
    assert found.problem.dims == (2, 2, 3, 2, 3, 2, 4, 6)
    assert found.macs == 2 * 6 * 2 * 3 * 2 * 4 * 6
    assert found.parameters == 6 * 2 * 3 * 2


def test_integers_stand_for_height_and_width() -> None:
    assert conv(stride=2, padding=1, dilation=2, kernel=3) == conv(
        stride=[2, 2], padding=[1, 1], dilation=[2, 2], kernel=[3, 3]
    )


@given(
    size=st.integers(1, 40),
    kernel=st.integers(1, 7),
    stride=st.integers(1, 4),
    dilation=st.integers(1, 3),
    padding=st.integers(0, 3),
)
def test_the_touched_input_is_the_padded_one_less_what_no_stride_reaches(
    size: int, kernel: int, stride: int, dilation: int, padding: int
) -> None:
    taps = (kernel - 1) * dilation + 1
    fields = {"input": [1, size, 64], "kernel": [kernel, 1], "stride": [stride, 1], "dilation": [dilation, 1]}
    if taps > size + 2 * padding:
        with pytest.raises(DocumentError, match="more than the"):
            conv(**fields, padding=[padding, 0])
        return
    problem = conv(**fields, padding=[padding, 0]).problem
    # Rows at which a filter can start, by counting.
    assert len([row for row in range(0, size + 2 * padding, stride) if row + taps <= size + 2 * padding]) == problem.P
    assert 0 <= size + 2 * padding - problem.H < stride


def test_depthwise() -> None:
    found = conv(filters=4, groups=4, bias=True)
    assert found.problem.dims == (1, 4, 1, 1, 3, 3, 6, 6)
    assert found.parameters == 4 * 9 + 4


def test_linear() -> None:
    found = layer(op="linear", inputs=5, outputs=7, batch=3, bias=True)
    assert found.problem == Problem(N=3, C=5, K=7)
    assert (found.macs, found.parameters) == (105, 42)


def test_matmul() -> None:
    found = layer(op="matmul", batch=2, m=3, k=5, n=7)
    assert found.problem == Problem(G=2, N=3, C=5, K=7)
    assert (found.macs, found.parameters) == (210, 0)


def pool(op: str = "max_pool2d", **fields: Any) -> Layer:
    return layer(op=op, **{"input": [4, 8, 8], "kernel": 2, **fields})


def test_pooling() -> None:
    found = pool(kernel=[3, 2], stride=[2, 1], padding=[1, 0], batch=2)
    assert found.problem == Problem(N=2, G=4, R=3, S=2, P=4, Q=7, stride=(2, 1), padding=(1, 0), operation="max")
    assert (found.macs, found.parameters) == (0, 0)
    assert found.problem.operations == 2 * 4 * 4 * 7 * 6
    assert pool("avg_pool2d").problem == Problem(G=4, R=2, S=2, P=4, Q=4, stride=(2, 2), operation="add")
    assert pool("avg_pool2d", kernel=8).problem.outputs == 4


@given(
    size=st.integers(1, 40),
    kernel=st.integers(1, 7),
    stride=st.integers(1, 8),
    padding=st.integers(0, 3),
    ceil_mode=st.booleans(),
)
def test_pooling_windows_by_counting(size: int, kernel: int, stride: int, padding: int, ceil_mode: bool) -> None:
    fields = {"input": [1, size, 64], "kernel": [kernel, 1], "stride": [stride, 1], "padding": [padding, 0]}
    if kernel > size + 2 * padding or 2 * padding > kernel:
        with pytest.raises(DocumentError, match="more than"):
            pool(**fields, ceil_mode=ceil_mode)
        return
    # Row -padding is the first padded one. Rounding down, a window ends inside the padded input; rounding up, the first
    # window that would not is there too, when it begins before the padding behind the input.
    starts = [row for row in range(-padding, size + padding, stride) if row + kernel <= size + padding]
    following = starts[-1] + stride
    if ceil_mode and starts[-1] + kernel < size + padding and following < size:
        starts.append(following)
    rows = pool(**fields, ceil_mode=ceil_mode).problem.P
    assert rows == len(starts)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kernel": 9}, "kernel: a kernel of 9 covers 9 rows, more than the 8 of the padded input"),
        ({"kernel": 3, "padding": 2}, "padding: 2 on each side of a kernel of 3, more than half of it"),
        ({"stride": 0}, "stride: expected at least 1, found 0"),
        ({"stride": "2"}, "stride: expected an integer, found '2'"),
    ],
)
def test_impossible_poolings(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        pool(**fields)
    assert f"test: layers[0].{message}" in caught.value.problems


def test_lstm() -> None:
    found = layer(op="lstm", input_size=3, hidden_size=5, sequence_length=7, batch=2, bias=True)
    assert found.stages == (
        Stage("a/gates", Problem(N=2, K=20, C=8), 7),
        Stage("a/cell", Problem(G=10, C=2), 7),
        Stage("a/output", Problem(G=10), 7),
    )
    assert found.macs == 7 * 2 * (20 * 8 + 5 * 2 + 5)
    assert found.parameters == 4 * 5 * (3 + 5 + 1)


def test_gru() -> None:
    found = layer(op="gru", input_size=3, hidden_size=5, sequence_length=7, batch=2, bias=True)
    assert found.stages == (
        Stage("a/gates", Problem(N=2, K=10, C=8), 7),
        Stage("a/reset", Problem(G=10), 7),
        Stage("a/candidate", Problem(N=2, K=5, C=8), 7),
        Stage("a/update", Problem(G=10, C=2), 7),
    )
    assert found.macs == 7 * 2 * (15 * 8 + 5 + 5 * 2)
    assert found.parameters == 3 * 5 * (3 + 5 + 1)


def test_a_layer_of_several_stages_is_no_single_problem() -> None:
    found = layer(op="gru", input_size=3, hidden_size=5)
    with pytest.raises(NotSupportedError, match="runs in 4 stages, expected one: use a/gates, a/reset"):
        _ = found.problem


def test_other_layers_are_a_stage_of_their_own_name() -> None:
    found = conv(count=3)
    assert found.stages == (Stage("a", found.problem, 1),)
    assert found.scaled_stages(100) == (Stage("a", found.problem.scaled(100), 1),)


@given(
    op=st.sampled_from(["lstm", "gru"]),
    sizes=st.tuples(*(st.integers(1, 600),) * 2, st.integers(1, 20), st.integers(1, 5)),
    limit=st.integers(1, 10**7),
)
def test_scaled_recurrent_layers_are_layers_of_small_enough_stages(
    op: str, sizes: tuple[int, int, int, int], limit: int
) -> None:
    names = ("input_size", "hidden_size", "batch", "sequence_length")
    whole = layer(op=op, **dict(zip(names, sizes, strict=True)))
    assert isinstance(whole, Recurrent)
    small = whole.scaled(limit)
    assert small.stages == whole.scaled_stages(limit)
    assert small.sequence_length == whole.sequence_length
    for name, floor in zip(names, (4, 4, 2), strict=False):
        assert min(getattr(whole, name), floor) <= getattr(small, name) <= getattr(whole, name)
    largest = max(stage.problem.macs for stage in small.stages)
    assert largest <= limit or all(getattr(small, name) <= floor for name, floor in zip(names, (4, 4, 2), strict=False))
    if max(stage.problem.macs for stage in whole.stages) <= limit:
        assert small == whole


def test_stages_by_name() -> None:
    network = validate(
        Network,
        {
            "name": "n",
            "layers": [
                {"name": "fc", "op": "linear", "inputs": 2, "outputs": 3},
                {"name": "cells", "op": "lstm", "input_size": 2, "hidden_size": 3},
            ],
        },
        "test",
    )
    assert network.stage("fc").problem == Problem(K=3, C=2)
    assert network.stage("cells/cell").problem == Problem(G=3, C=2)
    with pytest.raises(NotSupportedError, match="use cells/gates, cells/cell, cells/output"):
        network.stage("cells")
    with pytest.raises(DocumentError, match=r"no layer 'cels' \(did you mean 'cells'"):
        network.stage("cels")


def test_a_layer_must_not_have_the_name_of_a_stage() -> None:
    layers = [
        {"name": "cells/cell", "op": "linear", "inputs": 2, "outputs": 3},
        {"name": "cells", "op": "lstm", "input_size": 2, "hidden_size": 3},
    ]
    with pytest.raises(DocumentError) as caught:
        validate(Network, {"name": "n", "layers": layers}, "test")
    assert caught.value.problems == ["test: layers[0].name: 'cells/cell' is already the name of a stage of 'cells'"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kernel": 9}, "kernel: a kernel of 9 covers 9 rows, more than the 8 of the padded input"),
        (
            {"kernel": [1, 5], "dilation": 3, "padding": [0, 2]},
            "kernel: a kernel of 5 with dilation 3 covers 13 columns, more than the 12 of the padded input",
        ),
        ({"groups": 3}, "groups: 3 groups do not divide the 4 input channels of 'input'"),
        ({"groups": 4}, "groups: 4 groups do not divide the 6 filters of 'filters'"),
        ({"input": [4, 8, 0]}, "input: expected [channels, height, width] of at least 1, found the list [4, 8, 0]"),
        ({"input": 4}, "input: expected [channels, height, width], found 4"),
        ({"kernel": 0}, "kernel: expected at least 1, found 0"),
        ({"kernel": [1, 2, 3]}, "kernel: expected an integer or [height, width], found the list [1, 2, 3]"),
        ({"stride": True}, "stride: expected an integer, found true"),
        ({"count": 0}, "count: expected at least 1, found 0"),
        ({"bias": "yes please"}, "bias: expected true or false, found 'yes please'"),
    ],
)
def test_impossible_layers(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        conv(**fields)
    assert f"test: layers[0].{message}" in caught.value.problems


def test_layers_by_name() -> None:
    network = Network.load("alexnet")
    assert network.layer("conv2").problem.G == 2
    with pytest.raises(DocumentError, match=re.escape("alexnet: no layer 'conv22' (did you mean 'conv2'")):
        network.layer("conv22")
    with pytest.raises(DocumentError, match=re.escape("alexnet: no layer 'zz' (layers: conv1, pool1")):
        network.layer("zz")


def test_count_multiplies() -> None:
    data = {"name": "a", "op": "linear", "inputs": 5, "outputs": 7, "bias": True, "count": 3}
    network = validate(Network, {"name": "n", "layers": [data]}, "test")
    assert (network.macs, network.parameters) == (105, 126)


def test_problems_reject_sizes_below_one() -> None:
    with pytest.raises(DocumentError, match="problem: K: expected at least 1, found 0\nproblem: stride"):
        Problem(K=0, stride=(1, 0))
    with pytest.raises(DocumentError, match="problem: padding: expected at least 0"):
        Problem(padding=(0, -1))


problem_sizes = st.builds(
    Problem,
    **{name: st.integers(1, 300) for name in ("K", "C", "P", "Q")},
    **{name: st.integers(1, 20) for name in ("N", "G")},
    **{name: st.integers(1, 7) for name in ("R", "S")},
    operation=st.sampled_from(["multiply", "max"]),
)


@given(problem=problem_sizes, limit=st.integers(1, 10**9))
def test_scaled_problems_are_small_enough_and_keep_their_character(problem: Problem, limit: int) -> None:
    small = problem.scaled(limit)
    floors = {"P": 4, "Q": 4, "K": 4, "C": 4, "N": 2, "G": 2}
    for name, before, after in zip(DIMENSIONS, problem.dims, small.dims, strict=True):
        assert min(before, floors.get(name, before)) <= after <= before
    if small.operations > limit:
        assert all(getattr(small, name) <= floor for name, floor in floors.items())
    if problem.operations <= limit:
        assert small == problem
    assert small == small.scaled(limit)
    assert (small.stride, small.dilation, small.padding) == (problem.stride, problem.dilation, problem.padding)


def test_scaled_halves_the_largest_first() -> None:
    problem = Problem(K=64, C=16, P=8, Q=8, R=3, S=3)
    assert problem.scaled(problem.macs - 1) == Problem(K=32, C=16, P=8, Q=8, R=3, S=3)
    assert Problem(K=8, P=8).scaled(63) == Problem(K=8, P=4)
