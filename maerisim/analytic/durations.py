"""How long a program takes, roughly, read off its loops and templates without running it.

For programs whose packets follow no closed form (:mod:`maerisim.analytic.analytic`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import numpy as np

from maerisim.arrays import Ints
from maerisim.counts.counters import Counters
from maerisim.hardware.hardware import Hardware
from maerisim.program.program import Node, Program, Step, control_steps


def cycles(program: Program, hardware: Hardware, counts: Counters) -> int:
    """Cycles when nothing but the multipliers, ports and buses of a program with these ``counts`` holds it up.

    Adds up phases in which the busiest of multipliers and of the ports that wait for one another sets the pace, faster loops
    averaged out by the input queues, the first weights in front, and the way of the last word through the fabric behind.
    """
    loads = [np.diff(packets.port_start) for packets in program.inputs.templates]
    first_weights = max(
        (int(np.diff(visit.template.port_start).max()) for visit in islice(program.weights.walk(), 1)), default=0
    )
    groups = _groups(program, hardware)
    phases = sum(
        (_phases(node, loads, groups, hardware.multiplier.input_fifo_depth) for node in program.inputs.nodes),
        np.zeros_like(groups),
    )
    busiest = max(*counts.busy["ports"], *counts.busy["buses"])
    return max(int(phases.max()) + first_weights, busiest) + drain(program, hardware) - 1


def drain(program: Program, hardware: Hardware) -> int:
    """Cycles from the last word that a port sends to the last result."""
    depth = max(program.reduction.depth(vn) for vn in range(len(program.spans)))
    way_in = hardware.distribution.latency + hardware.multiplier.latency
    return way_in + depth + hardware.accumulation.latency + hardware.collection.latency


def _groups(program: Program, hardware: Hardware) -> Ints:
    """The first port of each group that waits for one another: neighbours on which a virtual neuron lies."""
    leaves = hardware.leaves_per_port
    ports = -(-program.multipliers_used // leaves)
    joined = np.zeros(ports + 1, np.int64)  # +1 where ports that belong together begin, -1 at the last of them
    for span in program.spans:
        joined[span.start // leaves] += 1
        joined[(span.start + span.size - 1) // leaves] -= 1
    return np.append(0, np.flatnonzero(np.cumsum(joined)[: ports - 1] == 0) + 1)


def _phases(node: Node, loads: Sequence[Ints], groups: Ints, queued: int) -> Ints:
    """Cycles of a loop of control steps in each of the ``groups`` of ports, with the words of each template at each port.

    A loop whose body is at most ``queued`` steps long averages out.
    """
    if isinstance(node, Step):
        return node.count * np.maximum(1, np.maximum.reduceat(loads[node.template], groups))
    steps = control_steps(node)
    if steps <= queued * node.count:
        return np.maximum(steps, np.maximum.reduceat(_load(node, loads), groups))
    inside = (_phases(inner, loads, groups, queued) for inner in node.body)
    return node.count * sum(inside, np.zeros_like(groups))


def _load(node: Node, loads: Sequence[Ints]) -> Ints:
    """Words at each port."""
    if isinstance(node, Step):
        return node.count * loads[node.template]
    return node.count * sum((_load(inner, loads) for inner in node.body), np.zeros_like(loads[0]))
