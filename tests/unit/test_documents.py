"""Broken documents: every problem is reported at once, in plain words, at the line where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from maerisim.documents import Document, load, locate, shipped
from maerisim.errors import DocumentError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.document import MappingFile
from maerisim.workload.network import Network


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def problems(model: type[Document], name: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        load(model, name)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def write(name: str, text: str) -> str:
    Path(name).write_text(text)
    return name


# --- files that cannot be read ----------------------------------------------------------------------------------------


def test_missing_file_names_the_nearest_shipped_documents(folder: Path) -> None:
    assert problems(Network, "alexnt.yaml") == [
        "alexnt.yaml: no such file, expected a network description (did you mean 'alexnet'?)"
    ]
    assert problems(Hardware, "maeri-65")[0].startswith(
        "maeri-65: no such file or shipped hardware (did you mean 'maeri-64' or "
    )


def test_missing_file_far_from_any_name_lists_what_is_shipped(folder: Path) -> None:
    assert problems(Network, "zzzzz") == [
        f"zzzzz: no such file or shipped network (shipped: {', '.join(shipped('network'))})"
    ]
    assert problems(Network, "") == [f"'': no such file or shipped network (shipped: {', '.join(shipped('network'))})"]


def test_directory(folder: Path) -> None:
    Path("nets.yaml").mkdir()
    assert problems(Network, "nets.yaml") == [
        "nets.yaml: is a directory, expected the YAML file of a network description"
    ]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n"])
def test_empty_file(folder: Path, text: str) -> None:
    found = problems(Hardware, write("x.yaml", text))
    assert len(found) == 1
    assert "is empty, expected a hardware description" in found[0] or "found the single value ''" in found[0]


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\x00\xff", b"name: a\x00b\n", "name: é".encode("latin-1")])
def test_binary_file(folder: Path, content: bytes) -> None:
    Path("x.yaml").write_bytes(content)
    assert problems(Hardware, "x.yaml") == [
        "x.yaml: is not a text file (UTF-8), expected the YAML file of a hardware description"
    ]


def test_byte_order_mark_is_accepted(folder: Path) -> None:
    Path("x.yaml").write_bytes(b"\xef\xbb\xbfname: x\nmultipliers: 8\n")
    assert Hardware.load("x.yaml").name == "x"


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("name: x\nmultipliers: [1, 2\n", 3, 1),
        ("name: x\n\tmultipliers: 8\n", 2, 1),
        ("name: x\nmultipliers: 8: 9\n", 2, 15),
        ("name: 'x\n", 2, 1),
        ("name: *nowhere\n", 1, 7),
    ],
)
def test_syntax_error_has_line_and_column(folder: Path, text: str, line: int, column: int) -> None:
    found = problems(Hardware, write("x.yaml", text))
    assert len(found) == 1
    assert found[0].startswith(f"x.yaml:{line}: not valid YAML at column {column}: ")


def test_several_documents_in_one_file(folder: Path) -> None:
    found = problems(Hardware, write("x.yaml", "name: x\n---\nname: y\n"))
    assert found == [
        "x.yaml:2: not valid YAML at column 1: more than one document; keep one per file and remove the '---' line"
    ]


def test_endless_nesting(folder: Path) -> None:
    assert problems(Hardware, write("x.yaml", "name: x\nmultipliers: " + "[" * 100_000)) == [
        "x.yaml:2: is nested more than 32 levels deep"
    ]


def test_aliases_that_multiply(folder: Path) -> None:
    lines = ["a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 8)}]" for level in range(1, 20)]
    found = problems(Hardware, write("x.yaml", "\n".join([*lines, "name: *a19", "multipliers: 8"])))
    assert found == ["x.yaml:6: its aliases stand for more than 200,000 keys and values"]


@pytest.mark.parametrize("date", ["2020-01-01", "2020-13-45", "2020-01-01 12:00:00"])
def test_dates_have_to_be_in_quotes(folder: Path, date: str) -> None:
    assert problems(Hardware, write("x.yaml", f"multipliers: 8\nname: {date}\n")) == [
        f"x.yaml:2: name: expected a text or a number, found the date {date} (put it in quotes)"
    ]
    write("y.yaml", f"multipliers: 8\nname: '{date}'\n")
    assert Hardware.load("y.yaml").name == date


@pytest.mark.parametrize(
    ("text", "found"),
    [("- a\n- b\n", "a list"), ("just words\n", "the single value 'just words'"), ("42\n", "the single value '42'")],
)
def test_top_level_must_be_a_mapping(folder: Path, text: str, found: str) -> None:
    assert problems(Hardware, write("x.yaml", text)) == [
        f"x.yaml:1: expected 'key: value' lines at the top level, found {found}"
    ]


def test_duplicate_keys_at_any_depth(folder: Path) -> None:
    text = "name: x\nmultipliers: 8\nname: y\nreduction:\n  latency: 1\n  latency: 2\n"
    assert problems(Hardware, write("x.yaml", text)) == [
        "x.yaml:3: name: duplicate key, already on line 1",
        "x.yaml:6: reduction.latency: duplicate key, already on line 5",
    ]


def test_keys_must_be_text(folder: Path) -> None:
    text = "name: x\n8: multipliers\nreduction:\n  on: 1\n  ? [1, 2]\n  : 3\n"
    assert problems(Hardware, write("x.yaml", text)) == [
        "x.yaml:2: expected a text as key, found 8 (put it in quotes)",
        "x.yaml:4: reduction: expected a text as key, found on (put it in quotes)",
        "x.yaml:5: reduction: expected a text as key, found a collection (put it in quotes)",
    ]


# --- documents with wrong values --------------------------------------------------------------------------------------


def test_all_problems_at_once_in_the_order_of_lines(folder: Path) -> None:
    text = """\
