"""A cut of the bench that kills commands and damages their files, and that it notices what is lost."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits files of other processes")


@pytest.fixture(scope="module")
def faults() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        return importlib.import_module("faults")


@pytest.mark.parametrize(
    "name", ["full disk while -o writes", "closed pipe", "closed standard streams", "full standard streams"]
)
def test_nothing_is_lost(faults: ModuleType, name: str) -> None:
    assert faults.attempt(faults.FAULTS[name]) == ""


def test_a_bare_environment_changes_nothing(faults: ModuleType) -> None:
    bare = {"TERM": "dumb", "LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    unset = dict.fromkeys(["HOME", "XDG_CACHE_HOME"], faults.UNSET)
    assert faults.attempt(faults.odd_environment(**bare, **unset)) == ""


def test_what_is_lost_is_noticed(faults: ModuleType) -> None:
    def loses() -> None:
        assert Path("mapping.yaml").exists(), "it is gone"

    assert "it is gone" in faults.attempt(loses)
    (report, lost) = faults.measure(0, "closed pipe", cold=False)
    assert not lost
    assert [line.name for line in report.lines] == ["closed pipe"]
