"""The tiles of a layer. With all loop orders and placements that differ they are the space of its mappings."""

from __future__ import annotations

import numpy as np

from maerisim.fabric.topology import topology_of
from maerisim.hardware import Hardware
from maerisim.kernels.quantities import Tiles
from maerisim.mapping import REDUCED
from maerisim.workload import DIMENSIONS, Problem


def sizes_without_waste(size: int, limit: int) -> list[int]:
    """Tile sizes up to ``limit``, only the smallest of those that take equally many tiles to cover ``size``."""
    return sorted({-(-size // (-(-size // tile))) for tile in range(1, min(size, limit) + 1)})


def all_tiles(problem: Problem, hardware: Hardware) -> Tiles:
    """Every tile [tile, dimension] of the layer that fits the array: every size of every dimension.

    Where a controller fills up partial tiles the window of a pooling is not cut, since what is filled in would count.
    A loop order whose partial sums spill takes one more switch in each virtual neuron, which is not considered here.
    """
    multipliers, block = hardware.multipliers, topology_of(hardware).block
    tiles, switches = np.ones((1, len(DIMENSIONS)), np.int32), np.ones(1, np.int64)
    for d, size in enumerate(problem.dims):
        most = np.minimum(size, multipliers // switches)
        first = np.cumsum(most) - most
        tiles = np.repeat(tiles, most, axis=0)
        tiles[:, d] += np.arange(len(tiles)) - np.repeat(first, most)
        switches = np.repeat(switches, most) * tiles[:, d]
    vn_size = tiles[:, [DIMENSIONS.index(d) for d in REDUCED]].prod(axis=1, dtype=np.int64)
    blocks = np.array([1, *(block(size) for size in range(1, multipliers + 1))])[vn_size]
    fits = (switches // vn_size - 1) * blocks + vn_size <= multipliers
    if problem.pools and hardware.controller.pad_edges:
        windows = [DIMENSIONS.index(d) for d in REDUCED]
        fits &= (np.array(problem.dims)[windows] % tiles[:, windows] == 0).all(axis=1)
    return np.ascontiguousarray(tiles[fits])
