"""(f) Whether a warm bound shortens the proof: the ranking of all mappings told beforehand what a mapping carried over reaches."""

from __future__ import annotations

import time
from typing import Any

from maerisim.analytic.ranking import rank
from maerisim.laboratory.experiment import NETWORKS, Answers, LabExperiment, layers_of, machine
from maerisim.laboratory.jobs import Job
from maerisim.laboratory.tables import geometric_mean, markdown
from mapper.searching import warm
from mapper.searching.ground import Ground
from mapper.searching.scoring import scorer_of


def jobs(cut: bool) -> list[Job]:
    """One for each network."""
    return [
        Job("bound", machine(64 if cut else 256), tuple(layers_of(network)), {"network": network})
        for network in (("bert_base",) if cut else NETWORKS)
    ]


def work(job: Job) -> dict[str, Any]:
    """For each layer the mappings estimated and timed by a proof on its own and by one with a bound, and the seconds."""
    solved, found = warm.Solved(), {}
    for name, problem in job.layers:
        ground = Ground(problem, job.hardware)
        start = [mapping for mapping in solved.start(ground) if ground.is_legal(mapping)]
        bound = min((cost.score for cost in scorer_of(ground, "cycles", "estimate")(start)), default=float("inf"))
        proofs = []
        for below in (float("inf"), bound):
            begin = time.process_time()
            ranking = rank(problem, job.hardware, ground.space.tiles, below=below)
            seconds = time.process_time() - begin
            proofs.append(
                {
                    "estimated": ranking.estimated,
                    "timed": ranking.timed,
                    "seconds": seconds,
                    "score": ranking.best[0].score,
                }
            )
        if start:
            found[name] = {"cold": proofs[0], "warm": proofs[1], "bound": bound / proofs[0]["score"]}
        solved.add(problem, ranking.best[0].mapping)
    return found


def tables(results: Answers) -> str:
    """A row for each network."""
    rows = []
    for job, found in results:
        layers = list(found.values())
        sums = {
            what: [sum(layer[how][what] for layer in layers) for how in ("cold", "warm")]
            for what in ("estimated", "timed", "seconds")
        }
        same = sum(layer["cold"]["score"] == layer["warm"]["score"] for layer in layers)
        rows.append([
            job.options["network"], f"{len(layers)}", f"{same}", f"{geometric_mean(layer['bound'] for layer in layers):.3f}",
            *(f"{cold:,} → {begun_warm:,}" for cold, begun_warm in (sums["estimated"], sums["timed"])),
            f"{sums['seconds'][0]:.2f} → {sums['seconds'][1]:.2f}",
        ])  # fmt: skip
    heading = ["network", "layers", "same optimum", "bound over optimum", "mappings estimated", "timed", "seconds"]
    return markdown(heading, rows)


EXPERIMENT = LabExperiment("bound", "A warm bound for the proof", jobs, tables)
