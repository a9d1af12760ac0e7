"""The heuristic mapper: legal, deterministic, sensible on every kind of layer, and open about how it chose."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from maerisim.analytic import estimate
from maerisim.engine import simulate
from maerisim.hardware import Hardware
from maerisim.mapping import Mapping
from maerisim.workload import DIMENSIONS, Network, Problem
from mapper import find_mapping
from mapper.heuristic import shortened
from tests.strategies import hardwares, problems

KINDS = {
    "depthwise": Problem(N=1, G=32, K=1, C=1, R=3, S=3, P=14, Q=14),
    "filter larger than the array": Problem(N=1, G=1, K=8, C=3, R=11, S=11, P=6, Q=6, stride=(4, 4)),
    "pointwise": Problem(N=1, G=1, K=32, C=32, R=1, S=1, P=14, Q=14),
    "linear": Problem(N=1, G=1, K=100, C=256, R=1, S=1, P=1, Q=1),
    "matmul": Problem(N=32, G=4, K=32, C=16, R=1, S=1, P=1, Q=1),
    "dilated": Problem(N=2, G=1, K=4, C=4, R=3, S=3, P=9, Q=9, dilation=(2, 2)),
    "one multiplication": Problem(N=1, G=1, K=1, C=1, R=1, S=1, P=1, Q=1),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["maeri-16", "maeri-64"])
@pytest.mark.parametrize("objective", ["cycles", "energy", "edp"])
def test_every_kind_of_layer_gets_a_legal_mapping(kind: str, name: str, objective: str) -> None:
    hardware = Hardware.load(name)
    choice = find_mapping(KINDS[kind], hardware, objective)  # type: ignore[arg-type]
    assert choice.mapping.check(KINDS[kind], hardware) == []
    assert choice == find_mapping(KINDS[kind], hardware, objective)  # type: ignore[arg-type]
    assert choice.estimate == estimate(KINDS[kind], choice.mapping, hardware)
    assert choice.candidates >= 1
    assert "best by estimate of all loop orders and placements" in choice.reason


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems(), hardwares())
def test_whatever_fits_one_multiplier_is_mapped(problem: Problem, hardware: Hardware) -> None:
    choice = find_mapping(problem, hardware)
    assert choice.mapping.check(problem, hardware) == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_choice_beats_one_output_at_a_time(kind: str) -> None:
    """A mapping that anybody would write down first: one virtual neuron with as much of the filter as fits."""
    hardware, problem = Hardware.load("maeri-64"), KINDS[kind]
    tile, room = {}, hardware.multipliers
    for d in "SRC":
        tile[d] = min(problem.dims[DIMENSIONS.index(d)], room)
        room //= tile[d]
    plain = simulate(problem, Mapping.of(tile, "N G K P Q C R S"), hardware).cycles
    assert simulate(problem, find_mapping(problem, hardware).mapping, hardware).cycles <= plain


def test_energy_and_cycles_are_different_aims() -> None:
    hardware = Hardware.load("maeri-64")
    for stage in (stage for layer in Network.load("tiny").layers for stage in layer.stages):
        fast, frugal = (find_mapping(stage.problem, hardware, aim).estimate for aim in ("cycles", "energy"))
        assert frugal.counters.energy(hardware.energy) <= fast.counters.energy(hardware.energy)
        assert fast.cycles <= frugal.cycles


def test_a_shortened_layer_keeps_full_and_partial_tiles() -> None:
    hardware = Hardware.load("maeri-64")
    problem = Problem(N=1, G=1, K=100, C=70, R=3, S=3, P=57, Q=57)
    mapping = Mapping.of({"K": 7, "R": 3, "S": 3}, "N G K P Q C R S")
    short = shortened(problem, mapping, hardware)
    assert short.macs < problem.macs
    for d, size, full in zip(DIMENSIONS, short.dims, problem.dims, strict=True):
        assert (full - size) % mapping.tile_of(d) == 0
