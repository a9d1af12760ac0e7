"""What is ranked, what for, the best of it, and what a ranking works with.

Kernels hand these groups on; :mod:`maerisim.analytic.numbers` and :mod:`maerisim.analytic.ranking` make them.
"""

from __future__ import annotations

from typing import NamedTuple

from maerisim.arrays import Ints
from maerisim.kernels.estimating.exits import Exits
from maerisim.kernels.estimating.loads import Leaves, Parts, Placed
from maerisim.kernels.estimating.orders import OrderTable
from maerisim.kernels.estimating.quantities import FabricNumbers, Floats, LoopNumbers, Tiles
from maerisim.kernels.estimating.sections import Sections
from maerisim.kernels.estimating.times import StepTimes

BY_CYCLES, BY_ENERGY, BY_PRODUCT = 0, 1, 2
"""What to make small."""

ESTIMATED, BY_TILE, BY_TRAFFIC, BY_PLACEMENT, TIMED, WORK = 0, 1, 2, 3, 4, 5
"""Places of ``Best.counts``."""

NO_LIMIT = 1 << 62
"""More cycles than any run takes."""

KEY, REUSE, SPILLING, MEMBERS, OPEN = 0, 1, 2, 3, 4
"""Rows of ``Tables.traffic``."""


class BlockLoops(NamedTuple):
    """The loops of a mapping that turn, the innermost first, none if this is left to the tile and the order.

    ``loops`` [level; dimension, step, and how much there is of the dimension]; ``held``: the masks of
    :class:`nest.MaskedReuse`, and whether partial sums spill. ``sizes`` [class, dimension]: the tile of each class of control
    steps; ``class_of`` [dimension, size]: the part of a partial tile in it.
    """

    loops: Ints
    held: Ints
    sizes: Ints
    class_of: Ints


class TileSpace(NamedTuple):
    """The mappings to rank: every tile with every loop order that differs and every placement, or, with ``each``, row by row.

    ``tiles`` [tile, dimension], of which those from ``first`` to ``end - 1`` are looked at; ``floor`` [tile, score]: no
    mapping of it scores less; ``orders`` [order, dimension], outermost loop first, or none for all that differ;
    ``placements`` [placement, 5]: those of a tile lie in rows ``placements_of`` [set of replicated dimensions of which
    it has more than one; first and end]. Of each tile those placements are looked at that are the ``share`` of one of so many
    ``shares``, which take turns. With ``loops`` it is one mapping whose loops walk blocks, of which cycles are
    estimated alone.
    """

    tiles: Tiles
    first: int
    end: int
    floor: Floats
    orders: Ints
    placements: Ints
    placements_of: Ints
    share: int
    shares: int
    each: int
    loops: BlockLoops


class Aim(NamedTuple):
    """What is to be made small: cycles, energy (``price`` of each entry of a cost) or their product.

    Energy decides between mappings of equal cycles or products, cycles between those of equal energy. Cycles are those
    estimated or, if ``certain``, those that the busiest resource takes at least. Only mappings of less than
    ``energy_below`` count. ``bounded``: leave out what a bound keeps from being among the best. ``alike``:
    keep also mappings that score the same. ``timed``: 0 to leave the control steps untimed, so that cycles are those of the
    busiest resource. ``work``: no further tile is placed after so much of it, see ``Best``.
    """

    objective: int
    certain: int
    price: Floats
    energy_below: float
    bounded: int
    alike: int
    timed: int
    work: int


class Best(NamedTuple):
    """The best mappings found, in order, or one for each tile.

    ``score`` [place, 2], ``mapping`` [place; tile, placement, packed order], ``costs`` [place, entry]. ``counts``:
    mappings that were estimated, tiles that a bound ruled out with all their mappings, and mappings of other tiles that
    a bound ruled out by their traffic, by their traffic as placed; mappings
    whose control steps were timed; and the work of all this: the switches of placed tiles, once for each class of control
    steps, and the sections of which the time of a control step was worked out.
    """

    score: Floats
    mapping: Ints
    costs: Ints
    counts: Ints


class Tables(NamedTuple):
    """What is worked out once per tile or once per placed tile, for the kinds of traffic that it has.

    ``tile``: the present one. ``kind`` [class]: the place of a class in ``traffic`` [row, place]. ``floor`` [traffic,
    score]: no placement scores less. ``costs`` [traffic, entry]: what the tile decides; ``placed_costs``, ``energy``: with
    the present placement. ``words`` [operand, column]: scratch.
    """

    tile: Ints
    kind: Ints
    traffic: Ints
    floor: Floats
    costs: Ints
    placed_costs: Ints
    energy: Floats
    words: Ints


class Workspace(NamedTuple):
    """A piece of hardware, the exits of its reduction network, and scratch arrays; one per thread."""

    fabric: FabricNumbers
    exits: Exits
    loops: LoopNumbers
    orders: OrderTable
    parts: Parts
    leaves: Leaves
    sections: Sections
    times: StepTimes
    placed: Placed
    tables: Tables
