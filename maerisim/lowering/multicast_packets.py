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
    span = hardware.leaves_per_port
    port = switches // span
    order = address if order is None else order
    low, high = (int(order.min()), int(order.max())) if len(order) else (0, 0)
    key = port * (high - low + 1) + (order - low)
    _, where, packet_of = np.unique(key, return_index=True, return_inverse=True)
    port_of, offset = port[where], address[where]
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


def _hops(leaf: Ints, packet: Ints, count: int, span: int, ports: int) -> Ints:
    """Distribution switches that each packet passes: the levels above its port, then its branches to the leaves."""
    hops = np.full(count, ports.bit_length() - 1, np.int64)
    for level in range(span.bit_length() - 1):
        branch = packet * span + (leaf >> level)
        hops += np.bincount(np.unique(branch) // span, minlength=count)
    return hops
