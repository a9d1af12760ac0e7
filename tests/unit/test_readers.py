"""Files that are no document: each ends in one message with its place, whatever stands in it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maerisim import documents
from maerisim.documents import files, load
from maerisim.errors import DocumentError
from maerisim.hardware.hardware import Hardware
from maerisim.importers import mrna, scale_sim, stonne
from maerisim.mapping.constraints import ConstraintFile
from maerisim.mapping.document import MappingFile
from maerisim.sweeps.document import Sweep
from maerisim.workload.convolutions import Conv2d
from maerisim.workload.layers import Linear
from maerisim.workload.network import Network
from maerisim.workload.problem import Problem

READERS = {
    "hardware": lambda path: load(Hardware, path),
    "network": lambda path: load(Network, path),
    "mapping": lambda path: load(MappingFile, path),
    "sweep": lambda path: load(Sweep, path),
    "constraints": lambda path: ConstraintFile.load(path, NETWORK),
    "mrna": lambda path: mrna.read([path]),
    "scale-sim": lambda path: scale_sim.read([path]),
    "stonne": lambda path: stonne.read([path]),
}
NETWORK = Network([Linear(inputs=8, outputs=8, name="all")], name="n")
OF_YAML = [name for name in READERS if name not in ("mrna", "scale-sim", "stonne")]
THOUSANDS = "9" * 5000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def problems(reader: str, path: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        READERS[reader](path)
    assert all(len(problem) < 1000 for problem in caught.value.problems)
    return caught.value.problems


# --- what is no file of text ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", READERS)
def test_what_stands_in_place_of_a_file(reader: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PATIENCE_SECONDS", 0.01)
    Path("directory").mkdir()
    os.mkfifo("pipe")
    Path("circle").symlink_to("circle")
    Path("large").write_bytes(b"# words\n" * (files.LARGEST // 8 + 1))
    Path("binary").write_bytes(bytes(range(256)))
    for path, expected in {
        "./directory": "is a directory",
        "./pipe": "nothing came out of this pipe for 0.01 s",
        "/dev/zero": "is a device",
        "./circle": "cannot be reached: ",
        "./large": "has more than 16 MiB",
        "./binary": "is not a text file (UTF-8)",
        "./gone": "no such file",
        "./gone\0": "no such file",
        "./large/below": "no such file",
        "x" * 5000: "cannot be reached: File name too long",
        "~nobody-of-this-name/x.yaml": "no such file",
    }.items():
        found = problems(reader, path)
        assert len(found) == 1
        assert expected in found[0]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(folder: Path) -> None:
    Path("x.yaml").touch(mode=0)
    assert problems("network", "x.yaml") == ["x.yaml: cannot be read: Permission denied"]


def test_a_document_may_come_through_a_pipe(folder: Path) -> None:
    os.mkfifo("pipe")
    text = "name: n\nlayers: [{name: a, op: linear, inputs: 4, outputs: 4}]\n" + "# words\n" * 50_000
    writer = threading.Thread(target=lambda: Path("pipe").write_text(text))
    writer.start()
    assert load(Network, "./pipe").name == "n"
    writer.join()


# --- YAML that no document holds --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: !!bool maybe", "a: expected true or false behind !!bool, found 'maybe'"),
        ("a: !!float ''", "a: expected a number behind !!float, found ''"),
        ("a: !!float 0x10.2", "a: expected a number behind !!float, found '0x10.2'"),
        ("a: !!int 08", "a: expected an integer behind !!int, found '08'"),
        ("a: !!null something", "a: expected nothing behind !!null, found 'something'"),
        ("a: !!timestamp foo", "a: a document holds nothing tagged !!timestamp; leave the tag out"),
        ("a: 2020-13-45", "a: expected a text or a number, found the date 2020-13-45 (put it in quotes)"),
        ("a: <<", "a: expected a text or a number, found the sign << (put it in quotes)"),
        ("a: !!binary aGk=", "a: a document holds nothing tagged !!binary; leave the tag out"),
        ("a: !!binary '\\'", "a: a document holds nothing tagged !!binary; leave the tag out"),
        ("a: !!set {b}", "a: a document holds nothing tagged !!set; leave the tag out"),
        ("a: !!omap [b: 1]", "a: a document holds nothing tagged !!omap; leave the tag out"),
        ("a: !!str [b]", "a: a document holds nothing tagged !!str; leave the tag out"),
        ("a: !!map [b]", "a: a document holds nothing tagged !!map; leave the tag out"),
        ("a: !!python/object:os.system x", "a: a document holds nothing tagged !!python/object:os.system; leave the tag out"),
        ("a: !own x", "a: a document holds nothing tagged !own; leave the tag out"),
        ("!!str [1]: 2", "expected a text as key, found a collection (put it in quotes)"),
        ("[1]: 2", "expected a text as key, found a collection (put it in quotes)"),
        ("{b: 1}: 2", "expected a text as key, found a collection (put it in quotes)"),
        ("!!binary aGk=: 2", "expected a text as key, found aGk= (put it in quotes)"),
        (f"a: {THOUSANDS}", "a: expected a number of at most 40 digits, found 5,000"),
        (f"a: -{THOUSANDS}", "a: expected a number of at most 40 digits, found 5,001"),
        (f"a: 0x{'f' * 5000}", "a: expected a number of at most 40 digits, found 5,002"),
        (f"a: !!float {THOUSANDS}", "a: expected a number of at most 40 digits, found 5,000"),
        ("a: &b [*b]", "a[0]: a value cannot contain itself"),
        ("a: &b {<<: *b}", "a: a value cannot contain itself"),
        ("a: \x1b[31m", 'not valid YAML: a control character (write it as "\\u001b", in double quotes)'),
    ],
)  # fmt: skip
@pytest.mark.parametrize("reader", OF_YAML)
def test_values_that_no_document_holds(reader: str, folder: Path, text: str, expected: str) -> None:
    Path("x.yaml").write_text(f"# one\n\n{text}\n")
    assert problems(reader, "x.yaml") == [f"x.yaml:3: {expected}"]


@pytest.mark.parametrize("reader", OF_YAML)
@pytest.mark.parametrize(
    "content", ["9" * 5000, ":".join(["1", *["59"] * 5000]), "1e" + "9" * 5000, "[" + "1, " * 5000 + "1]", "x" * 5000]
)
def test_long_values_stay_out_of_messages(reader: str, folder: Path, content: str) -> None:
    for text in (f"name: {content}\n", f"layers: {content}\n", f"{content}: 1\n", f"name:\n  {content}: 1\n"):
        Path("x.yaml").write_text(text)
        assert all(line.startswith("x.yaml:") for line in problems(reader, "x.yaml"))


@pytest.mark.parametrize("reader", OF_YAML)
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("[*a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}]", "more than 200,000 keys and values"),
        ("{{<<: [*a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}]}}", "more than 200,000 keys and values"),
        ("[*a{0}]", "nested more than 32 levels deep"),
    ],
)
def test_aliases_of_aliases(reader: str, folder: Path, line: str, expected: str) -> None:
    lines = [f"a{level + 1}: &a{level + 1} {line.format(level)}" for level in range(500)]
    Path("x.yaml").write_text("\n".join(["a0: &a0 {b: 1}", *lines]))
    (found,) = problems(reader, "x.yaml")
    assert found.startswith("x.yaml:")
    assert expected in found


@pytest.mark.parametrize("reader", OF_YAML)
def test_more_values_than_any_document_has(reader: str, folder: Path) -> None:
    Path("x.yaml").write_text("name:\n" + "- a\n" * 300_000)
    assert problems(reader, "x.yaml") == ["x.yaml:199999: has more than 200,000 keys and values up to here"]


def test_many_problems_take_no_longer_than_the_document(folder: Path) -> None:
    Path("x.yaml").write_text("name: n\n" + "".join(f"key{number}: 1\n" for number in range(20_000)))
    assert len(problems("hardware", "x.yaml")) == documents.complaints.MOST_COMPLAINTS


def test_integers_of_thousands_of_digits_given_in_python() -> None:
    huge = 10**5000
    for sizes in ({"inputs": huge}, {"inputs": -huge}, {"inputs": [huge]}, {"inputs": 1, "count": {"a": huge}}):
        with pytest.raises(DocumentError):
            Linear(outputs=1, **sizes)
    for sizes in ({"kernel": -huge}, {"kernel": (huge, 1)}, {"input": (huge, 1, 1)}, {"input": (-huge, 1, 1)}):
        with pytest.raises(DocumentError):
            Conv2d(**{"input": (1, 1, 1), "filters": 1, "kernel": 1, **sizes})
    with pytest.raises(DocumentError, match="found an integer of more than 60 digits"):
        Problem(K=-huge)


def test_times_and_signs_are_texts(folder: Path) -> None:
    Path("x.yaml").write_text("name: 1:30\ndescription: =\nlayers: [{name: 08, op: linear, inputs: 4, outputs: 4}]\n")
    network = load(Network, "x.yaml")
    assert (network.name, network.description, network.layers[0].name) == ("1:30", "=", "08")


def test_a_file_that_extends_thousands(folder: Path) -> None:
    for number in range(2000):
        Path(f"{number}.yaml").write_text(f"extends: {number + 1}.yaml\n")
    Path("2000.yaml").write_text("name: base\nmultipliers: 8\n")
    assert load(Hardware, "0.yaml").name == "base"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("x" * 5000, "cannot be reached: File name too long"),
        ('"a\\0b"', "no such file"),
        ("~nobody-of-this-name", "no such file"),
        ("'..'", "is a directory"),
        ("/dev/zero", "is a device"),
    ],
)
def test_extends_of_what_is_no_file(folder: Path, value: str, expected: str) -> None:
    Path("x.yaml").write_text(f"name: n\nextends: {value}\n")
    (found,) = problems("hardware", "x.yaml")
    assert expected in found


# --- the files of other tools -----------------------------------------------------------------------------------------

MRNA = "Layer_Type = FC\nLayer_Number = 1\ninput_x = 4\noutput_x = 4\n"
SCALE_SIM = "Layer, M, N, K, Sparsity\na, 1, 2, 3, 1:1\n"


@pytest.mark.parametrize("number", [THOUSANDS, f"-{THOUSANDS}", "9" * 41, "1e999", "²"])
def test_numbers_of_other_tools(folder: Path, number: str) -> None:
    Path("a.txt").write_text(MRNA.replace("input_x = 4", f"input_x = {number}"))
    Path("a.csv").write_text(SCALE_SIM.replace("2", number))
    (found,) = problems("mrna", "a.txt")
    assert found.startswith("a.txt:3: input_x: expected a whole number from 1, found '")
    (found,) = problems("scale-sim", "a.csv")
    assert found.startswith("a.csv:2: N: expected a whole number from 1, found '")


def test_names_and_ratios_of_other_tools_may_be_long(folder: Path) -> None:
    Path("a.txt").write_text(MRNA.replace("Layer_Number = 1", f"Layer_Number = {THOUSANDS}"))
    network = mrna.read(["a.txt"]).network
    assert network is not None
    assert network.layers[0].name == f"fc{THOUSANDS}"
    Path("a.csv").write_text(SCALE_SIM.replace("1:1", f"1:{THOUSANDS}"))
    assert scale_sim.read(["a.csv"]).layers[0].name == "a"
    Path("b.txt").write_text(f"{'x' * 5000} = 1\n{'y' * 5000}\nLayer_Type = {'z' * 5000}\n")
    assert len(problems("mrna", "b.txt")) == 3


def test_many_rows_of_one_name_get_numbers_at_once(folder: Path) -> None:
    Path("a.csv").write_text(SCALE_SIM + "a, 1, 2, 3, 1:1\n" * 20_000)
    assert scale_sim.read(["a.csv"]).layers[-1].name == "a_20001"


# --- random ones ------------------------------------------------------------------------------------------------------

pieces = st.one_of(
    st.sampled_from(
        [
            *(
                "name",
                "layers",
                "extends",
                "all",
                "op",
                ": ",
                "- ",
                "\n",
                "\n  ",
                "{",
                "}",
                "[",
                "]",
                ", ",
                "'",
                '"',
                "? ",
            ),
            *(
                "&a ",
                "*a",
                "<<",
                "!!int ",
                "!!str ",
                "!!binary ",
                "!!set ",
                "!x ",
                "|\n",
                ">-\n",
                "#",
                "%",
                "---",
                "\t",
            ),
            *(
                "1e5",
                "0x",
                "0b_",
                "1:30",
                "2020-01-01",
                "=",
                "~",
                ".nan",
                "-.inf",
                "_",
                "yes",
                "\\u0000",
                "\x85",
                "\u2028",
            ),
        ]
    ),
    st.text(max_size=3),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.lists(pieces, max_size=25).map("".join), reader=st.sampled_from(list(READERS)))
def test_anything_is_read_or_refused(folder: Path, text: str, reader: str) -> None:
    Path("x.yaml").write_text(text, encoding="utf-8", errors="ignore", newline="")
    try:
        READERS[reader]("x.yaml")
    except DocumentError as error:
        assert all(line.startswith(("x.yaml", "none of 1 files")) for line in error.problems)  # noqa: PT017


# --- writing what is read ---------------------------------------------------------------------------------------------

characters = st.characters(exclude_categories=["Cs"])
names = st.one_of(
    st.text(characters, min_size=1),
    st.text(characters, min_size=900, max_size=1000),
    st.text(st.sampled_from("\x00\x07\x1b\r\n\t\x85\xa0\u2028\u202e\ufeff\ufffe'\"\\#:-?![]{}&*%@`~=, 01ex_.")),
    pieces.filter(bool),
)


@settings(max_examples=5000, deadline=None)
@given(name=names)
def test_every_text_is_read_as_it_was_written(name: str) -> None:
    written = documents.scalar(name)
    text = f"{documents.key(name)} {{a: {written}, b: [{written}]}}\n"
    assert written.isprintable()
    expected = {name: {"a": name, "b": [name]}}
    assert yaml.load(text, documents.nodes.Loader) == expected
    assert yaml.safe_load(text) == expected  # as other programs read it


def test_what_others_chose_is_cut_in_messages(folder: Path) -> None:
    """Found by ``benchmarks/fuzz.py``."""
    long = "x" * 3000
    Path("s.yaml").write_text(
        f"name: s\nhardware: maeri-16\nnetworks: [tiny, {long}]\nlayers: {{alexnet: [conv1]}}\ngrid: {{multipliers: [16]}}\n"
    )
    assert problems("sweep", "s.yaml")
    Path("m.txt").write_text(f"{long} {{\n  spm_eng = 1\n")
    assert problems("mrna", "m.txt")
