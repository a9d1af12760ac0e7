"""Where the sums of virtual neurons leave the reduction network; this depends on their size and number alone."""

from __future__ import annotations

from typing import NamedTuple

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import helper, kernel
from maerisim.kernels.estimating import quantities
from maerisim.kernels.estimating.exits_of_chains import exit_of_chain, way_in_chain
from maerisim.kernels.estimating.exits_of_fans import exit_of_fan, way_in_fan
from maerisim.kernels.estimating.exits_of_trees import exit_of_tree, way_in_tree
from maerisim.kernels.estimating.quantities import FabricNumbers, block_of


class Exits(NamedTuple):
    """One entry per virtual neuron of each size; those of size n lie side by side from ``start[n]`` on.

    ``bus`` is the collection bus of its sum, ``way`` the cycles from the last product to it, and ``transfers`` the uses
    of adder switches on this way. ``depth`` (the longest way), ``nearest`` (the shortest of any product) and ``fewest``
    (least transfers) are those of all up to this one.
    """

    start: Ints
    bus: Ints
    way: Ints
    transfers: Ints
    depth: Ints
    nearest: Ints
    fewest: Ints


@kernel
def count_exits(fabric: FabricNumbers, start: Ints) -> int:
    """Fill ``start`` [sizes 0 .. multipliers + 1]; return the number of entries."""
    count = 0
    for size in range(1, fabric.multipliers + 1):
        start[size] = count
        count += (fabric.multipliers - size) // block_of(fabric, size) + 1
    start[fabric.multipliers + 1] = count
    return count


@kernel
def fill_exits(fabric: FabricNumbers, bus_of_switch: Ints, exits: Exits) -> None:
    """Fill all but ``start``."""
    for size in range(1, fabric.multipliers + 1):
        block = block_of(fabric, size)
        depth, nearest, fewest = 0, 1 << 62, 1 << 62
        for entry in range(exits.start[size], exits.start[size + 1]):
            switch, position, latency, least, transfers = exit_of(fabric, (entry - exits.start[size]) * block, size)
            depth, nearest, fewest = max(depth, latency), min(nearest, least), min(fewest, transfers)
            region = position * fabric.buses // fabric.multipliers
            exits.bus[entry] = region if fabric.wiring == quantities.REGIONAL else bus_of_switch[switch]
            exits.way[entry] = latency
            exits.transfers[entry] = transfers
            exits.depth[entry] = depth
            exits.nearest[entry] = nearest
            exits.fewest[entry] = fewest


@helper
def exit_of(fabric: FabricNumbers, start: int, size: int) -> tuple[int, int, int, int, int]:
    """Where the sum of a VN leaves: (switch, position, cycles from product to result, those of no product less, transfers)."""
    if fabric.topology == quantities.LINEAR:
        return exit_of_chain(fabric, start, size)
    if fabric.topology == quantities.FAN:
        return exit_of_fan(fabric, start, size)
    return exit_of_tree(fabric, start, size)


@helper
def way_of(fabric: FabricNumbers, start: int, size: int, switch: int) -> tuple[int, int]:
    """The way of a product of one switch of a VN to the last adder on it: cycles, and products that have room there."""
    if fabric.topology == quantities.LINEAR:
        return way_in_chain(fabric, start, size, switch)
    if fabric.topology == quantities.FAN:
        return way_in_fan(fabric, start, size, switch)
    return way_in_tree(fabric, start, size, switch)
