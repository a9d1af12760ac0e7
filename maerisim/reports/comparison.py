"""Several mappings of each layer beside one another: what they cost, and how they are printed and written as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from maerisim.analytic.objective import Objective, score
from maerisim.mapping.notation import counted, dims, energy_words, mapping_words, percent, whole
from maerisim.reports.findings import Findings, LayerReport, NetworkReport, UnsupportedLayer
from maerisim.reports.frame import frame
from maerisim.reports.network_table import layer_label, scaled_notes, title, unsupported_notes
from maerisim.reports.pace import layer_json
from maerisim.reports.provenance import provenance
from maerisim.reports.table import Column, Page, Row
from maerisim.text import plural

if TYPE_CHECKING:
    import pandas as pd

OURS = "ours"


@dataclass(frozen=True)
class ComparedLayer:
    """A layer with the mapper's mapping and those of the references, simulated; or why a reference has none."""

    ours: LayerReport
    references: Mapping[str, LayerReport | str]

    @property
    def mappings(self) -> Iterable[tuple[str, LayerReport | str]]:
        """All of them by name, ours first."""
        return ((OURS, self.ours), *self.references.items())


@dataclass(frozen=True)
class Comparison(Findings[ComparedLayer]):
    """The layers of a network, each with several mappings, and what they were made for."""

    objective: Objective = "cycles"

    def to_dict(self) -> dict[str, Any]:
        """The documented JSON of ``compare-mappings``."""
        means = self.geometric_means()
        return {
            "hardware": self.hardware.name,
            "network": self.network,
            "objective": self.objective,
            "layers": [_layer_json(self, compared) for compared in self.layers],
            "unsupported": [layer.to_dict() for layer in self.unsupported],
            "geometric_means": {name: {"ratio": mean, "layers": layers} for name, (mean, layers) in means.items()},
            "interrupted": self.interrupted,
            "provenance": provenance(self.hardware, self._runs()),
        }

    def _runs(self) -> list[LayerReport]:
        """All mappings that ran, each under the name of its layer and who made it."""
        return [
            replace(layer, name=f"{compared.ours.name} ({by})")
            for compared in self.layers
            for by, layer in compared.mappings
            if not isinstance(layer, str)
        ]

    def to_frame(self) -> pd.DataFrame:
        """A pandas DataFrame with a row for each mapping of each layer. Raises NotSupportedError without pandas."""
        return frame(self.rows())

    def rows(self) -> list[dict[str, Any]]:
        """A row for each mapping of each layer."""
        return [
            {**{name: value for name, value in layer.items() if name != "mappings"}, **mapping}
            for layer in self.to_dict()["layers"]
            for mapping in layer["mappings"]
        ]

    @property
    def ours(self) -> NetworkReport:
        """The report of our mappings alone."""
        return self.reports(lambda compared: compared.ours)

    def cost(self, layer: LayerReport) -> float:
        """What the objective makes small."""
        return score(self.objective, layer.best_known_cycles, self.ours.energy(layer))[0]

    def ratio(self, compared: ComparedLayer, layer: LayerReport) -> float:
        """How many times the cost of our mapping this one costs."""
        return self.cost(layer) / self.cost(compared.ours)

    def geometric_means(self) -> dict[str, tuple[float, int]]:
        """By reference: the mean of its ratios, every layer once, and over how many layers."""
        ratios: dict[str, list[float]] = {}
        for compared in self.layers:
            for name, layer in compared.references.items():
                of_name = ratios.setdefault(name, [])
                of_name += [] if isinstance(layer, str) else [self.ratio(compared, layer)]
        return {
            name: (math.exp(math.fsum(map(math.log, found)) / len(found)), len(found))
            for name, found in ratios.items()
            if found
        }


def _layer_json(comparison: Comparison, compared: ComparedLayer) -> dict[str, Any]:
    ours = compared.ours
    return {
        "name": ours.name,
        "op": ours.op,
        "count": ours.count,
        "problem": dims(ours.problem),
        "scaled": ours.scaled,
        "mappings": [_mapping_json(comparison, compared, name, layer) for name, layer in compared.mappings],
    }


def _mapping_json(
    comparison: Comparison, compared: ComparedLayer, name: str, layer: LayerReport | str
) -> dict[str, Any]:
    if isinstance(layer, str):
        return {"by": name, "reason": layer}
    return {
        "by": name,
        "cycles": layer.cycles,
        "energy": comparison.ours.energy(layer),
        **layer_json(comparison.ours, layer),
        "utilization": comparison.ours.utilization(layer),
        "ratio": comparison.ratio(compared, layer),
        "mapping": layer.mapping.to_dict(),
    }


def comparison_pages(comparison: Comparison) -> list[Page]:
    """What ``compare-mappings`` prints: nothing when nothing was finished."""
    if not comparison.entries:
        return []
    return [Page(title(comparison.ours), COLUMNS, comparison_rows(comparison), comparison_notes(comparison))]


COLUMNS = (
    Column("layer", number=False),
    Column("by", number=False),
    Column("mapping", number=False, wraps=True),
    *map(Column, ("cycles", "energy", "used", "ratio")),
)


def comparison_rows(comparison: Comparison) -> list[Row]:
    """For each layer our mapping and below it the references, at the end their geometric means."""
    rows = []
    for entry in comparison.entries:
        if isinstance(entry, UnsupportedLayer):
            cells = [counted(entry.name, entry.count), "", "not supported", *[""] * 4]
            rows.append(Row(cells, "dim", ends_section=True))
            continue
        of_layer = [[name, *_cells(comparison, entry, layer)] for name, layer in entry.mappings]
        rows.append(Row([layer_label(entry.ours), *of_layer[0]], "bold", ends_section=len(of_layer) == 1))
        rows += [Row(["", *cells], ends_section=cells is of_layer[-1]) for cells in of_layer[1:]]
    for name, (mean, layers) in comparison.geometric_means().items():
        over = f"geometric mean of {plural(layers, 'layer')}"
        rows.append(Row(["", name, over, "", "", "", f"{mean:.2f}"]))
    return rows


def _cells(comparison: Comparison, compared: ComparedLayer, layer: LayerReport | str) -> list[str]:
    if isinstance(layer, str):
        return ["-", "", "", "", ""]
    return [
        mapping_words(layer.problem, layer.mapping),
        whole(layer.cycles),
        energy_words(comparison.ours.energy(layer), comparison.ours.hardware.energy),
        percent(comparison.ours.utilization(layer)),
        f"{comparison.ratio(compared, layer):.2f}",
    ]


def comparison_notes(comparison: Comparison) -> list[str]:
    """What the ratio is of, which layers are smaller than they are, and why references are missing: each reason once."""
    measure = {"cycles": "cycles", "energy": "energy"}.get(comparison.objective, "energy times cycles")
    notes = [f"ratio: {measure} over ours; above 1 ours is better"] if comparison.layers else []
    missing: dict[tuple[str, str], list[str]] = {}
    for compared in comparison.layers:
        for name, reason in compared.references.items():
            if isinstance(reason, str):
                missing.setdefault((name, reason), []).append(compared.ours.name)
    notes += [f"{name} does not apply to {', '.join(layers)}: {reason}" for (name, reason), layers in missing.items()]
    return [*notes, *scaled_notes(comparison.ours), *unsupported_notes(comparison.ours)]
