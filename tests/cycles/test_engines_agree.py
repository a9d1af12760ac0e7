"""The event engine and the compiled engine agree on everything, and with NumPy on the values."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, assume, given, settings

from maerisim.counts.counters import differences
from maerisim.hardware.hardware import Hardware
from maerisim.lowering.dense import filled_up
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import simulate, violations
from maerisim.workload.problem import Problem
from maerisim.workload.reference import random_operands, reference_outputs
from tests.strategies import Case, cases


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
def test_engines_agree_with_each_other_and_with_numpy(case: Case) -> None:
    problem, mapping, hardware = case
    assume(
        not violations(problem, mapping, hardware)
    )  # two switches cannot hold a product and a returning partial sum twice
    operands = random_operands(problem, seed=1)
    event = simulate(problem, mapping, hardware, engine="event", operands=operands)
    compiled = simulate(problem, mapping, hardware, engine="compiled", operands=operands)
    assert event.cycles == compiled.cycles
    assert differences(event.counters, compiled.counters) == []
    assert event.outputs is not None
    assert compiled.outputs is not None
    np.testing.assert_array_equal(event.outputs, compiled.outputs)
    np.testing.assert_array_equal(compiled.outputs, reference_outputs(problem, operands))
    whole = filled_up(problem, mapping, hardware)
    assert compiled.counters.multiplications == whole.macs
    assert compiled.counters.passes == whole.operations - whole.macs
    assert not (compiled.counters.additions if problem.operation == "max" else compiled.counters.comparisons)
    timing = simulate(problem, mapping, hardware)  # without values, 64 switches at a time, repetitions skipped
    assert (timing.cycles, timing.first_result) == (compiled.cycles, compiled.first_result)
    assert differences(timing.counters, compiled.counters) == []


def test_inputs_held_in_a_ring_slide_where_a_partial_tile_leaves_switches_idle() -> None:
    """Two images share a ring of held inputs; the second one of a virtual neuron may lie beyond the last image."""
    hardware = Hardware.model_validate(
        {
            "name": "small",
            "multipliers": 8,
            "multiplier": {"weight_registers": 1, "input_registers": 2, "input_fifo_depth": 2},
        }
    )
    problem, mapping = Problem(N=5, K=2, S=2, Q=2), Mapping.of({"N": 3, "S": 2}, "G C R S P Q K N")
    operands = random_operands(problem, seed=1)
    for engine in ("event", "compiled"):
        result = simulate(problem, mapping, hardware, engine=engine, operands=operands)  # type: ignore[arg-type]
        np.testing.assert_array_equal(result.outputs, reference_outputs(problem, operands))
        assert result.counters.forwards > 0
