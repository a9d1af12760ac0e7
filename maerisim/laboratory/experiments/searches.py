"""Searches with one technique: how close they come to the optimum, after how many samples and how much time."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

from maerisim.analytic.objective import Objective
from maerisim.hardware.hardware import Hardware
from maerisim.laboratory.jobs import Job
from maerisim.mapping.mapping import Mapping
from maerisim.workload.problem import Problem
from mapper.searching.driver import SearchRun, search
from mapper.searching.ground import Ground
from mapper.searching.scoring import CostKind, optimum, scorer_of
from mapper.searching.techniques import WITHOUT_CHANCE, technique

NEAR = 0.01
"""A search succeeds that comes so close to the optimum."""


def job_of(
    name: str,
    problem: Problem,
    hardware: Hardware,
    by: str,
    budget: int,
    seeds: int,
    objective: Objective = "cycles",
    cost: CostKind = "closed_form",
    *,
    simulate: bool = False,
    start: Sequence[Mapping] = (),
) -> Job:
    """Searches of one layer with one technique and the seeds 0, 1, ...; each begins with what is known at the ``start``."""
    options: dict[str, Any] = {
        "technique": by, "budget": budget, "seeds": seeds, "objective": objective, "cost": cost, "simulate": simulate
    }  # fmt: skip
    if start:
        options["start"] = [mapping.to_dict() for mapping in start]
    return Job("search", hardware, ((name, problem),), options)


def work(job: Job) -> dict[str, Any]:
    """The optimum, and each search; ``better`` lists samples, seconds and gap whenever a better mapping was found."""
    options, ground = job.options, Ground(job.problem, job.hardware)
    objective, kind = options["objective"], options["cost"]
    referee, least = optimum(ground, objective, "closed_form" if kind == "closed_form" else "estimate")
    if kind == "simulate":
        least = scorer_of(ground, objective, "simulate")([referee])[0].score
    scorer, make = scorer_of(ground, objective, kind), technique(options["technique"])
    start = [mapping_of(known) for known in options.get("start", ())]
    different = 1 if options["technique"] in WITHOUT_CHANCE else options["seeds"]
    runs = [search(make, ground, scorer, options["budget"], seed, start) for seed in range(different)]
    runs *= options["seeds"] // different
    found = {
        "optimum": least,
        "mapping": referee.to_dict(),
        "runs": [described(run, least, ground, objective) for run in runs],
    }
    if options["simulate"]:
        simulated = scorer_of(ground, objective, "simulate")
        middle = sorted((run for run in runs if run.best is not None), key=lambda run: run.score)
        found["simulated_optimum"] = simulated([referee])[0].score
        if middle and (best := middle[len(middle) // 2].best) is not None:
            found["simulated"] = simulated([best])[0].score
    return found


def mapping_of(known: dict[str, Any]) -> Mapping:
    """A mapping that was written as plain data."""
    return Mapping.of(known["tile"], known["order"], known["placement"])


def described(run: SearchRun, least: float, ground: Ground, objective: Objective) -> dict[str, Any]:
    """A search as plain data; without a legal mapping its gap is None."""
    cost = None if run.best is None else scorer_of(ground, objective)([run.best])[0]
    return {
        "samples": run.samples,
        "illegal": run.illegal,
        "repeated": run.repeated,
        "technique_seconds": run.technique_seconds,
        "scoring_seconds": run.scoring_seconds,
        "gap": None if run.best is None else run.score / least - 1,
        "cycles": None if cost is None else cost.cycles,
        "energy": None if cost is None else cost.energy,
        "mapping": None if run.best is None else run.best.to_dict(),
        "better": [[samples, seconds, score / least - 1] for samples, seconds, score in run.better],
    }


def samples_to(run: dict[str, Any], gap: float) -> float:
    """Samples until a search came so close to the optimum, infinite if it did not."""
    return next((samples for samples, _, reached in run["better"] if reached <= gap), inf)


def gap_after(run: dict[str, Any], samples: float, column: int = 0) -> float:
    """How close a search was after so many samples, or with ``column`` 1 seconds; infinite before its first legal mapping."""
    reached = [gap for *at, gap in run["better"] if at[column] <= samples]
    return reached[-1] if reached else inf


def gaps(runs: Sequence[dict[str, Any]]) -> list[float]:
    """How close searches came; infinite without a legal mapping."""
    return [inf if run["gap"] is None else run["gap"] for run in runs]
