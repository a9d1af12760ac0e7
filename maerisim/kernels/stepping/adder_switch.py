"""Adder switches, and the registers of wires longer than a cycle."""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import inlined
from maerisim.kernels.stepping import counted
from maerisim.kernels.stepping.machine import Adders, Wires
from maerisim.kernels.stepping.wires import pop_value, push_value, takes_word


@inlined
def combined(one: int, other: int, compares: bool) -> int:
    """What becomes of two values: their sum, or the larger."""
    return max(one, other) if compares else one + other


@inlined
def step_adders(
    wires: Wires, adders: Adders, first: int, last: int, cycle: int, tally: Ints, carry: bool, timed: bool
) -> bool:
    """Transfers ``first .. last - 1``: wherever all operands are there and the output has room, add.

    ``timed`` (a constant, so that it costs nothing where it is False) respects *normal* queues and wires with several
    writers, and counts the additions.
    """
    moved = False
    words = wires.words
    for transfer in range(first, last):
        output = adders.output[transfer]
        if words[output] >= wires.depth[output]:
            continue
        if timed and not takes_word(wires, output, cycle):
            continue
        one, two, three = adders.operand[transfer, 0], adders.operand[transfer, 1], adders.operand[transfer, 2]
        arity = adders.arity[transfer]
        if words[one] == 0 or (arity > 1 and words[two] == 0) or (arity > 2 and words[three] == 0):
            continue
        if carry:
            total = pop_value(wires, one)
            if arity > 1:
                total = combined(total, pop_value(wires, two), adders.compares[transfer])
            if arity > 2:
                total = combined(total, pop_value(wires, three), adders.compares[transfer])
            push_value(wires, output, total)
        words[one] -= 1
        if arity > 1:
            words[two] -= 1
        if arity > 2:
            words[three] -= 1
        words[output] += 1
        moved = True
        if timed:
            wires.popped[one] = cycle
            if arity > 1:
                wires.popped[two] = cycle
            if arity > 2:
                wires.popped[three] = cycle
            wires.pushed[output] = cycle
            tally[counted.ADDITIONS_TWO] += arity == 2
            tally[counted.ADDITIONS_THREE] += arity == 3
        switch = adders.switch[transfer]
        if switch >= 0:
            tally[counted.ADDER_WORDS] += 1
            if adders.seen[switch] != cycle:
                adders.seen[switch] = cycle
                adders.busy[switch] += 1
    return moved
