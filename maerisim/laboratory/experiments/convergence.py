"""(a) The best so far against samples and against time: every technique on the six convolutions, as gap to the optimum."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from maerisim.laboratory import curves
from maerisim.laboratory.experiment import Answers, LabExperiment, machine, six
from maerisim.laboratory.experiments.searches import NEAR, gap_after, gaps, job_of, samples_to
from maerisim.laboratory.jobs import Job
from maerisim.laboratory.tables import count, markdown, percent
from mapper.searching.techniques import TECHNIQUES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BUDGET, SEEDS = 2000, 20
SLOW = {"portfolio": 5, "one_plus_one": 5}
"""Fewer seeds where a search takes seconds: in the library, or as each proposal depends on the last one."""
OTHER_MACHINES, OTHER_SEEDS = (64, 1024), 3
SIMULATED = ("random", "rules", "genetic", "surrogate")
"""Techniques whose median mappings are simulated too: those of bad ones take minutes each."""
SOON = 0.1
"""Seconds of processor time in which random search has tried all of its samples."""
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
                name,
                problem,
                machine(multipliers),
                by,
                BUDGET,
                min(seeds, SLOW.get(by, seeds)),
                simulate=multipliers == 256 and by in SIMULATED,
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
        "technique", "gap, median", f"after {SOON:g} s", "within 1 %", "samples to 1 %", "samples", "illegal", "repeated",
        "technique, ms", "scoring, ms",
    ]  # fmt: skip
    texts = []
    for multipliers, techniques in by_machine(results).items():
        rows = []
        for name, layers in sorted(
            techniques.items(), key=lambda entry: median(median(gaps(runs)) for runs in entry[1])
        ):
            runs = [run for layer in layers for run in layer]
            samples = sum(run["samples"] for run in runs) or 1
            rows.append([
                name,
                percent(median(median(gaps(layer)) for layer in layers)),
                percent(median(median(gap_after(run, SOON, 1) for run in layer) for layer in layers)),
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
    return "\n\n".join([against_chance(results), *texts, *simulated(results)])


def against_chance(results: Answers) -> str:
    """For each technique and size of the array the median gap over that of random search, and on how many layers it is less."""
    machines = dict(sorted(by_machine(results).items()))
    rows = []
    for name in dict.fromkeys(name for techniques in machines.values() for name in techniques if name != "random"):
        row = [name]
        for techniques in machines.values():
            mine, chance = ([median(gaps(runs)) for runs in techniques.get(each, [])] for each in (name, "random"))
            better = sum(gap < other for gap, other in zip(mine, chance, strict=False))
            verdict = "better" if mine and median(mine) < median(chance) else "**not**"
            row.append(f"{verdict}: {percent(median(mine))}, {better} of {len(mine)}" if mine and chance else "–")
        rows.append(row)
    last = ["random"]
    for techniques in machines.values():
        chance = [median(gaps(runs)) for runs in techniques.get("random", [])]
        last.append(percent(median(chance)) if chance else "–")
    heading = ["better than random?", *(f"{multipliers} multipliers" for multipliers in machines)]
    text = "Median gap of the layers after all samples against that of random search (last row), and on how many layers it is less:"
    return f"{text}\n\n{markdown(heading, [*rows, last])}"


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
        f"Median and (bars) quartiles of the seeds, geometric mean over {layers} layers; gap: cycles over those of the proven optimum, "
        "less 1.\nGaps below 0.1 % are drawn as 0.1 %, above 1,000 % as 1,000 %."
    )
    return curves.draw(panels, note)


EXPERIMENT = LabExperiment("convergence", "Best so far against samples and time", jobs, tables, draw)
