"""The reduction topology that a hardware document names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from maerisim.fabric.art import AugmentedReductionTree
from maerisim.fabric.fan import ForwardingAdderNetwork
from maerisim.fabric.linear import LinearChain
from maerisim.fabric.plain_tree import PlainTree
from maerisim.fabric.topology import Topology
from maerisim.hardware.hardware import Hardware

TOPOLOGIES: dict[str, Callable[[Hardware], Topology]] = {
    "art": lambda hardware: AugmentedReductionTree(
        hardware.multipliers,
        hardware.reduction.latency,
        hardware.reduction.lateral_latency,
        shorter_end=hardware.reduction.crossing == "shorter_end",
    ),
    "plain_tree": lambda hardware: PlainTree(hardware.multipliers, hardware.reduction.latency),
    "linear": lambda hardware: LinearChain(hardware.multipliers, hardware.reduction.latency),
    "fan": lambda hardware: ForwardingAdderNetwork(
        hardware.multipliers, hardware.reduction.latency, to_last_level=hardware.reduction.exit == "last_level"
    ),
}
"""By the names of ``reduction.topology``."""


def topology_of(hardware: Hardware) -> Topology:
    """The topology that ``hardware.reduction.topology`` names."""
    return TOPOLOGIES[hardware.reduction.topology](hardware)


@lru_cache(maxsize=4)
def places_of(hardware: Hardware) -> Mapping[int, tuple[int, int]]:
    """Level and column of each adder switch of ``hardware``, by its number."""
    topology = topology_of(hardware)
    return {switch: (topology.level(switch), topology.column(switch)) for switch in range(topology.switches)}
