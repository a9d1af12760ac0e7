"""What a command found out about the layers of a network. Nothing here simulates or estimates anything."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from maerisim.mapping.fused import FusedMapping
from maerisim.mapping.mapping import Mapping
from maerisim.mapping.notation import dims
from maerisim.reports import pace
from maerisim.reports.as_json import memory_json
from maerisim.reports.frame import frame
from maerisim.reports.provenance import provenance
from maerisim.workload.problem import FusedProblem, Problem

if TYPE_CHECKING:
    import pandas as pd

    from maerisim.analytic.certificate import Certificate
    from maerisim.analytic.explanation import Explanation
    from maerisim.analytic.predicted import Estimate
    from maerisim.counts.counters import Traffic
    from maerisim.engine.run import Result
    from maerisim.errors import MaerisimError
    from maerisim.hardware.hardware import Hardware
    from maerisim.memory.blocks import MemoryUse

ProblemT = TypeVar("ProblemT")
MappingT = TypeVar("MappingT")


@dataclass(frozen=True, kw_only=True)
class MappedLayer(ABC, Generic[ProblemT, MappingT]):
    """What is known of a layer, or of two fused ones, after a mapping was chosen and, with a ``result``, simulated.

    ``problem`` is always what ran; ``operations_before_scaling`` is set when ``--scale`` shrank it. ``candidates``,
    ``reason`` and ``certificate`` come from the mapper and are absent when the mapping was given.
    """

    name: str
    op: str
    count: int
    problem: ProblemT
    mapping: MappingT
    estimate: Estimate
    result: Result | None = None
    operations_before_scaling: int | None = None
    candidates: int | None = None
    reason: str = ""
    certificate: Certificate | None = None
    explanation: Explanation | None = None
    values_checked: bool = False

    @property
    def scaled(self) -> bool:
        return self.operations_before_scaling is not None

    @property
    def cycles(self) -> int | None:
        """Simulated cycles of one occurrence."""
        return None if self.result is None else self.result.cycles

    @property
    def best_known_cycles(self) -> int:
        """Simulated cycles when there are any, else the estimate."""
        return self.estimate.cycles if self.result is None else self.result.cycles

    @property
    def counters(self) -> Traffic:
        """Simulated counters when there are any, else the estimate's."""
        return self.estimate.counters if self.result is None else self.result.counters

    @property
    def memory(self) -> MemoryUse:
        """Blocks, words in the global buffer and words from and to DRAM, as estimated where nothing was simulated."""
        use = (self.result or self.estimate).memory
        return self.unlimited_memory if use is None else use

    @property
    @abstractmethod
    def unlimited_memory(self) -> MemoryUse:
        """The same where neither the buffer nor DRAM limits it."""

    @property
    def error(self) -> float | None:
        """(estimated - simulated) / simulated, a signed fraction."""
        return None if self.result is None else (self.estimate.cycles - self.result.cycles) / self.result.cycles


@dataclass(frozen=True, kw_only=True)
class LayerReport(MappedLayer[Problem, Mapping]):
    """One layer."""

    @property
    def unlimited_memory(self) -> MemoryUse:
        from maerisim.memory.blocks import unlimited_use

        return unlimited_use(self.problem, self.mapping, self.best_known_cycles)


@dataclass(frozen=True, kw_only=True)
class FusedReport(MappedLayer[FusedProblem, FusedMapping]):
    """Two layers that run at the same time, called ``parts``.

    ``cycles_apart`` (absent when the mapping was given) is what they take one after the other, each on the whole array
    with a mapping of its own, simulated.
    """

    op: str = "fused"
    parts: tuple[str, str]
    cycles_apart: int | None = None

    @property
    def unlimited_memory(self) -> MemoryUse:
        from maerisim.memory.blocks import fused_use

        return fused_use(self.problem, self.mapping.of_layers, self.best_known_cycles)


AnyReport = LayerReport | FusedReport


