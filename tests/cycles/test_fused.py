"""Two fused layers: both engines agree, the values are NumPy's, and no word is sent before it is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings

from maerisim.counts.counters import differences
from maerisim.engine.observers import Observer
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.fused import FusedMapping
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import program_of, simulate, violations
from maerisim.workload.problem import FusedProblem, Problem
from maerisim.workload.reference import FusedOperands, Operands, random_fused_operands, reference_outputs
from tests.strategies import FusedCase, fused_cases


def one_after_the_other(problem: FusedProblem, operands: FusedOperands) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The outputs of the second layer by NumPy, its input cut and padded here."""
    first, second = problem.first, problem.second
    between = reference_outputs(first, operands.first)
    channels = second.G * second.C
    images = between.reshape(first.N, channels, *((first.P, first.Q) if channels == first.G * first.K else (1, 1)))
    pad = [(0, 0), (0, 0), *((before, before + 9) for before in second.padding[:2])]
    padded = np.pad(images, pad, constant_values=second.identity)[:, :, : second.H, : second.W]
    return reference_outputs(second, Operands(padded.reshape(second.input_shape), operands.weights))


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(fused_cases())
def test_engines_agree_with_each_other_and_with_numpy(case: FusedCase) -> None:
    problem, mapping, hardware = case
    assume(not violations(problem, mapping, hardware))
    operands = random_fused_operands(problem, seed=1)
    slow = simulate(problem, mapping, hardware, engine="event", operands=operands)
    compiled = simulate(problem, mapping, hardware, operands=operands)
    assert slow.cycles == compiled.cycles
    assert slow.first_result == compiled.first_result
    assert differences(slow.counters, compiled.counters) == []
    assert slow.outputs is not None
    assert compiled.outputs is not None
    np.testing.assert_array_equal(slow.outputs, compiled.outputs)
    np.testing.assert_array_equal(compiled.outputs, one_after_the_other(problem, operands))
    assert compiled.counters.multiplications == problem.macs
    assert compiled.counters.operations == problem.operations
    timing = simulate(problem, mapping, hardware)  # without values, 64 switches at a time
    assert (timing.cycles, timing.first_result) == (compiled.cycles, compiled.first_result)
    assert differences(timing.counters, compiled.counters) == []


class Watched(Observer):
    """Notes when each output of the first layer was written last, and when it was first sent on, by address."""

    def __init__(self, first_port: int) -> None:
        self.first_port = first_port
        self.written_at: dict[int, int] = {}
        self.sent_at: dict[int, int] = {}

    def written(self, virtual_neuron: int, address: int, value: int, cycle: int) -> None:
        self.written_at[address] = cycle  # a partial sum, then the output itself

    def sent(
        self, port: int, operand: str, destinations: Sequence[int], value: int, cycle: int, **details: int
    ) -> None:
        if port >= self.first_port and operand == "inputs" and details["address"] >= 0:
            self.sent_at.setdefault(details["address"], cycle)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(fused_cases())
def test_no_word_is_sent_before_it_was_written(case: FusedCase) -> None:
    problem, mapping, hardware = case
    assume(not violations(problem, mapping, hardware))
    program = program_of(problem, mapping, hardware)
    assert program.fusion is not None
    watched = Watched(program.fusion.port)
    simulate(problem, mapping, hardware, engine="event", observers=[watched])
    assume(watched.sent_at)  # a window may see nothing but padding
    for address, sent in watched.sent_at.items():
        # The global buffer writes before the ports send: a result may go on in the cycle in which it is written.
        assert watched.written_at[address] <= sent


SMALL = FusedProblem(Problem(K=4, C=8, P=6, Q=6), Problem(K=4, C=4, R=3, S=3, P=6, Q=6, padding=(1, 1)))
ROWS = Mapping.of({"K": 4, "C": 4}, "N G P Q K C R S")


def test_both_layers_work_at_the_same_time() -> None:
    """The second begins long before the first ends, so that both together take less than one after the other."""
    hardware = Hardware.load("maeri-64")
    second = Mapping.of({"C": 4, "R": 3}, "N G P Q K C R S")
    together = simulate(SMALL, FusedMapping(ROWS, second, 16), hardware).cycles
    alone = [simulate(SMALL.first, ROWS, hardware).cycles, simulate(SMALL.second, second, hardware).cycles]
    assert max(alone) <= together < sum(alone)


def test_a_layer_that_needs_all_channels_waits_for_the_last() -> None:
    """With output channels outermost the first has given no pixel all its channels before the last channel begins."""
    hardware = Hardware.load("maeri-64")
    channels = Mapping.of({"C": 8}, "N G K P Q C R S")
    pixels = Mapping.of({"C": 8}, "N G P Q K C R S")
    second = Mapping.of({"C": 4, "R": 3}, "N G P Q K C R S")
    late, early = (simulate(SMALL, FusedMapping(first, second, 16), hardware).cycles for first in (channels, pixels))
    alone = simulate(SMALL.second, second, hardware).cycles
    steps = 36  # of the first layer for each channel
    assert late >= 3 * steps + alone
    assert early < late


def test_virtual_neurons_of_both_lie_on_their_own_ports() -> None:
    hardware = Hardware.load("maeri-64")
    second = Mapping.of({"C": 4, "R": 3}, "N G P Q K C R S")
    program = program_of(SMALL, FusedMapping(ROWS, second, 20), hardware)
    assert [tuple(span) for span in program.spans] == [(0, 4), (4, 4), (8, 4), (12, 4), (20, 12)]
    assert [program.layer_of_virtual_neuron(number) for number in range(5)] == [0, 0, 0, 0, 1]
    assert [program.layer_of_port(port) for port in (4, 5)] == [0, 1]


@pytest.mark.parametrize(
    ("multipliers", "expected"),
    [
        (0, "the first layer has 0 of 64 multipliers, expected some but not all, and a multiple of the 4 below"),
        (64, "the first layer has 64 of 64 multipliers"),
        (18, "the first layer has 18 of 64 multipliers"),
        (12, "the first of the fused layers: 4 virtual neurons of 4 need 16 multipliers, 12 are there"),
        (56, "the second of the fused layers: 1 virtual neurons of 12 need 12 multipliers, 8 are there"),
    ],
)
def test_shares_that_do_not_fit(multipliers: int, expected: str) -> None:
    mapping = FusedMapping(ROWS, Mapping.of({"C": 4, "R": 3}), multipliers)
    found = violations(SMALL, mapping, Hardware.load("maeri-64"))
    assert len(found) == 1
    assert expected in found[0]
