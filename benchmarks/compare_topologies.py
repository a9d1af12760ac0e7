"""What a network takes with each reduction network, every layer with a mapping of its own.

    python benchmarks/compare_topologies.py [--hardware maeri-64] [--jobs N] [NETWORK ...]

All layers, recurrent ones in all of their steps and fused ones one after the other, with the proven mapping on each topology,
simulated in full. Prints cycles and energy by network as multiples of those with an ``art``, the geometric mean over the
networks, and as the last line JSON ``{"hardware", "cycles": {topology: {network: n}}, "energy": {...},
"mean_cycles": {topology: x}, "mean_energy": {...}}``, the means as such multiples.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from functools import partial
from statistics import geometric_mean
from typing import NamedTuple

from reporting import options, progress, run_script

import maerisim
from maerisim import Hardware, Network, Problem, shipped
from maerisim.sweeps.workers import in_processes

FIRST = "art"
VARIANTS: dict[str, dict[str, object]] = {
    FIRST: {},
    "fan": {"reduction.topology": "fan"},
    "fan, last level": {"reduction.topology": "fan", "reduction.exit": "last_level"},
    "plain_tree": {"reduction.topology": "plain_tree"},
    "linear": {"reduction.topology": "linear"},
}
"""What is overridden in the hardware."""


class Cost(NamedTuple):
    """Cycles and energy of a layer, or of a network."""

    cycles: int
    energy: float


Costs = dict[str, dict[str, Cost]]
"""By topology and network."""


def cost(problem: Problem, fabrics: Iterable[Hardware]) -> list[Cost]:
    """A layer on each piece of hardware."""
    costs = []
    for hardware in fabrics:
        (layer,) = maerisim.simulate(hardware, problem).layers
        costs.append(Cost(layer.best_known_cycles, layer.counters.energy(hardware.energy)))
    return costs


def compared(names: Iterable[str], hardware: Hardware, jobs: int) -> Costs:
    """Each network with each topology; equal layers are simulated once."""
    fabrics = [hardware.with_overrides(overrides) for overrides in VARIANTS.values()]
    networks = {name: Network.load(name) for name in names}
    stages = {
        name: [(stage.problem, layer.count * stage.count) for layer in network.layers for stage in layer.stages]
        for name, network in networks.items()
    }
    problems = list(dict.fromkeys(problem for parts in stages.values() for problem, _ in parts))
    of_layer: dict[Problem, list[Cost]] = {}
    found = in_processes(partial(cost, fabrics=fabrics), problems, jobs, in_order=True)
    for problem, costs in zip(problems, found, strict=True):
        of_layer[problem] = costs
        progress(f"{len(of_layer)} of {len(problems)} layers")
    return {
        variant: {
            name: Cost(
                sum(count * of_layer[problem][place].cycles for problem, count in parts),
                sum(count * of_layer[problem][place].energy for problem, count in parts),
            )
            for name, parts in stages.items()
        }
        for place, variant in enumerate(VARIANTS)
    }


def main() -> int:
    """Compare and print."""
    parser = options(__doc__)
    parser.add_argument("networks", nargs="*", help="shipped names or files; default: all shipped")
    parser.add_argument("--hardware", default="maeri-64")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    costs = compared(arguments.networks or shipped("network"), Hardware.load(arguments.hardware), arguments.jobs)
    summary: dict[str, object] = {"hardware": arguments.hardware}
    for what in Cost._fields:
        values = {
            variant: {name: round(getattr(each, what)) for name, each in by_network.items()}
            for variant, by_network in costs.items()
        }
        shares = {
            variant: {name: value / values[FIRST][name] for name, value in by_network.items()}
            for variant, by_network in values.items()
        }
        means = {variant: geometric_mean(by_network.values()) for variant, by_network in shares.items()}
        print(
            f"{what + ' on ' + arguments.hardware:24} {FIRST:>16} {''.join(f'{name:>16}' for name in [*VARIANTS][1:])}"
        )
        for name, first in values[FIRST].items():
            print(f"{name:24} {first:16,} {''.join(f'{shares[each][name]:16.3f}' for each in [*VARIANTS][1:])}")
        print(f"{'geometric mean':24} {'1':>16} {''.join(f'{means[each]:16.3f}' for each in [*VARIANTS][1:])}\n")
        summary |= {what: values, f"mean_{what}": {variant: round(mean, 4) for variant, mean in means.items()}}
    print(json.dumps(summary))
    return 0


if __name__ == "__main__":
    run_script(main)
