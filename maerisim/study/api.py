"""What ``import maerisim`` offers for one network on one piece of hardware: a function for each question.

``hardware`` and ``network`` are objects, shipped names (``maeri-64``, ``alexnet``) or YAML files; a layer alone is a network
of one, and so is its loop nest, the ``problem`` of a layer, a stage or a result. All functions take

- ``layers``: only the layers, or stages, of these names,
- ``scale``: layers of more multiply-accumulates (or pooled inputs) are shrunk, and marked,
- ``progress``: called as ``progress(done, total, doing)`` now and then,
- ``partial``: an error, or Ctrl-C, that ends the run is raised; with ``partial`` what is finished by then is returned instead,
  and ``interrupted`` or ``failure`` of the result say so.

They print nothing, and import what they need when they are called. What is wrong with the input is raised before anything
runs: DocumentError, MappingError (for mappings that do not fit, and layers that have none), NotSupportedError. Running raises
DeadlockError and ValuesError too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from maerisim.analytic.objective import Objective
from maerisim.engine.run import EngineName
from maerisim.errors import NotSupportedError
from maerisim.interruption import interruptible
from maerisim.reports.findings import Findings, NetworkReport
from maerisim.study import runner
from maerisim.study.given import ConstraintsLike, HardwareLike, MappingsLike, NetworkLike, require, study_of
from maerisim.study.layer import Simulation
from maerisim.study.progress import ProgressCallback
from maerisim.study.tasks import effort_of

if TYPE_CHECKING:
    from maerisim.reports.buffer_curve import BufferCurves
    from maerisim.reports.comparison import Comparison
    from maerisim.reports.front import FrontReport
    from maerisim.reports.profile_report import ProfileReport
    from maerisim.reports.roofline import RooflineReport
    from maerisim.study.programs import LayerProgram
    from maerisim.study.rankings import LayerRanking
    from maerisim.study.traces import Traced

Layers = Sequence[str] | str | None
ReportT = TypeVar("ReportT", bound=Findings[Any])


def whole(report: ReportT, *, partial: bool) -> ReportT:
    """A report of all layers, or with ``partial`` any; else what ended it is raised."""
    if report.failure is not None and not partial:
        raise report.failure
    if report.interrupted and not partial:
        raise KeyboardInterrupt
    return report


def map(
    hardware: HardwareLike,
    network: NetworkLike,
    *,
    layers: Layers = None,
    objective: Objective = "cycles",
    constraints: ConstraintsLike | None = None,
    prove: bool = False,
    time_budget: float | None = None,
    explain: bool = False,
    scale: int | None = None,
    progress: ProgressCallback | None = None,
    partial: bool = False,
) -> NetworkReport:
    """The best mapping of each layer, and why it won.

    With ``prove`` the search simulates until no other mapping can be better, or for ``time_budget`` seconds a layer.
    With ``explain`` each layer has an ``explanation``: rejected mappings and neighbours of the winner, simulated. Raises
    NotSupportedError for layers of which not all tiles and loop orders are searched.
    """
    study = study_of(
        hardware,
        network,
        layers,
        scale=scale,
        objective=objective,
        constraints=constraints,
        effort=effort_of(time_budget, prove=prove),
        fusing=True,
    )
    return whole(runner.run(replace(study, explain=explain), None, progress), partial=partial)


def front(
    hardware: HardwareLike,
    network: NetworkLike,
    *,
    layers: Layers = None,
    constraints: ConstraintsLike | None = None,
    scale: int | None = None,
    progress: ProgressCallback | None = None,
    partial: bool = False,
) -> FrontReport:
    """For each layer all mappings of which none takes both fewer cycles and less energy, simulated, the fastest first."""
    from maerisim.study import fronts

    study = study_of(hardware, network, layers, scale=scale, constraints=constraints)
    return whole(fronts.run(study, progress), partial=partial)


def rank(
    hardware: HardwareLike,
    network: NetworkLike,
    *,
    layers: Layers = None,
    count: int = 10,
    objective: Objective = "cycles",
    constraints: ConstraintsLike | None = None,
    scale: int | None = None,
) -> LayerRanking:
    """The ``count`` best mappings of one layer by estimate, of all tiles, loop orders and placements, the best first."""
    from maerisim.study.rankings import ranked

    study = study_of(hardware, network, layers, scale=scale, objective=objective, constraints=constraints)
    return interruptible(partial(ranked, study, count))


def estimate(
    hardware: HardwareLike,
    network: NetworkLike,
    *,
    layers: Layers = None,
    mapping: MappingsLike | None = None,
    scale: int | None = None,
    progress: ProgressCallback | None = None,
    partial: bool = False,
) -> NetworkReport:
    """Cycles, words and energy of each layer by the analytic model, for given mappings or the best ones."""
    study = study_of(hardware, network, layers, scale=scale, mapping=mapping, fusing=True)
    return whole(runner.run(study, None, progress), partial=partial)


def simulate(
    hardware: HardwareLike,
    network: NetworkLike,
    *,
    layers: Layers = None,
    mapping: MappingsLike | None = None,
    engine: EngineName = "compiled",
    check_values: bool = False,
    fast_forward: bool = True,
    scale: int | None = None,
    progress: ProgressCallback | None = None,
    partial: bool = False,
) -> NetworkReport:
    """Every cycle of each layer, with given mappings or the best ones.

    ``check_values`` carries data and compares every output with NumPy's. ``engine="event"`` steps through the model in SimPy;
    ``fast_forward=False`` steps every cycle. Neither changes the result.
    """
    require("engine", engine, get_args(EngineName))
    study = study_of(hardware, network, layers, scale=scale, mapping=mapping, fusing=True)
    how = Simulation(engine, check_values=check_values, fast_forward=fast_forward)
    return whole(runner.run(study, how, progress), partial=partial)


def validate(
    hardware: HardwareLike,
    network: NetworkLike,
    *,
    layers: Layers = None,
    mapping: MappingsLike | None = None,
    fast_forward: bool = True,
    scale: int | None = None,
    progress: ProgressCallback | None = None,
    partial: bool = False,
) -> NetworkReport:
    """The estimate of each layer beside its simulation: ``simulate`` for those who ask for ``mean_absolute_error``."""
    return simulate(
        hardware,
        network,
        layers=layers,
        mapping=mapping,
        fast_forward=fast_forward,
        scale=scale,
        progress=progress,
        partial=partial,
    )


def report(
    hardware: HardwareLike,
    network: NetworkLike,
    *,
    layers: Layers = None,
    mapping: MappingsLike | None = None,
    objective: Objective = "cycles",
    scale: int | None = None,
    replays: bool = False,
    progress: ProgressCallback | None = None,
    partial: bool = False,
) -> ProfileReport:
    """Where the cycles, words and energy of each mapping go, what limits it, and what would relieve it.

    With ``replays`` also what happens in windows of each run, which ``to_html`` of the report shows on the fabric.
    """
    from maerisim.study import profiles

    study = study_of(hardware, network, layers, scale=scale, mapping=mapping, objective=objective)
    return whole(profiles.run(study, progress, replays=replays), partial=partial)


def roofline(
    hardware: HardwareLike,
    network: NetworkLike,
    *,
    layers: Layers = None,
    mapping: MappingsLike | None = None,
    scale: int | None = None,
    progress: ProgressCallback | None = None,
    partial: bool = False,
) -> RooflineReport:
    """How much each layer could attain, given its operations per word, and how much it does; fused layers have none."""
    from maerisim.reports.roofline import RooflineReport

    study = study_of(hardware, network, layers, scale=scale, mapping=mapping)
    return RooflineReport(whole(runner.run(study, Simulation(), progress), partial=partial))


def compare(
    hardware: HardwareLike,
    network: NetworkLike,
    *,
    layers: Layers = None,
    objective: Objective = "cycles",
    scale: int | None = None,
    progress: ProgressCallback | None = None,
    partial: bool = False,
) -> Comparison:
    """Our mapping of each layer, mRNA's, and those of plain dataflows, all simulated."""
    from maerisim.study import comparisons

    study = study_of(hardware, network, layers, scale=scale, objective=objective)
    return whole(comparisons.run(study, progress), partial=partial)


