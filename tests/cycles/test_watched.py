"""What the compiled engine tells observers, from any cycle on, is what the event engine tells them."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from maerisim.engine.compiled.watched import Watched
from maerisim.engine.observers import Observer
from maerisim.engine.recording import CycleWindow, Recording
from maerisim.engine.run import RunOptions, run_programs
from maerisim.errors import NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import programs, simulate, violations
from maerisim.workload.problem import Problem
from tests.strategies import Case, FusedCase, cases, fused_cases, sparse_cases

EXAMPLES = 10


class Told(Observer):
    """All events of each cycle; of the words that an adder switch takes only how they leave, as values are not carried."""

    def __init__(self) -> None:
        self.cycles: dict[int, list[tuple[Any, ...]]] = defaultdict(list)


def _keeper(name: str, cycle_at: int) -> Any:
    def keep(self: Told, *event: Any, **details: Any) -> None:
        cycle = event[cycle_at]
        if name in ("added", "compared"):
            event = event[:2]
        told = tuple(tuple(part) if isinstance(part, list) else part for part in event)
        self.cycles[cycle].append((name, *told, *sorted(details.items())))

    return keep


for _name in vars(Observer):
    if not _name.startswith("_") and _name not in ("configured", "reconfigured", "lost", "cycle_ended"):
        setattr(Told, _name, _keeper(_name, -1))


def require_same_events(case: Case | FusedCase, start: float) -> None:
    """The events of every program from ``start`` (a share of its run) to its end."""
    for program in programs(case.problem, case.mapping, case.hardware):
        by_event = Told()
        run = run_programs([program], case.hardware, RunOptions("event", observers=[by_event]))
        first = int(start * run.cycles)
        watched, by_compiled = Watched(program, case.hardware), Told()
        watched.go_to(first)
        watched.watch(first + (run.cycles - first) // 2, by_compiled)
        watched.watch(run.cycles + 1, by_compiled)
        assert watched.finished
        assert watched.cycle == run.cycles
        for cycle in range(first, run.cycles):
            assert sorted(by_compiled.cycles[cycle], key=repr) == sorted(by_event.cycles[cycle], key=repr)
        assert set(by_compiled.cycles) <= set(range(first, run.cycles))


@settings(max_examples=EXAMPLES, deadline=None)
@given(case=cases(), start=st.floats(0, 0.99))
def test_layers(case: Case, start: float) -> None:
    require_same_events(case, start)


@settings(max_examples=EXAMPLES // 2, deadline=None)
@given(case=sparse_cases(), start=st.floats(0, 0.99))
def test_sparse_layers(case: Case, start: float) -> None:
    assume(not violations(*case))
    require_same_events(case, start)


@settings(max_examples=EXAMPLES // 2, deadline=None)
@given(case=fused_cases(), start=st.floats(0, 0.99))
def test_fused_layers(case: FusedCase, start: float) -> None:
    assume(not violations(*case))
    require_same_events(case, start)


SPILLS = Problem(K=5, C=7, N=3, P=2, Q=2)


@pytest.mark.parametrize(
    "overrides",
    [
        {"accumulation.words": 0},
        {
            "accumulation.words": 0,
            "controller.pad_edges": True,
            "multiplier.wait_for_all_weights": True,
            "distribution.partial_sums_as_they_arrive": True,
            "distribution.partial_sums_first": True,
        },
        {"accumulation.words": 0, "distribution.latency": 3, "collection.write_back": "half"},
        {"reduction.topology": "linear", "collection.arbiter": "least_recently_granted"},
        {"reduction.topology": "fan", "reduction.latency": 2, "accumulation.latency": 2},
    ],
    ids=", ".join,
)
def test_partial_sums_on_their_way_back(overrides: dict[str, Any]) -> None:
    hardware = Hardware(name="small", multipliers=16).with_overrides(overrides)
    require_same_events(Case(SPILLS, Mapping.of({"K": 2, "C": 3}, "N P Q G K C R S"), hardware), 0.4)


def test_recordings_of_both_engines_are_equal() -> None:
    hardware = Hardware.load("maeri-16")
    problem, mapping = Problem(K=6, C=2, R=3, S=3, P=6, Q=6), Mapping.of({"R": 3, "S": 3}, "N G K C P R S Q")
    window = CycleWindow(40, 60)
    by_event, by_compiled = Recording(window), Recording(window)
    simulate(problem, mapping, hardware, engine="event", observers=[by_event])
    (program,) = programs(problem, mapping, hardware)
    watched = Watched(program, hardware)
    watched.go_to(window.first)
    watched.watch(window.end, by_compiled)
    assert by_compiled.frames == by_event.frames
    assert len(by_event.frames) == 20
    assert any(frame.sent for frame in by_event.frames)
    assert any(frame.stalled for frame in by_event.frames)


def test_the_lock_step_is_refused() -> None:
    hardware = Hardware.load("maeri_rtl")
    problem = Problem(K=2, C=2, R=3, S=3, P=4, Q=4)
    (program,) = programs(problem, Mapping.of({"R": 3, "S": 3}, "N G C R S K P Q"), hardware)
    with pytest.raises(NotSupportedError, match="lock step"):
        Watched(program, hardware)
