"""Encoding, repair, moves, scores and warm starts, each against something that knows nothing of it."""

from __future__ import annotations

import re
import runpy
from math import exp, log
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from maerisim.analytic.ranking import rank
from maerisim.errors import NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import estimate, simulate, violations
from maerisim.workload.problem import DIMENSIONS, Problem
from mapper.searching import moves, techniques, warm
from mapper.searching.densities import ROUNDS, AtDensities, at, simulated_cycles, sparse
from mapper.searching.driver import Driver, search
from mapper.searching.encoding import LENGTH, decode, encode
from mapper.searching.ground import Ground
from mapper.searching.protocol import Trial
from mapper.searching.scoring import optimum, scorer_of
from mapper.searching.techniques import TECHNIQUES, technique
from mapper.searching.techniques.draws import plain
from mapper.searching.techniques.genetic import in_order
from mapper.sparse import sampled
from tests.strategies import hardwares, mappings, problems

HARDWARE = Hardware.load("maeri-16")
LAYER = Problem(N=2, K=8, C=6, R=3, S=3, P=6, Q=6)
some = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


def ground_of(problem: Problem, hardware: Hardware) -> Ground:
    assume(problem.sparsity is None)
    return Ground(problem, hardware)


@some
@given(problems(), hardwares(16, controllers=False), st.data())
def test_a_mapping_is_what_its_vector_says(problem: Problem, hardware: Hardware, data: st.DataObject) -> None:
    ground = ground_of(problem, hardware)
    mapping = data.draw(mappings(problem, hardware, blocks=False))
    assume(ground.is_legal(mapping))
    vector = encode(mapping, ground)
    assert ((vector >= 0) & (vector <= 1)).all()
    assert decode(vector, ground) == mapping


@some
@given(problems(), hardwares(16, controllers=False), st.integers(0, 2**32 - 1))
def test_every_vector_and_every_move_is_a_legal_mapping(problem: Problem, hardware: Hardware, seed: int) -> None:
    ground, random = ground_of(problem, hardware), np.random.default_rng(seed)
    for vector in (*random.uniform(-0.5, 1.5, (3, LENGTH)), np.ones(LENGTH), np.full(LENGTH, np.nan)):
        mapping = decode(vector, ground)
        assert violations(problem, mapping, hardware) == []
        for move in (moves.redraw, moves.swap_tiles, moves.swap_loops, moves.swap_placed, moves.grow_or_age):
            assert violations(problem, move(mapping, ground, random), hardware) == []


@some
@given(problems(), hardwares(16, controllers=False), st.data())
def test_a_score_is_the_estimate_and_none_where_a_mapping_is_illegal(
    problem: Problem, hardware: Hardware, data: st.DataObject
) -> None:
    ground = ground_of(problem, hardware)
    tile = [data.draw(st.integers(1, limit)) for limit in ground.limits]
    drawn = data.draw(mappings(problem, hardware, blocks=False))
    mapping = Mapping.of(dict(zip(DIMENSIONS, tile, strict=True)), drawn.order, drawn.placement)
    assume(mapping.switches <= hardware.multipliers)  # what else there is only the rules are asked
    (cost,) = scorer_of(ground, "edp")([mapping])
    assert Trial(mapping, cost).legal == ground.is_legal(mapping)
    if ground.is_legal(mapping):
        expected = estimate(problem, mapping, hardware)
        energy = expected.counters.energy(hardware.energy)
        assert cost.cycles == expected.least_cycles
        assert cost.energy == pytest.approx(energy)
        assert cost.score == pytest.approx(energy * expected.least_cycles)
        assert scorer_of(ground, "cycles", "estimate")([mapping])[0].cycles == expected.cycles
        assert cost.cycles <= scorer_of(ground, "cycles", "simulate")([mapping])[0].cycles


@some
@given(problems(), hardwares(16, controllers=False), st.integers(0, 2**32 - 1))
def test_mappings_that_are_pruned_cost_what_the_one_costs_that_is_tried(
    problem: Problem, hardware: Hardware, seed: int
) -> None:
    ground, random = ground_of(problem, hardware), np.random.default_rng(seed)
    drawn = [mapping for mapping in (ground.drawn(random) for _ in range(8)) if ground.is_legal(mapping)]
    scorer = scorer_of(ground, "edp")
    assert scorer([plain(mapping, ground) for mapping in drawn]) == scorer(drawn)


