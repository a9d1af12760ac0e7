"""Run the cases of a STONNE table in the ``stonne`` profile and compare cycles and counters.

    python benchmarks/validate_stonne.py CSV [--engine compiled|event] [--zeros as-stonne|all] [--default]

Rows that STONNE completes with outputs that pass its own check (status ``ok``) are compared; one in which it hangs
(``timeout``) has to be a deadlock here. Those in which its outputs are wrong (``WRONG_RESULT``: it prints ``test not
passed`` and then fails an assertion) or it fails otherwise (``assert``) are no reference, and counted. A row of another reduction
network than ASNETWORK is refused.

STONNE counts most of the zeros that fill up partial tiles as neither read nor written; ``--zeros all`` compares our
counts with all of them. ``--default`` also runs every tile in our default fabric of the same size and prints how its
cycles compare.

Prints one line per case that differs and as the last line JSON ``{"cases", "exact", "max_abs_error",
"mean_abs_error", "deadlocks", "deadlocks_found"}`` (errors of the cycles, relative; ``cases`` counts the rows that are
compared, ``deadlocks`` those where STONNE hangs), with the counts of rows whose operations differ, whose outputs
STONNE computes wrongly, in which it fails, and that are refused, beside it.
"""

from __future__ import annotations

import json
from collections import Counter
from math import exp, log
from pathlib import Path
from typing import Literal

from reporting import options, read_table, run_script, simulated
from stonne_rows import HARDWARE, PARAMETERS, case, counts, refusal

from maerisim import DeadlockError, Hardware, Mapping
from maerisim.ways.way import violations

COPIED = ("fw_sends", "sram_w_reads", "sram_in_reads", "sram_psum_reads", "psum_writes", "acc_adds")
TABLE = "the table of STONNE runs to compare with"
NO_REFERENCE = {"timeout": "deadlocks", "WRONG_RESULT": "outputs_wrong"}
"""What is counted of the rows that STONNE does not complete; all others are failures."""
COLUMNS = ("name", *PARAMETERS, *HARDWARE, "acc_buf", "status", "cycles", "mults", "add21", "add31", *COPIED)
COUNTED = ("deadlocks", "deadlocks_found", "outputs_wrong", "failed", "refused", "exact_with_other_counts")
Engine = Literal["compiled", "event"]


def compare_with_default(table: Path) -> None:
    """Print our default fabric's cycles over STONNE's on the same tiles and loop order, with the reasons."""
    ratios = []
    for _, row in read_table(table, TABLE):
        if refusal(row) or row["status"] != "ok":
            continue
        problem, mapping, stonne = case(row)
        size = {"multipliers": stonne.multipliers, "distribution.bandwidth": stonne.ports}
        ours = Hardware.load("maeri").with_overrides(
            size
            | {
                "collection.bandwidth": stonne.buses,
                "multiplier.weight_registers": stonne.multiplier.weight_registers,
                "accumulation.words": stonne.accumulation_words,
            }
        )
        fitting = Mapping(
            tuple(min(t, s) for t, s in zip(mapping.tile, problem.dims, strict=True)),  # type: ignore[arg-type]
            mapping.order,
            mapping.placement,
        )
        if not violations(problem, fitting, ours):
            ratios.append((simulated(problem, fitting, ours).cycles / int(row["cycles"]), row["name"]))
    ratios.sort()
    mean = exp(sum(log(ratio) for ratio, _ in ratios) / len(ratios))
    print(f"our default fabric (with as many weight registers) on the same {len(ratios)} tiles: {mean:.3f} of STONNE's")
    print("cycles on geometric mean; faster where the next weights load behind the computation instead of waiting for")
    print("the drain, where partial tiles are not padded and where inputs stay; the fastest, and all that are slower")
    print("(without a buffer a returning partial sum still passes our accumulation stage, STONNE leaves it out):")
    for ratio, name in ratios[:3] + [entry for entry in ratios if entry[0] > 1]:
        print(f"  {ratio:.3f}  {name}")


def main() -> int:
    """Run the table; 1 when a case is more than 2 % off, a deadlock is not found, or a row is refused."""
    parser = options(__doc__)
    parser.add_argument("csv", type=Path)
    parser.add_argument("--engine", choices=["compiled", "event"], default="compiled")
    parser.add_argument(
        "--zeros", choices=["as-stonne", "all"], default="as-stonne", help="which zeros of partial tiles count as moved"
    )
    parser.add_argument("--default", action="store_true", help="compare with our default fabric as well")
    arguments = parser.parse_args()
    errors: list[float] = []
    apart: Counter[str] = Counter()
    for _, row in read_table(arguments.csv, TABLE, COLUMNS):
        refused = refusal(row)
        if refused:
            apart["refused"] += 1
            print(f"{row['name']}: refused: {refused}")
            continue
        if row["status"] != "ok":
            apart[NO_REFERENCE.get(row["status"], "failed")] += 1
            apart["deadlocks_found"] += row["status"] == "timeout" and hangs(row, arguments.engine)
            continue
        error, differing = difference(row, arguments.engine, all_zeros=arguments.zeros == "all")
        errors.append(error)
        apart["exact_with_other_counts"] += bool(differing) and not error
        if error or differing:
            print("; ".join(differing))
    if arguments.default:
        compare_with_default(arguments.csv)
    summary = {
        "cases": len(errors),
        "exact": sum(error == 0 for error in errors),
        "max_abs_error": round(max(errors, default=0.0), 6),
        "mean_abs_error": round(sum(errors) / max(1, len(errors)), 6),
        **{name: apart[name] for name in COUNTED},
    }
    print(json.dumps(summary))
    return int(summary["max_abs_error"] > 0.02 or apart["deadlocks_found"] < apart["deadlocks"] or apart["refused"] > 0)


def hangs(row: dict[str, str], engine: Engine) -> bool:
    """Whether our run of a row ends in a deadlock."""
    try:
        simulated(*case(row), engine=engine)
    except DeadlockError:
        return True
    return False


def difference(row: dict[str, str], engine: Engine, *, all_zeros: bool) -> tuple[float, list[str]]:
    """The error of our cycles of a row, and in what it differs from STONNE."""
    problem, mapping, hardware = case(row)
    try:
        result = simulated(problem, mapping, hardware, engine=engine)
    except DeadlockError:
        return 1.0, [f"{row['name']}: deadlock, STONNE {row['cycles']}"]
    expected = int(row["cycles"])
    error = abs(result.cycles - expected) / expected
    theirs = {"mults": int(row["mults"]), "adds": int(row["add21"]) + 2 * int(row["add31"])}
    theirs |= {name: int(row[name]) for name in COPIED}
    ours = counts(result, problem, mapping, all_zeros=all_zeros)
    differing = [f"{name} {ours[name]} not {value}" for name, value in theirs.items() if ours[name] != value]
    if error or differing:
        differing.insert(0, f"{row['name']}: {result.cycles} cycles, STONNE {expected} ({error:.2%})")
    return error, differing


if __name__ == "__main__":
    run_script(main)
