"""Skipping repetitions changes nothing: cycles and every counter equal the stepped run's."""

from __future__ import annotations

from collections import Counter
from enum import Enum
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from maerisim.counts.counters import differences
from maerisim.counts.program_totals import per_virtual_neuron
from maerisim.engine.compiled import bit_planes
from maerisim.engine.compiled import fast_forward as recording
from maerisim.engine.compiled import run as compiled
from maerisim.engine.compiled.independent_parts import parts_of
from maerisim.engine.compiled.watched import Watched
from maerisim.engine.observers import Observer
from maerisim.errors import DeadlockError, NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.lowering.rtl_testbench import lower_testbench
from maerisim.mapping.mapping import Mapping
from maerisim.program.program import Program
from maerisim.ways.way import program_of, simulate, violations
from maerisim.workload.problem import DIMENSIONS, Problem
from tests.strategies import Case, FusedCase, cut_orders, fused_cases, hardwares
from tests.validation.test_rtl import turning

DEEP = st.sampled_from([64, 300, 16384])
"""Queues that hardly ever fill, as STONNE's."""
DEEP_QUEUES = (
    "multiplier.input_fifo_depth",
    "multiplier.partial_sum_fifo_depth",
    "multiplier.forward_fifo_depth",
    "multiplier.product_fifo_depth",
    "reduction.fifo_depth",
    "collection.fifo_depth",
)


@st.composite
def held_back(draw: st.DrawFn, drawn: Hardware, *, waiting: bool) -> Hardware:
    """The same hardware with deep queues, or with a controller that waits for outputs, as STONNE's does."""
    changes: dict[str, object] = {name: draw(DEEP) for name in DEEP_QUEUES if draw(st.booleans())}
    if waiting or draw(st.booleans()):
        sums = draw(st.sampled_from(["behind others", "first", "as they arrive", "as they arrive"]))
        changes |= {
            "controller.pad_edges": True,
            "controller.wait_for_outputs": True,
            "controller.wait_across_images": draw(st.booleans()),
            "controller.steps_per_cycle": draw(st.sampled_from([None, 1, 2])),
            "controller.weights_first": draw(st.booleans()),
            "distribution.partial_sums_first": sums != "behind others",
            "distribution.partial_sums_as_they_arrive": sums == "as they arrive",
            "multiplier.wait_for_all_weights": True,
            "multiplier.weight_registers": draw(st.sampled_from([16, 16384])),
        }
    return drawn.with_overrides(changes)


@st.composite
def long_cases(draw: st.DrawFn, *, returning: bool = False) -> Case:
    """Layers whose loops turn often enough to recur, small tiles, any order, also with loops over blocks; or folds that return to a
    controller that waits.
    """
    sizes = {d: draw(st.integers(1, 2)) for d in DIMENSIONS}
    longer = draw(st.lists(st.sampled_from("NGKCPQ"), min_size=2, max_size=3, unique=True))
    for d in [*longer, *"C" * returning]:
        sizes[d] = draw(st.integers(4, 14))
    problem = Problem(**sizes, stride=(draw(st.integers(1, 2)),) * 2)
    hardware = draw(hardwares(32))
    if returning or draw(st.booleans()):
        hardware = draw(held_back(hardware, waiting=returning))
    if returning:
        hardware = hardware.with_overrides({"accumulation.words": 0})
    tile = {d: draw(st.integers(1, min(size, 3))) for d, size in sizes.items()}
    order = draw(st.permutations(DIMENSIONS))
    if hardware.multiplier.wait_for_all_weights:
        order = [d for d in order if d not in "CRS"] + [d for d in order if d in "CRS"]
    for d in draw(st.permutations(DIMENSIONS)):
        if not violations(problem, Mapping.of(tile, order), hardware):
            break
        tile[d] = 1
    mapping = Mapping.of(tile, order)
    cut = Mapping.of(tile, draw(cut_orders(order, problem, mapping)))
    return Case(problem, mapping if violations(problem, cut, hardware) else cut, hardware)


@st.composite
def long_firsts(draw: st.DrawFn) -> Problem:
    """First layers whose loops turn often."""
    sizes = {d: draw(st.integers(1, 2)) for d in DIMENSIONS}
    for d in draw(st.lists(st.sampled_from("NKCPQ"), min_size=2, max_size=3, unique=True)):
        sizes[d] = draw(st.integers(4, 14))
    return Problem(**sizes)


