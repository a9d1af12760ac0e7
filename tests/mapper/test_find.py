"""The mapper: legal, deterministic, sensible on every kind of layer, and open about how it chose."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings

from maerisim.errors import MappingError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import estimate, simulate, violations
from maerisim.workload.network import Network
from maerisim.workload.problem import DIMENSIONS, Problem
from mapper import find_mapping
from mapper.space import all_tiles
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
@pytest.mark.parametrize("objective", ["cycles", "energy", "edp", "energy_efficiency"])
def test_every_kind_of_layer_gets_a_legal_mapping(kind: str, name: str, objective: str) -> None:
    hardware = Hardware.load(name)
    choice = find_mapping(KINDS[kind], hardware, objective)  # type: ignore[arg-type]
    assert violations(KINDS[kind], choice.mapping, hardware) == []
    assert choice == find_mapping(KINDS[kind], hardware, objective)  # type: ignore[arg-type]
    assert choice.estimate == estimate(KINDS[kind], choice.mapping, hardware)
    assert choice.candidates >= 1
    assert choice.certificate is not None
    assert str(choice.certificate) in choice.reason


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems(), hardwares())
def test_a_legal_mapping_is_found_unless_there_is_none(problem: Problem, hardware: Hardware) -> None:
    try:
        choice = find_mapping(problem, hardware)
    except MappingError:
        orders = [order for order in permutations(DIMENSIONS) if not folds_outside(order)][::7]
        tiles = [dict(zip(DIMENSIONS, map(int, tile), strict=True)) for tile in all_tiles(problem, hardware)]
        assert all(violations(problem, Mapping.of(tile, order), hardware) for tile in tiles for order in orders)
    else:
        assert violations(problem, choice.mapping, hardware) == []


def folds_outside(order: tuple[str, ...]) -> bool:
    """Orders that spill more than others; where these do not fit, those do not."""
    return set(order[-3:]) != set("CRS")


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
