"""What is said, and refused, before something large begins."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from maerisim import Hardware, Network, machine
from maerisim.errors import NotSupportedError
from maerisim.laboratory import running as laboratory
from maerisim.laboratory.experiments.searches import job_of
from maerisim.machine import Forecast, begin, heard, in_words
from maerisim.study import buffer_curves
from maerisim.study.api import buffer_curve, simulate
from maerisim.study.forecast import (
    AT_REST,
    EVENT,
    PROFILED,
    REGISTER_BYTES,
    SEARCHED,
    SPARSE,
    SPARSE_BYTES,
    SPARSE_SEARCHED,
    VALUES,
    forecast,
    foresee_profiles,
    placing_seconds,
    search_seconds,
)
from maerisim.study.given import study_of
from maerisim.study.layer import Simulation
from maerisim.sweeps.api import plan_of
from maerisim.sweeps.running import foresee
from maerisim.workload.problem import Problem


def told(forecast: Forecast) -> list[Forecast]:
    found: list[Forecast] = []
    with heard(found.append):
        begin(forecast)
    begin(forecast)  # nobody listens any more
    return found


def test_what_may_take_a_minute_or_takes_half_the_memory_is_told(monkeypatch):
    monkeypatch.setattr(machine, "memory", lambda: 1000)
    assert told(Forecast(30, 500)) == []
    assert told(Forecast(31, 500)) == [Forecast(31, 500)]
    assert told(Forecast(30, 501)) == [Forecast(30, 501)]


def test_more_memory_than_there_is_is_refused(monkeypatch):
    monkeypatch.setattr(machine, "memory", lambda: 2 * 10**9)
    with pytest.raises(NotSupportedError, match=r"needs about 3\.0 GB of memory, the machine has 2\.0 GB \(too much\)"):
        begin(Forecast(1, 3 * 10**9, "too much"))
    monkeypatch.setattr(machine, "memory", lambda: None)
    begin(Forecast(1, 10**20))


@pytest.mark.parametrize(
    ("seconds", "words"), [(61, "61 seconds"), (120, "2 minutes"), (7200, "2 hours"), (1e6, "12 days")]
)
def test_durations_are_in_words(seconds, words):
    assert in_words(seconds) == words


def test_values_take_their_cycles_and_their_words():
    layer = Network([{"op": "linear", "inputs": 1000, "outputs": 4000, "batch": 100, "name": "a"}], name="n")
    study = study_of("maeri-64", layer, None, mapping=None)
    found = forecast(study, Simulation(check_values=True))
    assert found.seconds >= 1000 * 4000 * 100 / VALUES
    assert found.bytes >= 8 * 2 * (1000 * 100 + 1000 * 4000 + 4000 * 100)
    assert forecast(study, Simulation()).seconds < 1
    stepped = forecast(study, Simulation(fast_forward=False)).seconds
    assert (
        forecast(study, Simulation()).seconds < stepped < found.seconds < forecast(study, Simulation("event")).seconds
    )


def test_the_event_engine_takes_its_time_for_every_register_of_a_long_wire():
    layer = Network([{"op": "linear", "inputs": 100, "outputs": 40, "name": "a"}], name="n")
    near, far = (
        forecast(study_of(hardware, layer, None, mapping=None), Simulation("event"))
        for hardware in (Hardware(multipliers=64), Hardware(multipliers=64, reduction={"latency": 101}))
    )
    assert far.seconds - near.seconds == pytest.approx(100 * 40 * 100 / EVENT)
    assert far.bytes - near.bytes == 100 * 64 * REGISTER_BYTES


def test_a_sweep_that_takes_long_is_told_before_it_begins():
    document = {
        "name": "long",
        "hardware": "maeri-512",
        "networks": [Network([{"op": "linear", "inputs": n, "outputs": 4, "name": f"l{n}"} for n in range(1, 61)])],
        "grid": {"distribution.bandwidth": [1, 2, 4, 8]},
    }
    tasks = list(plan_of(document).tasks.values())
    found: list[Forecast] = []
    with heard(found.append):
        foresee(tasks, 1)
        foresee(tasks, 2)
        foresee(tasks[:10], 1)
    whole = sum(search_seconds(task.layer.problem, task.hardware) for task in tasks)
    assert 240 * 512 / SEARCHED < whole < 300 * 512 / SEARCHED
    assert [each.seconds for each in found] == pytest.approx([whole, whole / 2])
    assert "240 layers on 1 core" in found[0].why
    assert found[0].bytes < found[1].bytes


def test_values_that_do_not_fit_are_refused_before_anything_runs():
    layer = Network([{"op": "conv2d", "input": [64, 2**17, 2**17], "filters": 4, "kernel": 1, "name": "a"}], name="n")
    with pytest.raises(NotSupportedError, match=r"GB of memory, the machine has .*values are carried"):
        simulate(Hardware.load("maeri-16"), layer, check_values=True)


def test_work_that_counts_cannot_hold_is_refused():
    layer = Network([{"op": "linear", "inputs": 2**20, "outputs": 2**20, "batch": 2**20, "name": "a"}], name="n")
    with pytest.raises(NotSupportedError, match="more than the 281,474,976,710,656 up to which every count is exact"):
        simulate(Hardware.load("maeri-16"), layer)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have no such limit")
def test_more_memory_than_there_is_is_an_error_and_not_the_end():
    program = (
        "from maerisim import machine\n"
        "machine.memory = lambda: 200_000_000\n"
        "machine.limit_memory()\n"
        "try:\n"
        "    bytearray(300_000_000)\n"
        "except MemoryError:\n"
        "    print('refused')\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.stdout == "refused\n"


def test_curves_of_buffers_that_take_long_are_told_before_they_begin(monkeypatch):
    begun: list[Forecast] = []
    monkeypatch.setattr(buffer_curves.warmup, "ensure", lambda _parts: None)
    monkeypatch.setattr(buffer_curves, "curves", lambda _study, _progress: iter(()))
    with heard(begun.append):
        buffer_curve("maeri-256-dram", "alexnet")
        buffer_curve("maeri-256-dram", "alexnet", layers="pool5")
    (told_once,) = begun
    assert 60 < told_once.seconds < 200


def test_profiles_and_searches_that_take_long_are_foreseen():
    layers = [{"op": "linear", "inputs": 8 + place, "outputs": 8, "name": f"fc{place}"} for place in range(20)]
    study = study_of("maeri-512", Network(layers, name="n"), None, mapping=None)
    heard_of: list[Forecast] = []
    with heard(heard_of.append):
        foresee_profiles(study, replays=False)
        foresee_profiles(replace(study, tasks=study.tasks[:2]), replays=True)
        todo = [
            job_of(stage.name, stage.problem, study.hardware, "random", budget=2_000, seeds=20)
            for stage in study.stages
        ]
        laboratory.foresee(todo, processes=2)
        laboratory.foresee(todo[:2], processes=2)
    profiles, searches = (found.seconds for found in heard_of)
    placed = sum(placing_seconds(stage.problem, study.hardware, more) for stage in study.stages for more in (1, 2))
    assert profiles == pytest.approx(20 * 512 / PROFILED + placed)
    assert searches == pytest.approx(20 * 20 * 2_000 / laboratory.SAMPLED / 2)


def test_two_fused_layers_take_longer_to_map_than_one():
    pair = [
        {"op": "linear", "inputs": 8, "outputs": 8, "name": "a"},
        {"op": "linear", "inputs": 8, "outputs": 8, "name": "b"},
    ]
    (fused,) = Network([{"op": "fused", "name": "both", "layers": pair}], name="n").layers
    small, large = Hardware.load("maeri-64"), Hardware.load("maeri-512")
    assert search_seconds(fused.fused, small) > search_seconds(fused.fused.first, large)
    assert 10 < search_seconds(fused.fused, large) < 30


def test_it_takes_long_to_map_a_layer_where_few_ports_feed_many_switches():
    """Measured, in seconds: 148, 18, 3, 1.1 and, with one bus, 28."""
    conv = Problem(C=5, K=19, R=3, S=5, P=18, Q=10, stride=(2, 2))
    linear = Problem(C=4096, K=1000)
    fabric = Hardware.load("maeri-16").with_overrides

    def seconds(problem: Problem, multipliers: int, ports: int) -> float:
        return search_seconds(problem, fabric({"multipliers": multipliers, "distribution.bandwidth": ports}))

    assert 74 < seconds(conv, 4096, 4) < 296
    assert 9 < seconds(conv, 1024, 4) < 36
    assert seconds(conv, 1024, 256) < 6
    assert seconds(linear, 4096, 1024) < 6
    in_turn = fabric({"multipliers": 512, "distribution.bandwidth": 512, "collection.bandwidth": 1})
    assert 14 < search_seconds(Problem(K=64, C=9, R=3, S=3, P=14, Q=14), in_turn) < 56


def test_a_search_takes_no_longer_than_it_may():
    layer = {"op": "conv2d", "input": [64, 56, 56], "filters": 64, "kernel": 3, "name": "a"}
    hardware = Hardware.load("maeri-16").with_overrides({"multipliers": 1024, "distribution.bandwidth": 4})
    study = study_of(hardware, Network([layer], name="n"))
    hasty = replace(study, effort=replace(study.effort, seconds=5.0))
    assert forecast(hasty, None).seconds == 5.0 < forecast(study, None).seconds


def test_large_sparse_layers_take_time_and_memory_for_each_nonzero_weight():
    layer = {"op": "linear", "inputs": 2048, "outputs": 4096, "name": "fc", "sparsity": {"pattern": "2:4", "seed": 1}}
    study = study_of("maeri-64", Network([layer], name="n"), None, mapping=None)
    nonzeros = 2048 * 4096 // 2
    found = forecast(study, Simulation())
    assert found.seconds == pytest.approx(2 * SPARSE * nonzeros + 64 / SPARSE_SEARCHED)
    assert found.bytes == AT_REST + SPARSE_BYTES * nonzeros
    assert forecast(study, Simulation(fast_forward=False)).seconds >= found.seconds
