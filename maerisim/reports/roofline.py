"""The roofline of each layer: how many operations a cycle it could do at most, and why, beside what it does.

The model of Williams, Waterman and Patterson (CACM 52(4), 2009): below the peak of the multipliers lies a slope, the
operations for each word that passes a channel times the words that pass it in a cycle. The channel is DRAM; on hardware
whose DRAM has no bandwidth it is the distribution network, the next one inwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from maerisim.analytic.bounds import bounds, words_sent_once
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.notation import counted, percent
from maerisim.memory.blocks import compulsory_words
from maerisim.reports.findings import FusedReport, LayerReport, NetworkReport, UnsupportedLayer
from maerisim.reports.frame import frame
from maerisim.reports.network_table import layer_label, scaled_notes, unsupported_notes
from maerisim.reports.pace import layer_json
from maerisim.reports.provenance import provenance
from maerisim.reports.table import Column, Page, Row

if TYPE_CHECKING:
    import pandas as pd

DRAM, DISTRIBUTION = "dram", "distribution"


@dataclass(frozen=True)
class Roofline:
    """One simulated layer under its roofs.

    ``operations`` are multiply-accumulates, or inputs that a pooling passes on. ``compulsory_words`` and ``words`` pass the
    channel at least, and as mapped. ``roofs``: the operations a cycle that each resource allows any mapping.
    """

    layer: LayerReport
    operations: int
    compulsory_words: int
    words: int
    roofs: dict[str, float]

    @property
    def attained(self) -> float:
        """Operations a cycle, as simulated."""
        return self.operations / self.layer.best_known_cycles

    @property
    def bound_by(self) -> str:
        """The resource of the lowest roof."""
        return min(self.roofs, key=lambda name: self.roofs[name])

    @property
    def roof(self) -> float:
        """Operations a cycle that no mapping exceeds."""
        return self.roofs[self.bound_by]

    @property
    def share(self) -> float:
        """Attained of the roof."""
        return self.attained / self.roof

    @property
    def compulsory_intensity(self) -> float:
        """Operations per word that has to pass the channel."""
        return self.operations / self.compulsory_words

    @property
    def intensity(self) -> float:
        """Operations per word that passes the channel as mapped."""
        return self.operations / self.words

    def to_dict(self) -> dict[str, Any]:
        """An entry of ``layers`` in the documented JSON of ``roofline``."""
        return {
            "name": self.layer.name,
            "op": self.layer.op,
            "count": self.layer.count,
            "operations": self.operations,
            "cycles": self.layer.best_known_cycles,
            "compulsory_words": self.compulsory_words,
            "words": self.words,
            "compulsory_intensity": self.compulsory_intensity,
            "intensity": self.intensity,
            "roofs": self.roofs,
            "roof": self.roof,
            "bound_by": self.bound_by,
            "attained": self.attained,
            "share_of_roof": self.share,
        }


@dataclass(frozen=True)
class RooflineReport:
    """The rooflines of a network's layers, in its order; fused ones have none."""

    results: NetworkReport

    @property
    def hardware(self) -> Hardware:
        return self.results.hardware

    @property
    def channel(self) -> str:
        """The channel of the slope."""
        return channel_of(self.hardware)

    @property
    def bandwidth(self) -> float:
        """Words a cycle of the channel."""
        return float(self.hardware.dram.bandwidth or self.hardware.ports)

    @cached_property
    def entries(self) -> list[Roofline | UnsupportedLayer]:
        return [
            entry if isinstance(entry, UnsupportedLayer) else roofline(entry, self.hardware)
            for entry in self.results.entries
            if not isinstance(entry, FusedReport)
        ]

    @property
    def layers(self) -> list[Roofline]:
        return [entry for entry in self.entries if isinstance(entry, Roofline)]

    def to_dict(self) -> dict[str, Any]:
        """The documented JSON of ``roofline``."""
        return {
            "hardware": self.hardware.name,
            "network": self.results.network,
            "peak": self.hardware.multipliers,
            "channel": self.channel,
            "bandwidth": self.bandwidth,
            "layers": [each.to_dict() | layer_json(self.results, each.layer) for each in self.layers],
            "unsupported": [layer.to_dict() for layer in self.results.unsupported],
            "interrupted": self.results.interrupted,
            "provenance": provenance(self.hardware, [each.layer for each in self.layers]),
        }

    def to_frame(self) -> pd.DataFrame:
        """A pandas DataFrame with a row for each layer. Raises NotSupportedError without pandas."""
        return frame(self.rows())

    def rows(self) -> list[dict[str, Any]]:
        """A row for each layer."""
        found: list[dict[str, Any]] = self.to_dict()["layers"]
        return found


def channel_of(hardware: Hardware) -> str:
    """What the words of the intensity pass: DRAM, or the distribution network where DRAM has no bandwidth."""
    return DISTRIBUTION if hardware.dram.bandwidth is None else DRAM


def roofline(layer: LayerReport, hardware: Hardware) -> Roofline:
    """The roofline of a simulated layer."""
    problem = layer.problem
    least = bounds(problem, hardware)._asdict()
    if channel_of(hardware) == DRAM:
        compulsory, words = sum(compulsory_words(problem).values()), layer.memory.words
    else:
        compulsory = words_sent_once(problem)
        words = sum(layer.counters.distributed.values())
    return Roofline(
        layer=layer,
        operations=problem.operations,
        compulsory_words=compulsory,
        words=words,
        roofs={name: problem.operations / cycles for name, cycles in least.items() if cycles},
    )


COLUMNS = (
    Column("layer", number=False),
    Column("op", number=False, spare=1),
    *map(Column, ("per word", "as mapped", "roof", "attained", "of roof")),
    Column("bound by", number=False),
)


def roofline_pages(report: RooflineReport) -> list[Page]:
    """What ``roofline`` prints, a row for each layer: nothing when nothing was finished."""
    return [Page(title(report), COLUMNS, list(map(row, report.entries)), notes(report))] if report.entries else []


def title(report: RooflineReport) -> str:
    """What the rooflines are of."""
    hardware = report.hardware
    dram = "DRAM does not limit"
    if report.channel == DRAM:
        dram = f"DRAM of {hardware.dram.bandwidth:g} words a cycle"
    return f"{report.results.network} on {hardware.name}: at most {hardware.multipliers} operations a cycle; {dram}"


def notes(report: RooflineReport) -> list[str]:
    """What the columns say."""
    where = "from or to DRAM" if report.channel == DRAM else "sent into the array (there is no DRAM roof)"
    intensity = f"per word: operations for each word {where}, each operand and output once, and as mapped"
    rates = "roof, attained: operations a cycle that no mapping exceeds, and as simulated"
    return [f"{intensity}; {rates}", *scaled_notes(report.results), *unsupported_notes(report.results)]


def row(entry: Roofline | UnsupportedLayer) -> Row:
    """One layer."""
    if isinstance(entry, UnsupportedLayer):
        return Row([counted(entry.name, entry.count), entry.op, *[""] * 5, "not supported"], "dim")
    numbers = (entry.compulsory_intensity, entry.intensity, entry.roof, entry.attained)
    name, op = layer_label(entry.layer), entry.layer.op
    return Row([name, op, *(f"{number:,.2f}" for number in numbers), percent(entry.share), entry.bound_by])
