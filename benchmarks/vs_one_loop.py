"""What loops over blocks are worth: the best mapping of any nest of loops against the best with one loop a dimension.

    python benchmarks/vs_one_loop.py [--hardware NAME ...] [--jobs N] [NETWORK ...]

For every distinct dense layer and stage of the networks (shipped names or files; default: all shipped) on each piece of
hardware (default: maeri-64 and maeri-256): both mappings as the mapper finds them, simulated in full. Prints the layers that
gain most, and a line of JSON for each piece of hardware: ``{"hardware", "layers", "gain", "mean_gain", "most_gain", "slower",
"nest_gap_zero", "nest_gap_share", "worst_nest_gap", "median_nest_gap", "certain_gap_zero", "certain_gap_share",
"worst_certain_gap", "in_blocks", "mean_error", "worst_error"}``: how many layers gain; by what share of cycles in the geometric mean over all, and at most; how many are
slower (expected: none); of how many layers, and what share of them, no mapping can be better for certain, and by how much one
could be at most: whatever its loops (``nest_gap``), or with one loop a dimension (``certain_gap``); and how far the estimates of
the mappings are off that have loops over blocks. Exit code 1 when a layer is slower.
"""

from __future__ import annotations

import json
import os
from functools import partial
from math import exp, log
from statistics import median
from typing import NamedTuple

from reporting import options, progress, run_script
from vs_optimum import distinct

from maerisim import Hardware
from maerisim.documents import shipped
from maerisim.mapping.constraints import Constraint, Range
from maerisim.mapping.mapping import REPLICATED, Mapping
from maerisim.sweeps.workers import in_processes
from maerisim.ways.way import simulate
from maerisim.workload.problem import Problem
from mapper import find_mapping

UNCUT = [Constraint(f"block {d}", Range(full=True), "") for d in REPLICATED]
"""No dimension is cut into blocks."""


class Outcome(NamedTuple):
    """One layer: simulated cycles with one loop a dimension and with any nest, and what the search says of others."""

    name: str
    one_loop: int
    any_nest: int
    certain_gap: float
    nest_gap: float
    error: float
    mapping: Mapping


def run(layer: tuple[str, Problem], hardware: Hardware) -> Outcome:
    """Search one layer both ways."""
    name, problem = layer
    uncut = find_mapping(problem, hardware, constraints=UNCUT).mapping
    choice = find_mapping(problem, hardware)
    account = choice.certificate
    assert account is not None
    cycles = [simulate(problem, mapping, hardware).cycles for mapping in (uncut, choice.mapping)]
    error = choice.estimate.cycles / cycles[1] - 1
    return Outcome(name, *cycles, account.certain_gap, account.nest_gap or 0.0, error, choice.mapping)


def _shares(name: str, gaps: list[float]) -> dict[str, float]:
    """How many gaps are zero, of what share of the layers, and the worst."""
    zero = sum(gap == 0 for gap in gaps)
    return {f"{name}_zero": zero, f"{name}_share": round(zero / len(gaps), 4), f"worst_{name}": round(max(gaps), 6)}


def main() -> int:
    """Run the networks."""
    parser = options(__doc__)
    parser.add_argument("networks", nargs="*", help="shipped names or files; default: all shipped")
    parser.add_argument("--hardware", nargs="+", default=["maeri-64", "maeri-256"])
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    layers = list(distinct(arguments.networks or shipped("network"), set()))
    slower = 0
    for name in arguments.hardware:
        outcomes: list[Outcome] = []
        for outcome in in_processes(partial(run, hardware=Hardware.load(name)), layers, arguments.jobs, in_order=True):
            outcomes.append(outcome)
            progress(f"{name}: {len(outcomes)} of {len(layers)} layers")
        gains = [1 - each.any_nest / each.one_loop for each in outcomes]
        print(f"The layers that gain most on {name}:")
        for outcome in sorted(outcomes, key=lambda each: each.any_nest / each.one_loop)[:10]:
            gain = 1 - outcome.any_nest / outcome.one_loop
            print(f"{outcome.name:36} {outcome.one_loop:13,} {outcome.any_nest:13,} {gain:7.2%}  {outcome.mapping}")
        errors = [abs(outcome.error) for outcome in outcomes if outcome.mapping.cuts]
        slower += sum(gain < 0 for gain in gains)
        summary = {
            "hardware": name,
            "layers": len(outcomes),
            "gain": sum(gain > 0 for gain in gains),
            "mean_gain": round(1 - exp(sum(log(1 - gain) for gain in gains) / len(gains)), 5),
            "most_gain": round(max(gains), 5),
            "slower": sum(gain < 0 for gain in gains),
            **_shares("nest_gap", [each.nest_gap for each in outcomes]),
            "median_nest_gap": round(median(each.nest_gap for each in outcomes), 6),
            **_shares("certain_gap", [each.certain_gap for each in outcomes]),
            "in_blocks": len(errors),
            "mean_error": round(sum(errors) / max(1, len(errors)), 6),
            "worst_error": round(max(errors, default=0.0), 6),
        }
        print(json.dumps(summary), flush=True)
    return int(slower > 0)


if __name__ == "__main__":
    run_script(main)
