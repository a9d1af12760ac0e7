"""(e) The genetic search without its crossover, and without its mutations."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from maerisim.laboratory.experiment import Answers, LabExperiment, machine, six
from maerisim.laboratory.experiments import convergence
from maerisim.laboratory.experiments.searches import NEAR, gaps, job_of
from maerisim.laboratory.jobs import Job
from maerisim.laboratory.tables import markdown, percent
from mapper.searching.techniques import VARIANTS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BY = ("genetic", *VARIANTS, "random")


def jobs(cut: bool) -> list[Job]:
    """The searches of the whole one and of random search are those of the first experiment."""
    if cut:
        name, problem = six()[3]
        return [job_of(name, problem, machine(64), by, 200, 2) for by in BY]
    return [
        job_of(
            name, problem, machine(256), by, convergence.BUDGET, convergence.SEEDS, simulate=by in convergence.SIMULATED
        )
        for by in BY
        for name, problem in six()
    ]


def tables(results: Answers) -> str:
    """A row for each."""
    rows = []
    for techniques in convergence.by_machine(results).values():
        for name, layers in techniques.items():
            runs = [run for layer in layers for run in layer]
            middle = [median(gaps(layer)) for layer in layers]
            near = sum(gap <= NEAR for gap in gaps(runs)) / len(runs)
            rows.append([name, percent(median(middle)), percent(min(middle)), percent(max(middle)), percent(near, 0)])
    return markdown(["search", "gap, median of the layers", "best layer", "worst layer", "within 1 %"], rows)


def draw(results: Answers) -> Figure:
    """As the first experiment."""
    return convergence.draw(results)


EXPERIMENT = LabExperiment("ablation", "Crossover and mutation ablated", jobs, tables, draw)
