"""What ``maerisim compare-mappings`` runs: our mapping of each layer and every reference's, simulated."""

from __future__ import annotations

from dataclasses import replace

from maerisim.cli.progress import Bar
from maerisim.cli.study import StageTask, Study, located, map_layer
from maerisim.comparison import OURS, ComparedLayer, Comparison
from maerisim.errors import MaerisimError, MappingError, NotSupportedError
from maerisim.report import LayerReport, UnsupportedLayer
from maerisim.system import estimate, simulate
from mapper.references import REFERENCES


def run(study: Study) -> Comparison:
    """Compare the mappings of every layer; Ctrl-C or an error ends with what is finished by then."""
    entries: list[ComparedLayer | UnsupportedLayer] = []
    interrupted, failure = False, None
    known: dict[object, ComparedLayer] = {}
    with Bar(total=sum(stage.problem.operations for stage in study.stages)) as bar:
        done = 0
        try:
            for task in study.unfused:
                if isinstance(task, UnsupportedLayer):
                    entries.append(task)
                    continue
                for stage in task.stages:
                    if stage.problem not in known:
                        known[stage.problem] = compare(study, stage, bar, done)
                    entries.append(named(known[stage.problem], stage))
                    done += stage.problem.operations
        except KeyboardInterrupt:
            interrupted = True
        except MaerisimError as error:
            failure = error
    return Comparison(study.hardware, study.network, tuple(entries), interrupted, failure, study.objective)


def compare(study: Study, task: StageTask, bar: Bar, done: int) -> ComparedLayer:
    """Our mapping and the references' of one layer, simulated; an error says in which layer it happened."""
    share = task.problem.operations / (len(REFERENCES) + 1)
    with located(task.name):
        bar.show(done, f"{task.name}: {OURS}")
        ours = simulated(study, map_layer(task, study.hardware, study.objective))
        references: dict[str, LayerReport | str] = {}
        for place, (name, reference) in enumerate(REFERENCES.items(), 1):
            bar.show(done + place * share, f"{task.name}: {name}")
            try:
                mapping = reference(task.problem, study.hardware, study.objective)
                expected = estimate(task.problem, mapping, study.hardware)
                references[name] = simulated(study, replace(ours, mapping=mapping, estimate=expected))
            except MappingError as error:
                references[name] = "; ".join(error.violations)
            except NotSupportedError as error:
                references[name] = "; ".join(str(error).splitlines())
    return ComparedLayer(ours, references)


def simulated(study: Study, layer: LayerReport) -> LayerReport:
    return replace(layer, result=simulate(layer.problem, layer.mapping, study.hardware))


def named(compared: ComparedLayer, task: StageTask) -> ComparedLayer:
    """The comparison of an equal layer under the name of this one."""
    ours = replace(
        compared.ours,
        name=task.name,
        op=task.op,
        count=task.count,
        operations_before_scaling=task.operations_before_scaling,
    )
    return replace(compared, ours=ours)
