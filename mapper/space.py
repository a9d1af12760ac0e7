"""The tiles and loop orders that the heuristic mapper looks at, and the rules that leave the others out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from maerisim.fabric.topology import topology_of
from maerisim.hardware import Hardware
from maerisim.workload import Problem

Tile = tuple[int, ...]
Order = tuple[str, ...]

ORDERS: tuple[Order, ...] = tuple(
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
PLACEMENTS: tuple[Order, ...] = (("G", "K", "N", "P", "Q"), ("G", "N", "P", "Q", "K"))
"""Virtual neurons that share weights lie side by side, or those that share inputs."""
WALKS = tuple((order, placement) for order in ORDERS for placement in PLACEMENTS)
"""Everything that a tile is tried with."""

FULLEST = 0.75
"""Tiles that keep less than this share of the multipliers busy that the best tile does are left out."""
MOST_TILES = 1500
"""Tiles kept for the analytic model, those with the fewest control steps first."""
SPARE_TILES = 100
"""Tiles kept that have room for returning partial sums."""


def sizes_without_waste(size: int, limit: int) -> list[int]:
    """Tile sizes up to ``limit``, only the smallest of those that take equally many tiles to cover ``size``."""
    return sorted({-(-size // (-(-size // tile))) for tile in range(1, min(size, limit) + 1)})


def tiles(problem: Problem, hardware: Hardware) -> tuple[list[Tile], int]:
    """The tiles worth estimating, and how many without waste fit the array at all.

    Rules: no tile size that only leaves a smaller edge; enough multipliers busy; few control steps first. A few tiles
    that leave one switch in each virtual neuron free for a returning partial sum are kept in any case.
    """
    block = topology_of(hardware).block
    fitting = sorted(_fitting(problem, hardware.multipliers, block))
    fewest = fitting[0][0]
    kept = [tile for steps, tile in fitting if steps * FULLEST <= fewest][:MOST_TILES]
    spare = (tile for _, tile in fitting if _switches(tile, block, extra=1) <= hardware.multipliers)
    return list(dict.fromkeys([*kept, *islice(spare, SPARE_TILES)])), len(fitting)


def _switches(tile: Tile, block: Callable[[int], int], extra: int = 0) -> int:
    """Multiplier switches that a tile occupies, with ``extra`` switches in each virtual neuron."""
    n, g, k, c, r, s, p, q = tile
    size = c * r * s + extra
    return (n * g * k * p * q - 1) * block(size) + size


def _fitting(problem: Problem, multipliers: int, block: Callable[[int], int]) -> Iterator[tuple[int, Tile]]:
    """(control steps, tile) of every tile without waste that fits the multipliers."""
    options = [[(tile, -(-size // tile)) for tile in sizes_without_waste(size, multipliers)] for size in problem.dims]

    def extend(tile: Tile, switches: int, steps: int) -> Iterator[tuple[int, Tile]]:
        if len(tile) == len(options):
            if _switches(tile, block) <= multipliers:
                yield steps, tile
            return
        for size, trips in options[len(tile)]:
            if switches * size > multipliers:
                break
            yield from extend((*tile, size), switches * size, steps * trips)

    return extend((), 1, 1)
