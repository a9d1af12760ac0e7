"""Cycles as seconds, and what follows: inferences and words a second, and watts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from maerisim.counts.events import dram_energy
from maerisim.mapping.notation import measured, quantity

if TYPE_CHECKING:
    from maerisim.hardware.hardware import Hardware
    from maerisim.reports.findings import AnyReport, NetworkReport


@dataclass(frozen=True)
class Pace:
    """The time of one run through all layers of a report, one after the other, each as often as it occurs.

    ``dram_words_per_second`` cross the boundary to DRAM, ``watts`` are spent by the array and its buffers, ``dram_watts`` by
    DRAM: the energy of what happens over the time, without what leaks. None without a unit of energy.
    """

    clock: str
    seconds: float
    dram_words_per_second: float
    watts: float | None
    dram_watts: float | None

    @property
    def inferences_per_second(self) -> float:
        """Runs through all layers a second, each for as many images as the layers have in a batch."""
        return 1 / self.seconds

    def as_dict(self) -> dict[str, Any]:
        """The documented JSON."""
        return {
            "total_seconds": self.seconds,
            "inferences_per_second": self.inferences_per_second,
            "dram_words_per_second": self.dram_words_per_second,
            "watts": self.watts,
            "dram_watts": self.dram_watts,
        }

    def words(self) -> str:
        """The same in a line."""
        parts = [
            f"{measured(self.seconds, 's')} at {self.clock}",
            f"{rate(self.inferences_per_second)} inferences a second",
            f"{quantity(self.dram_words_per_second)} words a second from and to DRAM",
        ]
        if self.watts is not None and self.dram_watts is not None:
            parts.append(f"{measured(self.watts, 'W')}, and {measured(self.dram_watts, 'W')} in DRAM")
        return "; ".join(parts)


def rate(value: float) -> str:
    """A number of things a second."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def seconds_of(report: NetworkReport, layer: AnyReport) -> float | None:
    """The time of one occurrence of a layer, simulated if it was."""
    hertz = report.hardware.hertz
    return None if hertz is None else layer.best_known_cycles / hertz


def watts_of(report: NetworkReport, layer: AnyReport) -> float | None:
    """The power of the array and its buffers in a layer; None without a clock and a unit of energy."""
    seconds, joules = seconds_of(report, layer), report.hardware.energy.joules
    return None if not seconds or joules is None else report.energy(layer) * joules / seconds


def pace_of(report: NetworkReport) -> Pace | None:
    """The pace of all layers that ran; None without a clock or a layer."""
    clock, hertz, joules = report.hardware.clock, report.hardware.hertz, report.hardware.energy.joules
    cycles = sum(layer.best_known_cycles * layer.count for layer in report.layers)
    if clock is None or hertz is None or not cycles:
        return None
    seconds = cycles / hertz
    of_dram = math.fsum(dram_energy(layer.memory, report.hardware.energy) * layer.count for layer in report.layers)
    return Pace(
        clock,
        seconds,
        report.total_dram_words / seconds,
        None if joules is None else report.total_energy * joules / seconds,
        None if joules is None else of_dram * joules / seconds,
    )


def pace_json(report: NetworkReport) -> dict[str, Any]:
    """What the documented JSON of a report says of time; nothing without a clock."""
    pace = pace_of(report)
    return {} if pace is None else {"clock_hertz": report.hardware.hertz} | pace.as_dict()


def layer_json(report: NetworkReport, layer: AnyReport) -> dict[str, Any]:
    """The same of one occurrence of a layer."""
    return times_json(report.hardware, layer.best_known_cycles, report.energy(layer))


def times_json(hardware: Hardware, cycles: int, energy: float) -> dict[str, Any]:
    """The time of something that takes so long, and the power of so much energy in it; nothing without a clock."""
    if hardware.hertz is None:
        return {}
    seconds, joules = cycles / hardware.hertz, hardware.energy.joules
    return {"seconds": seconds, "watts": None if not seconds or joules is None else energy * joules / seconds}
