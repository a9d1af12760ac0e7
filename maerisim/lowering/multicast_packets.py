"""Group the switches that need the same word into multicast packets."""

from __future__ import annotations

import numpy as np

from maerisim.arrays import Ints
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import Packets


def multicast(
    hardware: Hardware, switches: Ints, address: Ints, order: Ints | None = None, wait: Ints | None = None
) -> Packets:
    """Packets that bring word ``address[i]`` to multiplier switch ``switches[i]`` (ascending), for all i.

    Switches of one port that need the same word share a packet. Within a port packets are ordered by ``order``, which
    must be as distinct as the addresses (by default it is the address). A word
    needed by several ports is read from the global buffer once, by the lowest of them.
    """
    (packets,) = multicasts(hardware, 1, np.zeros_like(switches), switches, address, order, wait)
    return packets


def multicasts(
    hardware: Hardware,
    steps: int,
    step: Ints,
    switches: Ints,
    address: Ints,
    order: Ints | None = None,
    wait: Ints | None = None,
) -> list[Packets]:
    """The packets of so many control steps, of which ``step[i]`` brings word ``address[i]`` to ``switches[i]``; steps, and in
    each of them switches, ascend.
    """
    span, ports = hardware.leaves_per_port, hardware.ports
    port = step * ports + switches // span  # of all steps, one after the other
    order = address if order is None else order
    by_packet = np.lexsort((order, port))
    ports_in_turn, order_in_turn = port[by_packet], order[by_packet]
    begins = np.ones(len(by_packet), np.bool_)
    begins[1:] = (np.diff(ports_in_turn) != 0) | (np.diff(order_in_turn) != 0)
    packet, first = np.cumsum(begins) - 1, np.append(np.flatnonzero(begins), len(by_packet))
    destinations = switches[by_packet]
    port_of, offset = ports_in_turn[begins], address[by_packet][begins]
    hops = _hops(destinations % span, packet, len(offset), span, ports)
    waits = np.zeros(len(offset), np.int64) if wait is None else wait[by_packet][begins]
    reads = _reads(port_of // ports, offset)
    port_start = np.searchsorted(port_of, np.arange(steps * ports + 1))
    found = []
    for begin in range(0, steps * ports, ports):
        starts = port_start[begin : begin + ports + 1]
        low, high = int(starts[0]), int(starts[-1])
        start, stop = int(first[low]), int(first[high])
        found.append(
            Packets(
                port_start=starts - low,
                offset=offset[low:high],
                reads=reads[low:high],
                hops=hops[low:high],
                first=first[low : high + 1] - start,
                destinations=destinations[start:stop],
                wait=waits[low:high],
            )
        )
    return found


def _reads(step: Ints, offset: Ints) -> Ints:
    """1 for the first packet of each word in a step, 0 for the others."""
    by_word = np.lexsort((offset, step))
    reads = np.ones(len(offset), np.int64)
    again = (np.diff(step[by_word]) == 0) & (np.diff(offset[by_word]) == 0)
    reads[by_word[1:][again]] = 0
    return reads


def _hops(leaf: Ints, packet: Ints, count: int, span: int, ports: int) -> Ints:
    """Distribution switches that each packet passes: the levels above its port, then its branches to the leaves; packets, and
    the leaves of each, ascend.
    """
    hops = np.full(count, ports.bit_length() - 1, np.int64)
    for level in range(span.bit_length() - 1):
        branch = packet * span + (leaf >> level)
        another = np.append(True, np.diff(branch) != 0)[: len(branch)]
        hops += np.bincount(packet[another], minlength=count)
    return hops
