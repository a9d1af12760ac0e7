"""Distribution ports with a queue and slots of two cycles."""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import inlined
from maerisim.kernels.stepping import counted
from maerisim.kernels.stepping.lock_step import register
from maerisim.kernels.stepping.lock_step.machine import Slots, Switches
from maerisim.kernels.stepping.machine import Ports


@inlined
def deliver_slots(ports: Ports, slots: Slots, switches: Switches) -> None:
    """The word in each port's tree reaches all its leaves; one that finds a full leaf is lost."""
    for port in range(len(slots.tree)):
        packet = slots.tree[port]
        if packet < 0:
            continue
        for place in range(ports.first[packet], ports.first[packet + 1]):
            m = ports.destination[place]
            if switches.first_register[m] == register.EMPTY:
                switches.first_register[m] = register.NEW


@inlined
def send_slot(ports: Ports, slots: Slots, packets: int, tally: Ints) -> bool:
    """Queue a packet at every port that has one; False while one of their queues is full."""
    depth = slots.queue.shape[1]
    for port in range(len(slots.waiting)):
        if ports.packet_start[packets, port] < ports.packet_start[packets, port + 1] and slots.waiting[port] >= depth:
            tally[counted.PORT_STALLS] += 1
            return False
    for port in range(len(slots.waiting)):
        packet = ports.packet_start[packets, port]
        if packet == ports.packet_start[packets, port + 1]:
            continue
        slots.queue[port, (slots.head[port] + slots.waiting[port]) % depth] = packet
        slots.waiting[port] += 1
        slots.undelivered[port] += 1
        stream = ports.stream[packet]
        tally[counted.DISTRIBUTED + stream] += 1
        tally[counted.DELIVERED + stream] += ports.first[packet + 1] - ports.first[packet]
        tally[counted.READS + stream] += ports.reads[packet]
        tally[counted.HOPS] += ports.hops[packet]
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
