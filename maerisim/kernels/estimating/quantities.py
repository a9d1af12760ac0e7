"""The plain numbers and arrays that the kernels of the analytic model share.

A *class* of control steps is the set of dimensions that are at their last, partial tile; it is counted by how often it
occurs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import helper
from maerisim.kernels.estimating.dimensions import FOLDS, OF_Q, Q, S

Shorts = npt.NDArray[np.uint16]
"""Small counts and marks, one lane per port or bus; narrow, so that one instruction works on many."""
Floats = npt.NDArray[np.float64]
Tiles = npt.NDArray[np.int32]
"""Tile sizes [tile, dimension]; there can be millions."""

ART, PLAIN_TREE, LINEAR, FAN = 0, 1, 2, 3
REGIONAL, BY_SWITCH = 0, 1


class FabricNumbers(NamedTuple):
    """The numbers of a hardware document that matter to an estimate.

    ``weight_room``: weights that a switch has room for, those that load behind the computation included. ``blocks``
    [size]: multiplier switches from one virtual neuron of this size to the next. ``rate``: control steps that the controller
    releases in a cycle (0: any number). ``together``: it holds all virtual neurons back at once, or the results of all are
    written in turn. ``half``: of the results that wait half are written in a cycle.
    """

    multipliers: int
    ports: int
    buses: int
    distribution_latency: int
    weight_registers: int
    weight_room: int
    input_registers: int
    input_depth: int
    partial_sum_depth: int
    forwarding: int
    forward_depth: int
    product_depth: int
    multiplier_latency: int
    topology: int
    blocks: Ints
    level_latency: int
    reduction_depth: int
    lateral_latency: int
    shorter_end: int
    to_last_level: int
    pads: int
    folds_together: int
    waits: int
    across_images: int
    weights_first: int
    rate: int
    together: int
    partial_sums_first: int
    as_they_arrive: int
    wiring: int
    half: int
    collection_depth: int
    collection_latency: int
    accumulation_words: int
    accumulation_latency: int


class LayerNumbers(NamedTuple):
    """Sizes and geometry of a problem; whether its inputs are ``weighted`` (1) or pooled (0)."""

    weighted: int
    size: Ints
    stride_h: int
    stride_w: int
    dilation_h: int
    dilation_w: int


class LoopNumbers(NamedTuple):
    """The temporal loops of a tile.

    By dimension: their ``trips``, the size of the last tile (``edge``), that of all tiles, of one, and of the layer (``real``).
    ``turns`` and ``middles`` [set of loops]: the product of their trips, and of their trips but the last.
    """

    trips: Ints
    edge: Ints
    size: Ints
    tile: Ints
    real: Ints
    turns: Ints
    middles: Ints


class TileShape(NamedTuple):
    """What all loop orders and placements of a tile have in common.

    ``turning``: the loops with more than one trip; ``partial``: those whose last tile is partial. ``vn_size`` leaves out
    the switch that returning partial sums need. ``slidable``: inputs could move on over forwarding links. ``weighted``: there
    are weights.
    """

    turning: int
    partial: int
    steps: int
    folds: int
    macs: int
    outputs: int
    vn_count: int
    vn_size: int
    slidable: int
    weighted: int


@helper
def block_of(fabric: FabricNumbers, size: int) -> int:
    """Switches from one virtual neuron of ``size`` to the next."""
    return int(fabric.blocks[size])


@helper
def fits(shape: TileShape, size: int, fabric: FabricNumbers) -> bool:
    """Whether the multipliers have room for all virtual neurons of a tile, each of so many."""
    return size <= fabric.multipliers and (shape.vn_count - 1) * block_of(fabric, size) + size <= fabric.multipliers


@helper
def log2(power: int) -> int:
    """The exponent of a power of two."""
    exponent = 0
    while 1 << exponent < power:
        exponent += 1
    return exponent


@helper
def next_subset(subset: int, whole: int) -> int:
    """The subset of ``whole`` after ``subset`` when all are visited, the largest first; -1 after the empty one."""
    return (subset - 1) & whole if subset else -1


@helper
def measure(layer: LayerNumbers, tile: Ints, fabric: FabricNumbers, loops: LoopNumbers) -> TileShape:
    """The shape of ``tile``; fills ``loops``."""
    turning, partial = 0, 0
    steps, folds, macs, outputs, vn_count, vn_size = 1, 1, 1, 1, 1, 1
    loops.turns[0], loops.middles[0] = 1, 1
    for d in range(8):
        trips = (layer.size[d] + tile[d] - 1) // tile[d]
        size = trips * tile[d] if fabric.pads else layer.size[d]
        edge = size - (trips - 1) * tile[d]
        loops.trips[d], loops.edge[d], loops.size[d] = trips, edge, size
        loops.tile[d], loops.real[d] = tile[d], layer.size[d]
        steps *= trips
        macs *= size
        if FOLDS >> d & 1:
            folds *= trips
            vn_size *= tile[d]
        else:
            outputs *= size
            vn_count *= tile[d]
        if trips > 1:
            turning |= 1 << d
            partial |= int(edge != tile[d]) << d
        for subset in range(1 << d):
            loops.turns[subset + (1 << d)] = loops.turns[subset] * trips
            loops.middles[subset + (1 << d)] = loops.middles[subset] * (trips - 1)
    slidable = fabric.forwarding and turning & OF_Q and tile[Q] == 1 and tile[S] > 1
    slidable = slidable and layer.stride_w == layer.dilation_w
    if fabric.pads and layer.size[S] % tile[S]:
        slidable = False
    return TileShape(turning, partial, steps, folds, macs, outputs, vn_count, vn_size, int(slidable), layer.weighted)
