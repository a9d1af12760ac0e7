"""Mappings per second that the analytic model ranks, over all mappings of layers of ResNet-50 at 256 multipliers.

    python benchmarks/bench_analytic.py [--hardware maeri-256] [--strict]

A mapping is a tile (every size of every dimension), a loop order and a placement. Loop orders that reuse the same count
once, and so do placements that differ in dimensions of which the tile has one. Every layer is ranked twice: first every
mapping is estimated, which is what the speed is measured on (all of the work, that of listing the tiles and the orders
included; CPU time of one core, best of three runs after one that compiles), then bounds rule out what cannot be best: a
tile as if it reused all that any loop order could, a mapping as if its placement shared every word that can be shared.
Both find the same best score. Prints a line of JSON per layer; the last one is the slowest layer's. ``--strict`` exits
with 1 when that is below the target.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

from maerisim.analytic import Ranking, rank
from maerisim.hardware import Hardware
from maerisim.workload import Network, Problem
from mapper.space import all_tiles

LAYERS = {"3x3": "layer1.0.conv2", "1x1": "layer1.0.conv3"}
TARGET = 1_000_000
RUNS = 3


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hardware", default="maeri-256")
    parser.add_argument("--strict", action="store_true", help="exit with 1 below the target")
    arguments = parser.parse_args()
    hardware, network = Hardware.load(arguments.hardware), Network.load("resnet50")
    results = []
    for kind, name in LAYERS.items():
        problem = network.layer(name).problem
        timed(problem, hardware, bounded=False)
        everything, seconds = min(
            (timed(problem, hardware, bounded=False) for _ in range(RUNS)), key=lambda run: run[1]
        )
        bounded, bounded_seconds = timed(problem, hardware, bounded=True)
        assert bounded.best[0].score == everything.best[0].score
        speed, tiles = everything.estimated / seconds, len(all_tiles(problem, hardware))
        dismissed = everything.estimated - bounded.estimated
        in_tiles = dismissed - bounded.dismissed
        print(f"{kind} {name} on {hardware.name}: {everything.estimated:,} mappings of {tiles:,} tiles")
        print(f"  all estimated             {seconds:7.3f} s  {speed:>12,.0f} mappings/s")
        print(f"  with bounds               {bounded_seconds:7.3f} s  {bounded.estimated:>12,} estimated")
        print(f"    by the bound of a tile             {in_tiles:>12,} dismissed, in {bounded.dismissed_tiles:,} tiles")
        print(f"    by the bound of a mapping          {bounded.dismissed:>12,} dismissed")
        print(f"  {'PASS' if speed >= TARGET else 'FAIL'}: target {TARGET:,} mappings/s")
        results.append(
            {
                "layer": name,
                "enumerated": everything.estimated,
                "evaluated": everything.estimated,
                "dismissed": 0,
                "mappings_per_second": round(speed),
                "with_bounds": {
                    "evaluated": bounded.estimated,
                    "dismissed": dismissed,
                    "seconds": round(bounded_seconds, 4),
                },
            }
        )
    results.sort(key=lambda result: -result["mappings_per_second"])
    for result in results:
        print(json.dumps(result))
    return int(arguments.strict and results[-1]["mappings_per_second"] < TARGET)


def timed(problem: Problem, hardware: Hardware, *, bounded: bool) -> tuple[Ranking, float]:
    """The ranking, and the CPU time that it took together with listing the tiles."""
    start = time.process_time()
    ranking = rank(problem, hardware, all_tiles(problem, hardware), bounded=bounded)
    return ranking, time.process_time() - start


if __name__ == "__main__":
    sys.exit(main())
