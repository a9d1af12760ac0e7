"""Our mappings against mRNA's, both simulated in our default fabric of the same size.

    python benchmarks/vs_mrna.py CSV [--limit N] [--jobs N] [--scale MACS]

``CSV`` is a table of mRNA's mappings of network layers. Each distinct (layer, fabric, objective) runs once, one image,
with the layer's own numbers of multipliers, ports and buses. mRNA's tile is walked in its loop order N C K P Q where
the partial sums fit the accumulation buffer, else with C as far inside as that takes (its own pass over the partial
sums would cost it more). The ``best loops`` are a more generous reference: mRNA's tile with the loop order and
placement, of all that our mapper looks at, that are estimated best for it: these rank one tile alone, and mRNA's walk is the
mapper's own reference, so both are called as the mapper calls them.

Prints a line per layer, the longest first, the layers for which mRNA offers nothing, those where we lose, and as the
last line JSON ``{"layers", "geomean_speedup", "min_speedup", "geomean_energy", "max_energy_ratio", "geomean_speedup_best_loops",
"min_speedup_best_loops"}``: ``layers`` counts the distinct (layer, fabric) pairs, speedups are mRNA's cycles over ours
for the objective performance, energies ours over mRNA's for the objective energy. Exit code 1 when we are slower or
take more energy anywhere, or are less than 1.5 times as fast on geometric mean.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from math import exp, log
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from reporting import mapped, options, progress, read_table, run_script, simulated

from maerisim import Hardware, Mapping, Problem
from maerisim.analytic.objective import Objective
from maerisim.analytic.ranking import rank
from maerisim.mapping.notation import dims_words, mapping_words
from maerisim.sweeps.workers import in_processes
from mapper.references.mrna import walked

SPEEDUP_TARGET = 1.5


class Case(NamedTuple):
    """A layer on a fabric with an objective, and mRNA's tile for it; None with a reason where it offers none."""

    name: str
    problem: Problem
    multipliers: int
    bandwidth: int
    objective: Literal["cycles", "energy"]
    tile: tuple[int, int] | None
    reason: str

    @property
    def hardware(self) -> Hardware:
        size = {
            "multipliers": self.multipliers,
            "distribution.bandwidth": self.bandwidth,
            "collection.bandwidth": self.bandwidth,
        }
        return Hardware.load("maeri").with_overrides(size)


class Cost(NamedTuple):
    """What a mapping takes in simulation."""

    mapping: Mapping
    cycles: int
    energy: float


class Outcome(NamedTuple):
    """A case with our mapping, mRNA's in its own loops, and its tile in the best loops."""

    case: Case
    ours: Cost
    theirs: Cost
    best_loops: Cost

    def ratio(self, reference: Cost) -> float:
        """How much the reference costs over ours, in what the objective makes small; above 1 we win."""
        if self.case.objective == "cycles":
            return reference.cycles / self.ours.cycles
        return reference.energy / self.ours.energy


def cases(table: Path) -> list[Case]:
    """The distinct cases of a table of mRNA's mappings, in its order."""
    found: dict[object, Case] = {}
    for _, row in read_table(table, "the table of mRNA's mappings to compare with"):
        case = case_of(row)
        found.setdefault((case.problem, case.multipliers, case.bandwidth, case.objective), case)
    return list(found.values())


def case_of(row: dict[str, str]) -> Case:
    """One row. Fully connected layers have H x W inputs and P x Q outputs, an LSTM's hidden state (S) is input too and
    its four gates are the outputs.
    """
    n = {key: int(value) for key, value in row.items() if value.isdecimal()}
    tile: tuple[int, int] | None = None
    if row["type"] == "FC":
        problem = Problem(C=n["H"] * n["W"], K=n["P"] * n["Q"])
    elif row["type"] == "RNN":
        problem = Problem(C=n["W"] + n["S"], K=4 * n["S"])
    else:
        problem = Problem(K=n["K"], C=n["C"], R=n["R"], S=n["S"], P=n["P"], Q=n["Q"], stride=(n["stride"], n["stride"]))
    if row["status"].startswith("ok"):
        # Its table calls the virtual neuron of a fully connected layer T_S and the number of them T_R.
        tile = (n["T_C"], n["T_K"]) if row["type"] == "CONV" else (n["T_S"], n["T_R"])
    objective: Literal["cycles", "energy"] = "cycles" if row["objective"] == "performance" else "energy"
    reason = f"{row['status']} ({row['type']}, {dims_words(problem)})"
    return Case(f"{row['network']} {row['layer']}", problem, n["ms"], n["dn_bw"], objective, tile, reason)


