"""SCALE-Sim's topologies: every form it ships is read, broken ones are explained with their lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maerisim.errors import DocumentError
from maerisim.importers.layers import ImportedNetwork
from maerisim.importers.scale_sim import read
from maerisim.workload.convolutions import Conv2d
from maerisim.workload.network import Network
from maerisim.workload.problem import Problem

HEADER = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def imported(*texts: str) -> ImportedNetwork:
    names = []
    for letter, text in zip("abc", texts, strict=False):
        Path(f"{letter}.csv").write_text(text, encoding="utf-8")
        names.append(f"{letter}.csv")
    return read(names)


def network(*texts: str) -> Network:
    """The imported network, written as a document and loaded again."""
    Path("network.yaml").write_text(imported(*texts).to_yaml(), encoding="utf-8")
    return Network.load("network.yaml")


def problems(*texts: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        imported(*texts)
    return caught.value.problems


def test_convolution(folder: Path) -> None:
    (layer,) = network(HEADER + "Conv1, 30, 20, 5, 3, 6, 16, 1,\n").layers
    assert layer.name == "Conv1"
    assert layer.problem == Problem(K=16, C=6, R=5, S=3, P=26, Q=18)


def test_a_heading_that_occurs_twice_is_told_by_its_place(folder: Path) -> None:
    text = HEADER.replace("IFMAP Height", "IFMAP Width") + "Conv1, 30, 20, 5, 3, 6, 16, 1,\n"
    assert network(text).layers[0].problem == Problem(K=16, C=6, R=5, S=3, P=26, Q=18)
    assert imported(text).notes == ("a.csv:1: column 2 is a second IFMAP Width; taken for IFMAP Height",)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(height=st.integers(1, 40), taps=st.integers(1, 7), stride=st.integers(1, 5))
def test_outputs_are_counted_as_scale_sim_does(folder: Path, height: int, taps: int, stride: int) -> None:
    if taps > height:
        return
    (layer,) = network(HEADER + f"a, {height}, {height}, {taps}, {taps}, 2, 3, {stride},\n").layers
    # By counting: a window starts at every stride until one reaches or passes the last row.
    start, outputs = 0, 1
    while start + taps < height:
        start, outputs = start + stride, outputs + 1
    assert layer.problem.P == layer.problem.Q == outputs


def test_a_window_beyond_the_input_is_remarked(folder: Path) -> None:
    (layer,) = network(HEADER + "Conv1, 224, 224, 11, 11, 3, 96, 4,\n").layers
    assert (layer.problem.P, layer.problem.H) == (55, 227)
    assert "# IFMAP 224 x 224: the last windows reach beyond it" in Path("network.yaml").read_text()


def test_one_pixel_is_a_linear_layer(folder: Path) -> None:
    (layer,) = network(HEADER + "FC, 1, 1, 1, 1, 1024, 1000, 1,\n").layers
    assert layer.op == "linear"
    assert layer.problem == Problem(K=1000, C=1024)


def test_a_product_as_a_convolution_stays_one(folder: Path) -> None:
    (layer,) = network(HEADER + "QKT, 1024, 64, 1, 64, 1, 1000, 1,\n").layers
    assert layer.problem == Problem(P=1024, S=64, K=1000)


def test_depthwise_by_name(folder: Path) -> None:
    (layer,) = network(HEADER + "Conv2_DP, 10, 10, 3, 3, 32, 2, 1,\n").layers
    assert isinstance(layer, Conv2d)
    assert layer.problem == Problem(G=32, K=2, C=1, R=3, S=3, P=8, Q=8)


def test_products(folder: Path) -> None:
    first, second = network("Layer,M,N,K,\nL0,196,192,384,\nL1,8,16,4,\n").layers
    assert first.problem == Problem(N=196, K=192, C=384)
    assert (second.name, second.macs) == ("L1", 8 * 16 * 4)


def test_products_of_several_heads(folder: Path) -> None:
    (layer,) = network("Layer,M,N,K,Batch Size\nQKT,128,96,64,12\n").layers
    assert layer.problem == Problem(G=12, N=128, K=96, C=64)


def test_batches(folder: Path) -> None:
    (layer,) = network(HEADER.replace("Strides,", "Strides, Batch Size,") + "a, 5, 5, 3, 3, 2, 4, 1, 7,\n").layers
    assert layer.problem == Problem(N=7, K=4, C=2, R=3, S=3, P=3, Q=3)


PLAIN = HEADER + "Conv1, 30, 30, 5, 5, 6, 16, 2,\nConv2, 9, 9, 3, 3, 6, 16, 1,\n"


@pytest.mark.parametrize(
    ("good", "written"),
    [
        pytest.param("Conv1, ", "  Conv1\t, ", id="spaces"),
        pytest.param("\nConv1", "\n\n,,,,,\nConv1", id="empty rows"),
        pytest.param("16, 1,\n", "16, 1, #dw\n", id="remark"),
        pytest.param("16, 1,\n", "16, 1", id="no comma at the end"),
        pytest.param("Strides,", "Strides", id="no comma behind the headings"),
        pytest.param("Layer name, IFMAP Height, IFMAP Width", "layer,ifmap height,  Ifmap  width", id="other case"),
        pytest.param("Num Filter", "num filters", id="other number"),
        pytest.param("Strides", "Stride height", id="height of the stride"),
        pytest.param(", ", "\t", id="tabs"),
        pytest.param("\n", "\r\n", id="carriage returns"),
        pytest.param("Layer", "\ufeffLayer", id="byte order mark"),
        pytest.param("16, 2,", "16, 2, 2", id="stride of the columns"),
        pytest.param("16, 2,", "16, 2, NPU", id="another remark"),
    ],
)
def test_spellings(folder: Path, good: str, written: str) -> None:
    assert good in PLAIN
    text = PLAIN.replace(good, written)
    if written == "\t":
        text = text.replace(",", "")
    assert network(text).layers == network(PLAIN).layers


def test_strides_may_differ(folder: Path) -> None:
    text = HEADER.replace("Strides,", "Stride height, Stride width,") + "a, 9, 9, 3, 3, 1, 1, 2, 3,\n"
    (layer,) = network(text).layers
    assert (layer.problem.stride, layer.problem.P, layer.problem.Q) == ((2, 3), 4, 3)
    assert network(HEADER + "a, 9, 9, 3, 3, 1, 1, 2, 3\n").layers == [layer]


def test_rows_with_a_name_only_are_headings(folder: Path) -> None:
    row = "Conv, 9, 9, 3, 3, 1, 1, 1,\n"
    assert [layer.name for layer in network(HEADER + row + "AlphaGoZero,\n" + row).layers] == [
        "Conv",
        "AlphaGoZero/Conv",
    ]


def test_several_files_are_one_network_and_equal_names_get_a_number(folder: Path) -> None:
    found = imported(PLAIN, PLAIN)
    assert [layer.name for layer in found.layers] == ["Conv1", "Conv2", "Conv1_2", "Conv2_2"]
    assert found.name == "a"
    assert found.notes == (
        "b.csv:2: 'Conv1' is already the layer of a.csv:2; this one becomes 'Conv1_2'",
        "b.csv:3: 'Conv2' is already the layer of a.csv:3; this one becomes 'Conv2_2'",
    )


def test_what_is_not_taken_is_noted(folder: Path) -> None:
    text = HEADER.replace("Strides,", "Strides, Sparsity, Target,") + "a, 5, 5, 3, 3, 2, 4, 1, 2:4, NPU,\n"
    pattern = "sparsity: {pattern: 2:4}"
    assert imported(text + "b, 5, 5, 3, 3, 2, 4, 1, 4:4, GPU,\n").notes == (
        "a.csv:1: not used: Target",
        f"a.csv:2: Sparsity 2:4 is not taken: the layer is dense here (with '{pattern}' it has these zeros)",
    )


def test_names_that_yaml_reads_as_something_else(folder: Path) -> None:
    names = [layer.name for layer in network("Layer,M,N,K\n1,1,1,1\nQxK',1,1,1\nyes,1,1,1\na: b,1,1,1\n").layers]
    assert names == ["1", "QxK'", "yes", "a: b"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEADER + "FC, 1, 1, 1, ,1 2, 2, 1,\n", "a.csv:2: Filter Width: expected a whole number from 1, found nothing"),
        (HEADER + "FC, 1, 1, 1, ,1 2, 2, 1,\n", "a.csv:2: Channels: expected a whole number from 1, found '1 2'"),
        (HEADER + "a, 1, B, 1, 1, H, H, 1,\n", "a.csv:2: Num Filter: expected a whole number from 1, found 'H'"),
        (HEADER + "a, 9, 9, 3, 3, 1,\n", "a.csv:2: Strides: expected a whole number from 1, found nothing"),
        (HEADER + "a, 9, 9, 3, 3, 1, 1, 0,\n", "a.csv:2: Strides: expected a whole number from 1, found '0'"),
        (HEADER + "\na, 3, 9, 5, 3, 1, 1, 1,\n", "a.csv:3: Filter Height: 5 is more than IFMAP Height 3"),
        (HEADER + ", 9, 9, 3, 3, 1, 1, 1,\n", "a.csv:2: expected the name of a layer in the first column"),
        (HEADER, "a.csv:1: expected a layer in each row below the headings, found none"),
        ("Conv1, 9, 9, 3, 3, 1, 1, 1,\n", "a.csv:1: expected the headings 'Layer name, IFMAP Height, IFMAP Width"),
        ("", "a.csv:1: expected the headings 'Layer name, IFMAP Height"),
        ("Layer,M,N,K\n\na,1,2.5,3\n", "a.csv:3: N: expected a whole number from 1, found '2.5'"),
    ],
)
def test_broken_files(folder: Path, text: str, expected: str) -> None:
    assert any(problem.startswith(expected) for problem in problems(text))


def test_all_problems_of_all_files_are_reported_at_once(folder: Path) -> None:
    found = problems(HEADER + "a, B, 9, 3, 3, 1, H, 1,\n", "nothing", "Layer,M,N,K\na,1,x,3\n")
    assert [problem.split(": ")[0] for problem in found] == ["a.csv:2", "a.csv:2", "b.csv:1", "c.csv:2"]
