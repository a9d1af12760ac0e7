"""One cycle of the fabric over flat arrays, and the loop that steps it.

The same order of work as the event engine: collection buses, accumulators, adder switches, multiplier switches,
distribution ports (receivers first). Queues are counters; the words themselves are kept only when ``carry`` is set.
Nothing is allocated while stepping.
"""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import helper, inlined, kernel
from maerisim.kernels.stepping.machine import (
    ACCUMULATIONS,
    ACTIVE,
    ADDER_WORDS,
    ADDITIONS_THREE,
    ADDITIONS_TWO,
    COMPARISONS,
    COMPLETE,
    DEADLOCK,
    DELIVERED,
    DISTRIBUTED,
    EMIT,
    FIRST,
    FIRST_RESULT,
    FORWARD,
    FORWARDED,
    FORWARDED_INPUT,
    FORWARDS,
    HOPS,
    IDLE,
    INPUTS,
    LAST,
    LATEST,
    MULTIPLICATIONS,
    MULTIPLY,
    NEXT_INPUT,
    NEXT_WEIGHT,
    OUTPUTS_WRITTEN,
    PARTIAL_SUM,
    PARTIAL_SUMS,
    PARTIAL_SUMS_WRITTEN,
    PASS,
    PASSES,
    PORT_STALLS,
    READS,
    RESULTS,
    RETIRE_INPUT,
    RETIRE_WEIGHT,
    REWIND_INPUTS,
    REWIND_WEIGHTS,
    RUNNING,
    STALLED,
    WEIGHTS,
    Adders,
    Collection,
    Controller,
    Machine,
    Multipliers,
    Ports,
    Stores,
    Wires,
)
from maerisim.kernels.stepping.walk import HALT, Code, Walkers, advance, skip_row


@inlined
def next_in_turn(wires: Wires, collection: Collection, bus: int) -> int:
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
def least_recently_granted(wires: Wires, collection: Collection, bus: int) -> int:
    """The member of a bus with a result that went longest ago, the first of those that never did (-1: none)."""
    found = -1
    for candidate in range(collection.member_start[bus], collection.member_start[bus + 1]):
        if wires.words[collection.outgoing[collection.member[candidate]]] > 0 and (
            found < 0 or collection.granted[candidate] < collection.granted[found]
        ):
            found = candidate
    return found


@inlined
def step_buses(wires: Wires, collection: Collection, cycle: int) -> bool:
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


@inlined
def step_global_buffer(collection: Collection, cycle: int, tally: Ints) -> bool:
    """The global buffer writes the results that have arrived, all of them or half."""
    count = collection.waiting[0]
    if count == 0:
        return False
    if tally[RESULTS] == 0:
        tally[FIRST_RESULT] = cycle + 1
    if collection.writes_half:
        count = (count + 1) // 2
    for _ in range(count):
        collection.written[collection.write_queue[collection.waiting[1]]] += 1
        collection.waiting[1] += 1
        if collection.waiting[1] == len(collection.write_queue):
            collection.waiting[1] = 0
    collection.waiting[0] -= count
    tally[RESULTS] += count
    return True


@inlined
def step_controller(controller: Controller, tally: Ints) -> bool:
    """The controller releases control steps to the ports, one batch after the other where it waits for outputs."""
    moved = False
    left = controller.rate
    while left > 0 and controller.released[0] < controller.last_step:
        released = controller.released[0]
        if controller.waits and released % controller.batch_steps == 0:
            batch, before = released // controller.batch_steps, 0
            for loop in range(len(controller.trips)):
                before += batch % controller.trips[loop] * controller.results[loop]
                batch //= controller.trips[loop]
            if tally[RESULTS] < before:
                break
        steps = min(left, controller.batch_steps - released % controller.batch_steps)
        controller.released[0] += steps
        left -= steps
        moved = True
    return moved


@helper
def seek_active(code: Code, walkers: Walkers, flags: Ints, vn: int) -> None:
    """Move a virtual neuron's collect walker on to a step in which it is at work."""
    row = walkers.row[vn]
    while code.op[row] != HALT and not flags[code.arg[row], vn] & ACTIVE:
        row = skip_row(code, walkers, vn)


