"""Reports: numbers, JSON and tables from results that are made up here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest

from maerisim.mapping import notation
from maerisim.mapping.mapping import Mapping
from maerisim.reports import network_table
from maerisim.reports.findings import LayerReport, NetworkReport, UnsupportedLayer
from maerisim.reports.network_table import COLUMNS
from maerisim.workload.problem import Problem


class Energies(float):
    """What an operation costs; a word of DRAM costs 50."""

    dram_access = 50
    joules = None


HARDWARE = SimpleNamespace(
    name="maeri-16",
    multipliers=16,
    ports=4,
    buses=4,
    energy=Energies(2.0),
    clock=None,
    hertz=None,
    limits_memory=False,
    model_dump=lambda **_: {"name": "maeri-16"},
)


@dataclass
class Counters:
    """Counts operations and stalls; an operation costs what the energy table says."""

    operations: int
    stalls: dict[str, int]

    def as_dict(self):
        return {"operations": self.operations}

    def energy(self, table):
        return self.operations * table


def layer(name="conv", *, cycles=100, estimated=99, macs=800, count=1, bound=50, stalls=None, **more):
    """A layer of ``macs`` MACs, mapped onto 2 x 3 multipliers."""
    problem = Problem(K=macs // 6, R=3, P=2)
    counters = Counters(problem.macs, {"weights": 0, "inputs": 0} | (stalls or {}))
    return LayerReport(
        name=name,
        op="conv2d",
        count=count,
        problem=problem,
        mapping=Mapping.of({"K": 2, "R": 3}),
        estimate=SimpleNamespace(
            cycles=estimated, counters=counters, bound_cycles=bound, limited_by="distribution", memory=None
        ),
        result=None if cycles is None else SimpleNamespace(cycles=cycles, counters=counters, outputs=None, memory=None),
        **more,
    )


def network(*entries, interrupted=False):
    return NetworkReport(HARDWARE, "net", entries, interrupted)


def test_error_is_the_signed_fraction_of_the_simulation():
    assert layer(cycles=200, estimated=190).error == pytest.approx(-0.05)
    assert layer(cycles=200, estimated=210).error == pytest.approx(+0.05)
    assert layer(cycles=None).error is None


def test_totals_weigh_layers_by_their_count_and_the_mean_error_does_not():
    report = network(layer(cycles=100, estimated=110, count=3), layer(cycles=200, estimated=180))
    assert report.total_cycles == 500
    assert report.total_estimated_cycles == 510
    assert report.total_error == pytest.approx(0.02)
    assert report.mean_absolute_error == pytest.approx(0.1)
    assert report.worst_layer is report.layers[0]


def test_totals_are_unknown_until_every_layer_was_simulated():
    report = network(layer(), layer(cycles=None))
    assert report.total_cycles is None
    assert report.total_error is None
    assert report.total_estimated_cycles == 198


def test_a_report_without_layers_has_no_totals():
    report = network(UnsupportedLayer("lstm1", "lstm", 1, "why"))
    assert report.total_cycles is None
    assert report.mean_absolute_error is None
    assert report.worst_layer is None


def test_utilization_is_operations_over_multiplier_cycles():
    report = network(layer(cycles=100, macs=600))
    assert report.utilization(report.layers[0]) == pytest.approx(600 / (100 * 16))
    assert report.total_utilization == pytest.approx(600 / (100 * 16))


def test_json_has_the_documented_keys():
    report = network(layer(), UnsupportedLayer("lstm1", "lstm", 2, "why"))
    document = report.to_dict()
    assert document["hardware"] == "maeri-16"
    assert document["network"] == "net"
    assert document["total_cycles"] == 100
    assert document["unsupported"] == [{"name": "lstm1", "op": "lstm", "count": 2, "reason": "why"}]
    assert document["interrupted"] is False
    entry = document["layers"][0]
    assert entry["error"] == pytest.approx(-0.01)
    assert entry["mapping"]["tile"]["K"] == 2
    assert entry["mapping"]["order"] == list("NGKCRSPQ")
    assert entry["problem"]["K"] == 133
    assert entry["counters"] == {"operations": 798}
    assert entry["energy"] == 2 * 798
    # 133 x 3 weights, the 4 rows under two windows of 3, 133 x 2 outputs.
    assert (entry["dram"]["read"], entry["dram"]["written"]) == (
        {"inputs": 4, "partial_sums": 0, "weights": 399},
        {"outputs": 266, "partial_sums": 0},
    )
    assert entry["dram"]["energy"] == 50 * (4 + 399 + 266)
    assert (entry["dram"]["compute_cycles"], entry["dram"]["waiting_cycles"]) == (100, 0)
    assert entry["scaled"] is False


@pytest.mark.parametrize("command", ["map", "simulate", "validate"])
def test_every_row_is_as_wide_as_the_headings(command):
    report = network(layer(), UnsupportedLayer("lstm1", "lstm", 1, "why"))
    columns = COLUMNS[command]
    rows = [*network_table.table_rows(report, columns), network_table.total_row(report, columns)]
    assert {len(row) for row in rows} == {len(columns)}


def test_an_unsupported_layer_keeps_its_place_and_its_reason_is_a_footnote():
    report = network(UnsupportedLayer("lstm1", "lstm", 2, "layer 'lstm1': not yet"), layer())
    rows = network_table.table_rows(report, COLUMNS["validate"])
    assert rows[0][:3] == ["lstm1 ×2", "lstm", "not supported"]
    assert "Not supported: layer 'lstm1': not yet" in network_table.footnotes("validate", report)


def test_scaled_layers_are_marked_and_listed():
    report = network(layer("big", operations_before_scaling=9_000_000))
    assert network_table.table_rows(report, COLUMNS["validate"])[0][0] == "big*"
    heading, line = network_table.scaled_notes(report)
    assert heading.startswith("* shrunk by --scale")
    assert line.strip() == "big: 9,000,000 MACs to 798 (K133 R3 P2)"


def test_many_scaled_layers_are_summed_up():
    report = network(*(layer(f"big{number}", operations_before_scaling=1000) for number in range(11)))
    (note,) = network_table.scaled_notes(report)
    assert "11 layers: 11,000 operations to 8,778" in note


def test_pooled_inputs_are_not_called_macs():
    pooling = replace(layer("pool", operations_before_scaling=9_000), problem=Problem(R=3, S=3, P=2, operation="max"))
    _, line = network_table.scaled_notes(network(pooling))
    assert line.strip() == "pool: 9,000 pooled inputs to 18 (R3 S3 P2)"


def test_choices_say_why_the_winner_won():
    report = network(layer(candidates=1234, reason="fewest cycles"))
    assert network_table.choice_notes(report) == ["conv  fewest cycles"]
    assert network_table.choice_notes(network(layer())) == []


def test_the_choices_of_many_layers_are_summed_up():
    report = network(*(layer(f"conv{number}", candidates=1000, reason="why") for number in range(13)))
    (note,) = network_table.choice_notes(report)
    assert note.startswith("13,000 mappings estimated for 13 layers")


def test_a_mapping_in_few_words_names_tiles_above_one_and_loops_that_turn():
    assert notation.mapping_words(layer().problem, layer().mapping) == "K2 R3 | K P"
    blocks = Mapping.of({"K": 8, "C": 8}, "K:1024 N C K G P Q R S")
    assert notation.mapping_words(Problem(N=4, K=2560, C=320), blocks) == "K8 C8 | K:1024 N C K"


@pytest.mark.parametrize(("stalls", "words"), [({"weights": 400, "inputs": 300}, " 25% weights"), ({}, "nothing")])
def test_what_multipliers_wait_for_is_the_largest_cause_as_a_share_of_their_cycles(stalls, words):
    report = network(layer(cycles=100, stalls=stalls))
    assert network_table.stall_words(report, report.layers[0]) == words


def test_a_mapping_of_one_multiplier_and_no_loop_has_words_too():
    single = LayerReport(
        name="one", op="linear", count=1, problem=Problem(), mapping=Mapping.of({}), estimate=SimpleNamespace()
    )
    assert notation.mapping_words(single.problem, single.mapping) == "one multiplier"


@pytest.mark.parametrize(
    ("fraction", "text"), [(0.0123, "+1.23%"), (-0.0123, "-1.23%"), (0.0, "0.00%"), (-1e-9, "0.00%"), (None, "")]
)
def test_signed_percent(fraction, text):
    assert notation.signed_percent(fraction) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.5, "0.5"),
        (7.0, "7.00"),
        (99.96, "100"),
        (999.0, "999"),
        (999.6, "1.00 k"),
        (12_345.0, "12.3 k"),
        (999_999.0, "1.00 M"),
        (1.234e9, "1.23 G"),
        (5.6e15, "5600 T"),
    ],
)
def test_quantity_keeps_three_digits(value, text):
    assert notation.quantity(value) == text


@pytest.mark.parametrize(("cycles", "style"), [(100, "green"), (104, "yellow"), (120, "red")])
def test_the_size_of_an_error_has_a_colour(cycles, style):
    column = next(column for column in COLUMNS["validate"] if column.heading == "error")
    assert network_table.cell_style(layer(cycles=cycles, estimated=100), column) == style
