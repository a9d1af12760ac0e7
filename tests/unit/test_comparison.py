"""Comparisons of mappings: ratios, means, tables and JSON from results that are made up here."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest
from rich.console import Console

from maerisim.mapping.mapping import Mapping
from maerisim.reports.comparison import ComparedLayer, Comparison, comparison_notes, comparison_pages
from maerisim.reports.findings import LayerReport, UnsupportedLayer
from maerisim.workload.problem import Problem


class Energies(float):
    """What a word costs, as a ratio."""

    joules = None


HARDWARE = SimpleNamespace(
    name="maeri-16",
    multipliers=16,
    ports=4,
    buses=4,
    energy=Energies(1.0),
    hertz=None,
    model_dump=lambda **_: {"name": "maeri-16"},
)


@dataclass
class Counters:
    """A run that costs ``spent``."""

    spent: float
    operations: int = 800

    def energy(self, table):
        return self.spent * table


def layer(cycles, energy, name="conv"):
    counters = Counters(energy)
    return LayerReport(
        name=name,
        op="conv2d",
        count=1,
        problem=Problem(K=800),
        mapping=Mapping.of({"K": 16}),
        estimate=SimpleNamespace(cycles=cycles, counters=counters, bound_cycles=50, limited_by="distribution"),
        result=SimpleNamespace(cycles=cycles, counters=counters, outputs=None),
    )


def comparison(objective="cycles"):
    """Two layers: mrna is 2 and 8 times slower and half and twice as costly, rows applies to the first only."""
    first = ComparedLayer(layer(100, 30.0), {"mrna": layer(200, 15.0), "rows": layer(150, 60.0)})
    second = ComparedLayer(layer(50, 10.0, "fc"), {"mrna": layer(400, 20.0), "rows": "it has no rows"})
    return Comparison(
        HARDWARE, "net", (first, UnsupportedLayer("cell", "lstm", 1, "not yet"), second), objective=objective
    )


@pytest.mark.parametrize(
    ("objective", "mrna", "rows"),
    [("cycles", (2 * 8) ** 0.5, 1.5), ("energy", (0.5 * 2) ** 0.5, 2.0), ("edp", (1.0 * 16) ** 0.5, 3.0)],
)
def test_means_are_geometric_and_over_the_layers_that_a_reference_applies_to(objective, mrna, rows):
    means = comparison(objective).geometric_means()
    assert means["mrna"] == (pytest.approx(mrna), 2)
    assert means["rows"] == (pytest.approx(rows), 1)


def test_a_reference_that_applies_to_nothing_has_no_mean():
    compared = ComparedLayer(layer(100, 1.0), {"rows": "it has no rows"})
    assert Comparison(HARDWARE, "net", (compared,)).geometric_means() == {}


def test_table():
    paper = io.StringIO()
    Console(width=200, file=paper, color_system=None).print(comparison_pages(comparison())[0].table())
    lines = [" ".join(line.split()) for line in paper.getvalue().splitlines() if line.strip()]
    assert lines[2:] == [
        "conv ours K16 | K 100 30.0 50.0% 1.00",
        "mrna K16 | K 200 15.0 25.0% 2.00",
        "rows K16 | K 150 60.0 33.3% 1.50",
        "cell not supported",
        "fc ours K16 | K 50 10.0 100.0% 1.00",
        "mrna K16 | K 400 20.0 12.5% 8.00",
        "rows -",
        "mrna geometric mean of 2 layers 4.00",
        "rows geometric mean of 1 layer 1.50",
    ]


def test_notes_say_what_the_ratio_is_and_give_each_reason_once():
    same = replace(comparison(), entries=(*comparison().entries, comparison().entries[2]))
    assert comparison_notes(same) == [
        "ratio: cycles over ours; above 1 ours is better",
        "rows does not apply to fc, fc: it has no rows",
        "Not supported: not yet",
    ]


def test_json():
    document = comparison("energy").to_dict()
    assert json.loads(json.dumps(document)) == document
    assert document["objective"] == "energy"
    first, second = document["layers"]
    assert [entry["by"] for entry in first["mappings"]] == ["ours", "mrna", "rows"]
    assert [entry["ratio"] for entry in first["mappings"]] == [1.0, 0.5, 2.0]
    assert first["mappings"][1]["cycles"] == 200
    assert second["mappings"][2] == {"by": "rows", "reason": "it has no rows"}
    assert document["geometric_means"]["rows"] == {"ratio": 2.0, "layers": 1}
    assert [entry["name"] for entry in document["unsupported"]] == ["cell"]
