"""Group the switches that need the same word into multicast packets."""

from __future__ import annotations

import numpy as np

from maerisim.hardware import Hardware
from maerisim.program import Ints, Packets


def multicast(hardware: Hardware, switches: Ints, address: Ints, wait: Ints | None = None) -> Packets:
    """Packets that bring word ``address[i]`` to multiplier switch ``switches[i]`` (ascending), for all i.

    Switches of one port that need the same word share a packet. Within a port packets are ordered by their lowest
    switch. A word needed by several ports is read from the global buffer once, by the lowest of them.
    """
    span = hardware.leaves_per_port
    port = switches // span
    packet_of, port_of, offset = _number_by_first_use(port, address)
    count = len(offset)
    by_packet = np.argsort(packet_of, kind="stable")
    first = np.concatenate(([0], np.cumsum(np.bincount(packet_of, minlength=count))))
    reads = np.zeros(count, np.int64)
    reads[np.unique(offset, return_index=True)[1]] = 1
    destinations = switches[by_packet]
    return Packets(
        port_start=np.searchsorted(port_of, np.arange(hardware.ports + 1)).astype(np.int64),
        offset=offset,
        reads=reads,
        hops=_hops(destinations % span, packet_of[by_packet], count, span, hardware.ports),
        first=first.astype(np.int64),
        destinations=destinations,
        wait=np.zeros(count, np.int64) if wait is None else wait[by_packet][first[:-1]],
    )


def _number_by_first_use(port: Ints, address: Ints) -> tuple[Ints, Ints, Ints]:
    """Number the distinct (port, address) pairs in the order they first occur: (number per entry, port, address)."""
    if len(port) == 0:
        return port, port, address
    low = int(address.min())
    key = port * (int(address.max()) - low + 1) + (address - low)
    _, where, inverse = np.unique(key, return_index=True, return_inverse=True)
    order = np.argsort(where, kind="stable")
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order))
    seen = where[order]
    return number[inverse], port[seen], address[seen]


def _hops(leaf: Ints, packet: Ints, count: int, span: int, ports: int) -> Ints:
    """Distribution switches that each packet passes: the levels above its port, then its branches to the leaves."""
    hops = np.full(count, ports.bit_length() - 1, np.int64)
    for level in range(span.bit_length() - 1):
        branch = packet * span + (leaf >> level)
        hops += np.bincount(np.unique(branch) // span, minlength=count)
    return hops
