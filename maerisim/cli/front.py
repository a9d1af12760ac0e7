"""What ``maerisim map --objective pareto`` runs: for each layer the mappings that trade cycles for energy."""

from __future__ import annotations

from dataclasses import replace

from maerisim.cli import warmup
from maerisim.cli.progress import Bar
from maerisim.cli.study import StageTask, Study, chosen, located
from maerisim.engine import simulate
from maerisim.errors import MaerisimError
from maerisim.report import LayerReport, NetworkReport, UnsupportedLayer
from mapper import find_front


def run(study: Study) -> NetworkReport:
    """The front of every layer, its points one after the other; Ctrl-C or an error ends with what is finished by then."""
    entries: list[LayerReport | UnsupportedLayer] = []
    interrupted, failure = False, None
    known: dict[object, list[LayerReport]] = {}
    warmup.ensure(warmup.needed_by(study.hardware))
    with Bar(total=sum(stage.problem.operations for stage in study.stages)) as bar:
        done = 0
        try:
            for task in study.tasks:
                if isinstance(task, UnsupportedLayer):
                    entries.append(task)
                    continue
                for stage in task.stages:
                    bar.show(done, f"mapping {stage.name}")
                    equal = (stage.problem, stage.constraints)
                    if equal not in known:
                        with located(stage.name):
                            known[equal] = front_of(stage, study)
                    entries += [
                        replace(
                            point,
                            name=stage.name,
                            op=stage.op,
                            count=stage.count,
                            operations_before_scaling=stage.operations_before_scaling,
                        )
                        for point in known[equal]
                    ]
                    done += stage.problem.operations
        except KeyboardInterrupt:
            interrupted = True
        except MaerisimError as error:
            failure = error
    return NetworkReport(study.hardware, study.network, tuple(entries), interrupted, failure)


def front_of(stage: StageTask, study: Study) -> list[LayerReport]:
    """The points of one layer, simulated."""
    return [
        replace(chosen(stage, point.choice), result=simulate(stage.problem, point.choice.mapping, study.hardware))
        for point in find_front(stage.problem, study.hardware, constraints=stage.constraints)
    ]
