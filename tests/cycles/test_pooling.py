"""Poolings: no weights, no products, and what is counted instead."""

from __future__ import annotations

import numpy as np
import pytest

from maerisim.hardware.energy import EnergyTable
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import estimate, simulate
from maerisim.workload.problem import Operation, Problem
from maerisim.workload.reference import Operands, random_operands, reference_outputs

HARDWARE = Hardware.load("maeri-16")
ENGINES = ("event", "compiled")
WHOLE, FOLDED = Mapping.of({"G": 1, "R": 3, "S": 3}), Mapping.of({"G": 4, "S": 3})
SPILLING = {"accumulation.words": 0}


def problem_of(operation: Operation) -> Problem:
    return Problem(G=6, R=3, S=3, P=4, Q=5, stride=(2, 2), operation=operation)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("operation", ["add", "max"])
def test_what_is_counted(engine: str, operation: Operation) -> None:
    problem = problem_of(operation)
    counters = simulate(problem, WHOLE, HARDWARE, engine=engine).counters
    outputs, window = 6 * 4 * 5, 9
    combined = {"additions": outputs * (window - 1), "comparisons": 0}
    if operation == "max":
        combined = {"additions": 0, "comparisons": outputs * (window - 1)}
    assert (counters.multiplications, counters.passes) == (0, outputs * window)
    assert {name: getattr(counters, name) for name in combined} == combined
    assert counters.distributed["weights"] == counters.buffer_reads["weights"] == 0
    assert counters.buffer_writes == {"outputs": outputs, "partial_sums": 0}
    # Stride 2 is not slid over: every window is sent whole.
    assert counters.delivered["inputs"] == outputs * window


@pytest.mark.parametrize("operation", ["add", "max"])
def test_energy_counts_one_register_read_and_no_multiplication_per_input(operation: Operation) -> None:
    problem = problem_of(operation)
    inputs, outputs = 6 * 4 * 5 * 9, 6 * 4 * 5
    counters = simulate(problem, WHOLE, HARDWARE).counters
    free = dict.fromkeys((name for name in EnergyTable.model_fields if name != "unit"), 0.0)
    for name, events in (
        ("multiply", 0),
        ("register_access", 2 * inputs),
        ("multiplier_switch_access", 2 * inputs),
        ("add", inputs - outputs),
        ("global_buffer_access", inputs + outputs),
    ):
        table = EnergyTable(**free | {name: 1.0})
        assert counters.energy(table) == events, name
        assert estimate(problem, WHOLE, HARDWARE).counters.energy(table) == events, name


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("overrides", [{}, SPILLING, {"controller.pad_edges": True}])
@pytest.mark.parametrize("mapping", [WHOLE, FOLDED])
def test_a_maximum_below_zero_is_kept(engine: str, overrides: dict[str, object], mapping: Mapping) -> None:
    """Empty words, sums that start and zeros that fill up partial tiles must not win."""
    problem = problem_of("max")
    operands = Operands(random_operands(problem, 1).inputs - 100, np.zeros(0, np.int64))
    hardware = HARDWARE.with_overrides(overrides)
    outputs = simulate(problem, mapping, hardware, engine=engine, operands=operands).outputs
    assert outputs is not None
    assert (outputs < -90).all()
    np.testing.assert_array_equal(outputs, reference_outputs(problem, operands))


@pytest.mark.parametrize("engine", ENGINES)
def test_padding_never_wins(engine: str) -> None:
    problem = Problem(G=2, R=3, S=3, P=3, Q=3, stride=(2, 2), padding=(1, 1), operation="max")
    operands = random_operands(problem, 7)
    below_zero = Operands(
        np.where(operands.inputs > problem.identity, operands.inputs - 100, operands.inputs), operands.weights
    )
    outputs = simulate(problem, WHOLE, HARDWARE, engine=engine, operands=below_zero).outputs
    plane = below_zero.inputs[0, :, 0, 1:6, 1:6]
    expected = [
        [
            [plane[g, max(0, 2 * p - 1) : 2 * p + 2, max(0, 2 * q - 1) : 2 * q + 2].max() for q in range(3)]
            for p in range(3)
        ]
        for g in range(2)
    ]
    np.testing.assert_array_equal(np.array(outputs)[0, :, 0], expected)


def test_a_pooling_is_done_earlier_by_the_weights_that_it_does_not_wait_for() -> None:
    """Nine switches hang on three ports of four; the busiest sends four inputs, and for a convolution four weights."""
    pooled, convolved = (
        simulate(problem, WHOLE, HARDWARE).cycles for problem in (Problem(R=3, S=3, operation="max"), Problem(R=3, S=3))
    )
    assert convolved - pooled == 4
