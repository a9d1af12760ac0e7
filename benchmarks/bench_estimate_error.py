"""How far the analytic estimate is from the simulation, over every layer of every shipped network.

    python benchmarks/bench_estimate_error.py [--hardware maeri-64] [--scale MACS | --full] [NETWORK ...]

Every distinct layer, or stage of a recurrent one, is mapped, estimated and simulated once. Layers above ``--scale``
MACs (default 4,000,000) are shrunk, see ``Problem.scaled``. Prints the ten worst layers with the reason, and as the last line JSON
``{"layers": n, "mean_abs_error": x, "max_abs_error": x, "cycles": n}`` (errors relative to the simulated cycles).
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import NamedTuple

from maerisim.counters import Counters
from maerisim.documents import shipped
from maerisim.engine import simulate
from maerisim.hardware import Hardware
from maerisim.mapping import Mapping
from maerisim.workload import Network
from mapper import find_mapping


class Row(NamedTuple):
    """One layer: signed relative error of its estimate, and why."""

    error: float
    layer: str
    cycles: int
    estimated: int
    mapping: Mapping
    reason: str


def main() -> int:
    """Run the benchmark; 1 when the mean error exceeds 2 %."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", help="shipped names or files; default: all shipped")
    parser.add_argument("--hardware", default="maeri-64")
    parser.add_argument("--scale", type=int, default=4_000_000, help="MACs above which a layer is shrunk")
    parser.add_argument("--full", action="store_true", help="shrink nothing")
    arguments = parser.parse_args()
    hardware = Hardware.load(arguments.hardware)
    rows: dict[object, Row] = {}
    for name in arguments.networks or shipped("network"):
        for layer in Network.load(name).layers:
            for stage in layer.stages if arguments.full else layer.scaled_stages(arguments.scale):
                problem = stage.problem
                if problem in rows:
                    continue
                if sys.stderr.isatty():
                    now = f"\r{len(rows)} layers, now {name} {stage.name}"
                    print(now.ljust(78), end="", file=sys.stderr, flush=True)
                choice = find_mapping(problem, hardware)
                result = simulate(problem, choice.mapping, hardware)
                error = (choice.estimate.cycles - result.cycles) / result.cycles
                rows[problem] = Row(
                    error, f"{name} {stage.name}", result.cycles, choice.estimate.cycles, choice.mapping,
                    explain(choice.estimate.limited_by, result.counters, choice.mapping.spills(problem, hardware)),
                )  # fmt: skip
    if sys.stderr.isatty():
        print(file=sys.stderr)
    worst = sorted(rows.values(), key=lambda row: -abs(row.error))
    print(f"The ten layers furthest off on {hardware.name}:")
    for row in worst[:10]:
        print(f"{row.error:+8.2%}  {row.layer:36} {row.cycles:>11,} cycles  {row.mapping}\n{'':10}{row.reason}")
    mean = sum(abs(row.error) for row in worst) / len(worst)
    summary = {
        "layers": len(worst),
        "mean_abs_error": round(mean, 6),
        "max_abs_error": round(abs(worst[0].error), 6),
        "cycles": sum(row.cycles for row in worst),
    }
    print(json.dumps(summary))
    return int(mean > 0.02)


def explain(limited_by: str, counters: Counters, spills: bool) -> str:
    """Where the cycles are that the estimate does not see: the largest cause of stalls."""
    cause, stalls = max(counters.stalls.items(), key=lambda entry: entry[1])
    share = stalls / (stalls + counters.multiplications)
    words = {
        "collection": "switches wait for the slowest product of their virtual neuron",
        "weights": "the next weights do not arrive while the present ones are in use",
        "inputs": "inputs come in bursts that the queues do not smooth out",
        "wait": "partial sums are still on their way",
        "forwarding": "neighbours have no room for forwarded inputs",
    }
    spilled = ", partial sums share the ports with inputs and weights" if spills else ""
    return f"limited by {limited_by}{spilled}; {words[cause]} ({share:.0%} of the switches' cycles)"


if __name__ == "__main__":
    sys.exit(main())