@dataclass(frozen=True)
class UnsupportedLayer:
    """A layer of the network that was not run, and why."""

    name: str
    op: str
    count: int
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """An entry of ``unsupported`` in the documented JSON."""
        return {"name": self.name, "op": self.op, "count": self.count, "reason": self.reason}


EntryT = TypeVar("EntryT")


@dataclass(frozen=True)
class Findings(ABC, Generic[EntryT]):
    """What was found out about each layer of a network on a piece of hardware, in the network's order.

    ``failure`` is the error that ended the run; the entries are what was finished before it.
    """

    hardware: Hardware
    network: str
    entries: tuple[EntryT | UnsupportedLayer, ...]
    interrupted: bool = False
    failure: MaerisimError | None = None

    @property
    def layers(self) -> list[EntryT]:
        return [entry for entry in self.entries if not isinstance(entry, UnsupportedLayer)]

    @property
    def unsupported(self) -> list[UnsupportedLayer]:
        return [entry for entry in self.entries if isinstance(entry, UnsupportedLayer)]

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """The documented JSON, the same for the same input."""

    def to_frame(self) -> pd.DataFrame:
        """A pandas DataFrame with a row for each entry of ``layers`` in ``to_dict``. Raises NotSupportedError without pandas."""
        return frame(self.rows())

    def rows(self) -> list[dict[str, Any]]:
        """The rows of ``to_frame`` and ``--csv``, before what they hold is made flat."""
        found: list[dict[str, Any]] = self.to_dict()["layers"]
        return found

    def reports(self, of: Callable[[EntryT], LayerReport]) -> NetworkReport:
        """The same with what ``of`` takes of each entry."""
        entries = tuple(entry if isinstance(entry, UnsupportedLayer) else of(entry) for entry in self.entries)
        return NetworkReport(self.hardware, self.network, entries, self.interrupted, self.failure)


