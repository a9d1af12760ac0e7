"""A STONNE binary and maerisim on the same cases in turn: cycles of both, and how many times faster maerisim is.

    python benchmarks/vs_stonne.py --stonne PATH [--cases CSV] [--runs N] [--timeout SECONDS] [--no-fast-forward]

PATH is the ``stonne`` that ``make all`` builds in STONNE's repository. CSV has a row of STONNE's parameters per case, as
``benchmarks/stonne_cases.csv`` does, which is the default; rows with a status other than ``ok`` are left out. Every case is run alternately, STONNE first; its time is that of its
process without its statistics (a first run, not timed, writes them to see that they agree with what it prints). Ours is
that of lowering and simulating in the ``stonne`` profile, in this process, after a first run that is not timed. Both are
wall seconds, medians of ``--runs``. A linear layer is given to STONNE as the convolution that it makes of it.

STONNE prints ``Number of cycles running: N`` and, after comparing its outputs with its own reference, ``Test passed
correctly``; or the first wrong output (``ERROR position``) and ``test not passed``, and then fails an assertion, which
ends it with SIGABRT like any other assertion.

A case in which STONNE finds its own outputs wrong, fails otherwise or hangs, one of another reduction network than
ASNETWORK, and one whose cycles differ, is reported and left out of the mean. The last line is JSON; ``failed`` says what
happened to each case, ``outputs_wrong`` in which the outputs were. The exit code is 1 when there is such a case, 2 when
nothing can be run.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from math import exp, log
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from reporting import UnusableError, options, read_table, run_script, simulated
from stonne_rows import HARDWARE, PARAMETERS, case, refusal

from maerisim import MaerisimError

COLUMNS = ("name", *PARAMETERS, *HARDWARE, "acc_buf")
DEFAULT_CASES = Path(__file__).parent / "stonne_cases.csv"


class FailedError(Exception):
    """One of the two simulators does not complete a case; the message says which and why."""


class OutputsWrongError(FailedError):
    """STONNE completes a case, with outputs that do not pass its own check."""


class Outcome(NamedTuple):
    """A case that both complete."""

    stonne_cycles: int
    our_cycles: int
    stonne_seconds: float
    our_seconds: float

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.stonne_seconds / self.our_seconds


class Stonne:
    """A STONNE binary; ``timeout`` in seconds for one run of it."""

    def __init__(self, path: Path, timeout: float) -> None:
        if not path.is_file():
            raise UnusableError(f"{path}: no such file; give the binary that `make all` builds in STONNE's repository")
        if not os.access(path, os.X_OK):
            raise UnusableError(f"{path}: cannot be executed")
        self._path, self._timeout = path.resolve(), timeout

    def run(self, row: dict[str, str], *, statistics: bool) -> tuple[int, float]:
        """Cycles and wall seconds of a case. Raises FailedError."""
        options = {name: row[name] for name in PARAMETERS + HARDWARE}
        options |= {"rn_type": "ASNETWORK", "accumulation_buffer": row["acc_buf"]}
        options |= {"layer_name": "case", "print_stats": str(int(statistics))}
        command = [str(self._path), "-CONV", *(f"-{name}={value}" for name, value in options.items())]
        with tempfile.TemporaryDirectory() as directory:
            start = time.perf_counter()
            try:
                finished = subprocess.run(
                    command,
                    cwd=directory,
                    env=os.environ | {"OUTPUT_DIR": directory},
                    capture_output=True,
                    encoding="utf-8",
                    errors="replace",
                    timeout=self._timeout,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                raise FailedError(f"STONNE has not ended after {self._timeout:g} s") from None
            except OSError as error:
                raise UnusableError(f"{self._path}: cannot be executed: {error.strerror}") from error
            seconds = time.perf_counter() - start
            if "test not passed" in finished.stdout:
                raise OutputsWrongError(f"STONNE's own check of the outputs fails: {wrong_output(finished.stdout)}")
            if finished.returncode:
                raise FailedError(f"STONNE ended with {ending(finished.returncode)}: {last_line(finished)}")
            printed = found(r"^Number of cycles running: (\d+)", finished.stdout)
            written = self._written(Path(directory)) if statistics else set()
        if "Test passed correctly" not in finished.stdout:
            raise FailedError(f"STONNE does not say that its outputs are correct: {last_line(finished)}")
        if len(printed | written) != 1:
            said = " and ".join(str(cycles) for cycles in sorted(printed | written)) or "nothing"
            raise FailedError(f"expected one number of cycles from STONNE, in its output and its files, found {said}")
        return (printed | written).pop(), seconds

    @staticmethod
    def _written(directory: Path) -> set[int]:
        """The cycles in the files of a run: its statistics (JSON) and its counters."""
        cycles = set()
        for path in directory.iterdir():
            text = path.read_text(encoding="utf-8", errors="replace")
            cycles |= found(r'"N_cycles" : (\d+)' if path.suffix == ".txt" else r"^CYCLES=(\d+)", text)
        return cycles


def found(pattern: str, text: str) -> set[int]:
    """The numbers that a pattern finds in a text."""
    return {int(number) for number in re.findall(pattern, text, re.MULTILINE)}


def wrong_output(text: str) -> str:
    """What STONNE prints of an output that is wrong, without colours."""
    plain = re.sub(r"\x1b\[[\d;]*m", "", text)
    (line,) = (
        re.findall(r"^ERROR position.*", plain, re.MULTILINE)[:1]
        or re.findall(r"^.*test not passed", plain, re.MULTILINE)[:1]
    )
    return str(line)[:200]


def ending(code: int) -> str:
    """An exit code in words; STONNE's assertions end with a signal."""
    return f"exit code {code}" if code > 0 else f"signal {signal.Signals(-code).name}"