name: x
multipliers: sixty
distribution:
  bandwith: 16
  latency: 0
reduction:
  topology: arrt
energy:
  multiply: -1
  add: .inf
multiplier:
  forwarding: 1
  input_registers: 2.5
collection: 4
accumulation:
  words: true
colection: {}
"""
    assert problems(Hardware, write("x.yaml", text)) == [
        "x.yaml:2: multipliers: expected an integer, found 'sixty'",
        "x.yaml:4: distribution.bandwith: unknown key (did you mean 'bandwidth'?)",
        "x.yaml:5: distribution.latency: expected at least 1, found 0",
        "x.yaml:7: reduction.topology: expected 'art', 'plain_tree', 'linear' or 'fan', found 'arrt' (did you mean 'art'?)",
        "x.yaml:9: energy.multiply: expected at least 0, found -1",
        "x.yaml:10: energy.add: expected a finite number, found inf",
        "x.yaml:12: multiplier.forwarding: expected true or false, found 1",
        "x.yaml:13: multiplier.input_registers: expected an integer, found 2.5",
        "x.yaml:14: collection: expected keys and values, found 4",
        "x.yaml:16: accumulation.words: expected an integer, found true",
        "x.yaml:17: colection: unknown key (did you mean 'collection'?)",
    ]


def test_missing_keys_say_what_they_mean(folder: Path) -> None:
    assert problems(Hardware, write("x.yaml", "# nothing but\ndescription: words\n")) == [
        "x.yaml:2: multipliers: this key is required but missing: multiplier switches, a power of two from 2 to 4096",
        "x.yaml:2: name: this key is required but missing: how reports call this hardware",
    ]


def test_a_name_that_yaml_takes_for_something_else(folder: Path) -> None:
    assert problems(Hardware, write("x.yaml", "name: 12\nmultipliers: 8\n")) == [
        "x.yaml:1: name: expected a text, found 12 (put it in quotes)"
    ]
    assert problems(Hardware, write("x.yaml", "name:\nmultipliers: 8\n")) == [
        "x.yaml:1: name: expected a text, found nothing"
    ]


def test_unknown_key_far_from_any_lists_the_known_ones(folder: Path) -> None:
    text = "name: x\nmultipliers: 8\naccumulation:\n  zzz: 1\n"
    assert problems(Hardware, write("x.yaml", text)) == [
        "x.yaml:4: accumulation.zzz: unknown key (known keys: words, latency)"
    ]


def test_exponents_are_numbers(folder: Path) -> None:
    write("x.yaml", "name: x\nmultipliers: 8\nenergy: {add: 1e-3, multiply: 2E2}\n")
    energy = Hardware.load("x.yaml").energy
    assert (energy.add, energy.multiply) == (0.001, 200.0)


def test_layers_are_addressed_by_their_index(folder: Path) -> None:
    text = """\
