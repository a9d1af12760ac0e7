"""Whether what is certain of a mapping is ever above its simulation, and how far below it is.

    python benchmarks/certain.py [--triples N] [--largest MULTIPLIERS] [--seed SEED]

N random triples (5,000) of hardware, layer and mapping: all controllers and topologies, queues and registers of all sizes; mappings
with one loop a dimension. Each is simulated in full, and held against the cycles below which no run of it can be for certain
(:mod:`maerisim.kernels.estimating.certain`) and the floor of its tile. Prints as the last line JSON ``{"triples", "exact",
"median_gap", "above"}``: of what share the two are equal, by what share of the simulation what is certain is below in the median,
and how many are above (expected: none). Exit code 1 when one is.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median

import numpy as np
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from reporting import options, progress, run_script

sys.path.insert(0, str(Path(__file__).parents[1]))

from maerisim import Hardware, Problem
from maerisim.analytic.ranking import Floor, floors, rivals
from maerisim.ways.way import simulate, violations
from tests.strategies import hardwares, mappings, problems

ABOVE = 1e9
"""More than any of these mappings takes."""


def main() -> int:
    """Draw and compare the triples."""
    parser = options(__doc__)
    parser.add_argument("--triples", type=int, default=5000)
    parser.add_argument("--largest", type=int, default=32, help="multipliers of the largest hardware")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    gaps: list[float] = []
    above = 0

    @seeded(arguments.seed)
    @settings(
        max_examples=arguments.triples, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(problems(), hardwares(arguments.largest), st.data())
    def compare(problem: Problem, hardware: Hardware, data: st.DataObject) -> None:
        nonlocal above
        mapping = data.draw(mappings(problem, hardware, blocks=False))
        assume(not violations(problem, mapping, hardware))
        cycles = simulate(problem, mapping, hardware).cycles
        floor = Floor(0.0, mapping.tile, 1, 1)
        given_walk = {"orders": [mapping.order], "placements": [mapping.placement]}
        least = rivals(problem, hardware, [floor], "cycles", ABOVE, **given_walk).least
        (of_tile,) = floors(problem, hardware, np.array([mapping.tile], np.int32), "cycles", ABOVE)
        gaps.append(1 - least / cycles)
        if max(least, of_tile.score) > cycles:
            above += 1
            print(f"{cycles} cycles, certain {least}, floor {of_tile.score}: {problem}, {mapping}, {hardware}")
        progress(f"{len(gaps)} of {arguments.triples} triples")

    compare()
    summary = {
        "triples": len(gaps),
        "exact": round(sum(gap == 0 for gap in gaps) / len(gaps), 4),
        "median_gap": round(median(gaps), 6),
        "above": above,
    }
    print(json.dumps(summary))
    return int(above > 0)


if __name__ == "__main__":
    run_script(main)
