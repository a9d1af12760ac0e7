"""Fronts of cycles and energy, and how they are printed and written as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from maerisim.mapping.notation import signed_percent
from maerisim.reports.findings import AnyReport, NetworkReport
from maerisim.reports.frame import frame
from maerisim.reports.network_table import (
    CYCLES,
    ENERGY,
    ERROR,
    LAYER,
    MAPPING,
    UTILIZATION,
    LayerColumn,
    layers_page,
    scaled_notes,
    unsupported_notes,
)
from maerisim.reports.provenance import provenance
from maerisim.reports.table import Page

if TYPE_CHECKING:
    import pandas as pd


def _against_fastest(report: NetworkReport, layer: AnyReport, *, of_energy: bool) -> str:
    """By how much a point takes more cycles or energy than the first of its layer."""
    fastest = next(each for each in report.layers if each.name == layer.name)
    if fastest is layer:
        return ""
    if of_energy:
        return signed_percent(report.energy(layer) / report.energy(fastest) - 1)
    return signed_percent(layer.best_known_cycles / fastest.best_known_cycles - 1)


COLUMNS = (
    LAYER,
    MAPPING,
    CYCLES,
    LayerColumn("more", lambda report, layer: _against_fastest(report, layer, of_energy=False)),
    ENERGY,
    LayerColumn("less", lambda report, layer: _against_fastest(report, layer, of_energy=True)),
    UTILIZATION,
    ERROR,
)


@dataclass(frozen=True)
class FrontReport(NetworkReport):
    """A report of which several entries in a row are the same layer, with mappings that trade cycles for energy."""

    def to_dict(self) -> dict[str, Any]:
        """The documented JSON of ``map --objective pareto``."""
        return {
            "hardware": self.hardware.name,
            "network": self.network,
            "fronts": [
                {"name": name, "points": [self.layer_dict(layer) for layer in points]}
                for name, points in groupby(self.layers, key=lambda layer: layer.name)
            ],
            "unsupported": [layer.to_dict() for layer in self.unsupported],
            "interrupted": self.interrupted,
            "provenance": provenance(self.hardware, self.layers),
        }

    def to_frame(self) -> pd.DataFrame:
        """A pandas DataFrame with a row for each point. Raises NotSupportedError without pandas."""
        return frame(self.rows())

    def rows(self) -> list[dict[str, Any]]:
        """A row for each point."""
        return [self.layer_dict(layer) for layer in self.layers]


def front_pages(report: NetworkReport) -> list[Page]:
    """What ``map --objective pareto`` prints: nothing when nothing was finished."""
    return [layers_page(report, COLUMNS, front_notes(report))] if report.entries else []


def front_notes(report: NetworkReport) -> list[str]:
    """What has to be said below the table."""
    complete = (
        "By estimate no other mapping takes both fewer cycles and less energy than one of these; cycles are simulated."
    )
    shrunk = NetworkReport(report.hardware, report.network, tuple(_firsts(report)))
    return [*([complete] if report.layers else []), *scaled_notes(shrunk), *unsupported_notes(report)]


def _firsts(report: NetworkReport) -> list[AnyReport]:
    """The fastest point of each layer."""
    return list({layer.name: layer for layer in reversed(report.layers)}.values())[::-1]
