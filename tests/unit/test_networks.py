"""The shipped networks against the counts in the literature."""

from __future__ import annotations

import itertools
from typing import get_args

import pytest

from maerisim.documents import locate, shipped
from maerisim.workload.convolutions import Conv1d, Conv2d, Conv3d
from maerisim.workload.layers import AvgPool2d, Fused, Layer, MaxPool2d
from maerisim.workload.network import Network
from maerisim.workload.transposed import ConvTranspose2d

# Parameters: Caffe's bvlc_alexnet and bvlc_googlenet, Simonyan & Zisserman's model D, and num_params of torchvision's
# weights (ResNet18_, ResNet50_, SqueezeNet1_0_, MobileNet_V2_, MNASNet1_0_Weights). For BERT base: the 12 encoder layers of the 109,482,240
# parameters of bert-base-uncased, without embeddings and pooler.
PARAMETERS = {
    "alexnet": 60_965_224,
    "vgg16": 138_357_544,
    "googlenet": 6_998_552,
    "resnet18": 11_689_512,
    "resnet50": 25_557_032,
    "squeezenet": 1_248_424,
    "mobilenet_v2": 3_504_872,
    "mnasnet": 4_383_312,
    "bert_base": 85_054_464,
}

# Two parameters (scale and shift) per channel of every batch normalisation, one after each convolution; for BERT two
# layer normalisations of 768 features in each of 12 layers.
BATCH_NORMALISED = ("resnet18", "resnet50", "mobilenet_v2", "mnasnet")
LAYER_NORM = {"bert_base": 12 * 2 * 2 * 768}

# Multiply-accumulates in units of 10^9 with the digits published: the "_ops" of torchvision's weights at 224x224,
# which count one multiply-add as one operation.
TORCHVISION_GMACS = {
    "vgg16": 15.470,
    "resnet18": 1.814,
    "resnet50": 4.089,
    "squeezenet": 0.819,
    "mobilenet_v2": 0.301,
    "mnasnet": 0.314,
}

# Millions of multiply-adds of each part of GoogLeNet: Szegedy et al., table 1, column "ops". Two of its rows contradict
# themselves and are checked by formula: the first (34M, 2.7K weights) is not the 7x7 convolution on three channels that
# it names, and inception (5a) (54M, 1072K weights) is not what its filter counts give.
GOOGLENET_MEGA_MACS = {
    "conv2": 360,
    "inception_3a": 128,
    "inception_3b": 304,
    "inception_4a": 73,
    "inception_4b": 88,
    "inception_4c": 100,
    "inception_4d": 119,
    "inception_4e": 170,
    "inception_5b": 71,
    "classifier": 1,
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name: str) -> None:
    network = Network.load(name)
    normalisation = LAYER_NORM.get(name, 0)
    if name in BATCH_NORMALISED:
        normalisation = sum(2 * layer.filters for layer in network.layers if isinstance(layer, Conv2d))
    assert network.parameters + normalisation == PARAMETERS[name]


@pytest.mark.parametrize("name", TORCHVISION_GMACS)
def test_macs(name: str) -> None:
    assert round(Network.load(name).macs / 1e9, 3) == TORCHVISION_GMACS[name]


def test_alexnet_macs() -> None:
    # Weights of each layer (Krizhevsky et al., section 3.5) times output pixels: 55^2, 27^2, 13^2, 13^2, 13^2, 1, 1, 1.
    assert Network.load("alexnet").macs == 724_406_816


@pytest.mark.parametrize("part", GOOGLENET_MEGA_MACS)
def test_googlenet_macs(part: str) -> None:
    layers = [layer for layer in Network.load("googlenet").layers if layer.name.startswith(part)]
    assert sum(layer.macs for layer in layers) / 1e6 == pytest.approx(GOOGLENET_MEGA_MACS[part], abs=1.0)


def test_googlenet_has_no_other_parts() -> None:
    network = Network.load("googlenet")
    parts = ("conv1", "pool", "inception_5a", *GOOGLENET_MEGA_MACS)
    assert all(layer.name.startswith(parts) for layer in network.layers)
    assert network.layer("conv1").macs == 112 * 112 * 64 * 3 * 7 * 7
    filters = 832 * (256 + 160 + 32 + 128) + 9 * 160 * 320 + 25 * 32 * 128
    assert sum(layer.macs for layer in network.layers if "5a" in layer.name) == 7 * 7 * filters


