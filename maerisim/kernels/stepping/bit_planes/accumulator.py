"""Accumulators that take their sums from bit planes."""

from __future__ import annotations

import numpy as np

from maerisim.kernels.compiling.jit import inlined, lowest
from maerisim.kernels.stepping import collect, walk
from maerisim.kernels.stepping.accumulator import seek_active
from maerisim.kernels.stepping.bit_planes import bitwise
from maerisim.kernels.stepping.bit_planes.machine import ReductionNetwork
from maerisim.kernels.stepping.machine import Collectors, Wires
from maerisim.kernels.stepping.walk import Code, Walkers, advance


@inlined
def step_accumulators(
    code: Code, network: ReductionNetwork, wires: Wires, collection: Collectors, walkers: Walkers
) -> bool:
    """Each accumulator takes the sum that has arrived: it starts, continues or completes an output."""
    moved = False
    for place in range(len(network.exits)):
        slot = network.exits[place]
        arrived = network.filled[slot] & network.exit_mask[place]
        gone = bitwise.NONE
        while arrived:
            column = lowest(arrived)
            bit = bitwise.ONE << np.uint64(column)
            arrived ^= bit
            vn = network.virtual_neuron[slot, column]
            code_row = walkers.row[vn]
            if code.op[code_row] == walk.HALT:
                continue
            if collection.flags[code.arg[code_row], vn] & collect.EMIT:
                target = collection.accumulated[vn]
                if wires.words[target] >= wires.depth[target]:
                    continue
                wires.words[target] += 1
            gone |= bit
            if advance(code, walkers, vn):
                seek_active(code, walkers, collection.flags, vn)
        if gone:
            network.taken[slot] |= gone
            moved = True
    return moved
