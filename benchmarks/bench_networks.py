"""Whole networks on 256 multipliers, and with STONNE's controller on 64, with given mappings: the seconds that a warm simulation of all layers takes.

    python benchmarks/bench_networks.py

Equal layers are simulated once, as in ``maerisim simulate``. The mappings in ``benchmarks/mappings/`` are good ones that an
earlier mapper found with ``maerisim map HARDWARE NETWORK -o FILE``. They stay as they are, so that what is timed is the
same work in every version.

The last line is JSON; ``cycles`` are those of the layers that are simulated, which is what stepping them would take,
``stepped`` those that the engine did step; those with STONNE's controller are under its name, also by layer, with how many times faster than STONNE a layer is, whose
speed on that fabric was measured. What is timed is the
simulation alone, without the estimate that ``maerisim.simulate`` makes of every layer as well.
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

from reporting import Line, Report, best, run_measurement

import maerisim
from maerisim import Hardware
from maerisim.engine.run import Result
from maerisim.reports.findings import NetworkReport
from maerisim.ways.way import AnyMapping, AnyProblem, simulate

RUNS = 3
HARDWARE = "maeri-256"
NETWORKS = {HARDWARE: ("resnet50", "vgg16", "bert_base"), "stonne": ("resnet50", "vgg16", "alexnet")}
SECONDS = {HARDWARE: 1.0, "stonne": 5.0}
"""Targets of each network."""
STONNE_SPEED = 27_000
"""Cycles a second of STONNE's own on 64 multipliers."""
LONG, FACTOR = 1_000_000, 1000.0
"""Every layer of more cycles has to be so many times faster than STONNE."""
MAPPINGS = Path(__file__).parent / "mappings"


def simulate_all(mapped: dict[AnyProblem, AnyMapping], hardware: Hardware) -> list[Result]:
    """Simulate every layer."""
    return [simulate(problem, mapping, hardware) for problem, mapping in mapped.items()]


def against_stonne(given: NetworkReport, hardware: Hardware) -> list[dict[str, Any]]:
    """Cycles, CPU seconds and factor against STONNE of each distinct layer."""
    rows: dict[AnyProblem, dict[str, Any]] = {}
    for layer in given.layers:
        if layer.problem not in rows:
            run = partial(simulate, layer.problem, layer.mapping, hardware)
            seconds, result = best(run, RUNS, time.process_time)
            factor = round(result.cycles / STONNE_SPEED / seconds)
            rows[layer.problem] = {
                "layer": layer.name,
                "cycles": result.cycles,
                "seconds": round(seconds, 4),
                "factor": factor,
            }
    return list(rows.values())


def measure() -> Report:
    """Simulate the networks."""
    lines: list[Line] = []
    data: dict[str, Any] = {}
    for fabric, networks in NETWORKS.items():
        hardware = Hardware.load(fabric)
        found: dict[str, dict[str, Any]] = {}
        for name in networks:
            given = maerisim.estimate(hardware, name, mapping=MAPPINGS / f"{name}-{fabric}.yaml")
            mapped = {layer.problem: layer.mapping for layer in given.layers}
            seconds, results = best(partial(simulate_all, mapped, hardware), RUNS)
            cycles, stepped = sum(result.cycles for result in results), sum(result.stepped for result in results)
            found[name] = {"seconds": round(seconds, 3), "layers": len(mapped), "cycles": cycles, "stepped": stepped}
            note = f"{len(mapped)} distinct layers, {cycles:,} cycles, {stepped:,} of them stepped"
            lines.append(Line(f"{name} on {fabric}", seconds, "s", SECONDS[fabric], note=note))
            if fabric == "stonne":
                rows = against_stonne(given, hardware)
                found[name]["by_layer"] = rows
                slowest = min((row for row in rows if row["cycles"] > LONG), key=lambda row: row["factor"])
                note = f"the least of layers of more than {LONG:,} cycles: {slowest['layer']}"
                line = Line(f"{name} against STONNE", slowest["factor"], "times", FACTOR, True, note)
                lines.append(line)
        data |= found if fabric == HARDWARE else {fabric: found}
    return Report("Whole networks, mappings given, warm", lines, data)


if __name__ == "__main__":
    run_measurement(measure, __doc__)
