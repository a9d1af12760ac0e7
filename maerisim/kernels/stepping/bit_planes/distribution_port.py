"""Distribution ports that look at the room of 64 multiplier switches at a time."""

from __future__ import annotations

from maerisim.arrays import Ints
from maerisim.kernels.compiling.jit import inlined
from maerisim.kernels.stepping import counted, operand_store, walk
from maerisim.kernels.stepping.asking import ask_for_next, is_there
from maerisim.kernels.stepping.bit_planes import bitwise
from maerisim.kernels.stepping.bit_planes.bitwise import equal, increase
from maerisim.kernels.stepping.bit_planes.machine import Arrivals, Lanes
from maerisim.kernels.stepping.bit_planes.operand_store import receive
from maerisim.kernels.stepping.distribution_port import open_step, seek_template
from maerisim.kernels.stepping.machine import Asked, Collectors, Ports, Returning
from maerisim.kernels.stepping.returning_sums import leave
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
def step_ports(
    code: Code,
    lanes: Lanes,
    ports: Ports,
    arrivals: Arrivals,
    asked: Asked,
    walkers: Walkers,
    returning: Returning,
    returning_walkers: Walkers,
    collection: Collectors,
    released: int,
    cycle: int,
    tally: Ints,
) -> bool:
    """Each port sends the word for the earliest control step of those for which all destinations have room.

    In one piece: with a function for each of the steps of its word-by-word twin a run takes 3 to 5 % longer.
    """
    moved = False
    words, count, stages = lanes.words, ports.head.shape[1], len(arrivals.under_way)
    reach = ports.mask.shape[1]
    stage = cycle % stages if stages else 0
    for stream in range(3):
        first, planes, depth = lanes.claimed[stream], lanes.planes[stream], lanes.depth[stream]
        for w in range(words):
            arrivals.full[stream, w] = equal(lanes.bits, first + w, words, planes, depth)
            arrivals.sent[stream, w] = bitwise.NONE
    for port in range(count):
        word = ports.word[port]
        second = port >= ports.between.port
        tried = -2  # place (step, then stream) of the last word that could not go
        while True:
            place, stream = walk.LATEST, -1
            for other in range(3):
                place_of_other = ports.place[port, other]
                if tried < place_of_other < place and (
                    released == walk.LATEST or walkers.step[other * count + port] < released
                ):
                    place, stream = place_of_other, other
            if stream < 0:
                if tried > -2:
                    tally[counted.PORT_STALLS] += 1
                break
            tried = place
            packet = ports.head[stream, port]
            if stream == operand_store.PARTIAL_SUMS:
                vn = ports.virtual_neuron[packet]
                if collection.written[vn] < ports.issued[vn] + 1 - ports.wait[packet]:
                    continue
            elif (
                second
                and stream == operand_store.INPUTS
                and not is_there(ports, asked, walkers, collection, packet, port, cycle)
            ):
                continue
            blocked = arrivals.full[stream, word] & ports.mask[packet, 0]
            for part in range(1, reach):
                blocked |= arrivals.full[stream, word + part] & ports.mask[packet, part]
            if blocked:
                continue
            arrivals.sent[stream, word] |= ports.mask[packet, 0]
            for part in range(1, reach):
                arrivals.sent[stream, word + part] |= ports.mask[packet, part]
            if stream == operand_store.PARTIAL_SUMS and len(returning.port) > 0:
                leave(code, ports, walkers, returning, returning_walkers, collection, port)
            else:
                send_next(code, ports, walkers, stream, port, second)
                if second and stream == operand_store.INPUTS:
                    ask_for_next(asked, port)
            moved = True
            break
    for stream in range(3):
        for w in range(words):
            sent = arrivals.sent[stream, w]
            if sent:
                increase(lanes.bits, lanes.claimed[stream] + w, words, lanes.planes[stream], sent)
            arrived = sent
            if stages:
                arrived = arrivals.under_way[stage, stream, w]
                arrivals.under_way[stage, stream, w] = sent
            if arrived:
                receive(lanes, stream, w, arrived)
                moved = True
    return moved
