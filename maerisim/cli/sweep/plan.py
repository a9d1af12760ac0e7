"""What a sweep has to run: every layer at every point of the grid, equal ones once."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from maerisim.cli.options import Objective
from maerisim.cli.study import StageTask, Study
from maerisim.errors import NotSupportedError
from maerisim.grid import DERIVED, Point
from maerisim.hardware import Hardware
from maerisim.report import UnsupportedLayer
from maerisim.sweep import Experiment
from maerisim.workload import Problem


@dataclass(frozen=True)
class Task:
    """A layer shape to map and simulate on one piece of hardware. Tasks with the same ``key`` have the same result."""

    key: str
    hardware: Hardware
    layer: StageTask
    objective: Objective


@dataclass(frozen=True)
class Entry:
    """A layer of a network at a point of the grid, and the task whose result it has."""

    network: str
    point: Point
    layer: StageTask
    task: Task


@dataclass(frozen=True)
class Plan:
    """Everything that a sweep asks for, networks outside, then points, then layers; ``tasks`` holds each task once."""

    experiment: Experiment
    entries: tuple[Entry, ...]
    tasks: dict[str, Task]
    unsupported: tuple[UnsupportedLayer, ...]

    @classmethod
    def of(cls, experiment: Experiment) -> Plan:
        """Raises NotSupportedError when a layer asked for by name, or every layer of a network, cannot run."""
        sweep = experiment.sweep
        entries: list[Entry] = []
        tasks: dict[str, Task] = {}
        unsupported: dict[str, UnsupportedLayer] = {}
        for network, layers in experiment.networks:
            for point in experiment.points:
                try:
                    study = Study.on(point.hardware, network, layers, scale=sweep.scale, objective=sweep.objective)
                except NotSupportedError as error:
                    error.add_note(f"in network '{network.name}' at {point}")
                    raise
                described = described_hardware(point.hardware)
                for layer in study.stages:
                    key = key_of(described, layer.problem, sweep.objective)
                    task = tasks.setdefault(key, Task(key, point.hardware, layer, sweep.objective))
                    entries.append(Entry(network.name, point, layer, task))
                for refused in study.tasks:
                    if isinstance(refused, UnsupportedLayer):
                        unsupported.setdefault(f"{network.name} {refused.name}", refused)
        return cls(experiment, tuple(entries), tasks, tuple(unsupported.values()))


def described_hardware(hardware: Hardware) -> dict[str, Any]:
    """Everything about a piece of hardware that a result depends on: not its name, and numbers that follow worked out."""
    data = hardware.model_dump(exclude={"name", "description"})
    for parameter, derived in DERIVED.items():
        section, key = parameter.split(".")
        data[section][key] = getattr(hardware, derived)
    return data


def key_of(hardware: dict[str, Any], problem: Problem, objective: Objective) -> str:
    """The SHA-256 of everything that a result depends on, maerisim's version included."""
    content = [hardware, problem.as_dict(), objective, version("maerisim")]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
