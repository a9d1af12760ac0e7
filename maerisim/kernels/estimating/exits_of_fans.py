"""Where sums leave a forwarding adder network, and the ways to there; a twin of :mod:`maerisim.fabric.fan`.

The products of a virtual neuron meet at the switch below which both of its ends lie. Of those on either side of it that are
next to it, the largest power of two that is less than all of them fills a subtree; the rest, next to that, is summed in
the same way, and so on.
"""

from __future__ import annotations

from maerisim.kernels.compiling.jit import helper
from maerisim.kernels.estimating.quantities import FabricNumbers


@helper
def highest(number: int) -> int:
    """The place of the highest one of a number in binary; 0 for 0."""
    place = 0
    while number >> (place + 1):
        place += 1
    return place


@helper
def registers_of_half(size: int, level: int) -> int:
    """Levels that the words in one half of a virtual neuron pass up to the switch at ``level`` (0: next to the multipliers)."""
    registers = 0
    while size > 1:
        full = highest(size - 1)
        registers += level - full + (1 << full) - 1
        size, level = size - (1 << full), full
    return registers + level


@helper
def exit_of_fan(fabric: FabricNumbers, start: int, size: int) -> tuple[int, int, int, int, int]:
    """See :func:`maerisim.kernels.estimating.exits.exit_of`."""
    last = start + size - 1
    level, levels = highest(start ^ last), highest(fabric.multipliers)
    ride = levels - level if fabric.to_last_level else 1
    position, registers = start, ride
    if size > 1:
        position = last >> level << level
        registers += registers_of_half(position - start, level) + registers_of_half(last - position + 1, level)
    switch, width = start >> (level + 1), fabric.multipliers
    for _ in range(level):
        width //= 2
        switch += width
    latency = fabric.level_latency
    return switch, position, (level + ride) * latency, (level + ride) * latency, registers * latency


@helper
def adders_in_half(size: int, away: int, level: int) -> int:
    """Adders that a product passes below the switch at ``level``, ``away`` from it in a half of a virtual neuron."""
    adders = 0
    while size > 1:
        full = highest(size - 1)
        if away < 1 << full:
            return adders + 1 + full
        adders, size, away, level = adders + 1, size - (1 << full), away - (1 << full), full
    return adders + int(level > 0)


@helper
def way_in_fan(fabric: FabricNumbers, start: int, size: int, switch: int) -> tuple[int, int]:
    """See :func:`maerisim.kernels.estimating.exits.way_of`; what a finished sum rides on counts as before the last adder."""
    last = start + size - 1
    level, levels = highest(start ^ last), highest(fabric.multipliers)
    middle = last >> level << level
    if switch < middle:
        adders = adders_in_half(middle - start, middle - 1 - switch, level)
    else:
        adders = adders_in_half(last - middle + 1, switch - middle, level)
    registers = (levels - 1 if fabric.to_last_level else level) * fabric.level_latency
    before = fabric.multiplier_latency
    return before + registers, fabric.product_depth + before - 1 + registers + adders * (fabric.reduction_depth - 1)
