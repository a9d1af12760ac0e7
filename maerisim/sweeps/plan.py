"""What a sweep has to run: every layer at every point of the grid, equal ones once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from maerisim.analytic.objective import Objective
from maerisim.errors import NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.reports.findings import UnsupportedLayer
from maerisim.study.tasks import StageTask, Study
from maerisim.sweeps.document import Experiment
from maerisim.sweeps.grid import DERIVED, GridPoint
from maerisim.workload.network import Network
from maerisim.workload.problem import Problem


@dataclass(frozen=True)
class SweepTask:
    """A layer shape to map and simulate on one piece of hardware. Tasks with the same ``key`` have the same result."""

    key: str
    hardware: Hardware
    layer: StageTask
    objective: Objective


@dataclass(frozen=True)
class SweepEntry:
    """A layer of a network at a point of the grid, and the task whose result it has."""

    network: str
    point: GridPoint
    layer: StageTask
    task: SweepTask


@dataclass(frozen=True)
class SweepPlan:
    """Everything that a sweep asks for, networks outside, then points, then layers; ``tasks`` holds each task once."""

    experiment: Experiment
    entries: tuple[SweepEntry, ...]
    tasks: dict[str, SweepTask]
    unsupported: tuple[UnsupportedLayer, ...]

    @classmethod
    def of(cls, experiment: Experiment) -> SweepPlan:
        """Raises NotSupportedError when a layer asked for by name, or every layer of a network, cannot run."""
        entries: list[SweepEntry] = []
        tasks: dict[str, SweepTask] = {}
        unsupported: list[UnsupportedLayer] = []
        objective = experiment.sweep.objective
        for network, layers in experiment.networks:
            studies = studies_of(network, layers, experiment)
            for point, study in studies:
                described = described_hardware(point.hardware)
                for layer in study.stages:
                    key = key_of(described, layer.problem, objective)
                    task = tasks.setdefault(key, SweepTask(key, point.hardware, layer, objective))
                    entries.append(SweepEntry(network.name, point, layer, task))
            unsupported += refused(studies[0][1])
        return cls(experiment, tuple(entries), tasks, tuple(unsupported))


def studies_of(network: Network, layers: Sequence[str], experiment: Experiment) -> list[tuple[GridPoint, Study]]:
    """A network at every point. Raises NotSupportedError unless the same layers can run at all of them: totals of
    different layers must not be compared.
    """
    sweep = experiment.sweep
    studies = []
    for point in experiment.points:
        try:
            study = Study.on(point.hardware, network, layers, scale=sweep.scale, objective=sweep.objective)
        except NotSupportedError as error:
            error.add_note(f"in network '{network.name}' at {point}")
            raise
        studies.append((point, study))
    first_point, first = studies[0]
    for point, study in studies:
        for place, these, others in ((first_point, first, study), (point, study, first)):
            for layer in refused(these):
                if layer.name not in {other.name for other in refused(others)}:
                    msg = f"{layer.reason} (at {place}; say under 'layers' which layers to run at all points)"
                    raise NotSupportedError(msg)
    return studies


def refused(study: Study) -> list[UnsupportedLayer]:
    """The layers of a study that cannot run."""
    return [task for task in study.tasks if isinstance(task, UnsupportedLayer)]


def described_hardware(hardware: Hardware) -> dict[str, Any]:
    """Everything about a piece of hardware that a result depends on: not its name or clock, and numbers that follow worked out."""
    data = hardware.model_dump(exclude={"name", "description", "clock"})
    for parameter, derived in DERIVED.items():
        section, key = parameter.split(".")
        data[section][key] = getattr(hardware, derived)
    return data


def key_of(hardware: dict[str, Any], problem: Problem, objective: Objective) -> str:
    """The SHA-256 of everything that a result depends on, maerisim's version included."""
    content = [hardware, problem.as_dict(), objective, version("maerisim")]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
