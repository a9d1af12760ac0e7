"""ONNX models: real networks and small ones, each with MACs that are counted apart, and broken ones explained."""

from __future__ import annotations

import random
import subprocess
import sys
from math import prod
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper

import maerisim
from maerisim.cli import main
from maerisim.errors import DocumentError
from maerisim.importers.onnx import read
from maerisim.workload.network import Network
from maerisim.workload.problem import Problem

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
MACS = {"light_vgg19": 19.632, "light_resnet50": 4.089, "light_squeezenet": 0.349, "light_densenet121": 2.834}
"""In units of 10^9, the "_ops" of torchvision's weights for the same networks; the other files differ from what is published."""
FLOAT = TensorProto.FLOAT


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def counted(path, **sizes):
    """MACs of a model by the shapes of its outputs and weights alone, without our reader."""
    model = onnx.load(path)
    for value in model.graph.input:
        for size in value.type.tensor_type.shape.dim:
            if size.dim_param in sizes:
                size.dim_value = sizes[size.dim_param]
    del model.graph.value_info[:]
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        shapes[value.name] = [size.dim_value for size in value.type.tensor_type.shape.dim]
    total = 0
    for node in graph.node:
        if node.op_type in ("Conv", "ConvInteger"):
            total += prod(shapes[node.output[0]]) * prod(shapes[node.input[1]][1:])
        elif node.op_type == "QLinearConv":
            total += prod(shapes[node.output[0]]) * prod(shapes[node.input[3]][1:])
        elif node.op_type in ("MatMul", "MatMulInteger", "QLinearMatMul"):
            total += prod(shapes[node.output[0]]) * shapes[node.input[0]][-1]
        elif node.op_type == "Gemm":
            transposed = any(each.name == "transA" and each.i for each in node.attribute)
            total += prod(shapes[node.output[0]]) * shapes[node.input[0]][0 if transposed else -1]
    return total


