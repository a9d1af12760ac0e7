"""What the benchmarks share: lines of measurements with their targets, as a table for people and JSON for programs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

PATIENCE = 5.0
"""Seconds above which a measurement is not repeated."""


class Line(NamedTuple):
    """One measurement; a ``target`` is a least value where ``more_is_better``, else a most."""

    name: str
    value: float
    unit: str
    target: float | None = None
    more_is_better: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        """PASS, or on which side of the target the value is; nothing without a target."""
        if self.target is None:
            return ""
        if self.more_is_better:
            return "PASS" if self.value >= self.target else "under"
        return "PASS" if self.value <= self.target else "over"


class Report(NamedTuple):
    """The results of one benchmark: ``data`` is what its JSON holds."""

    title: str
    lines: list[Line]
    data: dict[str, Any]

    @property
    def missed(self) -> int:
        """How many targets were missed."""
        return sum(line.verdict in ("over", "under") for line in self.lines)

    def text(self) -> str:
        """The table."""
        rows = [(line, number(line.value), "" if line.target is None else number(line.target)) for line in self.lines]
        name, value, unit, target = (
            max((len(text) for text in column), default=0)
            for column in zip(*((line.name, found, line.unit, goal) for line, found, goal in rows), strict=True)
        )
        body = [
            f"  {line.name:{name}}  {found:>{value}} {line.unit:{unit}}  {goal:>{target}}  {line.verdict:5}  {line.note}"
            for line, found, goal in rows
        ]
        head = f"  {'':{name}}  {'measured':>{value}} {'':{unit}}  {'target':>{target}}" if target else ""
        return "\n".join(line.rstrip() for line in [self.title, *([head] if head else []), *body])


def number(value: float) -> str:
    """A number with as many digits as are worth reading."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def best(function: Callable[[], T], runs: int, clock: Callable[[], float] = time.perf_counter) -> tuple[float, T]:
    """The least of the seconds that ``runs`` calls take after one that is not measured, and what the calls return.

    When a call takes longer than ``PATIENCE``, it is the last.
    """
    function()
    seconds: list[float] = []
    while True:
        start = clock()
        result = function()
        seconds.append(clock() - start)
        if len(seconds) == runs or seconds[-1] > PATIENCE:
            return min(seconds), result


def show(report: Report) -> int:
    """Print the table and, as the last line, the JSON; return the exit code of a benchmark: 0."""
    print(report.text())
    print(json.dumps(report.data))
    return 0
