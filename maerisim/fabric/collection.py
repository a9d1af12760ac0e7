"""Static wiring of adder switches to collection buses."""

from __future__ import annotations

from collections.abc import Sequence

from maerisim.fabric.topology import Reduction
from maerisim.hardware import Hardware


def buses_of(reduction: Reduction, hardware: Hardware) -> tuple[int, ...]:
    """The collection bus of each virtual neuron, given where its sum leaves the reduction network.

    ``regional`` wiring gives each bus the switches above M / W neighbouring multipliers, so that the results of a
    packed array spread evenly; ``modulo`` deals the switches out by their number.
    """
    if hardware.collection.wiring == "modulo":
        return tuple(switch % hardware.buses for switch in reduction.exits)
    return tuple(position * hardware.buses // hardware.multipliers for position in reduction.exit_positions)


def virtual_neurons_by_bus(buses: Sequence[int], bus_count: int) -> tuple[tuple[int, ...], ...]:
    """For each bus the virtual neurons that use it, in the order the round robin visits them."""
    return tuple(tuple(vn for vn, bus in enumerate(buses) if bus == number) for number in range(bus_count))
