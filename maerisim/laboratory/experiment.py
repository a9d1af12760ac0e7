"""What an experiment is: the jobs that it needs, and what is shown of what they found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from maerisim.hardware.hardware import Hardware
from maerisim.laboratory.jobs import Job
from maerisim.workload.network import Network
from maerisim.workload.problem import Problem

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NETWORKS = ("resnet18", "vgg16", "mobilenet_v2", "mnasnet", "bert_base")
"""Beside the six convolutions."""


class Answer(NamedTuple):
    """A job and what it found."""

    job: Job
    found: Any


Answers = Sequence[Answer]


@dataclass(frozen=True)
class LabExperiment:
    """An experiment by name. ``jobs`` of a ``cut`` are few and short; ``tables`` is Markdown, ``draw`` the figure."""

    name: str
    title: str
    jobs: Callable[[bool], list[Job]]
    tables: Callable[[Answers], str]
    draw: Callable[[Answers], Figure] | None = None


def machine(multipliers: int) -> Hardware:
    """The default fabric with so many multipliers."""
    return Hardware.load("maeri-256").with_overrides({"multipliers": multipliers})


def six() -> list[tuple[str, Problem]]:
    """The six convolutions by name."""
    return layers_of("six_convolutions")


def layers_of(network: str) -> list[tuple[str, Problem]]:
    """The distinct layers with weights of a network, in order of execution."""
    found: dict[Problem, str] = {}
    for layer in Network.load(network).layers:
        for stage in layer.stages:
            if not stage.problem.pools:
                found.setdefault(stage.problem, stage.name)
    return [(name, problem) for problem, name in found.items()]
