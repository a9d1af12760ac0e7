"""Two fused layers: what fits together, how they shrink, and when the second can begin."""

from __future__ import annotations

from itertools import product
from math import ceil

import pytest
from hypothesis import assume, given, settings

from maerisim.analytic.fused import completed, first_needed, fused_bound, lateness
from maerisim.errors import DocumentError, MappingError, NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.fused import FusedMapping, shares
from maerisim.mapping.mapping import Mapping
from maerisim.memory.blocks import fused_use
from maerisim.ways.way import estimate, program_of, refusals, simulate, violations
from maerisim.workload.problem import DIMENSIONS, FusedProblem, Problem
from maerisim.workload.sparsity import Sparsity
from tests.strategies import FusedCase, fused_cases

CONV = Problem(K=6, C=3, R=3, S=3, P=8, Q=10)


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (Problem(C=6, P=8, Q=10), None),
        (Problem(G=6, R=2, S=2, P=4, Q=5, stride=(2, 2), operation="max"), None),
        (Problem(C=480, K=4), None),
        (Problem(C=5, P=8, Q=10), "the second has 5 input channels, expected the 6 output channels of the first"),
        (Problem(C=480, R=2), "the second has 480 input channels, expected the 6 output channels of the first"),
        (Problem(N=2, C=6), "a batch of 1, then one of 2, expected the same"),
        (Problem(C=6, sparsity=Sparsity(density=0.5, seed=1)), "expected dense layers"),
    ],
)
def test_what_fits_together(second: Problem, expected: str | None) -> None:
    if expected is None:
        assert FusedProblem(CONV, second).intermediate_words == 480
        return
    with pytest.raises(DocumentError) as raised:
        FusedProblem(CONV, second)
    assert expected in str(raised.value)


def test_features_of_a_fully_connected_layer_are_rows_and_columns_of_channels() -> None:
    assert FusedProblem(CONV, Problem(C=480)).intermediate_shape == (1, 480, 1, 1)
    assert FusedProblem(CONV, Problem(C=6)).intermediate_shape == (1, 6, 8, 10)


@pytest.mark.parametrize(
    "second",
    [
        Problem(K=40, C=64, R=3, S=3, P=56, Q=28, stride=(1, 2), padding=(1, 1)),
        Problem(G=64, R=3, S=3, P=28, Q=28, stride=(2, 2), operation="max"),
        Problem(K=100, C=64 * 56 * 56),
    ],
)
@pytest.mark.parametrize("limit", [1_000_000, 20_000])
def test_shrunk_layers_still_fit_together(second: Problem, limit: int) -> None:
    whole = FusedProblem(Problem(K=64, C=32, R=3, S=3, P=56, Q=56), second)
    small = whole.scaled(limit)  # FusedProblem checks that they fit together
    assert max(small.first.operations, small.second.operations) <= limit
    assert (small.second.R, small.second.S, small.second.stride) == (second.R, second.S, second.stride)
    assert small.scaled(limit) == small


def test_layers_below_the_limit_are_not_shrunk() -> None:
    problem = FusedProblem(CONV, Problem(C=6, P=8, Q=10))
    assert problem.scaled(CONV.operations) == problem


@settings(max_examples=60, deadline=None)
@given(fused_cases())
def test_lateness_is_that_of_the_latest_word(case: FusedCase) -> None:
    """Against a walk through the control steps of both layers that looks at every word."""
    problem, mapping, _ = case
    first, second = problem.first, problem.second
    complete: dict[tuple[int, ...], int] = {}
    steps = visits(first, mapping.first)
    for number, tile in enumerate(steps):
        for n, g, k, _c, _r, _s, p, q in product(*tile):
            complete[n, g * first.K + k, p, q] = number + 1
    needed: dict[tuple[int, ...], int] = {}
    later = visits(second, mapping.second)
    flat = second.G * second.C != first.G * first.K
    for number, tile in enumerate(later):
        for n, g, _k, c, r, s, p, q in product(*tile):
            row = p * second.stride[0] + r * second.dilation[0] - second.padding[0]
            column = q * second.stride[1] + s * second.dilation[1] - second.padding[1]
            channel = g * second.C + c
            if flat:
                channel, rest = divmod(channel, first.P * first.Q)
                row, column = divmod(rest, first.Q)
            if 0 <= row < first.P and 0 <= column < first.Q:
                needed.setdefault((n, channel, row, column), number)
    assume(needed)
    first_cycles, second_cycles = 10 * len(steps), 7 * len(later)
    expected = max(0, *(10 * complete[word] - 7 * number for word, number in needed.items()))
    given_at = completed(first, mapping.first, first_cycles)
    needed_at = first_needed(problem, mapping.second, second_cycles)
    assert lateness(problem, given_at, needed_at) == pytest.approx(expected, abs=1)


