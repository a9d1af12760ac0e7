"""The mapper of two fused layers."""

from __future__ import annotations

import pytest

from maerisim.analytic.objective import Objective
from maerisim.errors import NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.fused import FusedMapping, shares
from maerisim.ways.way import simulate, violations
from maerisim.workload.network import Network
from maerisim.workload.problem import FusedProblem, Problem
from mapper import find_fused, find_mapping

PAIRS = {
    "convolutions": FusedProblem(
        Problem(K=8, C=16, P=10, Q=10), Problem(K=8, C=8, R=3, S=3, P=10, Q=10, padding=(1, 1))
    ),
    "pooling": FusedProblem(
        Problem(K=8, C=4, R=3, S=3, P=8, Q=8),
        Problem(G=8, R=2, S=2, P=4, Q=4, stride=(2, 2), operation="max"),
    ),
    "head": FusedProblem(Problem(K=8, C=8, R=3, S=3, P=4, Q=4), Problem(K=20, C=128)),
}


@pytest.mark.parametrize("problem", PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("hardware", ["maeri-16", "maeri-64"])
def test_the_choice_fits_and_takes_what_was_estimated(problem: FusedProblem, hardware: str) -> None:
    machine = Hardware.load(hardware)
    choice = find_fused(problem, machine)
    assert violations(problem, choice.mapping, machine) == []
    assert choice == find_fused(problem, machine)
    cycles = simulate(problem, choice.mapping, machine).cycles
    assert choice.estimate.cycles == pytest.approx(cycles, rel=0.05)
    assert choice.estimate.bound_cycles <= cycles


@pytest.mark.parametrize("problem", PAIRS.values(), ids=PAIRS)
def test_no_even_share_with_the_best_mappings_of_each_is_faster(problem: FusedProblem) -> None:
    """The best mapping of each layer alone knows nothing of the other, so that the second may have to wait."""
    hardware = Hardware.load("maeri-64")
    choice = find_fused(problem, hardware)
    half, _ = shares(hardware, 32)
    alone = [find_mapping(layer, Hardware.load("maeri-32")).mapping for layer in (problem.first, problem.second)]
    assert half.multipliers == 32
    naive = simulate(problem, FusedMapping(alone[0], alone[1], 32), hardware).cycles
    assert simulate(problem, choice.mapping, hardware).cycles <= naive


def test_apart_is_what_both_take_on_the_whole_array() -> None:
    problem, hardware = PAIRS["pooling"], Hardware.load("maeri-64")
    apart = find_fused(problem, hardware).apart
    cycles = [
        simulate(layer, find_mapping(layer, hardware).mapping, hardware).cycles
        for layer in (problem.first, problem.second)
    ]
    assert apart.cycles == sum(cycles)


@pytest.mark.parametrize("objective", ["energy", "edp", "energy_efficiency"])
def test_objectives(objective: Objective) -> None:
    problem, hardware = PAIRS["convolutions"], Hardware.load("maeri-64")
    fastest, other = find_fused(problem, hardware), find_fused(problem, hardware, objective)

    def energy_of(mapping: FusedMapping) -> float:
        return simulate(problem, mapping, hardware).counters.energy(hardware.energy)

    assert energy_of(other.mapping) <= energy_of(fastest.mapping)


def test_hardware_that_cannot_fuse_is_refused() -> None:
    with pytest.raises(NotSupportedError, match="run ahead on their own"):
        find_fused(PAIRS["pooling"], Hardware.load("stonne"))


def test_the_published_error_of_the_shipped_pairs() -> None:
    """What the README says of the estimate, in full, at 64 multipliers."""
    hardware = Hardware.load("maeri-64")
    for layer in Network.load("fused").layers:
        choice = find_fused(layer.fused, hardware)  # type: ignore[union-attr]
        cycles = simulate(layer.fused, choice.mapping, hardware).cycles  # type: ignore[union-attr]
        assert abs(choice.estimate.cycles - cycles) <= 0.005 * cycles
