"""Runs a search technique: the one owner of budget, validity, counting, caching, seeds and time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf

import numpy as np

from maerisim.mapping.mapping import Mapping
from mapper.searching.ground import Ground
from mapper.searching.protocol import Maker, Trial
from mapper.searching.scoring import IMPOSSIBLE, Scorer


@dataclass
class SearchRun:
    """A search as it went.

    ``better`` has (samples, seconds, score) whenever a better mapping was found. Of the ``samples`` so many were ``illegal`` or
    ``repeated``: both cost a sample like any other, and no estimate. ``technique_seconds`` of processor time, which other work on the
    machine does not lengthen, went into the technique itself, ``scoring_seconds`` into what mappings cost.
    """

    samples: int = 0
    illegal: int = 0
    repeated: int = 0
    technique_seconds: float = 0.0
    scoring_seconds: float = 0.0
    best: Mapping | None = None
    score: float = inf
    better: list[tuple[int, float, float]] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """All of its time."""
        return self.technique_seconds + self.scoring_seconds

    def samples_to(self, score: float) -> float:
        """Samples until a mapping scored at most so much, infinite if none did."""
        return next((samples for samples, _, reached in self.better if reached <= score), inf)


class Driver:
    """One search: a technique on a ground with a budget of samples and a seed."""

    def __init__(self, ground: Ground, scorer: Scorer, budget: int) -> None:
        self.ground, self.scorer, self.budget = ground, scorer, budget
        self.known: dict[Mapping, Trial] = {}
        self.run = SearchRun()

    def search(self, make: Maker, seed: int, start: Sequence[Mapping] = (), enough: float = 0.0) -> SearchRun:
        """Search to the end of the budget, until the technique has nothing left to propose, or until a score is ``enough``.

        ``start``: mappings known before, which are tried first and cost samples as well.
        """
        run, random = self.run, np.random.default_rng(seed)
        begin = time.process_time()
        technique = make(self.ground, random, self.budget)
        run.technique_seconds += time.process_time() - begin
        asked: Sequence[Mapping] = start
        while True:
            trials = self.tried(asked[: self.budget - run.samples])
            begin = time.process_time()
            if trials:
                technique.tell(trials)
            over = run.samples == self.budget or run.score <= enough
            asked = () if over else technique.ask()
            run.technique_seconds += time.process_time() - begin
            if not asked:
                return run

    def tried(self, mappings: Sequence[Mapping]) -> list[Trial]:
        """What becomes of some mappings: each is a sample; only legal ones are scored, and each of these once."""
        run, begin = self.run, time.process_time()
        new = [mapping for mapping in dict.fromkeys(mappings) if mapping not in self.known]
        legal = [mapping for mapping in new if self.ground.is_legal(mapping)]
        costs = dict.fromkeys(new, IMPOSSIBLE)
        if legal:
            costs |= zip(legal, self.scorer(legal), strict=True)
        self.known |= {mapping: Trial(mapping, cost) for mapping, cost in costs.items()}
        run.scoring_seconds += time.process_time() - begin
        trials = [self.known[mapping] for mapping in mappings]
        first = set(new)
        for trial in trials:
            run.samples += 1
            run.illegal += not trial.legal
            run.repeated += trial.mapping not in first
            first.discard(trial.mapping)
            if trial.score < run.score:
                run.best, run.score = trial.mapping, trial.score
                run.better.append((run.samples, run.seconds, trial.score))
        return trials


def search(
    make: Maker,
    ground: Ground,
    scorer: Scorer,
    budget: int,
    seed: int,
    start: Sequence[Mapping] = (),
    enough: float = 0.0,
) -> SearchRun:
    """One search of a ground; see :class:`Driver`."""
    return Driver(ground, scorer, budget).search(make, seed, start, enough)
