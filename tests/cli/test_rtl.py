"""``maerisim rtl`` writes what the published RTL loads, and says why where it cannot."""

from __future__ import annotations

import json

import pytest

from maerisim.rtl import memory
from maerisim.rtl.tokens import push

MAPPING = """\
hardware: maeri-64
network: tiny
layers:
  conv3x3:
    problem: {{K: 8, C: 4, R: 3, S: 3, P: 16, Q: 16}}
    tile: {tile}
    order: N G K C P Q R S
"""


@pytest.fixture
def mapping(tmp_path):
    def write(tile):
        path = tmp_path / "mapping.yaml"
        path.write_text(MAPPING.format(tile=tile))
        return path

    return write


@pytest.mark.parametrize(
    ("hardware", "network", "layer"),
    [
        ("maeri-16", "tiny", "conv3x3"),
        ("maeri-64", "tiny", "conv3x3"),
        ("maeri-128", "tiny", "pointwise"),
        ("maeri-256", "vgg16", "conv3_1"),
        ("maeri-32", "squeezenet", "fire2.squeeze1x1"),
    ],
)
def test_the_files_are_read_back_and_sum_right(maerisim, tmp_path, hardware, network, layer):
    finished = maerisim("rtl", hardware, network, "--layer", layer, "-o", tmp_path / "out")
    assert finished.code == 0, finished.err
    files = memory.read(tmp_path / "out")
    size, count = files.layer.vn_size, files.layer.vn_count
    flow = push(files.configuration, size, count)
    assert not flow.problems
    assert len(flow.results) == count
    first = finished.out.splitlines()[0]
    assert first.startswith(f"{layer} of {network} on {hardware}: {count} virtual neuron")
    assert f"of {size}, {size * count} of {files.layer.multipliers} multipliers" in first
    assert f"({files.layer.multipliers - size * count} idle)" in first
    assert finished.out.splitlines()[-1].endswith(
        f"Layer_Info.vmh (14 words), Tile_Info.vmh (14 words), RN_Config.vmh "
        f"({len(memory.switch_words(files.configuration))} words)"
    )


def test_a_mapping_says_what_is_on_the_array(maerisim, tmp_path, mapping):
    arguments = ("rtl", "maeri-64", "tiny", "--layer", "conv3x3", "-o", tmp_path / "out", "--mapping")
    finished = maerisim(*arguments, mapping("{K: 3, C: 2, R: 3, S: 3}"))
    assert "3 virtual neurons of 18, 54 of 64 multipliers (10 idle)" in finished.out
    assert "R 6, S 3 (2 input channels a fold, as filter rows); input 21 x 18" in finished.out
    assert "the order of the mapping is not used" in finished.out
    assert memory.read(tmp_path / "out").layer.sizes == (8, 2, 6, 3, 21, 18)
    for tile, reason in (
        ("{K: 4, R: 3, S: 3}", "the largest number that works is 3"),
        ("{K: 2, C: 3, R: 3, S: 3}", "a partial one of the 4 input channels"),
        ("{K: 2, R: 3, S: 3, Q: 2}", "a tile of 2 in Q, it lays out virtual neurons along K only"),
    ):
        finished = maerisim(*arguments, mapping(tile))
        assert finished.code == 2
        assert reason in finished.err


def test_padding_is_told(maerisim):
    out = maerisim("rtl", "maeri-64", "tiny", "--layer", "conv3x3").out
    assert "input 18 x 18, padding of 1x1 included" in out
    assert "nothing written: name a directory with -o" in out
    assert "at most     3 instead of 7: no mode of double switch" in out


def test_every_switch_in_words(maerisim):
    out = maerisim("rtl", "maeri-32", "tiny", "--layer", "conv3x3", "--explain").out
    assert out.count("result at port") == 3
    for level in range(5):
        assert f"level {level}" in out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("maeri-64", "tiny", "--layer", "strided"), "stride 2"),
        (("maeri-64", "tiny", "--layer", "depthwise"), "16 groups"),
        (("maeri-64", "tiny", "--layer", "linear"), "as wide as the filter"),
        (("maeri-64", "tiny", "--layer", "matmul"), "a batch of 16 (write the rows of a matrix product as a conv2d"),
        (("maeri-64", "tiny", "--layer", "conv3x3", "--vn-count", "4"), "the largest number that works is 3"),
        (("maeri-64", "tiny", "--layer", "conv3x3", "--vn-count", "9"), "for a layer of 8 output channels"),
        (("maeri-64", "tiny", "--layer", "conv3"), "no layer 'conv3'"),
    ],
)
def test_refusals(maerisim, tmp_path, arguments, reason):
    finished = maerisim("rtl", *arguments, "-o", tmp_path / "out")
    assert finished.code == 2
    assert reason in finished.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("given", [("--vn-count", "2", "--mapping", "x.yaml"), ("--format", "json", "--explain")])
def test_options_that_contradict_one_another(maerisim, given):
    assert maerisim("rtl", "maeri-64", "tiny", "--layer", "conv3x3", *given).code == 2


def test_many_virtual_neurons_on_a_bus_are_mentioned(maerisim, tmp_path):
    narrow = tmp_path / "narrow.yaml"
    narrow.write_text("extends: maeri-64\nname: narrow\ncollection: {bandwidth: 2}\n")
    finished = maerisim("rtl", narrow, "tiny", "--layer", "pointwise", "--vn-count", "32")
    assert "virtual neurons share a collection bus" in finished.out
    assert "share a collection bus" not in maerisim("rtl", "maeri-64", "tiny", "--layer", "conv3x3").out


def test_json_holds_every_switch_and_every_packet(maerisim, tmp_path, mapping):
    path = mapping("{K: 3, R: 3, S: 3}")
    arguments = ("rtl", "maeri-64", "tiny", "--layer", "conv3x3", "--mapping", path, "--format", "json")
    document = maerisim(*arguments).json
    assert len(document["multiplier_switches"]) == 64
    assert len(document["adder_switches"]) == 63
    leaving = [switch["switch"] for switch in document["adder_switches"] if switch["result"]]
    assert sorted(leaving) == sorted(vn["result_switch"] for vn in document["virtual_neurons"])
    for number, switch in enumerate(document["multiplier_switches"]):
        if number >= 27:
            assert switch == {"switch": number, "virtual_neuron": None}
            continue
        tap = number % 9
        assert switch["virtual_neuron"] == number // 9
        assert switch["operand"] == {"c": 0, "r": tap // 3, "s": tap % 3}
        # Inputs slide from the right end of a filter row to the left.
        assert switch["input"] == ("port" if tap % 3 == 2 else "neighbour")
        assert switch["forwards"] == (tap % 3 > 0)
        assert switch["port"] == number // 4
    for name, words in (("weights", 3 * 9), ("inputs", 9)):
        thread = document["distribution_ports"][name]
        first = thread["templates"][0]
        assert len({packet["word"] for port in first for packet in port["packets"]}) == words
        assert sorted(to for port in first for packet in port["packets"] for to in packet["to"]) == list(range(27))
        assert all(to // 4 == port["port"] for port in first for packet in port["packets"] for to in packet["to"])
    assert maerisim(*arguments, "-o", tmp_path / "out").code == 0
    assert json.loads((tmp_path / "out" / "configuration.json").read_text()) == document


def test_json_without_a_mapping_uses_the_mapper(maerisim):
    document = maerisim("rtl", "maeri-16", "tiny", "--layer", "depthwise", "--format", "json").json
    assert document["problem"]["G"] == 16
    assert document["virtual_neurons"]
