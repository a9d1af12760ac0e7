"""STONNE's configurations, tile files and command lines: what they become, and what has no counterpart."""

from __future__ import annotations

import shlex
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maerisim import documents
from maerisim.errors import DocumentError
from maerisim.hardware.hardware import Hardware
from maerisim.importers.stonne import ImportedStonne, read
from maerisim.mapping.document import load_mappings
from maerisim.ways.way import simulate
from maerisim.workload.network import Network

CONFIGURATION = """\
[MSNetwork]
ms_size=128
[ReduceNetwork]
type="ASNETWORK"
accumulation_buffer_enabled=1
[SDMemory]
dn_bw=64
rn_bw=32   # results a cycle
controller_type="MAERI_DENSE_WORKLOAD"
"""
TILE = "tile_type=\"CONV\"\nT_R=3\nT_S=3\nT_C=1\nT_G=1\nT_K=2\nT_N=1\nT_X'=2\nT_Y'=1\n"
FC_TILE = 'tile_type="FC"\nT_R=1\nT_S=4\nT_C=1\nT_G=1\nT_K=2\nT_N=3\n'
LAYER = "-CONV -R=3 -S=3 -C=6 -G=2 -K=4 -N=1 -X=12 -Y=10 -strides=1 -layer_name=first"
OWN_TILE = "-T_R=3 -T_S=3 -T_C=1 -T_G=1 -T_K=1 -T_N=1 -T_X_=3 -T_Y_=1"
SIZE = "-num_ms={} -dn_bw={} -rn_bw={} -accumulation_buffer=1"
KINDS = '-rn_type="ASNETWORK" -mem_ctrl=MAERI_DENSE_WORKLOAD -mn_type=LINEAR'
PRODUCT = "-FC -M=20 -N=10 -K=64 -T_K=16 -T_M=2 -T_N=1"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("maeri.cfg").write_text(CONFIGURATION)
    Path("tile.txt").write_text(TILE)
    Path("fc.txt").write_text(FC_TILE)
    return tmp_path


def hardware_of(imported: ImportedStonne) -> Hardware:
    return documents.validate(Hardware, Hardware.load("stonne").model_dump() | {"name": "x"}, "x").with_overrides(
        imported.hardware
    )


def cycles(command: str) -> dict[str, int]:
    """Cycles of the layers of a command line, by way of the three documents."""
    imported = read([], shlex.split(command))
    assert imported.network is not None
    for name, text in (
        ("hw", imported.hardware_yaml("hw")),
        ("net", imported.network.to_yaml()),
        ("map", imported.mapping_yaml("hw")),
    ):
        Path(f"{name}.yaml").write_text(text)
    hardware, network, mappings = Hardware.load("hw.yaml"), Network.load("net.yaml"), load_mappings("map.yaml")
    taken = {}
    for layer in network.layers:
        (stage,) = layer.stages
        mapping = mappings.mapping_for(layer.name, stage.problem)
        taken[layer.name] = simulate(stage.problem, mapping, hardware).cycles
    return taken


@pytest.mark.parametrize(
    ("command", "measured"),
    [
        # Cycles that STONNE took.
        (f"-CONV -R=1 -S=1 -C=3 -G=1 -K=42 -N=1 -X=6 -Y=5 -T_C=3 -T_K=21 -T_S=1 {SIZE.format(64, 64, 64)}", 136),
        (f"-CONV -R=1 -S=1 -C=8 -K=32 -X=7 -Y=7 -T_C=4 -T_K=32 -T_S=1 {SIZE.format(128, 32, 32)}", 411),
        (f"-FC -M=1 -N=64 -K=256 -T_M=1 -T_N=8 -T_K=8 {SIZE.format(64, 16, 16)}", 2128),
        (f"-DenseGEMM -M=1 -N=64 -K=256 -T_N=8 -T_K=8 {SIZE.format(64, 16, 16)} {KINDS} -print_stats=0", 2128),
    ],
)
def test_a_command_line_takes_the_cycles_that_stonne_took(folder: Path, command: str, measured: int) -> None:
    assert cycles(command) == {"TestLayer": measured}


