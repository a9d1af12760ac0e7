"""When blocks run and words move between DRAM and the global buffer, see :mod:`maerisim.memory.dram`."""

from __future__ import annotations

from typing import NamedTuple

from maerisim.arrays import Ints, Mask
from maerisim.kernels.compiling.jit import inlined, kernel

NOTHING = -1
"""Cycles of a transfer that does not take place."""


class Schedule(NamedTuple):
    """Blocks [block] in the order in which they run: cycles on the fabric, and of each transfer on the DRAM channel."""

    duration: Ints
    weights: Ints
    inputs: Ints
    partial_sums: Ints
    written: Ints
    begins_outputs: Mask
    """Whether a block works on other outputs than the one before."""
    begins_layer: Mask
    """Whether a block is the first of a layer: its inputs are read when all outputs of the layer before are written."""
    weights_ahead: Mask
    """Whether the first weights of a layer fit beside the blocks of the layer before."""


class BlockTimes(NamedTuple):
    """Per block [block]: when it is computed, and when all that it writes has left."""

    computed: Ints
    left: Ints


@inlined
def _transfer(cycles: int, now: int, channel: Ints) -> int:
    """The end of a transfer that is asked for ``now``, or ``now`` where there is nothing to move."""
    if cycles == NOTHING:
        return now
    end: int = max(channel[0], now) + cycles
    channel[0] = end
    return end


@inlined
def _read(cycles: int, now: int, block: int, latency: int, channel: Ints, arrived: Ints) -> None:
    if cycles != NOTHING:
        arrived[block] = max(arrived[block], _transfer(cycles, now, channel) + latency)


@kernel
def follow(schedule: Schedule, latency: int, times: BlockTimes, arrived: Ints, channel: Ints) -> None:
    """Fill ``times``.

    ``arrived`` [block], when the words of each block are there, and ``channel`` [1], when the DRAM channel is free, have to
    be 0 before.
    """
    s, blocks = schedule, len(schedule.duration)
    written = written_before = 0  # when the last outputs, and those before them, had left
    for block in range(-2, blocks):
        now = 0
        if block >= 0:
            start = arrived[block]
            if block > 0:
                start = max(start, times.computed[block - 1])
            if s.begins_outputs[block]:
                start = max(start, written_before)
            now = start + s.duration[block]
            times.computed[block] = now
        following, later = block + 1, block + 2
        last_of_layer = 0 <= following < blocks and s.begins_layer[following]
        if last_of_layer:
            if block >= 0:
                times.left[block] = _transfer(s.written[block], now, channel)
            if not s.weights_ahead[following]:
                _read(s.weights[following], now, following, latency, channel, arrived)
            _read(s.inputs[following], now, following, latency, channel, arrived)
        if later < blocks:
            first = s.begins_layer[later]
            if not first or s.weights_ahead[later]:
                _read(s.weights[later], now, later, latency, channel, arrived)
            if not first:
                _read(s.inputs[later], now, later, latency, channel, arrived)
        if block >= 0:
            if not last_of_layer:
                times.left[block] = _transfer(s.written[block], now, channel)
            if s.written[block] != NOTHING:
                written, written_before = times.left[block], written
        if later < blocks:
            _read(s.partial_sums[later], now, later, latency, channel, arrived)