@kernel
def seek_first_active(code: Code, walkers: Walkers, flags: Ints) -> None:
    """Move the collect walker of each virtual neuron to its first step at work."""
    for vn in range(len(walkers.row)):
        seek_active(code, walkers, flags, vn)


@inlined
def combined(one: int, other: int, compares: bool) -> int:
    """What becomes of two values: their sum, or the larger."""
    return max(one, other) if compares else one + other


@inlined
def step_accumulators(
    code: Code, wires: Wires, collection: Collection, walkers: Walkers, outputs: Ints, tally: Ints, carry: bool
) -> bool:
    """Each accumulator takes the sum that has arrived: it starts, continues or completes an output."""
    moved = False
    for vn in range(len(collection.result)):
        wire = collection.result[vn]
        if wires.words[wire] == 0:
            continue
        row = walkers.row[vn]
        if code.op[row] == HALT:
            continue
        flags = collection.flags[code.arg[row], vn]
        if flags & EMIT:
            target = collection.accumulated[vn]
            if wires.words[target] >= wires.depth[target]:
                continue
            wires.words[target] += 1
            if flags & LAST:
                tally[OUTPUTS_WRITTEN] += 1
            else:
                tally[PARTIAL_SUMS_WRITTEN] += 1
        continues = not (flags & FIRST or collection.spilling[vn])
        if continues:
            tally[ACCUMULATIONS] += 1
        two, three = collection.additions_two[code.arg[row], vn], collection.additions_three[code.arg[row], vn]
        tally[ADDITIONS_TWO] += two
        tally[ADDITIONS_THREE] += three
        if collection.compares[vn]:
            tally[COMPARISONS] += two + 2 * three
        if carry:
            head = wires.head[wire]
            total = wires.value[wire, head]
            wires.head[wire] = (head + 1) % wires.depth[wire]
            address = walkers.base[vn] + collection.output_offset[vn]
            outputs[address] = combined(outputs[address], total, collection.compares[vn]) if continues else total
        wires.words[wire] -= 1
        if advance(code, walkers, vn):
            seek_active(code, walkers, collection.flags, vn)
        moved = True
    return moved


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


@inlined
def step_adders(
    wires: Wires, adders: Adders, first: int, last: int, cycle: int, tally: Ints, carry: bool, timed: bool
) -> bool:
    """Transfers ``first .. last - 1``: wherever all operands are there and the output has room, add.

    ``timed`` (a constant, so that it costs nothing where it is False) respects *normal* queues and wires with several
    writers, and counts the additions.
    """
    moved = False
    words = wires.words
    for transfer in range(first, last):
        output = adders.output[transfer]
        if words[output] >= wires.depth[output]:
            continue
        if timed and not takes_word(wires, output, cycle):
            continue
        one, two, three = adders.operand[transfer, 0], adders.operand[transfer, 1], adders.operand[transfer, 2]
        arity = adders.arity[transfer]
        if words[one] == 0 or (arity > 1 and words[two] == 0) or (arity > 2 and words[three] == 0):
            continue
        if carry:
            total = pop_value(wires, one)
            if arity > 1:
                total = combined(total, pop_value(wires, two), adders.compares[transfer])
            if arity > 2:
                total = combined(total, pop_value(wires, three), adders.compares[transfer])
            push_value(wires, output, total)
        words[one] -= 1
        if arity > 1:
            words[two] -= 1
        if arity > 2:
            words[three] -= 1
        words[output] += 1
        moved = True
        if timed:
            wires.popped[one] = cycle
            if arity > 1:
                wires.popped[two] = cycle
            if arity > 2:
                wires.popped[three] = cycle
            wires.pushed[output] = cycle
            tally[ADDITIONS_TWO] += arity == 2
            tally[ADDITIONS_THREE] += arity == 3
        switch = adders.switch[transfer]
        if switch >= 0:
            tally[ADDER_WORDS] += 1
            if adders.seen[switch] != cycle:
                adders.seen[switch] = cycle
                adders.busy[switch] += 1
    return moved


