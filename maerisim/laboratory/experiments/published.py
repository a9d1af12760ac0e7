"""Gamma's published table again: VGG-16's layers 1, 2, 3 and 5 on 256 multipliers at 600 samples, held against the optimum."""

from __future__ import annotations

from statistics import median

from maerisim.laboratory.experiment import Answers, LabExperiment, layers_of, machine
from maerisim.laboratory.experiments.searches import gaps, job_of
from maerisim.laboratory.jobs import Job
from maerisim.laboratory.tables import markdown, percent

BY = ("genetic", "random_pruned", "random")
PLACES, BUDGET, SEEDS = (0, 1, 2, 4), 600, 20


def jobs(cut: bool) -> list[Job]:
    """For cycles and for energy."""
    layers = layers_of("vgg16")
    places, budget, seeds = (PLACES[:1], 60, 2) if cut else (PLACES, BUDGET, SEEDS)
    return [
        job_of(*layers[place], machine(256), by, budget, seeds, aim)
        for aim in ("cycles", "energy")
        for place in places
        for by in BY
    ]


def tables(results: Answers) -> str:
    """A row for each layer and objective; energy beside cycles, and the other way round."""
    rows: dict[tuple[str, str], list[str]] = {}
    for job, found in results:
        row = rows.setdefault((job.name, job.options["objective"]), [f"{found['optimum']:.3g}"])
        other = "energy" if job.options["objective"] == "cycles" else "cycles"
        beside = [run[other] for run in found["runs"] if run[other] is not None]
        row += [percent(median(gaps(found["runs"]))), f"{median(beside):.3g}" if beside else "–"]
    columns = [text for name in BY for text in (f"{name}: gap", "the other")]
    body = [[f"{layer}, {aim}", *row] for (layer, aim), row in rows.items()]
    return markdown(["layer, objective", "optimum", *columns], body)


EXPERIMENT = LabExperiment("published", "Gamma's published table", jobs, tables)
