"""What the benchmarks share: how they end, one layer by the public API, and lines of measurements with their targets, as a
table and as JSON.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn, TypeVar

import yaml

import maerisim
from maerisim import Hardware, MaerisimError, Mapping, Problem
from maerisim.cli import BAD_INPUT, INTERRUPTED, explained
from maerisim.reports.findings import LayerReport

if TYPE_CHECKING:
    from maerisim.engine.run import Result

T = TypeVar("T")

PATIENCE = 5.0
"""Seconds above which a measurement is not repeated."""


CLOSED_PIPE = 141
"""Exit code when nobody reads any more."""


class UnusableError(MaerisimError):
    """A file that a benchmark was given cannot be used."""


def run_script(main: Callable[[], int]) -> NoReturn:
    """End with the exit code of ``main``; with 2 for input that cannot be used and 130 after Ctrl-C, and a line that says so.

    Whoever reads what is printed may stop early, as ``head`` does: then without a word with 141, as the shell has it.
    """
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python still has to print
        code = CLOSED_PIPE
    except MaerisimError as error:
        sys.stderr.write(explained(error))
        code = BAD_INPUT
    except KeyboardInterrupt:
        print("\ninterrupted" if sys.stderr.isatty() else "interrupted", file=sys.stderr)
        code = INTERRUPTED
    sys.exit(code)


def options(description: str | None) -> argparse.ArgumentParser:
    """The parser of a script's options; ``--help`` prints its docstring as it is."""
    return argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)


def run_measurement(measure: Callable[[], Report], description: str | None) -> NoReturn:
    """Run a script without options that measures something and prints it."""

    def main() -> int:
        options(description).parse_args()
        return show(measure())

    run_script(main)


def mapped(
    problem: Problem, hardware: Hardware, objective: Literal["cycles", "energy"] = "cycles", *, prove: bool = False
) -> LayerReport:
    """A layer with the best mapping."""
    (layer,) = maerisim.map(hardware, problem, objective=objective, prove=prove).layers
    assert isinstance(layer, LayerReport)
    return layer


def simulated(
    problem: Problem,
    mapping: Mapping,
    hardware: Hardware,
    *,
    engine: Literal["compiled", "event"] = "compiled",
    check_values: bool = False,
    fast_forward: bool = True,
) -> Result:
    """What a layer gives in simulation with a mapping."""
    (layer,) = maerisim.simulate(
        hardware, problem, mapping=mapping, engine=engine, check_values=check_values, fast_forward=fast_forward
    ).layers
    assert layer.result is not None
    return layer.result


def hardware_of(text: str) -> Hardware:
    """Hardware by name or file, with numbers replaced, called like that: ``stonne,multipliers=256,accumulation.words=0``."""
    name, *changes = text.split(",")
    pairs = [change.partition("=") for change in changes]
    overrides = {key: yaml.safe_load(value) for key, _, value in pairs}
    return Hardware.load(name).with_overrides(overrides | {"name": text} if overrides else {})


def progress(text: str) -> None:
    """Say on a terminal how far a benchmark is, in place of what was said before."""
    if sys.stderr.isatty():
        print(f"\r{text:40}", end="\r", file=sys.stderr, flush=True)


def read_table(path: Path, what: str, columns: Sequence[str] = ()) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV file by their lines. Raises UnusableError when it cannot be read, which says ``what`` to give
    where there is none, or has not all these ``columns``.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UnusableError(f"{path}: no such file; give {what}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableError(f"{path}: cannot be read: {error}") from error
    reader = csv.DictReader(text.splitlines(), restval="")
    missing = [column for column in columns if column not in (reader.fieldnames or ())]
    if missing:
        raise UnusableError(f"{path}: has no column {', '.join(missing)}")
    for row in reader:
        yield reader.line_num, row


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
