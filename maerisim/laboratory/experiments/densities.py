"""(g) The density matrix: mappings searched at one density of the weights, and at several at once, tested at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from maerisim.laboratory.experiment import Answers, LabExperiment, machine
from maerisim.laboratory.jobs import Job
from maerisim.laboratory.tables import markdown, percent
from maerisim.reports.figures import add_footnote
from maerisim.workload.problem import Problem
from mapper.searching.densities import DENSITIES, AtDensities, simulated_cycles
from mapper.searching.driver import search
from mapper.searching.techniques import technique

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LAYERS = (
    ("1x1, 64 to 64 channels, 7x7", Problem(K=64, C=64, P=7, Q=7)),
    ("3x3, 16 to 32 channels, 7x7", Problem(K=32, C=16, R=3, S=3, P=7, Q=7)),
    ("linear, 128 to 128, 4 images", Problem(N=4, K=128, C=128)),
)
"""Small layers, as every cycle of each mapping is simulated at each density, with real zeros."""
TESTED = (1.0, 0.9, 0.8, 0.65, 0.5, 0.35, 0.2, 0.1)
"""The densities that are searched, and some between them."""
AWARE = "all of them"


def jobs(cut: bool) -> list[Job]:
    """One for each layer."""
    if cut:
        small = ("linear, 32 to 16", Problem(K=16, C=32))
        options = {"searched": [1.0, 0.5], "tested": [1.0, 0.5, 0.3], "budget": 20, "seeds": 1, "technique": "genetic"}
        return [Job("densities", machine(64), (small,), options)]
    options = {"searched": list(DENSITIES), "tested": list(TESTED), "budget": 60, "seeds": 2, "technique": "genetic"}
    return [Job("densities", machine(64), (layer,), options) for layer in LAYERS]


def work(job: Job) -> dict[str, Any]:
    """Simulated cycles [mapping, tested density], the mean of several patterns of zeros: of the mapping searched at all densities
    at once, and of those searched at each density, tested ones included. None where a mapping cannot run.
    """
    options = job.options
    cycles: dict[str, list[float | None]] = {}
    mappings: dict[str, Any] = {}
    together = {AWARE: tuple(options["searched"])}
    alone = {f"{density:g}": (density,) for density in dict.fromkeys([*options["searched"], *options["tested"]])}
    for name, densities in (together | alone).items():
        scorer = AtDensities(job.problem, job.hardware, densities)
        run = search(technique(options["technique"]), scorer.ground, scorer, options["budget"], 0)
        if run.best is None:
            cycles[name] = [None] * len(options["tested"])
            continue
        mappings[name] = run.best.to_dict()
        # Other patterns than the one of the search.
        seeds = range(1, 1 + options["seeds"])
        cycles[name] = [
            simulated_cycles(job.problem, run.best, job.hardware, density, seeds) for density in options["tested"]
        ]
    return {"cycles": cycles, "mappings": mappings}


def kept(job: Job, found: Any) -> dict[str, list[float]]:
    """For each mapping the performance at each tested density over that of the mapping searched for that density."""
    cycles = found["cycles"]
    own = [cycles[f"{density:g}"][place] for place, density in enumerate(job.options["tested"])]
    return {
        name: [0.0 if here is None or best is None else best / here for here, best in zip(row, own, strict=True)]
        for name, row in cycles.items()
    }


def tables(results: Answers) -> str:
    """A row for each mapping that was searched, of each layer."""
    rows = []
    for job, found in results:
        tested, searched = job.options["tested"], [f"{density:g}" for density in job.options["searched"]]
        of_own = kept(job, found)
        best = [max(column) for column in zip(*of_own.values(), strict=True)]
        for name, row in of_own.items():
            if name in (AWARE, *searched):
                title = f"{job.name}: searched at {name}"
                of_best = sum(share / most for share, most in zip(row, best, strict=True)) / len(row)
                rows.append(
                    [title, *(percent(share) for share in row), f"**{percent(sum(row) / len(row))}**", percent(of_best)]
                )
    heading = [
        "performance over that of per-density search",
        *(f"at {density:g}" for density in tested),
        "mean",
        "mean, over the best of all",
    ]
    return markdown(heading, rows)


def draw(results: Answers) -> Figure:
    """A matrix for each layer."""
    from matplotlib.figure import Figure

    figure = Figure((1.0 + 3.6 * len(results), 3.9), layout="constrained")
    panels = figure.subplots(1, len(results), squeeze=False)[0]
    for panel, (job, found) in zip(panels, results, strict=True):
        shares = kept(job, found)
        names = [AWARE, *(f"{density:g}" for density in job.options["searched"])]
        matrix = np.array([shares[name] for name in names])
        image = panel.imshow(matrix, vmin=0.5, vmax=1.0, cmap="viridis", aspect="auto")
        for (row, column), share in np.ndenumerate(matrix):
            panel.text(
                column,
                row,
                f"{100 * share:.0f}",
                ha="center",
                va="center",
                fontsize=7,
                color="w" if share < 0.8 else "k",
            )
        panel.set_xticks(
            range(len(job.options["tested"])), [f"{density:g}" for density in job.options["tested"]], rotation=45
        )
        panel.set_yticks(range(len(names)), names)
        panel.grid(visible=False)
        panel.set_title(job.name)
        panel.set_xlabel("density tested")
    panels[0].set_ylabel("density searched")
    figure.colorbar(
        image,
        ax=list(panels),
        label="performance over that of the mapping\nsearched for the tested density",
        shrink=0.9,
    )
    note = (
        "Percent; simulated with other patterns of zeros than those searched.\n"
        "Above 100: the other search found a better mapping than the one for this density."
    )
    add_footnote(figure, note)
    return figure


EXPERIMENT = LabExperiment("densities", "Mappings for unknown sparsity", jobs, tables, draw)
