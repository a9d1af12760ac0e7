"""Which templates of two threads serve the same control steps, worked out from their loops instead of walked.

Threads of a program turn the same loops, but each peels only the iterations that matter to it, and leaves out loops
during which it has nothing to do. Both are laid over one another along the control steps; whatever repeats in both is
counted once and multiplied.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from maerisim.arrays import Ints
from maerisim.program.program import Node, Step, Thread


@dataclass(frozen=True)
class _Run:
    """``count`` repetitions, ``each`` control steps apart, of ``body``, or of a single visit.

    ``names`` counts the visits of one repetition by name (a template or a label), ``reach`` is the step of the last of
    them. A run is ``plain`` when all of it has one name.
    """

    count: int
    each: int
    reach: int
    names: Counter[int]
    body: tuple[_Run, ...] = ()

    @property
    def plain(self) -> bool:
        return len(self.names) == 1

    @property
    def length(self) -> int:
        return self.count * self.each

    @property
    def once(self) -> tuple[_Run, ...]:
        """One repetition."""
        return self.body or (replace(self, count=1),)


def _runs(nodes: Sequence[Node], names: Sequence[int]) -> tuple[_Run, ...]:
    """The nodes of a thread whose template ``i`` has the name ``names[i]``."""
    runs = []
    for node in nodes:
        if isinstance(node, Step):
            runs.append(_Run(node.count, node.period, 0, Counter({names[node.template]: 1})))
            continue
        body = _runs(node.body, names)
        length = sum(run.length for run in body)
        last = body[-1]
        reach = length - last.each + last.reach
        visits: Counter[int] = Counter()
        for run in body:
            visits.update({name: run.count * times for name, times in run.names.items()})
        runs.append(_Run(node.count, node.period + length, reach, visits, body))
    return tuple(runs)


def coincidences(thread: Thread[Any], timeline: Thread[Any], labels: Ints) -> Counter[tuple[int, int]]:
    """How often a walker of ``thread`` takes template ``t`` for a control step of label ``l``, by (l, t).

    The label of a control step is ``labels[i]`` where ``timeline``, which visits every step, takes its template i. Steps
    are counted from the first of each thread: weights that a controller loads ahead belong to the step that uses them.
    """
    found: Counter[tuple[int, int]] = Counter()
    line = _runs(timeline.nodes, labels.tolist())
    _count(_runs(thread.nodes, range(len(thread.templates))), 0, line, 1, found)
    return found


def _count(runs: Sequence[_Run], step: int, line: Sequence[_Run], times: int, found: Counter[tuple[int, int]]) -> None:
    """Add to ``found``, ``times`` over, the visits of ``runs`` that begin ``step`` control steps into ``line``."""
    for run in runs:
        left = run.count
        while left:
            below, into = _at(line, step)
            if below.plain:
                taken = min(left, _fitting(run, below.length - into))
                (label,) = below.names
                for name, visits in run.names.items():
                    if taken:
                        found[label, name] += times * taken * visits
            else:
                turn, into = divmod(into, below.each)
                taken = min(left, _fitting(run, below.each - into))
                if taken and run.each == below.each:
                    taken = min(left, below.count - turn)
                    _count(run.once, into, below.body, times * taken, found)
                elif taken:
                    _count((replace(run, count=taken),), into, below.body, times, found)
            if not taken:  # a repetition that reaches beyond this run, or this turn, of the line
                taken = 1
                _count(run.body, step, line, times, found)
            left -= taken
            step += taken * run.each


def _at(line: Sequence[_Run], step: int) -> tuple[_Run, int]:
    """The run of ``line`` that ``step`` lies in, and how far."""
    for run in line[:-1]:
        if step < run.length:
            return run, step
        step -= run.length
    return line[-1], step


def _fitting(run: _Run, room: int) -> int:
    """How many repetitions of ``run`` have all their visits within ``room`` control steps."""
    return 0 if run.reach >= room else 1 + (room - 1 - run.reach) // run.each
