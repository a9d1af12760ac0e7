"""The command ``sweep``: run what is missing, then show, export and plot what is there."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import typer

from maerisim.cli import FAILED, INTERRUPTED
from maerisim.cli.options import ExportFormat
from maerisim.cli.output import print_page, write_file
from maerisim.errors import DocumentError
from maerisim.report.table import plural
from maerisim.sweeps import export, table
from maerisim.sweeps.document import Experiment
from maerisim.sweeps.plan import Plan
from maerisim.sweeps.running import Workers, compile_for, missing, run_tasks
from maerisim.sweeps.store import Store
from maerisim.sweeps.totals import totals
from maerisim.sweeps.work import Outcome


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line."""

    sweep: str
    database: Path | None
    jobs: int | None
    dask: str | None
    run: bool
    retry_failed: bool
    export: ExportFormat | None
    output: Path | None
    plot: Path | None


def sweep(request: Request) -> None:
    """Run and report. Leaves with exit code 1 when results failed and 130 when Ctrl-C ended the run.

    What could go wrong with plots is found before anything runs.
    """
    plan = Plan.of(Experiment.load(request.sweep))
    if request.plot is not None:
        from maerisim.sweeps.plot import require_plotting

        require_plotting(request.plot, plan.experiment.points)
    database = request.database or Path(f"{plan.experiment.sweep.name}.sqlite")
    if not request.run and not database.exists():
        raise DocumentError([f"{database}: no such file; without --no-run this command makes it"])
    with Store(database) as store:
        if request.run:
            run(request, plan, store)
        outcomes = store.get(plan.tasks)
    report(request, plan, outcomes, database)


def run(request: Request, plan: Plan, store: Store) -> None:
    """Run what is missing; nothing starts when nothing is."""
    tasks = missing(plan, store, retry_failed=request.retry_failed)
    if not tasks:
        return
    try:
        with workers_of(request) as workers:
            compile_for(tasks)
            run_tasks(tasks, len(plan.tasks), store, workers)
    except KeyboardInterrupt:
        stored = len(store.get(plan.tasks))
        typer.echo(
            f"interrupted: {stored:,} of {plural(len(plan.tasks), 'result')} are stored in {store.path}; "
            "the same command resumes",
            err=True,
        )
        raise typer.Exit(INTERRUPTED) from None


def workers_of(request: Request) -> AbstractContextManager[Workers]:
    """The cluster that was named, or else the cores of this machine."""
    if request.dask is not None:
        from maerisim.sweeps.cluster import on_cluster

        return on_cluster(request.dask)
    from maerisim.sweeps.cores import on_cores

    return nullcontext(partial(on_cores, jobs=request.jobs))


def report(request: Request, plan: Plan, outcomes: Mapping[str, Outcome], database: Path) -> None:
    """Print, export and plot; an export takes the place of the table unless it goes to a file."""
    found = totals(plan, outcomes)
    notes = []
    if request.plot is not None:
        from maerisim.sweeps.plot import plot

        plot(plan, found, request.plot)
        notes.append(f"Plotted in {request.plot}.")
    if request.export is not None:
        text = {"csv": export.as_csv, "json": export.as_json}[request.export](plan, outcomes)
        if request.output is None:
            typer.echo(text, nl=False)
        else:
            write_file(request.output, text)
            notes.append(f"Exported to {request.output}.")
    if request.export is None or request.output is not None:
        page = table.page(plan, found, len(outcomes), database)
        print_page(replace(page, notes=[*page.notes, *notes]))
    failures = table.failures(found)
    if failures:
        listed = "".join(f"  {line}\n" for line in failures)
        typer.echo(f"{plural(len(failures), 'result')} failed:\n{listed}", err=True, nl=False)
        raise typer.Exit(FAILED)