@inlined
def turn_over(stores: Stores, store: int, m: int, retire: int, following: int, rewind: int, carry: bool) -> None:
    """After a step: retire the word in use, go on to the next one held, or start again at the first."""
    if retire:
        together = stores.together[store]
        stores.words[store, m] -= together
        stores.claimed[store, m] -= together
        stores.current[store, m] = 0
        if carry:
            stores.head[store, m] = (stores.head[store, m] + together) % stores.depth[store]
    elif following:
        stores.current[store, m] += 1
    elif rewind:
        stores.current[store, m] = 0


@inlined
def stored(stores: Stores, store: int, m: int) -> int:
    """The value in use in an operand store."""
    return int(stores.value[store, m, (stores.head[store, m] + stores.current[store, m]) % stores.depth[store]])


@inlined
def store_value(stores: Stores, store: int, m: int, value: int) -> None:
    """Put a value behind the words that an operand store holds (before their count goes up)."""
    stores.value[store, m, (stores.head[store, m] + stores.words[store, m]) % stores.depth[store]] = value


@inlined
def look_up(code: Code, multipliers: Multipliers, walkers: Walkers, m: int) -> None:
    """Keep the flags of the step that a multiplier switch has come to in ``now``."""
    row = walkers.row[m]
    multipliers.now[m] = -1 if code.op[row] == HALT else multipliers.uses[code.arg[row], m]


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
        source = FORWARDED if uses & FORWARDED_INPUT else INPUTS
        if uses & (MULTIPLY | PASS | IDLE | PARTIAL_SUM):
            wire = multipliers.product[m]
            cause = -1
            if wires.words[wire] >= wires.depth[wire]:
                cause = 0
            elif uses & MULTIPLY and (
                stores.words[WEIGHTS, m] <= stores.current[WEIGHTS, m]
                or stores.words[WEIGHTS, m] < stores.together[WEIGHTS]
            ):
                cause = 1
            elif uses & (MULTIPLY | PASS) and stores.words[source, m] <= stores.current[source, m]:
                cause = 2
            elif uses & PARTIAL_SUM and stores.words[PARTIAL_SUMS, m] == 0:
                cause = 3
            elif uses & FORWARD and stores.words[FORWARDED, m - 1] >= stores.depth[FORWARDED]:
                cause = 4
            if cause >= 0:
                multipliers.stalled_by[m] = cause
                tally[STALLED + cause] += 1
                continue
            value = multipliers.empty[m]
            if uses & (MULTIPLY | PASS):
                tally[MULTIPLICATIONS if uses & MULTIPLY else PASSES] += 1
                multipliers.busy[m] += 1
                if uses & FORWARD:
                    if carry:
                        store_value(stores, FORWARDED, m - 1, stored(stores, source, m))
                    stores.words[FORWARDED, m - 1] += 1
                    stores.claimed[FORWARDED, m - 1] += 1
                    tally[FORWARDS] += 1
                if carry:
                    value = stored(stores, source, m)
                    if uses & MULTIPLY:
                        value *= stored(stores, WEIGHTS, m)
            elif uses & PARTIAL_SUM:
                if carry:
                    value = stored(stores, PARTIAL_SUMS, m)
                turn_over(stores, PARTIAL_SUMS, m, 1, 0, 0, carry)
            if carry:
                push_value(wires, wire, value)
            wires.words[wire] += 1
        turn_over(stores, WEIGHTS, m, uses & RETIRE_WEIGHT, uses & NEXT_WEIGHT, uses & REWIND_WEIGHTS, carry)
        turn_over(stores, source, m, uses & RETIRE_INPUT, uses & NEXT_INPUT, uses & REWIND_INPUTS, carry)
        moved = True
        if advance(code, walkers, m):
            look_up(code, multipliers, walkers, m)
    return moved