def test_one_axis_changes_and_the_others_stay() -> None:
    ground, random = Ground(LAYER, HARDWARE), np.random.default_rng(0)
    mapping = Mapping.of({"K": 4, "C": 3}, "N G K C P Q R S")
    seen: dict[str, set[Mapping]] = {
        axis: {moves.along(mapping, axis, ground, random) for _ in range(50)} for axis in moves.AXES
    }
    for axis, changed in seen.items():
        assert len(changed) > 3, axis
        assert {each.order for each in changed} == {mapping.order} or axis == "order"
        assert {each.placement for each in changed} == {mapping.placement} or axis == "parallelism"
    assert {each.tile for each in seen["order"]} == {mapping.tile}
    assert {frozenset(d for d, size in each.T.items() if size > 1) for each in seen["tile"]} == {frozenset("KC")}
    assert all(each.switches <= mapping.switches for each in seen["parallelism"])
    assert len({frozenset(d for d, size in each.T.items() if size > 1) for each in seen["parallelism"]}) > 3


def test_genes_are_selected_by_pareto_rank_and_then_by_score() -> None:
    ground, random = Ground(LAYER, HARDWARE), np.random.default_rng(0)
    drawn = [mapping for mapping in (ground.drawn(random) for _ in range(60)) if ground.is_legal(mapping)]
    trials = [Trial(mapping, cost) for mapping, cost in zip(drawn, scorer_of(ground, "cycles")(drawn), strict=True)]

    def dominated(trial: Trial) -> bool:
        mine = trial.cost
        return any(
            (other.cost.cycles, other.cost.energy) != (mine.cycles, mine.energy)
            and other.cost.cycles <= mine.cycles
            and other.cost.energy <= mine.energy
            for other in trials
        )

    front = {(trial.cost.cycles, trial.cost.energy) for trial in trials if not dominated(trial)}
    ranked = in_order(trials)
    assert {(trial.cost.cycles, trial.cost.energy) for trial in ranked[: len(front)]} == front
    assert [trial.score for trial in ranked[: len(front)]] == sorted(cycles for cycles, _ in front)
    assert sorted(map(id, ranked)) == sorted(map(id, trials))


def test_illegal_and_repeated_proposals_cost_samples_and_no_score() -> None:
    ground = Ground(LAYER, HARDWARE)
    good, bad = Mapping.of({"K": 4}), Mapping.of({"K": 8, "C": 6})
    scored: list[Mapping] = []
    driver = Driver(ground, lambda new: scored.extend(new) or scorer_of(ground, "cycles")(new), 10)
    trials = driver.tried([good, bad, good, bad])
    assert [trial.legal for trial in trials] == [True, False, True, False]
    assert (driver.run.samples, driver.run.illegal, driver.run.repeated) == (4, 2, 2)
    assert scored == [good]


def test_a_search_ends_where_a_score_is_enough() -> None:
    ground = Ground(LAYER, HARDWARE)
    scorer = scorer_of(ground, "cycles")
    whole = search(TECHNIQUES["genetic"], ground, scorer, 200, 0)
    samples, _, reached = whole.better[-2]
    ended = search(TECHNIQUES["genetic"], ground, scorer, 200, 0, enough=reached)
    assert ended.samples_to(reached) == samples <= ended.samples < whole.samples
    assert [score for _, _, score in ended.better] == [score for _, _, score in whole.better][: len(ended.better)]
    assert search(TECHNIQUES["genetic"], ground, scorer, 200, 0, [whole.best], whole.score).samples == 1


def test_a_ground_says_what_cannot_be_searched() -> None:
    with pytest.raises(NotSupportedError, match="expected no DRAM and no lock step, found maeri-256-dram"):
        Ground(LAYER, Hardware.load("maeri-256-dram"))
    with pytest.raises(NotSupportedError, match=r"expected one of random, .* found 'genetics'"):
        technique("genetics")
    with pytest.raises(NotSupportedError, match="scored at several densities"):
        scorer_of(Ground(sparse(LAYER, 0.5), HARDWARE), "cycles")


def test_a_library_that_is_not_there_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(techniques.LIBRARIES, "cma_es", "not_there")
    with pytest.raises(NotSupportedError, match=r"cma_es needs not_there, .*pip install 'maerisim\[search\]'"):
        technique("cma_es")