@dataclass(frozen=True)
class NetworkReport(Findings[AnyReport]):
    """All that is known about a network on a piece of hardware.

    ``cycles_in_turn`` are those of all layers when DRAM reads the first weights of each behind the layer before. The last
    layer is ``unfinished`` when the search for its mapping was interrupted: it has the best that was found by then.
    """

    cycles_in_turn: int | None = None
    unfinished: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The documented JSON of ``map``, ``simulate`` and ``validate``."""
        return {
            "hardware": self.hardware.name,
            "network": self.network,
            "layers": [self.layer_dict(layer) for layer in self.layers],
            "unsupported": [layer.to_dict() for layer in self.unsupported],
            "total_cycles": self.total_cycles,
            "total_estimated_cycles": self.total_estimated_cycles,
            "cycles_in_turn": self.cycles_in_turn,
            "mean_absolute_error": self.mean_absolute_error,
            **pace.pace_json(self),
            "interrupted": self.interrupted,
            "unfinished": self.unfinished,
            "provenance": provenance(self.hardware, self.layers),
        }

    def layer_dict(self, layer: AnyReport) -> dict[str, Any]:
        """One entry of ``layers`` there; fused layers have a problem and a mapping each, and ``fused``."""
        return {
            "name": layer.name,
            "op": layer.op,
            "count": layer.count,
            "cycles": layer.cycles,
            "estimated_cycles": layer.estimate.cycles,
            "error": layer.error,
            "macs": layer.problem.macs,
            "utilization": self.utilization(layer),
            "bound_cycles": layer.estimate.bound_cycles,
            "limited_by": layer.estimate.limited_by,
            "energy": self.energy(layer),
            "counters": layer.counters.as_dict(),
            "dram": memory_json(self.hardware, layer.memory),
            "mapping": layer.mapping.to_dict()
            if isinstance(layer, LayerReport)
            else [mapping.to_dict() for mapping in layer.mapping.of_layers],
            "scaled": layer.scaled,
            "problem": dims(layer.problem)
            if isinstance(layer, LayerReport)
            else [dims(layer.problem.first), dims(layer.problem.second)],
            "candidates": layer.candidates,
            "reason": layer.reason or None,
            "search": None if layer.certificate is None else layer.certificate.as_dict(),
            "values_checked": layer.values_checked,
            **pace.layer_json(self, layer),
            **({} if layer.explanation is None else {"explanation": layer.explanation.as_dict()}),
        } | ({"fused": self._fused_dict(layer)} if isinstance(layer, FusedReport) else {})

    def _fused_dict(self, layer: FusedReport) -> dict[str, Any]:
        """What fused layers have besides: who has what of the array, and what they would take one after the other."""
        words = layer.problem.intermediate_words
        return {
            "layers": list(layer.parts),
            "multipliers": self.shares(layer),
            "intermediate_words": words,
            "cycles_apart": layer.cycles_apart,
            "boundary_words_apart": 2 * words,
        }

    def layer(self, name: str) -> AnyReport:
        """What is known of the layer or stage called ``name``. Raises KeyError."""
        return {layer.name: layer for layer in self.layers}[name]

    @property
    def mappings(self) -> dict[str, Mapping | FusedMapping]:
        """The mappings by layer, which can be given again."""
        return {layer.name: layer.mapping for layer in self.layers}

    @property
    def total_cycles(self) -> int | None:
        """Simulated cycles of every layer times its count; None as soon as one was not simulated."""
        cycles = [(layer.cycles, layer.count) for layer in self.layers]
        return sum_or_none(None if each is None else each * count for each, count in cycles)

    @property
    def total_estimated_cycles(self) -> int:
        return sum(layer.estimate.cycles * layer.count for layer in self.layers)

    @property
    def total_error(self) -> float | None:
        """The error of the estimated total, where errors of opposite sign cancel."""
        total = self.total_cycles
        return None if not total else (self.total_estimated_cycles - total) / total

    @property
    def total_energy(self) -> float:
        return math.fsum(self.energy(layer) * layer.count for layer in self.layers)

    @property
    def mean_absolute_error(self) -> float | None:
        """Mean of |error| over the simulated layers, every layer once."""
        errors = [abs(layer.error) for layer in self.layers if layer.error is not None]
        return math.fsum(errors) / len(errors) if errors else None

    @property
    def worst_layer(self) -> AnyReport | None:
        """The layer whose estimate is furthest off."""
        simulated = [layer for layer in self.layers if layer.error is not None]
        return max(simulated, key=lambda layer: abs(layer.error or 0.0), default=None)

    def utilization(self, layer: AnyReport) -> float:
        """Operations of a layer over what all multipliers could do in its cycles."""
        return layer.counters.operations / (layer.best_known_cycles * self.hardware.multipliers)

    @property
    def total_utilization(self) -> float:
        """Operations over multiplier cycles of all layers, each times its count."""
        done = sum(layer.counters.operations * layer.count for layer in self.layers)
        cycles = sum(layer.best_known_cycles * layer.count for layer in self.layers)
        return done / (cycles * self.hardware.multipliers)

    @property
    def total_dram_words(self) -> int:
        """Words from and to DRAM of all layers, each times its count."""
        return sum(layer.memory.words * layer.count for layer in self.layers)

    @property
    def total_waiting(self) -> float:
        """Share of the cycles of all layers in which the fabric waits for DRAM."""
        waiting = sum(layer.memory.waiting_cycles * layer.count for layer in self.layers)
        return waiting / sum(layer.best_known_cycles * layer.count for layer in self.layers)

    def shares(self, layer: FusedReport) -> list[int]:
        """Multipliers of each of two fused layers."""
        return [layer.mapping.multipliers, self.hardware.multipliers - layer.mapping.multipliers]

    def energy(self, layer: AnyReport) -> float:
        """Energy of one occurrence of a layer in the unit of the hardware's table."""
        return layer.counters.energy(self.hardware.energy)


def sum_or_none(values: Iterable[int | None]) -> int | None:
    """The sum, or None when a value is missing or there are none."""
    known = list(values)
    present = [value for value in known if value is not None]
    return sum(present) if known and len(present) == len(known) else None
