"""Distribution ports that look at the room of 64 multiplier switches at a time."""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import inlined
from maerisim.kernels.stepping import counted, operand_store, walk
from maerisim.kernels.stepping.bit_planes import bitwise
from maerisim.kernels.stepping.bit_planes.bitwise import equal, increase
from maerisim.kernels.stepping.bit_planes.machine import Arrivals, Lanes
from maerisim.kernels.stepping.bit_planes.operand_store import receive
from maerisim.kernels.stepping.distribution_port import is_written, open_step, seek_template
from maerisim.kernels.stepping.machine import Collectors, Ports
from maerisim.kernels.stepping.walk import Code, Walkers, advance


@inlined
def seek_packet(code: Code, ports: Ports, walkers: Walkers, stream: int, port: int) -> None:
    """Move a stream's walker at a port on to the next packet that has to be sent, and note its place in line.

    Partial sums that start an output have no word to send and are passed over.
    """
    walker = stream * ports.head.shape[1] + port
    while True:
        while ports.head[stream, port] < ports.end[stream, port]:
            packet = ports.head[stream, port]
            if stream != operand_store.PARTIAL_SUMS or ports.wait[packet] > 0:
                first = stream == operand_store.PARTIAL_SUMS and ports.partial_sums_first
                ports.place[port, stream] = -1 if first else 3 * walkers.step[walker] + stream
                return
            ports.issued[ports.virtual_neuron[packet]] += 1
            ports.head[stream, port] += 1
        if code.op[walkers.row[walker]] == walk.HALT:
            ports.place[port, stream] = walk.LATEST
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
    if stream == operand_store.PARTIAL_SUMS:
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
def look_at_stores(lanes: Lanes, arrivals: Arrivals) -> None:
    """Note the operand stores without room; nothing is sent or delivered yet."""
    for stream in range(3):
        first, planes, depth = lanes.claimed[stream], lanes.planes[stream], lanes.depth[stream]
        for w in range(lanes.words):
            arrivals.full[stream, w] = equal(lanes.bits, first + w, lanes.words, planes, depth)
            arrivals.sent[stream, w] = bitwise.NONE
            arrivals.delivered[stream, w] = bitwise.NONE


@inlined
def next_in_line(ports: Ports, walkers: Walkers, port: int, tried: int, released: int) -> int:
    """The stream whose word comes next behind the place ``tried`` (-1: none is there that is released)."""
    place, stream = walk.LATEST, -1
    for other in range(3):
        place_of_other = ports.place[port, other]
        if tried < place_of_other < place and (
            released == walk.LATEST or walkers.step[other * ports.head.shape[1] + port] < released
        ):
            place, stream = place_of_other, other
    return stream


@inlined
def has_room(ports: Ports, arrivals: Arrivals, packet: int, stream: int, word: int) -> bool:
    """Whether every destination of a packet has room that no word on its way has claimed."""
    blocked = arrivals.full[stream, word] & ports.mask[packet, 0]
    for part in range(1, ports.mask.shape[1]):
        blocked |= arrivals.full[stream, word + part] & ports.mask[packet, part]
    return bool(blocked == bitwise.NONE)


@inlined
def claim(ports: Ports, arrivals: Arrivals, packet: int, stream: int, word: int) -> None:
    """Reserve room at the destinations of a packet that is sent."""
    arrivals.sent[stream, word] |= ports.mask[packet, 0]
    for part in range(1, ports.mask.shape[1]):
        arrivals.sent[stream, word + part] |= ports.mask[packet, part]


@inlined
def take_in(lanes: Lanes, arrivals: Arrivals, at_once: bool) -> None:
    """Count the words sent and delivered in this cycle; ``at_once`` if those sent are delivered in the same."""
    for stream in range(3):
        for w in range(lanes.words):
            sent = arrivals.sent[stream, w]
            if sent:
                increase(lanes.bits, lanes.claimed[stream] + w, lanes.words, lanes.planes[stream], sent)
            if not at_once:
                sent = arrivals.delivered[stream, w]
            if sent:
                receive(lanes, stream, w, sent)


@inlined
def step_ports(
    code: Code,
    lanes: Lanes,
    ports: Ports,
    arrivals: Arrivals,
    walkers: Walkers,
    collection: Collectors,
    released: int,
    cycle: int,
    tally: Ints,
) -> bool:
    """Each port sends the word for the earliest control step of those for which all destinations have room."""
    moved = False
    stages = ports.line.shape[0]
    stage = cycle % stages if stages else 0
    look_at_stores(lanes, arrivals)
    for port in range(ports.head.shape[1]):
        word = ports.word[port]
        if stages and ports.line[stage, port] >= 0:
            packet = ports.line[stage, port]
            for part in range(ports.mask.shape[1]):
                arrivals.delivered[ports.stream[packet], word + part] |= ports.mask[packet, part]
            ports.line[stage, port] = -1
            moved = True
        tried = -2  # place of the last word that could not go
        while True:
            stream = next_in_line(ports, walkers, port, tried, released)
            if stream < 0:
                if tried > -2:
                    tally[counted.PORT_STALLS] += 1
                break
            tried = ports.place[port, stream]
            packet = ports.head[stream, port]
            if not is_written(ports, walkers, collection, packet, stream, port):
                continue
            if not has_room(ports, arrivals, packet, stream, word):
                continue
            claim(ports, arrivals, packet, stream, word)
            if stages:
                ports.line[stage, port] = packet
            send_next(code, ports, walkers, stream, port, port >= ports.between.port)
            moved = True
            break
    take_in(lanes, arrivals, stages == 0)
    return moved
