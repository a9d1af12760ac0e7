"""Run the cases of a table of RTL runs in the ``maeri_rtl`` profile and compare cycles and counts.

    python benchmarks/validate_rtl.py CSV [--engine compiled|event]

Each row gives the hardware, the layer as the testbench is told it, and the words that configure the adder switches.
Prints one line per case that differs and as the last line JSON ``{"cases", "exact", "max_abs_error",
"mean_abs_error", "deadlocks", "deadlocks_found"}`` (errors of the cycles, relative; ``cases`` counts the rows that the
RTL completes, ``deadlocks`` those where it hangs; a case is ``exact`` when all its counts are right too).
What runs is the testbench itself with the words of a row, not a layer that was mapped, so the lock-step way is called directly.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from reporting import UnusableError, options, read_table, run_script

from maerisim import DeadlockError, Hardware, MaerisimError
from maerisim.engine.run import EngineName, Result, RunOptions
from maerisim.lowering.rtl_testbench import input_multicasts, unique_inputs
from maerisim.rtl.memory import Files, LayerInfo, configuration_of
from maerisim.ways.lock_step import run_testbench

SIZES = ("dim_k", "dim_c", "dim_r", "dim_s", "dim_y", "dim_x", "mapped_vns", "vn_size")
COUNTS = (
    "cycles",
    "outputs",
    "weights_injected",
    "inputs_injected",
    "unique_inputs",
    "input_multicasts",
    "first_output_cycle",
)
NUMBERS = ("ms", "dn_bw", "rn_bw", *SIZES)
COLUMNS = ("name", *NUMBERS, "rn_config", "status", *COUNTS)
DEADLOCK = "deadlock"


class Case(NamedTuple):
    """A row of the table; ``expected`` are the RTL's numbers, None where it hangs."""

    name: str
    hardware: Hardware
    files: Files
    expected: dict[str, int] | None


def number(row: Mapping[str, str], column: str, base: int = 10) -> int:
    """The whole number in a column."""
    try:
        return int(row[column], base)
    except ValueError:
        raise UnusableError(f"{column}: expected a whole number, found '{row[column]}'") from None


def case(row: Mapping[str, str]) -> Case:
    """Hardware, layer and configuration of a row. Raises UnusableError with the column that is wrong."""
    if row["status"] not in ("ok", DEADLOCK):
        raise UnusableError(f"status: expected ok or {DEADLOCK}, found '{row['status']}'")
    n = {column: number(row, column) for column in NUMBERS}
    overrides = {
        "multipliers": n["ms"],
        "distribution.bandwidth": n["dn_bw"],
        "collection.bandwidth": n["rn_bw"],
    }
    hardware = Hardware.load("maeri_rtl").with_overrides(overrides, "ms, dn_bw, rn_bw")
    words = tuple(number({"rn_config": word}, "rn_config", 16) for word in row["rn_config"].split())
    try:
        configuration = configuration_of(n["ms"], words)
    except ValueError as error:
        raise UnusableError(f"rn_config: {error}") from error
    *sizes, vn_count, vn_size = (n[column] for column in SIZES)
    expected = {column: number(row, column) for column in COUNTS} if row["status"] == "ok" else None
    return Case(
        f"{row['name']} on {n['ms']}-{n['dn_bw']}-{n['rn_bw']}",
        hardware,
        Files(LayerInfo(*sizes, n["ms"], vn_count, vn_size), configuration),
        expected,
    )


def cases(table: Path) -> Iterator[Case]:
    """The cases of a table. Raises UnusableError with the line that is wrong."""
    for line, row in read_table(table, "the table of RTL runs to compare with", COLUMNS):
        try:
            yield case(row)
        except MaerisimError as error:
            raise UnusableError(f"{table}:{line}: {row['name']}: {error}") from error


def counts(result: Result, layer: LayerInfo) -> dict[str, int]:
    """Our counts under the names of the table."""
    return {
        "cycles": result.cycles,
        "outputs": result.counters.results,
        "weights_injected": result.counters.delivered["weights"],
        "inputs_injected": result.counters.delivered["inputs"],
        "unique_inputs": unique_inputs(layer),
        "input_multicasts": input_multicasts(layer),
        "first_output_cycle": result.first_result,
    }


def run(entry: Case, engine: EngineName) -> dict[str, int]:
    """The counts of a case; nothing where it hangs. Raises UnusableError where the RTL cannot run it."""
    try:
        return counts(run_testbench(entry.files, entry.hardware, RunOptions(engine=engine)), entry.files.layer)
    except DeadlockError:
        return {}
    except MaerisimError as error:
        raise UnusableError(f"{entry.name}: {error}") from error


def validate(table: Path, engine: EngineName) -> dict[str, float]:
    """Run a table, print what differs, return the summary."""
    errors: list[float] = []
    exact = deadlocks = found = 0
    for entry in cases(table):
        ours = run(entry, engine)
        if entry.expected is None:
            deadlocks += 1
            found += not ours
            if ours:
                print(f"{entry.name}: {ours['cycles']} cycles, the RTL hangs")
            continue
        errors.append(abs(ours.get("cycles", 0) - entry.expected["cycles"]) / max(1, entry.expected["cycles"]))
        differing = [
            f"{name} {ours.get(name)} not {value}" for name, value in entry.expected.items() if ours.get(name) != value
        ]
        exact += not differing
        if differing:
            print(f"{entry.name}: {'; '.join(differing) if ours else 'hangs, the RTL does not'}")
    return {
        "cases": len(errors),
        "exact": exact,
        "max_abs_error": round(max(errors, default=0.0), 6),
        "mean_abs_error": round(sum(errors) / max(1, len(errors)), 6),
        "deadlocks": deadlocks,
        "deadlocks_found": found,
    }


def main() -> int:
    """Run the table; 0 when every case is exact and every deadlock found, 2 when the table cannot be used."""
    parser = options(__doc__)
    parser.add_argument("csv", type=Path)
    parser.add_argument("--engine", choices=["compiled", "event"], default="compiled")
    arguments = parser.parse_args()
    summary = validate(arguments.csv, arguments.engine)
    print(json.dumps(summary))
    return int(summary["exact"] < summary["cases"] or summary["deadlocks_found"] < summary["deadlocks"])


if __name__ == "__main__":
    run_script(main)
