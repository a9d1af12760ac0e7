"""A mapping by rules of thumb: tiles that keep the array busy, loop orders that are known to reuse something.

The rules look at a few thousand mappings and miss some of the best; how much they miss is measured against the search to
proof by ``benchmarks/vs_optimum.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress, islice

import numpy as np

from maerisim.analytic.objective import Objective
from maerisim.analytic.ranking import rank
from maerisim.arrays import Mask
from maerisim.errors import MappingError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.legality import fits_array
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import way_of
from maerisim.workload.problem import DIMENSIONS, Problem
from mapper.space import tile_sizes

Tile = tuple[int, ...]

ORDERS = tuple(
    tuple(text.split())
    for text in (
        # Weights stay, all folds of an output follow one another (weights of the folds held in a ring).
        "N G K P Q C R S",
        "G K N P Q C R S",
        # Weights stay, one fold after the other; the outputs of the whole plane, or of one row, accumulate.
        "G K C R S N P Q",
        "N G K C R S P Q",
        "N G K P C R S Q",
        "G K N P C R S Q",
        # Inputs stay while the filters pass, folds inside or outside.
        "N G P Q C R S K",
        "N G C R S P Q K",
        "N G P Q K C R S",
        # Outputs of a row of filters before the next row of inputs.
        "N G P K C R S Q",
        "G C R S K N P Q",
    )
)
"""Loop orders, outermost first, each reusing something that the others do not."""
PLACEMENTS = (("G", "K", "N", "P", "Q"), ("G", "N", "P", "Q", "K"))
"""Virtual neurons that share weights lie side by side, or those that share inputs."""

FULLEST = 0.75
"""Tiles that keep less than this share of the multipliers busy that the best tile does are left out."""
MOST_TILES = 1500
"""Tiles kept for the analytic model, those with the fewest control steps first."""
SPARE_TILES = 100
"""Tiles kept that have room for returning partial sums."""


def heuristic(problem: Problem, hardware: Hardware, objective: Objective) -> Mapping:
    """The mapping that the rules find best by estimate. Raises MappingError when they find none."""
    if way_of(problem, hardware).space == "sets_of_filters":
        raise MappingError("heuristic", ["its rules are for dense layers"])
    kept = np.array(tiles(problem, hardware), np.int32)
    ranking = rank(problem, hardware, kept, objective, orders=ORDERS, placements=PLACEMENTS)
    if not ranking.best:
        raise MappingError("heuristic", [f"none of its {len(kept)} tiles fits {hardware.multipliers} multipliers"])
    return ranking.best[0].mapping


def tiles(problem: Problem, hardware: Hardware) -> list[Tile]:
    """The tiles worth estimating.

    Rules: no tile size that only leaves a smaller edge; enough multipliers busy; few control steps first. A few tiles
    that leave one switch in each virtual neuron free for a returning partial sum are kept in any case.
    """
    fitting = sorted(_fitting(problem, hardware))
    fewest = fitting[0][0]
    kept = [tile for steps, tile in fitting if steps * FULLEST <= fewest][:MOST_TILES]
    found = [tile for _, tile in fitting]
    spare = compress(found, _fits(found, hardware, extra=1))
    return list(dict.fromkeys([*kept, *islice(spare, SPARE_TILES)]))


def _fits(tiles: Sequence[Tile], hardware: Hardware, extra: int = 0) -> Mask:
    """Which tiles fit the array, with ``extra`` switches in each virtual neuron."""
    n, g, kk, c, r, s, p, q = np.array(tiles).T
    sizes = c * r * s
    room = sizes + extra <= hardware.multipliers
    return np.asarray(room & fits_array(n * g * kk * p * q, np.where(room, sizes + extra, 1), hardware))


def _fitting(problem: Problem, hardware: Hardware) -> Iterator[tuple[int, Tile]]:
    """(control steps, tile) of every tile without waste that fits the multipliers."""
    multipliers = hardware.multipliers
    options = [
        [(tile, -(-size // tile)) for tile in tile_sizes(problem, dimension, hardware)]
        for dimension, size in zip(DIMENSIONS, problem.dims, strict=True)
    ]

    def extend(tile: Tile, switches: int, steps: int) -> Iterator[tuple[int, Tile]]:
        if len(tile) == len(options):
            yield steps, tile
            return
        for size, trips in options[len(tile)]:
            if switches * size > multipliers:
                break
            yield from extend((*tile, size), switches * size, steps * trips)

    found = list(extend((), 1, 1))
    return compress(found, _fits([tile for _, tile in found], hardware))
