"""LSTM and GRU in integers: against scalar loops written out, and stage by stage against the equations."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maerisim.workload.recurrence import (
    ONE,
    SequenceOperands,
    gate_shift,
    random_sequence,
    reference_states,
    sigmoid,
    tanh,
    walk,
)
from maerisim.workload.recurrent import Gru, Lstm, Recurrent
from maerisim.workload.reference import HIGHEST, LOWEST, reference_outputs

sizes: dict[str, Any] = {name: st.integers(1, 6) for name in ("input_size", "hidden_size", "sequence_length", "batch")}
sizes["bidirectional"] = st.booleans()
lstms = st.builds(Lstm, name=st.just("cells"), op=st.just("lstm"), **sizes)
grus = st.builds(Gru, name=st.just("cells"), op=st.just("gru"), **sizes)


def clip(value: int, low: int, high: int) -> int:
    return min(max(value, low), high)


def naive_sigmoid(total: int) -> int:
    """x / 4 + 1/2 between 0 and 1 in eighths, rounded down."""
    return clip(total // 4 + 4, 0, 8)


def naive_tanh(total: int) -> int:
    return clip(total, -8, 8)


def naive_step(
    layer: Recurrent, weights: list[list[int]], x: list[int], h: list[int], c: list[int]
) -> tuple[list[int], list[int]]:
    """Hidden and cell state of one sample after one time step; `//` rounds down like a shift."""
    count, scale = layer.hidden_size, 2 ** gate_shift(layer)
    cells = range(count)

    def gate(number: int, state: list[int]) -> list[int]:
        rows = weights[number * count : (number + 1) * count]
        return [sum(w * v for w, v in zip(row, x + state, strict=True)) // scale for row in rows]

    if isinstance(layer, Lstm):
        i, f, g, o = (gate(number, h) for number in range(4))
        kept = [naive_sigmoid(f[j]) * c[j] for j in cells]
        added = [naive_sigmoid(i[j]) * naive_tanh(g[j]) for j in cells]
        state = [clip((kept[j] + added[j]) // 8, -128, 127) for j in cells]
        return [naive_sigmoid(o[j]) * naive_tanh(state[j]) // 8 for j in cells], state
    z, r = ([naive_sigmoid(total) for total in gate(number, h)] for number in range(2))
    n = gate(2, [r[j] * h[j] // 8 for j in cells])
    return [((8 - z[j]) * h[j] + z[j] * naive_tanh(n[j])) // 8 for j in cells], c


def naive_states(layer: Recurrent, operands: SequenceOperands) -> tuple[list[Any], list[Any]]:
    """Hidden and cell states [time step][sample][cell], one scalar at a time."""
    if layer.bidirectional:
        rows, cells = layer.gates * layer.hidden_size, layer.hidden_size
        one = layer.model_copy(update={"bidirectional": False})
        inputs, weights, hidden, cell = operands
        forth = naive_states(one, SequenceOperands(inputs, weights[:rows], hidden[:, :cells], cell[:, :cells]))
        back = naive_states(one, SequenceOperands(inputs[::-1], weights[rows:], hidden[:, cells:], cell[:, cells:]))
        first, second = (
            [
                [a + b for a, b in zip(early, late, strict=True)]
                for early, late in zip(series, reversed(returning), strict=True)
            ]
            for series, returning in zip(forth, back, strict=True)
        )
        return first, second
    weights = operands.weights.tolist()
    states = list(zip(operands.hidden.tolist(), operands.cell.tolist(), strict=True))
    all_hidden, all_cells = [], []
    for inputs in operands.inputs.tolist():
        states = [naive_step(layer, weights, x, h, c) for x, (h, c) in zip(inputs, states, strict=True)]
        all_hidden.append([h for h, _ in states])
        all_cells.append([c for _, c in states])
    return all_hidden, all_cells


@given(layer=lstms | grus, seed=st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_stages_and_equations_give_what_scalar_loops_give(layer: Recurrent, seed: int) -> None:
    operands = random_sequence(layer, seed)
    hidden, cells = naive_states(layer, operands)
    for states in (
        reference_states(layer, operands),
        walk(layer, operands, lambda stage, of_stage: reference_outputs(stage.problem, of_stage)),
    ):
        np.testing.assert_array_equal(states.hidden, hidden)
        np.testing.assert_array_equal(states.cell, cells)


@given(layer=lstms | grus)
@settings(deadline=None, max_examples=30)
def test_every_stage_of_every_step_runs_once_in_order(layer: Recurrent) -> None:
    ran = []

    def run(stage, operands):
        ran.append(stage)
        return reference_outputs(stage.problem, operands)

    walk(layer, random_sequence(layer, 0), run)
    assert ran == list(layer.stages) * layer.sequence_length * (2 if layer.bidirectional else 1)
    assert all(stage.count == ran.count(stage) for stage in layer.stages if layer.stages.count(stage) == 1)


@given(layer=lstms | grus, seed=st.integers(0, 100))
@settings(deadline=None)
def test_operands_are_small_and_reproducible(layer: Recurrent, seed: int) -> None:
    operands, again = random_sequence(layer, seed), random_sequence(layer, seed)
    for values, repeated in zip(operands, again, strict=True):
        assert values.dtype == np.int64
        assert values.min() >= LOWEST
        assert values.max() <= HIGHEST
        np.testing.assert_array_equal(values, repeated)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
@pytest.mark.parametrize("size", [1, 3, 50, 400])
def test_gates_take_all_values_and_states_go_on_changing(kind: str, size: int) -> None:
    """A check of values is worth little where gates are always shut or states stand still."""
    fields = {"name": "a", "input_size": size, "hidden_size": size, "sequence_length": 12, "batch": 8}
    layer = Lstm(op="lstm", **fields) if kind == "lstm" else Gru(op="gru", **fields)
    operands = random_sequence(layer, 1)
    sums = np.hstack([operands.inputs[0], operands.hidden]) @ operands.weights.T >> gate_shift(layer)
    if size > 3:
        assert set(np.unique(sigmoid(sums))) == set(range(ONE + 1))
        assert set(np.unique(tanh(sums))) == set(range(-ONE, ONE + 1))
    hidden = reference_states(layer, operands).hidden
    for before, after in itertools.pairwise(hidden):
        assert (before != after).any()


def test_activations_are_the_piecewise_linear_ones() -> None:
    values = np.arange(-100, 100)
    np.testing.assert_array_equal(sigmoid(values), np.floor(np.clip(values / ONE / 4 + 0.5, 0, 1) * ONE))
    np.testing.assert_array_equal(tanh(values), np.clip(values / ONE, -1, 1) * ONE)
