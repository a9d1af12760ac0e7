"""Simulated cycles per second of the compiled engine, every cycle stepped, the fabric in one piece.

    python benchmarks/bench_stepping.py

Three kinds of layer that fill the array: 3x3 convolution with one channel per virtual neuron, 1x1 convolution with 16
channels per virtual neuron in four folds, and a linear layer with up to 64 inputs per virtual neuron in 16 folds. In CPU
time, best of three runs after one that compiles. The cycles are exact, the speeds are this machine's. The last line is
JSON: the 3x3 layer's by multipliers, the others' under their names, and under ``stonne`` by kind and multipliers the speed with
STONNE's controller and queues as a share of that without, with STONNE's order of loops on both. What is timed are
the stepping kernels alone, called as the compiled engine calls them.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from reporting import Line, Report, best, run_measurement

from maerisim import Hardware, Mapping, Problem
from maerisim.engine.compiled.bit_planes import flatten_lanes
from maerisim.engine.compiled.fast_forward import recorded
from maerisim.kernels.stepping import ending, fast_forward
from maerisim.program.program import Program
from maerisim.ways.way import program_of

RUNS = 3
CYCLES_PER_CALL = 100_000
MULTIPLIERS = (16, 64, 256, 1024)
TARGETS = {64: 1_500_000, 256: 500_000, 1024: 120_000}
"""Cycles per second of the 3x3 layer, by multipliers."""

STONNE_SHARE, STONNE_ORDER = 0.75, "N G K P Q C R S"
"""The speed of the ``stonne`` profile as a share of the default's."""


class Case(NamedTuple):
    """A layer and its mapping; every multiplier that the virtual neurons can use is in use."""

    problem: Problem
    mapping: Mapping


def conv3x3(multipliers: int) -> Case:
    """Nine multipliers to a virtual neuron; planes large enough that setting up hardly counts."""
    filters, plane = multipliers // 9, {16: 64, 64: 56, 256: 56, 1024: 40}[multipliers]
    problem = Problem(K=2 * filters, C=8, R=3, S=3, P=plane, Q=plane)
    return Case(problem, Mapping.of({"R": 3, "S": 3, "K": filters}, "N G K C P Q R S"))


def conv1x1(multipliers: int) -> Case:
    """Sixteen channels to a virtual neuron."""
    filters, plane = multipliers // 16, {16: 112, 64: 96, 256: 56, 1024: 28}[multipliers]
    problem = Problem(K=2 * filters, C=64, P=plane, Q=plane)
    return Case(problem, Mapping.of({"C": 16, "K": filters}, "N G K C P Q R S"))


def linear(multipliers: int) -> Case:
    """As many inputs to a virtual neuron as there are multipliers, up to 64; every weight is used once."""
    inputs = min(64, multipliers)
    outputs = multipliers // inputs
    problem = Problem(K=outputs * {16: 1280, 64: 960, 256: 384, 1024: 96}[multipliers], C=16 * inputs)
    return Case(problem, Mapping.of({"C": inputs, "K": outputs}, "N G K C P Q R S"))


KINDS = {"3x3": conv3x3, "1x1": conv1x1, "linear": linear}


def step(program: Program, hardware: Hardware) -> int:
    """Step every cycle of a program, the whole fabric in one piece; return how many there were."""
    machine, record = recorded(flatten_lanes(program, hardware))
    status, cycles = ending.RUNNING, 0
    while status == ending.RUNNING:
        status, cycles, _ = fast_forward.run(machine, record, program.results, cycles, CYCLES_PER_CALL, False)
    return cycles


def stonne_share(kind: str, multipliers: int) -> Line:
    """How fast the ``stonne`` profile is stepped, as a share of the default's speed with the same mapping.

    Both run in turns, so that what else the machine does slows both.
    """
    problem, mapping = KINDS[kind](multipliers)
    mapping = replace(mapping, order=Mapping.of({}, STONNE_ORDER).order)
    of_array = {"multipliers": multipliers, "accumulation.words": problem.outputs}
    runs = []
    for name in ("maeri", "stonne"):
        hardware = Hardware.load(name).with_overrides(of_array)
        runs.append(partial(step, program_of(problem, mapping, hardware), hardware))
    turns = [[best(run, 1, time.process_time) for run in runs] for _ in range(RUNS)]
    usual, stonne = (min(seconds / cycles for seconds, cycles in column) for column in zip(*turns, strict=True))
    return Line(
        f"stonne, {kind:6} on {multipliers:>4} multipliers", usual / stonne, "of the default's", STONNE_SHARE, True
    )


def measure() -> Report:
    """Step each kind of layer on each size of array."""
    lines: list[Line] = []
    data: dict[str, Any] = {}
    for kind, case in KINDS.items():
        speeds = {}
        for multipliers in MULTIPLIERS:
            problem, mapping = case(multipliers)
            hardware = Hardware.load("maeri").with_overrides(
                {"multipliers": multipliers, "accumulation.words": problem.outputs}
            )
            program = program_of(problem, mapping, hardware)
            seconds, cycles = best(partial(step, program, hardware), RUNS, time.process_time)
            target = TARGETS.get(multipliers) if kind == "3x3" else None
            speeds[str(multipliers)] = {"cycles": cycles, "cycles_per_second": round(cycles / seconds)}
            name = f"{kind:6} on {multipliers:>4} multipliers"
            lines.append(Line(name, cycles / seconds, "cycles/s", target, True, f"{cycles:,} cycles stepped"))
        data |= speeds if kind == "3x3" else {kind: speeds}
    shares = {kind: {str(multipliers): stonne_share(kind, multipliers) for multipliers in TARGETS} for kind in KINDS}
    lines += [line for of_kind in shares.values() for line in of_kind.values()]
    data["stonne"] = {
        kind: {multipliers: round(line.value, 3) for multipliers, line in of_kind.items()}
        for kind, of_kind in shares.items()
    }
    return Report("Stepping every cycle", lines, data)


if __name__ == "__main__":
    run_measurement(measure, __doc__)
