"""Partial sums on their way back that leave a port in the order in which they were written."""

from __future__ import annotations

from maerisim.kernels.compiling.jit import helper, kernel
from maerisim.kernels.stepping import operand_store, walk
from maerisim.kernels.stepping.machine import Collectors, Ports, Returning
from maerisim.kernels.stepping.walk import Code, Walkers, advance, skip_row

NOBODY = -1


@helper
def seek_partial_sum(code: Code, ports: Ports, returning: Returning, walkers: Walkers, vn: int) -> None:
    """Move the walker of a virtual neuron on to its next partial sum that has to be sent."""
    while code.op[walkers.row[vn]] != walk.HALT:
        packet = returning.packet[code.arg[walkers.row[vn]], vn]
        if packet >= 0:
            if ports.wait[packet] > 0:
                return
            ports.issued[vn] += walkers.left[vn]
        skip_row(code, walkers, vn)


@kernel
def seek_first_partial_sums(code: Code, ports: Ports, returning: Returning, walkers: Walkers) -> None:
    """Put the walker of every virtual neuron at its first partial sum that has to be sent."""
    for vn in range(len(returning.port)):
        seek_partial_sum(code, ports, returning, walkers, vn)


@helper
def join(code: Code, ports: Ports, returning: Returning, walkers: Walkers, collection: Collectors, vn: int) -> None:
    """Put a virtual neuron at the end of the queue of its port, if its next partial sum has been written."""
    row = walkers.row[vn]
    if code.op[row] == walk.HALT:
        return
    if collection.written[vn] <= ports.issued[vn] - ports.wait[returning.packet[code.arg[row], vn]]:
        return
    port = returning.port[vn]
    if returning.first[port] == NOBODY:
        returning.first[port] = vn
    else:
        returning.following[returning.last[port]] = vn
    returning.last[port] = vn
    returning.following[vn] = vn


@helper
def show_first(
    code: Code, ports: Ports, stream_walkers: Walkers, returning: Returning, walkers: Walkers, port: int
) -> None:
    """Let the next packet of a port's partial sums be that of the first virtual neuron in its queue."""
    stream, vn = operand_store.PARTIAL_SUMS, returning.first[port]
    if vn == NOBODY:
        ports.head[stream, port], ports.end[stream, port] = 0, 0
        ports.place[port, stream] = walk.LATEST
        return
    packet = returning.packet[code.arg[walkers.row[vn]], vn]
    ports.head[stream, port], ports.end[stream, port] = packet, packet + 1
    ports.place[port, stream] = -1
    at_port = stream * ports.head.shape[1] + port
    stream_walkers.step[at_port], stream_walkers.base[at_port] = walkers.step[vn], walkers.base[vn]


@helper
def arrive(
    code: Code,
    ports: Ports,
    stream_walkers: Walkers,
    returning: Returning,
    walkers: Walkers,
    collection: Collectors,
    vn: int,
) -> None:
    """A result of a virtual neuron has been written."""
    if returning.following[vn] == NOBODY:
        join(code, ports, returning, walkers, collection, vn)
        show_first(code, ports, stream_walkers, returning, walkers, returning.port[vn])


@helper
def leave(
    code: Code,
    ports: Ports,
    stream_walkers: Walkers,
    returning: Returning,
    walkers: Walkers,
    collection: Collectors,
    port: int,
) -> None:
    """The first partial sum of a port has been sent."""
    vn = returning.first[port]
    following = returning.following[vn]
    if following == vn:
        returning.first[port], returning.last[port] = NOBODY, NOBODY
    else:
        returning.first[port] = following
    returning.following[vn] = NOBODY
    ports.issued[vn] += 1
    advance(code, walkers, vn)
    seek_partial_sum(code, ports, returning, walkers, vn)
    join(code, ports, returning, walkers, collection, vn)
    show_first(code, ports, stream_walkers, returning, walkers, port)
