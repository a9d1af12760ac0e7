"""Whole networks on 256 multipliers with given mappings: the seconds that a warm simulation of all layers takes.

    python benchmarks/bench_networks.py

Equal layers are simulated once, as in ``maerisim simulate``. The mappings in ``benchmarks/mappings/`` are good ones that an
earlier mapper found with ``maerisim map maeri-256 NETWORK -o FILE``. They stay as they are, so that what is timed is the
same work in every version.

The last line is JSON; ``cycles`` are those of the layers that are simulated, which is what stepping them would take,
``stepped`` those that the engine did step. What is timed is the simulation alone, without the estimate that
``maerisim.simulate`` makes of every layer as well.
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
SECONDS = 1.0
"""Target of each network."""
HARDWARE = "maeri-256"
NETWORKS = ("resnet50", "vgg16", "bert_base")
MAPPINGS = Path(__file__).parent / "mappings"


def simulate_all(mapped: dict[AnyProblem, AnyMapping], hardware: Hardware) -> list[Result]:
    """Simulate every layer."""
    return [simulate(problem, mapping, hardware) for problem, mapping in mapped.items()]


def measure() -> Report:
    """Simulate the networks."""
    hardware = Hardware.load(HARDWARE)
    lines: list[Line] = []
    data: dict[str, Any] = {}
    for name in NETWORKS:
        given = maerisim.estimate(hardware, name, mapping=MAPPINGS / f"{name}-{HARDWARE}.yaml")
        mapped = {layer.problem: layer.mapping for layer in given.layers}
        seconds, results = best(partial(simulate_all, mapped, hardware), RUNS)
        cycles, stepped = sum(result.cycles for result in results), sum(result.stepped for result in results)
        data[name] = {"seconds": round(seconds, 3), "layers": len(mapped), "cycles": cycles, "stepped": stepped}
        note = f"{len(mapped)} distinct layers, {cycles:,} cycles, {stepped:,} of them stepped"
        lines.append(Line(name, seconds, "s", SECONDS, note=note))
    return Report(f"Whole networks on {HARDWARE}, mappings given, warm", lines, data)


if __name__ == "__main__":
    run_measurement(measure, __doc__)
