"""Turn temporal loops into the node tree of a thread, splitting off iterations only where they differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import numpy as np

from maerisim.program.program import Loop, Node, Step, Thread

T = TypeVar("T")


class Turn(NamedTuple):
    """Which iteration of a loop this is: the first, the last, both (a single one) or neither; its number where told."""

    first: bool
    last: bool
    number: int = 0


Context = Mapping[str, Turn]


@dataclass(frozen=True)
class TemporalLoop:
    """``trips`` iterations over the tiles of ``dimension``, ``period`` control steps apart.

    Each moves the base address of the operand by ``advance`` words. ``split_first``, ``split_last`` and ``split_each``
    say that this or that iteration, or every one, needs a template of its own.
    """

    dimension: str
    trips: int
    period: int
    advance: int
    split_first: bool = False
    split_last: bool = False
    split_each: bool = False

    def parts(self) -> list[tuple[int, Turn]]:
        """(iterations, turn) runs of iterations that share their templates."""
        if self.trips == 1:
            return [(1, Turn(True, True))]
        if self.split_each:
            return [(1, Turn(index == 0, index == self.trips - 1, index)) for index in range(self.trips)]
        middle = self.trips - self.split_first - self.split_last
        runs = [(int(self.split_first), Turn(True, False)), (middle, Turn(False, False))]
        runs.append((int(self.split_last), Turn(False, True)))
        return [(count, turn) for count, turn in runs if count]


def build_thread(
    name: str,
    loops: Sequence[TemporalLoop],
    context: dict[str, Turn],
    make: Callable[[Context], T],
    first_step: int = 0,
) -> Thread[T]:
    """A thread of ``loops`` (outermost first) whose templates ``make`` gives for each context; equal ones are shared.

    ``context`` holds the turns of the dimensions that are not among the loops.
    """
    templates: list[T] = []
    by_context: dict[tuple[Turn, ...], int] = {}
    by_content: dict[bytes, int] = {}

    def template_for(context: Context) -> int:
        key = tuple(context[loop.dimension] for loop in loops)
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

    ``context`` holds the turns of the dimensions that are not among the loops. Neighbouring runs that turn out equal
    are merged.
    """
    if not loops:
        return (Step(template_for(context), 1, 1, 0),)
    loop, inner = loops[0], loops[1:]
    # The inner loops leave the base where their outermost one ends; the next iteration starts from where they began.
    travel = sum(later.trips * later.advance for later in inner[:1])
    elapsed = sum(later.trips * later.period for later in inner[:1])
    nodes: list[Node] = []
    for count, turn in loop.parts():
        body = build_nest(inner, {**context, loop.dimension: turn}, template_for)
        node: Node
        if not inner and isinstance(body[0], Step):
            node = Step(body[0].template, count, loop.period, loop.advance)
        else:
            node = Loop(count, loop.period - elapsed, loop.advance - travel, body)
        nodes.append(_merged(nodes.pop(), node) if nodes and _alike(nodes[-1], node) else node)
    return tuple(nodes)


def _alike(one: Node, other: Node) -> bool:
    return replace(one, count=0) == replace(other, count=0)


def _merged(one: Node, other: Node) -> Node:
    return replace(one, count=one.count + other.count)
