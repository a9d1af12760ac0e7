"""Run the cases of a STONNE table in the ``stonne`` profile and compare cycles and counters.

    python benchmarks/validate_stonne.py CSV [--engine compiled|event] [--default]

``--default`` also runs every tile in our default fabric of the same size and prints how its cycles compare.
Prints one line per case that differs and as the last line JSON ``{"cases", "exact", "max_abs_error",
"mean_abs_error", "deadlocks", "deadlocks_found"}`` (errors of the cycles, relative; ``cases`` counts the rows that
STONNE completes, ``deadlocks`` those where it hangs), with the counts of rows whose operations differ beside it.
"""

from __future__ import annotations

import json
from math import exp, log
from pathlib import Path
from typing import Any

from reporting import options, read_table, run_script, simulated

from maerisim import DeadlockError, Hardware, Mapping, Problem
from maerisim.engine.run import Result
from maerisim.ways.way import violations

ORDER = "N G K P Q C R S"
COPIED = ("fw_sends", "sram_w_reads", "sram_in_reads", "sram_psum_reads", "psum_writes", "acc_adds")
PLACEMENT = "N G K P Q"
TABLE = "the table of STONNE runs to compare with"


def case(row: dict[str, str]) -> tuple[Problem, Mapping, Hardware]:
    """Layer, tile and hardware of a row. STONNE's X, Y are our rows and columns of the padded input."""
    n = {key: int(row[key]) for key in row if row[key].lstrip("-").isdigit()}
    stride = n["strides"]
    problem = Problem(
        N=n["N"], G=n["G"], K=n["K"] // n["G"], C=n["C"] // n["G"], R=n["R"], S=n["S"],
        P=(n["X"] - n["R"]) // stride + 1, Q=(n["Y"] - n["S"]) // stride + 1, stride=(stride, stride),
    )  # fmt: skip
    tile = {d: n[f"T_{d}"] for d in "NGKCRS"} | {"P": n["T_X_"], "Q": n["T_Y_"]}
    overrides: dict[str, Any] = {
        "multipliers": n["num_ms"],
        "distribution.bandwidth": n["dn_bw"],
        "collection.bandwidth": n["rn_bw"],
        "distribution.latency": 1 if n["dn_bw"] == n["num_ms"] else 2,
    }
    if not n["acc_buf"]:
        overrides |= {"accumulation.words": 0, "accumulation.latency": 0}
    hardware = Hardware.load("stonne").with_overrides(overrides)
    return problem, Mapping.of(tile, ORDER, PLACEMENT), hardware


def counts(result: Result) -> dict[str, int]:
    """Our counts under STONNE's names."""
    c = result.counters
    return {
        "mults": c.multiplications,
        "adds": c.additions,
        "fw_sends": c.forwards,
        "sram_w_reads": c.buffer_reads["weights"],
        "sram_in_reads": c.buffer_reads["inputs"],
        "sram_psum_reads": c.buffer_reads["partial_sums"],
        "psum_writes": c.results,
        "acc_adds": c.accumulations,
    }


def compare_with_default(table: Path) -> None:
    """Print our default fabric's cycles over STONNE's on the same tiles and loop order, with the reasons."""
    ratios = []
    for _, row in read_table(table, TABLE):
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
        if row["status"] == "ok" and not violations(problem, fitting, ours):
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
    """Run the table; 1 when a case is more than 2 % off or a deadlock is not found."""
    parser = options(__doc__)
    parser.add_argument("csv", type=Path)
    parser.add_argument("--engine", choices=["compiled", "event"], default="compiled")
    parser.add_argument("--default", action="store_true", help="compare with our default fabric as well")
    arguments = parser.parse_args()
    errors: list[float] = []
    deadlocks = found = other_counts = 0
    for _, row in read_table(arguments.csv, TABLE):
        problem, mapping, hardware = case(row)
        try:
            result = simulated(problem, mapping, hardware, engine=arguments.engine)
        except DeadlockError:
            found += row["status"] != "ok"
            result = None
        if row["status"] != "ok":
            deadlocks += 1
            continue
        expected = int(row["cycles"])
        cycles = result.cycles if result else 0
        errors.append(abs(cycles - expected) / expected)
        theirs = {
            "mults": int(row["mults"]),
            "adds": int(row["add21"]) + 2 * int(row["add31"]),
        } | {name: int(row[name]) for name in COPIED}
        ours = counts(result) if result else {}
        differing = [
            f"{name} {ours.get(name)} not {value}" for name, value in theirs.items() if ours.get(name) != value
        ]
        other_counts += bool(differing) and cycles == expected
        if cycles != expected or differing:
            print(f"{row['name']}: {cycles} cycles, STONNE {expected} ({errors[-1]:.2%}) {'; '.join(differing)}")
    if arguments.default:
        compare_with_default(arguments.csv)
    summary = {
        "cases": len(errors),
        "exact": sum(error == 0 for error in errors),
        "max_abs_error": round(max(errors, default=0.0), 6),
        "mean_abs_error": round(sum(errors) / max(1, len(errors)), 6),
        "deadlocks": deadlocks,
        "deadlocks_found": found,
        "exact_with_other_counts": other_counts,
    }
    print(json.dumps(summary))
    return int(summary["max_abs_error"] > 0.02 or found < deadlocks)


if __name__ == "__main__":
    run_script(main)