def test_a_configuration_is_hardware(folder: Path) -> None:
    imported = read(["maeri.cfg"])
    assert (imported.network, imported.says_hardware) == (None, True)
    Path("wide.yaml").write_text(imported.hardware_yaml("wide"))
    hardware = Hardware.load("wide.yaml")
    assert (hardware.name, hardware.multipliers, hardware.ports, hardware.buses) == ("wide", 128, 64, 32)
    assert hardware.accumulation_words > 0
    assert hardware.distribution.latency == 2
    stonne = Hardware.load("stonne")
    assert (hardware.controller, hardware.reduction) == (stonne.controller, stonne.reduction)


def test_without_an_accumulation_buffer_and_with_a_port_per_multiplier(folder: Path) -> None:
    Path("x.cfg").write_text("[MSNetwork]\nms_size=64\n[SDMemory]\ndn_bw=64\nrn_bw=64\n")
    imported = read(["x.cfg"])
    assert imported.hardware["accumulation.words"] == imported.hardware["accumulation.latency"] == 0
    assert imported.hardware["distribution.latency"] == 1
    assert imported.notes == ("hardware: not given, and so as in STONNE: accumulation_buffer 0",)


def test_a_layer_and_its_tile_from_files_and_options(folder: Path) -> None:
    from_file = read(["maeri.cfg", "tile.txt"], shlex.split(LAYER))
    assert from_file.network is not None
    (layer,) = yaml.safe_load(from_file.network.to_yaml())["layers"]
    assert layer == {"name": "first", "op": "conv2d", "input": [6, 12, 10], "filters": 4, "kernel": 3, "groups": 2}
    mapping = yaml.safe_load(from_file.mapping_yaml("hw"))["layers"]["first"]
    assert mapping["tile"] == {"K": 2, "R": 3, "S": 3, "P": 2}
    assert mapping["problem"] == {"N": 1, "G": 2, "K": 2, "C": 3, "R": 3, "S": 3, "P": 10, "Q": 8}
    assert (mapping["order"], mapping["placement"]) == ("N G K P Q C R S", "N G K P Q")
    own = read(["maeri.cfg"], shlex.split(f"{LAYER} {OWN_TILE}"))
    assert yaml.safe_load(own.mapping_yaml("hw"))["layers"]["first"]["tile"] == {"R": 3, "S": 3, "P": 3}


def test_options_of_the_command_line_go_before_a_configuration(folder: Path) -> None:
    imported = read(["maeri.cfg"], shlex.split(f"{LAYER} {OWN_TILE} -num_ms=256 -accumulation_buffer=0"))
    assert imported.hardware["multipliers"] == 256
    assert imported.hardware["distribution.bandwidth"] == 64
    assert imported.hardware["accumulation.words"] == 0


def test_a_script_of_command_lines_is_a_network(folder: Path) -> None:
    Path("run.sh").write_text(
        f"#!/bin/sh\n# two layers\n./stonne {LAYER} \\\n  {OWN_TILE} > first.log\necho\n"
        f"OUTPUT_DIR=out ../stonne {PRODUCT} -num_ms=64 2>&1; true\nstonne -CONV -R=1 -S=1 -C=2 -K=2 -X=3 -Y=3\n"
    )
    imported = read(["run.sh", "tile.txt"])
    assert imported.network is not None
    layers = yaml.safe_load(imported.network.to_yaml())["layers"]
    assert [layer["name"] for layer in layers] == ["first", "TestLayer", "TestLayer_2"]
    assert layers[1] == {"name": "TestLayer", "op": "conv2d", "input": [1, 20, 64], "filters": 10, "kernel": [1, 64]}
    tiles = {name: mapping.T for name, (mapping, _) in imported.mappings.items()}
    assert {d: size for d, size in tiles["TestLayer"].items() if size > 1} == {"S": 16, "P": 2}
    assert {d: size for d, size in tiles["TestLayer_2"].items() if size > 1} == {"K": 2, "R": 3, "S": 3, "P": 2}
    assert imported.mappings["first"][1].line == 3
    assert any("run.sh:7: 'TestLayer' is already the layer of run.sh:6" in note for note in imported.network.notes)


