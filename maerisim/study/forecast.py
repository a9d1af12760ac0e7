"""What a study asks of the computer, before it begins: told where it is much, refused where it cannot be."""

from __future__ import annotations

from maerisim.analytic.bounds import bound
from maerisim.hardware.hardware import Hardware
from maerisim.machine import Forecast, begin
from maerisim.study.layer import Simulation
from maerisim.study.tasks import FusedTask, StageTask, Study
from maerisim.workload.problem import FusedProblem, Problem

STEPPED, VALUES, EVENT = 6e7, 2e7, 2e4
"""Switches that are stepped in a second: without values and with them (``benchmarks/bench_stepping.py``), and by the event engine."""
SEARCHED = 1e3
"""Multipliers for which a layer's mapping is found in a second."""
SMALL, GROWTH = 2e6, 0.42
"""Where DRAM limits a layer the mappings that are judged are simulated in blocks: beyond so many operations that takes longer, by
about this power (measured on ``maeri-256-dram``: 0.7 s at 2e6, 2.7 s at 1e8, 16 s at 7e9, 38 s at 5e11 operations).
"""
SEARCHES_A_CURVE = 8
"""Searches as which the mappings for up to six buffers take as long: what they share is looked for once, small buffers take
longer."""
AT_REST = 250_000_000
"""Bytes of a process with everything loaded."""


def foresee(study: Study, simulation: Simulation | None) -> None:
    """Announce a study that takes long or needs much memory. Raises NotSupportedError where it needs more than there is."""
    begin(forecast(study, simulation))


def foresee_curves(study: Study, hardware: Hardware) -> None:
    """The same for curves of buffers, of ``hardware`` that has one."""
    problems = {stage.problem for stage in study.stages}
    seconds = SEARCHES_A_CURVE * sum(search_seconds(problem, hardware) for problem in problems)
    begin(Forecast(seconds, AT_REST, "every layer is mapped for several buffers; --layer chooses some"))


def forecast(study: Study, simulation: Simulation | None) -> Forecast:
    """The least that a study is going to take, of equal layers once: as many cycles as any mapping needs."""
    hardware = study.hardware
    pairs = [task for task in study.tasks if isinstance(task, FusedTask)]
    every: list[StageTask | FusedTask] = [*study.stages, *pairs]
    tasks = {(task.problem, task.mapping): task for task in every}
    searched = sum(search_seconds(task.problem, hardware) for task in tasks.values() if task.mapping is None)
    seconds, words = searched, 0
    why = "the mappings of many layers are searched" if searched else ""
    carried = simulation is not None and simulation.check_values
    if simulation is not None:
        stepped = sum(stepping_seconds(task.problem, hardware, simulation) for task in tasks.values())
        if stepped > seconds:
            why = "values are carried" if carried else "every cycle is stepped"
            why += "; --scale MACS shrinks layers"
        seconds += stepped
    if carried:
        words = max((_words(task.problem) for task in tasks.values()), default=0)
    return Forecast(seconds, AT_REST + 8 * words, why)


def search_seconds(problem: Problem | FusedProblem, hardware: Hardware) -> float:
    """What it takes to find the mapping of a layer."""
    seconds = hardware.multipliers / SEARCHED
    return seconds * max(1.0, problem.operations / SMALL) ** GROWTH if hardware.limits_memory else seconds


def stepping_seconds(problem: Problem | FusedProblem, hardware: Hardware, how: Simulation) -> float:
    """What the cycles take that are stepped; those that recur take no time."""
    parts = problem.layers if isinstance(problem, FusedProblem) else (problem,)
    recurs = how.fast_forward and len(parts) == 1 and hardware.controller.kind != "lock_step"
    if how.engine == "compiled" and recurs and not how.check_values:
        return 0.0
    speed = EVENT if how.engine == "event" else VALUES if how.check_values else STEPPED
    cycles = max(bound(part, hardware) for part in parts)
    return cycles * hardware.multipliers / speed


def _words(problem: Problem | FusedProblem) -> int:
    """Operands and outputs, once as they are and once as NumPy multiplies them."""
    if isinstance(problem, FusedProblem):
        return sum(map(_words, problem.layers))
    inputs = problem.N * problem.G * problem.C * problem.H * problem.W
    return 2 * (inputs + problem.weights + problem.outputs) + problem.N * problem.G * problem.C * problem.P * problem.Q
