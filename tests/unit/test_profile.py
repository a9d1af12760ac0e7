"""Profiles of mappings: small ones counted by hand, drawn ones against the counters of their runs."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, assume, given, settings

from maerisim.counts.counters import OPERANDS
from maerisim.counts.tile_kinds import TileKind
from maerisim.errors import NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.memory.blocks import compulsory_words
from maerisim.reports.profile import code_bits, profile
from maerisim.reports.relief import doubles, reliefs
from maerisim.ways.way import programs, simulate, violations
from maerisim.workload.problem import Problem
from maerisim.workload.sparsity import Sparsity
from tests.strategies import Case, cases, sparse_cases

MAERI_16 = Hardware.load("maeri-16")


def profile_of(problem, mapping, hardware=MAERI_16):
    return profile(problem, mapping, hardware, simulate(problem, mapping, hardware))


@pytest.fixture(scope="module")
def filters():
    """Two filters of two 3x3 channels on a 5x5 input, one channel of one filter on the fabric at a time."""
    return profile_of(Problem(K=2, C=2, R=3, S=3, P=3, Q=3), Mapping.of({"R": 3, "S": 3}, "N G K C R S P Q"))


def test_a_filter_row_slides_over_unicasts(filters):
    """For each of 2 x 2 channels 9 weights. For each of their 3 output rows the 9 inputs of the first window, then 3
    new ones for each of 2 further windows; the other 6 inputs of these come from the neighbours.
    """
    sent = filters.multicasts
    assert sent["weights"].words == {1: 4 * 9}
    assert sent["inputs"].words == {1: 4 * 3 * (9 + 2 * 3)}
    assert filters.counters.forwards == 4 * 3 * 2 * 6
    assert sent["partial_sums"].words == {}
    assert sent["inputs"].packets == 180
    # Four ports: two switches above each, two levels below it.
    assert sent["inputs"].hops == 180 * 4


def test_a_single_virtual_neuron_leaves_the_rest_idle(filters):
    assert filters.steps == 2 * 2 * 9
    assert filters.tiles == (TileKind(((9, 1),), 9, empty=0, partial_sums=0, idle=7, steps=36),)
    assert filters.peak_utilization == filters.step_utilization == 9 / 16
    assert filters.utilization == 36 * 9 / (16 * filters.cycles)


def test_compulsory_words_cross_once(filters):
    assert filters.dram == {"inputs": 2 * 5 * 5, "weights": 2 * 2 * 9, "outputs": 2 * 9}
    energy = {spent.event: spent.energy for spent in filters.spent if spent.component == "dram"}
    assert energy == {"inputs read": 50 * 54, "weights read": 36 * 54, "outputs written": 18 * 54}


def test_a_word_that_two_ports_bring_is_one_multicast():
    """Two virtual neurons of 4, each below a port of its own, share their 4 inputs; the third filter is alone.

    Twice (Q) 4 words to 2 switches, twice 4 words to 1; the first take a slot of both ports.
    """
    found = profile_of(Problem(K=3, C=4, Q=2), Mapping.of({"K": 2, "C": 4}, "N G K C R S P Q"))
    assert found.multicasts["inputs"].words == {1: 8, 2: 8}
    assert found.multicasts["inputs"].packets == 8 + 2 * 8
    assert found.multicasts["weights"].words == {1: 12}
    assert found.tiles == (
        TileKind(((4, 2),), 8, empty=0, partial_sums=0, idle=8, steps=2),
        TileKind(((4, 1),), 4, empty=0, partial_sums=0, idle=12, steps=2),
    )
    assert found.peak_utilization == 8 / 16
    assert found.step_utilization == 6 / 16


def test_a_word_below_one_port_takes_one_slot():
    found = profile_of(Problem(K=2, C=2, Q=3), Mapping.of({"K": 2, "C": 2}, "N G K C R S P Q"))
    assert found.multicasts["inputs"].words == {2: 6}
    assert found.multicasts["inputs"].packets == 6


def test_switches_beyond_the_edge_of_a_tile_are_empty_not_idle():
    """Three channels in a tile of two: the second step multiplies one, and the other switch passes nothing on."""
    found = profile_of(Problem(C=3), Mapping.of({"C": 2}))
    assert found.tiles == (
        TileKind(((2, 1),), 2, empty=0, partial_sums=0, idle=14, steps=1),
        TileKind(((1, 1),), 1, empty=1, partial_sums=0, idle=14, steps=1),
    )


def test_partial_sums_take_a_switch_and_come_back_but_for_the_first():
    """Without an accumulation buffer the sums of the first two channels (for two outputs) return with the others."""
    hardware = MAERI_16.with_overrides({"accumulation.words": 0})
    found = profile_of(Problem(C=4, Q=2), Mapping.of({"C": 2}, "N G K C R S P Q"), hardware)
    assert found.multicasts["partial_sums"].words == {1: 2}
    assert found.tiles == (TileKind(((2, 1),), 2, empty=0, partial_sums=1, idle=13, steps=4),)


def test_a_sparse_layer_is_configured_for_each_set_of_filters():
    """Filters of 3, 2 and 1 nonzero weights, one at a time: three configurations of a step each."""
    problem = Problem(K=3, C=4, sparsity=Sparsity(bitmap=("1110", "0110", "0001")))
    found = profile_of(problem, Mapping.of({"C": 3}, "G K N P Q C R S"))
    assert found.configurations == 3
    assert [(kind.virtual_neurons, kind.idle, kind.steps) for kind in found.tiles] == [
        (((3, 1),), 13, 1),
        (((2, 1),), 14, 1),
        (((1, 1),), 15, 1),
    ]
    assert found.dram["weights"] == 6


@pytest.mark.parametrize(
    ("problem", "inputs"),
    [
        # A window of 3 with padding 1 over 4 x 6 inputs.
        (Problem(C=2, R=3, S=3, P=4, Q=6, padding=(1, 1)), 2 * 4 * 6),
        # Every second of 9 inputs: the stride steps over the others.
        (Problem(Q=5, stride=(1, 2)), 5),
        # Two taps, two apart, at 0 and 3: inputs 0, 2, 3, 5.
        (Problem(S=2, Q=2, stride=(1, 3), dilation=(1, 2)), 4),
    ],
)
def test_inputs_that_no_window_touches_are_not_compulsory(problem, inputs):
    assert compulsory_words(problem)["inputs"] == inputs


def test_code_is_counted_part_by_part():
    """One step: 15 adder switches of 4 bits, 12 flags for each of 16 multipliers, 4 for the virtual neuron; four inputs and
    four weights of an address and 4 leaves; a step of 4 numbers in each of the four threads that have something to do.
    """
    (program,) = programs(Problem(C=4), Mapping.of({"C": 4}), MAERI_16)
    assert code_bits(program, MAERI_16) == {
        "adder_switches": 60,
        "multiplier_switches": 192,
        "virtual_neurons": 4,
        "packets": 8 * 36,
        "loops": 4 * 128,
    }


def check(case: Case) -> None:
    problem, mapping, hardware = case
    assume(not violations(problem, mapping, hardware))
    result = simulate(problem, mapping, hardware)
    found, counters = profile(problem, mapping, hardware, result), result.counters
    for operand in OPERANDS:
        sent = found.multicasts[operand]
        assert sum(width * count for width, count in sent.words.items()) == counters.delivered[operand]
        assert sum(sent.words.values()) == counters.buffer_reads[operand]
        assert sent.packets == counters.distributed[operand]
    assert sum(sent.hops for sent in found.multicasts.values()) == counters.distribution_hops
    assert sum(kind.multipliers * kind.steps for kind in found.tiles) == counters.operations
    assert sum(kind.steps for kind in found.tiles) == found.steps
    for kind in found.tiles:
        assert kind.multipliers + kind.empty + kind.partial_sums + kind.idle == hardware.multipliers
        assert sum(size * count for size, count in kind.virtual_neurons) == kind.multipliers
    for component, energy in counters.energy_by_component(hardware.energy).items():
        found_energy = math.fsum(spent.energy for spent in found.spent if spent.component == component)
        assert found_energy == pytest.approx(energy)
    assert found.energy == pytest.approx(counters.energy(hardware.energy))
    assert all(load.busy <= found.cycles for load in found.loads)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_profiles_add_up_to_the_counters(case: Case) -> None:
    check(case)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(sparse_cases())
def test_profiles_of_sparse_layers_add_up_to_the_counters(case: Case) -> None:
    check(case)


def test_relief_is_the_simulation_of_a_larger_fabric():
    """A virtual neuron of 16 takes 16 inputs once and 16 weights in each of 40 steps: 41 times 4 slots of each port.

    Below 8 ports it is 41 times 2.
    """
    problem, mapping = Problem(K=40, C=16), Mapping.of({"C": 16})
    other = Mapping.of({"K": 4, "C": 4})
    asked = []

    def find(problem, hardware):
        asked.append(hardware)
        return other

    found = {relief.resource: relief for relief in reliefs(problem, mapping, MAERI_16, find)}
    for resource, path, size in (
        ("distribution ports", "distribution.bandwidth", 8),
        ("collection buses", "collection.bandwidth", 8),
        ("weight registers", "multiplier.weight_registers", 64),
        ("accumulation words", "accumulation.words", 2048),
    ):
        larger = MAERI_16.with_overrides({path: size})
        assert found[resource].cycles == simulate(problem, mapping, larger).cycles
        assert not found[resource].remapped
    before = simulate(problem, mapping, MAERI_16).cycles
    assert before - found["distribution ports"].cycles == 41 * 4 - 41 * 2
    assert found["collection buses"].cycles == before
    assert found["mapping"].cycles == simulate(problem, other, MAERI_16).cycles
    same, wider = asked
    assert same == MAERI_16
    assert (wider.multipliers, wider.ports, wider.buses, wider.accumulation_words) == (32, 4, 4, 1024)
    assert found["multipliers"].cycles == simulate(problem, other, wider).cycles
    assert found["mapping"].remapped
    assert found["multipliers"].remapped


def test_what_no_hardware_has_more_of_is_left_out():
    full = Hardware.load("maeri-16").with_overrides({"distribution.bandwidth": 16, "collection.bandwidth": 16})
    problem, mapping = Problem(C=4), Mapping.of({"C": 4})
    found = [relief.resource for relief in reliefs(problem, mapping, full, lambda *_: mapping)]
    assert found == [
        "weight registers",
        "input registers",
        "accumulation words",
        "queues",
        "all of these",
        "multipliers",
    ]


def test_what_is_not_there_is_doubled_to_a_default():
    bare = MAERI_16.with_overrides({"accumulation.words": 0, "multiplier.input_registers": 0})
    changes = {resource: (change, numbers) for resource, change, numbers in doubles(bare)}
    assert changes["accumulation words"] == ("0 to 1,024", {"accumulation.words": 1024})
    change, numbers = changes["input registers"]
    assert change == "0 to 1"
    assert numbers == {"multiplier.input_registers": 1, "multiplier.input_fifo_depth": 5}


def test_a_controller_in_lock_step_has_no_control_steps():
    with pytest.raises(NotSupportedError, match="maeri_rtl is driven in lock step"):
        profile(Problem(C=4), Mapping.of({"C": 4}), Hardware.load("maeri_rtl"), None)
