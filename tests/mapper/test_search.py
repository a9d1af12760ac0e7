"""The search to proof against simulating or estimating every mapping of small layers."""

from __future__ import annotations

from math import prod

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from maerisim.analytic.objective import Objective, score
from maerisim.analytic.ranking import floors
from maerisim.errors import NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.ways.way import estimate, simulate, violations
from maerisim.workload.problem import Problem
from maerisim.workload.sparsity import Sparsity
from mapper import PROOF, Effort, find_front, find_mapping
from mapper.references.heuristic import heuristic
from mapper.space import placed_switches, space_of
from tests.mapper.spaces import all_mappings, all_tiles_of, walks_of
from tests.strategies import hardwares

SMALL = {
    "convolution": Problem(K=3, R=2, S=2, Q=3),
    "product": Problem(N=4, K=3, C=5),
    "depthwise": Problem(G=3, S=2, Q=4),
    "pooling": Problem(G=3, S=3, Q=4, stride=(1, 2), operation="max"),
}
LARGE = Problem(K=64, C=64, R=3, S=3, P=28, Q=28)


@st.composite
def small_problems(draw: st.DrawFn) -> Problem:
    sizes = {d: draw(st.integers(2, 6)) for d in draw(st.permutations("NGKCRSPQ"))[:3]}
    return Problem(**sizes, stride=(draw(st.integers(1, 2)),) * 2, operation=draw(st.sampled_from(["multiply", "max"])))


@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize("objective", ["cycles", "edp"])
def test_what_is_proven_best_is_the_best_of_all(kind: str, objective: Objective) -> None:
    hardware, problem = Hardware.load("maeri-16"), SMALL[kind]

    def simulated(mapping: object) -> float:
        result = simulate(problem, mapping, hardware)  # type: ignore[arg-type]
        return score(objective, result.cycles, result.counters.energy(hardware.energy))[0]

    choice = find_mapping(problem, hardware, objective, effort=PROOF)
    assert choice.certificate is not None
    assert choice.certificate.gap == 0
    assert simulated(choice.mapping) == min(map(simulated, all_mappings(problem, hardware)))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(small_problems(), hardwares(8), st.sampled_from(["cycles", "edp"]), st.integers(1, 3), st.sampled_from([0, 2]))
def test_nothing_is_better_than_the_certain_gap_allows(
    problem: Problem, hardware: Hardware, objective: Objective, simulations: int, rivals: int
) -> None:
    mappings = all_mappings(problem, hardware)
    assume(0 < len(mappings) <= 150)
    choice = find_mapping(problem, hardware, objective, effort=Effort(0, simulations, rivals=rivals))
    scores = {}
    for mapping in {*mappings, choice.mapping}:
        result = simulate(problem, mapping, hardware)
        scores[mapping] = score(objective, result.cycles, result.counters.energy(hardware.energy))[0]
    account = choice.certificate
    assert account is not None
    assert account.simulated <= simulations + rivals
    assert min(scores.values()) >= scores[choice.mapping] * (1 - account.certain_gap) * (1 - 1e-12)
    assert account.gap <= account.certain_gap + 1e-12


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(small_problems(), hardwares(16, controllers=False))
def test_the_space_counts_every_tile_order_and_placement_once(problem: Problem, hardware: Hardware) -> None:
    assume(hardware.reduction.topology != "plain_tree")
    expected = sum(len(list(walks_of(problem, tile))) for tile in all_tiles_of(problem, hardware))
    assert space_of(problem, hardware).mappings == expected


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(small_problems())
def test_what_there_is_to_place_is_counted_without_listing_tiles(problem: Problem) -> None:
    hardware = Hardware.load("maeri-16")
    expected = 0
    for tile in all_tiles_of(problem, hardware):
        expected += prod(tile.values()) * len({placement for _, placement in walks_of(problem, tile)})
    assert placed_switches(problem, hardware.multipliers) == expected


def test_floors_hold_whatever_time_there_was() -> None:
    problem, hardware = Problem(K=19, C=5, R=3, S=5, P=6, Q=5), Hardware.load("maeri-64")
    tiles = space_of(problem, hardware).tiles
    placed = {floor.tile: floor.score for floor in floors(problem, hardware, tiles, "cycles", 1000)}
    hasty = {floor.tile: floor.score for floor in floors(problem, hardware, tiles, "cycles", 1000, until=0.0)}
    assert set(placed) < set(hasty)
    assert all(hasty[tile] <= score for tile, score in placed.items())