def run(case: Case) -> Outcome:
    """Find our mapping, and simulate it beside mRNA's tile."""
    assert case.tile is not None
    hardware, problem = case.hardware, case.problem
    channels, filters = (min(size, most) for size, most in zip(case.tile, (problem.C, problem.K), strict=True))
    known: dict[Mapping, Cost] = {}

    def cost(mapping: Mapping) -> Cost:
        if mapping not in known:
            result = simulated(problem, mapping, hardware)
            known[mapping] = Cost(mapping, result.cycles, result.counters.energy(hardware.energy))
        return known[mapping]

    theirs = walked(channels, filters, problem, hardware)
    return Outcome(
        case,
        cost(mapped(problem, hardware, case.objective).mapping),
        cost(theirs),
        cost(in_best_loops(theirs, problem, hardware, case.objective)),
    )


def in_best_loops(mapping: Mapping, problem: Problem, hardware: Hardware, objective: Objective) -> Mapping:
    """The tile of a mapping in the loop order and placement that are estimated best for it."""
    ranking = rank(problem, hardware, np.array([mapping.tile], np.int32), objective)
    return ranking.best[0].mapping if ranking.best else mapping


def outcomes(todo: list[Case], jobs: int) -> Iterator[Outcome]:
    """The cases, run in parallel, the longest first."""
    longest_first = sorted(todo, key=lambda case: -case.problem.macs / case.multipliers)
    run(longest_first[-1])  # compile the kernels once, before there are several processes
    for finished, outcome in enumerate(in_processes(run, longest_first, jobs, in_order=True), 1):
        yield outcome
        progress(f"{finished} of {len(todo)} finished")


def geomean(values: Iterable[float]) -> float:
    logs = [log(value) for value in values]
    return exp(sum(logs) / len(logs))


def described(outcome: Outcome) -> str:
    """One line: the case, cycles or energies of ours and mRNA's, ratios, and both mappings."""
    case = outcome.case
    unit = "cycles" if case.objective == "cycles" else "energy"
    ours, theirs = getattr(outcome.ours, unit), getattr(outcome.theirs, unit)
    ratios = f"{outcome.ratio(outcome.theirs):6.2f} {outcome.ratio(outcome.best_loops):6.2f}"
    mappings = "; mRNA ".join(mapping_words(case.problem, cost.mapping) for cost in (outcome.ours, outcome.theirs))
    return f"{case.name:26} {case.multipliers:4} {unit:6} {ours:15,.0f} {theirs:15,.0f} {ratios}  {mappings}"


def summary(done: list[Outcome]) -> dict[str, float]:
    """The numbers of the last line; those of an objective that did not run are left out."""
    fast = [outcome for outcome in done if outcome.case.objective == "cycles"]
    frugal = [outcome for outcome in done if outcome.case.objective == "energy"]
    pairs = {(outcome.case.problem, outcome.case.multipliers) for outcome in done}
    numbers: dict[str, float] = {"layers": len(pairs)}
    if fast:
        speedups = [outcome.ratio(outcome.theirs) for outcome in fast]
        numbers |= {"geomean_speedup": geomean(speedups), "min_speedup": min(speedups)}
    if frugal:
        ratios = [1 / outcome.ratio(outcome.theirs) for outcome in frugal]
        numbers |= {"geomean_energy": geomean(ratios), "max_energy_ratio": max(ratios)}
    if fast:
        generous = [outcome.ratio(outcome.best_loops) for outcome in fast]
        numbers |= {"geomean_speedup_best_loops": geomean(generous), "min_speedup_best_loops": min(generous)}
    return {name: round(number, 4) for name, number in numbers.items()}


def main() -> int:
    """Run the comparison."""
    parser = options(__doc__)
    parser.add_argument("csv", type=Path)
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N distinct cases")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes at once")
    parser.add_argument("--scale", type=int, metavar="MACS", help="shrink layers above this")
    arguments = parser.parse_args()
    todo = cases(arguments.csv)
    offered = [case for case in todo if case.tile is not None][: arguments.limit]
    if arguments.scale is not None:
        offered = [case._replace(problem=case.problem.scaled(arguments.scale)) for case in offered]
    print(f"{'layer':26} {'M':>4} {'':6} {'ours':>15} {'mRNA':>15} {'ratio':>6} {'best':>6}  mappings")
    done = []
    for outcome in outcomes(offered, arguments.jobs):
        print(described(outcome), flush=True)
        done.append(outcome)
    nothing = dict.fromkeys(f"{case.name} at {case.multipliers}: {case.reason}" for case in todo if case.tile is None)
    print(f"mRNA offers nothing for {len(nothing)} layers and fabrics:", *nothing, sep="\n  ")
    for words, reference in (("mRNA", "theirs"), ("mRNA's tile in the best loops", "best_loops")):
        lost = [outcome for outcome in done if outcome.ratio(getattr(outcome, reference)) < 1]
        print(f"lost against {words}: {len(lost)} of {len(done)}", *map(described, lost), sep="\n  ")
    numbers = summary(done)
    print(json.dumps(numbers))
    return int(
        numbers.get("geomean_speedup", SPEEDUP_TARGET) < SPEEDUP_TARGET
        or numbers.get("min_speedup", 1.0) < 1
        or numbers.get("max_energy_ratio", 1.0) > 1
    )


if __name__ == "__main__":
    run_script(main)
