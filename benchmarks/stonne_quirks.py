"""What each way in which STONNE differs from our default fabric costs, measured on shipped networks.

    python benchmarks/stonne_quirks.py [--hardware maeri-64] [--scale MACS] [NETWORK ...]

Every distinct layer is mapped for the ``stonne`` profile and simulated with that mapping in the profile as it is, and
again with one option changed to the default fabric's value at a time, and in the default fabric itself. Prints, per
option, the cycles of all layers together against the profile's, and as the last line the same as JSON.
"""

from __future__ import annotations

import json
from typing import Any

from reporting import mapped, options, run_script, simulated

from maerisim import Hardware, Mapping, Network, Problem

CHANGES: dict[str, dict[str, Any]] = {
    "writes back all results that wait, not half of them": {"collection.write_back": "all"},
    "next weights do not wait for outputs": {"controller.wait_for_outputs": False},
    "next weights load behind the computation as well": {
        "controller.wait_for_outputs": False,
        "multiplier.weight_double_buffering": True,
    },
    "any number of control steps released per cycle": {"controller.steps_per_cycle": None},
    "inputs stay while the filters pass": {"multiplier.input_registers": 1},
    "only single values cross lateral links": {"reduction.crossing": "single"},
    "neighbouring adder switches share a bus": {"collection.wiring": "regional"},
    "one cycle less from port to multiplier": {"distribution.latency": 1},
    "queues as deep as the default fabric's (back-pressure)": {
        "multiplier.input_fifo_depth": 4,
        "multiplier.partial_sum_fifo_depth": 2,
        "multiplier.forward_fifo_depth": 32,
        "multiplier.product_fifo_depth": 2,
        "reduction.fifo_depth": 4,
        "collection.fifo_depth": 4,
    },
}


def main() -> int:
    """Run the comparison."""
    parser = options(__doc__)
    parser.add_argument("networks", nargs="*", default=["alexnet", "vgg16", "resnet50", "mobilenet_v2"])
    parser.add_argument("--hardware", default="maeri-64", help="the default fabric to compare with, and its size")
    parser.add_argument("--scale", type=int, default=500_000, help="MACs above which a layer is shrunk")
    arguments = parser.parse_args()
    ours = Hardware.load(arguments.hardware)
    size = {
        "multipliers": ours.multipliers,
        "distribution.bandwidth": ours.ports,
        "collection.bandwidth": ours.buses,
    }
    stonne = Hardware.load("stonne").with_overrides(size)
    variants = {name: stonne.with_overrides(change) for name, change in CHANGES.items()}
    totals = dict.fromkeys(["the stonne profile", *variants, "the default fabric, same tile and order"], 0)
    totals["the same with as many weight registers as STONNE assumes"] = 0
    totals["the default fabric, its own mapping"] = 0
    roomy = ours.with_overrides({"multiplier.weight_registers": stonne.multiplier.weight_registers})
    for problem in problems(arguments.networks, arguments.scale):
        mapping = mapped(problem, stonne).mapping
        totals["the stonne profile"] += simulated(problem, mapping, stonne).cycles
        for name, variant in variants.items():
            totals[name] += simulated(problem, mapping, variant).cycles
        totals["the default fabric, same tile and order"] += cycles_in(ours, problem, mapping)
        totals["the same with as many weight registers as STONNE assumes"] += cycles_in(roomy, problem, mapping)
        totals["the default fabric, its own mapping"] += cycles_in(ours, problem, mapped(problem, ours).mapping)
    base = totals["the stonne profile"]
    print(f"{', '.join(arguments.networks)} on {ours.multipliers} multipliers, cycles of all distinct layers")
    for name, cycles in totals.items():
        print(f"{cycles:>12,}  {cycles / base - 1:+7.1%}  {name}")
    print(json.dumps({name: round(cycles / base, 4) for name, cycles in totals.items()}))
    return 0


def problems(networks: list[str], scale: int) -> list[Problem]:
    """The distinct layers of the networks that multiply, shrunk to ``scale`` MACs: STONNE leaves pooling to the host."""
    found: dict[Problem, None] = {}
    for name in networks:
        for layer in Network.load(name).layers:
            found.update(dict.fromkeys(stage.problem for stage in layer.scaled_stages(scale) if stage.problem.macs))
    return list(found)


def cycles_in(hardware: Hardware, problem: Problem, mapping: Mapping) -> int:
    """Cycles of a mapping in another fabric."""
    return simulated(problem, mapping, hardware).cycles


if __name__ == "__main__":
    run_script(main)
