"""(a) The best so far against samples and against time: every technique on the six convolutions, as gap to the optimum."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from maerisim.laboratory import curves
from maerisim.laboratory.experiment import Answers, LabExperiment, machine, six
from maerisim.laboratory.experiments.searches import NEAR, gaps, job_of, samples_to
from maerisim.laboratory.jobs import Job
from maerisim.laboratory.tables import count, markdown, percent
from mapper.searching.techniques import TECHNIQUES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BUDGET, SEEDS = 2000, 20
OTHER_MACHINES, OTHER_SEEDS = (64, 1024), 3
SIMULATED = ("random", "rules", "genetic", "surrogate")
"""Techniques whose median mappings are simulated too: those of bad ones take minutes each."""
CUT_TECHNIQUES = ("random", "rules", "genetic", "annealing", "cma_es")


def jobs(cut: bool) -> list[Job]:
    """Those of 256 multipliers first, and techniques that take little time before the others."""
    if cut:
        name, problem = six()[3]
        return [job_of(name, problem, machine(64), by, 200, 2) for by in CUT_TECHNIQUES]
    found = []
    for multipliers, seeds in ((256, SEEDS), *((size, OTHER_SEEDS) for size in OTHER_MACHINES)):
        found += [
            job_of(
                name, problem, machine(multipliers), by, BUDGET, seeds, simulate=multipliers == 256 and by in SIMULATED
            )
            for by in TECHNIQUES
            for name, problem in six()
        ]
    return found


def by_machine(results: Answers) -> dict[int, dict[str, list[list[dict[str, Any]]]]]:
    """For each size of the array and technique the searches of each layer."""
    found: dict[int, dict[str, list[list[dict[str, Any]]]]] = {}
    for job, result in results:
        of_machine = found.setdefault(job.hardware.multipliers, {})
        of_machine.setdefault(job.options["technique"], []).append(result["runs"])
    return found


def tables(results: Answers) -> str:
    """A table for each size of the array."""
    heading = [
        "technique", "gap, median", "layers better than random", "within 1 %", "samples to 1 %", "samples", "illegal", "repeated",
        "technique, ms a sample", "scoring, ms a sample",
    ]  # fmt: skip
    texts = []
    for multipliers, techniques in by_machine(results).items():
        chance = [median(gaps(runs)) for runs in techniques.get("random", [])]
        rows = []
        for name, layers in sorted(
            techniques.items(), key=lambda entry: median(median(gaps(runs)) for runs in entry[1])
        ):
            runs = [run for layer in layers for run in layer]
            samples = sum(run["samples"] for run in runs) or 1
            better = sum(median(gaps(mine)) < other for mine, other in zip(layers, chance, strict=False))
            rows.append([
                name,
                percent(median(median(gaps(layer)) for layer in layers)),
                f"{better} of {len(layers)}",
                percent(sum(gap <= NEAR for gap in gaps(runs)) / len(runs), 0),
                count(median(samples_to(run, NEAR) for run in runs)),
                count(samples / len(runs)),
                percent(sum(run["illegal"] for run in runs) / samples),
                percent(sum(run["repeated"] for run in runs) / samples),
                f"{1e3 * sum(run['technique_seconds'] for run in runs) / samples:.3f}",
                f"{1e3 * sum(run['scoring_seconds'] for run in runs) / samples:.3f}",
            ])  # fmt: skip
        seeds = max(len(layer) for layers in techniques.values() for layer in layers)
        texts.append(f"{multipliers} multipliers, {seeds} seeds:\n\n{markdown(heading, rows)}")
    return "\n\n".join([*texts, *simulated(results)])


def simulated(results: Answers) -> list[str]:
    """How simulation sees the winners, where it was asked."""
    ratios: dict[str, list[float]] = {}
    for job, result in results:
        if "simulated" in result:
            ratios.setdefault(job.options["technique"], []).append(result["simulated"] / result["simulated_optimum"])
    if not ratios:
        return []
    rows = [[name, f"{median(each):.3f}", f"{min(each):.3f}", f"{max(each):.3f}"] for name, each in ratios.items()]
    heading = ["technique", "median of the layers", "least", "most"]
    text = "Cycles of the median search's mapping over those of the optimum's, both simulated (256 multipliers):"
    return [f"{text}\n\n{markdown(heading, rows)}"]


def draw(results: Answers) -> Figure:
    """A column for each size of the array."""
    panels = {f"{multipliers} multipliers": found for multipliers, found in sorted(by_machine(results).items())}
    layers = len({job.name for job, _ in results})
    note = (
        f"Median and quartiles of the seeds, geometric mean over {layers} layer(s); gap: cycles over those of the proven optimum, "
        "less 1.\nGaps below 0.1 % are drawn as 0.1 %, above 1,000 % as 1,000 %."
    )
    return curves.draw(panels, note)


EXPERIMENT = LabExperiment("convergence", "Best so far against samples and time", jobs, tables, draw)
