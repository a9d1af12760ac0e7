"""The fabric without values, 64 switches at a time.

Where only time matters a queue is a count, and the same count of 64 neighbouring switches lies in a few machine words,
one bit of each count per word (*bit planes*). What a multiplier switch or an adder switch does in a cycle is then some
twenty bitwise operations for all 64 of them; only what differs from switch to switch, their place in the program, is
walked one by one, and only by those that did something. Ports, accumulators and buses work as in
:mod:`maerisim.kernels.stepping.fabric`, in the same order within a cycle.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from maerisim.arrays import Ints, Places
from maerisim.kernels.compiling.jit import inlined, lowest, population
from maerisim.kernels.stepping.fabric import (
    is_written,
    open_step,
    seek_active,
    seek_template,
    step_buses,
    step_controller,
    step_global_buffer,
)
from maerisim.kernels.stepping.fabric import step_adders as step_transfers
from maerisim.kernels.stepping.machine import (
    EMIT,
    FORWARDED,
    INPUTS,
    LATEST,
    PARTIAL_SUMS,
    PORT_STALLS,
    STALLED,
    WEIGHTS,
    Adders,
    Collection,
    Controller,
    Ports,
    Wires,
    Words,
)
from maerisim.kernels.stepping.walk import HALT, Code, Walkers, advance, seek

NONE, ONE, SIX, LAST_BIT, LENGTH = np.uint64(0), np.uint64(1), np.uint64(6), np.uint64(63), np.uint64(64)

# Rows of flags, in the order of the bits of Use; the last row marks the switches that have a step left.
MULTIPLY, IDLE, PARTIAL_SUM, RETIRE_WEIGHT, NEXT_WEIGHT, REWIND_WEIGHTS = 0, 1, 2, 3, 4, 5
FORWARDED_INPUT, RETIRE_INPUT, NEXT_INPUT, REWIND_INPUTS, FORWARD, PASS, AT_WORK = 6, 7, 8, 9, 10, 11, 12
FLAG_ROWS = 13


class Lanes(NamedTuple):
    """Multiplier switches.

    ``bits`` holds all bit planes, ``words`` elements each, one after the other. For each operand store ``present``,
    ``available`` and ``claimed`` are the first elements of ``planes`` planes: words present, those beyond the one in use
    (the same planes when the first is always in use), those present or on their way (-1: nobody asks); ``depth`` is
    the store's room. Weights are waited for and retired ``together``. ``flags`` is the first element of the flags,
    ``now`` the same per switch (-1: no step is left), ``uses`` [template, switch] what they are taken from.
    ``stalled`` [cause, word] says who was held back in the last cycle.
    """

    bits: Words
    words: int
    present: Ints
    available: Ints
    claimed: Ints
    planes: Ints
    depth: Ints
    together: int
    flags: int
    now: Ints
    uses: Ints
    stalled: Words


class Network(NamedTuple):
    """Reduction network. Transfers that do not depend on one another within a cycle form a *group*, receivers first;
    each transfer, and the wire it puts its sums on, has a column (a bit) in its group. 64 columns of a group are a *slot*;
    the first slots, one for each word of switches, are the products, which no transfer makes.

    For each slot: ``first`` plane (in the bits of the lanes, ``planes`` of them), ``depth`` of the wires, ``exists`` for
    the columns that have a transfer, ``switches`` for those that are adder switches, ``word`` of columns. Its operands
    are ``operand_start[slot] ..``: columns ``needed`` take a word each from slot ``source``, rotated by ``turn`` columns.
    ``filled`` are the wires with a word, ``full`` those without room, ``taken`` those that lost one in this cycle and have not been counted down yet.
    ``exits`` are the slots with wires that end at an accumulator, ``exit_mask`` which, ``virtual_neuron`` [slot, column]
    whose. ``twice`` counts the cycles in which a switch (by column) moved more than one word, once for each word beyond
    the first; ``active`` is scratch.
    """

    first: Places
    planes: Ints
    depth: Ints
    word: Places
    exists: Words
    switches: Words
    operand_start: Places
    needed: Words
    source: Places
    turn: Words
    filled: Words
    full: Words
    taken: Words
    exits: Ints
    exit_mask: Words
    virtual_neuron: Ints
    active: Words
    twice: Ints


class Arrivals(NamedTuple):
    """Per operand and word of 64 switches: stores without room, words sent, and words delivered in this cycle."""

    full: Words
    sent: Words
    delivered: Words


class LaneMachine(NamedTuple):
    """Everything that a run without values reads and writes."""

    code: Code
    lanes: Lanes
    network: Network
    wires: Wires
    adders: Adders
    collection: Collection
    collect_walkers: Walkers
    compute_walkers: Walkers
    controller: Controller
    ports: Ports
    arrivals: Arrivals
    stream_walkers: Walkers
    tally: Ints


@inlined
def increase(bits: Words, first: int, words: int, planes: int, mask: Any) -> None:
    """Add one to the counts in ``mask``."""
    carry, at = mask, first
    for _ in range(planes):
        before = bits[at]
        bits[at] = before ^ carry
        carry &= before
        at += words


@inlined
def decrease(bits: Words, first: int, words: int, planes: int, mask: Any) -> None:
    """Take one from the counts in ``mask``."""
    borrow, at = mask, first
    for _ in range(planes):
        before = bits[at]
        bits[at] = before ^ borrow
        borrow &= ~before
        at += words


@inlined
def decrease_by(bits: Words, first: int, words: int, planes: int, mask: Any, amount: int) -> None:
    """Take ``amount`` from the counts in ``mask``."""
    borrow, at = NONE, first
    for plane in range(planes):
        before = bits[at]
        digit = mask if (amount >> plane) & 1 else NONE
        bits[at] = before ^ digit ^ borrow
        borrow = (~before & (digit | borrow)) | (digit & borrow)
        at += words


@inlined
def positive(bits: Words, first: int, words: int, planes: int) -> Any:
    """The counts that are not zero."""
    result, at = NONE, first
    for _ in range(planes):
        result |= bits[at]
        at += words
    return result


@inlined
def equal(bits: Words, first: int, words: int, planes: int, value: int) -> Any:
    """The counts that are ``value``."""
    result, at = ~NONE, first
    for plane in range(planes):
        result &= bits[at] if (value >> plane) & 1 else ~bits[at]
        at += words
    return result


@inlined
def at_least(bits: Words, first: int, words: int, planes: int, value: int) -> Any:
    """The counts from ``value`` on."""
    borrow, at = NONE, first
    for plane in range(planes):
        before = bits[at]
        digit = ~NONE if (value >> plane) & 1 else NONE
        borrow = (~before & (digit | borrow)) | (digit & borrow)
        at += words
    return ~borrow


@inlined
def turn_over(lanes: Lanes, store: int, w: int, retire: Any, following: Any, rewind: Any, together: int) -> None:
    """After a step: retire the words in use, go on to the next one held, or start again at the first."""
    words, planes = lanes.words, lanes.planes[store]
    present, available = lanes.present[store] + w, lanes.available[store] + w
    if retire:
        decrease_by(lanes.bits, present, words, planes, retire, together)
        if lanes.claimed[store] >= 0:
            decrease_by(lanes.bits, lanes.claimed[store] + w, words, planes, retire, together)
    if available == present:
        return
    if following:
        decrease(lanes.bits, available, words, planes, following)
    first = retire | rewind
    if first:
        for plane in range(planes):
            kept = lanes.bits[available + plane * words] & ~first
            lanes.bits[available + plane * words] = kept | (lanes.bits[present + plane * words] & first)


@inlined
def receive(lanes: Lanes, store: int, w: int, mask: Any) -> None:
    """A word arrives in each store of ``mask``."""
    increase(lanes.bits, lanes.present[store] + w, lanes.words, lanes.planes[store], mask)
    if lanes.available[store] != lanes.present[store]:
        increase(lanes.bits, lanes.available[store] + w, lanes.words, lanes.planes[store], mask)


@inlined
def rotated(word: Any, turn: Any) -> Any:
    """A word rotated to the right."""
    return (word >> turn) | (word << ((LENGTH - turn) & LAST_BIT))


@inlined
def enter_step(code: Code, lanes: Lanes, walkers: Walkers, m: int) -> None:
    """Set the flags of the step that a multiplier switch has come to."""
    row = walkers.row[m]
    before, now = lanes.now[m], -1
    if code.op[row] != HALT:
        now = lanes.uses[code.arg[row], m]
    if now == before:
        return
    lanes.now[m] = now
    w, bit = m >> 6, ONE << np.uint64(m & 63)
    if now < 0:
        lanes.bits[lanes.flags + AT_WORK * lanes.words + w] &= ~bit
        now = 0
    changed = np.uint64(before ^ now)
    while changed:
        lanes.bits[lanes.flags + lowest(changed) * lanes.words + w] ^= bit
        changed &= changed - ONE


@inlined
def step_multipliers(code: Code, lanes: Lanes, network: Network, walkers: Walkers, tally: Ints) -> bool:
    """Each multiplier switch does its next control step if its operands are there, by rising index."""
    bits, words = lanes.bits, lanes.words
    moved = False
    for w in range(words):
        flags = lanes.flags + w
        at_work = bits[flags + AT_WORK * words]
        if not at_work:
            if network.taken[w]:
                settle(bits, network, w, words, NONE)
            continue
        multiply, partial_sum = bits[flags + MULTIPLY * words], bits[flags + PARTIAL_SUM * words]
        takes_input = multiply | bits[flags + PASS * words]
        output = takes_input | bits[flags + IDLE * words] | partial_sum
        takes_forwarded, forward = bits[flags + FORWARDED_INPUT * words], bits[flags + FORWARD * words]
        ready = output & (~network.full[w] | network.taken[w])
        lanes.stalled[0, w] = output & ~ready
        has_weight = positive(bits, lanes.available[WEIGHTS] + w, words, lanes.planes[WEIGHTS])
        if lanes.together > 1:
            has_weight &= at_least(bits, lanes.present[WEIGHTS] + w, words, lanes.planes[WEIGHTS], lanes.together)
        lanes.stalled[1, w] = ready & multiply & ~has_weight
        ready &= ~multiply | has_weight
        has_input = positive(bits, lanes.available[INPUTS] + w, words, lanes.planes[INPUTS]) & ~takes_forwarded
        if takes_forwarded:
            passed_on = positive(bits, lanes.available[FORWARDED] + w, words, lanes.planes[FORWARDED])
            has_input |= passed_on & takes_forwarded
        lanes.stalled[2, w] = ready & takes_input & ~has_input
        ready &= ~takes_input | has_input
        lanes.stalled[3, w] = NONE
        if partial_sum:
            has_sum = positive(bits, lanes.present[PARTIAL_SUMS] + w, words, lanes.planes[PARTIAL_SUMS])
            lanes.stalled[3, w] = ready & partial_sum & ~has_sum
            ready &= ~partial_sum | has_sum
        lanes.stalled[4, w] = NONE
        retire_input = bits[flags + RETIRE_INPUT * words]
        if ready & forward:
            # The neighbour of lower index may make room in this very cycle, which may depend on its own neighbour.
            first, planes, depth = lanes.present[FORWARDED] + w, lanes.planes[FORWARDED], lanes.depth[FORWARDED]
            below = NONE
            if w > 0:
                below = equal(bits, first - 1, words, planes, depth) >> LAST_BIT
            full = equal(bits, first, words, planes, depth)
            if full | below:
                candidates, going = ready, ready
                while True:
                    stays_full = full & ~(takes_forwarded & retire_input & (going | (at_work & ~output)))
                    going = candidates & ~(forward & ((stays_full << ONE) | below))
                    if going == ready:
                        break
                    ready = going
                lanes.stalled[4, w] = candidates & ~ready
        for cause in range(5):
            if lanes.stalled[cause, w]:
                tally[STALLED + cause] += population(lanes.stalled[cause, w])
        if ready | network.taken[w]:
            settle(bits, network, w, words, ready)
        fired = ready | (at_work & ~output)
        if not fired:
            continue
        moved = True
        if ready & partial_sum:
            turn_over(lanes, PARTIAL_SUMS, w, ready & partial_sum, NONE, NONE, 1)
        retire = fired & bits[flags + RETIRE_WEIGHT * words]
        following = fired & bits[flags + NEXT_WEIGHT * words] & ~retire
        rewind = fired & bits[flags + REWIND_WEIGHTS * words] & ~retire & ~following
        if retire | following | rewind:
            turn_over(lanes, WEIGHTS, w, retire, following, rewind, lanes.together)
        retire = fired & retire_input
        following = fired & bits[flags + NEXT_INPUT * words] & ~retire
        rewind = fired & bits[flags + REWIND_INPUTS * words] & ~retire & ~following
        ours, theirs = ~takes_forwarded, takes_forwarded
        turn_over(lanes, INPUTS, w, retire & ours, following & ours, rewind & ours, 1)
        if fired & theirs:
            turn_over(lanes, FORWARDED, w, retire & theirs, following & theirs, rewind & theirs, 1)
        sent = ready & takes_input & forward
        if sent:
            receive(lanes, FORWARDED, w, sent >> ONE)
            if w > 0 and sent & ONE:
                receive(lanes, FORWARDED, w - 1, ONE << LAST_BIT)
        rest = fired
        while rest:
            place = (np.uint64(w) << SIX) | np.uint64(lowest(rest))
            rest &= rest - ONE
            left = walkers.left[place] - 1
            walkers.left[place] = left
            if left == 0:
                m = int(place)
                seek(code, walkers, m, walkers.row[m] + 1)
                enter_step(code, lanes, walkers, m)
    return moved


@inlined
def settle(bits: Words, network: Network, slot: int, words: int, put: Any) -> None:
    """Count the words put on and taken from the wires of a slot in this cycle."""
    taken, depth = network.taken[slot], network.depth[slot]
    carry, borrow = put & ~taken, taken & ~put
    filled, full, at = NONE, ~NONE, network.first[slot]
    for _ in range(network.planes[slot]):
        before = bits[at]
        after = before ^ carry ^ borrow
        bits[at] = after
        filled |= after
        full &= after if depth & 1 else ~after
        carry &= before
        borrow &= ~before
        at += words
        depth >>= 1
    network.filled[slot] = filled
    network.full[slot] = full
    network.taken[slot] = NONE


@inlined
def step_network(lanes: Lanes, network: Network) -> bool:
    """Wherever all operands are there and the output has room, add; receivers first."""
    bits, words, moved = lanes.bits, lanes.words, False
    for w in range(words):
        network.active[w] = NONE
    for slot in range(words, len(network.first)):
        ready = network.exists[slot] & (~network.full[slot] | network.taken[slot])
        start, stop = network.operand_start[slot], network.operand_start[slot + 1]
        for operand in range(start, stop):
            there = rotated(network.filled[network.source[operand]], network.turn[operand])
            ready &= ~network.needed[operand] | there
        if not ready:
            if network.taken[slot]:
                settle(bits, network, slot, words, NONE)
            continue
        moved = True
        settle(bits, network, slot, words, ready)
        for operand in range(start, stop):
            turn = (LENGTH - network.turn[operand]) & LAST_BIT
            network.taken[network.source[operand]] |= rotated(network.needed[operand] & ready, turn)
        word = network.word[slot]
        adding = ready & network.switches[slot]
        again = network.active[word] & adding
        network.active[word] |= adding
        while again:
            network.twice[(word << 6) + lowest(again)] += 1
            again &= again - ONE
    return moved


@inlined
def step_accumulators(code: Code, network: Network, wires: Wires, collection: Collection, walkers: Walkers) -> bool:
    """Each accumulator takes the sum that has arrived: it starts, continues or completes an output."""
    moved = False
    for place in range(len(network.exits)):
        slot = network.exits[place]
        arrived = network.filled[slot] & network.exit_mask[place]
        gone = NONE
        while arrived:
            column = lowest(arrived)
            bit = ONE << np.uint64(column)
            arrived ^= bit
            vn = network.virtual_neuron[slot, column]
            code_row = walkers.row[vn]
            if code.op[code_row] == HALT:
                continue
            if collection.flags[code.arg[code_row], vn] & EMIT:
                target = collection.accumulated[vn]
                if wires.words[target] >= wires.depth[target]:
                    continue
                wires.words[target] += 1
            gone |= bit
            if advance(code, walkers, vn):
                seek_active(code, walkers, collection.flags, vn)
        if gone:
            network.taken[slot] |= gone
            moved = True
    return moved


@inlined
def seek_packet(code: Code, ports: Ports, walkers: Walkers, stream: int, port: int) -> None:
    """Move a stream's walker at a port on to the next packet that has to be sent, and note its place in line.

    Partial sums that start an output have no word to send and are passed over.
    """
    walker = stream * ports.head.shape[1] + port
    while True:
        while ports.head[stream, port] < ports.end[stream, port]:
            packet = ports.head[stream, port]
            if stream != PARTIAL_SUMS or ports.wait[packet] > 0:
                first = stream == PARTIAL_SUMS and ports.partial_sums_first
                ports.place[port, stream] = -1 if first else 3 * walkers.step[walker] + stream
                return
            ports.issued[ports.virtual_neuron[packet]] += 1
            ports.head[stream, port] += 1
        if code.op[walkers.row[walker]] == HALT:
            ports.place[port, stream] = LATEST
            return
        if advance(code, walkers, walker):
            seek_template(code, ports, walkers, walker, port)
        open_step(code, ports, walkers, stream, port)


@inlined
def send_next(code: Code, ports: Ports, walkers: Walkers, stream: int, port: int, second: bool) -> None:
    """Go on to the packet after the one that was sent; the usual cases here, all others in ``seek_packet``.

    Base addresses matter to the ports of a ``second`` layer only.
    """
    head = ports.head[stream, port] + 1
    ports.head[stream, port] = head
    if stream == PARTIAL_SUMS:
        ports.issued[ports.virtual_neuron[head - 1]] += 1
    elif head < ports.end[stream, port]:
        return
    else:
        walker = stream * ports.head.shape[1] + port
        if walkers.left[walker] > 1:
            row = walkers.row[walker]
            walkers.left[walker] -= 1
            walkers.step[walker] += code.period[row]
            if second:
                walkers.base[walker] += code.advance[row]
            ports.place[port, stream] = 3 * walkers.step[walker] + stream
            ports.head[stream, port] = ports.packet_start[code.arg[row], port]
            return
    seek_packet(code, ports, walkers, stream, port)


@inlined
def step_ports(
    code: Code,
    lanes: Lanes,
    ports: Ports,
    arrivals: Arrivals,
    walkers: Walkers,
    collection: Collection,
    released: int,
    cycle: int,
    tally: Ints,
) -> bool:
    """Each port sends the word for the earliest control step of those for which all destinations have room."""
    moved = False
    words, count, stages = lanes.words, ports.head.shape[1], ports.line.shape[0]
    reach = ports.mask.shape[1]
    stage = cycle % stages if stages else 0
    for stream in range(3):
        first, planes, depth = lanes.claimed[stream], lanes.planes[stream], lanes.depth[stream]
        for w in range(words):
            arrivals.full[stream, w] = equal(lanes.bits, first + w, words, planes, depth)
            arrivals.sent[stream, w] = NONE
            arrivals.delivered[stream, w] = NONE
    for port in range(count):
        word = ports.word[port]
        second = port >= ports.between.port
        if stages and ports.line[stage, port] >= 0:
            packet = ports.line[stage, port]
            for part in range(reach):
                arrivals.delivered[ports.stream[packet], word + part] |= ports.mask[packet, part]
            ports.line[stage, port] = -1
            moved = True
        tried = -2  # place (step, then stream) of the last word that could not go
        while True:
            place, stream = LATEST, -1
            for other in range(3):
                place_of_other = ports.place[port, other]
                if tried < place_of_other < place and (
                    released == LATEST or walkers.step[other * count + port] < released
                ):
                    place, stream = place_of_other, other
            if stream < 0:
                if tried > -2:
                    tally[PORT_STALLS] += 1
                break
            tried = place
            packet = ports.head[stream, port]
            if stream == PARTIAL_SUMS:
                vn = ports.virtual_neuron[packet]
                if collection.written[vn] < ports.issued[vn] + 1 - ports.wait[packet]:
                    continue
            elif second and not is_written(ports, walkers, collection, packet, stream, port):
                continue
            blocked = arrivals.full[stream, word] & ports.mask[packet, 0]
            for part in range(1, reach):
                blocked |= arrivals.full[stream, word + part] & ports.mask[packet, part]
            if blocked:
                continue
            arrivals.sent[stream, word] |= ports.mask[packet, 0]
            for part in range(1, reach):
                arrivals.sent[stream, word + part] |= ports.mask[packet, part]
            if stages:
                ports.line[stage, port] = packet
            send_next(code, ports, walkers, stream, port, second)
            moved = True
            break
    for stream in range(3):
        for w in range(words):
            sent = arrivals.sent[stream, w]
            if sent:
                increase(lanes.bits, lanes.claimed[stream] + w, words, lanes.planes[stream], sent)
            if stages:
                sent = arrivals.delivered[stream, w]
            if sent:
                receive(lanes, stream, w, sent)
    return moved


@inlined
def step_cycle(machine: LaneMachine, cycle: int) -> bool:
    """One cycle of the whole fabric; whether anything moved."""
    m = machine
    moved = step_buses(m.wires, m.collection, cycle)
    moved |= step_transfers(m.wires, m.adders, 0, len(m.adders.output), cycle, m.tally, False, False)
    if m.collection.own_stage:
        moved |= step_accumulators(m.code, m.network, m.wires, m.collection, m.collect_walkers)
    moved |= step_network(m.lanes, m.network)
    if not m.collection.own_stage:
        moved |= step_accumulators(m.code, m.network, m.wires, m.collection, m.collect_walkers)
    moved |= step_multipliers(m.code, m.lanes, m.network, m.compute_walkers, m.tally)
    moved |= step_controller(m.controller, m.tally)
    moved |= step_global_buffer(m.collection, cycle, m.tally)
    released = m.controller.released[0]
    moved |= step_ports(m.code, m.lanes, m.ports, m.arrivals, m.stream_walkers, m.collection, released, cycle, m.tally)
    return moved


@inlined
def begin(machine: LaneMachine) -> None:
    """Put every switch at its first step and every stream of every port at its first packet."""
    lanes, ports, walkers, code = machine.lanes, machine.ports, machine.stream_walkers, machine.code
    for m in range(len(lanes.now)):
        lanes.bits[lanes.flags + AT_WORK * lanes.words + (m >> 6)] |= ONE << np.uint64(m & 63)
        enter_step(code, lanes, machine.compute_walkers, m)
    count = ports.head.shape[1]
    for stream in range(3):
        for port in range(count):
            seek_template(code, ports, walkers, stream * count + port, port)
            open_step(code, ports, walkers, stream, port)
            seek_packet(code, ports, walkers, stream, port)