def buffer_curve(
    hardware: HardwareLike,
    network: NetworkLike,
    *,
    layers: Layers = None,
    objective: Objective = "cycles",
    scale: int | None = None,
    progress: ProgressCallback | None = None,
    partial: bool = False,
) -> BufferCurves:
    """The least DRAM words of each layer at every size of the global buffer, and those of our mappings at some sizes."""
    from maerisim.study import buffer_curves

    study = study_of(hardware, network, layers, scale=scale, objective=objective)
    return whole(buffer_curves.run(study, progress), partial=partial)


def programs(
    hardware: HardwareLike,
    network: NetworkLike,
    *,
    layers: Layers = None,
    mapping: MappingsLike | None = None,
    scale: int | None = None,
) -> Iterator[LayerProgram]:
    """What the fabric would be fed for each layer, one program after the other; ``str`` of one is its text."""
    from maerisim.study.programs import programs_of

    return programs_of(study_of(hardware, network, layers, scale=scale, mapping=mapping, fusing=True))


def trace(
    hardware: HardwareLike,
    network: NetworkLike,
    *,
    layers: Layers = None,
    mapping: MappingsLike | None = None,
    to: str | PathLike[str] | None = None,
    vcd: str | PathLike[str] | None = None,
    cycles: tuple[int, int | None] | str | None = None,
    engine: EngineName = "compiled",
    scale: int | None = None,
) -> Traced:
    """Write what every component does in each cycle of one layer: trace events ``to`` a file, a waveform to ``vcd``.

    ``cycles`` is a window, ``(first, end)`` or ``"first:end"``; without one the first cycles of the layer are traced. Both
    engines give the same files; the compiled one is sooner at a late window.
    """
    from maerisim.study import traces

    require("engine", engine, get_args(EngineName))
    if to is None and vcd is None:
        raise NotSupportedError("a trace needs a file: expected to or vcd, found neither")
    study = study_of(hardware, network, layers, scale=scale, mapping=mapping, fusing=True)
    window = traces.window_of(cycles) if isinstance(cycles, str) else cycles
    trace_file, waveform = (None if path is None else Path(path) for path in (to, vcd))
    return traces.run(study, trace_file, waveform, window, engine)
