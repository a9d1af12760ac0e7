"""What is given from outside: hardware and networks, read or made, and mappings or constraints for the tasks of a study."""

from __future__ import annotations

import os
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar, get_args

from maerisim import documents
from maerisim.analytic.objective import Objective
from maerisim.errors import MappingError, NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.constraints import ConstraintFile
from maerisim.mapping.document import MappingFile, dump_mappings, load_mappings
from maerisim.mapping.fused import FusedMapping
from maerisim.mapping.mapping import Mapping
from maerisim.reports.findings import LayerReport, NetworkReport, UnsupportedLayer
from maerisim.study.tasks import FusedTask, LayerTask, StageTask, Study, Task
from maerisim.ways.way import AnyMapping, violations
from maerisim.workload.entry import part_name
from maerisim.workload.layers import Layer
from maerisim.workload.loops import layer_of
from maerisim.workload.network import Network
from maerisim.workload.problem import Problem
from mapper import Effort

ValueT = TypeVar("ValueT")

HardwareLike = Hardware | str | Path
"""A piece of hardware, the YAML file of one, or a shipped name."""
NetworkLike = Network | Layer | Problem | str | Path
"""A network, a layer or its loop nest alone, the YAML file of a network, or a shipped name."""
MappingsLike = AnyMapping | MappingOf[str, AnyMapping] | MappingFile | str | Path
"""Mappings by the name of the layer or stage, the YAML file of some, or one for the one layer that runs."""
ConstraintsLike = MappingOf[str, Any] | str | Path
"""The YAML file of constraints, or what it would hold."""


def hardware_of(given: HardwareLike) -> Hardware:
    """The hardware that is meant. Raises DocumentError."""
    return given if isinstance(given, Hardware) else Hardware.load(given)


def network_of(given: NetworkLike) -> Network:
    """The network that is meant; a layer alone is one under its own name. Raises DocumentError, and NotSupportedError for
    a loop nest that no layer has.
    """
    if isinstance(given, Network):
        return given
    if isinstance(given, Problem):
        given = layer_of(given)
    return Network.load(given) if isinstance(given, str | Path) else Network([given], name=given.name)


class Mappings(Protocol):
    """Where mappings are looked up. Both methods raise MappingError when there is none, or it is of another layer."""

    def mapping_for(self, layer: str, problem: Problem) -> Mapping:
        """The mapping of a layer or stage."""
        ...

    def share_for(self, layer: str) -> int:
        """Multipliers of the first of two fused layers."""
        ...


@dataclass(frozen=True)
class NamedMappings:
    """Mappings by the name of the stage, and shares by that of fused layers."""

    mappings: MappingOf[str, Mapping]
    shares: MappingOf[str, int]

    def mapping_for(self, layer: str, _problem: Problem) -> Mapping:
        """The mapping of this name."""
        return _named(self.mappings, layer)

    def share_for(self, layer: str) -> int:
        """The share of this name."""
        return _named(self.shares, layer)


def _named(values: MappingOf[str, ValueT], layer: str) -> ValueT:
    if layer not in values:
        hint = documents.nearest(layer, values) or f" (there are: {', '.join(values) or 'none'})"
        raise MappingError(f"layer '{layer}'", [f"there is no mapping for it{hint}"])
    return values[layer]


def with_mappings(study: Study, given: MappingsLike) -> Study:
    """The study with mappings. Raises MappingError with everything that is wrong with any of them."""
    if isinstance(given, str | Path):
        return _mapped(study, load_mappings(given), str(given))
    if isinstance(given, MappingFile):
        return _mapped(study, given, "mapping")
    return _mapped(study, _by_name(study, given), "mapping")


def _by_name(study: Study, given: AnyMapping | MappingOf[str, AnyMapping]) -> NamedMappings:
    tasks: dict[str, StageTask | FusedTask] = {stage.name: stage for stage in study.stages}
    tasks |= {task.name: task for task in study.tasks if isinstance(task, FusedTask)}
    if isinstance(given, Mapping | FusedMapping):
        if len(tasks) != 1:
            expected = f"expected mappings by the name of the layer, found one for {len(tasks)}: {', '.join(tasks)}"
            raise MappingError("mapping", [expected])
        given = dict.fromkeys(tasks, given)
    mappings: dict[str, Mapping] = {}
    shares: dict[str, int] = {}
    for name, mapping in given.items():
        task = tasks.get(name)
        if task is not None and isinstance(task, FusedTask) != isinstance(mapping, FusedMapping):
            wanted = "a FusedMapping" if isinstance(task, FusedTask) else "a Mapping"
            raise MappingError(f"layer '{name}'", [f"expected {wanted}, found a {type(mapping).__name__}"])
        if isinstance(task, FusedTask) and isinstance(mapping, FusedMapping):
            mappings |= zip(task.stage_names, mapping.of_layers, strict=True)
            shares[name] = mapping.multipliers
        elif isinstance(mapping, Mapping):
            mappings[name] = mapping
    return NamedMappings(mappings, shares)