def test_the_tile_of_a_fully_connected_layer_is_taken_as_stonne_takes_it(folder: Path) -> None:
    imported = read(["fc.txt"], shlex.split("-FC -M=6 -N=4 -K=8"))
    (mapping, source) = imported.mappings["TestLayer"]
    assert {d: size for d, size in mapping.T.items() if size > 1} == {"S": 4, "K": 2, "P": 3}
    assert str(source) == "fc.txt:1"


def test_what_is_not_given_is_as_in_stonne_and_said(folder: Path) -> None:
    imported = read([], shlex.split("-CONV -R=1 -C=2 -K=2 -X=3 -T_R=1"))
    assert imported.network is not None
    (layer,) = yaml.safe_load(imported.network.to_yaml())["layers"]
    assert (layer["kernel"], layer["input"]) == ([1, 3], [2, 3, 3])
    assert imported.mappings["TestLayer"][0].T["S"] == 3
    assert imported.notes == (
        "command line:1: not given, and so as in STONNE: S 3, Y 3",
        "command line:1: not given, and so as in STONNE: T_S 3, T_K 1, T_X_ 1, T_Y_ 1",
    )
    without = read([], shlex.split(LAYER))
    assert "without a tile, and so without a mapping: first" in without.notes
    with pytest.raises(DocumentError, match="there is no tile"):
        without.mapping_yaml("hw")


def test_what_has_no_effect_is_noted(folder: Path) -> None:
    Path("x.cfg").write_text(f"print_stats_enabled=1\n{CONFIGURATION}[MSwitch]\nlatency=4\n")
    Path("t.txt").write_text('tile_type="CONV"\ngenerate_tile="performance"\n')
    imported = read(["x.cfg", "t.txt"], shlex.split(f"{LAYER} -generate_tile=energy"))
    assert imported.notes == (
        "x.cfg:12: MSwitch.latency is not taken: STONNE reads it, and never uses it",
        "t.txt:2: generate_tile is not taken: maerisim map finds a mapping",
        "command line:1: -generate_tile is not taken: maerisim map finds a mapping",
        "without a tile, and so without a mapping: first",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '[SDMemory]\ncontroller_type="SIGMA_SPARSE_GEMM"\n',
            "x:2: mem_ctrl: SIGMA_SPARSE_GEMM, SIGMA's controller of sparse products, has no counterpart here; the stonne",
        ),
        ('[SDMemory]\ncontroller_type="TPU_OS_DENSE"\n', "x:2: mem_ctrl: TPU_OS_DENSE, a TPU's controller, has no"),
        ('[MSNetwork]\ntype="OS_MESH"\n', "x:2: mn_type: OS_MESH, the mesh of a TPU, has no counterpart here"),
        (
            '[ReduceNetwork]\ntype="FENETWORK"\n',
            "x:2: rn_type: FENETWORK, STONNE's forwarding reduction network, has no",
        ),
        ('[ReduceNetwork]\ntype="TEMPORALRN"\n', "x:2: rn_type: TEMPORALRN, the accumulators of a TPU, has no"),
        ('[ReduceNetwork]\ntype="TREE"\n', "x:2: rn_type: 'TREE' is none of STONNE's; the stonne profile is ASNETWORK"),
        ("[MSNetwork]\nms_sise=64\n", "x:2: MSNetwork.ms_sise: unknown key (did you mean 'MSNetwork.ms_size'"),
        ("[MSNetwork]\nms_size=many\n", "x:2: num_ms: expected a whole number from 1, found 'many'"),
        ("[MSNetwork]\nms_size\n", "x:2: expected 'name = value' or '[Section]', found 'ms_size'"),
        ("[MSNetwork]\nms_size=64\nms_size=32\n", "x:3: MSNetwork.ms_size: already at x:2"),
        ("[ReduceNetwork]\naccumulation_buffer_enabled=2\n", "x:2: accumulation_buffer: expected 0 or 1, found '2'"),
        ("T_R=3\nT_Q=1\n", "x:2: T_Q: unknown key"),
        ("T_R=3\n", "x:1: a tile without a layer: add its command line (-CONV -R=3 ...)"),
        ("tile_type=POOL\n", "x:1: tile_type: expected CONV or FC, found 'POOL'"),
        ("stonne -SparseGEMM -M=2\n", "x:1: -SparseGEMM: SIGMA's sparse products have no counterpart here"),
        ("stonne -CONV -T_X=3\n", "x:1: -T_X: -CONV has no such option (did you mean '-T_X_'"),
        ("stonne -FC -R=3\n", "x:1: -R: -FC has no such option"),
        ("stonne -CONV R=3\n", "x:1: expected an option such as -R=3, found 'R=3'"),
        ("stonne -CONV -R=3 -R=3\n", "x:1: -R: already at x:1"),
        ("stonne -CONV -R=0\n", "x:1: R: expected a whole number from 1, found '0'"),
        ("stonne -CONV -layer_name='a\n", "x:1: a quotation is not closed"),
        (
            "stonne -CONV -num_ms=64\nstonne -CONV -num_ms=32\n",
            "x:2: -num_ms=32, but 64 at x:1: layers of one network run on one hardware",
        ),
        ("name = value\n", "x: expected a file of STONNE"),
    ],
)
def test_what_cannot_be_taken_is_explained(folder: Path, text: str, expected: str) -> None:
    Path("x").write_text(text)
    with pytest.raises(DocumentError) as caught:
        read(["x"])
    assert any(problem.startswith(expected) for problem in caught.value.problems), caught.value.problems


