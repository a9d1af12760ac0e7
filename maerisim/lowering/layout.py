"""Where the virtual neurons of a mapping lie on the array, and which word of each operand a switch works on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maerisim.arrays import Ints
from maerisim.fabric.topology import Topology
from maerisim.fabric.virtual_neuron import Span
from maerisim.mapping.mapping import REDUCED, Mapping
from maerisim.workload.problem import DIMENSIONS, Problem

WEIGHT_DIMENSIONS = frozenset("GKCRS")
INPUT_DIMENSIONS = frozenset("NGCRSPQ")


@dataclass(frozen=True)
class Layout:
    """Placement of a tile on the array.

    ``virtual_neuron`` (per switch; -1: unused) and ``coordinate[d]`` (per switch: its index inside the tile of
    dimension d). ``partial_sum`` marks the extra switch at the front of each VN that takes in partial sums.
    """

    spans: tuple[Span, ...]
    virtual_neuron: Ints
    coordinate: dict[str, Ints]
    partial_sum: np.ndarray[tuple[int], np.dtype[np.bool_]]

    @property
    def switches(self) -> int:
        """Switches up to the last one in use."""
        return len(self.virtual_neuron)


def place(mapping: Mapping, topology: Topology, with_partial_sums: bool, start: int = 0) -> Layout:
    """Lay the virtual neurons of ``mapping`` side by side from switch ``start`` on."""
    vn_tile = [mapping.tile_of(d) for d in mapping.placement]
    reduced_tile = [mapping.tile_of(d) for d in REDUCED]
    size = mapping.vn_size + with_partial_sums
    block = topology.block(size)
    spans = tuple(Span(start + vn * block, size) for vn in range(mapping.vn_count))
    switches = spans[-1].start + size
    virtual_neuron = np.full(switches, -1, np.int64)
    coordinate = {d: np.zeros(switches, np.int64) for d in DIMENSIONS}
    partial_sum = np.zeros(switches, np.bool_)
    inside = dict(zip(REDUCED, np.indices(reduced_tile).reshape(3, -1), strict=True))
    outside = dict(zip(mapping.placement, np.indices(vn_tile).reshape(5, -1), strict=True))
    for vn, span in enumerate(spans):
        virtual_neuron[span.start : span.start + size] = vn
        partial_sum[span.start] = with_partial_sums
        workers = slice(span.start + with_partial_sums, span.start + size)
        for d in REDUCED:
            coordinate[d][workers] = inside[d]
        for d in mapping.placement:
            coordinate[d][span.start : span.start + size] = outside[d][vn]
    return Layout(spans, virtual_neuron, coordinate, partial_sum)


@dataclass(frozen=True)
class Strides:
    """Words by which the address of an operand moves per unit of each dimension (row-major tensors).

    Weights are (G, K, C, R, S), inputs (N, G, C, H, W) with H, W the padded rows and columns in use, outputs
    (N, G, K, P, Q). ``input_order`` numbers the inputs in the order in which they are read from the global buffer: by
    row and column, then image, group and channel.
    """

    weights: dict[str, int]
    inputs: dict[str, int]
    input_order: dict[str, int]
    outputs: dict[str, int]


def strides_of(problem: Problem) -> Strides:
    """Address strides of the three operands of ``problem``."""
    p = problem
    height, width = p.H, p.W
    weights = {"S": 1, "R": p.S, "C": p.R * p.S, "K": p.C * p.R * p.S, "G": p.K * p.C * p.R * p.S}
    inputs = {
        "Q": p.stride[1],
        "S": p.dilation[1],
        "P": p.stride[0] * width,
        "R": p.dilation[0] * width,
        "C": height * width,
        "G": p.C * height * width,
        "N": p.G * p.C * height * width,
    }
    pixel = p.N * p.G * p.C
    input_order = {
        "C": 1,
        "G": p.C,
        "N": p.G * p.C,
        "Q": p.stride[1] * pixel,
        "S": p.dilation[1] * pixel,
        "P": p.stride[0] * width * pixel,
        "R": p.dilation[0] * width * pixel,
    }
    outputs = {"Q": 1, "P": p.Q, "K": p.P * p.Q, "G": p.K * p.P * p.Q, "N": p.G * p.K * p.P * p.Q}
    blank = dict.fromkeys(DIMENSIONS, 0)
    return Strides(blank | weights, blank | inputs, blank | input_order, blank | outputs)


def addresses(layout: Layout, strides: dict[str, int]) -> Ints:
    """Per switch: the address of its word relative to the base of the tile."""
    total = np.zeros(layout.switches, np.int64)
    for dimension, stride in strides.items():
        total += stride * layout.coordinate[dimension]
    return total
