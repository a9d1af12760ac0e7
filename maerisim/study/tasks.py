"""What will run: the layers of a network on a piece of hardware, chosen, shrunk, and with the mappings that are given.

Everything that can be wrong with the input is found in ``Study.of``, before the first layer runs.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from maerisim.analytic.objective import Objective
from maerisim.errors import NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.constraints import Constraint
from maerisim.mapping.fused import FusedMapping
from maerisim.mapping.mapping import Mapping
from maerisim.reports.findings import FusedReport, LayerReport, UnsupportedLayer
from maerisim.ways.way import refusals
from maerisim.workload.entry import part_name
from maerisim.workload.layers import Fused, Layer
from maerisim.workload.network import Network
from maerisim.workload.problem import FusedProblem, Problem
from maerisim.workload.recurrent import Recurrent
from mapper import PROOF, Effort


@dataclass(frozen=True)
class StageTask:
    """A stage that will run: its problem, shrunk if it was too long, its mapping if one was given, else constraints."""

    name: str
    layer: str
    op: str
    count: int
    problem: Problem
    operations_before_scaling: int | None = None
    mapping: Mapping | None = None
    constraints: tuple[Constraint, ...] = ()

    def named(self, report: LayerReport) -> LayerReport:
        """The report of an equal stage under the name of this one."""
        before = self.operations_before_scaling
        return replace(report, name=self.name, op=self.op, count=self.count, operations_before_scaling=before)


@dataclass(frozen=True)
class LayerTask:
    """A layer that will run, or some of its stages.

    ``recurrent`` is the layer itself, shrunk like its stages, when all of them run and values flow between them.
    """

    stages: tuple[StageTask, ...]
    recurrent: Recurrent | None = None


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

    def named(self, report: FusedReport) -> FusedReport:
        """The report of an equal pair under the names of this one."""
        before = self.operations_before_scaling
        return replace(report, name=self.name, parts=self.parts, count=self.count, operations_before_scaling=before)


Task = LayerTask | FusedTask | UnsupportedLayer


@dataclass(frozen=True)
class Study:
    """A piece of hardware and the layers to run on it."""

    hardware: Hardware
    network: str
    tasks: tuple[Task, ...]
    objective: Objective = "cycles"
    effort: Effort = field(default_factory=Effort)
    explain: bool = False

    @classmethod
    def on(
        cls,
        hardware: Hardware,
        network: Network,
        layer_names: Sequence[str] | None = None,
        *,
        scale: int | None = None,
        objective: Objective = "cycles",
        fusing: bool = False,
    ) -> Study:
        """The layers (or stages) of these names, or all of them, those beyond ``scale`` MACs shrunk.

        Only with ``fusing`` can layers run at the same time. Raises DocumentError for names that are not there, and
        NotSupportedError when a layer asked for by name, or every layer of the network, cannot run on the hardware.
        """
        names = frozenset(layer_names or ())
        for name in names - {stage.name for layer in network.layers for stage in layer.stages}:
            network.layer(name)
        tasks = [
            fused_task_of(layer, hardware, scale, fusing=fusing)
            if isinstance(layer, Fused) and (not names or layer.name in names)
            else task_of(layer, names, hardware, scale)
            for layer in network.layers
            if not names or layer.name in names or any(stage.name in names for stage in layer.stages)
        ]
        refused = [task.reason for task in tasks if isinstance(task, UnsupportedLayer)]
        if refused and (names or len(refused) == len(tasks)):
            raise NotSupportedError("\n".join(refused))
        return cls(hardware, network.name, tuple(tasks), objective)

    @property
    def stages(self) -> list[StageTask]:
        """Everything that will run as a loop nest of its own."""
        return [stage for task in self.tasks if isinstance(task, LayerTask) for stage in task.stages]

    @property
    def searches(self) -> bool:
        """Whether anything has no mapping yet."""
        pairs = [task.mapping for task in self.tasks if isinstance(task, FusedTask)]
        return None in [*pairs, *(stage.mapping for stage in self.stages)]

    @property
    def operations(self) -> int:
        """Operations of everything that will run."""
        pairs = [task.problem.operations for task in self.tasks if isinstance(task, FusedTask)]
        return sum(stage.problem.operations for stage in self.stages) + sum(pairs)


def effort_of(seconds: float | None, *, prove: bool) -> Effort:
    """The effort of a search to proof, of one for so many seconds, or the usual one."""
    return replace(PROOF, seconds=seconds) if prove or seconds is not None else Effort()


def task_of(
    layer: Layer, names: Collection[str], hardware: Hardware, scale: int | None
) -> LayerTask | UnsupportedLayer:
    """The task of a layer, or of its stages with one of these ``names``; what the hardware cannot run is no task."""
    whole = not names or layer.name in names
    smaller = layer.stages if scale is None else layer.scaled_stages(scale)
    stages = [
        StageTask(
            name=stage.name,
            layer=layer.name,
            op=layer.op,
            count=layer.count * stage.count,
            problem=small.problem,
            operations_before_scaling=stage.problem.operations if small != stage else None,
        )
        for stage, small in zip(layer.stages, smaller, strict=True)
        if whole or stage.name in names
    ]
    refused = dict.fromkeys(reason for stage in stages for reason in refusals(stage.problem, hardware))
    if refused:
        reason = f"layer '{layer.name}' cannot run on {hardware.name}: {'; '.join(refused)}"
        return UnsupportedLayer(layer.name, layer.op, layer.count, reason)
    if len(stages) == 1 or not isinstance(layer, Recurrent):
        return LayerTask(tuple(stages))
    return LayerTask(tuple(stages), layer if scale is None else layer.scaled(scale))


def fused_task_of(layer: Fused, hardware: Hardware, scale: int | None, *, fusing: bool) -> FusedTask | UnsupportedLayer:
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
