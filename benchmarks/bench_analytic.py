"""Mappings per second that the analytic model ranks, over all mappings of layers of ResNet-50 at 256 multipliers.

    python benchmarks/bench_analytic.py

A mapping is a tile (every size of every dimension), a loop order and a placement. Loop orders that reuse the same count
once, and so do placements that differ in dimensions of which the tile has one. Every layer is ranked twice: first every
mapping is estimated, which is what the speed is measured on (all of the work, that of listing the tiles and the orders
included; CPU time of one core, best of three runs after one that compiles), then bounds rule out what cannot be best: a
tile as if it reused all that any loop order could, a mapping as if its placement shared every word that can be shared.
Both find the same best score. The last line is JSON. What is timed is the ranking alone, called as the mapper calls it.
"""

from __future__ import annotations

import time

from reporting import Line, Report, run_measurement

from maerisim import Hardware, Network, Problem
from maerisim.analytic.ranking import Ranking, rank
from mapper.space import all_tiles

HARDWARE = "maeri-256"
LAYERS = {"3x3": "layer1.0.conv2", "1x1": "layer1.0.conv3"}
TARGET = 1_000_000
RUNS = 3


def measure() -> Report:
    """Rank all mappings of each layer, with and without bounds."""
    hardware, network = Hardware.load(HARDWARE), Network.load("resnet50")
    lines, data = [], {}
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
        lines += [
            Line(
                f"{kind} {name}, all estimated", speed, "mappings/s", TARGET, more_is_better=True,
                note=f"{everything.estimated:,} mappings of {tiles:,} tiles in {seconds:.2f} s",
            ),
            Line(
                f"{kind} {name}, with bounds", bounded.estimated, "mappings",
                note=f"estimated in {bounded_seconds:.3f} s; {dismissed - bounded.dismissed:,} dismissed with their "
                f"{bounded.dismissed_tiles:,} tiles, {bounded.dismissed:,} one by one",
            ),
        ]  # fmt: skip
        data[name] = {
            "evaluated": everything.estimated,
            "mappings_per_second": round(speed),
            "with_bounds": {
                "evaluated": bounded.estimated, "dismissed": dismissed, "seconds": round(bounded_seconds, 4)
            },
        }  # fmt: skip
    return Report(f"Mappings ranked by the analytic model on {HARDWARE}", lines, data)


def timed(problem: Problem, hardware: Hardware, *, bounded: bool) -> tuple[Ranking, float]:
    """The ranking, and the CPU time that it took together with listing the tiles."""
    start = time.process_time()
    ranking = rank(problem, hardware, all_tiles(problem, hardware), bounded=bounded)
    return ranking, time.process_time() - start


if __name__ == "__main__":
    run_measurement(measure, __doc__)
