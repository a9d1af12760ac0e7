"""Energy: each event counted by hand and paid once, from one table of events and prices."""

from __future__ import annotations

import pytest

from maerisim.counts.events import DRAM_EVENTS, EVENTS, dram_energy, spent
from maerisim.hardware.energy import EnergyTable
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.memory.blocks import unlimited_use
from maerisim.ways.way import estimate
from maerisim.workload.problem import Problem

HARDWARE = Hardware.load("maeri-16")
PROBLEM, MAPPING = Problem(K=2, C=4), Mapping.of({"C": 4}, "N G C K R S P Q")
"""Two filters of four channels, one after the other on the same virtual neuron, which keeps its four inputs."""
FREE = EnergyTable(**{name: 0.0 for name in EnergyTable.model_fields if name != "unit"})


@pytest.mark.parametrize(
    ("price", "times"),
    [
        ("multiply", 2 * 4),
        ("add", 2 * 3),
        ("global_buffer_access", 8 + 4 + 2),  # weights, inputs, outputs
        ("distribution_switch_access", (8 + 4) * 4),  # four levels: two above a port, two below
        ("register_access", 12 + 2 * 8),  # written once a word, read twice a product
        ("multiplier_switch_access", 12 + 8),  # words in, products out
        ("accumulation_buffer_access", 0),  # one fold
    ],
)
def test_each_price_is_paid_as_often_as_counted_by_hand(price: str, times: int) -> None:
    counters = estimate(PROBLEM, MAPPING, HARDWARE).counters
    assert counters.energy(FREE.model_copy(update={price: 0.5})) == times / 2


def test_a_comparison_costs_an_addition() -> None:
    window = Problem(G=2, R=2, S=2, operation="max")
    counters = estimate(window, Mapping.of({"R": 2, "S": 2}, "N G K C R S P Q"), HARDWARE).counters
    events = {each.event: each.count for each in counters.spent(HARDWARE.energy) if each.component == "reduction"}
    assert events["comparison"] == 2 * 3
    assert "addition" not in events
    assert counters.energy(FREE.model_copy(update={"add": 1.0})) == 2 * 3


def test_words_from_and_to_dram_are_paid_one_by_one() -> None:
    use, table = unlimited_use(PROBLEM, MAPPING, 1), FREE.model_copy(update={"dram_access": 3.0})
    assert dram_energy(use, table) == 3.0 * (4 + 8 + 2)
    assert {each.event: each.count for each in spent(DRAM_EVENTS, use, table) if each.count} == {
        "inputs read": 4,
        "weights read": 8,
        "outputs written": 2,
    }


def test_no_event_stands_twice_in_the_table() -> None:
    names = [(event.component, event.name) for event in (*EVENTS, *DRAM_EVENTS)]
    counts = [event.count for event in (*EVENTS, *DRAM_EVENTS)]
    assert len(set(names)) == len(names)
    assert len(set(counts)) == len(counts)
