"""Turn temporal loops into the node tree of a thread, splitting off iterations only where they differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import numpy as np

from maerisim.program.program import Loop, Node, Step, Thread, net_advance, net_period

T = TypeVar("T")


class Turn(NamedTuple):
    """Which iteration of a loop this is: the first, the last, both (a single one) or neither; its number where told.

    ``size`` is how much of the dimension it covers, less than the others where the last one is partial.
    """

    first: bool
    last: bool
    number: int = 0
    size: int = 1


Context = Mapping[str, Turn]
"""The turn of each loop, by its name."""


@dataclass(frozen=True)
class TemporalLoop:
    """Iterations over ``extent`` of a ``dimension``, ``step`` at once; the last one takes what is left.

    Loops inside it over the same dimension share out what an iteration covers. Each iteration moves the base address of
    the operand by ``advance`` words; ``pause`` control steps go by before the next. ``split_first``, ``split_last`` and
    ``split_each`` say that this or that iteration, or every one, needs a template of its own. A loop that ``stays``
    is at its first iteration as long as it turns for others: nothing of the operand is moved again.
    """

    name: str
    dimension: str
    extent: int
    step: int
    advance: int
    split_first: bool = False
    split_last: bool = False
    split_each: bool = False
    stays: bool = False
    pause: int = 0

    def parts(self) -> list[tuple[int, Turn]]:
        """(iterations, turn) runs of iterations that share their templates."""
        trips, rest = -(-self.extent // self.step), self.extent % self.step
        if trips == 1 or self.stays:
            return [(1, Turn(True, trips == 1, size=min(self.step, self.extent)))]
        last = rest or self.step
        if self.split_each:
            sizes = [self.step] * (trips - 1) + [last]
            return [(1, Turn(index == 0, index == trips - 1, index, size)) for index, size in enumerate(sizes)]
        ends = self.split_last or rest > 0
        runs = [(int(self.split_first), Turn(True, False, size=self.step))]
        runs.append((trips - self.split_first - ends, Turn(False, False, size=self.step)))
        runs.append((int(ends), Turn(False, True, size=last)))
        return [(count, turn) for count, turn in runs if count]


def within(loops: Sequence[TemporalLoop], dimension: str, size: int) -> Sequence[TemporalLoop]:
    """The loops inside an iteration that covers so much of a dimension."""
    if all(loop.dimension != dimension for loop in loops):
        return loops
    return [replace(loop, extent=size) if loop.dimension == dimension else loop for loop in loops]


def control_steps(loops: Sequence[TemporalLoop]) -> int:
    """Control steps of all iterations of ``loops``, outermost first."""
    if not loops:
        return 1
    loop, inner = loops[0], loops[1:]
    whole, rest = divmod(loop.extent, loop.step)
    steps = whole * (control_steps(within(inner, loop.dimension, loop.step)) + loop.pause) if whole else 0
    return steps + (control_steps(within(inner, loop.dimension, rest)) + loop.pause if rest else 0)


def build_thread(
    name: str,
    loops: Sequence[TemporalLoop],
    context: dict[str, Turn],
    make: Callable[[Context], T],
    first_step: int = 0,
) -> Thread[T]:
    """A thread of ``loops`` (outermost first) whose templates ``make`` gives for each context; equal ones are shared.

    ``context`` holds the turns of what is not among the loops.
    """
    templates: list[T] = []
    by_context: dict[tuple[Turn, ...], int] = {}
    by_content: dict[bytes, int] = {}

    def template_for(context: Context) -> int:
        key = tuple(context[loop.name] for loop in loops)
        if key not in by_context:
            template = make(context)
            by_context[key] = by_content.setdefault(_content(template), len(templates))
            if by_context[key] == len(templates):
                templates.append(template)
        return by_context[key]

    return Thread(name, build_nest(loops, context, template_for), tuple(templates), first_step)


def _content(template: object) -> bytes:
    """All that is in a template, to recognise equal ones."""
    if isinstance(template, np.ndarray):
        return template.tobytes()
    return b"".join(array.tobytes() for array in vars(template).values())


def build_nest(
    loops: Sequence[TemporalLoop], context: dict[str, Turn], template_for: Callable[[Context], int]
) -> tuple[Node, ...]:
    """Node tree of ``loops`` (outermost first); ``template_for`` gives the number of a context's template.

    ``context`` holds the turns of what is not among the loops. Neighbouring runs that turn out equal
    are merged.
    """
    if not loops:
        return (Step(template_for(context), 1, 1, 0),)
    loop, inner = loops[0], loops[1:]
    nodes: list[Node] = []
    for count, turn in loop.parts():
        inside = within(inner, loop.dimension, turn.size)
        body = build_nest(inside, {**context, loop.name: turn}, template_for)
        if loop.stays:
            return body
        period = control_steps(inside) + loop.pause
        node: Node
        if isinstance(body[0], Step) and all(each.stays for each in inside):
            node = Step(body[0].template, count, period, loop.advance)
        else:
            # The inner loops leave step and base where they end; the next iteration starts from where they began.
            elapsed, travel = sum(map(net_period, body)), sum(map(net_advance, body))
            node = Loop(count, period - elapsed, loop.advance - travel, body)
        nodes.append(_merged(nodes.pop(), node) if nodes and _alike(nodes[-1], node) else node)
    return tuple(nodes)


def _alike(one: Node, other: Node) -> bool:
    return replace(one, count=0) == replace(other, count=0)


def _merged(one: Node, other: Node) -> Node:
    return replace(one, count=one.count + other.count)
