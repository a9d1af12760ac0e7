"""What commands say, in which names of layers do nothing to the terminal."""

from __future__ import annotations

import sys

import typer

from maerisim.text import harmless_lines


def say(text: str, *, err: bool = False) -> None:
    """Print lines for people, on standard output or standard error."""
    typer.echo(harmless_lines(text), err=err)


def give(text: str) -> None:
    """Print a document as it is, for programs; only a terminal gets it harmless."""
    if sys.stdout.isatty():
        text = harmless_lines(text.replace("\r\n", "\n"))
    typer.echo(text, nl=False, color=True)  # without colour typer would take escapes out of the data
