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
import time
from typing import Any, NamedTuple

from reporting import Line, Report

from maerisim.counters import Counters
from maerisim.documents import shipped
from maerisim.engine import simulate
from maerisim.hardware import Hardware
from maerisim.mapping import Mapping
from maerisim.workload import Network
from mapper import find_mapping

HARDWARE = "maeri-64"
SCALE = 4_000_000
"""MACs above which a layer is shrunk."""
MOST = 0.02
"""The largest mean error that is accepted."""


class Row(NamedTuple):
    """One layer: signed relative error of its estimate, and why."""

    error: float
    layer: str
    cycles: int
    estimated: int
    mapping: Mapping
    reason: str


def survey(names: list[str], hardware: Hardware, scale: int | None, *, quiet: bool = False) -> list[Row]:
    """Map, estimate and simulate every distinct layer, shrunk to ``scale`` MACs (None: in full); the furthest off first.

    Unless ``quiet``, say which layers are left out, and on a terminal how far it is.
    """
    rows: dict[object, Row] = {}
    for name in names:
        for layer in Network.load(name).layers:
            for stage in layer.stages if scale is None else layer.scaled_stages(scale):
                problem = stage.problem
                if problem in rows:
                    continue
                if sys.stderr.isatty() and not quiet:
                    now = f"\r{len(rows)} layers, now {name} {stage.name}"
                    print(now.ljust(78), end="", file=sys.stderr, flush=True)
                choice = find_mapping(problem, hardware)
                result = simulate(problem, choice.mapping, hardware)
                error = (choice.estimate.cycles - result.cycles) / result.cycles
                rows[problem] = Row(
                    error, f"{name} {stage.name}", result.cycles, choice.estimate.cycles, choice.mapping,
                    explain(choice.estimate.limited_by, result.counters, choice.mapping.spills(problem, hardware)),
                )  # fmt: skip
    if sys.stderr.isatty() and not quiet:
        print(file=sys.stderr)
    return sorted(rows.values(), key=lambda row: -abs(row.error))


def summary(rows: list[Row]) -> dict[str, Any]:
    """The numbers of the last line."""
    return {
        "layers": len(rows),
        "mean_abs_error": round(sum(abs(row.error) for row in rows) / len(rows), 6),
        "max_abs_error": round(abs(rows[0].error), 6),
        "cycles": sum(row.cycles for row in rows),
    }


def measure() -> Report:
    """The error over all shipped networks, long layers shrunk."""
    hardware = Hardware.load(HARDWARE)
    start = time.perf_counter()
    rows = survey(list(shipped("network")), hardware, SCALE, quiet=True)
    seconds = time.perf_counter() - start
    found = summary(rows)
    lines = [
        Line("mean error", 100 * found["mean_abs_error"], "%", 100 * MOST, note=f"{len(rows)} distinct layers"),
        Line("largest error", 100 * found["max_abs_error"], "%", note=rows[0].layer),
        Line("to map and simulate them", seconds, "s", note=f"{found['cycles']:,} cycles"),
    ]
    return Report(f"The estimate against the simulation on {HARDWARE}", lines, found | {"seconds": round(seconds, 2)})


def main() -> int:
    """Run the benchmark; 1 when the mean error exceeds 2 %."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", help="shipped names or files; default: all shipped")
    parser.add_argument("--hardware", default=HARDWARE)
    parser.add_argument("--scale", type=int, default=SCALE, help="MACs above which a layer is shrunk")
    parser.add_argument("--full", action="store_true", help="shrink nothing")
    arguments = parser.parse_args()
    hardware = Hardware.load(arguments.hardware)
    scale = None if arguments.full else arguments.scale
    worst = survey(arguments.networks or list(shipped("network")), hardware, scale)
    print(f"The ten layers furthest off on {hardware.name}:")
    for row in worst[:10]:
        print(f"{row.error:+8.2%}  {row.layer:36} {row.cycles:>11,} cycles  {row.mapping}\n{'':10}{row.reason}")
    print(json.dumps(summary(worst)))
    return int(summary(worst)["mean_abs_error"] > MOST)


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
