"""A layer with zeros among its weights: a program for each set of filters, one after the other."""

from __future__ import annotations

from maerisim.analytic.analytic import estimate_programs
from maerisim.analytic.predicted import Estimate
from maerisim.engine.run import Result, RunOptions, run_programs
from maerisim.lowering.sparse import lower_sparse
from maerisim.mapping.buffer_fit import too_large
from maerisim.mapping.legality import LegalLayer, sparse_violations
from maerisim.mapping.mapping import Mapping
from maerisim.program.program import Program
from maerisim.ways.base import LayerWay, SpaceKind, too_much
from maerisim.workload.reference import Operands


class Sparse(LayerWay):
    """Virtual neurons of unequal size, see :mod:`maerisim.mapping.sparse_rounds`; nothing follows a closed form."""

    kept_whole = "sparse weights"

    @property
    def space(self) -> SpaceKind:
        return "sets_of_filters"

    def refusals(self) -> list[str]:
        controller = self.hardware.controller
        whole_filters = {
            "controller.pad_edges": controller.pad_edges,
            "controller.wait_for_outputs": controller.wait_for_outputs,
            "controller.weights_first": controller.weights_first,
            "multiplier.wait_for_all_weights": self.hardware.multiplier.wait_for_all_weights,
        }
        options = ", ".join(option for option, wanted in whole_filters.items() if wanted)
        refused = [f"sparse weights, its controller walks filters of equal size ({options})"] if options else []
        return refused + too_much(self.problem) + too_large(self.problem, self.hardware, self.kept_whole)

    def violations(self, mapping: Mapping) -> list[str]:
        return sparse_violations(self.problem, mapping, self.hardware, self.kept_whole)

    def programs(self, legal: LegalLayer) -> tuple[Program, ...]:
        return lower_sparse(legal)

    def estimate(self, legal: LegalLayer) -> Estimate:
        return estimate_programs(self.programs(legal), legal.problem, legal.hardware)

    def simulate(self, legal: LegalLayer, operands: Operands | None, options: RunOptions) -> Result:
        shape = legal.problem.output_shape
        return run_programs(self.programs(legal), legal.hardware, options, operands=operands, output_shape=shape)
