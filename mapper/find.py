"""Find the best mapping of a layer, whatever the layer and the controller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from maerisim.errors import MappingError, NotSupportedError
from maerisim.estimate.certificate import Certificate
from maerisim.estimate.objective import Objective, score
from maerisim.estimate.predicted import Estimate
from maerisim.estimate.ranking import rank
from maerisim.hardware.hardware import Hardware
from maerisim.lowering.programs import refusals
from maerisim.mapping.constraints import Constraint
from maerisim.mapping.mapping import Mapping
from maerisim.rtl.layer import choose
from maerisim.ways.in_blocks import estimate, simulate
from maerisim.workload.problem import Problem
from mapper import memory, sparse
from mapper.search import Effort, search
from mapper.space import Space, space_of

EFFORT = Effort()
"""What a search does unless told otherwise."""


@dataclass(frozen=True)
class Choice:
    """The mapping chosen: ``candidates`` were estimated, ``reason`` says in a sentence why this one won.

    The ``certificate`` says how far from the best it can be; None where there is no search to proof.
    """

    mapping: Mapping
    estimate: Estimate
    candidates: int
    reason: str
    certificate: Certificate | None = None


def find_mapping(
    problem: Problem,
    hardware: Hardware,
    objective: Objective = "cycles",
    *,
    constraints: Sequence[Constraint] = (),
    effort: Effort = EFFORT,
) -> Choice:
    """The best mapping in simulation of those that the constraints allow; the same for the same input, without ``seconds``.

    A lock-step controller has one layout for a layer, which is taken; of sparse layers some mappings are looked at.
    Raises MappingError when nothing fits or the constraints leave nothing, NotSupportedError when the controller cannot
    run the layer.
    """
    refused = refusals(problem, hardware)
    if refused:
        rtl = "the RTL cannot run this layer: " if hardware.controller.kind == "lock_step" else ""
        raise NotSupportedError("\n".join(rtl + reason for reason in refused))
    special = hardware.controller.kind == "lock_step" or problem.sparsity is not None
    if special and constraints:
        what = "sparse layers" if problem.sparsity is not None else "the RTL's one layout of a layer"
        raise NotSupportedError(f"constraints are not supported for {what}: {constraints[0]}")
    if hardware.controller.kind == "lock_step":
        return _only_layout(problem, hardware)
    if problem.sparsity is not None:
        return _sparse(problem, hardware, objective)
    return best_of(space_of(problem, hardware, constraints), hardware, objective, effort)


def best_of(space: Space, hardware: Hardware, objective: Objective = "cycles", effort: Effort = EFFORT) -> Choice:
    """The best mapping of a space. Raises MappingError when no loop order fits any of its tiles.

    Where the global buffer or DRAM limits the layer there is no proof: see :mod:`mapper.memory`.
    """
    if hardware.limits_memory:
        return _with_dram(space, hardware, objective)
    found = search(space, hardware, objective, effort)
    if found is None:
        raise _nothing_fits(space, hardware)
    reason = f"{_pace(found.estimate, hardware)}; {found.certificate}"
    return Choice(found.mapping, found.estimate, found.certificate.estimated, reason, found.certificate)


@dataclass(frozen=True)
class Point:
    """A mapping on the front of cycles and energy; ``cycles`` are simulated."""

    choice: Choice
    cycles: int
    energy: float


def find_front(problem: Problem, hardware: Hardware, *, constraints: Sequence[Constraint] = ()) -> list[Point]:
    """The mappings of which no other takes both fewer cycles and less energy, the fastest first.

    The front is complete by estimate: each point has the fewest estimated cycles of all mappings of less energy than the
    point before. Points are simulated, and left out when another one turns out to be as fast for less energy. Raises what
    ``find_mapping`` raises; NotSupportedError also for sparse layers and lock-step controllers, which have no front.
    """
    if hardware.controller.kind == "lock_step" or problem.sparsity is not None or hardware.limits_memory:
        raise NotSupportedError(
            "a front of cycles and energy is supported for dense layers on decoupled controllers only, without limits of "
            "global buffer and DRAM"
        )
    space = space_of(problem, hardware, constraints)
    points: list[Point] = []
    energy = inf
    while True:
        ranking = rank(
            problem, hardware, space.tiles, orders=space.orders, placements=space.placements, energy_below=energy
        )
        if not ranking.best:
            break
        found = ranking.best[0]
        energy = found.estimate.counters.energy(hardware.energy)
        cycles = simulate(problem, found.mapping, hardware).cycles
        reason = f"{_pace(found.estimate, hardware)}; fastest of all mappings of less energy than the one before"
        points.append(Point(Choice(found.mapping, found.estimate, ranking.estimated, reason), cycles, energy))
    if not points:
        raise _nothing_fits(space, hardware)
    return [
        point for place, point in enumerate(points) if all(point.cycles < other.cycles for other in points[place + 1 :])
    ]


def _with_dram(space: Space, hardware: Hardware, objective: Objective) -> Choice:
    """The best mapping of a space with DRAM, by estimate."""
    found = memory.best(space, hardware, objective)
    if found is None:
        raise _nothing_fits(space, hardware)
    share = found.estimate.bound_cycles / found.estimate.cycles
    reason = (
        f"{_pace(found.estimate, hardware)}; {share:.0%} of the bound of any mapping; best with DRAM of {found.judged} tiles "
        f"that are best on the fabric"
    )
    return Choice(found.mapping, found.estimate, found.estimated, reason)


def _nothing_fits(space: Space, hardware: Hardware) -> MappingError:
    return MappingError("mapper", [f"none of {len(space.tiles):,} tiles fits {hardware.multipliers} multipliers"])


def _only_layout(problem: Problem, hardware: Hardware) -> Choice:
    """The layout that the published RTL's testbench has for a layer, with as many virtual neurons as its switches sum."""
    placement = choose(problem, hardware)
    tile = {"K": placement.vn_count, "C": placement.channels, "R": problem.R, "S": problem.S}
    mapping = Mapping.of(tile, "N G C R S K P Q")
    reason = f"the one layout that the RTL's testbench walks, with the {placement.vn_count} virtual neurons that work"
    return Choice(mapping, estimate(problem, mapping, hardware), 1, reason)


def _sparse(problem: Problem, hardware: Hardware, objective: Objective) -> Choice:
    """The best mapping of a sparse layer, judged by its programs."""

    def scored(expected: Estimate, rounds: float) -> tuple[float, float]:
        return score(objective, expected.cycles * rounds, expected.counters.energy(hardware.energy) * rounds)

    mapping, candidates = sparse.find(problem, hardware, scored)
    expected = estimate(problem, mapping, hardware)
    share = expected.bound_cycles / expected.cycles
    reason = (
        f"{_pace(expected, hardware)}; {share:.0%} of the bound of any mapping; judged by the programs of some rounds"
    )
    return Choice(mapping, expected, candidates, reason)


def _pace(expected: Estimate, hardware: Hardware) -> str:
    """What sets the pace of a mapping."""
    return {
        "multipliers": f"all {hardware.multipliers} multipliers have work in every control step",
        "distribution": f"the busiest of {hardware.ports} distribution ports sets the pace",
        "collection": f"the busiest of {hardware.buses} collection buses sets the pace",
        "dram": f"DRAM sets the pace with {hardware.dram.bandwidth} words a cycle",
    }[expected.limited_by]
