"""(b) Where sampled mappings lie: the two directions in which they differ most, coloured by cost, a panel for each technique."""

from __future__ import annotations

from math import log10
from typing import TYPE_CHECKING, Any

import numpy as np

from maerisim.laboratory.experiment import Answers, LabExperiment, machine, six
from maerisim.laboratory.jobs import Job
from maerisim.laboratory.tables import markdown, percent
from maerisim.reports import figures
from mapper.searching.driver import Driver
from mapper.searching.encoding import TILE, encode
from mapper.searching.ground import Ground
from mapper.searching.scoring import optimum, scorer_of
from mapper.searching.techniques import technique

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BY = ("random", "genetic", "annealing", "standard_ga", "cma_es", "surrogate")
WORST = 100.0
"""The gap from which colours do not change any more."""
DRAWN = 3
"""Of so many points one is drawn: of all from the worst to the best."""


def jobs(cut: bool) -> list[Job]:
    """One layer."""
    name, problem = six()[5]
    samples, by = (100, ["random", "genetic"]) if cut else (1000, list(BY))
    return [Job("projection", machine(256), ((name, problem),), {"techniques": by, "budget": samples, "seed": 0})]


def work(job: Job) -> dict[str, Any]:
    """For each technique the place of each mapping that it tried, and its gap; one projection for all."""
    ground = Ground(job.problem, job.hardware)
    scorer, (_, least) = scorer_of(ground, "cycles"), optimum(ground, "cycles")
    tried = {}
    for name in job.options["techniques"]:
        driver = Driver(ground, scorer, job.options["budget"])
        driver.search(technique(name), job.options["seed"])
        tried[name] = [trial for trial in driver.known.values() if trial.legal]
    vectors = {
        name: np.array([encode(trial.mapping, ground)[TILE] for trial in trials]) for name, trials in tried.items()
    }
    together = np.concatenate(list(vectors.values()))
    centre = together.mean(axis=0)
    _, sizes, directions = np.linalg.svd(together - centre, full_matrices=False)
    return {
        "explained": (sizes[:2] ** 2 / (sizes**2).sum()).tolist(),
        "tried": {
            name: [
                [*map(float, place), trial.score / least - 1]
                for place, trial in zip((vectors[name] - centre) @ directions[:2].T, trials, strict=True)
            ]
            for name, trials in tried.items()
        },
    }


def tables(results: Answers) -> str:
    """How many different mappings each tried, and how good they are."""
    rows = []
    for _, found in results:
        for name, points in found["tried"].items():
            gaps = [gap for *_, gap in points]
            near = sum(gap <= 1.0 for gap in gaps)
            rows.append(
                [
                    name,
                    f"{len(gaps):,}",
                    percent(float(np.median(gaps))),
                    percent(near / len(gaps), 0),
                    percent(min(gaps)),
                ]
            )
    return markdown(
        ["technique", "different legal mappings", "median gap", "within twice the optimum", "best gap"], rows
    )


def draw(results: Answers) -> Figure:
    """A panel for each technique, the same projection in all."""
    from matplotlib.figure import Figure

    ((job, found),) = results
    names = list(found["tried"])
    figure = Figure((3.0 * min(3, len(names)) + 1.0, 2.8 * -(-len(names) // 3) + 0.4), layout="constrained")
    panels = figure.subplots(-(-len(names) // 3), min(3, len(names)), sharex=True, sharey=True, squeeze=False).flatten()
    for panel, name in zip(panels, names, strict=False):
        points = np.array(sorted(found["tried"][name], key=lambda point: -point[2]))[::DRAWN]
        hues = np.log10(np.clip(points[:, 2], 0.01, WORST))
        drawn = panel.scatter(
            points[:, 0],
            points[:, 1],
            c=hues,
            s=6,
            cmap="viridis",
            vmin=-2,
            vmax=log10(WORST),
            linewidths=0,
            rasterized=True,
        )
        panel.set_title(name)
    for panel in panels[len(names) :]:
        panel.set_axis_off()
    for panel in panels[-3:]:
        panel.set_xlabel("first direction")
    for panel in panels[::3]:
        panel.set_ylabel("second direction")
    bar = figure.colorbar(drawn, ax=list(panels), label="gap to the optimum")
    bar.set_ticks([-2, -1, 0, 1, 2], labels=["≤ 1 %", "10 %", "100 %", "1,000 %", "≥ 10,000 %"])
    first, second = found["explained"]
    text = f"{job.name} on {job.hardware.multipliers} multipliers: tiles along the two directions in which they differ most"
    shown = f"one of {DRAWN} mappings that each technique tried, the best on top"
    figures.add_footnote(figure, f"{text} ({first:.0%} and {second:.0%} of the variance); {shown}.")
    return figure


EXPERIMENT = LabExperiment("projection", "Where sampled mappings lie", jobs, tables, draw)