def saved(nodes, inputs, weights=(), outputs=("y",), opset=17, name="m.onnx", functions=(), domains=()):
    """A model in a file: inputs and weights as (name, shape or array)."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(each, kind[0] if kind else FLOAT, shape) for each, shape, *kind in inputs],
        [
            helper.make_tensor_value_info(*(each if isinstance(each, tuple) else (each, FLOAT)), None)
            for each in outputs
        ],
        [numpy_helper.from_array(np.asarray(array), each) for each, array in weights],
    )
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    model = helper.make_model(graph, opset_imports=imports, functions=list(functions))
    onnx.save(model, name)
    return name


def network(path, **how):
    Path("net.yaml").write_text(read(path, **how).to_yaml(), encoding="utf-8")
    return Network.load("net.yaml")


def only(path, **how):
    (layer,) = network(path, **how).layers
    return layer


def zeros(*shape):
    return np.ones(shape, np.float32)


def notes(path, **how):
    return "\n".join(read(path, **how).notes)


# --- Real networks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(LIGHT.glob("*.onnx")), ids=lambda path: path.stem)
def test_networks_of_the_model_zoo(path):
    imported = network(path)
    assert imported.macs == counted(path)
    if path.stem in MACS:
        assert round(imported.macs / 1e9, 3) == MACS[path.stem]
    apart = network(path, apart=True)
    assert all(layer.count == 1 for layer in apart.layers)
    assert apart.macs == imported.macs
    assert len(apart.layers) == sum(layer.count for layer in imported.layers)
    nodes = onnx.load(path).graph.node
    convolutions = sum(node.op_type == "Conv" for node in nodes)
    assert sum(layer.count for layer in imported.layers if layer.op == "conv2d") == convolutions
    said = notes(path)
    for op in {node.op_type for node in nodes} & {"Relu", "Softmax", "LRN", "Concat", "Transpose"}:
        assert f"  {op} " in said
    assert "not imported" not in said


def test_there_are_nine():
    assert len(list(LIGHT.glob("*.onnx"))) == 9


def test_an_imported_network_runs():
    path = LIGHT / "light_squeezenet.onnx"
    layers = maerisim.validate("maeri-64", network(path), scale=20_000).layers
    assert len(layers) == len(network(path).layers)


# --- Operators --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "weights", "attributes", "problem"),
    [
        ([2, 4, 9], (6, 2, 3), {"group": 2, "strides": [2], "pads": [1, 1]}, Problem(N=2, G=2, K=3, C=2, S=3, Q=5, stride=(1, 2), padding=(0, 1))),
        ([1, 4, 9, 8], (6, 4, 3, 1), {"dilations": [2, 1]}, Problem(K=6, C=4, R=3, P=5, Q=8, dilation=(2, 1))),
        ([1, 4, 9, 8], (4, 1, 3, 3), {"group": 4, "auto_pad": "SAME_UPPER", "strides": [2, 2]}, Problem(G=4, R=3, S=3, P=5, Q=4, stride=(2, 2), padding=(1, 0, 1, 1))),
        ([1, 4, 9, 8], (4, 4, 3, 3), {"auto_pad": "VALID", "pads": [0, 0, 0, 0]}, Problem(K=4, C=4, R=3, S=3, P=7, Q=6)),
        ([1, 2, 9, 8], (4, 2, 3, 3), {"pads": [0, 1, 2, 1]}, Problem(K=4, C=2, R=3, S=3, P=9, Q=8, padding=(0, 1, 2, 1))),
        ([1, 2, 9], (4, 2, 3), {"pads": [2, 0]}, Problem(K=4, C=2, S=3, Q=9, padding=(0, 2, 0, 0))),
        ([2, 3, 4, 8, 8], (5, 3, 2, 4, 4), {"strides": [2, 4, 4]}, Problem(N=4, K=5, C=6, R=4, S=4, P=2, Q=2, stride=(4, 4))),
        ([1, 3, 4, 8, 8], (5, 3, 3, 3, 3), {"pads": [1] * 6}, Problem(K=5, C=9, R=3, S=3, P=8, Q=8, padding=(1, 1))),
    ],
)  # fmt: skip
def test_convolutions(shape, weights, attributes, problem):
    path = saved([helper.make_node("Conv", ["x", "w"], ["y"], **attributes)], [("x", shape)], [("w", zeros(*weights))])
    layer = only(path)
    assert layer.stages[0].problem == problem
    assert layer.macs == counted(path)


def test_a_bias_is_a_parameter_and_named_like_its_node_or_output():
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["h"], name="first"),
        helper.make_node("Conv", ["h", "v"], ["y"]),
    ]
    path = saved(nodes, [("x", [1, 3, 8, 8])], [("w", zeros(4, 3, 3, 3)), ("b", zeros(4)), ("v", zeros(4, 4, 1, 1))])
    first, second = network(path).layers
    assert (first.name, first.bias, second.name, second.bias) == ("first", True, "y", False)


@pytest.mark.parametrize(
    ("shape", "weights", "attributes", "output"),
    [
        ([1, 4, 5, 5], (4, 6, 4, 4), {"strides": [2, 2], "pads": [1, 1, 1, 1]}, (10, 10)),
        ([1, 4, 5, 5], (4, 6, 3, 3), {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]}, (10, 10)),
        ([1, 4, 5, 5], (4, 3, 3, 3), {"strides": [2, 2], "auto_pad": "SAME_UPPER", "group": 2}, (10, 10)),
        ([1, 4, 5, 5], (4, 6, 3, 3), {"strides": [2, 2], "pads": [1, 0, 0, 1]}, (10, 10)),
        ([1, 4, 5, 5], (4, 6, 3, 3), {"strides": [3, 3], "output_shape": [14, 15]}, (14, 15)),
        ([1, 4, 5, 5], (4, 6, 4, 5), {"strides": [3, 3], "pads": [0, 1, 2, 3], "output_padding": [1, 1]}, (15, 14)),
        ([1, 4, 5], (4, 6, 4), {"strides": [2], "pads": [1, 1]}, (1, 10)),
    ],
)
def test_transposed_convolutions(shape, weights, attributes, output):
    path = saved(
        [helper.make_node("ConvTranspose", ["x", "w"], ["y"], **attributes)], [("x", shape)], [("w", zeros(*weights))]
    )
    layer = only(path)
    assert layer.op == "conv_transpose2d"
    assert layer.output == output
    strides, pads = attributes["strides"], attributes.get("pads", [0] * 4)
    begins = [1, 0] if "output_shape" in attributes else pads[: len(strides)]
    if "auto_pad" in attributes:
        begins = [0, 0]
    met = [  # taps that an output meets, inserted zeros left out
        sum((o + begin - tap) % stride == 0 for o in range(size) for tap in range(kernel))
        for size, kernel, stride, begin in zip(output[-len(strides) :], weights[2:], strides, begins, strict=True)
    ]
    assert layer.macs == prod(met) * weights[1] * shape[1]


@pytest.mark.parametrize(
    ("op", "shape", "attributes", "problem"),
    [
        ("MaxPool", [1, 4, 8, 8], {"kernel_shape": [2, 2], "strides": [2, 2]}, Problem(G=4, R=2, S=2, P=4, Q=4, stride=(2, 2), operation="max")),
        ("MaxPool", [1, 4, 8, 8], {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}, Problem(G=4, R=3, S=3, P=4, Q=4, stride=(2, 2), operation="max")),
        ("MaxPool", [1, 4, 8], {"kernel_shape": [3], "strides": [1]}, Problem(G=4, S=3, Q=6, operation="max")),
        ("MaxPool", [1, 4, 3, 8, 8], {"kernel_shape": [1, 2, 2], "strides": [1, 2, 2]}, Problem(G=12, R=2, S=2, P=4, Q=4, stride=(2, 2), operation="max")),
        ("AveragePool", [1, 4, 9, 9], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}, Problem(G=4, R=3, S=3, P=9, Q=9, padding=(1, 1), operation="add")),
        ("AveragePool", [1, 4, 8, 8], {"kernel_shape": [3, 3], "auto_pad": "SAME_UPPER", "strides": [2, 2]}, Problem(G=4, R=3, S=3, P=4, Q=4, stride=(2, 2), padding=(0, 0, 1, 1), operation="add")),
        ("GlobalAveragePool", [2, 4, 7, 5], {}, Problem(N=2, G=4, R=7, S=5, stride=(7, 5), operation="add")),
        ("GlobalAveragePool", [1, 4, 2, 7, 5], {}, Problem(G=4, R=14, S=5, stride=(14, 5), operation="add")),
        ("GlobalMaxPool", [1, 4, 7], {}, Problem(G=4, S=7, stride=(1, 7), operation="max")),
    ],
)  # fmt: skip
def test_poolings(op, shape, attributes, problem):
    path = saved([helper.make_node(op, ["x"], ["y"], **attributes)], [("x", shape)])
    assert only(path).problem == problem


@pytest.mark.parametrize(
    ("nodes", "inputs", "weights", "problem"),
    [
        ([("Gemm", "xwb", {"transB": 1})], {"x": [3, 8]}, {"w": (5, 8), "b": (5,)}, Problem(N=3, K=5, C=8)),
        ([("Gemm", "xw", {"transA": 1})], {"x": [8, 3]}, {"w": (8, 5)}, Problem(N=3, K=5, C=8)),
        ([("Gemm", "wx", {})], {"x": [8, 3]}, {"w": (5, 8)}, Problem(N=3, K=5, C=8)),
        ([("Gemm", "xz", {})], {"x": [3, 8], "z": [8, 5]}, {}, Problem(N=3, K=5, C=8)),
        ([("MatMul", "xw", {})], {"x": [2, 3, 8]}, {"w": (8, 5)}, Problem(N=6, K=5, C=8)),
        ([("MatMul", "xw", {})], {"x": [2, 3, 8]}, {"w": (2, 8, 5)}, Problem(N=3, G=2, K=5, C=8)),
        ([("MatMul", "xz", {})], {"x": [2, 4, 3, 8], "z": [2, 4, 8, 5]}, {}, Problem(N=3, G=8, K=5, C=8)),
        ([("MatMul", "xz", {})], {"x": [2, 4, 3, 8], "z": [2, 1, 8, 5]}, {}, Problem(N=12, G=2, K=5, C=8)),
        ([("MatMul", "xz", {})], {"x": [3, 8], "z": [4, 8, 5]}, {}, Problem(N=3, K=20, C=8)),
        ([("MatMul", "xz", {})], {"x": [8], "z": [4, 8, 5]}, {}, Problem(K=20, C=8)),
        ([("Einsum", "xz", {"equation": "bhqd,bhkd->bhqk"})], {"x": [2, 4, 3, 8], "z": [2, 4, 5, 8]}, {}, Problem(N=3, G=8, K=5, C=8)),
        ([("Einsum", "xw", {"equation": "...i,io->...o"})], {"x": [2, 3, 8]}, {"w": (8, 5)}, Problem(N=6, K=5, C=8)),
        ([("Einsum", "xz", {"equation": "ij,jk"})], {"x": [3, 8], "z": [8, 5]}, {}, Problem(N=3, K=5, C=8)),
    ],
)  # fmt: skip
def test_matrix_products(nodes, inputs, weights, problem):
    ((op, operands, attributes),) = nodes
    path = saved(
        [helper.make_node(op, list(operands), ["y"], **attributes)],
        list(inputs.items()),
        [(name, zeros(*shape)) for name, shape in weights.items()],
    )
    layer = only(path)
    assert layer.problem == problem
    assert layer.op == ("matmul" if not weights else "conv2d" if problem.G > 1 else "linear")
    if op != "Einsum":
        assert layer.macs == counted(path)


def test_quantised_twins():
    scale, byte = np.float32(0.5), np.int8
    weights = [
        *(("s", scale), ("z", byte(0)), ("wz", byte(3)), ("w", np.full((4, 3, 3, 3), 3, byte))),
        *(("v", np.arange(40, dtype=byte).reshape(8, 5)), ("vz", byte(0))),
    ]
    int8 = TensorProto.INT8
    nodes = [
        helper.make_node("QLinearConv", ["x", "s", "z", "w", "s", "wz", "s", "z"], ["a"]),
        helper.make_node("ConvInteger", ["x", "w", "z", "wz"], ["b"]),
        helper.make_node("MatMulInteger", ["u", "v", "z", "vz"], ["c"]),
        helper.make_node("QLinearMatMul", ["u", "s", "z", "v", "s", "vz", "s", "z"], ["d"]),
    ]
    quantised = [("a", int8), ("b", TensorProto.INT32), ("c", TensorProto.INT32), ("d", int8)]
    path = saved(nodes, [("x", [1, 3, 8, 8], int8), ("u", [6, 8], int8)], weights, quantised)
    imported = network(path, sparsity=True)
    assert imported.macs == counted(path)
    assert [(layer.op, layer.count) for layer in imported.layers] == [("conv2d", 2), ("linear", 2)]
    assert imported.layers[1].sparsity.density == pytest.approx(39 / 40)
    assert "all of its weights are zero" in notes(path, sparsity=True)  # they are the zero point


@pytest.mark.parametrize(("heads", "of_keys"), [(8, 8), (8, 2)])
@pytest.mark.parametrize("flat", [False, True])
def test_attention(heads, of_keys, flat):
    batch, queries, past, keys, depth = 2, 3, 4, 5, 16
    shapes = {
        "q": [batch, queries, heads * depth] if flat else [batch, heads, queries, depth],
        "k": [batch, keys, of_keys * depth] if flat else [batch, of_keys, keys, depth],
        "v": [batch, keys, of_keys * depth] if flat else [batch, of_keys, keys, depth],
        "pk": [batch, of_keys, past, depth],
        "pv": [batch, of_keys, past, depth],
    }
    how = {"q_num_heads": heads, "kv_num_heads": of_keys} if flat else {}
    node = helper.make_node("Attention", ["q", "k", "v", "", "pk", "pv"], ["y", "nk", "nv"], name="att", **how)
    scores, values = network(saved([node], list(shapes.items()), opset=23)).layers
    assert (scores.name, values.name) == ("att/scores", "att/values")
    assert scores.macs == batch * heads * queries * (past + keys) * depth == values.macs
    assert (batch * of_keys, queries * heads // of_keys) == (scores.problem.G, scores.problem.N)


@pytest.mark.parametrize(
    ("op", "gates", "layout", "directions"), [("LSTM", 4, 0, 1), ("LSTM", 4, 1, 2), ("GRU", 3, 0, 2), ("RNN", 1, 0, 1)]
)
def test_recurrent_layers(op, gates, layout, directions):
    steps, batch, inputs, cells = 5, 2, 6, 4
    direction = "bidirectional" if directions == 2 else "reverse"
    node = helper.make_node(
        op, ["x", "w", "r"], ["y"], name="cell", hidden_size=cells, direction=direction, layout=layout
    )
    shape = [batch, steps, inputs] if layout else [steps, batch, inputs]
    weights = [("w", zeros(directions, gates * cells, inputs)), ("r", zeros(directions, gates * cells, cells))]
    path = saved([node], [("x", shape)], weights)
    layer = only(path)
    element_wise = {"LSTM": 3, "GRU": 3, "RNN": 0}[op]
    expected = steps * batch * cells * (gates * (inputs + cells) + element_wise)
    assert layer.macs * layer.count == directions * expected
    assert len(network(path, apart=True).layers) == (directions if op != "RNN" else 1)


def test_a_gru_that_resets_after_the_product_is_a_layer_for_each_part():
    node = helper.make_node("GRU", ["x", "w", "r", "b"], ["y"], name="cell", hidden_size=4, linear_before_reset=1)
    weights = [("w", zeros(1, 12, 6)), ("r", zeros(1, 12, 4)), ("b", zeros(1, 24))]
    path = saved([node], [("x", [5, 2, 6])], weights)
    imported = network(path)
    assert imported.macs == 5 * 2 * 4 * (3 * (6 + 4) + 3)
    assert [layer.name.partition("/")[2] for layer in imported.layers] == [
        "gates",
        "candidate_inputs",
        "candidate_state",
        "reset",
        "update",
    ]
    assert {layer.count for layer in imported.layers} == {5}


# --- Transformers -----------------------------------------------------------------------------------------------------


def bert_block(heads=4, width=32, inner=64):
    """A block of BERT as exporters write it: shapes computed inside, symbolic batch and sequence."""
    node, depth = helper.make_node, width // heads
    nodes, weights = [], [("four", np.array([0, 0, heads, depth])), ("three", np.array([0, 0, width]))]
    for each in "qkv":
        weights.append((f"w{each}", zeros(width, width)))
        nodes += [
            node("MatMul", ["x", f"w{each}"], [f"{each}1"], name=f"{each}_proj"),
            node("Reshape", [f"{each}1", "four"], [f"{each}2"]),
            node("Transpose", [f"{each}2"], [f"{each}3"], perm=[0, 2, 3, 1] if each == "k" else [0, 2, 1, 3]),
        ]
    weights += [("wo", zeros(width, width)), ("w1", zeros(width, inner)), ("w2", zeros(inner, width))]
    weights += [("scale", zeros(width)), ("shift", zeros(width))]
    nodes += [
        node("MatMul", ["q3", "k3"], ["s"], name="scores"),
        node("Softmax", ["s"], ["p"]),
        node("MatMul", ["p", "v3"], ["c"], name="context"),
        node("Transpose", ["c"], ["c1"], perm=[0, 2, 1, 3]),
        node("Reshape", ["c1", "three"], ["c2"]),
        node("MatMul", ["c2", "wo"], ["o"], name="out_proj"),
        node("Add", ["o", "x"], ["r"]),
        node("LayerNormalization", ["r", "scale", "shift"], ["n"]),
        node("MatMul", ["n", "w1"], ["h"], name="up"),
        node("Gelu", ["h"], ["g"]),
        node("MatMul", ["g", "w2"], ["y"], name="down"),
    ]
    return saved(nodes, [("x", ["batch", "seq", width])], weights, opset=20)


def test_a_bert_block():
    batch, seq, heads, width, inner = 2, 7, 4, 32, 64
    path = bert_block(heads, width, inner)
    imported = network(path, batch=batch, sizes={"seq": seq})
    tokens = batch * seq
    assert imported.macs == tokens * (4 * width * width + 2 * width * inner) + 2 * batch * seq * seq * width
    assert imported.macs == counted(path, batch=batch, seq=seq)
    layers = {layer.name: layer for layer in imported.layers}
    assert list(layers) == ["q_proj", "scores", "context", "up", "down"]
    assert layers["q_proj"].count == 4
    assert layers["scores"].problem == Problem(N=seq, G=batch * heads, K=seq, C=width // heads)
    said = notes(path, batch=batch, sizes={"seq": seq})
    for op in ("Softmax", "LayerNormalization", "Gelu", "Transpose", "Reshape", "Add"):
        assert f"  {op} " in said


def llama_block(heads=8, of_keys=2, width=64, inner=96):
    """Attention of grouped queries with a cache of keys and values, and a gated layer; decode is prefill of one token."""
    node, depth = helper.make_node, width // heads
    sizes = {"q": heads, "k": of_keys, "v": of_keys}
    nodes, weights = [], [("axis", np.array([2])), ("back", np.array([0, 0, width]))]
    for each, of in sizes.items():
        weights += [(f"w{each}", zeros(width, of * depth)), (f"d{each}", np.array([0, 0, of, depth]))]
        nodes += [
            node("MatMul", ["x", f"w{each}"], [f"{each}1"], name=f"{each}_proj"),
            node("Reshape", [f"{each}1", f"d{each}"], [f"{each}2"]),
            node("Transpose", [f"{each}2"], [f"{each}3"], perm=[0, 2, 1, 3]),
        ]
    for each in "kv":  # the cache, then every head of keys for its group of queries
        nodes += [
            node("Concat", [f"past_{each}", f"{each}3"], [f"{each}4"], axis=2),
            node("Unsqueeze", [f"{each}4", "axis"], [f"{each}5"]),
            node("Shape", [f"{each}4"], [f"{each}s"]),
            node("Slice", [f"{each}s", "i0", "i2"], [f"{each}a"]),
            node("Slice", [f"{each}s", "i2", "i4"], [f"{each}b"]),
            node("Concat", [f"{each}a", "repeat", f"{each}b"], [f"{each}c"], axis=0),
            node("Expand", [f"{each}5", f"{each}c"], [f"{each}6"]),
            node("Concat", ["zero", "all_heads", f"{each}b"], [f"{each}d"], axis=0),
            node("Reshape", [f"{each}6", f"{each}d"], [f"{each}7"]),
        ]
    weights += [("i0", np.array([0])), ("i2", np.array([2])), ("i4", np.array([4])), ("zero", np.array([0]))]
    weights += [("repeat", np.array([heads // of_keys])), ("all_heads", np.array([heads]))]
    weights += [("wo", zeros(width, width)), ("wg", zeros(width, inner)), ("wu", zeros(width, inner))]
    weights += [("wd", zeros(inner, width))]
    nodes += [
        node("Transpose", ["k7"], ["k8"], perm=[0, 1, 3, 2]),
        node("MatMul", ["q3", "k8"], ["s"], name="scores"),
        node("Softmax", ["s"], ["p"]),
        node("MatMul", ["p", "v7"], ["c"], name="context"),
        node("Transpose", ["c"], ["c1"], perm=[0, 2, 1, 3]),
        node("Reshape", ["c1", "back"], ["c2"]),
        node("MatMul", ["c2", "wo"], ["o"], name="o_proj"),
        node("MatMul", ["o", "wg"], ["g"], name="gate_proj"),
        node("Sigmoid", ["g"], ["g1"]),
        node("MatMul", ["o", "wu"], ["u"], name="up_proj"),
        node("Mul", ["g1", "u"], ["m"]),
        node("MatMul", ["m", "wd"], ["y"], name="down_proj"),
    ]
    caches = [(f"past_{each}", ["batch", of_keys, "past", depth]) for each in "kv"]
    return saved(nodes, [("x", ["batch", "seq", width]), *caches], weights)


@pytest.mark.parametrize(("seq", "past"), [(16, 4), (1, 31)], ids=["prefill", "decode"])
def test_a_llama_block(seq, past):
    batch, heads, of_keys, width, inner = 3, 8, 2, 64, 96
    path = llama_block(heads, of_keys, width, inner)
    sizes = {"seq": seq, "past": past}
    imported = network(path, batch=batch, sizes=sizes)
    of_keys_width = width * of_keys // heads
    per_token = 2 * width * width + 2 * width * of_keys_width + 3 * width * inner
    assert imported.macs == batch * seq * (per_token + 2 * (past + seq) * width)
    scores = next(layer for layer in imported.layers if layer.name == "scores")
    assert scores.problem == Problem(N=seq, G=batch * heads, K=past + seq, C=width // heads)
    assert imported.macs == counted(path, batch=batch, **sizes)


# --- Weights ----------------------------------------------------------------------------------------------------------


def test_stored_zeros_are_sparsity_and_computed_weights_have_shapes_alone():
    weights = zeros(8, 8)
    weights[:, 2:] = 0
    nodes = [
        helper.make_node("Transpose", ["w"], ["wt"], perm=[1, 0]),
        helper.make_node("MatMul", ["x", "wt"], ["h"], name="sparse"),
        helper.make_node("ConstantOfShape", ["shape"], ["z"]),
        helper.make_node("MatMul", ["h", "z"], ["y"], name="computed"),
    ]
    path = saved(nodes, [("x", [1, 8])], [("w", weights), ("shape", np.array([8, 4]))])
    sparse, computed = network(path, sparsity=True).layers
    assert sparse.sparsity.density == 0.25
    assert computed.sparsity is None
    assert (computed.inputs, computed.outputs) == (8, 4)
    assert [layer.sparsity for layer in network(path).layers] == [None, None]
    assert "# 48 of 64 weights are zero" in read(path, sparsity=True).to_yaml()
    assert maerisim.map("maeri-16", network(path, sparsity=True)).layers


def test_weights_in_a_file_of_their_own():
    path = saved([helper.make_node("MatMul", ["x", "w"], ["y"])], [("x", [1, 8])], [("w", np.eye(8, dtype=np.float32))])
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="w.bin", size_threshold=0)
    assert only(path, sparsity=True).sparsity.density == 0.125
    Path("w.bin").unlink()
    assert only(path).problem == Problem(K=8, C=8)
    with pytest.raises(DocumentError, match="the weights 'w' cannot be read"):
        read(path, sparsity=True)


# --- What is refused, and what is wrong -------------------------------------------------------------------------------


def test_what_cannot_be_imported_is_refused_and_the_rest_imported():
    branch = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["t"])], "b", [], [helper.make_tensor_value_info("t", FLOAT, None)]
    )
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"], name="kept"),
        helper.make_node("If", ["c"], ["i"], name="choice", then_branch=branch, else_branch=branch),
        helper.make_node("FusedMatMul", ["x", "w"], ["f"], name="own", domain="com.example"),
        helper.make_node("MatMul", ["f", "w"], ["g"], name="after"),
        helper.make_node("Einsum", ["x", "x", "x"], ["e"], equation="ij,ik,il->jkl", name="three"),
        helper.make_node("MaxPool", ["v"], ["p"], kernel_shape=[2, 2, 2], name="volume"),
        helper.make_node("MaxPool", ["q"], ["r"], kernel_shape=[2, 2], dilations=[2, 2], name="dilated"),
        helper.make_node("LSTM", ["s", "lw", "lr", "", "", "", "", "lp"], ["l"], hidden_size=4, name="peeping"),
        helper.make_node("LSTM", ["s", "lw", "lr"], ["m"], hidden_size=4, direction="sideways", name="lost"),
        helper.make_node("LSTM", ["s", "lw", "lr"], ["n"], hidden_size=4, direction="bidirectional", name="half"),
        helper.make_node("Conv", ["q", "cw"], ["u"], auto_pad="SOME", name="padded"),
        helper.make_node("Conv", ["q", "cw"], ["z"], kernel_shape=[0, 0], name="empty"),
        helper.make_node("MaxPool", ["q"], ["k"], name="all"),
    ]
    inputs = [("x", [4, 8]), ("c", [], TensorProto.BOOL), ("v", [1, 2, 4, 4, 4]), ("q", [1, 2, 8, 8]), ("s", [3, 1, 8])]
    weights = [("w", zeros(8, 8)), ("lw", zeros(1, 16, 8)), ("lr", zeros(1, 16, 4)), ("lp", zeros(1, 12))]
    weights.append(("cw", zeros(2, 2, 3, 3)))
    path = saved(nodes, inputs, weights, outputs=("h", "i", "g"), domains=["com.example"])
    assert only(path).name == "kept"
    said = notes(path)
    for line in (
        "If not imported: control flow, with 2 nodes inside (choice)",
        "FusedMatMul not imported: an operator of 'com.example', which ONNX does not define (own)",
        "MatMul not imported: the shape of its input 'f' is not known (after)",
        "Einsum not imported: 'ij,ik,il->jkl' has 3 operands, expected two (three)",
        "MaxPool not imported: a pooling over three dimensions, expected a kernel of 1 along one of them (volume)",
        "MaxPool not imported: a pooling with dilated windows (dilated)",
        "LSTM not imported: peepholes (peeping)",
        "LSTM not imported: expected forward, reverse or bidirectional as direction, found 'sideways' (lost)",
        "LSTM not imported: weights for 1 directions of a sequence that is bidirectional (half)",
        "Conv not imported: expected NOTSET, SAME_UPPER, SAME_LOWER or VALID as auto_pad, found 'SOME' (padded)",
        "Conv not imported: a kernel_shape of [0, 0], but weights of a kernel of [3, 3] (empty)",
        "MaxPool not imported: a pooling without kernel_shape (all)",
    ):
        assert f"m.onnx: {line}" in said
        assert f"# Not imported: m.onnx: {line}" in read(path).to_yaml()


def test_functions_of_the_model_are_inlined():
    function = helper.make_function(
        "own", "twice", ["a", "w"], ["b"],
        [helper.make_node("MatMul", ["a", "w"], ["t"]), helper.make_node("MatMul", ["t", "w"], ["b"])],
        [helper.make_opsetid("", 17)],
    )  # fmt: skip
    nodes = [helper.make_node("twice", ["x", "w"], ["y"], domain="own")]
    path = saved(nodes, [("x", [4, 8])], [("w", zeros(8, 8))], functions=[function], domains=["own"])
    assert only(path).count == 2


def test_shapes_that_are_no_longer_true_are_dropped():
    path = bert_block()
    model = onnx.shape_inference.infer_shapes(onnx.load(path))
    for value in model.graph.value_info:
        for size in value.type.tensor_type.shape.dim:
            size.dim_value = 99
    onnx.save(model, path)
    assert network(path, batch=1, sizes={"seq": 3}).macs == counted(path, batch=1, seq=3)


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        ({}, "dimension 0 ('batch') has no size, give it: --dim batch=N or --batch N"),
        ({"batch": 1}, "dimension 1 ('seq') has no size, give it: --dim seq=N"),
        ({"batch": 1, "sizes": {"seqq": 3}}, "--dim seqq: no input has this dimension (did you mean 'seq'?)"),
    ],
)
def test_symbolic_sizes_have_to_be_given(how, problem):
    with pytest.raises(DocumentError) as caught:
        read(bert_block(), **how)
    assert any(problem in each for each in caught.value.problems), caught.value.problems


def test_a_batch_that_is_fixed_stays_and_sizes_without_names_are_given_by_place():
    fixed = saved([helper.make_node("MatMul", ["x", "w"], ["y"])], [("x", [2, 8])], [("w", zeros(8, 8))])
    assert only(fixed, batch=2).problem.N == 2
    with pytest.raises(DocumentError, match="input 'x' has a first dimension of 2, not a symbolic one"):
        read(fixed, batch=3)
    unnamed = saved([helper.make_node("MatMul", ["x", "w"], ["y"])], [("x", [None, None, 8])], [("w", zeros(8, 8))])
    assert only(unnamed, batch=2, sizes={"x.1": 5}).problem.N == 10
    different = saved([helper.make_node("MatMul", ["x", "z"], ["y"])], [("x", ["a", 8]), ("z", ["b", 8, 4])])
    with pytest.raises(DocumentError, match="inputs begin with different dimensions \\('a' of 'x', 'b' of 'z'\\)"):
        read(different, batch=3)
    assert only(different, sizes={"a": 2, "b": 3}).macs == 2 * 3 * 8 * 4


def test_broken_files_end_with_2_and_a_message(tmp_path, capsys):
    good = (LIGHT / "light_squeezenet.onnx").read_bytes()
    for name, content in {
        "empty": b"",
        "text": b"name: net\n",
        "cut": good[:900],
        "noise": bytes(range(256)) * 9,
    }.items():
        path = tmp_path / f"{name}.onnx"
        path.write_bytes(content)
        with pytest.raises(SystemExit) as caught:
            main(["import", "onnx", str(path)])
        assert caught.value.code == 2
        assert "is not an ONNX model" in capsys.readouterr().err
    for path, word in ((tmp_path, "is a directory"), (tmp_path / "none.onnx", "no such file")):
        with pytest.raises(SystemExit) as caught:
            main(["import", "onnx", str(path)])
        assert caught.value.code == 2
        assert word in capsys.readouterr().err


def test_a_model_without_layers_is_explained():
    path = saved([helper.make_node("Relu", ["x"], ["y"])], [("x", [4])])
    with pytest.raises(DocumentError, match="none of its 1 nodes is a layer"):
        read(path)


@pytest.mark.parametrize("seed", range(40))
def test_damaged_models_are_read_or_explained(seed):
    """Bytes changed at random: whatever remains is a network or a message, nothing else."""
    chance = random.Random(seed)
    content = bytearray((LIGHT / "light_squeezenet.onnx").read_bytes())
    if seed % 2:
        content = bytearray(Path(bert_block()).read_bytes())
    for _ in range(chance.randint(1, 30)):
        content[chance.randrange(len(content))] = chance.randrange(256)
    Path("damaged.onnx").write_bytes(content)
    try:
        assert network("damaged.onnx", batch=1, sizes={"seq": 3} if seed % 2 else {}, sparsity=True).layers
    except DocumentError as problem:
        explained = problem.problems
    else:
        explained = ["nothing to explain"]
    assert all(explained)


def test_the_command(tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["import", "onnx", bert_block(), "--batch", "2", "--dim", "seq=7", "-o", "bert.yaml", "--name", "bert"])
    assert not caught.value.code
    said = capsys.readouterr()
    assert said.out == "wrote bert.yaml: 5 layers\n"
    assert said.err.startswith("note: MAERI does not run (nodes, their share of the operations, of the words")
    assert Network.load("bert.yaml").name == "bert"
    for wrong in ("seq", "seq=", "seq=0", "=3", "seq=-1"):
        with pytest.raises(SystemExit) as caught:
            main(["import", "onnx", bert_block(), "--dim", wrong])
        assert caught.value.code == 2
        assert "expected NAME=N with a whole number from 1" in " ".join(capsys.readouterr().err.split())


def test_without_onnx_it_says_what_to_install():
    code = "import sys; sys.modules['onnx'] = None; from maerisim.cli import main; main(['import', 'onnx', 'm.onnx'])"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert finished.returncode == 2
    assert "pip install 'maerisim[onnx]'" in finished.stderr
