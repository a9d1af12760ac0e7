"""Queues between multiplier switches and buses: counts of words, and rings of values where they are carried."""

from __future__ import annotations

from maerisim.kernels.compiling.jit import inlined
from maerisim.kernels.stepping.machine import Wires


@inlined
def push_value(wires: Wires, wire: int, value: int) -> None:
    """Put a value behind the words that a wire holds (before their count goes up)."""
    wires.value[wire, (wires.head[wire] + wires.words[wire]) % wires.depth[wire]] = value


@inlined
def pop_value(wires: Wires, wire: int) -> int:
    """Take the oldest value of a wire."""
    head = wires.head[wire]
    wires.head[wire] = (head + 1) % wires.depth[wire]
    return int(wires.value[wire, head])


@inlined
def takes_word(wires: Wires, wire: int, cycle: int) -> bool:
    """Whether a wire with room takes a word: one a cycle; in *normal* queues one popped in this cycle is still there."""
    if wires.pushed[wire] == cycle:
        return False
    return not wires.normal[wire] or wires.words[wire] + (wires.popped[wire] == cycle) < wires.depth[wire]