@helper
def seek_packet(code: Code, ports: Ports, walkers: Walkers, stream: int, port: int) -> None:
    """Move a stream's walker at a port on to the next packet that has to be sent.

    Partial sums that start an output have no word to send and are passed over.
    """
    walker = stream * ports.head.shape[1] + port
    while True:
        while ports.head[stream, port] < ports.end[stream, port]:
            packet = ports.head[stream, port]
            if stream != PARTIAL_SUMS or ports.wait[packet] > 0:
                return
            ports.issued[ports.virtual_neuron[packet]] += 1
            ports.head[stream, port] += 1
        if code.op[walkers.row[walker]] == HALT:
            return
        if advance(code, walkers, walker):
            seek_template(code, ports, walkers, walker, port)
        open_step(code, ports, walkers, stream, port)


@helper
def seek_template(code: Code, ports: Ports, walkers: Walkers, walker: int, port: int) -> None:
    """Move a walker on to a step that has packets for its port."""
    row = walkers.row[walker]
    while code.op[row] != HALT and (
        ports.packet_start[code.arg[row], port] == ports.packet_start[code.arg[row], port + 1]
    ):
        row = skip_row(code, walkers, walker)


@helper
def open_step(code: Code, ports: Ports, walkers: Walkers, stream: int, port: int) -> None:
    """Set ``head`` and ``end`` to the packets of the step that a stream's walker has come to."""
    row = walkers.row[stream * ports.head.shape[1] + port]
    if code.op[row] != HALT:
        ports.head[stream, port] = ports.packet_start[code.arg[row], port]
        ports.end[stream, port] = ports.packet_start[code.arg[row], port + 1]


@kernel
def seek_first_packets(code: Code, ports: Ports, walkers: Walkers) -> None:
    """Put every stream of every port at its first packet."""
    streams, count = ports.head.shape
    for stream in range(streams):
        for port in range(count):
            seek_template(code, ports, walkers, stream * count + port, port)
            open_step(code, ports, walkers, stream, port)
            seek_packet(code, ports, walkers, stream, port)


@inlined
def is_written(ports: Ports, walkers: Walkers, collection: Collection, packet: int, stream: int, port: int) -> bool:
    """Whether the word of a packet of a second layer lies in the global buffer: an input when it has been computed."""
    if stream != INPUTS:
        return True
    word = walkers.base[stream * ports.head.shape[1] + port] + ports.offset[packet]
    return bool(collection.written[ports.between.producer[word]] >= ports.between.due[word])


@inlined
def has_room(ports: Ports, stores: Stores, packet: int, operand: int) -> bool:
    """Whether every destination of a packet has room that no word on its way has claimed."""
    for place in range(ports.first[packet], ports.first[packet + 1]):
        if stores.claimed[operand, ports.destination[place]] >= stores.depth[operand]:
            return False
    return True


@inlined
def claim(ports: Ports, stores: Stores, packet: int, operand: int, tally: Ints) -> None:
    """Reserve room at the destinations of a packet that is sent."""
    for place in range(ports.first[packet], ports.first[packet + 1]):
        stores.claimed[operand, ports.destination[place]] += 1
    tally[DELIVERED + operand] += ports.first[packet + 1] - ports.first[packet]


@inlined
def deliver(ports: Ports, stores: Stores, packet: int, operand: int, value: int, carry: bool) -> None:
    """Hand a word through the tree to all its destinations."""
    for place in range(ports.first[packet], ports.first[packet + 1]):
        m = ports.destination[place]
        if carry:
            store_value(stores, operand, m, value)
        stores.words[operand, m] += 1