name: n
layers:
  - {name: a, op: linear, inputs: 4, outputs: 4}
  - name: b
    op: conv2d
    input: [3, 8]
    filters: 4
    kernal: 3
  - name: c
    op: conv2d
    input: [3, 8, 8]
    filters: 4
    kernel: 3
    stride: two
    padding: -1
    dilation: [1, 0]
  - {name: d, op: convv2d}
  - {name: a, inputs: 3}
  - 7
"""
    op = "conv2d, max_pool2d, avg_pool2d, linear, matmul, lstm, gru, fused, conv1d, conv3d, conv_transpose2d"
    kernel = "filter size, one integer or [height, width]"
    assert problems(Network, write("net.yaml", text)) == [
        "net.yaml:4: layers[1].kernel: this key is required but missing: " + kernel,
        "net.yaml:6: layers[1].input: expected [channels, height, width], found the list [3, 8]",
        "net.yaml:8: layers[1].kernal: unknown key (did you mean 'kernel'?)",
        "net.yaml:14: layers[2].stride: expected an integer, found 'two'",
        "net.yaml:15: layers[2].padding: expected at least 0, found -1",
        "net.yaml:16: layers[2].dilation: expected at least 1, found [1, 0]",
        f"net.yaml:17: layers[3].op: expected one of {op}, found 'convv2d' (did you mean 'conv2d'?)",
        "net.yaml:18: layers[4].name: 'a' is already the name of layers[0]; layer names must be unique",
        "net.yaml:18: layers[4].op: this key is required but missing: it says what layers[4] is",
        "net.yaml:19: layers[5]: expected keys and values, found 7",
    ]


def test_the_kind_of_a_layer_under_the_key_of_another_tool(folder: Path) -> None:
    text = "name: n\nlayers:\n  - {name: a, type: linear, inputs: 4, outputs: 2}\n"
    assert problems(Network, write("net.yaml", text)) == [
        "net.yaml:3: layers[0].op: this key is required but missing: it says what layers[0] is (found 'type': did you mean 'op'?)"
    ]


def test_lines_of_anchors_and_merged_keys(folder: Path) -> None:
    text = """\
name: n
layers:
  - &first {name: a, op: linear, inputs: 4, outputs: none}
  - <<: *first
    name: b
    inputs: 0
"""
    assert problems(Network, write("net.yaml", text)) == [
        "net.yaml:3: layers[0].outputs: expected an integer, found 'none'",
        "net.yaml:3: layers[1].outputs: expected an integer, found 'none'",
        "net.yaml:6: layers[1].inputs: expected at least 1, found 0",
    ]


def test_a_document_that_contains_itself(folder: Path) -> None:
    found = problems(Network, write("net.yaml", "name: n\nlayers: &all [*all]\n"))
    assert found
    assert all(line.startswith("net.yaml:2: layers") for line in found)


def test_empty_list(folder: Path) -> None:
    assert problems(Network, write("net.yaml", "name: n\nlayers: []\n")) == [
        "net.yaml:2: layers: expected at least 1 entries, found 0"
    ]


def test_mapping_files_are_addressed_by_layer_name(folder: Path) -> None:
    text = """\
hardware: h
network: n
layers:
  conv.1:
    problem: {K: 4}
    tile: {X: 4, K: 0}
    order: N G K C R S P