class Kind(Enum):
    """What is skipped in a way of its own."""

    ONE_LAYER = "a layer on ports that run ahead"
    BLOCKS = "loops over blocks"
    WAITING = "a controller that waits for outputs"
    RATE = "a controller that releases steps at a rate"
    LEAST_RECENT = "buses that serve the least recently granted"
    LOCK_STEP = "a controller that drives everything"
    RETURNING = "partial sums that return"
    RETURNING_TO_WAITING = "partial sums that return to a controller that waits"
    AS_THEY_ARRIVE = "partial sums that leave a port as they arrive"
    TOGETHER = "two layers that share a bus or an adder switch"
    ONE_BEHIND_THE_OTHER = "two layers that share nothing"


def kinds_of(program: Program, hardware: Hardware) -> set[Kind]:
    controller = hardware.controller
    parts = parts_of(program, hardware, per_virtual_neuron(program)) if program.control is None else []
    both = any(len({part.program.layer_of_port(port) for port in range(part.hardware.ports)}) == 2 for part in parts)
    found = {
        Kind.ONE_LAYER: program.fusion is None and program.control is None and not controller.holds_ports_back,
        Kind.WAITING: controller.wait_for_outputs,
        Kind.RATE: controller.steps_per_cycle is not None,
        Kind.LEAST_RECENT: hardware.collection.arbiter == "least_recently_granted",
        Kind.LOCK_STEP: program.control is not None,
        Kind.RETURNING: program.spills,
        Kind.RETURNING_TO_WAITING: program.spills and controller.wait_for_outputs,
        Kind.AS_THEY_ARRIVE: program.spills and hardware.distribution.partial_sums_as_they_arrive,
        Kind.TOGETHER: both,
        Kind.ONE_BEHIND_THE_OTHER: program.fusion is not None and not both,
    }
    return {kind for kind, holds in found.items() if holds}


@st.composite
def programs(draw: st.DrawFn) -> tuple[Program, Hardware, set[Kind]]:
    """A program of any kind."""
    fused = fused_cases(firsts=long_firsts())
    drawn = draw(
        st.sampled_from([long_cases(), long_cases(returning=True), fused, fused, turning()]).flatmap(lambda kind: kind)
    )
    if isinstance(drawn, Case | FusedCase):
        problem, mapping, hardware = drawn
        if isinstance(drawn, FusedCase) and draw(st.booleans()):
            of_their_own = {"write_back": "all", "wiring": "regional", "bandwidth": hardware.ports}
            hardware = hardware.with_overrides({f"collection.{name}": value for name, value in of_their_own.items()})
        assume(not violations(problem, mapping, hardware))
        program = program_of(problem, mapping, hardware)
        blocks = {Kind.BLOCKS} if isinstance(mapping, Mapping) and mapping.cuts else set()
        return program, hardware, blocks | kinds_of(program, hardware)
    files, hardware = drawn
    try:
        program = lower_testbench(files, hardware)
    except NotSupportedError:
        assume(False)
    return program, hardware, kinds_of(program, hardware)


@pytest.mark.parametrize("share", range(4))
def test_skipping_equals_stepping(share: int) -> None:
    """2,000 programs in all. Whether the words of a queue are looked at, and how many questions are kept, is a matter of
    speed alone.
    """
    skipped: Counter[Kind] = Counter()

    @settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
    @given(programs())
    def compare(drawn: tuple[Program, Hardware, set[Kind]]) -> None:
        program, hardware, kinds = drawn
        run = assert_equal(program, hardware)
        if run is not None and run.stepped < run.cycles:
            skipped.update(kinds)

    few = share % 2 == 1
    with (
        mock.patch.object(recording, "DEEP", 2 if few else recording.DEEP),
        mock.patch.object(bit_planes, "QUESTIONS", 500 if few else bit_planes.QUESTIONS),
    ):
        compare()
    assert not [kind for kind in Kind if not skipped[kind]]


def run_of(program: Program, hardware: Hardware, *, fast_forward: bool) -> compiled.Run | None:
    """A run; None where the program cannot go on."""
    if program.control is None:
        return compiled.run_lanes(program, hardware, fast_forward=fast_forward)
    try:
        return compiled.run(program, hardware, None, np.zeros(0, np.int64), None, fast_forward)
    except DeadlockError:
        return None