def test_layers_are_alike_and_their_mappings_carried_over() -> None:
    one, half, other = (
        Problem(K=64, C=32, P=28, Q=28),
        Problem(K=32, C=32, P=28, Q=28),
        Problem(K=64, C=3, R=7, S=7, P=112, Q=112),
    )
    assert (warm.edits(one, half), warm.edits(one, other)) == (1, 5)
    assert warm.doublings(one, half) == 1
    assert warm.doublings(one, one) == 0
    solved = warm.Solved()
    assert solved.start(Ground(one, HARDWARE)) == []
    mapping = Mapping.of({"K": 2, "Q": 4}, "N G K P Q C R S", "G N P K Q")
    solved.add(half, mapping)
    solved.add(other, Mapping.of({"R": 7}))
    assert (solved.last, solved.nearest(one), solved.nearest(one, warm.edits)) == (other, half, half)
    start = solved.start(Ground(one, HARDWARE))
    assert mapping in start
    assert all(violations(one, each, HARDWARE) == [] for each in start)
    assert {each.order for each in start} == {mapping.order}
    assert max(each.switches for each in start) == 16  # the room that was left


def test_a_replay_buffer_is_a_mapping_document(tmp_path: Path) -> None:
    path = tmp_path / "solved.yaml"
    assert warm.Solved.load(path).layers == {}
    solved = warm.Solved({LAYER: Mapping.of({"K": 4}, "N G K P Q C R S")})
    solved.save(path, "maeri-16")
    assert warm.Solved.load(path) == solved


def test_a_bound_that_is_reached_rules_out_more_and_changes_no_optimum() -> None:
    ground = Ground(Problem(N=4, K=12, C=10, R=3, S=3, P=9, Q=9), HARDWARE)
    alone = rank(ground.problem, HARDWARE, ground.space.tiles)
    told = rank(ground.problem, HARDWARE, ground.space.tiles, below=alone.best[0].score)
    assert told.best[0].score == alone.best[0].score
    assert told.timed < alone.timed
    assert rank(ground.problem, HARDWARE, ground.space.tiles, below=alone.best[0].score - 1).best == ()


def test_a_mapping_is_scored_over_densities_with_real_zeros() -> None:
    problem, densities = Problem(K=16, C=24, P=4, Q=4), (1.0, 0.3)
    scorer = AtDensities(problem, HARDWARE, densities)
    assert scorer.ground.limits == (1, 1, 16, 16, 1, 1, 4, 4)
    mapping = Mapping.of({"K": 16, "C": 16}, "G K N P Q C R S")
    (cost,) = scorer([mapping])
    logs = []
    for density in densities:
        layer = sparse(problem, density)
        most = int(layer.mask.sum(axis=(1, 2, 3)).max())
        here = at(layer, mapping)
        assert here.tile_of("C") == min(16, most)
        expected, times = sampled(layer, here, HARDWARE, ROUNDS)
        logs.append(log(expected.cycles * times) / 2)
    assert cost.score == pytest.approx(exp(sum(logs)))
    tested = sparse(problem, 0.3, seed=5)
    spread = Mapping.of({"K": 16, "C": 4, "P": 4}, "G K S C P R N Q", "Q G P N K")
    assert at(tested, spread) == at(tested, Mapping.of({"K": 16, "C": 4, "P": 4}, "G K P N R S C Q", "N G Q P K"))
    assert simulate(tested, at(tested, spread), HARDWARE).cycles == simulate(tested, spread, HARDWARE).cycles
    assert (
        simulated_cycles(problem, mapping, HARDWARE, 0.3, [5]) == simulate(tested, at(tested, mapping), HARDWARE).cycles
    )
    run = search(TECHNIQUES["genetic"], scorer.ground, scorer, 12, 0)
    assert run.samples == 12
    assert run.best is not None
    assert run.score <= scorer([run.best])[0].score


def test_the_technique_of_the_page_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "benchmarks" / "MSE.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len([line for line in code.splitlines() if line]) <= 30
    (tmp_path / "own.py").write_text(code, "utf-8")
    names = runpy.run_path(str(tmp_path / "own.py"))
    _, least = optimum(names["ground"], "cycles")
    assert names["run"].samples == 500
    assert least <= names["run"].score < 3 * least
