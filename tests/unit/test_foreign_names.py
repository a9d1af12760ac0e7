"""Layers in the words of other tools: messages say what is meant here."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from maerisim.documents import validate
from maerisim.errors import DocumentError
from maerisim.workload import foreign
from maerisim.workload.layers import Layer
from maerisim.workload.network import Network


def complaints(**fields: Any) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        validate(Network, {"name": "n", "layers": [{"name": "a", **fields}]}, "test")
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("op", "meant"),
    [
        ("gemm", "'linear' where one operand holds weights, else 'matmul'"),
        ("Gemm", "'linear' where one operand holds weights, else 'matmul'"),
        ("depthwise_conv2d", "'conv2d' with as many groups as channels"),
        ("DepthwiseConv2D", "'conv2d' with as many groups as channels"),
        ("fc", "'linear'"),
        ("Dense", "'linear'"),
        ("InnerProduct", "'linear'"),
        ("MatMul", "'matmul'"),
        ("MaxPooling2D", "'max_pool2d'"),
        ("GlobalAveragePool", "'avg_pool2d'"),
        ("linaer", "'linear'"),  # a slip, not another tool's
    ],
)
def test_kinds(op: str, meant: str) -> None:
    (found,) = complaints(op=op)
    assert found.endswith(f"(did you mean {meant}?)")


@pytest.mark.parametrize(
    ("op", "key", "meant"),
    [
        ("linear", "in_features", "'inputs'"),
        ("linear", "out_features", "'outputs'"),
        ("conv2d", "in_channels", "'input', [channels, height, width]"),
        ("conv2d", "kernel_size", "'kernel'"),
        ("conv2d", "strides", "'stride'"),
        ("max_pool2d", "pool_size", "'kernel'"),
        ("matmul", "M", "'m'"),
        ("lstm", "units", "'hidden_size'"),
        ("gru", "seq_len", "'sequence_length'"),
        ("linear", "imputs", "'inputs'"),
    ],
)
def test_keys(op: str, key: str, meant: str) -> None:
    assert f"test: layers[0].{key}: unknown key (did you mean {meant}?)" in complaints(op=op, **{key: 3})


def test_layers_of_fused_ones() -> None:
    found = complaints(op="fused", layers=[{"name": "b", "op": "fc"}, {"name": "c", "op": "linear", "units": 3}])
    assert any("layers[0].layers[0].op" in each and "(did you mean 'linear'?)" in each for each in found)
    assert "test: layers[0].layers[1].units: unknown key (did you mean 'outputs'?)" in found


def test_no_name_is_one_of_ours() -> None:
    """A hint that names a key or kind that there is would never be printed."""
    kinds = get_args(get_args(Layer)[0])
    assert not set(foreign.KINDS) & {kind.kind_of_layer() for kind in kinds}
    for kind in kinds:
        same = {key for key, meant in kind.foreign_keys.items() if meant == f"'{key}'"}  # in upper case it is another
        assert not (set(kind.foreign_keys) - same) & set(kind.model_fields)
