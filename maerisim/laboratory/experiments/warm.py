"""(f) Warm start: the genetic search begun at random, from the layer before, and from the most similar layer solved so far."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from maerisim.laboratory.experiment import NETWORKS, Answers, LabExperiment, layers_of, machine
from maerisim.laboratory.jobs import Job
from maerisim.laboratory.tables import geometric_mean, markdown, percent
from maerisim.mapping.mapping import Mapping
from maerisim.reports import figures
from mapper.searching import warm
from mapper.searching.driver import search
from mapper.searching.ground import Ground
from mapper.searching.scoring import optimum, scorer_of
from mapper.searching.techniques import technique

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POLICIES = {
    "random": "at random",
    "previous": "from the layer before",
    "edits": "from the most similar layer, by edit distance",
    "doublings": "from the most similar layer, by doublings of its sizes",
}
NEAR = 0.005
"""How close to the optimum a search has to come."""
BY, BUDGET, SEEDS = "genetic", 2000, 3


def jobs(cut: bool) -> list[Job]:
    """One for each network, way to begin, and seed."""
    networks, budget, seeds = (("bert_base",), 200, 1) if cut else (NETWORKS, BUDGET, SEEDS)
    return [
        Job(
            "warm",
            machine(64 if cut else 256),
            tuple(layers_of(network)),
            {"network": network, "policy": policy, "technique": BY, "budget": budget, "seed": seed},
        )
        for seed in range(seeds)
        for network in networks
        for policy in POLICIES
    ]


def work(job: Job) -> dict[str, Any]:
    """For each layer in turn: samples until the search was near the optimum, where it ends (None: never), and its gap then."""
    options, solved, found = job.options, warm.Solved(), {}
    for name, problem in job.layers:
        ground = Ground(problem, job.hardware)
        start = begun(options["policy"], solved, ground)
        _, least = optimum(ground, "cycles")
        scorer = scorer_of(ground, "cycles")
        near = least * (1 + NEAR)
        run = search(technique(options["technique"]), ground, scorer, options["budget"], options["seed"], start, near)
        samples = run.samples_to(near)
        found[name] = {
            "samples": None if samples == inf else samples,
            "gap": run.score / least - 1,
            "warm": bool(start),
        }
        if run.best is not None:
            solved.add(problem, run.best)
    return found


def begun(policy: str, solved: warm.Solved, ground: Ground) -> list[Mapping]:
    """The mappings to begin with."""
    if policy == "previous" and solved.last is not None:
        return warm.carried_over(solved.last, solved.layers[solved.last], ground)
    if policy == "edits":
        return solved.start(ground, warm.edits)
    return solved.start(ground, warm.doublings) if policy == "doublings" else []


def pairs(results: Answers) -> dict[tuple[str, str], list[tuple[float, float, bool, bool]]]:
    """By network and way to begin, for each layer and seed: samples begun at random and begun so, at most the budget, and whether
    each came near. The first layer of a network, which nothing is known for, is left out.
    """
    chance = {
        (job.options["network"], job.options["seed"]): found
        for job, found in results
        if job.options["policy"] == "random"
    }
    seen: dict[tuple[str, str], list[tuple[float, float, bool, bool]]] = {}
    for job, found in results:
        at_random = chance.get((job.options["network"], job.options["seed"]))
        if job.options["policy"] == "random" or at_random is None:
            continue
        for name, mine in found.items():
            if mine["warm"]:
                both = [each["samples"] for each in (at_random[name], mine)]
                cold, begun_warm = (job.options["budget"] if samples is None else samples for samples in both)
                entry = (cold, begun_warm, both[0] is not None, both[1] is not None)
                seen.setdefault((job.options["network"], job.options["policy"]), []).append(entry)
    return seen


def tables(results: Answers) -> str:
    """A row for each network and way to begin, and one over all networks."""
    seen, rows = pairs(results), []
    for policy in list(POLICIES)[1:]:
        mine = {network: entries for (network, of), entries in seen.items() if of == policy}
        if not mine:
            continue
        together = [entry for entries in mine.values() for entry in entries]
        for network, entries in [*mine.items(), ("**all**", together)]:
            rows.append([
                f"{network}, {POLICIES[policy]}",
                f"{len(entries)}",
                f"{geometric_mean(cold / begun_warm for cold, begun_warm, *_ in entries):.2f}",
                percent(sum(reached for *_, reached, _ in entries) / len(entries), 0),
                percent(sum(reached for *_, reached in entries) / len(entries), 0),
            ])  # fmt: skip
    heading = ["network, begun", "searches", "times fewer samples", "near when begun at random", "near when begun so"]
    return markdown(heading, rows)


def draw(results: Answers) -> Figure:
    """What share of the searches is near the optimum after so many samples: a line for each way to begin."""
    from matplotlib.figure import Figure

    figure = Figure((6.5, 3.6), layout="constrained")
    panel = figure.subplots()
    budget = results[0].job.options["budget"]
    at = np.geomspace(1, budget, 200)
    searched = {
        policy: {(job.options["network"], job.options["seed"]) for job, _ in results if job.options["policy"] == policy}
        for policy in POLICIES
    }
    common = max((searched[policy] for policy in POLICIES if policy != "random"), key=len)
    for place, (policy, words) in enumerate(POLICIES.items()):
        taken = np.array([
            layer["samples"] or inf
            for job, found in results
            if job.options["policy"] == policy and common <= searched[policy]
            if (job.options["network"], job.options["seed"]) in common
            for layer in list(found.values())[1:]
        ])  # fmt: skip
        if len(taken):
            panel.plot(at, [100 * (taken <= x).mean() for x in at], label=words, color=figures.HUES[place])
    figures.set_logarithmic(panel, "x")
    panel.set_ylim(0, 100)
    panel.set_xlabel("samples")
    panel.set_ylabel(f"searches within {100 * NEAR:g} %\nof the optimum, %")
    panel.legend(loc="upper left", fontsize=8)
    networks = ", ".join(dict.fromkeys(network for network, _ in sorted(common)))
    figures.add_footnote(figure, f"The genetic search on all layers but the first of {networks}, each seed on its own.")
    return figure


EXPERIMENT = LabExperiment("warm", "Warm start", jobs, tables, draw)
