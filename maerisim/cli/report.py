"""What ``maerisim report`` runs: every layer mapped and simulated, then again with more of each resource."""

from __future__ import annotations

from dataclasses import replace

from maerisim.cli import warmup
from maerisim.cli.progress import Bar
from maerisim.cli.study import LayerTask, Runner, Simulation, Study, located
from maerisim.errors import MaerisimError
from maerisim.hardware import Hardware
from maerisim.mapping import Mapping
from maerisim.problem import Problem
from maerisim.profile import Profile, profile, reliefs, require_control_steps
from maerisim.profile_report import ProfiledLayer, ProfileReport
from maerisim.report import LayerReport, UnsupportedLayer
from mapper import find_mapping


def run(study: Study) -> ProfileReport:
    """Profile every layer; Ctrl-C or an error ends with what is finished by then.

    Raises NotSupportedError for a controller that has no control steps.
    """
    require_control_steps(study.hardware)
    entries: list[ProfiledLayer | UnsupportedLayer] = []
    interrupted, failure = False, None
    known: dict[object, Profile] = {}
    warmup.ensure(warmup.needed_by(study.hardware))
    with Bar(total=sum(stage.problem.operations for stage in study.stages)) as bar:
        runner = Runner(study, Simulation(), bar)
        try:
            for task in study.unfused:
                if not isinstance(task, LayerTask):
                    entries.append(task)
                    continue
                for layer in runner.run(task):
                    equal = (layer.problem, layer.mapping)
                    if equal not in known:
                        known[equal] = profile_of(study, layer, bar, runner.done)
                    entries.append(ProfiledLayer(layer, known[equal]))
        except KeyboardInterrupt:
            interrupted = True
        except MaerisimError as error:
            failure = error
    return ProfileReport(study.hardware, study.network, tuple(entries), interrupted, failure)


def profile_of(study: Study, layer: LayerReport, bar: Bar, done: int) -> Profile:
    """The profile of a simulated layer with what would relieve it; an error says in which layer it happened."""

    def find(problem: Problem, hardware: Hardware) -> Mapping:
        if hardware == study.hardware and layer.candidates is not None:  # the mapper has been asked that
            return layer.mapping
        return find_mapping(problem, hardware, objective=study.objective).mapping

    assert layer.result is not None
    found = []
    with located(layer.name):
        without = profile(layer.problem, layer.mapping, study.hardware, layer.result)
        for relief in reliefs(layer.problem, layer.mapping, study.hardware, find):
            found.append(relief)
            bar.show(done, f"{layer.name}: more {relief.resource}")
    return replace(without, reliefs=tuple(found))
