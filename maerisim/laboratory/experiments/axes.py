"""(c) One axis searched and the others fixed: what tile, loop order and parallelism each contribute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from maerisim.laboratory.experiment import Answers, LabExperiment, machine, six
from maerisim.laboratory.jobs import Job
from maerisim.laboratory.tables import geometric_mean, markdown
from maerisim.reports import figures
from mapper.searching.ground import Ground
from mapper.searching.moves import AXES, along
from mapper.searching.scoring import optimum, scorer_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ALL = "all"
"""Mappings at random, as many as along an axis."""


def jobs(cut: bool) -> list[Job]:
    """Each layer on its own, for cycles and for the energy-delay product."""
    options = {"starts": 3, "samples": 50} if cut else {"starts": 20, "samples": 500}
    layers = six()[3:4] if cut else six()
    return [
        Job("axes", machine(256), (layer,), {**options, "objective": aim})
        for aim in ("cycles", "edp")
        for layer in layers
    ]


def work(job: Job) -> dict[str, Any]:
    """From each of some random legal mappings: its score over the optimum, and the best along each axis."""
    ground, random = Ground(job.problem, job.hardware), np.random.default_rng(0)
    scorer = scorer_of(ground, job.options["objective"])
    _, least = optimum(ground, job.options["objective"])
    found: list[dict[str, float]] = []
    while len(found) < job.options["starts"]:
        start = ground.drawn(random)
        if not ground.is_legal(start):
            continue
        begun = scorer([start])[0].score
        best = {"start": begun / least}
        some = range(job.options["samples"])
        drawn = {axis: [along(start, axis, ground, random) for _ in some] for axis in AXES}
        for axis, tried in [*drawn.items(), (ALL, [ground.drawn(random) for _ in some])]:
            legal = list(dict.fromkeys(mapping for mapping in tried if ground.is_legal(mapping)))
            best[axis] = min([begun, *(cost.score for cost in scorer(legal))]) / least
        found.append(best)
    return {"starts": found}


def gains(results: Answers) -> dict[tuple[str, str], dict[str, float]]:
    """For each objective and layer: how many times better the best along each axis is than where it began."""
    return {
        (job.options["objective"], job.name): {
            axis: geometric_mean(start["start"] / start[axis] for start in found["starts"]) for axis in (*AXES, ALL)
        }
        for job, found in results
    }


def tables(results: Answers) -> str:
    """A row for each layer, and their geometric mean."""
    rows, found = [], gains(results)
    for aim in dict.fromkeys(aim for aim, _ in found):
        mine = {layer: gain for (of, layer), gain in found.items() if of == aim}
        rows += [[f"{layer}, {aim}", *(f"{gain[axis]:.2f}" for axis in (*AXES, ALL))] for layer, gain in mine.items()]
        means = [geometric_mean(gain[axis] for gain in mine.values()) for axis in (*AXES, ALL)]
        rows.append([f"**geometric mean, {aim}**", *(f"**{mean:.2f}**" for mean in means)])
    return markdown(["layer, objective", *(f"{axis}, times better" for axis in (*AXES, ALL))], rows)


def draw(results: Answers) -> Figure:
    """Bars for each layer; a panel for each objective."""
    from matplotlib.figure import Figure

    found = gains(results)
    aims = list(dict.fromkeys(aim for aim, _ in found))
    figure = Figure((8.5, 2.8 * len(aims) + 0.4), layout="constrained")
    for panel, aim in zip(figure.subplots(len(aims), 1, squeeze=False)[:, 0], aims, strict=True):
        mine = {layer: gain for (of, layer), gain in found.items() if of == aim}
        for place, axis in enumerate((*AXES, ALL)):
            at = np.arange(len(mine)) + 0.2 * (place - 1.5)
            panel.bar(at, [gain[axis] for gain in mine.values()], 0.18, label=axis, color=figures.HUES[place])
        panel.set_xticks(np.arange(len(mine)), mine)
        figures.set_logarithmic(panel, "y")
        panel.set_ylabel(f"{aim}: times better")
        most = max(max(gain.values()) for gain in mine.values())
        panel.set_ylim(1, 1.2 * most)
        panel.set_yticks([tick for tick in (1, 2, 5, 10, 20, 50, 100) if tick <= most])
    figure.legend(*panel.get_legend_handles_labels(), loc="outside upper center", ncols=4)
    count = len(results[0].found["starts"])
    figures.add_footnote(
        figure,
        f"Geometric mean over {count} random mappings to begin with, one axis changed at random and the others kept.",
    )
    return figure


EXPERIMENT = LabExperiment("axes", "One axis searched, the others fixed", jobs, tables, draw)
