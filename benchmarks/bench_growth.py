"""How the time to simulate a layer grows with the layer, in pairs of dimensions that double five times.

    python benchmarks/bench_growth.py

A 3x3 layer on 64 multipliers with the same tile throughout; each series has 1,024 times the work at its end. Every layer
is longer than the first period of its loops, so that fast-forward has something to repeat. In CPU time, best of three. The
last line is JSON with the seconds and cycles of every layer. What is timed is the simulation alone, without the estimate that
``maerisim.simulate`` makes of every layer as well.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import Any

from reporting import Line, Report, best, run_measurement

from maerisim import Hardware, Mapping, Problem
from maerisim.ways.way import simulate

RUNS = 3
DOUBLINGS = 5
GROWTH = 1.3
"""Target: the time of the largest layer over that of the smallest."""
LAYER = Problem(K=28, C=32, R=3, S=3, P=32, Q=32)
MAPPING = Mapping.of({"K": 7, "R": 3, "S": 3}, "N G K C P Q R S")
SERIES = ("PQ", "KC", "PK", "CQ")


def measure() -> Report:
    """Simulate each series."""
    hardware = Hardware.load("maeri-64").with_overrides({"accumulation.words": 1 << 40})
    lines: list[Line] = []
    data: dict[str, Any] = {}
    for series in SERIES:
        seconds, cycles = [], []
        for doubling in range(DOUBLINGS + 1):
            sizes: Any = {d: getattr(LAYER, d) << doubling for d in series}
            took, result = best(partial(simulate, replace(LAYER, **sizes), MAPPING, hardware), RUNS, time.process_time)
            seconds.append(round(took, 4))
            cycles.append(result.cycles)
        data[series] = {"seconds": seconds, "cycles": cycles}
        note = f"{seconds[0]:.3f} s for {cycles[0]:,} cycles, {seconds[-1]:.3f} s for {cycles[-1]:,}"
        lines.append(
            Line(f"{' and '.join(series)} x {1 << DOUBLINGS}", seconds[-1] / seconds[0], "x", GROWTH, note=note)
        )
    return Report("Growth of the time with the layer", lines, data)


if __name__ == "__main__":
    run_measurement(measure, __doc__)
