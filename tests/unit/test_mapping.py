"""Mappings, their constraints, and mapping documents."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from maerisim.errors import DocumentError, MappingError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.document import MappingFile, dump_mappings, load_mappings
from maerisim.mapping.mapping import Mapping
from maerisim.ways.way import violations
from maerisim.workload.problem import DIMENSIONS, Operation, Problem
from maerisim.workload.sparsity import Sparsity

HARDWARE = Hardware(name="h", multipliers=64)
ORDER = "expected an order of all of N G K C R S P Q"
PROBLEM = Problem(N=1, G=2, K=128, C=48, R=5, S=5, P=27, Q=27, padding=(2, 2))

pairs = st.tuples(st.integers(1, 9), st.integers(1, 9))
problems = st.builds(
    Problem,
    **{name: st.integers(1, 1000) for name in DIMENSIONS},
    stride=pairs,
    dilation=pairs,
    padding=st.tuples(st.integers(0, 9), st.integers(0, 9)),
    operation=st.sampled_from(["multiply", "add", "max"]),
)


@st.composite
def mappings(draw: st.DrawFn) -> Mapping:
    """Any tiles and orders, with up to two loops over blocks."""
    order: list[str] = draw(st.permutations(DIMENSIONS))
    for d in draw(st.lists(st.sampled_from(DIMENSIONS), max_size=2)):
        inside = next(place for place, loop in enumerate(order) if loop.partition(":")[0] == d)
        order.insert(draw(st.integers(0, inside)), f"{d}:{draw(st.integers(1, 1000))}")
    return Mapping.of({d: draw(st.integers(1, 1000)) for d in DIMENSIONS}, order)


names = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\ufeff"), max_size=20)


def test_sizes() -> None:
    mapping = Mapping.of({"K": 2, "C": 3, "R": 2, "S": 5, "Q": 4}, "N G K P Q C R S")
    assert mapping.tile == (1, 1, 2, 3, 2, 5, 1, 4)
    assert mapping.order == ("N", "G", "K", "P", "Q", "C", "R", "S")
    assert mapping.T["C"] == mapping.tile_of("C") == 3
    assert (mapping.vn_size, mapping.vn_count, mapping.switches) == (30, 8, 240)
    assert mapping.trips(PROBLEM) == (1, 2, 64, 16, 3, 1, 27, 7)
    assert str(mapping) == "tile {K: 2, C: 3, R: 2, S: 5, Q: 4}, order N G K P Q C R S"


def test_a_good_mapping() -> None:
    assert violations(PROBLEM, Mapping.of({"R": 5, "S": 5, "K": 2}), HARDWARE) == []
    assert violations(PROBLEM, Mapping.of({"C": 16, "P": 4}), HARDWARE) == []


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        (Mapping.of({"K": 0}), ["the tile of K is 0, expected at least 1"]),
        (Mapping.of({"R": 6}), ["the tile of R is 6, more than the 5 that the layer has"]),
        (Mapping.of({"R": 5, "S": 5, "K": 3}), ["3 virtual neurons of 25 need 75 multipliers, 64 are there"]),
        (
            Mapping.of({"N": 2, "S": 100}),
            [
                "the tile of N is 2, more than the 1 that the layer has",
                "the tile of S is 100, more than the 5 that the layer has",
            ],
        ),
        (
            Mapping.of({}, "N G K K R S P X"),
            [
                f"{ORDER}, found 'N G K K R S P X' (missing: C Q; more than once: K; not a dimension: X)",
            ],
        ),
        (
            Mapping((1, 2, 3), DIMENSIONS),  # type: ignore[arg-type]
            ["a tile needs one size for each of N G K C R S P Q, found 3 sizes"],
        ),
    ],
)
def test_violations(mapping: Mapping, expected: list[str]) -> None:
    assert violations(PROBLEM, mapping, HARDWARE) == expected


BLOCKS = Mapping.of({"K": 8, "C": 4}, "K:60 N G K:20 C P Q R S K")


def test_loops_over_blocks() -> None:
    assert BLOCKS.order == ("K", "N", "G", "K", "C", "P", "Q", "R", "S", "K")
    assert BLOCKS.cuts == (60, 20)
    assert [loop for loop in BLOCKS.loops if loop.dimension == "K"] == [("K", 60), ("K", 20), ("K", 8)]
    assert str(BLOCKS) == "tile {K: 8, C: 4}, order K:60 N G K:20 C P Q R S K"
    # 128 = 60 + 60 + 8, each 60 = 20 + 20 + 20, each 20 = 8 + 8 + 4.
    assert BLOCKS.tile_sizes(PROBLEM, "K") == {8: 13, 4: 6}
    assert BLOCKS.trips(PROBLEM)[DIMENSIONS.index("K")] == 19
    assert violations(PROBLEM, BLOCKS, HARDWARE) == []
    # Inside the loop over C: 27 x 27 places and three tiles of 8.
    assert BLOCKS.live_partial_sums(PROBLEM) == 8 * 27 * 27 * 3


def test_a_mapping_of_a_block_leaves_out_loops_over_blocks_that_are_not_smaller() -> None:
    sizes = dict(zip(DIMENSIONS, PROBLEM.dims, strict=True))
    assert BLOCKS.within(sizes) == BLOCKS
    assert BLOCKS.within(sizes | {"K": 60}).written_order == ("N", "G", "K:20", *"CPQRSK")
    smallest = BLOCKS.within(sizes | {"K": 6})
    assert (smallest.written_order, smallest.cuts) == (tuple("NGCPQRSK"), ())
    assert smallest.tile_of("K") == 6


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("K:x N G K C P Q R S", "expected a dimension and the size of its blocks like 'K:1024', found 'K:x'"),
        ("K: N G K C P Q R S", "expected a dimension and the size of its blocks like 'K:1024', found 'K:'"),
        ("K:0 N G K C P Q R S", "expected a dimension and the size of its blocks like 'K:1024', found 'K:0'"),
        ("K:-8 N G K C P Q R S", "expected a dimension and the size of its blocks like 'K:1024', found 'K:-8'"),
        ("X:8 N G K C P Q R S", "expected a dimension and the size of its blocks like 'K:1024', found 'X:8'"),
        ("N G K K:8 C P Q R S", "'K:8' walks blocks: expected a loop 'K' over the tiles of a block further in"),
        ("K:8 N G C P Q R S", "'K:8' walks blocks: expected a loop 'K' over the tiles of a block further in"),
        ("K:8 N G K K C P Q R", f"{ORDER}, found 'N G K K C P Q R' (missing: S; more than once: K)"),
    ],
)
def test_loops_over_blocks_that_cannot_be_read(tmp_path: Path, order: str, expected: str) -> None:
    """As a mapping, whose order is only checked with a layer where its blocks can be read, and in a document."""
    try:
        found = violations(PROBLEM, Mapping.of({}, order), HARDWARE)
    except MappingError as error:
        found = error.violations
    assert len(found) == 1
    assert found[0].partition(", found")[0] == expected.partition(", found")[0]
    path = tmp_path / "m.yaml"
    path.write_text(
        f"hardware: h\nnetwork: n\nlayers:\n  a:\n    problem: {{K: 64}}\n    tile: {{}}\n    order: '{order}'\n"
    )
    with pytest.raises(DocumentError) as caught:
        load_mappings(path)
    assert caught.value.problems == [f"{path}:7: layers.a.order: {expected}"]


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        (Mapping.of({"K": 8}, "K:8 N G K C P Q R S"), ["a block of 8 in K, expected more than its tile of 8"]),
        (
            Mapping.of({"K": 8}, "K:128 N G K C P Q R S"),
            ["a block of 128 in K, expected less than the 128 that the layer has"],
        ),
        (
            Mapping.of({"K": 8}, "K:20 K:20 N G K C P Q R S"),
            ["a block of 20 in K, expected less than the 20 of the block around it"],
        ),
        (Mapping((1,) * 8, ("K", *DIMENSIONS)), [f"{ORDER}, found 'K N G K C R S P Q' (more than once: K)"]),
        (
            Mapping((1,) * 8, DIMENSIONS, cuts=(8,)),
            ["1 sizes of blocks, expected one for each of the 0 loops that walk blocks"],
        ),
    ],
)
def test_blocks_that_do_not_lie_between_the_tile_and_what_is_around_them(mapping: Mapping, expected: list[str]) -> None:
    assert violations(PROBLEM, mapping, HARDWARE) == expected


@pytest.mark.parametrize(
    ("hardware", "options"),
    [
        (HARDWARE.with_overrides({"controller.pad_edges": True}), "controller.pad_edges"),
        (Hardware.load("maeri_rtl"), "controller.kind: lock_step"),
    ],
)
def test_controllers_that_count_one_loop_a_dimension(hardware: Hardware, options: str) -> None:
    assert violations(PROBLEM, BLOCKS, hardware)[0] == (
        f"loops over blocks are not supported for the controller of {hardware.name} ({options}): "
        "expected one loop a dimension, found K:60 K:20"
    )


def test_sparse_layers_and_partial_sums_that_come_back_have_one_loop_a_dimension() -> None:
    sparse = Problem(K=8, C=8, N=4, sparsity=Sparsity(density=0.5, seed=1))
    (refusal,) = violations(sparse, Mapping.of({"C": 2}, "G K N:2 N P Q C R S"), HARDWARE)
    assert refusal == "loops over blocks are not supported for sparse layers: expected one loop a dimension, found N:2"
    layer, few = Problem(K=8, C=8, N=4), HARDWARE.with_overrides({"accumulation.words": 4})
    cut = Mapping.of({"C": 2}, "C:4 K N P Q C R S G")
    assert violations(layer, cut, HARDWARE) == []
    (refusal,) = violations(layer, cut, few)
    assert refusal.startswith("32 partial sums are live, the accumulation buffer holds 4: ")
    assert refusal.endswith("C cannot be cut into blocks")


@pytest.mark.parametrize("operation", ["add", "max"])
def test_a_pooling_window_cannot_be_filled_up(operation: Operation) -> None:
    """Where partial tiles are filled up, the words beyond the window would be pooled with it."""
    pooling = Problem(G=4, R=3, S=3, P=8, Q=8, stride=(2, 2), operation=operation)
    filling = HARDWARE.with_overrides({"controller.pad_edges": True})
    cut = Mapping.of({"R": 2, "S": 3, "P": 3})
    assert violations(pooling, cut, HARDWARE) == []
    assert violations(pooling, cut, filling) == [
        "a tile of 2 in R leaves a partial one of the 3 of a pooling window, and the controller of h fills up partial tiles"
    ]
    assert violations(pooling, Mapping.of({"R": 3, "S": 1, "P": 3}), filling) == []
    assert violations(Problem(G=4, R=3, S=3, P=8, Q=8, stride=(2, 2)), cut, filling) == []


def test_unknown_dimensions() -> None:
    with pytest.raises(MappingError, match="'X' is not a dimension"):
        Mapping.of({"X": 1})


def test_loops_over_blocks_in_a_file(tmp_path: Path) -> None:
    text = dump_mappings(MappingFile.of("h", "n", {"a": (PROBLEM, BLOCKS)}))
    assert "    order: K:60 N G K:20 C P Q R S K\n" in text
    path = tmp_path / "m.yaml"
    path.write_text(text.replace("K:60 N G K:20 C P Q R S K", "['K:60', N, G, 'K:20', C, P, Q, R, S, K]"))
    assert load_mappings(path).mapping_for("a", PROBLEM) == BLOCKS
    assert Mapping.of(**json.loads(json.dumps(BLOCKS.to_dict()))) == BLOCKS


@given(layers=st.dictionaries(names, st.tuples(problems, mappings()), max_size=3), hardware=names, network=names)
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory,
    layers: dict[str, tuple[Problem, Mapping]],
    hardware: str,
    network: str,
) -> None:
    path = tmp_path_factory.mktemp("mappings") / "m.yaml"
    written = MappingFile.of(hardware, network, layers)
    text = dump_mappings(written, path)
    assert path.read_text(encoding="utf-8") == text
    read = load_mappings(path)
    assert read == written
    assert list(read.layers) == list(layers)
    assert dump_mappings(read) == text
    for name, (problem, mapping) in layers.items():
        assert read.mapping_for(name, problem) == mapping


def test_the_file_is_pleasant_to_read() -> None:
    mapping = Mapping.of({"K": 2, "R": 5, "S": 5}, "N G K C P Q R S")
    strided = Problem(K=4, C=3, R=3, S=3, P=8, Q=8, stride=(2, 2), dilation=(1, 2))
    text = dump_mappings(MappingFile.of("maeri-64", "alexnet", {"conv2": (PROBLEM, mapping), "8": (strided, mapping)}))
    assert text == (
        "hardware: maeri-64\n"
        "network: alexnet\n"
        "layers:\n"
        "  conv2:\n"
        "    problem: {N: 1, G: 2, K: 128, C: 48, R: 5, S: 5, P: 27, Q: 27, padding: 2}\n"
        "    tile: {K: 2, R: 5, S: 5}\n"
        "    order: N G K C P Q R S\n"
        "  '8':\n"
        "    problem: {N: 1, G: 1, K: 4, C: 3, R: 3, S: 3, P: 8, Q: 8, stride: 2, dilation: [1, 2]}\n"
        "    tile: {K: 2, R: 5, S: 5}\n"
        "    order: N G K C P Q R S\n"
    )
    assert list(yaml.safe_load(text)["layers"]) == ["conv2", "8"]


def test_a_mapping_of_a_pooling_is_not_one_of_a_convolution() -> None:
    convolution = Problem(G=4, R=3, S=3, P=8, Q=8)
    pooling = Problem(G=4, R=3, S=3, P=8, Q=8, operation="max")
    file = MappingFile.of("h", "n", {"pool": (pooling, Mapping.of({"R": 3}))})
    assert "    problem: {N: 1, G: 4, K: 1, C: 1, R: 3, S: 3, P: 8, Q: 8, operation: max}\n" in dump_mappings(file)
    with pytest.raises(MappingError, match="operation is multiply here, max in the mapping file"):
        file.mapping_for("pool", convolution)


def test_order_as_a_list(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(
        "hardware: h\nnetwork: n\nlayers: {a: {problem: {K: 4}, tile: {K: 2}, order: [Q, P, S, R, C, K, G, N]}}\n"
    )
    assert load_mappings(path).mapping_for("a", Problem(K=4)) == Mapping.of({"K": 2}, "Q P S R C K G N")
    path.write_text("hardware: h\nnetwork: n\nlayers: {a: {problem: {}, tile: {}, order: 3}}\n")
    with pytest.raises(DocumentError, match="expected an order like 'N G K C R S P Q', found 3"):
        load_mappings(path)


def test_a_mapping_for_another_layer() -> None:
    file = MappingFile.of("h", "n", {"conv2": (PROBLEM, Mapping.of({}))})
    other = Problem(N=1, G=1, K=256, C=48, R=5, S=5, P=27, Q=27, stride=(2, 2))
    with pytest.raises(MappingError) as caught:
        file.mapping_for("conv2", other)
    assert caught.value.violations == [
        "mapping for another layer: G is 1 here, 2 in the mapping file",
        "mapping for another layer: K is 256 here, 128 in the mapping file",
        "mapping for another layer: stride is 2x2 here, 1x1 in the mapping file",
    ]
    with pytest.raises(MappingError, match=re.escape("no mapping for it (did you mean 'conv2'?)")):
        file.mapping_for("conv1", PROBLEM)


def test_padding_does_not_matter_to_a_mapping() -> None:
    file = MappingFile.of("h", "n", {"a": (PROBLEM, Mapping.of({"K": 2}))})
    unpadded = Problem(N=1, G=2, K=128, C=48, R=5, S=5, P=27, Q=27)
    assert file.mapping_for("a", unpadded) == Mapping.of({"K": 2})


def test_a_mapping_as_plain_data_gives_the_mapping_again() -> None:
    mapping = Mapping.of({"R": 5, "K": 2}, "N G K C R S Q P", "G N P Q K")
    data = mapping.to_dict()
    assert data["tile"] == {"N": 1, "G": 1, "K": 2, "C": 1, "R": 5, "S": 1, "P": 1, "Q": 1}
    assert Mapping.of(**json.loads(json.dumps(data))) == mapping
