"""What a program moves, and roughly how long it takes, read off its loops and templates without running it.

For programs that have no closed form (:mod:`maerisim.analytic`): each template is looked at once, and counted as often
as the loops use it. The counts are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from maerisim.counters import Traffic
from maerisim.hardware import Hardware
from maerisim.program import Collect, Ints, Node, Packets, Program, Step, Thread, Use, control_steps

T = TypeVar("T")


def uses(thread: Thread[Any]) -> list[int]:
    """How often a walker uses each template."""
    counts = [0] * len(thread.templates)

    def count(nodes: Sequence[Node], times: int) -> None:
        for node in nodes:
            if isinstance(node, Step):
                counts[node.template] += times * node.count
            else:
                count(node.body, times * node.count)

    count(thread.nodes, 1)
    return counts


def summed(thread: Thread[T], amount: Callable[[T], Any]) -> Any:
    """The sum over all control steps of an amount (a number or an array) that depends on the template."""
    return sum(times * amount(template) for template, times in zip(thread.templates, uses(thread), strict=True))


def traffic(program: Program) -> Traffic:
    """The operations and words of a run, exactly."""
    streams = {thread.name: thread for thread in program.streams}

    def packets(amount: Callable[[Packets], Ints]) -> dict[str, int]:
        """By operand, the sum of an amount of each packet. Partial sums that start an output are not sent."""
        every = {name: int(summed(thread, lambda it: int(amount(it).sum()))) for name, thread in streams.items()}
        starting = summed(streams["partial_sums"], lambda it: int(amount(it)[it.wait == 0].sum()))
        return every | {"partial_sums": every["partial_sums"] - int(starting)}

    def used(flag: Use) -> int:
        return int(summed(program.compute, lambda flags: np.count_nonzero(flags & flag)))

    def sums(wanted: Collect) -> int:
        return int(summed(program.collect, lambda step: np.count_nonzero(step.flags & wanted)))

    combined = int(summed(program.collect, lambda step: int((step.additions_two + 2 * step.additions_three).sum())))
    transfers = np.bincount([transfer.virtual_neuron for transfer in program.reduction.transfers])
    adder_words = summed(program.collect, lambda step: int(((step.flags & Collect.ACTIVE) * transfers).sum()))
    outputs, results = sums(Collect.LAST), sums(Collect.EMIT)
    return Traffic(
        multiplications=used(Use.MULTIPLY),
        passes=used(Use.PASS),
        additions=0 if program.compares else combined,
        comparisons=combined if program.compares else 0,
        accumulations=0 if program.spills else sums(Collect.ACTIVE) - sums(Collect.FIRST),
        forwards=used(Use.FORWARD),
        distributed=packets(lambda it: np.ones_like(it.offset)),
        delivered=packets(lambda it: np.diff(it.first)),
        buffer_reads=packets(lambda it: it.reads),
        buffer_writes={"outputs": outputs, "partial_sums": results - outputs},
        distribution_hops=sum(packets(lambda it: it.hops).values()),
        adder_words=int(adder_words),
        results=results,
    )


@dataclass(frozen=True)
class Duration:
    """Cycles that a program takes, roughly, and in which its multipliers, busiest port and busiest bus have work."""

    cycles: int
    multipliers: int
    distribution: int
    collection: int


def duration(program: Program, hardware: Hardware) -> Duration:
    """How long a program takes when nothing but its multipliers, ports and buses holds it up.

    The formula of the analytic model: phases in which the busiest of multipliers and ports sets the pace, faster loops
    averaged out by the input queues, the first weights in front, and the way of the last word through the fabric behind.
    """
    loads = [np.diff(packets.port_start) for packets in program.inputs.templates]
    weights = summed(program.weights, lambda packets: np.diff(packets.port_start))
    first_weights = np.diff(next(program.weights.walk()).template.port_start)
    ports = summed(program.inputs, lambda packets: np.diff(packets.port_start)) + weights
    buses = np.bincount(
        program.buses,
        weights=summed(program.collect, lambda step: step.flags & Collect.EMIT != 0),
        minlength=hardware.buses,
    )
    depth = max(program.reduction.depth(vn) for vn in range(len(program.spans)))
    drain = hardware.distribution.latency + hardware.multiplier.latency + depth
    drain += hardware.accumulation.latency + hardware.collection.latency
    phases = sum(_phases(node, loads, hardware.multiplier.input_fifo_depth) for node in program.inputs.nodes)
    busiest_port, busiest_bus = int(ports.max()), int(buses.max())
    steps = program.compute.steps
    cycles = max(phases + int(first_weights.max()), steps, busiest_port, busiest_bus) + drain - 1
    return Duration(cycles, steps, busiest_port, busiest_bus)


def _phases(node: Node, loads: Sequence[Ints], queued: int) -> int:
    """Cycles of a loop of control steps with the words of each template at each port.

    A loop whose body is at most ``queued`` steps long averages out.
    """
    if isinstance(node, Step):
        return node.count * max(1, int(loads[node.template].max()))
    steps = control_steps(node)
    if steps <= queued * node.count:
        return max(steps, int(_load(node, loads).max()))
    return node.count * sum(_phases(inner, loads, queued) for inner in node.body)


def _load(node: Node, loads: Sequence[Ints]) -> Ints:
    """Words at each port."""
    if isinstance(node, Step):
        return node.count * loads[node.template]
    return node.count * sum((_load(inner, loads) for inner in node.body), np.zeros_like(loads[0]))
