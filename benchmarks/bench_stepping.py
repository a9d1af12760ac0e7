"""Simulated cycles per second of the compiled engine, every cycle stepped.

    python benchmarks/bench_stepping.py

A 3x3 layer with one channel per virtual neuron on a full array, in CPU time, best of three runs after one that compiles.
The cycles are exact, the speeds are this machine's. The last line is the same as JSON.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

from maerisim.engine import compiled
from maerisim.hardware import Hardware
from maerisim.lowering import lower
from maerisim.mapping import Mapping
from maerisim.workload import Problem

RUNS = 3
PLANES = {64: 56, 256: 40, 1024: 20}
"""Rows and columns of the output by multipliers, so that each size takes about as long."""


def main() -> int:
    """Measure and print."""
    speeds = {}
    for multipliers, plane in PLANES.items():
        filters = multipliers // 9
        hardware = Hardware.load("maeri").with_overrides(
            {"multipliers": multipliers, "accumulation.words": 2 * filters * plane * plane}
        )
        problem = Problem(K=2 * filters, C=8, R=3, S=3, P=plane, Q=plane)
        program = lower(problem, Mapping.of({"R": 3, "S": 3, "K": filters}, "N G K C P Q R S"), hardware)
        nothing, best, cycles = np.zeros(0, np.int64), float("inf"), 0
        for _ in range(1 + RUNS):
            start = time.process_time()
            cycles, _, _ = compiled.run(program, hardware, None, nothing, None, fast_forward=False)
            best = min(best, time.process_time() - start)
        speeds[str(multipliers)] = {"cycles": cycles, "cycles_per_second": round(cycles / best)}
        print(f"{multipliers:>5} multipliers  {cycles:>8,} cycles  {cycles / best:>10,.0f} cycles/s")
    print(json.dumps(speeds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
