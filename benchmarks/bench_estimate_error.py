"""How far the analytic estimate is from the simulation, over every layer of every shipped network.

    python benchmarks/bench_estimate_error.py [--nests] [--hardware NAME ...] [--best N] [--jobs N] [NETWORK ...]

The best mappings by estimate (default: ten) of every distinct layer, or stage of a recurrent one, in full on each fabric
(default: the six shipped sizes, and STONNE's controller at 64 and 256 multipliers) are simulated. Prints the mappings furthest
off with the reason and the errors by fabric, and as the last line JSON ``{"rows": n, "mean_abs_error": x, "max_abs_error": x, "overestimate": x, "underestimate": x,
"cycles": n, "in_blocks": n}``; errors are relative to the simulated cycles. Exit code 1 when the mean exceeds 0.5 %, the
largest 3 %, or any what :data:`maerisim.analytic.accuracy.GOOD` promises.

With ``--nests`` the best mappings of any nest of loops, of those that the mapper makes (default: on maeri-64 and maeri-256): of the
layers where some of the best have loops over blocks. The number of these is ``in_blocks`` in the JSON.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from reporting import Line, Report, hardware_of, options, run_script, simulated

import maerisim
from maerisim import Hardware, Mapping, Network, Problem, shipped
from maerisim.analytic.accuracy import GOOD
from maerisim.analytic.predicted import Estimate
from maerisim.analytic.ranking import floors
from maerisim.counts.counters import Counters
from maerisim.mapping.legality import keeps_to_one_loop
from maerisim.sweeps.workers import in_processes
from maerisim.ways.way import estimate, violations
from mapper.nests import near, nests
from mapper.proof import NESTS_MADE, SHORT
from mapper.space import all_tiles

SIZES = ("maeri-16", "maeri-32", "maeri-64", "maeri-128", "maeri-256", "maeri-512", "stonne", "stonne,multipliers=256")
SIZES_OF_NESTS = ("maeri-64", "maeri-256")
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


def rows_of(layer: tuple[Problem, str], hardware: Hardware, best: int, *, any_nest: bool = False) -> list[Row]:
    """Estimate and simulate the best mappings of a layer."""
    (problem, name), rows = layer, []
    found = maerisim.rank(hardware, problem, count=best).best
    estimates = {each.mapping: each.estimate for each in found}
    if any_nest:
        estimates = with_nests(problem, hardware, estimates, best)
    for mapping, expected in estimates.items():
        result = simulated(problem, mapping, hardware)
        error = (expected.cycles - result.cycles) / result.cycles
        reason = explain(expected.limited_by, result.counters, mapping.spills(problem, hardware))
        rows.append(Row(error, hardware.name, name, result.cycles, expected.cycles, mapping, reason))
    return rows


def with_nests(
    problem: Problem, hardware: Hardware, one_loop: dict[Mapping, Estimate], best: int
) -> dict[Mapping, Estimate]:
    """The best of these mappings and of those with loops over blocks; none if none of the best has any.

    Made are as many as the mapper makes at once, and, as it walks on from the nests of short layers, the neighbours of the best.
    """
    if problem.sparsity is not None or keeps_to_one_loop(hardware) or hardware.controller.holds_ports_back:
        return {}
    below = max(expected.cycles for expected in one_loop.values())
    promising = floors(problem, hardware, all_tiles(problem, hardware), "cycles", below)
    made = [nest.mapping for nest in islice(nests(problem, hardware, promising, "cycles", {}, None), NESTS_MADE)]
    estimates = one_loop | {mapping: estimate(problem, mapping, hardware) for mapping in made}
    first = min(estimates, key=lambda mapping: estimates[mapping].cycles)
    if estimates[first].cycles <= SHORT:
        around = [mapping for mapping in near(problem, first) if not violations(problem, mapping, hardware)]
        estimates |= {mapping: estimate(problem, mapping, hardware) for mapping in around}
    least = sorted(estimates, key=lambda mapping: estimates[mapping].cycles)[:best]
    return {mapping: estimates[mapping] for mapping in least} if any(mapping.cuts for mapping in least) else {}


def survey(
    networks: Iterable[str],
    fabrics: Iterable[str],
    best: int,
    jobs: int,
    *,
    any_nest: bool = False,
    quiet: bool = False,
) -> list[Row]:
    """The rows of all layers on all fabrics, the furthest off first; unless ``quiet``, say after each how it went."""
    layers, rows = distinct_layers(networks), list[Row]()
    for name in fabrics:
        one = partial(rows_of, hardware=hardware_of(name), best=best, any_nest=any_nest)
        found = in_processes(one, layers.items(), jobs, in_order=True)
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
        "in_blocks": sum(bool(row.mapping.cuts) for row in rows),
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
        help="names or files, with changes: stonne,multipliers=256; default: all shipped sizes, and STONNE's controller",
    )
    parser.add_argument(
        "--nests", action="store_true", help="the best of any nest of loops, not of one loop a dimension"
    )
    parser.add_argument("--best", type=int, default=BEST, help="mappings of each layer")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    arguments = parser.parse_args()
    fabrics = arguments.hardware or (SIZES_OF_NESTS if arguments.nests else SIZES)
    networks = arguments.networks or shipped("network")
    rows = survey(networks, fabrics, arguments.best, arguments.jobs, any_nest=arguments.nests)
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
