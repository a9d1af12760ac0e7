"""A cut of the bench that feeds readers and commands what nobody would write, and that it notices what fails."""

from __future__ import annotations

import importlib
import time
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        return importlib.import_module("fuzz")


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """Another one each day; ``benchmarks/fuzz.py --seed`` repeats it."""
    return int(time.time() // 86400)


def test_originals_are_good(fuzz: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, read in fuzz.READERS.items():
        for text in fuzz.originals(name):
            Path("good").write_text(text, encoding="utf-8")
            read(Path("good"))


def test_readers(fuzz: ModuleType, seed: int) -> None:
    results = fuzz.fuzz(inputs=100, commands=0, seed=seed, results=[])
    assert [found.failures for found in results] == [[]] * len(fuzz.READERS), f"seed {seed}"
    for found in results:
        assert sum(found.ends.values()) == 100
        assert found.ends["refused"] > 10


def test_commands(fuzz: ModuleType, seed: int) -> None:
    (found,) = fuzz.fuzz(inputs=0, commands=20, seed=seed, results=[])
    assert found.failures == [], f"seed {seed}"
    assert found.ends["exit code 0"] > 2
    assert found.ends["exit code 2"] > 2


def test_failures_of_readers_are_noticed(fuzz: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_path: Path) -> None:
        raise ValueError("unexpected")

    def hang(_path: Path) -> None:
        time.sleep(60)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fuzz, "READER_SECONDS", 0.05)
    for reader, end in ((fail, "tracebacks"), (hang, "hangs")):
        monkeypatch.setitem(fuzz.READERS, "network", reader)
        found = fuzz.Found("network")
        fuzz.fuzz_reader(found, 3, 0)
        assert found.ends == {end: 3}
        assert len(found.failures) == 3


def test_failures_of_commands_are_noticed(fuzz: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(command: object) -> dict[str, int]:
        found = fuzz.Found("commands")
        monkeypatch.setattr(fuzz, "main", command)
        fuzz.run_command(found, ["map", "hw.yaml"], {"hw.yaml": {"name": "a"}})
        return dict(found.ends)

    def silent(_arguments: list[str]) -> None:
        raise SystemExit(2)

    def strange(_arguments: list[str]) -> None:
        raise SystemExit(3)

    def fails(_arguments: list[str]) -> None:
        raise KeyError("a")

    def removes(_arguments: list[str]) -> None:
        Path("hw.yaml").unlink()

    def half_written(_arguments: list[str]) -> None:
        Path("out.yaml").write_text("name: wh")

    assert ended(silent) == {"silent failures": 1}
    assert ended(strange) == {"bad exit codes": 1}
    assert ended(fails) == {"tracebacks": 1}
    assert ended(removes) == {"exit code 0": 1, "lost files": 1}
    assert ended(half_written) == {"exit code 0": 1, "lost files": 1}
    assert ended(lambda _arguments: None) == {"exit code 0": 1}


def test_the_same_seed_damages_the_same(fuzz: ModuleType) -> None:
    chances = [fuzz.random.Random(5) for _ in range(2)]
    (text, *_) = fuzz.originals("network")
    one, other = ([fuzz.mutated(text, chance) for _ in range(50)] for chance in chances)
    assert one == other
    assert len(set(one)) > 40
