"""Where the sums of virtual neurons leave the reduction network; this depends on their size and number alone."""

from __future__ import annotations

from typing import NamedTuple

from maerisim.kernels.jit import helper, kernel
from maerisim.kernels.quantities import ART, LINEAR, REGIONAL, Fabric, block_of
from maerisim.program import Ints


class Exits(NamedTuple):
    """One entry per virtual neuron of each size; those of size n lie side by side from ``start[n]`` on.

    ``bus`` is the collection bus of its sum, ``way`` the cycles from the last product to it, and ``transfers`` the uses
    of adder switches on this way. ``depth`` (the longest way) and ``fewest`` (least transfers) are those of all up to
    this one.
    """

    start: Ints
    bus: Ints
    way: Ints
    transfers: Ints
    depth: Ints
    fewest: Ints


@kernel
def count_exits(fabric: Fabric, start: Ints) -> int:
    """Fill ``start`` [sizes 0 .. multipliers + 1]; return the number of entries."""
    count = 0
    for size in range(1, fabric.multipliers + 1):
        start[size] = count
        count += (fabric.multipliers - size) // block_of(fabric, size) + 1
    start[fabric.multipliers + 1] = count
    return count


@kernel
def fill_exits(fabric: Fabric, bus_of_switch: Ints, exits: Exits) -> None:
    """Fill all but ``start``."""
    for size in range(1, fabric.multipliers + 1):
        block = block_of(fabric, size)
        depth, fewest = 0, 1 << 62
        for entry in range(exits.start[size], exits.start[size + 1]):
            switch, position, latency, transfers = exit_of(fabric, (entry - exits.start[size]) * block, size)
            depth, fewest = max(depth, latency), min(fewest, transfers)
            region = position * fabric.buses // fabric.multipliers
            exits.bus[entry] = region if fabric.wiring == REGIONAL else bus_of_switch[switch]
            exits.way[entry] = latency
            exits.transfers[entry] = transfers
            exits.depth[entry] = depth
            exits.fewest[entry] = fewest


@helper
def exit_of(fabric: Fabric, start: int, size: int) -> tuple[int, int, int, int]:
    """Where the sum of a VN leaves: (switch, position, cycles from product to result, transfers on its way).

    Follows the routing rules of fabric.art, fabric.plain_tree and fabric.linear.
    """
    m = fabric.multipliers
    if fabric.topology == LINEAR:
        return start + size - 1, start + size - 1, fabric.level_latency * size, size * fabric.level_latency
    a, b = start, start + size - 1
    level, offset, width = 1, 0, m // 2
    early, late = 0, 0
    transfers = 0
    lateral = fabric.lateral_latency
    while True:
        first, last = a // 2, b // 2
        lower, upper = first, last
        if fabric.topology == ART:
            hop = 0
            if first != last and first % 2 == 1:
                here = 2 * first + 2 - a
                if here < b - 2 * first - 1 if fabric.shorter_end else here == 1:
                    lower = first + 1
                    hop = max(lateral, here - 1)
                    transfers += hop
                    if fabric.shorter_end:
                        a = 2 * first + 2
            if lower != last and last % 2 == 0:
                here = b - 2 * last + 1
                if here <= 2 * last - a if fabric.shorter_end else here == 1:
                    upper = last - 1
                    transfers += max(lateral, here - 1)
                    hop = max(hop, lateral, here - 1)
            late += hop
        transfers += (upper - lower + 1) * fabric.level_latency
        early += fabric.level_latency
        if lower == upper and (fabric.topology == ART or (1 << level) >= size):
            position = start if size == 1 else (lower << level) + (1 << (level - 1))
            return offset + lower, position, early + late, transfers
        a, b = lower, upper
        offset += width
        width //= 2
        level += 1
