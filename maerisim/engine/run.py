"""Run programs on the bare fabric, with either engine: nothing here knows the global buffer or DRAM.

:func:`maerisim.ways.way.simulate` runs a layer with all that is around the fabric.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np

from maerisim.arrays import Ints
from maerisim.counts.counters import Counters, sum_of
from maerisim.engine.compiled import run as compiled
from maerisim.engine.observers import Observer
from maerisim.engine.outcome import Progress, Run
from maerisim.errors import NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.memory.blocks import MemoryUse
from maerisim.program.program import Program
from maerisim.workload.reference import Operands

EngineName = Literal["compiled", "event"]
Engine = Callable[[Program, Hardware, Operands | None, Ints, Progress | None], Run]


@dataclass(frozen=True)
class RunOptions:
    """How programs run: with which ``engine``, and ``progress(results, of)`` that is called now and then.

    The compiled engine skips repetitions, exactly, unless values are carried or ``fast_forward`` is off. The event engine
    tells ``observers`` of everything that happens.
    """

    engine: EngineName = "compiled"
    fast_forward: bool = True
    progress: Progress | None = None
    observers: Sequence[Observer] = ()


AS_USUAL = RunOptions()


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


def run_programs(
    programs: Sequence[Program],
    hardware: Hardware,
    options: RunOptions = AS_USUAL,
    *,
    operands: Operands | None = None,
    output_shape: tuple[int, ...] = (),
) -> Result:
    """Run programs, each when the one before is done.

    With ``operands`` they carry values, and the result has outputs of ``output_shape``. Raises DeadlockError when a
    program cannot progress, NotSupportedError for values in lock step and for observers of the compiled engine.
    """
    if programs[0].control is not None and operands is not None:
        msg = f"hardware {hardware.name} carries no values: the RTL's testbench does not compute a convolution"
        raise NotSupportedError(msg)
    outputs = np.zeros(output_shape if operands is not None else 0, np.int64)
    expected = sum(program.results for program in programs)
    runs: list[Run] = []
    for program in programs:
        before = sum(each.counters.results for each in runs)
        report = None if options.progress is None else partial(_report, options.progress, before, expected)
        runs.append(_engine(program, options)(program, hardware, operands, outputs.reshape(-1), report))
    return Result(
        cycles=sum(run.cycles for run in runs),
        counters=sum_of([run.counters for run in runs]),
        outputs=None if operands is None else outputs,
        first_result=runs[0].first_result,
        stepped=sum(run.stepped for run in runs),
    )


def _report(progress: Progress, before: int, expected: int, results: int, _of_program: int) -> None:
    progress(before + results, expected)


def _engine(program: Program, options: RunOptions) -> Engine:
    if options.engine == "event":
        from maerisim.engine.event import fabric as event  # with SimPy, which no other engine needs
        from maerisim.engine.event.lock_step import fabric as lock_step

        return partial(event.run if program.control is None else lock_step.run, observers=options.observers)
    if options.observers:
        msg = "the compiled engine tells nobody what happens: observers need engine='event'"
        raise NotSupportedError(msg)
    return partial(compiled.run, fast_forward=options.fast_forward)
