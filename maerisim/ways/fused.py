"""Two fused layers at the same time, each on its share of the array: one program."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from maerisim.analytic.fused import estimate_fused
from maerisim.analytic.predicted import Estimate
from maerisim.engine.run import Result, RunOptions, run_programs
from maerisim.hardware.hardware import Hardware
from maerisim.lowering.fused import lower_fused
from maerisim.mapping.fused import FusedMapping
from maerisim.mapping.legality import LegalPair, fused_violations
from maerisim.program.program import Program
from maerisim.ways.base import SpaceKind, Way, too_much
from maerisim.ways.lock_step import is_in_lock_step
from maerisim.workload.problem import FusedProblem
from maerisim.workload.reference import FusedOperands, Operands


def cannot_fuse(hardware: Hardware) -> list[str]:
    """Why no two layers can be fused on ``hardware``; empty when they can."""
    controller = hardware.controller
    held_back = {
        "controller.kind: lock_step": is_in_lock_step(hardware),
        "controller.steps_per_cycle": controller.steps_per_cycle is not None,
        "controller.wait_for_outputs": controller.wait_for_outputs,
        "controller.weights_first": controller.weights_first,
        "controller.pad_edges": controller.pad_edges,
        "multiplier.wait_for_all_weights": hardware.multiplier.wait_for_all_weights,
    }
    options = ", ".join(option for option, wanted in held_back.items() if wanted)
    if options:
        return [
            f"fused layers need distribution ports that run ahead on their own, its controller holds them back ({options})"
        ]
    if hardware.limits_memory:
        return ["fused layers need all of their words in the global buffer, its global_buffer and dram limit that"]
    if hardware.ports < 2:
        return ["fused layers need a distribution port each, there is one"]
    return []


class TwoAtOnce(Way[FusedProblem, FusedMapping, FusedOperands]):
    """A mapping of each layer on its share; the outputs are those of the second."""

    @property
    def space(self) -> SpaceKind:
        return "pairs_on_shares"

    def refusals(self) -> list[str]:
        return cannot_fuse(self.hardware) + [reason for layer in self.problem.layers for reason in too_much(layer)]

    def violations(self, mapping: FusedMapping) -> list[str]:
        return fused_violations(self.problem, mapping, self.hardware)

    def programs(self, legal: LegalPair) -> tuple[Program, ...]:
        return (lower_fused(legal),)

    def estimate(self, legal: LegalPair) -> Estimate:
        return estimate_fused(legal)

    def simulate(self, legal: LegalPair, operands: FusedOperands | None, options: RunOptions) -> Result:
        between, second = legal.problem.first.outputs, legal.problem.second
        words = None
        if operands is not None:
            first, weights = operands
            words = Operands(first.inputs.ravel(), np.concatenate([first.weights.ravel(), weights.ravel()]))
        all_outputs = (between + second.outputs,)
        result = run_programs(self.programs(legal), legal.hardware, options, operands=words, output_shape=all_outputs)
        if result.outputs is None:
            return result
        return replace(result, outputs=result.outputs[between:].reshape(second.output_shape))
