"""Mapping and simulating the layers of a network, one after the other.

Everything that can be wrong with the input is found in ``Study.of``, before the first layer runs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from maerisim.engine.outcome import Progress
from maerisim.engine.run import EngineName, Result
from maerisim.errors import MaerisimError, MappingError, NotSupportedError, ValuesError
from maerisim.estimate.objective import Objective
from maerisim.estimate.predicted import Estimate
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.constraints import Constraint, ConstraintFile
from maerisim.mapping.document import load_mappings
from maerisim.mapping.mapping import Mapping
from maerisim.mapping.notation import dims_words
from maerisim.program.printing import program_text
from maerisim.report.findings import AnyReport, FusedReport, LayerReport, NetworkReport, UnsupportedLayer
from maerisim.study import fused, warmup
from maerisim.study.fused import FusedTask
from maerisim.study.progress import Bar
from maerisim.ways.in_blocks import cycles_in_turn
from maerisim.ways.sequence import simulate_sequence
from maerisim.ways.way import estimate, program_of, programs, refusals, shapes, simulate, violations
from maerisim.workload.layers import Fused, Layer, Recurrent
from maerisim.workload.network import Network
from maerisim.workload.problem import Problem
from maerisim.workload.recurrence import random_sequence, reference_states
from maerisim.workload.reference import random_operands, reference_outputs
from mapper import PROOF, Choice, Effort, find_fused, find_mapping

EntryT = TypeVar("EntryT")
ReportT = TypeVar("ReportT")

OPERAND_SEED = 0
"""Seed of the data with which ``--check-values`` simulates."""


@dataclass(frozen=True)
class StageTask:
    """A stage that will run: its problem, shrunk if it was too long, its mapping if one was given, else constraints."""

    name: str
    layer: str
    op: str
    count: int
    problem: Problem
    operations_before_scaling: int | None = None
    mapping: Mapping | None = None
    constraints: tuple[Constraint, ...] = ()

    def named(self, report: LayerReport) -> LayerReport:
        """The report of an equal stage under the name of this one."""
        before = self.operations_before_scaling
        return replace(report, name=self.name, op=self.op, count=self.count, operations_before_scaling=before)


@dataclass(frozen=True)
class LayerTask:
    """A layer that will run, or some of its stages.

    ``recurrent`` is the layer itself, shrunk like its stages, when all of them run and values flow between them.
    """

    stages: tuple[StageTask, ...]
    recurrent: Recurrent | None = None


Task = LayerTask | FusedTask | UnsupportedLayer


@dataclass(frozen=True)
class Simulation:
    """How to simulate: ``engine`` is ``compiled`` or ``event``; ``check_values`` compares outputs with NumPy's.

    Without ``fast_forward`` every cycle is stepped, even where the state of the fabric recurs.
    """

    engine: EngineName = "compiled"
    check_values: bool = False
    fast_forward: bool = True


@dataclass(frozen=True)
class Study:
    """A piece of hardware and the layers to run on it."""

    hardware: Hardware
    network: str
    tasks: tuple[Task, ...]
    objective: Objective = "cycles"
    effort: Effort = field(default_factory=Effort)

    @classmethod
    def of(
        cls,
        hardware_name: str,
        network_name: str,
        layer_names: Sequence[str] | None,
        *,
        scale: int | None = None,
        mapping_file: Path | None = None,
        objective: Objective = "cycles",
        constraints: Path | None = None,
        effort: Effort | None = None,
        fusing: bool = False,
    ) -> Study:
        """Read the documents, choose the layers (or stages), shrink those beyond ``scale`` MACs, check given mappings.

        Only with ``fusing`` can layers run at the same time.
        Raises DocumentError, MappingError, and NotSupportedError when a layer asked for by name, or every layer of
        the network, cannot run on the hardware.
        """
        network = Network.load(network_name)
        hardware = Hardware.load(hardware_name)
        study = cls.on(hardware, network, layer_names, scale=scale, objective=objective, fusing=fusing)
        study = study if effort is None else replace(study, effort=effort)
        if constraints is not None:
            file = ConstraintFile.load(constraints, network)
            study = replace(study, tasks=tuple(constrained(task, file) for task in study.tasks))
        if mapping_file is None:
            return study
        return replace(study, tasks=tuple(with_mappings(study.tasks, study.hardware, mapping_file)))

    @classmethod
    def on(
        cls,
        hardware: Hardware,
        network: Network,
        layer_names: Sequence[str] | None = None,
        *,
        scale: int | None = None,
        objective: Objective = "cycles",
        fusing: bool = False,
    ) -> Study:
        """The same for documents that have been read, without mappings."""
        names = frozenset(layer_names or ())
        for name in names - {stage.name for layer in network.layers for stage in layer.stages}:
            network.layer(name)
        tasks = [
            fused.task_of(layer, hardware, scale, fusing=fusing)
            if isinstance(layer, Fused) and (not names or layer.name in names)
            else task_of(layer, names, hardware, scale)
            for layer in network.layers
            if not names or layer.name in names or any(stage.name in names for stage in layer.stages)
        ]
        refused = [task.reason for task in tasks if isinstance(task, UnsupportedLayer)]
        if refused and (names or len(refused) == len(tasks)):
            raise NotSupportedError("\n".join(refused))
        return cls(hardware, network.name, tuple(tasks), objective)

    @property
    def stages(self) -> list[StageTask]:
        """Everything that will run as a loop nest of its own."""
        return [stage for task in self.tasks if isinstance(task, LayerTask) for stage in task.stages]

    @property
    def unfused(self) -> list[LayerTask | UnsupportedLayer]:
        """The tasks of a study without ``fusing``."""
        return [task for task in self.tasks if not isinstance(task, FusedTask)]

    @property
    def operations(self) -> int:
        """Operations of everything that will run."""
        pairs = [task.problem.operations for task in self.tasks if isinstance(task, FusedTask)]
        return sum(stage.problem.operations for stage in self.stages) + sum(pairs)


def effort_of(seconds: float | None, *, prove: bool) -> Effort | None:
    """The effort of a search to proof, or of one for so many seconds; None: the usual one."""
    return replace(PROOF, seconds=seconds) if prove or seconds is not None else None


def task_of(
    layer: Layer, names: Collection[str], hardware: Hardware, scale: int | None
) -> LayerTask | UnsupportedLayer:
    """The task of a layer, or of its stages with one of these ``names``; what the hardware cannot run is no task."""
    whole = not names or layer.name in names
    smaller = layer.stages if scale is None else layer.scaled_stages(scale)
    stages = [
        StageTask(
            name=stage.name,
            layer=layer.name,
            op=layer.op,
            count=layer.count * stage.count,
            problem=small.problem,
            operations_before_scaling=stage.problem.operations if small != stage else None,
        )
        for stage, small in zip(layer.stages, smaller, strict=True)
        if whole or stage.name in names
    ]
    refused = dict.fromkeys(reason for stage in stages for reason in refusals(stage.problem, hardware))
    if refused:
        reason = f"layer '{layer.name}' cannot run on {hardware.name}: {'; '.join(refused)}"
        return UnsupportedLayer(layer.name, layer.op, layer.count, reason)
    if len(stages) == 1 or not isinstance(layer, Recurrent):
        return LayerTask(tuple(stages))
    return LayerTask(tuple(stages), layer if scale is None else layer.scaled(scale))


def constrained(task: Task, file: ConstraintFile) -> Task:
    """A task with the constraints of a file on it."""
    if isinstance(task, UnsupportedLayer):
        return task
    if isinstance(task, FusedTask):
        fused.require_unconstrained(task, file)
        return task
    stages = (replace(stage, constraints=file.of(stage.name, stage.layer)) for stage in task.stages)
    return replace(task, stages=tuple(stages))


def with_mappings(tasks: Sequence[Task], hardware: Hardware, path: Path) -> list[Task]:
    """The tasks with the mappings of a file. Raises MappingError with everything that is wrong with any of them."""
    mappings = load_mappings(path)
    wrong: list[str] = []

    def mapped(stage: StageTask) -> StageTask:
        try:
            mapping = mappings.mapping_for(stage.name, stage.problem)
        except MappingError as error:
            wrong.extend(str(error).splitlines())
            return stage
        wrong.extend(f"layer '{stage.name}': {violation}" for violation in violations(stage.problem, mapping, hardware))
        return replace(stage, mapping=mapping)

    def fused_mapped(task: FusedTask) -> FusedTask:
        try:
            mapping = fused.given_mapping(mappings, task)
        except MappingError as error:
            wrong.extend(str(error).splitlines())
            return task
        wrong.extend(f"layer '{task.name}': {violation}" for violation in violations(task.problem, mapping, hardware))
        return replace(task, mapping=mapping)

    result: list[Task] = []
    for task in tasks:
        if isinstance(task, LayerTask):
            result.append(replace(task, stages=tuple(mapped(stage) for stage in task.stages)))
        else:
            result.append(fused_mapped(task) if isinstance(task, FusedTask) else task)
    if wrong:
        raise MappingError(str(path), wrong)
    return result


def run(study: Study, simulation: Simulation | None = None) -> NetworkReport:
    """Map every layer and, with a ``simulation``, simulate it; Ctrl-C or an error ends with what is finished by then."""
    values = simulation is not None and simulation.check_values
    warmup.ensure(warmup.needed_by(study.hardware, values=values))

    def results() -> Iterator[AnyReport | UnsupportedLayer]:
        with Bar(total=study.operations) as bar:
            runner = Runner(study, simulation, bar)
            for task in study.tasks:
                if isinstance(task, LayerTask):
                    yield from runner.run(task)
                else:
                    yield runner.run_fused(task) if isinstance(task, FusedTask) else task

    report = collected(NetworkReport, study, results())
    if simulation is None or report.interrupted or report.failure is not None:
        return report
    return replace(report, cycles_in_turn=in_turn(report, simulation))


def collected(
    report: Callable[[Hardware, str, tuple[EntryT, ...], bool, MaerisimError | None], ReportT],
    study: Study,
    results: Iterator[EntryT],
) -> ReportT:
    """A ``report`` of all results; Ctrl-C or an error ends with what is finished by then."""
    entries: list[EntryT] = []
    interrupted, failure = False, None
    try:
        entries.extend(results)
    except KeyboardInterrupt:
        interrupted = True
    except MaerisimError as error:
        failure = error
    return report(study.hardware, study.network, tuple(entries), interrupted, failure)


def in_turn(report: NetworkReport, simulation: Simulation) -> int | None:
    """The cycles of all simulated layers, each with what DRAM can do behind the one before."""
    if not report.hardware.limits_memory:
        return report.total_cycles
    layers = [(layer.memory, layer.count) for layer in report.layers]
    return cycles_in_turn(layers, report.hardware, simulation.engine)


class Runner:
    """Runs layers one after the other, equal ones once; ``done`` counts the operations that are behind it."""

    def __init__(self, study: Study, simulation: Simulation | None, bar: Bar) -> None:
        self.study, self.simulation, self.bar = study, simulation, bar
        self.done = 0
        self.known: dict[object, LayerReport] = {}
        self.checked: set[object] = set()

    def run(self, task: LayerTask) -> list[LayerReport]:
        """Map every stage of a layer and, with a simulation, simulate it; an error says in which one it happened."""
        reports = []
        for stage in task.stages:
            alone = self.simulation
            if task.recurrent is not None and alone is not None:
                alone = replace(alone, check_values=False)
            equal = (stage.problem, stage.mapping, stage.constraints, alone)
            if equal not in self.known:
                with located(stage.name):
                    self.known[equal] = self.run_stage(stage, alone)
            reports.append(stage.named(self.known[equal]))
            self.done += stage.problem.operations
        if task.recurrent is not None and self.simulation is not None and self.simulation.check_values:
            with located(task.recurrent.name):
                self.check_sequence(task.recurrent, reports, self.simulation)
            reports = [replace(report, values_checked=True) for report in reports]
        return reports

    def run_stage(self, task: StageTask, simulation: Simulation | None) -> LayerReport:
        """Map one stage and, with a ``simulation``, simulate it."""
        self.bar.show(self.done, f"mapping {task.name}")
        report = map_layer(task, self.study.hardware, self.study.objective, self.study.effort)
        if simulation is None:
            return report
        result = simulate_layer(self.study.hardware, report, simulation, self.simulating(task))
        return replace(report, result=result, values_checked=simulation.check_values)

    def run_fused(self, task: FusedTask) -> FusedReport:
        """Map two fused layers and, with a simulation, simulate them; an error says in which it happened."""
        with located(task.name):
            self.bar.show(self.done, f"mapping {task.name}")
            report = fused.map_fused(task, self.study.hardware, self.study.objective)
            if self.simulation is not None:
                how, checked = self.simulation, self.simulation.check_values
                result, expected = fused.simulate_both(
                    report,
                    self.study.hardware,
                    engine=how.engine,
                    seed=OPERAND_SEED if checked else None,
                    fast_forward=how.fast_forward,
                    progress=self.simulating(task),
                )
                if expected is not None:
                    require_equal(result.outputs, expected)
                report = replace(report, result=result, values_checked=checked)
        self.done += task.problem.operations
        return report

    def simulating(self, task: StageTask | FusedTask) -> Progress:
        """Say that a layer is being simulated, and how to say how far that is."""

        def progress(results: int, of: int) -> None:
            self.bar.show(self.done + task.problem.operations * results / of, f"simulating {task.name}")

        progress(0, 1)
        return progress

    def check_sequence(self, layer: Recurrent, stages: Sequence[LayerReport], simulation: Simulation) -> None:
        """Run a layer's whole sequence with values. Raises ValuesError when a state differs from NumPy's."""
        equal = (type(layer), layer.sequence_length, *((stage.problem, stage.mapping) for stage in stages))
        if equal in self.checked:
            return
        runs = layer.sequence_length * len(stages)

        def progress(stages_run: int) -> None:
            self.bar.show(self.done, f"checking {layer.name}, {stages_run} of {runs} stages")

        operands = random_sequence(layer, OPERAND_SEED)
        mappings = {stage.name: stage.mapping for stage in stages}
        result = simulate_sequence(
            layer, mappings, self.study.hardware, operands, engine=simulation.engine, progress=progress
        )
        for found, expected in zip(result.states, reference_states(layer, operands), strict=True):
            require_equal(found, expected)
        self.checked.add(equal)


@contextmanager
def located(layer: str) -> Iterator[None]:
    """Errors inside say in which layer they happened."""
    try:
        yield
    except MaerisimError as error:
        error.add_note(f"while running layer '{layer}'")
        raise


def map_layer(task: StageTask, hardware: Hardware, objective: Objective, effort: Effort | None = None) -> LayerReport:
    """A layer with its given mapping, or else with the best that the mapper finds."""
    if task.mapping is not None:
        return report_of(task, task.mapping, estimate(task.problem, task.mapping, hardware))
    choice = find_mapping(
        task.problem, hardware, objective, constraints=task.constraints, effort=Effort() if effort is None else effort
    )
    return chosen(task, choice)


def chosen(task: StageTask, choice: Choice) -> LayerReport:
    """A layer with what the mapper chose for it."""
    return replace(
        report_of(task, choice.mapping, choice.estimate),
        candidates=choice.candidates,
        reason=choice.reason,
        certificate=choice.certificate,
    )


def report_of(task: StageTask, mapping: Mapping, expected: Estimate) -> LayerReport:
    """A layer with a mapping."""
    return LayerReport(
        name=task.name,
        op=task.op,
        count=task.count,
        problem=task.problem,
        mapping=mapping,
        estimate=expected,
        operations_before_scaling=task.operations_before_scaling,
    )


def simulate_layer(
    hardware: Hardware,
    layer: LayerReport,
    simulation: Simulation,
    progress: Progress | None = None,
) -> Result:
    """Simulate a mapped layer. Raises ValuesError when its outputs are checked and one differs from NumPy's."""
    problem = layer.problem
    operands = random_operands(problem, OPERAND_SEED) if simulation.check_values else None
    result = simulate(
        problem,
        layer.mapping,
        hardware,
        engine=simulation.engine,
        operands=operands,
        progress=progress,
        fast_forward=simulation.fast_forward,
    )
    if operands is None:
        return result
    require_equal(result.outputs, reference_outputs(problem, operands))
    return result


