"""The command ``sweep``: run what is missing, then show, export and plot what is there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import typer

from maerisim import documents
from maerisim.cli import FAILED, INTERRUPTED
from maerisim.cli.options import ExportFormat
from maerisim.cli.output import print_page
from maerisim.cli.progress import shown
from maerisim.cli.saying import give, say
from maerisim.sweeps import export, table
from maerisim.sweeps.api import SweepReport, carried_out, plan_of
from maerisim.text import harmless, plural


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
    plan = plan_of(request.sweep)
    if request.plot is not None:
        from maerisim.sweeps.plot import require_plotting

        require_plotting(request.plot, plan.experiment.points)
    database = request.database or Path(f"{plan.experiment.sweep.name}.sqlite")
    with shown(counted=True) as progress:
        found = carried_out(
            plan,
            database,
            request.jobs,
            request.dask,
            run=request.run,
            retry_failed=request.retry_failed,
            progress=progress,
        )
    if found.interrupted:
        say(
            f"interrupted: {len(found.outcomes):,} of {plural(len(plan.tasks), 'result')} are stored in {database}; "
            "the same command resumes",
            err=True,
        )
        raise typer.Exit(INTERRUPTED)
    report(request, found, database)


def report(request: Request, swept: SweepReport, database: Path) -> None:
    """Print, export and plot; an export takes the place of the table unless it goes to a file."""
    plan, outcomes, found = swept.plan, swept.outcomes, swept.totals
    notes = []
    if request.plot is not None:
        from maerisim.sweeps.plot import plot

        plot(plan, found, request.plot)
        notes.append(f"Plotted in {request.plot}.")
    if request.export is not None:
        text = {"csv": export.as_csv, "json": export.as_json}[request.export](plan, outcomes)
        if request.output is None:
            give(text)
        else:
            documents.write(request.output, text)
            notes.append(f"Exported to {request.output}.")
    if request.export is None or request.output is not None:
        page = table.page(plan, found, len(outcomes), database)
        print_page(replace(page, notes=[*page.notes, *notes]))
    failures = table.failures(found)
    if failures:
        listed = "\n".join(f"  {harmless(line)}" for line in failures)
        say(f"{plural(len(failures), 'result')} failed:\n{listed}", err=True)
        raise typer.Exit(FAILED)
