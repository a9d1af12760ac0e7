"""The best of many mappings by the analytic model."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import combinations, permutations, product
from math import inf
from typing import NamedTuple

import numpy as np

from maerisim.analytic.numbers import layer_numbers, scratch
from maerisim.analytic.objective import Objective
from maerisim.analytic.predicted import Estimate, explain, prices
from maerisim.arrays import Ints
from maerisim.hardware.hardware import Hardware
from maerisim.interruption import side_by_side
from maerisim.kernels.compiling import plain
from maerisim.kernels.estimating import entries, proving, ranking, search_space
from maerisim.kernels.estimating.dimensions import CLASSES
from maerisim.kernels.estimating.quantities import Tiles
from maerisim.lowering.forwarding import forwards
from maerisim.lowering.layout import INPUT_DIMENSIONS, WEIGHT_DIMENSIONS
from maerisim.lowering.reuse import held, temporal_loops
from maerisim.mapping.mapping import REPLICATED, Mapping
from maerisim.workload.problem import DIMENSIONS, Problem

_OBJECTIVES = {
    "cycles": search_space.BY_CYCLES,
    "energy": search_space.BY_ENERGY,
    "edp": search_space.BY_PRODUCT,
    "energy_efficiency": search_space.BY_PRODUCT,
}


_A_FEW = 4
"""Mappings that may be estimated in plain Python, a tenth of a second each, where the kernels have not been compiled."""
_SHARES = 2
"""Of so many shares of the placements each is ranked on a core of its own, and of the tiles each is placed."""
_UNLIMITED = 1 << 62
"""More work than any ranking is."""
_TILES_BETWEEN_LOOKS = 64
"""Tiles that are ranked between two looks at the clock."""
_ORDERS_FOLLOWED = 1000
"""Loop orders of a share of which the times that are certain are followed, in some 0.5 ms each."""
_TILES_BETWEEN_PROOFS = 4
"""The same of those whose mappings are looked at one by one."""


@dataclass(frozen=True)
class Ranked:
    """A mapping, its estimate, and its ``score``: what was to be made small."""

    mapping: Mapping
    estimate: Estimate
    score: float


@dataclass(frozen=True)
class Ranking:
    """The best mappings of a space, in order.

    ``estimated``: how many were estimated; the control steps of ``timed`` of them were timed, since the others take longer
    than the best even if nothing holds up their busiest resource. A bound ruled out all mappings of ``dismissed_tiles`` tiles; of the other
    tiles ``dismissed_by_traffic`` mappings by the words that they need at least, ``dismissed_by_placement`` by those that
    they send where they are placed. Nothing is known of the last ``unseen_tiles`` of the most promising order, when time
    or work ran out, but that none of their mappings scores less than ``unseen_score``. ``work``: what each core did, in switches of
    placed tiles and in control steps of their sections.
    """

    best: tuple[Ranked, ...]
    estimated: int
    dismissed_tiles: int
    dismissed_by_traffic: int
    dismissed_by_placement: int
    timed: int
    unseen_tiles: int = 0
    unseen_score: float = inf
    work: int = 0

    @property
    def dismissed(self) -> int:
        """Mappings that a bound ruled out one by one."""
        return self.dismissed_by_traffic + self.dismissed_by_placement


def estimate_many(
    problem: Problem,
    tiles: Sequence[Sequence[int]],
    walks: Sequence[tuple[Sequence[str], Sequence[str]]],
    hardware: Hardware,
) -> Ints:
    """Costs [tile, walk, entry] of every tile with every walk (order, placement); 0 where the tile does not fit."""
    costs = estimate_rows(
        problem,
        np.repeat(np.array(tiles, np.int32).reshape(-1, len(DIMENSIONS)), len(walks), axis=0),
        np.tile(numbers_of([order for order, _ in walks]), (len(tiles), 1)),
        np.tile(numbers_of([placement for _, placement in walks]), (len(tiles), 1)),
        hardware,
    )
    return costs.reshape(len(tiles), len(walks), entries.COSTS)


def estimate_rows(
    problem: Problem,
    tiles: Tiles,
    orders: Ints,
    placements: Ints,
    hardware: Hardware,
    *,
    timed: bool = True,
    loops: search_space.BlockLoops | None = None,
) -> Ints:
    """Costs [mapping, entry] of mappings, row by row: ``tiles`` [mapping, dimension], ``orders`` and ``placements`` as
    numbers of dimensions; 0 where the tile does not fit.

    Without ``timed`` the cycles are those that the busiest resource takes, in microseconds instead of up to seconds. With
    ``loops`` it is one mapping whose loops walk blocks, of which only cycles are estimated.
    """
    count = len(tiles)
    space = search_space.TileSpace(
        tiles=tiles,
        first=0,
        end=count,
        floor=np.zeros((count, 2)),
        orders=orders,
        placements=placements,
        placements_of=_placements(REPLICATED_ORDERS)[1],
        share=0,
        shares=1,
        each=1,
        loops=loops or _ONE_LOOP_EACH,
    )
    best = _nothing_ranked(count)
    aim = search_space.Aim(
        search_space.BY_CYCLES, 0, np.zeros(entries.COSTS), inf, bounded=0, alike=0, timed=int(timed), work=_UNLIMITED
    )
    numbers = layer_numbers(problem)
    levels, classes = len(space.loops.loops), len(space.loops.sizes)
    if count <= _A_FEW and plain.is_better(ranking.rank):
        with plain.at_work(), scratch(hardware, in_python=True, levels=levels, classes=classes) as w:
            ranking.rank.function(numbers, space, aim, best, w)
    else:
        with scratch(hardware, levels=levels, classes=classes) as w:
            ranking.rank(numbers, space, aim, best, w)
    return best.costs


def cycles_of_blocks(problem: Problem, mapping: Mapping, hardware: Hardware) -> int:
    """Cycles of a legal mapping whose loops walk blocks."""
    turning = temporal_loops(problem, mapping)
    sizes = dict(zip(DIMENSIONS, problem.dims, strict=True))
    loops = [(DIMENSIONS.index(loop.dimension), loop.step, sizes[loop.dimension]) for loop in reversed(turning)]
    level = {loop.name: level for level, loop in enumerate(reversed(turning))}

    def mask(names: Collection[str]) -> int:
        return sum(1 << level[name] for name in names)

    multiplier = hardware.multiplier
    weights = held(turning, () if problem.pools else WEIGHT_DIMENSIONS, multiplier.weight_registers)
    inputs = held(turning, INPUT_DIMENSIONS, multiplier.input_registers)
    slides = ["Q"] if forwards(problem, mapping, hardware, turning, inputs) else []
    masks = [*map(mask, (weights.repeats, weights.ring, weights.passes, inputs.reused, slides))]
    of_tiles = [[tile, *sorted({*mapping.tile_sizes(problem, d)} - {tile})] for d, tile in mapping.T.items()]
    class_of = np.zeros((len(DIMENSIONS), hardware.multipliers + 1), np.int64)
    classes = 1
    for d, several in reversed([*enumerate(of_tiles)]):
        class_of[d, several] = classes * np.arange(len(several))
        classes *= len(several)
    blocks = search_space.BlockLoops(
        loops=np.array(loops, np.int64),
        held=np.array([*masks, mapping.spills(problem, hardware)], np.int64),
        sizes=np.array([*product(*of_tiles)], np.int64),
        class_of=class_of,
    )
    costs = estimate_rows(
        problem,
        np.array([mapping.tile], np.int32),
        np.zeros((0, len(DIMENSIONS)), np.int64),
        numbers_of([mapping.placement]),
        hardware,
        loops=blocks,
    )
    return int(costs[0, entries.CYCLES])


def rank(
    problem: Problem,
    hardware: Hardware,
    tiles: Tiles,
    objective: Objective = "cycles",
    count: int = 1,
    *,
    certain: bool = False,
    orders: Sequence[Sequence[str]] | None = None,
    placements: Sequence[Sequence[str]] | None = None,
    energy_below: float = inf,
    below: float = inf,
    alike: bool = False,
    bounded: bool = True,
    slack: float = 0.0,
    until: float | None = None,
    work: int | None = None,
) -> Ranking:
    """The ``count`` best mappings among ``tiles`` [tile, dimension] with all loop orders and placements that differ.

    Loop orders differ in what they reuse, placements in the dimensions of which the tile has more than one. Energy
    decides between mappings of equal cycles or products, cycles between those of equal energy; of mappings that are
    equal in both only one is listed, unless ``alike``. If ``certain``, mappings are
    scored by their ``least_cycles`` instead of those estimated.
    ``orders``, ``placements``: only these, instead of all. Mappings of ``energy_below`` or more do not count,
    nor those that score more than ``below``: a score that is known to be reached rules out others from the start.
    ``bounded=False`` estimates every mapping, also those that a bound keeps from being among the best; with ``slack`` tiles
    are left out of which no mapping can be better than the best by more than this share. The most promising tiles come first; stops at
    the time ``until`` of ``time.monotonic()``, or after so much ``work``, but not before a mapping is found.
    """
    layer = layer_numbers(problem)
    aim = search_space.Aim(
        _OBJECTIVES[objective], int(certain), prices(hardware.energy), energy_below, int(bounded), int(alike), timed=1,
        work=_UNLIMITED if work is None else work,
    )  # fmt: skip
    floor, stay = np.zeros((len(tiles), 2)), np.zeros((len(tiles), 4))
    with scratch(hardware) as w:
        ranking.find_floors(layer, tiles, aim, -inf, floor, stay, w)
    floor[:, 0] *= 1 + slack
    promising_first = np.lexsort((floor[:, 1], floor[:, 0]))
    tiles, floor = tiles[promising_first], floor[promising_first]
    placed, placed_of = _placements(REPLICATED_ORDERS if placements is None else tuple(map(tuple, placements)))
    given = numbers_of(orders) if orders is not None else np.zeros((0, len(DIMENSIONS)), np.int64)

    def ranked(share: int) -> tuple[search_space.Best, int]:
        """The best of a share of the placements, and of how many tiles."""
        best, seen = _nothing_ranked(count, below), 0
        while seen < len(tiles):
            work = int(best.counts[search_space.WORK])
            late = until is not None and time.monotonic() >= until
            if best.costs[0].any() and (late or work >= aim.work):
                break
            limited = aim._replace(work=max(1, aim.work, 2 * work))  # more than was wanted until something is found
            end = len(tiles) if until is None else min(len(tiles), seen + _TILES_BETWEEN_LOOKS)
            space = search_space.TileSpace(
                tiles, seen, end, floor, given, placed, placed_of, share, _SHARES, 0, _ONE_LOOP_EACH
            )
            with scratch(hardware) as w:
                seen = ranking.rank(layer, space, limited, best, w)
        return best, seen

    shares = side_by_side([partial(ranked, share) for share in range(_SHARES)])
    counts = np.sum([best.counts for best, _ in shares], axis=0)
    seen = min(seen for _, seen in shares)
    return Ranking(
        best=tuple(
            Ranked(_mapping(problem, tiles[at], order, placed[placement]), explain(cost, problem, hardware), score)
            for score, (at, placement, order), cost in _together([best for best, _ in shares], count, alike=alike)
        ),
        estimated=int(counts[search_space.ESTIMATED]),
        dismissed_tiles=int(counts[search_space.BY_TILE]),
        dismissed_by_traffic=int(counts[search_space.BY_TRAFFIC]),
        dismissed_by_placement=int(counts[search_space.BY_PLACEMENT]),
        timed=int(counts[search_space.TIMED]),
        unseen_tiles=len(tiles) - seen,
        unseen_score=float(floor[seen, 0]) if seen < len(tiles) else inf,
        work=max(int(best.counts[search_space.WORK]) for best, _ in shares),
    )


def _together(
    bests: Sequence[search_space.Best], count: int, *, alike: bool
) -> list[tuple[float, tuple[int, int, int], Ints]]:
    """The best of several shares, each with its score, numbers and costs, as if they had been ranked as one."""
    rows = [
        (float(first), float(second), int(at), int(placement), place, int(order), cost)
        for best in bests
        for place, ((first, second), (at, placement, order), cost) in enumerate(
            zip(best.score, best.mapping, best.costs, strict=True)
        )
        if cost.any()
    ]
    found: dict[tuple[float, ...], tuple[float, tuple[int, int, int], Ints]] = {}
    for first, second, at, placement, place, order, cost in sorted(rows, key=lambda row: row[:5]):
        key = (first, second, at, placement, place) if alike else (first, second)
        found.setdefault(key, (first, (at, placement, order), cost))
    return list(found.values())[:count]


def _in_time(count: int, until: float | None) -> Iterator[tuple[int, int]]:
    """Ranges of tiles, one after another, as long as there is time."""
    step = count if until is None else _TILES_BETWEEN_LOOKS
    first = 0
    while first < count and (until is None or time.monotonic() < until):
        yield first, min(count, first + step)
        first += step


class Floor(NamedTuple):
    """What no mapping with a ``tile`` scores less than, whatever its loops.

    It could be reached when inputs stay in place for ``filters`` turns of loops over filters, and weights for ``others`` of
    loops over images, rows and columns. That takes ``energy``, or cycles where energy is what is scored.
    """

    score: float
    tile: tuple[int, ...]
    filters: int
    others: int
    energy: float = 0.0


def floors(
    problem: Problem,
    hardware: Hardware,
    tiles: Tiles,
    objective: Objective,
    below: float,
    placements: Sequence[Sequence[str]] | None = None,
    until: float | None = None,
) -> list[Floor]:
    """The tiles with a mapping that may score less than ``below``, the most promising first.

    A floor holds for every nest of loops whose blocks are whole tiles, without trusting the estimate: of a score, see
    "Every loop nest" in the design notes. Tiles of the same floor come in the order of the energy that reaching it would take.
    At the time ``until`` of ``time.monotonic()`` floors are no longer raised to what placing the tiles costs.
    """
    layer = layer_numbers(problem)
    aim = search_space.Aim(
        _OBJECTIVES[objective], 1, prices(hardware.energy), inf, bounded=0, alike=0, timed=1, work=_UNLIMITED
    )
    floor, stay = np.zeros((len(tiles), 2)), np.zeros((len(tiles), 4))
    below = float(below)  # of an integer numba would compile both kernels once more
    with scratch(hardware) as w:
        ranking.find_floors(layer, tiles, aim, below, floor, stay, w)
    low = floor[:, 0] < below
    tiles, floor, stay = np.ascontiguousarray(tiles[low]), floor[low], stay[low]
    placed, placed_of = _placements(REPLICATED_ORDERS if placements is None else tuple(map(tuple, placements)))
    given = np.zeros((0, len(DIMENSIONS)), np.int64)

    def place(share: int) -> None:
        """Raise the floors of a share of the tiles."""
        for first, end in _in_time(len(tiles), until):
            space = search_space.TileSpace(
                tiles, first, end, floor, given, placed, placed_of, share, _SHARES, 0, _ONE_LOOP_EACH
            )
            with scratch(hardware) as w:
                ranking.place_floors(layer, space, aim, below, w)

    side_by_side([partial(place, share) for share in range(_SHARES)])
    return [
        Floor(float(floor[at, 0]), tuple(map(int, tiles[at])), int(stay[at, 2]), int(stay[at, 3]), float(stay[at, 1]))
        for at in np.lexsort((stay[:, 1], floor[:, 0]))
        if floor[at, 0] < below
    ]


class Rivals(NamedTuple):
    """The mappings that may score less than what is reached, each with a score that it cannot be below in simulation.

    ``least``: the same of all others.
    """

    listed: list[tuple[float, Mapping]]
    least: float


def rivals(
    problem: Problem,
    hardware: Hardware,
    promising: Sequence[Floor],
    objective: Objective,
    below: float,
    *,
    count: int = 0,
    orders: Sequence[Sequence[str]] | None = None,
    placements: Sequence[Sequence[str]] | None = None,
    until: float | None = None,
) -> Rivals:
    """Mappings of the ``promising`` tiles, with one loop a dimension, that may score less than ``below``; ``count`` are listed.

    It trusts no estimate (see :mod:`maerisim.kernels.estimating.certain`). At the time ``until`` of ``time.monotonic()`` the rest
    of the tiles, which come with the least floor first, are left at their floors; so are those that remain when enough loop
    orders have been followed.
    """
    layer = layer_numbers(problem)
    aim = search_space.Aim(
        _OBJECTIVES[objective], 1, prices(hardware.energy), inf, bounded=1, alike=0, timed=1, work=_UNLIMITED
    )
    tiles = np.array([each.tile for each in promising], np.int32).reshape(-1, len(DIMENSIONS))
    floor = np.array([(each.score, 0.0) for each in promising]).reshape(-1, 2)
    placed, placed_of = _placements(REPLICATED_ORDERS if placements is None else tuple(map(tuple, placements)))
    given = numbers_of(orders) if orders is not None else np.zeros((0, len(DIMENSIONS)), np.int64)

    def followed(share: int) -> proving.RivalList:
        """The rivals among a share of the placements."""
        found = proving.RivalList(
            score=np.zeros(count),
            mapping=np.zeros((count, 3), np.int64),
            listed=np.zeros(1, np.int64),
            left=np.array([_ORDERS_FOLLOWED], np.int64),
            least=np.array([below, below], np.float64),
        )
        for seen in range(0, len(tiles), _TILES_BETWEEN_PROOFS):
            if until is not None and time.monotonic() >= until:
                found.least[1] = min(found.least[1], promising[seen].score)
                break
            end = min(len(tiles), seen + _TILES_BETWEEN_PROOFS)
            space = search_space.TileSpace(
                tiles, seen, end, floor, given, placed, placed_of, share, _SHARES, 0, _ONE_LOOP_EACH
            )
            with scratch(hardware) as w:
                proving.find_rivals(layer, space, aim, found, w)
        return found

    shares = side_by_side([partial(followed, share) for share in range(_SHARES)])
    listed = sorted(
        (float(found.score[place]), *map(int, found.mapping[place]))
        for found in shares
        for place in range(found.listed[0])
    )
    of_others = [float(found.least[1]) for found in shares] + [float(score) for score, *_ in listed[count:]]
    return Rivals(
        [
            (score, _mapping(problem, tiles[int(at)], int(order), placed[int(placement)]))
            for score, at, placement, order in listed[:count]
        ],
        min(of_others),
    )


_ONE_LOOP_EACH = search_space.BlockLoops(
    *(np.zeros(shape, np.int64) for shape in ((0, 3), (6,), (0, len(DIMENSIONS)), (len(DIMENSIONS), 0)))
)
"""No loops over blocks."""


def _nothing_ranked(count: int, below: float = inf) -> search_space.Best:
    score = np.full((count, 2), np.inf)
    score[:, 0] = below
    return search_space.Best(
        score=score,
        mapping=np.zeros((count, 3), np.int64),
        costs=np.zeros((count, entries.COSTS), np.int64),
        counts=np.zeros(6, np.int64),
    )


def numbers_of(names: Sequence[Sequence[str]]) -> Ints:
    return np.array([[DIMENSIONS.index(d) for d in row] for row in names], np.int64)


REPLICATED_ORDERS = tuple(permutations(REPLICATED))
"""Every placement."""


@cache
def _placements(allowed: tuple[tuple[str, ...], ...]) -> tuple[Ints, Ints]:
    """The placements that differ, for each set of dimensions of which a tile has more than one: rows, first and end."""
    rows: list[tuple[str, ...]] = []
    places = np.zeros((CLASSES, 2), np.int64)
    for size in range(len(REPLICATED) + 1):
        for larger in combinations(REPLICATED, size):
            at = sum(1 << DIMENSIONS.index(d) for d in larger)
            ones = tuple(d for d in REPLICATED if d not in larger)
            places[at, 0] = len(rows)
            rows += dict.fromkeys(ones + tuple(d for d in placement if d in larger) for placement in allowed)
            places[at, 1] = len(rows)
    return numbers_of(rows), places


def _mapping(problem: Problem, tile: Tiles, packed_order: int, placement: Ints) -> Mapping:
    """The mapping of a tile; loops that do not turn come first in its order."""
    sizes = dict(zip(DIMENSIONS, (int(size) for size in tile), strict=True))
    still = [d for d, size in zip(DIMENSIONS, problem.dims, strict=True) if sizes[d] >= size]
    inwards = [DIMENSIONS[packed_order >> 3 * place & 7] for place in range(len(DIMENSIONS) - len(still))]
    return Mapping.of(sizes, (*still, *reversed(inwards)), [DIMENSIONS[d] for d in placement])
