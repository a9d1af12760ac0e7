"""The fabric driven in lock step: one program of rows moves all ports, multiplier switches have roles.

Adder switches, buses, the global buffer, wires, operand stores and packets are those of :mod:`maerisim.kernels.stepping.fabric`;
this module adds the controller, the ports and the multiplier switches, in the order of the event engine's twin
:mod:`maerisim.engine.event.lock_step`.
"""

from __future__ import annotations

from typing import NamedTuple

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import inlined, kernel
from maerisim.kernels.stepping.fabric import step_adders, step_buses, step_global_buffer, takes_word
from maerisim.kernels.stepping.machine import (
    COMPLETE,
    DEADLOCK,
    DELIVERED,
    DISTRIBUTED,
    FORWARDED,
    FORWARDS,
    HOPS,
    INPUTS,
    MULTIPLICATIONS,
    OUTPUTS_WRITTEN,
    PORT_STALLS,
    READS,
    RESULTS,
    RUNNING,
    Machine,
    Ports,
    Stores,
    Wires,
)
from maerisim.kernels.stepping.walk import HALT, Code, Walkers, advance

# Role and Control (maerisim.program.program) as plain numbers; a unit test keeps them equal.
LEFT, MIDDLE, RIGHT, MIDDLE_FIRST, RIGHT_FIRST = 2, 3, 4, 5, 6
CONFIGURE, SEND, DRAINED, WAIT_RESULTS = 1, 2, 3, 4

EMPTY, HELD, NEW = 0, 1, 2
"""A leaf register; NEW: filled in this cycle, so that it was empty at the start."""


class Switches(NamedTuple):
    """Multiplier switches: role, products that may still leave and the cycle in which one last did, the configuration
    that waits (role or -1, products), products in their queue of ``product_depth``, and the two registers of the leaf.
    """

    role: Ints
    left: Ints
    sent: Ints
    next_role: Ints
    next_left: Ints
    products: Ints
    product_depth: int
    first_register: Ints
    second_register: Ints


class Slots(NamedTuple):
    """Distribution ports: a queue [port, depth] of packets with its head and the number that wait, the packet whose slot
    is being configured and the one in the tree (-1: none), and packets sent that have not been delivered.
    """

    queue: Ints
    head: Ints
    waiting: Ints
    register: Ints
    tree: Ints
    undelivered: Ints


class Control(NamedTuple):
    """The controller: rows [template] of :class:`maerisim.program.program.ControlRow`, ``roles`` [template, switch], the number
    of the packets in :class:`Ports`; one walker, whose base address counts the results that are due.
    """

    code: Code
    kind: Ints
    roles: Ints
    products: Ints
    packets: Ints
    walker: Walkers


class LockStep(NamedTuple):
    """What a machine driven in lock step has besides a :class:`Machine`; adders rest before cycle ``configured_at``."""

    switches: Switches
    slots: Slots
    control: Control
    configured_at: int


@inlined
def compute(switches: Switches, stores: Stores, m: int, busy: Ints, tally: Ints) -> bool:
    """Multiply the oldest word at a left edge, or the oldest copied word elsewhere in a filter row."""
    role = switches.role[m]
    if role not in (LEFT, MIDDLE, RIGHT) or switches.products[m] >= switches.product_depth:
        return False
    store = INPUTS if role == LEFT else FORWARDED
    if stores.words[store, m] == 0:
        return False
    stores.words[store, m] -= 1
    switches.products[m] += 1
    tally[MULTIPLICATIONS] += 1
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
    if m == 0 or stores.words[FORWARDED, m] >= stores.depth[FORWARDED]:
        return False
    role = switches.role[m - 1]
    if not (
        (role == LEFT and stores.words[INPUTS, m - 1] > 0) or (role == MIDDLE and stores.words[FORWARDED, m - 1] > 0)
    ):
        return False
    stores.words[FORWARDED, m] += 1
    tally[FORWARDS] += 1
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
def deliver_slots(ports: Ports, slots: Slots, switches: Switches) -> None:
    """The word in each port's tree reaches all its leaves; one that finds a full leaf is lost."""
    for port in range(len(slots.tree)):
        packet = slots.tree[port]
        if packet < 0:
            continue
        for place in range(ports.first[packet], ports.first[packet + 1]):
            m = ports.destination[place]
            if switches.first_register[m] == EMPTY:
                switches.first_register[m] = NEW


@inlined
def step_leaves(switches: Switches, stores: Stores) -> bool:
    """Words pass through both registers of a leaf into the multiplier switch, in one cycle where there is room."""
    moved = False
    for m in range(len(switches.role)):
        if switches.first_register[m] != EMPTY and switches.second_register[m] == EMPTY:
            switches.first_register[m] = EMPTY
            switches.second_register[m] = HELD
            moved = True
        elif switches.first_register[m] == NEW:
            switches.first_register[m] = HELD
            moved = True
        if switches.second_register[m] == EMPTY:
            continue
        if switches.role[m] != LEFT:
            switches.second_register[m] = EMPTY
            moved = True
        elif stores.words[INPUTS, m] < stores.depth[INPUTS]:
            switches.second_register[m] = EMPTY
            stores.words[INPUTS, m] += 1
            moved = True
    return moved


@inlined
def give_configuration(control: Control, switches: Switches, template: int) -> bool:
    """Hand each switch its next role and count; False while one of them has not taken up its last."""
    for m in range(len(switches.role)):
        if control.roles[template, m] >= 0 and switches.next_role[m] >= 0:
            return False
    for m in range(len(switches.role)):
        if control.roles[template, m] >= 0:
            switches.next_role[m] = control.roles[template, m]
            switches.next_left[m] = control.products[template]
    return True


