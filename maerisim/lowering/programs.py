"""What is sent when: layers and their mappings as programs."""

from __future__ import annotations

from maerisim.errors import MappingError, NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.lowering.dense import lower, padded
from maerisim.lowering.fused import lower_fused
from maerisim.lowering.sparse import RoundLowering
from maerisim.mapping import buffer_fit as capacity
from maerisim.mapping.mapping import Mapping
from maerisim.mapping.sparse_rounds import rounds
from maerisim.program.program import Program
from maerisim.rtl.layer import hardware_reasons, layer_reasons
from maerisim.workload.problem import Problem

__all__ = ["lower", "lower_fused", "padded", "programs", "refusals"]


def programs(problem: Problem, mapping: Mapping, hardware: Hardware) -> tuple[Program, ...]:
    """The programs that run ``problem``, one after the other: one, or one for each set of filters of a sparse layer.

    Raises what ``lower`` raises.
    """
    if problem.sparsity is None:
        return (lower(problem, mapping, hardware),)
    refused = refusals(problem, hardware)
    if refused:
        raise NotSupportedError("\n".join(refused))
    violations = mapping.check(problem, hardware)
    if violations:
        raise MappingError("mapping", violations)
    return tuple(
        RoundLowering(problem, mapping, hardware, round_).program() for round_ in rounds(problem, mapping, hardware)
    )


def refusals(problem: Problem, hardware: Hardware) -> list[str]:
    """Why no mapping of ``problem`` can run on ``hardware``; empty when one may."""
    too_large = capacity.refusals(problem, hardware)
    if hardware.controller.kind == "lock_step":
        return hardware_reasons(hardware) + layer_reasons(problem) + too_large
    controller = hardware.controller
    whole_filters = {
        "controller.pad_edges": controller.pad_edges,
        "controller.wait_for_outputs": controller.wait_for_outputs,
        "controller.weights_first": controller.weights_first,
        "multiplier.wait_for_all_weights": hardware.multiplier.wait_for_all_weights,
    }
    if problem.sparsity is None or not any(whole_filters.values()):
        return too_large
    options = ", ".join(option for option, wanted in whole_filters.items() if wanted)
    return [f"sparse weights, its controller walks filters of equal size ({options})", *too_large]
