"""Static wiring of adder switches to collection buses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from maerisim.fabric.topology import Routing
from maerisim.fabric.tree import BinaryTree
from maerisim.hardware.hardware import Hardware


class BusInput(NamedTuple):
    """Where a result joins its collection bus: the bus, and the place in the order that the round robin visits."""

    bus: int
    place: int


def bus_inputs(reduction: Routing, hardware: Hardware) -> tuple[BusInput, ...]:
    """The bus input of each virtual neuron, given where its sum leaves the reduction network.

    ``regional`` wiring gives each bus the switches above M / W neighbouring multipliers, so that the results of a
    packed array spread evenly; ``modulo`` deals the switches out by their number; ``pairs`` deals out pairs of lateral
    neighbours from the root down, and after them the switches without such a neighbour.
    """
    if hardware.collection.wiring == "regional":
        span = hardware.multipliers // hardware.buses
        return tuple(BusInput(position // span, vn) for vn, position in enumerate(reduction.exit_positions))
    if hardware.collection.wiring == "modulo":
        return tuple(BusInput(switch % hardware.buses, vn) for vn, switch in enumerate(reduction.exits))
    inputs = _pairs(BinaryTree(hardware.multipliers), hardware.buses)
    return tuple(inputs[switch] for switch in reduction.exits)


def buses_by_switch(switches: int, hardware: Hardware) -> list[int]:
    """The bus of each adder switch, for wirings in which the switch decides (all but ``regional``)."""
    if hardware.collection.wiring == "pairs":
        inputs = _pairs(BinaryTree(hardware.multipliers), hardware.buses)
        return [inputs[switch].bus for switch in range(switches)]
    return [switch % hardware.buses for switch in range(switches)]


def _pairs(tree: BinaryTree, buses: int) -> dict[int, BusInput]:
    """Bus input of every adder switch in ``pairs`` wiring: pair i on bus i mod W, inputs 2 (i div W) and the next."""
    doubles, singles = [], []
    for level in range(tree.levels, 0, -1):
        count = tree.multipliers >> level
        singles += [tree.number(level, index) for index in sorted({0, count - 1})]
        doubles += [(tree.number(level, index), tree.number(level, index + 1)) for index in range(1, count - 1, 2)]
    inputs = {}
    for i, pair in enumerate(doubles):
        for side, switch in enumerate(pair):
            inputs[switch] = BusInput(i % buses, 2 * (i // buses) + side)
    for i, switch in enumerate(singles):
        inputs[switch] = BusInput((i + 2 * len(doubles)) % buses, 2 * len(doubles) // buses + 1 + i // buses)
    return inputs


def virtual_neurons_by_bus(inputs: Sequence[BusInput], bus_count: int) -> tuple[tuple[int, ...], ...]:
    """For each bus the virtual neurons that use it, in the order the round robin visits them."""
    order = sorted(range(len(inputs)), key=lambda vn: inputs[vn].place)
    return tuple(tuple(vn for vn in order if inputs[vn].bus == bus) for bus in range(bus_count))
