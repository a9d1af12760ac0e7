"""What commands say, in which names of layers do nothing to the terminal, and how much besides their results."""

from __future__ import annotations

import sys
from contextlib import suppress
from enum import IntEnum

import typer

from maerisim.text import harmless_lines


class Loudness(IntEnum):
    """How much is said on standard error besides errors: nothing, what takes long, or also how long everything took."""

    QUIET = 0
    USUAL = 1
    VERBOSE = 2


_loudness = Loudness.USUAL


def set_loudness(loudness: Loudness) -> None:
    """What the options of the command line ask for."""
    global _loudness  # noqa: PLW0603 - of the one command that this process runs
    _loudness = loudness


def loudness() -> Loudness:
    """How much this command says."""
    return _loudness


def say(text: str, *, err: bool = False) -> None:
    """Print lines for people, on standard output or standard error."""
    if err:
        warn(f"{harmless_lines(text)}\n")
    else:
        typer.echo(harmless_lines(text))


def warn(text: str) -> None:
    """Write to standard error as it is; where that cannot be written nobody wants to know."""
    with suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()


def give(text: str) -> None:
    """Print a document as it is, for programs; only a terminal gets it harmless."""
    if sys.stdout.isatty():
        text = harmless_lines(text.replace("\r\n", "\n"))
    typer.echo(text, nl=False, color=True)  # without colour typer would take escapes out of the data
