"""Mappings with loops over blocks: made where the bound of every nest promises something better, which nothing undercuts."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from math import inf
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from maerisim.analytic.objective import Objective, score
from maerisim.analytic.ranking import Floor, floors
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.constraints import Constraint, Range
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import estimate, simulate, violations
from maerisim.workload.network import Network
from maerisim.workload.problem import DIMENSIONS, Problem
from maerisim.workload.reference import random_operands, reference_outputs
from mapper import PROOF, Choice, Effort, find_mapping
from mapper.nests import blocks_of, near
from tests.strategies import hardwares, mappings, problems

HARDWARE = Hardware.load("maeri-16").with_overrides({"accumulation.words": 32})
PRODUCT = Problem(N=48, K=48, C=24)
WIDE = {layer.name: layer.problem for layer in Network.load(str(Path(__file__).parent / "wide_gemm.yaml")).layers}


def cycles(problem: Problem, hardware: Hardware) -> int:
    return simulate(problem, find_mapping(problem, hardware).mapping, hardware).cycles


@pytest.fixture(scope="module")
def choice() -> Choice:
    return find_mapping(PRODUCT, HARDWARE)


def of_one_loop(problem: Problem, hardware: Hardware) -> Choice:
    """The best mapping that cuts nothing into blocks."""
    limits = [Constraint(f"block {d}", Range(full=True), "") for d in DIMENSIONS]
    return find_mapping(problem, hardware, constraints=limits, effort=PROOF)


def test_a_mapping_in_blocks_is_chosen_where_it_beats_the_proven_best_without(choice: Choice) -> None:
    assert choice.mapping.cuts
    assert violations(PRODUCT, choice.mapping, HARDWARE) == []
    operands = random_operands(PRODUCT, seed=1)
    result = simulate(PRODUCT, choice.mapping, HARDWARE, operands=operands)
    np.testing.assert_array_equal(result.outputs, reference_outputs(PRODUCT, operands))
    proven = of_one_loop(PRODUCT, HARDWARE)
    assert not proven.mapping.cuts
    assert result.cycles < 0.98 * simulate(PRODUCT, proven.mapping, HARDWARE).cycles
    assert choice.estimate == estimate(PRODUCT, choice.mapping, HARDWARE)


def test_the_account_says_how_far_any_nest_is(choice: Choice) -> None:
    account = choice.certificate
    assert account is not None
    assert account.with_blocks > 0
    assert account.nest_gap is not None
    assert account.proof.startswith("to ")
    words = str(account)
    assert words.startswith(f"loops over blocks take {100 * account.fewer:.1f}% off the best of ")
    assert "none with any nest of loops is faster by more than" in words


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems(), hardwares(16, controllers=False), st.data())
def test_no_mapping_undercuts_the_floor_of_its_tile(problem: Problem, hardware: Hardware, data: st.DataObject) -> None:
    assume(problem.sparsity is None)
    mapping = data.draw(mappings(problem, hardware))
    sizes = dict(zip(DIMENSIONS, problem.dims, strict=True))
    whole = all(step % mapping.tile_of(d) == 0 or step >= sizes[d] for d, step in mapping.loops)
    assume(whole and not violations(problem, mapping, hardware))
    objective: Objective = data.draw(st.sampled_from(["cycles", "energy", "edp"]))
    (floor,) = floors(problem, hardware, np.array([mapping.tile], np.int32), objective, inf)
    result = simulate(problem, mapping, hardware)
    reached = score(objective, result.cycles, result.counters.energy(hardware.energy))[0]
    assert floor.score <= reached * (1 + 1e-12)


def test_wide_products_take_no_longer_than_their_parts_cut_by_hand() -> None:
    hardware = Hardware.load("maeri-64")
    whole = {name: cycles(WIDE[name], hardware) for name in ("geglu", "self_qk")}
    parts = {name: cycles(WIDE[name], hardware) for name in ("geglu_third", "geglu_rest", "self_qk_quarter")}
    assert whole["geglu"] <= 2 * parts["geglu_third"] + parts["geglu_rest"]
    assert whole["self_qk"] <= 4 * parts["self_qk_quarter"]
    # The multipliers alone bound them at 52.4 and 83.9 million.
    assert whole["geglu"] <= 52_500_000
    assert whole["self_qk"] <= 84_000_000


@pytest.mark.parametrize("objective", ["energy", "edp"])
def test_other_objectives_walk_blocks_too(objective: Objective) -> None:
    seen: list[Choice] = []
    choice = find_mapping(PRODUCT, HARDWARE, objective, watch=seen.append)
    assert seen[-1].mapping == choice.mapping
    without = of_one_loop(PRODUCT, HARDWARE).mapping
    scores = []
    for mapping in (choice.mapping, without):
        result = simulate(PRODUCT, mapping, HARDWARE)
        scores.append(score(objective, result.cycles, result.counters.energy(HARDWARE.energy))[0])
    assert scores[0] < scores[1]
    assert choice.certificate is not None
    assert choice.certificate.nest_gap is not None


def test_constraints_on_the_order_keep_to_one_loop_a_dimension() -> None:
    innermost = Constraint("innermost", ("K",), "")
    choice = find_mapping(PRODUCT, HARDWARE, constraints=[innermost])
    assert choice.mapping.cuts == ()
    assert choice.certificate is not None
    assert choice.certificate.nest_gap is None


def test_constraints_limit_the_sizes_of_blocks() -> None:
    limits = [Constraint("block N", Range(full=True), ""), Constraint("block K", Range(min=8, max=24), "")]
    mapping = find_mapping(PRODUCT, HARDWARE, constraints=limits).mapping
    assert all(d == "K" and 8 <= step <= 24 for d, step in mapping.loops if step not in (mapping.tile_of(d), 48))


def test_blocks_hold_what_stays_in_place_in_equal_parts() -> None:
    sizes = {"N": 10, "G": 1, "K": 48, "C": 24, "R": 1, "S": 1, "P": 1, "Q": 1}
    floor = Floor(0.0, (2, 1, 4, 2, 1, 1, 1, 1), filters=5, others=2)
    # 12 tiles of 4 filters in three runs of 4, 5 tiles of 2 images in runs of 2, 2 and 1.
    assert blocks_of(sizes, floor) == [{"K": 16, "N": 4}]
    assert blocks_of(sizes, floor._replace(filters=12, others=5)) == [{}]


SCARCE = Hardware.load("maeri-16").with_overrides(
    {"multipliers": 4, "accumulation.words": 4, "multiplier.weight_registers": 2, "multiplier.input_registers": 2}
)
SHORT = Problem(K=3, C=2, Q=3)


@pytest.fixture
def every_nest(monkeypatch: pytest.MonkeyPatch) -> Callable[[Problem, Hardware], Iterator[Mapping]]:
    """All nests with up to two cuts a dimension, which the benchmark lists in another way than the mapper walks."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    listing: Callable[[Problem, Hardware], Iterator[Mapping]] = importlib.import_module("every_nest").every_nest
    return listing


