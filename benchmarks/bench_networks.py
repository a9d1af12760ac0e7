"""Whole networks on 256 multipliers, and with STONNE's controller on 64, with given mappings: the seconds that a warm simulation of all layers takes.

    python benchmarks/bench_networks.py

Equal layers are simulated once, as in ``maerisim simulate``. The mappings in ``benchmarks/mappings/`` are good ones that an
earlier mapper found with ``maerisim map HARDWARE NETWORK -o FILE``. They stay as they are, so that what is timed is the
same work in every version.

The last line is JSON; ``cycles`` are those of the layers that are simulated, which is what stepping them would take,
``stepped`` those that the engine did step; those with STONNE's controller are under its name. What is timed is the
simulation alone, without the estimate that ``maerisim.simulate`` makes of every layer as well.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from reporting import Line, Report, best, run_measurement

import maerisim
from maerisim import Hardware
from maerisim.engine.run import Result
from maerisim.ways.way import AnyMapping, AnyProblem, simulate

RUNS = 3
HARDWARE = "maeri-256"
NETWORKS = {HARDWARE: ("resnet50", "vgg16", "bert_base"), "stonne": ("resnet50", "vgg16", "alexnet")}
SECONDS = {HARDWARE: 1.0, "stonne": 5.0}
"""Targets of each network."""
MAPPINGS = Path(__file__).parent / "mappings"


def simulate_all(mapped: dict[AnyProblem, AnyMapping], hardware: Hardware) -> list[Result]:
    """Simulate every layer."""
    return [simulate(problem, mapping, hardware) for problem, mapping in mapped.items()]


def measure() -> Report:
    """Simulate the networks."""
    lines: list[Line] = []
    data: dict[str, Any] = {}
    for fabric, networks in NETWORKS.items():
        hardware = Hardware.load(fabric)
        found = {}
        for name in networks:
            given = maerisim.estimate(hardware, name, mapping=MAPPINGS / f"{name}-{fabric}.yaml")
            mapped = {layer.problem: layer.mapping for layer in given.layers}
            seconds, results = best(partial(simulate_all, mapped, hardware), RUNS)
            cycles, stepped = sum(result.cycles for result in results), sum(result.stepped for result in results)
            found[name] = {"seconds": round(seconds, 3), "layers": len(mapped), "cycles": cycles, "stepped": stepped}
            note = f"{len(mapped)} distinct layers, {cycles:,} cycles, {stepped:,} of them stepped"
            lines.append(Line(f"{name} on {fabric}", seconds, "s", SECONDS[fabric], note=note))
        data |= found if fabric == HARDWARE else {fabric: found}
    return Report("Whole networks, mappings given, warm", lines, data)


if __name__ == "__main__":
    run_measurement(measure, __doc__)
