"""A dense layer on ports that run ahead on their own: one program."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from maerisim.analytic.analytic import estimate_blocks, estimate_steps
from maerisim.analytic.predicted import Estimate
from maerisim.arrays import Ints
from maerisim.engine.run import Result, RunOptions, run_programs
from maerisim.lowering.dense import filled_up, lower_dense
from maerisim.mapping.legality import LegalLayer, dense_violations
from maerisim.mapping.mapping import Mapping
from maerisim.program.program import Program
from maerisim.ways.base import LayerWay, SpaceKind, too_much
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
        """From its kinds of control steps; where loops walk blocks, counts are those of its program."""
        if not legal.mapping.cuts:
            return estimate_steps(legal)
        return estimate_blocks(legal, *self.programs(legal))

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


def _filled(array: Ints, shape: tuple[int, ...]) -> Ints:
    """The array with zeros up to a shape."""
    if array.shape == shape:
        return array
    result = np.zeros(shape, np.int64)
    kept = tuple(slice(min(have, want)) for have, want in zip(array.shape, shape, strict=True))
    result[kept] = array[kept]
    return result
