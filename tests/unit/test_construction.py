"""Hardware, networks and layers made in Python: names that may be left out, and the complaints that a file gets."""

from __future__ import annotations

import pytest

from maerisim import (
    Conv2d,
    DocumentError,
    Fused,
    Gru,
    Hardware,
    Linear,
    Lstm,
    MatMul,
    MaxPool2d,
    Network,
)


def test_hardware_is_that_of_a_document_with_the_same_keys(tmp_path):
    (tmp_path / "h.yaml").write_text("name: hardware\nmultipliers: 32\ndistribution: {bandwidth: 16, latency: 2}\n")
    made = Hardware(multipliers=32, distribution={"bandwidth": 16, "latency": 2})
    assert made == Hardware.load(tmp_path / "h.yaml")
    parts = Hardware.load("maeri-16")
    assert Hardware(multipliers=16, reduction=parts.reduction, name="maeri-16", description=parts.description) == parts


def test_layers_are_those_of_a_document(tmp_path):
    (tmp_path / "n.yaml").write_text(
        "name: network\nlayers:\n"
        "  - {name: conv2d, op: conv2d, input: [4, 8, 8], filters: 2, kernel: 3, stride: [2, 1]}\n"
        "  - {name: lstm, op: lstm, input_size: 3, hidden_size: 4}\n"
        "  - {name: pair, op: fused, layers: [{name: conv2d, op: conv2d, input: [4, 6, 6], filters: 4, kernel: 3},\n"
        "     {name: max_pool2d, op: max_pool2d, input: [4, 4, 4], kernel: 2}]}\n"
    )
    pair = Fused([Conv2d(input=(4, 6, 6), filters=4, kernel=(3, 3)), MaxPool2d(input=[4, 4, 4], kernel=2)], name="pair")
    made = Network(
        [Conv2d(input=[4, 8, 8], filters=2, kernel=3, stride=[2, 1]), Lstm(input_size=3, hidden_size=4), pair]
    )
    assert made == Network.load(tmp_path / "n.yaml")


def test_layers_without_a_name_are_told_apart_and_others_keep_theirs():
    layers = [Linear(inputs=2, outputs=2), Linear(inputs=2, outputs=3, name="head"), Linear(inputs=3, outputs=2)]
    network = Network([*layers, MatMul(m=1, k=2, n=3), Gru(input_size=1, hidden_size=1, name="cell")], name="mine")
    assert [layer.name for layer in network.layers] == ["linear_1", "head", "linear_2", "matmul", "cell"]
    assert [layer.name for layer in layers] == ["linear", "head", "linear"]
    convolutions = [Conv2d(input=[1, 4, 4], filters=1, kernel=3), Conv2d(input=[1, 2, 2], filters=1, kernel=1)]
    assert [layer.name for layer in Fused(convolutions).layers] == ["conv2d_1", "conv2d_2"]


@pytest.mark.parametrize(
    ("make", "problems"),
    [
        (
            lambda: Hardware(multipliers=3, distribution={"bandwith": 2}),
            [
                "Hardware: distribution.bandwith: unknown key (did you mean 'bandwidth'?)",
                "Hardware: multipliers: expected a power of two from 2 to 4096, found 3",
            ],
        ),
        (
            lambda: Conv2d(input=[3, 8, 8], filters=0, kernel=3, stirde=2),
            [
                "Conv2d: filters: expected at least 1, found 0",
                "Conv2d: stirde: unknown key (did you mean 'stride'?)",
            ],
        ),
        (
            lambda: Linear(inputs=2),
            ["Linear: outputs: this key is required but missing: output features"],
        ),
        (
            lambda: Network([{"op": "conv"}]),
            [
                "Network: layers[0].op: expected one of conv2d, max_pool2d, avg_pool2d, linear, matmul, lstm, gru, "
                + "fused, conv1d, conv3d, conv_transpose2d, found 'conv' (did you mean 'conv2d'?)"
            ],
        ),
        (
            lambda: Network([Linear(name="a", inputs=1, outputs=1)] * 2),
            ["Network: layers[1].name: 'a' is already the name of layers[0]; layer names must be unique"],
        ),
        (lambda: Network(3), ["Network: layers: expected a list, found 3"]),
    ],
    ids=["hardware", "layer", "missing", "kind", "names", "no list"],
)
def test_all_problems_at_once_at_their_dotted_paths(make, problems):
    with pytest.raises(DocumentError) as caught:
        make()
    assert caught.value.problems == problems


def test_too_many_values_without_a_keyword_are_a_mistake_of_the_program():
    with pytest.raises(TypeError, match="takes keywords only"):
        Hardware(16)
