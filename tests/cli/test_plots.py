"""``--plot`` of every command that has it: a figure in the format that the name asks for, or a word before anything runs."""

from __future__ import annotations

import re

import pytest

from maerisim.fabric.choose import topology_of
from maerisim.hardware.hardware import Hardware
from maerisim.reports import fabric_plot, figures

TINY = ("maeri-16", "tiny", "--layer", "linear", "--layer", "matmul", "--scale", "2000")
COMMANDS = {
    "validation": ("validate", *TINY),
    "front": ("map", *TINY, "--objective", "pareto"),
    "curve": ("buffer-curve", "maeri-16", "tiny", "--layer", "matmul", "--scale", "500"),
    "fabric": ("show", "maeri-16", "--vn", "5x3"),
}
BEGINNINGS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.mark.parametrize(("what", "ending"), list(zip(COMMANDS, ("svg", "png", "svg", "pdf"), strict=True)))
def test_figures_are_written(maerisim, what, ending, tmp_path):
    path = tmp_path / f"figure.{ending}"
    finished = maerisim(*COMMANDS[what], "--plot", path)
    assert finished.code == 0, finished.err
    content = path.read_bytes()
    assert content.startswith(BEGINNINGS[ending])
    if ending == "svg":
        assert b"matmul" in content


def test_a_fabric_is_drawn_under_either_name_and_equally(maerisim, tmp_path):
    one, other = tmp_path / "one.svg", tmp_path / "other.svg"
    for option, path in (("--svg", one), ("--plot", other)):
        assert maerisim(*COMMANDS["fabric"], option, path).out == ""
    text = one.read_text()
    assert text == other.read_text()
    assert "3 virtual neurons on 15 of 16" in text
    assert text.count("<!-- A -->") == 5  # a letter in each multiplier switch of the first virtual neuron


@pytest.mark.parametrize("topology", ["art", "plain_tree", "linear", "fan"])
def test_every_topology_can_be_drawn(topology):
    hardware = Hardware(name="h", multipliers=8).with_overrides({"reduction.topology": topology})
    figure = fabric_plot.draw(hardware, (4, 2))
    squares = [line for line in figure.axes[0].lines if line.get_marker() == "s"]
    assert len(squares) == topology_of(hardware).switches


@pytest.mark.parametrize("what", COMMANDS)
def test_what_cannot_be_a_figure_is_said_before_anything_runs(maerisim, what, tmp_path):
    finished = maerisim(*COMMANDS[what], "--plot", tmp_path / "figure.bmp")
    assert finished.code == 2
    assert "expected a name that ends with .png, .svg, .pdf" in finished.err
    assert finished.out == ""


def test_a_plot_of_one_mapping_a_layer_is_refused(maerisim, tmp_path):
    finished = maerisim("map", *TINY, "--plot", tmp_path / "f.png")
    assert finished.code == 2
    assert "is for --objective pareto" in finished.err


def test_a_curve_lies_under_our_mappings(maerisim):
    document = maerisim(*COMMANDS["curve"], "--objective", "energy", "--json").json
    (layer,) = document["layers"]
    points = layer["points"]
    assert 1 < len(points) <= 7
    found = [point["dram_words"] for point in points if point["dram_words"] is not None]
    assert found[-1] == layer["compulsory_words"] == layer["curve"]["dram_words"][-1]
    assert all(point["least_dram_words"] <= point["dram_words"] for point in points if point["dram_words"] is not None)
    assert re.search(r"^ matmul", maerisim(*COMMANDS["curve"]).out, re.MULTILINE)


def test_footnotes_take_as_many_lines_as_they_need():
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3, 2))
    figures.add_footnote(figure, "word " * 40)
    assert max(map(len, figure.get_supxlabel().splitlines())) <= 3 * figures.LETTERS_PER_INCH
