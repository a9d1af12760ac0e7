"""Tables for the page, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import exp, isfinite, log


def markdown(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column is words and the others are numbers."""
    lines = [heading, ["---"] + ["---:"] * (len(heading) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def percent(value: float, digits: int = 1) -> str:
    """A share or a gap in percent, a dash where there is none."""
    return f"{100 * value:.{digits}f} %" if isfinite(value) else "–"


def count(value: float) -> str:
    """A number of samples, a dash where it was not reached."""
    return f"{value:,.0f}" if isfinite(value) else "–"


def geometric_mean(values: Iterable[float]) -> float:
    """Of positive numbers."""
    logs = [log(value) for value in values]
    return exp(sum(logs) / len(logs))