def visits(problem: Problem, mapping: Mapping) -> list[list[range]]:
    """For each control step in order the indices of each dimension that are at work."""
    sizes = dict(zip(DIMENSIONS, problem.dims, strict=True))
    found = []
    for turn in product(*(range(ceil(sizes[name] / mapping.tile_of(name))) for name in mapping.order)):
        tile = {}
        for name, index in zip(mapping.order, turn, strict=True):
            start = index * mapping.tile_of(name)
            tile[name] = range(start, min(start + mapping.tile_of(name), sizes[name]))
        found.append([tile[name] for name in DIMENSIONS])
    return found


@settings(max_examples=60, deadline=None)
@given(fused_cases())
def test_the_estimate_counts_exactly_and_the_bound_holds(case: FusedCase) -> None:
    problem, mapping, hardware = case
    assume(not violations(problem, mapping, hardware))
    expected = estimate(problem, mapping, hardware)
    found = simulate(problem, mapping, hardware, engine="event")
    assert expected.counters == found.counters.traffic
    assert found.cycles >= fused_bound(problem, hardware) == expected.bound_cycles


def test_shares_of_switches_ports_and_buffer() -> None:
    first, second = shares(Hardware.load("maeri-64"), 12)
    assert (first.multipliers, first.ports, first.buses, first.accumulation_words) == (12, 3, 16, 12 * 64)
    assert (second.multipliers, second.ports, second.buses, second.accumulation_words) == (52, 13, 16, 52 * 64)


def test_virtual_neurons_of_a_plain_tree_are_aligned() -> None:
    hardware = Hardware.load("maeri-16").with_overrides({"reduction.topology": "plain_tree"})
    problem = FusedProblem(Problem(K=2, C=4, P=3), Problem(C=2, R=3, P=1, K=2))
    second = Mapping.of({"C": 2, "R": 3})
    assert violations(problem, FusedMapping(Mapping.of({"C": 4}), second, 8), hardware) == []
    found = violations(problem, FusedMapping(Mapping.of({"C": 4}), second, 4), hardware)
    assert len(found) == 1
    assert "virtual neurons of 6 each take an aligned subtree of 8" in found[0]
    with pytest.raises(MappingError, match="aligned subtree of 8"):
        program_of(problem, FusedMapping(Mapping.of({"C": 4}), second, 4), hardware)


@pytest.mark.parametrize(
    ("hardware", "reason"),
    [
        (Hardware.load("stonne"), "controller.steps_per_cycle, controller.wait_for_outputs"),
        (Hardware.load("maeri_rtl"), "controller.kind: lock_step"),
        (Hardware.load("maeri-16").with_overrides({"distribution.bandwidth": 1}), "a distribution port each"),
    ],
)
def test_hardware_that_cannot_fuse(hardware: Hardware, reason: str) -> None:
    problem = FusedProblem(Problem(K=2, C=4), Problem(C=2))
    mapping = FusedMapping(Mapping.of({}), Mapping.of({}), hardware.leaves_per_port)
    assert len(refusals(problem, hardware)) == 1
    assert reason in refusals(problem, hardware)[0]
    with pytest.raises(NotSupportedError, match="fused layers need"):
        simulate(problem, mapping, hardware)


def test_words_between_fused_layers_do_not_go_to_dram() -> None:
    first, second = Problem(K=4, C=3, P=5, Q=5), Problem(K=2, C=4, R=3, S=3, P=3, Q=3)
    mapping = Mapping.of({}, "N G K C R S P Q")
    use = fused_use(FusedProblem(first, second), (mapping, mapping), 100)
    assert use.read == {"inputs": 3 * 5 * 5, "partial_sums": 0, "weights": 4 * 3 + 2 * 4 * 3 * 3}
    assert use.written == {"outputs": 2 * 3 * 3, "partial_sums": 0}
    assert use.buffer_words == sum(use.read.values()) + 4 * 5 * 5 + 2 * 3 * 3
    assert use.dram_cycles == 0


def test_fused_layers_are_refused_where_the_buffer_limits() -> None:
    limited = Hardware.load("maeri-64").with_overrides({"global_buffer.words": 10_000})
    (reason,) = refusals(FusedProblem(Problem(K=2, C=4), Problem(C=2)), limited)
    assert "its global_buffer and dram limit that" in reason
