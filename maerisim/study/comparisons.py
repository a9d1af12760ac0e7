"""What ``maerisim compare-mappings`` runs: our mapping of each layer and every reference's, simulated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from maerisim.errors import MappingError, NotSupportedError
from maerisim.report.comparison import OURS, ComparedLayer, Comparison
from maerisim.report.findings import LayerReport, UnsupportedLayer
from maerisim.study.progress import Bar
from maerisim.study.study import StageTask, Study, collected, located, map_layer
from maerisim.ways.way import estimate, simulate
from mapper.references import REFERENCES


def run(study: Study) -> Comparison:
    """Compare the mappings of every layer; Ctrl-C or an error ends with what is finished by then."""
    return collected(partial(Comparison, objective=study.objective), study, compared_layers(study))


def compared_layers(study: Study) -> Iterator[ComparedLayer | UnsupportedLayer]:
    """Every layer with all its mappings, equal layers compared once."""
    known: dict[object, ComparedLayer] = {}
    with Bar(total=study.operations) as bar:
        done = 0
        for task in study.unfused:
            if isinstance(task, UnsupportedLayer):
                yield task
                continue
            for stage in task.stages:
                if stage.problem not in known:
                    known[stage.problem] = compare(study, stage, bar, done)
                compared = known[stage.problem]
                yield replace(compared, ours=stage.named(compared.ours))
                done += stage.problem.operations


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
