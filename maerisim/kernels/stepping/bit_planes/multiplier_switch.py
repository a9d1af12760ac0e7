"""64 multiplier switches at a time: which of them can do their step, and what becomes of their operands."""

from __future__ import annotations

from typing import Any

import numpy as np

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import inlined, lowest, population
from maerisim.kernels.stepping import counted, operand_store, walk
from maerisim.kernels.stepping.bit_planes import bitwise, flag_row
from maerisim.kernels.stepping.bit_planes.adder_switch import settle
from maerisim.kernels.stepping.bit_planes.bitwise import at_least, equal
from maerisim.kernels.stepping.bit_planes.machine import Lanes, ReductionNetwork
from maerisim.kernels.stepping.bit_planes.operand_store import has_word, receive, turn_over
from maerisim.kernels.stepping.walk import Code, Walkers, seek


@inlined
def enter_step(code: Code, lanes: Lanes, walkers: Walkers, m: int) -> None:
    """Set the flags of the step that a multiplier switch has come to."""
    row = walkers.row[m]
    before, now = lanes.now[m], -1
    if code.op[row] != walk.HALT:
        now = lanes.uses[code.arg[row], m]
    if now == before:
        return
    lanes.now[m] = now
    w, bit = m >> 6, bitwise.ONE << np.uint64(m & 63)
    if now < 0:
        lanes.bits[lanes.flags + flag_row.AT_WORK * lanes.words + w] &= ~bit
        now = 0
    changed = np.uint64(before ^ now)
    while changed:
        lanes.bits[lanes.flags + lowest(changed) * lanes.words + w] ^= bit
        changed &= changed - bitwise.ONE


@inlined
def flagged(lanes: Lanes, flag: int, w: int) -> Any:
    """The switches whose step has a flag."""
    return lanes.bits[lanes.flags + flag * lanes.words + w]


@inlined
def with_operands(
    lanes: Lanes, w: int, ready: Any, multiply: Any, takes_input: Any, takes_forwarded: Any, partial_sum: Any
) -> Any:
    """Those of ``ready`` that have all operands; the others are stalled."""
    has_weight = has_word(lanes, operand_store.WEIGHTS, w, ready & multiply)
    if lanes.together > 1:
        present, planes = lanes.present[operand_store.WEIGHTS] + w, lanes.planes[operand_store.WEIGHTS]
        has_weight = at_least(lanes.bits, present, lanes.words, planes, lanes.together, has_weight)
    lanes.stalled[1, w] = ready & multiply & ~has_weight
    ready &= ~multiply | has_weight
    takes_input &= ready
    has_input = has_word(lanes, operand_store.INPUTS, w, takes_input & ~takes_forwarded)
    if takes_forwarded:
        has_input |= has_word(lanes, operand_store.FORWARDED, w, takes_input & takes_forwarded)
    lanes.stalled[2, w] = takes_input & ~has_input
    ready &= ~takes_input | has_input
    lanes.stalled[3, w] = bitwise.NONE
    if partial_sum:
        has_sum = has_word(lanes, operand_store.PARTIAL_SUMS, w, ready & partial_sum)
        lanes.stalled[3, w] = ready & partial_sum & ~has_sum
        ready &= ~partial_sum | has_sum
    return ready


@inlined
def turn_over_operands(lanes: Lanes, w: int, fired: Any, takes_forwarded: Any, retire_input: Any) -> None:
    """The weights and inputs of the switches that did a step are retired, or the next one is used."""
    retire = fired & flagged(lanes, flag_row.RETIRE_WEIGHT, w)
    following = fired & flagged(lanes, flag_row.NEXT_WEIGHT, w) & ~retire
    rewind = fired & flagged(lanes, flag_row.REWIND_WEIGHTS, w) & ~retire & ~following
    if retire | following | rewind:
        turn_over(lanes, operand_store.WEIGHTS, w, retire, following, rewind, lanes.together)
    retire = fired & retire_input
    following = fired & flagged(lanes, flag_row.NEXT_INPUT, w) & ~retire
    rewind = fired & flagged(lanes, flag_row.REWIND_INPUTS, w) & ~retire & ~following
    ours, theirs = ~takes_forwarded, takes_forwarded
    turn_over(lanes, operand_store.INPUTS, w, retire & ours, following & ours, rewind & ours, 1)
    if fired & theirs:
        turn_over(lanes, operand_store.FORWARDED, w, retire & theirs, following & theirs, rewind & theirs, 1)