def test_the_best_nest_of_short_layers_is_found_near_others(
    every_nest: Callable[[Problem, Hardware], Iterator[Mapping]],
) -> None:
    best = min(simulate(SHORT, mapping, SCARCE).cycles for mapping in every_nest(SHORT, SCARCE))
    found = [find_mapping(SHORT, SCARCE, effort=Effort(rivals=rivals)).mapping for rivals in (0, 64)]
    without, near_others = (simulate(SHORT, mapping, SCARCE).cycles for mapping in found)
    assert without > best
    assert near_others == best


def test_steps_from_nest_to_nest_reach_every_nest_of_a_tile(
    every_nest: Callable[[Problem, Hardware], Iterator[Mapping]],
) -> None:
    problem = Problem(N=3, K=4, C=2)
    roomy = HARDWARE.with_overrides({"multipliers": 4})
    tile = {"N": 1, "K": 1, "C": 1}
    wanted = {
        mapping.loops
        for mapping in every_nest(problem, roomy)
        if mapping.tile == Mapping.of(tile).tile and mapping.order.count("C") == 1
    }
    start = Mapping.of(tile)
    reached, waiting = {start.loops}, [start]
    while waiting:
        for other in near(problem, waiting.pop()):
            assert other.tile == start.tile
            if other.loops not in reached and violations(problem, other, roomy) == []:
                reached.add(other.loops)
                waiting.append(other)
    assert len(wanted) > 50
    assert not wanted - reached


def test_steps_from_nests_keep_to_the_sizes_of_blocks_that_constraints_allow() -> None:
    limits = [Constraint(f"block {d}", Range(full=True), "") for d in "KQ"]
    choice = find_mapping(SHORT, SCARCE, constraints=limits)
    assert choice.mapping.cuts == ()
