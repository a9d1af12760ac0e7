"""The packets that a distribution port sends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from maerisim.program.program import Packets, Program, Thread


class Packet(NamedTuple):
    """A word on its way: for which control step, where from, where to, and what it waits for (``wait`` results of
    virtual neuron ``wait_for``).
    """

    operand: str
    step: int
    address: int
    destinations: list[int]
    reads: int
    hops: int
    wait_for: int
    wait: int
    value: int = 0


def packets_of(program: Program, thread: Thread[Packets], port: int) -> Iterator[Packet]:
    """All packets of a thread for one port, in order; partial sums that start an output have no word to send."""
    results_so_far = [0] * len(program.spans)
    layer = program.layer_of_port(port)
    between = program.fusion if layer == 1 and thread.name == "inputs" else None
    for template, step, base in thread.walk(layer):
        for number in template.of_port(port):
            destinations = template.destinations_of(number).tolist()
            address, vn, wait = base + int(template.offset[number]), -1, 0
            if between is not None:
                vn, wait = int(between.producer[address]), int(between.due[address])
                address = int(between.source[address])
            if thread.name == "partial_sums":
                vn = int(program.partial_sum_of[destinations[0]])
                results_so_far[vn] += 1
                if template.wait[number] == 0:
                    continue
                wait = results_so_far[vn] - int(template.wait[number])
            reads, hops = int(template.reads[number]), int(template.hops[number])
            yield Packet(thread.name, step, address, destinations, reads, hops, vn, wait)
