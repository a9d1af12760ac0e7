"""64 adder switches at a time, and the words on their wires."""

from __future__ import annotations

from typing import Any

from maerisim.kernels.compiling.jit import helper, inlined, lowest
from maerisim.kernels.stepping.bit_planes import bitwise
from maerisim.kernels.stepping.bit_planes.bitwise import rotated
from maerisim.kernels.stepping.bit_planes.machine import Lanes, ReductionNetwork
from maerisim.kernels.stepping.machine import Bits

LOW_PLANES = 3
"""Planes of the words on a wire that are looked at in every cycle; of deep ones those above are where a count carries."""


@inlined
def settle(bits: Bits, network: ReductionNetwork, slot: int, words: int, put: Any) -> None:
    """Count the words put on and taken from the wires of a slot in this cycle."""
    taken, depth, planes = network.taken[slot], network.depth[slot], network.planes[slot]
    carry, borrow = put & ~taken, taken & ~put
    filled, full, at = bitwise.NONE, ~bitwise.NONE, network.first[slot]
    for _ in range(min(planes, LOW_PLANES)):
        before = bits[at]
        after = before ^ carry ^ borrow
        bits[at] = after
        filled |= after
        full &= after if depth & 1 else ~after
        carry &= before
        borrow &= ~before
        at += words
        depth >>= 1
    if planes > LOW_PLANES:
        if carry | borrow:
            settle_above(bits, network, slot, words, carry, borrow)
        filled |= network.filled_above[slot]
        full &= network.full_above[slot]
    network.filled[slot] = filled
    network.full[slot] = full
    network.taken[slot] = bitwise.NONE


@inlined
def settle_above(bits: Bits, network: ReductionNetwork, slot: int, words: int, carry: Any, borrow: Any) -> None:
    """Count what is carried from the low planes, and note which counts are not zero, or those of full wires, above these."""
    depth = network.depth[slot] >> LOW_PLANES
    filled, full, at = bitwise.NONE, ~bitwise.NONE, network.first[slot] + LOW_PLANES * words
    for _ in range(network.planes[slot] - LOW_PLANES):
        before = bits[at]
        after = before ^ carry ^ borrow
        bits[at] = after
        filled |= after
        full &= after if depth & 1 else ~after
        carry &= before
        borrow &= ~before
        at += words
        depth >>= 1
    network.filled_above[slot], network.full_above[slot] = filled, full


@helper
def note_again(network: ReductionNetwork, column: int, cycle: int) -> None:
    """Count a word through a switch beyond the first in this cycle, or each word through one that is noted."""
    if network.first_moment[column] >= 0:
        network.moments[network.first_moment[column] + network.twice[column]] = cycle
    network.twice[column] += 1


@inlined
def step_network(lanes: Lanes, network: ReductionNetwork, cycle: int) -> bool:
    """Wherever all operands are there and the output has room, add; receivers first."""
    bits, words, moved = lanes.bits, lanes.words, False
    for w in range(words):
        network.active[w] = network.noted[w]
    for slot in range(words, len(network.first)):
        ready = network.exists[slot] & (~network.full[slot] | network.taken[slot])
        start, stop = network.operand_start[slot], network.operand_start[slot + 1]
        for operand in range(start, stop):
            there = rotated(network.filled[network.source[operand]], network.turn[operand])
            ready &= ~network.needed[operand] | there
        if not ready:
            if network.taken[slot]:
                settle(bits, network, slot, words, bitwise.NONE)
            continue
        moved = True
        settle(bits, network, slot, words, ready)
        for operand in range(start, stop):
            turn = (bitwise.LENGTH - network.turn[operand]) & bitwise.LAST_BIT
            network.taken[network.source[operand]] |= rotated(network.needed[operand] & ready, turn)
        word = network.word[slot]
        adding = ready & network.switches[slot]
        again = network.active[word] & adding
        network.active[word] |= adding
        while again:
            note_again(network, (word << 6) + lowest(again), cycle)
            again &= again - bitwise.ONE
    return moved
