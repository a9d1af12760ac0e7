"""The benchmark that checks every layer of the networks: its copies keep the mapping, and it says what it found."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from maerisim.counts.tile_kinds import shares
from maerisim.hardware.hardware import Hardware
from maerisim.ways.way import programs, simulate, violations
from maerisim.workload.network import Network
from maerisim.workload.problem import Problem
from mapper import find_mapping
from tests.strategies import Case, cases

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "check_networks.py"


@pytest.fixture(scope="module")
def benchmark():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPT.parent))
        return importlib.import_module("check_networks")


def kinds(problem, mapping, hardware):
    """The kinds of tiles, whatever their number."""
    found = shares(programs(problem, mapping, hardware), hardware)
    return {replace(share.tile, steps=0) for share in found}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases(), st.integers(1, 300))
def test_a_copy_has_the_same_kinds_of_tiles(benchmark, case: Case, limit: int) -> None:
    problem, mapping, hardware = case
    assume(not violations(problem, mapping, hardware))
    copy = benchmark.copy_of(problem, mapping, hardware, limit)
    assert copy.operations <= problem.operations
    for size, of_copy, tile in zip(problem.dims, copy.dims, mapping.tile, strict=True):
        assert of_copy % tile == size % tile
        assert -(-of_copy // tile) >= min(-(-size // tile), 3)
    assert kinds(copy, mapping, hardware) == kinds(problem, mapping, hardware)


def test_copies_of_shipped_layers_reach_the_limit(benchmark):
    hardware = Hardware.load("maeri-64")
    for layer in Network.load("alexnet").layers:
        problem = layer.problem
        if problem.operations > 10**6:
            mapping = find_mapping(problem, hardware).mapping
            copy = benchmark.copy_of(problem, mapping, hardware, 10**6)
            assert copy.operations < 1.1 * 10**6
            assert kinds(copy, mapping, hardware) == kinds(problem, mapping, hardware)


def test_a_network_is_checked_in_full_or_on_copies():
    """Recurrent layers always run in full; every output of every distinct layer and time step is compared."""
    problems = {stage.problem for layer in Network.load("tiny").layers for stage in layer.stages}
    small = {problem for problem in problems if problem.operations <= 10_000}
    assert small
    assert small != problems
    whole, copies = (
        run("tiny", "--hardware", "maeri-16", "--full"),
        run("tiny", "--hardware", "maeri-16", "--macs", "10000"),
    )
    assert whole.returncode == copies.returncode == 0, whole.stderr + copies.stderr
    in_full, on_copies = (json.loads(done.stdout.splitlines()[-1]) for done in (whole, copies))
    assert in_full["layers"] == in_full["mapped"] == in_full["simulated_in_full"] == in_full["values_checked_in_full"]
    assert in_full["values_checked_on_a_copy"] == 0
    assert on_copies["values_checked_in_full"] + on_copies["values_checked_on_a_copy"] == on_copies["layers"]
    assert on_copies["values_checked_on_a_copy"] > 0
    assert on_copies["outputs_compared"] < in_full["outputs_compared"]
    recurrent = [layer for layer in Network.load("tiny").layers if len(layer.stages) > 1]
    outputs = sum(stage.count * stage.problem.outputs for layer in recurrent for stage in layer.stages)
    outputs += sum(
        {
            layer.problem: layer.problem.outputs for layer in Network.load("tiny").layers if layer not in recurrent
        }.values()
    )
    assert in_full["outputs_compared"] == outputs


def test_a_wrong_value_is_found(benchmark, monkeypatch):
    """One product too much in one output of a layer."""

    def wrong(*arguments, **named):
        result = simulate(*arguments, **named)
        if result.outputs is None:
            return result
        outputs = np.array(result.outputs)
        outputs.flat[3] += 1
        return replace(result, outputs=outputs)

    monkeypatch.setattr("maerisim.study.layer.simulate", wrong)
    monkeypatch.setattr("maerisim.ways.sequence.simulate", wrong)
    network = Network.load("tiny")
    for name in ("conv3x3", "lstm"):
        outcomes = benchmark.check(benchmark.Task("tiny", network.layer(name)), Hardware.load("maeri-16"), None)
        assert any("1 of" in each.failure and "outputs differ from NumPy's" in each.failure for each in outcomes)
        assert benchmark.summary(outcomes)["values_checked_in_full"] < len(outcomes)


def test_a_run_with_values_that_takes_other_cycles_is_found(benchmark):
    problem, hardware = Problem(K=4, C=4), Hardware.load("maeri-16")
    mapping = find_mapping(problem, hardware).mapping
    outcome = benchmark.Outcome("here", problem.operations, cycles=1)
    with pytest.raises(benchmark.ValuesError, match="cycles with values, expected the 1 without"):
        benchmark.check_values(outcome, problem, mapping, hardware, None)


def test_unknown_documents_are_explained():
    finished = run("tinny")
    assert finished.returncode == 2
    assert "did you mean 'tiny'" in finished.stderr
    assert "Traceback" not in finished.stderr
