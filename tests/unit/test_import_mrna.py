"""mRNA's parameter files: every form it ships is read, broken ones are explained with their lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maerisim.errors import DocumentError
from maerisim.hardware.hardware import Hardware
from maerisim.importers.mrna import Imported, hardware_yaml, read
from maerisim.workload.network import Network
from maerisim.workload.problem import Problem
from maerisim.workload.recurrent import Lstm

CONV = """\
Model_Name = lenet
Layer_Type = CONV
Layer_Number = 1

Input_parameter {
  input_batch = 2
  input_x = 28
  input_y = 30
  input_channel = 6
}

Output_parameter {
  output_batch = 2
  output_x = 14
  output_y = 15
  output_channel = 16
}

Weight_parameter {
  weight_x = 5
  weight_y = 3
  weight_channel = 6
  weight_number = 16
  weight_stride = 2
}

Hidden_parameter {
  hidden_x = 0
  hidden_y = 0
  hidden_channel = 0
}
"""

FC = """\
Model_Name = lenet
Layer_Type = FC
Layer_Number = 3
Input_parameter {
  input_batch = 4
  input_x = 400
  input_y = 1
  input_channel = 1
}
Output_parameter {
  output_x = 120
  output_y = 1
  output_channel = 1
}
Weight_parameter {
  weight_x = 120
  weight_y = 400
}
"""

RNN = """\
Model_Name = cells
Layer_Type = RNN
Layer_Number = 1
Input_parameter {
  input_x = 10
}
Weight_parameter {
  weight_x = 80
  weight_y = 30
}
Hidden_parameter {
  hidden_x = 20
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def imported(**texts: str) -> Imported:
    """Import text files of these names and contents."""
    names = []
    for name, text in texts.items():
        path = Path(f"{name}.txt")
        path.write_text(text, encoding="utf-8")
        names.append(str(path))
    return read(names)


def network(**texts: str) -> Network:
    """The same, written as a document and loaded again."""
    found = imported(**texts).network
    assert found is not None
    Path("network.yaml").write_text(found.to_yaml(), encoding="utf-8")
    return Network.load("network.yaml")


def problems(**texts: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        imported(**texts)
    return caught.value.problems


def test_convolution(folder: Path) -> None:
    (layer,) = network(a=CONV).layers
    assert layer.name == "conv1"
    assert layer.problem.dims == (2, 1, 16, 6, 5, 3, 14, 15)
    assert layer.problem.stride == (2, 2)
    # 28 rows and 2 of padding on either side hold (28 + 4 - 5) // 2 + 1 = 14 windows; 30 columns and 1 hold 15.
    assert layer.problem.padding == (2, 1)


def test_nothing_is_noted_about_a_file_without_quirks(folder: Path) -> None:
    found = imported(a=CONV, b=FC, c=RNN).network
    assert found is not None
    assert found.notes == ()
    assert found.name == "lenet"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.integers(1, 60),
    taps=st.integers(1, 11),
    stride=st.integers(1, 4),
    padding=st.integers(0, 5),
)
def test_sizes_of_outputs_and_filters_are_kept_whatever_the_padding_was(
    folder: Path, size: int, taps: int, stride: int, padding: int
) -> None:
    if size + 2 * padding < taps or padding >= taps:
        return
    outputs = (size + 2 * padding - taps) // stride + 1
    text = CONV.replace("input_x = 28", f"input_x = {size}").replace("output_x = 14", f"output_x = {outputs}")
    text = text.replace("weight_x = 5", f"weight_x = {taps}").replace("weight_stride = 2", f"stride_x = {stride}")
    found = imported(a=text.replace("output_y = 15", "output_y = 28")).network
    assert found is not None
    fields = found.layers[0].fields
    # A padding that is no more than the one that was there, and gives as many outputs.
    smallest = fields.get("padding", 0)
    smallest = smallest[0] if isinstance(smallest, list) else smallest
    assert fields["input"][1] == size
    assert smallest <= padding
    assert (size + 2 * smallest - taps) // stride + 1 == outputs


def test_an_input_that_no_padding_fits_is_written_as_padded(folder: Path) -> None:
    # 200 outputs of a 20-wide filter need 219 rows; 19 more than there are cannot be split into halves.
    text = CONV.replace("weight_stride = 2", "weight_stride = 1").replace("weight_x = 5", "weight_x = 20")
    text = text.replace("output_x = 14", "output_x = 200").replace("input_x = 28", "input_x = 200")
    text = text.replace("output_y = 15", "output_y = 30")
    (layer,) = network(a=text).layers
    assert (layer.problem.P, layer.problem.H, layer.problem.padding) == (200, 219, (0, 0))
    assert "# padded input; the file has 200 x 30" in Path("network.yaml").read_text()


def test_fully_connected(folder: Path) -> None:
    (layer,) = network(a=FC).layers
    assert layer.name == "fc3"
    assert layer.problem == Problem(N=4, K=120, C=400)


def test_lstm(folder: Path) -> None:
    (layer,) = network(a=RNN).layers
    assert isinstance(layer, Lstm)
    assert (layer.name, layer.input_size, layer.hidden_size, layer.batch) == ("rnn1", 10, 20, 1)


def test_several_files_are_one_network_in_the_order_of_their_numbers(folder: Path) -> None:
    texts = {f"layer_{n}": CONV.replace("Layer_Number = 1", f"Layer_Number = {n}") for n in (10, 9, 2)}
    assert [layer.name for layer in network(**texts).layers] == ["conv2", "conv9", "conv10"]


@pytest.mark.parametrize(
    ("good", "written"),
    [
        pytest.param("output_x = 14", "output_x =14", id="no space after ="),
        pytest.param("output_x = 14", "output_x=14", id="no spaces"),
        pytest.param("output_x = 14", "output_x : 14", id="colon"),
        pytest.param("output_x = 14", "output_x 14", id="nothing between"),
        pytest.param("output_x = 14", "\toutput_x = 14,", id="tab and comma"),
        pytest.param("output_x = 14", "output_x = 14  # rows", id="remark"),
        pytest.param("Output_parameter {", "Output_parameter\n{", id="brace on a line of its own"),
        pytest.param("output_channel = 16\n}", "output_channel = 16 }", id="brace behind the last value"),
        pytest.param("\n", "\r\n", id="carriage returns"),
        pytest.param("Model_Name", "\ufeffModel_Name", id="byte order mark"),
        pytest.param("CONV", "conv", id="lower case"),
        pytest.param("weight_stride = 2", "stride_x = 2\n  stride_y = 2", id="a stride for each direction"),
        pytest.param("  output_batch = 2\n", "", id="no batch of outputs"),
    ],
)
def test_spellings(folder: Path, good: str, written: str) -> None:
    assert good in CONV
    assert network(a=CONV.replace(good, written)).layers == network(a=CONV).layers


def test_a_name_in_place_of_a_number_or_a_type(folder: Path) -> None:
    text = CONV.replace("Layer_Number = 1", "Layer_Number = inception4d_2")
    assert network(a=text).layers[0].name == "inception4d_2"
    found = imported(a=text.replace("CONV", "inception4d")).network
    assert found is not None
    assert found.layers[0].fields["op"] == "conv2d"
    assert found.notes == (
        "a.txt:2: Layer_Type: 'inception4d' is no type that mRNA knows; taken for CONV, as it has filters",
    )


def test_sizes_that_contradict_each_other_are_noted_and_the_filters_count(folder: Path) -> None:
    found = imported(a=CONV.replace("output_channel = 16", "output_channel = 24")).network
    assert found is not None
    assert found.notes == ("a.txt:16: output_channel = 24 is not used: weight_number is 16",)
    assert found.layers[0].fields["filters"] == 16


def test_weights_the_other_way_round_are_noted(folder: Path) -> None:
    found = imported(
        a=FC.replace("weight_x = 120", "weight_x = 400").replace("weight_y = 400", "weight_y = 120")
    ).network
    assert found is not None
    (note,) = found.notes
    assert note.startswith("a.txt:16: weights of 400 x 120 are not used: the layer has 120 outputs of 400 inputs each")
    assert found.layers[0].fields["outputs"] == 120


POOL = """\
Model_Name = lenet
Layer_Type = MAXPOOL
Layer_Number = 2
Input_parameter {
  input_batch = 2
  input_x = 14
  input_y = 15
  input_channel = 16
}
Output_parameter {
  output_x = 7
  output_y = 7
  output_channel = 16
}
Weight_parameter {
  weight_x = 2
  weight_y = 2
  weight_channel = 16
  weight_number = 0
  weight_stride = 2
}
"""


@pytest.mark.parametrize(
    ("changes", "fields", "shape"),
    [
        # Windows side by side; the last column of 15 is not reached.
        ({}, {"kernel": 2}, (2, 2, 7, 7)),
        ({"  weight_stride = 2\n": ""}, {"kernel": 2}, (2, 2, 7, 7)),
        # Windows of 3, two apart: 7 outputs touch 15 rows of 14, so that one lies in the padding, and all 15 columns.
        ({"weight_x = 2": "weight_x = 3", "weight_y = 2": "weight_y = 3"}, {"kernel": 3, "stride": 2}, (3, 3, 7, 7)),
        # A window of the whole plane.
        (
            {"_x = 7": "_x = 1", "_y = 7": "_y = 1", "weight_x = 2": "weight_x = 14", "weight_y = 2": "weight_y = 15"},
            {"kernel": [14, 15], "stride": 2},
            (14, 15, 1, 1),
        ),
    ],
)
def test_max_pooling(folder: Path, changes: dict[str, str], fields: dict[str, object], shape: tuple[int, ...]) -> None:
    text = POOL
    for good, other in changes.items():
        assert good in text
        text = text.replace(good, other)
    found = imported(a=text).network
    assert found is not None
    assert not found.notes
    (layer,) = found.layers
    assert (layer.name, layer.fields["op"], layer.fields["batch"]) == ("maxpool2", "max_pool2d", 2)
    assert {key: layer.fields[key] for key in ("kernel", "stride") if key in layer.fields} == fields
    problem = network(a=text).layers[0].problem
    assert shape == (problem.R, problem.S, problem.P, problem.Q)
    assert (problem.N, problem.G, problem.K, problem.C, problem.operation) == (2, 16, 1, 1, "max")


def test_a_pooling_whose_outputs_no_padding_makes_has_its_padded_input(folder: Path) -> None:
    """Two outputs more would take two rows of padding on each side, more than half a window of 2."""
    text = POOL.replace("output_x = 7", "output_x = 9")
    found = imported(a=text).network
    assert found is not None
    (layer,) = found.layers
    assert layer.fields["input"] == [16, 18, 14]
    assert layer.comment == "padded input; the file has 14 x 15"
    assert network(a=text).layers[0].problem.P == 9


def test_types_of_pooling_that_mrna_does_not_know_are_noted(folder: Path) -> None:
    found = imported(a=POOL.replace("MAXPOOL", "AvgPool"), b=POOL.replace("MAXPOOL", "POOLING")).network
    assert found is not None
    assert [layer.fields["op"] for layer in found.layers] == ["avg_pool2d", "max_pool2d"]
    assert found.notes == (
        "a.txt:2: Layer_Type: 'AvgPool' is no type that mRNA knows; taken for AVGPOOL",
        "b.txt:2: Layer_Type: 'POOLING' is no type that mRNA knows; taken for MAXPOOL",
    )


@pytest.mark.parametrize("window", ["", "  weight_x = 0\n"])
def test_a_pooling_without_a_window_is_left_out(folder: Path, window: str) -> None:
    text = POOL.replace("  weight_x = 2\n", window)
    found = imported(a=CONV, b=text).network
    assert found is not None
    assert [layer.name for layer in found.layers] == ["conv1"]
    note = "b.txt:2: Layer_Type: MAXPOOL is left out: no window, expected its size as weight_x and weight_y"
    assert found.notes == (note,)
    assert problems(b=text)[-1] == "none of 1 files holds a layer that a network can have"


def test_broken_poolings_are_explained(folder: Path) -> None:
    text = POOL.replace("weight_x = 2", "weight_x = two").replace("  input_channel = 16\n", "")
    assert problems(a=text) == [
        "a.txt:4: input_channel is missing",
        "a.txt:15: weight_x: expected a whole number from 1, found 'two'",
    ]


def test_names_that_occur_twice_get_a_number(folder: Path) -> None:
    found = imported(a=CONV, b=CONV).network
    assert found is not None
    assert [layer.name for layer in found.layers] == ["conv1", "conv1_2"]
    assert found.notes == ("b.txt:2: 'conv1' is already the layer of a.txt:2; this one becomes 'conv1_2'",)


@pytest.mark.parametrize(
    ("good", "bad", "expected"),
    [
        ("weight_x = 5", "weight_x = five", "a.txt:20: weight_x: expected a whole number from 1, found 'five'"),
        ("weight_x = 5", "weight_x = 0", "a.txt:20: weight_x: expected a whole number from 1, found '0'"),
        ("weight_x = 5", "weight_x = -5", "a.txt:20: weight_x: expected a whole number from 1, found '-5'"),
        ("weight_x = 5", "weight_x =", "a.txt:20: weight_x: expected a value, found nothing"),
        ("  weight_x = 5\n", "", "a.txt:19: weight_x is missing"),
        ("weight_x = 5", "wieght_x = 5", "a.txt:20: wieght_x: unknown name (did you mean 'weight_x'?)"),
        ("weight_x = 5", "weight_x = 5\nweight_x = 7", "a.txt:21: weight_x: already on line 20"),
        ("Layer_Type = CONV\n", "", "a.txt:1: Layer_Type is missing (CONV, FC, RNN, MAXPOOL)"),
        (
            "hidden_channel = 0\n}",
            "hidden_channel = 0",
            "a.txt:27: Hidden_parameter: expected '}' before the end of the",
        ),
        ("hidden_channel = 0\n}", "hidden_channel = 0\n}}", "a.txt:31: '}' closes nothing"),
        ("Model_Name = lenet", "1 | (32, 56, 56, 96) | [4, 4]", "a.txt:1: expected 'name = value', found '1 | (32, 56"),
    ],
)
def test_broken_files(folder: Path, good: str, bad: str, expected: str) -> None:
    assert good in CONV
    assert any(problem.startswith(expected) for problem in problems(a=CONV.replace(good, bad)))


def test_a_type_that_nothing_tells_is_a_problem(folder: Path) -> None:
    assert problems(a=FC.replace("= FC", "= DENSE")) == [
        "a.txt:2: Layer_Type: expected one of CONV, FC, RNN, MAXPOOL, found 'DENSE'"
    ]


def test_a_file_that_is_hardly_understood_is_refused_with_its_first_odd_line(folder: Path) -> None:
    assert problems(a="Layer_Type = CONV\nShape = 2\n" + "Width = 14\n" * 9) == [
        (
            "a.txt: not a Model_parameter file (nor one of energies): expected lines like 'Layer_Type = CONV'; "
            "10 lines are not, the first is line 2: Shape: unknown name"
        )
    ]


def test_all_problems_of_all_files_are_reported_at_once(folder: Path) -> None:
    found = problems(a=CONV.replace("= 5", "= five"), b=FC.replace("= 400", "= many"), c="")
    assert [problem.split(": ")[0] for problem in found] == ["c.txt", "a.txt:20", "b.txt:6", "b.txt:17"]


def test_sizes_that_no_network_can_have_are_reported_with_their_lines(folder: Path) -> None:
    found = imported(a=FC.replace("input_x = 400", f"input_x = {2**41}")).network
    assert found is not None
    with pytest.raises(DocumentError, match=r"a\.txt:2: layers\[0\]\.inputs: expected at most"):
        found.to_yaml()


ENERGIES = """\
Energy_factors {
  dram_eng = 200
  spm_eng =6.5
  reg_eng = 2
  dsaccess_eng = 3
  rsaccess_eng = 4
  msaccess_eng = 5
  multiply_eng = 7
  reduce_eng = 8
}
"""


def test_energies_and_sizes_are_a_hardware_document(folder: Path) -> None:
    found = imported(a=CONV, Config_file=ENERGIES)
    text = hardware_yaml("mine", found.energies, {"num_ms": 256, "dn_bw": 128, "rn_bw": None})
    Path("mine.yaml").write_text(text)
    hardware = Hardware.load("mine.yaml")
    maeri = Hardware.load("maeri")
    assert (hardware.name, hardware.multipliers, hardware.ports, hardware.buses) == ("mine", 256, 128, 64)
    table = hardware.energy
    assert (table.dram_access, table.global_buffer_access, table.register_access) == (200, 6.5, 2)
    assert (table.distribution_switch_access, table.reduction_switch_access) == (3, 4)
    assert (table.multiplier_switch_access, table.multiply, table.add) == (5, 7, 8)
    assert table.accumulation_buffer_access == maeri.energy.accumulation_buffer_access
    assert hardware.multiplier == maeri.multiplier


def test_energies_alone_are_no_network(folder: Path) -> None:
    assert imported(Config_file=ENERGIES).network is None


def test_sizes_that_no_fabric_has(folder: Path) -> None:
    with pytest.raises(DocumentError, match="multipliers: expected a power of two from 2 to 4096, found 48"):
        hardware_yaml("mine", {}, {"num_ms": 48})


def test_energies_that_are_no_numbers(folder: Path) -> None:
    assert problems(a=ENERGIES.replace("= 7", "= seven"), b="dram_eng = 1\n") == [
        "a.txt:8: multiply_eng: expected a number, found 'seven'",
        "b.txt:1: dram_eng: is in more than one file",
    ]
