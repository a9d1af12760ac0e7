"""Recurrent layers through their whole sequence: both engines and NumPy agree, and every time step takes as long."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from maerisim.counts.counters import differences
from maerisim.hardware.hardware import Hardware
from maerisim.ways.sequence import simulate_sequence
from maerisim.ways.way import simulate, violations
from maerisim.workload.recurrence import random_sequence, reference_states, walk
from maerisim.workload.recurrent import Gru, Lstm, Recurrent
from mapper import find_mapping
from tests.strategies import hardwares, mappings

sizes: dict[str, Any] = {
    name: st.integers(1, most) for name, most in (("input_size", 5), ("hidden_size", 5), ("batch", 3))
}
sizes["bidirectional"] = st.booleans()
sizes["sequence_length"] = st.integers(2, 4)
layers = st.builds(Lstm, name=st.just("cells"), op=st.just("lstm"), **sizes) | st.builds(
    Gru, name=st.just("cells"), op=st.just("gru"), **sizes
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(layers, hardwares(), st.data())
def test_both_engines_compute_the_states_that_numpy_does(
    layer: Recurrent, hardware: Hardware, data: st.DataObject
) -> None:
    chosen = {stage.name: data.draw(mappings(stage.problem, hardware)) for stage in layer.stages}
    assume(not any(violations(stage.problem, chosen[stage.name], hardware) for stage in layer.stages))
    operands = random_sequence(layer, seed=2)
    expected = reference_states(layer, operands)
    cycles = sum(stage.count * simulate(stage.problem, chosen[stage.name], hardware).cycles for stage in layer.stages)
    for engine in ("event", "compiled"):
        result = simulate_sequence(layer, chosen, hardware, operands, engine=engine)
        np.testing.assert_array_equal(result.states.hidden, expected.hidden)
        np.testing.assert_array_equal(result.states.cell, expected.cell)
        assert result.cycles == cycles


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(layers)
def test_engines_count_the_same_at_every_stage_of_a_sequence(layer: Recurrent) -> None:
    hardware = Hardware.load("maeri-16")
    chosen = {stage.name: find_mapping(stage.problem, hardware).mapping for stage in layer.stages}

    def run(stage, operands):
        event = simulate(stage.problem, chosen[stage.name], hardware, engine="event", operands=operands)
        compiled = simulate(stage.problem, chosen[stage.name], hardware, operands=operands)
        assert differences(event.counters, compiled.counters) == []
        assert compiled.counters.multiplications == stage.problem.macs
        return compiled.outputs

    operands = random_sequence(layer, seed=3)
    np.testing.assert_array_equal(walk(layer, operands, run).hidden, reference_states(layer, operands).hidden)
