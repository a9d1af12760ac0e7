"""What every technique has to do: a new one is a line in ``ALL``."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import violations
from maerisim.workload.problem import Problem
from mapper.searching.driver import Driver, SearchRun
from mapper.searching.ground import Ground
from mapper.searching.protocol import Maker, Scored, Trial
from mapper.searching.scoring import optimum, scorer_of
from mapper.searching.techniques import TECHNIQUES, VARIANTS
from mapper.searching.techniques.vectors import OfVectors

ALL: dict[str, Maker] = {**TECHNIQUES, **VARIANTS}
ENDING = ("mrna", "rules", "random_pruned")
"""Techniques that may have nothing left to propose before their budget is used up."""

GROUND = Ground(Problem(N=2, K=8, C=6, R=3, S=3, P=6, Q=6), Hardware.load("maeri-16"))
BUDGET = 130
SCORER = scorer_of(GROUND, "cycles")


class Watched:
    """A driver's search, every score that was asked for, and what the technique was told."""

    def __init__(self, make: Maker, seed: int = 3, start: Sequence[Mapping] = ()) -> None:
        self.scored: list[Mapping] = []
        self.asked: list[Mapping] = list(start)
        self.told: list[Trial] = []

        def making(ground: Ground, random: np.random.Generator, budget: int) -> Watched:
            self.technique = make(ground, random, budget)
            return self

        self.run: SearchRun = Driver(GROUND, self.score, BUDGET).search(making, seed, start)

    def score(self, mappings: Sequence[Mapping]) -> list[Scored]:
        self.scored += mappings
        return SCORER(mappings)

    def ask(self) -> Sequence[Mapping]:
        mappings = self.technique.ask()
        self.asked += mappings
        return mappings

    def tell(self, trials: Sequence[Trial]) -> None:
        self.told += trials
        self.technique.tell(trials)


@pytest.fixture(params=ALL)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_budget_is_exact_and_everything_asked_for_is_told_in_order(name: str) -> None:
    search = Watched(ALL[name])
    run = search.run
    assert run.samples == BUDGET if name not in ENDING else 0 < run.samples <= BUDGET
    assert [trial.mapping for trial in search.told] == search.asked[: run.samples]


def test_only_legal_mappings_are_scored_and_each_once(name: str) -> None:
    search = Watched(ALL[name])
    assert len(set(search.scored)) == len(search.scored)
    assert all(not violations(GROUND.problem, mapping, GROUND.hardware) for mapping in search.scored)
    seen = search.told
    assert search.run.illegal == sum(not trial.legal for trial in seen)
    assert search.run.repeated == len(seen) - len({trial.mapping for trial in seen})
    assert len(search.scored) == len({trial.mapping for trial in seen if trial.legal})
    if isinstance(search.technique, OfVectors):  # many vectors are one mapping, which is proposed once
        assert search.run.repeated == 0


def test_the_same_seed_is_the_same_search(name: str) -> None:
    one, other = Watched(ALL[name]), Watched(ALL[name])
    assert one.asked == other.asked
    if name not in ENDING or name == "random_pruned":
        assert Watched(ALL[name], seed=4).asked != one.asked


def test_scores_only_get_better_and_never_undercut_the_proof(name: str) -> None:
    run = Watched(ALL[name]).run
    _, least = optimum(GROUND, "cycles")
    assert run.best is not None
    assert run.better[-1][2] == run.score >= least
    assert all(before[2] > after[2] and before[0] < after[0] for before, after in pairwise(run.better))


def test_what_was_known_before_is_tried_first_and_no_hindrance(name: str) -> None:
    best, least = optimum(GROUND, "cycles")
    search = Watched(ALL[name], start=[best])
    assert search.told[0].mapping == best
    assert search.run.samples_to(least) == 1
    assert search.run.score == least
