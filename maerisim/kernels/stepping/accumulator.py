"""Accumulators add up the folds of an output."""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import helper, inlined, kernel
from maerisim.kernels.stepping import collect, counted, walk
from maerisim.kernels.stepping.adder_switch import combined
from maerisim.kernels.stepping.machine import Collectors, Wires
from maerisim.kernels.stepping.walk import Code, Walkers, advance, skip_row


@helper
def seek_active(code: Code, walkers: Walkers, flags: Ints, vn: int) -> None:
    """Move a virtual neuron's collect walker on to a step in which it is at work."""
    row = walkers.row[vn]
    while code.op[row] != walk.HALT and not flags[code.arg[row], vn] & collect.ACTIVE:
        row = skip_row(code, walkers, vn)


@kernel
def seek_first_active(code: Code, walkers: Walkers, flags: Ints) -> None:
    """Move the collect walker of each virtual neuron to its first step at work."""
    for vn in range(len(walkers.row)):
        seek_active(code, walkers, flags, vn)


@inlined
def step_accumulators(
    code: Code, wires: Wires, collection: Collectors, walkers: Walkers, outputs: Ints, tally: Ints, carry: bool
) -> bool:
    """Each accumulator takes the sum that has arrived: it starts, continues or completes an output."""
    moved = False
    for vn in range(len(collection.result)):
        wire = collection.result[vn]
        if wires.words[wire] == 0:
            continue
        row = walkers.row[vn]
        if code.op[row] == walk.HALT:
            continue
        flags = collection.flags[code.arg[row], vn]
        if flags & collect.EMIT:
            target = collection.accumulated[vn]
            if wires.words[target] >= wires.depth[target]:
                continue
            wires.words[target] += 1
            if flags & collect.LAST:
                tally[counted.OUTPUTS_WRITTEN] += 1
            else:
                tally[counted.PARTIAL_SUMS_WRITTEN] += 1
        continues = not (flags & collect.FIRST or collection.spilling[vn])
        if continues:
            tally[counted.ACCUMULATIONS] += 1
        two, three = collection.additions_two[code.arg[row], vn], collection.additions_three[code.arg[row], vn]
        tally[counted.ADDITIONS_TWO] += two
        tally[counted.ADDITIONS_THREE] += three
        if collection.compares[vn]:
            tally[counted.COMPARISONS] += two + 2 * three
        if carry:
            head = wires.head[wire]
            total = wires.value[wire, head]
            wires.head[wire] = (head + 1) % wires.depth[wire]
            address = walkers.base[vn] + collection.output_offset[vn]
            outputs[address] = combined(outputs[address], total, collection.compares[vn]) if continues else total
        wires.words[wire] -= 1
        if advance(code, walkers, vn):
            seek_active(code, walkers, collection.flags, vn)
        moved = True
    return moved
