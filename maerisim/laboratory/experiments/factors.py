"""(h) Perfect factors against any integer: what a tile that has to divide its layer costs, proven for each layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from maerisim.analytic.ranking import rank
from maerisim.laboratory.experiment import NETWORKS, Answers, LabExperiment, layers_of, machine
from maerisim.laboratory.jobs import Job
from maerisim.laboratory.tables import geometric_mean, markdown, percent
from maerisim.reports import figures
from mapper.searching.ground import Ground

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZES = (64, 256, 1024)
LOSS = 1.001
"""A network is drawn of which some layer loses more."""


def jobs(cut: bool) -> list[Job]:
    """One for each network and size of the array."""
    networks, sizes = (("six_convolutions",), (64,)) if cut else (("six_convolutions", *NETWORKS), SIZES)
    return [
        Job("factors", machine(size), tuple(layers_of(network)), {"network": network, "objective": aim})
        for size in sizes
        for network in networks
        for aim in ("cycles", "edp")
    ]


def work(job: Job) -> dict[str, Any]:
    """For each layer the least score with perfect factors over the least of all, and how many tiles each has."""
    found = {}
    for name, problem in job.layers:
        space = Ground(problem, job.hardware).space
        perfect = space.only((np.array(problem.dims) % space.tiles == 0).all(axis=1))
        least, restricted = (
            rank(problem, job.hardware, tiles, job.options["objective"], certain=True).best[0].score
            for tiles in (space.tiles, perfect.tiles)
        )
        found[name] = {"ratio": restricted / least, "tiles": len(space.tiles), "perfect": len(perfect.tiles)}
    return found


def tables(results: Answers) -> str:
    """A row for each network, size and objective."""
    rows = []
    for job, found in results:
        ratios = [layer["ratio"] for layer in found.values()]
        share = sum(layer["perfect"] for layer in found.values()) / sum(layer["tiles"] for layer in found.values())
        costly = sum(ratio > 1.01 for ratio in ratios)
        title = f"{job.options['network']}, {job.hardware.multipliers} multipliers, {job.options['objective']}"
        rows.append(
            [
                title,
                f"{len(ratios)}",
                percent(share),
                f"{costly}",
                f"{geometric_mean(ratios):.3f}",
                f"{max(ratios):.3f}",
            ]
        )
    heading = ["network", "layers", "tiles that are perfect", "layers that lose over 1 %", "geometric mean", "worst"]
    return markdown(heading, rows)


def draw(results: Answers) -> Figure:
    """What each layer loses, in order; a panel for each size of the array."""
    from matplotlib.figure import Figure

    mine = [(job, found) for job, found in results if job.options["objective"] == "cycles"]
    sizes = list(dict.fromkeys(job.hardware.multipliers for job, _ in mine))
    figure = Figure((2.9 * len(sizes) + 1.6, 3.2), layout="constrained")
    panels = figure.subplots(1, len(sizes), squeeze=False, sharey=True)[0]
    every = list(dict.fromkeys(job.options["network"] for job, _ in mine))
    worst = {
        name: max(layer["ratio"] for job, found in mine if job.options["network"] == name for layer in found.values())
        for name in every
    }
    losing = [name for name in every if worst[name] > LOSS]
    for panel, size in zip(panels, sizes, strict=True):
        for job, found in mine:
            name = job.options["network"]
            if job.hardware.multipliers == size and name in losing:
                ratios = sorted((layer["ratio"] for layer in found.values()), reverse=True)
                at = np.linspace(0, 100, len(ratios))
                panel.plot(at, ratios, color=figures.HUES[losing.index(name)], label=name, marker=".")
        panel.set_title(f"{size} multipliers")
        panel.set_xlabel("layers, % of the network")
    panels[0].set_ylabel("cycles with perfect factors\nover those with any integer")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right center")
    text = "The best of all mappings against the best of those whose tiles divide the layer, both proven (closed form)."
    same = ", ".join(name for name in every if name not in losing)
    figures.add_footnote(figure, f"{text} Not drawn, as no layer loses {LOSS - 1:.1%}: {same}." if same else text)
    return figure


EXPERIMENT = LabExperiment("factors", "Perfect factors against any integer", jobs, tables, draw)
