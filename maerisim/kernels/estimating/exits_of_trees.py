"""Where sums leave a tree, and the ways to there; a twin of :mod:`maerisim.fabric.art` and ``plain_tree``."""

from __future__ import annotations

from typing import NamedTuple

from maerisim.kernels.compiling.jit import helper
from maerisim.kernels.estimating import quantities
from maerisim.kernels.estimating.quantities import FabricNumbers


class Crossing(NamedTuple):
    """Which switches of a level the values of a virtual neuron go up from, and how long it takes to get there.

    The values at the first switch cross over to ``lower``, those at the last one to ``upper``; ``first_hop`` and
    ``last_hop`` are the cycles for that, 0 when nothing crosses, or crosses at once.
    """

    lower: int
    upper: int
    first_hop: int
    last_hop: int


@helper
def cross(fabric: FabricNumbers, a: int, b: int) -> Crossing:
    """What crosses lateral links on the level above the values ``a .. b``; follows the routing rule of fabric.art."""
    first, last = a // 2, b // 2
    lower, upper, first_hop, last_hop = first, last, 0, 0
    if fabric.topology == quantities.ART:
        if first != last and first % 2 == 1:
            here = 2 * first + 2 - a
            if here < b - 2 * first - 1 if fabric.shorter_end else here == 1:
                lower, first_hop = first + 1, max(fabric.lateral_latency, here - 1)
                if fabric.shorter_end:
                    a = 2 * first + 2
        if lower != last and last % 2 == 0:
            here = b - 2 * last + 1
            if here <= 2 * last - a if fabric.shorter_end else here == 1:
                upper, last_hop = last - 1, max(fabric.lateral_latency, here - 1)
    return Crossing(lower, upper, first_hop, last_hop)


@helper
def is_exit(fabric: FabricNumbers, crossing: Crossing, level: int, size: int) -> bool:
    """Whether the sum of a virtual neuron leaves at this level."""
    return crossing.lower == crossing.upper and (fabric.topology == quantities.ART or (1 << level) >= size)


@helper
def exit_of_tree(fabric: FabricNumbers, start: int, size: int) -> tuple[int, int, int, int, int]:
    """See :func:`maerisim.kernels.estimating.exits.exit_of`."""
    a, b = start, start + size - 1
    level, offset, width, latency, transfers = 1, 0, fabric.multipliers // 2, 0, 0
    while True:
        at = cross(fabric, a, b)
        latency += fabric.level_latency + max(at.first_hop, at.last_hop)
        transfers += at.first_hop + at.last_hop + (at.upper - at.lower + 1) * fabric.level_latency
        if is_exit(fabric, at, level, size):
            position = start if size == 1 else (at.lower << level) + (1 << (level - 1))
            return offset + at.lower, position, latency, level * fabric.level_latency, transfers
        a, b = at.lower, at.upper
        offset += width
        width //= 2
        level += 1


@helper
def way_in_tree(fabric: FabricNumbers, start: int, size: int, switch: int) -> tuple[int, int]:
    """See :func:`maerisim.kernels.estimating.exits.way_of`."""
    way, room = fabric.multiplier_latency, fabric.product_depth + fabric.multiplier_latency - 1
    latency, depth = fabric.level_latency, fabric.reduction_depth
    a, b, value, level = start, start + size - 1, switch, 1
    while True:
        at = cross(fabric, a, b)
        value //= 2
        hop = 0
        if value < at.lower:
            value, hop = at.lower, at.first_hop
        elif value > at.upper:
            value, hop = at.upper, at.last_hop
        if hop:
            way += hop
            room += depth + hop - 1
        if is_exit(fabric, at, level, size):
            return way, room
        way += latency
        room += depth + latency - 1
        a, b = at.lower, at.upper
        level += 1
