"""Run a recurrent layer with values through its whole sequence."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass

from maerisim.engine.run import EngineName
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import simulate
from maerisim.workload.problem import Stage
from maerisim.workload.recurrence import SequenceOperands, States, Values, walk
from maerisim.workload.recurrent import Recurrent
from maerisim.workload.reference import Operands


@dataclass(frozen=True)
class SequenceResult:
    """The states after each time step, and the cycles of all stages of all time steps, one after the other."""

    states: States
    cycles: int


def simulate_sequence(
    layer: Recurrent,
    mappings: MappingOf[str, Mapping],
    hardware: Hardware,
    operands: SequenceOperands,
    *,
    engine: EngineName = "compiled",
    progress: Callable[[int], None] | None = None,
) -> SequenceResult:
    """Simulate every stage of every time step, of one direction after the other, each fed with what those before it gave.

    ``mappings`` are those of the stages, by name; ``progress`` is called with the number of stages that have run.
    Raises what ``simulate`` raises.
    """
    cycles: list[int] = []

    def run(stage: Stage, of_stage: Operands) -> Values:
        result = simulate(stage.problem, mappings[stage.name], hardware, engine=engine, operands=of_stage)
        assert result.outputs is not None
        cycles.append(result.cycles)
        if progress is not None:
            progress(len(cycles))
        return result.outputs

    return SequenceResult(walk(layer, operands, run), sum(cycles))