def test_bert_macs() -> None:
    # Per token and layer 12 h^2 for the weights, 2 h per other token for attention (h = 768, 128 tokens). TinyBERT
    # (Jiao et al., 2020, table 1) gives 22.5 billion operations, two per multiply-add, for the whole model.
    macs = Network.load("bert_base").macs
    assert macs == 12 * 128 * (12 * 768**2 + 2 * 128 * 768)
    assert 2 * macs == pytest.approx(22.5e9, rel=0.01)


def test_recurrent_networks() -> None:
    # Sutskever-style language model: four gates of 512 cells from 512 + 512 values, three products per cell, 32 steps,
    # twice; then 10,000 outputs per step. Bahdanau et al., appendix A: three gates of 1000 cells from 620 + 1000 values.
    lstm, gru = Network.load("lstm"), Network.load("gru")
    assert lstm.macs == 2 * 32 * (4 * 512 * 1024 + 3 * 512) + 32 * 512 * 10_000
    assert lstm.parameters == 2 * 4 * 512 * 1025 + 513 * 10_000
    assert gru.macs == 2 * 30 * (3 * 1000 * 1620 + 3 * 1000)
    assert gru.parameters == 2 * 3 * 1000 * 1621


def test_tiny_covers_every_kind_of_layer_in_a_few_macs() -> None:
    network = Network.load("tiny")
    assert all(layer.macs <= 100_000 for layer in network.layers)
    problems = [layer.problem for layer in network.layers if isinstance(layer, Conv2d)]
    assert any(problem.G > 1 and problem.C == problem.K == 1 for problem in problems)
    assert any(problem.stride == (2, 2) for problem in problems)
    kinds = get_args(get_args(Layer)[0])
    others = {Fused, Conv1d, Conv3d, ConvTranspose2d}  # the last three: test_convolutions.py
    assert {type(layer) for layer in network.layers} == set(kinds) - others
    assert {type(layer) for layer in Network.load("fused").layers} == {Fused}


@pytest.mark.parametrize(
    "name", [name for name in shipped("network") if name not in ("googlenet", "bert_base", "lstm", "six_convolutions")]
)
def test_layers_follow_one_another(name: str) -> None:
    """The input channels of a layer are the filters of an earlier one (the flattened ones for the first linear)."""
    channels = {3, 4}
    for layer in Network.load(name).layers:
        if isinstance(layer, Conv2d):
            assert layer.input[0] in channels, layer.name
            # A fire module concatenates its two expand layers.
            channels |= {layer.filters, 2 * layer.filters}


CONVOLUTIONAL = {
    "alexnet": 227,
    "vgg16": 224,
    "googlenet": 224,
    "resnet18": 224,
    "resnet50": 224,
    "squeezenet": 224,
    "mobilenet_v2": 224,
    "mnasnet": 224,
}
"""Networks of convolutions and poolings, and the width of their images."""


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_planes_follow_one_another(name: str) -> None:
    """A layer works on the plane that an earlier one gives, a pooling on channels of its filters or several of them."""
    planes = {(CONVOLUTIONAL[name],) * 2}
    filters: list[int] = []
    for layer in Network.load(name).layers:
        if isinstance(layer, (Conv2d, MaxPool2d, AvgPool2d)):
            assert layer.input[1:] in planes, layer.name
            planes.add((layer.problem.P, layer.problem.Q))
        if isinstance(layer, Conv2d):
            filters.append(layer.filters)
        elif isinstance(layer, (MaxPool2d, AvgPool2d)):
            # GoogLeNet and SqueezeNet concatenate the outputs of four and two branches; up to eleven layers ago.
            recent = filters[-11:]
            sums = {sum(chosen) for size in (1, 2, 4) for chosen in itertools.combinations(recent, size)}
            assert layer.input[0] in sums | set(filters), layer.name


@pytest.mark.parametrize("name", shipped("network"))
def test_configuration_says_where_its_shapes_come_from(name: str) -> None:
    text = locate("network", name).read_text()
    assert "# Shapes: " in text
    assert "are not layers here" in text
