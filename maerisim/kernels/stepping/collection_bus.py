"""Collection buses: which result goes next (arbitration)."""

from __future__ import annotations

from maerisim.kernels.compiling.jit import inlined
from maerisim.kernels.stepping.machine import Collectors, Wires


@inlined
def next_in_turn(wires: Wires, collection: Collectors, bus: int) -> int:
    """The next member of a bus with a result, after the one that went last (-1: none)."""
    start, stop = collection.member_start[bus], collection.member_start[bus + 1]
    candidate, found = collection.last_granted[bus], -1
    for _ in range(start, stop):
        candidate += 1
        if candidate >= stop:
            candidate = start
        if wires.words[collection.outgoing[collection.member[candidate]]] > 0:
            found = candidate
            break
    return found


@inlined
def least_recently_granted(wires: Wires, collection: Collectors, bus: int) -> int:
    """The first member of a bus with a result (-1: none): members stand in the order in which they went last."""
    for candidate in range(collection.member_start[bus], collection.member_start[bus + 1]):
        if wires.words[collection.outgoing[collection.member[candidate]]] > 0:
            return candidate
    return -1


@inlined
def move_to_end(collection: Collectors, bus: int, candidate: int) -> None:
    """Put the member of a bus that went behind all others."""
    member, last = collection.member, collection.member_start[bus + 1] - 1
    granted = member[candidate]
    for place in range(candidate, last):
        member[place] = member[place + 1]
    member[last] = granted


@inlined
def step_buses(wires: Wires, collection: Collectors) -> bool:
    """Each bus takes one result of those that its virtual neurons (or ports) hold."""
    moved = False
    for bus in range(len(collection.busy)):
        if collection.least_recent:
            candidate = least_recently_granted(wires, collection, bus)
        else:
            candidate = next_in_turn(wires, collection, bus)
        if candidate < 0:
            continue
        vn = collection.member[candidate]
        wires.words[collection.outgoing[vn]] -= 1
        if collection.least_recent:
            move_to_end(collection, bus, candidate)
        else:
            collection.last_granted[bus] = candidate
        collection.busy[bus] += 1
        collection.write_queue[collection.waiting[0]] = vn
        collection.waiting[0] += 1
        moved = True
    return moved
