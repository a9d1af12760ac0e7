"""What a study asks of the computer, before it begins: told where it is much, refused where it cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from maerisim.analytic.bounds import bound
from maerisim.hardware.hardware import MAX_MULTIPLIERS, Hardware
from maerisim.machine import Forecast, begin
from maerisim.study.layer import Simulation
from maerisim.study.tasks import FusedTask, StageTask, Study
from maerisim.text import plural
from maerisim.workload.problem import FusedProblem, Problem
from mapper.space import placed_switches

STEPPED, VALUES, EVENT = 2e8, 4e7, 1e5
"""Switches that are stepped in a second: without values and with them (``benchmarks/bench_stepping.py``), and by the event engine,
for which a word through a register of a long wire takes as long."""
REGISTER_BYTES = 500
"""Of a register of a long wire in the event engine, which has them all where a mapping uses all multipliers."""
FEW_SWITCHES = 20
"""As many as take as long as fewer, without values: what takes place once in every cycle."""
SEARCHED = 1e3
"""Multipliers for which a layer's mapping is found in a second, where bounds rule out most tiles."""
PLACED, PLACED_GROWTH = 1.3e-4, 2 / 3
MANY, FEWER_GROWTH = 64, 1.5
"""Seconds for the switches of all tiles with all their placements, and the power by which it takes longer for more of them, where there are so
many multipliers to a distribution port or more. With fewer of them more is ruled out, by about this power (measured on 256, 1,024 and 4,096
multipliers: 0.4 to 2.5 times as long for six layers).
"""
RANKED = 30.0
"""The same for multipliers to a collection bus, but no more seconds than these: rankings end after so much work."""
FUSED, FUSED_GROWTH = 7.5, 1.4
"""Seconds in which that of two fused layers is found on 256 multipliers, and the power of multipliers by which it takes longer (measured:
0.4 to 0.9 s on 16, 1.0 to 1.7 s on 64, 6 to 9 s on 256, 14 to 29 s on 512, 27 to 146 s on 1,024).
"""
SMALL, GROWTH = 2e6, 0.42
"""Where DRAM limits a layer the mappings that are judged are simulated in blocks: beyond so many operations that takes longer, by
about this power (measured on ``maeri-256-dram``: 0.7 s at 2e6, 2.7 s at 1e8, 16 s at 7e9, 38 s at 5e11 operations).
"""
SEARCHES_A_FRONT = 3
"""Searches as which the points of a front take as long (measured: 1 to 5 for four networks on 256 and 512 multipliers)."""
SEARCHES_A_CURVE = 8
"""Searches as which the mappings for up to six buffers take as long: what they share is looked for once, small buffers take
longer."""
SPARSE, SPARSE_BYTES, SPARSE_SEARCHED = 8e-6, 200, 150.0
"""Seconds, and bytes at the peak, for each nonzero weight of a sparse layer: its programs are made to find the mapping, and once more
to simulate it (measured: 6 to 20 us for large linear layers, more where each weight is used at many positions). On large fabrics also the
multipliers for which its mapping is found in a second (26 and 29 s on 4,096).
"""
PROFILED, REPLAYED = 128, 0.4
"""Multipliers for which a layer and what would relieve it are profiled in a second, and the seconds that its pictures take more."""
AT_REST = 250_000_000
"""Bytes of a process with everything loaded."""


def foresee(study: Study, simulation: Simulation | None) -> None:
    """Announce a study that takes long or needs much memory. Raises NotSupportedError where it needs more than there is."""
    begin(forecast(study, simulation))


def foresee_profiles(study: Study, *, replays: bool) -> None:
    """The same for profiles of every layer, with ``replays`` for pictures; each is mapped on twice the multipliers, too."""
    hardware, problems = study.hardware, {stage.problem for stage in study.stages}
    seconds = len(problems) * (hardware.multipliers / PROFILED + (REPLAYED if replays else 0.0))
    for problem in problems:
        for more in (1, 2) if 2 * hardware.multipliers <= MAX_MULTIPLIERS else (1,):
            seconds += placing_seconds(problem, hardware, more)
    begin(Forecast(seconds, AT_REST, "every layer is simulated with each resource doubled; --layer chooses some"))


def foresee_search(problem: Problem, hardware: Hardware) -> None:
    """The same for the search of one layer's mapping."""
    begin(Forecast(search_seconds(problem, hardware), AT_REST, "the mapping of a large layer is searched"))