def require_equal(outputs: NDArray[np.int64] | None, expected: NDArray[np.int64]) -> None:
    """Raises ValuesError that names the first output that differs and counts the others."""
    if outputs is None or outputs.shape != expected.shape:
        found = "none" if outputs is None else f"shape {outputs.shape}"
        msg = f"expected outputs of shape {expected.shape}, found {found}"
        raise ValuesError(msg)
    wrong = np.argwhere(outputs != expected)
    if len(wrong):
        first = tuple(int(index) for index in wrong[0])
        msg = (
            f"{len(wrong):,} of {expected.size:,} outputs differ from NumPy's; the first is {first}: "
            f"expected {expected[first]}, simulated {outputs[first]} (this is a defect of maerisim, please report it)"
        )
        raise ValuesError(msg)


def program_texts(study: Study) -> Iterator[str]:
    """The programs of every layer, as text under a heading."""
    warmup.ensure(warmup.needed_by(study.hardware))
    for pair in study.tasks:
        if isinstance(pair, FusedTask):
            both = pair.mapping or find_fused(pair.problem, study.hardware, study.objective).mapping
            yield f"# {pair.name}: {both}\n{program_text(program_of(pair.problem, both, study.hardware))}\n"
    for task in study.stages:
        mapping = task.mapping or find_mapping(task.problem, study.hardware, objective=study.objective).mapping
        for shape in shapes(task.problem, mapping, study.hardware):
            sequence = programs(shape.problem, shape.mapping, study.hardware)
            blocks = f", {shape.blocks:,} blocks of {dims_words(shape.problem)}" if shape.blocks > 1 else ""
            for number, program in enumerate(sequence, 1):
                which = f", program {number} of {len(sequence)}" if len(sequence) > 1 else ""
                yield f"# {task.name}: {shape.mapping}{blocks}{which}\n{program_text(program)}\n"
