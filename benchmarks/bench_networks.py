"""Whole networks on 256 multipliers, and with STONNE's controller on 64, with given mappings: the seconds that a warm simulation of all layers takes.

    python benchmarks/bench_networks.py

Equal layers are simulated once, as in ``maerisim simulate``. The mappings in ``benchmarks/mappings/`` are good ones that an
earlier mapper found with ``maerisim map HARDWARE NETWORK -o FILE``. They stay as they are, so that what is timed is the
same work in every version.

The last line is JSON; ``cycles`` are those of the layers that are simulated, which is what stepping them would take,
``stepped`` those that the engine did step where it says so; those with STONNE's controller are under its name.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast

from reporting import Line, Report, best, run_measurement

from maerisim import Hardware, Mapping, Network
from maerisim.mapping.document import load_mappings
from maerisim.ways.way import simulate
from maerisim.workload.problem import Problem

RUNS = 3
HARDWARE = "maeri-256"
NETWORKS = {HARDWARE: ("resnet50", "vgg16", "bert_base"), "stonne": ("resnet50", "vgg16", "alexnet")}
SECONDS = {HARDWARE: 1.0, "stonne": 5.0}
"""Targets of each network."""
MAPPINGS = Path(__file__).parent / "mappings"


def layers(name: str, fabric: str) -> dict[Problem, Mapping]:
    """The distinct layers of a network with their mappings."""
    given = load_mappings(MAPPINGS / f"{name}-{fabric}.yaml")
    network = Network.load(name)
    stages = [stage for layer in network.layers for stage in layer.stages]
    return {stage.problem: given.mapping_for(stage.name, stage.problem) for stage in stages}


class Cycles(NamedTuple):
    """Cycles of a run, and those of them that were stepped (None: the engine does not say)."""

    all: int
    stepped: int | None


def simulate_all(mapped: dict[Problem, Mapping], hardware: Hardware) -> Cycles:
    """Simulate every layer."""
    results = [simulate(problem, mapping, hardware) for problem, mapping in mapped.items()]
    stepped = [getattr(result, "stepped", None) for result in results]
    known = None if None in stepped else sum(cast(list[int], stepped))
    return Cycles(sum(result.cycles for result in results), known)


def measure() -> Report:
    """Simulate the networks."""
    lines: list[Line] = []
    data: dict[str, Any] = {}
    for fabric, networks in NETWORKS.items():
        hardware = Hardware.load(fabric)
        found = {}
        for name in networks:
            mapped = layers(name, fabric)
            seconds, cycles = best(partial(simulate_all, mapped, hardware), RUNS)
            found[name] = {
                "seconds": round(seconds, 3),
                "layers": len(mapped),
                "cycles": cycles.all,
                "stepped": cycles.stepped,
            }
            stepped = "" if cycles.stepped is None else f", {cycles.stepped:,} of them stepped"
            note = f"{len(mapped)} distinct layers, {cycles.all:,} cycles{stepped}"
            lines.append(Line(f"{name} on {fabric}", seconds, "s", SECONDS[fabric], note=note))
        data |= found if fabric == HARDWARE else {fabric: found}
    return Report("Whole networks, mappings given, warm", lines, data)


if __name__ == "__main__":
    run_measurement(measure, __doc__)
