"""Run a mapping of a problem on a fabric, with either engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

import numpy as np

from maerisim.arrays import Ints
from maerisim.counts.counters import Counters, sum_of
from maerisim.engine.compiled import run as compiled
from maerisim.engine.event import fabric as event
from maerisim.engine.event.lock_step import fabric as lock_step
from maerisim.engine.observers import Observer
from maerisim.engine.outcome import Progress, Run
from maerisim.errors import NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.lowering.dense import lower, padded
from maerisim.lowering.fused import lower_fused
from maerisim.lowering.programs import programs
from maerisim.lowering.rtl_testbench import lower_testbench
from maerisim.mapping.fused import FusedMapping
from maerisim.mapping.mapping import Mapping
from maerisim.memory.blocks import MemoryUse
from maerisim.program.program import Program
from maerisim.rtl.memory import Files
from maerisim.workload.problem import FusedProblem, Problem
from maerisim.workload.reference import FusedOperands, Operands

EngineName = Literal["compiled", "event"]
Engine = Callable[[Program, Hardware, Operands | None, Ints, Progress | None], Run]


@dataclass(frozen=True)
class Result:
    """What a run gives: ``cycles`` from the first word sent to the last result written, counts, the outputs
    (N, G, K, P, Q) when operands were given, and the cycles up to the first result. ``stepped`` counts the cycles that
    were not skipped, over all parts of the fabric that ran apart. ``memory`` is what the system level did where it is
    modelled (:mod:`maerisim.ways.in_blocks`).
    """

    cycles: int
    counters: Counters
    outputs: Ints | None
    first_result: int = 0
    stepped: int = field(default=0, compare=False)
    memory: MemoryUse | None = None


def simulate(
    problem: Problem,
    mapping: Mapping,
    hardware: Hardware,
    *,
    engine: EngineName = "compiled",
    operands: Operands | None = None,
    progress: Progress | None = None,
    fast_forward: bool = True,
    observers: Sequence[Observer] = (),
) -> Result:
    """Lower ``problem`` with ``mapping`` and run it on ``hardware``; the programs of a sparse layer follow one another.

    ``operands`` makes the run carry values; ``progress(results, of)`` is called now and then. The compiled
    engine skips repetitions, exactly, unless values are carried or ``fast_forward`` is off. The event engine tells
    ``observers`` of everything that happens. Raises MappingError when the mapping does not fit, DeadlockError when the
    program cannot progress and NotSupportedError for observers of the compiled engine.
    """
    how: Any = {"engine": engine, "progress": progress, "fast_forward": fast_forward, "observers": observers}
    if not hardware.controller.pad_edges:
        return run_in_turn(programs(problem, mapping, hardware), problem, hardware, operands=operands, **how)
    program = lower(problem, mapping, hardware)
    whole = padded(problem, mapping)
    filled = None if operands is None else _filled(operands, whole)
    result = run(program, whole, hardware, operands=filled, **how)
    if result.outputs is None:
        return result
    wanted = tuple(slice(size) for size in (problem.N, problem.G, problem.K, problem.P, problem.Q))
    return replace(result, outputs=result.outputs[wanted])


def simulate_fused(
    problem: FusedProblem,
    mapping: FusedMapping,
    hardware: Hardware,
    *,
    engine: EngineName = "compiled",
    operands: FusedOperands | None = None,
    progress: Progress | None = None,
    fast_forward: bool = True,
    observers: Sequence[Observer] = (),
) -> Result:
    """Run two fused layers at the same time; the outputs are those of the second. See :func:`simulate`."""
    program = lower_fused(problem, mapping, hardware)
    results = np.zeros(problem.first.outputs + problem.outputs if operands is not None else 0, np.int64)
    words = None
    if operands is not None:
        first, weights = operands
        words = Operands(first.inputs.ravel(), np.concatenate([first.weights.ravel(), weights.ravel()]))
    run_with = _engine(program, engine, fast_forward=fast_forward, observers=observers)
    run = run_with(program, hardware, words, results, progress)
    second = problem.second
    shape = (second.N, second.G, second.K, second.P, second.Q)
    return _result([run], None if words is None else results[problem.first.outputs :].reshape(shape))


def _filled(operands: Operands, problem: Problem) -> Operands:
    """The operands with zeros up to the sizes of ``problem``."""
    return Operands(_fill(operands.inputs, problem.input_shape), _fill(operands.weights, problem.weight_shape))


def _fill(array: Ints, shape: tuple[int, ...]) -> Ints:
    result = np.zeros(shape, np.int64)
    kept = tuple(slice(min(have, want)) for have, want in zip(array.shape, shape, strict=True))
    result[kept] = array[kept]
    return result


def run(program: Program, problem: Problem, hardware: Hardware, **how: Any) -> Result:
    """Run a program that was lowered from ``problem``; see :func:`simulate` for ``how``."""
    return run_in_turn((program,), problem, hardware, **how)


def run_in_turn(
    sequence: Sequence[Program],
    problem: Problem,
    hardware: Hardware,
    *,
    engine: EngineName = "compiled",
    operands: Operands | None = None,
    progress: Progress | None = None,
    fast_forward: bool = True,
    observers: Sequence[Observer] = (),
) -> Result:
    """Run the programs that ``problem`` was lowered to, each when the one before is done; see :func:`simulate`."""
    if sequence[0].control is not None and operands is not None:
        msg = f"hardware {hardware.name} carries no values: the RTL's testbench does not compute a convolution"
        raise NotSupportedError(msg)
    outputs = np.zeros(problem.outputs if operands is not None else 0, np.int64)
    expected = sum(program.results for program in sequence)
    runs: list[Run] = []
    for program in sequence:
        before = sum(each.counters.results for each in runs)
        report = None if progress is None else partial(_report, progress, before, expected)
        run_with = _engine(program, engine, fast_forward=fast_forward, observers=observers)
        runs.append(run_with(program, hardware, operands, outputs, report))
    shape = (problem.N, problem.G, problem.K, problem.P, problem.Q)
    return _result(runs, outputs.reshape(shape) if operands is not None else None)


def _report(progress: Progress, before: int, expected: int, results: int, _of_program: int) -> None:
    progress(before + results, expected)


def _result(runs: Sequence[Run], outputs: Ints | None) -> Result:
    """The result of runs one after the other."""
    return Result(
        cycles=sum(run.cycles for run in runs),
        counters=sum_of([run.counters for run in runs]),
        outputs=outputs,
        first_result=runs[0].first_result,
        stepped=sum(run.stepped for run in runs),
    )


def simulate_testbench(
    files: Files,
    hardware: Hardware,
    *,
    engine: EngineName = "compiled",
    progress: Progress | None = None,
    observers: Sequence[Observer] = (),
) -> Result:
    """Run the layer of ``files`` as the published RTL's testbench does, on adder switches configured as they say.

    Raises NotSupportedError when the RTL cannot run it and DeadlockError when it hangs there too.
    """
    program = lower_testbench(files, hardware)
    run_with = _engine(program, engine, observers=observers)
    return _result([run_with(program, hardware, None, np.zeros(0, np.int64), progress)], None)


def _engine(
    program: Program, name: EngineName, *, fast_forward: bool = True, observers: Sequence[Observer] = ()
) -> Engine:
    if name == "event":
        return partial(event.run if program.control is None else lock_step.run, observers=observers)
    if observers:
        msg = "the compiled engine tells nobody what happens: observers need engine='event'"
        raise NotSupportedError(msg)
    return partial(compiled.run, fast_forward=fast_forward)
