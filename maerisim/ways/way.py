"""The way in which a layer runs on a machine, chosen once, and all that is asked of it.

:func:`simulate` and :func:`estimate` are complete: global buffer and DRAM included. Each function here checks its mapping:
NotSupportedError when no mapping of the layer can run on the hardware, MappingError with every rule that this one violates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

from maerisim.analytic.predicted import Estimate
from maerisim.engine.observers import Observer
from maerisim.engine.outcome import Progress
from maerisim.engine.run import EngineName, Result, RunOptions
from maerisim.errors import NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.fused import FusedMapping
from maerisim.mapping.mapping import Mapping
from maerisim.memory.blocks import Shape
from maerisim.program.program import Program
from maerisim.ways.base import LayerWay, Way
from maerisim.ways.dense import Dense
from maerisim.ways.fused import TwoAtOnce
from maerisim.ways.in_blocks import InBlocks
from maerisim.ways.lock_step import LockStep, is_in_lock_step
from maerisim.ways.sparse import Sparse
from maerisim.workload.problem import FusedProblem, Problem
from maerisim.workload.reference import FusedOperands, Operands

AnyWay = Way[Any, Any, Any]
AnyProblem = Problem | FusedProblem
AnyMapping = Mapping | FusedMapping


@overload
def way_of(problem: Problem, hardware: Hardware) -> LayerWay: ...
@overload
def way_of(problem: FusedProblem, hardware: Hardware) -> TwoAtOnce: ...
@overload
def way_of(problem: AnyProblem, hardware: Hardware) -> AnyWay: ...
def way_of(problem: AnyProblem, hardware: Hardware) -> AnyWay:
    """The way in which a layer, or two fused ones, runs on a piece of hardware."""
    if isinstance(problem, FusedProblem):
        return TwoAtOnce(problem, hardware)
    on_fabric: LayerWay
    if is_in_lock_step(hardware):
        on_fabric = LockStep(problem, hardware)
    elif problem.sparsity is not None:
        on_fabric = Sparse(problem, hardware)
    else:
        on_fabric = Dense(problem, hardware)
    return InBlocks(problem, hardware, on_fabric) if hardware.limits_memory else on_fabric


def refusals(problem: AnyProblem, hardware: Hardware) -> list[str]:
    """Why no mapping of ``problem`` can run on ``hardware``; empty when one may. Raises nothing."""
    return way_of(problem, hardware).refusals()


def violations(problem: AnyProblem, mapping: AnyMapping, hardware: Hardware) -> list[str]:
    """Every rule that ``mapping`` violates, in words with numbers; empty when it can run. Raises nothing."""
    return way_of(problem, hardware).violations(mapping)


def simulate(
    problem: AnyProblem,
    mapping: AnyMapping,
    hardware: Hardware,
    *,
    engine: EngineName = "compiled",
    operands: Operands | FusedOperands | None = None,
    progress: Progress | None = None,
    fast_forward: bool = True,
    observers: Sequence[Observer] = (),
) -> Result:
    """Run a layer, or two fused ones, on ``hardware`` with all that is around the fabric.

    ``operands`` makes the run carry values; ``progress(results, of)`` is called now and then. The compiled engine skips
    repetitions, exactly, unless values are carried or ``fast_forward`` is off; the event engine does the system level in
    SimPy too, and tells ``observers`` of everything that happens on the fabric. Raises DeadlockError when a program
    cannot progress.
    """
    way = way_of(problem, hardware)
    options = RunOptions(engine, fast_forward, progress, observers)
    return way.simulate(way.legal(mapping), operands, options)


def estimate(problem: AnyProblem, mapping: AnyMapping, hardware: Hardware) -> Estimate:
    """What a mapping should cost, with its traffic to DRAM."""
    way = way_of(problem, hardware)
    return way.estimate(way.legal(mapping))


def programs(problem: AnyProblem, mapping: AnyMapping, hardware: Hardware) -> tuple[Program, ...]:
    """The programs that run ``problem`` in one piece, one after the other: mostly one, of a sparse layer one for each set
    of filters.
    """
    way = way_of(problem, hardware)
    return way.programs(way.legal(mapping))


def program_of(problem: AnyProblem, mapping: AnyMapping, hardware: Hardware) -> Program:
    """The one program that runs ``problem``. Raises NotSupportedError for a sparse layer, which takes several."""
    way = way_of(problem, hardware)
    if way.space == "sets_of_filters":
        msg = "a sparse layer runs as a program for each set of filters, expected one (see simulate --print-program)"
        raise NotSupportedError(msg)
    (program,) = way.programs(way.legal(mapping))
    return program


def shapes(problem: Problem, mapping: Mapping, hardware: Hardware) -> list[Shape]:
    """What runs on the fabric: the layer, or the kinds of blocks that it is cut into and how many there are of each."""
    way = way_of(problem, hardware)
    return way.shapes(way.legal(mapping))
