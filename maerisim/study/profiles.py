"""Every layer mapped and simulated, then again with more of each resource."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.reports.findings import UnsupportedLayer
from maerisim.reports.profile import profile
from maerisim.reports.profile_report import ProfiledLayer, ProfileReport
from maerisim.reports.relief import reliefs
from maerisim.reports.replay import replay
from maerisim.study import warmup
from maerisim.study.forecast import foresee_profiles
from maerisim.study.layer import Simulation
from maerisim.study.progress import ProgressCallback, Tell
from maerisim.study.runner import collected, each_stage, run_stage
from maerisim.study.tasks import StageTask, Study
from maerisim.ways.lock_step import require_control_steps
from maerisim.workload.problem import Problem
from mapper import find_mapping


def run(study: Study, progress: ProgressCallback | None = None, *, replays: bool = False) -> ProfileReport:
    """Profile every layer, with ``replays`` for pictures; Ctrl-C or an error ends with what is finished by then.

    Raises NotSupportedError for a controller that has no control steps.
    """
    require_control_steps(study.hardware)
    foresee_profiles(study, replays=replays)
    warmup.ensure(warmup.needed_by(study.hardware, values=replays))
    return collected(ProfileReport, study, profiled_layers(study, progress, replays=replays))


def profiled_layers(
    study: Study, progress: ProgressCallback | None, *, replays: bool
) -> Iterator[ProfiledLayer | UnsupportedLayer]:
    """Every layer with the profile of its mapping."""
    for entry in each_stage(study, progress, partial(profiled, study, replays=replays)):
        if isinstance(entry, UnsupportedLayer):
            yield entry
        else:
            stage, found = entry
            yield replace(found, layer=stage.named(found.layer))


def profiled(study: Study, task: StageTask, tell: Tell, *, replays: bool) -> ProfiledLayer:
    """One layer simulated, with its profile and what would relieve it."""
    layer = run_stage(study, task, Simulation(), tell)

    def find(problem: Problem, hardware: Hardware) -> Mapping:
        if hardware == study.hardware and layer.candidates is not None:  # the mapper has been asked that
            return layer.mapping
        return find_mapping(problem, hardware, objective=study.objective).mapping

    assert layer.result is not None
    found = []
    without = profile(layer.problem, layer.mapping, study.hardware, layer.result)
    for relief in reliefs(layer.problem, layer.mapping, study.hardware, find):
        found.append(relief)
        tell(f"{layer.name}: more {relief.resource}", 1)
    found_out = ProfiledLayer(layer, replace(without, reliefs=tuple(found)))
    if not replays:
        return found_out

    def told(share: float) -> None:
        tell(f"following {layer.name}, {share:.0%}", 1)

    return replace(found_out, replay=replay(layer.problem, layer.mapping, study.hardware, told))
