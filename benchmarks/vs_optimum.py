"""How much a mapper by rules of thumb misses, and how long the proof takes.

    python benchmarks/vs_optimum.py [--hardware maeri-256] [--jobs N] [--prove] [NETWORK ...]

For every distinct dense layer and stage of the shipped networks: the mapping of the rules in ``mapper/references/heuristic.py``
against the proven one, both simulated in full; and the processor time of the search to proof. With ``--prove`` it goes on until
no other mapping can be better in simulation, else until none can be by more than 0.05 %. Prints the ten layers of which the rules
miss most, and as the last line JSON ``{"layers", "mean_gap", "worst_gap", "median_seconds", "longest_seconds",
"proven_to", "in_blocks", "nest_gap", "resnet50_layers", "resnet50_seconds"}``: gaps are the rules' cycles over the
proven mapping's, less 1; ``proven_to``: by how much another mapping of the worst layer could be better by the published
error of estimates; ``in_blocks``: layers of which a mapping with loops over blocks beats the best without, and is chosen;
``nest_gap``: by how much any mapping of the worst layer could be better, whatever its loops, without trusting an estimate;
``resnet50_seconds``: waiting time for all of its
layers on ``--jobs`` processes. What is timed is the search alone, called as the mapper calls it. Exit code 1 when the median is 1 s or more, or ResNet-50 takes 20 s or more.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from functools import partial
from statistics import mean, median
from typing import NamedTuple

from reporting import options, progress, run_script, simulated

from maerisim import Hardware, Network, Problem, shipped
from maerisim.sweeps.workers import in_processes
from mapper import PROOF, Effort, find_mapping
from mapper.references.heuristic import heuristic

FIRST = "resnet50"
"""The network that is timed as a whole."""
MOST_MEDIAN, MOST_FIRST = 1.0, 20.0
"""Seconds that are accepted for the median layer, and for all of the first network."""


class Outcome(NamedTuple):
    """One layer: simulated cycles of both mappings, by how much another could be better, and the time of the proof."""

    name: str
    rules: int
    proven: int
    proven_to: float
    seconds: float
    in_blocks: bool
    nest_gap: float

    @property
    def gap(self) -> float:
        return self.rules / self.proven - 1


def run(layer: tuple[str, Problem], hardware: Hardware, effort: Effort) -> Outcome:
    """Search one layer to proof; the rules' mapping follows in :func:`against_rules`."""
    name, problem = layer
    start = time.process_time()
    choice = find_mapping(problem, hardware, effort=effort)
    seconds = time.process_time() - start
    assert choice.certificate is not None
    cycles = simulated(problem, choice.mapping, hardware).cycles
    account = choice.certificate
    return Outcome(name, 0, cycles, account.gap, seconds, bool(choice.mapping.cuts), account.nest_gap or 0.0)


def against_rules(problem: Problem, hardware: Hardware) -> int:
    """Simulated cycles of the rules' mapping."""
    return simulated(problem, heuristic(problem, hardware, "cycles"), hardware).cycles


def distinct(names: Iterable[str], known: set[Problem]) -> Iterator[tuple[str, Problem]]:
    """The dense layers and stages of networks that are not yet known."""
    for network in names:
        for layer in Network.load(network).layers:
            for stage in layer.stages:
                if stage.problem not in known and stage.problem.sparsity is None:
                    known.add(stage.problem)
                    yield f"{network} {stage.name}", stage.problem


def measured(names: list[str], hardware: Hardware, effort: Effort, jobs: int) -> tuple[list[Outcome], int, float]:
    """All outcomes; the number of layers of the first network, and the time that these took."""
    run(("one", Problem(K=2)), hardware, effort)  # compile the kernels once, before there are several processes
    known: set[Problem] = set()
    groups = [list(distinct([name], known)) for name in sorted(names, key=lambda name: name != FIRST)]
    outcomes: list[Outcome] = []
    first_seconds = 0.0
    prove, follow_rules = partial(run, hardware=hardware, effort=effort), partial(against_rules, hardware=hardware)
    list(in_processes(prove, [("one", Problem(K=2))] * jobs, jobs))  # imports and kernels, before time is taken
    for group in groups:
        start = time.perf_counter()
        found = list(in_processes(prove, group, jobs, in_order=True))
        first_seconds = first_seconds or time.perf_counter() - start
        rules = in_processes(follow_rules, [problem for _, problem in group], jobs, in_order=True)
        outcomes += [each._replace(rules=cycles) for each, cycles in zip(found, rules, strict=True)]
        progress(f"{len(outcomes)} of {len(known)} layers")
    return outcomes, len(groups[0]), first_seconds


def main() -> int:
    """Run the networks."""
    parser = options(__doc__)
    parser.add_argument("networks", nargs="*", help="shipped names or files; default: all shipped")
    parser.add_argument("--hardware", default="maeri-256")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--prove", action="store_true", help="until no other mapping can be better")
    arguments = parser.parse_args()
    hardware = Hardware.load(arguments.hardware)
    effort = PROOF if arguments.prove else Effort()
    names = arguments.networks or list(shipped("network"))
    outcomes, first_layers, first_seconds = measured(names, hardware, effort, arguments.jobs)
    print(f"The ten layers of which the rules miss most on {hardware.name}:")
    print(f"{'layer':40} {'rules':>12} {'proven':>12} {'gap':>8}  {'proven to':>9} {'seconds':>8}")
    for outcome in sorted(outcomes, key=lambda outcome: -outcome.gap)[:10]:
        print(
            f"{outcome.name:40} {outcome.rules:12,} {outcome.proven:12,} {outcome.gap:8.2%}  {outcome.proven_to:9.4%} "
            f"{outcome.seconds:8.2f}"
        )
    summary = {
        "layers": len(outcomes),
        "mean_gap": round(mean(outcome.gap for outcome in outcomes), 6),
        "worst_gap": round(max(outcome.gap for outcome in outcomes), 6),
        "median_seconds": round(median(outcome.seconds for outcome in outcomes), 3),
        "longest_seconds": round(max(outcome.seconds for outcome in outcomes), 3),
        "proven_to": round(max(outcome.proven_to for outcome in outcomes), 6),
        "in_blocks": sum(outcome.in_blocks for outcome in outcomes),
        "nest_gap": round(max(outcome.nest_gap for outcome in outcomes), 6),
    }
    if FIRST in names:
        summary |= {"resnet50_layers": first_layers, "resnet50_seconds": round(first_seconds, 2)}
    print(json.dumps(summary))
    slow = summary["median_seconds"] >= MOST_MEDIAN or summary.get("resnet50_seconds", 0) >= MOST_FIRST
    return int(slow)


if __name__ == "__main__":
    run_script(main)
