"""What is certain of a mapping never exceeds its simulation, and the search lists whatever may be better."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from maerisim.analytic.objective import score
from maerisim.analytic.ranking import Floor, rivals
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import simulate, violations
from maerisim.workload.problem import DIMENSIONS, Problem
from mapper import PROOF, find_mapping
from tests.strategies import hardwares, mappings, problems

ABOVE = 1e9
"""More than any of these mappings takes."""


def least(problem: Problem, hardware: Hardware, mapping: Mapping) -> float:
    """Cycles below which this mapping is certainly not."""
    floor = Floor(0.0, mapping.tile, 1, 1)
    found = rivals(problem, hardware, [floor], "cycles", ABOVE, orders=[mapping.order], placements=[mapping.placement])
    assert found.listed == []
    return found.least


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems(), hardwares(16), st.data())
def test_no_simulation_is_below_what_is_certain(problem: Problem, hardware: Hardware, data: st.DataObject) -> None:
    mapping = data.draw(mappings(problem, hardware, blocks=False))
    assume(not violations(problem, mapping, hardware))
    assert 0 < least(problem, hardware, mapping) <= simulate(problem, mapping, hardware).cycles


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems(), st.sampled_from(["maeri-16", "maeri-32"]), st.integers(1, 3), st.data())
def test_nor_where_weights_have_to_wait_for_those_in_use(
    problem: Problem, name: str, registers: int, data: st.DataObject
) -> None:
    few = {"multiplier.weight_registers": registers, "multiplier.weight_double_buffering": False}
    hardware = Hardware.load(name).with_overrides({**few, "distribution.latency": 2})
    mapping = data.draw(mappings(problem, hardware, blocks=False))
    assume(not violations(problem, mapping, hardware))
    assert 0 < least(problem, hardware, mapping) <= simulate(problem, mapping, hardware).cycles


@pytest.mark.parametrize("filter_columns", [1, 2, 3, 4, 5])
def test_weights_are_loaded_while_a_virtual_neuron_is_idle_at_an_edge(filter_columns: int) -> None:
    """Of four virtual neurons three have no fifth group: they load their next weights meanwhile, and take 20 cycles for each
    column of the filter. In the last of them they send the first of 50 results through the one bus, 9 cycles after it begins.
    """
    few = {"multipliers": 4, "multiplier.weight_registers": 1, "multiplier.weight_double_buffering": False}
    hardware = Hardware.load("maeri").with_overrides({
        **few, "distribution.latency": 2, "distribution.bandwidth": 4, "collection.bandwidth": 1,
        "multiplier.latency": 2, "reduction.topology": "linear", "reduction.latency": 2, "accumulation.latency": 2,
    })  # fmt: skip
    problem = Problem(N=2, G=5, S=filter_columns, P=5)
    mapping = Mapping.of({"G": 4}, "K S N C G P R Q")
    cycles = 20 * (filter_columns - 1) + 9 + 50
    assert simulate(problem, mapping, hardware).cycles == cycles
    assert least(problem, hardware, mapping) == cycles


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems(most_macs=300), hardwares(16, controllers=False), st.data())
def test_every_loop_order_that_may_be_better_is_listed(
    problem: Problem, hardware: Hardware, data: st.DataObject
) -> None:
    drawn = data.draw(mappings(problem, hardware, blocks=False))
    sizes = dict(zip(DIMENSIONS, problem.dims, strict=True))
    turning = [d for d in DIMENSIONS if sizes[d] > drawn.tile_of(d)]
    assume(1 < len(turning) < 5)
    tile = dict(zip(DIMENSIONS, drawn.tile, strict=True))
    still = [d for d in DIMENSIONS if d not in turning]
    orders = [Mapping.of(tile, [*still, *order], drawn.placement) for order in permutations(turning)]
    cycles = {
        mapping.order: simulate(problem, mapping, hardware).cycles
        for mapping in orders
        if not violations(problem, mapping, hardware)
    }
    assume(cycles)
    below = data.draw(st.sampled_from([max(cycles.values()), max(cycles.values()) + 1, min(cycles.values()) + 1]))
    floor = Floor(0.0, drawn.tile, 1, 1)
    found = rivals(problem, hardware, [floor], "cycles", below, count=1000, placements=[drawn.placement])
    assert found.least == below
    listed = {tuple(d for d in mapping.order if d in turning): bound for bound, mapping in found.listed}
    for order, simulated in cycles.items():
        if simulated < below:
            assert listed[tuple(d for d in order if d in turning)] <= simulated
    few = rivals(problem, hardware, [floor], "cycles", below, count=1, placements=[drawn.placement])
    assert min([few.least, *(bound for bound, _ in few.listed)]) <= min(cycles.values())


def test_a_search_to_proof_of_a_small_layer_leaves_no_gap() -> None:
    problem, hardware = Problem(K=12, C=8, P=3, Q=5), Hardware.load("maeri-16")
    choice = find_mapping(problem, hardware, effort=PROOF)
    assert choice.certificate is not None
    assert choice.certificate.certain_gap == 0


def test_of_products_with_energy_the_same_holds() -> None:
    problem, hardware = Problem(K=6, C=4, P=2, Q=3), Hardware.load("maeri-16")
    mapping = Mapping.of({"K": 2, "C": 4}, "N G C R S P Q K")
    result = simulate(problem, mapping, hardware)
    reached = score("edp", result.cycles, result.counters.energy(hardware.energy))[0]
    floor = Floor(0.0, mapping.tile, 1, 1)
    given = {"orders": [mapping.order], "placements": [mapping.placement]}
    found = rivals(problem, hardware, [floor], "edp", reached * 1.01, count=5, **given)
    assert [each.tile for _, each in found.listed] == [mapping.tile]
    assert found.listed[0][0] <= reached * (1 + 1e-12)
    assert rivals(problem, hardware, [floor], "edp", found.listed[0][0], count=5, **given).listed == []
