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
    """The member of a bus with a result that went longest ago, the first of those that never did (-1: none)."""
    found = -1
    for candidate in range(collection.member_start[bus], collection.member_start[bus + 1]):
        if wires.words[collection.outgoing[collection.member[candidate]]] > 0 and (
            found < 0 or collection.granted[candidate] < collection.granted[found]
        ):
            found = candidate
    return found


@inlined
def step_buses(wires: Wires, collection: Collectors, cycle: int) -> bool:
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
        collection.last_granted[bus] = candidate
        collection.granted[candidate] = cycle
        collection.busy[bus] += 1
        count = collection.waiting[0]
        collection.write_queue[(collection.waiting[1] + count) % len(collection.write_queue)] = vn
        collection.waiting[0] = count + 1
        moved = True
    return moved
