"""How far the analytic estimate is from the simulation, over every layer of every shipped network.

    python benchmarks/bench_estimate_error.py [--hardware NAME ...] [--best N] [--jobs N] [NETWORK ...]

The best mappings by estimate (default: ten) of every distinct layer, or stage of a recurrent one, in full on each fabric
(default: the six shipped sizes, and STONNE's controller at 64 and 256 multipliers) are simulated. Prints the mappings furthest off with the reason and the errors by fabric,
and as the last line JSON ``{"rows": n, "mean_abs_error": x, "max_abs_error": x, "overestimate": x, "underestimate": x,
"cycles": n}``; errors are relative to the simulated cycles. Exit code 1 when the mean exceeds 0.5 %, the largest 3 %, or
any what :data:`maerisim.analytic.accuracy.GOOD` promises.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from functools import partial
from typing import Any, NamedTuple

from reporting import Line, Report, hardware_of, options, run_script, simulated

import maerisim
from maerisim import Hardware, Mapping, Network, Problem, shipped
from maerisim.analytic.accuracy import GOOD
from maerisim.counts.counters import Counters
from maerisim.sweeps.workers import in_processes

SIZES = ("maeri-16", "maeri-32", "maeri-64", "maeri-128", "maeri-256", "maeri-512", "stonne", "stonne,multipliers=256")
HARDWARE = "maeri-64"
"""That of the short measurement."""
BEST = 10
MOST_MEAN, MOST = 0.005, 0.03
"""The largest mean and the largest error that are accepted."""
SHOWN = 15


class Row(NamedTuple):
    """One mapping: signed relative error of its estimate, and why."""

    error: float
    hardware: str
    layer: str
    cycles: int
    estimated: int
    mapping: Mapping
    reason: str


def distinct_layers(networks: Iterable[str]) -> dict[Problem, str]:
    """Every distinct layer or stage, and where it occurs first."""
    layers: dict[Problem, str] = {}
    for name in networks:
        for layer in Network.load(name).layers:
            for stage in layer.stages:
                layers.setdefault(stage.problem, f"{name} {stage.name}")
    return layers


def rows_of(layer: tuple[Problem, str], hardware: Hardware, best: int) -> list[Row]:
    """Estimate and simulate the best mappings of a layer."""
    (problem, name), rows = layer, []
    for found in maerisim.rank(hardware, problem, count=best).best:
        result = simulated(problem, found.mapping, hardware)
        error = (found.estimate.cycles - result.cycles) / result.cycles
        spills = found.mapping.spills(problem, hardware)
        reason = explain(found.estimate.limited_by, result.counters, spills)
        rows.append(Row(error, hardware.name, name, result.cycles, found.estimate.cycles, found.mapping, reason))
    return rows


def survey(networks: Iterable[str], fabrics: Iterable[str], best: int, jobs: int, *, quiet: bool = False) -> list[Row]:
    """The rows of all layers on all fabrics, the furthest off first; unless ``quiet``, say after each how it went."""
    layers, rows = distinct_layers(networks), list[Row]()
    for name in fabrics:
        found = in_processes(
            partial(rows_of, hardware=hardware_of(name), best=best), layers.items(), jobs, in_order=True
        )
        here = [row for each in found for row in each]
        if not quiet:
            data = summary(here)
            print(
                f"{name:10} {len(here):5} mappings: mean error {data['mean_abs_error']:.3%}, "
                f"from {-data['underestimate']:+.2%} to {data['overestimate']:+.2%}",
                flush=True,
            )
        rows += here
    return sorted(rows, key=lambda row: -abs(row.error))


def summary(rows: list[Row]) -> dict[str, Any]:
    """The numbers of the last line."""
    errors = [row.error for row in rows]
    return {
        "rows": len(rows),
        "mean_abs_error": round(sum(map(abs, errors)) / len(rows), 6),
        "max_abs_error": round(max(map(abs, errors)), 6),
        "overestimate": round(max(0.0, *errors), 6),
        "underestimate": round(-min(0.0, *errors), 6),
        "cycles": sum(row.cycles for row in rows),
    }


def measure() -> Report:
    """The error of the best mapping of every layer on one fabric."""
    start = time.perf_counter()
    rows = survey(list(shipped("network")), [HARDWARE], best=1, jobs=1, quiet=True)
    seconds = time.perf_counter() - start
    found = summary(rows)
    lines = [
        Line("mean error", 100 * found["mean_abs_error"], "%", 100 * MOST_MEAN, note=f"{len(rows)} distinct layers"),
        Line("largest error", 100 * found["max_abs_error"], "%", 100 * MOST, note=rows[0].layer),
        Line("to map and simulate them", seconds, "s", note=f"{found['cycles']:,} cycles"),
    ]
    return Report(f"The estimate against the simulation on {HARDWARE}", lines, found | {"seconds": round(seconds, 2)})


def main() -> int:
    """Run the benchmark; 1 when an error is larger than accepted or published."""
    parser = options(__doc__)
    parser.add_argument("networks", nargs="*", help="shipped names or files; default: all shipped")
    parser.add_argument(
        "--hardware",
        nargs="+",
        default=SIZES,
        help="names or files, with changes: stonne,multipliers=256; default: all shipped sizes, and STONNE's controller",
    )
    parser.add_argument("--best", type=int, default=BEST, help="mappings of each layer")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    arguments = parser.parse_args()
    rows = survey(arguments.networks or shipped("network"), arguments.hardware, arguments.best, arguments.jobs)
    print(f"The {SHOWN} mappings furthest off:")
    for row in rows[:SHOWN]:
        print(f"{row.error:+8.2%}  {row.hardware:9} {row.layer:36} {row.cycles:>11,} cycles  {row.mapping}")
        print(f"{'':10}{row.reason}")
    found = summary(rows)
    print(json.dumps(found))
    exceeded = found["mean_abs_error"] > MOST_MEAN or found["max_abs_error"] > MOST
    promised = found["overestimate"] <= GOOD.over and found["underestimate"] <= GOOD.under
    return int(exceeded or not promised)


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
    run_script(main)