@inlined
def walk_on(code: Code, lanes: Lanes, walkers: Walkers, w: int, fired: Any) -> None:
    """The switches that did a step go on to the next one."""
    while fired:
        place = (np.uint64(w) << bitwise.SIX) | np.uint64(lowest(fired))
        fired &= fired - bitwise.ONE
        left = walkers.left[place] - 1
        walkers.left[place] = left
        if left == 0:
            m = int(place)
            seek(code, walkers, m, walkers.row[m] + 1)
            enter_step(code, lanes, walkers, m)


@inlined
def step_multipliers(code: Code, lanes: Lanes, network: ReductionNetwork, walkers: Walkers, tally: Ints) -> bool:
    """Each multiplier switch does its next control step if its operands are there, by rising index."""
    moved = False
    for w in range(lanes.words):
        at_work = flagged(lanes, flag_row.AT_WORK, w)
        if not at_work:
            if network.taken[w]:
                settle(lanes.bits, network, w, lanes.words, bitwise.NONE)
            continue
        multiply, partial_sum = flagged(lanes, flag_row.MULTIPLY, w), flagged(lanes, flag_row.PARTIAL_SUM, w)
        takes_input = multiply | flagged(lanes, flag_row.PASS, w)
        output = takes_input | flagged(lanes, flag_row.IDLE, w) | partial_sum
        takes_forwarded, forward = flagged(lanes, flag_row.FORWARDED_INPUT, w), flagged(lanes, flag_row.FORWARD, w)
        retire_input = flagged(lanes, flag_row.RETIRE_INPUT, w)
        skips = at_work & ~output
        ready = output & (~network.full[w] | network.taken[w])
        lanes.stalled[0, w] = output & ~ready
        ready = with_operands(lanes, w, ready, multiply, takes_input, takes_forwarded, partial_sum)
        lanes.stalled[4, w] = bitwise.NONE
        if ready & forward:
            # The neighbour of lower index may make room in this very cycle, which may depend on its own neighbour. (As a
            # function of its own this costs 2 % of the speed.)
            store, bits, words = operand_store.FORWARDED, lanes.bits, lanes.words
            first, planes, depth = lanes.present[store] + w, lanes.planes[store], lanes.depth[store]
            below = bitwise.NONE
            if w > 0:
                below = equal(bits, first - 1, words, planes, depth) >> bitwise.LAST_BIT
            full = equal(bits, first, words, planes, depth)
            if full | below:
                candidates, going = ready, ready
                while True:
                    stays_full = full & ~(takes_forwarded & retire_input & (going | skips))
                    going = candidates & ~(forward & ((stays_full << bitwise.ONE) | below))
                    if going == ready:
                        break
                    ready = going
                lanes.stalled[4, w] = candidates & ~ready
        for cause in range(5):
            if lanes.stalled[cause, w]:
                tally[counted.STALLED + cause] += population(lanes.stalled[cause, w])
        if ready | network.taken[w]:
            settle(lanes.bits, network, w, lanes.words, ready)
        fired = ready | skips
        if not fired:
            continue
        moved = True
        if ready & partial_sum:
            turn_over(lanes, operand_store.PARTIAL_SUMS, w, ready & partial_sum, bitwise.NONE, bitwise.NONE, 1)
        turn_over_operands(lanes, w, fired, takes_forwarded, retire_input)
        sent = ready & takes_input & forward
        if sent:
            receive(lanes, operand_store.FORWARDED, w, sent >> bitwise.ONE)
            if w > 0 and sent & bitwise.ONE:
                receive(lanes, operand_store.FORWARDED, w - 1, bitwise.ONE << bitwise.LAST_BIT)
        walk_on(code, lanes, walkers, w, fired)
    return moved
