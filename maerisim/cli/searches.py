"""The command ``compare-search``: run what is missing, then show and plot what is there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from maerisim.cli import FAILED, INTERRUPTED
from maerisim.cli.forms import Form
from maerisim.cli.output import show
from maerisim.cli.progress import shown
from maerisim.cli.saying import say
from maerisim.laboratory.api import compare_search
from maerisim.laboratory.report import SearchReport
from maerisim.text import harmless, plural

if TYPE_CHECKING:
    from maerisim.cli.options import CostKind, Objective


@dataclass(frozen=True)
class SearchRequest:
    """What was asked for on the command line."""

    hardware: str
    network: str
    layers: list[str] | None
    techniques: list[str] | None
    budget: int
    seeds: int
    objective: Objective
    cost: CostKind
    simulate: bool
    scale: int | None
    replay: Path | None
    database: Path | None
    jobs: int | None
    dask: str | None
    plot: Path | None
    form: Form


def run(request: SearchRequest) -> None:
    """Run and report. Leaves with exit code 1 when searches failed and 130 when Ctrl-C ended the run."""
    if request.plot is not None:
        from maerisim.reports import figures

        figures.require(request.plot)
    with shown(counted=True) as progress:
        report = compare_search(
            request.hardware, request.network, layers=request.layers, techniques=request.techniques, budget=request.budget,
            seeds=request.seeds, objective=request.objective, cost=request.cost, simulate=request.simulate, scale=request.scale,
            replay=request.replay,
            database=request.database, jobs=request.jobs, dask=request.dask, progress=progress, partial=True,
        )  # fmt: skip
    if request.plot is not None and report.searched:
        plot(report, request.plot)
    show(report, lambda searched: [searched.page()] if searched.searched else [], form=request.form)
    if report.interrupted:
        resumes = "; the same command resumes" if request.database else ""
        say(f"interrupted: {len(report.searched):,} results are there{resumes}", err=True)
        raise typer.Exit(INTERRUPTED)
    if report.failures:
        listed = "\n".join(f"  {harmless(line)}" for line in report.failures)
        say(f"{len(report.failures)} of {len(report.searched)} searches failed:\n{listed}", err=True)
        raise typer.Exit(FAILED)


def plot(report: SearchReport, path: Path) -> None:
    """Write the figure of a comparison."""
    from maerisim.laboratory import curves
    from maerisim.reports import figures

    by_technique: dict[str, list[list[dict[str, object]]]] = {}
    for each in report.searched:
        if each.runs:
            by_technique.setdefault(each.technique, []).append(each.runs)
    title = f"{report.network} on {report.hardware}"
    note = (
        f"Best so far of {plural(report.seeds, 'seed')}: median and (bars) quartiles, geometric mean over layers; {report.objective}."
        "\nGaps below 0.1 % are drawn as 0.1 %, above 1,000 % as 1,000 %."
    )
    figures.write(path, lambda: curves.draw({title: by_technique}, note))
