"""Results on standard output: a table for people, one JSON document for programs."""

from __future__ import annotations

import io
import os
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.text import Text

from maerisim.cli import INTERRUPTED
from maerisim.errors import DocumentError, MaerisimError
from maerisim.report import comparison as comparing
from maerisim.report import front as fronts
from maerisim.report import profile_report as profiling
from maerisim.report import roofline as rooflines
from maerisim.report import table as tables
from maerisim.report.as_json import json_text
from maerisim.report.comparison import Comparison
from maerisim.report.findings import NetworkReport

if TYPE_CHECKING:
    from rich.table import Table

PAGE_COLUMNS = 100
"""What tables of which parts can be left out, or put together, are made for where there is no terminal."""
MOST_COLUMNS = 1000
"""Wider than any table, so that nothing is cut or wrapped where there is no terminal."""


def finish(command: str, report: NetworkReport, *, as_json: bool) -> None:
    """Print the results of a command; when it was interrupted, say so and leave with exit code 130.

    Raises the error that ended the run, after what was finished before it is printed.
    """
    if as_json:
        typer.echo(json_text(report.to_dict()))
    elif report.entries:
        columns = tables.columns_of(command, report.hardware, page_width())
        table = tables.network_table(report, columns)
        print_page(tables.title(report), table, tables.footnotes(command, report))
    leave(report.failure, len(report.layers) if report.interrupted else None)


def finish_front(report: NetworkReport, *, as_json: bool) -> None:
    """The same for fronts of cycles and energy."""
    if as_json:
        typer.echo(json_text(report.to_dict()))
    elif report.entries:
        table = tables.network_table(report, fronts.COLUMNS, totals=False)
        print_page(tables.title(report), table, fronts.front_notes(report))
    leave(report.failure, len({layer.name for layer in report.layers}) if report.interrupted else None)


def finish_comparison(comparison: Comparison, *, as_json: bool) -> None:
    """The same for a comparison of mappings."""
    if as_json:
        typer.echo(json_text(comparison.to_dict()))
    elif comparison.entries:
        table = comparing.comparison_table(comparison)
        print_page(tables.title(comparison.ours), table, comparing.comparison_notes(comparison))
    leave(comparison.failure, len(comparison.layers) if comparison.interrupted else None)


def finish_profiles(report: profiling.ProfileReport, *, as_json: bool) -> None:
    """The same for profiles of mappings: a page for each layer, and one for all when there are several."""
    if as_json:
        typer.echo(json_text(report.to_dict()))
    else:
        pages = [section for layer in report.layers for section in profiling.sections(report, layer, page_width())]
        pages += [profiling.totals_section(report)] if len(report.layers) > 1 else []
        for section in pages:
            gap = [""] if section.notes else []
            print_page(section.title, profiling.table(section), [*gap, *section.notes, ""])
        for note in profiling.notes(report):
            typer.echo(note)
    leave(report.failure, len(report.layers) if report.interrupted else None)


def finish_roofline(report: rooflines.RooflineReport, *, as_json: bool) -> None:
    """The same for the rooflines of layers."""
    if as_json:
        typer.echo(json_text(report.to_dict()))
    elif report.entries:
        print_page(rooflines.title(report), rooflines.table(report), rooflines.notes(report))
    leave(report.results.failure, len(report.layers) if report.results.interrupted else None)


def leave(failure: MaerisimError | None, finished_before_interruption: int | None) -> None:
    """Raise the error that ended a run, or leave with exit code 130 when Ctrl-C did."""
    if failure is not None:
        raise failure
    if finished_before_interruption is not None:
        finished = finished_before_interruption
        typer.echo(f"interrupted: {finished} {'layer is' if finished == 1 else 'layers are'} finished", err=True)
        raise typer.Exit(INTERRUPTED)


def page_width() -> int:
    """Columns of the terminal; those of a usual page where there is none."""
    return Console().width if sys.stdout.isatty() else PAGE_COLUMNS


def print_page(title: str, table: Table, notes: Sequence[str]) -> None:
    """A table with a title and what has to be said below it; in a pipe without colour and as wide as it needs."""
    if sys.stdout.isatty():
        console = Console()
        console.print(Text(title, "bold"))
        console.print(table)
        for note in notes:
            typer.echo(textwrap.fill(note, console.width, subsequent_indent="    "))
    else:
        paper = io.StringIO()
        Console(width=MOST_COLUMNS, file=paper, color_system=None).print(table)
        typer.echo("\n".join([title, *(line.rstrip() for line in paper.getvalue().splitlines()), *notes]))


def require_place(path: Path) -> None:
    """Refuse a file that cannot be written before anything has run for it. Raises DocumentError."""
    folder = path.parent
    if path.is_dir():
        problem = "is a directory, expected a file to write"
    elif not folder.is_dir():
        problem = f"cannot be written: there is no directory {folder}"
    elif not os.access(path if path.exists() else folder, os.W_OK):
        problem = "cannot be written: permission denied"
    else:
        return
    raise DocumentError([f"{path}: {problem}"])
