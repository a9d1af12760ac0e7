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

    Adds up phases in which the busiest of multipliers and ports sets the pace, faster loops averaged out by the input
    queues, the first weights in front, and the way of the last word through the fabric behind.
    """
    loads = [np.diff(packets.port_start) for packets in program.inputs.templates]
    first_weights = max(
        (int(np.diff(visit.template.port_start).max()) for visit in islice(program.weights.walk(), 1)), default=0
    )
    phases = sum(_phases(node, loads, hardware.multiplier.input_fifo_depth) for node in program.inputs.nodes)
    busiest = max(*counts.busy["ports"], *counts.busy["buses"])
    return max(phases + first_weights, busiest) + drain(program, hardware) - 1


def drain(program: Program, hardware: Hardware) -> int:
    """Cycles from the last word that a port sends to the last result."""
    depth = max(program.reduction.depth(vn) for vn in range(len(program.spans)))
    way_in = hardware.distribution.latency + hardware.multiplier.latency
    return way_in + depth + hardware.accumulation.latency + hardware.collection.latency


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
