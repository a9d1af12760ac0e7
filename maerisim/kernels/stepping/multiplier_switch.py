"""Multiplier switches do control steps as soon as their operands are there."""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import inlined
from maerisim.kernels.stepping import counted, operand_store, use, walk
from maerisim.kernels.stepping.machine import Multipliers, Stores, Wires
from maerisim.kernels.stepping.operand_store import has_word, store_value, stored, turn_over
from maerisim.kernels.stepping.walk import Code, Walkers, advance
from maerisim.kernels.stepping.wires import push_value


@inlined
def look_up(code: Code, multipliers: Multipliers, walkers: Walkers, m: int) -> None:
    """Keep the flags of the step that a multiplier switch has come to in ``now``."""
    row = walkers.row[m]
    multipliers.now[m] = -1 if code.op[row] == walk.HALT else multipliers.uses[code.arg[row], m]


@inlined
def obstacle(wires: Wires, multipliers: Multipliers, stores: Stores, m: int, uses: int, source: int) -> int:
    """What keeps a multiplier switch from its step: the number of a cause, or -1."""
    wire = multipliers.product[m]
    if wires.words[wire] >= wires.depth[wire]:
        return 0
    if uses & use.MULTIPLY and (
        not has_word(stores, operand_store.WEIGHTS, m)
        or stores.words[operand_store.WEIGHTS, m] < stores.together[operand_store.WEIGHTS]
    ):
        return 1
    if uses & (use.MULTIPLY | use.PASS) and not has_word(stores, source, m):
        return 2
    if uses & use.PARTIAL_SUM and not has_word(stores, operand_store.PARTIAL_SUMS, m):
        return 3
    forwarded = operand_store.FORWARDED
    if uses & use.FORWARD and stores.words[forwarded, m - 1] >= stores.depth[forwarded]:
        return 4
    return -1


@inlined
def forward(stores: Stores, m: int, source: int, tally: Ints, carry: bool) -> None:
    """Hand the input in use on to the neighbour of lower index."""
    if carry:
        store_value(stores, operand_store.FORWARDED, m - 1, stored(stores, source, m))
    stores.words[operand_store.FORWARDED, m - 1] += 1
    stores.claimed[operand_store.FORWARDED, m - 1] += 1
    tally[counted.FORWARDS] += 1


@inlined
def put_product(
    wires: Wires,
    multipliers: Multipliers,
    stores: Stores,
    m: int,
    uses: int,
    source: int,
    tally: Ints,
    carry: bool,
) -> None:
    """Multiply, or pass an input, a partial sum or an empty word on."""
    wire, value = multipliers.product[m], multipliers.empty[m]
    if uses & (use.MULTIPLY | use.PASS):
        tally[counted.MULTIPLICATIONS if uses & use.MULTIPLY else counted.PASSES] += 1
        multipliers.busy[m] += 1
        if uses & use.FORWARD:
            forward(stores, m, source, tally, carry)
        if carry:
            value = stored(stores, source, m)
            if uses & use.MULTIPLY:
                value *= stored(stores, operand_store.WEIGHTS, m)
    elif uses & use.PARTIAL_SUM:
        if carry:
            value = stored(stores, operand_store.PARTIAL_SUMS, m)
        turn_over(stores, operand_store.PARTIAL_SUMS, m, 1, 0, 0, carry)
    if carry:
        push_value(wires, wire, value)
    wires.words[wire] += 1


@inlined
def step_multipliers(
    code: Code, wires: Wires, multipliers: Multipliers, stores: Stores, walkers: Walkers, tally: Ints, carry: bool
) -> bool:
    """Each multiplier switch does its next control step if its operands are there, by rising index."""
    moved = False
    for m in range(len(multipliers.product)):
        uses = multipliers.now[m]
        if uses < 0:
            continue
        source = operand_store.FORWARDED if uses & use.FORWARDED_INPUT else operand_store.INPUTS
        if uses & (use.MULTIPLY | use.PASS | use.IDLE | use.PARTIAL_SUM):
            cause = obstacle(wires, multipliers, stores, m, uses, source)
            if cause >= 0:
                multipliers.stalled_by[m] = cause
                tally[counted.STALLED + cause] += 1
                continue
            put_product(wires, multipliers, stores, m, uses, source, tally, carry)
        retire, following, rewind = use.RETIRE_WEIGHT, use.NEXT_WEIGHT, use.REWIND_WEIGHTS
        turn_over(stores, operand_store.WEIGHTS, m, uses & retire, uses & following, uses & rewind, carry)
        retire, following, rewind = use.RETIRE_INPUT, use.NEXT_INPUT, use.REWIND_INPUTS
        turn_over(stores, source, m, uses & retire, uses & following, uses & rewind, carry)
        moved = True
        if advance(code, walkers, m):
            look_up(code, multipliers, walkers, m)
    return moved
