"""Our mapping of each layer and every reference's, simulated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from maerisim.errors import MappingError, NotSupportedError
from maerisim.reports.comparison import OURS, ComparedLayer, Comparison
from maerisim.reports.findings import LayerReport, UnsupportedLayer
from maerisim.study.forecast import foresee
from maerisim.study.layer import estimated, map_layer, simulated
from maerisim.study.progress import ProgressCallback, Tell
from maerisim.study.runner import collected, each_stage
from maerisim.study.tasks import StageTask, Study
from mapper.references import REFERENCES


def run(study: Study, progress: ProgressCallback | None = None) -> Comparison:
    """Compare the mappings of every layer; Ctrl-C or an error ends with what is finished by then."""
    foresee(study, None)
    return collected(partial(Comparison, objective=study.objective), study, compared_layers(study, progress))


def compared_layers(study: Study, progress: ProgressCallback | None) -> Iterator[ComparedLayer | UnsupportedLayer]:
    """Every layer with all its mappings."""
    for entry in each_stage(study, progress, partial(compare, study)):
        if isinstance(entry, UnsupportedLayer):
            yield entry
        else:
            stage, compared = entry
            yield replace(compared, ours=stage.named(compared.ours))


def compare(study: Study, task: StageTask, tell: Tell) -> ComparedLayer:
    """Our mapping and the references' of one layer, simulated."""
    tell(f"{task.name}: {OURS}", 0)
    hardware = study.hardware
    ours = simulated(map_layer(task, hardware, study.objective), hardware)
    references: dict[str, LayerReport | str] = {}
    for place, (name, reference) in enumerate(REFERENCES.items(), 1):
        tell(f"{task.name}: {name}", place / (len(REFERENCES) + 1))
        try:
            mapping = reference(task.problem, hardware, study.objective)
            references[name] = simulated(estimated(ours, mapping, hardware), hardware)
        except MappingError as error:
            references[name] = "; ".join(error.violations)
        except NotSupportedError as error:
            references[name] = "; ".join(str(error).splitlines())
    return ComparedLayer(ours, references)
