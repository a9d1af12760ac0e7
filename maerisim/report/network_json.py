"""The results of ``map``, ``simulate`` and ``validate`` as JSON, and what other documents share with theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maerisim.counts.events import dram_energy
from maerisim.mapping.notation import dims
from maerisim.report.findings import AnyReport, Findings, FusedReport, LayerReport, NetworkReport

if TYPE_CHECKING:
    from maerisim.hardware.hardware import Hardware
    from maerisim.mapping.mapping import Mapping
    from maerisim.memory.blocks import MemoryUse


def network_json(report: NetworkReport) -> dict[str, Any]:
    """The documented, deterministic JSON document of ``map``, ``simulate`` and ``validate``."""
    return {
        "hardware": report.hardware.name,
        "network": report.network,
        "layers": [layer_json(report, layer) for layer in report.layers],
        "unsupported": unsupported_json(report),
        "total_cycles": report.total_cycles,
        "total_estimated_cycles": report.total_estimated_cycles,
        "cycles_in_turn": report.cycles_in_turn,
        "mean_absolute_error": report.mean_absolute_error,
        "interrupted": report.interrupted,
    }


def unsupported_json(report: Findings[Any]) -> list[dict[str, Any]]:
    """The layers that were not run."""
    return [
        {"name": layer.name, "op": layer.op, "count": layer.count, "reason": layer.reason}
        for layer in report.unsupported
    ]


def layer_json(report: NetworkReport, layer: AnyReport) -> dict[str, Any]:
    """One entry of ``layers`` in the JSON document; fused layers have a problem and a mapping each, and ``fused``."""
    return {
        "name": layer.name,
        "op": layer.op,
        "count": layer.count,
        "cycles": layer.cycles,
        "estimated_cycles": layer.estimate.cycles,
        "error": layer.error,
        "macs": layer.problem.macs,
        "utilization": report.utilization(layer),
        "bound_cycles": layer.estimate.bound_cycles,
        "limited_by": layer.estimate.limited_by,
        "energy": report.energy(layer),
        "counters": layer.counters.as_dict(),
        "dram": memory_json(report.hardware, layer.memory),
        "mapping": mapping_json(layer.mapping)
        if isinstance(layer, LayerReport)
        else [mapping_json(mapping) for mapping in layer.mapping.of_layers],
        "scaled": layer.scaled,
        "problem": dims(layer.problem)
        if isinstance(layer, LayerReport)
        else [dims(layer.problem.first), dims(layer.problem.second)],
        "candidates": layer.candidates,
        "reason": layer.reason or None,
        "search": None if layer.certificate is None else layer.certificate.as_dict(),
        "values_checked": layer.values_checked,
    } | ({"fused": fused_json(report, layer)} if isinstance(layer, FusedReport) else {})


def mapping_json(mapping: Mapping) -> dict[str, Any]:
    """A mapping as it stands in every JSON document."""
    return {"tile": mapping.T, "order": list(mapping.order), "placement": list(mapping.placement)}


def fused_json(report: NetworkReport, layer: FusedReport) -> dict[str, Any]:
    """What fused layers have besides: who has what of the array, and what they would take one after the other."""
    words = layer.problem.intermediate_words
    return {
        "layers": list(layer.parts),
        "multipliers": report.shares(layer),
        "intermediate_words": words,
        "cycles_apart": layer.cycles_apart,
        "boundary_words_apart": 2 * words,
    }


def memory_json(hardware: Hardware, use: MemoryUse) -> dict[str, Any]:
    """What a layer takes of the global buffer and DRAM."""
    return {
        "blocks": use.blocks,
        "buffer_words": use.buffer_words,
        "read": use.read,
        "written": use.written,
        "energy": dram_energy(use, hardware.energy),
        "compute_cycles": use.compute_cycles,
        "channel_cycles": use.dram_cycles,
        "waiting_cycles": use.waiting_cycles,
    }