def assert_equal(program: Program, hardware: Hardware) -> compiled.Run | None:
    """Run with and without skipping; both must find the same, or both that the program cannot go on."""
    skipping, stepping = (run_of(program, hardware, fast_forward=wanted) for wanted in (True, False))
    if skipping is None or stepping is None:
        assert skipping is stepping
        return None
    assert differences(skipping.counters, stepping.counters) == []
    assert (skipping.cycles, skipping.first_result) == (stepping.cycles, stepping.first_result)
    assert stepping.stepped >= stepping.cycles
    return skipping


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(long_cases(), st.lists(st.floats(0, 1), min_size=1, max_size=3))
def test_a_cycle_that_is_watched_is_reached_in_the_state_of_the_stepped_run(case: Case, stops: list[float]) -> None:
    problem, mapping, hardware = case
    assume(not violations(problem, mapping, hardware))
    program = program_of(problem, mapping, hardware)
    run = compiled.run_lanes(program, hardware)
    assume(run is not None)
    assert run is not None
    skipping, stepping = Watched(program, hardware), Watched(program, hardware)
    stepping._recurs = False
    for stop in sorted(stops):
        for watched in (skipping, stepping):
            watched.go_to(int(stop * run.cycles))
            watched.watch(watched.cycle + 2, Observer())
        assert skipping.cycle == stepping.cycle
        for part in ("state", "counter", "clock"):
            np.testing.assert_array_equal(getattr(skipping._record, part), getattr(stepping._record, part))
    assert skipping.stepped <= stepping.stepped == stepping.cycle


@pytest.mark.parametrize("order", ["N G K C R S P Q", "N G P Q C R S K", "G K N P Q C R S"])
@pytest.mark.parametrize("name", ["maeri-16", "maeri-64"])
def test_long_layers_are_skipped_for_the_most_part(order: str, name: str) -> None:
    hardware = Hardware.load(name)
    problem = Problem(N=1, G=1, K=60, C=60, R=1, S=3, P=28, Q=28)
    program = program_of(problem, Mapping.of({"C": 2, "S": 3, "K": 2}, order), hardware)
    run = assert_equal(program, hardware)
    assert run is not None
    assert run.stepped < 0.05 * run.cycles
    watched = Watched(program, hardware)
    watched.go_to(run.cycles)
    assert watched.finished
    assert watched.stepped < 0.05 * run.cycles


STONNE = "N G K P Q C R S"


@pytest.mark.parametrize(
    ("problem", "tile", "words"),
    [
        (Problem(K=128, C=64, P=14, Q=14), {"K": 64}, 1_000_000),
        (Problem(K=96, C=16, R=3, S=3, P=20, Q=20), {"R": 3, "S": 3, "C": 4}, 1_000_000),
        (Problem(K=96, C=16, R=3, S=3, P=20, Q=20), {"R": 3, "S": 3, "C": 4}, 0),
        (Problem(K=640, C=512), {"C": 32}, 0),
    ],
    ids=["one multiplier", "3x3", "3x3 without accumulation buffer", "linear without accumulation buffer"],
)
def test_controllers_that_wait_are_skipped_for_the_most_part(
    problem: Problem, tile: dict[str, int], words: int
) -> None:
    hardware = Hardware.load("stonne").with_overrides({"accumulation.words": words})
    run = assert_equal(program_of(problem, Mapping.of(tile, STONNE), hardware), hardware)
    assert run is not None
    assert run.stepped < 0.1 * run.cycles


def test_values_are_carried_by_stepping() -> None:
    from maerisim.workload.reference import random_operands, reference_outputs

    problem = Problem(N=1, G=1, K=12, C=6, R=3, S=3, P=12, Q=12)
    operands = random_operands(problem, 3)
    hardware, mapping = Hardware.load("maeri-16"), Mapping.of({"R": 3, "S": 3}, "N G K C R S P Q")
    result = simulate(problem, mapping, hardware, operands=operands)
    np.testing.assert_array_equal(result.outputs, reference_outputs(problem, operands))
    assert result.cycles == simulate(problem, mapping, hardware).cycles