@inlined
def step_ports(
    code: Code,
    ports: Ports,
    stores: Stores,
    walkers: Walkers,
    collection: Collection,
    outputs: Ints,
    released: int,
    cycle: int,
    tally: Ints,
    carry: bool,
) -> bool:
    """Each port sends the word for the earliest control step of those for which all destinations have room."""
    moved = False
    stages = ports.line.shape[0]
    stage = cycle % stages if stages else 0
    for port in range(len(ports.busy)):
        if stages and ports.line[stage, port] >= 0:
            packet = ports.line[stage, port]
            deliver(ports, stores, packet, ports.stream[packet], ports.line_value[stage, port], carry)
            ports.line[stage, port] = -1
            moved = True
        waiting = False
        tried = -2  # place (step, then stream) of the last word that could not go
        for _ in range(3):
            place, stream = LATEST, -1
            for other in range(3):
                if ports.head[other, port] < ports.end[other, port]:
                    step = walkers.step[other * len(ports.busy) + port]
                    if step >= released:
                        continue
                    place_of_other = 3 * step + other
                    if other == PARTIAL_SUMS and ports.partial_sums_first:
                        place_of_other = -1
                    if tried < place_of_other < place:
                        place, stream = place_of_other, other
            if stream < 0:
                break
            tried = place
            packet = ports.head[stream, port]
            waiting = True
            if stream == PARTIAL_SUMS:
                vn = ports.virtual_neuron[packet]
                if collection.written[vn] < ports.issued[vn] + 1 - ports.wait[packet]:
                    continue
            elif port >= ports.between.port and not is_written(ports, walkers, collection, packet, stream, port):
                continue
            if not has_room(ports, stores, packet, stream):
                continue
            value = 0
            if carry:
                address = walkers.base[stream * len(ports.busy) + port] + ports.offset[packet]
                if stream == PARTIAL_SUMS:
                    value = outputs[address]
                elif stream == INPUTS and port >= ports.between.port:
                    source = ports.between.source[address]
                    value = ports.between.identity if source < 0 else outputs[source]
                else:
                    value = ports.memory[ports.memory_start[stream] + address]
            claim(ports, stores, packet, stream, tally)
            if stages:
                ports.line[stage, port] = packet
                ports.line_value[stage, port] = value
            else:
                deliver(ports, stores, packet, stream, value, carry)
            if stream == PARTIAL_SUMS:
                ports.issued[ports.virtual_neuron[packet]] += 1
            tally[DISTRIBUTED + stream] += 1
            tally[READS + stream] += ports.reads[packet]
            tally[HOPS] += ports.hops[packet]
            ports.busy[port] += 1
            ports.head[stream, port] += 1
            if ports.head[stream, port] >= ports.end[stream, port] or stream == PARTIAL_SUMS:
                seek_packet(code, ports, walkers, stream, port)
            waiting = False
            moved = True
            break
        if waiting:
            tally[PORT_STALLS] += 1
    return moved


@inlined
def step_cycle(machine: Machine, cycle: int, carry: bool) -> bool:
    """One cycle of the whole fabric; whether anything moved."""
    m = machine
    moved = step_buses(m.wires, m.collection, cycle)
    moved |= step_adders(m.wires, m.adders, 0, m.adders.behind, cycle, m.tally, carry, False)
    if m.collection.own_stage:
        moved |= step_accumulators(m.code, m.wires, m.collection, m.collect_walkers, m.outputs, m.tally, carry)
    moved |= step_adders(m.wires, m.adders, m.adders.behind, len(m.adders.output), cycle, m.tally, carry, False)
    if not m.collection.own_stage:
        moved |= step_accumulators(m.code, m.wires, m.collection, m.collect_walkers, m.outputs, m.tally, carry)
    moved |= step_multipliers(m.code, m.wires, m.multipliers, m.stores, m.compute_walkers, m.tally, carry)
    moved |= step_controller(m.controller, m.tally)
    moved |= step_global_buffer(m.collection, cycle, m.tally)
    released = m.controller.released[0]
    moved |= step_ports(
        m.code, m.ports, m.stores, m.stream_walkers, m.collection, m.outputs, released, cycle, m.tally, carry
    )
    return moved


@kernel
def run(machine: Machine, expected: int, cycle: int, budget: int, carry: bool) -> tuple[int, int]:
    """Step from ``cycle`` until ``expected`` results have left, or for ``budget`` cycles: (status, cycle).

    It is a deadlock when nothing moves for longer than a word takes through the distribution network.
    """
    end = cycle + budget
    idle = 0
    while cycle < end:
        if machine.tally[RESULTS] >= expected:
            return COMPLETE, cycle
        idle = 0 if step_cycle(machine, cycle, carry) else idle + 1
        if idle > machine.ports.line.shape[0]:
            return DEADLOCK, cycle
        cycle += 1
    return RUNNING, cycle
