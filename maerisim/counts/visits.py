"""How often the walkers of a program's threads take each of its templates, in a whole run or in a part of one."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from maerisim.arrays import Ints
from maerisim.program.program import Node, Program, Step, Thread


class Visits(NamedTuple):
    """How often the walkers of each thread take each of its templates; ``streams`` in the order of ``OPERANDS``."""

    compute: Ints
    collect: Ints
    streams: tuple[Ints, Ints, Ints]

    @classmethod
    def of(cls, program: Program) -> Visits:
        """Those of a whole run."""
        inputs, partial_sums, weights = map(visits_of, program.streams)
        return cls(visits_of(program.compute), visits_of(program.collect), (inputs, partial_sums, weights))


def visits_of(thread: Thread[Any]) -> Ints:
    """How often a walker takes each template of its thread; no template belongs to both of two layers."""
    visits = np.zeros(len(thread.templates), np.int64)

    def count(nodes: tuple[Node, ...], times: int) -> None:
        for node in nodes:
            if isinstance(node, Step):
                visits[node.template] += times * node.count
            else:
                count(node.body, times * node.count)

    count(thread.nodes, 1)
    count(thread.second, 1)
    return visits
