"""(g) The density matrix: mappings searched at one density of the weights, and at several at once, tested at all."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from heapq import nsmallest
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from maerisim.laboratory.experiment import Answers, LabExperiment, machine
from maerisim.laboratory.jobs import Job
from maerisim.laboratory.tables import markdown, percent
from maerisim.mapping.mapping import Mapping
from maerisim.reports.figures import add_footnote
from maerisim.workload.problem import Problem
from mapper.searching.densities import DENSITIES, AtDensities, simulated_cycles
from mapper.searching.driver import Driver
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
BEGUN = "all of them, begun with those of each"
KNOWN = "the best single one known"
"""Of all that were simulated at every density: what one mapping can keep at all, as far as is known."""
POOL = 20
"""So many of the best of each search are estimated at every tested density."""
CANDIDATES = 3
"""So many of them, which keep most by estimate, are simulated as well."""


def jobs(cut: bool) -> list[Job]:
    """One for each layer."""
    if cut:
        small = ("linear, 32 to 16", Problem(K=16, C=32))
        options = {"searched": [1.0, 0.5], "tested": [1.0, 0.5, 0.3], "budget": 20, "seeds": 1, "technique": "genetic"}
        return [Job("densities", machine(64), (small,), options)]
    options = {"searched": list(DENSITIES), "tested": list(TESTED), "budget": 150, "seeds": 2, "technique": "genetic"}
    return [Job("densities", machine(256), (layer,), options) for layer in LAYERS]


def work(job: Job) -> dict[str, Any]:
    """Simulated cycles [mapping, tested density], the mean of several patterns of zeros: of the mapping searched at all densities
    at once, alone and begun with those searched at each, of these, and of the best single one known. None where a mapping cannot
    run, and of one searched for a density that is tested only at the others. ``least``: the least known at each tested density.
    """
    options = job.options
    searched, tested = options["searched"], options["tested"]
    scorer = AtDensities(job.problem, job.hardware, tuple(searched))
    found: dict[str, Mapping] = {}
    pool: dict[Mapping, None] = {}
    alone = {f"{density:g}": (density,) for density in dict.fromkeys([*searched, *tested])}
    for name, densities in (alone | dict.fromkeys((AWARE, BEGUN), tuple(searched))).items():
        mine = scorer.over(densities)
        driver = Driver(mine.ground, mine, options["budget"])
        start = [found[f"{density:g}"] for density in searched if f"{density:g}" in found] if name == BEGUN else []
        run = driver.search(technique(options["technique"]), 0, start)
        if run.best is not None:
            found[name] = run.best
        legal = (trial for trial in driver.known.values() if trial.legal)
        pool |= dict.fromkeys(trial.mapping for trial in nsmallest(POOL, legal, key=lambda trial: trial.score))
    expected = [[scorer.expected(mapping, density) for density in tested] for mapping in pool]
    costs = np.array([[inf if cost is None else cost[0] for cost in row] for row in expected])
    mappings, order = list(pool), np.argsort(-(costs.min(axis=0) / costs).mean(axis=1), kind="stable")
    candidates = {f"candidate {place}": mappings[int(place)] for place in order[:CANDIDATES]}

    def simulated(mapping: Mapping, density: float) -> float | None:
        # Other patterns than the one of the search.
        return simulated_cycles(job.problem, mapping, job.hardware, density, range(1, 1 + options["seeds"]))

    everywhere = {AWARE, BEGUN, *candidates, *(f"{density:g}" for density in searched)}
    cycles = {
        name: [
            simulated(mapping, density) if name in everywhere or name == f"{density:g}" else None for density in tested
        ]
        for name, mapping in (found | candidates).items()
    }
    best = [simulated(mappings[place], density) for place, density in zip(costs.argmin(axis=0), tested, strict=True)]
    columns = zip(best, *cycles.values(), strict=True)
    least = [min(each for each in column if each is not None) for column in columns]
    simulated_everywhere = [name for name in cycles if name in everywhere]
    known = max(simulated_everywhere, key=lambda name: sum(over(cycles[name], least)))
    found[KNOWN] = (found | candidates)[known]
    cycles = {name: row for name, row in cycles.items() if name not in candidates} | {KNOWN: cycles[known]}
    return {
        "cycles": cycles,
        "mappings": {name: mapping.to_dict() for name, mapping in found.items()},
        "least": least,
        "pool": len(pool),
    }


def kept(job: Job, found: Any) -> dict[str, list[float]]:
    """For each mapping tested everywhere the performance at each tested density over that of the mapping searched for it."""
    cycles = found["cycles"]
    own = [cycles[f"{density:g}"][place] for place, density in enumerate(job.options["tested"])]
    return {name: over(cycles[name], own) for name in shown(job, found)}


def shown(job: Job, found: Any) -> list[str]:
    """The mappings tested at every density."""
    names = [AWARE, BEGUN, *(f"{density:g}" for density in job.options["searched"]), KNOWN]
    return [name for name in names if name in found["cycles"]]


def over(cycles: Sequence[float | None], least: Sequence[float | None]) -> list[float]:
    """Performance over that of other cycles, none where a mapping cannot run."""
    return [0.0 if here is None or best is None else best / here for here, best in zip(cycles, least, strict=True)]


def wrapped(name: str) -> str:
    """A long name in two lines."""
    return "\n".join(textwrap.wrap(name, 22))


def tables(results: Answers) -> str:
    """A row for each mapping that was tested everywhere, of each layer; and the means over the layers."""
    rows: list[list[str]] = []
    means: dict[str, list[tuple[float, float]]] = {}
    for job, found in results:
        for name, row in kept(job, found).items():
            of_own = sum(row) / len(row)
            of_best = over(found["cycles"][name], found["least"])
            means.setdefault(name, []).append((of_own, sum(of_best) / len(of_best)))
            title = f"{job.name}: {name if name == KNOWN else f'searched at {name}'}"
            rows.append([title, *(percent(share) for share in of_best), *(percent(m) for m in means[name][-1][::-1])])
    count = len(results[0].job.options["tested"])
    for name, pairs in means.items():
        title = f"**mean: {name if name == KNOWN else f'searched at {name}'}**"
        both = (sum(pair[place] for pair in pairs) / len(pairs) for place in (1, 0))
        rows.append([title, *[""] * count, *(f"**{percent(mean)}**" for mean in both)])
    heading = [
        "performance over the best known at each density",
        *(f"at {density:g}" for density in results[0].job.options["tested"]),
        "mean",
        "mean, over per-density search",
    ]
    return markdown(heading, rows)


def draw(results: Answers) -> Figure:
    """A matrix for each layer."""
    from matplotlib.figure import Figure

    figure = Figure((1.0 + 3.6 * len(results), 3.9), layout="constrained")
    panels = figure.subplots(1, len(results), squeeze=False)[0]
    for panel, (job, found) in zip(panels, results, strict=True):
        names = shown(job, found)
        matrix = np.array([over(found["cycles"][name], found["least"]) for name in names])
        image = panel.imshow(matrix, vmin=0.5, vmax=1.0, cmap="viridis", aspect="auto")
        for (row, column), share in np.ndenumerate(matrix):
            hue = "w" if share < 0.8 else "k"
            panel.text(column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=7, color=hue)
        tested = job.options["tested"]
        panel.set_xticks(range(len(tested)), [f"{density:g}" for density in tested], rotation=45)
        panel.set_yticks(range(len(names)), [*map(wrapped, names)] if panel is panels[0] else [""] * len(names))
        panel.grid(visible=False)
        panel.set_title(job.name)
        panel.set_xlabel("density tested")
    panels[0].set_ylabel("density searched")
    figure.colorbar(image, ax=list(panels), label="performance over the best known\nat the tested density", shrink=0.9)
    add_footnote(figure, "Percent; simulated with other patterns of zeros than those searched.")
    return figure


EXPERIMENT = LabExperiment("densities", "Mappings for unknown sparsity", jobs, tables, draw)