def _mapped(study: Study, mappings: Mappings, origin: str) -> Study:
    hardware = study.hardware
    wrong: list[str] = []

    def checked(name: str, found: Sequence[str]) -> None:
        wrong.extend(f"layer '{name}': {violation}" for violation in found)

    def mapped(stage: StageTask) -> StageTask:
        try:
            mapping = mappings.mapping_for(stage.name, stage.problem)
        except MappingError as error:
            wrong.extend(str(error).splitlines())
            return stage
        checked(stage.name, violations(stage.problem, mapping, hardware))
        return replace(stage, mapping=mapping)

    def fused_mapped(task: FusedTask) -> FusedTask:
        try:
            first, second = (
                mappings.mapping_for(name, problem)
                for name, problem in zip(task.stage_names, (task.problem.first, task.problem.second), strict=True)
            )
            mapping = FusedMapping(first, second, mappings.share_for(task.name))
        except MappingError as error:
            wrong.extend(str(error).splitlines())
            return task
        checked(task.name, violations(task.problem, mapping, hardware))
        return replace(task, mapping=mapping)

    result: list[Task] = []
    for task in study.tasks:
        if isinstance(task, LayerTask):
            result.append(replace(task, stages=tuple(mapped(stage) for stage in task.stages)))
        else:
            result.append(fused_mapped(task) if isinstance(task, FusedTask) else task)
    if wrong:
        raise MappingError(origin, wrong)
    return replace(study, tasks=tuple(result))


def with_constraints(study: Study, network: Network, given: ConstraintsLike) -> Study:
    """The study with constraints on its layers. Raises DocumentError, and NotSupportedError for fused layers."""
    file = (
        ConstraintFile.load(given, network) if isinstance(given, str | Path) else ConstraintFile.of_data(given, network)
    )

    def constrained(task: Task) -> Task:
        if isinstance(task, UnsupportedLayer):
            return task
        if isinstance(task, FusedTask):
            for constraint in (constraint for stage in task.stage_names for constraint in file.of(stage, task.name)):
                msg = f"constraints are not supported for fused layers such as '{task.name}': {constraint}"
                raise NotSupportedError(msg)
            return task
        stages = (replace(stage, constraints=file.of(stage.name, stage.layer)) for stage in task.stages)
        return replace(task, stages=tuple(stages))

    return replace(study, tasks=tuple(constrained(task) for task in study.tasks))


def mapping_file(report: NetworkReport) -> MappingFile:
    """The mappings of a report as a document that can be given again."""
    layers: dict[str, tuple[Problem, Mapping]] = {}
    shares = {}
    for layer in report.layers:
        if isinstance(layer, LayerReport):
            layers[layer.name] = layer.problem, layer.mapping
            continue
        shares[layer.name] = layer.mapping.multipliers
        problems = (layer.problem.first, layer.problem.second)
        for part, problem, mapping in zip(layer.parts, problems, layer.mapping.of_layers, strict=True):
            layers[part_name(layer.name, part)] = problem, mapping
    return MappingFile.of(report.hardware.name, report.network, layers, shares)


def save_mappings(report: NetworkReport, path: str | os.PathLike[str]) -> None:
    """Write the mappings of a report as a document that ``mapping`` reads. Raises DocumentError where it cannot be."""
    documents.write(path, dump_mappings(mapping_file(report)))


def study_of(
    hardware: HardwareLike,
    network: NetworkLike,
    layers: Sequence[str] | str | None = None,
    *,
    scale: int | None = None,
    mapping: MappingsLike | None = None,
    objective: Objective = "cycles",
    constraints: ConstraintsLike | None = None,
    effort: Effort | None = None,
    fusing: bool = False,
) -> Study:
    """Read what has to be read, choose the layers (or stages), shrink those beyond ``scale`` MACs, check what is given.

    Raises what ``Study.on`` raises, DocumentError for what cannot be read and MappingError for mappings that do not fit.
    """
    require("objective", objective, get_args(Objective))
    model = network_of(network)
    names = [layers] if isinstance(layers, str) else layers
    study = Study.on(hardware_of(hardware), model, names, scale=scale, objective=objective, fusing=fusing)
    if effort is not None:
        study = replace(study, effort=effort)
    if constraints is not None:
        study = with_constraints(study, model, constraints)
    return study if mapping is None else with_mappings(study, mapping)


def require(what: str, value: str, known: Sequence[str]) -> None:
    """Raises NotSupportedError for a ``value`` that is none of the ``known`` ones."""
    if value not in known:
        raise NotSupportedError(f"{what}: expected one of {', '.join(known)}, found {documents.described(value)}")
