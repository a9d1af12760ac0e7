"""Sparse layers: both engines and NumPy agree, zeros take no switch, and every predicted count is exact."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings

from maerisim.analytic.bounds import bound
from maerisim.counts.counters import Traffic, differences
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.program.program import Use
from maerisim.ways.way import estimate, programs, simulate, violations
from maerisim.workload.problem import Problem
from maerisim.workload.reference import random_operands, reference_outputs
from maerisim.workload.sparsity import Sparsity
from mapper import find_mapping
from mapper.sparse import tiles, variants
from tests.strategies import Case, sparse_cases

PREDICTED = list(Traffic.__dataclass_fields__)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(sparse_cases())
def test_engines_agree_with_each_other_and_with_numpy(case: Case) -> None:
    problem, mapping, hardware = case
    assume(not violations(problem, mapping, hardware))
    operands = random_operands(problem, seed=1)
    event = simulate(problem, mapping, hardware, engine="event", operands=operands)
    compiled = simulate(problem, mapping, hardware, engine="compiled", operands=operands)
    assert event.cycles == compiled.cycles
    assert differences(event.counters, compiled.counters) == []
    np.testing.assert_array_equal(event.outputs, reference_outputs(problem, operands))
    np.testing.assert_array_equal(compiled.outputs, event.outputs)
    skipping = simulate(problem, mapping, hardware)
    assert skipping.cycles == compiled.cycles
    assert differences(skipping.counters, compiled.counters) == []
    assert skipping.counters.multiplications == problem.macs
    expected = estimate(problem, mapping, hardware)
    assert {name: getattr(expected.counters, name) for name in PREDICTED} == {
        name: getattr(skipping.counters, name) for name in PREDICTED
    }
    assert skipping.cycles >= bound(problem, hardware)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(sparse_cases())
def test_every_nonzero_weight_meets_its_inputs_and_no_switch_holds_a_zero(case: Case) -> None:
    problem, mapping, hardware = case
    assume(not violations(problem, mapping, hardware))
    sent: set[int] = set()
    for program in programs(problem, mapping, hardware):
        sizes = [span.size for span in program.spans]
        working = np.bitwise_or.reduce(np.array(program.compute.templates)) & Use.MULTIPLY != 0
        # Every switch of every virtual neuron multiplies at some time; those between them never do.
        assert working.sum() == sum(sizes)
        for template, _, base in program.weights.walk():
            sent |= {base + offset for offset in template.offset.tolist()}
    assert sent == set(np.flatnonzero(problem.mask).tolist())


def test_virtual_neurons_are_as_large_as_their_filters() -> None:
    rows = ("110000", "111111", "000000", "010100", "001110")
    problem = Problem(K=5, C=6, sparsity=Sparsity(bitmap=rows))
    hardware = Hardware.load("maeri-16")
    (program,) = programs(problem, Mapping.of({"K": 5, "C": 6}, "G K N P Q C R S"), hardware)
    assert [span.size for span in program.spans] == [2, 6, 2, 3]
    assert [span.start for span in program.spans] == [0, 2, 8, 10]
    assert program.results == 4
    # Half of the largest at once: all take two folds, so that the others need half as many switches too.
    (program,) = programs(problem, Mapping.of({"K": 5, "C": 3}, "G K N P Q C R S"), hardware)
    assert [span.size for span in program.spans] == [1, 3, 1, 2]
    assert program.compute.steps == 2
    # Three filters fit in the first round of eight switches, two in the second.
    small = hardware.with_overrides({"multipliers": 8, "distribution.bandwidth": 2, "collection.bandwidth": 2})
    first, second = programs(problem, Mapping.of({"K": 5, "C": 6}, "G K N P Q C R S"), small)
    assert [span.size for span in first.spans] == [2, 6]
    assert [span.size for span in second.spans] == [2, 3]


def test_fewer_weights_take_fewer_cycles() -> None:
    """On a fabric with a port per multiplier; with fewer, inputs that cannot be shared set the pace."""
    hardware = Hardware.load("maeri-64").with_overrides({"distribution.bandwidth": 64, "collection.bandwidth": 64})
    dense = Problem(K=32, C=16, R=3, S=3, P=6, Q=6)
    cycles = []
    for density in (1.0, 0.5, 0.25, 0.1):
        problem = replace(dense, sparsity=Sparsity(density=density, seed=2))
        choice = find_mapping(problem, hardware)
        cycles.append(simulate(problem, choice.mapping, hardware).cycles)
        assert choice.estimate.cycles == pytest.approx(cycles[-1], rel=0.1)
    for more, fewer in itertools.pairwise(cycles):
        assert more > 1.6 * fewer


@pytest.mark.parametrize(
    ("inputs", "outputs", "batch", "profile"),
    [(64, 32, 8, "maeri-16"), (96, 32, 8, "maeri-32"), (48, 24, 6, "maeri-16")],
)
def test_the_best_of_all_mappings_is_found(inputs: int, outputs: int, batch: int, profile: str) -> None:
    """Of all tiles, orders and placements, each simulated; no estimate is 2 % off."""
    problem = Problem(K=outputs, C=inputs, N=batch, sparsity=Sparsity(pattern="2:4", seed=1))
    hardware = Hardware.load(profile)
    every = [
        mapping
        for tile in tiles(problem, hardware)
        for mapping in variants(problem, tile)
        if not violations(problem, mapping, hardware)
    ]
    assert len(every) > 50
    cycles = [simulate(problem, mapping, hardware).cycles for mapping in every]
    for taken, mapping in zip(cycles, every, strict=True):
        assert estimate(problem, mapping, hardware).cycles == pytest.approx(taken, rel=0.02), mapping
    assert simulate(problem, find_mapping(problem, hardware).mapping, hardware).cycles == min(cycles)
