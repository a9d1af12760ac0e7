"""(d) All loop orders of one tile, every one: how many cost the same, and the best against the worst."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from maerisim.laboratory.experiment import Answers, LabExperiment, machine, six
from maerisim.laboratory.jobs import Job
from maerisim.laboratory.tables import markdown, percent
from maerisim.reports import figures
from maerisim.workload.problem import DIMENSIONS
from mapper.searching.ground import Ground
from mapper.searching.scoring import optimum, scorer_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MEASURES = ("cycles", "energy", "edp")


def jobs(cut: bool) -> list[Job]:
    """Of each layer the best tile, and one at random."""
    layers = six()[3:4] if cut else six()
    return [
        Job("orders", machine(64 if cut else 256), (layer,), {"tile": which})
        for layer in layers
        for which in ("best", "random")
    ]


def work(job: Job) -> dict[str, Any]:
    """How many orders cost so much over the least, in each measure; orders that do not fit are counted apart."""
    ground, random = Ground(job.problem, job.hardware), np.random.default_rng(0)
    mapping, _ = optimum(ground, "cycles")
    if job.options["tile"] == "random":
        while True:
            mapping = ground.drawn(random)
            if ground.is_legal(mapping) and np.prod(mapping.tile) * 2 > job.hardware.multipliers:
                break
    turning = [d for d, size in zip(DIMENSIONS, job.problem.dims, strict=True) if size > 1]
    still = tuple(d for d in DIMENSIONS if d not in turning)
    every = [replace(mapping, order=(*still, *order)) for order in permutations(turning)]
    legal = [each for each in every if ground.is_legal(each)]
    costs = scorer_of(ground, "edp")(legal)
    values = {"cycles": [c.cycles for c in costs], "energy": [c.energy for c in costs], "edp": [c.score for c in costs]}
    return {
        "mapping": mapping.to_dict(),
        "orders": len(every),
        "legal": len(legal),
        "ratios": {
            name: sorted(Counter(round(value / min(found), 6) for value in found).items())
            for name, found in values.items()
        },
    }


def tables(results: Answers) -> str:
    """A row for each layer and tile."""
    rows = []
    for job, found in results:
        ratios = {name: dict(found["ratios"][name]) for name in MEASURES}
        best = {name: counts[min(counts)] for name, counts in ratios.items()}
        rows.append([
            f"{job.name}, {job.options['tile']} tile",
            f"{found['orders']:,}",
            f"{found['legal']:,}",
            f"{len(ratios['edp']):,}",
            percent(best["edp"] / found["legal"]),
            *(f"{max(ratios[name]):.2f}" for name in MEASURES),
        ])  # fmt: skip
    worst = [f"worst over best, {name}" for name in MEASURES]
    return markdown(
        ["layer, tile", "orders", "that fit", "different costs", "orders that share the best", *worst], rows
    )


def draw(results: Answers) -> Figure:
    """Histograms as strips: a row for each layer, the darker the more of its orders cost so much."""
    from matplotlib.figure import Figure

    tiles = list(dict.fromkeys(job.options["tile"] for job, _ in results))
    names = list(dict.fromkeys(job.name for job, _ in results))
    most = max(max(dict(found["ratios"][measure])) for _, found in results for measure in MEASURES)
    edges = np.geomspace(1, most * 1.2, 36)
    figure = Figure((10.0, 0.9 + len(tiles) * (0.7 + 0.26 * len(names))), layout="constrained")
    panels = figure.subplots(len(tiles), len(MEASURES), squeeze=False, sharex=True, sharey=True)
    for row, tile in zip(panels, tiles, strict=True):
        for panel, measure in zip(row, MEASURES, strict=True):
            shares = np.zeros((len(names), len(edges) - 1))
            for job, found in results:
                if job.options["tile"] == tile:
                    ratios = np.array(found["ratios"][measure])
                    counts, _ = np.histogram(ratios[:, 0], edges, weights=ratios[:, 1] / found["legal"])
                    shares[names.index(job.name)] = 100 * counts
            seen = np.ma.masked_equal(shares, 0)
            drawn = panel.pcolormesh(
                edges, np.arange(len(names) + 1), seen, cmap="viridis_r", vmin=0, vmax=80, rasterized=True
            )
            figures.set_logarithmic(panel, "x")
            panel.set_title(f"{measure}, {tile} tile")
    panels[0][0].set_yticks(np.arange(len(names)) + 0.5, names)
    panels[0][0].set_ylim(len(names), 0)
    ticks = [tick for tick in (1, 2, 5, 10, 20, 50, 100) if tick <= most]
    panels[0][0].set_xticks(ticks)
    for panel in panels[-1]:
        panel.set_xlabel("times the least")
    figure.colorbar(drawn, ax=panels, label="orders, %", shrink=0.9)
    orders = results[0].found["orders"]
    note = f"All {orders:,} orders of the loops over dimensions of more than one, those that fit; one tile and placement in each row."
    figures.add_footnote(figure, note)
    return figure


EXPERIMENT = LabExperiment("orders", "All loop orders of one tile", jobs, tables, draw)
