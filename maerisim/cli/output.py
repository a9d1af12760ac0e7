"""Results on standard output: a table for people, one JSON document for programs."""

from __future__ import annotations

import io
import json
import re
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from maerisim import report as reporting
from maerisim.cli import INTERRUPTED
from maerisim.errors import DocumentError
from maerisim.mapping import MappingFile, dump_mappings

MOST_COLUMNS = 1000
"""Wider than any table, so that nothing is cut or wrapped where there is no terminal."""


def finish(command: str, report: reporting.NetworkReport, *, as_json: bool) -> None:
    """Print the results of a command; when it was interrupted, say so and leave with exit code 130.

    Raises the error that ended the run, after what was finished before it is printed.
    """
    if as_json:
        typer.echo(json_text(reporting.network_json(report)))
    elif report.entries:
        print_tables(command, report)
    if report.failure is not None:
        raise report.failure
    if report.interrupted:
        finished = len(report.layers)
        typer.echo(f"interrupted: {finished} {'layer is' if finished == 1 else 'layers are'} finished", err=True)
        raise typer.Exit(INTERRUPTED)


def json_text(document: dict[str, Any]) -> str:
    """Indented JSON in which a list of numbers or names takes one line."""
    text = json.dumps(document, indent=2)
    return re.sub(
        r"\[\n[^][{}]*\]", lambda flat: re.sub(r"\n *", " ", flat[0]).replace("[ ", "[").replace(" ]", "]"), text
    )


def print_tables(command: str, report: reporting.NetworkReport) -> None:
    """The table of a command and what has to be said below it."""
    table = reporting.network_table(report, reporting.COLUMNS[command])
    print_table(reporting.title(report), table, reporting.footnotes(command, report))


def print_table(title: str, table: Table, notes: Sequence[str]) -> None:
    """A table between its title and its notes; in a pipe without colour and as wide as the table needs."""
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


def save_mappings(report: reporting.NetworkReport, path: Path) -> None:
    """Write the mappings of a report as a document that ``--mapping`` reads."""
    layers = {layer.name: (layer.problem, layer.mapping) for layer in report.layers}
    write_file(path, dump_mappings(MappingFile.of(report.hardware.name, report.network, layers)))


def write_file(path: Path, text: str) -> None:
    """Write a file the user named; a place that cannot be written is the user's to mend."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DocumentError([f"{path}: cannot be written: {error.strerror}"]) from error
