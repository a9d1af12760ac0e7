"""What a command found out about the layers of a network. Nothing here simulates or estimates anything."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from maerisim.mapping.fused import FusedMapping
from maerisim.mapping.mapping import Mapping
from maerisim.workload.problem import FusedProblem, Problem

if TYPE_CHECKING:
    from maerisim.counts.counters import Traffic
    from maerisim.engine.run import Result
    from maerisim.errors import MaerisimError
    from maerisim.estimate.certificate import Certificate
    from maerisim.estimate.predicted import Estimate
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


EntryT = TypeVar("EntryT")


@dataclass(frozen=True)
class Findings(Generic[EntryT]):
    """What a command found out about each layer of a network on a piece of hardware, in the network's order.

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

    def reports(self, of: Callable[[EntryT], LayerReport]) -> NetworkReport:
        """The same with what ``of`` takes of each entry."""
        entries = tuple(entry if isinstance(entry, UnsupportedLayer) else of(entry) for entry in self.entries)
        return NetworkReport(self.hardware, self.network, entries, self.interrupted, self.failure)


@dataclass(frozen=True)
class NetworkReport(Findings[AnyReport]):
    """All that is known about a network on a piece of hardware.

    ``cycles_in_turn`` are those of all layers when DRAM reads the first weights of each behind the layer before.
    """

    cycles_in_turn: int | None = None

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
