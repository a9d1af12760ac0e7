"""In which form a command prints its results."""

from __future__ import annotations

from typing import Literal

import typer

Form = Literal["table", "json", "csv"]


def form_of(json: bool, csv: bool) -> Form:
    """The form that was asked for. Raises BadParameter for both at once."""
    if json and csv:
        raise typer.BadParameter("takes the place of --json", param_hint="--csv")
    return "json" if json else "csv" if csv else "table"
