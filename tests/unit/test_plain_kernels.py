"""Estimates of given mappings in plain Python: the numbers of the compiled kernels, and nothing compiled for them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings

from maerisim.hardware.hardware import Hardware
from maerisim.kernels.compiling import cache as compilation
from maerisim.kernels.compiling import plain
from maerisim.kernels.compiling.jit import Kernel
from maerisim.kernels.estimating import ranking
from maerisim.mapping.document import load_mappings
from maerisim.ways.way import estimate, violations
from maerisim.workload.network import Network
from tests.strategies import Case, cases

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def one_compiled() -> None:
    """Estimates below are compared with compiled ones."""
    hardware, network = Hardware.load("maeri-64"), Network.load("alexnet")
    mapping = load_mappings(ROOT / "benchmarks/mappings/alexnet-maeri-64.yaml")
    layer = network.layers[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain, "is_better", lambda _kernel: False)
        estimate(layer.problem, mapping.mapping_for(layer.name, layer.problem), hardware)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases(largest=128))
def test_estimates_in_python_are_those_of_the_kernels(case: Case) -> None:
    problem, mapping, hardware = case
    assume(not violations(problem, mapping, hardware))
    compiled = estimate(problem, mapping, hardware)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain, "is_better", lambda _kernel: True)
        assert estimate(problem, mapping, hardware) == compiled


@pytest.mark.parametrize(
    ("network", "hardware"), [("alexnet", "maeri-64"), ("resnet50", "maeri-256"), ("bert_base", "maeri-256")]
)
def test_estimates_of_whole_networks_in_python(network: str, hardware: str, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Hardware.load(hardware)
    mappings = load_mappings(ROOT / f"benchmarks/mappings/{network}-{hardware}.yaml")
    stages = {stage.problem: stage.name for layer in Network.load(network).layers for stage in layer.stages}
    for problem, name in list(stages.items())[:8]:
        mapping = mappings.mapping_for(name, problem)
        monkeypatch.setattr(plain, "is_better", lambda _kernel: False)
        compiled = estimate(problem, mapping, machine)
        monkeypatch.setattr(plain, "is_better", lambda _kernel: True)
        assert estimate(problem, mapping, machine) == compiled


def test_python_is_left_when_it_has_taken_long(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(ranking.rank.function)
    monkeypatch.setattr(compilation, "is_kept", lambda _name: False)
    monkeypatch.setattr(plain, "_spent", 0.0)
    assert plain.is_better(kernel)
    monkeypatch.setattr(plain, "_spent", plain.PATIENCE_SECONDS)
    assert not plain.is_better(kernel)
    monkeypatch.setattr(plain, "_spent", 0.0)
    with plain.out_of_the_question():
        assert not plain.is_better(kernel)
    monkeypatch.setattr(Kernel, "is_loaded", property(lambda _kernel: True))
    assert not plain.is_better(kernel)
    monkeypatch.undo()
    monkeypatch.setattr(compilation, "is_kept", lambda _name: True)
    assert not plain.is_better(kernel)


def test_nothing_is_compiled_for_an_estimate(tmp_path: Path) -> None:
    """In a process of its own, with an empty directory for kernels."""
    program = """
import sys
from maerisim.hardware.hardware import Hardware
from maerisim.kernels.compiling import cache
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import estimate
from maerisim.workload.problem import Problem
with cache.watched(lambda kernel, _: print("compiled", kernel)):
    print(estimate(Problem(K=8, C=8, P=6, Q=6), Mapping.of({"C": 8, "K": 2}), Hardware.load("maeri-16")).cycles > 0)
"""
    finished = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert finished.stdout == "True\n"
