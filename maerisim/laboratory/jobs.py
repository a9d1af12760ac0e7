"""One piece of an experiment: what it depends on, and how it is run, whatever happens."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.metadata import version
from typing import Any

from maerisim.errors import MaerisimError
from maerisim.hardware.hardware import Hardware
from maerisim.sweeps.plan import described_hardware
from maerisim.workload.problem import Problem

WORK = {
    "search": "maerisim.laboratory.experiments.searches",
    "projection": "maerisim.laboratory.experiments.projection",
    "axes": "maerisim.laboratory.experiments.axes",
    "orders": "maerisim.laboratory.experiments.orders",
    "warm": "maerisim.laboratory.experiments.warm",
    "bound": "maerisim.laboratory.experiments.warm_proof",
    "densities": "maerisim.laboratory.experiments.densities",
    "factors": "maerisim.laboratory.experiments.factors",
}
"""The module of each kind of job: its function ``work`` takes the job."""


@dataclass(frozen=True)
class Job:
    """What to find out about some layers on a piece of hardware. ``options`` are plain data; names of layers are not part of
    what is found, but come along.
    """

    kind: str
    hardware: Hardware
    layers: tuple[tuple[str, Problem], ...]
    options: Mapping[str, Any]

    @property
    def problem(self) -> Problem:
        """The one layer of a job that has one."""
        ((_, problem),) = self.layers
        return problem

    @property
    def name(self) -> str:
        """The name of the one layer."""
        ((name, _),) = self.layers
        return name

    @cached_property
    def content(self) -> str:
        """Everything that the result depends on, as JSON."""
        problems = [problem.as_dict() for _, problem in self.layers]
        content = [self.kind, described_hardware(self.hardware), problems, dict(self.options), version("maerisim")]
        return json.dumps(content, sort_keys=True)

    @cached_property
    def key(self) -> str:
        """The SHA-256 of it: jobs with the same key have the same result."""
        return hashlib.sha256(self.content.encode()).hexdigest()


@dataclass(frozen=True)
class JobResult:
    """What came of a job: plain data, or the ``message`` of what went wrong; ``seconds`` are processor time."""

    key: str
    seconds: float
    found: Any
    message: str | None = None


def run(job: Job) -> JobResult:
    """Run a job; what goes wrong becomes its outcome, so that the others go on."""
    begin = time.process_time()
    found, message = None, None
    try:
        found = import_module(WORK[job.kind]).work(job)
    except MaerisimError as error:
        message = "; ".join(str(error).splitlines())
    except Exception as error:  # noqa: BLE001 - one defect must not cost the results of a night
        message = f"{type(error).__name__}: {error} (this is a defect of maerisim, please report it)"
    return JobResult(job.key, time.process_time() - begin, found, message)


def failed(job: Job, message: str) -> JobResult:
    """The outcome of a job that could not be run where it should."""
    return JobResult(job.key, 0.0, None, message)
