"""A dense layer on ports that run ahead on their own: one program."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from maerisim.analytic.analytic import InARow, busy_cycles, estimate_in_a_row, estimate_programs, estimate_steps
from maerisim.analytic.durations import drain
from maerisim.analytic.predicted import Estimate
from maerisim.arrays import Ints
from maerisim.counts.program_totals import totals
from maerisim.engine.run import Result, RunOptions, run_programs
from maerisim.lowering.dense import filled_up, lower_dense
from maerisim.mapping.legality import Legal, LegalLayer, dense_violations
from maerisim.mapping.mapping import Mapping
from maerisim.program.program import Program
from maerisim.ways.base import LayerWay, SpaceKind, too_much
from maerisim.workload.problem import DIMENSIONS
from maerisim.workload.reference import Operands


class Dense(LayerWay):
    """Every tile with every loop order and placement; anything can run of which all can be counted."""

    @property
    def space(self) -> SpaceKind:
        return "tiles_and_orders"

    def refusals(self) -> list[str]:
        return too_much(self.problem)

    def violations(self, mapping: Mapping) -> list[str]:
        return dense_violations(self.problem, mapping, self.hardware)

    def programs(self, legal: LegalLayer) -> tuple[Program, ...]:
        return (lower_dense(legal),)

    def estimate(self, legal: LegalLayer) -> Estimate:
        """From its kinds of control steps; where loops walk blocks, counts are those of its program, see :func:`_in_turn`."""
        if not legal.mapping.cuts:
            return estimate_steps(legal)
        program = lower_dense(legal)
        expected = estimate_programs([program], legal.problem, legal.hardware)
        found = _in_turn(legal, drain(program, legal.hardware))
        # What stays in place from block to block is sent once by the program, and once for each block by the blocks.
        again = int(found.busy.max()) - expected.least_cycles
        return replace(expected, cycles=max(expected.least_cycles, found.cycles - max(0, again)))

    def simulate(self, legal: LegalLayer, operands: Operands | None, options: RunOptions) -> Result:
        """Where the controller fills up partial tiles, the outputs are those that were asked for."""
        problem = legal.problem
        whole = filled_up(problem, legal.mapping, legal.hardware)
        filled = operands
        if operands is not None:
            filled = Operands(
                _filled(operands.inputs, whole.input_shape), _filled(operands.weights, whole.weight_shape)
            )
        result = run_programs(
            self.programs(legal), legal.hardware, options, operands=filled, output_shape=whole.output_shape
        )
        if result.outputs is None:
            return result
        return replace(result, outputs=result.outputs[tuple(map(slice, problem.output_shape))])


def _in_turn(legal: LegalLayer, overlap: int) -> InARow:
    """What the blocks of the outermost loop should take one after the other, each as a layer of its own.

    A block is timed alone and behind another one like it. Where a loop over tiles lies outside one over blocks, cycles are
    read off the program, of which as much again begins ``overlap`` before it ends.
    """
    problem, mapping, hardware = legal.problem, legal.mapping, legal.hardware
    if not mapping.cuts:
        return estimate_in_a_row(legal)
    sizes = dict(zip(DIMENSIONS, problem.dims, strict=True))
    d, step = next(loop for loop in mapping.loops if loop.step < sizes[loop.dimension])
    if mapping.order.count(d) == 1:
        program = lower_dense(legal)
        cycles = estimate_programs([program], problem, hardware).cycles
        return InARow(cycles, cycles - overlap, busy_cycles([program], [totals(program, hardware)]))
    whole, rest = divmod(sizes[d], step)
    further, start, busy = 0, 0, np.zeros(3, np.int64)
    for size, count in ((step, whole), (rest, 1)) if rest else ((step, whole),):
        values: dict[str, Any] = {d: size}
        block = Legal(replace(problem, **values, padding=(0, 0)), mapping.within(sizes | values), hardware)
        each = _in_turn(block, overlap)
        start = start or each.cycles - each.further
        further, busy = further + count * each.further, busy + count * each.busy
    return InARow(further + start, further, busy)


def _filled(array: Ints, shape: tuple[int, ...]) -> Ints:
    """The array with zeros up to a shape."""
    if array.shape == shape:
        return array
    result = np.zeros(shape, np.int64)
    kept = tuple(slice(min(have, want)) for have, want in zip(array.shape, shape, strict=True))
    result[kept] = array[kept]
    return result
