"""Which weights are zero, and which filters share the array."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from maerisim.documents import validate
from maerisim.engine.run import EngineName
from maerisim.errors import DocumentError, MappingError, NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.document import MappingFile, dump_mappings, load_mappings
from maerisim.mapping.mapping import Mapping
from maerisim.mapping.sparse_rounds import live_partial_sums, rounds
from maerisim.ways.way import program_of, programs, refusals, simulate, violations
from maerisim.workload.convolutions import Conv2d
from maerisim.workload.layers import Layer
from maerisim.workload.network import Network
from maerisim.workload.problem import Problem
from maerisim.workload.reference import random_operands
from maerisim.workload.sparsity import Sparsity
from mapper import find_mapping
from tests.strategies import Case, sparse_cases

HARDWARE = Hardware.load("maeri-16")
INNERMOST = "G K N P Q C R S"


def layer(**fields: Any) -> Layer:
    return validate(Network, {"name": "n", "layers": [{"name": "a", **fields}]}, "test").layers[0]


def test_a_density_draws_the_same_weights_for_the_same_seed() -> None:
    shape = (40, 25, 3, 3)
    mask = Sparsity(density=0.3, seed=5).mask(*shape)
    assert mask.shape == shape
    assert mask.mean() == pytest.approx(0.3, abs=0.02)
    np.testing.assert_array_equal(mask, Sparsity(density=0.3, seed=5).mask(*shape))
    assert (mask != Sparsity(density=0.3, seed=6).mask(*shape)).any()
    assert Sparsity(density=1.0).mask(*shape).all()


def test_a_bitmap_says_which() -> None:
    found = layer(op="conv2d", input=[2, 5, 5], filters=2, kernel=[1, 2], sparsity={"bitmap": ["0110", "0001"]})
    np.testing.assert_array_equal(found.problem.mask.reshape(2, 2, 1, 2), [[[[0, 1]], [[1, 0]]], [[[0, 0]], [[0, 1]]]])
    assert (found.problem.weights, found.parameters) == (3, 3)
    assert found.macs == 3 * 5 * 4


def test_sparse_problems_count_what_is_not_zero() -> None:
    problem = Problem(N=2, K=8, C=6, P=3, Q=3, sparsity=Sparsity(density=0.4))
    nonzero = int(problem.mask.sum())
    assert 0 < nonzero < 48
    assert (problem.weights, problem.macs, problem.operations) == (nonzero, nonzero * 18, nonzero * 18)
    weights = random_operands(problem, 0).weights
    assert not weights[~problem.mask.reshape(weights.shape)].any()
    assert problem.operations > 200 >= problem.scaled(200).operations
    assert problem.scaled(200).sparsity == problem.sparsity
    with pytest.raises(DocumentError, match="a pooling has no weights"):
        Problem(R=2, operation="max", sparsity=Sparsity(density=0.5))


@pytest.mark.parametrize(
    ("sparsity", "message"),
    [
        ({"density": 0}, "sparsity.density: expected more than 0, found 0"),
        ({"density": 1.5}, "sparsity.density: expected at most 1, found 1.5"),
        ({}, "sparsity.density: expected either a density, a pattern or a bitmap"),
        ({"density": 0.5, "bitmap": ["1"]}, "sparsity.density: expected either a density, a pattern or a bitmap"),
        ({"density": 0.5, "pattern": "2:4"}, "sparsity.density: expected either a density, a pattern or a bitmap"),
        ({"pattern": "0:4"}, "sparsity.pattern: expected a pattern like 2:4, at least one of so many weights"),
        ({"pattern": "5:4"}, "sparsity.pattern: expected a pattern like 2:4"),
        ({"pattern": 2}, "sparsity.pattern: expected a pattern like 2:4, at least one of so many weights, found 2"),
        ({"bitmap": ["101", "011"], "seed": 3}, "sparsity.seed: a bitmap has none"),
        ({"bitmap": ["101"]}, "sparsity.bitmap: expected 2 rows, one per filter, found 1"),
        ({"bitmap": ["101", "01"]}, "sparsity.bitmap[1]: expected 3 weights, found 2"),
        ({"bitmap": ["101", "012"]}, "sparsity.bitmap: expected rows of 0 and 1, found '012'"),
        ({"bitmap": [101, 110]}, "sparsity.bitmap: expected a list of rows like '0110' (in quotes), found the list"),
    ],
)
def test_impossible_sparsity(sparsity: dict[str, Any], message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        layer(op="linear", inputs=3, outputs=2, sparsity=sparsity)
    assert any(message in problem for problem in caught.value.problems), caught.value.problems


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(sparse_cases(largest=64, most_macs=5000))
def test_rounds_hold_every_filter_once_and_fit(case: Case) -> None:
    problem, mapping, hardware = case
    assume(not violations(problem, mapping, hardware))
    counts = problem.mask.reshape(problem.G * problem.K, -1).sum(axis=1)
    found = rounds(problem, mapping, hardware)
    assert [number for round_ in found for number in round_.filters] == np.flatnonzero(counts).tolist()
    at_once = mapping.tile_of("N") * mapping.tile_of("P") * mapping.tile_of("Q")
    for round_ in found:
        assert len(round_.filters) <= mapping.tile_of("K")
        assert max(round_.sizes) <= mapping.tile_of("C")
        assert sum(round_.sizes) * at_once <= hardware.multipliers
        assert live_partial_sums(problem, mapping, round_) <= hardware.accumulation_words
        for number, size in zip(round_.filters, round_.sizes, strict=True):
            # Enough switches for all nonzero weights, one less would not do.
            assert (size - 1) * round_.folds < counts[number] <= size * round_.folds


@pytest.mark.parametrize(
    ("tile", "order", "message"),
    [
        ({"R": 2}, INNERMOST, "the tile of R is 2, expected 1: in a sparse layer C counts the nonzero weights"),
        ({"C": 7}, INNERMOST, "the tile of C is 7, more than the 6 nonzero weights of any filter"),
        ({"K": 9}, INNERMOST, "the tile of K is 9, more than the 4 filters"),
        ({"Q": 4}, INNERMOST, "the tile of Q is 4, more than the 3 that the layer has"),
        ({"C": 6, "Q": 3}, INNERMOST, "3 virtual neurons of 6 need 18 multipliers, 16 are there"),
        ({}, "N G K P Q C R S", "expected K before N P Q C, found N G K P Q C R S"),
        ({"C": 3}, "G K C N P Q R S", "partial sums are live, the accumulation buffer holds 8"),
    ],
)
def test_violations(tile: dict[str, int], order: str, message: str) -> None:
    rows = ("111111", "110000", "000000", "101010")
    problem = Problem(K=4, C=6, P=4, Q=3, sparsity=Sparsity(bitmap=rows))
    hardware = HARDWARE.with_overrides({"accumulation.words": 8})
    found = violations(problem, Mapping.of(tile, order), hardware)
    assert any(message in violation for violation in found), found


def test_nothing_but_zeros() -> None:
    problem = Problem(K=2, C=2, sparsity=Sparsity(bitmap=("00", "00")))
    with pytest.raises(MappingError, match="every weight is zero"):
        programs(problem, Mapping.of({}, INNERMOST), HARDWARE)


@pytest.mark.parametrize("name", ["stonne", "maeri_rtl"])
def test_controllers_that_walk_whole_filters_are_refused(name: str) -> None:
    problem = Problem(K=4, C=4, Q=3, sparsity=Sparsity(density=0.5))
    hardware = Hardware.load(name)
    assert "sparse weights" in refusals(problem, hardware)[0]
    assert refusals(Problem(K=4, C=4, Q=3), hardware) == []
    with pytest.raises(NotSupportedError, match="sparse weights"):
        programs(problem, Mapping.of({}, INNERMOST), hardware)


def test_a_sparse_layer_is_no_single_program() -> None:
    problem = Problem(K=4, C=4, sparsity=Sparsity(density=0.5))
    with pytest.raises(NotSupportedError, match="a program for each set of filters"):
        program_of(problem, Mapping.of({}, INNERMOST), HARDWARE)


@pytest.mark.parametrize(
    "sparsity", [Sparsity(density=0.25, seed=7), Sparsity(pattern="1:2", seed=7), Sparsity(bitmap=("0110", "1000"))]
)
def test_mapping_files_keep_the_sparsity(sparsity: Sparsity, tmp_path: Any) -> None:
    problem, mapping = Problem(K=2, C=4, sparsity=sparsity), Mapping.of({"K": 2, "C": 2}, INNERMOST)
    path = tmp_path / "m.yaml"
    dump_mappings(MappingFile.of("h", "n", {"a": (problem, mapping)}), path)
    assert load_mappings(path).mapping_for("a", problem) == mapping
    with pytest.raises(MappingError, match=r"sparsity is none here, \{.*\} in the mapping file"):
        load_mappings(path).mapping_for("a", Problem(K=2, C=4))


def test_weights_are_drawn_in_pieces_as_at_once() -> None:
    shape = (1500, 1100, 1, 3)  # more than one piece, and no whole number of them
    expected = np.random.default_rng(5).random(shape, np.float32) < 0.3
    np.testing.assert_array_equal(Sparsity(density=0.3, seed=5).mask(*shape), expected)


@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 40), st.integers(1, 3), st.integers(1, 3)),
    kept=st.integers(1, 6),
    dropped=st.integers(0, 9),
    seed=st.integers(0, 99),
)
@settings(deadline=None)
def test_of_every_m_channels_n_are_not_zero(
    shape: tuple[int, int, int, int], kept: int, dropped: int, seed: int
) -> None:
    of = kept + dropped
    mask = Sparsity(pattern=f"{kept}:{of}", seed=seed).mask(*shape)
    assert mask.shape == shape
    for begin in range(0, shape[1], of):
        block = mask[:, begin : begin + of]
        assert (block.sum(axis=1) == min(kept, block.shape[1])).all()
    np.testing.assert_array_equal(mask, Sparsity(pattern=f"{kept}:{of}", seed=seed).mask(*shape))


def test_a_pattern_draws_every_place_about_as_often() -> None:
    shares = Sparsity(pattern="2:4", seed=3).mask(3000, 402, 1, 3).mean(axis=(0, 2, 3))  # more than one piece
    assert shares[:400] == pytest.approx(np.full(400, 0.5), abs=0.04)
    assert shares[400:].tolist() == [1, 1]


def test_a_pattern_of_any_size_takes_no_more_memory_than_the_weights() -> None:
    assert Sparsity(pattern="2:999999999").mask(3, 5, 1, 1).sum(axis=1).ravel().tolist() == [2, 2, 2]
    assert Sparsity(pattern="999999998:999999999").mask(3, 5, 1, 1).all()


def test_a_pattern_is_read_as_it_is_written_everywhere(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(
        "name: n\nlayers:\n  - {name: a, op: linear, inputs: 8, outputs: 6, sparsity: {pattern: 2:4, seed: 1}}\n"
        "  - {name: b, op: matmul, m: 3, k: 8, n: 6, batch: 2, sparsity: {pattern: 1:4}}\n"
    )
    first, second = Network.load(tmp_path / "net.yaml").layers
    assert (first.macs, first.parameters) == (4 * 6, 24)
    assert (second.macs, second.parameters) == (2 * 3 * 6 * 2, 0)


def test_the_columns_of_a_sparse_product_are_its_filters() -> None:
    found = layer(op="matmul", m=5, k=3, n=2, batch=2, sparsity={"bitmap": ["100", "011", "111", "000"]})
    assert found.macs == 5 * 6
    with pytest.raises(DocumentError, match="expected 4 rows, one per filter, found 1"):
        layer(op="matmul", m=5, k=3, n=2, batch=2, sparsity={"bitmap": ["100"]})


@pytest.mark.parametrize("engine", ["event", "compiled"])
def test_a_sparse_product_of_two_activations_is_numpys(engine: EngineName) -> None:
    problem = layer(op="matmul", m=4, k=8, n=6, batch=2, sparsity={"pattern": "2:4", "seed": 1}).problem
    operands = random_operands(problem, 2)
    a, b = operands.inputs[:, :, :, 0, 0], operands.weights[:, :, :, 0, 0]
    found = simulate(problem, find_mapping(problem, HARDWARE).mapping, HARDWARE, engine=engine, operands=operands)
    assert found.outputs is not None
    assert np.count_nonzero(b) <= 2 * 6 * 4
    np.testing.assert_array_equal(found.outputs[..., 0, 0], np.einsum("ngc,gkc->ngk", a, b))
    assert found.counters.multiplications == problem.macs == 4 * 2 * 6 * 4


def test_more_weights_than_memory_holds_are_refused_at_their_key() -> None:
    sizes = {"input": [4, 8, 64], "filters": 10**12, "kernel": [3, 1], "sparsity": {"density": 0.5}}
    with pytest.raises(DocumentError, match=r"sparsity: expected at most 134,217,728 weights.*1,000,000,000,000"):
        Conv2d(**sizes)
    with pytest.raises(DocumentError, match="problem: sparsity: expected at most 134,217,728 weights"):
        Problem(K=2**20, C=2**20, sparsity=Sparsity(density=0.5))
