"""What ``maerisim map --objective pareto`` runs: for each layer the mappings that trade cycles for energy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from maerisim.report.findings import LayerReport, NetworkReport, UnsupportedLayer
from maerisim.study import warmup
from maerisim.study.progress import Bar
from maerisim.study.study import StageTask, Study, chosen, collected, located
from maerisim.ways.way import simulate
from mapper import find_front


def run(study: Study) -> NetworkReport:
    """The front of every layer, its points one after the other; Ctrl-C or an error ends with what is finished by then."""
    warmup.ensure(warmup.needed_by(study.hardware))
    return collected(NetworkReport, study, points(study))


def points(study: Study) -> Iterator[LayerReport | UnsupportedLayer]:
    """The points of every layer, equal layers found once."""
    known: dict[object, list[LayerReport]] = {}
    with Bar(total=study.operations) as bar:
        done = 0
        for task in study.unfused:
            if isinstance(task, UnsupportedLayer):
                yield task
                continue
            for stage in task.stages:
                bar.show(done, f"mapping {stage.name}")
                equal = (stage.problem, stage.constraints)
                if equal not in known:
                    with located(stage.name):
                        known[equal] = front_of(stage, study)
                yield from map(stage.named, known[equal])
                done += stage.problem.operations


def front_of(stage: StageTask, study: Study) -> list[LayerReport]:
    """The points of one layer, simulated."""
    return [
        replace(chosen(stage, point.choice), result=simulate(stage.problem, point.choice.mapping, study.hardware))
        for point in find_front(stage.problem, study.hardware, constraints=stage.constraints)
    ]
