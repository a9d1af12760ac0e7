"""What ``maerisim report`` runs: every layer mapped and simulated, then again with more of each resource."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.report.findings import LayerReport, UnsupportedLayer
from maerisim.report.profile import Profile, ProfiledLayer, ProfileReport, profile
from maerisim.report.relief import reliefs
from maerisim.study import warmup
from maerisim.study.progress import Bar
from maerisim.study.study import Runner, Simulation, Study, collected, located
from maerisim.ways.lock_step import require_control_steps
from maerisim.workload.problem import Problem
from mapper import find_mapping


def run(study: Study) -> ProfileReport:
    """Profile every layer; Ctrl-C or an error ends with what is finished by then.

    Raises NotSupportedError for a controller that has no control steps.
    """
    require_control_steps(study.hardware)
    warmup.ensure(warmup.needed_by(study.hardware))
    return collected(ProfileReport, study, profiled_layers(study))


def profiled_layers(study: Study) -> Iterator[ProfiledLayer | UnsupportedLayer]:
    """Every layer with the profile of its mapping, equal ones profiled once."""
    known: dict[object, Profile] = {}
    with Bar(total=study.operations) as bar:
        runner = Runner(study, Simulation(), bar)
        for task in study.unfused:
            if isinstance(task, UnsupportedLayer):
                yield task
                continue
            for layer in runner.run(task):
                equal = (layer.problem, layer.mapping)
                if equal not in known:
                    known[equal] = profile_of(study, layer, bar, runner.done)
                yield ProfiledLayer(layer, known[equal])


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
