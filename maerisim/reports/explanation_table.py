"""Why mappings were chosen, as a table for each layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maerisim.mapping.notation import energy_words, mapping_words, percent, quantity, whole
from maerisim.reports.findings import LayerReport
from maerisim.reports.table import Column, Page, Row

if TYPE_CHECKING:
    from maerisim.analytic.explanation import Alternative, Cost
    from maerisim.hardware.energy import EnergyTable
    from maerisim.mapping.mapping import Mapping
    from maerisim.reports.findings import NetworkReport

LEAST_WIDTH = 14


def explanation_pages(report: NetworkReport) -> list[Page]:
    """A page for each layer whose choice is explained; a layer of the same name as one before has the same."""
    prices = report.hardware.energy
    return [
        _page(layer, prices)
        for layer in report.layers
        if isinstance(layer, LayerReport) and layer.explanation is not None
    ]


def _page(layer: LayerReport, prices: EnergyTable) -> Page:
    explained = layer.explanation
    assert explained is not None

    def row(what: str, mapping: Mapping, cost: Cost, worse: str) -> Row:
        amounts = [energy_words(cost.energy, prices), quantity(cost.words), percent(cost.utilization)]
        return Row([what, mapping_words(layer.problem, mapping), whole(cost.cycles), *amounts, worse])

    def alternative(what: str, each: Alternative) -> Row:
        if each.cost is None:
            return Row([what, "", "", "", "", "", f"cannot run: {each.refused}"], style="dim")
        return row(what, each.mapping, each.cost, _worse(each.cost, explained.chosen) or "nothing")

    rows = [row("chosen", layer.mapping, explained.chosen, "")]
    rows += [alternative("rejected", each) for each in explained.rejected]
    rows += [alternative(each.change, each) for each in explained.neighbours]
    columns = [
        Column("", number=False, wraps=True, least_width=LEAST_WIDTH),
        Column("mapping", number=False, wraps=True, least_width=LEAST_WIDTH),
        Column("cycles"),
        *(Column(heading, spare=spare) for spare, heading in enumerate(("energy", "words", "util."), 1)),
        Column("worse at", number=False, wraps=True, least_width=LEAST_WIDTH),
    ]
    return Page(f"Why this mapping of {layer.name}", columns, rows, [f"Others are kept out by {explained.closed_by}."])


def _worse(cost: Cost, chosen: Cost) -> str:
    """In what a mapping costs more than the chosen one, and by how much."""
    return ", ".join(
        f"{name.replace('_', ' ')} {'from none' if share is None else f'-{percent(share)}' if name == 'utilization' else f'+{percent(share)}'}"
        for name, share in cost.worse(chosen).items()
    )
