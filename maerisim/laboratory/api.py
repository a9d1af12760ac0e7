"""Search techniques compared on the layers of a network: the one function of it that ``import maerisim`` offers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import get_args

from maerisim.analytic.objective import Objective
from maerisim.errors import MaerisimError, NotSupportedError
from maerisim.laboratory.experiments.searches import job_of
from maerisim.laboratory.jobs import Job
from maerisim.laboratory.report import SearchReport
from maerisim.laboratory.running import carried_out
from maerisim.reports.findings import UnsupportedLayer
from maerisim.study.api import Layers
from maerisim.study.given import HardwareLike, NetworkLike, require, study_of
from maerisim.study.progress import ProgressCallback
from mapper.searching.ground import Ground
from mapper.searching.scoring import CostKind
from mapper.searching.techniques import TECHNIQUES, technique

BUDGET, SEEDS = 2000, 20


def compare_search(
    hardware: HardwareLike,
    network: NetworkLike,
    *,
    layers: Layers = None,
    techniques: Sequence[str] | None = None,
    budget: int = BUDGET,
    seeds: int = SEEDS,
    objective: Objective = "cycles",
    cost: CostKind = "closed_form",
    simulate: bool = False,
    scale: int | None = None,
    database: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    dask: str | None = None,
    progress: ProgressCallback | None = None,
    partial: bool = False,
) -> SearchReport:
    """Search each dense layer with each technique and several seeds, and hold what they find against the proven optimum.

    All pay the same: ``budget`` samples, of which illegal and repeated ones are not given back. With a ``database`` results are
    stored in that SQLite file, each as soon as it is there, and run once only. ``simulate``: also simulate the median search's
    mapping. Raises what ``map`` raises, NotSupportedError for techniques that are unknown or need a library, and WorkersError.
    A search that fails does not stop the others; ``failures`` of the report say why.
    """
    todo, name, unsupported = jobs_of(
        hardware, network, layers, techniques, budget, seeds, objective, cost, scale, simulate=simulate
    )
    outcomes = carried_out(todo, database, jobs, dask, progress)
    if outcomes.interrupted and not partial:
        raise KeyboardInterrupt
    return SearchReport.of(todo, outcomes, name, unsupported)


def jobs_of(
    hardware: HardwareLike,
    network: NetworkLike,
    layers: Layers,
    techniques: Sequence[str] | None,
    budget: int,
    seeds: int,
    objective: Objective,
    cost: CostKind,
    scale: int | None,
    *,
    simulate: bool,
) -> tuple[list[Job], str, list[str]]:
    """What has to run, the name of the network, and which layers are left out and why; equal layers are searched once."""
    require("cost", cost, get_args(CostKind))
    for what, value in (("budget", budget), ("seeds", seeds)):
        if value < 1:
            raise NotSupportedError(f"{what}: expected at least 1, found {value}")
    names = list(dict.fromkeys(techniques or TECHNIQUES))
    for name in names:
        technique(name)
    study = study_of(hardware, network, layers, scale=scale, objective=objective)
    unsupported = [f"{task.name}: {task.reason}" for task in study.tasks if isinstance(task, UnsupportedLayer)]
    todo: list[Job] = []
    known = set()
    for stage in study.stages:
        if stage.problem in known:
            continue
        known.add(stage.problem)
        try:
            sparse = Ground(stage.problem, study.hardware).sparse
        except MaerisimError as error:
            unsupported.append(f"{stage.name}: {error}")
            continue
        if sparse:
            unsupported.append(f"{stage.name}: has zeros among its weights; see python benchmarks/lab.py densities")
            continue
        todo += [
            job_of(stage.name, stage.problem, study.hardware, by, budget, seeds, objective, cost, simulate=simulate)
            for by in names
        ]
    if not todo:
        raise NotSupportedError("no layer can be searched: " + "; ".join(unsupported))
    return todo, study.network, unsupported
