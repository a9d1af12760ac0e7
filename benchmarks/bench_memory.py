"""Peak memory of a simulation, for layers from 147 thousand to 151 million multiply-accumulates.

    python benchmarks/bench_memory.py [--networks]

Each layer is simulated with the same tile on 64 multipliers in a process of its own. The last line is JSON: the layers'
MACs and peaks in bytes. What is measured is the simulation alone, without the estimate that ``maerisim.simulate`` makes as well.
Where partial sums return, the cycles of the words through shared adder switches are noted, up to a quarter of a GiB: the last layer
is measured so as well.
With ``--networks`` also the whole command ``simulate maeri-256 NETWORK`` for every shipped network, which searches its mappings.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from reporting import Line, Report, options, run_script, show

from maerisim.documents import shipped

GROWTH = 1.1
"""Target: the peak of the largest layer over that of the smallest."""
# From the smallest to the largest: rows and columns of outputs.
KEPT, RETURNING = "N G K P Q C R S", "N G K C P Q R S"
"""Loop orders in which partial sums stay in the accumulation buffer, and return through the global buffer."""
MOST_WHERE_SUMS_RETURN = 450
"""Target in megabytes."""
SIZES = {"16 x 16 outputs": 16, "64 x 64 outputs": 64, "512 x 512 outputs": 512}

PROGRAM = """
import json, resource, sys
from maerisim import Hardware, Mapping, Problem
from maerisim.ways.way import simulate

problem = Problem(K=4, C=16, R=3, S=3, P=int(sys.argv[1]), Q=int(sys.argv[1]))
simulate(problem, Mapping.of({"K": 4, "R": 3, "S": 3}, sys.argv[2]), Hardware.load("maeri-64"))
unit = 1 if sys.platform == "darwin" else 1024
print(json.dumps({"macs": problem.macs, "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit}))
"""


def peak(size: int, order: str) -> dict[str, int]:
    """MACs and peak memory in bytes of simulating a layer of ``size`` rows and columns in a loop order."""
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(size), order], check=True, stdout=subprocess.PIPE, text=True
    )
    measured: dict[str, int] = json.loads(finished.stdout)
    return measured


COMMAND = """
import resource, sys
from maerisim.cli import main

try:
    main(["simulate", "maeri-256", sys.argv[1]])
finally:
    unit = 1 if sys.platform == "darwin" else 1024
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit, file=sys.stderr)
"""
MOST_MEGABYTES = 1000
"""Target: the peak of a whole command."""


def peak_of_command(network: str) -> int:
    """Peak memory in bytes of simulating a shipped network."""
    finished = subprocess.run([sys.executable, "-c", COMMAND, network], check=True, capture_output=True, text=True)
    return int(finished.stderr.split()[-1])


def measure(*, networks: bool = False) -> Report:
    """Simulate each layer, and each network."""
    peaks: dict[str, Any] = {name: peak(size, KEPT) for name, size in SIZES.items()}
    lines = [
        Line(name, found["peak_bytes"] / 1e6, "MB", note=f"{found['macs']:,} MACs") for name, found in peaks.items()
    ]
    smallest, *_, largest = (found["peak_bytes"] for found in peaks.values())
    lines.append(Line("largest over smallest", largest / smallest, "x", GROWTH))
    name = "the largest, where partial sums return"
    peaks[name] = peak(max(SIZES.values()), RETURNING)
    lines.append(Line(name, peaks[name]["peak_bytes"] / 1e6, "MB", MOST_WHERE_SUMS_RETURN))
    for network in shipped("network") if networks else ():
        peaks[network] = peak_of_command(network)
        lines.append(Line(f"simulate maeri-256 {network}", peaks[network] / 1e6, "MB", MOST_MEGABYTES))
    return Report("Peak memory", lines, peaks)


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--networks", action="store_true", help="also every shipped network")
    run_script(lambda: show(measure(networks=parser.parse_args().networks)))
