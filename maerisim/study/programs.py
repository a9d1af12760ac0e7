"""What the fabric would be fed: the programs of every layer of a study."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from maerisim.mapping.fused import FusedMapping
from maerisim.mapping.mapping import Mapping
from maerisim.mapping.notation import dims_words
from maerisim.program.printing import program_text
from maerisim.program.program import Program
from maerisim.study import warmup
from maerisim.study.forecast import foresee
from maerisim.study.tasks import FusedTask, Study
from maerisim.ways.way import program_of, programs, shapes
from maerisim.workload.problem import Problem
from mapper import find_fused, find_mapping


@dataclass(frozen=True)
class LayerProgram:
    """One program of a layer: number ``number`` of the ``of`` that follow one another.

    ``blocks``: how many blocks of this kind the layer is cut into where the global buffer or DRAM limits it;
    ``problem`` is then that of a block, and None for fused layers.
    """

    layer: str
    mapping: Mapping | FusedMapping
    program: Program
    problem: Problem | None = None
    blocks: int = 1
    number: int = 1
    of: int = 1

    def __str__(self) -> str:
        """The program as text, under a heading."""
        which = f", program {self.number} of {self.of}" if self.of > 1 else ""
        blocks = ""
        if self.blocks > 1 and self.problem is not None:
            blocks = f", {self.blocks:,} blocks of {dims_words(self.problem)}"
        return f"# {self.layer}: {self.mapping}{blocks}{which}\n{program_text(self.program)}\n"


def programs_of(study: Study) -> Iterator[LayerProgram]:
    """The programs of every layer with its given mapping, or else the best that the mapper finds; fused ones first."""
    foresee(study, None)
    warmup.ensure(warmup.needed_by(study.hardware, search=study.searches))
    hardware, objective = study.hardware, study.objective
    for pair in study.tasks:
        if isinstance(pair, FusedTask):
            both = pair.mapping or find_fused(pair.problem, hardware, objective).mapping
            yield LayerProgram(pair.name, both, program_of(pair.problem, both, hardware))
    for task in study.stages:
        mapping = task.mapping
        if mapping is None:
            found = find_mapping(task.problem, hardware, objective, constraints=task.constraints, effort=study.effort)
            mapping = found.mapping
        for shape in shapes(task.problem, mapping, hardware):
            sequence = programs(shape.problem, shape.mapping, hardware)
            for number, program in enumerate(sequence, 1):
                yield LayerProgram(
                    task.name, shape.mapping, program, shape.problem, shape.blocks, number, len(sequence)
                )
