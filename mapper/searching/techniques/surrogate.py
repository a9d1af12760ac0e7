"""Gradient descent on a learned cost, after Mind Mappings (Hegde et al., ASPLOS 2021).

A small network learns what mappings cost from samples at random; its inputs then follow its gradient, and every so many steps the
mapping of each is tried for real. Unlike there the samples that it learns from are part of the budget, and the time to learn part
of its time.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from maerisim.kernels.estimating.quantities import Floats
from mapper.searching.encoding import LENGTH, encode
from mapper.searching.ground import Ground
from mapper.searching.techniques.vectors import OfVectors

LEARNED = 0.5
"""Share of the budget that goes into samples at random."""
POINTS, STEPS, RATE = 25, 10, 0.02
"""So many points descend at once, so many steps between two trials, so far a step."""
ROUNDS = 8
"""Trials of each point until all begin again, from the best and from random places, with what was learned since."""
HIDDEN, EPOCHS = (64, 64), 60


class Surrogate(OfVectors):
    """The search."""

    def __init__(self, ground: Ground, random: np.random.Generator, budget: int) -> None:
        super().__init__(ground, random, budget)
        from sklearn.neural_network import MLPRegressor

        self.network: Any = MLPRegressor(
            hidden_layer_sizes=HIDDEN,
            activation="tanh",
            batch_size=64,
            learning_rate_init=3e-3,
            max_iter=EPOCHS,
            random_state=int(random.integers(2**31)),
        )
        self.inputs: list[Floats] = []
        self.losses: list[float] = []
        self.points = np.zeros((0, LENGTH))
        self.rounds = 0

    def vectors(self) -> Sequence[Floats]:
        """Samples to learn from, then points on their way down."""
        if len(self.losses) < LEARNED * self.budget:
            return [encode(self.ground.drawn(self.random), self.ground) for _ in range(POINTS)]
        if self.rounds % ROUNDS == 0:
            self.learn()
            best = np.argsort(self.losses, kind="stable")[: POINTS // 2]
            strangers = self.random.random((POINTS - len(best), LENGTH))
            self.points = np.concatenate([np.array(self.inputs)[best], strangers])
        self.rounds += 1
        for _ in range(STEPS):
            slope = self.gradient(self.points)
            length = np.linalg.norm(slope, axis=1, keepdims=True)
            self.points = np.clip(self.points - RATE * slope / np.maximum(length, 1e-12), 0, 1)
        return list(self.points)

    def learn(self) -> None:
        """Fit the network to all that is known, and remember the scale of its outputs."""
        losses = np.array(self.losses)
        self.network.set_params(warm_start=hasattr(self.network, "coefs_"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it could be trained for longer
            self.network.fit(np.array(self.inputs), (losses - losses.mean()) / (losses.std() or 1.0))

    def gradient(self, points: Floats) -> Floats:
        """Of what the network expects, by each number of each point."""
        weights, biases = self.network.coefs_, self.network.intercepts_
        layers = [points]
        for matrix, bias in zip(weights[:-1], biases[:-1], strict=True):
            layers.append(np.tanh(layers[-1] @ matrix + bias))
        slope: Floats = np.tile(weights[-1][:, 0], (len(points), 1))
        for matrix, activations in zip(reversed(weights[:-1]), reversed(layers[1:]), strict=True):
            slope = (slope * (1 - activations**2)) @ matrix.T
        return slope

    def begin(self, vectors: Sequence[Floats], losses: Sequence[float]) -> None:
        """What is known is learned from."""
        self.hear(vectors, losses)

    def hear(self, vectors: Sequence[Floats], losses: Sequence[float]) -> None:
        """Learn from it the next time."""
        self.inputs += vectors
        self.losses += losses