def test_a_search_without_time_says_how_far_off_it_may_be() -> None:
    hardware = Hardware.load("maeri-256")
    hasty = find_mapping(LARGE, hardware, effort=Effort(tolerance=0, simulations=None, seconds=0))
    best = find_mapping(LARGE, hardware)
    assert hasty.certificate is not None
    assert best.certificate is not None
    assert hasty.certificate.unseen_tiles > 0
    assert best.certificate.unseen_tiles == 0
    assert best.certificate.gap <= 0.001
    reached, least = (simulate(LARGE, each.mapping, hardware).cycles for each in (hasty, best))
    assert least >= reached * (1 - hasty.certificate.gap)
    assert "not looked at when the effort was spent" in hasty.reason


def test_the_account_adds_up() -> None:
    hardware = Hardware.load("maeri-64")
    account = find_mapping(LARGE, hardware).certificate
    assert account is not None
    assert account.tiles == len(space_of(LARGE, hardware).tiles)
    assert account.mappings > account.estimated > account.simulated >= 1
    assert account.dismissed_tiles < account.tiles


@pytest.mark.parametrize("kind", SMALL)
def test_the_front_is_that_of_all_estimates(kind: str) -> None:
    hardware, problem = Hardware.load("maeri-16"), SMALL[kind]
    costs = set()
    for mapping in all_mappings(problem, hardware):
        expected = estimate(problem, mapping, hardware)
        costs.add((expected.cycles, expected.counters.energy(hardware.energy)))
    front = {
        (cycles, energy)
        for cycles, energy in costs
        if not any(c <= cycles and e <= energy and (c, e) != (cycles, energy) for c, e in costs)
    }
    points = find_front(problem, hardware)
    found = [(point.choice.estimate.cycles, point.energy) for point in points]
    assert set(found) <= front
    for cycles, energy in front - set(found):  # its simulation showed that another one is as fast for no more energy
        assert any(point.energy < energy and point.choice.estimate.cycles >= cycles for point in points)
    assert [point.cycles for point in points] == sorted({point.cycles for point in points})
    for point in points:
        assert point.cycles == simulate(problem, point.choice.mapping, hardware).cycles


def test_sparse_layers_have_no_front() -> None:
    problem = Problem(K=4, C=8, sparsity=Sparsity(density=0.5, seed=1))
    with pytest.raises(NotSupportedError, match="dense layers"):
        find_front(problem, Hardware.load("maeri-16"))


@pytest.mark.parametrize("kind", SMALL)
def test_the_heuristic_is_legal_and_never_better_than_the_proven_best(kind: str) -> None:
    hardware, problem = Hardware.load("maeri-16"), SMALL[kind]
    rough = heuristic(problem, hardware, "cycles")
    assert violations(problem, rough, hardware) == []
    best = find_mapping(problem, hardware, effort=PROOF).mapping
    assert simulate(problem, best, hardware).cycles <= simulate(problem, rough, hardware).cycles


def test_a_front_in_picojoules_ends() -> None:
    """Their sums depend on the order of the terms in the last digit: a point must not be found again as one of less energy."""
    hardware = Hardware.load("maeri-45nm").with_overrides({
        "multipliers": 8, "reduction.latency": 64, "energy.multiply": 0, "multiplier.forward_fifo_depth": 65536
    })  # fmt: skip
    energies = [point.energy for point in find_front(Problem(K=2, C=9), hardware)]
    assert energies == sorted(set(energies), reverse=True)


def test_a_search_ends_where_bounds_rule_out_hardly_anything() -> None:
    """One bus for 256 switches: all mappings need it as long, and how long they wait for it takes long to tell."""
    problem = Problem(K=16, C=9, R=3, S=3, P=7, Q=7)
    hardware = Hardware.load("maeri-16").with_overrides(
        {"multipliers": 256, "distribution.bandwidth": 256, "collection.bandwidth": 1}
    )
    found = find_mapping(problem, hardware, effort=Effort(work=200_000))
    assert found.certificate is not None
    assert found.certificate.unseen_tiles > 0
    assert found.certificate.certain_gap < 0.1
    assert find_mapping(problem, hardware, effort=Effort(work=0)).certificate is not None
    assert found == find_mapping(problem, hardware, effort=Effort(work=200_000))