def foresee_front(study: Study) -> None:
    """The same for fronts of cycles and energy."""
    problems = {stage.problem for stage in study.stages}
    seconds = SEARCHES_A_FRONT * sum(search_seconds(problem, study.hardware) for problem in problems)
    begin(Forecast(seconds, AT_REST, "every point of a front is searched; --layer chooses some"))


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
    most = inf if study.effort.seconds is None else study.effort.seconds
    searched = sum(min(most, search_seconds(task.problem, hardware)) for task in tasks.values() if task.mapping is None)
    seconds = searched
    why = "the mappings of many or large layers are searched" if searched else ""
    carried = simulation is not None and simulation.check_values
    if simulation is not None:
        stepped = sum(stepping_seconds(task.problem, hardware, simulation) for task in tasks.values())
        if stepped > seconds and _repeats(simulation):
            why = "each set of filters of a sparse layer has a program of its own"
        elif stepped > seconds:
            why = "values are carried" if carried else "every cycle is stepped"
            why += "; --scale MACS shrinks layers"
        seconds += stepped
    held = max((_bytes(problem, carried) for problem, _ in tasks), default=0)
    if simulation is not None and simulation.engine == "event":
        held += REGISTER_BYTES * hardware.multipliers * _registers(hardware)
    return Forecast(seconds, AT_REST + held, why)


def search_seconds(problem: Problem | FusedProblem, hardware: Hardware) -> float:
    """What it takes to find the mapping of a layer."""
    if isinstance(problem, FusedProblem):
        return float(FUSED * (hardware.multipliers / 256) ** FUSED_GROWTH)
    if problem.sparsity is not None:
        return SPARSE * problem.weights + hardware.multipliers / SPARSE_SEARCHED
    seconds = hardware.multipliers / SEARCHED
    if hardware.limits_memory:
        seconds *= max(1.0, problem.operations / SMALL) ** GROWTH
    return seconds + placing_seconds(problem, hardware)


def placing_seconds(problem: Problem, hardware: Hardware, more: int = 1) -> float:
    """What it takes to place the tiles of a layer that bounds do not rule out, with so many times ``more`` multipliers."""
    placed = PLACED * placed_switches(problem, more * hardware.multipliers) ** PLACED_GROWTH

    def seconds(resources: int) -> float:
        return float(min(1.0, more * hardware.multipliers / resources / MANY) ** FEWER_GROWTH * placed)

    return max(seconds(hardware.ports), min(RANKED, seconds(hardware.buses)))


def stepping_seconds(problem: Problem | FusedProblem, hardware: Hardware, how: Simulation) -> float:
    """What the programs of a sparse layer take, and the cycles that are stepped; those that recur take no time."""
    parts = problem.layers if isinstance(problem, FusedProblem) else (problem,)
    programs = sum(SPARSE * part.weights for part in parts if part.sparsity is not None)
    if _repeats(how):
        return programs
    cycles, switches = max(bound(part, hardware) for part in parts), hardware.multipliers
    if how.engine == "event":
        moved = sum(part.operations for part in parts) * _registers(hardware)
        return programs + (cycles * switches + moved) / EVENT
    if how.check_values:
        return programs + cycles * switches / VALUES
    if not hardware.controller.holds_ports_back and hardware.collection.write_back == "all":
        switches = hardware.leaves_per_port  # parts of a fabric that are equal are stepped once
    return programs + cycles * max(switches, FEW_SWITCHES) / STEPPED


def _registers(hardware: Hardware) -> int:
    """Those of long wires that a product passes at the least."""
    return hardware.multiplier.latency + hardware.reduction.latency - 2


def _repeats(how: Simulation) -> bool:
    """Whether cycles that recur take no time."""
    return how.engine == "compiled" and how.fast_forward and not how.check_values


def foresee_side_by_side(seconds: Sequence[float], processes: int | None, what: str, advice: str) -> None:
    """Announce pieces of work, ``what`` each is called, that take so long in so many ``processes``, or one for each core. Raises
    NotSupportedError where they need more memory than there is.
    """
    from joblib import cpu_count

    at_once = min(processes or cpu_count(), len(seconds))
    why = f"{plural(len(seconds), what)} on {plural(at_once, 'core')}; {advice}"
    begin(Forecast(max(sum(seconds) / at_once, *seconds), (1 + at_once) * AT_REST, why))


def _bytes(problem: Problem | FusedProblem, carried: bool) -> int:
    """The programs of a sparse layer; with values also operands and outputs, once as they are and once as NumPy multiplies them."""
    if isinstance(problem, FusedProblem):
        return sum(_bytes(layer, carried) for layer in problem.layers)
    programs = 0 if problem.sparsity is None else SPARSE_BYTES * problem.weights
    if not carried:
        return programs
    inputs = problem.N * problem.G * problem.C * problem.H * problem.W
    words = 2 * (inputs + problem.weights + problem.outputs) + problem.N * problem.G * problem.C * problem.P * problem.Q
    return programs + 8 * words
