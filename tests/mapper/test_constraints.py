"""Constraints leave exactly the mappings that fulfil them, and explain when they leave none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from maerisim.errors import DocumentError, MappingError, NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.constraints import Constraint, ConstraintFile
from maerisim.mapping.mapping import REDUCED, Mapping
from maerisim.ways.way import violations
from maerisim.workload.network import Network
from maerisim.workload.problem import DIMENSIONS, Problem
from maerisim.workload.sparsity import Sparsity
from mapper import PROOF, find_mapping
from mapper.space import space_of
from tests.mapper.spaces import all_tiles_of, walks_of

HARDWARE = Hardware.load("maeri-16")
PROBLEM = Problem(K=4, C=3, R=2, S=2, P=1, Q=5)
NETWORK = """
name: net
layers:
  - {name: conv, op: conv2d, input: [3, 2, 6], filters: 4, kernel: 2}
  - {name: rnn, op: lstm, input_size: 3, hidden_size: 2}
"""


def constraints_on(text: str, folder: Path, stage: str = "conv", layer: str = "conv") -> tuple[Constraint, ...]:
    (folder / "net.yaml").write_text(NETWORK)
    (folder / "c.yaml").write_text(text)
    return ConstraintFile.load(folder / "c.yaml", Network.load(folder / "net.yaml")).of(stage, layer)


def turning(mapping: Mapping) -> list[str]:
    sizes = dict(zip(DIMENSIONS, PROBLEM.dims, strict=True))
    return [d for d in mapping.order if mapping.tile_of(d) < sizes[d]]


def in_order(names: str) -> Callable[[Mapping], bool]:
    return lambda mapping: (
        [d for d in turning(mapping) if d in names] == [d for d in names.split() if d in turning(mapping)]
    )


def utilization(mapping: Mapping) -> float:
    steps = 1
    for size, tile in zip(PROBLEM.dims, mapping.tile, strict=True):
        steps *= -(-size // tile)
    return PROBLEM.macs / steps / HARDWARE.multipliers


CASES: dict[str, tuple[str, Callable[[Mapping], bool]]] = {
    "a tile": ("tile: {K: 2}", lambda mapping: mapping.tile_of("K") == 2),
    "a full tile": ("tile: {R: full, S: full}", lambda mapping: (mapping.tile_of("R"), mapping.tile_of("S")) == (2, 2)),
    "bounds": ("tile: {K: {min: 2, max: 3}, Q: {max: 2}}", lambda m: 2 <= m.tile_of("K") <= 3 and m.tile_of("Q") <= 2),
    "an order": ("order: C K Q", in_order("C K Q")),
    "virtual neurons": (
        "vn_size: {min: 4}\n  vn_count: {min: 2, max: 3}",
        lambda mapping: mapping.vn_size >= 4 and 2 <= mapping.vn_count <= 3,
    ),
    "utilization": ("utilization: {min: 0.7, max: 0.9}", lambda mapping: 0.7 <= utilization(mapping) <= 0.9),
    "several": (
        "tile: {C: 1}\n  order: K Q\n  vn_size: {max: 2}",
        lambda mapping: mapping.tile_of("C") == 1 and mapping.vn_size <= 2 and in_order("K Q")(mapping),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_space_is_that_of_the_mappings_that_fulfil_them(tmp_path: Path, case: str) -> None:
    text, fulfils = CASES[case]
    constraints = constraints_on(f"all:\n  {text}\n", tmp_path)
    expected = 0
    for tile in all_tiles_of(PROBLEM, HARDWARE):
        expected += sum(fulfils(Mapping.of(tile, *walk)) for walk in walks_of(PROBLEM, tile))
    assert expected > 0
    assert space_of(PROBLEM, HARDWARE, constraints).mappings == expected
    choice = find_mapping(PROBLEM, HARDWARE, constraints=constraints, effort=PROOF)
    assert fulfils(choice.mapping)
    assert violations(PROBLEM, choice.mapping, HARDWARE) == []


def test_outermost_innermost_and_placement(tmp_path: Path) -> None:
    text = "all: {outermost: Q, innermost: [C, R], placement: Q K, tile: {K: 2, Q: 2, C: 1, R: 1, S: 1}}"
    constraints = constraints_on(text, tmp_path)
    choice = find_mapping(PROBLEM, HARDWARE, constraints=constraints)
    loops = turning(choice.mapping)
    assert (loops[0], loops[-2:]) == ("Q", ["C", "R"])
    assert choice.mapping.placement.index("Q") < choice.mapping.placement.index("K")
    assert space_of(PROBLEM, HARDWARE, constraints).mappings == 2  # K and S between them, either way


def test_constraints_of_a_layer_or_stage_take_the_place_of_those_of_all(tmp_path: Path) -> None:
    text = "all: {tile: {K: 2, C: 1}}\nlayers: {rnn: {tile: {K: 4}}, rnn/cell: {tile: {C: 2}}}"
    found = {each.key: str(each.value) for each in constraints_on(text, tmp_path, "rnn/cell", "rnn")}
    assert found == {"tile K": "= 4", "tile C": "= 2"}
    found = {each.key: str(each.value) for each in constraints_on(text, tmp_path, "rnn/gates", "rnn")}
    assert found == {"tile K": "= 4", "tile C": "= 1"}


def test_what_leaves_nothing_is_explained_with_numbers(tmp_path: Path) -> None:
    constraints = constraints_on("all:\n  tile:\n    K: 4\n    Q: 5\n  vn_size: {min: 2}\n", tmp_path)
    with pytest.raises(MappingError) as caught:
        find_mapping(PROBLEM, HARDWARE, constraints=constraints)
    whole = list(all_tiles_of(PROBLEM, HARDWARE))
    total = sum(len(list(walks_of(PROBLEM, tile))) for tile in whole)
    left = sum(len(list(walks_of(PROBLEM, tile))) for tile in whole if tile["K"] == 4)
    without = sum(
        len(list(walks_of(PROBLEM, tile)))
        for tile in whole
        if tile["Q"] == 5 and tile["C"] * tile["R"] * tile["S"] >= 2
    )
    first, k_line, *_ = caught.value.violations
    assert first == f"they leave none of the {total:,} mappings that fit 16 multipliers"
    assert k_line == (
        f"tile K = 4 ({tmp_path / 'c.yaml'}:3) rules out {total - left:,} of them; without it {without:,} would be left"
    )
    assert REDUCED == ("C", "R", "S")


def test_a_tile_that_nothing_fits_with_is_named(tmp_path: Path) -> None:
    constraints = constraints_on("all: {tile: {K: 9}}", tmp_path)
    with pytest.raises(MappingError, match=r"the largest K is 4, of 4 in the layer"):
        find_mapping(PROBLEM, HARDWARE, constraints=constraints)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "layers: {cnov: {tile: {K: 1}}}",
            "layers.cnov: net has no layer or stage of this name (did you mean 'conv'?)",
        ),
        ("all: {tile: {K: {least: 1}}}", "all.tile.K: expected 'min', 'max' or both, found the key 'least'"),
        ("all: {tile: {K: {min: 4, max: 2}}}", "all.tile.K: expected min up to max, found 4 and 2"),
        ("all: {tile: {K: wide}}", "all.tile.K: expected a number, 'full', or {min: ..., max: ...}, found 'wide'"),
        ("all: {tile: {K: 0}}", "all.tile.K: expected at least 1, found 0"),
        ("all: {order: K X}", "all.order: expected dimensions of N G K C R S P Q, found 'X'"),
        ("all: {innermost: K K}", "all.innermost: K stands here 2 times"),
        ("all: {placement: C}", "all.placement: expected dimensions of G K N P Q, found 'C'"),
        ("all: {utilization: {min: 80.0}}", "all.utilization.min: expected at most 1, found 80"),
        ("all: {tiles: {K: 1}}", "all.tiles: unknown key (did you mean 'tile'?)"),
        ("all: {}", "expected 'all' or 'layers' with constraints, found none"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        constraints_on(text, tmp_path)
    (problem,) = caught.value.problems
    assert problem.startswith(f"{tmp_path / 'c.yaml'}:1: {message}"), problem


def test_sparse_layers_take_no_constraints(tmp_path: Path) -> None:
    sparse = Problem(K=4, C=8, sparsity=Sparsity(density=0.5, seed=1))
    with pytest.raises(NotSupportedError, match="sparse layers: tile K = 2"):
        find_mapping(sparse, HARDWARE, constraints=constraints_on("all: {tile: {K: 2}}", tmp_path))
