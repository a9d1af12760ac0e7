"""Results on standard output: a table for people, one JSON document for programs.

What makes the pages of a report is imported when there is one, so that a command waits for its own report only.
"""

from __future__ import annotations

import io
import os
import sys
import textwrap
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import typer
from rich.console import Console
from rich.text import Text

from maerisim.cli import INTERRUPTED
from maerisim.cli.forms import Form
from maerisim.cli.saying import give, say
from maerisim.documents import is_directory
from maerisim.errors import DocumentError, MaerisimError
from maerisim.reports.as_json import json_text
from maerisim.reports.table import Page
from maerisim.text import harmless

if TYPE_CHECKING:
    from maerisim.reports.buffer_curve import BufferCurves
    from maerisim.reports.comparison import Comparison
    from maerisim.reports.findings import NetworkReport
    from maerisim.reports.front import FrontReport
    from maerisim.reports.profile_report import ProfileReport
    from maerisim.reports.roofline import RooflineReport


class HasDocument(Protocol):
    """A report that has a JSON document, and rows."""

    def to_dict(self) -> dict[str, Any]: ...

    def rows(self) -> list[dict[str, Any]]: ...


ReportT = TypeVar("ReportT", bound=HasDocument)

PAGE_COLUMNS = 100
"""What tables of which parts can be left out, or put together, are made for where there is no terminal."""
MOST_COLUMNS = 1000
"""Wider than any table, so that nothing is cut or wrapped where there is no terminal."""


def finish(command: str, report: NetworkReport, *, form: Form) -> None:
    """Print the results of a command; when it was interrupted, say so and leave with exit code 130.

    Raises the error that ended the run, after what was finished before it is printed.
    """
    from maerisim.reports.network_table import network_pages

    show(report, partial(network_pages, command), form=form)
    unfinished = "" if report.unfinished is None else f"; {report.unfinished} has the best mapping found so far"
    finished = len(report.layers) - bool(unfinished)
    leave(report.failure, finished if report.interrupted else None, unfinished)


def finish_front(report: FrontReport, *, form: Form) -> None:
    """The same for fronts of cycles and energy."""
    from maerisim.reports.front import front_pages

    show(report, front_pages, form=form)
    leave(report.failure, len({layer.name for layer in report.layers}) if report.interrupted else None)


def finish_comparison(comparison: Comparison, *, form: Form) -> None:
    """The same for a comparison of mappings."""
    from maerisim.reports.comparison import comparison_pages

    show(comparison, comparison_pages, form=form)
    leave(comparison.failure, len(comparison.layers) if comparison.interrupted else None)


def finish_profiles(report: ProfileReport, *, form: Form) -> None:
    """The same for profiles of mappings: a page for each layer, and one for all when there are several."""
    from maerisim.reports.profile_table import profile_notes, profile_pages

    show(report, partial(profile_pages, width=page_width()), form=form)
    for note in profile_notes(report) if form == "table" else []:
        say(note)
    leave(report.failure, len(report.layers) if report.interrupted else None)


def finish_roofline(report: RooflineReport, *, form: Form) -> None:
    """The same for the rooflines of layers."""
    from maerisim.reports.roofline import roofline_pages

    show(report, roofline_pages, form=form)
    leave(report.results.failure, len(report.layers) if report.results.interrupted else None)


def finish_buffer_curves(report: BufferCurves, *, form: Form) -> None:
    """The same for curves of DRAM words."""
    from maerisim.reports.buffer_curve import buffer_curve_pages

    show(report, buffer_curve_pages, form=form)
    leave(report.failure, len(report.layers) if report.interrupted else None)


def show(report: ReportT, pages: Callable[[ReportT], Sequence[Page]], *, form: Form) -> None:
    """Print a report as one JSON document, as CSV or as pages."""
    if form == "json":
        say(json_text(report.to_dict()))
    elif form == "csv":
        from maerisim.reports.frame import csv_text, flat

        give(csv_text([flat(row) for row in report.rows()]))
    else:
        for page in pages(report):
            print_page(page)


def leave(failure: MaerisimError | None, finished_before_interruption: int | None, besides: str = "") -> None:
    """Raise the error that ended a run, or leave with exit code 130 when Ctrl-C did."""
    if failure is not None:
        raise failure
    if finished_before_interruption is not None:
        finished = finished_before_interruption
        say(f"interrupted: {finished} {'layer is' if finished == 1 else 'layers are'} finished{besides}", err=True)
        raise typer.Exit(INTERRUPTED)


def page_width() -> int:
    """Columns of the terminal; those of a usual page where there is none."""
    return Console().width if sys.stdout.isatty() else PAGE_COLUMNS


def print_page(page: Page) -> None:
    """A table with a title and what has to be said below it; in a pipe without colour and as wide as it needs."""
    if sys.stdout.isatty():
        console = Console()
        console.print(Text(harmless(page.title), "bold"))
        fitted = page.fitted(console.width)
        console.print(fitted.table())
        for note in fitted.notes:
            say(textwrap.fill(harmless(note), console.width, subsequent_indent="    "))
    else:
        paper = io.StringIO()
        Console(width=MOST_COLUMNS, file=paper, color_system=None).print(page.table())
        lines = [line.rstrip() for line in paper.getvalue().splitlines()]
        say("\n".join([harmless(page.title), *lines, *map(harmless, page.notes)]))


def require_place(path: Path) -> None:
    """Refuse a file that cannot be written before anything has run for it. Raises DocumentError."""
    folder = path.parent
    if is_directory(path):
        problem = "is a directory, expected a file to write"
    elif not is_directory(folder):
        problem = f"cannot be written: there is no directory {folder}"
    elif not os.access(path if path.exists() else folder, os.W_OK):
        problem = "cannot be written: permission denied"
    else:
        return
    raise DocumentError([f"{path}: {problem}"])
