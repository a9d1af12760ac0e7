"""The space of a layer's mappings: its tiles, each with every loop order and placement, as far as constraints allow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from itertools import permutations
from math import factorial, prod

import numpy as np
import numpy.typing as npt

from maerisim.arrays import Ints
from maerisim.errors import MappingError
from maerisim.hardware.hardware import Hardware
from maerisim.kernels.estimating.quantities import Tiles
from maerisim.mapping import buffer_fit
from maerisim.mapping.constraints import Constraint, Range, Utilization
from maerisim.mapping.legality import fits_array, keeps_windows_whole
from maerisim.mapping.mapping import REDUCED, REPLICATED, Mapping
from maerisim.workload.problem import DIMENSIONS, Problem

Kept = npt.NDArray[np.bool_]
Orders = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Space:
    """``tiles`` [tile, dimension] with all loop orders and placements, or with ``orders`` and ``placements`` only.

    A loop order lists all dimensions, those of size 1 first. ``blocks`` limits the sizes of blocks, where loops walk some:
    not with ``orders``, which are of one loop a dimension.
    """

    problem: Problem
    tiles: Tiles
    orders: Orders | None = None
    placements: Orders | None = None
    blocks: MappingOf[str, Range] = field(default_factory=dict)

    @cached_property
    def mappings(self) -> int:
        """Tiles times the loop orders and placements that differ in loops that turn and in several virtual neurons.

        Of one loop a dimension; nests of more are not counted.
        """
        sizes = np.array(self.problem.dims)
        turning = _sets(self.tiles < sizes)
        several = _sets(self.tiles > 1) & sum(1 << DIMENSIONS.index(d) for d in REPLICATED)
        orders, placements = self.orders, self.placements
        by_set = [
            {each: _projections(each, allowed, names) for each in np.unique(sets).tolist()}
            for sets, allowed, names in ((turning, orders, DIMENSIONS), (several, placements, REPLICATED))
        ]
        kinds, counts = np.unique(np.stack([turning, several]), axis=1, return_counts=True)
        return sum(
            int(count) * by_set[0][int(loops)] * by_set[1][int(larger)]
            for (loops, larger), count in zip(kinds.T, counts, strict=True)
        )

    def only(self, kept: Kept) -> Space:
        """The space with the tiles that are kept."""
        return replace(self, tiles=np.ascontiguousarray(self.tiles[kept]))


def _sets(members: Kept) -> Ints:
    """For each row the set of its columns that are true, as a mask."""
    return np.asarray((members << np.arange(len(DIMENSIONS))).sum(axis=1), np.int64)


@cache
def _projections(chosen: int, allowed: Orders | None, names: tuple[str, ...]) -> int:
    """How many orders of the dimensions in a set differ."""
    members = [d for place, d in enumerate(DIMENSIONS) if chosen >> place & 1]
    if allowed is None:
        return prod(range(1, len(members) + 1))
    return len({tuple(d for d in order if d in members) for order in allowed if set(order) == set(names)})


def space_of(problem: Problem, hardware: Hardware, constraints: Sequence[Constraint] = ()) -> Space:
    """The space of a layer's mappings.

    Raises MappingError when nothing fits, or when the constraints leave nothing: with what each of them rules out.
    """
    whole = Space(problem, all_tiles(problem, hardware))
    if not len(whole.tiles):
        raise MappingError("mapper", [f"no tile fits {hardware.multipliers} multipliers"])
    whole = whole.only(buffer_fit.fits_buffer(problem, whole.tiles, hardware))
    if not len(whole.tiles):
        raise MappingError("mapper", buffer_fit.violations(problem, Mapping.of({}), hardware))
    left = constrained(whole, constraints, hardware)
    if left.mappings == 0:
        raise MappingError("constraints", explained(whole, constraints, hardware))
    return left


def nothing_fits(space: Space, hardware: Hardware) -> MappingError:
    """The error that says that no loop order fits any tile of a space."""
    return MappingError("mapper", [f"none of {len(space.tiles):,} tiles fits {hardware.multipliers} multipliers"])


def constrained(space: Space, constraints: Sequence[Constraint], hardware: Hardware) -> Space:
    """What the constraints leave of a space."""
    kept = np.ones(len(space.tiles), np.bool_)
    loops = [each for each in constraints if each.key in ("order", "outermost", "innermost")]
    for each in constraints:
        if each not in loops and each.key != "placement" and not each.key.startswith("block "):
            kept &= _allowed(space, each, hardware)
    left = space.only(kept)
    if loops:
        left = replace(left, orders=_orders(space.problem, loops))
    for each in constraints:
        if each.key == "placement":
            left = replace(left, placements=_in_order(permutations(REPLICATED), each.value))
    blocks = {each.key.removeprefix("block "): each.value for each in constraints if each.key.startswith("block ")}
    return replace(left, blocks=blocks)


def _allowed(space: Space, constraint: Constraint, hardware: Hardware) -> Kept:
    """The tiles that a constraint on tiles allows."""
    tiles, dims = space.tiles.astype(np.int64), np.array(space.problem.dims)
    reduced = [DIMENSIONS.index(d) for d in REDUCED]
    replicated = [DIMENSIONS.index(d) for d in REPLICATED]
    if constraint.key == "utilization":
        share: Utilization = constraint.value
        steps = (-(-dims // tiles)).prod(axis=1)
        used = dims.prod() / (steps * hardware.multipliers)
        return np.asarray((used >= share.min) & (used <= share.max))
    limits: Range = constraint.value
    if constraint.key == "vn_size":
        values, size = tiles[:, reduced].prod(axis=1), int(dims[reduced].prod())
    elif constraint.key == "vn_count":
        values, size = tiles[:, replicated].prod(axis=1), int(dims[replicated].prod())
    else:
        place = DIMENSIONS.index(constraint.key.removeprefix("tile "))
        values, size = tiles[:, place], space.problem.dims[place]
    low, high = limits.bounds(size)
    return np.asarray((values >= low) & (values <= high))


def _orders(problem: Problem, constraints: Sequence[Constraint]) -> Orders:
    """The orders of the loops that can turn which fulfil all of the constraints, others in front."""
    larger = [d for d, size in zip(DIMENSIONS, problem.dims, strict=True) if size > 1]
    still = tuple(d for d in DIMENSIONS if d not in larger)
    orders: Orders = tuple(permutations(larger))
    for each in constraints:
        wanted = tuple(d for d in each.value if d in larger)
        if each.key == "order":
            orders = _in_order(orders, wanted)
        elif wanted:
            place = slice(len(wanted)) if each.key == "outermost" else slice(-len(wanted), None)
            orders = tuple(order for order in orders if order[place] == wanted)
    return tuple(still + order for order in orders)


def _in_order(orders: Iterable[tuple[str, ...]], wanted: Sequence[str]) -> Orders:
    """The orders in which the ``wanted`` dimensions follow one another in this order."""
    return tuple(order for order in orders if tuple(d for d in order if d in wanted) == tuple(wanted))


def explained(whole: Space, constraints: Sequence[Constraint], hardware: Hardware) -> list[str]:
    """Why constraints leave nothing: how many mappings each of them rules out, and what would be left without it."""
    total = whole.mappings
    lines = [f"they leave none of the {total:,} mappings that fit {hardware.multipliers} multipliers"]
    for each in constraints:
        ruled_out = total - constrained(whole, [each], hardware).mappings
        without = constrained(whole, [other for other in constraints if other is not each], hardware).mappings
        rest = f"without it {without:,} would be left" if without else "nor would any be left without it"
        lines.append(f"{each} rules out {ruled_out:,} of them{_largest(whole, each)}; {rest}")
    return lines


def _largest(space: Space, constraint: Constraint) -> str:
    """A hint for a tile size that nothing fits with."""
    if not constraint.key.startswith("tile "):
        return ""
    name = constraint.key.removeprefix("tile ")
    place = DIMENSIONS.index(name)
    low, high = constraint.value.bounds(space.problem.dims[place])
    largest = int(space.tiles[:, place].max())
    if low > largest:
        return f" (the largest {name} is {largest}, of {space.problem.dims[place]} in the layer)"
    return f" (expected min up to max, found {low} and {high})" if low > high else ""


def sizes_without_waste(size: int, limit: int) -> list[int]:
    """Tile sizes up to ``limit``, only the smallest of those that take equally many tiles to cover ``size``."""
    return sorted({-(-size // (-(-size // tile))) for tile in range(1, min(size, limit) + 1)})


def tile_sizes(problem: Problem, dimension: str, hardware: Hardware) -> list[int]:
    """Tile sizes of a dimension without waste that the controller takes, smallest first."""
    size = problem.dims[DIMENSIONS.index(dimension)]
    sizes = sizes_without_waste(size, hardware.multipliers)
    whole = dimension in REDUCED and keeps_windows_whole(problem, hardware)
    return [tile for tile in sizes if not (whole and size % tile)]


def all_tiles(problem: Problem, hardware: Hardware) -> Tiles:
    """Every tile [tile, dimension] of the layer that fits the array: every size of every dimension.

    A loop order whose partial sums spill takes one more switch in each virtual neuron, which is not considered here.
    """
    multipliers = hardware.multipliers
    tiles, switches = np.ones((1, len(DIMENSIONS)), np.int32), np.ones(1, np.int64)
    for d, size in enumerate(problem.dims):
        most = np.minimum(size, multipliers // switches)
        first = np.cumsum(most) - most
        tiles = np.repeat(tiles, most, axis=0)
        tiles[:, d] += np.arange(len(tiles)) - np.repeat(first, most)
        switches = np.repeat(switches, most) * tiles[:, d]
    vn_size = tiles[:, [DIMENSIONS.index(d) for d in REDUCED]].prod(axis=1, dtype=np.int64)
    fits = fits_array(switches // vn_size, vn_size, hardware)
    if keeps_windows_whole(problem, hardware):
        windows = [DIMENSIONS.index(d) for d in REDUCED]
        fits &= (np.array(problem.dims)[windows] % tiles[:, windows] == 0).all(axis=1)
    return np.ascontiguousarray(tiles[fits])


@cache
def placed_switches(problem: Problem, multipliers: int) -> int:
    """Multiplier switches of all tiles with all their placements: how much there is to place, counted without listing tiles."""
    # By the switches of a tile, and in how many dimensions its virtual neurons differ, which can change places: how many tiles.
    tiles = np.zeros((len(REPLICATED) + 1, multipliers + 1), np.int64)
    tiles[0, 1] = 1
    for d, size in zip(DIMENSIONS, problem.dims, strict=True):
        with_d = tiles.copy()
        for tile in range(2, min(size, multipliers) + 1):
            most = multipliers // tile
            larger = with_d[:, tile : most * tile + 1 : tile]
            if d in REPLICATED:
                larger[1:] += tiles[:-1, 1 : most + 1]
            else:
                larger += tiles[:, 1 : most + 1]
        tiles = with_d
    return int(sum(factorial(several) * (row @ np.arange(multipliers + 1)) for several, row in enumerate(tiles)))
