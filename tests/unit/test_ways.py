"""The way in which a layer runs is chosen once, and owns what is refused and what is around the fabric."""

from __future__ import annotations

import pytest

from maerisim.engine.run import run_programs
from maerisim.errors import MappingError, NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.fused import FusedMapping
from maerisim.mapping.mapping import Mapping
from maerisim.ways.base import Way
from maerisim.ways.dense import Dense
from maerisim.ways.fused import TwoAtOnce
from maerisim.ways.in_blocks import InBlocks
from maerisim.ways.lock_step import LockStep
from maerisim.ways.sparse import Sparse
from maerisim.ways.way import AnyProblem, estimate, programs, shapes, simulate, way_of
from maerisim.workload.problem import FusedProblem, Problem
from maerisim.workload.sparsity import Sparsity
from mapper.find import SEARCHES

DECOUPLED, RTL = Hardware.load("maeri-16"), Hardware.load("maeri_rtl")
DENSE = Problem(K=4, C=4, P=4, Q=4)
SPARSE = Problem(K=4, C=8, sparsity=Sparsity(density=0.5))
FUSED = FusedProblem(Problem(K=2, C=4), Problem(C=2))


def with_dram(hardware: Hardware) -> Hardware:
    return hardware.with_overrides({"dram.bandwidth": 1})


@pytest.mark.parametrize(
    ("problem", "hardware", "way", "space"),
    [
        (DENSE, DECOUPLED, Dense, "tiles_and_orders"),
        (DENSE, Hardware.load("stonne"), Dense, "tiles_and_orders"),
        (SPARSE, DECOUPLED, Sparse, "sets_of_filters"),
        (DENSE, RTL, LockStep, "one_layout"),
        (SPARSE, RTL, LockStep, "one_layout"),
        (FUSED, DECOUPLED, TwoAtOnce, "pairs_on_shares"),
        (FUSED, with_dram(DECOUPLED), TwoAtOnce, "pairs_on_shares"),
    ],
)
def test_each_layer_has_one_way(problem: AnyProblem, hardware: Hardware, way: type[Way], space: str) -> None:
    found = way_of(problem, hardware)
    assert type(found) is way
    assert found.space == space
    assert (space in SEARCHES) == isinstance(problem, Problem)  # two fused layers have a search of their own


@pytest.mark.parametrize(
    ("problem", "hardware", "on_fabric", "space"),
    [
        (DENSE, DECOUPLED, Dense, "tiles_and_orders_in_blocks"),
        (SPARSE, DECOUPLED, Sparse, "sets_of_filters"),
        (DENSE, RTL, LockStep, "one_layout"),
    ],
)
def test_blocks_run_on_the_fabric_as_ever(
    problem: Problem, hardware: Hardware, on_fabric: type[Way], space: str
) -> None:
    found = way_of(problem, with_dram(hardware))
    assert isinstance(found, InBlocks)
    assert type(found.on_fabric) is on_fabric
    assert found.space == space
    assert space in SEARCHES


@pytest.mark.parametrize(
    ("problem", "hardware", "reason"),
    [
        (DENSE, DECOUPLED, None),
        (SPARSE, DECOUPLED.with_overrides({"controller.pad_edges": True}), r"equal size \(controller.pad_edges\)"),
        (SPARSE, RTL, "^the RTL cannot run this layer: sparse weights"),
        (Problem(K=2, N=2, Q=2), with_dram(RTL), "^the RTL cannot run this layer: a batch of 2"),
        (FUSED, with_dram(DECOUPLED), "its global_buffer and dram limit that"),
    ],
)
def test_what_cannot_run_at_all_is_refused_before_any_mapping_is_looked_at(
    problem: AnyProblem, hardware: Hardware, reason: str | None
) -> None:
    impossible = (
        Mapping.of({"K": 100}) if isinstance(problem, Problem) else FusedMapping(Mapping.of({}), Mapping.of({}), 0)
    )
    for ask in (simulate, estimate, programs):
        with pytest.raises(MappingError if reason is None else NotSupportedError, match=reason):
            ask(problem, impossible, hardware)


def test_simulate_and_estimate_know_what_is_around_the_fabric() -> None:
    mapping, limited = Mapping.of({"K": 4, "C": 4}), with_dram(DECOUPLED)
    alone = run_programs(programs(DENSE, mapping, limited), limited)
    assert simulate(DENSE, mapping, DECOUPLED) == alone
    found, expected = simulate(DENSE, mapping, limited), estimate(DENSE, mapping, limited)
    assert alone.memory is None
    assert found.memory is not None
    assert expected.memory is not None
    assert min(found.cycles, expected.cycles) >= found.memory.words > alone.cycles  # DRAM moves a word a cycle
    assert sum(shape.blocks for shape in shapes(DENSE, mapping, limited)) == found.memory.blocks
    assert shapes(DENSE, mapping, DECOUPLED) == [(DENSE, mapping, 1)]
