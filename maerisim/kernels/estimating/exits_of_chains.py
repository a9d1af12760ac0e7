"""Where sums leave a chain of adders, and the ways to there; a twin of :mod:`maerisim.fabric.linear`."""

from __future__ import annotations

from maerisim.kernels.compiling.jit import helper
from maerisim.kernels.estimating.quantities import FabricNumbers


@helper
def exit_of_chain(fabric: FabricNumbers, start: int, size: int) -> tuple[int, int, int, int, int]:
    """See :func:`maerisim.kernels.estimating.exits.exit_of`."""
    last = start + size - 1
    return last, last, fabric.level_latency * size, fabric.level_latency, fabric.level_latency * size


@helper
def way_in_chain(fabric: FabricNumbers, start: int, size: int, switch: int) -> tuple[int, int]:
    """See :func:`maerisim.kernels.estimating.exits.way_of`."""
    way, room = fabric.multiplier_latency, fabric.product_depth + fabric.multiplier_latency - 1
    between, latency = start + size - 1 - switch, fabric.level_latency
    return way + between * latency, room + between * (fabric.reduction_depth + latency - 1)
