"""One layer of a study, or two fused ones: mapped, simulated, and the values compared with NumPy's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from maerisim.analytic.objective import Objective
from maerisim.analytic.predicted import Estimate
from maerisim.engine.outcome import Progress
from maerisim.engine.run import EngineName
from maerisim.errors import ValuesError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.fused import FusedMapping
from maerisim.mapping.mapping import Mapping
from maerisim.reports.findings import FusedReport, LayerReport
from maerisim.study.tasks import FusedTask, StageTask
from maerisim.ways.sequence import simulate_sequence
from maerisim.ways.way import estimate, simulate
from maerisim.workload.recurrence import random_sequence, reference_states
from maerisim.workload.recurrent import Recurrent
from maerisim.workload.reference import (
    fused_reference,
    random_fused_operands,
    random_operands,
    reference_outputs,
)
from mapper import Choice, Effort, Watch, explain_choice, find_fused, find_mapping

OPERAND_SEED = 0
"""Seed of the data with which values are checked."""


@dataclass(frozen=True)
class Simulation:
    """How to simulate: ``engine`` is ``compiled`` or ``event``; ``check_values`` compares outputs with NumPy's.

    Without ``fast_forward`` every cycle is stepped, even where the state of the fabric recurs.
    """

    engine: EngineName = "compiled"
    check_values: bool = False
    fast_forward: bool = True


def map_layer(
    task: StageTask,
    hardware: Hardware,
    objective: Objective,
    effort: Effort | None = None,
    *,
    explain: bool = False,
    watch: Watch | None = None,
) -> LayerReport:
    """A layer with its given mapping, or else with the best that the mapper finds, explained on demand.

    ``watch`` is called with the best so far.
    """
    if task.mapping is not None:
        return report_of(task, task.mapping, estimate(task.problem, task.mapping, hardware))
    choice = find_mapping(
        task.problem,
        hardware,
        objective,
        constraints=task.constraints,
        effort=Effort() if effort is None else effort,
        watch=watch,
    )
    report = chosen(task, choice)
    if not explain:
        return report
    explanation = explain_choice(task.problem, hardware, choice, objective, constraints=task.constraints)
    return replace(report, explanation=explanation)


def chosen(task: StageTask, choice: Choice) -> LayerReport:
    """A layer with what the mapper chose for it."""
    return replace(
        report_of(task, choice.mapping, choice.estimate),
        candidates=choice.candidates,
        reason=choice.reason,
        certificate=choice.certificate,
    )


def report_of(task: StageTask, mapping: Mapping, expected: Estimate) -> LayerReport:
    """A layer with a mapping."""
    return LayerReport(
        name=task.name,
        op=task.op,
        count=task.count,
        problem=task.problem,
        mapping=mapping,
        estimate=expected,
        operations_before_scaling=task.operations_before_scaling,
    )


def estimated(layer: LayerReport, mapping: Mapping, hardware: Hardware) -> LayerReport:
    """The layer with another mapping. Raises MappingError when it does not fit."""
    return replace(layer, mapping=mapping, estimate=estimate(layer.problem, mapping, hardware), result=None)


def simulated(
    layer: LayerReport, hardware: Hardware, how: Simulation | None = None, progress: Progress | None = None
) -> LayerReport:
    """The layer with its result. Raises ValuesError when its outputs are checked and one differs from NumPy's."""
    how = how or Simulation()
    operands = random_operands(layer.problem, OPERAND_SEED) if how.check_values else None
    result = simulate(
        layer.problem,
        layer.mapping,
        hardware,
        engine=how.engine,
        operands=operands,
        progress=progress,
        fast_forward=how.fast_forward,
    )
    if operands is not None:
        require_equal(result.outputs, reference_outputs(layer.problem, operands))
    return replace(layer, result=result, values_checked=how.check_values)


def map_fused(task: FusedTask, hardware: Hardware, objective: Objective) -> FusedReport:
    """Fused layers with their given mapping, or else with the best that the mapper finds."""
    if task.mapping is not None:
        return fused_report_of(task, task.mapping, estimate(task.problem, task.mapping, hardware))
    choice = find_fused(task.problem, hardware, objective)
    return replace(
        fused_report_of(task, choice.mapping, choice.estimate),
        candidates=choice.candidates,
        reason=choice.reason,
        cycles_apart=choice.apart.cycles,
    )


def fused_report_of(task: FusedTask, mapping: FusedMapping, expected: Estimate) -> FusedReport:
    """Fused layers with a mapping."""
    return FusedReport(
        name=task.name,
        parts=task.parts,
        count=task.count,
        problem=task.problem,
        mapping=mapping,
        estimate=expected,
        operations_before_scaling=task.operations_before_scaling,
    )


def simulated_fused(
    layer: FusedReport, hardware: Hardware, how: Simulation, progress: Progress | None = None
) -> FusedReport:
    """The same as ``simulated`` for two fused layers."""
    operands = random_fused_operands(layer.problem, OPERAND_SEED) if how.check_values else None
    result = simulate(
        layer.problem,
        layer.mapping,
        hardware,
        engine=how.engine,
        operands=operands,
        progress=progress,
        fast_forward=how.fast_forward,
    )
    if operands is not None:
        require_equal(result.outputs, fused_reference(layer.problem, operands))
    return replace(layer, result=result, values_checked=how.check_values)


def check_sequence(
    layer: Recurrent,
    stages: Sequence[LayerReport],
    hardware: Hardware,
    how: Simulation,
    progress: Callable[[int], None],
) -> None:
    """Run a layer's whole sequence with values. Raises ValuesError when a state differs from NumPy's."""
    operands = random_sequence(layer, OPERAND_SEED)
    mappings = {stage.name: stage.mapping for stage in stages}
    result = simulate_sequence(layer, mappings, hardware, operands, engine=how.engine, progress=progress)
    for found, expected in zip(result.states, reference_states(layer, operands), strict=True):
        require_equal(found, expected)


def require_equal(outputs: NDArray[np.int64] | None, expected: NDArray[np.int64]) -> None:
    """Raises ValuesError that names the first output that differs and counts the others."""
    if outputs is None or outputs.shape != expected.shape:
        found = "none" if outputs is None else f"shape {outputs.shape}"
        msg = f"expected outputs of shape {expected.shape}, found {found}"
        raise ValuesError(msg)
    wrong = np.argwhere(outputs != expected)
    if len(wrong):
        first = tuple(int(index) for index in wrong[0])
        msg = (
            f"{len(wrong):,} of {expected.size:,} outputs differ from NumPy's; the first is {first}: "
            f"expected {expected[first]}, simulated {outputs[first]} (this is a defect of maerisim, please report it)"
        )
        raise ValuesError(msg)
