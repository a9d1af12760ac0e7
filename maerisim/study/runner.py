"""Running a study: its layers one after the other, equal ones once, and what is finished is kept whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from maerisim.errors import MaerisimError, NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.interruption import interruptible
from maerisim.reports.findings import AnyReport, FusedReport, LayerReport, NetworkReport, UnsupportedLayer
from maerisim.study import layer as layers
from maerisim.study import warmup
from maerisim.study.forecast import foresee
from maerisim.study.layer import Simulation
from maerisim.study.progress import ProgressCallback, Tell, tell_nobody
from maerisim.study.tasks import FusedTask, LayerTask, StageTask, Study
from maerisim.ways.in_blocks import cycles_in_turn
from maerisim.workload.recurrent import Recurrent
from mapper import Choice, Effort

AnswerT = TypeVar("AnswerT")
EntryT = TypeVar("EntryT")
ReportT = TypeVar("ReportT")


class Runner:
    """Answers what is asked of layers, of equal ones once, and tells how far it is."""

    def __init__(self, study: Study, progress: ProgressCallback | None = None) -> None:
        self._total = study.operations
        self._done = 0
        self._progress = progress or tell_nobody
        self._known: dict[object, Any] = {}
        self.unfinished: LayerReport | None = None
        """A layer whose search goes on, with the best mapping so far."""

    def answer(
        self, task: StageTask | FusedTask, ask: Callable[[Tell], AnswerT], how: Simulation | None = None
    ) -> AnswerT:
        """What ``ask`` finds out about a layer that is simulated in this way; the layer is then behind us."""
        operations = task.problem.operations
        constraints = task.constraints if isinstance(task, StageTask) else ()
        found = self.once((task.problem, task.mapping, constraints, how), task.name, ask, operations)
        self._done += operations
        return found

    def once(self, equal: object, name: str, ask: Callable[[Tell], AnswerT], operations: int = 0) -> AnswerT:
        """What ``ask`` finds out, or found out before for the same ``equal``; an error says in which layer it happened."""

        def tell(doing: str, share: float) -> None:
            self._progress(self._done + share * operations, self._total, doing)

        if equal not in self._known:
            with located(name):
                self._known[equal] = ask(tell)
        found: AnswerT = self._known[equal]
        return found


@contextmanager
def located(layer: str) -> Iterator[None]:
    """Errors inside say in which layer they happened."""
    try:
        yield
    except MaerisimError as error:
        error.add_note(f"while running layer '{layer}'")
        raise


def each_stage(
    study: Study, progress: ProgressCallback | None, ask: Callable[[StageTask, Tell], AnswerT]
) -> Iterator[tuple[StageTask, AnswerT] | UnsupportedLayer]:
    """What ``ask`` finds out about every stage of a study without fused layers, equal ones asked about once."""
    runner = Runner(study, progress)
    for task in study.tasks:
        if isinstance(task, UnsupportedLayer):
            yield task
        elif isinstance(task, LayerTask):
            for stage in task.stages:
                yield stage, runner.answer(stage, partial(ask, stage))


def collected(
    report: Callable[[Hardware, str, tuple[EntryT, ...], bool, MaerisimError | None], ReportT],
    study: Study,
    results: Iterator[EntryT],
) -> ReportT:
    """A ``report`` of all results; Ctrl-C or an error ends with what is finished by then."""
    entries: list[EntryT] = []
    interrupted, failure = False, None

    def collect() -> None:
        for entry in results:
            entries.append(entry)  # noqa: PERF402 - one by one: an interruption keeps what is here

    try:
        interruptible(collect)
    except KeyboardInterrupt:
        interrupted = True
    except MaerisimError as error:
        failure = error
    return report(study.hardware, study.network, tuple(entries), interrupted, failure)


def run(study: Study, simulation: Simulation | None = None, progress: ProgressCallback | None = None) -> NetworkReport:
    """Map every layer and, with a ``simulation``, simulate it; Ctrl-C or an error ends with what is finished by then."""
    foresee(study, simulation)
    values = simulation is not None and simulation.check_values
    warmup.ensure(warmup.needed_by(study.hardware, values=values, search=study.searches))

    runner = Runner(study, progress)

    def results() -> Iterator[AnyReport | UnsupportedLayer]:
        for task in study.tasks:
            if isinstance(task, LayerTask):
                yield from run_layer(runner, study, task, simulation)
            elif isinstance(task, FusedTask):
                yield task.named(runner.answer(task, partial(run_fused, study, task, simulation), simulation))
            else:
                yield task

    report = collected(NetworkReport, study, results())
    unfinished = runner.unfinished
    if report.interrupted and simulation is None and unfinished is not None:
        return replace(report, entries=(*report.entries, unfinished), unfinished=unfinished.name)
    if simulation is None or report.interrupted or report.failure is not None:
        return report
    try:
        return replace(report, cycles_in_turn=interruptible(partial(in_turn, report, simulation)))
    except KeyboardInterrupt:
        return replace(report, interrupted=True)


def run_layer(runner: Runner, study: Study, task: LayerTask, simulation: Simulation | None) -> list[LayerReport]:
    """Map every stage of a layer and, with a simulation, simulate it; values that flow between stages are checked last."""
    whole = task.recurrent if simulation is not None and simulation.check_values else None
    alone = simulation if whole is None or simulation is None else replace(simulation, check_values=False)
    reports = [
        stage.named(runner.answer(stage, partial(run_stage, study, stage, alone, runner=runner), alone))
        for stage in task.stages
    ]
    if whole is None or simulation is None:
        return reports
    equal = (
        type(whole),
        whole.directions,
        whole.sequence_length,
        *((stage.problem, stage.mapping) for stage in reports),
    )
    runner.once(equal, whole.name, partial(check_sequence, study, whole, reports, simulation))
    return [replace(report, values_checked=True) for report in reports]


def run_stage(
    study: Study, task: StageTask, simulation: Simulation | None, tell: Tell, runner: Runner | None = None
) -> LayerReport:
    """Map one stage and, with a ``simulation``, simulate it; a ``runner`` has the best mapping so far meanwhile."""

    def watch(choice: Choice) -> None:
        if runner is not None:
            runner.unfinished = layers.chosen(task, choice)
        proof = "" if choice.certificate is None else f" (so far {choice.certificate.proof})"
        tell(f"mapping {task.name}{proof}", share_of(choice, study.effort) if simulation is None else 0)

    tell(f"mapping {task.name}", 0)
    report = layers.map_layer(task, study.hardware, study.objective, study.effort, explain=study.explain, watch=watch)
    if runner is not None:
        runner.unfinished = None
    if simulation is None:
        return report
    return layers.simulated(report, study.hardware, simulation, simulating(task.name, tell))


def share_of(choice: Choice, effort: Effort) -> float:
    """How much of a search is done at least: its simulations, of those that it may make."""
    if choice.certificate is None or not effort.simulations:
        return 0
    return min(1, choice.certificate.simulated / effort.simulations)


def run_fused(study: Study, task: FusedTask, simulation: Simulation | None, tell: Tell) -> FusedReport:
    """The same for two fused layers."""
    if study.explain:
        msg = f"only the mappings of single layers are explained, not those of {task.name}, which are fused"
        raise NotSupportedError(msg)
    tell(f"mapping {task.name}", 0)
    report = layers.map_fused(task, study.hardware, study.objective)
    if simulation is None:
        return report
    return layers.simulated_fused(report, study.hardware, simulation, simulating(task.name, tell))


def simulating(name: str, tell: Tell) -> Callable[[int, int], None]:
    """Say that a layer is being simulated, and how to say how far that is."""

    def progress(results: int, of: int) -> None:
        tell(f"simulating {name}", results / of)

    progress(0, 1)
    return progress


def check_sequence(
    study: Study, layer: Recurrent, stages: list[LayerReport], simulation: Simulation, tell: Tell
) -> None:
    """Run a layer's whole sequence with values. Raises ValuesError when a state differs from NumPy's."""
    runs = layer.directions * layer.sequence_length * len(stages)

    def progress(stages_run: int) -> None:
        tell(f"checking {layer.name}, {stages_run} of {runs} stages", 0)

    layers.check_sequence(layer, stages, study.hardware, simulation, progress)


def in_turn(report: NetworkReport, simulation: Simulation) -> int | None:
    """The cycles of all simulated layers, each with what DRAM can do behind the one before."""
    if not report.hardware.limits_memory:
        return report.total_cycles
    following = [(layer.memory, layer.count) for layer in report.layers]
    return cycles_in_turn(following, report.hardware, simulation.engine)