def last_line(finished: subprocess.CompletedProcess[str]) -> str:
    """What a process said last, errors first."""
    lines = (finished.stderr.strip() or finished.stdout.strip()).splitlines()
    return lines[-1][:200] if lines else "it says nothing"


def rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a table of cases that STONNE can complete. Raises UnusableError with the line that is wrong."""
    for line, row in read_table(path, "a table of cases", COLUMNS):
        for name in COLUMNS[1:]:
            if not row[name].isdigit():
                raise UnusableError(f"{path}:{line}: {name}: expected a whole number, found '{row[name]}'")
        if row.get("status", "ok") == "ok":
            yield row


def compare(stonne: Stonne, row: dict[str, str], runs: int, *, fast_forward: bool) -> Outcome:
    """Run a case alternately. Raises FailedError when one of the two does not complete it."""
    if refused := refusal(row):
        raise FailedError(refused)
    stonne_cycles, _ = stonne.run(row, statistics=True)
    our_cycles, _ = run_ours(row, fast_forward=fast_forward)
    theirs, ours = [], []
    for _ in range(runs):
        theirs.append(stonne.run(row, statistics=False)[1])
        ours.append(run_ours(row, fast_forward=fast_forward)[1])
    return Outcome(stonne_cycles, our_cycles, median(theirs), median(ours))


def run_ours(row: dict[str, str], *, fast_forward: bool) -> tuple[int, float]:
    """Cycles and wall seconds of a case in maerisim. Raises FailedError."""
    try:
        problem, mapping, hardware = case(row)
        start = time.perf_counter()
        result = simulated(problem, mapping, hardware, fast_forward=fast_forward)
        return result.cycles, time.perf_counter() - start
    except MaerisimError as error:
        raise FailedError(f"maerisim: {'; '.join(str(error).splitlines())}") from error


def described(name: str, outcome: Outcome) -> str:
    """The line of a case."""
    theirs, ours = outcome.stonne_cycles, outcome.our_cycles
    differs = "" if theirs == ours else f"  cycles differ by {(ours - theirs) / theirs:+.2%}"
    seconds = f"{outcome.stonne_seconds:10.3f} {outcome.our_seconds:10.4f}"
    return f"{name:32} {theirs:>10,} {ours:>10,} {seconds} {outcome.ratio:>8.1f}x{differs}"


def summary(outcomes: dict[str, Outcome], failed: dict[str, str], outputs_wrong: list[str]) -> dict[str, Any]:
    """The numbers of the last line."""
    ratios = [outcome.ratio for outcome in outcomes.values() if outcome.stonne_cycles == outcome.our_cycles]
    return {
        "cases": len(outcomes) + len(failed),
        "equal_cycles": len(ratios),
        "other_cycles": len(outcomes) - len(ratios),
        "failed": failed,
        "outputs_wrong": outputs_wrong,
        "times_faster": round(exp(sum(map(log, ratios)) / len(ratios)), 2) if ratios else None,
        "rows": {name: outcome._asdict() | {"times_faster": outcome.ratio} for name, outcome in outcomes.items()},
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the cases; see above for the exit code."""
    parser = options(__doc__)
    parser.add_argument("--stonne", type=Path, required=True, metavar="PATH", help="the binary")
    parser.add_argument(
        "--cases", type=Path, default=DEFAULT_CASES, metavar="CSV", help="STONNE's parameters, a row each"
    )
    parser.add_argument("--runs", type=int, default=3, help="timed runs of each, default 3")
    parser.add_argument("--timeout", type=float, default=600, metavar="SECONDS", help="for one run of STONNE")
    parser.add_argument("--no-fast-forward", action="store_true", help="step every cycle of ours")
    given = parser.parse_args(arguments)
    if given.runs < 1:
        parser.error("--runs: expected at least 1")
    outcomes: dict[str, Outcome] = {}
    failed: dict[str, str] = {}
    outputs_wrong: list[str] = []
    stonne = Stonne(given.stonne, given.timeout)
    cases = list(rows(given.cases))
    print(f"{'case':32} {'STONNE':>10} {'ours':>10} {'STONNE s':>10} {'ours s':>10} {'faster':>9}")
    for row in cases:
        try:
            outcome = compare(stonne, row, given.runs, fast_forward=not given.no_fast_forward)
        except FailedError as error:
            failed[row["name"]] = str(error)
            outputs_wrong += [row["name"]] if isinstance(error, OutputsWrongError) else []
            print(f"{row['name']:32} {error}", flush=True)
            continue
        outcomes[row["name"]] = outcome
        print(described(row["name"], outcome), flush=True)
    numbers = summary(outcomes, failed, outputs_wrong)
    if numbers["times_faster"] is not None:
        print(f"{numbers['times_faster']:.1f} times faster on geometric mean of {numbers['equal_cycles']} cases")
    print(json.dumps(numbers))
    return int(bool(failed) or numbers["other_cycles"] > 0)


if __name__ == "__main__":
    run_script(main)
