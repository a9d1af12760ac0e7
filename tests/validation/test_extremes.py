"""A cut of the bench that sets numbers of the hardware to their extremes, and that it notices what fails."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def extremes() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        return importlib.import_module("extremes")


def test_every_number_has_two_ends(extremes: ModuleType) -> None:
    found = list(extremes.settings())
    paths = [each.path for each in found]
    assert len(paths) == 2 * len(set(paths))
    assert {"multipliers", "reduction.fifo_depth", "dram.bandwidth", "accumulation.words", "energy.add"} < set(paths)
    assert {each.value for each in found if each.path == "reduction.latency"} == {1, 1024}


@pytest.mark.parametrize(
    ("only", "names"), [("fifo_depth", ["matmul"]), ("r.latency", ["avg_pool"]), ("dram", ["gru/reset"])]
)
def test_ends_of_numbers(extremes: ModuleType, only: str, names: list[str]) -> None:
    found = extremes.look(0, 0, only, names=names)
    assert found.failures == []
    assert found.ends["results"] == found.ends["with values"] > 0


def test_failures_are_noticed(extremes: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    (setting, _) = (each for each in extremes.settings() if each.path == "collection.latency")
    problem = extremes.problems()["linear"]

    def ended(compare: Any) -> dict[str, int]:
        found = extremes.Found()
        monkeypatch.setattr(extremes, "compare", compare)
        extremes.run_case(found, (setting,), "linear", problem)
        assert len(found.failures) == sum(found.ends.values())
        return dict(found.ends)

    def overflows(*_: object) -> None:
        raise OverflowError("too large to convert to C long")

    def differs(*_: object) -> None:
        raise AssertionError

    assert ended(overflows) == {"tracebacks": 1}
    assert ended(differs) == {"differences": 1}
    monkeypatch.setattr(extremes, "PATIENCE_SECONDS", -1.0)
    assert ended(lambda *_: None) == {"hangs": 1}
