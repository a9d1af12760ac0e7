"""Multiplier switches with roles, and the leaf registers in front of them."""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import inlined
from maerisim.kernels.stepping import counted, operand_store
from maerisim.kernels.stepping.lock_step import register, role
from maerisim.kernels.stepping.lock_step.machine import Switches
from maerisim.kernels.stepping.machine import Machine, Stores, Wires
from maerisim.kernels.stepping.wires import takes_word


@inlined
def compute(switches: Switches, stores: Stores, m: int, busy: Ints, tally: Ints) -> bool:
    """Multiply the oldest word at a left edge, or the oldest copied word elsewhere in a filter row."""
    own = switches.role[m]
    if not role.LEFT <= own <= role.RIGHT or switches.products[m] >= switches.product_depth:
        return False
    store = operand_store.INPUTS if own == role.LEFT else operand_store.FORWARDED
    if stores.words[store, m] == 0:
        return False
    stores.words[store, m] -= 1
    switches.products[m] += 1
    tally[counted.MULTIPLICATIONS] += 1
    busy[m] += 1
    return True


@inlined
def emit(switches: Switches, wires: Wires, wire: int, m: int, cycle: int) -> bool:
    """Pass a product to the adders while the count of products lasts."""
    if switches.products[m] == 0 or switches.left[m] == 0 or wires.words[wire] >= wires.depth[wire]:
        return False
    if not takes_word(wires, wire, cycle):
        return False
    switches.products[m] -= 1
    switches.left[m] -= 1
    switches.sent[m] = cycle
    wires.words[wire] += 1
    wires.pushed[wire] = cycle
    return True


@inlined
def copy_from_left(switches: Switches, stores: Stores, m: int, tally: Ints) -> bool:
    """Take a copy of the word that the left neighbour is at, whether that multiplies it in this cycle or not."""
    if m == 0 or stores.words[operand_store.FORWARDED, m] >= stores.depth[operand_store.FORWARDED]:
        return False
    left = switches.role[m - 1]
    if not (
        (left == role.LEFT and stores.words[operand_store.INPUTS, m - 1] > 0)
        or (left == role.MIDDLE and stores.words[operand_store.FORWARDED, m - 1] > 0)
    ):
        return False
    stores.words[operand_store.FORWARDED, m] += 1
    tally[counted.FORWARDS] += 1
    return True


@inlined
def step_switches(machine: Machine, switches: Switches, cycle: int) -> bool:
    """Each multiplier switch, from the right: multiply, pass a product on, take a copy from the left."""
    moved = False
    for m in range(len(switches.role) - 1, -1, -1):
        moved |= compute(switches, machine.stores, m, machine.multipliers.busy, machine.tally)
        moved |= emit(switches, machine.wires, machine.multipliers.product[m], m, cycle)
        moved |= copy_from_left(switches, machine.stores, m, machine.tally)
    return moved


@inlined
def step_leaves(switches: Switches, stores: Stores) -> bool:
    """Words pass through both registers of a leaf into the multiplier switch, in one cycle where there is room."""
    moved = False
    for m in range(len(switches.role)):
        if switches.first_register[m] != register.EMPTY and switches.second_register[m] == register.EMPTY:
            switches.first_register[m] = register.EMPTY
            switches.second_register[m] = register.HELD
            moved = True
        elif switches.first_register[m] == register.NEW:
            switches.first_register[m] = register.HELD
            moved = True
        if switches.second_register[m] == register.EMPTY:
            continue
        if switches.role[m] != role.LEFT:
            switches.second_register[m] = register.EMPTY
            moved = True
        elif stores.words[operand_store.INPUTS, m] < stores.depth[operand_store.INPUTS]:
            switches.second_register[m] = register.EMPTY
            stores.words[operand_store.INPUTS, m] += 1
            moved = True
    return moved


@inlined
def take_configurations(switches: Switches, cycle: int) -> bool:
    """First states end; a switch whose count was 0 at the start of the cycle takes up the role that waits."""
    moved = False
    for m in range(len(switches.role)):
        if switches.role[m] >= role.MIDDLE_FIRST:
            switches.role[m] = role.MIDDLE if switches.role[m] == role.MIDDLE_FIRST else role.RIGHT
            moved = True
        if switches.next_role[m] >= 0 and switches.left[m] == 0 and switches.sent[m] != cycle:
            switches.role[m] = switches.next_role[m]
            switches.left[m] = switches.next_left[m]
            switches.next_role[m] = -1
            moved = True
    return moved
