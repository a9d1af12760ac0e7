"""Cycle counts worked out by hand, for both engines.

One rule explains them all: who looks at a queue in cycle t sees what was put there in cycle t - 1 or before. A word
that a port sends in cycle t therefore reaches its multiplier in cycle t + Ld, its product the adders in t + Ld + Lm,
the sum the accumulator after D more cycles (a level of the tree costs Lr), the bus after La + Lc - 1 more. Cycles are
counted from 0, so a run whose last word leaves a port in cycle s takes

    s + TAIL cycles, TAIL = Ld + Lm + D + La + Lc.

A port sends the words of the earliest control step first, of one step its inputs, then its weights: a multiplier switch
alone at its port gets an input in cycle 0, its weight in cycle 1, further inputs from cycle 2 on.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maerisim.engine.compiled.bit_planes import flatten_lanes
from maerisim.engine.compiled.fast_forward import recorded, recorded_by_word
from maerisim.engine.compiled.flatten import flatten
from maerisim.engine.event.fabric import Fabric
from maerisim.engine.run import EngineName, Result
from maerisim.hardware.hardware import Hardware
from maerisim.kernels.stepping import counted, fast_forward
from maerisim.kernels.stepping import fabric as fabric_kernels
from maerisim.mapping.mapping import Mapping
from maerisim.program.program import Program
from maerisim.ways.way import program_of, simulate
from maerisim.workload.problem import Problem

ENGINES: tuple[EngineName, ...] = ("event", "compiled")


class Latencies(NamedTuple):
    """Cycles of each stage."""

    distribution: int
    multiplier: int
    reduction: int
    accumulation: int
    collection: int

    def tail(self, levels: int) -> int:
        """TAIL for a VN whose sum takes ``levels`` levels."""
        return self.distribution + self.multiplier + levels * self.reduction + self.accumulation + self.collection

    def turn(self, levels: int) -> int:
        """Cycles from a multiplication to the cycle in which the bus takes its sum."""
        return self.tail(levels) - self.distribution - 1


ONES = Latencies(1, 1, 1, 1, 1)
latencies = st.builds(Latencies, *[st.integers(1, 4)] * 5)


def fabric(multipliers: int, ports: int, buses: int, latency: Latencies = ONES, **overrides: Any) -> Hardware:
    hardware = Hardware.model_validate(
        {
            "name": "by hand",
            "multipliers": multipliers,
            "distribution": {"bandwidth": ports, "latency": latency.distribution},
            "multiplier": {"latency": latency.multiplier},
            "reduction": {"latency": latency.reduction},
            "collection": {"bandwidth": buses, "latency": latency.collection},
            "accumulation": {"latency": latency.accumulation},
        }
    )
    return hardware.with_overrides({path.replace("__", "."): value for path, value in overrides.items()})


def run(problem: Problem, tile: dict[str, int], hardware: Hardware, order: str = "N G K C R S P Q") -> Result:
    """The result of both engines, which must not differ."""
    event, compiled = (simulate(problem, Mapping.of(tile, order), hardware, engine=engine) for engine in ENGINES)
    assert event == compiled
    return compiled


def results_after(program: Program, hardware: Hardware, cycles: int, engine: EngineName) -> int:
    """How many results have left when ``cycles`` cycles are over."""
    nothing = np.zeros(0, np.int64)
    if engine == "event":
        machine = Fabric(program, hardware, None, nothing)
        if cycles:
            machine.clock.run(until=cycles - 0.5)
        return machine.global_buffer.results
    one_by_one, record = recorded_by_word(flatten(program, hardware, None, nothing))
    fabric_kernels.run(one_by_one, record, program.results + 1, 0, cycles, cycles, False, False)
    lanes, record = recorded(flatten_lanes(program, hardware))
    fast_forward.run(lanes, record, program.results + 1, 0, cycles, False)
    results = int(one_by_one.tally[counted.RESULTS])
    assert lanes.tally[counted.RESULTS] == results
    return results


@settings(max_examples=40, deadline=None)
@given(latencies, st.integers(0, 4), st.sampled_from([1, 2, 4, 8, 16]))
def test_first_result_of_one_virtual_neuron(latency: Latencies, exponent: int, ports: int) -> None:
    """One output of 2^k products: each port sends its switches an input and a weight, the last in cycle 2 w - 1 with
    w = min(2^k, 16 / ports) switches of the VN at the first port; then TAIL with max(k, 1) levels. Not a cycle sooner.
    """
    size = 1 << exponent
    hardware = fabric(16, ports, 4, latency)
    expected = 2 * min(size, 16 // ports) - 1 + latency.tail(max(exponent, 1))
    problem, tile = Problem(C=size), {"C": size}
    assert run(problem, tile, hardware).cycles == expected
    program = program_of(problem, Mapping.of(tile), hardware)
    for engine in ENGINES:
        assert results_after(program, hardware, expected - 1, engine) == 0
        assert results_after(program, hardware, expected, engine) == 1


@settings(max_examples=40, deadline=None)
@given(latencies, st.integers(0, 4), st.integers(1, 30))
def test_one_step_a_cycle(latency: Latencies, exponent: int, steps: int) -> None:
    """n outputs of one VN, a port for every switch: n inputs and a weight leave each port without a pause (a queue of
    F = 4 inputs covers Ld <= 4), the last in cycle n.
    """
    size = 1 << exponent
    hardware = fabric(16, 16, 16, latency)
    result = run(Problem(N=steps, C=size), {"C": size}, hardware, "G K C R S P Q N")
    assert result.cycles == steps + latency.tail(max(exponent, 1))
    assert result.counters.port_stalls == 0


@pytest.mark.parametrize("steps", [4, 6, 40])
def test_input_queue_shorter_than_the_distribution_latency(steps: int) -> None:
    """F = 2 places and Ld = 5: a place is reserved until its word is used, so 2 words go in each round of 5 cycles.

    The weight leaves in cycle 1; rounds of two steps begin in cycles 6, 11, ...: 6 + 5 (n / 2 - 1) + 1 is the last
    multiplication.
    """
    latency = ONES._replace(distribution=5)
    hardware = fabric(2, 2, 2, latency, multiplier__input_fifo_depth=2)
    last = 6 + 5 * (steps // 2 - 1) + 1
    assert run(Problem(N=steps), {}, hardware).cycles == last + latency.turn(1) + 1


@settings(max_examples=30, deadline=None)
@given(latencies, st.sampled_from([1, 2, 4, 8, 16]), st.integers(1, 12))
def test_collection_limited(latency: Latencies, buses: int, steps: int) -> None:
    """16 VNs of one switch multiply together, first in cycle 1 + Ld. A bus then has 16 / W results in every step and
    is never idle: its last result leaves n 16 / W cycles after the first could.
    """
    hardware = fabric(16, 16, buses, latency)
    result = run(Problem(N=steps, K=16), {"K": 16}, hardware, "K G C R S P Q N")
    first = 1 + latency.distribution + latency.turn(1)
    assert result.cycles == first + steps * 16 // buses
    assert result.counters.busy["buses"] == [steps * 16 // buses] * buses


@settings(max_examples=30, deadline=None)
@given(latencies, st.sampled_from([1, 2, 4, 8]), st.integers(1, 20))
def test_distribution_limited(latency: Latencies, ports: int, steps: int) -> None:
    """16 VNs of one switch with an input each and a common weight; w = 16 / D switches at a port, w >= 2.

    Each step takes w inputs of a port, the first one also the weight, and the port never pauses: its last word leaves
    in cycle w n.
    """
    hardware = fabric(16, ports, 16, latency)
    result = run(Problem(N=16, P=steps), {"N": 16}, hardware, "G K C R S N P Q")
    assert result.cycles == 16 // ports * steps + latency.tail(1)
    assert result.counters.distributed == {"inputs": 16 * steps, "weights": ports, "partial_sums": 0}


@settings(max_examples=30, deadline=None)
@given(latencies, st.integers(1, 4), st.integers(1, 40))
def test_folds_in_the_accumulation_buffer(latency: Latencies, exponent: int, folds: int) -> None:
    """One output of m folds, a port for every switch: each fold wants an input and a weight, the port is never idle,
    its last word leaves in cycle 2 m - 1. The folds add up without a round trip: 2 m - 1 + TAIL.
    """
    size = 1 << exponent
    hardware = fabric(16, 16, 16, latency)
    result = run(Problem(C=size * folds), {"C": size}, hardware)
    assert result.cycles == 2 * folds - 1 + latency.tail(exponent)
    assert result.counters.accumulations == folds - 1
    assert result.counters.results == 1


@settings(max_examples=30, deadline=None)
@given(latencies, st.integers(1, 12))
def test_partial_sums_make_a_round_trip_for_each_fold(latency: Latencies, folds: int) -> None:
    """Without an accumulation buffer a VN of one product takes a second switch for the partial sum that comes back.

    The worker's port sends an input in cycle 0 and a weight in cycle 1: the first product is made in cycle 1 + Ld.
    Its sum is written Lm + Lr + La + Lc - 1 cycles later, leaves the port in that same cycle (buses come first) and
    reaches its switch Ld cycles later. Every further fold waits for that.
    """
    hardware = fabric(2, 2, 1, latency, accumulation__words=0)
    problem, tile = Problem(C=folds), {"C": 1}
    begin = 1 + latency.distribution
    round_trip = latency.turn(1) + latency.distribution
    result = run(problem, tile, hardware)
    assert result.cycles == begin + (folds - 1) * round_trip + latency.turn(1) + 1
    counters = result.counters
    assert counters.buffer_writes == {"outputs": 1, "partial_sums": folds - 1}
    assert counters.buffer_reads["partial_sums"] == counters.distributed["partial_sums"] == folds - 1
    program = program_of(problem, Mapping.of(tile), hardware)
    for engine in ENGINES:
        for fold in range(folds):
            written = begin + fold * round_trip + latency.turn(1)  # the cycle in which the bus takes this fold's sum
            assert results_after(program, hardware, written, engine) == fold
            assert results_after(program, hardware, written + 1, engine) == fold + 1


@pytest.mark.parametrize("outputs", [12, 40])
def test_round_trips_hide_behind_other_outputs(outputs: int) -> None:
    """With q outputs between two folds of the same one the round trip never shows: the worker's port sends q m inputs
    and m weights without a pause, the last in cycle (q + 1) m - 1.
    """
    hardware = fabric(2, 2, 1, accumulation__words=0)
    folds = 3
    result = run(Problem(N=outputs, C=folds), {"C": 1}, hardware, "G K C R S P Q N")
    assert result.cycles == (outputs + 1) * folds - 1 + ONES.tail(1)
    assert result.counters.results == outputs * folds


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 9), (4, 5), (6, 2)])
@pytest.mark.parametrize("filters", [1, 3])
def test_words_that_forwarding_saves(rows: int, columns: int, filters: int, engine: EngineName) -> None:
    """A 3 x 3 window: at the first column of each row nine words, then three (the right column of the window); the
    other six move on by one switch. Without forwarding, or with a stride of 2, nine at every output.
    """
    hardware = fabric(32, 32, 32)
    tile = {"K": filters, "R": 3, "S": 3}

    def counters(problem: Problem, machine: Hardware) -> Any:
        return simulate(problem, Mapping.of(tile), machine, engine=engine).counters

    plain = Problem(K=filters, R=3, S=3, P=rows, Q=columns)
    sliding = counters(plain, hardware)
    sent = rows * (9 + 3 * (columns - 1))
    assert sliding.buffer_reads["inputs"] == sent
    assert sliding.distributed["inputs"] == sliding.delivered["inputs"] == filters * sent
    assert sliding.forwards == filters * rows * 6 * (columns - 1)
    for problem, machine in (
        (plain, hardware.with_overrides({"multiplier.forwarding": False})),
        (Problem(K=filters, R=3, S=3, P=rows, Q=columns, stride=(2, 2)), hardware),
    ):
        again = counters(problem, machine)
        assert again.buffer_reads["inputs"] == 9 * rows * columns
        assert again.delivered["inputs"] == 9 * rows * columns * filters
        assert again.forwards == 0


def test_a_word_for_all_switches_of_a_port_is_sent_once() -> None:
    """Eight filters of one weight on two ports: an input is read once and sent by both ports, to eight switches."""
    counters = run(Problem(K=8, N=5), {"K": 8}, fabric(8, 2, 8)).counters
    assert counters.buffer_reads["inputs"] == 5
    assert counters.distributed["inputs"] == 2 * 5
    assert counters.delivered["inputs"] == 8 * 5


def cycles_between(tile: dict[str, int], hardware: Hardware, long: Problem, short: Problem) -> int:
    """By how many cycles the longer of two runs takes longer."""
    one, other = (simulate(problem, Mapping.of(tile, "G K C R S P N Q"), hardware) for problem in (long, short))
    return one.cycles - other.cycles


@pytest.mark.parametrize("size", range(1, 65))
def test_every_virtual_neuron_size_makes_a_step_a_cycle(size: int) -> None:
    """64 switches, as many ports and buses, packed with VNs of one size: 150 more steps take 150 more cycles."""
    count = 64 // size
    long, short = Problem(K=count, C=size, N=230), Problem(K=count, C=size, N=80)
    assert cycles_between({"K": count, "C": size}, fabric(64, 64, 64), long, short) == 150


@pytest.mark.parametrize("window", [(1, 2), (1, 3), (3, 3), (5, 5), (2, 5), (7, 7), (1, 11), (2, 11), (5, 3), (4, 6)])
def test_sliding_windows_make_a_step_a_cycle(window: tuple[int, int]) -> None:
    """The same with inputs that are forwarded, which ties neighbouring switches together."""
    height, width = window
    count = 64 // (height * width)
    tile = {"K": count, "R": height, "S": width}
    long, short = (Problem(K=count, R=height, S=width, Q=columns) for columns in (230, 80))
    assert cycles_between(tile, fabric(64, 64, 64), long, short) == 150