@pytest.mark.parametrize(
    ("files", "command", "expected"),
    [
        (["tile.txt", "fc.txt"], LAYER, "fc.txt:1: 2 tile files for 1 layers without a tile, expected one for all"),
        (["fc.txt"], LAYER, "fc.txt:1: tile_type: FC, but -CONV needs one of CONV"),
        (["half.txt"], LAYER, "half.txt:1: T_S, T_C, T_G, T_K, T_N, T_X_, T_Y_: missing from the tile"),
    ],
)
def test_tiles_that_do_not_belong_to_a_layer(folder: Path, files: list[str], command: str, expected: str) -> None:
    Path("half.txt").write_text("T_R=3\n")
    with pytest.raises(DocumentError) as caught:
        read(files, shlex.split(command))
    assert caught.value.problems[0].startswith(expected)


def test_a_tile_or_layer_that_does_not_run_is_explained_with_its_line(folder: Path) -> None:
    large = read(["maeri.cfg"], shlex.split(f"{LAYER} -T_K=2 -T_R=3 -T_S=3 -T_C=3 -T_X_=9"))
    with pytest.raises(DocumentError, match="command line:1: first: 18 virtual neurons of 27 need 486 multipliers"):
        large.mapping_yaml("hw")
    uneven = read([], shlex.split("-CONV -R=1 -S=1 -C=3 -G=2 -K=4 -X=2 -Y=2"))
    assert uneven.network is not None
    with pytest.raises(DocumentError, match=r"command line:1: .*2 groups do not divide the 3 input channels"):
        uneven.network.to_yaml()
    odd = read([], shlex.split("-CONV -R=1 -S=1 -X=2 -Y=2 -num_ms=48"))
    with pytest.raises(DocumentError, match="STONNE's hardware: multipliers: expected a power of two"):
        odd.hardware_yaml("hw")


LINES = st.sampled_from(
    [*CONFIGURATION.splitlines(), *TILE.splitlines(), LAYER, PRODUCT, "stonne -CONV -R=", "[", "T_R='", "-CONV '", "\\"]
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(LINES | st.text(max_size=20), max_size=8))
def test_whatever_stands_in_a_file_ends_in_documents_or_in_problems(folder: Path, lines: list[str]) -> None:
    Path("x").write_text("\n".join(lines), encoding="utf-8", errors="replace")
    with suppress(DocumentError):
        imported = read(["x"])
        if imported.network is not None:
            imported.network.to_yaml()
        if imported.mappings:
            imported.mapping_yaml("hw")