@inlined
def send_slot(ports: Ports, slots: Slots, packets: int, tally: Ints) -> bool:
    """Queue a packet at every port that has one; False while one of their queues is full."""
    depth = slots.queue.shape[1]
    for port in range(len(slots.waiting)):
        if ports.packet_start[packets, port] < ports.packet_start[packets, port + 1] and slots.waiting[port] >= depth:
            tally[PORT_STALLS] += 1
            return False
    for port in range(len(slots.waiting)):
        packet = ports.packet_start[packets, port]
        if packet == ports.packet_start[packets, port + 1]:
            continue
        slots.queue[port, (slots.head[port] + slots.waiting[port]) % depth] = packet
        slots.waiting[port] += 1
        slots.undelivered[port] += 1
        stream = ports.stream[packet]
        tally[DISTRIBUTED + stream] += 1
        tally[DELIVERED + stream] += ports.first[packet + 1] - ports.first[packet]
        tally[READS + stream] += ports.reads[packet]
        tally[HOPS] += ports.hops[packet]
        ports.busy[port] += 1
    return True


@inlined
def drained(slots: Slots) -> bool:
    """Whether every word sent has been delivered."""
    words = 0
    for port in range(len(slots.undelivered)):
        words += slots.undelivered[port]
    return words == 0


@inlined
def step_control(control: Control, switches: Switches, slots: Slots, ports: Ports, expected: int, tally: Ints) -> bool:
    """The controller's row goes, or waits for another cycle."""
    row = control.walker.row[0]
    if control.code.op[row] == HALT:
        return False
    template = control.code.arg[row]
    kind = control.kind[template]
    goes = True
    if kind == CONFIGURE:
        goes = give_configuration(control, switches, template)
    elif kind == SEND:
        goes = send_slot(ports, slots, control.packets[template], tally)
    elif kind == DRAINED:
        goes = drained(slots)
    elif kind == WAIT_RESULTS:
        due = control.walker.base[0]
        goes = tally[RESULTS] == due or (due == expected and tally[RESULTS] > due)
    if goes:
        advance(control.code, control.walker, 0)
    return goes


@inlined
def step_slots(slots: Slots) -> bool:
    """In every port the word in the tree is gone, or the configured slot is sent; the queue moves up."""
    moved = False
    depth = slots.queue.shape[1]
    for port in range(len(slots.tree)):
        if slots.tree[port] >= 0:
            slots.tree[port] = -1
            slots.undelivered[port] -= 1
            moved = True
        elif slots.register[port] >= 0:
            slots.tree[port] = slots.register[port]
            slots.register[port] = -1
            moved = True
        if slots.register[port] < 0 and slots.waiting[port] > 0:
            slots.register[port] = slots.queue[port, slots.head[port]]
            slots.head[port] = (slots.head[port] + 1) % depth
            slots.waiting[port] -= 1
            moved = True
    return moved


@inlined
def take_configurations(switches: Switches, cycle: int) -> bool:
    """First states end; a switch whose count was 0 at the start of the cycle takes up the role that waits."""
    moved = False
    for m in range(len(switches.role)):
        if switches.role[m] >= MIDDLE_FIRST:
            switches.role[m] = MIDDLE if switches.role[m] == MIDDLE_FIRST else RIGHT
            moved = True
        if switches.next_role[m] >= 0 and switches.left[m] == 0 and switches.sent[m] != cycle:
            switches.role[m] = switches.next_role[m]
            switches.left[m] = switches.next_left[m]
            switches.next_role[m] = -1
            moved = True
    return moved


@inlined
def at_the_end(control: Control, expected: int) -> bool:
    """Whether the controller has sent everything: it waits for the last results, or not even that."""
    row = control.walker.row[0]
    if control.code.op[row] == HALT:
        return True
    return bool(control.kind[control.code.arg[row]] == WAIT_RESULTS and control.walker.base[0] == expected)


@kernel
def run(machine: Machine, lock_step: LockStep, expected: int, cycle: int, budget: int) -> tuple[int, int]:
    """Step from ``cycle`` until everything is sent and ``expected`` results have left, or for ``budget`` cycles.

    Returns (status, cycle). It is a deadlock when nothing moves for longer than a word takes through the distribution
    network.
    """
    m, switches, slots, control = machine, lock_step.switches, lock_step.slots, lock_step.control
    transfers = len(m.adders.output)
    end = cycle + budget
    idle = 0
    while cycle < end:
        if m.tally[RESULTS] >= expected and at_the_end(control, expected):
            return COMPLETE, cycle
        moved = step_buses(m.wires, m.collection, cycle)
        if cycle >= lock_step.configured_at:
            moved |= step_adders(m.wires, m.adders, 0, transfers, cycle, m.tally, False, True)
        else:
            moved = True
        moved |= step_switches(m, switches, cycle)
        deliver_slots(m.ports, slots, switches)
        moved |= step_leaves(switches, m.stores)
        moved |= step_global_buffer(m.collection, cycle, m.tally)
        m.tally[OUTPUTS_WRITTEN] = m.tally[RESULTS]
        moved |= step_control(control, switches, slots, m.ports, expected, m.tally)
        moved |= step_slots(slots)
        moved |= take_configurations(switches, cycle)
        idle = 0 if moved else idle + 1
        if idle > m.ports.line.shape[0]:
            return DEADLOCK, cycle
        cycle += 1
    return RUNNING, cycle
