"""What observers of the event engine are told: each event once, in the cycle in which it happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from maerisim.engine.observers import Observer, all_of
from maerisim.errors import NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import simulate
from maerisim.workload.problem import Problem
from maerisim.workload.reference import random_operands

EVENTS = [name for name in vars(Observer) if not name.startswith("_")]


class Recorder(Observer):
    """Keeps every event with what is said of it."""

    def __init__(self) -> None:
        self.events: list[tuple[str, tuple[Any, ...], dict[str, int]]] = []

    def count(self, name: str) -> int:
        """How often something happened."""
        return len(self.of(name))

    def of(self, name: str) -> list[tuple[Any, ...]]:
        """What was said of each event of a name."""
        return [what for event, what, _ in self.events if event == name]


def _recording(name: str) -> Callable[..., None]:
    def record(self: Recorder, *what: Any, **details: int) -> None:
        self.events.append((name, what, details))

    return record


for _name in EVENTS:
    setattr(Recorder, _name, _recording(_name))


def record(problem: Problem, mapping: Mapping, hardware: Hardware, *, values: bool = True) -> tuple[Recorder, Any]:
    recorder = Recorder()
    operands = random_operands(problem, seed=1) if values else None
    result = simulate(problem, mapping, hardware, engine="event", operands=operands, observers=[recorder])
    return recorder, result


CASES: dict[str, tuple[Problem, dict[str, int], str, dict[str, Any]]] = {
    "filter rows": (Problem(K=3, C=2, R=3, S=3, P=2, Q=3), {"R": 3, "S": 3}, "N G K C P R S Q", {}),
    "folds that spill": (
        Problem(K=5, C=7, N=2),
        {"K": 2, "C": 3},
        "N G K C R S P Q",
        {"accumulation.words": 0, "distribution.latency": 3},
    ),
    "odd virtual neurons": (Problem(K=4, C=10), {"K": 3, "C": 5}, "N G K C R S P Q", {"reduction.lateral_latency": 2}),
    "max pooling": (
        Problem(G=3, R=3, S=2, P=2, Q=3, operation="max"),
        {"G": 2, "R": 2, "S": 2},
        "N G K C R S P Q",
        {},
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_events_of_a_run_add_up_to_its_counters(
    case: tuple[Problem, dict[str, int], str, dict[str, Any]],
) -> None:
    problem, tile, order, overrides = case
    hardware = Hardware(name="small", multipliers=16).with_overrides(overrides)
    recorder, result = record(problem, Mapping.of(tile, order), hardware)
    counters = result.counters
    sent = Counter(operand for _, operand, *_ in recorder.of("sent"))
    arrived = Counter(operand for _, operand, *_ in recorder.of("delivered"))
    assert sent == Counter({operand: count for operand, count in counters.distributed.items() if count})
    assert arrived == Counter({operand: count for operand, count in counters.delivered.items() if count})
    assert sum(details["hops"] for _, _, details in recorder.events if details) == counters.distribution_hops
    assert recorder.count("multiplied") == counters.multiplications
    assert recorder.count("passed") == counters.passes
    assert recorder.count("forwarded") == counters.forwards
    assert recorder.count("added") + recorder.count("compared") == counters.adder_words
    combined = [len(values) - 1 for name in ("added", "compared") for _, _, values, _, _ in recorder.of(name) if values]
    assert sum(combined) == counters.additions + counters.comparisons
    assert recorder.count("accumulated") == counters.accumulations
    assert recorder.count("collected") == recorder.count("written") == counters.results
    assert recorder.count("port_stalled") == counters.port_stalls
    stalls = Counter(cause for _, cause, _ in recorder.of("stalled"))
    assert stalls == Counter({cause: count for cause, count in counters.stalls.items() if count})
    assert recorder.of("cycle_ended") == [(cycle,) for cycle in range(result.cycles)]
    assert recorder.count("configured") == 1
    outputs = result.outputs.ravel()
    assert {address: value for _, address, value, _ in recorder.of("written")} == dict(enumerate(outputs))


def test_words_cross_lateral_links_where_a_virtual_neuron_needs_it() -> None:
    """Switches 5 .. 9 lie on both sides of the root of a tree over 16: their sums meet over a link below it."""
    hardware = Hardware(name="small", multipliers=16)
    mapping = Mapping.of({"K": 3, "C": 5})
    crossing, _ = record(Problem(K=3, C=5), mapping, hardware)
    assert {vn for _, vn, _, _ in crossing.of("crossed")} <= {0, 1, 2}
    assert crossing.count("crossed") > 0
    aligned, _ = record(Problem(K=4, C=4), Mapping.of({"K": 4, "C": 4}), hardware)
    assert aligned.count("crossed") == 0


def test_the_first_cycles_by_hand() -> None:
    """One product: the port sends the input in cycle 0 and the weight in cycle 1, where each arrives at once. The switch
    waits for its input in cycle 0, for its weight in 1, and multiplies in 2; the adder sees the product in 3, the
    accumulator in 4, the bus in 5, which is when the result is written.
    """
    problem = Problem()
    operands = random_operands(problem, seed=3)
    recorder = Recorder()
    hardware = Hardware.model_validate(
        {"name": "two", "multipliers": 2, "distribution": {"bandwidth": 1}, "collection": {"bandwidth": 1}}
    )
    simulate(problem, Mapping.of({}), hardware, engine="event", operands=operands, observers=[recorder])
    word, weight = int(operands.inputs.item()), int(operands.weights.item())
    told = [(name, what) for name, what, _ in recorder.events if name not in ("configured", "cycle_ended")]
    product = word * weight
    assert told == [
        ("stalled", (0, "weights", 0)),
        ("sent", (0, "inputs", [0], word, 0)),
        ("delivered", (0, "inputs", 0, word, 0)),
        ("stalled", (0, "weights", 1)),
        ("sent", (0, "weights", [0], weight, 1)),
        ("delivered", (0, "weights", 0, weight, 1)),
        ("multiplied", (0, product, 2)),
        ("added", (0, 0, [product], product, 3)),
        ("collected", (0, 0, product, True, 5)),
        ("written", (0, 0, product, 5)),
    ]


def test_lock_step_tells_of_configurations_and_of_every_word() -> None:
    hardware = Hardware.load("maeri_rtl").with_overrides({"multipliers": 16})
    mapping = Mapping.of({"K": 4, "R": 2, "S": 2}, "C K P Q N G R S")
    recorder, result = record(Problem(K=5, C=2, R=2, S=2, P=2, Q=3), mapping, hardware, values=False)
    counters = result.counters
    assert recorder.count("sent") == sum(counters.distributed.values())
    assert recorder.count("delivered") + recorder.count("lost") == sum(counters.delivered.values())
    assert recorder.count("multiplied") == counters.multiplications
    assert recorder.count("written") == counters.results
    given = [products for _, _, products, _ in recorder.of("reconfigured")]
    assert sum(given) == counters.multiplications  # every product that a configuration allows is made


def test_several_observers_are_told_in_turn_and_those_that_do_not_listen_are_not_asked() -> None:
    told: list[str] = []

    class Named(Observer):
        def __init__(self, name: str) -> None:
            self.name = name

        def cycle_ended(self, cycle: int) -> None:
            told.append(f"{self.name} {cycle}")

    together = all_of([Named("one"), Observer(), Named("two")])
    together.cycle_ended(7)
    together.multiplied(0, 0, 0)
    assert told == ["one 7", "two 7"]
    assert set(vars(together)) == {"cycle_ended"}


def test_the_compiled_engine_has_no_observers() -> None:
    with pytest.raises(NotSupportedError, match="observers need engine='event'"):
        simulate(Problem(), Mapping.of({}), Hardware(name="small", multipliers=2), observers=[Observer()])
