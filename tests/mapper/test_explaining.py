"""The explanation of a choice: what was rejected and what lies beside it, with what their simulation takes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from maerisim.analytic.explanation import Cost
from maerisim.analytic.objective import Objective, score
from maerisim.errors import NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.constraints import Constraint
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import simulate, violations
from maerisim.workload.problem import Problem
from mapper import explain_choice, find_mapping
from mapper.explaining import neighbours

HARDWARE = Hardware.load("maeri-16")
LAYER = Problem(K=6, C=4, R=3, S=3, P=4, Q=4)


@pytest.mark.parametrize("objective", ["cycles", "energy", "edp"])
def test_nothing_shown_is_better_and_every_number_is_simulated(objective: Objective) -> None:
    choice = find_mapping(LAYER, HARDWARE, objective)
    explanation = explain_choice(LAYER, HARDWARE, choice, objective)
    assert explanation.rejected
    shown = [(each.mapping, each.cost) for each in (*explanation.rejected, *explanation.neighbours) if each.cost]
    assert choice.mapping not in [mapping for mapping, _ in shown]
    best = score(objective, explanation.chosen.cycles, explanation.chosen.energy)[0]
    for mapping, cost in [(choice.mapping, explanation.chosen), *shown]:
        result = simulate(LAYER, mapping, HARDWARE)
        assert (cost.cycles, cost.energy) == (result.cycles, result.counters.energy(HARDWARE.energy))
        assert score(objective, cost.cycles, cost.energy)[0] >= best
    assert choice.certificate is not None
    assert explanation.closed_by == choice.certificate.closed_by
    for each in explanation.neighbours:
        assert bool(each.refused) == bool(violations(LAYER, each.mapping, HARDWARE))


def test_neighbours_take_one_step_in_one_dimension() -> None:
    mapping = Mapping.of({"K": 2, "C": 4}, "K:4 N G C R S P Q K")
    found = dict(neighbours(Problem(K=8, C=4, Q=3), mapping))
    assert list(found) == [
        "tile of K halved: 1",
        "tile of K doubled: 4",
        "tile of C halved: 2",
        "tile of Q doubled: 2",
        "without blocks K:4",
    ]
    assert found["tile of K halved: 1"] == Mapping.of({"C": 4}, "K:4 N G C R S P Q K")
    # Blocks of 4 are no larger than a tile of 4, so that no loop walks them any more.
    assert found["tile of K doubled: 4"] == Mapping.of({"K": 4, "C": 4}, "N G C R S P Q K")
    assert found["without blocks K:4"] == Mapping.of({"K": 2, "C": 4}, "N G C R S P Q K")


def test_worse_is_relative_to_the_chosen_and_says_what_there_was_none_of() -> None:
    chosen = Cost(cycles=100, energy=50.0, words=10, utilization=0.5, port_stalls=0)
    other = Cost(cycles=110, energy=40.0, words=10, utilization=0.4, port_stalls=3)
    assert other.worse(chosen) == {"cycles": 0.1, "utilization": pytest.approx(0.2), "port_stalls": None}
    assert chosen.worse(chosen) == {}


def test_what_is_rejected_keeps_to_the_constraints() -> None:
    constraints = [Constraint("innermost", ("K",), "")]
    choice = find_mapping(LAYER, HARDWARE, constraints=constraints)
    explanation = explain_choice(LAYER, HARDWARE, choice, constraints=constraints)
    assert explanation.rejected
    sizes = dict(zip("NGKCRSPQ", LAYER.dims, strict=True))
    for each in explanation.rejected:
        turning = [d for d in each.mapping.order if each.mapping.tile_of(d) < sizes[d]]
        assert "K" not in turning[:-1]


def test_only_searches_of_all_tiles_are_explained() -> None:
    hardware = Hardware.load("maeri_rtl")
    problem = Problem(K=2, C=1, R=3, S=3, P=2, Q=2)
    with pytest.raises(NotSupportedError, match="only a search of all tiles and loop orders is explained"):
        explain_choice(problem, hardware, find_mapping(problem, hardware))


def test_what_closed_the_proof_is_the_bound_that_leaves_the_least_room() -> None:
    account = find_mapping(LAYER, HARDWARE).certificate
    assert account is not None
    certain = replace(account, certain_gap=0.0, gap=0.0, nest_gap=None).closed_by
    assert certain.startswith("what is certain of the times")
    assert certain.endswith(": none is faster")
    trusting = replace(account, certain_gap=0.02, gap=0.01, nest_gap=0.03).closed_by
    assert trusting.startswith("estimates of mappings with one loop a dimension")
    assert "none is faster by more than 1.00%; with any nest" in trusting
    assert trusting.endswith("none is faster by more than 3.00%")