"""
    order = "expected an order of all of N G K C R S P Q, found 'N G K C R S P' (missing: Q)"
    assert problems(MappingFile, write("m.yaml", text)) == [
        "m.yaml:6: layers.conv.1.tile.K: expected at least 1, found 0",
        "m.yaml:6: layers.conv.1.tile.X: unknown key (known keys: N, G, K, C, R, S, P, Q)",
        f"m.yaml:7: layers.conv.1.order: {order}",
    ]


# --- extending --------------------------------------------------------------------------------------------------------


def test_extends_merges_deeply_and_relative_to_the_file(folder: Path) -> None:
    Path("base").mkdir()
    write("base/a.yaml", "name: a\nmultipliers: 64\nreduction: {latency: 2, fifo_depth: 8}\n")
    write("base/b.yaml", "extends: a.yaml\nreduction:\n  latency: 3\n")
    write("c.yaml", "extends: base/b.yaml\nname: c\n")
    hardware = Hardware.load("c.yaml")
    assert (hardware.name, hardware.multipliers) == ("c", 64)
    assert (hardware.reduction.latency, hardware.reduction.fifo_depth) == (3, 8)


def test_extends_a_shipped_document_by_name(folder: Path) -> None:
    write("mine.yaml", "extends: maeri-128\nname: mine\n")
    assert Hardware.load("mine.yaml").multipliers == 128


def test_problems_are_reported_in_the_file_where_the_value_stands(folder: Path) -> None:
    write("base.yaml", "name: base\nmultipliers: 64\n\ndistribution:\n  bandwidth: 32\n  latncy: 1\n")
    write("top.yaml", "extends: base.yaml\nname: top\nmultipliers: 16\ndistribution:\n  latency: 0\n")
    most = "at most one per multiplier (use 16 or less)"
    assert problems(Hardware, "top.yaml") == [
        "top.yaml:5: distribution.latency: expected at least 1, found 0",
        f"base.yaml:5: distribution.bandwidth: 32 words a cycle for 16 multipliers: {most}",
        "base.yaml:6: distribution.latncy: unknown key (did you mean 'latency'?)",
    ]


def test_circular_extends(folder: Path) -> None:
    write("a.yaml", "name: a\nextends: b.yaml\n")
    write("b.yaml", "extends: a.yaml\n")
    write("self.yaml", "extends: ./self.yaml\n")
    assert problems(Hardware, "a.yaml") == [
        "b.yaml:1: extends: a file cannot extend itself: a.yaml -> b.yaml -> a.yaml"
    ]
    assert problems(Hardware, "self.yaml")[0].startswith("self.yaml:1: extends: a file cannot extend itself")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("[a, b]", "expected the name of a YAML file, found the list ['a', 'b']"),
        ("", "expected the name of a YAML file, found nothing"),
        ("gone.yaml", "gone.yaml: no such file, expected a hardware description"),
        ("maeri-46", "maeri-46: no such file or shipped hardware (did you mean"),
    ],
)
def test_extends_of_something_unusable(folder: Path, value: str, message: str) -> None:
    found = problems(Hardware, write("x.yaml", f"name: x\nextends: {value}\n"))
    assert len(found) == 1
    assert found[0].startswith(f"x.yaml:2: extends: {message}")


def test_only_hardware_can_be_extended(folder: Path) -> None:
    found = problems(Network, write("net.yaml", "extends: alexnet\nname: n\nlayers: []\n"))
    assert "net.yaml:1: extends: unknown key (known keys: name, description, layers)" in found


# --- finding ----------------------------------------------------------------------------------------------------------


def test_every_shipped_document_loads() -> None:
    assert shipped("hardware") == [
        "maeri",
        *(f"maeri-{size}" for size in (16, 32, "45nm", 64, 128, 256, "256-dram", 512)),
        "maeri_rtl",
        "stonne",
    ]
    for name in shipped("hardware"):
        assert Hardware.load(name).name == name
    for name in shipped("network"):
        assert Network.load(name).name == name


def test_a_bare_word_is_a_shipped_name_first_and_a_path_second(folder: Path) -> None:
    write("alexnet", "name: mine\nlayers: [{name: a, op: linear, inputs: 1, outputs: 1}]\n")
    write("mine", "name: mine\nlayers: [{name: a, op: linear, inputs: 1, outputs: 1}]\n")
    assert Network.load("alexnet").name == "alexnet"
    assert Network.load("./alexnet").name == "mine"
    assert Network.load("mine").name == "mine"


def test_locate_shows_paths_as_the_user_would_type_them(monkeypatch: pytest.MonkeyPatch) -> None:
    root = locate("network", "tiny").resolve().parents[2]
    monkeypatch.chdir(root)
    assert not locate("network", "tiny").is_absolute()
