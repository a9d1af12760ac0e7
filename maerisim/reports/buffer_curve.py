"""DRAM words against sizes of the global buffer: the least of any blocks, and those of our mappings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from maerisim.analytic.objective import Objective
from maerisim.mapping.notation import counted, dims, percent, whole
from maerisim.memory.buffer_curve import BufferCurve
from maerisim.reports.findings import Findings, LayerReport
from maerisim.reports.provenance import KEY, StoredRun, provenance_of, run_of
from maerisim.reports.table import Column, Page, Row


@dataclass(frozen=True)
class CurvePoint:
    """A buffer of so many words, the ``least`` words that any blocks move, and the layer as we map it; None: none fits."""

    buffer: int
    least: int | None
    layer: LayerReport | None

    @property
    def words(self) -> int | None:
        """The words that our mapping moves."""
        return None if self.layer is None else self.layer.memory.words


@dataclass(frozen=True)
class LayerCurve:
    """A layer with its curve, and ``points`` at which we mapped it; ``compulsory`` words move however large the buffer is."""

    layer: LayerReport
    curve: BufferCurve
    points: tuple[CurvePoint, ...]
    compulsory: int


@dataclass(frozen=True)
class BufferCurves(Findings[LayerCurve]):
    """The curves of the layers of a network."""

    objective: Objective = "cycles"

    def to_dict(self) -> dict[str, Any]:
        """The documented JSON of ``buffer-curve``."""
        return {
            "hardware": self.hardware.name,
            "network": self.network,
            "objective": self.objective,
            "layers": [
                {
                    "name": each.layer.name,
                    "op": each.layer.op,
                    "count": each.layer.count,
                    "problem": dims(each.layer.problem),
                    "scaled": each.layer.scaled,
                    "compulsory_words": each.compulsory,
                    "curve": {"buffer_words": each.curve.buffer.tolist(), "dram_words": each.curve.words.tolist()},
                    "points": [
                        {"buffer_words": point.buffer, "least_dram_words": point.least, "dram_words": point.words}
                        for point in each.points
                    ],
                }
                for each in self.layers
            ],
            "unsupported": [layer.to_dict() for layer in self.unsupported],
            "interrupted": self.interrupted,
            KEY: provenance_of(self.hardware, self._runs()),
        }

    def _runs(self) -> Iterator[StoredRun]:
        """Every mapping, with the buffer that it was found for."""
        for each in self.layers:
            for point in each.points:
                if point.layer is not None:
                    machine = self.hardware.with_overrides({"global_buffer.words": point.buffer})
                    yield replace(run_of(point.layer, machine), layer=each.layer.name)

    def rows(self) -> list[dict[str, Any]]:
        """A row for each layer and buffer."""
        return [
            {"name": layer["name"], "compulsory_words": layer["compulsory_words"], **point}
            for layer in self.to_dict()["layers"]
            for point in layer["points"]
        ]


COLUMNS = (Column("layer", number=False), *map(Column, ("buffer", "least DRAM words", "ours", "more")))


def buffer_curve_pages(report: BufferCurves) -> list[Page]:
    """What ``buffer-curve`` prints: a row for each layer and buffer, nothing when nothing was finished."""
    rows = [
        Row(
            [
                counted(each.layer.name, each.layer.count) if place == 0 else "",
                whole(point.buffer),
                whole(point.least) or "none fits",
                whole(point.words) or "none fits",
                "" if point.least is None or point.words is None else percent(point.words / point.least - 1),
            ],
            ends_section=point is each.points[-1],
        )
        for each in report.layers
        for place, point in enumerate(each.points)
    ]
    title = f"{report.network} on {report.hardware.name}: words from and to DRAM, mapped for {report.objective}"
    return [Page(title, COLUMNS, rows, notes(report))] if report.entries else []


def notes(report: BufferCurves) -> list[str]:
    """What the columns say."""
    least = (
        "least: of blocks of any size in any loop order, filters whole in rows and columns; --json has the whole curve"
    )
    return [least, *(f"Not supported: {layer.reason}" for layer in report.unsupported)]
