"""Recurrent layers with values, in exact integers: what their stages are fed, and the states to expect of NumPy.

Gates and states are fixed-point numbers with three fraction bits: ``ONE`` stands for 1.0. The fabric does the products
and sums; beside the global buffer a table looks up what lies between them:

- sums of a gate product are scaled by ``2**-shift`` (``gate_shift``), then the activation is taken;
- ``sigmoid(x) = clip(x / 4 + 1/2, 0, 1)`` and ``tanh(x) = clip(x, -1, 1)``, piecewise linear;
- sums of element-wise products are scaled back to three fraction bits, the cell state saturates at eight bits.

All shifts round down. ``walk`` feeds the stages; ``reference_states`` computes the same from the equations of the layer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maerisim.workload.problem import Stage
from maerisim.workload.recurrent import Lstm, Recurrent
from maerisim.workload.reference import HIGHEST, LOWEST, Operands

Values = NDArray[np.int64]
StageRunner = Callable[[Stage, Operands], Values]
"""Computes the outputs (N, G, K, P, Q) of a stage."""

FRACTION_BITS = 3
ONE = 1 << FRACTION_BITS
CELL_LOWEST, CELL_HIGHEST = -128, 127


class SequenceOperands(NamedTuple):
    """What a recurrent layer is given: ``inputs`` (time step, sample, feature), ``weights`` (gate and cell, feature and
    hidden state) with the gates i f g o or z r n one after the other, the first ``hidden`` and ``cell`` state (sample,
    cell); a GRU has no cell state. Of a bidirectional layer the gates of the second direction follow those of the
    first, and so do its cells.
    """

    inputs: Values
    weights: Values
    hidden: Values
    cell: Values


class States(NamedTuple):
    """Hidden and cell states (time step, sample, cell) after each time step; those of a GRU's cells stay at 0.

    Of a bidirectional layer the cells of both directions, each after it has seen the input of the time step.
    """

    hidden: Values
    cell: Values


def random_sequence(layer: Recurrent, seed: int) -> SequenceOperands:
    """Operands drawn uniformly from [-8, 7], the same for the same seed."""
    generator = np.random.default_rng(seed)

    def draw(*shape: int) -> Values:
        return generator.integers(LOWEST, HIGHEST, shape, dtype=np.int64, endpoint=True)

    cells = layer.directions * layer.hidden_size
    state = (layer.batch, cells)
    return SequenceOperands(
        inputs=draw(layer.sequence_length, layer.batch, layer.input_size),
        weights=draw(layer.gates * cells, layer.input_size + layer.hidden_size),
        hidden=draw(*state),
        cell=draw(*state) if isinstance(layer, Lstm) else np.zeros(state, np.int64),
    )


def gate_shift(layer: Recurrent) -> int:
    """Bits by which the sum of a gate is scaled down.

    The standard deviation of a sum of n products of random operands is 21 sqrt(n); scaled, it is between 0.9 and 1.9,
    where the activations are neither constant nor always saturated.
    """
    return 1 + (layer.input_size + layer.hidden_size).bit_length() // 2


def sigmoid(values: Values) -> Values:
    """The piecewise linear sigmoid, from 0 to ``ONE``."""
    return (values >> 2).clip(-ONE // 2, ONE // 2) + ONE // 2


def tanh(values: Values) -> Values:
    """The piecewise linear hyperbolic tangent, from ``-ONE`` to ``ONE``."""
    return values.clip(-ONE, ONE)


def cell_state(sums: Values) -> Values:
    """The cell state from the sums of its products."""
    return (sums >> FRACTION_BITS).clip(CELL_LOWEST, CELL_HIGHEST)


def walk(layer: Recurrent, operands: SequenceOperands, run: StageRunner) -> States:
    """Run every stage of every time step with ``run``; what a stage gives is what the following ones are fed."""
    step = _lstm_step if isinstance(layer, Lstm) else _gru_step

    def through(of_direction: SequenceOperands) -> States:
        hidden, cell = of_direction.hidden, of_direction.cell
        states = []
        for inputs in of_direction.inputs:
            hidden, cell = step(layer, of_direction.weights, inputs, hidden, cell, run)
            states.append((hidden, cell))
        return States(*(np.array(series) for series in zip(*states, strict=True)))

    return _in_each_direction(layer, operands, through)


def _in_each_direction(
    layer: Recurrent, operands: SequenceOperands, through: Callable[[SequenceOperands], States]
) -> States:
    """The states of a layer whose every direction goes ``through`` the sequence; the second begins with the last step."""
    found = []
    for direction in range(layer.directions):
        weights, hidden, cell = (
            np.split(values, layer.directions, axis)[direction]
            for values, axis in ((operands.weights, 0), (operands.hidden, 1), (operands.cell, 1))
        )
        turn = slice(None, None, -1 if direction else 1)
        states = through(SequenceOperands(operands.inputs[turn], weights, hidden, cell))
        found.append(States(*(series[turn] for series in states)))
    return States(*(np.concatenate(series, axis=2) for series in zip(*found, strict=True)))


def _lstm_step(
    layer: Recurrent, weights: Values, inputs: Values, hidden: Values, cell: Values, run: StageRunner
) -> tuple[Values, Values]:
    gates, update, output = layer.stages
    sums = _product(gates, weights, inputs, hidden, run) >> gate_shift(layer)
    i, f, g, o = np.split(sums, 4, axis=1)
    cell = cell_state(_element_wise(update, [sigmoid(f), sigmoid(i)], [cell, tanh(g)], run))
    hidden = _element_wise(output, [sigmoid(o)], [tanh(cell)], run) >> FRACTION_BITS
    return hidden, cell


def _gru_step(
    layer: Recurrent, weights: Values, inputs: Values, hidden: Values, cell: Values, run: StageRunner
) -> tuple[Values, Values]:
    gates, reset, candidate, update = layer.stages
    of_gates, of_candidate = np.split(weights, [2 * layer.hidden_size])
    z, r = np.split(sigmoid(_product(gates, of_gates, inputs, hidden, run) >> gate_shift(layer)), 2, axis=1)
    remembered = _element_wise(reset, [r], [hidden], run) >> FRACTION_BITS
    n = tanh(_product(candidate, of_candidate, inputs, remembered, run) >> gate_shift(layer))
    return _element_wise(update, [ONE - z, z], [hidden, n], run) >> FRACTION_BITS, cell


def _product(stage: Stage, weights: Values, inputs: Values, state: Values, run: StageRunner) -> Values:
    """A gate product: (sample, output) sums of ``weights`` times (inputs, state)."""
    problem = stage.problem
    rows = np.concatenate([inputs, state], axis=1)
    operands = Operands(rows.reshape(problem.N, 1, problem.C, 1, 1), weights.reshape(1, problem.K, problem.C, 1, 1))
    return run(stage, operands).reshape(problem.N, problem.K)


def _element_wise(stage: Stage, gates: list[Values], values: list[Values], run: StageRunner) -> Values:
    """(sample, cell) sums of ``gates[i] * values[i]``; the gates take the place of the weights."""
    problem = stage.problem
    operands = Operands(
        np.stack([each.ravel() for each in values], axis=1).reshape(1, problem.G, problem.C, 1, 1),
        np.stack([each.ravel() for each in gates], axis=1).reshape(problem.G, 1, problem.C, 1, 1),
    )
    return run(stage, operands).reshape(values[0].shape)


def reference_states(layer: Recurrent, operands: SequenceOperands) -> States:
    """The states by the equations of an LSTM or GRU, as NumPy matrix products."""
    return _in_each_direction(layer, operands, lambda of_direction: _states_of_one(layer, of_direction))


def _states_of_one(layer: Recurrent, operands: SequenceOperands) -> States:
    hidden, cell = operands.hidden, operands.cell
    shift, size = gate_shift(layer), layer.hidden_size
    weights = operands.weights.T
    states = []
    for inputs in operands.inputs:
        if isinstance(layer, Lstm):
            i, f, g, o = np.split(np.hstack([inputs, hidden]) @ weights >> shift, 4, axis=1)
            cell = cell_state(sigmoid(f) * cell + sigmoid(i) * tanh(g))
            hidden = sigmoid(o) * tanh(cell) >> FRACTION_BITS
        else:
            z, r = np.split(sigmoid(np.hstack([inputs, hidden]) @ weights[:, : 2 * size] >> shift), 2, axis=1)
            remembered = r * hidden >> FRACTION_BITS
            n = tanh(np.hstack([inputs, remembered]) @ weights[:, 2 * size :] >> shift)
            hidden = (ONE - z) * hidden + z * n >> FRACTION_BITS
        states.append((hidden, cell))
    return States(*(np.array(series) for series in zip(*states, strict=True)))
