"""Why mappings were chosen, as a table for each layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maerisim.mapping.notation import mapping_words, percent, quantity, whole
from maerisim.reports.findings import LayerReport
from maerisim.reports.table import Column, Page, Row

if TYPE_CHECKING:
    from maerisim.analytic.explanation import Alternative, Cost
    from maerisim.mapping.mapping import Mapping
    from maerisim.reports.findings import NetworkReport
    from maerisim.workload.problem import Problem

LEAST_WIDTH = 14


def explanation_pages(report: NetworkReport) -> list[Page]:
    """A page for each layer whose choice is explained; a layer of the same name as one before has the same."""
    return [_page(layer) for layer in report.layers if isinstance(layer, LayerReport) and layer.explanation is not None]


def _page(layer: LayerReport) -> Page:
    explained = layer.explanation
    assert explained is not None
    rows = [_row("chosen", layer.problem, layer.mapping, explained.chosen, "")]
    rows += [_alternative_row("rejected", layer.problem, each, explained.chosen) for each in explained.rejected]
    rows += [_alternative_row(each.change, layer.problem, each, explained.chosen) for each in explained.neighbours]
    columns = [
        Column("", number=False, wraps=True, least_width=LEAST_WIDTH),
        Column("mapping", number=False, wraps=True, least_width=LEAST_WIDTH),
        Column("cycles"),
        *(Column(heading, spare=spare) for spare, heading in enumerate(("energy", "words", "util."), 1)),
        Column("worse at", number=False, wraps=True, least_width=LEAST_WIDTH),
    ]
    return Page(f"Why this mapping of {layer.name}", columns, rows, [f"Others are kept out by {explained.closed_by}."])


def _row(what: str, problem: Problem, mapping: Mapping, cost: Cost, worse: str) -> Row:
    numbers = [whole(cost.cycles), quantity(cost.energy), quantity(cost.words), percent(cost.utilization)]
    return Row([what, mapping_words(problem, mapping), *numbers, worse])


def _alternative_row(what: str, problem: Problem, each: Alternative, chosen: Cost) -> Row:
    if each.cost is None:
        return Row([what, "", "", "", "", "", f"cannot run: {each.refused}"], style="dim")
    worse = [
        f"{name.replace('_', ' ')} {'from none' if share is None else f'-{percent(share)}' if name == 'utilization' else f'+{percent(share)}'}"
        for name, share in each.cost.worse(chosen).items()
    ]
    return _row(what, problem, each.mapping, each.cost, ", ".join(worse) or "nothing")
