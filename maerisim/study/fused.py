"""Mapping and simulating two fused layers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from maerisim.engine.outcome import Progress
from maerisim.engine.run import EngineName, Result
from maerisim.errors import NotSupportedError
from maerisim.estimate.objective import Objective
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.constraints import ConstraintFile
from maerisim.mapping.document import MappingFile
from maerisim.mapping.fused import FusedMapping
from maerisim.report.findings import FusedReport, UnsupportedLayer
from maerisim.ways.way import estimate, refusals, simulate
from maerisim.workload.layers import Fused, part_name
from maerisim.workload.problem import FusedProblem
from maerisim.workload.reference import fused_reference, random_fused_operands
from mapper import find_fused


@dataclass(frozen=True)
class FusedTask:
    """Two layers, called ``parts``, that will run at the same time."""

    name: str
    parts: tuple[str, str]
    count: int
    problem: FusedProblem
    operations_before_scaling: int | None = None
    mapping: FusedMapping | None = None

    @property
    def stage_names(self) -> tuple[str, str]:
        """The names by which the network knows its layers."""
        first, second = self.parts
        return part_name(self.name, first), part_name(self.name, second)


def task_of(layer: Fused, hardware: Hardware, scale: int | None, *, fusing: bool) -> FusedTask | UnsupportedLayer:
    """The task of two fused layers; where they cannot run at the same time they are no task."""
    problem = layer.fused if scale is None else layer.fused.scaled(scale)
    before = layer.fused.operations if problem != layer.fused else None
    task = FusedTask(layer.name, (layer.layers[0].name, layer.layers[1].name), layer.count, problem, before)
    refused = refusals(problem, hardware)
    if not refused and fusing:
        return task
    reason = f"cannot run on {hardware.name}: {'; '.join(refused)}"
    if not refused:
        reason = (
            f"fuses two layers, which only map, simulate and validate do; one after the other they are "
            f"{' and '.join(task.stage_names)}"
        )
    return UnsupportedLayer(layer.name, layer.op, layer.count, f"layer '{layer.name}' {reason}")


def require_unconstrained(task: FusedTask, file: ConstraintFile) -> None:
    """Raises NotSupportedError for constraints on either layer."""
    for constraint in [constraint for stage in task.stage_names for constraint in file.of(stage, task.name)][:1]:
        msg = f"constraints are not supported for fused layers such as '{task.name}': {constraint}"
        raise NotSupportedError(msg)


def given_mapping(mappings: MappingFile, task: FusedTask) -> FusedMapping:
    """The mapping of fused layers in a document. Raises MappingError when there is none, or one of other layers."""
    first, second = (
        mappings.mapping_for(stage, problem)
        for stage, problem in zip(task.stage_names, (task.problem.first, task.problem.second), strict=True)
    )
    return FusedMapping(first, second, mappings.share_for(task.name))


def map_fused(task: FusedTask, hardware: Hardware, objective: Objective) -> FusedReport:
    """Fused layers with their given mapping, or else with the best that the mapper finds."""
    report = partial(
        FusedReport,
        name=task.name,
        parts=task.parts,
        count=task.count,
        problem=task.problem,
        operations_before_scaling=task.operations_before_scaling,
    )
    if task.mapping is not None:
        return report(mapping=task.mapping, estimate=estimate(task.problem, task.mapping, hardware))
    choice = find_fused(task.problem, hardware, objective)
    return report(
        mapping=choice.mapping,
        estimate=choice.estimate,
        candidates=choice.candidates,
        reason=choice.reason,
        cycles_apart=choice.apart.cycles,
    )


def simulate_both(
    layer: FusedReport,
    hardware: Hardware,
    *,
    engine: EngineName,
    seed: int | None,
    fast_forward: bool,
    progress: Progress,
) -> tuple[Result, NDArray[np.int64] | None]:
    """Simulate fused layers, with values where there is a ``seed`` for them; and the outputs that NumPy has then."""
    operands = None if seed is None else random_fused_operands(layer.problem, seed)
    result = simulate(
        layer.problem,
        layer.mapping,
        hardware,
        engine=engine,
        operands=operands,
        progress=progress,
        fast_forward=fast_forward,
    )
    return result, None if operands is None else fused_reference(layer.problem, operands)
