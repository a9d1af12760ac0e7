"""Find the best mapping of a layer, whatever the layer and the controller: each kind of space has its search."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from maerisim.analytic.objective import Objective
from maerisim.errors import MappingError, NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.constraints import Constraint
from maerisim.ways.base import SpaceKind
from maerisim.ways.way import way_of
from maerisim.workload.problem import Problem
from mapper import lock_step, memory, proof, sparse
from mapper.choice import Choice, Watch
from mapper.proof import Effort
from mapper.space import space_of

EFFORT = Effort()
"""What a search does unless told otherwise."""


class Search(NamedTuple):
    """How a space is searched; where constraints are not supported, ``free`` says for what."""

    find: Callable[[Problem, Hardware, Objective, Sequence[Constraint], Effort, Watch | None], Choice]
    free: str = ""


def _to_proof(
    problem: Problem,
    hardware: Hardware,
    objective: Objective,
    constraints: Sequence[Constraint],
    effort: Effort,
    watch: Watch | None,
) -> Choice:
    return proof.best(space_of(problem, hardware, constraints), hardware, objective, effort, watch)


def _with_dram(
    problem: Problem, hardware: Hardware, objective: Objective, constraints: Sequence[Constraint], *_: object
) -> Choice:
    space = space_of(problem, hardware, constraints)
    return memory.best(memory.TilesOnFabric(space, hardware, objective), hardware, objective)


SEARCHES: dict[SpaceKind, Search] = {
    "tiles_and_orders": Search(_to_proof),
    "tiles_and_orders_in_blocks": Search(_with_dram),
    "sets_of_filters": Search(
        lambda problem, hardware, objective, *_: sparse.best(problem, hardware, objective), free="sparse layers"
    ),
    "one_layout": Search(
        lambda problem, hardware, *_: lock_step.only_layout(problem, hardware), free="the RTL's one layout of a layer"
    ),
}
"""The search of each kind of space that one layer can have; two fused layers have :mod:`mapper.fused`."""


def find_mapping(
    problem: Problem,
    hardware: Hardware,
    objective: Objective = "cycles",
    *,
    constraints: Sequence[Constraint] = (),
    effort: Effort = EFFORT,
    watch: Watch | None = None,
) -> Choice:
    """The best mapping in simulation of those that the constraints allow; the same for the same input, without ``seconds``.

    ``watch`` is called with the best so far while tiles and orders are searched to proof, each time that it gets better.
    A lock-step controller has one layout for a layer, which is taken; of sparse layers some mappings are looked at.
    Raises MappingError when nothing fits or the constraints leave nothing, NotSupportedError when the controller cannot
    run the layer.
    """
    way = way_of(problem, hardware)
    way.require_possible()
    search = SEARCHES[way.space]
    if search.free and constraints:
        raise NotSupportedError(f"constraints are not supported for {search.free}: {constraints[0]}")
    return search.find(problem, hardware, objective, constraints, effort, watch)


def find_by_buffer(
    problem: Problem, machines: Sequence[Hardware], objective: Objective, effort: Effort = EFFORT
) -> Iterator[Choice | MappingError]:
    """The best mapping of a layer for each size of the global buffer, in which alone the ``machines`` differ, or why there is none.

    What they have in common is looked for once. Raises NotSupportedError when the controller cannot run the layer.
    """
    way = way_of(problem, machines[0])
    way.require_possible()
    if way.space == "tiles_and_orders_in_blocks":
        yield from memory.best_by_buffer(problem, machines, objective)
        return
    for machine in machines:
        try:
            yield find_mapping(problem, machine, objective, effort=effort)
        except MappingError as error:
            yield error
