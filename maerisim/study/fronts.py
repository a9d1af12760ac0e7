"""For each layer the mappings that trade cycles for energy."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from maerisim.reports.findings import LayerReport, UnsupportedLayer
from maerisim.reports.front import FrontReport
from maerisim.study import warmup
from maerisim.study.forecast import foresee_front
from maerisim.study.layer import chosen, simulated
from maerisim.study.progress import ProgressCallback, Tell
from maerisim.study.runner import collected, each_stage
from maerisim.study.tasks import StageTask, Study
from mapper import find_front


def run(study: Study, progress: ProgressCallback | None = None) -> FrontReport:
    """The front of every layer, its points one after the other; Ctrl-C or an error ends with what is finished by then."""
    foresee_front(study)
    warmup.ensure(warmup.needed_by(study.hardware))
    return collected(FrontReport, study, points(study, progress))


def points(study: Study, progress: ProgressCallback | None) -> Iterator[LayerReport | UnsupportedLayer]:
    """The points of every layer."""
    for entry in each_stage(study, progress, partial(front_of, study)):
        if isinstance(entry, UnsupportedLayer):
            yield entry
        else:
            stage, front = entry
            yield from map(stage.named, front)


def front_of(study: Study, task: StageTask, tell: Tell) -> list[LayerReport]:
    """The points of one layer, simulated."""
    tell(f"mapping {task.name}", 0)
    return [
        simulated(chosen(task, point.choice), study.hardware)
        for point in find_front(task.problem, study.hardware, constraints=task.constraints)
    ]
