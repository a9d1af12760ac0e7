"""The files of the RTL: written as its testbench reads them, and read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from maerisim.errors import DocumentError, NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.mapping import Mapping
from maerisim.rtl import memory
from maerisim.rtl.configure import configure
from maerisim.rtl.layer import prepare
from maerisim.rtl.memory import Files, LayerInfo
from maerisim.rtl.tokens import push
from maerisim.rtl.words import explain, mode_counts
from maerisim.workload.problem import Problem

CONV = Problem(K=16, C=16, R=3, S=3, P=3, Q=3)


def hardware(multipliers: int = 32, ports: int = 4, buses: int = 4) -> Hardware:
    sizes = {"distribution": {"bandwidth": ports}, "collection": {"bandwidth": buses}}
    return Hardware.model_validate({"name": f"rtl-{multipliers}", "multipliers": multipliers, **sizes})


def test_nine_by_three_on_thirty_two_is_the_image_that_ran() -> None:
    """The words of the shipped configuration for this case, which sums right."""
    words = [f"{word:08X}" for word in memory.switch_words(configure(32, 9, 3))]
    assert words == ["A0D0A0A8", "A0A0D0A0", "0040A0A0", "40486600", "00000000"]


def test_layer_words_by_hand() -> None:
    """16 output and input channels, 3 x 3, an input of 5 x 5, three virtual neurons of nine on 32."""
    layer = LayerInfo(K=16, C=16, R=3, S=3, Y=5, X=5, multipliers=32, vn_count=3, vn_size=9)
    assert [f"{word:08X}" for word in memory.layer_words(layer)] == [
        *("00100003", "00010005"),  # K: tiles of 3, the last of 1 after 5 whole ones
        *("00100001", "00000010"),
        *("00030003", "00000001", "00030003", "00000001"),
        *("00050001", "00000003", "00050001", "00000003"),  # Y, X: three output rows and columns
        *("00200003", "00000009"),
    ]
    assert layer.outputs == 16 * 16 * 3 * 3


@pytest.mark.parametrize("multipliers", [16, 32, 64, 128, 256])
def test_files_are_read_back_as_written(tmp_path: Path, multipliers: int) -> None:
    for size in (2, 3, 5, 8, 9, 14, 15):
        problem = Problem(K=20, C=2, R=1, S=size, P=4, Q=6)
        files = prepare(problem, hardware(multipliers))
        written = memory.write(tmp_path / str(size), files)
        assert memory.read(tmp_path / str(size)) == files
        assert list(written) == ["Layer_Info.vmh", "Tile_Info.vmh", "RN_Config.vmh"]
        for name, start in zip(written, ("@00", "@00", "@000"), strict=True):
            lines = (tmp_path / str(size) / name).read_text().split("\n")
            assert (lines[0], lines[-1], len(lines) - 2) == (start, "", written[name])
        assert not push(files.configuration, files.layer.vn_size, files.layer.vn_count).problems


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"Layer_Info\.vmh: no such file, expected a memory image"):
        memory.read(tmp_path)
    memory.write(tmp_path, prepare(CONV, hardware()))
    layer, switches = tmp_path / "Layer_Info.vmh", tmp_path / "RN_Config.vmh"
    switches.write_text(switches.read_text() + "00000000\n")
    with pytest.raises(DocumentError, match=r"expected 5 words for the 11 double and 9 single switches .* found 6"):
        memory.read(tmp_path)
    switches.write_text("000\nA0\n")
    with pytest.raises(DocumentError) as error:
        memory.read(tmp_path)
    assert len(error.value.problems) == 2
    good = layer.read_text()
    layer.write_text(good.replace("00200003", "00210003"))
    with pytest.raises(DocumentError, match=r"Layer_Info\.vmh:14: expected a power of two from 16 .* found 33"):
        memory.read(tmp_path)
    layer.write_text("@00\n00000001\n")
    with pytest.raises(DocumentError, match="expected 14 words, found 1"):
        memory.read(tmp_path)


def test_the_largest_number_that_works_is_chosen() -> None:
    assert prepare(CONV, hardware(64)).layer.vn_count == 3
    assert prepare(Problem(K=2, C=1, R=3, S=3, P=3, Q=3), hardware(64)).layer.vn_count == 2
    assert prepare(CONV, hardware(64), vn_count=1).layer.vn_count == 1


def test_input_channels_in_a_virtual_neuron_are_filter_rows() -> None:
    """As the reference cases: 3 channels of 3 x 3 are 9 rows of 3, and the input grows to keep the output rows."""
    problem = Problem(K=8, C=6, R=3, S=3, P=10, Q=10)
    layer = prepare(problem, hardware(32), Mapping.of({"K": 1, "C": 3, "R": 3, "S": 3})).layer
    assert (layer.sizes, layer.vn_size, layer.vn_count) == ((8, 2, 9, 3, 18, 12), 27, 1)
    problem = Problem(K=16, C=16, P=14, Q=14)
    layer = prepare(problem, hardware(32), Mapping.of({"K": 4, "C": 8})).layer
    assert (layer.sizes, layer.vn_size, layer.vn_count) == ((16, 2, 8, 1, 21, 14), 8, 4)
    layer = prepare(problem, hardware(32)).layer
    assert layer.R == layer.vn_size >= 2
    assert layer.C * layer.R == 16
    asked = prepare(problem, hardware(32), vn_count=7).layer
    assert (asked.vn_count, asked.vn_size) == (7, 4)


def test_padding_is_part_of_the_input() -> None:
    layer = prepare(Problem(K=4, C=2, R=3, S=3, P=8, Q=8, padding=(1, 1)), hardware()).layer
    assert (layer.Y, layer.X) == (10, 10)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"stride": (2, 1)}, "stride 2 x 1"),
        ({"dilation": (2, 2)}, "dilation 2"),
        ({"G": 4}, "4 groups"),
        ({"N": 2}, "a batch of 2"),
        ({"Q": 1}, r"as wide as the filter \(X = S = 3\)"),
        ({"R": 6, "S": 6}, "virtual neuron of 36 is larger than the array of 32"),
        ({"R": 1, "S": 1, "C": 37}, "no number from 2 to 32 divides the 37"),
        ({"R": 1, "S": 1, "C": 1}, "no number from 2 to 32 divides the 1 "),
        ({"P": 70_000}, "70,002 exceed the 16 bits"),
    ],
)
def test_layers_that_the_rtl_cannot_run(changes: dict[str, object], reason: str) -> None:
    sizes = {"K": 16, "C": 16, "R": 3, "S": 3, "P": 3, "Q": 3} | changes
    with pytest.raises(NotSupportedError, match=reason):
        prepare(Problem(**sizes), hardware())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tile", "reason"),
    [
        ({"C": 3, "R": 3, "S": 3}, "a partial one of the 16 input channels"),
        ({"R": 2, "S": 3}, "a tile of 2 in R, a virtual neuron holds all 3"),
        ({"R": 3, "S": 3, "P": 3}, "a tile of 3 in P, it lays out virtual neurons along K only"),
        ({"R": 3, "S": 3, "K": 17}, "a tile of 17 in K, more than the 16"),
        ({"R": 3, "S": 3, "K": 4}, r"there is room for 3; the largest number that works is 3"),
    ],
)
def test_mappings_that_the_rtl_cannot_run(tile: dict[str, int], reason: str) -> None:
    with pytest.raises(NotSupportedError, match=reason):
        prepare(CONV, hardware(), Mapping.of(tile))


def test_hardware_that_the_rtl_cannot_be() -> None:
    with pytest.raises(NotSupportedError, match="distribution bandwidth of 32"):
        prepare(CONV, hardware(ports=32))
    with pytest.raises(NotSupportedError, match="16 to 2048 multipliers, not 8"):
        prepare(CONV, hardware(8))
    with pytest.raises(NotSupportedError, match="17 virtual neurons, one per output channel"):
        prepare(CONV, hardware(256), vn_count=17)


def test_every_switch_is_explained_once() -> None:
    files = Files(LayerInfo(16, 16, 3, 3, 5, 5, 32, 3, 9), configure(32, 9, 3))
    lines = explain(files, buses=4)
    assert lines[0] == "level 4 (next to the multipliers)"
    assert "  double 5: left adds LL, LR and RL of virtual neuron 0; right passes RR of virtual neuron 1" in lines
    assert "  single 3: adds both inputs of virtual neuron 0 (multipliers 0-8), result at port 6 of bus 3" in lines
    assert sum("result at port" in line for line in lines) == 3
    assert lines[-2:] == ["level 0 (the root)", "  idle: single 0"]
    doubles, singles = mode_counts(files.configuration)
    assert sum(doubles.values()) == 11
    assert singles == {"idle": 4, "add": 4, "pass left": 1}
