"""Search techniques compared on the layers of a network: the one function of it that ``import maerisim`` offers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from math import inf
from typing import get_args

from maerisim.analytic.objective import Objective
from maerisim.errors import MaerisimError, NotSupportedError
from maerisim.laboratory.experiments.searches import job_of, mapping_of
from maerisim.laboratory.jobs import Job
from maerisim.laboratory.report import SearchReport
from maerisim.laboratory.running import JobOutcomes, carried_out
from maerisim.mapping.mapping import Mapping
from maerisim.reports.findings import UnsupportedLayer
from maerisim.study.api import Layers
from maerisim.study.given import HardwareLike, NetworkLike, require, study_of
from maerisim.study.progress import ProgressCallback
from maerisim.workload.problem import Problem
from mapper.searching.ground import Ground
from mapper.searching.scoring import CostKind
from mapper.searching.techniques import TECHNIQUES, technique
from mapper.searching.warm import Solved

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
    replay: str | os.PathLike[str] | None = None,
    database: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    dask: str | None = None,
    progress: ProgressCallback | None = None,
    partial: bool = False,
) -> SearchReport:
    """Search each dense layer with each technique and several seeds, and hold what they find against the proven optimum.

    All pay the same: ``budget`` samples, of which illegal and repeated ones are not given back. With a ``database`` results are
    stored in that SQLite file, each as soon as it is there, and run once only. ``simulate``: also simulate the median search's
    mapping. ``replay``: a mapping document of solved layers, read if it is there: searches begin with the mapping of the layer most like
    theirs, and the best that were found are added to it at the end. Raises what ``map`` raises, NotSupportedError for techniques that are unknown or need a library, and WorkersError.
    A search that fails does not stop the others; ``failures`` of the report say why.
    """
    solved = None if replay is None else Solved.load(replay)
    todo, name, unsupported = jobs_of(
        hardware, network, layers, techniques, budget, seeds, objective, cost, scale, solved, simulate=simulate
    )
    outcomes = carried_out(todo, database, jobs, dask, progress)
    if outcomes.interrupted and not partial:
        raise KeyboardInterrupt
    report = SearchReport.of(todo, outcomes, name, unsupported)
    if replay is not None and solved is not None:
        remember(solved, todo, outcomes)
        solved.save(replay, todo[0].hardware.name)
    return report


def remember(solved: Solved, todo: Sequence[Job], outcomes: JobOutcomes) -> None:
    """Add the best mapping of each layer that was searched."""
    best: dict[Problem, tuple[float, Mapping]] = {}
    for job in todo:
        found = outcomes.found.get(job.key)
        for run in found.found["runs"] if found is not None and found.found else ():
            if run["mapping"] is not None and run["gap"] < best.get(job.problem, (inf,))[0]:
                best[job.problem] = run["gap"], mapping_of(run["mapping"])
    for problem, (_, mapping) in best.items():
        solved.add(problem, mapping)


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
    solved: Solved | None,
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
            ground = Ground(stage.problem, study.hardware)
        except MaerisimError as error:
            unsupported.append(f"{stage.name}: {error}")
            continue
        if ground.sparse:
            unsupported.append(f"{stage.name}: has zeros among its weights; see python benchmarks/lab.py densities")
            continue
        todo += [
            job_of(
                stage.name, stage.problem, study.hardware, by, budget, seeds, objective, cost, simulate=simulate,
                start=solved.start(ground) if solved else (),
            )
            for by in names
        ]  # fmt: skip
    if not todo:
        raise NotSupportedError("no layer can be searched: " + "; ".join(unsupported))
    return todo, study.network, unsupported
