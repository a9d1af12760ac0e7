"""Distribution ports: whose turn it is, whether there is room, and the tree to the multiplier switches."""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import helper, inlined, kernel
from maerisim.kernels.stepping import counted, operand_store, walk
from maerisim.kernels.stepping.machine import Collectors, Ports, Returning, Stores
from maerisim.kernels.stepping.operand_store import store_value
from maerisim.kernels.stepping.returning_sums import leave
from maerisim.kernels.stepping.walk import Code, Walkers, advance, skip_row


@helper
def seek_packet(code: Code, ports: Ports, walkers: Walkers, stream: int, port: int) -> None:
    """Move a stream's walker at a port on to the next packet that has to be sent.

    Partial sums that start an output have no word to send and are passed over.
    """
    walker = stream * ports.head.shape[1] + port
    while True:
        while ports.head[stream, port] < ports.end[stream, port]:
            packet = ports.head[stream, port]
            if stream != operand_store.PARTIAL_SUMS or ports.wait[packet] > 0:
                return
            ports.issued[ports.virtual_neuron[packet]] += 1
            ports.head[stream, port] += 1
        if code.op[walkers.row[walker]] == walk.HALT:
            return
        if advance(code, walkers, walker):
            seek_template(code, ports, walkers, walker, port)
        open_step(code, ports, walkers, stream, port)


@helper
def seek_template(code: Code, ports: Ports, walkers: Walkers, walker: int, port: int) -> None:
    """Move a walker on to a step that has packets for its port."""
    row = walkers.row[walker]
    while code.op[row] != walk.HALT and (
        ports.packet_start[code.arg[row], port] == ports.packet_start[code.arg[row], port + 1]
    ):
        row = skip_row(code, walkers, walker)


@helper
def open_step(code: Code, ports: Ports, walkers: Walkers, stream: int, port: int) -> None:
    """Set ``head`` and ``end`` to the packets of the step that a stream's walker has come to."""
    row = walkers.row[stream * ports.head.shape[1] + port]
    if code.op[row] != walk.HALT:
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
def is_written(ports: Ports, walkers: Walkers, collection: Collectors, packet: int, stream: int, port: int) -> bool:
    """Whether the word of a packet lies in the global buffer: a partial sum when the result that it continues has been
    written, an input of a second layer when the first has computed it, all other words from the start.
    """
    if stream == operand_store.PARTIAL_SUMS:
        vn = ports.virtual_neuron[packet]
        return bool(collection.written[vn] > ports.issued[vn] - ports.wait[packet])
    if port < ports.between.port or stream != operand_store.INPUTS:
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
    tally[counted.DELIVERED + operand] += ports.first[packet + 1] - ports.first[packet]


@inlined
def deliver(ports: Ports, stores: Stores, packet: int, operand: int, value: int, carry: bool) -> None:
    """Hand a word through the tree to all its destinations."""
    for place in range(ports.first[packet], ports.first[packet + 1]):
        m = ports.destination[place]
        if carry:
            store_value(stores, operand, m, value)
        stores.words[operand, m] += 1


@inlined
def place_in_line(ports: Ports, walkers: Walkers, stream: int, port: int) -> int:
    """How early the next word of a stream is among those of its port: by control step, then stream."""
    if stream == operand_store.PARTIAL_SUMS and ports.partial_sums_first:
        return -1
    return int(3 * walkers.step[stream * ports.head.shape[1] + port] + stream)


@inlined
def next_in_line(ports: Ports, walkers: Walkers, port: int, tried: int, released: int) -> int:
    """The stream whose word comes next behind the place ``tried`` (-1: none is there that is released)."""
    place, stream = walk.LATEST, -1
    for other in range(3):
        if ports.head[other, port] == ports.end[other, port]:
            continue
        if walkers.step[other * ports.head.shape[1] + port] >= released:
            continue
        place_of_other = place_in_line(ports, walkers, other, port)
        if tried < place_of_other < place:
            place, stream = place_of_other, other
    return stream


@inlined
def value_of(ports: Ports, walkers: Walkers, outputs: Ints, packet: int, stream: int, port: int) -> int:
    """The value of a packet's word: partial sums and inputs of a second layer lie among the outputs."""
    address = walkers.base[stream * ports.head.shape[1] + port] + ports.offset[packet]
    if stream == operand_store.PARTIAL_SUMS:
        return int(outputs[address])
    if stream == operand_store.INPUTS and port >= ports.between.port:
        source = ports.between.source[address]
        return ports.between.identity if source < 0 else int(outputs[source])
    return int(ports.memory[ports.memory_start[stream] + address])


@inlined
def send(
    code: Code,
    ports: Ports,
    stores: Stores,
    walkers: Walkers,
    returning: Returning,
    returning_walkers: Walkers,
    collection: Collectors,
    stage: int,
    port: int,
    stream: int,
    value: int,
    tally: Ints,
    carry: bool,
) -> None:
    """Send the next packet of a stream: its room is reserved, and it is on its way or, without stages, there."""
    packet = ports.head[stream, port]
    claim(ports, stores, packet, stream, tally)
    if ports.line.shape[0]:
        ports.line[stage, port] = packet
        ports.line_value[stage, port] = value
    else:
        deliver(ports, stores, packet, stream, value, carry)
    tally[counted.DISTRIBUTED + stream] += 1
    tally[counted.READS + stream] += ports.reads[packet]
    tally[counted.HOPS] += ports.hops[packet]
    ports.busy[port] += 1
    if stream == operand_store.PARTIAL_SUMS:
        if len(returning.port) > 0:
            leave(code, ports, walkers, returning, returning_walkers, collection, port)
            return
        ports.issued[ports.virtual_neuron[packet]] += 1
    ports.head[stream, port] += 1
    if ports.head[stream, port] >= ports.end[stream, port] or stream == operand_store.PARTIAL_SUMS:
        seek_packet(code, ports, walkers, stream, port)


@inlined
def step_ports(
    code: Code,
    ports: Ports,
    stores: Stores,
    walkers: Walkers,
    returning: Returning,
    returning_walkers: Walkers,
    collection: Collectors,
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
        tried = -2  # place of the last word that could not go
        while True:
            stream = next_in_line(ports, walkers, port, tried, released)
            if stream < 0:
                if tried > -2:
                    tally[counted.PORT_STALLS] += 1
                break
            tried = place_in_line(ports, walkers, stream, port)
            packet = ports.head[stream, port]
            if not is_written(ports, walkers, collection, packet, stream, port):
                continue
            if not has_room(ports, stores, packet, stream):
                continue
            value = value_of(ports, walkers, outputs, packet, stream, port) if carry else 0
            send(
                code,
                ports,
                stores,
                walkers,
                returning,
                returning_walkers,
                collection,
                stage,
                port,
                stream,
                value,
                tally,
                carry,
            )
            moved = True
            break
    return moved
