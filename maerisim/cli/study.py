"""Mapping and simulating the layers of a network, one after the other.

Everything that can be wrong with the input is found in ``Study.of``, before the first layer runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maerisim.analytic import estimate
from maerisim.cli.options import Objective
from maerisim.cli.progress import Bar
from maerisim.engine import EngineName, Result, simulate
from maerisim.errors import MaerisimError, MappingError, NotSupportedError, ValuesError
from maerisim.hardware import Hardware
from maerisim.lowering import lower
from maerisim.mapping import Mapping, load_mappings
from maerisim.reference import random_operands, reference_outputs
from maerisim.report import LayerReport, NetworkReport, UnsupportedLayer
from maerisim.workload import Layer, Network, Problem
from mapper import find_mapping

OPERAND_SEED = 0
"""Seed of the data with which ``--check-values`` simulates."""


@dataclass(frozen=True)
class LayerTask:
    """A layer that will run: its problem, shrunk if it was too long, and its mapping if one was given."""

    name: str
    op: str
    count: int
    problem: Problem
    macs_before_scaling: int | None = None
    mapping: Mapping | None = None


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
    tasks: tuple[LayerTask | UnsupportedLayer, ...]
    objective: Objective = "cycles"

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
    ) -> Study:
        """Read the documents, choose the layers, shrink those beyond ``scale`` MACs, and check the given mappings.

        Raises DocumentError, MappingError, and NotSupportedError when a layer asked for by name, or every layer of
        the network, cannot run.
        """
        study = cls.on(
            Hardware.load(hardware_name), Network.load(network_name), layer_names, scale=scale, objective=objective
        )
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
    ) -> Study:
        """The same for documents that have been read, without mappings."""
        chosen = [network.layer(name) for name in layer_names or []]
        layers = [layer for layer in network.layers if layer in chosen] if chosen else network.layers
        tasks = [task_of(layer, scale, must_run=bool(chosen)) for layer in layers]
        if not any(isinstance(task, LayerTask) for task in tasks):
            raise NotSupportedError("\n".join(task.reason for task in tasks if isinstance(task, UnsupportedLayer)))
        return cls(hardware, network.name, tuple(tasks), objective)

    @property
    def runnable(self) -> list[LayerTask]:
        return [task for task in self.tasks if isinstance(task, LayerTask)]


def task_of(layer: Layer, scale: int | None, *, must_run: bool) -> LayerTask | UnsupportedLayer:
    """The task of a layer; a layer that is not supported is one only when it does not have to run."""
    try:
        problem = layer.problem
    except NotSupportedError as error:
        if must_run:
            raise
        return UnsupportedLayer(layer.name, layer.op, layer.count, str(error))
    smaller = problem if scale is None else problem.scaled(scale)
    return LayerTask(layer.name, layer.op, layer.count, smaller, problem.macs if smaller != problem else None)


def with_mappings(
    tasks: Sequence[LayerTask | UnsupportedLayer], hardware: Hardware, path: Path
) -> list[LayerTask | UnsupportedLayer]:
    """The tasks with the mappings of a file. Raises MappingError with everything that is wrong with any of them."""
    mappings = load_mappings(path)
    mapped: list[LayerTask | UnsupportedLayer] = []
    wrong: list[str] = []
    for task in tasks:
        if isinstance(task, UnsupportedLayer):
            mapped.append(task)
            continue
        try:
            mapping = mappings.mapping_for(task.name, task.problem)
        except MappingError as error:
            wrong += str(error).splitlines()
            continue
        wrong += [f"layer '{task.name}': {violation}" for violation in mapping.check(task.problem, hardware)]
        mapped.append(replace(task, mapping=mapping))
    if wrong:
        raise MappingError(str(path), wrong)
    return mapped


def run(study: Study, simulation: Simulation | None = None) -> NetworkReport:
    """Map every layer and, with a ``simulation``, simulate it; Ctrl-C or an error ends with what is finished by then."""
    entries: list[LayerReport | UnsupportedLayer] = []
    interrupted, failure = False, None
    known: dict[object, LayerReport] = {}
    with Bar(total=sum(task.problem.macs for task in study.runnable)) as bar:
        done = 0
        try:
            for task in study.tasks:
                if isinstance(task, LayerTask):
                    equal = (task.problem, task.mapping)  # an equal layer is mapped and simulated once
                    if equal not in known:
                        known[equal] = run_layer(study, task, simulation, bar, done)
                    same = known[equal]
                    entries.append(
                        replace(
                            same,
                            name=task.name,
                            op=task.op,
                            count=task.count,
                            macs_before_scaling=task.macs_before_scaling,
                        )
                    )
                    done += task.problem.macs
                else:
                    entries.append(task)
        except KeyboardInterrupt:
            interrupted = True
        except MaerisimError as error:
            failure = error
    return NetworkReport(study.hardware, study.network, tuple(entries), interrupted, failure)


def run_layer(study: Study, task: LayerTask, simulation: Simulation | None, bar: Bar, done: int) -> LayerReport:
    """Map one layer and, with a ``simulation``, simulate it; an error says in which layer it happened."""
    try:
        bar.show(done, f"mapping {task.name}")
        report = map_layer(study, task)
        if simulation is None:
            return report
        bar.show(done, f"simulating {task.name}")

        def progress(outputs: int, total: int) -> None:
            bar.show(done + task.problem.macs * outputs / total, f"simulating {task.name}")

        result = simulate_layer(study.hardware, report, simulation, progress)
        return replace(report, result=result, values_checked=simulation.check_values)
    except MaerisimError as error:
        error.add_note(f"while running layer '{task.name}'")
        raise


def map_layer(study: Study, task: LayerTask) -> LayerReport:
    """A layer with its given mapping, or else with the best that the mapper finds."""
    if task.mapping is None:
        choice = find_mapping(task.problem, study.hardware, objective=study.objective)
        mapping, expected, candidates, reason = choice.mapping, choice.estimate, choice.candidates, choice.reason
    else:
        mapping, expected = task.mapping, estimate(task.problem, task.mapping, study.hardware)
        candidates, reason = None, ""
    return LayerReport(
        name=task.name,
        op=task.op,
        count=task.count,
        problem=task.problem,
        mapping=mapping,
        estimate=expected,
        macs_before_scaling=task.macs_before_scaling,
        candidates=candidates,
        reason=reason,
    )


def simulate_layer(
    hardware: Hardware,
    layer: LayerReport,
    simulation: Simulation,
    progress: Callable[[int, int], None] | None = None,
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


def programs(study: Study) -> Iterator[str]:
    """The program of every layer, as text under a heading."""
    for task in study.runnable:
        mapping = task.mapping or find_mapping(task.problem, study.hardware, objective=study.objective).mapping
        yield f"# {task.name}: {mapping}\n{lower(task.problem, mapping, study.hardware).describe()}\n"
